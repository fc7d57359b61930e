"""Recursive elimination with either estimator."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.feature_selection import RFE
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from centrum.errors import DataError
from centrum.modelling.rfe import RankingEstimator, RecursiveElimination


@parametrize_with_checks([RecursiveElimination(estimator="logistic")])
def test_scikit_learn_contract(estimator: BaseEstimator, check: Callable) -> None:
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "theirs"),
    [
        ("linear_svm", SVC(kernel="linear", C=0.5, tol=1e-8)),
        ("logistic", LogisticRegression(C=0.5, tol=1e-10, max_iter=1000)),
    ],
)
@pytest.mark.parametrize("cases", [60, 15])
def test_whole_ranking_equals_scikit_learn(
    estimator: RankingEstimator, theirs: BaseEstimator, cases: int
) -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(cases, 25))
    y = (X[:, 3] - X[:, 8] + rng.normal(size=cases) > 0).astype(int)
    ours = RecursiveElimination(n_features=4, C=0.5, estimator=estimator).fit(X, y)
    np.testing.assert_array_equal(
        ours.ranking_, RFE(theirs, n_features_to_select=1).fit(X, y).ranking_
    )
    assert ours.ranking_.dtype.kind == "i"
    assert ours.get_support().sum() == 4


def test_of_two_copies_of_the_best_feature_one_survives_to_the_end() -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(50, 6))
    y = (X[:, 0] + 0.3 * rng.normal(size=50) > 0).astype(int)
    X[:, 5] = X[:, 0]
    for estimator in ("linear_svm", "logistic"):
        ranking = RecursiveElimination(estimator=estimator).fit(X, y).ranking_
        assert min(ranking[0], ranking[5]) == 1


def test_an_unknown_estimator_is_refused() -> None:
    with pytest.raises(DataError, match="one of linear_svm, logistic, found 'forest'"):
        RecursiveElimination(estimator="forest").fit(np.eye(4), [0, 0, 1, 1])
