"""How well scores tell positive from negative cases: ROC curve and the area under it.

Higher scores speak for the positive outcome; the direction is never turned round, so an
AUC under 0.5 stays under 0.5. A case is called positive when its score is at least the
threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from centrum.evaluate.bootstrap import Interval, normal_interval
from centrum.evaluate.scored import Scored


@dataclass(frozen=True, eq=False)
class RocCurve:
    """One point per threshold, from "all positive" to "all negative".

    Attributes
    ----------
    thresholds : midpoints between neighbouring scores, with -inf and inf at the ends
    sensitivity, specificity : shares of positive and negative cases called rightly
    """

    thresholds: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]


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


def _midpoints(levels: NDArray[np.float64]) -> NDArray[np.float64]:
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
    area = auc(scored)
    placements = _placements(scored) - area
    positive = scored.patient_sums(np.where(scored.positive, placements, 0) / scored.n_positive)
    negative = scored.patient_sums(np.where(scored.positive, 0, placements) / scored.n_negative)
    strata = scored.patient_strata()
    n_positive, n_negative = np.sum(strata >= 2), np.sum(strata != 2)
    if min(n_positive, n_negative) < 2:
        return float("nan")
    return float(
        np.sum(positive**2) * n_positive / (n_positive - 1)
        + np.sum(negative**2) * n_negative / (n_negative - 1)
        + 2 * np.sum(positive * negative) * len(strata) / (len(strata) - 1)
    )


def _placements(scored: Scored) -> NDArray[np.float64]:
    """Share of the cases of the other outcome that each case is on the right side of."""
    placements = rankdata(scored.scores)
    for own, n_other, sign in (
        (scored.positive, scored.n_negative, 1),
        (~scored.positive, scored.n_positive, -1),
    ):
        share = (placements[own] - rankdata(scored.scores[own])) / n_other
        placements[own] = share if sign > 0 else 1 - share
    return placements


def delong_interval(scored: Scored, confidence: float = 0.95) -> Interval:
    """Confidence interval of the AUC from `delong_variance`, cut at 0 and 1."""
    return normal_interval(auc(scored), np.sqrt(delong_variance(scored)), confidence)


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


def resampled_auc(scored: Scored, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """AUC of each resample; `weights` (resamples, cases) are those of `case_weights`.

    >>> resampled_auc(Scored.of([1, 2, 3], [0, 1, 0]), np.array([[1.0, 1, 1], [3, 1, 1]]))
    array([0.5 , 0.75])
    """
    order = np.argsort(scored.scores, kind="stable")
    levels = np.flatnonzero(np.diff(scored.scores[order], prepend=-np.inf))
    drawn, is_positive = weights[:, order], scored.positive[order]
    positive = np.add.reduceat(drawn * is_positive, levels, axis=1)
    negative = np.add.reduceat(drawn * ~is_positive, levels, axis=1)
    below = negative.cumsum(axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return np.asarray((positive * below).sum(axis=1) / pairs)
