"""One fit of a study's whole model: from rows to train on to predictions of rows to test.

What a design asks for many times, over local processes, kept in the store: a killed run
resumes, and a changed protocol repeats only what it touches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from centrum.arrays import Floats, Table
from centrum.errors import DataError, attempt, describe, reason
from centrum.execution import KeptResults, Progress, run_jobs
from centrum.modelling.auc import auc
from centrum.modelling.designs import Part
from centrum.modelling.fusion import FusionClassifier
from centrum.modelling.permute import shuffle_by_patient
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.resampling import out_of_fold_scores
from centrum.modelling.search import SearchClassifier
from centrum.modelling.split import Indices
from centrum.protocol import Protocol
from centrum.provenance import MODELLING, changed_meanwhile, job_key
from centrum.records import as_json
from centrum.store import Store
from centrum.table import FEATURES, FeatureTable, table_digest
from centrum.text import OneLine
from centrum.validation.decision import Decision, learn_decision
from centrum.validation.matrix import Matrix, study_matrix

Prediction = dict[str, Any]

READ = ("probability", "called")
"""What a part records of the test cases by the regions of a further reader."""

FITS = "fits"
"""Folder of the results that keeps what was fitted."""


def build_model(protocol: Protocol, matrix: Matrix) -> BaseEstimator:
    """The unfitted model of a protocol, for `fit(X, y, groups, batch)`."""
    known: dict[str, Any] = {
        "seed": protocol.split.seed,
        "feature_names": matrix.names,
        "covariates": matrix.covariates,
        "calibrate": False,  # `learn_decision` does, with all else that it learns of scores
    }
    if protocol.robustness is not None:
        known |= {"robustness": protocol.robustness.icc, "n_readers": matrix.n_readers}
    if matrix.compared is not None:
        known |= {"compared": matrix.compared}
    if protocol.search is not None:
        return SearchClassifier(protocol.search, protocol.model, **known)
    if protocol.model.fusion != "early" and len(matrix.sources) > 1:
        return FusionClassifier(matrix.sources, protocol.model, **known)
    return StudyClassifier(protocol.model, **known)


@dataclass(frozen=True, eq=False, repr=False)
class Fitted(OneLine):
    """A model fitted on some rows, and what was learnt of its out-of-fold scores.

    Attributes
    ----------
    model : fitted
    out_of_fold : (rows,) scores of the rows that it was fitted on, by models that had not seen
        their patients
    decision : cut-off, probabilities and sets
    """

    model: BaseEstimator
    out_of_fold: Floats
    decision: Decision


def fit_rows(protocol: Protocol, matrix: Matrix, rows: Indices, *, nested: bool) -> Fitted:
    """Fit the model of a protocol on some rows of a matrix.

    With `nested` the out-of-fold scores come from models whose every choice, the number of
    features included, was made without the patient; else from the inner models that chose it.
    """
    seen = _seen_by(matrix, rows)
    model = build_model(protocol, matrix)
    evaluation = protocol.evaluation
    if nested:
        scores = out_of_fold_scores(
            model, *seen, folds=evaluation.cutoff_folds, seed=evaluation.seed
        )
    model.fit(*seen)
    if not nested:
        scores = model.inner_scores(*seen)
    decision = learn_decision(
        scores, matrix.positive[rows], matrix.patients[rows], evaluation, protocol.model.calibration
    )
    return Fitted(model, scores, decision)


def fitted_model(protocol: Protocol, matrix: Matrix, rows: Indices) -> BaseEstimator:
    """The model of a protocol fitted on some rows, where nothing is asked of its scores of them."""
    return build_model(protocol, matrix).fit(*_seen_by(matrix, rows))


def _seen_by(matrix: Matrix, rows: Indices) -> tuple[Table, NDArray, NDArray, NDArray | None]:
    """What a model that is fitted on some rows gets: X, y, patients, batch."""
    batch = None if matrix.batch is None else matrix.batch[rows]
    return matrix.X[rows], matrix.positive[rows], matrix.patients[rows], batch


def score_rows(model: BaseEstimator, matrix: Matrix, rows: Indices) -> Floats:
    """Scores of some rows by a fitted model, (rows,)."""
    batch = None if matrix.batch is None else matrix.batch[rows]
    scores: Floats = model.decision_function(matrix.X[rows], batch)
    return scores


def reader_scores(
    protocol: Protocol, model: BaseEstimator, matrix: Matrix, rows: Indices
) -> dict[str, Floats]:
    """Further reader -> score of some rows by the reader's regions, nan where there is none.

    Covariates, and what is measured of bodies, are those of the primary reader.
    """
    whole = protocol.model.imputation.method == "none"
    found = {}
    for k, name in enumerate(matrix.readers[1:], 1):
        there = matrix.measured(k, whole=whole)[rows]
        found[name] = np.full(len(rows), np.nan)
        if there.any():
            score = partial(score_rows, model, matrix.of_reading(k), rows[there])
            found[name][there] = attempt(score, lambda _: np.nan)
    return found


def of_reader(what: str, reader: str) -> str:
    """Name of the column of what a further reader's regions give, as in "score:resident"."""
    return f"{what}:{reader}"


def by_reader(frame: pd.DataFrame, what: str) -> dict[str, Floats]:
    """Further reader -> what his column of a frame holds.

    >>> frame = pd.DataFrame({"score": [0.1], "score:resident": [0.4]})
    >>> {name: values.tolist() for name, values in by_reader(frame, "score").items()}
    {'resident': [0.4]}
    """
    start = of_reader(what, "")
    columns = [name for name in map(str, frame.columns) if name.startswith(start)]
    return {name.removeprefix(start): frame[name].to_numpy(dtype=float) for name in columns}


@dataclass(frozen=True, repr=False)
class Source(OneLine):
    """Where a worker finds the matrix: the table on disk, and which of its features.

    Attributes
    ----------
    results : folder of the table
    table : digest of the table's files
    features : positions of the features used; all when missing
    sources : names of the sources used; all when missing
    """

    results: Path
    table: str
    features: tuple[int, ...] | None = None
    sources: tuple[str, ...] | None = None

    @classmethod
    def of(cls, results: Path, protocol: Protocol) -> "Source":
        """The table that `extract` left, with the layers that the protocol wants."""
        return cls(results, table_digest(results, **protocol.layers))

    @property
    def store(self) -> Store:
        """What was fitted to the table."""
        return Store(self.results / FITS)

    def key(self, kind: str, protocol: Protocol, **reads: object) -> str:
        """Of a job that fits the model of a protocol to rows of the matrix."""
        blocks = {"outcome", "model", "search", "robustness"}
        return job_key(
            kind,
            MODELLING,
            table=self.table,
            features=self.features,
            sources=self.sources,
            protocol=protocol.model_dump(mode="json", include=blocks),
            seed=protocol.split.seed,
            **reads,
        )

    def load(self, protocol: Protocol) -> Matrix:
        """The matrix; the table is read once per process."""
        matrix = study_matrix(_read(self.results, self.table, **protocol.layers), protocol)
        if self.features is not None:
            return matrix.of_features(self.features, tuple(matrix.sources))
        return matrix.of_sources(self.sources) if self.sources is not None else matrix


@lru_cache(maxsize=2)
def _read(results: Path, digest: str, perturbed: bool, morphometry: bool) -> FeatureTable:
    table = FeatureTable.load(results, perturbed=perturbed, morphometry=morphometry)
    if table_digest(results, perturbed=perturbed, morphometry=morphometry) != digest:
        raise changed_meanwhile("The table of features", FEATURES)
    return table


@dataclass(frozen=True, eq=False, repr=False)
class FitJob(OneLine):
    """One fit and the predictions of its test side.

    Attributes
    ----------
    source : of the matrix
    protocol : the choices
    name, repeat, train, test : of the part of the design
    shuffle : seed with which the outcome is first randomly permuted among the patients; the true
        outcome when missing
    """

    source: Source
    protocol: Protocol
    name: str
    repeat: int
    train: ArrayLike
    test: ArrayLike
    shuffle: int | None = None

    @classmethod
    def of(
        cls, source: Source, protocol: Protocol, part: Part, shuffle: int | None = None
    ) -> "FitJob":
        """The job of a part of a design."""
        # Thousands of jobs of very many rows wait at once.
        train, test = (rows.astype(np.int32) for rows in (part.train, part.test))
        return cls(source, protocol, part.name, part.repeat, train, test, shuffle)

    def key(self) -> str:
        """Of all that decides the predictions; what the part is called is none of it."""
        decision = {"cutoff", "prevalence", "conformal_error"}
        return self.source.key(
            "part",
            self.protocol,
            train=np.asarray(self.train).tolist(),
            test=np.asarray(self.test).tolist(),
            shuffle=self.shuffle,
            evaluation=self.protocol.evaluation.model_dump(mode="json", include=decision),
        )

    def without(self, why: str) -> Prediction:
        """The record of a job that gives no prediction."""
        sizes = {"n_train": np.size(self.train), "n_test": np.size(self.test)}
        own = {"name": self.name, "repeat": self.repeat, **sizes}
        return {**own, "error": why, "case": [], "auc": None}


def refit(job: FitJob) -> Prediction:
    """Fit on the training side and predict the test side.

    Returns a JSON-ready record: name, repeat, n_train, n_test; of the test cases case
    (position), positive, score, probability, called (1 or 0), set; cutoff, auc (None with one
    outcome), features (name -> coefficient or None), seen (step -> how many patients it was
    fitted on, and how many of the test side's), search (the table of a search), unseen (level of
    a covariate that no training case has -> test cases of it), readers (further reader ->
    probability and called of the test cases, None where the reader drew none), train (positions of
    the training cases) and out_of_fold (their scores), error ("" or why there is none of all
    that). With a shuffled outcome only the sizes, auc and error.
    """
    matrix = job.source.load(job.protocol)
    if job.shuffle is not None:
        shuffled = shuffle_by_patient(matrix.positive, matrix.patients, job.shuffle)
        matrix = matrix.with_outcome(shuffled)
    train, test = (np.asarray(rows, dtype=np.intp) for rows in (job.train, job.test))
    record: Prediction = job.without("")
    try:
        if job.shuffle is not None:
            return record | {"auc": _area(job.protocol, matrix, train, test)}
        fitted = fit_rows(job.protocol, matrix, train, nested=False)
        scores = score_rows(fitted.model, matrix, test)
    except DataError as error:
        return job.without(describe(error))
    return {
        **record,
        **predictions(fitted, matrix, test, scores),
        "unseen": unseen_levels(matrix, train, test),
        "train": train.tolist(),
        "out_of_fold": fitted.out_of_fold.tolist(),
        "readers": {
            name: as_json(dict(zip(READ, fitted.decision.of_known(found), strict=True)))
            for name, found in reader_scores(job.protocol, fitted.model, matrix, test).items()
        },
    }


def _area(protocol: Protocol, matrix: Matrix, train: Indices, test: Indices) -> float | None:
    """Test AUC of a model whose decisions are not asked for; None with one outcome."""
    model = fitted_model(protocol, matrix, train)
    positive = matrix.positive[test] == 1
    if positive.all() or not positive.any():
        return None
    return float(auc(positive, score_rows(model, matrix, test)))


def predictions(fitted: Fitted, matrix: Matrix, test: Indices, scores: Floats) -> Prediction:
    """What is kept of a fit and of the scores of its test side."""
    positive, decision = matrix.positive[test], fitted.decision
    both = 0 < positive.sum() < positive.size
    return {
        "case": test.tolist(),
        "positive": positive.tolist(),
        "score": scores.tolist(),
        "probability": decision.probability(scores).tolist(),
        "called": decision.called(scores).astype(int).tolist(),
        "set": list(decision.sets(scores)),
        "cutoff": decision.cutoff.value,
        "auc": float(auc(positive == 1, scores)) if both else None,
        "features": used_features(fitted.model),
        "seen": fit_sets(fitted.model, matrix, test),
        "search": search_table(fitted.model),
    }


def unseen_levels(matrix: Matrix, train: Indices, test: Indices) -> dict[str, int]:
    """Level of a text covariate that no training case has -> test cases of it."""
    texts = {name for names in matrix.covariates if len(names) > 1 for name in names}
    at = [k for k, name in enumerate(matrix.names) if name in texts]
    known = np.asarray(matrix.X[:, at, 0]) == 1
    sides = (np.count_nonzero(known[rows], axis=0) for rows in (train, test))
    return {
        matrix.names[k]: int(tested)
        for k, trained, tested in zip(at, *sides, strict=True)
        if tested and not trained
    }


def search_table(model: BaseEstimator) -> list[dict[str, Any]]:
    """The candidates of a search and how they did; empty for another model."""
    return [asdict(row) for row in getattr(model, "table_", ())]


def used_features(model: BaseEstimator) -> dict[str, float | None]:
    """Names of the features of a fitted model, with their coefficients where it has them."""
    names = [str(name) for name in model.selected_]
    weights = [None] * len(names) if model.coef_ is None else model.coef_.tolist()
    return dict(zip(names, weights, strict=True))


def fit_sets(model: BaseEstimator, matrix: Matrix, test: Indices) -> dict[str, list[int]]:
    """Step -> how many patients it was fitted on, how many of them are on the test side."""
    tested = np.unique(matrix.patients[test])
    return {
        step: [int(seen.size), int(np.isin(seen, tested).sum())]
        for step, seen in _seen(model).items()
    }


def _seen(model: BaseEstimator) -> Mapping[str, NDArray]:
    """Step -> the patients that it was fitted on; of a fusion the steps of every source."""
    if isinstance(model, FusionClassifier):
        return {
            f"{source}: {step}": seen
            for source, fitted in model.models_.items()
            for step, seen in _seen(fitted).items()
        }
    steps: Mapping[str, NDArray] = getattr(model, "pipeline_", model).seen_
    return steps


def refit_all(
    source: Source, jobs: Sequence[FitJob], workers: int, progress: Progress, what: str
) -> tuple[Prediction, ...]:
    """Records of jobs, in their order; those in the store are not made again."""
    found = run_jobs(
        refit,
        jobs,
        workers,
        progress,
        what,
        failed=_without,
        kept=KeptResults(source.store, FitJob.key),
        warm_up=_compiled,
    )
    # The same rows may be a part of another design, which calls them otherwise.
    return tuple(
        {**record, "name": job.name, "repeat": job.repeat}
        for job, record in zip(jobs, found, strict=True)
    )


def _without(job: FitJob, error: Exception) -> Prediction:
    """The record of a job that failed."""
    return job.without(reason(error))


def _compiled() -> None:
    """Compile the kernels of the models before workers start."""
    X = np.random.default_rng(0).normal(size=(30, 6, 1))
    StudyClassifier().fit(X, np.arange(30) % 2)
