"""Two models compared: difference of their AUCs, on the same patients or on others."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from centrum.errors import DataError
from centrum.evaluate.bootstrap import NO_INTERVAL, Interval
from centrum.evaluate.discrimination import auc, deviation_variance, deviations
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
    difference = auc(first) - auc(second)
    error = float(np.sqrt(deviation_variance(first, deviations(first) - deviations(second))))
    half = float(stats.norm.ppf((1 + confidence) / 2)) * error
    z = _ratio(difference, error)
    p = float(2 * stats.norm.sf(abs(z)))
    interval = Interval(difference - half, difference + half)
    return AucDifference(auc(first), auc(second), difference, interval, z, p, float("inf"))


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
