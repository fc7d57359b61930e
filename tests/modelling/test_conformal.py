"""Conformal sets: exact validity, patients with several cases, input that cannot be used."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.errors import DataError
from centrum.modelling.conformal import learn_sets

ERRORS = st.sampled_from([0.05, 0.1, 0.2, 0.25, 0.3, 0.5])


def share_covered(own: np.ndarray, label: int, error: float) -> float:
    """Share of the cases of one outcome whose set, learnt on the others, holds it."""
    far = -1e9 if label else 1e9
    name = "positive" if label else "negative"
    covered = []
    for i in range(own.size):
        rest = np.r_[np.delete(own, i), far]
        outcome = np.r_[np.full(own.size - 1, label), 1 - label]
        covered.append(learn_sets(rest, outcome, error=error).of(own[[i]])[0])
    return np.mean([found in (name, "uncertain") for found in covered])


@given(st.integers(2, 40), ERRORS, st.sampled_from([0, 1]), st.integers(0, 10**6))
def test_exchangeable_cases_are_covered_exactly(n, error, label, seed):
    """Each of n distinct scores is equally likely to be the new one: n - floor(error n) of n.

    A split conformal set with n - 1 learnt cases covers with this probability and no other.
    """
    own = np.random.default_rng(seed).permutation(n).astype(float)
    missed = sum(k / n <= error for k in range(1, n + 1))
    assert share_covered(own, label, error) == pytest.approx(1 - missed / n, abs=1e-12)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=30), ERRORS, st.sampled_from([0, 1]))
def test_ties_never_cost_coverage(levels, error, label):
    own = np.array(levels, dtype=float)
    assert share_covered(own, label, error) >= 1 - error - 1e-12


@pytest.mark.parametrize("label", [0, 1])
def test_whole_patients_are_covered_as_promised(label):
    """20 patients of the outcome, 1 to 4 cases each: 1 - floor(0.2 x 21) / 21 of new patients.

    All cases of a new patient at once; within 4 standard errors of 2000 simulations.
    """
    rng = np.random.default_rng(3)
    whole = []
    for _ in range(2000):
        cases = rng.integers(1, 5, size=41)
        patients = np.repeat(np.arange(41), cases)
        y = np.where(patients < 40, patients % 2, label)
        scores = rng.normal(size=41)[patients] + 0.5 * rng.normal(size=patients.size) + y
        new = patients == 40
        sets = learn_sets(scores[~new], y[~new], patients[~new], error=0.2)
        p = sets.p_values(scores[new])[label]
        whole.append((p > 0.2).all())
    expected = 1 - 4 / 21
    assert np.mean(whole) == pytest.approx(expected, abs=4 * np.sqrt(expected / 21 * 4 / 2000))


def test_too_few_to_exclude_anything():
    """With three patients of each outcome no p-value is below 1 / 4."""
    sets = learn_sets([0.0, 1.0, 2.0, 7.0, 8.0, 9.0], [0, 0, 0, 1, 1, 1], error=0.1)
    assert set(sets.of([-100.0, 4.0, 100.0])) == {"uncertain"}


def test_constant_scores_decide_nothing():
    sets = learn_sets(np.ones(40), np.arange(40) % 2, error=0.1)
    assert sets.of([1.0]) == ("uncertain",)


def test_refusals():
    sets = learn_sets([1.0, 2.0], [0, 1])
    with pytest.raises(DataError, match="found 1 of 2 missing"):
        sets.of([np.nan, 1.0])
    with pytest.raises(DataError, match="both outcomes, 0 and 1"):
        learn_sets([1.0, 2.0, 3.0], [0, 1, 2])
    with pytest.raises(DataError, match="one finite score per outcome"):
        learn_sets([1.0, 2.0, 3.0], [0, 1])
    with pytest.raises(DataError, match="one finite score per outcome"):
        learn_sets([1.0, np.nan], [0, 1])
    with pytest.raises(DataError, match="one patient per score"):
        learn_sets([1.0, 2.0], [0, 1], patients=[1])
