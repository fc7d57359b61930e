"""Extraction against PyRadiomics' baseline, and what no setting may change."""

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings, strategies as st

from centrum.errors import DataError
from centrum.features.aggregation import AGGREGATIONS
from centrum.features.families import FAMILIES
from centrum.features.settings import (
    Discretisation,
    ExtractionSettings,
    Interpolation,
    Resegmentation,
)
from centrum.geometry import Geometry, slice_axis
from centrum.measure import extract as module
from centrum.measure.extract import IMAGE, average, extract, plan, values
from centrum.measure.region import Region
from centrum.settings import Dialect
from centrum.volume import Mask, Volume

ALL = tuple(AGGREGATIONS)
PHANTOM = ExtractionSettings(
    families=tuple(name for name in FAMILIES if name != "shape2D"),
    discretisation=Discretisation(method="none"),
    ivh=Discretisation(method="none"),
    aggregations=ALL,
    plane="axial",
)


def read(path: Path) -> tuple[np.ndarray, Geometry]:
    image = sitk.ReadImage(path)
    grid = Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    return sitk.GetArrayFromImage(image), grid


def bins(width: float) -> Discretisation:
    return Discretisation(method="fixed_bin_size", width=width)


CONFIGURATIONS = {
    "default": {"energy_shift": 2000, "discretisation": bins(25)},
    "2d": {
        "aggregations": ("2.5D_direction_merged",),
        "plane": "axial",
        "discretisation": bins(25),
    },
    "FBN": {"discretisation": Discretisation(bins=64)},
    "combined": {"aggregations": ("3D_merged",), "discretisation": bins(25)},
    "flatRegion": {"discretisation": bins(5000), "resegmentation": Resegmentation(lower=0)},
    "normalization": {"normalise_scale": 100, "discretisation": bins(5)},
    "resegmentation": {"resegmentation": Resegmentation(sigma=3), "discretisation": bins(25)},
    "resampling": {
        "interpolation": Interpolation(spacing=(2, 2, 2), image="cubic", mask="nearest"),
        "discretisation": bins(25),
    },
}

NOT_REPRODUCED = {"MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity"}
"""Of brain1: PyRadiomics itself no longer gives these four values of its baseline."""


@pytest.mark.parametrize("case", ["brain1", "brain2", "breast1", "lung1", "lung2"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_pyradiomics_baseline(reference: Path, configuration: str, case: str) -> None:
    folder = reference / "pyradiomics"
    array, grid = read(folder / f"{case}_image.nrrd")
    label, _ = read(folder / f"{case}_label.nrrd")
    choices = ExtractionSettings.model_validate(
        {"dialect": "pyradiomics", "aggregations": ("3D_averaged",)} | CONFIGURATIONS[configuration]
    )
    values = extract(Volume(array, grid), Mask(label == 1, grid), choices)
    ours = {f.spell("pyradiomics"): v for f, v in zip(plan(choices), values, strict=True)}
    compared = 0
    for row in csv.DictReader((folder / "baseline_values_tidy.csv").open()):
        name = f"original_{row['feature_class']}_{row['feature']}"
        if (row["test_case"], row["configuration"]) != (case, configuration) or name not in ours:
            continue
        if (case, configuration) == ("brain1", "default") and row["feature"] in NOT_REPRODUCED:
            continue
        assert ours[name] == pytest.approx(float(row["value"]), rel=1e-6, abs=1e-12), name
        compared += 1
    assert compared >= 24


def cube(values: np.ndarray) -> tuple[Volume, Mask]:
    grid = Geometry(values.shape[::-1], (0.6, 0.6, 4.4))
    return Volume(values, grid), Mask(np.ones(values.shape, dtype=bool), grid)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50), st.floats(-500, 500))
def test_fixed_bin_number_ignores_gain_and_offset(seed: int, gain: float, offset: float) -> None:
    x = np.random.default_rng(seed).integers(0, 200, (3, 6, 7)).astype(float)
    choices = ExtractionSettings(
        families=("glcm",), discretisation=Discretisation(bins=8), aggregations=ALL
    )
    before = extract(*cube(x), choices)
    after = extract(*cube(np.round(x * 1024) / 1024 * 2 ** round(gain) + round(offset)), choices)
    np.testing.assert_allclose(after, before, rtol=1e-9)


def test_surroundings_do_not_matter() -> None:
    """Crop before work: the numbers depend on the region alone."""
    rng = np.random.default_rng(3)
    x = rng.normal(100, 20, (9, 14, 15))
    inside = np.zeros(x.shape, dtype=bool)
    inside[2:6, 3:10, 4:12] = rng.random((4, 7, 8)) < 0.8
    grid = Geometry(x.shape[::-1], (0.6, 0.6, 4.4))
    choices = ExtractionSettings(aggregations=ALL)
    part = (slice(1, 8), slice(2, 12), slice(3, 14))
    small = grid.crop((3, 2, 1), (11, 10, 7))
    whole = extract(Volume(x, grid), Mask(inside, grid), choices)
    cropped = extract(Volume(x[part], small), Mask(inside[part], small), choices)
    np.testing.assert_array_equal(whole, cropped)


@pytest.mark.parametrize("plane", ["sagittal", "coronal", "axial"])
def test_slices_are_those_of_the_named_plane(plane: str) -> None:
    """Storing the same voxels along other image axes changes nothing."""
    rng = np.random.default_rng(5)
    x = rng.normal(100, 20, (5, 8, 9))
    stored = Geometry((9, 8, 5), (0.6, 0.7, 4.4))
    turned = Geometry((5, 9, 8), (4.4, 0.6, 0.7), direction=(0, 1, 0, 0, 0, 1, 1, 0, 0))
    choices = ExtractionSettings(plane=plane, aggregations=ALL)
    inside = np.ones(x.shape, dtype=bool)
    first = extract(Volume(x, stored), Mask(inside, stored), choices)
    moved = np.transpose(x, (1, 2, 0))
    second = extract(Volume(moved, turned), Mask(np.ones(moved.shape, bool), turned), choices)
    np.testing.assert_allclose(first, second, rtol=1e-9)
    assert slice_axis(stored, plane) == {"sagittal": 2, "coronal": 1, "axial": 0}[plane]


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 5), (1, 4, 5)])
def test_thin_regions_give_numbers_or_nan_but_no_exception(shape: tuple[int, int, int]) -> None:
    x = np.arange(np.prod(shape), dtype=float).reshape(shape)
    values = extract(*cube(x), ExtractionSettings(aggregations=ALL))
    assert len(values) == len(plan(ExtractionSettings(aggregations=ALL)))


@pytest.mark.parametrize("dialect", ["ibsi", "pyradiomics"])
@pytest.mark.parametrize("kind", ["u1", "i2", "f2", "f4", "f8"])
@pytest.mark.parametrize(("bins", "high"), [(14, 58), (9, 166)])
def test_the_histogram_counts_the_levels(dialect: Dialect, kind: str, bins: int, high: int) -> None:
    # Some of these lie on edges of bins, which are rounded in the precision of the image.
    array = np.arange(high + 1).astype(kind)[None, None]
    grid, settings = Geometry((high + 1, 1, 1), (1, 1, 1)), Discretisation(bins=bins)
    chosen = ExtractionSettings(
        dialect=dialect, discretisation=settings, aggregations=("3D_merged",)
    )
    region = Region(Volume(array, grid), Mask(np.ones(array.shape, bool), grid), chosen)
    np.testing.assert_array_equal(region.histogram.counts, np.bincount(region.levels)[1:])


def test_another_grid_is_refused() -> None:
    volume, mask = cube(np.zeros((3, 4, 5)))
    moved = Geometry(mask.geometry.size, mask.geometry.spacing, (0.0, 0.0, 1.0))
    with pytest.raises(DataError, match=r"(?s)not on the same grid.*image:.*mask:"):
        extract(volume, Mask(mask.array, moved), PHANTOM)


def test_empty_and_not_finite_regions_are_refused() -> None:
    volume, mask = cube(np.ones((3, 4, 5)))
    with pytest.raises(DataError, match="empty"):
        extract(volume, Mask(~mask.array, mask.geometry), PHANTOM)
    broken = volume.array.copy()
    broken[1, 1, 1:3] = np.nan
    with pytest.raises(DataError, match="2 of 60 voxels"):
        extract(Volume(broken, volume.geometry), mask, PHANTOM)


def test_names_are_unique() -> None:
    for dialect in ("ibsi", "pyradiomics"):
        choices = ExtractionSettings(dialect=dialect)
        names = [f.spell(dialect) for f in plan(choices)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_shape_in_one_slice_of_unequal_pixels(plane: str) -> None:
    """A rectangle of 2 x 4 pixels, whose diameter and axes say which side of them is which."""
    grid = Geometry((9, 8, 7), (0.5, 1.0, 3.0))
    axis = slice_axis(grid, plane)
    box = [slice(2, 4), slice(2, 6)]
    box.insert(axis, slice(3, 4))
    array = np.zeros(grid.shape, bool)
    array[tuple(box)] = True
    rows, columns = np.delete(grid.array_spacing, axis)
    image = Volume(np.random.default_rng(0).normal(size=grid.shape), grid)
    settings = ExtractionSettings(families=("shape2D",), plane=plane, dialect="pyradiomics")
    values = extract(image, Mask(array, grid), settings)
    found = {f.feature: value for f, value in zip(plan(settings), values, strict=True)}
    variances = sorted([(2**2 - 1) / 12 * rows**2, (4**2 - 1) / 12 * columns**2])
    assert found["minor_axis_length"] == pytest.approx(4 * variances[0] ** 0.5)
    assert found["major_axis_length"] == pytest.approx(4 * variances[1] ** 0.5)
    sides = 2 * rows + 2 * 3 * columns
    assert found["perimeter"] == pytest.approx(sides + 4 * np.hypot(rows, columns) / 2)


def filtered_region() -> Region:
    grid = Geometry((12, 12, 5), (0.6, 0.6, 4.4))
    image = Volume(np.random.default_rng(6).normal(500, 60, grid.shape), grid)
    inside = np.zeros(grid.shape, bool)
    inside[1:4, 2:10, 3:10] = True
    settings = ExtractionSettings.model_validate(
        {
            "plane": "axial",
            "families": ["morphology", "statistics", "glcm", "glrlm"],
            "filters": [
                {"filter": "mean", "support": 3, "dimension": "2D"},
                {"filter": "wavelet", "wavelet": "haar", "dimension": "2D"},
            ],
            "response_discretisation": {"method": "fixed_bin_number", "bins": 5},
        }
    )
    return Region(image, Mask(inside, grid), settings)


@pytest.mark.parametrize("batch", [1, 2 * 168, 3 * 168 - 1])
def test_responses_are_measured_a_few_at_a_time_and_looked_at_in_order(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the number, values are the same; each image is looked at once, itself first."""
    region = filtered_region()
    assert region.x.size == 168
    whole = values(region)
    assert whole.size == len(plan(region.settings))
    monkeypatch.setattr(module, "BATCH", batch)
    looked: list[str] = []
    found = values(filtered_region(), lambda image: looked.append(getattr(image, "name", IMAGE)))
    np.testing.assert_allclose(found, whole, rtol=1e-12)
    assert looked == list(dict.fromkeys(f.image for f in plan(region.settings)))
    sizes = [len(images) for images in module._batches(filtered_region())]
    assert sum(sizes) == len(looked)
    assert max(sizes) == -(-batch // 168)


def test_responses_have_levels_of_their_own_and_no_shape() -> None:
    """Where they are not given, those of the image."""
    settings = filtered_region().settings
    names = {(f.image == IMAGE, f.family, f.discretisation) for f in plan(settings)}
    assert {(True, "morphology", ""), (True, "statistics", ""), (False, "statistics", "")} < names
    of_image, of_responses = (
        {d for own, family, d in names if own == which and family == "glcm"}
        for which in (True, False)
    )
    assert of_image == {settings.discretisation.label}
    assert of_responses == {settings.response_discretisation.label}
    assert of_image != of_responses
    assert not any(family == "morphology" for own, family, _ in names if not own)
    alike = settings.model_copy(update={"response_discretisation": None})
    assert {f.discretisation for f in plan(alike) if f.family == "glcm"} == of_image


def test_matrices_without_a_neighbour_do_not_count_in_a_mean() -> None:
    """One matrix is its own mean, defined or not."""
    found = average(np.array([[1.0, np.nan, 4.0], [np.nan] * 3, [2.0, 4.0, 6.0]]))
    np.testing.assert_array_equal(found, [2.5, np.nan, 4])
    np.testing.assert_array_equal(average(np.array([[np.nan], [3.0]])), [np.nan, 3])


def test_matrices_are_computed_together_up_to_half_as_many_levels_again() -> None:
    groups = list(module._of_similar_size([10, 15, 16, 24, 5]))
    assert groups == [[4], [0, 1], [2, 3]]
    assert list(module._of_similar_size([7])) == [[0]]
