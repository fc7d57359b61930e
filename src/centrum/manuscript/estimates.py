"""How results are written in sentences: estimates with their confidence intervals."""

from collections.abc import Sequence
from typing import Protocol

from centrum.cohort.eligibility import CaseCounts
from centrum.evaluate import Evaluation
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.comparison import AucDifference
from centrum.evaluate.logistic import Coefficient
from centrum.text import (
    NO_INTERVAL,
    TO as TO,
    counted,
    fixed,
    interval_text,
    listed,
    p_equals,
    percent,
)


class WithInterval(Protocol):
    """A value with the interval that is reported."""

    @property
    def value(self) -> float: ...

    @property
    def interval(self) -> Interval: ...


def limits(found: Interval, confidence: float, join: str = "–", digits: int = 2) -> str:
    """The interval with its name.

    >>> limits(Interval(0.72, 0.958), 0.95), limits(Interval(1.0, 1.0), 0.95)
    ('95 % CI 0.72–0.96', 'no interval')
    """
    return _named(interval_text(found.lower, found.upper, digits, join), confidence)


def _named(told: str, confidence: float) -> str:
    return told if told == NO_INTERVAL else f"{percent(confidence)} CI {told}"


def estimate(
    value: float,
    interval: Interval,
    confidence: float,
    *further: str,
    join: str = "–",
    digits: int = 2,
) -> str:
    """A value with its interval, and what else stands between the brackets.

    >>> estimate(0.893, Interval(0.72, 0.958), 0.95, "P = .02")
    '0.89 (95 % CI 0.72–0.96; P = .02)'
    """
    told = "; ".join((limits(interval, confidence, join, digits), *further))
    return f"{fixed(value, digits)} ({told})"


def coefficient(found: Coefficient, confidence: float) -> str:
    """A coefficient, which may be negative."""
    return estimate(found.value, found.interval, confidence, join=TO)


def share(found: WithInterval, hits: int, total: int, confidence: float) -> str:
    """A share as a percentage with the cases that it is of.

    >>> share(Coefficient(2 / 3, 0.1, Interval(0.417, 0.848)), 10, 15, 0.95)
    '67 % (10 of 15; 95 % CI 42–85 %)'
    """
    told = interval_text(100 * found.interval.lower, 100 * found.interval.upper, digits=0)
    unit = "" if told == NO_INTERVAL else " %"
    return f"{percent(found.value, 0)} ({hits} of {total}; {_named(told, confidence)}{unit})"


def difference(found: AucDifference, confidence: float, digits: int = 2) -> str:
    """A difference of two AUCs with its interval and P."""
    p = p_equals(found.p)
    return estimate(found.difference, found.interval, confidence, p, join=TO, digits=digits)


def decisions(found: Evaluation, names: Sequence[str]) -> list[str]:
    """Measures of the decisions, each with its counts; of 0 cases there is none."""
    c = found.confusion
    counts = {
        "accuracy": (c.tp + c.tn, found.n),
        "sensitivity": (c.tp, c.tp + c.fn),
        "specificity": (c.tn, c.tn + c.fp),
        "ppv": (c.tp, c.tp + c.fp),
        "npv": (c.tn, c.tn + c.fn),
    }
    return [
        share(found.measures[name], *counts[name], found.confidence)
        if counts[name][1]
        else "not defined, as no case was called so"
        for name in names
    ]


def tally(found: CaseCounts, kind: str = "") -> str:
    """Cases and their patients.

    >>> tally(CaseCounts(3, 2, {}), "simulated")
    '3 simulated cases of 2 patients'
    """
    noun = f"{kind} case" if kind else "case"
    return f"{counted(found.cases, noun)} of {counted(found.patients, 'patient')}"


def by_outcome(found: CaseCounts) -> str:
    """Cases of each outcome.

    >>> by_outcome(CaseCounts(3, 2, {"malignant": 1, "osteoporotic": 2}))
    '1 malignant and 2 osteoporotic'
    """
    return listed([f"{n} {name}" for name, n in found.outcomes.items()])
