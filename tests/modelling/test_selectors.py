"""Screens, mRMR, ReliefF, stability selection, and the steps around them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from centrum.errors import DataError
from centrum.modelling.balance import Smote
from centrum.modelling.combat import ComBat
from centrum.modelling.lasso import LogisticLassoCV
from centrum.modelling.leading import Leading
from centrum.modelling.mrmr import MRMR
from centrum.modelling.relieff import ReliefF
from centrum.modelling.stability_selection import StabilitySelection
from centrum.modelling.univariate_screen import UnivariateScreen, adjusted_p


@parametrize_with_checks(
    [
        UnivariateScreen(),
        MRMR(n_features=2),
        ReliefF(n_features=2),
        StabilitySelection(n_pairs=2),
        Leading(UnivariateScreen(), 2),
        ComBat(),
    ]
)
def test_scikit_learn_contract(estimator: BaseEstimator, check: Callable) -> None:
    check(estimator)


def two_classes(seed: int = 0, n: int = 60, p: int = 20) -> tuple[NDArray, NDArray]:
    """The first three features carry the outcome; the fourth copies the first."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, p))
    X[:, :3] += y[:, None] * [1.5, 1.2, 1.0]
    X[:, 3] = X[:, 0] + 1e-3 * rng.normal(size=n)
    return X, y


class TestUnivariateScreen:
    @pytest.mark.parametrize(
        ("test", "reference_test"),
        [
            ("t", lambda a, b: stats.ttest_ind(a, b, equal_var=False)),
            ("student", stats.ttest_ind),
            ("kruskal", stats.kruskal),
            (
                "mann_whitney",
                lambda a, b: stats.mannwhitneyu(a, b, use_continuity=False, method="asymptotic"),
            ),
        ],
    )
    def test_each_feature_by_itself(self, test: str, reference_test: Callable) -> None:
        X, y = two_classes()
        X = np.round(X, 1)
        found = UnivariateScreen(test).fit(X, y)
        for j in range(X.shape[1]):
            one = reference_test(X[y == 1, j], X[y == 0, j])
            assert found.p_[j] == pytest.approx(one.pvalue, rel=1e-9)
            assert found.statistic_[j] == pytest.approx(one.statistic, rel=1e-9)

    def test_equals_r(self, reference: Path) -> None:
        """R's Welch, Student and Mann-Whitney without continuity correction, on table 1."""
        folder = reference / "modelling" / "r"
        known = json.loads((folder / "tests.json").read_text())
        table = pd.read_csv(folder / "inputs" / "table1.csv")
        names = ["age", "normal_equal", "normal_unequal", "skewed", "uniform", "ties"]
        X, y = table[names].to_numpy(float), table["group"].to_numpy()
        for test, key in (("t", "welch"), ("student", "student"), ("mann_whitney", "wilcox_nocc")):
            found = UnivariateScreen(test).fit(X, y)
            expected = [known[name][key]["p"] for name in names]
            np.testing.assert_allclose(found.p_, expected, rtol=1e-9)

    def test_adjusted_p_equals_r(self, reference: Path) -> None:
        known = json.loads((reference / "modelling" / "r" / "tests.json").read_text())["p_adjust"]
        p = np.array(known["p"])
        for ours, theirs in (
            ("benjamini_hochberg", "BH"), ("holm", "holm"), ("bonferroni", "bonferroni"),
        ):  # fmt: skip
            np.testing.assert_allclose(adjusted_p(p, ours), known[theirs], rtol=1e-12)

    def test_auc_ranks_by_distance_from_chance(self) -> None:
        X, y = two_classes()
        X[:, 1] *= -1
        found = UnivariateScreen("auc", n_features=4).fit(X, y)
        assert set(found.get_support(indices=True)) == {0, 1, 2, 3}

    def test_nothing_significant_keeps_the_best_and_says_so(self) -> None:
        rng = np.random.default_rng(3)
        X, y = rng.normal(size=(30, 50)), np.arange(30) % 2
        found = UnivariateScreen(alpha=1e-6).fit(X, y)
        assert found.fallback_
        assert found.get_support().sum() == 1
        assert found.p_[found.get_support()][0] == found.p_.min()

    def test_a_constant_feature_is_never_kept(self) -> None:
        X, y = two_classes()
        X[:, 5] = 2.0
        for test in ("t", "student", "mann_whitney", "kruskal", "auc"):
            assert not UnivariateScreen(test, "none", 0.99).fit(X, y).get_support()[5]

    def test_refusals(self) -> None:
        X, y = two_classes()
        with pytest.raises(DataError, match="t, student, mann_whitney"):
            UnivariateScreen("anova").fit(X, y)
        with pytest.raises(DataError, match="holm, bonferroni"):
            UnivariateScreen(adjustment="fdr").fit(X, y)


class TestMRMR:
    def test_does_not_take_a_copy_second(self) -> None:
        X, y = two_classes()
        taken = np.argsort(MRMR(n_features=3).fit(X, y).ranking_)[:3]
        assert len({0, 3} & set(taken)) == 1

    def test_is_the_literal_greedy_rule(self) -> None:
        X, y = two_classes(1)
        r = np.abs(np.corrcoef(X.T))
        for scheme in ("quotient", "difference"):
            step = MRMR(n_features=6, scheme=scheme).fit(X, y)
            relevance = step.relevance_ / step.relevance_.max()
            taken: list[int] = []
            for _ in range(6):
                worth = {}
                for j in set(range(20)) - set(taken):
                    redundancy = np.mean([r[j, k] for k in taken]) if taken else 1.0
                    difference = relevance[j] - (redundancy if taken else 0)
                    quotient = relevance[j] / redundancy
                    worth[j] = quotient if scheme == "quotient" else difference
                taken.append(max(worth, key=worth.__getitem__))
            assert np.argsort(step.ranking_)[:6].tolist() == taken

    def test_mutual_information_sees_what_f_does_not(self) -> None:
        rng = np.random.default_rng(2)
        X = rng.normal(size=(300, 5))
        y = (np.abs(X[:, 4]) > 0.7).astype(int)
        step = MRMR(n_features=1, relevance="mutual_information").fit(X, y)
        assert step.get_support(indices=True).tolist() == [4]

    def test_perfect_separation_and_constant_features(self) -> None:
        X, y = two_classes()
        X[:, 7], X[:, 8] = y, 1.0
        step = MRMR(n_features=5).fit(X, y)
        assert step.ranking_[7] == 1
        assert sorted(step.ranking_) == list(range(1, 21))

    def test_more_than_there_are(self) -> None:
        X, y = two_classes()
        assert MRMR(n_features=100).fit(X, y).get_support().all()


class TestReliefF:
    def test_is_the_literal_rule(self) -> None:
        X, y = two_classes(4, n=24, p=5)
        span = np.ptp(X, axis=0)
        weights = np.zeros(5)
        for i in range(24):
            distance = np.abs((X - X[i]) / span).sum(axis=1)
            for label in (0, 1):
                rows = [j for j in np.argsort(distance) if y[j] == label and j != i][:3]
                difference = (np.abs(X[rows] - X[i]) / span).mean(axis=0)
                weights += (1 if label != y[i] else -1) * difference / 24
        found = ReliefF(n_neighbors=3).fit(X, y)
        np.testing.assert_allclose(found.weights_, weights, atol=1e-12)

    def test_sees_an_interaction_that_a_screen_misses(self) -> None:
        rng = np.random.default_rng(5)
        X = rng.normal(size=(200, 12))
        y = (X[:, 3] * X[:, 9] > 0).astype(int)
        relief = ReliefF(n_features=2).fit(X, y)
        assert set(relief.get_support(indices=True)) == {3, 9}
        assert UnivariateScreen().fit(X, y).p_[[3, 9]].min() > 0.01

    def test_scale_does_not_matter(self) -> None:
        X, y = two_classes(6)
        scaled = X * np.geomspace(1e-3, 1e3, 20) + 7
        np.testing.assert_allclose(
            ReliefF().fit(X, y).weights_, ReliefF().fit(scaled, y).weights_, atol=1e-9
        )

    def test_one_case_of_a_class(self) -> None:
        with pytest.raises(DataError, match="two cases or more"):
            ReliefF().fit(np.eye(4), [0, 0, 0, 1])


class TestStabilitySelection:
    def test_finds_what_carries_the_outcome(self) -> None:
        rng = np.random.default_rng(7)
        X = rng.normal(size=(120, 60))
        y = (X[:, 5] + X[:, 6] + 0.3 * rng.normal(size=120) > 0).astype(int)
        step = StabilitySelection(seed=1).fit(X, y)
        assert set(step.get_support(indices=True)) == {5, 6}
        assert step.expected_false_ <= 1

    def test_noise_selects_no_more_than_the_bound(self) -> None:
        """Mean number of false features over 12 tables of noise, bound 1."""
        found = []
        for seed in range(12):
            rng = np.random.default_rng(seed)
            step = StabilitySelection(n_pairs=10, seed=seed)
            step.fit(rng.normal(size=(60, 40)), np.arange(60) % 2)
            found.append(0 if step.fallback_ else step.get_support().sum())
        assert np.mean(found) <= 1

    def test_halves_hold_whole_patients(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = []

        def first(self: StabilitySelection, X: NDArray, y: NDArray) -> NDArray:
            seen.append(set(X[:, 0]))
            return np.array([0])

        monkeypatch.setattr(StabilitySelection, "_first", first)
        patients = np.arange(40) // 2
        X = np.column_stack([patients, np.arange(40)]).astype(float)
        StabilitySelection(n_pairs=3).fit(X, patients % 2, groups=patients)
        for one, other in zip(seen[::2], seen[1::2], strict=True):
            assert not one & other
            assert len(one | other) == 20

    def test_threshold_is_checked(self) -> None:
        with pytest.raises(DataError, match=r"above 0\.5"):
            StabilitySelection(threshold=0.5).fit(np.eye(4), [0, 0, 1, 1])


class TestLeading:
    def test_takes_the_leading_of_those_supported(self) -> None:
        X, y = two_classes(8)
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        lasso = LogisticLassoCV(folds=5).fit(X, y)
        step = Leading(LogisticLassoCV(folds=5), 2).fit(X, y)
        assert set(step.get_support(indices=True)) == set(np.argsort(-np.abs(lasso.coef_[0]))[:2])
        everything = Leading(LogisticLassoCV(folds=5)).fit(X, y)
        np.testing.assert_array_equal(everything.get_support(), lasso.get_support())
        many = Leading(LogisticLassoCV(folds=5), 99).fit(X, y)
        np.testing.assert_array_equal(many.get_support(), lasso.get_support())


class TestSmote:
    def test_balances_and_names_the_owner(self) -> None:
        X, _ = two_classes(9)
        y = np.r_[np.zeros(45), np.ones(15)].astype(int)
        step = Smote(random_state=1)
        more, labels = step.fit_resample(X, y)
        assert np.bincount(labels).tolist() == [45, 45]
        np.testing.assert_array_equal(more[:60], X)
        assert (y[step.sample_indices_[60:]] == 1).all()
        for new, owner in zip(more[60:], step.sample_indices_[60:], strict=True):
            distance = np.linalg.norm(X[45:] - new, axis=1)
            assert 45 + np.argmin(distance) == owner

    @given(st.integers(2, 6))
    def test_small_classes_have_fewer_neighbours(self, small: int) -> None:
        y = np.r_[np.zeros(10), np.ones(small)].astype(int)
        X = np.random.default_rng(small).normal(size=(10 + small, 3))
        assert np.bincount(Smote().fit_resample(X, y)[1]).tolist() == [10, 10]

    def test_a_single_case_cannot_be_multiplied(self) -> None:
        with pytest.raises(DataError, match="class_weight"):
            Smote().fit_resample(np.eye(4), [0, 0, 0, 1])
