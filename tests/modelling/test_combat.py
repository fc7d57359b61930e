"""ComBat equals R's sva, and never asks a new case for its outcome."""

import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centrum.errors import DataError
from centrum.modelling.combat import ComBat, _Rows, to_reference


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
    step = ComBat().fit(X, batch=np.full(60, "A"))
    np.testing.assert_array_equal(step.transform(X, batch=np.full(60, "A")), X)
    np.testing.assert_array_equal(ComBat().fit(X).transform(X), X)
    with pytest.raises(DataError, match=r"trained on 1 batch\(es\) and needs the batch of each"):
        step.transform(X)


def test_a_feature_that_does_not_vary_in_a_batch_stays() -> None:
    X, batch = simulated(3)
    X[batch == "A", 4] = 1.0
    out = ComBat().fit_transform(X, batch=batch)
    np.testing.assert_array_equal(out[:, 4], X[:, 4])


def test_a_feature_that_varies_by_rounding_stays_and_does_not_disturb_the_others() -> None:
    X, batch = simulated(3)
    rounded = np.where(batch == "A", 0.3, 5.0)
    rounded[batch == "A"] += np.arange(20) % 2 * 5e-17
    assert np.ptp(rounded[batch == "A"]) > 0
    out = ComBat().fit_transform(np.column_stack([X, rounded]), batch=batch)
    np.testing.assert_array_equal(out[:, -1], rounded)
    np.testing.assert_array_equal(out[:, :-1], ComBat().fit_transform(X, batch=batch))


def test_a_feature_that_is_a_covariate_stays() -> None:
    X, batch = simulated(3)
    age = np.random.default_rng(0).uniform(30, 90, 60)
    both = np.column_stack([X, 2 * age])
    out = ComBat().fit_transform(both, batch=batch, covariates=age)
    np.testing.assert_array_equal(out[:, -1], 2 * age)
    alone = ComBat().fit_transform(X, batch=batch, covariates=age)
    np.testing.assert_allclose(out[:, :-1], alone, rtol=1e-12)


def test_a_batch_of_one_case_is_shrunk_to_the_mean_of_its_features() -> None:
    """The location is that of sva with mean.only: (t2 g + mean g) / (t2 + 1)."""
    X, batch = simulated(4)
    batch[0] = "D"
    step = ComBat().fit(X, batch=batch)
    assert (step.delta_star_[3] == 1).all()
    means = {b: X[batch == b].mean(axis=0) for b in "ABCD"}
    sd = np.sqrt(np.mean((X - [means[b] for b in batch]) ** 2, axis=0))
    g = (X[0] - X.mean(axis=0)) / sd
    t2 = g.var(ddof=1)
    expected = X[0] - sd * (t2 * g + g.mean()) / (t2 + 1)
    np.testing.assert_allclose(step.transform(X, batch=batch)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("parametric", [True, False])
def test_a_batch_of_one_case_keeps_what_sets_it_apart(parametric: bool) -> None:
    X, batch = simulated(4)
    batch[0] = "D"
    out = ComBat(parametric=parametric).fit_transform(X, batch=batch)
    assert np.isfinite(out).all()
    assert np.abs(out[0] - X.mean(axis=0)).max() > 0.1
    one_feature = ComBat(parametric=parametric).fit_transform(X[:, :1], batch=batch)
    assert one_feature[0, 0] == pytest.approx(X[0, 0], rel=1e-12)


def test_batches_of_one_case_each_tell_nothing() -> None:
    X, _ = simulated(4)
    np.testing.assert_array_equal(ComBat().fit_transform(X, batch=np.arange(60)), X)


@given(st.integers(0, 10**6), st.booleans())
def test_units_and_order_do_not_matter(seed: int, parametric: bool) -> None:
    X, batch = simulated(seed)
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0.01, 100, 12), rng.normal(size=12)
    rows, columns = rng.permutation(60), rng.permutation(12)
    out = ComBat(parametric=parametric).fit_transform(X, batch=batch)
    other = ComBat(parametric=parametric).fit_transform(
        (a * X + b)[rows][:, columns], batch=batch[rows]
    )
    np.testing.assert_allclose(other, (a * out + b)[rows][:, columns], rtol=1e-8, atol=1e-8)


def test_copies_and_many_features() -> None:
    X, batch = simulated(7, n=15, p=200)
    out = ComBat().fit_transform(np.repeat(X, 2, axis=1), batch=batch)
    np.testing.assert_array_equal(out[:, ::2], out[:, 1::2])
    assert np.isfinite(out).all()
    same = ComBat().fit_transform(np.repeat(X[:, :1], 3, axis=1), batch=batch)
    location = [same[batch == b].mean() for b in "ABC"]
    np.testing.assert_allclose(location, X[:, 0].mean(), rtol=1e-12)


def test_the_empirical_prior_of_large_batches_does_not_vanish() -> None:
    """Likelihoods of 3000 cases are below the smallest number, where sva has NaN."""
    X, batch = simulated(8, n=9000)
    out = ComBat(parametric=False).fit_transform(X, batch=batch)
    assert np.isfinite(out).all()


class TestCovariates:
    def test_new_cases_do_not_depend_on_their_coding(self) -> None:
        X, batch = simulated(9)
        age = np.random.default_rng(9).uniform(30, 90, 60)
        male = np.arange(60) % 4 > 1
        codings = np.column_stack([age, male]), np.column_stack([10 * age - 700, 3 - 2 * male])
        plain, shifted = (ComBat().fit(X, batch=batch, covariates=c) for c in codings)
        np.testing.assert_allclose(plain.grand_mean_, X.mean(axis=0), rtol=1e-10)
        np.testing.assert_allclose(
            plain.transform(X, batch=batch), shifted.transform(X, batch=batch), rtol=1e-10
        )

    def test_what_belongs_to_the_covariate_is_not_taken_for_the_batch(self) -> None:
        """The outcome is rarer in A and moves the features by 3; the batches differ by 1."""
        rng = np.random.default_rng(10)
        batch = np.repeat(["A", "B"], 200)
        outcome = np.r_[np.arange(200) % 5 == 0, np.arange(200) % 5 > 0].astype(float)
        effect = 3.0 * outcome[:, None] + (batch == "B")[:, None]
        X = rng.normal(size=(400, 30)) + effect
        kept = ComBat().fit_transform(X, batch=batch, covariates=outcome)
        lost = ComBat().fit_transform(X, batch=batch)

        def between(values: NDArray) -> float:
            same = values[outcome == 1]
            return float(np.mean(same[batch[outcome == 1] == "B"]) - np.mean(same)) * 5

        assert abs(between(kept)) < 0.3
        assert between(lost) < -0.5

    def test_a_reference_stays(self) -> None:
        X, batch = simulated(11)
        age = np.random.default_rng(11).uniform(30, 90, 60)
        step = ComBat(reference="C")
        out = step.fit_transform(X, batch=batch, covariates=age)
        np.testing.assert_array_equal(out[batch == "C"], X[batch == "C"])
        assert (step.gamma_star_[2] == 0).all()
        assert (step.delta_star_[2] == 1).all()

    def test_refusals(self) -> None:
        X, batch = simulated(6)
        with pytest.raises(DataError, match=r"numbers, \(cases, k\) with 60 cases, found <U1"):
            ComBat().fit(X, batch=batch, covariates=batch)
        with pytest.raises(DataError, match=r"found float64 of the shape \(3, 1\)"):
            ComBat().fit(X, batch=batch, covariates=np.zeros(3))
        with pytest.raises(DataError, match="1 cases lack one"):
            ComBat().fit(X, batch=batch, covariates=np.r_[np.nan, np.arange(59)])
        for covariate in (batch == "A", np.ones(60)):
            with pytest.raises(DataError, match="cannot be told from the 3 batches"):
                ComBat().fit(X, batch=batch, covariates=covariate)


def test_keeps_nothing_of_single_cases() -> None:
    X, batch = simulated(12)
    step = ComBat().fit(X, batch=batch, covariates=np.random.default_rng(0).normal(size=60))
    arrays = [value for value in vars(step).values() if isinstance(value, np.ndarray)]
    assert len(arrays) == 6
    assert all(60 not in array.shape for array in arrays)


def test_batches_reach_it_through_a_scikit_learn_pipeline() -> None:
    X, batch = simulated(13)
    with config_context(enable_metadata_routing=True):
        step = ComBat().set_fit_request(batch=True, covariates=False)
        step.set_transform_request(batch=True)
        pipeline = make_pipeline(step, StandardScaler())
        out = pipeline.fit(X, batch=batch).transform(X, batch=batch)
    expected = StandardScaler().fit_transform(ComBat().fit_transform(X, batch=batch))
    np.testing.assert_allclose(out, expected, atol=1e-12)


def test_an_unknown_batch_is_refused_or_left() -> None:
    X, batch = simulated(5)
    with pytest.raises(DataError, match="not trained on the batch Z; it knows A, B, C"):
        ComBat().fit(X, batch=batch).transform(X[:2], batch=["A", "Z"])
    out = ComBat(unseen="as_is").fit(X, batch=batch).transform(X[:2], batch=["A", "Z"])
    np.testing.assert_array_equal(out[1], X[1])
    assert not np.allclose(out[0], X[0])


def test_refusals() -> None:
    X, batch = simulated(6)
    with pytest.raises(
        DataError, match=r"trained on 3 batch\(es\) and needs the batch of each of 2"
    ):
        ComBat().fit(X, batch=batch).transform(X[:2])
    with pytest.raises(DataError, match="reference batch 'Q'"):
        ComBat(reference="Q").fit(X, batch=batch)
    with pytest.raises(DataError, match="one batch per case"):
        ComBat().fit(X, batch=batch[:3])
    unknown = np.where(np.arange(60) < 2, None, batch)
    with pytest.raises(DataError, match="each of 60 cases; 2 are empty"):
        ComBat().fit(X, batch=unknown)
    with pytest.raises(DataError, match="each of 60 cases; 2 are empty"):
        ComBat(unseen="as_is").fit(X, batch=batch).transform(X, batch=unknown)
    batch[0] = "D"
    with pytest.raises(DataError, match="'D' has a single training case"):
        ComBat(reference="D").fit(X, batch=batch)


def test_missing_values_are_named() -> None:
    X, batch = simulated(6)
    table = pd.DataFrame(X, columns=[f"feature {k}" for k in range(12)])
    step = ComBat().fit(table, batch=batch)
    table.iloc[3, 2], table.iloc[4, 9] = np.nan, np.inf
    for refuses in (step.transform, ComBat().fit, ComBat().fit_transform):
        with pytest.raises(
            DataError, match=r"2 feature\(s\) .* NaN or inf: feature 2, feature 9\."
        ):
            refuses(table, batch=batch)
    X[0] = np.nan
    with pytest.raises(DataError, match=r"12 feature\(s\) .*: x0, x1, x2, x3, x4, \.\.\.\."):
        ComBat().fit(X, batch=batch)


def test_a_reference_of_two_cases_is_enough() -> None:
    X, batch = simulated(6)
    batch[:2] = "D"
    out = ComBat(reference="D").fit_transform(X, batch=batch)
    np.testing.assert_array_equal(out[:2], X[:2])
    assert not np.allclose(out[2:], X[2:])


def test_of_unknown_batches_five_are_named() -> None:
    X, batch = simulated(5)
    strange = [f"Q{k}" for k in range(7)]
    with pytest.raises(DataError, match="the batch Q0, Q1, Q2, Q3, Q4; it knows A, B, C"):
        ComBat().fit(X, batch=batch).transform(X[:7], batch=strange)


def test_two_features_are_shrunk_towards_each_other() -> None:
    """By hand for a batch of one case: (t2 g + mean g) / (t2 + 1), g in units of the pooled SD."""
    X, batch = simulated(4, p=2)
    batch[0] = "D"
    step = ComBat().fit(X, batch=batch)
    g = (X[0] - step.grand_mean_) / np.sqrt(step.pooled_variance_)
    t2 = (g[0] - g[1]) ** 2 / 2
    np.testing.assert_allclose(step.gamma_star_[3], (t2 * g + g.mean()) / (t2 + 1), rtol=1e-12)
    assert (step.gamma_star_[0] != 0).all()
    location = [(X[batch == "A", k].mean() - step.grand_mean_[k]) / np.sqrt(v)
                for k, v in enumerate(step.pooled_variance_)]  # fmt: skip
    assert np.ptp(step.gamma_star_[0]) < np.ptp(location), "nearer to each other than they were"


def test_features_are_in_the_units_of_the_pooled_standard_deviation() -> None:
    """A single feature has no others to be shrunk to: the batches' own means and variances."""
    X, batch = simulated(4, p=1)
    step = ComBat().fit(X, batch=batch)
    own = [X[batch == b] for b in "ABC"]
    pooled = np.mean([x.var() for x in own])
    np.testing.assert_allclose(step.grand_mean_, X.mean(), rtol=1e-12)
    np.testing.assert_allclose(step.pooled_variance_, pooled, rtol=1e-12)
    np.testing.assert_allclose(
        step.gamma_star_[:, 0], [(x.mean() - X.mean()) / np.sqrt(pooled) for x in own], rtol=1e-10
    )
    np.testing.assert_allclose(
        step.delta_star_[:, 0], [x.var(ddof=1) / pooled for x in own], rtol=1e-10
    )


def test_small_features_beside_large_ones_are_harmonised() -> None:
    X, batch = simulated(3)
    small = X * 10.0 ** np.linspace(-40, 40, 12)
    step = ComBat().fit(small, batch=batch)
    assert step.adjusted_.all()
    X[batch == "A", 4] = 1.0
    constant = ComBat().fit(X, batch=batch)
    assert np.flatnonzero(~constant.adjusted_).tolist() == [4]
    learnt = constant.pooled_variance_, *constant.gamma_star_, *constant.delta_star_
    assert [each[4] for each in learnt] == [1, 0, 0, 0, 1, 1, 1], "nothing is learnt of it"
    batch[:2], X[:2, 7] = "D", 5.0
    two = ComBat().fit(X, batch=batch)
    assert np.flatnonzero(~two.adjusted_).tolist() == [4, 7]


def test_two_cases_are_the_fewest() -> None:
    X, _ = simulated(3)
    np.testing.assert_array_equal(ComBat().fit_transform(X[:2], batch=["A", "B"]), X[:2])
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        ComBat().fit(X[:1], batch=["A"])
    with pytest.raises(NotFittedError):
        ComBat().transform(X)


def test_statistics_of_several_blocks_are_those_of_the_whole() -> None:
    X, _ = simulated(3)
    asked = []

    def read(own: slice) -> NDArray:
        asked.append(own)
        return X[:, own]

    for ends in ((0, 12), (0, 5, 12), (0, 5, 7, 12)):
        blocks = [slice(*pair) for pair in pairwise(ends)]
        rows = _Rows(60, blocks, read)
        for _ in range(2):
            found = rows.each(lambda x, centre: (x - centre).mean(axis=0), X[0])
            np.testing.assert_allclose(found, (X - X[0]).mean(axis=0))
        assert len(asked) == (1 if len(blocks) == 1 else 2 * len(blocks))
        asked.clear()


class TestToReference:
    def test_new_cases_get_the_mean_of_the_reference(self) -> None:
        """As `ComBat(reference=...)` on cases of the reference that have its mean and SD."""
        X, batch = simulated(2)
        old, new = X[batch == "A"], X[batch == "B"]
        spread = old.std(axis=0)
        found = to_reference(new, old.mean(axis=0), spread)
        both = np.r_[old, new]
        names = np.repeat(["A", "B"], 20)
        step = ComBat(reference="A").fit(both, batch=names)
        np.testing.assert_allclose(step.pooled_variance_, spread**2, rtol=1e-10)
        np.testing.assert_allclose(found, step.transform(new, batch=names[20:]), rtol=1e-9)

    def test_units_do_not_matter(self) -> None:
        X, _ = simulated(2)
        unit = 10.0 ** np.linspace(-30, 30, 12)
        found = to_reference(X * unit, np.full(12, 7.0) * unit, 2 * unit)
        np.testing.assert_allclose(
            found / unit, to_reference(X, np.full(12, 7.0), np.full(12, 2.0)), rtol=1e-10
        )

    @pytest.mark.parametrize("locations", [(1.0, 0.0, -1.0), (1.0, 0.0, 0.5)])
    def test_a_feature_that_does_not_differ_is_no_fault(self, locations: tuple) -> None:
        X = np.array([[-1.0], [1.0], [0.5], [-0.5]]) * [1.0, 2.0, 1.0] + locations
        with warnings.catch_warnings(action="error"):
            found = to_reference(X, np.zeros(3), np.ones(3))
        assert np.isfinite(found).all()

    def test_what_has_no_spread_on_either_side_stays(self) -> None:
        X, _ = simulated(3, p=4)
        X[:, 1], X[:, 2] = 0.0, 0.3
        spread = np.array([1.0, 1.0, 1.0, 0.0])
        found = to_reference(X, np.full(4, 9.0), spread)
        np.testing.assert_array_equal(found[:, 1:], X[:, 1:])
        assert not np.isclose(found[:, 0], X[:, 0]).any()
        np.testing.assert_array_equal(to_reference(X[:, 1:], np.full(3, 9.0), spread[1:]), X[:, 1:])

    def test_two_whole_cases_are_needed(self) -> None:
        to_reference([[1.0], [2.0]], [0.0], [1.0])
        with pytest.raises(DataError, match="found 1 cases and 0 missing values"):
            to_reference([[1.0]], [0.0], [1.0])
        with pytest.raises(DataError, match="found 3 cases and 2 missing values"):
            to_reference([[1.0], [np.nan], [np.inf]], [0.0], [1.0])
