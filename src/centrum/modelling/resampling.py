"""A whole model fitted again and again: on folds, splits, resamples and permuted outcomes."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone

from centrum.arrays import Columns, Floats, table_of
from centrum.modelling.auc import auc
from centrum.modelling.designs import plan_parts
from centrum.modelling.permute import shuffle_by_patient
from centrum.modelling.settings import Split
from centrum.modelling.split import (
    Indices,
    folds_by_patient,
    owners_of,
    stratified_split,
    train_and_held_out,
)


def out_of_fold_scores(
    estimator: BaseEstimator,
    X: ArrayLike | Columns,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    batch: ArrayLike | None = None,
    *,
    folds: int = 5,
    seed: int = 0,
) -> Floats:
    """The score of each case by a model that was fitted without the case's patient.

    The whole procedure is repeated in every fold (nested cross-validation), so that a cut-off
    can be learnt on these scores. Parameters as `StudyClassifier.fit`; returns (cases,).
    """
    values, labels = table_of(X), np.asarray(y)
    patients = owners_of(labels, groups)
    scores = np.empty(labels.size)
    for train, held_out in train_and_held_out(folds_by_patient(labels, patients, folds, seed)):
        here, there = batches_of(batch, train), batches_of(batch, held_out)
        model = clone(estimator).fit(values[train], labels[train], groups=patients[train], **here)
        scores[held_out] = model.decision_function(values[held_out], **there)
    return scores


def batches_of(batch: ArrayLike | None, rows: Indices) -> dict[str, NDArray]:
    """The keyword that hands a model the batches of some rows, if there are batches."""
    return {} if batch is None else {"batch": np.asarray(batch)[rows]}


def repeated_split_auc(
    estimator: BaseEstimator,
    X: ArrayLike | Columns,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    batch: ArrayLike | None = None,
    repeats: int = 20,
    train_fraction: float = 0.7,
    seed: int = 0,
    shuffle: bool = False,
) -> Floats:
    """AUC on the test side of repeated stratified splits, each with a fresh fit, (repeats,).

    Repeat i splits with the seed `seed` + i. With `shuffle` the outcome is first randomly permuted
    to the patients, with the same seed: the mean must then be near 0.5, or the procedure leaks.
    """
    values, labels = table_of(X), np.asarray(y)
    patients = owners_of(labels, groups)
    areas = np.empty(repeats)
    for i in range(repeats):
        target = shuffle_by_patient(labels, patients, seed + i) if shuffle else labels
        train, test = stratified_split(target, patients, train_fraction, seed + i)
        here, there = batches_of(batch, train), batches_of(batch, test)
        model = clone(estimator).fit(values[train], target[train], groups=patients[train], **here)
        scores = model.decision_function(values[test], **there)
        areas[i] = auc(target[test] == model.classes_[1], scores)
    return areas


def design_auc(
    estimator: BaseEstimator,
    X: ArrayLike | Columns,
    y: ArrayLike,
    groups: ArrayLike | None,
    split: Split,
    columns: pd.DataFrame,
    *,
    batch: ArrayLike | None = None,
    permutation: int | None = None,
) -> float:
    """Mean test AUC over the parts of a design that have both outcomes.

    With `permutation`, a seed, the outcome is first randomly permuted among the patients, and the
    design planned for it: the mean over many seeds must be near 0.5, or the procedure leaks.
    """
    values, labels = table_of(X), np.asarray(y)
    patients = owners_of(labels, groups)
    if permutation is not None:
        labels = shuffle_by_patient(labels, patients, permutation)
    areas = []
    for part in plan_parts(split, labels, patients, columns):
        here, there = batches_of(batch, part.train), batches_of(batch, part.test)
        seen = (values[part.train], labels[part.train])
        model = clone(estimator).fit(*seen, groups=patients[part.train], **here)
        positive = labels[part.test] == model.classes_[1]
        if 0 < positive.sum() < positive.size:
            areas.append(auc(positive, model.decision_function(values[part.test], **there)))
    return float(np.mean(areas)) if areas else float("nan")
