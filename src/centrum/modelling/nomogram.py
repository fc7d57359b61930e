"""A logistic regression as points: each variable's part of the log-odds on a scale of its own.

The variable with the largest effect over its axis has 100 points there, and the lowest effect of
every axis has 0. Source: Harrell, Regression Modeling Strategies, 2015, section 4.10 (`nomogram` of
R's rms).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from centrum.text import OneLine

MOST = 100.0
"""Points of the largest effect."""

PROBABILITIES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Marks of the axis of the probability, as far as they are reached."""

TICKS = 6
"""Steps that an axis of a number has at most."""

STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class NumberAxis:
    """A number: its log-odds per unit, and the ticks of its axis, from end to end."""

    variable: str
    per_unit: float
    ticks: tuple[float, ...]
    usual: float

    def effect(self, value: float) -> float:
        """Log-odds of a value."""
        return self.per_unit * value

    @property
    def effects(self) -> tuple[float, ...]:
        """Log-odds of the ticks."""
        return tuple(map(self.effect, self.ticks))


@dataclass(frozen=True)
class TextAxis:
    """A text: its levels with their log-odds, 0 for that which the others are compared with."""

    variable: str
    levels: tuple[str, ...]
    effects: tuple[float, ...]
    usual: str

    def effect(self, value: str) -> float:
        """Log-odds of a level."""
        return self.effects[self.levels.index(value)]


Axis = NumberAxis | TextAxis


@dataclass(frozen=True, eq=False, repr=False)
class Nomogram(OneLine):
    """A regression drawn.

    Attributes
    ----------
    intercept : log-odds where all numbers are 0 and all texts at their reference
    axes : of the variables, the score last; `usual` is the training mean, or the most frequent
        level
    share : of the positive outcome among the cases that it was fitted to

    >>> age = NumberAxis("age", 0.05, (50.0, 90.0), 70.0)
    >>> drawn = Nomogram(-4.0, (age, TextAxis("sex", ("F", "M"), (0.0, 0.5), "F")), 0.5)
    >>> drawn.points(age, 70.0), drawn.points(drawn.axes[1], "M")
    (50.0, 25.0)
    >>> round(drawn.probability(75.0), 3) == round(float(expit(-4.0 + 0.05 * 70 + 0.5)), 3)
    True
    """

    intercept: float
    axes: tuple[Axis, ...]
    share: float

    @property
    def per_log_odds(self) -> float:
        """Points of one unit of the log-odds."""
        return MOST / max(max(axis.effects) - min(axis.effects) for axis in self.axes)

    @property
    def at_zero(self) -> float:
        """Log-odds of no points at all."""
        return self.intercept + sum(min(axis.effects) for axis in self.axes)

    @property
    def most(self) -> float:
        """Points of all axes together."""
        spans = sum(max(axis.effects) - min(axis.effects) for axis in self.axes)
        return float(spans * self.per_log_odds)

    @property
    def digits(self) -> int:
        """Decimals that points need for their sum to give a probability to two decimals.

        Rounding all of them moves the log-odds by at most half a last digit each, and the
        probability by a quarter of that.
        """
        worst = 0.25 * len(self.axes) * 0.5 / self.per_log_odds
        return max(0, int(np.ceil(np.log10(worst / 0.005))))

    def points(self, axis: Axis, value: float | str) -> float:
        """Of a value of a variable."""
        effect = axis.effect(value)  # type: ignore[arg-type]
        return float((effect - min(axis.effects)) * self.per_log_odds)

    def probability(self, points: float, prevalence: float | None = None) -> float:
        """Of a sum of points; with a prevalence where the positive outcome is as frequent."""
        log_odds = self.at_zero + points / self.per_log_odds
        moved = 0.0 if prevalence is None else float(logit(prevalence) - logit(self.share))
        return float(expit(log_odds + moved))

    def points_at(self, probability: float, prevalence: float | None = None) -> float:
        """Sum of points that gives a probability."""
        moved = 0.0 if prevalence is None else float(logit(prevalence) - logit(self.share))
        return float((logit(probability) - moved - self.at_zero) * self.per_log_odds)

    def log_odds(self, values: Mapping[str, float | str]) -> float:
        """Of a case, by the regression itself."""
        parts = (axis.effect(values[axis.variable]) for axis in self.axes)  # type: ignore[arg-type]
        return self.intercept + sum(parts)


def ticks_over(lowest: float, highest: float, most: int = TICKS) -> tuple[float, ...]:
    """Round numbers, equally far apart, that enclose a range.

    >>> ticks_over(58, 89), ticks_over(-2.31, 3.9), ticks_over(0.02, 0.31)
    ((50.0, 60.0, 70.0, 80.0, 90.0), (-4.0, -2.0, 0.0, 2.0, 4.0), (0.0, 0.1, 0.2, 0.3, 0.4))
    """
    size = 10.0 ** np.floor(np.log10((highest - lowest) / most))
    for step in size * np.array([*STEPS, 20.0, 50.0]):
        first, last = np.floor(lowest / step + 1e-9), np.ceil(highest / step - 1e-9)
        if last - first <= most:
            break
    return tuple(float(f"{k * step:.12g}") for k in np.arange(first, last + 1))
