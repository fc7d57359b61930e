"""Two scores of the same cases, such as those of two readers' regions: how far they agree.

Sources: Cohen, Educ Psychol Meas 1960;20:37 and Fleiss, Cohen and Everitt, Psychol Bull
1969;72:323 (kappa and its variance); Bland and Altman, Stat Methods Med Res 1999;8:135 (limits of
agreement and their intervals).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from centrum.arrays import Flags, Floats, Ints
from centrum.errors import DataError
from centrum.evaluate.bootstrap import (
    Interval,
    Weights,
    normal_interval,
    percentile_interval,
)


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa of two calls; nan where both call all cases alike."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class BlandAltman:
    """Differences of two scores, second minus first.

    Attributes
    ----------
    bias, sd : mean difference and standard deviation of the differences
    lower, upper : limits of agreement, between which 95 % of the differences are expected
    bias_interval, lower_interval, upper_interval : confidence intervals of these
    """

    bias: float
    sd: float
    lower: float
    upper: float
    bias_interval: Interval
    lower_interval: Interval
    upper_interval: Interval


LIMITS = float(stats.norm.ppf(0.975))
"""Standard deviations from the mean difference to the limits of agreement."""


def cohen_kappa(
    first: ArrayLike, second: ArrayLike, patients: Ints, confidence: float = 0.95
) -> Kappa:
    """Agreement of two calls (cases,), 0 or 1, beyond that of chance.

    The variance is that of the delta method, summed over the cases of each patient; with one case
    per patient it is that of Fleiss, Cohen and Everitt.

    Raises
    ------
    DataError
        Arrays of different lengths.

    >>> calls = np.array([1, 1, 1, 0, 0, 0]), np.array([1, 1, 0, 0, 0, 0])
    >>> round(cohen_kappa(*calls, np.arange(6)).value, 3)
    0.667
    """
    a, b = np.asarray(first).astype(bool), np.asarray(second).astype(bool)
    if not a.shape == b.shape == patients.shape:
        raise DataError(
            f"Kappa is of two calls of the same cases, found {a.size} and {b.size} calls and "
            f"{patients.size} patients."
        )
    p, q = a.mean(), b.mean()
    chance = p * q + (1 - p) * (1 - q)
    if chance == 1:
        return Kappa(np.nan, Interval(np.nan, np.nan))
    same = float(np.mean(a == b))
    value = (same - chance) / (1 - chance)
    # How much each case moves the agreement that is observed, and that of chance.
    moved = (a == b) - same
    by_chance = np.where(a, q, 1 - q) + np.where(b, p, 1 - p) - 2 * chance
    influence = moved / (1 - chance) - (1 - same) / (1 - chance) ** 2 * by_chance
    error = float(np.sqrt(np.sum(np.bincount(patients, influence) ** 2))) / a.size
    return Kappa(float(value), normal_interval(value, error, confidence, (-1, 1)))


def bland_altman(
    first: ArrayLike,
    second: ArrayLike,
    confidence: float = 0.95,
    weights: Weights | None = None,
) -> BlandAltman:
    """Bias and limits of agreement of two scores (cases,), second minus first.

    Parameters
    ----------
    weights : (resamples, cases) of `case_weights`, for intervals by patient where patients have
        several cases; without them the intervals are those of independent cases, by t

    Raises
    ------
    DataError
        Fewer than two cases, or arrays of different lengths.

    >>> found = bland_altman([1.0, 2.0, 3.0, 4.0], [1.1, 2.4, 3.3, 4.2])
    >>> round(found.bias, 2), round(found.sd, 3)
    (0.25, 0.129)
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.shape != b.shape or a.size < 2:
        raise DataError(
            f"Limits of agreement need two scores of two or more cases, found {a.size} and "
            f"{b.size}."
        )
    gaps = b - a
    bias, sd = float(gaps.mean()), float(gaps.std(ddof=1))
    limits = (bias - LIMITS * sd, bias + LIMITS * sd)
    intervals = (
        _independent(bias, sd, gaps.size, confidence)
        if weights is None
        else _resampled(gaps, weights, confidence)
    )
    return BlandAltman(bias, sd, *limits, *intervals)


def _independent(bias: float, sd: float, n: int, confidence: float) -> tuple[Interval, ...]:
    t = float(stats.t.ppf((1 + confidence) / 2, n - 1))
    of_bias = t * sd / np.sqrt(n)
    of_limits = t * sd * np.sqrt(1 / n + LIMITS**2 / (2 * (n - 1)))
    middles = ((bias, of_bias), (bias - LIMITS * sd, of_limits), (bias + LIMITS * sd, of_limits))
    return tuple(Interval(float(m - half), float(m + half)) for m, half in middles)


def _resampled(gaps: Floats, weights: Weights, confidence: float) -> tuple[Interval, ...]:
    n = weights.sum(axis=1)
    means = weights @ gaps / n
    squares = np.maximum(weights @ gaps**2 / n - means**2, 0)
    sds = np.sqrt(squares * n / (n - 1))
    samples = (means, means - LIMITS * sds, means + LIMITS * sds)
    return tuple(percentile_interval(each, confidence) for each in samples)


def changed_calls(first: Flags, second: Flags) -> tuple[int, int]:
    """Cases that only the second calls positive, and cases that only the first does.

    >>> changed_calls(np.array([True, False, True]), np.array([True, True, True]))
    (1, 0)
    """
    return int((second & ~first).sum()), int((first & ~second).sum())
