"""Outcomes are exchanged as their kind allows, and every arrangement is counted once."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from numpy.typing import NDArray

from centrum.modelling.permute import arrangements, shuffle_by_patient, shuffle_seeds

SEEDS = st.integers(0, 10**6)


@st.composite
def cohorts(draw: st.DrawFn, mixed: bool = False) -> tuple[NDArray, NDArray]:
    """Outcome and patient of each case in a random order; the outcome is the case's if `mixed`."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=12, max_size=40))
    outcome = np.repeat(np.arange(len(sizes)) % 2, sizes)
    patients = np.repeat([f"P{i:02d}" for i in range(len(sizes))], sizes)
    order = np.random.default_rng(draw(st.integers(0, 1000))).permutation(outcome.size)
    dealt = np.random.default_rng(draw(SEEDS)).permutation(outcome) if mixed else outcome
    return dealt[order], patients[order]


@given(cohorts(), SEEDS)
def test_one_outcome_per_patient_stays_one(cohort: tuple[NDArray, NDArray], seed: int) -> None:
    outcome, patients = cohort
    shuffled = shuffle_by_patient(outcome, patients, seed)
    of_patient = [set(shuffled[patients == patient]) for patient in np.unique(patients)]
    assert all(len(labels) == 1 for labels in of_patient)
    had = sum(outcome[patients == patient][0] for patient in np.unique(patients))
    assert sum(labels.pop() for labels in of_patient) == had


@given(cohorts(mixed=True), SEEDS)
def test_the_outcomes_of_cases_stay_in_patients_of_one_size(
    cohort: tuple[NDArray, NDArray], seed: int
) -> None:
    outcome, patients = cohort
    assume(any(len(set(outcome[patients == patient])) > 1 for patient in patients))
    shuffled = shuffle_by_patient(outcome, patients, seed)

    def shares(labels: NDArray) -> list[tuple[int, int]]:
        cases = [labels[patients == patient] for patient in np.unique(patients)]
        return sorted((own.size, int(own.sum())) for own in cases)

    assert shares(shuffled) == shares(outcome)


def test_patients_who_are_all_alike_are_permuted_within() -> None:
    outcome, patients = np.tile([1, 0], 12), np.repeat(np.arange(12), 2)
    found = {shuffle_by_patient(outcome, patients, seed).tobytes() for seed in range(40)}
    assert len(found) == 40
    mean = np.mean([shuffle_by_patient(outcome, patients, seed) for seed in range(400)], axis=0)
    assert mean == pytest.approx(0.5, abs=0.12)
    assert arrangements(outcome, patients) == 2**12


@pytest.mark.parametrize(
    ("outcome", "patients"),
    [
        ([1, 0, 1, 0], "abcd"),
        ([1, 1, 0, 0, 0], "aabbc"),
        ([1, 0, 1, 1, 0], "aabbc"),
        ([1, 0, 0, 1, 1, 1], "aaabbc"),
        ([1, 0, 1, 0, 0, 1], "aabbcc"),
    ],
)
def test_every_arrangement_is_counted_and_reached(outcome: list[int], patients: str) -> None:
    reached = {shuffle_by_patient(outcome, list(patients), s).tobytes() for s in range(3000)}
    assert len(reached) == arrangements(outcome, list(patients))


def test_as_many_arrangements_as_the_definition_gives() -> None:
    outcome, owner = np.array([1, 0, 1, 1, 0, 0]), np.array([0, 0, 1, 1, 2, 2])
    blocks = [outcome[owner == k] for k in range(3)]
    defined = {
        tuple(np.concatenate(choice).tolist())
        for order in itertools.permutations(blocks)
        for choice in itertools.product(*(itertools.permutations(b.tolist()) for b in order))
    }
    assert arrangements(outcome, owner) == len(defined)


def test_seeds_give_each_arrangement_once() -> None:
    outcome, patients = [1, 1, 0, 0, 0], list("aabbc")
    seeds = shuffle_seeds(outcome, patients, 40, 7)
    assert len(seeds) == arrangements(outcome, patients) - 1
    assert shuffle_seeds(np.arange(100) % 2, None, 40, 7) == tuple(range(7, 47))


def test_shuffling_changes_the_outcome() -> None:
    outcome = np.repeat([0, 1], 50)
    assert 0.3 < np.mean(shuffle_by_patient(outcome, None, 0) == outcome) < 0.7
