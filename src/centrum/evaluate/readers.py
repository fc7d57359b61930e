"""A model beside a reader who called the same cases."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from centrum.arrays import Flags
from centrum.errors import DataError
from centrum.evaluate.bootstrap import Interval, Weights, percentile_interval
from centrum.evaluate.clustered import decision_intervals
from centrum.evaluate.discrimination import BAND_POINTS, resampled_sensitivity, roc_band
from centrum.evaluate.scored import Scored
from centrum.evaluate.thresholds import Confusion


@dataclass(frozen=True)
class ReaderComparison:
    """A reader's point in the ROC plane, and the model there.

    Attributes
    ----------
    name : of the reader
    n : cases that the reader called
    sensitivity, specificity, sensitivity_interval, specificity_interval : of the reader
    p_sensitivity, p_specificity : exact McNemar against the model's calls on the same cases
    model_sensitivity, model_interval : of the model's ROC at the reader's specificity
    """

    name: str
    n: int
    sensitivity: float
    sensitivity_interval: Interval
    specificity: float
    specificity_interval: Interval
    p_sensitivity: float
    p_specificity: float
    model_sensitivity: float
    model_interval: Interval


def compare_reader(
    name: str,
    reader: ArrayLike,
    scored: Scored,
    called: ArrayLike,
    weights: Weights,
    confidence: float = 0.95,
) -> ReaderComparison:
    """A reader's calls, 0 or 1 per case, beside scores and calls of a model.

    `weights` (resamples, cases) are those of `case_weights`, for the interval of the model's
    sensitivity. Source of the test: McNemar, Psychometrika 1947;12:153, exact.

    Raises
    ------
    DataError
        Calls are not 0 or 1, or not one per case.

    >>> from centrum.evaluate.bootstrap import case_weights
    >>> scored = Scored.of([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 1])
    >>> weights = case_weights(scored, 200, seed=0)
    >>> found = compare_reader("R1", [0, 1, 1, 0, 1, 1], scored, scored.scores > 2.5, weights)
    >>> found.sensitivity, round(found.specificity, 2), found.p_specificity
    (1.0, 0.67, 1.0)
    """
    calls, model = np.asarray(reader), np.asarray(called).astype(bool)
    if calls.shape != scored.scores.shape or not set(np.unique(calls).tolist()) <= {0, 1}:
        raise DataError(
            f"The calls of reader {name} are 0 or 1 for each of {scored.scores.size} cases, found "
            f"{calls.size} values {np.unique(calls).tolist()[:5]}."
        )
    positive, said = scored.positive, calls.astype(bool)
    own = Scored(said.astype(float), positive, scored.patients)
    confusion = Confusion.of(own, 0.5)
    values = confusion.measures()
    intervals = decision_intervals(own, 0.5, confidence, "wilson")
    specificity = values["specificity"]
    at = int(np.searchsorted(BAND_POINTS, specificity - 1e-9))
    curve = roc_band(scored, weights, confidence)
    resampled = resampled_sensitivity(scored, weights)[:, at]
    return ReaderComparison(
        name,
        calls.size,
        values["sensitivity"],
        intervals["sensitivity"],
        specificity,
        intervals["specificity"],
        mcnemar_p(said[positive], model[positive]),
        mcnemar_p(said[~positive], model[~positive]),
        float(curve.sensitivity[at]),
        percentile_interval(resampled, confidence),
    )


def mcnemar_p(first: Flags, second: Flags) -> float:
    """Exact two-sided p of H0: both are right equally often; 1 when they never differ.

    >>> mcnemar_p(np.array([True] * 6), np.array([False] * 6))
    0.03125
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    if only_first + only_second == 0:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)
