"""Whether deciding by the model does more good than treating everybody or nobody.

Source: Vickers and Elkin, Med Decis Making 2006;26:565; conventions of R's dcurves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.evaluate.bootstrap import Weights, in_blocks
from centrum.evaluate.scored import Scored
from centrum.text import OneLine

THRESHOLDS = np.arange(1, 100) / 100

TINY = 1e-12
"""Net benefits that differ by less are the same."""


@dataclass(frozen=True, eq=False, repr=False)
class DecisionCurve(OneLine):
    """Net benefit over threshold probabilities, in true positives per case.

    Attributes
    ----------
    thresholds : (points,) probability from which on one would act
    model, treat_all : (points,) net benefit; that of acting on nobody is 0
    lower, upper : (points,) bootstrap interval of the model's, nan without resamples
    difference_lower, difference_upper : (points,) of `difference`, nan without resamples
    over_all_lower, over_all_upper : (points,) of `over_all`, nan without resamples
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
    over_all_lower: Floats
    over_all_upper: Floats
    avoided: Floats
    prevalence: float

    @property
    def difference(self) -> Floats:
        """What the model gains over the better of acting on everybody and on nobody."""
        return np.asarray(self.model - np.maximum(self.treat_all, 0))

    @property
    def over_all(self) -> Floats:
        """What the model gains over acting on everybody."""
        return np.asarray(self.model - self.treat_all)

    @property
    def standardised(self) -> Floats:
        """Net benefit as a share of the largest possible, the prevalence."""
        return self.model / self.prevalence


def decision_curve(
    scored: Scored,
    weights: Weights | None = None,
    thresholds: ArrayLike = THRESHOLDS,
    prevalence: float | None = None,
    confidence: float = 0.95,
) -> DecisionCurve:
    """The decision curve of `scored`, whose scores are probabilities.

    A case is acted on when its probability is at least the threshold.

    Parameters
    ----------
    weights : (resamples, cases) of `case_weights`, for the intervals; as these keep the number
        of positive patients, the intervals hold for the prevalence of the cases
    prevalence : where the model is to be used, if the cases' is another (case-control)

    Raises
    ------
    DataError
        Scores that are no probabilities; thresholds or a prevalence not between 0 and 1.

    >>> found = decision_curve(Scored.of([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1]), thresholds=[0.5])
    >>> found.model, found.treat_all
    (array([0.5]), array([0.]))
    """
    at = np.atleast_1d(np.asarray(thresholds, dtype=float))
    _check(scored, at, prevalence)
    odds = at / (1 - at)
    called = scored.scores[:, None] >= at
    every = np.ones((len(called), 1), dtype=bool)
    own = np.ones((1, len(called)))
    model, treat_all = (
        _net_benefit(scored, own, acted, odds, prevalence)[0] for acted in (called, every)
    )
    bounds = np.full((6, at.size), np.nan)
    if weights is not None:
        resampled, everybody = (
            _net_benefit(scored, weights, acted, odds, prevalence) for acted in (called, every)
        )
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        gains = resampled - np.maximum(everybody, 0), resampled - everybody
        bounds = np.vstack([np.quantile(v, tails, axis=0) for v in (resampled, *gains)])
    return DecisionCurve(
        thresholds=at,
        model=model,
        treat_all=treat_all,
        lower=bounds[0],
        upper=bounds[1],
        difference_lower=bounds[2],
        difference_upper=bounds[3],
        over_all_lower=bounds[4],
        over_all_upper=bounds[5],
        avoided=(model - treat_all) / odds * 100,
        prevalence=scored.n_positive / len(called) if prevalence is None else prevalence,
    )


def _check(scored: Scored, thresholds: Floats, prevalence: float | None) -> None:
    p = scored.scores
    inside = np.append(thresholds, [] if prevalence is None else prevalence)
    if p.min() < 0 or p.max() > 1 or not ((inside > 0) & (inside < 1)).all():
        raise DataError(
            "A decision curve is of probabilities, at thresholds and a prevalence between 0 and "
            f"1; found scores from {p.min():.3g} to {p.max():.3g}, thresholds from "
            f"{thresholds.min(initial=np.inf):.3g} to {thresholds.max(initial=-np.inf):.3g}, "
            f"prevalence {'of the cases' if prevalence is None else prevalence}; calibrate the "
            "scores first, or give others."
        )


def _net_benefit(
    scored: Scored,
    weights: Weights,
    called: Flags,
    odds: Floats,
    prevalence: float | None,
) -> Floats:
    """Of each row of weights, (rows, thresholds)."""
    positive = scored.positive.astype(float)
    hits, alarms = (_drawn(weights, called * of[:, None]) for of in (positive, 1 - positive))
    n_positive, n = _drawn(weights, positive), weights.sum(axis=1).astype(float)
    share = (n_positive / n if prevalence is None else np.full(len(n), prevalence))[:, None]
    sensitivity = hits / n_positive[:, None]
    false_alarm = alarms / (n - n_positive)[:, None]
    return np.asarray(sensitivity * share - false_alarm * (1 - share) * odds)


def _drawn(weights: Weights, of: Floats) -> Floats:
    """How many of these cases are in each resample."""
    return in_blocks(weights, lambda rows: rows @ of)
