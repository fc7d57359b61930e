"""From features to a score, as numbers alone: the part of a frozen model that computes.

A score is offset + the sum of what every branch gives. A branch reads some features, fills
what is missing, takes out what differs between centres, standardises, and hands the result to
its classifiers, each with a weight. A plain model is one branch with one classifier; fusion
has a branch for each source, a search several classifiers in one branch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass as plain_dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, PlainValidator, model_validator
from pydantic.dataclasses import dataclass
from scipy.special import expit

from centrum.arrays import Columns, Floats, Ints, Table, row_blocks, table_of
from centrum.errors import DataError
from centrum.frozen.classifiers import Classifier, Forest, Linear, classifier_from
from centrum.frozen.schema import (
    PART,
    Count,
    GappyRows,
    Number,
    Positions,
    Positive,
    Rows,
    Switches,
    Vector,
    agree,
    validated,
)
from centrum.modelling.nearest import fill_from_nearest
from centrum.text import OneLine, first_of

TINY = 1e-12
"""Mean votes that differ by less are the same."""

SHOWN = 3
"""Features that an error names before it counts the rest."""


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Filling(OneLine):
    """What stands for a missing value.

    Attributes
    ----------
    values : (features,) median or mean of the training cases
    donors : (training cases, features) where the nearest ones are averaged; None where not
    neighbours : how many donors are averaged
    spread : (features,) what distances are measured in; with donors
    """

    values: Vector
    donors: GappyRows | None
    neighbours: Count
    spread: Vector | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.donors is not None:
            agree(self.donors.shape[1] == self.values.size, "donors have other features")
            agree(self.neighbours > 0, "expected at least one neighbour")
        if self.spread is not None:
            agree(self.spread.shape == self.values.shape, "spreads are of other features")
            agree(bool((self.spread >= 0).all()), "a spread is negative")
        return self

    def fill(self, x: Floats) -> Floats:
        """x (cases, features) without missing values."""
        if self.donors is None:
            return np.where(np.isnan(x), self.values, x)
        # Models of 0.2.1 and before measure distances in raw units.
        spread = np.ones_like(self.values) if self.spread is None else self.spread
        return fill_from_nearest(x, self.donors, spread, self.values, self.neighbours)


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Harmoniser(OneLine):
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
    batches: Annotated[tuple[str, ...], Field(min_length=1)]
    mean: Vector
    sd: Vector
    gamma: Rows
    delta: Rows
    adjusted: Switches
    reference: str | None
    unseen: Literal["refuse", "as_is"]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        shape = (len(self.batches), self.mean.size)
        agree(self.gamma.shape == self.delta.shape == shape, "expected a row for each batch")
        sizes = {self.mean.size, self.sd.size, self.adjusted.size}
        agree(len(sizes) == 1, "expected lists of equal length")
        agree(bool((self.sd > 0).all() and (self.delta > 0).all()), "expected spreads above 0")
        agree(len({*self.batches}) == len(self.batches), "expected each batch once")
        agree(self.reference in (None, *self.batches), "the reference is none of the batches")
        return self

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


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Member(OneLine):
    """A classifier, which of the branch's features it reads, and how much it counts."""

    columns: Positions
    weight: Number
    classifier: Annotated[Classifier, PlainValidator(classifier_from)]

    @property
    def averages(self) -> bool:
        """Whether it is averaged trees, whose parts sum to their mean vote."""
        return isinstance(self.classifier, Forest) and not self.classifier.boosted

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        read, width = self.columns.size, self.classifier.width
        least = self.classifier.kind == "trees"
        agree(width <= read if least else width == read, f"it reads {width} of {read} columns")
        return self


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Branch(OneLine):
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
    mean: Vector
    sd: Vector
    clip: Positive | None
    members: Annotated[tuple[Member, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        k = self.kept.size
        agree(self.mean.size == self.sd.size == k, "expected mean and SD of each feature")
        agree(bool((self.sd > 0).all()), "expected SDs above 0")
        agree(_within(self.kept, self.reads.size), "it keeps a feature that it does not read")
        for m in self.members:
            agree(_within(m.columns, k), "a classifier reads a feature that is not kept")
        if self.filling is not None:
            agree(self.filling.values.size == self.reads.size, "it fills other features")
        if self.harmoniser is not None:
            agree(self.harmoniser.mean.size == k, "it harmonises other features")
        return self

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

    def explain(self, z: Floats) -> tuple[float, Floats]:
        """What the branch adds to the score of the reference, and what each z-score then adds."""
        base, parts = 0.0, np.zeros(z.shape)
        for m in self.members:
            own = z[:, m.columns]
            at, found = _on_its_score(m.classifier, own) if m.averages else _as_it_is(m, own)
            base += m.weight * at
            parts[:, m.columns] += m.weight * found
        return base, parts


Scale = Literal["score", "vote"]
"""What parts sum to: the score, or the mean vote of trees, of which the score is the log-odds."""


@plain_dataclass(frozen=True, eq=False)
class Explanation:
    """What makes the scores of some cases: total = base + sum of parts + rest.

    Attributes
    ----------
    base : of a case whose every feature is at its training mean
    parts : (cases, features) what each feature adds
    rest : (cases,) what no feature adds: 0 but where a classifier limits its log-odds
    total : (cases,) the score, or the mean vote
    scale : which of the two
    """

    base: float
    parts: Floats
    rest: Floats
    total: Floats
    scale: Scale


def _as_it_is(member: Member, z: Floats) -> tuple[float, Floats]:
    classifier = member.classifier
    return float(classifier.raw(np.zeros((1, z.shape[1])))[0]), classifier.parts(z)


def _on_its_score(classifier: Classifier, z: Floats) -> tuple[float, Floats]:
    """Parts of a mean vote, times what makes them sum to the difference of its log-odds."""
    both = np.vstack([z, np.zeros((1, z.shape[1]))])
    votes, scores = classifier.raw(both), classifier.score(both)
    far, gained = votes[:-1] - votes[-1], scores[:-1] - scores[-1]
    factor = np.divide(gained, far, out=np.zeros_like(far), where=np.abs(far) > TINY)
    return float(scores[-1]), factor[:, None] * classifier.parts(z)


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Scorer(OneLine):
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
    >>> scorer.explain([[7.0]]).parts
    array([[2.]])
    """

    features: Annotated[tuple[str, ...], Field(min_length=1)]
    offset: Number
    branches: Annotated[tuple[Branch, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        agree(len({*self.features}) == len(self.features), "expected each feature once")
        for b in self.branches:
            agree(
                _within(b.reads, len(self.features)), "a branch reads a feature that is not there"
            )
        kept = np.concatenate([b.reads[b.kept] for b in self.branches])
        agree(np.unique(kept).size == kept.size, "two branches score one feature")
        known = {(h.column, h.batches) for b in self.branches if (h := b.harmoniser) is not None}
        agree(len(known) < 2, "branches harmonise by several columns or batches")
        return self

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
    def batches(self) -> tuple[str, ...]:
        """Names of the batches that harmonisation knows; empty without."""
        found = [b.harmoniser.batches for b in self.branches if b.harmoniser is not None]
        return found[0] if found else ()

    @property
    def fills(self) -> bool:
        """Whether a missing value is filled, and not refused."""
        return all(branch.filling is not None for branch in self.branches)

    def score(self, values: ArrayLike | Columns, batch: Sequence[str] | None = None) -> Floats:
        """The score of each case, (cases,), from values (cases, features) and batches (cases,).

        Raises
        ------
        DataError
            A value is missing that is not filled, or a batch is missing or refused.
        """
        X = table_of(values)
        blocks = [*row_blocks(X)] if X.ndim == 2 else []
        if len(blocks) < 2:
            return self._score(X, batch)
        own = [None if batch is None else batch[k] for k in blocks]
        return np.concatenate([self._score(X[k], b) for k, b in zip(blocks, own, strict=True)])

    def _score(self, values: Table, batch: Sequence[str] | None) -> Floats:
        x = self._checked(values, batch)
        parts = [b.score(b.standardise(x, batch or ())) for b in self.branches]
        return np.asarray(self.offset + np.sum(parts, axis=0))

    @property
    def votes(self) -> Forest | None:
        """The averaged trees, where no other classifier takes part in the score."""
        members = [m for b in self.branches for m in b.members]
        only = members[0].classifier
        lone = len(members) == 1 and members[0].weight > 0
        return only if lone and members[0].averages and isinstance(only, Forest) else None

    @property
    def scale(self) -> Scale:
        """What parts of its scores sum to."""
        return "score" if self.votes is None else "vote"

    def on_scale(self, scores: ArrayLike) -> Floats:
        """Scores on the scale that `explain` tells parts of."""
        found = np.asarray(scores, dtype=np.float64)
        if self.votes is None:
            return found
        return np.asarray(expit((found - self.offset) / self.branches[0].members[0].weight))

    def score_of_z(self, z: Floats) -> Floats:
        """The score, (cases,), of z-scores (cases, features) as `z_scores` gives them."""
        parts = [b.score(z[:, b.reads[b.kept]]) for b in self.branches]
        return np.asarray(self.offset + np.sum(parts, axis=0))

    @property
    def approximate(self) -> bool:
        """Whether parts are carried from averaged trees' votes to their log-odds by a factor."""
        return self.votes is None and any(m.averages for b in self.branches for m in b.members)

    def explain(self, values: ArrayLike, batch: Sequence[str] | None = None) -> Explanation:
        """What each feature adds to the score of each case, against the training means.

        Shapley values against a case whose every z-score is 0 (`centrum.frozen.shapley`): of a
        linear score coefficient x z-score. Exact but where `approximate`.
        """
        x = self._checked(values, batch)
        base, parts = self.offset, np.zeros(x.shape)
        forest = self.votes
        for branch in self.branches:
            z, at = branch.standardise(x, batch or ()), branch.reads[branch.kept]
            if forest is not None:
                return self._of_votes(forest, branch, z, at, parts)
            added, found = branch.explain(z)
            base += added
            parts[:, at] += found
        total = self._score(x, batch)
        return Explanation(base, parts, total - base - parts.sum(axis=1), total, self.scale)

    def z_scores(self, values: ArrayLike, batch: Sequence[str] | None = None) -> Floats:
        """What the classifiers read of each feature, (cases, features); nan where none reads it."""
        x = self._checked(values, batch)
        found = np.full(x.shape, np.nan)
        for branch in self.branches:
            found[:, branch.reads[branch.kept]] = branch.standardise(x, batch or ())
        return found

    def _of_votes(
        self, forest: Forest, branch: Branch, z: Floats, at: Ints, parts: Floats
    ) -> Explanation:
        columns = branch.members[0].columns
        own = z[:, columns]
        parts[:, at[columns]] = forest.parts(own)
        base, total = float(forest.raw(np.zeros((1, columns.size)))[0]), forest.raw(own)
        return Explanation(base, parts, total - base - parts.sum(axis=1), total, self.scale)

    def _checked(self, values: ArrayLike | Columns, batch: Sequence[str] | None) -> Floats:
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
            shown = first_of([self.features[k] for k in bad], SHOWN)
            raise DataError(
                f"The model needs a value of each of its {len(self.features)} features; "
                f"{bad.size} are missing: {shown}."
            )

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `as_json` gave.

        Raises
        ------
        DataError
            Something is missing, of another type, or does not belong together.
        """
        return validated(cls, record, "The numbers of the model")


def _within(positions: Ints, n: int) -> bool:
    return bool(((positions >= 0) & (positions < n)).all())
