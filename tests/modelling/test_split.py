"""Splits keep patients together, keep the outcome's share, and repeat themselves."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from centrum.errors import DataError
from centrum.modelling.split import (
    check_two_classes,
    folds_by_patient,
    stratified_split,
    train_and_held_out,
)


@st.composite
def cohorts(draw: st.DrawFn) -> tuple[NDArray, NDArray]:
    """Outcome and patient of each case, in a random order of cases, one outcome per patient."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=12, max_size=40))
    outcome = np.repeat(np.arange(len(sizes)) % 2, sizes)
    patients = np.repeat([f"P{i:02d}" for i in range(len(sizes))], sizes)
    order = np.random.default_rng(draw(st.integers(0, 1000))).permutation(outcome.size)
    return outcome[order], patients[order]


SEEDS = st.integers(0, 10**6)


@given(cohorts(), SEEDS, st.floats(0.4, 0.8))
def test_split_parts_patients_and_keeps_shares(
    cohort: tuple[NDArray, NDArray], seed: int, fraction: float
) -> None:
    outcome, patients = cohort
    train, test = stratified_split(outcome, patients, fraction, seed)
    np.testing.assert_array_equal(np.sort(np.r_[train, test]), np.arange(outcome.size))
    assert not set(patients[train]) & set(patients[test])
    most = np.unique(patients, return_counts=True)[1].max()
    for label in (0, 1):
        wanted = fraction * np.sum(outcome == label)
        assert abs(np.sum(outcome[train] == label) - wanted) <= most / 2 + 1e-9
    again, _ = stratified_split(outcome, patients, fraction, seed)
    np.testing.assert_array_equal(train, again)


def test_split_of_the_study() -> None:
    outcome = np.repeat([1, 0], [51, 49])
    splits = [stratified_split(outcome, None, 0.7, seed) for seed in range(20)]
    for train, test in splits:
        assert np.bincount(outcome[train]).tolist() == [34, 36]
        assert np.bincount(outcome[test]).tolist() == [15, 15]
    assert len({tuple(train) for train, _ in splits}) == 20


def test_every_patient_is_as_likely_to_be_tested() -> None:
    outcome = np.repeat([1, 0], [12, 8])
    tested = sum(
        np.bincount(stratified_split(outcome, None, 0.75, seed)[1], minlength=20)
        for seed in range(2000)
    )
    np.testing.assert_allclose(tested / 2000, 0.25, atol=0.05)


@given(cohorts(), SEEDS, st.integers(2, 5))
def test_folds_keep_patients_and_outcomes(
    cohort: tuple[NDArray, NDArray], seed: int, folds: int
) -> None:
    outcome, patients = cohort
    fold = folds_by_patient(outcome, patients, folds, seed)
    np.testing.assert_array_equal(fold, folds_by_patient(outcome, patients, folds, seed))
    for train, held_out in train_and_held_out(fold):
        assert not set(patients[train]) & set(patients[held_out])
        assert set(outcome[held_out]) == {0, 1}
    for label in (0, 1):
        size = np.bincount(fold[outcome == label], minlength=folds)
        assert np.ptp(size) <= np.unique(patients, return_counts=True)[1].max()


def test_folds_of_single_cases_are_even() -> None:
    outcome = np.repeat([1, 0], [36, 34])
    fold = folds_by_patient(outcome, None, 5, seed=3)
    assert np.bincount(fold).tolist() == [14] * 5


def test_patients_with_both_outcomes_are_dealt_whole() -> None:
    patients = np.repeat(np.arange(8), 7)
    outcome = np.tile([1, 1, 0, 0, 0, 0, 0], 8)
    train, test = stratified_split(outcome, patients, 0.7, seed=0)
    assert np.unique(patients[train]).size == 6
    assert np.unique(patients[test]).size == 2
    fold = folds_by_patient(outcome, patients, 4, seed=0)
    assert np.bincount(fold).tolist() == [14] * 4


def test_impossible_splits_say_what_to_do() -> None:
    with pytest.raises(DataError, match=r"found 4 negative, 2 positive\. Ask for fewer folds"):
        folds_by_patient([0, 0, 0, 0, 1, 1, 1], list("abcdeef"), 3, seed=0)
    with pytest.raises(DataError, match="leaves the test side without"):
        stratified_split([0] * 20 + [1], None, 0.7, seed=0)
    with pytest.raises(DataError, match="between 0 and 1, found 7"):
        stratified_split([0, 1], None, 7, seed=0)
    with pytest.raises(DataError, match=r"found only \['opf'\]"):
        folds_by_patient(["opf"] * 9, None, 3, seed=0)
    with pytest.raises(DataError, match="as many patients"):
        stratified_split([0, 1, 0], ["a", "b"], 0.5, seed=0)


def test_numbers_in_messages_are_of_patients() -> None:
    outcome, patients = [0, 0, 0, 1, 1, 1], [*"aabcde"]
    with pytest.raises(DataError, match="found 2 negative, 3 positive") as caught:
        folds_by_patient(outcome, patients, 3, seed=0)
    assert caught.value.code == "too-few-patients"
    assert len({*folds_by_patient(outcome, patients, 2, seed=0)}) == 2
    with pytest.raises(DataError, match="1 folds need two or more"):
        folds_by_patient(outcome, patients, 1, seed=0)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_split_leaves_something_on_both_sides(share: float) -> None:
    with pytest.raises(DataError, match="must lie between 0 and 1"):
        stratified_split([0, 1, 0, 1], None, share, seed=0)
    train, test = stratified_split([0, 1, 0, 1], None, 0.5, seed=0)
    assert (len(train), len(test)) == (2, 2)


def test_fewer_classes_or_more_than_two_are_refused() -> None:
    assert check_two_classes(np.array([*"baab"])).tolist() == ["a", "b"]
    for labels in ([1, 1], [0, 1, 2]):
        with pytest.raises(DataError, match=f"found {len({*labels})}:"):
            check_two_classes(np.array(labels))
