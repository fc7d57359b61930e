"""How much the predictions of a model depend on who happened to be in its training set.

Source: Riley and Collins, Biom J 2023;65:2200302. The whole procedure, calibration and cut-off
included, is repeated on bootstrap samples of the training patients; each refit predicts the same
patients as the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from centrum.arrays import Flags, Floats
from centrum.modelling.optimism import Resample
from centrum.modelling.settings import REFIT_RANGE
from centrum.records import as_json
from centrum.text import OneLine
from centrum.validation.fits import Fitted
from centrum.validation.matrix import Matrix

EXACT = 1e-6
"""A linear signature gives the scores of its model within this, relative where they exceed 1."""


@dataclass(frozen=True, eq=False, repr=False)
class LinearSignature(OneLine):
    """A refit that is linear, as numbers: score = intercept + sum of coefficient x z-score.

    Attributes
    ----------
    features : names, (k,)
    coefficients, means, sds : (k,)
    calibrator : from score to probability, as it is written down
    """

    features: tuple[str, ...]
    coefficients: Floats
    means: Floats
    sds: Floats
    intercept: float
    calibrator: Mapping[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Refit(OneLine):
    """The whole procedure repeated on one bootstrap sample of the training patients.

    Attributes
    ----------
    areas : of its scores, for the optimism
    probability, called : (cases,) of all cases of the study, in their order
    signature : None where the score is no weighted sum of z-scores
    """

    areas: Resample
    probability: Floats
    called: Floats
    signature: LinearSignature | None


@dataclass(frozen=True, eq=False, repr=False)
class Instability(OneLine):
    """Predictions of the model and of its refits for the same cases.

    Attributes
    ----------
    probability : (cases,) of the model
    called : (cases,) by it
    refits : (refits, cases) probabilities
    recalled : (refits, cases) calls
    """

    probability: Floats
    called: Flags
    refits: Floats
    recalled: Flags

    @property
    def ranges(self) -> Floats:
        """(2, cases) between which most refits put the probability."""
        return np.asarray(np.quantile(self.refits, REFIT_RANGE, axis=0))

    @property
    def errors(self) -> Floats:
        """(cases,) mean absolute prediction error: how far the refits' probabilities are away."""
        return np.asarray(np.abs(self.refits - self.probability).mean(axis=0))

    @property
    def changes(self) -> Floats:
        """(cases,) share of the refits that call the case otherwise."""
        return np.asarray((self.recalled != self.called).mean(axis=0))

    def of(self, there: Flags) -> "Instability":
        """Some of the cases."""
        return Instability(
            self.probability[there],
            self.called[there],
            self.refits[:, there],
            self.recalled[:, there],
        )


def instability(probability: Floats, called: Flags, refits: Sequence[Refit]) -> Instability:
    """Put the refits of a model together; `probability` and `called` (cases,) are its own.

    >>> one, two = (Refit(Resample(1, 1, 1), np.array([p, 0.4]), np.array([1.0, 0.0]), None)
    ...             for p in (0.7, 0.5))
    >>> found = instability(np.array([0.6, 0.5]), np.array([True, True]), [one, two])
    >>> found.errors.round(2), found.changes
    (array([0.1, 0.1]), array([0., 1.]))
    """
    likely = np.array([refit.probability for refit in refits])
    recalled = np.array([refit.called == 1 for refit in refits])
    return Instability(probability, called, likely, recalled)


def signature_of(
    fitted: Fitted, matrix: Matrix, scores: Floats, clip: float | None
) -> LinearSignature | None:
    """The linear signature of a fitted model that gives these scores (cases,) of all cases."""
    model = fitted.model
    if model.coef_ is None or not np.isfinite(model.coef_).all():
        return None
    at = [matrix.names.index(name) for name in model.selected_]
    z = (np.asarray(matrix.X[:, at, 0]) - model.mean_) / model.sd_
    found = model.intercept_ + (z if clip is None else np.clip(z, -clip, clip)) @ model.coef_
    known = np.isfinite(found)
    away = np.abs(found - scores)[known] / np.maximum(1, np.abs(scores[known]))
    if not known.any() or away.max() > EXACT:
        return None  # filled or harmonised before it is weighed
    return LinearSignature(
        tuple(map(str, model.selected_)),
        np.asarray(model.coef_),
        np.asarray(model.mean_),
        np.asarray(model.sd_),
        float(model.intercept_),
        as_json(fitted.decision.calibrator),
    )
