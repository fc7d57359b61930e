"""ComBat: differences of location and scale between batches taken out of features.

Source: Johnson, Li and Rabinovic, Biostatistics 2007;8:118; conventions of the R package sva
3.46 (variance with n, empirical Bayes by feature within batch, reference batch).
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from centrum.errors import DataError

Floats = NDArray[np.float64]

CONVERGED = 1e-4
"""Relative change below which the empirical Bayes estimates have converged, as in sva."""

MAX_ROUNDS = 10_000


@dataclass(frozen=True, eq=False)
class _Shape:
    """Standardised values and the batch effects estimated on them."""

    gamma: Floats
    delta: Floats


class ComBat(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Learns on training cases how batches (centres, scanners) differ, and takes it out.

    Each feature of a batch gets a location and a scale, shrunk towards those of the other
    features of the batch by empirical Bayes. New cases of a batch that was trained on are moved
    by what was learnt; the outcome is never asked for. Covariates, if given to `fit`, are
    accounted for when the batch effects are estimated, and left in the training values by
    `fit_transform`; new cases are standardised by the grand mean without them.

    Parameters
    ----------
    reference : batch that stays as it is; the others go to the mean of all when missing
    parametric : whether the priors are normal and inverse gamma; else their empirical form
    unseen : what becomes of cases of a batch that was not trained on: "refuse", or "as_is"

    Attributes
    ----------
    batches_ : (batches,) names, sorted
    grand_mean_ : (features,)
    pooled_variance_ : (features,) within batches
    gamma_star_, delta_star_ : (batches, features) location and variance of each batch in units
        of the pooled standard deviation
    adjusted_ : (features,) False where a batch has a single value, which stay as they are

    >>> X = np.array([[1.0], [2.0], [3.0], [11.0], [12.0], [13.0]])
    >>> step = ComBat().fit(X, batch=["A", "A", "A", "B", "B", "B"])
    >>> step.transform([[2.0], [12.0]], batch=["A", "B"]).ravel()
    array([7., 7.])
    """

    def __init__(
        self,
        reference: str | None = None,
        parametric: bool = True,
        unseen: Literal["refuse", "as_is"] = "refuse",
    ) -> None:
        self.reference = reference
        self.parametric = parametric
        self.unseen = unseen

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        batch: ArrayLike | None = None,
        covariates: ArrayLike | None = None,
    ) -> Self:
        """Learn from X (cases, features), batches (cases,) and covariates (cases, k).

        Raises
        ------
        DataError
            Batches are missing or of another number, the reference is not among them, or
            covariates cannot be told from batches.
        """
        values = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        names = _names(batch, len(values))
        self.batches_, code, counts = np.unique(names, return_inverse=True, return_counts=True)
        self._check_reference()
        self.adjusted_ = self._varying(values, code, counts)
        extra = np.empty((len(values), 0))
        if covariates is not None:
            extra = np.asarray(covariates, dtype=np.float64).reshape(len(values), -1)
        self._covariate_effect = self._standardise(values, code, counts, extra)
        standardised = (values - self.grand_mean_ - self._covariate_effect) / np.sqrt(
            self.pooled_variance_
        )
        self._estimate(standardised, code, counts)
        return self

    def fit_transform(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        batch: ArrayLike | None = None,
        covariates: ArrayLike | None = None,
    ) -> Floats:
        """Learn and harmonise the same cases; effects of the covariates stay in them."""
        self.fit(X, y, batch, covariates)
        values = np.asarray(X, dtype=np.float64)
        return self._adjust(values, _names(batch, len(values)), self._covariate_effect)

    def transform(self, X: ArrayLike, batch: ArrayLike | None = None) -> Floats:
        """Harmonise X (cases, features) of known batches (cases,).

        Raises
        ------
        DataError
            Batches are missing, or one was not trained on and `unseen` is "refuse".
        """
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        if batch is None and self.batches_.size > 1:
            raise DataError(
                f"ComBat was trained on {self.batches_.size} batches and needs the batch of each "
                f"of {len(values)} new cases; none was given."
            )
        return self._adjust(values, _names(batch, len(values)), 0.0)

    def _check_reference(self) -> None:
        if self.reference is not None and self.reference not in self.batches_:
            raise DataError(
                f"The reference batch {self.reference!r} is not among the training cases, whose "
                f"batches are {', '.join(map(str, self.batches_))}."
            )

    def _varying(self, X: Floats, code: NDArray, counts: NDArray) -> NDArray[np.bool_]:
        """Features that vary in every batch; sva leaves the others unadjusted."""
        spread = [np.ptp(X[code == b], axis=0) > 0 for b in np.flatnonzero(counts > 1)]
        varying: NDArray[np.bool_] = np.all([np.ptp(X, axis=0) > 0, *spread], axis=0)
        return varying

    def _standardise(self, X: Floats, code: NDArray, counts: NDArray, extra: Floats) -> Floats:
        """Set grand mean and pooled variance; the part of X that covariates explain."""
        n, k = len(X), self.batches_.size
        design = np.column_stack([code[:, None] == np.arange(k), extra]).astype(float)
        if self.reference is not None:
            design[:, self._at_reference()] = 1.0
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise DataError(
                f"Covariates of ComBat cannot be told from the {k} batches, or from each other: "
                "a batch holds one value of a covariate. Leave the covariate out."
            )
        beta = np.linalg.lstsq(design, X, rcond=None)[0]
        own = slice(None) if self.reference is None else code == self._at_reference()
        if self.reference is None:
            self.grand_mean_ = counts / n @ beta[:k]
        else:
            self.grand_mean_ = beta[self._at_reference()]
        residual = (X - design @ beta)[own]
        variance = np.mean(residual**2, axis=0)
        self.pooled_variance_ = np.where(self.adjusted_ & (variance > 0), variance, 1.0)
        return extra @ beta[k:]

    def _at_reference(self) -> int:
        return int(np.flatnonzero(self.batches_ == self.reference)[0])

    def _estimate(self, standardised: Floats, code: NDArray, counts: NDArray) -> None:
        shape = (self.batches_.size, standardised.shape[1])
        self.gamma_star_, self.delta_star_ = np.zeros(shape), np.ones(shape)
        kept = self.adjusted_
        for b, count in enumerate(counts):
            rows = standardised[code == b][:, kept]
            if self.batches_[b] == self.reference or not kept.any():
                continue
            location = rows.mean(axis=0)
            if count == 1:
                self.gamma_star_[b, kept] = location
                continue
            found = self._posterior(rows, location, rows.var(axis=0, ddof=1))
            self.gamma_star_[b, kept], self.delta_star_[b, kept] = found.gamma, found.delta

    def _posterior(self, rows: Floats, location: Floats, scale: Floats) -> _Shape:
        if location.size < 2 or np.ptp(scale) == 0:
            return _Shape(location, scale)
        return (_parametric if self.parametric else _empirical)(rows, location, scale)

    def _adjust(self, X: Floats, names: NDArray, effect: Floats | float) -> Floats:
        known = np.isin(names, self.batches_)
        if not known.all() and self.unseen == "refuse":
            strange = ", ".join(map(str, np.unique(names[~known])[:5]))
            raise DataError(
                f"ComBat was not trained on the batch {strange}; it knows "
                f"{', '.join(map(str, self.batches_))}. Train with cases of it, or leave cases "
                "of unknown batches as they are (`unseen: as_is`)."
            )
        code = np.searchsorted(self.batches_, np.where(known, names, self.batches_[0]))
        sd = np.sqrt(self.pooled_variance_)
        standardised = (X - self.grand_mean_ - effect) / sd
        moved = (standardised - self.gamma_star_[code]) / np.sqrt(self.delta_star_[code])
        adjusted = moved * sd + self.grand_mean_ + effect
        as_is = ~(known[:, None] & self.adjusted_)
        if self.reference is not None:
            as_is |= (names == self.reference)[:, None]
        return np.where(as_is, X, adjusted)


def _names(batch: ArrayLike | None, n: int) -> NDArray:
    if batch is None:
        return np.zeros(n, dtype=int)
    names = np.asarray(batch)
    if names.shape != (n,):
        raise DataError(f"ComBat needs one batch per case, {n}, found {names.shape}.")
    return names


def _parametric(rows: Floats, location: Floats, scale: Floats) -> _Shape:
    """Posterior location and variance under normal and inverse gamma priors."""
    mean, spread = location.mean(), location.var(ddof=1)
    m, s2 = scale.mean(), scale.var(ddof=1)
    shape, rate = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
    n = len(rows)
    gamma, delta = location, scale
    for _ in range(MAX_ROUNDS):
        new_gamma = (spread * n * location + delta * mean) / (spread * n + delta)
        squares = np.sum((rows - new_gamma) ** 2, axis=0)
        new_delta = (0.5 * squares + rate) / (n / 2 + shape - 1)
        # As sva, which divides by the location with its sign: only positive ones are watched.
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.abs(new_gamma - gamma) / gamma
        change = max(np.nanmax(moved), np.max(np.abs(new_delta - delta) / delta))
        gamma, delta = new_gamma, new_delta
        if change <= CONVERGED:
            break
    return _Shape(gamma, delta)


def _empirical(rows: Floats, location: Floats, scale: Floats) -> _Shape:
    """Posterior means over the location and variance of all other features."""
    n = len(rows)
    squares = np.sum(rows**2, axis=0)[:, None] - 2 * rows.sum(axis=0)[:, None] * location
    squares = squares + n * location**2
    log_likelihood = -n / 2 * np.log(2 * np.pi * scale) - squares / (2 * scale)
    np.fill_diagonal(log_likelihood, -np.inf)
    with np.errstate(under="ignore"):
        weight = np.exp(log_likelihood)
    total = weight.sum(axis=1)
    usable = total > 0
    total = np.where(usable, total, 1.0)
    gamma = np.where(usable, weight @ location / total, location)
    delta = np.where(usable, weight @ scale / total, scale)
    return _Shape(gamma, delta)
