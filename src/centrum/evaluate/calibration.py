"""Whether predicted probabilities are those that come true.

Sources: Cox, Biometrika 1958;45:562 (slope and intercept); Van Calster et al., J Clin
Epidemiol 2016;74:167 (levels of calibration); Austin and Steyerberg, Stat Med 2019;38:4051
(ICI, E50, E90); Hosmer and Lemeshow, Commun Stat A 1980;9:1043.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit

from centrum.errors import DataError
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.lowess import lowess
from centrum.evaluate.scored import Scored
from centrum.evaluate.thresholds import proportion_interval

Floats = NDArray[np.float64]

CLIP = 1e-6
"""Probabilities nearer to 0 and 1 have this distance when their log-odds are taken."""

CURVE_KNOTS = (0.1, 0.5, 0.9)
"""Quantiles of the log-odds at which the flexible curve bends (Harrell, three knots)."""

CURVE_POINTS = 101

MAX_STEPS, CONVERGED = 100, 1e-12


@dataclass(frozen=True)
class Coefficient:
    """A coefficient with its standard error and Wald interval; nan where it is not defined."""

    value: float
    se: float
    interval: Interval


@dataclass(frozen=True, eq=False)
class Curve:
    """The flexible calibration curve: observed against predicted probability, with interval."""

    predicted: Floats
    observed: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Group:
    """Cases of similar predicted probability: its mean, and the share that is positive."""

    n: int
    predicted: float
    observed: float
    interval: Interval


@dataclass(frozen=True, eq=False)
class HosmerLemeshow:
    """The test of Hosmer and Lemeshow.

    Attributes
    ----------
    statistic, df, p : chi-square with groups - 2 degrees of freedom
    observed, expected : (groups, 2) negative and positive cases
    """

    statistic: float
    df: int
    p: float
    observed: Floats
    expected: Floats


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibration of probabilities on one set of cases.

    Attributes
    ----------
    slope, intercept : of a logistic regression of the outcome on the log-odds; 1 and 0 are
        ideal, a slope below 1 means too extreme
    in_the_large : intercept when the slope is held at 1; above 0 means too low on the whole
    brier, brier_scaled : mean squared error; 1 - that of the prevalence for everyone
    log_loss : mean negative log-likelihood
    expected_observed : expected over observed positive cases
    ici, e50, e90, emax : mean, median, 90th percentile and largest |predicted - observed| along
        a lowess curve
    curve : flexible curve; None where it cannot be fitted
    groups : by quantile of the prediction
    hosmer_lemeshow : with as many groups; None with fewer than three different groups
    reason : "" or why slope, intercept and curve are not defined
    """

    slope: Coefficient
    intercept: Coefficient
    in_the_large: Coefficient
    brier: float
    brier_scaled: float
    log_loss: float
    expected_observed: float
    ici: float
    e50: float
    e90: float
    emax: float
    curve: Curve | None
    groups: tuple[Group, ...]
    hosmer_lemeshow: HosmerLemeshow | None
    reason: str


def calibration(scored: Scored, groups: int = 10, confidence: float = 0.95) -> Calibration:
    """Calibration of `scored`, whose scores are probabilities.

    Standard errors are of the likelihood, or, where patients have several cases, clustered by
    patient.

    Raises
    ------
    DataError
        A score is no probability.

    >>> y = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> found = calibration(Scored.of([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9], y), groups=4)
    >>> round(found.brier, 3), round(found.expected_observed, 3)
    (0.2, 1.0)
    """
    p, y = scored.scores, scored.positive.astype(float)
    if p.min() < 0 or p.max() > 1:
        raise DataError(
            f"Calibration is of probabilities from 0 to 1, found {p.min():.3g} to {p.max():.3g}; "
            "calibrate the scores first (`model.calibration`)."
        )
    log_odds = logit(np.clip(p, CLIP, 1 - CLIP))
    intercept, slope, reason = _recalibration(scored, log_odds, confidence)
    error = np.abs(p - lowess(p, y)) if np.ptp(p) > 0 else np.abs(p - y.mean())
    prevalence = y.mean()
    brier = float(np.mean((p - y) ** 2))
    bounded = np.clip(p, CLIP, 1 - CLIP)
    return Calibration(
        slope=slope,
        intercept=intercept,
        in_the_large=_in_the_large(scored, log_odds, confidence),
        brier=brier,
        brier_scaled=float(1 - brier / (prevalence * (1 - prevalence))),
        log_loss=float(-np.mean(y * np.log(bounded) + (1 - y) * np.log(1 - bounded))),
        expected_observed=float(p.sum() / y.sum()),
        ici=float(error.mean()),
        e50=float(np.median(error)),
        e90=float(np.quantile(error, 0.9)),
        emax=float(error.max()),
        curve=None if reason else _curve(scored, log_odds, confidence),
        groups=_groups(p, y, groups, confidence),
        hosmer_lemeshow=hosmer_lemeshow(p, y, groups),
        reason=reason,
    )


def hosmer_lemeshow(p: Floats, y: Floats, groups: int = 10) -> HosmerLemeshow | None:
    """The test in groups between the quantiles (R's type 7) of p; None with fewer than three.

    >>> p, y = np.linspace(0.05, 0.95, 40), np.r_[np.zeros(20), np.ones(20)]
    >>> hosmer_lemeshow(p, y, 4).df
    2
    """
    edges = np.unique(np.quantile(p, np.linspace(0, 1, groups + 1)))
    if edges.size < 4:
        return None
    at = np.clip(np.searchsorted(edges, p, side="left"), 1, edges.size - 1) - 1
    number = edges.size - 1
    observed, expected = (
        np.column_stack([np.bincount(at, weights=w, minlength=number) for w in (1 - v, v)]).astype(
            float
        )
        for v in (y, p)
    )
    # A group that should hold nobody and holds nobody adds nothing.
    parts = np.divide(
        (observed - expected) ** 2, expected, out=np.zeros_like(observed), where=expected > 0
    )
    statistic = float(parts.sum())
    df = number - 2
    return HosmerLemeshow(statistic, df, float(stats.chi2.sf(statistic, df)), observed, expected)


def _groups(p: Floats, y: Floats, groups: int, confidence: float) -> tuple[Group, ...]:
    edges = np.unique(np.quantile(p, np.linspace(0, 1, groups + 1)))
    at = np.clip(np.searchsorted(edges, p, side="left"), 1, max(edges.size - 1, 1)) - 1
    found = []
    for k in np.unique(at):
        own = at == k
        n, positive = int(own.sum()), int(y[own].sum())
        interval = proportion_interval(positive, n, confidence)
        found.append(Group(n, float(p[own].mean()), positive / n, interval))
    return tuple(found)


def _recalibration(
    scored: Scored, log_odds: Floats, confidence: float
) -> tuple[Coefficient, Coefficient, str]:
    """Intercept and slope of the outcome on the log-odds."""
    undefined = Coefficient(np.nan, np.nan, Interval(np.nan, np.nan))
    if np.ptp(log_odds) == 0:
        return undefined, undefined, "all predicted probabilities are equal"
    if _parted(scored):
        return undefined, undefined, "the probabilities part the outcomes without error"
    design = np.column_stack([np.ones_like(log_odds), log_odds])
    beta, covariance = _logistic(design, np.zeros_like(log_odds), scored)
    intercept, slope = (
        _wald(b, v, confidence) for b, v in zip(beta, np.diag(covariance), strict=True)
    )
    return intercept, slope, ""


def _parted(scored: Scored) -> bool:
    """Whether some threshold tells the outcomes apart in either direction."""
    positive, negative = scored.scores[scored.positive], scored.scores[~scored.positive]
    return bool(positive.min() >= negative.max() or negative.min() >= positive.max())


def _in_the_large(scored: Scored, log_odds: Floats, confidence: float) -> Coefficient:
    beta, covariance = _logistic(np.ones((log_odds.size, 1)), log_odds, scored)
    return _wald(beta[0], covariance[0, 0], confidence)


def _logistic(design: Floats, offset: Floats, scored: Scored) -> tuple[Floats, Floats]:
    """Maximum likelihood and covariance, clustered where patients have several cases."""
    y, beta = scored.positive.astype(float), np.zeros(design.shape[1])
    for _ in range(MAX_STEPS):
        p = expit(design @ beta + offset)
        information = design.T @ (design * (p * (1 - p))[:, None])
        step = np.linalg.solve(information, design.T @ (y - p))
        beta = beta + step
        if np.abs(step).max() < CONVERGED:
            break
    inverse = np.linalg.inv(information)
    if scored.n_patients == y.size:
        return beta, inverse
    scores = design * (y - expit(design @ beta + offset))[:, None]
    by_patient = np.column_stack([scored.patient_sums(column) for column in scores.T])
    many = scored.n_patients / (scored.n_patients - 1)
    return beta, many * inverse @ by_patient.T @ by_patient @ inverse


def _wald(value: float, variance: float, confidence: float) -> Coefficient:
    se = float(np.sqrt(variance))
    half = float(stats.norm.ppf((1 + confidence) / 2)) * se
    return Coefficient(float(value), se, Interval(float(value) - half, float(value) + half))


def _curve(scored: Scored, log_odds: Floats, confidence: float) -> Curve | None:
    """Restricted cubic spline of the log-odds, fitted by maximum likelihood."""
    knots = np.quantile(log_odds, CURVE_KNOTS)
    if np.unique(knots).size < len(CURVE_KNOTS):
        return None
    at = np.linspace(log_odds.min(), log_odds.max(), CURVE_POINTS)
    centre, scale = log_odds.mean(), log_odds.std()
    fitted, shown = (_spline(x, knots, centre, scale) for x in (log_odds, at))
    beta, covariance = _logistic(fitted, np.zeros_like(log_odds), scored)
    if not np.isfinite(beta).all() or np.abs(beta).max() > 1 / CLIP:
        return None
    line = shown @ beta
    se = np.sqrt(np.einsum("ij,jk,ik->i", shown, covariance, shown))
    half = stats.norm.ppf((1 + confidence) / 2) * se
    return Curve(expit(at), expit(line), expit(line - half), expit(line + half))


def _spline(x: Floats, knots: Floats, centre: float, scale: float) -> Floats:
    """Constant, line and the one cubic bend that is straight beyond three knots."""
    first, middle, last = knots
    a, b, c = (np.maximum(x - k, 0) ** 3 for k in knots)
    width = last - middle
    bend = (a - b * (last - first) / width + c * (middle - first) / width) / (last - first) ** 2
    return np.column_stack([np.ones_like(x), (x - centre) / scale, bend / scale])
