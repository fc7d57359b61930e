"""How many cases a prediction model of a two-valued outcome needs.

Sources: Riley, Snell, Ensor et al., Stat Med 2019;38:1276-1296; Riley, Ensor, Snell et al., BMJ
2020;368:m441 (the criteria, as in the R package pmsampsize); Riley, Van Calster, Collins, Stat Med
2021;40:859-864 (from a C statistic).
"""

from dataclasses import dataclass
from math import ceil, exp, floor, log, sqrt

import numpy as np
from scipy.special import log_expit, logit, xlogy
from scipy.stats import norm

from centrum.errors import DataError

SHRINKAGE = 0.9
"""Criterion 1: the global shrinkage of the coefficients that is to be expected, at least."""

OPTIMISM = 0.05
"""Criterion 2: largest expected optimism of Nagelkerke's R2."""

MARGIN = 0.05
"""Criterion 3: half the width of the 95 % confidence interval of the overall risk."""

Z = 1.96
"""As in the papers and their programs."""


@dataclass(frozen=True)
class Criterion:
    """What one of the criteria asks for.

    Attributes
    ----------
    name : what the criterion limits
    n : cases
    shrinkage : of the coefficients, that the criterion aims at
    events_per_parameter : at `n`
    """

    name: str
    n: int
    shrinkage: float
    events_per_parameter: float


@dataclass(frozen=True)
class SampleSize:
    """The smallest sample that meets all criteria.

    Attributes
    ----------
    parameters : candidate parameters, those that were tried and dropped included
    prevalence : share of cases with the outcome
    r2 : Cox and Snell's R2 that is expected of the model
    max_r2 : the largest that is possible at this prevalence
    criteria : the three of them
    """

    parameters: int
    prevalence: float
    r2: float
    max_r2: float
    criteria: tuple[Criterion, Criterion, Criterion]

    @property
    def n(self) -> int:
        """Cases needed."""
        return max(criterion.n for criterion in self.criteria)

    @property
    def events(self) -> float:
        """Cases with the outcome among them."""
        return self.n * self.prevalence

    @property
    def events_per_parameter(self) -> float:
        """At the sample size needed."""
        return self.events / self.parameters

    @property
    def nagelkerke(self) -> float:
        """The expected R2 as a share of the largest possible."""
        return self.r2 / self.max_r2


def minimum_sample_size(
    parameters: int, prevalence: float, r2: float, shrinkage: float = SHRINKAGE
) -> SampleSize:
    """Cases needed to develop a model with so many candidate parameters.

    Parameters
    ----------
    parameters : candidates, not those that a selection leaves
    prevalence : share of cases with the outcome
    r2 : Cox and Snell's R2 of an earlier model, corrected for optimism; from a C statistic by
        `r2_of_c_statistic`; Riley et al. advise 0.15 * `max_r2` where nothing is known
    shrinkage : criterion 1 expects at least this

    Raises
    ------
    DataError
        A number is out of its range.

    >>> needed = minimum_sample_size(24, prevalence=0.174, r2=0.3)
    >>> needed.n, [criterion.n for criterion in needed.criteria]
    (656, [592, 656, 221])
    """
    _check("prevalence", prevalence, 0, 1)
    _check("shrinkage", shrinkage, 0, 1)
    _check("r2 (Cox and Snell's)", r2, 0, min(max_r2(prevalence), shrinkage))
    if parameters < 1:
        raise DataError(f"A model has at least one candidate parameter, found {parameters}.")
    little_optimism = _shrinkage_of_little_optimism(r2, prevalence)
    stricter = max(shrinkage, little_optimism)
    asked = (
        ("shrinkage", parameters * _cases_per_parameter(r2, shrinkage), shrinkage),
        ("optimism", parameters * _cases_per_parameter(r2, little_optimism), little_optimism),
        ("overall risk", _cases_for_the_risk(prevalence), stricter),
    )
    first, second, third = (
        Criterion(name, ceil(n), s, ceil(n) * prevalence / parameters) for name, n, s in asked
    )
    criteria = (first, second, third)
    return SampleSize(parameters, prevalence, r2, max_r2(prevalence), criteria)


def most_parameters(n: int, prevalence: float, r2: float, shrinkage: float = SHRINKAGE) -> int:
    """How many candidate parameters a sample of n cases supports, by the same criteria.

    0 when it is too small to know the overall risk. Parameters and errors as for
    `minimum_sample_size`.

    >>> most_parameters(656, prevalence=0.174, r2=0.3)
    24
    >>> most_parameters(100, prevalence=0.5, r2=0.3)
    0
    """
    least = minimum_sample_size(1, prevalence, r2, shrinkage)
    if n < least.criteria[2].n:
        return 0
    return floor(n / _cases_per_parameter(r2, least.criteria[2].shrinkage))


def max_r2(prevalence: float) -> float:
    """The largest Cox-Snell R2 that is possible at a prevalence.

    >>> round(max_r2(0.5), 6)
    0.75
    """
    return 1 - exp(2 * _null(prevalence))


def r2_of_c_statistic(c: float, prevalence: float) -> float:
    """Cox and Snell's R2 of a model with this C statistic.

    The linear predictor is taken as normal with the same variance in both classes. The paper and
    pmsampsize simulate a million cases, with a Monte-Carlo error of about 0.0006; here the
    integral is computed.

    Raises
    ------
    DataError
        c not between 0.5 and 1, or prevalence not between 0 and 1.

    >>> round(r2_of_c_statistic(0.85, 0.5), 4)
    0.3472
    """
    _check("c statistic", c, 0.5, 1)
    _check("prevalence", prevalence, 0, 1)
    distance = sqrt(2) * norm.ppf(c)
    x, step = np.linspace(-12, distance + 12, 20_001, retstep=True)
    log_odds = logit(prevalence) + distance * (x - distance / 2)
    positive = prevalence * norm.pdf(x - distance) * log_expit(log_odds)
    negative = (1 - prevalence) * norm.pdf(x) * log_expit(-log_odds)
    explained = float(np.sum(positive + negative) * step) - _null(prevalence)
    return 1 - exp(-2 * explained)


def _null(prevalence: float) -> float:
    """Log-likelihood per case of the model without predictors."""
    return float(xlogy(prevalence, prevalence) + xlogy(1 - prevalence, 1 - prevalence))


def _cases_per_parameter(r2: float, shrinkage: float) -> float:
    """So that this shrinkage is expected of a model with this R2; criterion 1."""
    return 1 / ((shrinkage - 1) * log(1 - r2 / shrinkage))


def _shrinkage_of_little_optimism(r2: float, prevalence: float) -> float:
    return r2 / (r2 + OPTIMISM * max_r2(prevalence))


def _cases_for_the_risk(prevalence: float) -> float:
    return (Z / MARGIN) ** 2 * prevalence * (1 - prevalence)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise DataError(
            f"For a sample size {name} must lie between {low:g} and {high:.4g}, found {value:g}."
        )
