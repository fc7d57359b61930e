"""Who is trained on and who is tested: splits that keep a patient's cases together.

The unit of analysis is a case (one fractured vertebral body); a patient can have several,
which resemble each other. All functions therefore deal out patients, and balance the
outcome over what they make.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.errors import DataError

Indices = NDArray[np.intp]


def stratified_split(
    outcome: ArrayLike,
    patients: ArrayLike | None = None,
    train_fraction: float = 0.7,
    seed: int = 0,
) -> tuple[Indices, Indices]:
    """Rows to train on and rows to test on, stratified by outcome, no patient in both.

    Patients come in random order; each goes to the side that keeps the number of training
    cases of every outcome nearest to its share so far. When each patient has one outcome, the
    final number is off by at most half the cases of the patient with the most.

    Parameters
    ----------
    outcome : (cases,) two or more labels
    patients : (cases,) whose case it is; each case a patient of its own when missing
    train_fraction : share of the cases to train on, between 0 and 1

    Raises
    ------
    DataError
        An outcome would be absent from one side.

    >>> outcome = np.repeat(["malignant", "osteoporotic"], [51, 49])
    >>> train, test = stratified_split(outcome, train_fraction=0.7, seed=1)
    >>> np.unique(outcome[train], return_counts=True)[1]
    array([36, 34])
    >>> np.unique(outcome[test], return_counts=True)[1]
    array([15, 15])
    """
    if not 0 < train_fraction < 1:
        raise DataError(f"train_fraction must lie between 0 and 1, found {train_fraction}.")
    counts, code = cases_by_patient(outcome, patients)
    in_train = np.zeros(len(counts), dtype=bool)
    excess = np.zeros(counts.shape[1])
    for patient in np.random.default_rng(seed).permutation(len(counts)):
        if_test = excess - train_fraction * counts[patient]
        if_train = if_test + counts[patient]
        in_train[patient] = np.sum(if_train**2) < np.sum(if_test**2)
        excess = if_train if in_train[patient] else if_test
    for side, name in ((in_train, "training"), (~in_train, "test")):
        if np.any(counts[side].sum(axis=0) == 0):
            raise DataError(
                f"A split with train_fraction {train_fraction} leaves the {name} side without "
                f"one of the outcomes; patients per outcome: {_describe(outcome, counts)}.",
                remedy="Add patients or move train_fraction towards 0.5.",
                code="too-few-patients",
            )
    return np.flatnonzero(in_train[code]), np.flatnonzero(~in_train[code])


def folds_by_patient(
    outcome: ArrayLike, patients: ArrayLike | None, folds: int, seed: int
) -> Indices:
    """The fold of each row, 0 to folds - 1, stratified by outcome, a patient in one fold.

    Patients come in random order, those with most cases first; each joins the fold that has
    the fewest cases of the patient's outcome, then the fewest cases.

    Raises
    ------
    DataError
        An outcome has fewer patients than there are folds.

    >>> fold = folds_by_patient([0, 0, 0, 0, 1, 1], list("aabcde"), folds=2, seed=0)
    >>> bool(fold[0] == fold[1] and fold[4] != fold[5])
    True
    """
    counts, code = cases_by_patient(outcome, patients)
    if folds < 2 or np.count_nonzero(counts, axis=0).min() < folds:
        raise DataError(
            f"{folds} folds need two or more, and at least {folds} patients of each outcome; found "
            f"{_describe(outcome, counts)}.",
            remedy="Ask for fewer folds or add patients.",
            code="too-few-patients",
        )
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    held = np.zeros((folds, counts.shape[1]))
    fold_of = np.empty(len(counts), dtype=np.intp)
    for patient in order:
        crowd = held @ counts[patient]
        fold = np.lexsort((held.sum(axis=1), crowd))[0]
        fold_of[patient] = fold
        held[fold] += counts[patient]
    if not held.all():
        raise DataError(
            f"Patients with several outcomes could not be divided into {folds} folds that each "
            "hold every outcome.",
            remedy="Ask for fewer folds or use another seed.",
            code="too-few-patients",
        )
    return fold_of[code]


def train_and_held_out(fold: Indices) -> Iterator[tuple[Indices, Indices]]:
    """For each fold: the rows to train on and the rows held out."""
    for k in np.unique(fold):
        yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)


def owners_of(outcome: NDArray, patients: ArrayLike | None) -> NDArray:
    """The patient of each row; each row a patient of its own when `patients` is missing."""
    owners = np.arange(outcome.size) if patients is None else np.asarray(patients)
    if owners.shape != outcome.shape:
        raise DataError(f"{outcome.size} outcomes need as many patients, found {owners.shape}.")
    return owners


def fewest_patients(outcome: NDArray, patients: ArrayLike | None) -> int:
    """Patients of the rarer outcome: no more folds than these can be made.

    >>> fewest_patients(np.array([0, 0, 0, 1, 1]), ["a", "b", "c", "d", "d"])
    1
    """
    counts, _ = cases_by_patient(outcome, patients)
    return int(np.count_nonzero(counts, axis=0).min())


def check_two_classes(outcome: NDArray) -> NDArray:
    """The two labels, in their order.

    Raises
    ------
    DataError
        There are fewer or more.
    """
    labels = np.unique(outcome)
    if labels.size != 2:
        raise DataError(
            "Only binary classification is supported. The model tells two classes apart, found "
            f"{labels.size}: {labels.tolist()[:5]}."
        )
    return labels


def cases_by_patient(outcome: ArrayLike, patients: ArrayLike | None) -> tuple[NDArray, Indices]:
    """Cases per patient and outcome, and the number of the patient of each case.

    Raises
    ------
    DataError
        There is one outcome only.

    >>> cases_by_patient([0, 1, 1], list("abb"))[0].astype(int).tolist()
    [[1, 0], [0, 2]]
    """
    labels, label = np.unique(np.asarray(outcome), return_inverse=True)
    owners = owners_of(label, patients)
    if labels.size < 2:
        raise DataError(
            f"Two outcomes are needed to split and to model, found only {labels.tolist()}.",
            remedy="Check the outcome column and the eligibility rules.",
            code="one-outcome",
        )
    names, code = np.unique(owners, return_inverse=True)
    counts = np.zeros((names.size, labels.size))
    np.add.at(counts, (code, label), 1)
    return counts, code


def _describe(outcome: ArrayLike, counts: NDArray) -> str:
    return counted_outcomes(np.unique(np.asarray(outcome)), np.count_nonzero(counts, axis=0))


def counted_outcomes(labels: NDArray, numbers: NDArray) -> str:
    """How many there are of each outcome, in words; 0 and 1 are those of a study.

    >>> counted_outcomes(np.array([0, 1]), np.array([12, 9]))
    '12 negative, 9 positive'
    >>> counted_outcomes(np.array(["benign", "malignant"]), np.array([2, 3]))
    '2 with benign, 3 with malignant'
    """
    words = {0: "negative", 1: "positive"}
    pairs = zip(numbers.tolist(), labels.tolist(), strict=True)
    return ", ".join(f"{n} {words.get(label, f'with {label}')}" for n, label in pairs)
