"""Bootstrap by patient: how often each case is drawn, and intervals from the results.

Patients are drawn with replacement, all their cases with them, within strata of patients
with negative cases only, positive only, or both; so each resample has both outcomes.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 8.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm

from centrum.arrays import Counts, Floats
from centrum.evaluate.scored import Scored


@dataclass(frozen=True)
class Interval:
    """Limits of a confidence interval; nan where it is not defined."""

    lower: float
    upper: float


NO_INTERVAL = Interval(np.nan, np.nan)

Weights = Floats | Counts
"""How many times each case is in each resample, (resamples, cases)."""

Quantile = Literal["linear", "inverted_cdf"]
"""Names of numpy: between neighbours, or one of them."""


def case_weights(scored: Scored, n_resamples: int, seed: int) -> Counts:
    """How many times each case is in each resample, shape (n_resamples, cases).

    >>> case_weights(Scored.of([1, 2, 3, 4], [0, 0, 1, 1], ["a", "a", "b", "c"]), 2, seed=4)
    array([[1, 1, 2, 0],
           [1, 1, 1, 1]], dtype=uint16)
    """
    rng = np.random.default_rng(seed)
    strata = scored.patient_strata()
    drawn = np.empty((n_resamples, len(strata)), dtype=np.uint16)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        even = np.full(len(members), 1 / len(members))
        for rows in _blocks(n_resamples, len(members)):
            size = rows.stop - rows.start
            drawn[rows, members] = rng.multinomial(len(members), even, size=size)
    return drawn[:, scored.patients]


NUMBERS_AT_ONCE = 2_000_000
"""Weights that are looked at together: what is made of them on the way takes several times as
much memory."""


def in_blocks(weights: Weights, measure: Callable[[Floats], Floats]) -> Floats:
    """What `measure` gives for rows of `weights` (resamples, cases), some rows at a time.

    >>> in_blocks(np.ones((3, 2)), lambda rows: rows.sum(axis=1))
    array([2., 2., 2.])
    """
    blocks = _blocks(*weights.shape)
    return np.concatenate([measure(weights[rows].astype(np.float64)) for rows in blocks])


def _blocks(rows: int, width: int) -> Iterator[slice]:
    step = max(1, NUMBERS_AT_ONCE // max(1, width))
    return (slice(k, min(k + step, rows)) for k in range(0, rows, step))


def percentile_interval(samples: Floats, confidence: float) -> Interval:
    """Quantiles (R's type 7) of the resampled values; undefined (nan) values are left out.

    >>> percentile_interval(np.arange(101.0), 0.5)
    Interval(lower=25.0, upper=75.0)
    """
    defined = samples[~np.isnan(samples)]
    if defined.size == 0:
        return Interval(np.nan, np.nan)
    # Between a number and inf, as of likelihood ratios, there is nothing to interpolate.
    method: Quantile = "linear" if np.isfinite(defined).all() else "inverted_cdf"
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    lower, upper = np.quantile(defined, tails, method=method)
    return Interval(float(lower), float(upper))


def normal_interval(
    estimate: float, standard_error: float, confidence: float, limits: tuple[float, float] = (0, 1)
) -> Interval:
    """Estimate +- z standard errors, cut at `limits` of the scale as R's pROC does.

    >>> normal_interval(0.9, 0.1, 0.95)
    Interval(lower=0.704..., upper=1.0)
    """
    half = norm.ppf((1 + confidence) / 2) * standard_error
    lower, upper = np.clip([estimate - half, estimate + half], *limits)
    return Interval(float(lower), float(upper))


def bca_interval(
    estimate: float,
    samples: Floats,
    left_out: Floats,
    confidence: float = 0.95,
) -> Interval:
    """Bias-corrected and accelerated interval; undefined (nan) values are left out.

    Parameters
    ----------
    estimate : on all cases
    samples : (resamples,) bootstrap values
    left_out : (patients,) values without one patient each (jackknife)

    Where all resamples lie on one side of the estimate the bias is infinite, and the interval
    ends at their extreme. Source: Efron, J Am Stat Assoc 1987;82:171.

    >>> rng = np.random.default_rng(0)
    >>> found = bca_interval(0.0, rng.normal(size=4000), np.zeros(30))
    >>> round(found.lower, 1), round(found.upper, 1)
    (-1.9, 2.0)
    """
    defined = samples[~np.isnan(samples)]
    if defined.size == 0 or np.isnan(estimate):
        return Interval(np.nan, np.nan)
    below = (np.mean(defined < estimate) + np.mean(defined <= estimate)) / 2
    bias = norm.ppf(below)
    known = left_out[~np.isnan(left_out)]
    deviation = known.mean() - known if known.size else known
    spread = np.sum(deviation**2) ** 1.5
    acceleration = np.sum(deviation**3) / (6 * spread) if spread > 0 else 0.0
    z = bias + norm.ppf([(1 - confidence) / 2, (1 + confidence) / 2])
    with np.errstate(invalid="ignore"):
        tails = norm.cdf(bias + z / (1 - acceleration * z))
    if not np.isfinite(bias):
        tails = np.full(2, below)
    lower, upper = np.quantile(defined, np.clip(tails, 0, 1))
    return Interval(float(lower), float(upper))
