"""From scores to probabilities: rising maps learnt on out-of-fold scores.

scikit-learn is imported where something is learnt: applying what was learnt starts fast.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.records import as_json


class PlattCalibrator:
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

    def fit(self, scores: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Learn from scores (cases,), outcomes 0 or 1, and weights: 2 is a case met twice.

        Raises
        ------
        DataError
            One outcome only, scores that are not finite, or weights that are not positive.
        """
        from sklearn.linear_model import LogisticRegression

        values, positive = scores_and_outcomes(scores, y)
        w = _weights(weights, values.size)
        n1, n0 = w[positive].sum(), w[~positive].sum()
        target = np.where(positive, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
        # Scores that rank the wrong way round, or not at all, tell nothing: the share alone.
        share = float(np.average(target, weights=w))
        self.slope_, self.intercept_ = 0.0, float(np.log(share / (1 - share)))
        centre, spread = values.mean(), values.std()
        if spread == 0:
            return self
        scaled = (values - centre) / spread
        # A target between 0 and 1 is a case of each outcome with so much weight.
        twice = np.tile(scaled, 2)[:, None]
        outcome = np.repeat([1, 0], values.size)
        weight = np.concatenate([w * target, w * (1 - target)])
        fitted = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
        fitted.fit(twice, outcome, sample_weight=weight)
        if fitted.coef_[0, 0] > 0:
            self.slope_ = float(fitted.coef_[0, 0]) / spread
            self.intercept_ = float(fitted.intercept_[0]) - self.slope_ * centre
        return self

    def predict_proba(self, scores: ArrayLike) -> Floats:
        """Probability of the positive outcome, (cases,)."""
        p: Floats = expit(self.intercept_ + self.slope_ * known_scores(scores))
        return p


class IsotonicCalibrator:
    """Rising steps, joined by straight lines; no probability is exactly 0 or 1.

    Steps are clipped to 1 / (n + 2) and (n + 1) / (n + 2), n the weight of all cases.
    Source: Zadrozny and Elkan, KDD 2002:694.

    Attributes
    ----------
    scores_, probabilities_ : (knots,) the curve

    >>> step = IsotonicCalibrator().fit([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1])
    >>> step.predict_proba([2.0, 3.0])
    array([0.5, 0.5])
    """

    def fit(self, scores: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Learn from the same as `PlattCalibrator`, with the same errors."""
        from sklearn.isotonic import isotonic_regression

        values, positive = scores_and_outcomes(scores, y)
        w = _weights(weights, values.size)
        self.scores_, share, cases = _means(values, positive, w)
        rising = isotonic_regression(share, sample_weight=cases)
        least = 1 / (w.sum() + 2)
        self.probabilities_ = np.clip(rising, least, 1 - least)
        return self

    def predict_proba(self, scores: ArrayLike) -> Floats:
        """Probability of the positive outcome, (cases,)."""
        return np.interp(known_scores(scores), self.scores_, self.probabilities_)


class VennAbersCalibrator:
    """Two probabilities per case, from isotonic fits with the case as either outcome.

    The interval p0 to p1 holds a calibrated probability whatever the distribution of scores;
    p1 / (1 - p0 + p1) is reported. Source: Vovk, Petej and Fedorova, NIPS 2015:892 (inductive).

    Attributes
    ----------
    scores_, positives_, cases_ : (levels,) the different scores, and the weight of the cases there

    >>> step = VennAbersCalibrator().fit([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1])
    >>> step.interval([2.5])
    (array([0.]), array([1.]))
    >>> step.predict_proba([2.5])
    array([0.5])
    """

    def fit(self, scores: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Learn from the same as `PlattCalibrator`, with the same errors."""
        values, positive = scores_and_outcomes(scores, y)
        w = _weights(weights, values.size)
        self.scores_, share, self.cases_ = _means(values, positive, w)
        self.positives_ = share * self.cases_
        return self

    def interval(self, scores: ArrayLike) -> tuple[Floats, Floats]:
        """p0 and p1 of each case, (cases,): its fit as a negative and as a positive case."""
        values = known_scores(scores)
        at, met = np.searchsorted(self.scores_, values), np.isin(values, self.scores_)
        # Scores between the same two levels have the same fit.
        places, place = np.unique(2 * at + met, return_inverse=True)
        found = np.empty((places.size, 2))
        for k, (level, was_met) in enumerate(zip(*divmod(places, 2), strict=True)):
            found[k] = [self._fitted(level, was_met == 1, outcome) for outcome in (0, 1)]
        return found[place, 0], found[place, 1]

    def predict_proba(self, scores: ArrayLike) -> Floats:
        """Probability of the positive outcome, (cases,)."""
        p0, p1 = self.interval(scores)
        return np.asarray(p1 / (1 - p0 + p1))

    def _fitted(self, at: int, met: bool, outcome: int) -> float:
        """The isotonic fit of a case of this outcome added at a level, or before it if not met."""
        from sklearn.isotonic import isotonic_regression

        if met:
            cases, positives = self.cases_.copy(), self.positives_.copy()
            cases[at] += 1
            positives[at] += outcome
        else:
            cases = np.insert(self.cases_, at, 1)
            positives = np.insert(self.positives_, at, outcome)
        return float(isotonic_regression(positives / cases, sample_weight=cases)[at])


Calibrator = PlattCalibrator | IsotonicCalibrator | VennAbersCalibrator

CALIBRATORS: Mapping[str, type[Calibrator]] = {
    "platt": PlattCalibrator,
    "isotonic": IsotonicCalibrator,
    "venn_abers": VennAbersCalibrator,
}
"""By the names that a protocol gives them."""

_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "platt": ("slope", "intercept"),
    "isotonic": ("scores", "probabilities"),
    "venn_abers": ("scores", "positives", "cases"),
}
"""What each has learnt: numbers and arrays that it holds with an underscore behind the name."""


@as_json.register
def _(step: PlattCalibrator | IsotonicCalibrator | VennAbersCalibrator) -> dict[str, Any]:
    method = next(name for name, kind in CALIBRATORS.items() if kind is type(step))
    learnt = {name: as_json(getattr(step, f"{name}_")) for name in _PARAMETERS[method]}
    return {"method": method, **learnt}


def calibrator_from(record: Mapping[str, Any]) -> Calibrator:
    """The calibrator that `as_json` gave this record of."""
    if record.get("method") not in CALIBRATORS:
        raise DataError(
            f"A calibrator is one of {', '.join(CALIBRATORS)}, found {record.get('method')!r}."
        )
    step = CALIBRATORS[record["method"]]()
    for name in _PARAMETERS[record["method"]]:
        value = record[name]
        known = np.array(value, dtype=float) if isinstance(value, list) else float(value)
        setattr(step, f"{name}_", known)
    return step


def scores_and_outcomes(scores: ArrayLike, y: ArrayLike) -> tuple[Floats, Flags]:
    """Scores and whether each outcome is positive, (cases,), fit to learn from.

    Raises
    ------
    DataError
        Not one finite score per outcome, or outcomes other than both 0 and 1.

    >>> scores_and_outcomes([0.2, 0.7], [0, 1])
    (array([0.2, 0.7]), array([False,  True]))
    """
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(y)
    if values.ndim != 1 or values.shape != labels.shape or not np.isfinite(values).all():
        raise DataError(
            "Learning from scores needs one finite score per outcome, found the shapes "
            f"{values.shape} and {labels.shape} and {np.isfinite(values).sum()} finite scores. "
            "Leave out cases without a score."
        )
    if set(np.unique(labels).tolist()) != {0, 1}:
        raise DataError(
            "Learning from scores needs both outcomes, 0 and 1, found "
            f"{np.unique(labels).tolist()}. Add cases of the other outcome."
        )
    return values, labels.astype(bool)


def known_scores(scores: ArrayLike) -> Floats:
    """Scores (cases,) of new cases, none of them missing.

    Raises
    ------
    DataError
        A score is nan, which a search among sorted scores would take for the highest.

    >>> known_scores([0.2, 0.7])
    array([0.2, 0.7])
    """
    values = np.asarray(scores, dtype=np.float64)
    missing = int(np.isnan(values).sum())
    if missing:
        raise DataError(
            f"A new case needs a score, found {missing} of {values.size} missing. "
            "Leave those cases out."
        )
    return values


def _weights(weights: ArrayLike | None, cases: int) -> Floats:
    w = np.ones(cases) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (cases,) or not (np.isfinite(w) & (w > 0)).all():
        raise DataError(
            f"Calibration needs one positive weight for each of {cases} cases, found the shape "
            f"{w.shape} and {(np.isfinite(w) & (w > 0)).sum()} positive weights."
        )
    return w


def _means(scores: Floats, positive: Flags, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """The different scores, rising; share of positive cases at each; weight of cases."""
    levels, at = np.unique(scores, return_inverse=True)
    cases = np.asarray(np.bincount(at, weights=weights), dtype=np.float64)
    return levels, np.bincount(at, weights=weights * positive) / cases, cases
