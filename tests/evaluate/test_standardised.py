"""Tests of standardised differences against their formulas by hand, and what must hold of them."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.evaluate.standardised import by_chance, standardised_difference, standardised_shares


def test_numbers_by_hand():
    """Means 2 and 5, variances 1 and 7: 3 / sqrt((1 + 7) / 2) = 1.5."""
    second = [5 - np.sqrt(7), 5, 5 + np.sqrt(7)]
    assert standardised_difference([1, 2, 3], second) == pytest.approx(1.5)


def test_shares_by_hand():
    """Austin 2009: (.1 - .2) / sqrt((.1 x .9 + .2 x .8) / 2)."""
    wanted = 0.1 / np.sqrt((0.1 * 0.9 + 0.2 * 0.8) / 2)
    assert standardised_shares([[10, 90], [20, 80]]) == pytest.approx(wanted)
    assert standardised_shares([[900, 100], [8, 2]]) == pytest.approx(wanted), "sizes do not count"


def test_three_categories_by_hand():
    """Yang and Dalton's matrix of the first two shares, inverted by Cramer's rule."""
    a, b = np.array([0.5, 0.3]), np.array([0.2, 0.4])
    s11, s22 = ((a[k] * (1 - a[k]) + b[k] * (1 - b[k])) / 2 for k in (0, 1))
    s12 = -(a[0] * a[1] + b[0] * b[1]) / 2
    d1, d2 = a - b
    square = (d1**2 * s22 - 2 * d1 * d2 * s12 + d2**2 * s11) / (s11 * s22 - s12**2)
    assert standardised_shares([[50, 30, 20], [20, 40, 40]]) == pytest.approx(np.sqrt(square))


@given(st.lists(st.integers(1, 30), min_size=6, max_size=6), st.permutations([0, 1, 2]))
def test_neither_order_nor_empty_categories_matter(counts, order):
    table = np.array(counts).reshape(2, 3)
    found = standardised_shares(table)
    assert standardised_shares(table[::-1][:, order]) == pytest.approx(found, abs=1e-9)
    assert standardised_shares(np.insert(table, 1, 0, axis=1)) == pytest.approx(found, abs=1e-9)


def test_what_has_no_spread():
    assert standardised_difference([2, 2], [2, 2]) == 0
    assert standardised_difference([2, 2], [3, 3]) == np.inf
    assert np.isnan(standardised_difference([2], [3, 4]))
    assert standardised_shares([[10, 0], [0, 10]]) == np.inf
    assert np.isnan(standardised_shares([[10, 0], [5, 0]])), "one category"
    assert np.isnan(standardised_shares([[0, 0], [5, 5]])), "an empty group"


def test_random_sides_exceed_the_limit_once_in_twenty():
    rng = np.random.default_rng(7)
    drawn = rng.normal(size=(2000, 300))
    found = [standardised_difference(row[:200], row[200:]) for row in drawn]
    assert np.mean(np.array(found) > by_chance(200, 100)) == pytest.approx(0.05, abs=0.015)
    shares = np.array([rng.multinomial((200, 100), [0.4, 0.3, 0.2, 0.1]) for _ in range(2000)])
    found = [standardised_shares(counts) for counts in shares]
    assert np.mean(np.array(found) > by_chance(200, 100, 4)) == pytest.approx(0.05, abs=0.015)
