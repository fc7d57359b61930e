"""The range of a patient's probability: the same procedure fitted to other patients, as numbers."""

from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from centrum.arrays import Floats
from centrum.frozen.inputs import Covariate, FeaturePart
from centrum.frozen.schema import PART, CalibratorPart, Number, Positions, Positive, Vector, agree
from centrum.modelling.settings import REFIT_RANGE
from centrum.text import OneLine, percent


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class LinearRefit(OneLine):
    """A refit: score = intercept + sum of coefficient x z-score, and its probability.

    Attributes
    ----------
    at : (k,) positions among the features of all refits
    means, sds, coefficients : (k,)
    """

    at: Positions
    means: Vector
    sds: Vector
    coefficients: Vector
    intercept: Number
    calibrator: CalibratorPart

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        sizes = {x.size for x in (self.at, self.means, self.sds, self.coefficients)}
        agree(len(sizes) == 1, "expected lists of equal length")
        agree(bool((self.sds > 0).all()), "expected SDs above 0")
        return self

    def probability(self, values: Floats, clip: float | None) -> float:
        """Of one case, from the values of all refits' features."""
        z = (values[self.at] - self.means) / self.sds
        z = z if clip is None else np.clip(z, -clip, clip)
        score = np.array([self.intercept + z @ self.coefficients])
        return float(self.calibrator.predict_proba(score)[0])


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Refits(OneLine):
    """Refits of a model on bootstrap samples of its training patients.

    Attributes
    ----------
    names : of the features that any of them reads
    features : their records, None for a covariate
    covariates : how those are read
    clip : z-scores beyond it are set to it; None: none are
    fits : the refits

    >>> from centrum.modelling.calibrators import PlattCalibrator
    >>> curve = PlattCalibrator().fit([-1.0, 0.0, 1.0, 2.0], [0, 0, 1, 1])
    >>> at, one = np.array([0]), np.array([1.0])
    >>> fits = tuple(LinearRefit(at, one, one, w * one, 0.0, curve) for w in (0.5, 1.0, 1.5))
    >>> age = Covariate("age", "age", None, ())
    >>> refits = Refits(("age",), (None,), (age,), None, fits)
    >>> [round(end, 2) for end in refits.range(np.array([2.0]))]
    [0.51, 0.71]
    """

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    features: tuple[FeaturePart, ...]
    covariates: tuple[Covariate, ...]
    clip: Positive | None
    fits: Annotated[tuple[LinearRefit, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        agree(len(self.names) == len(self.features), "expected a record of each feature")
        known = {c.name for c in self.covariates}
        described = zip(self.names, self.features, strict=True)
        agree(all(f is not None or n in known for n, f in described), "a feature is not described")
        agree(all(bool((fit.at < len(self.names)).all() and (fit.at >= 0).all())
                  for fit in self.fits), "a refit reads a feature that is not there")  # fmt: skip
        return self

    @property
    def told(self) -> str:
        """What a range means, in a sentence."""
        share = percent(REFIT_RANGE[1] - REFIT_RANGE[0])
        return (
            f"In brackets: where {share} of {len(self.fits)} fits of the same procedure to other "
            "samples of the training patients put the probability of this patient."
        )

    def range(self, values: Floats) -> tuple[float, float] | None:
        """Where most refits put the probability of a case; None without one of the values."""
        if not np.isfinite(values).all():
            return None
        found = [fit.probability(values, self.clip) for fit in self.fits]
        low, high = np.quantile(found, REFIT_RANGE)
        return float(low), float(high)
