"""The univariate screen against R, and where classes or features are degenerate."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from centrum.errors import DataError
from centrum.modelling.settings import ScreenTest
from centrum.modelling.univariate_screen import UnivariateScreen, adjusted_p

TESTS: tuple[ScreenTest, ...] = ("t", "student", "mann_whitney", "kruskal", "auc")
NAMES = ["age", "normal_equal", "normal_unequal", "skewed", "uniform", "ties"]


@parametrize_with_checks(
    [UnivariateScreen("t", "none", n_features=1), UnivariateScreen("auc", min_features=2)]
)
def test_scikit_learn_contract(estimator: BaseEstimator, check: Callable) -> None:
    check(estimator)


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_which_class_is_higher_does_not_matter(test: ScreenTest, order: list[int]) -> None:
    """Of two features that part the classes alike, either way round, the first is the better."""
    y = np.repeat([0, 1], [6, 9])
    x = np.linspace(0, 1, 15)
    X = np.column_stack([x, 1 - x])[:, order]
    fitted = UnivariateScreen(test, "none", n_features=1).fit(X, y)
    assert fitted.p_[0] == pytest.approx(fitted.p_[1])
    assert fitted.ranking_.tolist() == [1, 2]


class TestAgainstR:
    @pytest.fixture
    def known(self, reference: Path) -> dict:
        return json.loads((reference / "modelling" / "r" / "tests.json").read_text())

    @pytest.fixture
    def table(self, reference: Path) -> pd.DataFrame:
        return pd.read_csv(reference / "modelling" / "r" / "inputs" / "table1.csv")

    @pytest.mark.parametrize(
        ("test", "continuity", "key", "statistic"),
        [
            ("t", False, "welch", "t"),
            ("student", False, "student", "t"),
            ("mann_whitney", False, "wilcox_nocc", "W"),
            ("mann_whitney", True, "wilcox_cc", "W"),
        ],
    )
    def test_statistic_and_p(
        self,
        known: dict,
        table: pd.DataFrame,
        test: ScreenTest,
        continuity: bool,
        key: str,
        statistic: str,
    ) -> None:
        found = UnivariateScreen(test, continuity=continuity).fit(table[NAMES], table["group"])
        expected = [known[name][key] for name in NAMES]
        np.testing.assert_allclose(found.p_, [e["p"] for e in expected], rtol=1e-9)
        np.testing.assert_allclose(found.statistic_, [e[statistic] for e in expected], rtol=1e-9)

    @pytest.mark.parametrize("test", ["kruskal", "auc"])
    def test_p_is_that_of_the_rank_sum(
        self, known: dict, table: pd.DataFrame, test: ScreenTest
    ) -> None:
        """Of two classes H is the square of the rank sum's z, and AUC its share of pairs."""
        found = UnivariateScreen(test).fit(table[NAMES], table["group"])
        expected = [known[name]["wilcox_nocc"]["p"] for name in NAMES]
        np.testing.assert_allclose(found.p_, expected, rtol=1e-9)

    def test_auc_is_the_share_of_pairs(self, known: dict, table: pd.DataFrame) -> None:
        found = UnivariateScreen("auc").fit(table[NAMES], table["group"])
        pairs = np.prod(np.bincount(table["group"]))
        share = np.array([known[name]["wilcox_nocc"]["W"] for name in NAMES]) / pairs
        np.testing.assert_allclose(found.statistic_, np.abs(share - 0.5), atol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjustments_keep_the_order_and_are_ordered(values: list[float]) -> None:
    p = np.array(values)
    found = {a: adjusted_p(p, a) for a in ("none", "benjamini_hochberg", "holm", "bonferroni")}
    for smaller, larger in pairwise(found.values()):
        assert (smaller <= larger + 1e-12).all()
    for adjusted in found.values():
        assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= -1e-12).all()
        assert adjusted.max() <= 1


def two_classes(seed: int, n: int = 40, p: int = 12) -> tuple[NDArray, NDArray]:
    """The first feature is larger in the second class, the last one smaller."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, p))
    X[:, 0] += 2 * y
    X[:, -1] -= 4 * y
    return X, y


@pytest.mark.parametrize("test", TESTS)
class TestEveryTest:
    def test_finds_differences_of_either_sign(self, test: ScreenTest) -> None:
        X, y = two_classes(0)
        step = UnivariateScreen(test, "holm", alpha=0.01).fit(X, y)
        assert step.get_support(indices=True).tolist() == [0, 11]
        assert step.ranking_[[11, 0]].tolist() == [1, 2]
        assert not step.fallback_

    def test_names_of_classes_and_order_of_cases_do_not_matter(self, test: ScreenTest) -> None:
        X, y = two_classes(1)
        order = np.random.default_rng(1).permutation(40)
        step = UnivariateScreen(test).fit(X, y)
        other = UnivariateScreen(test).fit(X[order], np.array(["no", "yes"])[y][order])
        swapped = UnivariateScreen(test).fit(X, 1 - y)
        np.testing.assert_allclose(other.p_, step.p_, rtol=1e-9)
        np.testing.assert_allclose(swapped.p_, step.p_, rtol=1e-9)

    def test_perfect_separation_comes_first(self, test: ScreenTest) -> None:
        X, y = two_classes(2)
        X[:, 5] = y
        step = UnivariateScreen(test).fit(X, y)
        assert step.ranking_[5] == 1
        assert np.isfinite(step.statistic_).all()

    def test_constant_features_alone(self, test: ScreenTest) -> None:
        X, y = np.ones((20, 3)), np.arange(20) % 2
        step = UnivariateScreen(test).fit(X, y)
        assert step.p_.tolist() == step.p_adjusted_.tolist() == [1, 1, 1]
        assert step.fallback_
        assert step.get_support().tolist() == [True, False, False]

    def test_copies_tie_in_the_order_of_the_table(self, test: ScreenTest) -> None:
        X, y = two_classes(3)
        step = UnivariateScreen(test, n_features=2).fit(np.repeat(X[:, :2], 3, axis=1), y)
        assert step.get_support(indices=True).tolist() == [0, 1]

    def test_one_case_of_a_class(self, test: ScreenTest) -> None:
        X, _ = two_classes(4)
        step = UnivariateScreen(test).fit(X, np.arange(40) == 7)
        assert np.isfinite(step.p_).all()
        assert step.get_support().any()


def test_a_class_of_one_has_no_variance_of_its_own() -> None:
    X, _ = two_classes(4)
    assert (UnivariateScreen("t").fit(X, np.arange(40) == 7).p_ == 1).all()


def test_p_below_the_smallest_number_ranks_by_the_difference() -> None:
    """A U of 0 is further from chance than one a little below its maximum."""
    y = np.arange(8000) % 2
    noise = np.random.default_rng(5).normal(size=8000)
    X = np.column_stack([noise + 9 * y, noise - 1e3 * y])
    X[:2, 0] = 20, -20
    step = UnivariateScreen("mann_whitney").fit(X, y)
    assert step.p_.tolist() == [0, 0]
    assert step.ranking_.tolist() == [2, 1]


class TestHowMany:
    @pytest.mark.parametrize("n_features", [1, 5, 12, 99])
    def test_the_best(self, n_features: int) -> None:
        X, y = two_classes(6)
        step = UnivariateScreen(n_features=n_features).fit(X, y)
        assert step.get_support().sum() == min(n_features, 12)
        assert step.p_[step.get_support()].max() == np.sort(step.p_)[min(n_features, 12) - 1]
        assert not step.fallback_

    def test_at_least(self) -> None:
        X, y = two_classes(7)
        few = UnivariateScreen(adjustment="bonferroni", alpha=1e-4, min_features=2).fit(X, y)
        more = UnivariateScreen(adjustment="bonferroni", alpha=1e-4, min_features=4).fit(X, y)
        assert (few.fallback_, more.fallback_) == (False, True)
        assert few.get_support().sum() == 2
        assert np.array_equal(more.get_support(), more.ranking_ <= 4)
        assert (few.get_support() <= more.get_support()).all()

    @given(st.integers(0, 10**6), st.floats(1e-6, 1), st.integers(1, 12))
    def test_significant_features_are_always_kept(self, seed: int, alpha: float, k: int) -> None:
        X, y = two_classes(seed)
        step = UnivariateScreen(alpha=alpha, min_features=k).fit(X, y)
        significant = step.p_adjusted_ < alpha
        assert (significant <= step.get_support()).all()
        assert step.get_support().sum() == max(k, significant.sum())
        assert step.fallback_ == (significant.sum() < k)

    @pytest.mark.parametrize("settings", [{"n_features": 0}, {"min_features": 0}])
    def test_none_is_refused(self, settings: dict[str, int]) -> None:
        with pytest.raises(DataError, match="keeps one feature or more, asked for 0"):
            UnivariateScreen(**settings).fit(*two_classes(8))


@pytest.mark.parametrize("n_classes", [1, 3])
def test_other_than_two_classes(n_classes: int) -> None:
    X, _ = two_classes(9)
    with pytest.raises(DataError, match=rf"two classes, found {n_classes} class"):
        UnivariateScreen().fit(X, np.arange(40) % n_classes)


def test_missing_values_are_refused() -> None:
    X, y = two_classes(10)
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        UnivariateScreen().fit(X, y)
