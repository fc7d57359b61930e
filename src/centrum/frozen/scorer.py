"""From features to a score, as numbers alone: the part of a frozen model that computes.

A score is offset + the sum of what every branch gives. A branch reads some features, fills
what is missing, takes out what differs between centres, standardises, and hands the result to
its classifiers, each with a weight. A plain model is one branch with one classifier; fusion
has a branch for each source, a search several classifiers in one branch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.errors import DataError
from centrum.frozen.classifiers import Classifier, Linear, classifier_from

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]

SHOWN = 3
"""Features that an error names before it counts the rest."""


@dataclass(frozen=True, eq=False)
class Filling:
    """What stands for a missing value.

    Attributes
    ----------
    values : (features,) median or mean of the training cases
    donors : (training cases, features) where the nearest ones are averaged; None where not
    neighbours : how many donors are averaged
    """

    values: Floats
    donors: Floats | None
    neighbours: int

    def fill(self, x: Floats) -> Floats:
        """x (cases, features) without missing values."""
        missing = np.isnan(x)
        if self.donors is None or not missing.any():
            return np.where(missing, self.values, x)
        filled = np.where(missing, self.values, x)
        for row, column in np.argwhere(missing):
            filled[row, column] = self._of_nearest(x[row], int(column))
        return filled

    def _of_nearest(self, case: Floats, column: int) -> float:
        """Mean over the nearest donors that have the feature; by the features both have."""
        assert self.donors is not None
        donors = self.donors[~np.isnan(self.donors[:, column])]
        away = (donors - case) ** 2
        shared = np.isfinite(away).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = np.nansum(away, axis=1) * case.size / shared
        near = np.argsort(np.where(shared > 0, distance, np.inf), kind="stable")
        near = near[shared[near] > 0][: self.neighbours]
        return float(donors[near, column].mean()) if near.size else float(self.values[column])

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `plain` gave."""
        donors = None if record["donors"] is None else _numbers(record["donors"])
        return cls(_numbers(record["values"]), donors, int(record["neighbours"]))


@dataclass(frozen=True, eq=False)
class Harmoniser:
    """ComBat as it was learnt: location and scale of every known batch.

    Attributes
    ----------
    column : of the manifest, that names the batch of a case
    batches : (batches,) names
    mean, sd : (features,) that standardise
    gamma, delta : (batches, features) location and variance of each batch
    adjusted : (features,) False for those that stay as they are
    reference : batch that stays as it is, or None
    unseen : "refuse" or "as_is", for a batch that is not known
    """

    column: str
    batches: tuple[str, ...]
    mean: Floats
    sd: Floats
    gamma: Floats
    delta: Floats
    adjusted: NDArray[np.bool_]
    reference: str | None
    unseen: str

    def apply(self, x: Floats, batch: Sequence[str]) -> Floats:
        """x (cases, features) of the batches (cases,), harmonised.

        Raises
        ------
        DataError
            A batch is unknown and unknown ones are refused.
        """
        known = np.isin(np.asarray(batch, dtype=str), self.batches)
        if not known.all() and self.unseen == "refuse":
            strange = sorted({str(b) for b, k in zip(batch, known, strict=True) if not k})
            raise DataError(
                f"The model harmonises by {self.column!r} and was not trained on "
                f"{', '.join(strange[:SHOWN])}; it knows {', '.join(self.batches)}."
            )
        at = [self.batches.index(str(b)) if k else 0 for b, k in zip(batch, known, strict=True)]
        moved = ((x - self.mean) / self.sd - self.gamma[at]) / np.sqrt(self.delta[at])
        stays = np.array([str(b) == self.reference for b in batch]) | ~known
        return np.where(stays[:, None] | ~self.adjusted, x, moved * self.sd + self.mean)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `plain` gave."""
        arrays = {k: _numbers(record[k]) for k in ("mean", "sd", "gamma", "delta")}
        adjusted = np.array(record["adjusted"], dtype=bool)
        return cls(
            **{**record, **arrays, "adjusted": adjusted, "batches": tuple(record["batches"])}
        )


@dataclass(frozen=True, eq=False)
class Member:
    """A classifier, which of the branch's features it reads, and how much it counts."""

    columns: Positions
    weight: float
    classifier: Classifier

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `plain` gave."""
        columns = np.array(record["columns"], dtype=np.int64)
        return cls(columns, float(record["weight"]), classifier_from(record["classifier"]))


@dataclass(frozen=True, eq=False)
class Branch:
    """Some features on their way to some classifiers.

    Attributes
    ----------
    reads : (m,) positions of the features that are read
    filling : of missing values, over these; None: a missing value is refused
    kept : (k,) positions among them that go on
    harmoniser : over those kept; None where nothing is harmonised
    mean, sd : (k,) that standardise
    clip : z-scores beyond it are set to it; None: none are
    members : classifiers of the z-scores
    """

    reads: Positions
    filling: Filling | None
    kept: Positions
    harmoniser: Harmoniser | None
    mean: Floats
    sd: Floats
    clip: float | None
    members: tuple[Member, ...]

    def standardise(self, x: Floats, batch: Sequence[str]) -> Floats:
        """z-scores (cases, k) of all features (cases, features) of the scorer."""
        read = x[:, self.reads]
        filled = read if self.filling is None else self.filling.fill(read)
        values = filled[:, self.kept]
        if self.harmoniser is not None:
            values = self.harmoniser.apply(values, batch)
        z: Floats = (values - self.mean) / self.sd
        return z if self.clip is None else np.clip(z, -self.clip, self.clip)

    def score(self, z: Floats) -> Floats:
        """What the branch adds to the score, (cases,), from its z-scores."""
        parts = [m.weight * m.classifier.score(z[:, m.columns]) for m in self.members]
        return np.asarray(np.sum(parts, axis=0))

    def weights(self) -> Floats:
        """(k,) weight of each z-score in the score, where all classifiers are linear."""
        total = np.zeros(self.kept.size)
        for m in self.members:
            assert isinstance(m.classifier, Linear)
            total[m.columns] += m.weight * m.classifier.weights
        return total

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `plain` gave."""
        filling, harmoniser = record["filling"], record["harmoniser"]
        return cls(
            reads=np.array(record["reads"], dtype=np.int64),
            filling=None if filling is None else Filling.from_dict(filling),
            kept=np.array(record["kept"], dtype=np.int64),
            harmoniser=None if harmoniser is None else Harmoniser.from_dict(harmoniser),
            mean=_numbers(record["mean"]),
            sd=_numbers(record["sd"]),
            clip=record["clip"],
            members=tuple(Member.from_dict(m) for m in record["members"]),
        )


@dataclass(frozen=True, eq=False)
class Scorer:
    """A fitted model as numbers.

    Attributes
    ----------
    features : (features,) names of what it reads, covariates among them
    offset : added to what the branches give
    branches : what reads them

    >>> one = Member(np.array([0]), 1.0, Linear(np.array([2.0]), -1.0))
    >>> at = np.array([0])
    >>> branch = Branch(at, None, at, None, np.array([5.0]), np.array([2.0]), None, (one,))
    >>> scorer = Scorer(("volume",), 0.0, (branch,))
    >>> scorer.score([[7.0]])
    array([1.])
    >>> Scorer.from_dict(scorer.to_dict()).contributions([[7.0]])
    array([[2.]])
    """

    features: tuple[str, ...]
    offset: float
    branches: tuple[Branch, ...]

    @property
    def linear(self) -> bool:
        """Whether the score is a weighted sum of z-scores."""
        return all(isinstance(m.classifier, Linear) for b in self.branches for m in b.members)

    @property
    def batch_column(self) -> str | None:
        """The column of the manifest that harmonisation goes by; None without."""
        found = [b.harmoniser.column for b in self.branches if b.harmoniser is not None]
        return found[0] if found else None

    @property
    def fills(self) -> bool:
        """Whether a missing value is filled, and not refused."""
        return all(branch.filling is not None for branch in self.branches)

    def score(self, values: ArrayLike, batch: Sequence[str] | None = None) -> Floats:
        """The score of each case, (cases,), from values (cases, features) and batches (cases,).

        Raises
        ------
        DataError
            A value is missing that is not filled, or a batch is missing or refused.
        """
        x = self._checked(values, batch)
        parts = [b.score(b.standardise(x, batch or ())) for b in self.branches]
        return np.asarray(self.offset + np.sum(parts, axis=0))

    def intercept(self) -> float:
        """The score of a case whose every z-score is 0, of a linear scorer."""
        own = [
            m.weight * m.classifier.intercept
            for b in self.branches
            for m in b.members
            if isinstance(m.classifier, Linear)
        ]
        return self.offset + sum(own)

    def contributions(self, values: ArrayLike, batch: Sequence[str] | None = None) -> Floats:
        """What each feature adds to the score, (cases, features): coefficient x z-score.

        With `intercept` they sum to the score. Of a scorer that is not linear: by how much the
        score would change if the feature had its training mean instead, which need not sum.
        """
        x = self._checked(values, batch)
        found = np.zeros(x.shape)
        for branch in self.branches:
            z, at = branch.standardise(x, batch or ()), branch.reads[branch.kept]
            found[:, at] += self._shares(branch, z)
        return found

    def _shares(self, branch: Branch, z: Floats) -> Floats:
        if self.linear:
            return z * branch.weights()
        whole, shares = branch.score(z), np.zeros(z.shape)
        for k in range(z.shape[1]):
            usual = z.copy()
            usual[:, k] = 0.0
            shares[:, k] = whole - branch.score(usual)
        return shares

    def _checked(self, values: ArrayLike, batch: Sequence[str] | None) -> Floats:
        x = np.asarray(values, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != len(self.features):
            raise DataError(
                f"The model reads {len(self.features)} features of each case, found an array of "
                f"the shape {x.shape}."
            )
        if self.batch_column is not None and (batch is None or len(batch) != len(x)):
            raise DataError(
                f"The model harmonises and needs {self.batch_column!r} of each of {len(x)} "
                f"cases, found {0 if batch is None else len(batch)}."
            )
        self._refuse_missing(x)
        return x

    def _refuse_missing(self, x: Floats) -> None:
        needed = np.unique([k for b in self.branches if b.filling is None for k in b.reads])
        needed = needed.astype(np.int64)
        bad = needed[~np.isfinite(x[:, needed]).all(axis=0)] if needed.size else needed
        if bad.size:
            shown = ", ".join(self.features[k] for k in bad[:SHOWN])
            more = ", ..." if bad.size > SHOWN else ""
            raise DataError(
                f"The model needs a value of each of its {len(self.features)} features; "
                f"{bad.size} are missing: {shown}{more}."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        record: dict[str, Any] = plain(self)
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave."""
        branches = tuple(Branch.from_dict(branch) for branch in record["branches"])
        return cls(tuple(record["features"]), float(record["offset"]), branches)


def plain(value: Any) -> Any:
    """JSON-ready values of these dataclasses; a classifier is told with its kind."""
    if is_dataclass(value):
        kind = {"kind": value.kind} if hasattr(value, "kind") else {}
        return kind | {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, np.ndarray):
        return _listed(value)
    return [plain(v) for v in value] if isinstance(value, tuple) else value


def _listed(array: NDArray) -> Any:
    if array.dtype.kind != "f":
        return array.tolist()
    return [None if v != v else v for v in array.tolist()] if array.ndim == 1 else [
        _listed(row) for row in array
    ]  # fmt: skip


def _numbers(value: Any) -> Floats:
    return np.array(value, dtype=np.float64)
