"""Shape in one slice: PyRadiomics' baselines, and known outlines."""

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist

from centrum.features.shape2d import Shape2D, shape2d
from tests.features.test_morphology import cropped

slices = arrays(np.bool_, st.tuples(st.integers(1, 7), st.integers(1, 12))).filter(np.any)


@pytest.mark.parametrize("case", ["brain1", "brain2", "breast1", "lung1", "lung2"])
def test_pyradiomics_baseline(reference: Path, case: str) -> None:
    folder = reference / "pyradiomics"
    label = sitk.ReadImage(folder / f"{case}_label_2D.nrrd")
    inside = cropped(sitk.GetArrayFromImage(label) == 1)[0]
    column, row, _ = label.GetSpacing()
    values = shape2d.compute(Shape2D(inside, (row, column)), "pyradiomics")
    names = {f.entry.pyradiomics: f.key for f in shape2d}
    rows = [
        r
        for r in csv.DictReader((folder / "baseline_values_tidy.csv").open())
        if r["feature_class"] == "shape2D" and r["test_case"] == f"{case}_2D"
    ]
    assert len(rows) == len(values) == 9
    for r in rows:
        value = values[names[f"shape2D_{r['feature']}"]]
        assert value == pytest.approx(float(r["value"]), rel=1e-6)


@given(slices, st.floats(0.3, 4), st.floats(0.3, 4))
def test_against_the_pixels(inside: np.ndarray, row: float, column: float) -> None:
    rows, columns = np.nonzero(inside)
    inside = inside[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    shape = Shape2D(inside, (row, column))
    padded = np.pad(inside, 1)
    vertices = [np.argwhere(np.diff(padded, axis=k)) + 0.5 * np.eye(2)[k] for k in (0, 1)]
    points = np.concatenate(vertices) * (row, column)
    assert shape.diameter == pytest.approx(pdist(points).max(), rel=1e-12)
    if inside.sum() > 1:
        centres = np.argwhere(inside) * (row, column)
        expected = np.linalg.eigvalsh(np.cov(centres.T, ddof=0))[::-1]
        np.testing.assert_allclose(shape.axis_variances, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 2.0), (3.0, 0.7)])
@pytest.mark.parametrize("size", [(1, 1), (2, 5), (7, 3)])
def test_a_rectangle_is_its_pixels_less_the_corners(
    size: tuple[int, int], spacing: tuple[float, float]
) -> None:
    shape = Shape2D(np.ones(size, bool), spacing)
    rows, columns = size
    high, wide = spacing
    sides = 2 * (rows - 1) * high + 2 * (columns - 1) * wide
    assert shape.surface == pytest.approx((rows * columns - 0.5) * high * wide)
    assert shape.perimeter == pytest.approx(sides + 4 * np.hypot(high / 2, wide / 2))


def test_pixels_that_meet_at_a_corner_are_parted() -> None:
    assert Shape2D(np.eye(3, dtype=bool), (1.0, 1.0)).surface == 1.5


def test_one_pixel_has_no_elongation() -> None:
    values = shape2d.compute(Shape2D(np.ones((1, 1), bool), (1.0, 1.0)), "pyradiomics")
    assert [key for key, value in values.items() if np.isnan(value)] == ["elongation"]
