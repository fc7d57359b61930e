"""Warnings about settings that do not suit a region."""

import numpy as np
import pytest

from centrum.features.settings import Discretisation, ExtractionSettings
from centrum.geometry import Geometry
from centrum.measure.advice import Adviser, Levels, Sampling, _about_levels, about_filters
from centrum.measure.extract import values
from centrum.measure.region import Region
from centrum.volume import Mask, Volume

SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
"""Direction cosines of sagittal slices: rows run backwards, columns down."""


def warnings(**choices: object) -> dict[str, str]:
    """Messages by code for a body on nine sagittal slices of 4.4 mm, intensities 400 to 600."""
    grid = Geometry((60, 60, 11), (0.6, 0.6, 4.4), (0.0, 0.0, 0.0), SAGITTAL)
    image = np.random.default_rng(0).uniform(400, 600, grid.shape)
    inside = np.zeros(grid.shape, bool)
    inside[1:10, 10:50, 10:50] = True
    settings = ExtractionSettings.model_validate({"families": ("statistics", "glcm")} | choices)
    region = Region(Volume(image, grid), Mask(inside, grid), settings)
    adviser = Adviser()
    values(region, adviser.look)
    return {f.code: f.message for f in adviser.advise(region)}


def width(value: float) -> dict[str, object]:
    return {"discretisation": Discretisation(method="fixed_bin_size", width=value)}


def test_settings_that_suit_the_region_give_no_warning() -> None:
    assert warnings(filters=[{"filter": "log", "sigma": 1.5, "dimension": "2D"}]) == {}
    assert warnings(**width(6)) == {}


@pytest.mark.parametrize("chosen", [{"filter": "wavelet", "wavelet": "db2"}, {"filter": "mean"}])
def test_filters_across_thick_slices(chosen: dict[str, object]) -> None:
    found = warnings(filters=[{"dimension": "3D"} | chosen])
    assert "4.4 mm apart with pixels of 0.6 mm" in found["thick-slices"]
    assert "dimension: 2D" in found["thick-slices"]


def test_sigma_below_the_voxel_size() -> None:
    in_slices = {"filter": "log", "sigma": 0.5, "dimension": "2D"}
    assert "below the voxel size of 0.6 mm" in warnings(filters=[in_slices])["small-sigma"]
    in_space = {"filter": "log", "sigma": 2.0, "dimension": "3D"}
    assert "below the voxel size of 4.4 mm" in warnings(filters=[in_space])["small-sigma"]


def test_region_thinner_than_the_support() -> None:
    found = warnings(filters=[{"filter": "log", "sigma": 4.0, "dimension": "2D"}])
    assert "40 voxels along y" in found["thin-region"]
    assert "looks at 55" in found["thin-region"]


def test_support_is_what_weighs_of_filters_that_reach_further() -> None:
    """12 sigma of LoG, or all around a periodic image, are not its support."""
    settings: dict[str, object] = {"dialect": "pyradiomics", "aggregations": ["3D_averaged"]}
    log = warnings(**settings, filters=[{"filter": "LoG", "sigma": [1.0], "dimension": "2D"}])
    assert "thin-region" not in log
    wavelet = warnings(**settings, filters=[{"filter": "Wavelet", "wavelet": "db10"}])
    assert "looks at 21" in wavelet["thin-region"]


def test_bin_widths() -> None:
    assert "makes 4 grey levels of original" in warnings(**width(50))["few-levels"]
    found = warnings(**width(0.1))["many-levels"]
    assert "Choose a width near 6.2" in found
    assert "fixed_bin_number with 32 bins" in found


@pytest.mark.parametrize("interpolation", [None, {"in_plane": 1.0}, {"isotropic": 1.5}])
def test_what_is_expected_before_interpolation_is_what_is_found(
    interpolation: dict[str, float] | None,
) -> None:
    inside = np.zeros((11, 60, 60), bool)
    inside[1:10, 10:50, 12:43] = True
    mask = Mask(inside, Geometry((60, 60, 11), (0.6, 0.6, 4.4), (0.0, 0.0, 0.0), SAGITTAL))
    image = Volume(np.random.default_rng(0).uniform(400, 600, inside.shape), mask.geometry)
    settings = ExtractionSettings.model_validate({"interpolation": interpolation})
    region, expected = Region(image, mask, settings), Sampling.expected(mask, settings)
    assert expected.spacing == pytest.approx(region.view.spacing)
    assert expected.slice_axis == region.view.slice_axis
    np.testing.assert_allclose(expected.extent, region.kept.shape, atol=1)


def levels(n: int, name: str = "original", width: float = 5.0) -> Levels:
    return Levels(n, name, width, 64.0)


def test_levels_are_too_few_below_8_and_too_many_above_256() -> None:
    assert not list(_about_levels([levels(8), levels(256)]))
    found = [f.code for f in _about_levels([levels(7), levels(257)])]
    assert found == ["few-levels", "many-levels"]


def test_the_worst_image_is_named_and_the_others_are_counted() -> None:
    few, many = _about_levels(
        [levels(300), levels(5, "LLH"), levels(3, "HHH"), levels(6), levels(900, "LLL")]
    )
    assert "makes 3 grey levels of HHH (and of 2 other images as well)" in few.message
    assert "makes 900 grey levels of LLL (and of 1 other images as well)" in many.message
    assert "Choose a width near 2, or fixed_bin_number with 32 bins" in few.message
    (alone,) = _about_levels([levels(2)])
    assert "other images" not in alone.message


@pytest.mark.parametrize(("across", "thick"), [(2.0, False), (2.01, True)])
def test_slices_more_than_twice_as_thick_as_pixels_are_thick(across: float, thick: bool) -> None:
    """The wider side of a pixel counts; filters in slices see none of it."""
    sampling = Sampling((across, 0.5, 1.0), 0, (30, 30, 30))
    for dimension, told in (("3D", thick), ("2D", False)):
        settings = ExtractionSettings(filters=({"filter": "mean", "dimension": dimension},))
        codes = [f.code for f in about_filters(settings, sampling)]
        assert ("thick-slices" in codes) == told


@pytest.mark.parametrize(("sigma", "small"), [(1.0, False), (0.99, True)])
def test_a_sigma_of_a_voxel_is_large_enough(sigma: float, small: bool) -> None:
    sampling = Sampling((4.0, 0.5, 1.0), 0, (99, 99, 99))
    filters = ({"filter": "log", "sigma": sigma, "dimension": "2D"},)
    codes = [f.code for f in about_filters(ExtractionSettings(filters=filters), sampling)]
    assert ("small-sigma" in codes) == small


@pytest.mark.parametrize(("extent", "thin"), [(5, False), (4, True)])
def test_a_region_as_thick_as_the_support_is_thick_enough(extent: int, thin: bool) -> None:
    filters = ({"filter": "mean", "support": 5, "dimension": "2D"},)
    for axes in ((3, extent, 30), (3, 30, extent)):
        sampling = Sampling((1.0, 1.0, 1.0), 0, axes)
        found = [*about_filters(ExtractionSettings(filters=filters), sampling)]
        assert [f.code for f in found] == ["thin-region"] * thin


def test_filters_of_which_nothing_is_discretised_make_no_levels() -> None:
    assert warnings(**width(50), families=("statistics",)) == {}
    assert "few-levels" in warnings(**width(50), families=("glcm",))
