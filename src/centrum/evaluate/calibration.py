"""Whether predicted probabilities are those that come true.

Sources: Cox, Biometrika 1958;45:562 (slope and intercept); Van Calster et al., J Clin
Epidemiol 2016;74:167 (levels of calibration); Austin and Steyerberg, Stat Med 2019;38:4051
(ICI, E50, E90); Hosmer and Lemeshow, Commun Stat A 1980;9:1043; Harrell, Regression
Modeling Strategies, 2015, chapter 10 (val.prob of R's rms); Spiegelhalter, Stat Med 1986;5:421.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats
from scipy.special import expit, logit

from centrum.arrays import Flags, Floats, Ints
from centrum.errors import DataError
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.logistic import Coefficient, covariance_of, deviance, logistic, wald
from centrum.evaluate.lowess import lowess
from centrum.evaluate.scored import Scored
from centrum.evaluate.thresholds import proportion_interval
from centrum.text import OneLine

CLIP = 1e-6
"""Probabilities nearer to 0 and 1 have this distance when their log-odds are taken."""

SAME = 1e-6
"""Log-odds within this distance are equal."""

CURVE_KNOTS = (0.1, 0.5, 0.9)
"""Quantiles of the log-odds at which the flexible curve bends (Harrell, three knots)."""

CURVE_POINTS = 101


@dataclass(frozen=True, eq=False, repr=False)
class CalibrationCurve(OneLine):
    """The flexible calibration curve: observed against predicted probability, with interval."""

    predicted: Floats
    observed: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class RiskGroup:
    """Cases of similar predicted probability: its mean, and the share that is positive."""

    n: int
    predicted: float
    observed: float
    interval: Interval


@dataclass(frozen=True, eq=False, repr=False)
class HosmerLemeshow(OneLine):
    """The test of Hosmer and Lemeshow; each case counts as independent.

    Attributes
    ----------
    statistic, df, p : chi-square with as many degrees of freedom as there are groups, since
        nothing was fitted to the cases; of those that a model was fitted to it has two less
        (Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression, 2013, section 5.2.2)
    observed, expected : (groups, 2) negative and positive cases
    """

    statistic: float
    df: int
    p: float
    observed: Floats
    expected: Floats


@dataclass(frozen=True)
class Likelihood:
    """Indices of val.prob from the likelihood; each case counts as independent.

    Attributes
    ----------
    nagelkerke : R2 of the probabilities as they are, below 0 if worse than the prevalence
    discrimination : D, gain of the probabilities over the prevalence for everyone
    unreliability : U, what recalibrating would gain further
    quality : Q = D - U
    statistic, p : chi-square with 2 df of H0: the intercept is 0 and the slope 1

    U, Q and the test are nan where the slope is not defined.
    """

    nagelkerke: float
    discrimination: float
    unreliability: float
    quality: float
    statistic: float
    p: float


@dataclass(frozen=True)
class Spiegelhalter:
    """z and two-sided p of H0: the Brier score is that of true probabilities.

    nan where every probability is 0, 0.5 or 1, which says nothing.
    """

    z: float
    p: float


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(OneLine):
    """Calibration of probabilities on one set of cases.

    Attributes
    ----------
    slope, intercept : of a logistic regression of the outcome on the log-odds; 1 and 0 are
        ideal, a slope below 1 means too extreme
    in_the_large : intercept when the slope is held at 1; above 0 means too low on the whole
    brier, brier_scaled : mean squared error; 1 - that of the prevalence for everyone
    log_loss : mean negative log-likelihood
    likelihood, spiegelhalter : further indices and tests of val.prob
    expected_observed : expected over observed positive cases
    ici, e50, e90, emax : mean, median, 90th percentile and largest |predicted - observed| along
        a lowess curve
    curve : flexible curve; None where it cannot be fitted
    groups : by quantile of the prediction; the interval takes cases as independent
    hosmer_lemeshow : with as many groups; None with fewer than three different groups
    n_clipped : cases whose probability is nearer to 0 or 1 than `CLIP`
    reason : "" or why slope and intercept are not defined, and so no curve
    curve_reason : "" or why there is no curve
    """

    slope: Coefficient
    intercept: Coefficient
    in_the_large: Coefficient
    brier: float
    brier_scaled: float
    log_loss: float
    likelihood: Likelihood
    spiegelhalter: Spiegelhalter
    expected_observed: float
    ici: float
    e50: float
    e90: float
    emax: float
    curve: CalibrationCurve | None
    groups: tuple[RiskGroup, ...]
    hosmer_lemeshow: HosmerLemeshow | None
    n_clipped: int
    reason: str
    curve_reason: str


def calibration(scored: Scored, groups: int = 10, confidence: float = 0.95) -> Calibration:
    """Calibration of `scored`, whose scores are probabilities.

    Standard errors are of the likelihood, or, where patients have several cases, clustered by
    patient (Liang and Zeger, Biometrika 1986;73:13); nan with a single patient.

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
    bounded = np.clip(p, CLIP, 1 - CLIP)
    log_odds = logit(bounded)
    intercept, slope, reason = _recalibration(scored, log_odds, confidence)
    curve, no_curve = (None, reason) if reason else _curve(scored, log_odds, confidence)
    error = np.abs(p - lowess(p, y))
    prevalence = y.mean()
    brier = float(np.mean((p - y) ** 2))
    return Calibration(
        slope=slope,
        intercept=intercept,
        in_the_large=_in_the_large(scored, log_odds, confidence),
        brier=brier,
        brier_scaled=float(1 - brier / (prevalence * (1 - prevalence))),
        log_loss=float(-np.mean(y * np.log(bounded) + (1 - y) * np.log(1 - bounded))),
        likelihood=_likelihood(y, log_odds, intercept.value + slope.value * log_odds),
        spiegelhalter=_spiegelhalter(p, y),
        expected_observed=float(p.sum() / y.sum()),
        ici=float(error.mean()),
        e50=float(np.median(error)),
        e90=float(np.quantile(error, 0.9)),
        emax=float(error.max()),
        curve=curve,
        groups=_groups(p, y, groups, confidence),
        hosmer_lemeshow=hosmer_lemeshow(p, y, groups),
        n_clipped=int(np.count_nonzero(bounded != p)),
        reason=reason,
        curve_reason=no_curve,
    )


def hosmer_lemeshow(p: Floats, y: Floats, groups: int = 10) -> HosmerLemeshow | None:
    """The test in groups between the quantiles (R's type 7) of p; None with fewer than three.

    For cases that `p` was not fitted to.

    >>> p, y = np.linspace(0.05, 0.95, 40), np.r_[np.zeros(20), np.ones(20)]
    >>> hosmer_lemeshow(p, y, 4).df
    4
    """
    at = _bins(p, groups)
    number = int(at.max()) + 1
    if number < 3:
        return None
    observed, expected = (
        np.column_stack([np.bincount(at, weights=w).astype(float) for w in (1 - v, v)])
        for v in (y, p)
    )
    # A cell that should hold nobody and holds nobody adds nothing.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        parts = (observed - expected) ** 2 / expected
    statistic = float(np.where(observed == expected, 0, parts).sum())
    p_value = float(stats.chi2.sf(statistic, number))
    return HosmerLemeshow(statistic, number, p_value, observed, expected)


def _bins(p: Floats, groups: int) -> Ints:
    """Number of the group of each case, (cases,); groups without cases have no number."""
    edges = np.unique(np.quantile(p, np.linspace(0, 1, groups + 1)))
    above = np.maximum(np.searchsorted(edges, p, side="left"), 1)
    return np.asarray(np.unique(above, return_inverse=True)[1])


def _groups(p: Floats, y: Floats, groups: int, confidence: float) -> tuple[RiskGroup, ...]:
    at = _bins(p, groups)
    found = []
    for k in range(int(at.max()) + 1):
        own = at == k
        n, positive = int(own.sum()), int(y[own].sum())
        interval = proportion_interval(positive, n, confidence)
        found.append(RiskGroup(n, float(p[own].mean()), positive / n, interval))
    return tuple(found)


def _likelihood(y: Floats, log_odds: Floats, recalibrated: Floats) -> Likelihood:
    n, best = y.size, deviance(y, recalibrated)
    none, as_is = deviance(y, np.full(n, logit(y.mean()))), deviance(y, log_odds)
    gain, statistic = none - as_is, as_is - best
    discrimination, unreliability = (gain - 1) / n, (statistic - 2) / n
    return Likelihood(
        nagelkerke=float(np.expm1(-gain / n) / np.expm1(-none / n)),
        discrimination=discrimination,
        unreliability=unreliability,
        quality=discrimination - unreliability,
        statistic=statistic,
        p=float(stats.chi2.sf(statistic, 2)),
    )


def _spiegelhalter(p: Floats, y: Floats) -> Spiegelhalter:
    variance = np.sum((1 - 2 * p) ** 2 * p * (1 - p))
    if variance == 0:
        return Spiegelhalter(np.nan, np.nan)
    z = float(np.sum((y - p) * (1 - 2 * p)) / np.sqrt(variance))
    return Spiegelhalter(z, float(2 * stats.norm.sf(abs(z))))


def _recalibration(
    scored: Scored, log_odds: Floats, confidence: float
) -> tuple[Coefficient, Coefficient, str]:
    """Intercept and slope of the outcome on the log-odds."""
    undefined = Coefficient(np.nan, np.nan, Interval(np.nan, np.nan))
    if np.ptp(log_odds) < SAME:
        return undefined, undefined, "all predicted probabilities are equal"
    if _parted(log_odds, scored.positive):
        return undefined, undefined, "the probabilities part the outcomes without error"
    design = np.column_stack([np.ones_like(log_odds), log_odds])
    beta, covariance = logistic(design, scored)
    intercept, slope = (
        wald(b, v, confidence) for b, v in zip(beta, np.diag(covariance), strict=True)
    )
    return intercept, slope, ""


def _parted(log_odds: Floats, outcome: Flags) -> bool:
    """Whether some threshold tells the outcomes apart in either direction."""
    positive, negative = log_odds[outcome], log_odds[~outcome]
    return bool(positive.min() >= negative.max() or negative.min() >= positive.max())


def _in_the_large(scored: Scored, log_odds: Floats, confidence: float) -> Coefficient:
    def excess(intercept: float) -> float:
        return float(np.sum(scored.positive - expit(intercept + log_odds)))

    centre = logit(scored.positive.mean())
    found = optimize.brentq(excess, centre - log_odds.max() - 1, centre - log_odds.min() + 1)
    design, beta = np.ones((log_odds.size, 1)), np.array([found])
    return wald(found, covariance_of(design, log_odds, beta, scored)[0, 0], confidence)


def _curve(
    scored: Scored, log_odds: Floats, confidence: float
) -> tuple[CalibrationCurve | None, str]:
    """Restricted cubic spline of the log-odds by maximum likelihood, or why there is none."""
    knots = np.quantile(log_odds, CURVE_KNOTS)
    few = "too few different probabilities for a curve that bends"
    if np.diff(knots).min() < SAME:
        return None, few
    at = np.linspace(log_odds.min(), log_odds.max(), CURVE_POINTS)
    centre, scale = log_odds.mean(), log_odds.std()
    fitted, shown = (_spline(x, knots, centre, scale) for x in (log_odds, at))
    if np.linalg.matrix_rank(fitted, rtol=SAME) < fitted.shape[1]:
        return None, few
    beta, covariance = logistic(fitted, scored)
    if np.isnan(beta).any():
        return None, "a curve that bends parts the outcomes without error"
    line = shown @ beta
    se = np.sqrt(np.einsum("ij,jk,ik->i", shown, covariance, shown))
    half = stats.norm.ppf((1 + confidence) / 2) * se
    return CalibrationCurve(expit(at), expit(line), expit(line - half), expit(line + half)), ""


def _spline(x: Floats, knots: Floats, centre: float, scale: float) -> Floats:
    """Constant, line and the one cubic bend that is straight beyond three knots."""
    first, middle, last = knots
    a, b, c = (np.maximum(x - k, 0) ** 3 for k in knots)
    width = last - middle
    bend = (a - b * (last - first) / width + c * (middle - first) / width) / (last - first) ** 2
    return np.column_stack([np.ones_like(x), (x - centre) / scale, bend / scale])
