"""Keep the features on which the readers agree."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from centrum.agreement.icc import IccForm, icc
from centrum.arrays import Columns, Flags, Table, column_blocks, table_of
from centrum.errors import DataError
from centrum.modelling.on_disk import ReadsColumns
from centrum.modelling.settings import AgreementUse
from centrum.text import first_of

Missing = Literal["refuse", "pass"]

LARGEST = 1e150
"""A value further from 0 is taken for infinite: its square is, and with it every variance."""

NAMES_SHOWN = 5
"""Features named in an error before it counts the rest."""


class AgreementFilter(ReadsColumns, TransformerMixin, BaseEstimator):
    """From all readers' features to the primary reader's, those that agree.

    The first step of a model: learns on the training rows which features have an ICC above
    the threshold, and hands on the first reader's values of these. With one reader all
    features are kept.

    Parameters
    ----------
    form : ICC form, "A,1" is ICC(2,1), absolute agreement of single readings
    threshold : kept when the ICC exceeds it
    use : "estimate", or "lower_bound" of the 95 % interval
    feature_names : names of the second axis of X; x0, x1, ... when missing
    n_readers : how many of the third axis are readers; all when missing
    missing : "refuse" a value of the first reader that is missing, or "pass" it on to a later
        step that fills it; an infinite one is always refused
    compared : positions of the readers whose agreement counts; all readers when missing

    Attributes
    ----------
    icc_ : centrum.agreement.icc.ICC of all features on the training rows; None with one reader who
        is compared
    support_ : (features,) whether kept

    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(30, 2, 1))
    >>> X = truth + rng.normal(size=(30, 2, 2)) * [[0.1], [2.0]]
    >>> step = AgreementFilter(feature_names=["Volume", "Busyness"]).fit(X)
    >>> step.get_feature_names_out(), step.transform(X[:3]).shape
    (array(['Volume'], dtype=object), (3, 1))
    """

    def __init__(
        self,
        form: str = IccForm.AGREEMENT_SINGLE,
        threshold: float = 0.75,
        use: AgreementUse = "estimate",
        feature_names: Sequence[str] | None = None,
        n_readers: int | None = None,
        missing: Missing = "refuse",
        compared: Sequence[int] | None = None,
    ) -> None:
        self.form = form
        self.threshold = threshold
        self.use = use
        self.feature_names = feature_names
        self.n_readers = n_readers
        self.missing = missing
        self.compared = compared

    def fit(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Learn from X (cases, features, readers); `groups` (cases,) are the patients.

        A case that another reader has not read (nan) does not count for the ICC. Patients decide
        the interval alone, and are looked at where its lower bound is.

        Raises
        ------
        DataError
            Not three axes, a value of the first reader that is missing or infinite, no
            feature kept.
        """
        values = self._check(X)
        self.n_features_in_ = values.shape[1]
        names = self._names()
        if len(names) != self.n_features_in_:
            raise DataError(f"{self.n_features_in_} features need as many names, got {len(names)}.")
        self._refuse_missing(values[:, :, 0], names)
        ratings = values[:, :, self._compared]
        owners = groups if self.use == "lower_bound" else None
        several = ratings.shape[2] > 1
        self.icc_ = icc(ratings, self.form, patients=owners) if several else None
        self.support_ = self._agreeing()
        return self

    def transform(self, X: ArrayLike | Columns) -> Table:
        """The first reader's values of the kept features, (cases, kept).

        With `n_readers` also what follows the readers: (cases, kept, 1 + further readings).
        The other readers of X, of whatever number, are not looked at.
        """
        check_is_fitted(self)
        values = self._check(X)
        if values.shape[1] != self.n_features_in_:
            raise DataError(
                f"X must have the {self.n_features_in_} features that were fitted, found "
                f"{values.shape[1]}."
            )
        kept = values[:, self.support_]
        first = kept[:, :, 0]
        self._refuse_missing(first, self.get_feature_names_out())
        if self.n_readers is None:
            return first
        if isinstance(kept, Columns):
            return kept[:, :, [0, *range(self.n_readers, kept.shape[2])]]
        return np.concatenate([kept[:, :, :1], kept[:, :, self.n_readers :]], axis=2)

    def get_support(self, indices: bool = False) -> NDArray:
        """Mask, or positions, of the kept features."""
        check_is_fitted(self)
        return np.flatnonzero(self.support_) if indices else self.support_

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> NDArray:
        """Names of the kept features."""
        if input_features is not None and self.feature_names is None:
            return np.asarray(input_features, dtype=object)[self.get_support()]
        return self._names()[self.get_support()]

    @property
    def _compared(self) -> slice | list[int]:
        return slice(self.n_readers) if self.compared is None else list(self.compared)

    def _agreeing(self) -> Flags:
        if self.icc_ is None:
            return np.ones(self.n_features_in_, dtype=bool)
        agreement = self.icc_.value if self.use == "estimate" else self.icc_.lower
        kept: Flags = agreement > self.threshold
        if not kept.any():
            known = agreement[~np.isnan(agreement)]
            highest = f"the highest is {known.max():.3f}" if known.size else "none can be computed"
            raise DataError(
                f"No feature has an ICC({self.form}) {self.use} above {self.threshold} on "
                f"{self.icc_.n_subjects.max()} training cases; {highest}. {self._advice}"
            )
        return kept

    _advice = "Check that the readers' masks belong to the same cases, or lower the threshold."

    def _names(self) -> NDArray:
        if self.feature_names is None:
            return np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object)
        return np.asarray(self.feature_names, dtype=object)

    @staticmethod
    def _check(X: ArrayLike | Columns) -> Table:
        values = table_of(X)
        if values.ndim != 3 or 0 in values.shape:
            raise DataError(
                "X must be (cases, features, readers), none of them 0, found the shape "
                f"{values.shape}. Give a table of one reader as X[:, :, None]."
            )
        return values

    def _refuse_missing(self, values: Table, names: NDArray) -> None:
        """Raise when any value of (cases, features) is too large or may not be missing."""
        bad = np.concatenate([self._bad(np.asarray(values[:, k])) for k in column_blocks(values)])
        if not bad.any():
            return
        found = names[bad]
        shown = first_of(found, NAMES_SHOWN)
        raise DataError(
            f"{found.size} feature(s) hold values that are missing or infinite (beyond "
            f"{LARGEST:g}): {shown}. Leave "
            "these features or cases out, let `model.imputation` fill what is missing, or find "
            "out why they could not be computed."
        )

    def _bad(self, values: NDArray) -> Flags:
        """Features (features,) with such a value."""
        bad = ~(np.abs(values) <= LARGEST)
        if self.missing == "pass":
            bad &= ~np.isnan(values)
        return np.asarray(bad.any(axis=0))
