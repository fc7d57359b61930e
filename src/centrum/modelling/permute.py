"""Permuted outcomes: what a model must not be able to learn.

What may be exchanged depends on whose the outcome is. Where every patient has one outcome, it is
the patient's: whole patients exchange it, however many cases they have. Where some patients have
both outcomes it is the case's: patients with equally many cases exchange theirs as a whole, and
the cases of each patient exchange theirs among themselves. The latter are the whole-block and
within-block permutations of Winkler et al., NeuroImage 2015;123:253.
"""

from collections import Counter
from math import comb, factorial, prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.modelling.split import cases_by_patient

TRIES = 20
"""Shuffles that are drawn for each one wanted before there are said to be no more."""


def shuffle_by_patient(
    outcome: ArrayLike, patients: ArrayLike | None = None, seed: int = 0
) -> NDArray:
    """Permuted outcomes, by the rule at the head of this module.

    Parameters
    ----------
    outcome : (cases,) two labels
    patients : (cases,) whose case it is; each case a patient of its own when missing

    >>> shuffle_by_patient([1, 0, 1, 0, 0], list("aabbc"), seed=1)
    array([1, 0, 0, 1, 0])
    """
    outcome, rng = np.asarray(outcome), np.random.default_rng(seed)
    counts, code = cases_by_patient(outcome, patients)
    ends = np.cumsum(np.bincount(code))
    rows = np.split(np.argsort(code, kind="stable"), ends[:-1])
    if not _mixed(counts):
        own = np.array([outcome[cases[0]] for cases in rows])
        return own[rng.permutation(len(rows))][code]
    shuffled, sizes = np.empty_like(outcome), counts.sum(axis=1)
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)
        for patient, donor in zip(alike, rng.permutation(alike), strict=True):
            shuffled[rows[patient]] = rng.permutation(outcome[rows[donor]])
    return shuffled


def arrangements(outcome: ArrayLike, patients: ArrayLike | None = None) -> int:
    """How many different outcomes `shuffle_by_patient` can give, the true one among them.

    >>> arrangements([1, 1, 0, 0]), arrangements([1, 1, 0, 0], list("aabb"))
    (6, 2)
    >>> arrangements([1, 0, 1, 0, 0], list("aabbc"))
    4
    """
    counts, _ = cases_by_patient(outcome, patients)
    positive, sizes = counts[:, 1].astype(int), counts.sum(axis=1).astype(int)
    if not _mixed(counts):
        return comb(len(counts), int((positive > 0).sum()))
    within = prod(comb(int(n), int(k)) for n, k in zip(sizes, positive, strict=True))
    return within * prod(_orders(positive[sizes == size].tolist()) for size in np.unique(sizes))


def _orders(values: list[int]) -> int:
    """How many different orders a list with repetitions has."""
    return factorial(len(values)) // prod(map(factorial, Counter(values).values()))


def shuffle_seeds(
    outcome: ArrayLike, patients: ArrayLike | None, number: int, seed: int
) -> tuple[int, ...]:
    """Seeds from `seed` on whose shuffles differ from each other and from the true outcome.

    They are `number`, or as many as were found.

    >>> shuffle_seeds([1, 1, 0, 0], list("aabb"), 40, seed=5)
    (5,)
    """
    outcome = np.asarray(outcome)
    seen, seeds = {outcome.tobytes()}, list[int]()
    for candidate in range(seed, seed + TRIES * number):
        shuffled = shuffle_by_patient(outcome, patients, candidate).tobytes()
        if shuffled not in seen:
            seeds.append(candidate)
        if len(seeds) == number:
            break
        seen.add(shuffled)
    return tuple(seeds)


def _mixed(counts: NDArray) -> bool:
    """Whether a patient has cases of several outcomes; `counts` by patient and outcome."""
    return bool((np.count_nonzero(counts, axis=1) > 1).any())
