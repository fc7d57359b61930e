"""Laws kernels, and the mean of their absolute response."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.ndimage import convolve1d, uniform_filter

from centrum.filters import View
from centrum.filters.laws import KERNELS, Laws

IMAGE = np.random.default_rng(0).normal(size=(9, 10, 12))
MM = (3.0, 1.0, 1.0)


def test_kernels_have_norm_one_and_only_levels_a_sum() -> None:
    for name, taps in KERNELS.items():
        assert sum(w * w for w in taps.weights) == pytest.approx(1)
        assert (abs(taps.total) > 1e-9) == (name[0] == "L")


def test_first_kernel_lies_along_x() -> None:
    (found,) = Laws(kernels="E5L5S3").responses(View.whole(IMAGE, MM))
    edge = np.array([-1, -2, 0, 2, 1]) / 10**0.5
    level = np.array([1, 4, 6, 4, 1]) / 70**0.5
    spot = np.array([-1, 2, -1]) / 6**0.5
    wanted = IMAGE
    for axis, weights in ((2, edge), (1, level), (0, spot)):
        wanted = convolve1d(wanted, weights, axis, mode="reflect")
    assert np.allclose(found, wanted, atol=1e-12)


def test_energy_is_the_mean_of_absolute_responses_around() -> None:
    chosen = {"kernels": "L5E5", "dimension": "2D", "boundary": "periodic"}
    (response,) = Laws.model_validate(chosen).responses(View.whole(IMAGE, MM))
    (found,) = Laws.model_validate(chosen | {"energy": 2}).responses(View.whole(IMAGE, MM))
    assert np.allclose(found, uniform_filter(abs(response), (1, 5, 5), mode="wrap"), atol=1e-12)


def test_average_over_rotations_of_an_odd_and_even_kernels_is_nothing() -> None:
    (found,) = Laws(kernels="E5L5S5", pooling="average").responses(View.whole(IMAGE, MM))
    assert not found.any()


@pytest.mark.parametrize("kernels", ["E5L5", "E5L5S5R5", "W3L5L5", "e5l5s5", "E5 L5 S5", ""])
def test_refuses_what_are_not_three_kernels(kernels: str) -> None:
    with pytest.raises(ValidationError, match="3 of L3 L5 E3 E5 S3 S5 W5 R5 for a 3D filter"):
        Laws(kernels=kernels)
