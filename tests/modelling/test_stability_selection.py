"""Stability selection: independent halves, order of columns, bounds, degenerate tables."""

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.modelling import stability_selection
from centrum.modelling.lasso import lasso_path
from centrum.modelling.split import folds_by_patient
from centrum.modelling.stability_selection import StabilitySelection


def table(seed: int = 0, n: int = 60, p: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, p))
    X[:, :3] += y[:, None]
    return X, y


def halves_of(seed: int, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The side of each case in every pair of halves that a fit draws."""
    seen = []

    def spy(*args: object) -> np.ndarray:
        seen.append(folds_by_patient(*args))
        return seen[-1]

    monkeypatch.setattr(stability_selection, "folds_by_patient", spy)
    StabilitySelection(n_pairs=10, seed=seed).fit(*table())
    return seen


def test_neighbouring_seeds_share_no_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (
        {tuple(np.where(half == half[0], 0, 1)) for half in halves_of(seed, monkeypatch)}
        for seed in (0, 1)
    )
    assert len(first) == len(second) == 10
    assert not first & second


def test_frequencies_by_the_literal_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Down each half's path, features enter until q are in; the larger of a step come first."""
    X, y = table()
    q = 4
    times = np.zeros(X.shape[1])
    for half in halves_of(2, monkeypatch):
        for side in (0, 1):
            rows = half == side
            path = lasso_path(X[rows], y[rows].astype(float), threshold=1e-7).coefficients
            chosen: list[int] = []
            for coefficients in path:
                size = np.abs(coefficients) * X[rows].std(axis=0)
                new = [j for j in np.flatnonzero(size) if j not in chosen]
                chosen += sorted(new, key=lambda j, s=size: -s[j])
            times[chosen[:q]] += 1
    step = StabilitySelection(n_pairs=10, q=q, seed=2).fit(X, y)
    np.testing.assert_array_equal(step.frequencies_, times / 20)
    assert step.frequencies_.sum() == pytest.approx(q)


@pytest.mark.parametrize("seed", range(3))
def test_order_and_unit_of_columns_do_not_matter(seed: int) -> None:
    X, y = table(seed)
    order = np.random.default_rng(seed).permutation(X.shape[1])
    unit = np.geomspace(1e-3, 1e3, X.shape[1])
    plain = StabilitySelection(n_pairs=10).fit(X, y).frequencies_
    moved = StabilitySelection(n_pairs=10).fit((X * unit)[:, order], y).frequencies_
    np.testing.assert_array_equal(moved, plain[order])


def test_the_default_q_bounds_the_false_ones_by_one() -> None:
    step = StabilitySelection(n_pairs=1, threshold=0.9).fit(*table(p=80))
    assert step.q_ == 8
    assert step.expected_false_ == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_a_later_copy_takes_nothing_from_the_first(seed: int) -> None:
    X, y = table(seed)
    alone = StabilitySelection().fit(X, y).frequencies_[0]
    X[:, 10] = X[:, 0]
    first, copy = StabilitySelection().fit(X, y).frequencies_[[0, 10]]
    assert first >= alone
    assert copy < first


def test_nothing_varies_keeps_one_and_says_so() -> None:
    step = StabilitySelection(n_pairs=2).fit(np.ones((20, 3)), np.arange(20) % 2)
    assert step.fallback_
    assert step.get_support().sum() == 1
    assert (step.frequencies_ == 0).all()


def test_perfect_separation_is_selected() -> None:
    X, y = table(5)
    X[:, 20] = y
    step = StabilitySelection(n_pairs=5).fit(X, y)
    assert step.frequencies_[20] == 1
    assert step.ranking_[20] == 1


def test_refusals() -> None:
    X, y = table()
    for bad in (StabilitySelection(n_pairs=0), StabilitySelection(q=0)):
        with pytest.raises(DataError, match="one pair of halves and q of 1 or more"):
            bad.fit(X, y)
    with pytest.raises(DataError, match="2 patients of each outcome"):
        StabilitySelection().fit(X, y, groups=np.where(y, 99, np.arange(60)))


def test_a_feature_as_frequent_as_the_threshold_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four halves: the first is in all, the second in three, the third in two."""
    halves = iter([[0, 1], [0, 1, 2], [0, 2], [0, 1]])
    monkeypatch.setattr(StabilitySelection, "_first", lambda *_: np.array(next(halves)))
    X = np.random.default_rng(1).normal(size=(20, 50))
    step = StabilitySelection(n_pairs=2, threshold=0.75).fit(X, np.arange(20) % 2)
    np.testing.assert_array_equal(step.frequencies_[:4], [1, 0.75, 0.5, 0])
    assert step.get_support(indices=True).tolist() == [0, 1]
    assert step.ranking_[:4].tolist() == [1, 2, 3, 4]
    assert not step.fallback_
    assert (step.q_, step.expected_false_) == (5, 1)


def test_where_none_is_frequent_the_first_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    halves = iter([[3], [2], [3], [1]])
    monkeypatch.setattr(StabilitySelection, "_first", lambda *_: np.array(next(halves)))
    X = np.random.default_rng(1).normal(size=(20, 4))
    step = StabilitySelection(n_pairs=2, threshold=0.75, q=2).fit(X, np.arange(20) % 2)
    assert step.fallback_
    assert step.get_support(indices=True).tolist() == [3]
    assert (step.q_, step.expected_false_) == (2, 2)
