"""Accumulated local effects are those of Apley and Zhu, also where features correlate."""

import numpy as np
import pytest

from centrum.validation.local_effects import local_effect


def test_of_a_sum_it_is_the_term_of_the_feature_whatever_the_correlation() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    other = x + 0.1 * rng.normal(size=400)
    found = local_effect("x", x, lambda v: np.sin(v) + 5 * other**2)
    assert found is not None
    # Up to a constant, at the ends of the intervals.
    away = found.effect - np.sin(found.grid)
    assert np.ptp(away) < 1e-12
    assert found.grid[0] == x.min()
    assert found.grid[-1] == x.max()


def test_its_mean_over_the_cases_is_nought() -> None:
    x = np.random.default_rng(1).exponential(size=300)
    found = local_effect("x", x, lambda v: v**2)
    assert found is not None
    place = np.clip(np.searchsorted(found.grid, x, side="left") - 1, 0, len(found.grid) - 2)
    middle = (found.effect[:-1] + found.effect[1:]) / 2
    assert middle[place].mean() == pytest.approx(0, abs=1e-12)


def test_only_cases_within_an_interval_are_moved() -> None:
    seen: list[np.ndarray] = []

    def score(values: np.ndarray) -> np.ndarray:
        seen.append(values)
        return values

    x = np.linspace(0, 1, 21)
    local_effect("x", x, score, intervals=4)
    upper, lower = seen
    assert ((lower <= x) & (x <= upper)).all()
    np.testing.assert_allclose(upper - lower, 0.25)


def test_a_product_is_seen_where_the_cases_are() -> None:
    """Of x1 x2 with x1 = x2 the local effect is x² / 2: dx x2 at x2 = x (Apley and Zhu)."""
    x = np.linspace(0, 1, 5001)
    found = local_effect("x", x, lambda v: v * x, intervals=50)
    assert found is not None
    wanted = found.grid**2 / 2
    np.testing.assert_allclose(found.effect - found.effect[0], wanted, atol=1e-3)


def test_a_feature_of_two_values_has_one_step_and_a_constant_none() -> None:
    sex = np.array([0.0, 1.0, 1.0, 0.0])
    found = local_effect("sex", sex, lambda v: 3 * v)
    assert found is not None
    assert found.grid.tolist() == [0, 1]
    assert np.diff(found.effect).tolist() == [3]
    assert local_effect("x", np.ones(5), lambda v: v) is None
