"""Normalisation and re-segmentation."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, strategies as st

from centrum.errors import DataError, ProtocolError
from centrum.geometry import Geometry
from centrum.prepare.intensity import normalise_image, within_limits, within_range
from centrum.volume import Volume

GRID = Geometry((5, 4, 3), (1.0, 1.0, 2.0))


def volume(seed: int = 0) -> Volume:
    return Volume(np.random.default_rng(seed).normal(100, 15, GRID.shape), GRID)


def test_normalised_as_simpleitk_does() -> None:
    image = volume()
    expected = sitk.GetArrayFromImage(sitk.Normalize(sitk.GetImageFromArray(image.array)))
    found = normalise_image(image, scale=100)
    np.testing.assert_allclose(found.array, 100 * expected, rtol=1e-9)
    assert found.history[-1].parameters["scale"] == 100


def test_outliers_are_clipped_before_scaling() -> None:
    image = volume()
    z = sitk.GetArrayFromImage(sitk.Normalize(sitk.GetImageFromArray(image.array)))
    found = normalise_image(image, scale=100, outliers=1.5).array
    np.testing.assert_allclose(found, 100 * np.clip(z, -1.5, 1.5), rtol=1e-9, atol=1e-9)


def test_a_constant_image_cannot_be_normalised() -> None:
    with pytest.raises(DataError, match="constant image"):
        normalise_image(Volume(np.full(GRID.shape, 7.0), GRID), 1)


def test_limits_are_inclusive() -> None:
    x = np.arange(60.0)
    assert x[within_limits(x, lower=10, upper=20)].tolist() == list(range(10, 21))


def test_an_outlier_is_dropped() -> None:
    x = volume(3).array.ravel().copy()
    x[59] = 400
    kept = within_limits(x, sigma=3)
    assert not kept[59]
    assert kept.sum() == 59


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(DataError, match="leaves none of the 60 voxels"):
        within_limits(volume().array.ravel(), lower=1e6)


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 2), st.floats(60, 95), st.floats(105, 140))
def test_range_and_outliers_are_an_intersection(
    seed: int, sigma: float, lower: float, upper: float
) -> None:
    x = np.random.default_rng(seed).normal(100, 15, 60)
    kept = within_limits(x, lower=lower, upper=upper, sigma=sigma)
    in_range = within_limits(x, lower=lower, upper=upper)
    np.testing.assert_array_equal(kept, in_range & within_limits(x, sigma=sigma))
    assert np.array_equal(within_limits(x, sigma=sigma), abs(x - x.mean()) <= sigma * x.std())


def test_a_constant_region_has_no_outliers() -> None:
    assert within_limits(np.full(1000, 0.1), sigma=3).all()


SKEWED = np.array([-40.0, 1, 2, 3, 10, 20, 100])


@pytest.mark.parametrize(
    ("limits", "mode", "left"),
    [
        ([2], "absolute", [2, 3, 10, 20, 100]),
        ([20, 2], "absolute", [2, 3, 10, 20]),
        ([0.1], "relative", [10, 20, 100]),
        ([0.02, 0.2], "relative", [2, 3, 10, 20]),
        ([0.0], "sigma", [20, 100]),
        ([-1, 1], "sigma", [1, 2, 3, 10, 20]),
        ([0.5, -2], "sigma", [-40, 1, 2, 3, 10, 20]),
    ],
)
def test_the_ranges_of_pyradiomics(limits: list[float], mode: str, left: list[float]) -> None:
    assert SKEWED[within_range(SKEWED, limits, mode)].tolist() == left


def test_ranges_that_pyradiomics_does_not_know_are_refused() -> None:
    for limits in ([], [1, 2, 3]):
        with pytest.raises(ProtocolError, match="one or two limits"):
            within_range(SKEWED, limits)
    with pytest.raises(ProtocolError, match="absolute, relative, sigma, found 'percent'"):
        within_range(SKEWED, [1], "percent")
    with pytest.raises(DataError, match="leaves none of the 7 voxels"):
        within_range(SKEWED, [500, 600])


def test_the_sd_of_two_voxels_and_of_one() -> None:
    """With n - 1, so that one voxel has none."""
    pair = Volume(np.array([[[1.0, 3.0]]]), Geometry((2, 1, 1), (1, 1, 1)))
    half = np.sqrt(0.5)
    np.testing.assert_allclose(normalise_image(pair, 1).array, [[[-half, half]]])
    one = Volume(np.array([[[5.0]]]), Geometry((1, 1, 1), (1, 1, 1)))
    with pytest.raises(DataError, match=r"constant image \(all 5\)"):
        normalise_image(one, 1)
