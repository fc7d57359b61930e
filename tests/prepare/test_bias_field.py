"""N4 removes a known field and keeps what is not a field."""

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.errors import DataError
from centrum.prepare.bias_field import (
    LEAST_BLOCKS,
    _at_every_voxel,
    correct_bias_field,
)
from centrum.prepare.body import find_body
from centrum.prepare.settings import BiasField
from centrum.provenance import Step
from centrum.volume import Volume
from tests.prepare.scenes import GRID, coil, scene, trunk

QUICK = BiasField(shrink_factor=4)


def corrected(image: Volume, settings: BiasField = QUICK) -> Volume:
    return correct_bias_field(image, settings, find_body(image))


def variation(image: Volume) -> float:
    """CV over the inner trunk."""
    x = image.array[trunk(0.7)]
    return float(x.std() / x.mean())


def test_a_known_field_is_removed() -> None:
    """A flat phantom under a coil that doubles from front to back."""
    image = scene(field=coil())
    noise_alone = variation(scene())
    assert noise_alone == pytest.approx(0.02, abs=0.001)
    assert variation(image) > 6 * noise_alone
    assert variation(corrected(image)) < 1.1 * noise_alone


def test_the_field_has_its_shape_at_every_voxel() -> None:
    image = scene(field=coil(), noise=1)
    found = image.array / corrected(image).array
    ratio = np.log(found / coil())[trunk(0.75)]
    assert ratio.std() < 0.02


def test_a_dark_vertebra_stays_dark() -> None:
    tissue = np.full(GRID.shape, 300.0)
    lesion = np.zeros(GRID.shape, bool)
    lesion[4:8, 34:46, 30:44] = True
    tissue[lesion] = 240
    image = corrected(scene(tissue, coil()))
    around = trunk(0.6) & ~lesion
    assert image.array[lesion].mean() / image.array[around].mean() == pytest.approx(0.8, abs=0.04)


def test_the_level_stays_and_the_gain_does_not_matter() -> None:
    image = scene(field=coil())
    body = find_body(image)
    lit = body.inside & (image.array > body.threshold)
    once = corrected(image)
    assert np.log(once.array[lit]).mean() == pytest.approx(np.log(image.array[lit]).mean())
    louder = corrected(image.with_array(5 * image.array, Step("gain")))
    np.testing.assert_allclose(louder.array, 5 * once.array, rtol=0.01)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_bytes_whatever_the_number_of_threads(threads: int) -> None:
    image, before = scene(field=coil()), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    first = corrected(image).array
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    try:
        assert corrected(image).array.tobytes() == first.tobytes()
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == threads
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def test_the_step_says_what_was_found_and_no_time() -> None:
    step = corrected(scene(field=coil())).history[-1]
    low, high = step.parameters["field"]
    assert step.name == "n4_bias_field"
    assert 0.5 < low < 0.8 < 1.2 < high < 1.9
    assert set(step.parameters) == {*BiasField.model_fields, "field"}


def test_a_mask_of_the_whole_image_leaves_air_out_too() -> None:
    image = scene(field=coil())
    whole = corrected(image, QUICK.model_copy(update={"mask": "image"}))
    assert variation(whole) < 0.04


def test_negative_images_are_refused() -> None:
    image = scene()
    with pytest.raises(DataError, match="before intensities are normalised"):
        corrected(image.with_array(image.array - 1000, Step("shift")))


def test_few_slices_are_enough() -> None:
    """One slice and two: splines of lower order."""
    for n in (1, 2, 3):
        grid = GRID.crop((0, 0, 5), (72, 80, n))
        image = Volume(scene(field=coil()).array[5 : 5 + n], grid)
        x = corrected(image).array[trunk(0.7)[5 : 5 + n]]
        assert x.std() / x.mean() < 0.05


def test_no_fewer_blocks_than_a_cubic_spline_goes_through() -> None:
    """Along an axis whose blocks are averaged the field is evaluated by one."""
    for blocks in (LEAST_BLOCKS, LEAST_BLOCKS - 1):
        field = np.ones((blocks, 4, 4))
        if blocks == LEAST_BLOCKS:
            assert _at_every_voxel(field, (2, 1, 1), (7, 4, 4)).shape == (7, 4, 4)
        else:
            with pytest.raises(ValueError, match="number of derivatives"):
                _at_every_voxel(field, (2, 1, 1), (5, 4, 4))


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_slope_of_blocks_is_a_slope_of_voxels(factor: int) -> None:
    """The centre of a block lies between its voxels."""
    blocks = np.broadcast_to(np.arange(6.0)[:, None, None], (6, 4, 4))
    field = _at_every_voxel(blocks, (factor, 1, 1), (6 * factor, 4, 4))
    slope = (np.arange(6 * factor) - (factor - 1) / 2) / factor
    np.testing.assert_allclose(field, np.broadcast_to(slope[:, None, None], field.shape), atol=1e-9)
