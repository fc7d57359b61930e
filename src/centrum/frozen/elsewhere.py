"""What a frozen model says where the positive outcome is rarer or more frequent than in its study.

Probabilities are moved by `at_prevalence`, predictive values follow from the likelihood ratios by
Bayes's theorem. Both hold if the cases of each outcome are like those of the study.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.prevalence import at_prevalence
from centrum.evaluate.thresholds import predictive_values
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Score
from centrum.records import as_json, fields_of
from centrum.text import percent


@dataclass(frozen=True)
class PredictiveValue:
    """A predictive value with its interval; nan where it is not known."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Elsewhere:
    """A model at a stated prevalence of its positive outcome.

    Attributes
    ----------
    prevalence : where the case comes from
    own : share of the positive outcome among the training cases, of which probabilities are
    ppv, npv : at the prevalence, for calls at the frozen cut-off
    study_ppv, study_npv : among the study's own test cases
    """

    prevalence: float
    own: float
    ppv: PredictiveValue
    npv: PredictiveValue
    study_ppv: PredictiveValue
    study_npv: PredictiveValue

    @classmethod
    def of(cls, model: FrozenModel, prevalence: float) -> Self:
        """What the model's record says at a prevalence.

        Raises
        ------
        DataError
            The prevalence does not lie between 0 and 1.
        """
        training = model.provenance["training"]
        own = training["positive"] / max(training["cases"], 1)
        at_prevalence(0.5, own, prevalence)
        found = model.performance["test"]["at_cutoff"]
        ppv, npv = _at(found, prevalence)
        return cls(prevalence, own, ppv, npv, *(_recorded(found, name) for name in ("ppv", "npv")))

    def probability(self, probability: float) -> float:
        """The probability at the prevalence, from that of the study's mix."""
        return float(at_prevalence(probability, self.own, self.prevalence))

    def moved(self, score: Score) -> Score:
        """The score of a case with its probability and range moved to the prevalence."""
        p, low, high = (
            None if value is None else self.probability(value)
            for value in (score.probability, score.low, score.high)
        )
        return replace(score, probability=p, low=low, high=high)

    def record(self, score: Score) -> dict[str, Any]:
        """What is written beside the numbers of the study's mix; None where these are."""
        there = self.moved(score)
        own = {name: getattr(there, name) for name in ("probability", "low", "high")}
        return {**own, **as_json(self)}

    @property
    def at(self) -> str:
        """The prevalence in words."""
        return percent(self.prevalence)

    @property
    def condition(self) -> str:
        """What has to be so for its numbers to hold."""
        return (
            f"Of the training cases {percent(self.own, 0)} had the positive outcome. Numbers at a "
            f"prevalence of {self.at} hold if the cases of each outcome are like those of the "
            "study, so that sensitivity and specificity are the same. The intercept was moved by "
            "the log odds ratio of the two prevalences; score, cut-off and call stay."
        )


@as_json.register
def _(found: Elsewhere) -> dict[str, Any]:
    """With the condition under which it holds."""
    return {**fields_of(found), "condition": found.condition}


def _at(found: Mapping[str, Any], prevalence: float) -> tuple[PredictiveValue, PredictiveValue]:
    """From the likelihood ratios, whose limits become those of the predictive values."""
    above, below = (_recorded(found, name) for name in ("lr_positive", "lr_negative"))
    pairs = (
        (above.value, below.value),
        (above.interval.lower, below.interval.upper),
        (above.interval.upper, below.interval.lower),
    )
    (ppv, npv), low, high = (predictive_values(*pair, prevalence) for pair in pairs)
    return (
        PredictiveValue(ppv, Interval(low[0], high[0])),
        PredictiveValue(npv, Interval(low[1], high[1])),
    )


def _recorded(found: Mapping[str, Any], name: str) -> PredictiveValue:
    """A measure of a model's record; models of older versions lack some."""
    record = found.get(name, {"value": None, "interval": {"lower": None, "upper": None}})
    limits = (_number(record["interval"][side]) for side in ("lower", "upper"))
    return PredictiveValue(_number(record["value"]), Interval(*limits))


def _number(value: float | str | None) -> float:
    return float("nan" if value is None else value)
