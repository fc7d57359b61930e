"""The order and direction in which the axes of an image are stored decide no number."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from centrum.features.aggregation import AGGREGATIONS
from centrum.features.families import FAMILIES
from centrum.features.settings import Discretisation, ExtractionSettings
from centrum.filters import FILTERS
from centrum.geometry import READING_ORDER, Geometry, direction_of, plane_of
from centrum.io import inspect_case, place_mask
from centrum.measure.extract import extract, plan
from centrum.morphometry import measure_body
from centrum.perturb import Perturbation, apply
from centrum.prepare.body import air_level, find_body
from centrum.prepare.image import prepare_image
from centrum.prepare.regions import Erode, LargestPiece, apply_operations
from centrum.prepare.resample import interpolate, onto_grid
from centrum.prepare.settings import Preparation
from centrum.records import as_json
from centrum.volume import Mask, Volume, turned
from tests.filters.test_every_filter import EXAMPLES
from tests.morphometry.shapes import vertebral_body
from tests.storage import (
    STORAGES,
    Storage,
    back,
    every_storage,
    other_storages,
    stored,
    stored_grid,
    telling_storages,
)

SOLID = tuple(name for name in FAMILIES if name != "shape2D")
BINS = Discretisation(bins=6)
WIDTH = Discretisation(method="fixed_bin_size", bins=None, width=5)
OBLIQUE = (0.0, 0.0, 1.0, 0.96, 0.28, 0.0, 0.28, -0.96, 0.0)

GRIDS = {
    "sagittal": Geometry((14, 12, 7), (0.8, 0.7, 3.3), (5, -20, 31), direction_of("PIR")),
    "oblique": Geometry((14, 12, 7), (0.8, 0.7, 3.3), (5, -20, 31), OBLIQUE),
    "isotropic": Geometry((14, 12, 10), (1, 1, 1), (5, -20, 31), direction_of("IPR")),
}


@cache
def patient(name: str) -> tuple[Volume, Mask]:
    """Smooth tissue of whole numbers, and a region in its middle that is not symmetric."""
    grid, rng = GRIDS[name], np.random.default_rng(4)
    smooth = ndimage.gaussian_filter(rng.normal(0, 300, grid.shape), 1)
    image = np.rint(400 + smooth + rng.normal(0, 9, grid.shape)).astype(np.int16)
    z, y, x = ((np.arange(n) - (n - 1) / 2) / (n / 2) for n in grid.shape)
    inside = z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 < 0.5
    inside[:3, :6, :7] = False
    return Volume(image, grid), Mask(inside, grid, "L1")


@cache
def everywhere(name: str) -> tuple[Volume, Mask]:
    """The same tissue, and a region that is the whole of it."""
    image, inside = patient(name)
    return image, Mask(np.ones_like(inside.array), inside.geometry)


def chosen(**choices: Any) -> ExtractionSettings:
    every: dict[str, Any] = {
        "families": SOLID,
        "discretisation": BINS,
        "aggregations": tuple(AGGREGATIONS),
    }
    return ExtractionSettings.model_validate(every | choices)


def interpolated(**how: Any) -> ExtractionSettings:
    return chosen(interpolation=how)


SETTINGS = {
    "as it is": chosen(),
    "one way": chosen(symmetric=False),
    "nearest": interpolated(isotropic=1.6, image="nearest", mask="nearest"),
    "nearest, finer": interpolated(isotropic=0.5, image="nearest", mask="nearest"),
    "in plane": interpolated(in_plane=0.5, image="cubic"),
    "by axis": interpolated(spacing=(0.5, 0.6, 2)),
    "rounded": interpolated(isotropic=2, round_intensities=True, partial_volume=0.3),
    "normalised": chosen(
        normalise_scale=100, discretisation={"method": "fixed_bin_size", "width": 5}
    ),
}

PYRADIOMICS = {
    "as it is": chosen(dialect="pyradiomics", aggregations=("3D_averaged",)),
    "normalised": chosen(
        dialect="pyradiomics",
        aggregations=("3D_averaged",),
        normalise_scale=100,
        discretisation=WIDTH,
    ),
}


@lru_cache(64)
def measured(name: str, settings: ExtractionSettings, whole: bool = False) -> np.ndarray:
    return extract(*(everywhere if whole else patient)(name), settings)


def moved(
    name: str, storage: Storage, settings: ExtractionSettings, whole: bool = False
) -> list[str]:
    """The features that another storage changes."""
    image, region = (everywhere if whole else patient)(name)
    found = extract(stored(image, storage), stored(region, storage), settings)
    expected = measured(name, settings, whole)
    same = np.isclose(found, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
    return [f.feature for f, ok in zip(plan(settings), same, strict=True) if not ok]


@every_storage
@pytest.mark.parametrize("kind", ["as it is", "nearest", "normalised"])
def test_every_family(kind: str, storage: Storage) -> None:
    assert not moved("sagittal", storage, SETTINGS[kind])


@telling_storages
@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("name", GRIDS)
def test_every_family_on_every_grid(name: str, kind: str, storage: Storage) -> None:
    assert not moved(name, storage, SETTINGS[kind])


@pytest.mark.slow
@other_storages
@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("name", GRIDS)
def test_every_family_on_every_grid_in_every_order(name: str, kind: str, storage: Storage) -> None:
    assert not moved(name, storage, SETTINGS[kind])
    assert not moved(name, storage, SETTINGS[kind], whole=True)


@telling_storages
@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("name", ["sagittal", "isotropic"])
def test_a_region_that_is_the_whole_image(name: str, kind: str, storage: Storage) -> None:
    assert not moved(name, storage, SETTINGS[kind], whole=True)


@telling_storages
def test_a_region_in_one_slice(storage: Storage) -> None:
    image, region = patient("sagittal")
    inside = region.array.copy()
    inside[[0, 1, 2, 4, 5, 6]] = False
    settings = chosen(families=("shape2D",))
    one = Mask(inside, region.geometry)
    found = extract(stored(image, storage), stored(one, storage), settings)
    np.testing.assert_allclose(found, extract(image, one, settings), rtol=1e-9)


def of_dialect(dialect: str) -> list[dict[str, Any]]:
    """Every filter that the dialect has."""
    return [
        {"filter": name} | example
        for name, kind in FILTERS.items()
        if kind.dialect == dialect
        for example in EXAMPLES.get(name, [{}])
    ]


def filtered(dialect: str, aggregation: str) -> ExtractionSettings:
    return chosen(
        dialect=dialect,
        families=("statistics", "glcm", "glszm"),
        filters=of_dialect(dialect),
        aggregations=(aggregation,),
    )


@telling_storages
@pytest.mark.parametrize("name", GRIDS)
def test_every_filter(name: str, storage: Storage) -> None:
    """Letters of wavelets and kernels of Laws too: columns, rows and slices are the patient's."""
    assert not moved(name, storage, filtered("ibsi", "2.5D_merged"))


@pytest.mark.slow
@other_storages
@pytest.mark.parametrize("name", GRIDS)
def test_every_filter_in_every_order(name: str, storage: Storage) -> None:
    assert not moved(name, storage, filtered("ibsi", "2.5D_merged"))


@telling_storages
@pytest.mark.parametrize("kind", PYRADIOMICS)
@pytest.mark.parametrize("name", GRIDS)
def test_pyradiomics_names_diameters_by_axes_of_the_array(
    name: str, kind: str, storage: Storage
) -> None:
    """Beside them its features do not depend on the storage."""
    for whole in (False, True):
        found = moved(name, storage, PYRADIOMICS[kind], whole)
        assert {f"maximum_2d_diameter_{along}" for along in ("slice", "column", "row")} >= set(
            found
        )


def test_pyradiomics_goes_by_axes_of_the_array() -> None:
    """So do its wavelets and patterns in space; its interpolation begins at the first voxel."""
    other = ((0, 2, 1), (1, 1, -1))
    dialect = {"dialect": "pyradiomics", "aggregations": ("3D_averaged",)}
    for name in ("Wavelet", "LBP3D"):
        by_axis = chosen(**dialect, families=("statistics",), filters=[{"filter": name}])
        assert moved("sagittal", other, by_axis)
    coarse = {"isotropic": 1.5, "mask": "nearest"}
    assert moved("sagittal", other, chosen(**dialect, interpolation=coarse))
    rest = [f for f in of_dialect("pyradiomics") if f["filter"] not in ("Wavelet", "LBP3D")]
    by_value = chosen(**dialect, families=("statistics",), filters=rest)
    assert not moved("sagittal", other, by_value)


@every_storage
@pytest.mark.parametrize("ratio", [0.5, 2])
def test_halves_of_nearest_neighbours_go_to_the_left_back_and_top(
    ratio: float, storage: Storage
) -> None:
    image, region = patient("isotropic")
    spacing = tuple(ratio * s for s in image.geometry.spacing)
    chosen_ = {"image": "nearest", "mask": "nearest", "margin": None}
    expected = interpolate(image, region, spacing, **chosen_)
    found = interpolate(stored(image, storage), stored(region, storage), spacing, **chosen_)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(back(b.array, storage), a.array)


@every_storage
def test_a_mask_on_another_grid(storage: Storage) -> None:
    """Half a voxel aside and half as fine, so that every voxel lies between others."""
    image, region = patient("isotropic")
    shifted = replace(region.geometry, origin=tuple(region.geometry.position((0.5, 0.5, 0.5))))
    mask = replace(region, geometry=shifted)
    expected = place_mask(mask, image.geometry, on_mismatch="resample").array
    for masks, images in ((storage, STORAGES[0]), (STORAGES[0], storage), (storage, storage)):
        grid = stored_grid(image.geometry, images)
        found = place_mask(stored(mask, masks), grid, on_mismatch="resample").array
        np.testing.assert_array_equal(back(found, images), expected)
    assert expected.any()
    assert not np.array_equal(expected, region.array)


@every_storage
def test_an_image_on_another_grid(storage: Storage) -> None:
    image, _ = patient("sagittal")
    grid = Geometry((11, 12, 13), (0.9, 1.1, 1.3), (5.5, -18.75, 22), OBLIQUE)
    expected = onto_grid(image, grid).array
    np.testing.assert_allclose(onto_grid(stored(image, storage), grid).array, expected, rtol=1e-6)
    turned = onto_grid(image, stored_grid(grid, storage)).array
    np.testing.assert_allclose(back(turned, storage), expected, rtol=1e-6)


def exam(spacing: tuple[float, float, float]) -> Volume:
    """An arm of tissue around dark air, open at one side, in a view of air."""
    grid = Geometry((26, 24, 16), spacing, (1, 2, 3), direction_of("PIR"))
    z, y, x = ((np.arange(n) - (n - 1) / 2) / (n / 2) for n in grid.shape)
    radius = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    tissue = (radius < 0.8) & ((radius > 0.45) | (x > 0.2))
    noise = np.random.default_rng(5).normal(0, 4, grid.shape)
    return Volume(np.where(tissue, 300, 0) * np.exp(0.3 * x) + np.abs(noise), grid)


EXAMS = {
    "even": (2.0, 2.0, 2.0),
    "nearly even": (2.0, 2.1, 2.2),
    "thick": (1.5, 1.5, 4.4),
    "in blocks thinner than in plane": (1.9, 1.9, 2.4),
}


@every_storage
@pytest.mark.parametrize("name", EXAMS)
def test_the_body(name: str, storage: Storage) -> None:
    image = exam(EXAMS[name])
    expected, found = find_body(image), find_body(stored(image, storage))
    assert found.threshold == expected.threshold
    assert air_level(stored(image, storage)) == air_level(image)
    np.testing.assert_array_equal(back(found.inside, storage), expected.inside)
    assert 0.1 < expected.share < 0.9


@telling_storages
@pytest.mark.parametrize("normalisation", ["z_score", "percentile"])
def test_the_preparation_of_an_image(normalisation: str, storage: Storage) -> None:
    """To the last digit."""
    image = exam(EXAMS["thick"])
    choices = {"bias_field": {"shrink_factor": 4}, "normalisation": {"method": normalisation}}
    preparation = Preparation.model_validate(choices | {"subtract_air": True})
    expected = prepare_image(image, preparation).array
    found = prepare_image(stored(image, storage), preparation)
    np.testing.assert_array_equal(back(found.array, storage), expected)
    assert found.geometry == stored_grid(image.geometry, storage)


@every_storage
def test_findings_of_a_case(storage: Storage) -> None:
    for name in GRIDS:
        image, region = patient(name)
        thin = region.array.copy()
        thin[:3], thin[5:] = False, False
        thin[3, 5, 6], thin[4, 4, 0] = False, True
        mask = Mask(thin, region.geometry)
        expected = inspect_case(image, mask)
        assert {f.code for f in expected} >= {"touches-border", "holes"}
        assert inspect_case(stored(image, storage), stored(mask, storage)) == expected


@every_storage
def test_operations_on_a_region(storage: Storage) -> None:
    _, region = patient("sagittal")
    twice = np.zeros_like(region.array)
    twice[1:3, 1:4, 1:4] = twice[4:6, 7:10, 6:9] = True
    for array, operation in ((twice, LargestPiece()), (region.array, Erode(mm=0.8))):
        mask = Mask(array, region.geometry)
        expected = apply_operations(mask, [operation], "sagittal").array
        found = apply_operations(stored(mask, storage), [operation], "sagittal").array
        np.testing.assert_array_equal(back(found, storage), expected)


EVERYTHING = Perturbation(
    "all", noise=1, translation=(0.2, 0.3, -0.4), rotation=5, volume=-0.08, supervoxel_mm=2.5,
    jitter_mm=0.4, seed=11,
)  # fmt: skip


@every_storage
@pytest.mark.parametrize("name", GRIDS)
def test_perturbations(name: str, storage: Storage) -> None:
    for image, region in (patient(name), everywhere(name)):
        expected, inside = apply(image, region, EVERYTHING, "sagittal")
        found, moved_ = apply(
            stored(image, storage), stored(region, storage), EVERYTHING, "sagittal"
        )
        np.testing.assert_array_equal(back(moved_.array, storage), inside.array)
        np.testing.assert_allclose(back(found.array, storage), expected.array, rtol=1e-5)


@every_storage
def test_morphometry(storage: Storage) -> None:
    for spacing in ((0.6, 0.6, 4.4), (1.0, 1.0, 1.0)):
        mask = vertebral_body(lean=12, spacing=spacing)
        expected, found = measure_body(mask), measure_body(stored(mask, storage))
        np.testing.assert_allclose(found.points, expected.points, atol=1e-9)
        wanted, given = (dict(leaves(as_json(of))) for of in (expected, found))
        assert [*given] == [*wanted]
        for place, value in wanted.items():
            if place[0] != "points_lps_mm":
                exactly = not isinstance(value, float)
                assert given[place] == (value if exactly else pytest.approx(value, abs=1e-9)), place


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """What blocks and lists hold in the end, and where."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*place, key))
    else:
        yield place, value


def test_axes_half_way_between_directions_keep_their_names() -> None:
    half = 0.5**0.5
    grid = Geometry((5, 4, 3), (1, 1, 1), direction=(half, half, 0, -half, half, 0, 0, 0, 1))
    array = np.arange(60).reshape(grid.shape)
    expected = {plane: turned(Volume(array, grid), order) for plane, order in READING_ORDER.items()}
    for storage in STORAGES:
        for plane, order in READING_ORDER.items():
            found = turned(stored(Volume(array, grid), storage), order)
            np.testing.assert_array_equal(found.array, expected[plane].array)
            assert found.geometry.same_grid(expected[plane].geometry, 1e-9)


def test_slices_of_two_equally_long_sides() -> None:
    grid = Geometry((4, 4, 4), (0.5, 1, 1), direction=direction_of("PIR"))
    assert {plane_of(stored_grid(grid, storage)) for storage in STORAGES} == {"sagittal"}
