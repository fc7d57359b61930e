"""Bootstrap by patient: how often each case is drawn, and intervals from the results.

Patients are drawn with replacement, all their cases with them, within strata of patients
with negative cases only, positive only, or both; so each resample has both outcomes.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 8.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from centrum.evaluate.scored import Scored


@dataclass(frozen=True)
class Interval:
    """Limits of a confidence interval; nan where it is not defined."""

    lower: float
    upper: float


def case_weights(scored: Scored, n_resamples: int, seed: int) -> NDArray[np.float64]:
    """How many times each case is in each resample, shape (n_resamples, cases).

    >>> case_weights(Scored.of([1, 2, 3, 4], [0, 0, 1, 1], ["a", "a", "b", "c"]), 2, seed=4)
    array([[1., 1., 2., 0.],
           [1., 1., 1., 1.]])
    """
    rng = np.random.default_rng(seed)
    strata = scored.patient_strata()
    drawn = np.empty((n_resamples, len(strata)))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        even = np.full(len(members), 1 / len(members))
        drawn[:, members] = rng.multinomial(len(members), even, size=n_resamples)
    return drawn[:, scored.patients]


def percentile_interval(samples: NDArray[np.float64], confidence: float) -> Interval:
    """Quantiles (R's type 7) of the resampled values; undefined (nan) values are left out.

    >>> percentile_interval(np.arange(101.0), 0.5)
    Interval(lower=25.0, upper=75.0)
    """
    defined = samples[~np.isnan(samples)]
    if defined.size == 0:
        return Interval(np.nan, np.nan)
    lower, upper = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
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
