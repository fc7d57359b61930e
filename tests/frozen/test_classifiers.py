"""Classifiers as numbers: scores by hand, and numbers that cannot belong together."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from centrum.errors import DataError
from centrum.frozen.classifiers import (
    Classifier,
    Forest,
    Linear,
    NaiveBayes,
    RadialKernel,
    Tree,
    classifier_from,
)
from centrum.records import as_json

TREE = Tree(
    left=np.array([1, -1, 3, -1, -1]), right=np.array([2, -1, 4, -1, -1]),
    feature=np.array([0, -1, 1, -1, -1]), threshold=np.array([0.5, 0, -1.0, 0, 0]),
    value=np.array([0, 0.2, 0, 0.6, 1.0]),
)  # fmt: skip
STUMP = Tree(*(np.array([k]) for k in (-1, -1, -1)), np.array([0.0]), np.array([0.4]))
FOREST = Forest((TREE, STUMP), 0.001)
KERNEL = RadialKernel(np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([1.0, -0.5]), 0.3, 0.1)
BAYES = NaiveBayes(
    np.array([[0.0, 1.0], [1.0, -1.0]]), np.array([[1.0, 4.0], [2.0, 1.0]]), np.array([0.3, 0.7]),
    1e-3,
)  # fmt: skip
Z = np.array([[0.5, 9.0], [0.500001, -1.0], [2.0, -0.9], [0.0, 0.0]])


def test_a_case_goes_left_where_it_is_at_most_the_threshold() -> None:
    found = TREE.of(Z.astype(np.float32))
    np.testing.assert_array_equal(found, [0.2, 0.6, 1.0, 0.2])


def test_a_forest_votes_and_boosting_sums() -> None:
    np.testing.assert_allclose(FOREST.raw(Z), [0.3, 0.5, 0.7, 0.3])
    np.testing.assert_allclose(FOREST.score(Z), logit([0.3, 0.5, 0.7, 0.3]))
    assert (FOREST.boosted, FOREST.width, STUMP.of(Z.astype(np.float32)).tolist()) == (
        False, 2, [0.4] * 4)  # fmt: skip
    steps = replace(FOREST, boosted=True, rate=0.1, start=-2.0)
    np.testing.assert_allclose(steps.raw(Z), -2 + 0.1 * np.array([0.6, 1.0, 1.4, 0.6]))
    np.testing.assert_allclose(steps.score(Z), steps.raw(Z))
    plain = replace(FOREST, boosted=True)
    np.testing.assert_allclose(plain.raw(Z), [0.6, 1.0, 1.4, 0.6])
    for one in (FOREST, steps):
        added = one.parts(Z).sum(axis=1)
        np.testing.assert_allclose(added, one.raw(Z) - one.raw(np.zeros((1, 2))), atol=1e-12)
    certain = replace(FOREST, trees=(replace(STUMP, value=np.array([1.0])),))
    np.testing.assert_allclose(certain.score(Z), logit(0.999))
    assert certain.width == 0


def test_single_precision_decides_at_a_threshold() -> None:
    """As scikit-learn's trees: 0.5 + 1e-9 is 0.5."""
    assert FOREST.raw(np.array([[0.5 + 1e-9, 0.0]])) == pytest.approx(0.3)


def test_a_kernel_and_normal_densities_by_hand() -> None:
    z = np.array([[1.0, 0.0]])
    assert KERNEL.score(z)[0] == pytest.approx(0.1 + np.exp(-0.3) - 0.5 * np.exp(-0.3 * 4))
    first, second = (
        prior * norm.pdf([1.0, 0.0], mean, np.sqrt(variance)).prod()
        for mean, variance, prior in zip(BAYES.means, BAYES.variances, BAYES.priors, strict=True)
    )
    assert BAYES.raw(z)[0] == pytest.approx(np.log(second / first))
    assert BAYES.score(z)[0] == pytest.approx(np.log(second / first))
    far = np.array([[40.0, -40.0], [40.0, 0.0]])
    np.testing.assert_allclose(expit(BAYES.score(far)), [0.001, 0.999])
    for one in (KERNEL, BAYES, Linear(np.array([2.0, -1.0]), 0.5)):
        added = one.parts(Z).sum(axis=1)
        np.testing.assert_allclose(added, one.raw(Z) - one.raw(np.zeros((1, 2))), atol=1e-12)
        assert one.width == 2


@pytest.mark.parametrize("one", [FOREST, KERNEL, BAYES, Linear(np.array([2.0, -1.0]), 0.5)])
def test_a_record_gives_the_same_classifier(one: Classifier) -> None:
    again = classifier_from(as_json(one))
    assert type(again) is type(one)
    np.testing.assert_array_equal(again.score(Z), one.score(Z))
    assert classifier_from(one) is one
    short = {k: v for k, v in as_json(one).items() if k not in ("boosted", "rate", "start")}
    np.testing.assert_array_equal(classifier_from(short).score(Z), one.score(Z))
    with pytest.raises(DataError, match="`later` is not known"):
        classifier_from(as_json(one) | {"later": 1})


@pytest.mark.parametrize(
    ("one", "change", "why"),
    [
        (KERNEL, {"weights": np.array([1.0])}, "a weight for each vector"),
        (KERNEL, {"weights": np.empty(0), "vectors": np.empty((0, 2))}, "a weight for each"),
        (KERNEL, {"gamma": 0.0}, "greater than 0"),
        (BAYES, {"means": np.zeros((2, 3))}, "of two classes"),
        (BAYES, {"means": np.zeros((3, 2)), "variances": np.ones((3, 2))}, "of two classes"),
        (BAYES, {"priors": np.ones(1)}, "of two classes"),
        (BAYES, {"variances": np.array([[1.0, 0.0], [1.0, 1.0]])}, "variances above 0"),
        (BAYES, {"priors": np.array([0.0, 1.0])}, "priors above 0"),
        (BAYES, {"certain": 0.0}, "greater than 0"),
        (BAYES, {"certain": 0.5}, "less than 0.5"),
        (TREE, {"threshold": np.zeros(4)}, "lists of one length"),
        (TREE, {"left": np.array([0, -1, 3, -1, -1])}, "lead down"),
        (TREE, {"right": np.array([5, -1, 4, -1, -1])}, "lead down"),
        (TREE, {"right": np.array([2, -1, 2, -1, -1])}, "lead down"),
        (STUMP, dict.fromkeys(("left", "right", "feature"), np.empty(0, int))
         | dict.fromkeys(("threshold", "value"), np.empty(0)), "lists of one length"),
        (FOREST, {"trees": ()}, "at least 1 item"),
        (FOREST, {"boosted": 1}, "valid boolean"),
    ],
)  # fmt: skip
def test_numbers_that_are_no_such_classifier_are_refused(
    one: Any, change: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        replace(one, **change)


@pytest.mark.parametrize("record", [None, {}, {"kind": ["linear"]}, {"kind": "deep"}])
def test_a_record_of_no_kind_is_refused(record: Any) -> None:
    with pytest.raises(DataError, match="scores linear, radial_kernel, naive_bayes, trees"):
        classifier_from(record)
