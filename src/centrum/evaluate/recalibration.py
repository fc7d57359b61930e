"""A model's probabilities fitted to other patients: their level, or level and spread.

Source: Steyerberg, Clinical Prediction Models, 2019, section 20.3 (updating methods 1 and 2).
Cross-fitted probabilities of a case come from a recalibration that did not see its patient.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.evaluate.calibration import CLIP, calibration
from centrum.evaluate.scored import Scored

Update = Literal["in_the_large", "slope"]
"""in_the_large: the intercept alone; slope: intercept and slope."""


@dataclass(frozen=True)
class Recalibration:
    """New log-odds = intercept + slope x log-odds.

    >>> Recalibration(0.0, 1.0).apply([0.3, 0.8]).round(6)
    array([0.3, 0.8])
    """

    intercept: float
    slope: float

    def apply(self, probabilities: ArrayLike) -> Floats:
        """Recalibrated probabilities, (cases,)."""
        bounded = np.clip(np.asarray(probabilities, dtype=float), CLIP, 1 - CLIP)
        return np.asarray(expit(self.intercept + self.slope * logit(bounded)))


def recalibration(scored: Scored, update: Update) -> Recalibration:
    """Learn from cases whose scores are probabilities.

    Raises
    ------
    DataError
        The slope is not defined: the probabilities are all equal or part the outcomes.

    >>> y = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> few = Scored.of([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9], y)
    >>> recalibration(few, "in_the_large").slope
    1.0
    """
    found = calibration(scored)
    if update == "in_the_large":
        return Recalibration(found.in_the_large.value, 1.0)
    if found.reason:
        raise DataError(f"The probabilities cannot be recalibrated: {found.reason}.")
    return Recalibration(found.intercept.value, found.slope.value)


def cross_fitted(
    scored: Scored, update: Update, parts: Iterable[tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> Floats:
    """Recalibrated probabilities (cases,), each learnt without the case's patient.

    `parts` are the rows to learn from and those to apply it to; together they hold every row.

    Raises
    ------
    DataError
        A part has one outcome only, or as of `recalibration`.
    """
    found = np.full(scored.scores.size, np.nan)
    for train, held_out in parts:
        part = Scored.of(scored.scores[train], scored.positive[train], scored.patients[train])
        found[held_out] = recalibration(part, update).apply(scored.scores[held_out])
    return found
