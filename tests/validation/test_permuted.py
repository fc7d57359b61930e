"""Permutation in groups: of two copies the group matters, and each alone does not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from centrum.validation import permuted as module
from centrum.validation.permuted import Permuter, correlated_groups, of_groups


def cohort(n: int = 200, seed: int = 0) -> tuple[NDArray, NDArray]:
    """Two copies of a telling feature, and one that tells nothing."""
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.5
    telling = rng.normal(size=n) + 1.5 * positive
    return np.column_stack([telling, telling, rng.normal(size=n)]), positive


def held_out(weights: NDArray, seed: int = 1) -> Permuter:
    z, positive = cohort()
    trained, _ = cohort(seed=5)
    return Permuter(lambda z: z @ weights, z, trained, positive, permutations=20, seed=seed)


def test_of_two_copies_the_group_matters_and_each_alone_does_not() -> None:
    held = held_out(np.array([0.5, 0.5, 0.2]))
    labels = correlated_groups(held.trained, 0.7)
    assert labels.tolist() == [0, 0, 1]
    drops = of_groups(held, labels, range(3), lambda scores: {"drop": held.drop(scores)})
    assert set(drops) == {(0, 1), (0,), (1,), (2,)}
    few = of_groups(held, labels, [1], lambda scores: {"drop": held.drop(scores)})
    assert set(few) == {(0, 1), (1,), (2,)}
    assert drops[(0, 1)]["drop"] > 0.3
    assert drops[(0,)]["drop"] == drops[(1,)]["drop"] == 0
    assert str(drops[(0,)]["drop"]) == "0.0", "and no -0.0"
    assert abs(drops[(2,)]["drop"]) < 0.03
    assert drops[(2,)]["drop"] == held.drop(held.together([2])), "alone it is its group"


def test_a_group_that_is_permuted_keeps_its_features_together() -> None:
    held = held_out(np.array([1.0, -1.0, 1e-6]))
    # The copies cancel in every case, however the pairs are permuted.
    third = held.z[:, 2] * 1e-6
    np.testing.assert_allclose(held.together([0, 1]), np.tile(third, (20, 1)), atol=1e-12)
    assert len(np.unique(held_out(np.array([1.0, 0.0, 0.0])).together([0])[:, 0])) > 10


def test_alone_is_what_the_others_do_not_tell() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=(300, 2))
    z[:, 1] = 0.9 * z[:, 0] + 0.3 * z[:, 1] + 4
    trained = z[:150]
    held = Permuter(lambda z: z[:, 1], z[150:], trained, z[150:, 0] > 0, 5, 0)
    moved = held.alone(1, [0])
    slope = np.polyfit(trained[:, 0], trained[:, 1], 1)
    told = np.polyval(slope, held.z[:, 0])
    rest = held.z[:, 1] - told
    for row in moved:
        np.testing.assert_allclose(np.sort(row - told), np.sort(rest), atol=1e-9)
        assert np.abs(row - held.z[:, 1]).max() > 0.1
        assert np.corrcoef(row, held.z[:, 0])[0, 1] > 0.9


def test_features_of_one_group_may_each_tell_something_alone() -> None:
    """Two readings of one thing are better than either; two features are groups by themselves."""
    rng = np.random.default_rng(7)
    positive = rng.random(400) < 0.5
    truth = rng.normal(size=400) + positive
    z = np.column_stack([rng.normal(size=400), truth, rng.normal(size=400), truth])
    z[:, [1, 3]] += 0.6 * rng.normal(size=(400, 2))
    held = Permuter(lambda z: z @ [0.1, 1, 0.1, 1], z, z, positive, 20, 0)
    drops = of_groups(held, np.array([0, 1, 2, 1]), range(4), lambda s: {"drop": held.drop(s)})
    assert set(drops) == {(0,), (1, 3), (2,), (1,), (3,)}
    for k in (1, 3):
        assert 0.01 < drops[(k,)]["drop"] < drops[(1, 3)]["drop"] / 2


def test_permutations_are_those_of_the_seed() -> None:
    weights = np.array([1.0, 0.0, 0.0])
    first, again, other = (held_out(weights, seed).together([0]) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (held_out(weights).z == cohort()[0]).all()


def test_many_values_are_scored_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    held = held_out(np.array([1.0, 0.0, 0.5]))
    whole = held.together([0])
    monkeypatch.setattr(module, "VALUES_AT_ONCE", 7 * held.z.size)
    np.testing.assert_array_equal(held.together([0]), whole)


def test_without_both_outcomes_there_is_no_drop() -> None:
    z, _ = cohort(10)
    held = Permuter(lambda z: z[:, 0], z, z, np.ones(10, dtype=bool), 2, 0)
    assert np.isnan(held.drop(held.together([0])))


@pytest.mark.parametrize(("threshold", "groups"), [(0.5, 1), (0.85, 2), (0.99, 3)])
def test_groups_by_the_mean_correlation_between_them(threshold: float, groups: int) -> None:
    rng = np.random.default_rng(3)
    shared = rng.normal(size=500)
    values = np.column_stack([shared + s * rng.normal(size=500) for s in (0.2, 0.25, 0.7)])
    assert len(np.unique(correlated_groups(-values, threshold))) == groups
    r = np.abs(np.corrcoef(values.T))
    assert r[0, 1] > 0.9
    assert (r[0, 2] + r[1, 2]) / 2 < 0.85


def test_groups_are_numbered_in_the_order_of_the_features() -> None:
    z, _ = cohort()
    assert correlated_groups(z[:, [2, 0, 1]], 0.7).tolist() == [0, 1, 1]
    assert correlated_groups(z[:, :1], 0.7).tolist() == [0]
    constant = np.column_stack([z[:, 0], np.ones(len(z))])
    assert correlated_groups(constant, 0.7).tolist() == [0, 1]
