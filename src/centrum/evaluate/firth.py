"""Logistic regression with Firth's penalty: finite where a cell is empty, less biased where events
are few.

Half the log-determinant of the information (Jeffreys' prior) is added to the log-likelihood. It
takes the bias of first order away, and there is always a maximum. Intervals and tests are those of
the profile of the penalised likelihood, which is far from symmetric where a cell is empty.

Sources: Firth, Biometrika 1993;80:27; Heinze and Schemper, Stat Med 2002;21:2409.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.logistic import CONVERGED, covariance_of, deviance, information_of
from centrum.evaluate.scored import Scored

MAX_STEPS = 100
"""Newton's steps; the last has squared the error of the one before."""


@dataclass(frozen=True, eq=False)
class FirthFit:
    """A maximum of the penalised likelihood.

    Attributes
    ----------
    design, y : (cases, k), (cases,) of 0 and 1
    beta : (k,) coefficients
    """

    design: Floats
    y: Floats
    beta: Floats

    @property
    def covariance(self) -> Floats:
        """Inverse of the information, (k, k)."""
        return np.asarray(
            np.linalg.inv(information_of(self.design, expit(self.design @ self.beta)))
        )

    def variances(self, scored: Scored) -> Floats:
        """Of the coefficients, (k,): where patients have several cases the larger of two.

        Those by patient and by case: residuals of an empty cell say little of the former.
        """
        by_case = np.diag(self.covariance)
        if scored.n_patients == scored.scores.size:
            return by_case
        by_patient = np.diag(covariance_of(self.design, 0.0, self.beta, scored))
        return np.asarray(np.maximum(by_patient, by_case))

    def interval(self, k: int, confidence: float) -> Interval:
        """Values of a coefficient that the profile does not reject."""
        quantile = float(stats.norm.ppf((1 + confidence) / 2))
        se = float(np.sqrt(self.covariance[k, k]))
        return Interval(self._end(k, -se, quantile), self._end(k, se, quantile))

    def p(self, k: int) -> float:
        """Of H0: the coefficient is 0, by the ratio of penalised likelihoods."""
        return float(stats.chi2.sf(self.statistic(k), 1))

    def statistic(self, k: int) -> float:
        """Chi-square of it, of one degree of freedom."""
        steps = np.ceil(abs(self.beta[k]) / np.sqrt(self.covariance[k, k]))
        found = self.beta
        for value in np.linspace(self.beta[k], 0.0, int(steps) + 1)[1:]:
            found = self._held(k, float(value), found)
        return self._cost(found) ** 2

    def _held(self, k: int, value: float, near: Floats) -> Floats:
        """The maximum with a coefficient held at a value, from one with it held near by."""
        start = near.copy()
        start[k] = value
        return _maximum(self.design, self.y, start, np.arange(start.size) != k)

    def _cost(self, beta: Floats) -> float:
        """Root of the penalised deviance that coefficients have above the least."""
        least, cost = (_penalised(self.design, self.y, b) for b in (self.beta, beta))
        return float(np.sqrt(max(cost - least, 0.0)))

    def _end(self, k: int, step: float, quantile: float) -> float:
        """Where the cost reaches a quantile, in the direction of the step, a standard error."""
        near, far = self.beta, self._held(k, float(self.beta[k]) + step, self.beta)
        while self._cost(far) < quantile:
            near, far = far, self._held(k, float(far[k]) + step, far)

        def above(value: float) -> float:
            return self._cost(self._held(k, value, near)) - quantile

        return float(brentq(above, near[k], far[k]))


def firth(design: Floats, y: Floats) -> FirthFit:
    """The regression of y (cases,) of 0 and 1 on a design (cases, k) that holds the intercept.

    Raises
    ------
    DataError
        A column of the design follows from the others.

    One of two cells is empty; the penalty adds half a case to every cell:

    >>> x = np.column_stack([np.ones(8), [0, 0, 0, 0, 1, 1, 1, 1]])
    >>> found = firth(x, np.array([0.0, 0, 1, 1, 1, 1, 1, 1]))
    >>> float(np.exp(found.beta[1]).round(6)), (4.5 * 2.5) / (0.5 * 2.5)
    (9.0, 9.0)
    """
    refuse_dependent(design)
    start = np.zeros(design.shape[1])
    return FirthFit(design, y, _maximum(design, y, start, start == 0))


def refuse_dependent(design: Floats) -> None:
    """Refuse a design (cases, k), intercept included, of which a column follows from the others.

    Raises
    ------
    DataError
        It has no single maximum.
    """
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise DataError(
            f"A regression of {design.shape[1] - 1} variables on {len(design)} cases has no single "
            "maximum: some follow from the others."
        )


def _penalised(design: Floats, y: Floats, beta: Floats) -> float:
    """-2 log-likelihood, less the log-determinant of the information."""
    log_odds = design @ beta
    information = information_of(design, expit(log_odds))
    return deviance(y, log_odds) - float(np.linalg.slogdet(information)[1])


def _maximum(design: Floats, y: Floats, start: Floats, free: Flags) -> Floats:
    """Newton's method from a start, with the coefficients that are not free held.

    A step is halved until it leads uphill.

    Raises
    ------
    DataError
        It does not settle.
    """
    beta = start
    for _ in range(MAX_STEPS):
        score, curvature = _slopes(design, y, beta, free)
        step = np.zeros_like(beta)
        step[free] = np.linalg.solve(curvature, score)
        worst = _penalised(design, y, beta) + CONVERGED
        while _penalised(design, y, beta + step) > worst:
            step = step / 2
        beta = beta + step
        if np.abs(step).max() < CONVERGED * (1 + np.abs(beta).max()):
            return beta
    raise DataError(
        f"The penalised likelihood of a regression of {design.shape[1] - 1} variables on "
        f"{len(design)} cases has not settled after {MAX_STEPS} steps."
    )


def _slopes(design: Floats, y: Floats, beta: Floats, free: Flags) -> tuple[Floats, Floats]:
    """Gradient and negative Hessian of the penalised log-likelihood, of the free coefficients.

    Where the latter is not positive, the information of the cases and of the half cases that the
    penalty adds to them takes its place.
    """
    p = expit(design @ beta)
    w, odd, own = p * (1 - p), 1 - 2 * p, design[:, free]
    inverse = np.linalg.inv(information_of(design, p))
    hat = w * np.sum(design @ inverse * design, axis=1)
    halves = own.T @ (own * (w * (1 + hat))[:, None])
    squares = np.einsum("ia,ib->iab", design, design).reshape(len(design), -1)
    mixed = (own * (w * odd)[:, None]).T @ squares
    moved = mixed @ np.kron(inverse, inverse) @ mixed.T
    exact = halves - own.T @ (own * (hat * odd**2)[:, None]) / 2 + moved / 2
    positive = np.linalg.eigvalsh(exact)[0] > 0
    return own.T @ (y - p + hat * odd / 2), np.asarray(exact if positive else halves)
