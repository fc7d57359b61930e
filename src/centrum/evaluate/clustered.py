"""Intervals of decisions where patients have several cases.

A patient's cases are right or wrong together, more or less, so that n cases say less than n
patients would. The design effect is how many times larger the variance of a share is than if each
case were another patient's: that of the ratio estimator (Genders et al., Radiology
2012;265:910-916) over the binomial one. Counts divided by it are counts of independent cases, of
which the usual intervals can be computed (Rao and Scott, Biometrics 1992;48:577-585): unlike
percentiles of a bootstrap they stay within the scale, and have a width where all are right.
As the effect itself is estimated, from few patients, the normal quantile gives way to that of t
(Korn and Graubard, Survey Methodology 1998;24:193-201).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm, t

from centrum.arrays import Flags, Floats
from centrum.evaluate.bootstrap import NO_INTERVAL, Interval
from centrum.evaluate.scored import Scored
from centrum.evaluate.thresholds import (
    TIE_TOLERANCE,
    Confusion,
    IntervalMethod,
    balanced_interval,
    f1_interval,
    left_out_measures,
    proportion_interval,
    ratio_interval,
    wilson_interval,
    youden_interval,
)


def effective_size(hits: ArrayLike, numbers: ArrayLike, confidence: float) -> float:
    """How many independent cases give as wide an interval; nan with fewer than two patients.

    Less than there are cases. Where all cases are hits, or none, they show no design effect, and
    each patient counts once.

    Parameters
    ----------
    hits, numbers : (patients,) cases of each patient that are hits, and all of them

    >>> round(effective_size([2, 0] * 20, [2] * 40, confidence=0.95), 2)
    36.62
    """
    x, n = _there(hits, numbers)
    if n.size < 2:
        return float("nan")
    total, share = float(n.sum()), float(x.sum() / n.sum())
    variance = n.size / (n.size - 1) * np.sum((x - n * share) ** 2) / total**2
    alone = share * (1 - share) / total
    if alone == 0:
        return float(n.size)
    tail = (1 + confidence) / 2
    quantiles = norm.ppf(tail) / t.ppf(tail, n.size - 1)
    return float(total / max(variance / alone, 1.0) * quantiles**2)


def clustered_interval(hits: ArrayLike, numbers: ArrayLike, confidence: float = 0.95) -> Interval:
    """Confidence interval of a proportion of cases of which patients have several.

    Wilson's, of the `effective_size`. Parameters are those of it.

    >>> clustered_interval([2, 0, 3], [2, 2, 3])
    Interval(lower=0.053..., upper=0.991...)
    """
    x, n = _there(hits, numbers)
    if n.size < 2:
        return NO_INTERVAL
    if (n == 1).all():
        return proportion_interval(int(x.sum()), int(n.sum()), confidence)
    return wilson_interval(float(x.sum() / n.sum()), effective_size(x, n, confidence), confidence)


def decision_intervals(
    decided: Scored, threshold: float, confidence: float, method: IntervalMethod
) -> dict[str, Interval]:
    """Confidence interval of each of `MEASURES`, of calls at a threshold.

    With one case per patient those of `Confusion.intervals`. With several: shares by
    `clustered_interval`, F1, Youden's index and balanced accuracy made of those as there;
    likelihood ratios as there, from the effective counts of sensitivity and specificity; MCC on
    Fisher's scale by the jackknife that leaves out patients.

    >>> scored = Scored.of([0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1], ["a", "a", "b", "c", "c", "d"])
    >>> found = decision_intervals(scored, 0.5, 0.95, "wilson")
    >>> found["sensitivity"], found["specificity"]
    (Interval(lower=0.342..., upper=1.0), Interval(lower=0.003..., upper=0.999...))
    """
    confusion = Confusion.of(decided, threshold)
    if decided.n_patients == decided.scores.size:
        return confusion.intervals(confidence, method)
    called, truth = decided.scores >= threshold, decided.positive
    counts = {
        "accuracy": (called == truth, np.ones_like(truth)),
        "sensitivity": (called & truth, truth),
        "specificity": (~called & ~truth, ~truth),
        "ppv": (called & truth, called),
        "npv": (~called & ~truth, ~called),
    }
    by_patient = {name: _sums(decided, *pair) for name, pair in counts.items()}
    ratios = {name: clustered_interval(*pair, confidence) for name, pair in by_patient.items()}
    values = confusion.measures()
    youden = youden_interval(values, ratios)
    jaccard = clustered_interval(*_sums(decided, called & truth, called | truth), confidence)
    above, below = _likelihood_ratios(
        values,
        effective_size(*by_patient["sensitivity"], confidence),
        effective_size(*by_patient["specificity"], confidence),
        confidence,
    )
    return {
        **ratios,
        "f1": f1_interval(jaccard),
        "youden": youden,
        "balanced_accuracy": balanced_interval(youden),
        "mcc": _mcc_interval(decided, threshold, values["mcc"], confidence),
        "lr_positive": above,
        "lr_negative": below,
    }


def _there(hits: ArrayLike, numbers: ArrayLike) -> tuple[Floats, Floats]:
    """Of the patients who have such cases."""
    x, n = np.asarray(hits, dtype=float), np.asarray(numbers, dtype=float)
    return x[n > 0], n[n > 0]


def _sums(decided: Scored, hits: Flags, among: Flags) -> tuple[Floats, Floats]:
    """Hits and cases of each patient."""
    sums = [decided.patient_sums(each.astype(float)) for each in (hits, among)]
    return sums[0], sums[1]


def _likelihood_ratios(
    values: dict[str, float], n_positive: float, n_negative: float, confidence: float
) -> tuple[Interval, Interval]:
    """LR+ and LR- from effective sizes; no interval where one of these is not known."""
    if np.isnan(n_positive) or np.isnan(n_negative):
        return NO_INTERVAL, NO_INTERVAL
    hits, rights = values["sensitivity"] * n_positive, values["specificity"] * n_negative
    misses = (1 - values["sensitivity"]) * n_positive
    alarms = (1 - values["specificity"]) * n_negative
    return (
        ratio_interval(hits, n_positive, alarms, n_negative, confidence),
        ratio_interval(misses, n_positive, rights, n_negative, confidence),
    )


def _mcc_interval(decided: Scored, threshold: float, phi: float, confidence: float) -> Interval:
    if np.isnan(phi) or abs(phi) >= 1 - TIE_TOLERANCE:
        return Interval(phi, phi)
    left_out = left_out_measures(decided, threshold)["mcc"]
    known = left_out[~np.isnan(left_out)]
    n = known.size
    error = np.sqrt((n - 1) / n * np.sum((known - known.mean()) ** 2)) if n > 1 else np.nan
    half = norm.ppf((1 + confidence) / 2) * error / (1 - phi**2)
    lower, upper = np.tanh([np.arctanh(phi) - half, np.arctanh(phi) + half])
    return Interval(float(lower), float(upper))
