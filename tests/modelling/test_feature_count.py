"""How many features: what the folds measure, and the rule that picks."""

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.modelling.auc import ROUNDING
from centrum.modelling.feature_count import (
    FeatureCountCurve,
    _choose_number,
    _performance,
    count_features,
)
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.settings import FeatureCountSettings, LassoSettings, ModelSettings

RISING = np.array([[0.6, 0.7, 0.8, 0.8], [0.6, 0.8, 0.8, 0.8], [0.6, 0.75, 0.86, 0.86]])
"""Means .6, .75, .82 and .82; the standard error of the best is .02."""


@pytest.mark.parametrize(("rule", "chosen"), [("best", 3), ("one_se", 3)])
def test_the_first_of_the_best_is_chosen(rule: str, chosen: int) -> None:
    assert _choose_number(RISING, FeatureCountSettings(rule=rule)) == chosen


def test_fewer_features_within_one_standard_error_are_as_good() -> None:
    """The error is that of the best number: 0.1 / sqrt(3) here."""
    scores = np.array([[0.7, 0.75, 0.9], [0.7, 0.75, 0.8], [0.7, 0.75, 0.7]])
    slack = 0.1 / np.sqrt(3)
    assert slack == pytest.approx(0.0577, abs=1e-4)
    assert _choose_number(scores, FeatureCountSettings(rule="one_se")) == 2
    assert _choose_number(scores, FeatureCountSettings(rule="best")) == 3
    curve = FeatureCountCurve(np.arange(1, 4), scores, 2, np.zeros(9))
    np.testing.assert_allclose(curve.se, [0, 0, slack], atol=1e-12)
    np.testing.assert_allclose(curve.mean, [0.7, 0.75, 0.8])


def test_accuracy_counts_scores_above_nought() -> None:
    positive = np.array([True, True, False, False])
    scores = np.array([[1.0, 0.0], [-1.0, 2.0], [-2.0, 0.0], [3.0, 4.0]])
    accuracy = FeatureCountSettings(measure="accuracy")
    np.testing.assert_array_equal(_performance(positive, scores, accuracy), [0.5, 0.5])
    apart = np.array([[1.0, 1.0], [2.0, 2.0], [1.0 - ROUNDING / 2, 0.0], [0.0, 0.5]])
    areas = _performance(positive, apart, FeatureCountSettings())
    np.testing.assert_array_equal(areas, [3.5 / 4, 1], "differences of rounding are ties")


def test_scores_out_of_fold_are_of_the_number_that_was_chosen() -> None:
    """Of models without the case; a fold that cannot be fitted is named."""
    rng = np.random.default_rng(15)
    y = np.arange(48) % 2
    X = rng.normal(size=(48, 8, 1))
    X[:, :3, 0] += [2.0, 1.0, 0.5] * y[:, None]
    settings = ModelSettings(lasso=LassoSettings(folds=3), classifier="logistic", balance="none")
    choice = FeatureCountSettings(maximum=5, folds=4)
    build = StudyClassifier(settings, 2).pipeline_of
    found = count_features(build, choice, 9, X, y, np.arange(48))
    assert found.numbers.tolist() == [1, 2, 3, 4, 5]
    assert found.scores.shape == (4, 5)
    means = found.scores.mean(axis=0)
    assert found.chosen == 1 + int(np.argmax(means))
    only = FeatureCountSettings(maximum=found.chosen, folds=4)
    alone = count_features(build, only, 9, X, y, np.arange(48))
    np.testing.assert_allclose(alone.out_of_fold, found.out_of_fold)
    other = count_features(build, choice, 10, X, y, np.arange(48))
    assert (other.out_of_fold != found.out_of_fold).any(), "folds are of the seed"
    with pytest.raises(DataError, match="constant") as caught:
        count_features(build, choice, 9, np.ones_like(X), y, np.arange(48))
    assert caught.value.__notes__ == ["while choosing the number of features, fold 1"]
