"""How much better a model looks on its own cases than it is, by bootstrap of the patients.

Every resample repeats the whole procedure, selection and tuning included. Sources: Harrell,
Lee and Mark, Stat Med 1996;15:361 (optimism); Efron and Tibshirani, J Am Stat Assoc
1997;92:548 (.632+), for the AUC as Sahiner, Chan and Hadjiiski, Med Phys 2008;35:1559.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from centrum.arrays import Flags, Floats
from centrum.modelling.auc import auc
from centrum.modelling.split import Indices, owners_of

CHANCE = 0.5


@dataclass(frozen=True)
class Resample:
    """A model fitted on one resample of the patients.

    Attributes
    ----------
    apparent : AUC on the resample itself
    original : AUC on all cases
    out_of_bag : AUC on the cases of the patients not drawn; nan when these have one outcome
    """

    apparent: float
    original: float
    out_of_bag: float


@dataclass(frozen=True)
class Optimism:
    """AUC of a procedure, corrected for its optimism.

    Attributes
    ----------
    apparent : AUC of the model on the cases that it was fitted on
    optimism : mean of apparent - original over the resamples
    out_of_bag : mean AUC of the patients not drawn, pessimistic
    n : resamples
    """

    apparent: float
    optimism: float
    out_of_bag: float
    n: int

    @property
    def harrell(self) -> float:
        """Apparent AUC minus its optimism."""
        return self.apparent - self.optimism

    @property
    def plus_632(self) -> float:
        """The .632+ estimate: between apparent and out of bag, by how much the model overfits.

        >>> round(Optimism(1.0, 0.2, 0.5, 100).plus_632, 3)
        0.5
        """
        bounded = max(self.out_of_bag, CHANCE)
        weight = 0.632 / (1 - 0.368 * self._overfitting(bounded))
        return (1 - weight) * self.apparent + weight * bounded

    def _overfitting(self, out_of_bag: float) -> float:
        """Relative overfitting rate, 0 (none) to 1 (as good as no information)."""
        if self.apparent <= max(out_of_bag, CHANCE):
            return 0.0
        return (self.apparent - out_of_bag) / (self.apparent - CHANCE)


def draw_patients(outcome: ArrayLike, patients: ArrayLike | None, seed: int) -> Indices:
    """Rows of as many patients as there are, drawn with replacement within their outcomes.

    All cases of a patient come together, and again as often as the patient is drawn.

    >>> rows = draw_patients([0, 0, 1, 1, 1], ["a", "b", "c", "c", "d"], seed=1)
    >>> bool((rows == 2).sum() == (rows == 3).sum())
    True
    """
    labels = np.asarray(outcome)
    owners = owners_of(labels, patients)
    names, code = np.unique(owners, return_inverse=True)
    kinds = np.unique(labels, return_inverse=True)[1]
    stratum = np.zeros(names.size, dtype=np.intp)
    np.bitwise_or.at(stratum, code, 1 << kinds)
    rng = np.random.default_rng(seed)
    times = np.zeros(names.size, dtype=np.intp)
    for kind in np.unique(stratum):
        members = np.flatnonzero(stratum == kind)
        times[members] = rng.multinomial(members.size, np.full(members.size, 1 / members.size))
    return np.repeat(np.arange(labels.size), times[code])


def areas_of(positive: Flags, scores: Floats, rows: Indices) -> Resample:
    """AUCs of the scores (cases,) of a model that was fitted to some rows, drawn with replacement.

    >>> areas_of(np.array([0, 1, 0, 1]) == 1, np.array([0.1, 0.9, 0.8, 0.7]), np.array([0, 0, 1]))
    Resample(apparent=1.0, original=0.75, out_of_bag=0.0)
    """
    out = np.setdiff1d(np.arange(positive.size), rows)
    return Resample(
        float(auc(positive[rows], scores[rows])),
        float(auc(positive, scores)),
        _auc_of(positive[out], scores[out]),
    )


def optimism(apparent: float, resamples: Sequence[Resample]) -> Optimism:
    """Put resamples together; `apparent` is the AUC of the model on its own cases."""
    gaps = [r.apparent - r.original for r in resamples]
    out = [r.out_of_bag for r in resamples if not np.isnan(r.out_of_bag)]
    mean_out = float(np.mean(out)) if out else float("nan")
    return Optimism(apparent, float(np.mean(gaps)), mean_out, len(resamples))


def _auc_of(positive: Flags, scores: Floats) -> float:
    if positive.size == 0 or positive.all() or not positive.any():
        return float("nan")
    return float(auc(positive, scores))
