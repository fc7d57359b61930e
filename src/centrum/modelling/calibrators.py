"""From scores to probabilities: rising maps learnt on out-of-fold scores."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.isotonic import isotonic_regression
from sklearn.linear_model import LogisticRegression

from centrum.errors import DataError

Floats = NDArray[np.float64]


class PlattCalibrator(BaseEstimator):
    """A logistic curve of the score, fitted to targets that are not quite 0 and 1.

    Source: Platt, Advances in Large Margin Classifiers 1999:61; targets (n1 + 1) / (n1 + 2) and
    1 / (n0 + 2) keep the curve finite where scores part the classes.

    Attributes
    ----------
    slope_, intercept_ : log-odds = intercept_ + slope_ x score; slope_ is not negative

    >>> step = PlattCalibrator().fit([-2.0, -1.0, 0.0, 1.0, 2.0], [0, 0, 1, 0, 1])
    >>> bool(step.predict_proba([0.0])[0] < step.predict_proba([2.0])[0])
    True
    """

    def fit(self, scores: ArrayLike, y: ArrayLike) -> Self:
        """Learn from scores (cases,) and outcomes 0 or 1.

        Raises
        ------
        DataError
            One outcome only, or scores that are not finite.
        """
        values, positive = _checked(scores, y)
        n1 = positive.sum()
        n0 = positive.size - n1
        target = np.where(positive, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
        # Scores that rank the wrong way round, or not at all, tell nothing: the share alone.
        share = float(target.mean())
        self.slope_, self.intercept_ = 0.0, float(np.log(share / (1 - share)))
        centre, spread = values.mean(), values.std()
        if spread == 0:
            return self
        scaled = (values - centre) / spread
        # A target between 0 and 1 is a case of each outcome with so much weight.
        twice = np.tile(scaled, 2)[:, None]
        outcome = np.repeat([1, 0], values.size)
        weight = np.concatenate([target, 1 - target])
        fitted = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
        fitted.fit(twice, outcome, sample_weight=weight)
        if fitted.coef_[0, 0] > 0:
            self.slope_ = float(fitted.coef_[0, 0]) / spread
            self.intercept_ = float(fitted.intercept_[0]) - self.slope_ * centre
        return self

    def predict_proba(self, scores: ArrayLike) -> Floats:
        """Probability of the positive outcome, (cases,)."""
        p: Floats = expit(self.intercept_ + self.slope_ * np.asarray(scores, dtype=np.float64))
        return p

    def to_dict(self) -> dict[str, Any]:
        """Parameters as JSON-ready values."""
        return {"method": "platt", "slope": self.slope_, "intercept": self.intercept_}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave."""
        step = cls()
        step.slope_, step.intercept_ = float(record["slope"]), float(record["intercept"])
        return step


class IsotonicCalibrator(BaseEstimator):
    """Rising steps, joined by straight lines; no probability is exactly 0 or 1.

    The first and last step are drawn in to 1 / (n + 2) and (n + 1) / (n + 2) of the cases.
    Source: Zadrozny and Elkan, KDD 2002:694.

    Attributes
    ----------
    scores_, probabilities_ : (knots,) the curve

    >>> step = IsotonicCalibrator().fit([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1])
    >>> step.predict_proba([2.0, 3.0])
    array([0.5, 0.5])
    """

    def fit(self, scores: ArrayLike, y: ArrayLike) -> Self:
        """Learn from scores (cases,) and outcomes 0 or 1; errors as of `PlattCalibrator`."""
        values, positive = _checked(scores, y)
        self.scores_, share, weight = _means(values, positive)
        rising = isotonic_regression(share, sample_weight=weight)
        least = 1 / (values.size + 2)
        self.probabilities_ = np.clip(rising, least, 1 - least)
        return self

    def predict_proba(self, scores: ArrayLike) -> Floats:
        """Probability of the positive outcome, (cases,)."""
        return np.interp(np.asarray(scores, dtype=float), self.scores_, self.probabilities_)

    def to_dict(self) -> dict[str, Any]:
        """Parameters as JSON-ready values."""
        knots = {"scores": self.scores_.tolist(), "probabilities": self.probabilities_.tolist()}
        return {"method": "isotonic", **knots}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave."""
        step = cls()
        step.scores_ = np.array(record["scores"], dtype=float)
        step.probabilities_ = np.array(record["probabilities"], dtype=float)
        return step


class VennAbersCalibrator(BaseEstimator):
    """Two probabilities per case, from isotonic fits with the case as either outcome.

    The interval p0 to p1 holds a calibrated probability whatever the distribution of scores;
    p1 / (1 - p0 + p1) is reported. Source: Vovk, Petej and Fedorova, NIPS 2015:892 (inductive).

    Attributes
    ----------
    scores_, positives_, cases_ : (levels,) the different scores, and the cases there

    >>> step = VennAbersCalibrator().fit([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1])
    >>> step.interval([2.5])
    (array([0.]), array([1.]))
    >>> step.predict_proba([2.5])
    array([0.5])
    """

    def fit(self, scores: ArrayLike, y: ArrayLike) -> Self:
        """Learn from scores (cases,) and outcomes 0 or 1; errors as of `PlattCalibrator`."""
        values, positive = _checked(scores, y)
        self.scores_, share, self.cases_ = _means(values, positive)
        self.positives_ = share * self.cases_
        return self

    def interval(self, scores: ArrayLike) -> tuple[Floats, Floats]:
        """p0 and p1 of each case, (cases,): its fit as a negative and as a positive case."""
        wanted, position = np.unique(np.asarray(scores, dtype=float), return_inverse=True)
        found = np.array([[self._fitted(s, outcome) for outcome in (0, 1)] for s in wanted])
        found = found.reshape(-1, 2)[position]
        return found[:, 0], found[:, 1]

    def predict_proba(self, scores: ArrayLike) -> Floats:
        """Probability of the positive outcome, (cases,)."""
        p0, p1 = self.interval(scores)
        return np.asarray(p1 / (1 - p0 + p1))

    def _fitted(self, score: float, outcome: int) -> float:
        """The isotonic fit at a score when a case with it and this outcome is added."""
        at = int(np.searchsorted(self.scores_, score))
        known = at < self.scores_.size and self.scores_[at] == score
        if known:
            cases, positives = self.cases_.copy(), self.positives_.copy()
            cases[at] += 1
            positives[at] += outcome
        else:
            cases = np.insert(self.cases_, at, 1)
            positives = np.insert(self.positives_, at, outcome)
        return float(isotonic_regression(positives / cases, sample_weight=cases)[at])

    def to_dict(self) -> dict[str, Any]:
        """Parameters as JSON-ready values."""
        levels = {"scores": self.scores_, "positives": self.positives_, "cases": self.cases_}
        return {"method": "venn_abers", **{name: v.tolist() for name, v in levels.items()}}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave."""
        step = cls()
        names = ("scores", "positives", "cases")
        step.scores_, step.positives_, step.cases_ = (
            np.array(record[name], dtype=float) for name in names
        )
        return step


Calibrator = PlattCalibrator | IsotonicCalibrator | VennAbersCalibrator

CALIBRATORS: Mapping[str, type[Calibrator]] = {
    "platt": PlattCalibrator,
    "isotonic": IsotonicCalibrator,
    "venn_abers": VennAbersCalibrator,
}
"""By the names that a protocol gives them."""


def calibrator_from(record: Mapping[str, Any]) -> Calibrator:
    """The calibrator that gave a record by `to_dict`."""
    if record.get("method") not in CALIBRATORS:
        raise DataError(
            f"A calibrator is one of {', '.join(CALIBRATORS)}, found {record.get('method')!r}."
        )
    return CALIBRATORS[record["method"]].from_dict(record)


def _checked(scores: ArrayLike, y: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(y)
    if values.ndim != 1 or values.shape != labels.shape or not np.isfinite(values).all():
        raise DataError(
            "Calibration needs one finite score per outcome, found the shapes "
            f"{values.shape} and {labels.shape} and {np.isfinite(values).sum()} finite scores."
        )
    if set(np.unique(labels).tolist()) != {0, 1}:
        raise DataError(
            f"Calibration needs both outcomes, 0 and 1, found {np.unique(labels).tolist()}."
        )
    return values, labels.astype(bool)


def _means(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """The different scores, rising; share of positive cases at each; number of cases."""
    levels, at = np.unique(scores, return_inverse=True)
    cases = np.bincount(at).astype(float)
    return levels, np.bincount(at, weights=positive) / cases, cases
