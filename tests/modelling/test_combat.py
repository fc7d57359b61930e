"""ComBat equals R's sva, and never asks a new case for its outcome."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from centrum.errors import DataError
from centrum.modelling.combat import ComBat


@pytest.fixture(scope="module")
def centres(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "modelling" / "r" / "combat_input.csv.gz")


def sva(reference: Path, name: str) -> NDArray:
    table = pd.read_csv(reference / "modelling" / "r" / f"combat_sva_{name}.csv.gz")
    return table.drop(columns=["batch", "Target"]).to_numpy(float)


def simulated(seed: int, n: int = 60, p: int = 12) -> tuple[NDArray, NDArray]:
    rng = np.random.default_rng(seed)
    batch = np.array(["A", "B", "C"])[np.arange(n) % 3]
    shift, scale = rng.normal(size=(3, p)), rng.uniform(0.5, 2, (3, p))
    code = np.arange(n) % 3
    return rng.normal(size=(n, p)) * scale[code] + shift[code] + 5, batch


@pytest.mark.parametrize(
    ("name", "options"),
    [("nocov", {}), ("refA", {"reference": "A"}), ("nonpar", {"parametric": False})],
)
def test_equals_sva(name: str, options: dict, centres: pd.DataFrame, reference: Path) -> None:
    X, batch = centres.drop(columns=["batch", "Target"]).to_numpy(float), centres["batch"]
    expected = sva(reference, name)
    step = ComBat(**options).fit(X, batch=batch)
    scale = np.abs(expected).max(axis=0)
    for found in (step.transform(X, batch=batch), ComBat(**options).fit_transform(X, batch=batch)):
        np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-8)


def test_a_covariate_equals_sva_on_the_training_cases(
    centres: pd.DataFrame, reference: Path
) -> None:
    X, batch = centres.drop(columns=["batch", "Target"]).to_numpy(float), centres["batch"]
    expected = sva(reference, "target")
    found = ComBat().fit_transform(X, batch=batch, covariates=centres["Target"])
    scale = np.abs(expected).max(axis=0)
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-8)


def test_new_cases_are_moved_by_what_was_learnt_alone() -> None:
    X, batch = simulated(0)
    step = ComBat().fit(X[:45], batch=batch[:45])
    together = step.transform(X[45:], batch=batch[45:])
    alone = [step.transform(X[[k]], batch=batch[[k]])[0] for k in range(45, 60)]
    np.testing.assert_array_equal(together, alone)


@given(st.integers(0, 10**6))
def test_batches_are_closer_afterwards(seed: int) -> None:
    X, batch = simulated(seed)
    out = ComBat().fit(X, batch=batch).transform(X, batch=batch)

    def between(values: NDArray) -> float:
        means = [values[batch == b].mean(axis=0) for b in "ABC"]
        return float(np.var(means, axis=0).sum())

    assert between(out) < 0.2 * between(X)


def test_the_reference_stays() -> None:
    X, batch = simulated(1)
    out = ComBat(reference="B").fit(X, batch=batch).transform(X, batch=batch)
    np.testing.assert_array_equal(out[batch == "B"], X[batch == "B"])
    assert not np.allclose(out[batch == "A"], X[batch == "A"])


def test_a_single_batch_changes_nothing() -> None:
    X, _ = simulated(2)
    out = ComBat().fit_transform(X, batch=np.full(60, "A"))
    np.testing.assert_allclose(out.mean(axis=0), X.mean(axis=0), atol=1e-10)
    assert np.corrcoef(out[:, 0], X[:, 0])[0, 1] > 0.999999


def test_a_feature_that_does_not_vary_in_a_batch_stays() -> None:
    X, batch = simulated(3)
    X[batch == "A", 4] = 1.0
    out = ComBat().fit_transform(X, batch=batch)
    np.testing.assert_array_equal(out[:, 4], X[:, 4])


def test_a_batch_of_one_case_is_moved_but_not_scaled() -> None:
    X, batch = simulated(4)
    batch[0] = "D"
    step = ComBat().fit(X, batch=batch)
    assert (step.delta_star_[3] == 1).all()
    assert np.isfinite(step.transform(X, batch=batch)).all()


def test_an_unknown_batch_is_refused_or_left() -> None:
    X, batch = simulated(5)
    with pytest.raises(DataError, match="not trained on the batch Z; it knows A, B, C"):
        ComBat().fit(X, batch=batch).transform(X[:2], batch=["A", "Z"])
    out = ComBat(unseen="as_is").fit(X, batch=batch).transform(X[:2], batch=["A", "Z"])
    np.testing.assert_array_equal(out[1], X[1])
    assert not np.allclose(out[0], X[0])


def test_refusals() -> None:
    X, batch = simulated(6)
    with pytest.raises(DataError, match="trained on 3 batches and needs the batch of each of 2"):
        ComBat().fit(X, batch=batch).transform(X[:2])
    with pytest.raises(DataError, match="reference batch 'Q'"):
        ComBat(reference="Q").fit(X, batch=batch)
    with pytest.raises(DataError, match="one batch per case"):
        ComBat().fit(X, batch=batch[:3])
    with pytest.raises(DataError, match="cannot be told from"):
        ComBat().fit(X, batch=batch, covariates=(batch == "A").astype(float))
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        ComBat().fit(X, batch=batch)
