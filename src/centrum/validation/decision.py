"""What is learnt of a model's out-of-fold scores: cut-off, probabilities, conformal sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.arrays import Flags, Floats
from centrum.evaluate import CutOff, Scored
from centrum.evaluate.thresholds import (
    cost_cutoff,
    sensitivity_cutoff,
    specificity_cutoff,
    topleft_cutoff,
    youden_cutoff,
)
from centrum.modelling.calibrators import CALIBRATORS, Calibrator
from centrum.modelling.conformal import ConformalSets, learn_sets
from centrum.protocol import EvaluationSettings
from centrum.text import OneLine

LEARNT_ON = "training cases, out of fold"


@dataclass(frozen=True, eq=False, repr=False)
class Decision(OneLine):
    """From scores to calls, probabilities and sets.

    Attributes
    ----------
    cutoff : a score of at least its value is called positive
    calibrator : from scores to probabilities
    conformal : from scores to sets of outcomes
    """

    cutoff: CutOff
    calibrator: Calibrator
    conformal: ConformalSets

    def called(self, scores: ArrayLike) -> Flags:
        """Whether each case is called positive, (cases,)."""
        return np.asarray(np.asarray(scores, dtype=float) >= self.cutoff.value)

    def probability(self, scores: ArrayLike) -> Floats:
        """Probability of the positive outcome, (cases,)."""
        return self.calibrator.predict_proba(scores)

    def of_known(self, scores: Floats) -> tuple[Floats, Floats]:
        """Probability and call, 1 or 0, of each case, (cases,); nan where the score is."""
        known = np.isfinite(scores)
        likely, called = np.full((2, scores.size), np.nan)
        likely[known], called[known] = self.probability(scores[known]), self.called(scores[known])
        return likely, called

    def sets(self, scores: ArrayLike) -> tuple[str, ...]:
        """The outcomes that each case may have: positive, negative, uncertain or neither."""
        return self.conformal.of(scores)


def learn_decision(
    scores: Floats,
    positive: NDArray,
    patients: NDArray,
    settings: EvaluationSettings,
    calibration: str,
) -> Decision:
    """Learn all three on out-of-fold scores (cases,) of training cases."""
    scored = Scored.of(scores, positive, patients)
    return Decision(
        choose_cutoff(scored, settings, LEARNT_ON),
        CALIBRATORS[calibration]().fit(scores, positive),
        learn_sets(scores, positive, patients, settings.conformal_error),
    )


def choose_cutoff(scored: Scored, settings: EvaluationSettings, learnt_on: str) -> CutOff:
    """The cut-off of a protocol's rule.

    >>> choose_cutoff(Scored.of([1, 2, 3, 4], [0, 1, 0, 1]), EvaluationSettings(), "on").value
    1.5
    """
    return _RULES[settings.cutoff.rule](scored, settings, learnt_on)


_RULES: Mapping[str, Callable[[Scored, EvaluationSettings, str], CutOff]] = {
    "youden": lambda scored, settings, on: youden_cutoff(scored, on, settings.cutoff.ties),
    "closest_topleft": lambda scored, settings, on: topleft_cutoff(
        scored, on, settings.cutoff.ties
    ),
    "sensitivity": lambda scored, settings, on: sensitivity_cutoff(
        scored, settings.cutoff.target, on, settings.cutoff.ties
    ),
    "specificity": lambda scored, settings, on: specificity_cutoff(
        scored, settings.cutoff.target, on, settings.cutoff.ties
    ),
    "cost": lambda scored, settings, on: cost_cutoff(
        scored, on, settings.cutoff.cost_ratio, settings.prevalence, settings.cutoff.ties
    ),
}
