"""How well scores tell positive from negative cases: ROC curve and the area under it.

Higher scores speak for the positive outcome; the direction is never turned round, so an
AUC under 0.5 stays under 0.5. A case is called positive when its score is at least the
threshold.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import norm, rankdata, t
from sklearn.metrics import average_precision_score, precision_recall_curve

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.evaluate.bootstrap import Interval, Weights, in_blocks, normal_interval
from centrum.evaluate.scored import Scored
from centrum.kernels.resampled import resampled_areas
from centrum.text import OneLine


@dataclass(frozen=True, eq=False, repr=False)
class RocCurve(OneLine):
    """One point per threshold, from "all positive" to "all negative".

    Attributes
    ----------
    thresholds : midpoints between neighbouring scores, with -inf and inf at the ends
    sensitivity, specificity : shares of positive and negative cases called rightly
    """

    thresholds: Floats
    sensitivity: Floats
    specificity: Floats


def roc_curve(scored: Scored) -> RocCurve:
    """The ROC curve, with the thresholds of R's pROC.

    >>> curve = roc_curve(Scored.of([1, 2, 3, 4], [0, 1, 0, 1]))
    >>> curve.thresholds.tolist()
    [-inf, 1.5, 2.5, 3.5, inf]
    >>> curve.sensitivity.tolist(), curve.specificity.tolist()
    ([1.0, 1.0, 0.5, 0.5, 0.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    levels, level = np.unique(scored.scores, return_inverse=True)
    below_positive = np.append(0, np.bincount(level[scored.positive], minlength=len(levels)))
    below_negative = np.append(0, np.bincount(level[~scored.positive], minlength=len(levels)))
    return RocCurve(
        thresholds=np.concatenate([[-np.inf], _midpoints(levels), [np.inf]]),
        sensitivity=1 - below_positive.cumsum() / scored.n_positive,
        specificity=below_negative.cumsum() / scored.n_negative,
    )


def _midpoints(levels: Floats) -> Floats:
    """Between neighbours; of floats that touch, the upper, so that >= still parts them."""
    lower, upper = levels[:-1], levels[1:]
    middle = lower / 2 + upper / 2
    return np.where((middle > lower) & (middle < upper), middle, upper)


def auc(scored: Scored) -> float:
    """Area under the ROC curve: P(positive scores higher) + P(tie) / 2.

    >>> auc(Scored.of([1, 2, 3, 4], [0, 1, 0, 1]))
    0.75
    """
    n = scored.n_positive
    rank_sum = rankdata(scored.scores)[scored.positive].sum()
    return float((rank_sum - n * (n + 1) / 2) / (n * scored.n_negative))


def delong_variance(scored: Scored) -> float:
    """Variance of the AUC; nan when an outcome occurs in a single patient.

    With one case per patient DeLong, DeLong and Clarke-Pearson, Biometrics
    1988;44:837-845; with several, its extension to clusters by Obuchowski, Biometrics
    1997;53:567-578.

    >>> round(delong_variance(Scored.of([1, 2, 3, 4], [0, 1, 0, 1])), 4)
    0.125
    """
    return deviation_variance(scored, deviations(scored))


def deviations(scored: Scored) -> Floats:
    """What the placement of each case deviates from the AUC, (cases,)."""
    return placements(scored) - auc(scored)


def deviation_variance(scored: Scored, deviation: Floats) -> float:
    """Variance of an AUC, or of a sum or difference of AUCs of scores of the same cases.

    `deviation` (cases,) is the same sum or difference of `deviations`; nan as `delong_variance`.

    >>> y = [0, 0, 0, 1, 1, 1]
    >>> a, b = Scored.of([1, 2, 3, 4, 5, 6], y), Scored.of([1, 5, 3, 4, 2, 6], y)
    >>> round(deviation_variance(a, deviations(a) - deviations(b)), 4)
    0.0741
    """
    positive = scored.patient_sums(np.where(scored.positive, deviation, 0) / scored.n_positive)
    negative = scored.patient_sums(np.where(scored.positive, 0, deviation) / scored.n_negative)
    strata = scored.patient_strata()
    n_positive, n_negative = np.sum(strata >= 2), np.sum(strata != 2)
    if min(n_positive, n_negative) < 2:
        return float("nan")
    found = (
        np.sum(positive**2) * n_positive / (n_positive - 1)
        + np.sum(negative**2) * n_negative / (n_negative - 1)
        + 2 * np.sum(positive * negative) * len(strata) / (len(strata) - 1)
    )
    return max(float(found), 0.0)


def placements(scored: Scored) -> Floats:
    """Share of the cases of the other outcome that each case is on the right side of."""
    shares = rankdata(scored.scores)
    for own, n_other, sign in (
        (scored.positive, scored.n_negative, 1),
        (~scored.positive, scored.n_positive, -1),
    ):
        share = (shares[own] - rankdata(scored.scores[own])) / n_other
        shares[own] = share if sign > 0 else 1 - share
    return shares


def delong_interval(scored: Scored, confidence: float = 0.95) -> Interval:
    """The plain interval of the AUC from `delong_variance`, cut at 0 and 1, as pROC's ci.auc.

    Too narrow in small samples and near 1: `auc_interval` is the one that is reported.
    """
    return normal_interval(auc(scored), np.sqrt(delong_variance(scored)), confidence)


def auc_interval(scored: Scored, confidence: float = 0.95) -> Interval:
    """The confidence interval of the AUC that is reported wherever an AUC is.

    `delong_variance`, carried to the logit of the AUC (Pepe, The Statistical Evaluation of Medical
    Tests, 2003, section 5.2.5), where an AUC near 1 is nearly normal; the limits stay between 0 and
    1. With one case per patient by the normal quantile; with several by that of t with one degree
    of freedom less than there are patients of the rarer outcome. Where the scores part all cases
    that variance is 0 and says nothing: the interval is then one-sided (`auc_limits`). How often
    these intervals hold the true AUC is measured by benchmarks/interval_coverage.py.

    nan where an outcome occurs in a single patient, unless the scores part all cases.

    >>> auc_interval(Scored.of([1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 1, 0, 1, 0, 1, 1]))
    Interval(lower=0.329..., upper=0.974...)
    >>> auc_interval(Scored.of(range(30), np.arange(30) > 14))
    Interval(lower=0.818..., upper=1.0)
    """
    strata = scored.patient_strata()
    fewest = int(min(np.sum(strata >= 2), np.sum(strata != 2)))
    clustered = scored.n_patients < len(scored.scores)
    lower, upper = auc_limits(auc(scored), delong_variance(scored), fewest, confidence, clustered)
    return Interval(float(lower), float(upper))


def auc_limits(
    area: ArrayLike, variance: ArrayLike, fewest: int, confidence: float, clustered: bool
) -> tuple[Floats, Floats]:
    """The limits of `auc_interval` from its parts; arrays of one shape, or numbers.

    Of an AUC of 1 the lower limit is that at which so many patients of the rarer outcome, each
    placed rightly with that probability, would all be with a probability of 1 - `confidence`; of
    an AUC of 0 the mirror image.

    Parameters
    ----------
    area, variance : the AUC and its variance
    fewest : patients of the rarer outcome
    clustered : whether some patients have several cases

    >>> lower, upper = auc_limits([0.9, 1.0], [0.01, 0.0], 15, 0.95, clustered=False)
    >>> lower.round(3), upper.round(3)
    (array([0.505, 0.819]), array([0.988, 1.   ]))
    """
    a, v = np.asarray(area, dtype=float), np.asarray(variance, dtype=float)
    tail = (1 + confidence) / 2
    quantile = t.ppf(tail, fewest - 1) if clustered else norm.ppf(tail)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = quantile * np.sqrt(v) / (a * (1 - a))
        lower, upper = expit(logit(a) - half), expit(logit(a) + half)
    all_right = (1 - confidence) ** (1 / fewest)
    parted, turned = a >= 1 - PARTED, a <= PARTED
    return (
        np.where(parted, all_right, np.where(turned, 0.0, lower)),
        np.where(parted, 1.0, np.where(turned, 1 - all_right, upper)),
    )


PARTED = 1e-12
"""An AUC nearer than this to 0 or 1 is one of scores that part all cases: of 10**5 cases of each
outcome a single pair that is not parted takes off 10**-10."""


def auc_p_value(scored: Scored) -> float:
    """Two-sided p of H0: AUC = 0.5, asymptotic, without continuity correction.

    The Mann-Whitney test with tied ranks when each patient has one case. Patients with
    several cases of one outcome are permuted as a whole, with the sum of their ranks. When
    a patient has cases of both outcomes, the variance of the score statistic is the sum of
    the squared contributions of the patients.

    >>> round(auc_p_value(Scored.of([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 1])), 3)
    0.127
    """
    rank = rankdata(scored.scores)
    centred = rank - rank.mean()
    statistic = centred[scored.positive].sum()
    strata = scored.patient_strata()
    if (strata == 3).any():
        contrast = scored.positive - scored.positive.mean()
        variance = np.sum(scored.patient_sums(contrast * centred) ** 2)
    else:
        n, n_positive = len(strata), np.sum(strata == 2)
        squares = np.sum(scored.patient_sums(centred) ** 2)
        variance = n_positive * (n - n_positive) / (n * (n - 1)) * squares
    if variance == 0:
        return 1.0
    return float(2 * norm.sf(abs(statistic) / np.sqrt(variance)))


def resampled_auc(scored: Scored, weights: Weights) -> Floats:
    """AUC of each resample, nan where an outcome is absent; `weights` as `case_weights` gives.

    >>> resampled_auc(Scored.of([1, 2, 3], [0, 1, 0]), np.array([[1.0, 1, 1], [3, 1, 1]]))
    array([0.5 , 0.75])
    """
    return resampled_areas(scored.scores, scored.positive, weights)


def left_out_auc(scored: Scored) -> Floats:
    """AUC without one patient each (jackknife), (patients,); nan where an outcome is then absent.

    Pairs won are whole or half numbers, so that taking away those of a patient is exact.

    >>> left_out_auc(Scored.of([1, 2, 3, 4], [0, 1, 0, 1], ["a", "b", "b", "c"]))
    array([0.5, 1. , 0.5])
    """
    won = rankdata(scored.scores)
    for own in (scored.positive, ~scored.positive):
        won[own] -= rankdata(scored.scores[own])
    won[~scored.positive] = scored.n_positive - won[~scored.positive]
    lost = scored.patient_sums(won) - _won_within(scored)
    positive = scored.patient_sums(scored.positive.astype(float))
    negative = scored.patient_sums((~scored.positive).astype(float))
    pairs = (scored.n_positive - positive) * (scored.n_negative - negative)
    with np.errstate(invalid="ignore"):
        return np.asarray((won[scored.positive].sum() - lost) / pairs)


def _won_within(scored: Scored) -> Floats:
    """Pairs of cases of one patient that the positive one wins, (patients,)."""
    found = np.zeros(scored.n_patients)
    order = np.argsort(scored.patients, kind="stable")
    ends = np.cumsum(np.bincount(scored.patients))
    for patient in np.flatnonzero(scored.patient_strata() == 3):
        cases = order[ends[patient - 1] if patient else 0 : ends[patient]]
        scores, positive = scored.scores[cases], scored.positive[cases]
        above, below = scores[positive][:, None], scores[~positive]
        found[patient] = np.sum((above > below) + (above == below) / 2)
    return found


@dataclass(frozen=True, eq=False, repr=False)
class RocBand(OneLine):
    """Sensitivity with its interval along the ROC curve.

    Attributes
    ----------
    specificity : (points,) from 0 to 1
    sensitivity : (points,) of the curve, points joined by straight lines
    lower, upper : (points,) percentiles over resamples of the patients
    """

    specificity: Floats
    sensitivity: Floats
    lower: Floats
    upper: Floats


BAND_POINTS = np.linspace(0, 1, 101)


def roc_band(scored: Scored, weights: Weights, confidence: float = 0.95) -> RocBand:
    """The curve's sensitivity at every specificity, with a pointwise bootstrap interval.

    `weights` (resamples, cases) are those of `case_weights`. As pROC's ci.se.

    >>> from centrum.evaluate.bootstrap import case_weights
    >>> scored = Scored.of([1, 2, 3, 4], [0, 1, 0, 1])
    >>> band = roc_band(scored, case_weights(scored, 100, seed=1))
    >>> float(band.sensitivity[0]), float(band.sensitivity[-1])
    (1.0, 0.5)
    """
    curve = roc_curve(scored)
    resampled = resampled_sensitivity(scored, weights)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    lower, upper = np.quantile(resampled, tails, axis=0)
    sensitivity = _at_specificity(curve.specificity, curve.sensitivity)
    return RocBand(BAND_POINTS, sensitivity, lower, upper)


def resampled_sensitivity(scored: Scored, weights: Weights) -> Floats:
    """Sensitivity of each resample at `BAND_POINTS`, (resamples, points)."""
    return in_blocks(weights, partial(_resampled_sensitivity, scored))


def _resampled_sensitivity(scored: Scored, weights: Floats) -> Floats:
    order = np.argsort(scored.scores, kind="stable")
    levels = np.flatnonzero(np.diff(scored.scores[order], prepend=-np.inf))
    drawn, is_positive = weights[:, order], scored.positive[order]
    below = [
        np.add.reduceat(drawn * of, levels, axis=1).cumsum(axis=1)
        for of in (is_positive, ~is_positive)
    ]
    positive, negative = (np.pad(b, ((0, 0), (1, 0))) / b[:, -1:] for b in below)
    return np.array([_at_specificity(n, 1 - p) for p, n in zip(positive, negative, strict=True)])


def _at_specificity(specificity: Floats, sensitivity: Floats) -> Floats:
    """Where the curve is vertical, the upper end: the best that is had at that specificity."""
    level, first = np.unique(specificity, return_index=True)
    return np.interp(BAND_POINTS, level, sensitivity[first])


def partial_auc(
    scored: Scored, lowest_specificity: float = 0.8, *, corrected: bool = True
) -> float:
    """Area under the ROC curve where the specificity is at least so high.

    Corrected (McClish, Med Decis Making 1989;9:190) it is 0.5 for chance and 1 for the best,
    as the whole AUC is; else it is the plain area, at most 1 - `lowest_specificity`.

    Raises
    ------
    DataError
        The specificity is not between 0 and 1.

    >>> partial_auc(Scored.of([1, 2, 3, 4], [0, 0, 1, 1]), 0.8)
    1.0
    """
    if not 0 <= lowest_specificity < 1:
        raise DataError(
            f"A partial AUC starts at a specificity from 0 to below 1, found {lowest_specificity}."
        )
    curve = roc_curve(scored)
    false, true = 1 - curve.specificity[::-1], curve.sensitivity[::-1]
    end = 1 - lowest_specificity
    inside = false <= end
    # At a vertical piece the curve ends at its upper point, as the trapezoids need.
    x = np.append(false[inside], end)
    at_end = np.interp(end, *_upper(false, true))
    y = np.append(true[inside], at_end)
    area = float(np.trapezoid(y, x))
    if not corrected:
        return area
    least, most = end**2 / 2, end
    return (1 + (area - least) / (most - least)) / 2


def _upper(false: Floats, true: Floats) -> tuple[Floats, Floats]:
    """The curve with the upper point of every vertical piece."""
    level = np.unique(false)
    return level, true[np.searchsorted(false, level, side="right") - 1]


@dataclass(frozen=True, eq=False, repr=False)
class PrecisionRecall(OneLine):
    """Precision (PPV) against recall (sensitivity), one point per threshold.

    Attributes
    ----------
    thresholds, precision, recall : (points,) thresholds rising; a case is positive at or above
    average_precision : sum of precision times the step of recall
    prevalence : precision of calling every case positive
    """

    thresholds: Floats
    precision: Floats
    recall: Floats
    average_precision: float
    prevalence: float


def precision_recall(scored: Scored) -> PrecisionRecall:
    """The curve of Saito and Rehmsmeier, PLoS One 2015;10:e0118432.

    >>> round(precision_recall(Scored.of([1, 2, 3, 4], [0, 1, 0, 1])).average_precision, 3)
    0.833
    """
    precision, recall, thresholds = precision_recall_curve(scored.positive, scored.scores)
    average = float(average_precision_score(scored.positive, scored.scores))
    prevalence = scored.n_positive / len(scored.scores)
    return PrecisionRecall(thresholds, precision[:-1], recall[:-1], average, prevalence)
