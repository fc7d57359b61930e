"""How many cases show what a model is worth on patients whom it was not fitted to.

Source: Riley, Debray, Collins et al., Stat Med 2021;40:4230-4251, as in the R package
pmvalsampsize; Riley, Snell, Archer et al., BMJ 2024;384:e074821. The variance of the C statistic
is Newcombe's (Stat Med 2006;25:559-573). The model is taken as calibrated, the cases as each of
another patient, and intervals as those of 95 %.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, sinh, sqrt
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import norm

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.evaluate.calibration import CLIP
from centrum.evaluate.sample_size import Z

OE, SLOPE, C, BENEFIT = "O/E", "calibration slope", "C statistic", "standardised net benefit"
"""What a validation measures: observed over expected cases, calibration, discrimination, use."""

WIDTHS: Mapping[str, float] = MappingProxyType({OE: 0.2, SLOPE: 0.2, C: 0.1, BENEFIT: 0.2})
"""Widths of the 95 % intervals that are aimed at; those of pmvalsampsize."""

FEWEST, MOST = 2, 10**9
"""Cases between which the sample size is looked for."""


@dataclass(frozen=True)
class Precision:
    """How exactly one measure is to be known.

    Attributes
    ----------
    measure : one of `WIDTHS`
    expected : its value
    width : of the 95 % interval that is aimed at
    n : cases needed
    """

    measure: str
    expected: float
    width: float
    n: int


@dataclass(frozen=True, eq=False)
class ExpectedModel:
    """What is expected of a model among the patients that it is to be validated on.

    Attributes
    ----------
    prevalence : share of cases with the positive outcome
    c : C statistic, the AUC
    log_odds, weights : (points,) distribution of the log-odds of the predicted probabilities
    threshold : probability from which on one would act, for the net benefit; None without
    """

    prevalence: float
    c: float
    log_odds: Floats
    weights: Floats
    threshold: float | None = None

    @classmethod
    def binormal(
        cls, prevalence: float, c: float, threshold: float | None = None
    ) -> "ExpectedModel":
        """From a C statistic: log-odds normal in both outcomes, with the same variance.

        Raises
        ------
        DataError
            A number is out of its range.
        """
        _check(prevalence, c, threshold)
        distance = sqrt(2) * norm.ppf(c)
        x = np.linspace(-10, distance + 10, 20_001)
        weights = prevalence * norm.pdf(x - distance) + (1 - prevalence) * norm.pdf(x)
        log_odds = logit(prevalence) + distance * (x - distance / 2)
        return cls(prevalence, c, log_odds, weights / weights.sum(), threshold)

    @classmethod
    def of(
        cls, prevalence: float, c: float, probabilities: ArrayLike, threshold: float | None = None
    ) -> "ExpectedModel":
        """With the probabilities (cases,) that the model gave to patients like those to come.

        Raises
        ------
        DataError
            A number is out of its range.
        """
        _check(prevalence, c, threshold)
        p = np.clip(np.asarray(probabilities, dtype=float), CLIP, 1 - CLIP)
        return cls(prevalence, c, logit(p), np.full(p.size, 1 / p.size), threshold)

    def width(self, measure: str, n: float) -> float:
        """Of the 95 % interval of a measure that n cases give.

        >>> round(ExpectedModel.binormal(0.5, 0.85).width("C statistic", 100), 3)
        0.153
        """
        return _WIDTH_OF[measure](self, n)

    @property
    def measures(self) -> dict[str, float]:
        """What is expected of each measure; the net benefit only at a threshold."""
        found = {OE: 1.0, SLOPE: 1.0, C: self.c}
        if self.threshold is not None:
            sensitivity, specificity = self.decisions
            found[BENEFIT] = sensitivity - self._harm * (1 - specificity)
        return found

    @property
    def decisions(self) -> tuple[float, float]:
        """Sensitivity and specificity at the threshold, of calibrated probabilities."""
        p = expit(self.log_odds)
        called = p >= (1 if self.threshold is None else self.threshold)
        positive, negative = self.weights * p, self.weights * (1 - p)
        return (
            min(float(positive[called].sum() / positive.sum()), 1.0),  # in spite of rounding
            min(float(negative[~called].sum() / negative.sum()), 1.0),
        )

    @property
    def _harm(self) -> float:
        """What a false alarm costs among the negative cases, in positive cases found."""
        at = 0.5 if self.threshold is None else self.threshold
        return (1 - self.prevalence) / self.prevalence * at / (1 - at)

    def _oe_width(self, n: float) -> float:
        """O/E is normal on the log scale."""
        return 2 * sinh(Z * sqrt((1 - self.prevalence) / (self.prevalence * n)))

    def _slope_width(self, n: float) -> float:
        """From Fisher's information of a logistic regression on the log-odds."""
        p = expit(self.log_odds)
        each = self.weights * p * (1 - p)
        total = float(each.sum())
        spread = float(np.sum(each * (self.log_odds - each @ self.log_odds / total) ** 2))
        return 2 * Z / sqrt(n * spread) if spread > 0 else inf

    def _c_width(self, n: float) -> float:
        c, pairs = self.c, n**2 * self.prevalence * (1 - self.prevalence)
        spread = 1 + (n / 2 - 1) * ((1 - c) / (2 - c) + c / (1 + c))
        return 2 * Z * sqrt(c * (1 - c) * spread / pairs)

    def _benefit_width(self, n: float) -> float:
        (sensitivity, specificity), share, w = self.decisions, self.prevalence, self._harm
        variance = sensitivity * (1 - sensitivity) / share + w**2 * (
            specificity * (1 - specificity) / (1 - share)
            + (1 - specificity) ** 2 / (share * (1 - share))
        )
        return 2 * Z * sqrt(variance / n)


_WIDTH_OF: Mapping[str, Callable[[ExpectedModel, float], float]] = {
    OE: ExpectedModel._oe_width,
    SLOPE: ExpectedModel._slope_width,
    C: ExpectedModel._c_width,
    BENEFIT: ExpectedModel._benefit_width,
}


@dataclass(frozen=True)
class ValidationSize:
    """The smallest sample that shows each measure as exactly as is aimed at.

    Attributes
    ----------
    prevalence : share of cases with the positive outcome
    criteria : one for each measure
    """

    prevalence: float
    criteria: tuple[Precision, ...]

    @property
    def n(self) -> int:
        """Cases needed."""
        return max(criterion.n for criterion in self.criteria)

    @property
    def events(self) -> float:
        """Cases with the positive outcome among them."""
        return self.n * self.prevalence


def validation_size(
    expected: ExpectedModel, widths: Mapping[str, float] = WIDTHS
) -> ValidationSize:
    """Cases needed to validate a model of which this is expected.

    Raises
    ------
    DataError
        A width is not above 0.

    >>> found = validation_size(ExpectedModel.binormal(0.5, 0.85))
    >>> {criterion.measure: criterion.n for criterion in found.criteria}
    {'O/E': 386, 'calibration slope': 1598, 'C statistic': 233}
    """
    criteria = tuple(
        Precision(measure, value, widths[measure], _smallest(expected, measure, widths[measure]))
        for measure, value in expected.measures.items()
    )
    return ValidationSize(expected.prevalence, criteria)


def _smallest(expected: ExpectedModel, measure: str, width: float) -> int:
    """The fewest cases that give an interval no wider than this; more cases never widen it."""
    if not width > 0 or expected.width(measure, MOST) > width:
        raise DataError(
            f"No sample gives an interval of the {measure} that is {width:g} wide; ask for a wider "
            "one."
        )
    low, high = FEWEST - 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if expected.width(measure, middle) <= width else (middle, high)
    return high


def _check(prevalence: float, c: float, threshold: float | None) -> None:
    ranges = {"prevalence": (prevalence, 0.0), "C statistic": (c, 0.5)}
    if threshold is not None:
        ranges["threshold"] = (threshold, 0.0)
    for name, (value, low) in ranges.items():
        if not low < value < 1:
            raise DataError(
                f"For the size of a validation the {name} must lie between {low:g} and 1, found "
                f"{value:g}."
            )
