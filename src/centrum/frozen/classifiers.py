"""Fitted classifiers as plain numbers: what each needs to score a case, and nothing else.

Each also tells what every z-score adds: `parts` are Shapley values against a case whose z-scores
are all 0, and sum exactly to the difference of the two cases' `raw`. That is the score, but of
averaged trees their mean vote, a probability, and of others the log-odds before their limit.

Nothing of scikit-learn is needed to score, and nothing but numbers and names is kept, so that
a file of them cannot carry code.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from scipy.special import expit, logit

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.frozen.schema import PART, Number, Positions, Positive, Rows, Vector, agree, validated
from centrum.frozen.shapley import Boxes, leaves_of, product_parts
from centrum.text import OneLine

Certain = Annotated[Number, Field(gt=0, lt=0.5)]


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Linear(OneLine):
    """intercept + z @ weights.

    >>> Linear(np.array([2.0, -1.0]), 0.5).score(np.array([[1.0, 1.0]]))
    array([1.5])
    """

    weights: Vector
    intercept: Number
    kind: Literal["linear"] = "linear"

    @property
    def width(self) -> int:
        """How many z-scores it reads."""
        return self.weights.size

    def score(self, z: Floats) -> Floats:
        """The score of each row of z (cases, features), (cases,)."""
        return np.asarray(z @ self.weights + self.intercept)

    raw = score

    def parts(self, z: Floats) -> Floats:
        """What each z-score adds, (cases, features): weight x z."""
        return np.asarray(z * self.weights)


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class RadialKernel(OneLine):
    """intercept + sum of weight x exp(-gamma |z - vector|^2) over the support vectors."""

    vectors: Rows
    weights: Vector
    gamma: Positive
    intercept: Number
    kind: Literal["radial_kernel"] = "radial_kernel"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        agree(len(self.vectors) == self.weights.size > 0, "expected a weight for each vector")
        return self

    @property
    def width(self) -> int:
        """How many z-scores it reads."""
        return self.vectors.shape[1]

    def score(self, z: Floats) -> Floats:
        """The score of each row of z (cases, features), (cases,)."""
        # Case by case: all differences at once take gigabytes where features are many.
        squares = np.empty((len(z), len(self.vectors)))
        for k, case in enumerate(z):
            squares[k] = ((case - self.vectors) ** 2).sum(axis=1)
        return np.asarray(np.exp(-self.gamma * squares) @ self.weights + self.intercept)

    raw = score

    def parts(self, z: Floats) -> Floats:
        """What each z-score adds, (cases, features); the kernel is a product over features."""
        usual = np.exp(-self.gamma * self.vectors**2)
        return np.array(
            [product_parts(np.exp(-self.gamma * (row - self.vectors) ** 2), usual, self.weights)
             for row in z]
        )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class NaiveBayes(OneLine):
    """Log-odds of two products of normal densities; rows are the two classes.

    `certain` is the least probability that a class has.
    """

    means: Rows
    variances: Rows
    priors: Vector
    certain: Certain
    kind: Literal["naive_bayes"] = "naive_bayes"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        agree(
            self.means.shape == self.variances.shape and len(self.means) == self.priors.size == 2,
            "expected means and variances of two classes",
        )
        agree(bool((self.variances > 0).all()), "expected variances above 0")
        agree(bool((self.priors > 0).all()), "expected priors above 0")
        return self

    @property
    def width(self) -> int:
        """How many z-scores it reads."""
        return self.means.shape[1]

    def score(self, z: Floats) -> Floats:
        """The score of each row of z (cases, features), (cases,)."""
        return _bounded(expit(self.raw(z)), self.certain)

    def raw(self, z: Floats) -> Floats:
        """The log-odds without limit, (cases,)."""
        spread = np.log(self.variances).sum(axis=1)  # and 2 pi, which the classes share
        joint = np.log(self.priors) - 0.5 * (spread + self._away(z).sum(axis=2))
        return np.asarray(joint[:, 1] - joint[:, 0])

    def parts(self, z: Floats) -> Floats:
        """What each z-score adds to the log-odds, (cases, features): they are a sum."""
        moved = self._away(z) - self._away(np.zeros((1, self.width)))
        return np.asarray(0.5 * (moved[:, 0] - moved[:, 1]))

    def _away(self, z: Floats) -> Floats:
        """Squared distance from each class in its SDs, (cases, classes, features)."""
        return np.asarray((z[:, None, :] - self.means) ** 2 / self.variances)


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Tree(OneLine):
    """One tree as arrays over its nodes, the root first.

    A case goes to `left` where its feature is at most `threshold`, else to `right`; a node with
    the feature -1 is a leaf and gives `value`.
    """

    left: Positions
    right: Positions
    feature: Positions
    threshold: Vector
    value: Vector

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        n = self.value.size
        lists = (self.left, self.right, self.feature, self.threshold)
        agree(n > 0 and all(x.size == n for x in lists), "a tree has lists of one length")
        inner = np.flatnonzero(self.feature >= 0)
        for side in (self.left[inner], self.right[inner]):
            # Ever further down, so that every case reaches a leaf.
            agree(bool(((side > inner) & (side < n)).all()), "a tree's branches lead down")
        return self

    def of(self, z: NDArray[np.float32]) -> Floats:
        """Value of the leaf that each row of z reaches, (cases,)."""
        node = np.zeros(len(z), dtype=np.int64)
        rows = np.arange(len(z))
        while (inner := self.feature[node] >= 0).any():
            lower = z[rows, np.maximum(self.feature[node], 0)] <= self.threshold[node]
            below = np.where(lower, self.left[node], self.right[node])
            node = np.where(inner, below, node)
        return self.value[node]


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Forest(OneLine):
    """Log-odds of the mean probability over trees, or of a sum of log-odds (boosting).

    Attributes
    ----------
    trees : their leaves give the probability of the second class, or a step of log-odds
    certain : the least probability that a class has, so that a score is finite
    boosted : whether the steps are summed, times `rate`, from `start`
    """

    trees: Annotated[tuple[Tree, ...], Field(min_length=1)]
    certain: Certain
    boosted: Annotated[bool, Field(strict=True)] = False
    rate: Number = 1.0
    start: Number = 0.0
    kind: Literal["trees"] = "trees"

    @property
    def width(self) -> int:
        """How many z-scores it reads at least."""
        return 1 + max(int(tree.feature.max()) for tree in self.trees)

    def score(self, z: Floats) -> Floats:
        """The score of each row of z (cases, features), (cases,)."""
        raw = self.raw(z)
        return _bounded(expit(raw) if self.boosted else raw, self.certain)

    def raw(self, z: Floats) -> Floats:
        """The mean probability of the trees, or the log-odds without limit (boosting), (cases,)."""
        # scikit-learn's trees compare numbers of single precision.
        single = z.astype(np.float32)
        values = np.array([tree.of(single) for tree in self.trees])
        if self.boosted:
            return np.asarray(self.start + self.rate * values.sum(axis=0))
        return np.asarray(values.mean(axis=0))

    def parts(self, z: Floats) -> Floats:
        """What each z-score adds to `raw`, (cases, features)."""
        each = self.rate if self.boosted else 1 / len(self.trees)
        return each * self._boxes.parts(z.astype(np.float32))

    @cached_property
    def _boxes(self) -> Boxes:
        return Boxes.of(
            leaf
            for t in self.trees
            for leaf in leaves_of(t.left, t.right, t.feature, t.threshold, t.value)
        )


Classifier = Linear | RadialKernel | NaiveBayes | Forest

CLASSIFIERS: Mapping[str, type[Classifier]] = {
    c.kind: c for c in (Linear, RadialKernel, NaiveBayes, Forest)
}


def classifier_from(record: Any) -> Classifier:
    """The classifier of a record with its `kind`.

    Raises
    ------
    DataError
        A kind that this version does not know, or numbers that cannot be those of its kind.

    >>> classifier_from({"kind": "linear", "weights": [1.0], "intercept": 0.0}).width
    1
    """
    if isinstance(record, Classifier):
        return record
    kind = record.get("kind") if isinstance(record, Mapping) else None
    if not isinstance(kind, str) or kind not in CLASSIFIERS:
        raise DataError(
            f"The model holds a classifier of the kind {kind!r}; this version scores "
            f"{', '.join(CLASSIFIERS)}. Use the version that made the model."
        )
    return validated(CLASSIFIERS[kind], record, f"The classifier {kind}")


def _bounded(p: Floats, certain: float) -> Floats:
    """Log-odds of probabilities that are never quite 0 or 1."""
    return np.asarray(logit(np.clip(p, certain, 1 - certain)))
