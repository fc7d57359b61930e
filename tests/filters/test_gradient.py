"""The gradient of images whose slope is known."""

import numpy as np
import pytest

from centrum.filters import View
from centrum.filters.gradient import Gradient

MM = (4.0, 0.5, 0.6)
Z, Y, X = (g * s for g, s in zip(np.mgrid[:6, :7, :8].astype(float), MM, strict=True))
INNER = (slice(1, -1),) * 3


@pytest.mark.parametrize(("dimension", "slope"), [("3D", 13.0), ("2D", 5.0)])
def test_slope_of_a_ramp_per_millimetre(dimension: str, slope: float) -> None:
    image = 12 * Z + 4 * Y + 3 * X
    chosen = Gradient.model_validate({"dimension": dimension})
    (found,) = chosen.responses(View.whole(image, MM))
    assert found[INNER] == pytest.approx(slope, rel=1e-12)


def test_across_a_slice_axis() -> None:
    """In slices across x the slope along x does not count."""
    (found,) = Gradient(dimension="2D").responses(View.whole(3 * Z + 4 * Y + 99 * X, MM, 2))
    assert found[INNER] == pytest.approx(5, rel=1e-12)


def test_a_mirrored_edge_has_half_the_slope() -> None:
    (found,) = Gradient().responses(View.whole(2 * X, MM))
    assert found[0, 0].tolist() == pytest.approx([1, *[2] * 6, 1])
