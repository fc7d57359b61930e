"""Gaps are filled from cases that are alike, by what both know, whatever the order."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.impute import KNNImputer

from centrum.modelling.auc import _levels, auc
from centrum.modelling.imputation import NearestImputer
from centrum.modelling.nearest import TIE, fill_from_nearest, spread_of


def filled(row: list[float], donors: np.ndarray, neighbours: int) -> list[float]:
    gap = np.array([row])
    return fill_from_nearest(gap, donors, spread_of(donors), np.full(3, 77.0), neighbours)[
        0
    ].tolist()


def test_equals_scikit_learn_in_units_of_the_spread() -> None:
    """Where no two donors are equally near; distances are over the features that both know."""
    rng = np.random.default_rng(16)
    donors = rng.normal(size=(40, 5)) * [1, 10, 0.1, 5, 2]
    donors[rng.random(donors.shape) < 0.15] = np.nan
    X = rng.normal(size=(20, 5)) * [1, 10, 0.1, 5, 2]
    X[rng.random(X.shape) < 0.3] = np.nan
    spread = spread_of(donors)
    for neighbours in (1, 3, 39):
        known = KNNImputer(n_neighbors=neighbours).fit(donors / spread).transform(X / spread)
        found = fill_from_nearest(X, donors, spread, np.zeros(5), neighbours)
        np.testing.assert_allclose(found, known * spread, rtol=1e-10)


def test_donors_as_near_as_the_last_all_count() -> None:
    donors = np.array(
        [[0.0, 1.0, 10.0], [2.0, 1.0, 20.0], [2.0 + TIE / 4, 1.0, 60.0], [9, 5, 90.0]]
    )
    assert filled([1.0, 1.0, np.nan], donors, 1)[2] == 30
    assert filled([1.0, 1.0, np.nan], donors, 3)[2] == 30
    assert filled([1.0, 1.0, np.nan], donors, 4)[2] == 45
    assert filled([0.9, 1.0, np.nan], donors, 1)[2] == 10


def test_without_a_donor_that_shares_a_feature_there_is_another_number() -> None:
    donors = np.array([[1.0, np.nan, np.nan], [2.0, np.nan, 5.0], [3.0, 4.0, np.nan]])
    assert filled([np.nan, 4.0, np.nan], donors, 2) == [77.0, 4.0, 77.0], "no spread, no distance"
    assert filled([1.5, np.nan, np.nan], donors, 2) == [1.5, 4.0, 5.0]


def test_spread_of_few_and_of_equal_values() -> None:
    X = np.array([[1, 7, np.nan], [5, 7, 2], [np.nan, 7, np.nan], [6, 7, np.nan]], dtype=float)
    np.testing.assert_array_equal(spread_of(X), [2.5, 0, 0])
    assert spread_of(np.full((3, 1), np.nan)).tolist() == [0]


def test_what_does_not_vary_parts_no_case_from_another() -> None:
    donors = np.array([[0.0, 1.0, 10.0], [1.0, 1.0, 20.0], [3.0, 1.0, 60.0]])
    assert filled([0.1, 99.0, np.nan], donors, 1)[2] == 10
    assert filled([0.1, 99.0, np.nan], donors, 2)[2] == 15
    assert filled([3.0, 1.0, np.nan], donors, 1)[2] == 60, "the same case is nearest"


def test_scores_no_further_apart_than_rounding_are_tied() -> None:
    """From neighbour to neighbour: a chain of ties is one level."""
    scores = np.array([0.0, 1e-10, 2e-10, 3.1e-10, 1.0])
    assert _levels(scores, 1e-10).tolist() == [0, 0, 0, 1, 2]
    positive = np.array([False, True, False, True, True])
    assert auc(positive, scores, 1e-10) == (2 + 2 * 2 - 1) / 6
    assert auc(positive, scores) == 5 / 6
    both = np.column_stack([scores, -scores])
    assert _levels(both, 1e-10).T.tolist() == [[0, 0, 0, 1, 2], [2, 2, 2, 1, 0]]


def test_new_cases_have_the_features_of_the_training_cases() -> None:
    step = NearestImputer().fit(np.arange(12.0).reshape(4, 3))
    with pytest.raises(ValueError, match="expecting 3 features"):
        step.transform(np.ones((2, 2)))
    with pytest.raises(NotFittedError):
        NearestImputer().transform(np.ones((2, 3)))
