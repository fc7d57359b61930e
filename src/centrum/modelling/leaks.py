"""The classic leaks, switched on: what a study would have claimed had it made the mistake.

Kapoor and Narayanan, Patterns 2023;4:100804, list them; Demircioglu, Insights Imaging
2021;12:172, measures selection before the split on radiomics. None of this is used to fit a
model; it stands beside the honest figures in the report's leak audit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from centrum.arrays import Floats, Ints, Table
from centrum.modelling.auc import auc
from centrum.modelling.feature_count import scores_by_number
from centrum.modelling.levels import Covariates
from centrum.modelling.on_disk import refuse_too_large
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.settings import ModelSettings
from centrum.modelling.split import Indices, stratified_split


@dataclass(frozen=True, eq=False)
class SplitStudy:
    """A study and one split of it.

    Attributes
    ----------
    model : unfitted
    X, y, patients, batch : of all cases; y is 0 or 1
    names : of the features
    train, test : the honest split, by patient
    settings : of the model
    seed : of whatever a leak draws
    covariates : names of the features that are no measurement of an image, by covariate
    columns : what is known about the cases
    """

    model: BaseEstimator
    X: Table
    y: Ints
    patients: NDArray
    batch: NDArray | None
    names: tuple[str, ...]
    train: Indices
    test: Indices
    settings: ModelSettings
    seed: int
    covariates: Covariates = ()
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)

    @cached_property
    def trained(self) -> BaseEstimator:
        """The model fitted on the training side."""
        return self.fitted(self.train)

    @cached_property
    def tested(self) -> Floats:
        """Scores of the test side by `trained`."""
        return self.scores(self.trained, self.test)

    @cached_property
    def out_of_fold(self) -> Floats:
        """Scores of the training side by models that had not seen their patients."""
        batch = None if self.batch is None else self.batch[self.train]
        seen = (self.X[self.train], self.y[self.train], self.patients[self.train], batch)
        scores: Floats = self.trained.inner_scores(*seen)
        return scores

    def fitted(self, rows: Indices) -> BaseEstimator:
        """The model fitted on some rows."""
        batch = None if self.batch is None else self.batch[rows]
        return clone(self.model).fit(self.X[rows], self.y[rows], self.patients[rows], batch)

    def scores(self, model: BaseEstimator, rows: Indices) -> Floats:
        """Scores of some rows."""
        batch = None if self.batch is None else self.batch[rows]
        scores: Floats = model.decision_function(self.X[rows], batch)
        return scores


def honest(scene: SplitStudy) -> float:
    """No leak: the AUC of test patients who took no part."""
    return float(auc(scene.y[scene.test] == 1, scene.tested))


def apparent(scene: SplitStudy) -> float:
    """The model is evaluated on the cases that it was fitted on."""
    return float(auc(scene.y[scene.train] == 1, scene.scores(scene.trained, scene.train)))


def selection_before_split(scene: SplitStudy) -> float:
    """Features are selected on all cases; all else is fitted on training cases.

    Gaps are filled, centres harmonised and features scaled as in the model itself; classes are
    not balanced by new rows.
    """
    names = scene.fitted(np.arange(scene.y.size)).selected_
    position = {name: k for k, name in enumerate(scene.names)}
    chosen = replace(
        scene,
        model=StudyClassifier(
            _without_selection(scene.settings),
            scene.seed,
            names,
            covariates=scene.covariates,
            calibrate=False,
        ),
        X=scene.X[:, [position[str(name)] for name in names], :1],
    )
    return honest(chosen)


def _without_selection(settings: ModelSettings) -> ModelSettings:
    weighed = settings.balance == "class_weight"
    return settings.model_copy(
        update={
            "select": settings.select.model_copy(update={"method": "none"}),
            "rfe": settings.rfe.model_copy(update={"estimator": "none"}),
            "screen": None,
            "correlation": None,
            "n_features": None,
            "balance": "class_weight" if weighed else "none",
        }
    )


def number_tuned_on_test(scene: SplitStudy) -> float:
    """The number of features is the one with the best AUC on the test cases."""
    n_features = scene.settings.n_features
    if not isinstance(scene.model, StudyClassifier) or n_features is None:
        return float("nan")
    scores = scores_by_number(
        scene.model.pipeline_of(n_features.maximum),
        n_features.maximum,
        scene.X,
        scene.y,
        scene.patients,
        scene.batch,
        scene.train,
        scene.test,
    )
    return float(np.max(auc(scene.y[scene.test] == 1, scores)))


def copies_on_both_sides(scene: SplitStudy) -> float:
    """Each case is there twice (its second reading, or a copy, as balancing and augmenting
    before the split make them) and rows are split, not patients."""
    shape = (2 * scene.y.size, *scene.X.shape[1:2])
    instead = "Switch the leak audit off: `evaluation: {leak_audit: {splits: 0}}`."
    refuse_too_large("The leak of copies on both sides", shape, instead)
    first = np.asarray(scene.X[:, :, :1])
    second = np.asarray(scene.X[:, :, [min(1, scene.X.shape[2] - 1)]])
    X = np.concatenate([first, np.where(np.isfinite(second), second, first)])
    y = np.concatenate([scene.y, scene.y])
    batch = None if scene.batch is None else np.concatenate([scene.batch, scene.batch])
    share = scene.train.size / scene.y.size
    train, test = stratified_split(y, None, share, scene.seed)
    model = clone(scene.model)
    one_reading = {"robustness": None, "n_readers": None, "compared": None}
    if one_reading.keys() <= model.get_params().keys():
        model.set_params(**one_reading)
    model.fit(X[train], y[train], None, None if batch is None else batch[train])
    scores = model.decision_function(X[test], None if batch is None else batch[test])
    return float(auc(y[test] == 1, scores))


LEAKS: Mapping[str, Callable[[SplitStudy], float]] = {
    "honest": honest,
    "apparent": apparent,
    "selection_before_split": selection_before_split,
    "number_tuned_on_test": number_tuned_on_test,
    "copies_on_both_sides": copies_on_both_sides,
}
"""By name: an AUC of a scene. The best of several honest splits is the last leak; it needs no
fit of its own."""

TITLES: Mapping[str, str] = {
    "honest": "none: everything learnt on training patients",
    "apparent": "evaluated on the training cases",
    "selection_before_split": "features selected on all cases before the split",
    "number_tuned_on_test": "number of features tuned on the test cases",
    "copies_on_both_sides": "second readings or copies of a case on both sides",
    "best_split": "the best of all splits is shown",
}
"""What a leak is, for a reader."""
