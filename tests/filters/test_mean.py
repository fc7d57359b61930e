"""The mean filter, against scipy's."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.ndimage import uniform_filter

from centrum.filters import Boundary, View
from centrum.filters.mean import Mean

MODES = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
IMAGE = np.random.default_rng(0).normal(size=(6, 7, 8))


@pytest.mark.parametrize("boundary", MODES)
@pytest.mark.parametrize("dimension", ["2D", "3D"])
def test_is_a_uniform_filter(boundary: Boundary, dimension: str) -> None:
    chosen = Mean.model_validate({"support": 5, "boundary": boundary, "dimension": dimension})
    (found,) = chosen.responses(View.whole(IMAGE, (4, 1, 1)))
    size = 5 if dimension == "3D" else (1, 5, 5)
    assert np.allclose(found, uniform_filter(IMAGE, size, mode=MODES[boundary]), atol=1e-12)


def test_wants_a_voxel_in_the_middle() -> None:
    with pytest.raises(ValidationError, match="support is odd, found 4"):
        Mean(support=4)
