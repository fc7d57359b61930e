"""Odds ratios of a regression: by maximum likelihood where it can be trusted, else with Firth's
penalty.

The rule is written before anything is looked at: the penalty is used where a cell of an indicator
and the outcome is empty, where the rarer outcome has fewer than `FEWEST_EVENTS` cases for each
variable, and where the likelihood has no maximum.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from centrum.arrays import Floats
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.firth import firth, refuse_dependent
from centrum.evaluate.logistic import logistic, wald
from centrum.evaluate.scored import Scored

FEWEST_EVENTS = 10
"""Cases of the rarer outcome for each variable that maximum likelihood is left alone with. Source:
Peduzzi et al., J Clin Epidemiol 1996;49:1373."""

Penalty = Literal["", "empty", "few", "parted"]
"""Why Firth's penalty was used: an empty cell, few events, no maximum without it; "" if not."""


@dataclass(frozen=True)
class LogOddsRatio:
    """A coefficient of a regression, with its interval and two-sided P of H0: it is 0."""

    value: float
    interval: Interval
    p: float

    def times(self, units: float) -> "LogOddsRatio":
        """Of so many units of the variable."""
        ends = (units * self.interval.lower, units * self.interval.upper)
        return LogOddsRatio(units * self.value, Interval(*ends), self.p)


@dataclass(frozen=True)
class Regression:
    """Log odds ratios per unit of each variable, all in one regression."""

    found: tuple[LogOddsRatio, ...]
    penalty: Penalty


def regression(design: Floats, scored: Scored, confidence: float = 0.95) -> Regression:
    """The regression of the outcome on a design (cases, k) without the intercept.

    Maximum likelihood has Wald's intervals and tests, by patient where patients have several
    cases. Firth's penalty has those of the profile of the penalised likelihood; where patients have
    several cases, Wald's with the larger of the two variances, by patient and by case: residuals of
    an empty cell say little of its variance.

    Raises
    ------
    DataError
        A column follows from the others.

    >>> x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
    >>> found = regression(x, Scored.of(x[:, 0], [0, 1, 0, 1, 0, 1]))
    >>> found.penalty, round(found.found[0].value, 2)
    ('few', 0.24)
    """
    whole = np.column_stack([np.ones(len(design)), design])
    refuse_dependent(whole)
    penalty = _penalty(design, scored)
    if not penalty:
        beta, covariance = logistic(whole, scored)
        if not np.isnan(beta).any():
            return Regression(_wald(beta, np.diag(covariance), confidence), "")
    return Regression(_penalised(whole, scored, confidence), penalty or "parted")


def _penalty(design: Floats, scored: Scored) -> Penalty:
    if any(_has_empty_cell(column, scored) for column in design.T):
        return "empty"
    events = min(scored.n_positive, scored.n_negative)
    return "few" if events < FEWEST_EVENTS * design.shape[1] else ""


def _has_empty_cell(column: Floats, scored: Scored) -> bool:
    levels = np.unique(column)
    cells = [(column[scored.positive == side] == level).any()
             for level in levels for side in (False, True)]  # fmt: skip
    return levels.size == 2 and not all(cells)


def _wald(beta: Floats, variances: Floats, confidence: float) -> tuple[LogOddsRatio, ...]:
    found = [wald(b, v, confidence) for b, v in zip(beta[1:], variances[1:], strict=True)]
    return tuple(LogOddsRatio(c.value, c.interval, c.p) for c in found)


def _penalised(whole: Floats, scored: Scored, confidence: float) -> tuple[LogOddsRatio, ...]:
    fit = firth(whole, scored.positive.astype(float))
    if scored.n_patients < scored.scores.size:
        return _wald(fit.beta, fit.variances(scored), confidence)
    return tuple(
        LogOddsRatio(float(fit.beta[k]), fit.interval(k, confidence), fit.p(k))
        for k in range(1, fit.beta.size)
    )
