"""The filters, the elimination and the classifiers."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from centrum.errors import DataError
from centrum.modelling.agreement_filter import AgreementFilter
from centrum.modelling.auc import auc
from centrum.modelling.classifiers import linear_svm, logistic
from centrum.modelling.constant_filter import ConstantFilter
from centrum.modelling.correlation_filter import CorrelationFilter
from centrum.modelling.lasso import LogisticLassoCV
from centrum.modelling.rfe import RecursiveElimination
from tests.modelling.conftest import RealTable


@parametrize_with_checks(
    [ConstantFilter(), CorrelationFilter(), LogisticLassoCV(folds=2), RecursiveElimination(C=0.01)]
)
def test_scikit_learn_contract(estimator: BaseEstimator, check: Callable) -> None:
    check(estimator)


class TestAgreementFilter:
    def test_keeps_what_readers_agree_on(self, two_readers: tuple) -> None:
        X, _, _ = two_readers
        step = AgreementFilter().fit(X)
        assert np.flatnonzero(~step.get_support()).tolist() == [5, 6, 7]
        np.testing.assert_array_equal(step.transform(X), X[:, step.get_support(), 0])

    def test_lower_bound_is_stricter(self, two_readers: tuple) -> None:
        X, _, _ = two_readers
        rough = X + np.random.default_rng(0).normal(0, 0.5, X.shape)
        estimate = AgreementFilter(threshold=0.7).fit(rough).get_support()
        bound = AgreementFilter(threshold=0.7, use="lower_bound").fit(rough).get_support()
        assert bound.sum() < estimate.sum()
        assert not np.any(bound & ~estimate)

    def test_a_consensus_feeds_the_model_and_is_not_compared(self, two_readers: tuple) -> None:
        X, _, _ = two_readers
        union = np.concatenate([X.max(axis=2, keepdims=True), X], axis=2)
        step = AgreementFilter(compared=(1, 2)).fit(union)
        np.testing.assert_array_equal(step.icc_.value, AgreementFilter().fit(X).icc_.value)
        assert not np.array_equal(step.icc_.value, AgreementFilter().fit(union).icc_.value)
        np.testing.assert_array_equal(step.transform(union), union[:, step.get_support(), 0])
        alone = AgreementFilter(compared=(1,)).fit(union[:, :, :2])
        assert alone.get_support().all()

    def test_one_reader_keeps_all_and_needs_only_one_later(self, two_readers: tuple) -> None:
        X, _, _ = two_readers
        assert AgreementFilter().fit(X[:, :, :1]).get_support().all()
        step = AgreementFilter().fit(X)
        np.testing.assert_array_equal(step.transform(X), step.transform(X[:, :, :1]))

    def test_missing_values_are_named(self, two_readers: tuple) -> None:
        X, _, _ = two_readers
        names = [f"feature {i}" for i in range(30)]
        step = AgreementFilter(feature_names=names).fit(X)
        X[3, 9, 0] = np.nan
        X[4, 2, 0] = np.inf
        with pytest.raises(DataError, match=r"2 feature\(s\) .*: feature 2, feature 9\."):
            AgreementFilter(feature_names=names).fit(X)
        kept = [name for k, name in ((2, "feature 2"), (9, "feature 9")) if step.get_support()[k]]
        with pytest.raises(DataError, match=rf"{len(kept)} feature\(s\) .*: {', '.join(kept)}\."):
            step.transform(X)

    def test_a_case_without_the_second_reader_does_not_count(self, two_readers: tuple) -> None:
        X, _, _ = two_readers
        X[[3, 7], :, 1] = np.nan
        step = AgreementFilter().fit(X)
        whole = AgreementFilter().fit(np.delete(X, [3, 7], axis=0))
        np.testing.assert_array_equal(step.icc_.value, whole.icc_.value)
        assert set(step.icc_.n_subjects) == {58}
        assert np.isfinite(step.transform(X)).all()

    def test_a_missing_value_in_a_feature_not_used_does_no_harm(self, two_readers: tuple) -> None:
        X, _, _ = two_readers
        step = AgreementFilter().fit(X)
        X[0, 6, 0] = np.nan
        assert np.isfinite(step.transform(X)).all()

    def test_bad_input_is_refused(self, two_readers: tuple) -> None:
        X, _, _ = two_readers
        with pytest.raises(DataError, match=r"found the shape \(60, 30\)"):
            AgreementFilter().fit(X[:, :, 0])
        with pytest.raises(DataError, match="30 features need as many names, got 1"):
            AgreementFilter(feature_names=["a"]).fit(X)
        with pytest.raises(DataError, match="the 30 features that were fitted, found 29"):
            AgreementFilter().fit(X).transform(X[:, 1:])
        with pytest.raises(DataError, match="No feature has an ICC"):
            AgreementFilter().fit(np.random.default_rng(0).normal(size=(40, 5, 2)))


def test_constant_filter_sees_through_rounding() -> None:
    X = np.column_stack([np.full(6, 0.1) + np.arange(6) * 1e-17, np.arange(6) * 1e-12, np.ones(6)])
    assert ConstantFilter().fit(X).get_support().tolist() == [False, True, False]
    with pytest.raises(DataError, match="All 2 features are constant over 3 cases"):
        ConstantFilter().fit(np.ones((3, 2)))


class TestCorrelationFilter:
    @pytest.mark.parametrize("rule", ["greedy_first", "upper_triangle"])
    @given(seed=st.integers(0, 10**6), threshold=st.floats(0.1, 0.95))
    def test_equals_the_rule_spelt_out(self, rule: str, seed: int, threshold: float) -> None:
        X = np.random.default_rng(seed).normal(size=(8, 12))
        r = np.abs(np.corrcoef(X.T))
        kept: list[int] = []
        for j in range(12):
            others = kept if rule == "greedy_first" else range(j)
            if not any(r[j, k] > threshold for k in others):
                kept.append(j)
        found = CorrelationFilter(threshold, rule).fit(X)
        assert found.get_support(indices=True).tolist() == kept

    def test_counts_on_a_real_table(self, real_table: Callable[[str], RealTable]) -> None:
        X = real_table("WORC-Lipo").X
        kept = {
            rule: CorrelationFilter(0.99, rule).fit(X).get_support()
            for rule in ("greedy_first", "upper_triangle")
        }
        pandas = pd.DataFrame(X).corr().abs().to_numpy()
        idiom = [j for j in range(X.shape[1]) if not np.any(pandas[:j, j] > 0.99)]
        assert np.flatnonzero(kept["upper_triangle"]).tolist() == idiom
        assert kept["greedy_first"].sum() > kept["upper_triangle"].sum()

    def test_a_constant_feature_correlates_with_nothing(self) -> None:
        X = np.column_stack([np.arange(5.0), np.ones(5), -np.arange(5.0)])
        assert CorrelationFilter().fit(X).get_support().tolist() == [True, True, False]

    def test_unknown_rule(self) -> None:
        with pytest.raises(DataError, match="must be one of greedy_first, upper_triangle"):
            CorrelationFilter(rule="caret").fit(np.eye(3))


class TestAgainstR:
    @pytest.fixture
    def expected(self, reference: Path) -> dict:
        return json.loads((reference / "modelling" / "r" / "svm_logistic.json").read_text())

    @pytest.fixture
    def lipoma(self, real_table: Callable[[str], RealTable]) -> RealTable:
        return real_table("WORC-Lipo")

    @staticmethod
    def columns(table: RealTable, features: list[str]) -> NDArray:
        return table.X[:, [table.features.index(name) for name in features]]

    @pytest.mark.parametrize("C", ["0.01", "1", "100"])
    def test_svm_scores(self, expected: dict, lipoma: RealTable, C: str) -> None:
        fit = expected[f"svm_linear_C{C}"]
        X = self.columns(lipoma, fit["features"])
        X = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
        rows = np.array(fit["train_row"]) - 1
        svm = linear_svm(float(C)).fit(X[rows], lipoma.y[rows])
        np.testing.assert_allclose(svm.decision_function(X), fit["decision"], atol=1e-6)

    def test_elimination_order(self, expected: dict, lipoma: RealTable) -> None:
        fit = expected["svm_rfe"]
        rows = np.array(fit["train_row"]) - 1
        X = StandardScaler().fit_transform(self.columns(lipoma, fit["features"])[rows])
        elimination = RecursiveElimination(n_features=3).fit(
            X * np.sqrt((rows.size - 1) / rows.size), lipoma.y[rows]
        )
        order = [fit["features"][j] for j in elimination.elimination_order_]
        assert order == fit["elimination_order"]
        kept = {fit["features"][j] for j in elimination.get_support(indices=True)}
        assert kept == set(order[-3:])

    def test_logistic_regression(self, expected: dict, lipoma: RealTable) -> None:
        fit = expected["glm_train"]
        rows = np.array(expected["svm_linear_C1"]["train_row"]) - 1
        X = self.columns(lipoma, fit["features"])
        X = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
        model = logistic(np.inf).fit(X[rows], lipoma.y[rows])
        np.testing.assert_allclose(model.predict_proba(X)[:, 1], fit["pred_all"], atol=1e-6)


@given(st.integers(0, 10**6))
def test_auc_counts_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive = np.arange(20) < 7
    scores = rng.integers(0, 6, size=(20, 3)).astype(float)
    pairs = scores[positive][:, None] - scores[~positive][None]
    np.testing.assert_allclose(auc(positive, scores), (np.sign(pairs) + 1).mean(axis=(0, 1)) / 2)
