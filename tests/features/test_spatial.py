"""Spatial autocorrelation: the consensus of the IBSI, and the sums over all pairs."""

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, strategies as st
from scipy.spatial.distance import pdist, squareform

from centrum.features.spatial import Autocorrelation, gearys_c, morans_i
from tests.kernels.test_mesh import regions
from tests.reference import digital_phantom


def test_digital_phantom() -> None:
    kept = digital_phantom.mask().array
    s = Autocorrelation(kept, digital_phantom.IMAGE[kept], (2.0, 2.0, 2.0))
    team = {row["ibsi_code"]: float(row["team_value"]) for row in digital_phantom.consensus()}
    assert morans_i(s) == pytest.approx(team["N365"], rel=1e-12)
    assert gearys_c(s) == pytest.approx(team["NPT7"], rel=1e-12)


def test_ct_phantom_configuration_a(reference: Path) -> None:
    """122 000 voxels: 7e9 pairs."""
    folder = reference / "ibsi" / "ibsi1_ct_phantom"
    image = sitk.ReadImage(folder / "image.nii.gz")
    x = np.rint(sitk.GetArrayFromImage(image))
    kept = sitk.GetArrayFromImage(sitk.ReadImage(folder / "mask.nii.gz")) == 1
    kept &= (x >= -500) & (x <= 400)
    s = Autocorrelation(kept, x[kept], image.GetSpacing())
    team = {
        row["ibsi_code"]: float(row["team_value"])
        for row in csv.DictReader((reference / "ibsi" / "ibsi1_reference_values.csv").open())
        if row["dataset"] == "config_A" and row["ibsi_code"] in ("N365", "NPT7")
    }
    # The values of one team, 4e-8 from the sum over all pairs.
    assert morans_i(s) == pytest.approx(team["N365"], rel=1e-7)
    assert gearys_c(s) == pytest.approx(team["NPT7"], rel=1e-7)


@given(regions, st.integers(0, 2**32 - 1), st.tuples(*[st.floats(0.3, 5)] * 3))
def test_against_all_pairs(
    kept: np.ndarray, seed: int, spacing: tuple[float, float, float]
) -> None:
    points = np.argwhere(kept)[:, ::-1] * spacing
    n = len(points)
    if n < 2:
        return
    x = np.random.default_rng(seed).normal(100, 20, n)
    d = x - x.mean()
    weights = squareform(1 / pdist(points))
    products = weights * np.outer(d, d)
    differences = weights * np.subtract.outer(x, x) ** 2
    s = Autocorrelation(kept, x, spacing)
    i = n / weights.sum() * products.sum() / (d @ d)
    c = (n - 1) / (2 * weights.sum()) * differences.sum() / (d @ d)
    assert morans_i(s) == pytest.approx(i, rel=1e-9, abs=1e-12)
    assert gearys_c(s) == pytest.approx(c, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("x", [np.array([0.1, 0.1, 0.1]), np.array([7])])
def test_equal_intensities_have_no_autocorrelation(x: np.ndarray) -> None:
    s = Autocorrelation(np.ones((1, 1, x.size), bool), x, (1.0, 1.0, 1.0))
    assert np.isnan(morans_i(s))
    assert np.isnan(gearys_c(s))
