"""Internal validation of the whole procedure: design, what each source adds, optimism, leaks.

Everything here refits the study's model many times; each refit is a job of `refit`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.arrays import Floats, row_blocks
from centrum.errors import DataError, attempt, describe, reason
from centrum.execution import KeptResults, Progress, run_jobs
from centrum.modelling.auc import ROUNDING
from centrum.modelling.conformal import UNCERTAIN
from centrum.modelling.designs import Part, final_rows, plan_parts
from centrum.modelling.fusion import clinical_settings
from centrum.modelling.leaks import LEAKS, SplitStudy
from centrum.modelling.optimism import areas_of, draw_patients
from centrum.modelling.permute import arrangements, shuffle_by_patient, shuffle_seeds
from centrum.modelling.settings import FEW, RADIOMICS
from centrum.modelling.split import Indices, stratified_split
from centrum.protocol import Protocol
from centrum.provenance import digest
from centrum.records import as_json, from_json
from centrum.table import FeatureTable
from centrum.text import OneLine
from centrum.validation.added_value import HeldOut, clinical_variables, combined_area
from centrum.validation.fits import (
    READ,
    FitJob,
    Prediction,
    Source,
    build_model,
    fit_rows,
    of_reader,
    refit_all,
    score_rows,
)
from centrum.validation.instability import Refit, signature_of
from centrum.validation.matrix import Matrix, study_matrix, volume_position
from centrum.validation.near_copies import near_copies

Found = TypeVar("Found")

FEWEST_WAYS = 20
"""Outcomes that can be permuted in fewer ways than this cannot show a P of .05."""

MANY_WAYS = 1_000_000
"""Permutations of the outcomes are counted up to this."""

BOTH = " + "
"""Between the names of sources of one variant."""

VOLUME = "volume"
"""Variant of an ablation: the size of the region alone."""


def parts_of(protocol: Protocol, matrix: Matrix) -> tuple[Part, ...]:
    """The parts of the protocol's design."""
    return plan_parts(protocol.split, matrix.positive, matrix.patients, matrix.columns)


@dataclass(frozen=True)
class Variant:
    """A part of the information, evaluated by the same design."""

    name: str
    source: Source
    protocol: Protocol


def variants(
    protocol: Protocol, source: Source, table: FeatureTable, matrix: Matrix
) -> list[Variant]:
    """Volume alone, each source alone, clinical and morphometry together, all images without them;
    not the whole model."""
    found, plain = list[Variant](), _plain(protocol)
    volume = volume_position(table)
    if volume is not None:
        found.append(Variant(VOLUME, _source(source, plain, features=(volume,)), plain))
    names = list(matrix.sources)
    few = tuple(name for name in names if name in FEW)
    images = [name for name in names if name not in FEW]
    alone = protocol.model_copy(
        update={"model": protocol.model.model_copy(update={"fusion": "early"})}
    )
    together = (few,) if len(few) > 1 else ()
    found += [
        Variant(BOTH.join(chosen), _source(source, plain, sources=chosen), plain)
        for chosen in (*((name,) for name in few), *together)
    ]
    if len(images) > 1:
        found += [Variant(n, _source(source, alone, sources=(n,)), alone) for n in images]
    if few:
        found.append(Variant(RADIOMICS, _source(source, protocol, sources=tuple(images)), protocol))
    return found


def _source(
    source: Source,
    protocol: Protocol,
    features: tuple[int, ...] | None = None,
    sources: tuple[str, ...] | None = None,
) -> Source:
    whole = Source.of(source.results, protocol)
    return Source(whole.results, whole.table, features, sources)


def _plain(protocol: Protocol) -> Protocol:
    """A logistic regression of the few features that there are, whatever readers say of them."""
    model = clinical_settings(protocol.model)
    kept = model.agreement.model_copy(update={"threshold": -1.0})
    model = model.model_copy(update={"agreement": kept, "fusion": "early"})
    return protocol.model_copy(update={"model": model, "search": None, "robustness": None})


def sparse_protocol(protocol: Protocol) -> Protocol | None:
    """The same study with the sparse model of its settings; None where its model is that."""
    few = protocol.model_copy(update={"model": protocol.model.sparse, "search": None})
    return None if few == protocol else few


def run_sparse(
    protocol: Protocol, source: Source, parts: Sequence[Part], workers: int, progress: Progress
) -> tuple[Prediction, ...]:
    """Records of the sparse model on the same parts; of a design with several last the final fit.

    Empty where the study's model is itself sparse.
    """
    few = sparse_protocol(protocol)
    if few is None:
        return ()
    if not protocol.split.single_part:
        # Of the final fit only the features are looked at, so that its test side may be any.
        train, _ = final_rows(protocol.split, tuple(parts))
        parts = (*parts, Part("final", 0, train, train))
    return run_parts(few, source, parts, workers, progress, "Sparse model")


def run_parts(
    protocol: Protocol,
    source: Source,
    parts: Sequence[Part],
    workers: int,
    progress: Progress,
    what: str,
) -> tuple[Prediction, ...]:
    """The record of every part."""
    jobs = [FitJob.of(source, protocol, part) for part in parts]
    return refit_all(source, jobs, workers, progress, what)


@dataclass(frozen=True, repr=False)
class Permutation(OneLine):
    """The whole procedure on outcomes randomly permuted among the patients.

    Attributes
    ----------
    observed : mean test AUC over the parts of the design's first repeat; nan where none has both
        outcomes
    values : the same under each permutation that could be fitted; no two are the same
    failed : permutations that could not
    ways : in how many ways the outcomes can be permuted, counted up to `MANY_WAYS`
    """

    observed: float
    values: tuple[float, ...]
    failed: int
    ways: int = MANY_WAYS

    @property
    def telling(self) -> bool:
        """Whether there are permutations to compare an AUC with, and ways enough for a P of .05."""
        return bool(self.values) and bool(np.isfinite(self.observed)) and self.ways >= FEWEST_WAYS

    @property
    def p(self) -> float:
        """Share of the permutations, the true outcome among them, that do as well.

        NaN where there is none, where the outcomes can be permuted in too few ways to tell, and
        where no part has an AUC under the true outcomes.

        >>> Permutation(0.9, (0.5, 0.6, 0.4), 0).p, Permutation(0.9, (0.5,), 0, ways=2).p
        (0.25, nan)
        >>> Permutation(float("nan"), (0.5, 0.6, 0.4), 0).p
        nan
        """
        if not self.telling:
            return float("nan")
        as_good = sum(value >= self.observed - ROUNDING for value in self.values)
        return (1 + as_good) / (1 + len(self.values))


def permute(
    protocol: Protocol,
    source: Source,
    matrix: Matrix,
    parts: Sequence[Prediction],
    workers: int,
    progress: Progress,
) -> Permutation:
    """Repeat the first repeat of the design on permuted outcomes."""
    number, first_seed = protocol.evaluation.leak_audit.permutations, protocol.evaluation.seed + 1
    seeds = shuffle_seeds(matrix.positive, matrix.patients, number, first_seed)
    jobs, owner = [], []
    for seed in seeds:
        shuffled = shuffle_by_patient(matrix.positive, matrix.patients, seed)
        try:
            planned = parts_of(protocol, matrix.with_outcome(shuffled))
        except DataError:
            continue  # counted as failed: these outcomes leave a side without one of the two
        first = [part for part in planned if part.repeat == 0]
        jobs += [FitJob.of(source, protocol, part, seed) for part in first]
        owner += [seed] * len(first)
    records = refit_all(source, jobs, workers, progress, "Permuting outcomes")
    areas: dict[int, list[float]] = {seed: [] for seed in seeds}
    for seed, record in zip(owner, records, strict=True):
        if record["auc"] is not None:
            areas[seed].append(record["auc"])
    values = tuple(float(np.mean(a)) for a in areas.values() if a)
    observed = [r["auc"] for r in parts if r["repeat"] == 0 and r["auc"] is not None]
    mean = float(np.mean(observed)) if observed else float("nan")
    ways = min(arrangements(matrix.positive, matrix.patients), MANY_WAYS)
    return Permutation(mean, values, len(seeds) - len(values), ways)


@dataclass(frozen=True)
class LeakJob:
    """One split with every classic leak switched on; `shuffle` as of `FitJob`."""

    source: Source
    protocol: Protocol
    seed: int
    shuffle: bool

    def key(self) -> str:
        """Of all that decides the result."""
        return self.source.key(
            "leaks",
            self.protocol,
            share=self.protocol.split.train_fraction,
            draw=self.seed,
            shuffle=self.shuffle,
            clinical=self.protocol.evaluation.clinical,
        )


def of_training(scene: SplitStudy) -> HeldOut:
    """No leak: the combined model of the training cases with their out-of-fold scores."""
    return HeldOut(scene.train, scene.out_of_fold, scene.test, scene.tested)


def of_test(scene: SplitStudy) -> HeldOut:
    """The combined model is fitted to the test cases, as where a nomogram is drawn of them."""
    return HeldOut(scene.test, scene.tested, scene.test, scene.tested)


COMBINED_LEAKS: Mapping[str, Callable[[SplitStudy], HeldOut]] = {
    "combined": of_training,
    "combined_on_test": of_test,
}
"""By name: what the combined model of clinical variables and score is fitted to and tested on."""

EVERY_LEAK = (*LEAKS, *COMBINED_LEAKS)


def leak(job: LeakJob) -> dict[str, Any]:
    """Leak -> AUC that would have been claimed, None where it cannot be; errors: leak -> why."""
    matrix, protocol = job.source.load(job.protocol), job.protocol
    if job.shuffle:
        shuffled = shuffle_by_patient(matrix.positive, matrix.patients, job.seed)
        matrix = matrix.with_outcome(shuffled)
    share = protocol.split.train_fraction
    train, test = stratified_split(matrix.positive, matrix.patients, share, job.seed)
    scene = SplitStudy(
        model=build_model(protocol, matrix),
        X=matrix.X,
        y=matrix.positive,
        patients=matrix.patients,
        batch=matrix.batch,
        names=matrix.names,
        covariates=matrix.covariates,
        train=train,
        test=test,
        settings=protocol.model,
        seed=job.seed,
        columns=matrix.columns,
    )
    areas: dict[str, float | None] = {}
    errors: dict[str, str] = {}
    every: dict[str, Callable[[SplitStudy], float]] = {
        **LEAKS,
        **{name: partial(_combined, protocol, make) for name, make in COMBINED_LEAKS.items()},
    }
    for name, switched_on in every.items():
        found = attempt(partial(switched_on, scene), str)
        if isinstance(found, str):
            errors[name] = found
        areas[name] = None if isinstance(found, str) or np.isnan(found) else found
    return {**areas, "errors": errors}


def _combined(
    protocol: Protocol, make: Callable[[SplitStudy], HeldOut], scene: SplitStudy
) -> float:
    """NaN without a clinical variable."""
    if not clinical_variables(protocol, scene.columns):
        return float("nan")
    return combined_area(protocol, scene.columns, scene.y == 1, make(scene))


def leaks(
    protocol: Protocol, source: Source, workers: int, progress: Progress
) -> list[dict[str, Any]]:
    """A record per split and kind of outcome: seed, shuffled, and the AUC of each leak."""
    number, seed = protocol.evaluation.leak_audit.splits, protocol.evaluation.seed
    jobs = [
        LeakJob(source, protocol, seed + k, shuffle)
        for shuffle in (False, True)
        for k in range(number)
    ]
    found = run_jobs(
        leak,
        jobs,
        workers,
        progress,
        "Switching leaks on",
        failed=_no_leaks,
        kept=KeptResults(source.store, LeakJob.key),
    )
    pairs = zip(jobs, found, strict=True)
    return [{"seed": job.seed, "shuffled": job.shuffle, **areas} for job, areas in pairs]


def _no_leaks(job: LeakJob, error: Exception) -> dict[str, Any]:
    return {**dict.fromkeys(EVERY_LEAK), "errors": dict.fromkeys(EVERY_LEAK, reason(error))}


@dataclass(frozen=True, repr=False)
class ResampleJob(OneLine):
    """The whole procedure on one bootstrap sample of the patients of some training cases."""

    source: Source
    protocol: Protocol
    train: tuple[int, ...]
    seed: int

    def key(self) -> str:
        """Of all that decides the result."""
        decision = {"cutoff", "prevalence", "conformal_error"}
        return self.source.key(
            "refit",
            self.protocol,
            train=self.train,
            draw=self.seed,
            evaluation=self.protocol.evaluation.model_dump(mode="json", include=decision),
        )


def resample_once(job: ResampleJob) -> dict[str, Any] | str:
    """What a refit gives, JSON-ready, or why the model could not be fitted."""
    matrix, train = job.source.load(job.protocol), np.array(job.train)
    drawn = draw_patients(matrix.positive[train], matrix.patients[train], job.seed)
    try:
        fitted = fit_rows(job.protocol, matrix, train[drawn], nested=False)
        scores = score_rows(fitted.model, matrix, np.arange(len(matrix.positive)))
    except DataError as error:
        return describe(error)
    refit = Refit(
        areas=areas_of(matrix.positive[train] == 1, scores[train], drawn),
        probability=fitted.decision.probability(scores),
        called=fitted.decision.called(scores).astype(float),
        signature=signature_of(fitted, matrix, scores, job.protocol.model.clip),
    )
    return as_json(refit)


def resamples(
    protocol: Protocol,
    source: Source,
    train: Indices,
    workers: int,
    progress: Progress,
) -> list[Refit | str]:
    """The bootstrap samples of the training cases that the protocol asks for, or why one could not
    be fitted to."""
    seed, number = protocol.evaluation.seed, protocol.evaluation.optimism_resamples
    rows = tuple(map(int, train))
    jobs = [ResampleJob(source, protocol, rows, seed + k) for k in range(number)]
    found = run_jobs(
        resample_once,
        jobs,
        workers,
        progress,
        "Resampling patients",
        failed=_no_resample,
        kept=KeptResults(source.store, ResampleJob.key),
    )
    return [each if isinstance(each, str) else from_json(Refit, each) for each in found]


def _no_resample(job: ResampleJob, error: Exception) -> str:
    return reason(error)


# Rows on both sides


def row_audit(matrix: Matrix, parts: Sequence[Part]) -> dict[str, Any]:
    """Hashes of rows, and copies, near copies, patients and centres across the sides.

    Near copies are recognised by the correlation of the rows' z-scored features over all cases,
    which looks at cases of both sides together but fits nothing.
    """
    values = matrix.X[:, :, 0]
    blocks = (np.asarray(values[own]) for own in row_blocks(values))
    hashes = np.array([digest([repr(v) for v in row.tolist()])[:16] for b in blocks for row in b])
    copies = {h: n for h, n in Counter(hashes.tolist()).items() if n > 1}
    pairs = near_copies(values)
    crossing = [_crossing(part, matrix, hashes, pairs) for part in parts]
    return {
        "hashes": hashes.tolist(),
        "equal_rows": int(sum(copies.values())),
        "near_copies": [[int(i), int(j), float(r)] for i, j, r in pairs],
        "parts": crossing,
    }


NO_ROWS: Mapping[str, Any] = {"hashes": [], "equal_rows": 0, "near_copies": [], "parts": []}
"""What `row_audit` gives where it could not be made."""


def _crossing(
    part: Part, matrix: Matrix, hashes: NDArray, pairs: Sequence[tuple[int, int, float]]
) -> dict[str, Any]:
    train, test = set(part.train.tolist()), set(part.test.tolist())
    patients = np.intersect1d(matrix.patients[part.train], matrix.patients[part.test])
    centres = matrix.columns.get("centre", pd.Series(dtype=str))
    shared = 0
    if len(centres):
        sides = (set(centres.iloc[rows].dropna()) for rows in (part.train, part.test))
        shared = len(set.intersection(*sides))
    return {
        "name": part.name,
        "train": digest(sorted(hashes[part.train].tolist())),
        "test": digest(sorted(hashes[part.test].tolist())),
        "n_train": len(train),
        "n_test": len(test),
        "patients": int(patients.size),
        "equal_rows": len(set(hashes[part.train]) & set(hashes[part.test])),
        "near_copies": sum(
            (i in train and j in test) or (j in train and i in test) for i, j, _ in pairs
        ),
        "centres": shared,
    }


@dataclass(frozen=True, eq=False, repr=False)
class InternalValidation(OneLine):
    """What `run_internal_validation` found, JSON-ready.

    Attributes
    ----------
    parts : the record of every part of the design, as `centrum.validation.fits.refit` gives it
    ablation : variant -> the records of its parts
    permutation : of the outcomes; None when not asked for
    leaks : a record per split and kind of outcome; see `leaks`
    resamples : the procedure repeated on bootstrap samples of the training patients
    rows : hashes, copies and crossings; see `row_audit`
    failed : which of these could not be computed -> why
    sparse : records of the sparse model's parts; empty where it was not asked for, or the model is
        sparse itself
    sparse_features : of the sparse model on the training cases of the final model, name ->
        coefficient per SD
    """

    parts: Sequence[Prediction]
    ablation: Mapping[str, Sequence[Prediction]]
    permutation: Permutation | None
    leaks: Sequence[Mapping[str, Any]]
    resamples: Sequence[Refit]
    rows: Mapping[str, Any]
    failed: Mapping[str, str]
    sparse: Sequence[Prediction] = ()
    sparse_features: Mapping[str, float | None] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "InternalValidation":
        """From what `as_json` gave."""
        found = record["permutation"]
        parts = {
            "permutation": None if found is None else from_json(Permutation, found),
            "resamples": tuple(from_json(Refit, each) for each in record["resamples"]),
        }
        return cls(**{**record, **parts})

    def pooled(self, n: int) -> pd.DataFrame:
        """Of each of n cases: times tested, mean probability, share of positive calls, its set.

        The set is the one that the parts gave most often; uncertain where they tie. Further
        columns are means by the regions of further readers, nan where they drew none.

        Raises
        ------
        DataError
            No part could be fitted.
        """
        if self.parts and all(record["error"] for record in self.parts):
            first = self.parts[0]
            raise DataError(
                f"None of the {len(self.parts)} parts of the design could be fitted. The first, "
                f"{first['name']}, because: {first['error']}"
            )
        times, probability, called = np.zeros(n), np.zeros(n), np.zeros(n)
        sets: list[Counter[str]] = [Counter() for _ in range(n)]
        for record in self.parts:
            rows = record["case"]
            if rows:
                times[rows] += 1
                probability[rows] += record["probability"]
                called[rows] += record["called"]
                for row, found in zip(rows, record["set"], strict=True):
                    sets[row][found] += 1
        tested = np.maximum(times, 1)
        shares = {"probability": probability / tested, "called": called / tested}
        usual = [_most_frequent(found) for found in sets]
        others = self._by_other_readers(n)
        return pd.DataFrame({"times": times.astype(int), **shares, "set": usual, **others})

    def _by_other_readers(self, n: int) -> dict[str, Floats]:
        """Column -> mean over the parts in which the case was tested."""
        found: dict[str, list[Floats]] = {}
        for record in self.parts:
            for reader, read in record.get("readers", {}).items():
                for what in READ:
                    values = np.full(n, np.nan)
                    values[record["case"]] = np.array(read[what], dtype=float)
                    found.setdefault(of_reader(what, reader), []).append(values)
        return {name: _known_mean(np.array(rows)) for name, rows in found.items()}

    def predictions(self, obs: pd.DataFrame) -> pd.DataFrame:
        """A row for every prediction of a tested case: case, outcome, part, score, ..."""
        names = ("score", "probability", "called", "set")
        rows = [
            {"case": obs.index[k], "outcome": obs["outcome"].iloc[k], "part": record["name"],
             "repeat": record["repeat"], **{name: record[name][i] for name in names}}
            for record in self.parts
            for i, k in enumerate(record["case"])
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["case", "outcome", "part", "repeat", *names])


@as_json.register
def _(found: InternalValidation) -> dict[str, Any]:
    """What it holds is JSON-ready but for these two."""
    return {
        **vars(found),
        "permutation": as_json(found.permutation),
        "resamples": as_json(found.resamples),
    }


def _known_mean(rows: Floats) -> Floats:
    """Mean of each column (rows, n) over the rows that know it; nan where none does."""
    times = np.isfinite(rows).sum(axis=0)
    return np.where(times > 0, np.nansum(rows, axis=0) / np.maximum(times, 1), np.nan)


def _most_frequent(sets: Mapping[str, int]) -> str:
    """The most frequent set; uncertain where several are, "" of a case that was never tested.

    >>> _most_frequent({"positive": 2, "neither": 1}), _most_frequent({"positive": 1, "neither": 1})
    ('positive', 'uncertain')
    """
    best = [name for name, times in sets.items() if times == max(sets.values())]
    return "" if not best else best[0] if len(best) == 1 else UNCERTAIN


def run_internal_validation(
    protocol: Protocol, results: Path, workers: int, progress: Progress
) -> InternalValidation:
    """All that the protocol asks for, from the table in `results`."""
    table = FeatureTable.load(results, **protocol.layers)
    source, matrix = Source.of(results, protocol), study_matrix(table, protocol)
    parts, evaluation = parts_of(protocol, matrix), protocol.evaluation
    records = run_parts(protocol, source, parts, workers, progress, "Validating")
    failed: dict[str, str] = {}

    def beside(what: str, make: Callable[[], Found], nothing: Found) -> Found:
        """What stands beside the parts and must not take them away."""

        def none(why: str) -> Found:
            failed[what] = why
            return nothing

        return attempt(make, none)

    def ablation() -> dict[str, tuple[Prediction, ...]]:
        found = variants(protocol, source, table, matrix) if evaluation.ablation else []
        said = {v.name: f"Ablation: {v.name}" for v in found}
        made = {
            v.name: run_parts(v.protocol, v.source, parts, workers, progress, said[v.name])
            for v in found
        }
        return {name: tuple(map(_compared, own)) for name, own in made.items()}

    def sparse() -> tuple[Prediction, ...]:
        wanted = evaluation.ablation
        return run_sparse(protocol, source, parts, workers, progress) if wanted else ()

    def permutation() -> Permutation | None:
        wanted = evaluation.leak_audit.permutations
        return permute(protocol, source, matrix, records, workers, progress) if wanted else None

    nothing: tuple[Prediction, ...] = ()
    few = [_compared(record) for record in beside("sparse", sparse, nothing)]
    nothing_drawn: list[Refit | str] = []
    train = parts[0].train if protocol.split.single_part else np.arange(len(matrix.positive))
    drawn = beside(
        "resamples", lambda: resamples(protocol, source, train, workers, progress), nothing_drawn
    )
    return InternalValidation(
        parts=records,
        ablation=beside("ablation", ablation, {}),
        permutation=beside("permutation", permutation, None),
        leaks=beside("leaks", lambda: leaks(protocol, source, workers, progress), []),
        resamples=[found for found in drawn if isinstance(found, Refit)],
        rows=beside("rows", lambda: row_audit(matrix, parts), NO_ROWS),
        failed=failed | _reasons(drawn),
        sparse=few[: len(parts)],
        sparse_features=few[-1].get("features", {}) if few else {},
    )


def _compared(record: Prediction) -> Prediction:
    """What a variant is compared by: nothing is learnt of its training cases and other readers."""
    return {k: v for k, v in record.items() if k not in ("train", "out_of_fold", "readers")}


def _reasons(drawn: Sequence[Refit | str]) -> dict[str, str]:
    """Why resamples are missing."""
    reasons = [found for found in drawn if isinstance(found, str)]
    if not reasons:
        return {}
    return {"resamples": f"{len(reasons)} of {len(drawn)}, the first because: {reasons[0]}"}
