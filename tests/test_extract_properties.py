"""What extraction must not depend on, and what it must never do, on random regions."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.features.aggregation import AGGREGATIONS
from centrum.features.families import FAMILIES, TEXTURES
from centrum.features.settings import Discretisation, ExtractionSettings
from centrum.geometry import Geometry
from centrum.measure.extract import extract, plan
from centrum.volume import Mask, Volume

SOLID = tuple(name for name in FAMILIES if name != "shape2D")
BINS = Discretisation(bins=6)
IN_3D = ExtractionSettings(
    families=SOLID, discretisation=BINS, aggregations=("3D_averaged", "3D_merged")
)
EVERY = IN_3D.model_copy(update={"aggregations": tuple(AGGREGATIONS)})
PYRADIOMICS = ExtractionSettings(
    dialect="pyradiomics", families=SOLID, discretisation=BINS, aggregations=("3D_averaged",)
)
SPACING = (0.6, 0.7, 4.4)

Case = tuple[np.ndarray, np.ndarray]

FEW_VOXELS = {"glcm", "glrlm", "ngtdm"}
"""Undefined where no voxel has a neighbour in the region (within the slice, in 2D)."""

FLAT = {
    "morphology.volume_density_aee",
    "morphology.area_density_aee",
    "morphology.elongation",
    "morphology.flatness",
}
"""Undefined for a region in one plane, on one line or of one voxel: an axis has no length."""

CONSTANT = {
    "spatial.morans_i",
    "spatial.gearys_c",
    "ivh.volume_at_10",
    "ivh.volume_at_90",
    "ivh.volume_difference",
    "ivh.area_under_curve",
}
"""Undefined where all intensities are one."""

MEAN_ZERO = {
    "statistics.coefficient_of_variation",
    "statistics.quartile_coefficient_of_dispersion",
    "morphology.centre_of_mass_shift",
}
"""Undefined where intensities sum to zero."""

TWO_NUMBERS = {
    "statistics.robust_mean_absolute_deviation",
    "histogram.robust_mean_absolute_deviation",
}
"""Undefined where no intensity lies between the percentiles 10 and 90."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Whole intensities and a region with holes and parts."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)))
    x = draw(arrays(np.int16, shape, elements=st.integers(-20, 40)))
    inside = draw(arrays(bool, shape).filter(lambda a: a.any()))
    return x, inside


@st.composite
def blobs(draw: st.DrawFn) -> Case:
    """A region with volume and many intensities, where every feature is defined."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (4, 6, 7)
    inside = rng.random(shape) < draw(st.sampled_from([0.6, 0.9, 1.0]))
    inside[1:3, 2:4, 2:5] = True
    return rng.integers(10, 200, shape).astype(np.int16), inside


few = hypothesis_settings(max_examples=25)
"""For regions that differ by chance alone: each would show what is wrong."""


def measure(
    x: np.ndarray,
    inside: np.ndarray,
    settings: ExtractionSettings,
    spacing: tuple[float, ...] = SPACING,
    direction: tuple[float, ...] | None = None,
) -> np.ndarray:
    grid = Geometry(x.shape[::-1], spacing)
    if direction is not None:
        grid = replace(grid, direction=direction)
    return extract(Volume(x, grid), Mask(inside, grid), settings)


def names(settings: ExtractionSettings) -> list[str]:
    return [f"{f.family}.{f.feature}" for f in plan(settings)]


def undefined(values: np.ndarray, settings: ExtractionSettings) -> set[str]:
    bad = {n for n, v in zip(names(settings), values, strict=True) if not np.isfinite(v)}
    whole = {n.split(".")[0] for n in bad} & FEW_VOXELS
    return {n for n in bad if n.split(".")[0] not in FEW_VOXELS} | whole


@given(cases())
def test_every_number_is_finite_or_undefined_as_documented(case: Case) -> None:
    known = FEW_VOXELS | FLAT | CONSTANT | MEAN_ZERO | TWO_NUMBERS
    for settings in (EVERY, PYRADIOMICS):
        assert undefined(measure(*case, settings), settings) <= known


@pytest.mark.parametrize("settings", [EVERY, PYRADIOMICS], ids=["ibsi", "pyradiomics"])
def test_a_region_of_one_voxel(settings: ExtractionSettings) -> None:
    inside = np.zeros((3, 4, 5), dtype=bool)
    inside[1, 2, 3] = True
    found = undefined(measure(np.arange(60).reshape(3, 4, 5), inside, settings), settings)
    assert found <= FEW_VOXELS | FLAT | CONSTANT
    assert "glcm" in found


@pytest.mark.parametrize("settings", [EVERY, PYRADIOMICS], ids=["ibsi", "pyradiomics"])
@pytest.mark.parametrize("value", [7, 0, -3])
def test_a_constant_region(settings: ExtractionSettings, value: int) -> None:
    x = np.full((3, 4, 5), value)
    found = undefined(measure(x, np.ones(x.shape, bool), settings), settings)
    assert found <= CONSTANT | (MEAN_ZERO if value == 0 else set())


@few
@given(blobs(), st.permutations(range(3)), st.lists(st.sampled_from([1, -1]), min_size=3))
def test_no_axis_is_special_in_3d(case: Case, order: list[int], signs: list[int]) -> None:
    x, inside = case
    flip = tuple(slice(None, None, s) for s in signs[:3])
    spacing = tuple(SPACING[::-1][a] for a in order)[::-1]
    moved = measure(x.transpose(order)[flip], inside.transpose(order)[flip], IN_3D, spacing)
    for name, a, b in zip(names(IN_3D), measure(x, inside, IN_3D), moved, strict=True):
        approximate = name.startswith("enclosing")
        assert a == pytest.approx(b, rel=1e-4 if approximate else 1e-9, abs=1e-9), name


@few
@given(blobs(), st.tuples(*(st.integers(0, 5),) * 6), st.integers(-9, 9))
def test_surroundings_and_place_do_not_matter(
    case: Case, margins: tuple[int, ...], outside: int
) -> None:
    """Padding moves the region by whole voxels; local peaks alone look beyond it."""
    x, inside = case
    settings = EVERY.model_copy(
        update={"families": tuple(n for n in SOLID if n != "local_intensity")}
    )
    pad = list(zip(margins[:3], margins[3:], strict=True))
    moved = measure(np.pad(x, pad, constant_values=outside), np.pad(inside, pad), settings)
    np.testing.assert_array_equal(moved, measure(x, inside, settings))


@few
@given(blobs(), st.integers(-50, 500), st.sampled_from([0.25, 0.5, 2, 8]))
def test_gain_and_offset_do_not_change_bins_of_fixed_number(
    case: Case, offset: int, gain: float
) -> None:
    x, inside = case
    settings = EVERY.model_copy(update={"families": ("histogram", *TEXTURES)})
    other = measure(x * gain + offset, inside, settings)
    np.testing.assert_allclose(other, measure(x, inside, settings), rtol=1e-9, atol=1e-12)


LEVEL_BLIND = (
    "glcm.joint_maximum", "glcm.joint_entropy", "glcm.angular_second_moment",
    "glcm.information_correlation_1", "glcm.information_correlation_2",
    "glrlm.short_runs_emphasis", "glrlm.long_runs_emphasis", "glrlm.grey_level_non_uniformity",
    "glrlm.run_length_non_uniformity", "glrlm.run_percentage", "glrlm.run_length_variance",
    "glrlm.run_entropy", "glszm.small_zone_emphasis", "glszm.zone_percentage",
    "glszm.zone_size_entropy", "gldzm.large_distance_emphasis", "gldzm.zone_distance_entropy",
    "ngldm.low_dependence_emphasis", "ngldm.dependence_count_entropy",
)  # fmt: skip


@few
@given(blobs(), st.lists(st.integers(1, 9), min_size=12, max_size=12))
def test_levels_are_only_labels_where_features_do_not_read_them(
    case: Case, steps: list[int]
) -> None:
    """A strictly rising map of the grey levels leaves pairs, runs and zones as they are."""
    x, inside = case
    levels = 1 + x // 20
    settings = EVERY.model_copy(
        update={"families": TEXTURES, "discretisation": Discretisation(method="none")}
    )
    first = measure(levels, inside, settings)
    second = measure(np.cumsum(steps)[levels - 1], inside, settings)
    for name, a, b in zip(names(settings), first, second, strict=True):
        if name in LEVEL_BLIND:
            assert a == pytest.approx(b, rel=1e-9, abs=1e-12), name


SUMS_OVER_VOXELS = {"ngtdm.coarseness": 0.5, "ngtdm.busyness": 2, "ngtdm.strength": 0.5}
"""What becomes of features that read the sum of tone differences when it doubles."""


@few
@given(blobs())
def test_parts_far_apart_count_as_one_region(case: Case) -> None:
    """Two copies have the matrices of one, twice."""
    x, inside = case
    settings = IN_3D.model_copy(
        update={"families": TEXTURES, "discretisation": Discretisation(method="none")}
    )
    levels = 1 + x // 50
    gap = ((0, 0), (0, 0), (0, 3))
    twice = [np.concatenate([np.pad(a, gap), a], axis=2) for a in (levels, inside)]
    for name, a, b in zip(
        names(settings),
        measure(levels, inside, settings),
        measure(*twice, settings),
        strict=True,
    ):
        if "non_uniformity" in name and "normalised" not in name:
            a *= 2
        a *= SUMS_OVER_VOXELS.get(name, 1)
        assert a == pytest.approx(b, rel=1e-9, abs=1e-12), name


def test_overlapping_labels_do_not_see_each_other() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 100, (4, 9, 9))
    first, second = np.zeros(x.shape, bool), np.zeros(x.shape, bool)
    first[:, 1:6, 1:6], second[:, 3:8, 3:8] = True, True
    alone = measure(np.where(first, x, 0), first, EVERY.model_copy(update={"families": TEXTURES}))
    beside = measure(x, first, EVERY.model_copy(update={"families": TEXTURES}))
    assert (first & second).any()
    np.testing.assert_array_equal(alone, beside)


TYPES = [np.dtype(kind).newbyteorder(order) for order in "<>"
         for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")]  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_the_type_of_the_image_does_not_matter(dtype: np.dtype[Any]) -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(1, 120, (4, 8, 9))
    inside = rng.random(x.shape) < 0.8
    for settings in (EVERY, PYRADIOMICS):
        expected = measure(x.astype(float), inside, settings)
        found = measure(x.astype(dtype), inside, settings)
        # PyRadiomics' bin edges have the precision of the image.
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_order_in_memory_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    x, inside = rng.integers(1, 120, (4, 8, 9)), rng.random((4, 8, 9)) < 0.8
    expected = measure(x, inside, EVERY)
    for order in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(measure(order(x), order(inside), EVERY), expected)


@few
@given(blobs(), st.floats(-3, 3), st.floats(-1, 1))
def test_tilted_grids_measure_the_same_in_3d(case: Case, turn: float, tilt: float) -> None:
    """Shape, peaks and textures know the spacing along the image's axes, not their direction."""
    c, s, d, e = np.cos(turn), np.sin(turn), np.cos(tilt), np.sin(tilt)
    direction = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ [[1, 0, 0], [0, d, -e], [0, e, d]]
    tilted = measure(*case, IN_3D, direction=tuple(direction.ravel()))
    for name, a, b in zip(names(IN_3D), measure(*case, IN_3D), tilted, strict=True):
        approximate = name.startswith("enclosing")
        assert a == pytest.approx(b, rel=1e-4 if approximate else 1e-9, abs=1e-9), name
