"""Fitted classifiers as plain numbers: what each needs to score a case, and nothing else.

Nothing of scikit-learn is needed to score, and nothing but numbers and names is kept, so that
a file of them cannot carry code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from centrum.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Linear:
    """intercept + z @ weights.

    >>> Linear(np.array([2.0, -1.0]), 0.5).score(np.array([[1.0, 1.0]]))
    array([1.5])
    """

    kind: ClassVar[str] = "linear"
    weights: Floats
    intercept: float

    def score(self, z: Floats) -> Floats:
        """The score of each row of z (cases, features), (cases,)."""
        return np.asarray(z @ self.weights + self.intercept)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `plain` gave."""
        return cls(_numbers(record["weights"]), float(record["intercept"]))


@dataclass(frozen=True, eq=False)
class RadialKernel:
    """intercept + sum of weight x exp(-gamma |z - vector|^2) over the support vectors."""

    kind: ClassVar[str] = "radial_kernel"
    vectors: Floats
    weights: Floats
    gamma: float
    intercept: float

    def score(self, z: Floats) -> Floats:
        """The score of each row of z (cases, features), (cases,)."""
        squares = ((z[:, None, :] - self.vectors[None]) ** 2).sum(axis=2)
        return np.asarray(np.exp(-self.gamma * squares) @ self.weights + self.intercept)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `plain` gave."""
        return cls(
            vectors=_numbers(record["vectors"]),
            weights=_numbers(record["weights"]),
            gamma=float(record["gamma"]),
            intercept=float(record["intercept"]),
        )


@dataclass(frozen=True, eq=False)
class NaiveBayes:
    """Log-odds of two products of normal densities; rows are the two classes.

    `certain` is the least probability that a class has.
    """

    kind: ClassVar[str] = "naive_bayes"
    means: Floats
    variances: Floats
    priors: Floats
    certain: float

    def score(self, z: Floats) -> Floats:
        """The score of each row of z (cases, features), (cases,)."""
        away = (z[:, None, :] - self.means) ** 2 / self.variances
        spread = np.log(2 * np.pi * self.variances).sum(axis=1)
        joint = np.log(self.priors) - 0.5 * (spread + away.sum(axis=2))
        return _bounded(expit(joint[:, 1] - joint[:, 0]), self.certain)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `plain` gave."""
        return cls(
            means=_numbers(record["means"]),
            variances=_numbers(record["variances"]),
            priors=_numbers(record["priors"]),
            certain=float(record["certain"]),
        )


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree as arrays over its nodes, the root first.

    A case goes to `left` where its feature is at most `threshold`, else to `right`; a node with
    the feature -1 is a leaf and gives `value`.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: Floats
    value: Floats

    def of(self, z: NDArray[np.float32]) -> Floats:
        """Value of the leaf that each row of z reaches, (cases,)."""
        node = np.zeros(len(z), dtype=np.int64)
        rows = np.arange(len(z))
        while (inner := self.feature[node] >= 0).any():
            lower = z[rows, np.maximum(self.feature[node], 0)] <= self.threshold[node]
            below = np.where(lower, self.left[node], self.right[node])
            node = np.where(inner, below, node)
        return self.value[node]

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `plain` gave."""
        return cls(
            left=np.array(record["left"], dtype=np.int64),
            right=np.array(record["right"], dtype=np.int64),
            feature=np.array(record["feature"], dtype=np.int64),
            threshold=_numbers(record["threshold"]),
            value=_numbers(record["value"]),
        )


@dataclass(frozen=True, eq=False)
class Forest:
    """Log-odds of the mean probability over trees, or of a sum of log-odds (boosting).

    Attributes
    ----------
    trees : their leaves give the probability of the second class, or a step of log-odds
    certain : the least probability that a class has, so that a score is finite
    boosted : whether the steps are summed, times `rate`, from `start`
    """

    kind: ClassVar[str] = "trees"
    trees: tuple[Tree, ...]
    certain: float
    boosted: bool = False
    rate: float = 1.0
    start: float = 0.0

    def score(self, z: Floats) -> Floats:
        """The score of each row of z (cases, features), (cases,)."""
        # scikit-learn's trees compare numbers of single precision.
        single = z.astype(np.float32)
        values = np.array([tree.of(single) for tree in self.trees])
        if self.boosted:
            return _bounded(expit(self.start + self.rate * values.sum(axis=0)), self.certain)
        return _bounded(values.mean(axis=0), self.certain)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """From what `plain` gave."""
        trees = tuple(Tree.from_dict(tree) for tree in record["trees"])
        numbers = {name: float(record[name]) for name in ("certain", "rate", "start")}
        return cls(trees, boosted=bool(record["boosted"]), **numbers)


Classifier = Linear | RadialKernel | NaiveBayes | Forest

CLASSIFIERS: Mapping[str, type[Classifier]] = {
    c.kind: c for c in (Linear, RadialKernel, NaiveBayes, Forest)
}


def classifier_from(record: Mapping[str, Any]) -> Classifier:
    """The classifier of a record with its `kind`.

    Raises
    ------
    DataError
        A kind that this version does not know.
    """
    kind = str(record.get("kind"))
    if kind not in CLASSIFIERS:
        raise DataError(
            f"The model holds a classifier of the kind {kind!r}; this version scores "
            f"{', '.join(CLASSIFIERS)}. Use the version that made the model."
        )
    return CLASSIFIERS[kind].from_dict(record)


def _bounded(p: Floats, certain: float) -> Floats:
    """Log-odds of probabilities that are never quite 0 or 1."""
    return np.asarray(logit(np.clip(p, certain, 1 - certain)))


def _numbers(value: Any) -> Floats:
    return np.array(value, dtype=np.float64)
