"""The recursion against ITK, along one axis, and its definition."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, strategies as st

from centrum.kernels.recursive_gaussian import RecursiveGaussian, add_recursive

SIGMAS = (0.3, 0.7, 1.0, 2.5, 8.0)


def itk(lines: np.ndarray, sigma: float, order: int) -> np.ndarray:
    """ITK's float32 result down the columns."""
    recursive = sitk.RecursiveGaussianImageFilter()
    recursive.SetSigma(sigma)
    recursive.SetDirection(1)
    recursive.SetOrder(order)
    return sitk.GetArrayFromImage(recursive.Execute(sitk.GetImageFromArray(lines)))


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("rows", [4, 5, 9, 40])
def test_every_row_equals_itk(sigma: float, rows: int) -> None:
    lines = np.random.default_rng(rows).normal(100, 30, size=(rows, 6))
    found = RecursiveGaussian(sigma).along(lines, slice(0, rows))
    for ours, order in zip(found, (0, 2), strict=True):
        theirs = itk(lines, sigma, order)
        assert np.abs(ours - theirs).max() <= 2**-23 * max(np.abs(theirs).max(), 1.0)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_moments_are_those_of_a_gaussian(sigma: float) -> None:
    n = np.arange(-200.0, 201)[:, None]
    impulse = (n == 0).astype(float)
    smooth, second = RecursiveGaussian(sigma).along(impulse, slice(0, 401))
    assert smooth.sum() == pytest.approx(1, abs=1e-12)
    assert second.sum() == pytest.approx(0, abs=1e-9)
    assert (n**2 * second).sum() == pytest.approx(2, abs=1e-7)
    assert smooth[::-1] == pytest.approx(smooth, abs=1e-12)


@given(st.integers(1, 30), st.integers(0, 29), st.integers(1, 9), st.floats(0.4, 6.0))
def test_wanted_rows_are_those_of_the_whole(
    rows: int, start: int, columns: int, sigma: float
) -> None:
    start = min(start, rows - 1)
    stop = min(start + 1 + columns, rows)
    lines = np.random.default_rng(rows).normal(size=(rows, columns))
    kernel = RecursiveGaussian(sigma)
    whole = kernel.along(lines, slice(0, rows))
    assert np.allclose(kernel.along(lines, slice(start, stop)), whole[:, start:stop], atol=1e-12)


def test_a_part_is_looked_at_and_added() -> None:
    lines = np.random.default_rng(0).normal(size=(30, 12))
    kernel = RecursiveGaussian(1.5)
    weights = np.stack([kernel.smooth, kernel.second])
    out = np.ones((2, 6, 5))
    part = slice(3, 25), slice(4, 9)
    add_recursive(lines, part, slice(8, 14), kernel.feedback, weights, out)
    expected = kernel.along(np.ascontiguousarray(lines[part]), slice(8, 14))
    assert np.allclose(out, 1 + expected, atol=1e-13)
