"""How large the image of a region becomes, before it is made."""

from typing import Any

import numpy as np
import pytest

from centrum.features.ivh import VolumeHistogram
from centrum.features.settings import ExtractionSettings
from centrum.geometry import Geometry
from centrum.kernels.tally import Tally
from centrum.measure.region import Region, filtered_voxels, measured_voxels
from centrum.volume import Mask, Volume

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


def test_nothing_is_made_without_interpolation(case: tuple[Volume, Mask]) -> None:
    assert measured_voxels(case[1], ExtractionSettings(interpolation=None)) == 0


def test_a_filter_works_on_the_box_and_its_reach(case: tuple[Volume, Mask]) -> None:
    """Box of 9 x 7 x 3 voxels; a mean over 5 voxels reaches two of them on each side."""
    filters = [{"filter": "mean", "support": 5}]
    plain = ExtractionSettings(filters=filters, plane="axial", interpolation=None)
    assert filtered_voxels(case[1], plain) == {"mean": (9 + 4) * (7 + 4) * (3 + 4)}
    finer = ExtractionSettings(filters=filters, plane="axial", interpolation={"isotropic": 0.5})
    sides = (9 * 0.7 / 0.5, 7 * 0.9 / 0.5, 3 * 3.0 / 0.5)
    assert filtered_voxels(case[1], finer) == {"mean": int(np.prod([s + 4 for s in sides]))}
