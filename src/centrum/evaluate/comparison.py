"""Two models compared: difference of their AUCs, on the same patients or on others."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.evaluate.bootstrap import NO_INTERVAL, Interval
from centrum.evaluate.discrimination import auc, delong_variance, placements
from centrum.evaluate.scored import Scored


@dataclass(frozen=True)
class AucDifference:
    """Difference of two AUCs, first minus second.

    Attributes
    ----------
    first, second : the AUCs
    difference : first - second
    interval : of the difference
    statistic : z, or t of the unpaired test
    p : two-sided, of H0: no difference
    df : degrees of freedom of t, infinite for z
    """

    first: float
    second: float
    difference: float
    interval: Interval
    statistic: float
    p: float
    df: float


def delong_test(first: Scored, second: Scored, confidence: float = 0.95) -> AucDifference:
    """Two scores of the same cases, compared by DeLong's covariance.

    With several cases per patient the covariance is Obuchowski's, as in `delong_variance`.
    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837-845.

    Raises
    ------
    DataError
        The cases differ in outcome, patient or number.

    >>> y = [0, 0, 0, 1, 1, 1]
    >>> a, b = Scored.of([1, 2, 3, 4, 5, 6], y), Scored.of([1, 5, 3, 4, 2, 6], y)
    >>> round(delong_test(a, b).difference, 3)
    0.333
    """
    _same_cases(first, second)
    variance = (
        delong_variance(first) + delong_variance(second) - 2 * delong_covariance(first, second)
    )
    difference = auc(first) - auc(second)
    error = float(np.sqrt(max(variance, 0.0)))
    half = float(stats.norm.ppf((1 + confidence) / 2)) * error
    z = _ratio(difference, error)
    p = float(2 * stats.norm.sf(abs(z)))
    interval = Interval(difference - half, difference + half)
    return AucDifference(auc(first), auc(second), difference, interval, z, p, float("inf"))


def delong_covariance(first: Scored, second: Scored) -> float:
    """Covariance of the AUCs of two scores of the same cases; nan as `delong_variance`."""
    parts = [_components(first), _components(second)]
    strata = first.patient_strata()
    n_positive, n_negative = np.sum(strata >= 2), np.sum(strata != 2)
    if min(n_positive, n_negative) < 2:
        return float("nan")
    (pos_a, neg_a), (pos_b, neg_b) = parts
    within = len(strata) / (len(strata) - 1)
    return float(
        pos_a @ pos_b * n_positive / (n_positive - 1)
        + neg_a @ neg_b * n_negative / (n_negative - 1)
        + (pos_a @ neg_b + neg_a @ pos_b) * within
    )


def difference_interval(first: float, own: Interval, second: float, other: Interval) -> Interval:
    """Interval of first - second, two estimates of different patients, from their own intervals.

    nan where one of the two has none. Source: Zou and Donner, Stat Med 2008;27:1693-1702 (MOVER).

    >>> found = difference_interval(0.8, Interval(0.7, 0.87), 0.6, Interval(0.49, 0.7))
    >>> round(found.lower, 3), round(found.upper, 3)
    (0.059, 0.33)
    """
    if any(not each.upper - each.lower > 0 for each in (own, other)):
        return NO_INTERVAL
    down = np.hypot(first - own.lower, other.upper - second)
    up = np.hypot(own.upper - first, second - other.lower)
    gap = first - second
    return Interval(float(gap - down), float(gap + up))


def _components(scored: Scored) -> tuple[Floats, Floats]:
    """Each patient's part in the AUC's deviation, of positive and of negative cases."""
    deviation = placements(scored) - auc(scored)
    positive = np.where(scored.positive, deviation, 0) / scored.n_positive
    negative = np.where(scored.positive, 0, deviation) / scored.n_negative
    return scored.patient_sums(positive), scored.patient_sums(negative)


def _ratio(difference: float, error: float) -> float:
    """0 when both are 0: two scores that rank alike do not differ."""
    if np.isnan(error):
        return float("nan")
    if error < 1e-15:
        return 0.0 if difference == 0 else float(np.sign(difference) * np.inf)
    return difference / error


def _same_cases(first: Scored, second: Scored) -> None:
    if not (
        np.array_equal(first.positive, second.positive)
        and np.array_equal(first.patients, second.patients)
    ):
        raise DataError(
            "A paired comparison needs two scores of the same cases in the same order; outcomes "
            f"or patients differ ({len(first.scores)} and {len(second.scores)} cases). Use the "
            "unpaired test for different patients."
        )
