"""How large the image of a region becomes, before it is made."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.features.ivh import VolumeHistogram
from centrum.features.registry import Family, Reads
from centrum.features.settings import ExtractionSettings
from centrum.features.textures import Neighbourhood
from centrum.geometry import Geometry
from centrum.kernels.tally import Tally
from centrum.measure.region import (
    Region,
    Response,
    _refuse_unmade,
    filtered_voxels,
    grid_as_read,
    measured_voxels,
)
from centrum.volume import Mask, Volume, bounding_box

GRID = Geometry((20, 16, 9), (0.7, 0.9, 3.0))


@pytest.fixture(scope="module")
def case() -> tuple[Volume, Mask]:
    inside = np.zeros(GRID.shape, bool)
    inside[3:6, 4:11, 5:14] = True
    return Volume(np.random.default_rng(0).normal(100, 20, GRID.shape), GRID), Mask(inside, GRID)


@pytest.mark.parametrize("dialect", ["ibsi", "pyradiomics"])
@pytest.mark.parametrize(
    "interpolation", [{"isotropic": 1.0}, {"in_plane": 0.5}, {"spacing": [1.0, 2.0, 0.5]}]
)
def test_as_many_voxels_are_told_as_are_made(
    case: tuple[Volume, Mask], dialect: str, interpolation: dict[str, Any]
) -> None:
    """Before the region is interpolated, up to a voxel more may belong to it on every side."""
    if dialect == "pyradiomics":
        peer = {"mask": "nearest", "round_intensities": False, "boundary": "mirror"}
        interpolation = {**interpolation, **peer}
    settings = ExtractionSettings(
        dialect=dialect,
        families=["local_intensity" if dialect == "ibsi" else "statistics"],
        interpolation=interpolation,
        plane="axial",
    )
    volume, mask = case
    told, made = measured_voxels(mask, settings), Region(volume, mask, settings).volume.array.size
    assert told == made if dialect == "pyradiomics" else made <= told < 1.5 * made


@pytest.mark.parametrize(
    ("chosen", "whole"),
    [
        ({"filter": "mean", "support": 3, "boundary": "periodic"}, True),
        ({"filter": "mean", "support": 3, "boundary": "mirror"}, False),
        ({"filter": "log", "sigma": 0.8}, False),
    ],
)
def test_a_filter_that_goes_round_the_image_has_all_of_it(
    case: tuple[Volume, Mask], chosen: dict[str, Any], whole: bool
) -> None:
    """Beyond its edges goes on what stands at the other side; other filters need a margin."""
    settings = ExtractionSettings(
        filters=[chosen], interpolation={"isotropic": 1.5}, plane="axial", families=["statistics"]
    )
    size = np.ceil(np.array(GRID.size) * GRID.spacing / 1.5)
    made = Region(*case, settings).volume.array.size
    assert (made == np.prod(size)) == whole
    assert (measured_voxels(case[1], settings) == made) >= whole


def test_bins_of_the_volume_histogram_are_as_chosen(case: tuple[Volume, Mask]) -> None:
    """By number, by width from the lower limit, and of one unit each."""
    whole = np.rint(case[0].array)
    volume, mask = Volume(whole, GRID), case[1]
    x = whole[mask.array]
    limits = {"resegmentation": {"lower": 20, "upper": 180}}

    def histogram(**ivh: Any) -> VolumeHistogram:
        chosen = ExtractionSettings(families=["ivh"], ivh=ivh, interpolation=None, **limits)
        return Region(volume, mask, chosen).volume_histogram

    tally = Tally.of(x)
    number = histogram(method="fixed_bin_number", bins=50)
    width = histogram(method="fixed_bin_size", width=2.5)
    unit = histogram(method="none")
    wanted = (VolumeHistogram.by_number(tally, 50), VolumeHistogram.by_size(tally, 2.5, 20, 180),
              VolumeHistogram.by_unit(tally, 20, 180))  # fmt: skip
    for found, expected in zip((number, width, unit), wanted, strict=True):
        assert vars(found).keys() == vars(expected).keys()
        for name, value in vars(expected).items():
            np.testing.assert_array_equal(getattr(found, name), value)


CHOSEN: dict[str, Any] = {
    "families": ["glcm"], "distances": (2,), "coarseness": 3, "symmetric": False,
    "weighting": "euclidean", "interpolation": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("plane", "spacing"),
    [("axial", (3.0, 0.9, 0.7)), ("coronal", (0.9, 3.0, 0.7)), ("sagittal", (0.7, 3.0, 0.9))],
)
def test_neighbours_are_as_chosen(
    case: tuple[Volume, Mask], plane: str, spacing: tuple[float, float, float]
) -> None:
    """Axes in slices are across slices, rows and columns; in space those of the array."""
    chosen = ExtractionSettings(**CHOSEN, plane=plane, dialect="pyradiomics")
    region = Region(*case, chosen)
    wanted = Neighbourhood(
        in_slice=True, distances=(2,), coarseness=3, symmetric=False, weighting="euclidean",
        spacing=spacing, dialect="pyradiomics",
    )  # fmt: skip
    assert region.neighbourhood(True) == region.in_slices.neighbourhood == wanted
    in_space = replace(wanted, in_slice=False, spacing=(3.0, 0.9, 0.7))
    assert region.neighbourhood(False) == region.in_space.neighbourhood == in_space


@pytest.mark.parametrize(("dialect", "ddof"), [("ibsi", 1), ("pyradiomics", 0)])
def test_shape_is_that_of_the_region_before_it_is_re_segmented(
    case: tuple[Volume, Mask], dialect: Any, ddof: int
) -> None:
    volume, mask = case
    chosen = ExtractionSettings(
        families=["morphology"], plane="axial", interpolation=None, dialect=dialect,
        resegmentation={} if dialect == "pyradiomics" else {"lower": 100},
    )  # fmt: skip
    region = Region(volume, mask, chosen)
    shape, box = region.shape, bounding_box(mask.array)
    np.testing.assert_array_equal(shape.inside, mask.array[box])
    above = mask.array[box] if dialect == "pyradiomics" else volume.array[box] >= 100
    np.testing.assert_array_equal(shape.kept, above & mask.array[box])
    np.testing.assert_array_equal(shape.x, volume.array[box][shape.kept])
    assert (shape.ddof, shape.watertight) == (ddof, ddof == 1)
    assert shape.spacing == GRID.spacing
    here = region.autocorrelation
    np.testing.assert_array_equal(here.kept, shape.kept)
    np.testing.assert_array_equal(here.x, shape.x)
    assert here.spacing == GRID.spacing


def test_distance_zones_are_measured_from_the_border_of_the_whole_region(
    case: tuple[Volume, Mask],
) -> None:
    """That is, before voxels are left out; nobody else needs to know of it."""
    limits = {"resegmentation": {"lower": 90}, "interpolation": None, "plane": "axial"}
    inside = case[1].array[bounding_box(case[1].array)]
    for families in (["glcm", "gldzm"], ["gldzm"], ["glcm"]):
        region = Region(*case, ExtractionSettings(families=families, **limits))
        for by_slice, textures in ((False, region.in_space), (True, region.in_slices)):
            if "gldzm" not in families:
                assert textures.region is None
                continue
            whole = inside[None] if not by_slice else inside[:, None]
            np.testing.assert_array_equal(textures.region, whole)


def test_pyradiomics_reads_the_axes_of_the_array() -> None:
    for dialect, size in (("ibsi", (16, 9, 20)), ("pyradiomics", GRID.size)):
        chosen = ExtractionSettings(dialect=dialect, plane="sagittal", interpolation=None)
        assert grid_as_read(GRID, chosen).size == size


def test_the_grid_of_a_box_begins_at_its_first_voxel(case: tuple[Volume, Mask]) -> None:
    region = Region(*case, ExtractionSettings(interpolation=None, plane="axial"))
    assert region.box_grid.size == (9, 7, 3)
    assert region.box_grid.origin == pytest.approx(GRID.position([5, 4, 3]))


@pytest.mark.parametrize("own", [None, 3])
def test_grey_levels_of_a_response_are_of_its_own(
    case: tuple[Volume, Mask], own: int | None
) -> None:
    """In the blocks of the region, whose layout they share."""
    bins: dict[str, Any] = {"response_discretisation": {"bins": own}} if own else {}
    chosen = ExtractionSettings(
        filters=[{"filter": "mean", "support": 3}], discretisation={"bins": 5}, plane="coronal",
        interpolation=None, **bins,
    )  # fmt: skip
    region = Region(*case, chosen)
    (response,) = region.responses()
    assert (region.levels.max(), response.levels.max()) == (5, own or 5)
    for by_slice, textures, first in (
        (True, response.in_slices, region.in_slices),
        (False, response.in_space, region.in_space),
    ):
        np.testing.assert_array_equal(textures.levels, response.level_blocks(by_slice))
        assert textures.levels.shape == first.levels.shape
        assert textures.first is first
        assert textures.n_levels == (own or 5)
    assert response.limits == (None, None)


def test_a_response_without_a_number_is_refused(case: tuple[Volume, Mask]) -> None:
    region = Region(*case, ExtractionSettings(interpolation=None, plane="axial"))
    values = np.zeros(region.kept.shape)
    values[0, 0, :2] = np.nan, np.inf
    with pytest.raises(DataError, match=r"2 of 189 voxels in 'log' are not finite"):
        Response(region, "log", values)


@pytest.mark.parametrize(("neighbours", "place"), [(True, "COUNTS"), (False, "_STATISTICS")])
def test_a_family_whose_statistic_nobody_makes_stops_the_import(
    neighbours: bool, place: str
) -> None:
    unmade = Family("new", Reads("what nobody makes", neighbours=neighbours))
    with pytest.raises(ValueError, match=rf"'new' reads 'what nobody makes'.*{place} "):
        _refuse_unmade([unmade])


def test_nothing_is_made_without_interpolation(case: tuple[Volume, Mask]) -> None:
    assert measured_voxels(case[1], ExtractionSettings(interpolation=None)) == 0


def test_a_filter_works_on_the_box_and_its_reach(case: tuple[Volume, Mask]) -> None:
    """Box of 9 x 7 x 3 voxels; a mean over 5 voxels reaches two of them on each side."""
    filters = [{"filter": "mean", "support": 5}]
    plain = ExtractionSettings(filters=filters, plane="axial", interpolation=None)
    assert filtered_voxels(case[1], plain) == {"mean": (9 + 4) * (7 + 4) * (3 + 4)}
    everything = [{"filter": "simoncelli", "levels": [1]}]
    whole = ExtractionSettings(filters=everything, plane="axial", interpolation=None)
    assert filtered_voxels(case[1], whole) == {"simoncelli": 9 * 7 * 3}
    finer = ExtractionSettings(filters=filters, plane="axial", interpolation={"isotropic": 0.5})
    sides = (9 * 0.7 / 0.5, 7 * 0.9 / 0.5, 3 * 3.0 / 0.5)
    assert filtered_voxels(case[1], finer) == {"mean": int(np.prod([s + 4 for s in sides]))}


@pytest.mark.parametrize(
    ("kind", "counted"), [("i2", "i2"), ("u1", "u1"), ("f4", "f8"), ("f8", "f8")]
)
def test_whole_numbers_are_counted_as_such(
    case: tuple[Volume, Mask], kind: str, counted: str
) -> None:
    """Others are doubles, whatever the image has."""
    image = Volume(case[0].array.astype(kind), GRID)
    region = Region(image, case[1], ExtractionSettings(interpolation=None, plane="axial"))
    assert region.numbers.dtype == np.dtype(counted)
    assert region.x.dtype == float
