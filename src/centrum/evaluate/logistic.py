"""Logistic regression by maximum likelihood, with the covariance of what it finds."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg, stats
from scipy.special import expit, log_expit

from centrum.arrays import Floats
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.scored import Scored

MAX_STEPS, CONVERGED = 100, 1e-9
"""Newton's steps; the last has squared the error of the one before."""

VANISHED = 1e-10
"""Share of its information that a direction keeps at a maximum; less where there is none."""


@dataclass(frozen=True)
class Coefficient:
    """A coefficient with its standard error and Wald interval; nan where it is not defined."""

    value: float
    se: float
    interval: Interval

    @property
    def p(self) -> float:
        """Wald's, two-sided, of H0: it is 0."""
        return float(2 * stats.norm.sf(abs(self.value / self.se)))


def logistic(design: Floats, scored: Scored) -> tuple[Floats, Floats]:
    """Maximum likelihood (k,) of the outcome on a design (cases, k), and covariance (k, k).

    Standard errors are of the likelihood, or, where patients have several cases, clustered by
    patient (Liang and Zeger, Biometrika 1986;73:13). nan where the likelihood rises for ever.
    """
    beta = _maximum(design, scored.positive.astype(float))
    if np.isnan(beta).any():
        return beta, np.full((beta.size, beta.size), np.nan)
    return beta, covariance_of(design, 0.0, beta, scored)


def deviance(y: Floats, log_odds: Floats) -> float:
    """-2 log-likelihood."""
    return float(2 * np.sum(-log_expit(np.where(y > 0, log_odds, -log_odds))))


def _maximum(design: Floats, y: Floats) -> Floats:
    """Newton's method, a step halved until it leads uphill."""
    beta, gram = np.zeros(design.shape[1]), design.T @ design
    for _ in range(MAX_STEPS):
        p = expit(design @ beta)
        information = information_of(design, p)
        if linalg.eigvalsh(information, gram)[0] < VANISHED:
            break
        step = np.linalg.solve(information, design.T @ (y - p))
        worst = deviance(y, design @ beta) + CONVERGED
        while deviance(y, design @ (beta + step)) > worst:
            step = step / 2
        beta = beta + step
        if np.abs(step).max() < CONVERGED * (1 + np.abs(beta).max()):
            return beta
    return np.full_like(beta, np.nan)


def information_of(design: Floats, p: Floats) -> Floats:
    """Of the likelihood, (k, k), where cases have probabilities p (cases,)."""
    return np.asarray(design.T @ (design * (p * (1 - p))[:, None]))


def covariance_of(design: Floats, offset: Floats | float, beta: Floats, scored: Scored) -> Floats:
    """Of the coefficients, clustered by patient where patients have several cases."""
    p = expit(design @ beta + offset)
    inverse = np.asarray(np.linalg.inv(information_of(design, p)))
    n = scored.n_patients
    if n == p.size:
        return inverse
    scores = design.T * (scored.positive - p)
    by_patient = np.column_stack([scored.patient_sums(score) for score in scores])
    many = n / (n - 1) if n > 1 else np.nan
    return np.asarray(many * inverse @ by_patient.T @ by_patient @ inverse)


def wald(value: float, variance: float, confidence: float) -> Coefficient:
    """A coefficient with its interval."""
    se = float(np.sqrt(variance))
    half = float(stats.norm.ppf((1 + confidence) / 2)) * se
    return Coefficient(float(value), se, Interval(float(value) - half, float(value) + half))
