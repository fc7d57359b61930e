"""Each classifier against its definition, and the settings that reach it."""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logit
from sklearn.base import BaseEstimator
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from centrum.errors import DataError
from centrum.modelling.classifiers import (
    LogOdds,
    Ridge,
    build_classifier,
    linear_svm,
    logistic,
    rbf_svm,
)
from centrum.modelling.settings import ClassifierName, LassoSettings, ModelSettings

BALANCED = ModelSettings(balance="class_weight", C=0.3)
PLAIN = ModelSettings(balance="none", C=0.3)


@pytest.fixture
def rare() -> tuple[NDArray, NDArray]:
    """60 cases, a quarter of them of the second class."""
    rng = np.random.default_rng(1)
    y = (np.arange(60) % 4 == 0).astype(int)
    return rng.normal(size=(60, 3)) + 0.8 * y[:, None], y


def weights_of(y: NDArray, balanced: bool) -> NDArray:
    return np.where(y == 1, 60 / 30, 60 / 90) if balanced else np.ones(60)


@pytest.mark.parametrize("balanced", [False, True])
def test_logistic_regression_is_the_minimum_of_its_cost(rare: tuple, balanced: bool) -> None:
    """|w|^2 / 2 + C x the sum of logarithmic losses; the intercept is free."""
    X, y = rare

    def cost(w: NDArray) -> float:
        losses = np.logaddexp(0, -np.where(y == 1, 1, -1) * (w[0] + X @ w[1:]))
        return float(w[1:] @ w[1:] / 2 + 0.3 * weights_of(y, balanced) @ losses)

    best = minimize(cost, np.zeros(4), method="BFGS", options={"gtol": 1e-9}).x
    found = logistic(0.3, balanced).fit(X, y)
    np.testing.assert_allclose(np.r_[found.intercept_, found.coef_[0]], best, atol=1e-6)


@pytest.mark.parametrize("balanced", [False, True])
def test_the_linear_machine_is_the_minimum_of_its_cost(rare: tuple, balanced: bool) -> None:
    """|w|^2 / 2 + C x the sum of hinge losses: no step from it costs less."""
    X, y = rare

    def cost(w: NDArray) -> float:
        losses = np.maximum(0, 1 - np.where(y == 1, 1, -1) * (w[0] + X @ w[1:]))
        return float(w[1:] @ w[1:] / 2 + 0.3 * weights_of(y, balanced) @ losses)

    found = linear_svm(0.3, balanced).fit(X, y)
    w = np.r_[found.intercept_, found.coef_[0]]
    steps = np.random.default_rng(0).normal(size=(200, 4)) * 1e-3
    assert min(cost(w + step) for step in steps) > cost(w) - 1e-7


def test_the_kernel_of_the_other_machine_is_as_wide_as_there_are_features(rare: tuple) -> None:
    X, y = rare
    for balanced in (False, True):
        found = rbf_svm(0.3, balanced).fit(X, y).decision_function(X)
        kernel = np.exp(-((X[:, None] - X) ** 2).sum(axis=2) / 3)
        weight = {0: 60 / 90, 1: 60 / 30} if balanced else None
        known = SVC(kernel="precomputed", C=0.3, tol=1e-8, class_weight=weight).fit(kernel, y)
        np.testing.assert_allclose(found, known.decision_function(kernel), atol=1e-6)


def test_a_machine_that_is_stopped_does_not_warn(
    rare: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("centrum.modelling.classifiers.MAX_ITERATIONS", 1)
    with warnings.catch_warnings(action="error"):
        assert linear_svm().fit(*rare).n_iter_.tolist() == [1]
        assert rbf_svm().fit(*rare).n_iter_.tolist() == [1]


@pytest.mark.parametrize("name", ["linear_svm", "rbf_svm", "logistic"])
def test_the_penalty_is_one_unless_it_is_set(name: str) -> None:
    kinds = {"linear_svm": linear_svm, "rbf_svm": rbf_svm, "logistic": logistic}
    assert (kinds[name]().C, kinds[name]().class_weight) == (1, None)
    assert build_classifier(name, BALANCED).C == 0.3
    assert build_classifier(name, BALANCED).class_weight == "balanced"
    assert build_classifier(name, PLAIN).class_weight is None


class TestRidge:
    def test_folds_are_five_or_as_many_as_there_are_patients_of_an_outcome(self) -> None:
        owners = np.arange(20)
        for n, folds in ((8, 5), (5, 5), (3, 3), (2, 2)):
            y = (owners < n).astype(int)
            assert len(Ridge()._folds(y, owners)) == folds, n
        with pytest.raises(DataError, match="the 20 patients here cannot be divided so"):
            Ridge()._folds((owners < 1).astype(int), owners)

    def test_folds_hold_whole_patients_and_both_outcomes(self) -> None:
        owners = np.repeat(np.arange(10), 3)
        y = owners % 2
        for train, held_out in Ridge(seed=2)._folds(y, owners):
            assert not {*owners[train]} & {*owners[held_out]}
            assert {*y[train]} == {*y[held_out]} == {0, 1}

    def test_the_seed_draws_the_folds(self) -> None:
        y, owners = np.arange(40) % 2, np.arange(40)
        first, same, other = (Ridge(seed=s)._folds(y, owners)[0][1] for s in (0, 0, 1))
        assert first.tolist() == same.tolist() != other.tolist()

    def test_the_deviance_is_half_and_of_a_case(self, rare: tuple) -> None:
        """Without features that tell anything: the entropy of the shares."""
        _, y = rare
        nothing = np.zeros((60, 1))
        halves = [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
        shares = y[:30].mean(), y[30:].mean()
        wanted = [-(q * np.log(p) + (1 - q) * np.log(1 - p)) for p, q in (shares, shares[::-1])]
        found = Ridge()._deviance(1.0, nothing, y, halves)
        assert found == pytest.approx(np.mean(wanted), rel=1e-6)

    def test_it_begins_with_seed_0_and_cases_that_weigh_alike(self) -> None:
        assert Ridge().get_params() == {"balanced": False, "seed": 0}
        made = build_classifier("ridge", BALANCED, seed=4)
        assert made.get_params() == {"balanced": True, "seed": 4}


TREES: dict[str, dict[str, object]] = {
    "random_forest": {"n_estimators": 200, "min_samples_leaf": 2, "max_depth": None},
    "extra_trees": {"n_estimators": 200, "min_samples_leaf": 2, "max_depth": None},
    "gradient_boosting": {"max_depth": 2, "subsample": 0.5, "learning_rate": 0.05},
}


@pytest.mark.parametrize("name", TREES)
def test_trees_are_grown_as_they_are_described(name: ClassifierName) -> None:
    made = build_classifier(name, BALANCED, seed=4)
    params = made.estimator.get_params()
    assert {key: params[key] for key in TREES[name]} == TREES[name]
    assert (params["random_state"], made.balanced) == (4, True)
    assert build_classifier(name, PLAIN).estimator.random_state == 0


class _Votes(BaseEstimator):
    """Gives the probabilities that it is given as features; keeps the weights of its cases."""

    def fit(self, X: NDArray, y: NDArray, sample_weight: NDArray | None = None) -> "_Votes":
        self.classes_, self.weights_ = np.unique(y), sample_weight
        return self

    def predict_proba(self, X: NDArray) -> NDArray:
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def test_votes_become_log_odds_that_are_finite() -> None:
    model = LogOdds(_Votes()).fit(np.zeros((2, 1)), [0, 1])
    p = np.array([0.0, 0.0005, 0.2, 0.5, 0.9, 0.9995, 1.0])
    wanted = logit([0.001, 0.001, 0.2, 0.5, 0.9, 0.999, 0.999])
    np.testing.assert_allclose(model.decision_function(p[:, None]), wanted)
    assert model.estimator_.weights_ is None


def test_balanced_votes_weigh_both_classes_alike() -> None:
    y = np.array(["a", "a", "a", "b"])
    model = LogOdds(_Votes(), balanced=True).fit(np.zeros((4, 1)), y)
    np.testing.assert_allclose(model.estimator_.weights_, [2 / 3, 2 / 3, 2 / 3, 2])


def test_naive_bayes_is_of_normal_distributions(rare: tuple) -> None:
    X, y = rare
    found = build_classifier("naive_bayes", PLAIN).fit(X, y).decision_function(X)
    known = np.clip(GaussianNB().fit(X, y).predict_proba(X)[:, 1], 0.001, 0.999)
    np.testing.assert_allclose(found, logit(known))
    assert build_classifier("naive_bayes", BALANCED).balanced


def test_the_elastic_net_has_the_settings_of_the_lasso() -> None:
    settings = ModelSettings(lasso=LassoSettings(folds=3, l1_ratio=0.4, measure="auc"))
    made = build_classifier("elastic_net", settings, seed=6)
    assert (made.folds, made.l1_ratio, made.measure, made.seed) == (3, 0.4, "auc", 6)
