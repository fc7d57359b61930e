"""mRMR by binned mutual information, and its names."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from centrum.errors import DataError
from centrum.modelling.mrmr import MRMR, binned_information


def table(seed: int = 0, p: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(70) % 2
    X = rng.normal(size=(70, p))
    X[:, :4] += y[:, None] * [2.0, 1.5, 1.0, 0.5]
    return X, y


def test_information_is_scikit_learns_of_the_same_bins() -> None:
    X, y = table()
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    bins = np.where(z > 0.5, 1, np.where(z < -0.5, -1, 0))
    known = [mutual_info_score(y, b) for b in bins.T]
    np.testing.assert_allclose(binned_information(X, y), known, atol=1e-12)


def test_information_of_constant_and_of_separating_features() -> None:
    X, y = table(1)
    X[:, 5], X[:, 6] = 0.1, y
    found = binned_information(X, y)
    assert found[5] == 0
    assert found[6] == pytest.approx(np.log(2))


def test_information_does_not_depend_on_unit_or_direction() -> None:
    X, y = table(2)
    np.testing.assert_allclose(
        binned_information(X, y), binned_information(7 - 300 * X, y), atol=1e-12
    )


def test_order_of_columns_does_not_matter() -> None:
    X, y = table(3)
    order = np.random.default_rng(3).permutation(X.shape[1])
    for relevance in ("f", "mutual_information"):
        for scheme in ("quotient", "difference"):
            step = MRMR(6, relevance, scheme)
            plain = step.fit(X, y).get_support(indices=True)
            moved = order[step.fit(X[:, order], y).get_support(indices=True)]
            assert set(plain) == set(moved)


def test_those_not_taken_follow_by_relevance() -> None:
    X, y = table(4)
    step = MRMR(n_features=5).fit(X, y)
    rest = np.argsort(step.ranking_)[5:]
    assert (np.diff(step.relevance_[rest]) <= 0).all()


def test_more_features_than_cases_with_copies() -> None:
    X, y = table(5, p=100)
    doubled = np.hstack([X, X])
    taken = MRMR(n_features=3).fit(doubled, y).get_support(indices=True) % 100
    assert len(set(taken)) == 3


def test_refusals() -> None:
    X, y = table()
    with pytest.raises(DataError, match="f, mutual_information, found 'mi'"):
        MRMR(relevance="mi").fit(X, y)
    with pytest.raises(DataError, match="quotient, difference, found 'ratio'"):
        MRMR(scheme="ratio").fit(X, y)
    with pytest.raises(DataError, match="two classes"):
        MRMR().fit(X, np.zeros(70))
