"""Whether deciding by the model does more good than treating everybody or nobody.

Source: Vickers and Elkin, Med Decis Making 2006;26:565; conventions of R's dcurves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.errors import DataError
from centrum.evaluate.scored import Scored

Floats = NDArray[np.float64]

THRESHOLDS = np.arange(1, 100) / 100


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit over threshold probabilities, in true positives per case.

    Attributes
    ----------
    thresholds : (points,) probability from which on one would act
    model, treat_all : (points,) net benefit; that of acting on nobody is 0
    lower, upper : (points,) bootstrap interval of the model's, nan without resamples
    difference_lower, difference_upper : (points,) of model - the better of all and nobody
    avoided : (points,) interventions avoided per 100 cases, against acting on everybody
    prevalence : of the positive outcome
    """

    thresholds: Floats
    model: Floats
    treat_all: Floats
    lower: Floats
    upper: Floats
    difference_lower: Floats
    difference_upper: Floats
    avoided: Floats
    prevalence: float

    @property
    def standardised(self) -> Floats:
        """Net benefit as a share of the largest possible, the prevalence."""
        return self.model / self.prevalence


def decision_curve(
    scored: Scored,
    weights: Floats | None = None,
    thresholds: ArrayLike = THRESHOLDS,
    prevalence: float | None = None,
    confidence: float = 0.95,
) -> DecisionCurve:
    """The decision curve of `scored`, whose scores are probabilities.

    A case is acted on when its probability is at least the threshold.

    Parameters
    ----------
    weights : (resamples, cases) of `case_weights`, for the intervals
    prevalence : where the model is to be used, if the cases' is another (case-control)

    Raises
    ------
    DataError
        Scores that are no probabilities, thresholds that are not between 0 and 1.

    >>> found = decision_curve(Scored.of([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1]), thresholds=[0.5])
    >>> found.model, found.treat_all
    (array([0.5]), array([0.]))
    """
    at = np.asarray(thresholds, dtype=float)
    if scored.scores.min() < 0 or scored.scores.max() > 1 or at.min() <= 0 or at.max() >= 1:
        raise DataError(
            "A decision curve is of probabilities, at thresholds between 0 and 1; found scores "
            f"from {scored.scores.min():.3g} to {scored.scores.max():.3g}."
        )
    share = scored.n_positive / len(scored.scores) if prevalence is None else prevalence
    odds = at / (1 - at)
    called = scored.scores[:, None] >= at
    own = np.ones((1, len(scored.scores)))
    model = _net_benefit(scored, own, called, odds, share if prevalence is not None else None)[0]
    treat_all = share - (1 - share) * odds
    bounds = np.full((4, at.size), np.nan)
    if weights is not None:
        resampled = _net_benefit(scored, weights, called, odds, prevalence)
        drawn = _shares(scored, weights) if prevalence is None else np.full(len(weights), share)
        everybody = drawn[:, None] - (1 - drawn[:, None]) * odds
        gain = resampled - np.maximum(everybody, 0)
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        bounds = np.vstack([np.quantile(v, tails, axis=0) for v in (resampled, gain)])
    avoided = (model - treat_all) / odds * 100
    lower, upper, gain_lower, gain_upper = bounds
    return DecisionCurve(at, model, treat_all, lower, upper, gain_lower, gain_upper, avoided, share)


def _net_benefit(
    scored: Scored,
    weights: Floats,
    called: NDArray[np.bool_],
    odds: Floats,
    prevalence: float | None,
) -> Floats:
    """Of each row of weights, (rows, thresholds)."""
    positive = scored.positive.astype(float)
    hits, alarms = (
        weights @ (called * positive[:, None]),
        weights @ (called * (1 - positive)[:, None]),
    )
    n_positive, n = weights @ positive, weights.sum(axis=1)
    share = (n_positive / n if prevalence is None else np.full(len(n), prevalence))[:, None]
    sensitivity = hits / n_positive[:, None]
    false_alarm = alarms / (n - n_positive)[:, None]
    return np.asarray(sensitivity * share - false_alarm * (1 - share) * odds)


def _shares(scored: Scored, weights: Floats) -> Floats:
    return np.asarray(weights @ scored.positive.astype(float) / weights.sum(axis=1))
