"""ComBat: differences of location and scale between batches taken out of features.

Source: Johnson, Li and Rabinovic, Biostatistics 2007;8:118; conventions of the R package sva
3.46 (variance with n, empirical Bayes by feature within batch, reference batch).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from centrum.arrays import Columns, Flags, Floats, Ints, Table, column_blocks, table_of
from centrum.errors import DataError
from centrum.modelling.constant_filter import ROUNDING
from centrum.modelling.on_disk import ReadsColumns, validated
from centrum.text import first_of

CONVERGED = 1e-4
"""Relative change below which the empirical Bayes estimates have converged, as in sva."""

MAX_ROUNDS = 10_000

UNNAMED = [0]
"""Batches of cases that were given none: a single one."""

NAMES_SHOWN = 5
"""Features named in an error before it counts the rest."""


class MissingValueError(DataError, ValueError):
    """Features without a value; scikit-learn's contract asks for a ValueError."""


@dataclass(frozen=True, eq=False)
class _BatchEffects:
    """Location and scale of one batch, in standardised values."""

    gamma: Floats
    delta: Floats


class _Rows:
    """Standardised values of the cases of one batch, a block of features at a time.

    One block is kept; several are made anew whenever they are looked at.
    """

    def __init__(self, cases: int, blocks: Sequence[slice], read: Callable[[slice], Floats]):
        self.cases = cases
        self._blocks = blocks
        if len(blocks) == 1:
            whole = read(blocks[0])
            self._read: Callable[[slice], Floats] = lambda own: whole
        else:
            self._read = read

    def __len__(self) -> int:
        return self.cases

    def each(self, statistic: Callable[..., Floats], *of_features: Floats) -> Floats:
        """A statistic of the values (cases, features), and of what is known of each feature."""
        parts = [statistic(self._read(k), *(x[k] for x in of_features)) for k in self._blocks]
        return np.concatenate(parts, axis=-1)

    @classmethod
    def of(cls, values: Floats) -> "_Rows":
        """Values that are standardised already."""
        return cls(len(values), [*column_blocks(values)], lambda own: values[:, own])


@dataclass(frozen=True, eq=False)
class _Moved:
    """What is done to cases: those to be moved, by the location and scale of their batch.

    Attributes
    ----------
    code : (cases,) position of the batch
    moves : (cases,) whether the case is moved
    adjusted, mean, sd : (features,)
    gamma, delta : (batches, features)
    """

    code: Ints
    moves: Flags
    adjusted: Flags
    mean: Floats
    sd: Floats
    gamma: Floats
    delta: Floats

    def of(self, values: Floats, effect: Floats | float = 0.0) -> Floats:
        """Harmonised values (cases, features); `effect` of covariates stays in them."""
        standardised = (values - self.mean - effect) / self.sd
        moved = (standardised - self.gamma[self.code]) / np.sqrt(self.delta[self.code])
        adjusted = moved * self.sd + self.mean + effect
        return np.where(self.moves[:, None] & self.adjusted, adjusted, values)

    def only(self, rows: Any, columns: Any) -> "_Moved":
        """The same of some cases and features."""
        own = (self.adjusted, self.mean, self.sd, self.gamma.T, self.delta.T)
        adjusted, mean, sd, gamma, delta = (x[columns] for x in own)
        return _Moved(self.code[rows], self.moves[rows], adjusted, mean, sd, gamma.T, delta.T)


class ComBat(ReadsColumns, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Learns on training cases how batches (centres, scanners) differ, and takes it out.

    Each feature of a batch gets a location and a scale, shrunk towards those of the other
    features of the batch by empirical Bayes. New cases of a batch that was trained on are moved
    by what was learnt; the outcome is never asked for. Covariates, if given to `fit`, are
    accounted for when the batch effects are estimated, and left in the training values by
    `fit_transform`, as sva does. New cases are taken to have the mean covariates of the
    training cases, so that a covariate, even the outcome, is never asked for either.

    A batch of one case has no scale; its location is shrunk as sva does with `mean.only`. With
    a single batch there is nothing to harmonise, and all values stay.

    Parameters
    ----------
    reference : batch that stays as it is; the others go to the mean of all when missing
    parametric : whether the priors are normal and inverse gamma; else their empirical form
    unseen : what becomes of cases of a batch that was not trained on: "refuse", or "as_is"
    untouched : names of features that stay as they are and tell nothing of the batches, such as
        the age of the patients: that a centre sees older ones is no error of measurement

    Attributes
    ----------
    batches_ : (batches,) names, sorted
    grand_mean_ : (features,) of all training cases, or of the reference, at mean covariates
    pooled_variance_ : (features,) within batches
    gamma_star_, delta_star_ : (batches, features) location and variance of each batch in units
        of the pooled standard deviation
    adjusted_ : (features,) False for those that stay as they are: a batch, or all batches
        beyond what covariates explain, have a single value

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
        untouched: Sequence[str] = (),
    ) -> None:
        self.reference = reference
        self.parametric = parametric
        self.unseen = unseen
        self.untouched = untouched

    def fit(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike | None = None,
        batch: ArrayLike | None = None,
        covariates: ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> Self:
        """Learn from X (cases, features), batches (cases,) and covariates (cases, k).

        Covariates are numbers; a category is one column of 0 and 1 for each value but one.
        `names` (features,) say which features are `untouched`.

        Raises
        ------
        DataError
            A value is missing, batches or covariates are missing for a case, the reference is
            not among the batches or is a single case, or covariates cannot be told from
            batches.
        """
        self._learn(X, batch, covariates, names)
        return self

    def fit_transform(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        batch: ArrayLike | None = None,
        covariates: ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> Floats:
        """Learn and harmonise the same cases; effects of the covariates stay in them."""
        values, batches, effect = self._learn(X, batch, covariates, names)
        return self._moved(batches).of(np.asarray(values), effect(slice(None)))

    def transform(self, X: ArrayLike | Columns, batch: ArrayLike | None = None) -> Table:
        """Harmonise X (cases, features) of known batches (cases,).

        Raises
        ------
        DataError
            A value or batches are missing, or a batch was not trained on and `unseen` is
            "refuse".
        """
        check_is_fitted(self)
        values = self._whole(X, reset=False)
        if batch is None and self.batches_.tolist() != UNNAMED:
            raise DataError(
                f"ComBat was trained on {self.batches_.size} batch(es) and needs the batch of each "
                f"of {len(values)} new cases; none was given."
            )
        step = self._moved(_names(batch, len(values)))
        return values.after(step) if isinstance(values, Columns) else step.of(values)

    def _learn(
        self,
        X: ArrayLike | Columns,
        batch: ArrayLike | None,
        covariates: ArrayLike | None,
        names: Sequence[str] | None,
    ) -> tuple[Table, NDArray, Callable[[slice], Floats]]:
        """Fit; returns values, batches and, of some features, what covariates explain of them."""
        values = self._whole(X, reset=True)
        batches = _names(batch, len(values))
        self.batches_, code, counts = np.unique(batches, return_inverse=True, return_counts=True)
        self._check_reference(counts)
        self.adjusted_ = self._varying(values, code, counts)
        if names is not None:
            self.adjusted_ &= ~np.isin(names, list(self.untouched))
        effect = self._standardise(values, code, counts, _centred(covariates, len(values)))
        self._estimate(values, effect, code)
        return values, batches, effect

    def _whole(self, X: ArrayLike | Columns, reset: bool) -> Table:
        wanted: dict[str, Any] = {"ensure_min_samples": 2} if reset else {"reset": False}
        values = validated(self, X, ensure_all_finite=False, **wanted)
        blocks = (np.asarray(values[:, own]) for own in column_blocks(values))
        bad = np.concatenate([~np.isfinite(block).all(axis=0) for block in blocks])
        if bad.any():
            found = self.get_feature_names_out()[bad]
            shown = first_of(found, NAMES_SHOWN)
            raise MissingValueError(
                f"ComBat needs every value; {found.size} feature(s) hold NaN or inf: {shown}. "
                "Leave these features or cases out, or fill what is missing first."
            )
        return values

    def _check_reference(self, counts: NDArray) -> None:
        if self.reference is None:
            return
        if self.reference not in self.batches_:
            raise DataError(
                f"The reference batch {self.reference!r} is not among the training cases, whose "
                f"batches are {', '.join(map(str, self.batches_))}."
            )
        if counts[self._at_reference()] < 2:
            raise DataError(
                f"The reference batch {self.reference!r} has a single training case, from which "
                "no variance can be learnt. Choose a larger batch, or none."
            )

    def _varying(self, X: Table, code: NDArray, counts: NDArray) -> Flags:
        """Features that vary in every batch, beyond rounding; sva leaves others unadjusted."""
        if counts.size == 1:
            return np.zeros(X.shape[1], dtype=bool)
        blocks = (np.asarray(X[:, own]) for own in column_blocks(X))
        return np.concatenate([_vary(block, code, counts) for block in blocks])

    def _standardise(
        self, X: Table, code: NDArray, counts: NDArray, extra: Floats
    ) -> Callable[[slice], Floats]:
        """Set grand mean and pooled variance; the part of X that covariates explain."""
        k = self.batches_.size
        design = np.column_stack([code[:, None] == np.arange(k), extra]).astype(float)
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise DataError(
                f"Covariates of ComBat cannot be told from the {k} batches or from each other: "
                "one is the same throughout each batch, or follows from the others. Leave it out."
            )
        own = slice(None) if self.reference is None else code == self._at_reference()
        parts = []
        for block in column_blocks(X):
            values = np.asarray(X[:, block])
            beta = np.linalg.lstsq(design, values)[0]
            variance = np.mean((values - design @ beta)[own] ** 2, axis=0)
            self.adjusted_[block] &= np.sqrt(variance) > ROUNDING * np.abs(values).max(axis=0)
            parts.append((beta, variance))
        beta, variance = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
        if self.reference is None:
            self.grand_mean_ = counts / len(X) @ beta[:k]
        else:
            self.grand_mean_ = beta[self._at_reference()]
        self.pooled_variance_ = np.where(self.adjusted_, variance, 1.0)
        return lambda features: extra @ beta[k:, features]

    def _at_reference(self) -> int:
        return int(np.flatnonzero(self.batches_ == self.reference)[0])

    def _estimate(self, X: Table, effect: Callable[[slice], Floats], code: NDArray) -> None:
        shape, kept = (self.batches_.size, X.shape[1]), np.flatnonzero(self.adjusted_)
        self.gamma_star_, self.delta_star_ = np.zeros(shape), np.ones(shape)
        sd = np.sqrt(self.pooled_variance_)
        for b in range(self.batches_.size):
            if self.batches_[b] == self.reference or not kept.size:
                continue
            cases = np.flatnonzero(code == b)
            of_batch = X[cases]

            def read(own: slice, cases: Ints = cases, of_batch: Table = of_batch) -> Floats:
                at = kept[own]
                near = slice(at[0], at[-1] + 1)
                values = np.asarray(of_batch[:, near]) - self.grand_mean_[near]
                return np.asarray(((values - effect(near)[cases]) / sd[near])[:, at - at[0]])

            blocks = [*column_blocks(of_batch[:, kept])]
            found = self._posterior(_Rows(cases.size, blocks, read))
            self.gamma_star_[b, kept], self.delta_star_[b, kept] = found.gamma, found.delta

    def _posterior(self, rows: _Rows) -> _BatchEffects:
        location = rows.each(_mean)
        if len(rows) == 1:
            return self._posterior_of_one(rows, location)
        scale = rows.each(lambda values: values.var(axis=0, ddof=1))
        if location.size < 2 or np.ptp(scale) == 0:
            return _BatchEffects(location, scale)
        return (_parametric if self.parametric else _empirical)(rows, location, scale)

    def _posterior_of_one(self, rows: _Rows, location: Floats) -> _BatchEffects:
        """With the variance of the other batches; alone, a single value says nothing."""
        as_others = np.ones_like(location)
        if location.size < 2:
            return _BatchEffects(np.zeros_like(location), as_others)
        if not self.parametric:
            return _empirical(rows, location, as_others)
        mean, spread = location.mean(), location.var(ddof=1)
        return _BatchEffects(_shrunk(location, 1, as_others, mean, spread), as_others)

    def _moved(self, names: NDArray) -> _Moved:
        """What is done to cases of these batches."""
        known = np.isin(names, self.batches_)
        if not known.all() and self.unseen == "refuse":
            strange = ", ".join(map(str, np.unique(names[~known])[:5]))
            raise DataError(
                f"ComBat was not trained on the batch {strange}; it knows "
                f"{', '.join(map(str, self.batches_))}. Train with cases of it, or leave cases "
                "of unknown batches as they are (`unseen: as_is`)."
            )
        code = np.searchsorted(self.batches_, np.where(known, names, self.batches_[0]))
        moves = known if self.reference is None else known & (names != self.reference)
        sd = np.sqrt(self.pooled_variance_)
        learnt = (self.grand_mean_, sd, self.gamma_star_, self.delta_star_)
        return _Moved(code, moves, self.adjusted_, *learnt)


def _vary(X: Floats, code: NDArray, counts: NDArray) -> Flags:
    least = ROUNDING * np.abs(X).max(axis=0)
    spread = [np.ptp(X[code == b], axis=0) > least for b in np.flatnonzero(counts > 1)]
    return np.asarray(np.all([np.ptp(X, axis=0) > least, *spread], axis=0))


def _mean(values: Floats) -> Floats:
    return np.asarray(values.mean(axis=0))


def to_reference(X: ArrayLike | Columns, mean: ArrayLike, sd: ArrayLike) -> Table:
    """Cases (n, features) of a new batch moved to a reference known by its mean and SD alone.

    What `ComBat(reference=...)` would do to them: location and scale of every feature, shrunk by
    empirical Bayes. It looks at all the cases at once, and never at an outcome, and takes both
    batches for the same mix of patients. SDs are those with n. A feature without spread in
    either stays as it is.

    Raises
    ------
    DataError
        Fewer than two cases, or a missing value.

    >>> to_reference([[11.0], [12.0], [13.0]], [2.0], [1.0]).ravel().round(6)
    array([1., 2., 3.])
    """
    values, centre, spread = table_of(X), *(np.asarray(a, dtype=np.float64) for a in (mean, sd))
    blocks = [*column_blocks(values)]
    gaps = sum(np.count_nonzero(~np.isfinite(np.asarray(values[:, own]))) for own in blocks)
    if len(values) < 2 or gaps:
        raise DataError(
            f"Harmonising needs at least 2 cases without missing values, found {len(values)} "
            f"cases and {gaps} missing values."
        )
    varying = np.concatenate([_varies_from(np.asarray(values[:, k]), spread[k]) for k in blocks])
    gamma, delta = np.zeros(varying.size), np.ones(varying.size)
    if varying.any():
        kept, at, by = values[:, varying], centre[varying], spread[varying]
        rows = _Rows(
            len(kept),
            [*column_blocks(kept)],
            lambda own: (np.asarray(kept[:, own]) - at[own]) / by[own],
        )
        found = ComBat()._posterior(rows)
        gamma[varying], delta[varying] = found.gamma, found.delta
    step = _Standard(varying, centre, spread, gamma, delta)
    return values.after(step) if isinstance(values, Columns) else step.of(values)


@dataclass(frozen=True, eq=False)
class _Standard:
    """Columns (features,) that are moved to a reference; those that do not vary stay."""

    varying: Flags
    centre: Floats
    spread: Floats
    gamma: Floats
    delta: Floats

    def of(self, values: Floats) -> Floats:
        """The moved values (cases, features)."""
        moved, k = values.copy(), self.varying
        rows = (values[:, k] - self.centre[k]) / self.spread[k]
        standard = (rows - self.gamma[k]) / np.sqrt(self.delta[k])
        moved[:, k] = standard * self.spread[k] + self.centre[k]
        return moved

    def only(self, rows: Any, columns: Any) -> "_Standard":
        """The same of some features."""
        own = (self.varying, self.centre, self.spread, self.gamma, self.delta)
        return _Standard(*(x[columns] for x in own))


def _varies_from(X: Floats, spread: Floats) -> Flags:
    """Which features vary, here and in a reference of such spread."""
    least = ROUNDING * np.abs(X).max(axis=0)
    return np.asarray((np.ptp(X, axis=0) > least) & (spread > least))


def _names(batch: ArrayLike | None, n: int) -> NDArray:
    if batch is None:
        return np.repeat(UNNAMED, n)
    names = np.asarray(batch)
    if names.shape != (n,):
        raise DataError(f"ComBat needs one batch per case, {n}, found {names.shape}.")
    empty = np.count_nonzero(pd.isna(names))
    if empty:
        raise DataError(
            f"ComBat needs the batch of each of {n} cases; {empty} are empty. Fill them in or "
            "leave the cases out."
        )
    return names


def _centred(covariates: ArrayLike | None, n: int) -> Floats:
    """Covariates (cases, k) less their means."""
    if covariates is None:
        return np.empty((n, 0))
    values = np.asarray(covariates)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != n or values.dtype.kind not in "biuf":
        raise DataError(
            f"Covariates of ComBat must be numbers, (cases, k) with {n} cases, found "
            f"{values.dtype} of the shape {values.shape}. Give a category as columns of 0 and 1."
        )
    if not np.isfinite(values).all():
        raise DataError(
            "ComBat needs the covariates of every case; "
            f"{np.count_nonzero(~np.isfinite(values).all(axis=1))} cases lack one. Fill them in or "
            "leave the cases out."
        )
    return np.asarray(values - values.mean(axis=0))


def _shrunk(location: Floats, n: int, delta: Floats, mean: float, spread: float) -> Floats:
    """Posterior location of n cases of variance delta under a normal prior."""
    shrunk: Floats = (spread * n * location + delta * mean) / (spread * n + delta)
    return shrunk


def _parametric(rows: _Rows, location: Floats, scale: Floats) -> _BatchEffects:
    """Posterior location and variance under normal and inverse gamma priors."""
    mean, spread = location.mean(), location.var(ddof=1)
    m, s2 = scale.mean(), scale.var(ddof=1)
    shape, rate = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
    n = len(rows)
    gamma, delta = location, scale
    for _ in range(MAX_ROUNDS):
        new_gamma = _shrunk(location, n, delta, mean, spread)
        squares = rows.each(_squares, new_gamma)
        new_delta = (0.5 * squares + rate) / (n / 2 + shape - 1)
        # As sva, which divides by the location with its sign: only positive ones are watched.
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.abs(new_gamma - gamma) / gamma
        change = max(np.nanmax(moved), np.max(np.abs(new_delta - delta) / delta))
        gamma, delta = new_gamma, new_delta
        if change <= CONVERGED:
            break
    return _BatchEffects(gamma, delta)


def _empirical(rows: _Rows, location: Floats, scale: Floats) -> _BatchEffects:
    """Posterior means over the location and variance of all other features."""
    n = len(rows)
    sums = rows.each(lambda values: values.sum(axis=0))
    squares = rows.each(_squares)[:, None] - 2 * sums[:, None] * location
    squares = squares + n * location**2
    log_likelihood = -n / 2 * np.log(scale) - squares / (2 * scale)  # but for a constant
    np.fill_diagonal(log_likelihood, -np.inf)
    weight = softmax(log_likelihood, axis=1)
    return _BatchEffects(weight @ location, weight @ scale)


def _squares(values: Floats, centre: Floats | float = 0.0) -> Floats:
    return np.asarray(np.sum((values - centre) ** 2, axis=0))
