"""Scores with their outcomes and patients, checked once for every statistic on them."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from centrum.arrays import Flags, Floats, Ints
from centrum.errors import DataError
from centrum.text import OneLine


@dataclass(frozen=True, eq=False, repr=False)
class Scored(OneLine):
    """Cases with a score and a known outcome; arrays have the shape (cases,).

    Attributes
    ----------
    scores : finite numbers; higher means that the positive outcome is more likely
    positive : whether the outcome is the positive one
    patients : 0, 1, 2 ... number of the patient whom the case belongs to
    """

    scores: Floats
    positive: Flags
    patients: Ints

    @classmethod
    def of(cls, scores: ArrayLike, outcome: ArrayLike, groups: ArrayLike | None = None) -> "Scored":
        """Check and hold arrays of one length; without `groups` each case is a patient.

        Raises
        ------
        DataError
            Lengths differ, a score is not finite, an outcome is not 0 or 1, a patient is
            missing, or only one outcome occurs.

        >>> Scored.of([0.1, 0.9], [0, 1]).positive.tolist()
        [False, True]
        """
        values = np.asarray(scores, dtype=float)
        labels = np.asarray(outcome)
        names = np.arange(len(values)) if groups is None else np.asarray(groups)
        _check_shapes(values, labels, names)
        _check_values(values, labels)
        patients = pd.factorize(names)[0]
        if (patients < 0).any():
            raise DataError(f"Each case needs a patient, {(patients < 0).sum()} have none.")
        return cls(values, labels.astype(bool), patients)

    @property
    def n_positive(self) -> int:
        """Number of cases with the positive outcome."""
        return int(self.positive.sum())

    @property
    def n_negative(self) -> int:
        """Number of cases with the negative outcome."""
        return len(self.scores) - self.n_positive

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return int(self.patients.max()) + 1

    @cached_property
    def digest(self) -> str:
        """Names these scores and outcomes; the order of the cases does not matter."""
        order = np.lexsort((self.positive, self.scores))
        content = self.scores[order].tobytes() + self.positive[order].tobytes()
        return sha256(content).hexdigest()

    def patient_sums(self, values: Floats) -> Floats:
        """Sum of `values` (cases,) over the cases of each patient, shape (patients,)."""
        return np.bincount(self.patients, weights=values).astype(float)

    def patient_strata(self) -> Ints:
        """Per patient 1, 2 or 3: has negative cases only, positive only, or both."""
        has_positive = self.patient_sums(self.positive.astype(float)) > 0
        has_negative = self.patient_sums((~self.positive).astype(float)) > 0
        return has_negative + 2 * has_positive.astype(np.int64)


def _check_shapes(
    scores: Floats, outcome: NDArray[np.generic], groups: NDArray[np.generic]
) -> None:
    shapes = scores.shape, outcome.shape, groups.shape
    if scores.ndim != 1 or len(set(shapes)) != 1:
        raise DataError(
            "Scores, outcomes and patients need one value per case, found the shapes "
            f"{shapes[0]}, {shapes[1]} and {shapes[2]}."
        )


def _check_values(scores: Floats, outcome: NDArray[np.generic]) -> None:
    bad = np.flatnonzero(~np.isfinite(scores))
    if bad.size:
        raise DataError(
            f"Scores must be finite numbers, {bad.size} of {scores.size} are not (first at "
            f"position {bad[0]}); score these cases or leave them out."
        )
    found = np.unique(outcome).tolist()
    if not set(found) <= {0, 1}:
        raise DataError(f"Outcomes are 0 (negative) or 1 (positive), found {found}.")
    if len(found) < 2:
        which = {0: "all negative", 1: "all positive"}
        raise DataError(
            f"An evaluation needs cases of both outcomes, found {len(outcome)} cases"
            f"{''.join(f', {which[int(one)]}' for one in found)}; use another split or more cases."
        )
