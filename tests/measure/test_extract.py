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
from centrum.measure.extract import extract, plan
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
