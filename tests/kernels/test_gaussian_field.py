"""Random fields have the variance and the correlation that they are asked for."""

import numpy as np
import pytest

from centrum.kernels.gaussian_field import FieldPlanes, gaussian_field

STEP = 0.5
AXES = [STEP * np.arange(n) for n in (6, 90, 110)]


@pytest.fixture(scope="module")
def fields() -> np.ndarray:
    """Sixty fields of correlation lengths 2 and 4 mm along the last two axes."""
    rng = np.random.default_rng(5)
    return np.stack([gaussian_field(rng, AXES, (3.0, 2.0, 4.0)) for _ in range(60)])


def test_mean_and_variance_at_every_place(fields: np.ndarray) -> None:
    assert fields.dtype == np.float32
    assert fields.mean() == pytest.approx(0, abs=0.02)
    assert fields.var() == pytest.approx(1, abs=0.03)
    # the edge of the box varies as its middle does
    assert fields[..., 0].var() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("axis", "length"), [(-2, 2.0), (-1, 4.0)])
@pytest.mark.parametrize("shift", [1, 4, 8])
def test_correlation_falls_as_a_gaussian(
    fields: np.ndarray, axis: int, length: float, shift: int
) -> None:
    moved = np.roll(fields, -shift, axis=axis)
    kept = np.moveaxis(fields * moved, axis, 0)[:-shift]
    expected = np.exp(-((STEP * shift) ** 2) / (2 * length**2))
    assert kept.mean() == pytest.approx(expected, abs=0.035)


def test_planes_are_those_of_the_whole_field() -> None:
    lengths = (3.0, 2.0, 4.0)
    whole = gaussian_field(np.random.default_rng(7), AXES, lengths)
    planes = FieldPlanes.drawn(np.random.default_rng(7), AXES, lengths)
    np.testing.assert_array_equal(np.stack([planes.plane(k) for k in range(6)]), whole)
    np.testing.assert_array_equal(planes.plane(4, 30), whole[4, :, 30:])
