"""Sets of outcomes that miss the true one no more often than was agreed, per outcome.

Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, section 4.5
(Mondrian, or label-conditional, conformal predictors).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.modelling.calibrators import known_scores, scores_and_outcomes
from centrum.text import OneLine

POSITIVE, NEGATIVE, UNCERTAIN, NEITHER = "positive", "negative", "uncertain", "neither"
"""Sets: one outcome alone, both, and none (the case is unlike both)."""


@dataclass(frozen=True, eq=False, repr=False)
class ConformalSets(OneLine):
    """Learnt on out-of-fold scores: which outcomes a new score is typical of.

    An outcome is in the set of a case unless the case is among the `error` share of that
    outcome's cases with the strangest scores. Of a patient with several cases of an outcome
    the strangest counts, once: the promise is then kept for each patient.

    Attributes
    ----------
    error : share of the patients of each outcome whose set may miss it
    positive : (patients,) lowest score of each patient with the positive outcome, rising
    negative : (patients,) highest score of each patient with the negative outcome, rising

    >>> sets = learn_sets([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9], [0] * 4 + [1] * 4, error=0.25)
    >>> sets.of([0.05, 0.5, 0.95])
    ('negative', 'neither', 'positive')
    """

    error: float
    positive: Floats
    negative: Floats

    def p_values(self, scores: ArrayLike) -> tuple[Floats, Floats]:
        """How typical each score is of the negative and of the positive outcome, (cases,).

        Conservative: ties count against the case, so that no chance enters.
        """
        values = known_scores(scores)
        higher = self.negative.size - np.searchsorted(self.negative, values, side="left")
        lower = np.searchsorted(self.positive, values, side="right")
        return (higher + 1) / (self.negative.size + 1), (lower + 1) / (self.positive.size + 1)

    def of(self, scores: ArrayLike) -> tuple[str, ...]:
        """The set of each case by name."""
        negative, positive = (p > self.error for p in self.p_values(scores))
        named = np.where(
            negative & positive, UNCERTAIN, np.where(positive, POSITIVE, np.where(
                negative, NEGATIVE, NEITHER)))  # fmt: skip
        return tuple(map(str, named))


def learn_sets(
    scores: ArrayLike, outcome: ArrayLike, patients: ArrayLike | None = None, error: float = 0.1
) -> ConformalSets:
    """Learn from out-of-fold scores (cases,) of outcomes 0 or 1.

    Raises
    ------
    DataError
        One outcome only, scores that are not finite, an error that is not between 0 and 1, or
        not one patient per score.
    """
    values, positive = scores_and_outcomes(scores, outcome)
    owners = np.arange(values.size) if patients is None else np.asarray(patients)
    if not 0 < error < 1:
        raise DataError(f"The error of conformal sets lies between 0 and 1, found {error}.")
    if owners.shape != values.shape:
        raise DataError(
            f"Conformal sets need one patient per score, found the shapes {owners.shape} and "
            f"{values.shape}."
        )
    lowest = _by_patient(values[positive], owners[positive], np.minimum)
    highest = _by_patient(values[~positive], owners[~positive], np.maximum)
    return ConformalSets(error, lowest, highest)


def _by_patient(values: Floats, owners: NDArray, worst: np.ufunc) -> Floats:
    names, at = np.unique(owners, return_inverse=True)
    found = np.full(names.size, -np.inf if worst is np.maximum else np.inf)
    worst.at(found, at, values)
    return np.sort(found)


@dataclass(frozen=True)
class SetSummary:
    """How sets did on cases with a known outcome.

    Attributes
    ----------
    n : cases
    coverage, coverage_positive, coverage_negative : share whose set holds the true outcome
    decided : share with one outcome alone
    right : share of the decided that are right; nan when none is decided
    uncertain, neither : shares
    """

    n: int
    coverage: float
    coverage_positive: float
    coverage_negative: float
    decided: float
    right: float
    uncertain: float
    neither: float


def summarise_sets(sets: Sequence[str], outcome: ArrayLike) -> SetSummary:
    """Coverage and efficiency of sets (cases,) against outcomes 0 or 1.

    >>> summarise_sets(["positive", "uncertain", "negative"], [1, 0, 1]).coverage
    0.6666666666666666
    """
    found, positive = np.asarray(sets), np.asarray(outcome).astype(bool)
    own = np.where(positive, POSITIVE, NEGATIVE)
    covered, decided = (found == own) | (found == UNCERTAIN), np.isin(found, (POSITIVE, NEGATIVE))
    return SetSummary(
        n=found.size,
        coverage=_share(covered),
        coverage_positive=_share(covered[positive]),
        coverage_negative=_share(covered[~positive]),
        decided=_share(decided),
        right=_share((found == own)[decided]),
        uncertain=_share(found == UNCERTAIN),
        neither=_share(found == NEITHER),
    )


def _share(hits: Flags) -> float:
    return float(hits.mean()) if hits.size else float("nan")
