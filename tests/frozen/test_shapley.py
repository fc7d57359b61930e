"""Contributions are Shapley values: equal to the sum over all subsets, whatever the classifier."""

from itertools import combinations, permutations
from math import factorial

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.naive_bayes import GaussianNB

from centrum.frozen.classifiers import Classifier, Forest, RadialKernel, Tree
from centrum.frozen.export import classifier_of
from centrum.frozen.shapley import product_parts
from centrum.modelling.classifiers import (
    LogOdds,
    extra_trees,
    gradient_boosting,
    linear_svm,
    random_forest,
    rbf_svm,
)

FITTED = {
    "linear": linear_svm,
    "kernel": rbf_svm,
    "forest": lambda: random_forest(seed=1),
    "extra trees": lambda: extra_trees(seed=1),
    "boosting": lambda: gradient_boosting(seed=1),
    "naive Bayes": lambda: LogOdds(GaussianNB()),
}


def by_definition(classifier: Classifier, z: NDArray) -> NDArray:
    """Shapley values (features,) of one case: every subset of features, in or at 0."""
    d = z.size

    def value(chosen: tuple[int, ...]) -> float:
        row = np.zeros((1, d))
        row[0, list(chosen)] = z[list(chosen)]
        return float(classifier.raw(row)[0])

    parts = np.zeros(d)
    for k in range(d):
        others = [j for j in range(d) if j != k]
        for size in range(d):
            weight = factorial(size) * factorial(d - size - 1) / factorial(d)
            for chosen in combinations(others, size):
                parts[k] += weight * (value((*chosen, k)) - value(chosen))
    return parts


def cohort(features: int = 5, n: int = 60) -> tuple[NDArray, NDArray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, features))
    y = X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=n) > 0
    return X, y.astype(int)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", FITTED)
def test_parts_are_shapley_values_and_sum(name: str) -> None:
    X, y = cohort()
    classifier = classifier_of(FITTED[name]().fit(X, y))
    z = np.random.default_rng(1).normal(0, 1.5, size=(6, X.shape[1]))
    z[3] = 0.0
    found = classifier.parts(z)
    for row, parts in zip(z[:4], found[:4], strict=True):
        np.testing.assert_allclose(parts, by_definition(classifier, row), atol=1e-12)
    gained = classifier.raw(z) - classifier.raw(np.zeros((1, z.shape[1])))
    np.testing.assert_allclose(found.sum(axis=1), gained, atol=1e-12)


def test_a_tree_has_the_values_of_the_shap_package() -> None:
    """Typed from shap 0.51.0, TreeExplainer with a single row of zeros as data, interventional.

    The tree: feature 0 at most 0.5? then feature 1 at most -1 (0.1 or 0.4), else feature 1 at most
    2 (0.7, or feature 0 at most 3: 0.2 or 0.9).
    """
    tree = Tree(
        left=np.array([1, 2, -1, -1, 5, -1, 7, -1, -1]),
        right=np.array([4, 3, -1, -1, 6, -1, 8, -1, -1]),
        feature=np.array([0, 1, -1, -1, 1, -1, 0, -1, -1]),
        threshold=np.array([0.5, -1.0, 0, 0, 2.0, 0, 3.0, 0, 0]),
        value=np.array([0, 0, 0.1, 0.4, 0, 0.7, 0, 0.2, 0.9]),
    )
    forest = Forest((tree,), 1e-3)
    z = np.array([[1.0, 2.5], [4.0, 2.5], [0.0, -2.0], [4.0, 1.0]])
    wanted = [
        [0.04999998, -0.25],
        [0.39999995, 0.09999999],
        [0.0, -0.30000001],
        [0.29999998, 0.0],
    ]
    np.testing.assert_allclose(forest.parts(z), wanted, atol=1e-7)  # it sums in single precision
    assert forest.raw(np.zeros((1, 2)))[0] == 0.4
    # A value at a threshold goes to the left, as in scoring.
    edges = np.array([[0.5, -1.0], [3.0, 2.5], [3.0, 2.0]])
    np.testing.assert_allclose(0.4 + forest.parts(edges).sum(axis=1), [0.1, 0.2, 0.7])
    np.testing.assert_allclose(forest.raw(edges), [0.1, 0.2, 0.7])


@pytest.mark.parametrize("usual", [0.0, 1e-130, 0.8])
def test_a_factor_of_nought_is_not_divided_by(usual: float) -> None:
    """Of the product of (0, 0.2, 1) against (usual, 0.5, 0.4), by all orders of three features."""
    own, other = np.array([0.0, 0.2, 1.0]), np.array([usual, 0.5, 0.4])
    wanted = np.zeros(3)
    for order in permutations(range(3)):
        now = other.copy()
        for k in order:
            before, now[k] = now.prod(), own[k]
            wanted[k] += (now.prod() - before) / 6
    parts = product_parts(own[None], other[None], np.ones(1))
    np.testing.assert_allclose(parts, wanted, atol=1e-12)


@pytest.mark.parametrize("features", [1, 2, 129, 300])
def test_a_kernel_of_many_and_of_extreme_features_sums(features: int) -> None:
    rng = np.random.default_rng(2)
    vectors, weights = rng.normal(size=(20, features)), rng.normal(size=20)
    kernel = RadialKernel(vectors, weights, 1 / features, 0.3)
    z = rng.normal(size=(4, features))
    z[1] *= 6
    z[2, : features // 3] = 400.0  # a kernel of 0 even for one feature of few
    parts = kernel.parts(z)
    assert np.isfinite(parts).all()
    gained = kernel.score(z) - kernel.score(np.zeros((1, features)))
    np.testing.assert_allclose(parts.sum(axis=1), gained, atol=1e-9)


def test_features_that_no_tree_reads_add_nothing() -> None:
    X, y = cohort()
    X[:, 3] = 0.0
    forest = classifier_of(random_forest(seed=1).fit(X, y))
    z = np.random.default_rng(1).normal(size=(5, 5))
    assert (forest.parts(z)[:, 3] == 0).all()
    # Wider than its trees look.
    assert forest.parts(np.column_stack([z, z])).shape == (5, 10)
