"""Normalisation and re-segmentation."""

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.errors import DataError
from centrum.geometry import Geometry
from centrum.prepare.intensity import normalise_image, resegment
from centrum.volume import Mask, Volume

GRID = Geometry((5, 4, 3), (1.0, 1.0, 2.0))


def volume(seed: int = 0) -> Volume:
    return Volume(np.random.default_rng(seed).normal(100, 15, GRID.shape), GRID)


def test_normalised_as_simpleitk_does() -> None:
    image = volume()
    expected = sitk.GetArrayFromImage(sitk.Normalize(sitk.GetImageFromArray(image.array)))
    found = normalise_image(image, scale=100)
    np.testing.assert_allclose(found.array, 100 * expected, rtol=1e-9)
    assert found.history[-1].parameters["scale"] == 100


def test_a_constant_image_cannot_be_normalised() -> None:
    with pytest.raises(DataError, match="constant image"):
        normalise_image(Volume(np.full(GRID.shape, 7.0), GRID), 1)


def test_limits_are_inclusive() -> None:
    image = Volume(np.arange(60.0).reshape(GRID.shape), GRID)
    kept = resegment(image, Mask(np.ones(GRID.shape, bool), GRID), lower=10, upper=20)
    assert sorted(image.array[kept.array]) == list(range(10, 21))


def test_outliers_are_those_of_the_region() -> None:
    image = volume(3)
    x = image.array.copy()
    x[0, 0, 0], x[2, 3, 4] = 1e6, 400
    inside = np.ones(GRID.shape, dtype=bool)
    inside[0, 0, 0] = False
    kept = resegment(Volume(x, GRID), Mask(inside, GRID), sigma=3)
    assert not kept.array[0, 0, 0]
    assert not kept.array[2, 3, 4]
    assert kept.n_voxels == 58


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(DataError, match="leaves none of the 60 voxels"):
        resegment(volume(), Mask(np.ones(GRID.shape, bool), GRID), lower=1e6)
