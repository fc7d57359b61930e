"""How many features a model has: cross-validated with every step refitted in each fold."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from centrum.arrays import Flags, Floats, Table
from centrum.errors import DataError
from centrum.modelling.auc import ROUNDING, auc
from centrum.modelling.by_score import finite_scores
from centrum.modelling.settings import FeatureCountSettings
from centrum.modelling.split import Indices, folds_by_patient, train_and_held_out
from centrum.modelling.study_pipeline import StudyPipeline, fit_arguments
from centrum.text import OneLine


@dataclass(frozen=True, eq=False, repr=False)
class FeatureCountCurve(OneLine):
    """Cross-validated performance against the number of features.

    Attributes
    ----------
    numbers : (counts,) 1 to the largest number tried
    scores : (folds, counts) on the cases held out
    chosen : the number that the rule picks
    out_of_fold : (cases,) scores of the cases held out, with the chosen number of features
    """

    numbers: NDArray[np.intp]
    scores: Floats
    chosen: int
    out_of_fold: Floats

    @property
    def mean(self) -> Floats:
        """Mean over the folds."""
        return self.scores.mean(axis=0)

    @property
    def se(self) -> Floats:
        """Standard error of the mean over the folds."""
        return _standard_error(self.scores)


def count_features(
    build: Callable[[int | None], StudyPipeline],
    choice: FeatureCountSettings,
    seed: int,
    X: Table,
    y: NDArray,
    patients: NDArray,
    batch: NDArray | None = None,
) -> FeatureCountCurve:
    """The curve of a model; `build` makes its unfitted pipeline for a number of features.

    Raises
    ------
    DataError
        Fewer patients of a class than folds, or what a step refuses, with a note of the fold.
    """
    fold = folds_by_patient(y, patients, choice.folds, seed)
    positive = y == np.unique(y)[1]
    decisions = np.empty((y.size, choice.maximum))
    scores = np.empty((choice.folds, choice.maximum))
    for k, (train, held_out) in enumerate(train_and_held_out(fold)):
        try:
            decisions[held_out] = scores_by_number(
                build(choice.maximum), choice.maximum, X, y, patients, batch, train, held_out
            )
        except DataError as error:
            error.add_note(f"while choosing the number of features, fold {k + 1}")
            raise
        scores[k] = _performance(positive[held_out], decisions[held_out], choice)
    chosen = _choose_number(scores, choice)
    numbers = np.arange(1, choice.maximum + 1)
    return FeatureCountCurve(numbers, scores, chosen, decisions[:, chosen - 1])


def scores_by_number(
    pipeline: StudyPipeline,
    maximum: int,
    X: Table,
    y: NDArray,
    patients: NDArray,
    batch: NDArray | None,
    train: Indices,
    held_out: Indices,
) -> Floats:
    """Scores of the held-out cases by the 1, 2, ... best features, (held out, maximum).

    All steps of the unfitted `pipeline` but the classifier are fitted once, on the rows of
    `train`; the classifier once for each number. Where fewer features are left than a number
    the scores are those of all that are left.
    """
    here, there = (None if batch is None else batch[rows] for rows in (train, held_out))
    rows, labels, owners = pipeline.fit_selection(X[train], y[train], patients[train], here)
    rows, test = np.asarray(rows), np.asarray(pipeline.select(X[held_out], there))
    ranking = pipeline.steps[-2][1]
    order = np.argsort(ranking.ranking_[ranking.get_support()])
    decisions = np.empty((len(test), maximum))
    for number in range(1, maximum + 1):
        if number <= order.size:
            columns = order[:number]
            classifier = clone(pipeline.steps[-1][1])
            also = fit_arguments(classifier, groups=owners)
            classifier.fit(rows[:, columns], labels, **also)
            decision = classifier.decision_function(test[:, columns])
        decisions[:, number - 1] = decision
    return finite_scores(decisions)


def _performance(positive: Flags, scores: Floats, choice: FeatureCountSettings) -> Floats:
    """Of each column of scores (cases, counts)."""
    if choice.measure == "auc":
        return auc(positive, scores, ROUNDING)
    share: Floats = np.mean((scores > 0) == positive[:, None], axis=0)
    return share


def _standard_error(scores: Floats) -> Floats:
    return np.std(scores, axis=0, ddof=1) / np.sqrt(len(scores))


def _choose_number(scores: Floats, choice: FeatureCountSettings) -> int:
    """The first number whose mean is the best, or within one standard error of it."""
    mean = scores.mean(axis=0)
    best = int(np.argmax(mean))
    slack = _standard_error(scores)[best] if choice.rule == "one_se" else 0.0
    return int(np.argmax(mean >= mean[best] - slack)) + 1
