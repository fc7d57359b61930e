"""What the score of a study rests on: contributions, groups of features, local effects.

Contributions and what permutation takes off the AUC are of held-out patients: in a design with one
part those of its test side, by the final model; with several those of every part, by a model that
had not seen them, fitted once more for this. Local effects are those of the final model.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from centrum.arrays import Flags, Floats, Ints
from centrum.errors import DataError, describe, reason
from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import (
    Interval,
    case_weights,
    normal_interval,
    percentile_interval,
)
from centrum.evaluate.discrimination import deviation_variance, deviations, resampled_auc
from centrum.evaluate.repeated import corrected_mean
from centrum.execution import KeptResults, Progress, run_jobs
from centrum.frozen.export import scorer_of
from centrum.frozen.scorer import Scale, Scorer
from centrum.modelling.designs import Part
from centrum.protocol import EvaluationSettings, ExplanationSettings, Protocol
from centrum.records import as_json
from centrum.text import OneLine
from centrum.validation.fits import Source, fitted_model
from centrum.validation.local_effects import LocalEffect, local_effect
from centrum.validation.matrix import Matrix
from centrum.validation.permuted import DIGITS, Permuter, correlated_groups, of_groups

MOST_SHOWN = 20
"""Features whose contributions are kept case by case: those with the largest."""

MOST_ALONE = 40
"""Features that are permuted alone, those with the largest contributions to a model."""

MOST_GROUPED = 5000
"""Features of a table that are grouped: all pairs of them are looked at."""

OTHER_SCALE = "The contributions of its model, another than the final one, are on another scale."

RESAMPLES = 500
"""Bootstrap samples of the patients, at most, of an interval in a design with one part."""

MOST_RESAMPLED = 2000
"""Held-out patients of whom samples are drawn: of more the mean drop is normal, and its interval
comes of DeLong's variance, in a twentieth of the time."""


@dataclass(frozen=True, eq=False, repr=False)
class Importance(OneLine):
    """What permutation takes off the AUC.

    Attributes
    ----------
    features : column names, permuted together, or the one that is permuted as far as the others
        of its group do not tell it
    group : number of the group, the one with the largest drop first
    alone : whether it is one feature of a group of several
    read : share of the models of the parts that read any of them
    drop, interval : of the AUC; over the parts of the design, or of one part over its patients
    """

    features: tuple[str, ...]
    group: int
    alone: bool
    read: float
    drop: float
    interval: Interval


@dataclass(frozen=True, eq=False, repr=False)
class StudyExplanation(OneLine):
    """What the score of a study rests on.

    Attributes
    ----------
    scale : of the contributions; see `centrum.frozen.scorer`
    features : column names, those with the largest mean absolute contribution first
    sizes : (features,) that mean, over held-out cases
    cases : ids of the held-out cases whose contributions are kept
    z, contributions : (cases, shown) z-scores and contributions of the leading features; nan where
        the model that scored the case does not read the feature
    groups : of the features, the largest drop first, each followed by its features alone
    effects : of the leading features
    parts : how many parts of the design were explained
    failed : parts that could not be explained, the first with its reason; "" where none
    """

    scale: Scale
    features: tuple[str, ...]
    sizes: Floats
    cases: tuple[str, ...]
    z: Floats
    contributions: Floats
    groups: tuple[Importance, ...]
    effects: tuple[LocalEffect, ...]
    parts: int
    failed: str


def not_explained(scale: Scale, why: str) -> StudyExplanation:
    """The explanation of a study that could not be made."""
    none = np.empty((0, 0))
    return StudyExplanation(scale, (), np.empty(0), (), none, none, (), (), 0, why)


def explain_study(
    protocol: Protocol,
    source: Source,
    matrix: Matrix,
    scorer: Scorer,
    parts: Sequence[Part],
    workers: int,
    progress: Progress,
) -> StudyExplanation:
    """Explain the final model, `scorer`, and the models of the parts of a design with several."""
    settings = _settings(protocol)
    if protocol.split.single_part:
        ready = _Ready.of(scorer, matrix, parts[0])
        labels = ready.labels(settings.correlation)
        records = [_contributions(ready, parts[0])]
        groups = _over_patients(ready, labels, _leading(records[0], ready), protocol)
    else:
        table_labels = _table_labels(matrix, settings.correlation)
        records = _by_part(protocol, source, parts, table_labels, workers, progress)
        groups = _over_parts(records, matrix.names, table_labels, parts, protocol)
    alike = [r for r in records if not r["error"] and r["scale"] == scorer.scale]
    why = [r["error"] or OTHER_SCALE for r in records if r["error"] or r["scale"] != scorer.scale]
    if not alike:
        raise DataError(f"No part could be explained. The first: {why[0]}")
    features, sizes = _sizes(alike)
    z, contributions, cases = _shown(alike, features[:MOST_SHOWN])
    return StudyExplanation(
        scale=scorer.scale,
        features=features,
        sizes=sizes,
        cases=tuple(str(matrix.columns.index[k]) for k in cases),
        z=z,
        contributions=contributions,
        groups=_in_order(groups),
        effects=_effects(scorer, matrix, features[: settings.leading]),
        parts=len(alike),
        failed=f"{len(why)} of {len(records)}, the first because: {why[0]}" if why else "",
    )


def _settings(protocol: Protocol) -> ExplanationSettings:
    return protocol.evaluation.explanation or ExplanationSettings()


# One model and its held-out cases


@dataclass(frozen=True, eq=False)
class _Ready:
    """A scorer with the values of held-out and training cases.

    Attributes
    ----------
    x, batch, positive, patients : of the held-out cases
    z, trained : z-scores of held-out and training cases, of all features that it reads
    """

    scorer: Scorer
    x: Floats
    batch: list[str] | None
    z: Floats
    trained: Floats
    positive: Flags
    patients: Ints

    @classmethod
    def of(cls, scorer: Scorer, matrix: Matrix, part: Part) -> "_Ready":
        test, train = (_values(scorer, matrix, rows) for rows in (part.test, part.train))
        _, patients = np.unique(matrix.patients[part.test], return_inverse=True)
        positive = matrix.positive[part.test] == 1
        z = scorer.z_scores(*test)
        return cls(scorer, *test, z, scorer.z_scores(*train), positive, patients)

    @property
    def columns(self) -> Ints:
        """Positions of the features that it scores; others only help to fill these."""
        return np.flatnonzero(np.isfinite(self.trained).all(axis=0))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features that it scores."""
        return tuple(self.scorer.features[k] for k in self.columns)

    def labels(self, threshold: float) -> Ints:
        """Groups of the features that it scores, by their correlation in the training cases."""
        return correlated_groups(self.trained[:, self.columns], threshold)

    def permuter(self, settings: ExplanationSettings, seed: int) -> Permuter:
        """What permutes the held-out cases' z-scores of the features that it scores."""
        columns = self.columns

        def score_of(z: Floats) -> Floats:
            whole = np.full((len(z), len(self.scorer.features)), np.nan)
            whole[:, columns] = z
            return self.scorer.score_of_z(whole)

        own, trained = self.z[:, columns], self.trained[:, columns]
        return Permuter(score_of, own, trained, self.positive, settings.permutations, seed)


def _values(scorer: Scorer, matrix: Matrix, rows: Ints) -> tuple[Floats, list[str] | None]:
    """What a scorer reads of some cases, and their batches."""
    at = [matrix.names.index(name) for name in scorer.features]
    batch = None if matrix.batch is None else [str(b) for b in matrix.batch[rows]]
    return np.asarray(matrix.X[rows][:, at, 0]), batch


PartRecord = dict[str, Any]
"""What is kept of a part, JSON-ready: name, repeat, error; scale; size (feature -> mean absolute
contribution); of the leading features case (positions), features, contributions and z; drops (group
-> of the AUC) and alone (feature -> of the AUC), None where the part has one outcome."""


def _contributions(ready: _Ready, part: Part) -> PartRecord:
    """Of the held-out cases, without drops."""
    columns = ready.columns
    contributions = ready.scorer.explain(ready.x, ready.batch).parts[:, columns]
    size = np.abs(contributions).mean(axis=0)
    leading = np.argsort(-size, kind="stable")[:MOST_SHOWN]
    return {
        "name": part.name,
        "repeat": part.repeat,
        "error": "",
        "scale": ready.scorer.scale,
        "size": dict(zip(ready.names, size.tolist(), strict=True)),
        "case": part.test.tolist(),
        "features": [ready.names[k] for k in leading],
        "contributions": contributions[:, leading].tolist(),
        "z": ready.z[:, columns[leading]].tolist(),
    }


def _leading(record: PartRecord, ready: _Ready) -> list[int]:
    """Positions of the features that are permuted alone, too."""
    order = sorted(record["size"], key=lambda name: -record["size"][name])
    return [ready.names.index(name) for name in order[:MOST_ALONE]]


def _over_patients(
    ready: _Ready, labels: Ints, leading: Sequence[int], protocol: Protocol
) -> list[Importance]:
    """Drops with intervals over the patients of one test side."""
    settings, evaluation = _settings(protocol), protocol.evaluation
    held = ready.permuter(settings, evaluation.seed)
    whole = Scored.of(held.score_of(held.z), held.positive, ready.patients)
    interval_of = (_resampled if resamples_patients(whole.n_patients) else _delong)(
        whole, evaluation
    )

    def measure(permuted: Floats) -> Mapping[str, float]:
        drop = held.drop(permuted)
        rows = [Scored.of(row, whole.positive, whole.patients) for row in permuted]
        interval = interval_of(drop, rows)
        return {"drop": drop, "lower": interval.lower, "upper": interval.upper}

    return [
        Importance(
            tuple(ready.names[k] for k in positions),
            int(labels[positions[0]]),
            len(positions) == 1 and int((labels == labels[positions[0]]).sum()) > 1,
            1.0,
            found["drop"],
            Interval(found["lower"], found["upper"]),
        )
        for positions, found in of_groups(held, labels, leading, measure).items()
    ]


def resamples_patients(n: int) -> bool:
    """Whether the interval of a drop comes of samples of so many held-out patients."""
    return n <= MOST_RESAMPLED


IntervalOf = Callable[[float, Sequence[Scored]], Interval]
"""From a drop and the cases by each permuted score."""


def _resampled(whole: Scored, evaluation: EvaluationSettings) -> IntervalOf:
    """By bootstrap over the patients, the permutations averaged."""
    weights = case_weights(whole, min(evaluation.n_resamples, RESAMPLES), evaluation.seed)
    own = resampled_auc(whole, weights)

    def interval(_: float, permuted: Sequence[Scored]) -> Interval:
        mean = np.mean([resampled_auc(each, weights) for each in permuted], axis=0)
        return percentile_interval(np.round(own - mean, DIGITS) + 0.0, evaluation.confidence)

    return interval


def _delong(whole: Scored, evaluation: EvaluationSettings) -> IntervalOf:
    """By DeLong's variance (Obuchowski's of patients with several cases), likewise averaged."""
    own = deviations(whole)

    def interval(drop: float, permuted: Sequence[Scored]) -> Interval:
        mean = np.mean([deviations(each) for each in permuted], axis=0)
        error = np.sqrt(deviation_variance(whole, np.round(own - mean, DIGITS)))
        return normal_interval(drop, float(error), evaluation.confidence, (-1, 1))

    return interval


# A design with several parts


def _table_labels(matrix: Matrix, threshold: float) -> Ints | None:
    """Groups of all features of a table, by their correlation over all cases; no outcome is read.

    The models of the parts read different features, and their groups are to be the same. None of a
    table with too many features.
    """
    if len(matrix.names) > MOST_GROUPED:
        return None
    values = np.asarray(matrix.X[:, :, 0], dtype=float)
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=0)
    mean = total / np.maximum(known.sum(axis=0), 1)
    return correlated_groups(np.where(known, values, mean), threshold)


@dataclass(frozen=True, eq=False, repr=False)
class ExplainJob(OneLine):
    """The model of a part, fitted once more and explained on its test side.

    Attributes
    ----------
    labels : group of each feature of the table; None where they are not grouped
    """

    source: Source
    protocol: Protocol
    part: Part
    labels: tuple[int, ...] | None

    def key(self) -> str:
        """Of all that decides the record."""
        return self.source.key(
            "explain",
            self.protocol,
            train=self.part.train.tolist(),
            test=self.part.test.tolist(),
            labels=self.labels,
            permutations=_settings(self.protocol).permutations,
            draw=self.protocol.evaluation.seed,
        )

    def without(self, why: str) -> PartRecord:
        """The record of a part that is not explained."""
        return {"name": self.part.name, "repeat": self.part.repeat, "error": why}


def explain_part(job: ExplainJob) -> PartRecord:
    """The record of a part."""
    matrix, protocol = job.source.load(job.protocol), job.protocol
    try:
        model = fitted_model(protocol, matrix, job.part.train)
        scorer = scorer_of(model, matrix.names, protocol.model.harmonisation.batch)
        ready = _Ready.of(scorer, matrix, job.part)
    except DataError as error:
        return job.without(describe(error))
    labels = np.array(job.labels or (), dtype=np.int64)
    own = labels[[matrix.names.index(n) for n in ready.names]] if labels.size else labels
    record = _contributions(ready, job.part) | {"drops": {}, "alone": {}}
    if not own.size:
        return record
    held = ready.permuter(_settings(protocol), protocol.evaluation.seed)
    leading = _leading(record, ready)
    found = of_groups(held, own, leading, lambda permuted: {"drop": held.drop(permuted)})
    several = np.bincount(own)
    for positions, measured in found.items():
        label, drop = int(own[positions[0]]), as_json(measured["drop"])
        if len(positions) == 1 and several[label] > 1:
            record["alone"][ready.names[positions[0]]] = drop
        else:
            record["drops"][str(label)] = drop
            if len(positions) == 1:
                record["alone"][ready.names[positions[0]]] = drop
    return record


def _by_part(
    protocol: Protocol,
    source: Source,
    parts: Sequence[Part],
    labels: Ints | None,
    workers: int,
    progress: Progress,
) -> list[PartRecord]:
    known = None if labels is None else tuple(labels.tolist())
    jobs = [ExplainJob(source, protocol, part, known) for part in parts]
    found = run_jobs(
        explain_part,
        jobs,
        workers,
        progress,
        "Explaining",
        failed=_without,
        kept=KeptResults(source.store, ExplainJob.key),
    )
    own = zip(jobs, found, strict=True)
    return [record | {"name": j.part.name, "repeat": j.part.repeat} for j, record in own]


def _without(job: ExplainJob, error: Exception) -> PartRecord:
    return job.without(reason(error))


def _over_parts(
    records: Sequence[PartRecord],
    names: Sequence[str],
    labels: Ints | None,
    parts: Sequence[Part],
    protocol: Protocol,
) -> list[Importance]:
    """Mean drops with corrected intervals; a model that does not read a group loses nothing."""
    known = [record for record in records if not record["error"]]
    if labels is None or not known:
        return []
    sizes = [(p.train.size, p.test.size) for p in parts]
    n_train, n_test = np.mean(sizes, axis=0)
    of = partial(_mean_drop, records=known, n_train=float(n_train), n_test=float(n_test),
                 confidence=protocol.evaluation.confidence)  # fmt: skip
    read = {name for record in known for name in record["size"]}
    found = []
    for label in sorted({int(k) for record in known for k in record["drops"]}):
        members = tuple(n for n, own in zip(names, labels, strict=True) if own == label)
        features = tuple(name for name in members if name in read)
        found += of(features, label, "drops", str(label))
        if len(features) > 1:
            for name in features:
                found += of((name,), label, "alone", name)
    return found


def _mean_drop(
    features: tuple[str, ...],
    label: int,
    kind: str,
    key: str,
    *,
    records: Sequence[PartRecord],
    n_train: float,
    n_test: float,
    confidence: float,
) -> list[Importance]:
    drops = [record[kind].get(key, 0.0) for record in records]
    there = [drop for drop in drops if drop is not None]
    if not there:
        return []
    mean = corrected_mean(there, n_train, n_test, confidence)
    read = float(np.mean([key in record[kind] for record in records]))
    return [Importance(features, label, kind == "alone", read, mean.mean, mean.interval)]


# Put together


def _sizes(records: Sequence[PartRecord]) -> tuple[tuple[str, ...], Floats]:
    """Features by their mean absolute contribution over the held-out cases of all parts."""
    total: dict[str, float] = {}
    for record in records:
        for name, size in record["size"].items():
            total[name] = total.get(name, 0.0) + size / len(records)
    order = sorted(total, key=lambda name: -total[name])
    return tuple(order), np.array([total[name] for name in order])


def _shown(records: Sequence[PartRecord], names: Sequence[str]) -> tuple[Floats, Floats, list[int]]:
    """z-scores and contributions of some features, of the cases of the first repeat."""
    first = [record for record in records if record["repeat"] == records[0]["repeat"]]
    cases = [k for record in first for k in record["case"]]
    z, contributions = (np.vstack([_columns(record, kind, names) for record in first])
                        for kind in ("z", "contributions"))  # fmt: skip
    return z, contributions, cases


def _columns(record: PartRecord, kind: str, names: Sequence[str]) -> Floats:
    """(cases, names), nan of a feature that is not among the leading ones of the part."""
    there = {name: k for k, name in enumerate(record["features"])}
    values = np.column_stack([record[kind], np.full(len(record["case"]), np.nan)])
    return np.asarray(values[:, [there.get(name, -1) for name in names]], dtype=float)


def _in_order(groups: Iterable[Importance]) -> tuple[Importance, ...]:
    """The largest drop first, each group followed by its features in that order; numbered so."""
    known = sorted(groups, key=lambda g: -_or_last(g.drop))
    whole = [g for g in known if not g.alone]
    return tuple(
        replace(each, group=number)
        for number, g in enumerate(whole, 1)
        for each in (g, *(a for a in known if a.alone and a.group == g.group))
    )


def _or_last(drop: float) -> float:
    return drop if np.isfinite(drop) else -np.inf


def _effects(scorer: Scorer, matrix: Matrix, names: Sequence[str]) -> tuple[LocalEffect, ...]:
    """Of the final model, over all cases that have a value of the feature."""
    x, batch = _values(scorer, matrix, np.arange(len(matrix.positive)))
    found = []
    for name in names:
        if name not in scorer.features:
            continue
        k = scorer.features.index(name)
        there = np.flatnonzero(np.isfinite(x[:, k]))
        own = None if batch is None else [batch[i] for i in there]
        score_at = partial(_moved, scorer, x[there], own, k)
        found.append(local_effect(name, x[there, k], score_at))
    return tuple(each for each in found if each is not None)


def _moved(scorer: Scorer, x: Floats, batch: list[str] | None, k: int, values: Floats) -> Floats:
    """Scores of cases with other values of a feature, on the scale of the contributions."""
    other = x.copy()
    other[:, k] = values
    return scorer.on_scale(scorer.score(other, batch))
