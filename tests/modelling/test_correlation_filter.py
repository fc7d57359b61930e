"""Rules that drop one of two features that say the same."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from centrum.errors import DataError
from centrum.modelling.correlation_filter import (
    _RULES,
    CorrelationFilter,
    absolute_correlation,
)
from tests.modelling.conftest import RealTable


@pytest.mark.parametrize("threshold", [0.99, 0.95, 0.90, 0.75])
@pytest.mark.parametrize(("rule", "exact"), [("caret_exact", "TRUE"), ("caret_fast", "FALSE")])
def test_removes_what_caret_removes(
    threshold: float,
    rule: str,
    exact: str,
    reference: Path,
    real_table: Callable[[str], RealTable],
) -> None:
    known = json.loads((reference / "modelling" / "r" / "caret_findCorrelation.json").read_text())
    table = real_table("WORC-Lipo")
    rows = np.array(known["train_row"]) - 1
    step = CorrelationFilter(threshold, rule).fit(table.X[rows])
    removed = {table.features[k] for k in np.flatnonzero(~step.get_support())}
    assert removed == set(known[f"lipo_cut{threshold:.2f}_exact{exact}"]["removed"])


def test_the_example_of_four_features() -> None:
    r = np.array([[1, 0.995, 0.2, 0.1], [0.995, 1, 0.25, 0.1], [0.2, 0.25, 1, 0.992],
                  [0.1, 0.1, 0.992, 1]])  # fmt: skip
    for rule in ("caret_exact", "caret_fast"):
        assert _RULES[rule](r, 0.99).tolist() == [True, False, False, True]


def random_features(seed: int) -> NDArray:
    rng = np.random.default_rng(seed)
    sources = rng.normal(size=(30, 4))
    return sources @ rng.normal(size=(4, 15)) + 0.1 * rng.normal(size=(30, 15))


@given(st.integers(0, 10**6), st.sampled_from(["greedy_first", "upper_triangle", "caret_exact"]))
def test_no_two_kept_features_are_alike(seed: int, rule: str) -> None:
    X = random_features(seed)
    kept = CorrelationFilter(0.8, rule).fit(X).get_support()
    r = absolute_correlation(X[:, kept])
    assert kept.any()
    assert (r - np.eye(len(r)) <= 0.8 + 1e-12).all()


@given(st.integers(0, 10**6))
def test_greedy_first_is_the_literal_rule(seed: int) -> None:
    X = random_features(seed)
    r = absolute_correlation(X)
    kept: list[int] = []
    for j in range(15):
        if not any(r[j, k] > 0.8 for k in kept):
            kept.append(j)
    assert CorrelationFilter(0.8).fit(X).get_support(indices=True).tolist() == kept


def caret_exact(r: NDArray, threshold: float) -> set[int]:
    """Kept features, as findCorrelation says it: all means taken anew at each pair."""
    alone = np.where(np.eye(len(r)) == 1, np.nan, r)
    order = sorted(range(len(r)), key=lambda j: -np.nanmean(alone[j]))
    left = list(order)
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            if i in left and j in left and r[i, j] > threshold:
                own = np.nanmean(alone[i, left])
                others = np.nanmean(alone[np.ix_([k for k in left if k != j], left)])
                left.remove(i if own > others else j)
    return set(left)


def caret_fast(r: NDArray, threshold: float) -> set[int]:
    pairs = [(i, j) for j in range(len(r)) for i in range(j) if r[i, j] > threshold]
    mean = r.mean(axis=0)
    return set(range(len(r))) - {j if mean[j] > mean[i] else i for i, j in pairs}


@given(st.integers(0, 10**6), st.floats(0.3, 0.95))
def test_caret_is_the_literal_rule(seed: int, threshold: float) -> None:
    X = random_features(seed)
    r = absolute_correlation(X)
    for rule, literal in (("caret_exact", caret_exact), ("caret_fast", caret_fast)):
        kept = CorrelationFilter(threshold, rule).fit(X).get_support(indices=True)
        assert set(kept) == literal(r, threshold)


def test_of_copies_the_first_stays_with_caret_exact() -> None:
    X = np.repeat(np.random.default_rng(0).normal(size=(20, 1)), 5, axis=1) * [1, -2, 3, 0.1, -7]
    kept = CorrelationFilter(0.99, "caret_exact").fit(X).get_support()
    assert kept.tolist() == [True, False, False, False, False]


@pytest.mark.parametrize("rule", sorted(_RULES))
def test_one_feature_and_constant_features_stay(rule: str) -> None:
    X = random_features(1)[:, :1]
    assert CorrelationFilter(0.5, rule).fit(X).get_support().tolist() == [True]
    with_constants = np.column_stack([np.ones(30), X, np.full(30, 7.0)])
    assert CorrelationFilter(0.5, rule).fit(with_constants).get_support().all()


@pytest.mark.parametrize("rule", sorted(_RULES))
def test_copies_leave_one(rule: str) -> None:
    X = np.repeat(np.random.default_rng(0).normal(size=(20, 2)), 3, axis=1)
    assert CorrelationFilter(0.99, rule).fit(X).get_support().sum() == 2


def test_unknown_rule() -> None:
    with pytest.raises(DataError, match=r"greedy_first, upper_triangle, caret_exact, caret_fast"):
        CorrelationFilter(rule="caret").fit(random_features(0))
