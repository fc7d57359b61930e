"""Laplacian of Gaussian against SimpleITK, which is what PyRadiomics calls."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydantic import ValidationError

from centrum.errors import DataError
from centrum.features.settings import ExtractionSettings
from centrum.filters import FILTERS, View
from centrum.filters.pyradiomics_log import RecursiveLaplacian
from centrum.io import read_image, read_mask
from centrum.measure.extract import family_values
from centrum.measure.region import Region, Response

THICK = (4.4, 0.6, 0.7)


def itk(array: np.ndarray, spacing: tuple[float, ...], sigma: float) -> np.ndarray:
    """The response of the whole image."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing[::-1])
    laplacian = sitk.LaplacianRecursiveGaussianImageFilter()
    laplacian.SetSigma(sigma)
    laplacian.SetNormalizeAcrossScale(True)
    return sitk.GetArrayFromImage(laplacian.Execute(image))


def smooth_noise(shape: tuple[int, ...]) -> np.ndarray:
    """int16 with structure of all sizes."""
    noise = np.random.default_rng(7).normal(size=shape)
    for axis in range(len(shape)):
        noise = noise + np.roll(noise, 1, axis) + np.roll(noise, 5, axis)
    return (400 + 25 * noise).astype(np.int16)


@pytest.mark.parametrize("shape", [(15, 64, 80), (4, 4, 4), (5, 30, 4), (7, 4, 9)])
@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32, np.float64])
def test_every_voxel_of_the_whole_image_equals_itk(
    shape: tuple[int, ...], kind: type[np.generic]
) -> None:
    array = smooth_noise(shape).astype(kind)
    log = RecursiveLaplacian(sigma=(0.5, 1.0, 2.0, 5.0))
    for sigma, ours in zip(log.sigma, log.respond(View.whole(array, THICK)), strict=True):
        theirs = itk(array, THICK, sigma)
        assert ours.dtype == theirs.dtype == np.float32
        # ITK rounds to float32 after each of its nine passes.
        scale = 1.0 + (sigma / min(THICK)) ** 2
        assert np.abs(ours - theirs).max() < 2**-23 * scale * float(np.abs(array).max())


@pytest.mark.parametrize(
    "box",
    [
        (slice(4, 9), slice(40, 52), slice(60, 75)),
        (slice(0, 3), slice(0, 20), slice(100, 120)),
        (slice(14, 15), slice(119, 120), slice(0, 1)),
    ],
)
def test_in_a_box_it_is_that_of_the_whole_image(box: tuple[slice, slice, slice]) -> None:
    array = smooth_noise((15, 120, 120))
    log = RecursiveLaplacian(sigma=(1.0, 3.0))
    for sigma, ours in zip(log.sigma, log.respond(View(array, box, THICK)), strict=True):
        theirs = itk(array, THICK, sigma)
        assert np.abs(ours - theirs[box]).max() < 4e-7 * array.std() + 1e-4


def test_the_margin_bounds_what_lies_beyond() -> None:
    """An edge beyond 12 sigma changes the response by less than 4e-7 of its height."""
    sigma, spacing = 5.0, (1.0, 1.0, 1.0)
    array = np.zeros((4, 4, 400))
    array[..., 201 + 60 :] = 1.0
    box = (slice(1, 3), slice(1, 3), slice(190, 201))
    log = RecursiveLaplacian(sigma=(sigma,))
    (cut,) = log.respond(View(array, box, spacing))
    (whole,) = log.respond(View.whole(array, spacing))
    assert (cut == 0).all()
    assert 0 < np.abs(whole[box]).max() < 4e-7


def test_in_slices_it_is_that_of_every_slice() -> None:
    array = smooth_noise((3, 30, 40))
    log = RecursiveLaplacian(sigma=(1.5,), dimension="2D")
    (ours,) = log.responses(View.whole(array, THICK))
    for k in range(3):
        assert ours[k] == pytest.approx(itk(array[k], THICK[1:], 1.5), abs=1e-3)
    turned = np.ascontiguousarray(np.moveaxis(array, 0, 2))
    (across,) = log.responses(View.whole(turned, (0.6, 0.7, 4.4), slice_axis=2))
    assert np.array_equal(np.moveaxis(across, 2, 0), ours)


def test_reach_is_twelve_sigma() -> None:
    assert RecursiveLaplacian(sigma=(1.0, 2)).reach(THICK) == (6, 40, 35)
    assert RecursiveLaplacian(sigma=(1.0,), dimension="2D").reach(THICK) == (0, 20, 18)


def test_too_small_an_image_is_refused_as_by_itk() -> None:
    array = np.zeros((3, 10, 10))
    with pytest.raises(RuntimeError):
        itk(array, THICK, 1.0)
    with pytest.raises(DataError, match=r"at least 4 voxels .* found an image of \(3, 10, 10\)"):
        list(RecursiveLaplacian(sigma=(1.0,)).respond(View.whole(array, THICK)))


def test_choices() -> None:
    assert FILTERS["LoG"] is RecursiveLaplacian
    for wrong in ([], [0.0], [-1], ["a"]):
        with pytest.raises(ValidationError):
            RecursiveLaplacian.model_validate({"sigma": wrong})
    again = RecursiveLaplacian.model_validate_json(
        RecursiveLaplacian(sigma=(1, 2.0)).model_dump_json()
    )
    assert again.names == ("log-sigma-1-mm-3D", "log-sigma-2-0-mm-3D")


@pytest.mark.parametrize("sigma", [1.0, 3.0, 5.0])
def test_features_are_those_of_the_whole_image_to_1e_6(reference: Path, sigma: float) -> None:
    """Of a lung lesion in a large CT: the margin of 12 sigma is enough."""
    folder = reference / "pyradiomics"
    image = read_image(str(folder / "lung2_image.nrrd"))
    mask = read_mask(str(folder / "lung2_label.nrrd"), image.geometry)
    settings = ExtractionSettings.model_validate(
        {
            "dialect": "pyradiomics",
            "families": ("statistics", "glcm", "glrlm", "glszm", "ngldm", "ngtdm"),
            "discretisation": {"method": "fixed_bin_size", "width": 25},
            "aggregations": ["3D_averaged"],
            "filters": [{"filter": "LoG", "sigma": [sigma]}],
        }
    )
    region = Region(image, mask, settings)
    (part,) = region.responses()
    (response,) = settings.filters[0].respond(View.whole(image.array, image.geometry.array_spacing))
    whole = Response(region, "whole image", response[region.box])
    for family in settings.families:
        near, far = family_values([part], family), family_values([whole], family)
        np.testing.assert_allclose(near, far, rtol=1e-6, atol=1e-9, err_msg=family)
