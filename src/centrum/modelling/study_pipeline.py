"""The chain of steps, told whose case each row is and where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Self

import numpy as np
from imblearn.pipeline import Pipeline
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from centrum.arrays import Columns, Floats, Table, table_of
from centrum.modelling.by_score import finite_scores
from centrum.modelling.on_disk import readable
from centrum.modelling.split import owners_of


class StudyPipeline(Pipeline):
    """An imbalanced-learn pipeline that tells its steps whose case each row is, and from where.

    Balancing repeats rows; a step that deals its own folds (the LASSO) then needs to know
    which rows are the same patient's, or copies of a row would be on both sides. Harmonisation
    needs the batch of each row, to learn and to apply, and which columns are covariates: steps
    are told the names of the columns that are left.

    Attributes
    ----------
    seen_ : step name -> the patients of the rows that it was fitted on
    """

    def fit(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> Self:
        """Fit all steps on X (cases, features, readings).

        `groups` (cases,) are the patients, `batch` (cases,) the centres.
        """
        selected, labels, patients = self.fit_selection(X, y, groups, batch)
        name, classifier = self.steps[-1]
        known = fit_arguments(classifier, groups=patients)
        classifier.fit(readable(name, classifier, selected), labels, **known)
        self.seen_[name] = np.unique(patients)
        return self

    def fit_selection(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> tuple[Table, NDArray, NDArray]:
        """Fit all steps but the classifier.

        Returns rows, labels and patients that the classifier is to be fitted on.
        """
        labels, values = np.asarray(y), table_of(X)
        patients = owners_of(labels, groups)
        self.seen_ = {}
        names: NDArray | None = None
        for name, step in self.steps[:-1]:
            self.seen_[name] = np.unique(patients)
            values = readable(name, step, values)
            if hasattr(step, "fit_resample"):
                values, labels = step.fit_resample(values, labels)
                patients = patients[step.sample_indices_]
            else:
                known = fit_arguments(step, groups=patients, batch=batch, names=names)
                step.fit(values, labels, **known)
                values = step.transform(values, **_wanted_of_new(step, batch))
                names = _names_after(step, names)
        return values, labels, patients

    def select(self, X: Table, batch: ArrayLike | None = None) -> Table:
        """What the classifier sees of new cases, (cases, features kept)."""
        for name, step in self.steps[:-1]:
            if not hasattr(step, "fit_resample"):
                X = step.transform(readable(name, step, X), **_wanted_of_new(step, batch))
        return X

    def score_cases(self, X: Table, batch: ArrayLike | None = None) -> Floats:
        """The classifier's score of new cases, (cases,)."""
        name, classifier = self.steps[-1]
        selected = readable(name, classifier, self.select(X, batch))
        return finite_scores(classifier.decision_function(selected))


@dataclass(frozen=True, eq=False)
class Kept:
    """Features that the steps before a classifier left.

    Attributes
    ----------
    funnel : step -> names of the features that it kept, in the order of the steps
    names, mean, sd : (k,) of those left, with what the z-score learnt of them
    """

    funnel: dict[str, NDArray]
    names: NDArray
    mean: Floats
    sd: Floats


def kept_features(pipeline: StudyPipeline) -> Kept:
    """What the steps of a fitted pipeline kept, the agreement filter first."""
    names = pipeline.steps[0][1].get_feature_names_out()
    mean, sd = np.zeros(names.size), np.ones(names.size)
    funnel = {pipeline.steps[0][0]: names}
    for name, step in pipeline.steps[1:-1]:
        if name == "scale":
            mean, sd = step.mean_, step.scale_
        if hasattr(step, "get_support"):
            kept = step.get_support()
            names, mean, sd = names[kept], mean[kept], sd[kept]
            funnel[name] = names
    return Kept(funnel, names, mean, sd)


def _names_after(step: BaseEstimator, names: NDArray | None) -> NDArray | None:
    """Names of the columns that a fitted step hands on; the first one knows them itself."""
    if not hasattr(step, "get_support"):
        return names
    return step.get_feature_names_out() if names is None else names[step.get_support()]


def fit_arguments(step: BaseEstimator, **known: ArrayLike | None) -> dict[str, ArrayLike | None]:
    """Of what is known about the rows, that which the step's fit asks for."""
    return {name: value for name, value in known.items() if _asks_for(type(step).fit, name)}


def _wanted_of_new(step: BaseEstimator, batch: ArrayLike | None) -> dict[str, ArrayLike | None]:
    return {"batch": batch} if _asks_for(type(step).fit, "batch") else {}


@cache
def _asks_for(fit: Callable[..., object], name: str) -> bool:
    return name in signature(fit).parameters
