"""From the images of a study to its feature table, and what was noticed on the way."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from centrum.agreement import Overlap
from centrum.arrays import AT_ONCE, Columns, Flags, Floats, Table, write_rows
from centrum.cohort.withheld import (
    ManyRoles,
    Roles,
    file_names,
    parts,
    restored,
    withheld_fields,
)
from centrum.errors import DataError
from centrum.execution import Progress
from centrum.io import ImageFinding
from centrum.io.csv_text import frame_csv, read_frame
from centrum.io.facts import NUMBERS
from centrum.measure.acquisition import REGION, TEXTS, with_manifest
from centrum.measure.batches import LocalEngine
from centrum.measure.case import (
    ALL_READERS,
    MeasurementJob,
    Record,
    advisory,
    in_order,
)
from centrum.measure.records_on_disk import each
from centrum.prepare.settings import Preparation
from centrum.provenance import Step
from centrum.records import as_json
from centrum.store import write_atomically, writing_atomically
from centrum.study.content_check import content_findings
from centrum.study.findings import Failure, Finding, MeasuredSequence
from centrum.study.landmarks import FILE as LANDMARKS, is_learnt, known_preparation, learn_landmarks
from centrum.study.measuring import Measure, by_engine
from centrum.study.sequence_check import measured_sequences, sequence_findings
from centrum.study.study import Study
from centrum.table import (
    FEATURES,
    HEAD,
    MORPHOMETRY,
    ON_DISK,
    PERTURBED,
    FeatureTable,
    is_large,
    read_morphometry,
    read_parquet,
)
from centrum.text import OneLine, first_of

OVERLAP_COLUMNS = ["case", "reader_a", "reader_b", *(f.name for f in fields(Overlap))]

Told = TypeVar("Told", Failure, Finding)
"""What is told of a case."""

FACTS = "extraction.json"
"""File with what went wrong or was noticed."""

OVERLAP = "overlap.csv"
"""File with the overlap of every case's masks."""

ACQUISITION = "acquisition.csv"
"""File with the facts of every case's acquisition."""


@dataclass(frozen=True, eq=False, repr=False)
class Extraction(OneLine):
    """The feature table, and what went wrong or was noticed on the way to it.

    `undefined` are features that no region of the study has a value of, such as the density of
    an ellipsoid in regions of one slice; the table is without them. `acquisition` has a row per
    case: facts of the acquisition, and the size of the primary reader's region. `sequences` are
    the measured image columns.
    """

    table: FeatureTable
    failures: tuple[Failure, ...]
    findings: tuple[Finding, ...]
    overlap: pd.DataFrame
    simulated: bool
    undefined: tuple[str, ...] = ()
    acquisition: pd.DataFrame = field(default_factory=pd.DataFrame)
    sequences: tuple[MeasuredSequence, ...] = ()

    def overlap_of(self, region: str) -> pd.DataFrame:
        """Overlap of the readers in one region, "" for the first."""
        if "region" not in self.overlap:
            return self.overlap if region == "" else self.overlap.iloc[:0]
        own = self.overlap["region"].fillna("") == region
        return self.overlap[own].drop(columns="region")

    def joined(
        self,
        table: FeatureTable,
        failures: Iterable[Failure],
        findings: Iterable[Finding],
        undefined: Iterable[str],
    ) -> "Extraction":
        """The same with another table, of some of its cases, and what was told on the way to it."""
        kept = list(table.cases)
        return replace(
            self,
            table=table,
            failures=(*self.failures, *failures),
            findings=(*self.findings, *findings),
            undefined=(*self.undefined, *undefined),
            overlap=self.overlap[self.overlap["case"].isin(kept)],
            acquisition=self.acquisition.loc[kept],
        )


def measure_study(
    study: Study, workers: int, progress: Progress, measure: Measure | None = None
) -> Extraction:
    """Measure every case and reader; cases that were measured before come from their shards.

    `measure` is what measures; processes of this machine when missing.

    Raises
    ------
    DataError
        Not one case could be measured.
    """
    records, defined = _prepare_and_measure(study, workers, progress, measure)
    failures = failures_of(study, records)
    failed = {failure.case for failure in failures}
    kept = [case for case in study.cohort.cases if case.id not in failed]
    if not kept:
        listed = "\n".join(f"  {f.case}: {f.message}" for f in failures[:5])
        raise DataError(f"None of the {len(failures)} cases could be measured:\n{listed}")
    return Extraction(
        table=_table(study, records, [case.id for case in kept], defined),
        failures=failures,
        findings=findings_of(records),
        overlap=_overlap(records, [case.id for case in kept]),
        simulated=study.simulated or any(map(_is_simulated, records.values())),
        undefined=_spelled(study, ~defined),
        acquisition=_acquisition(study, records, [case.id for case in kept]),
        sequences=measured_sequences(study, records, [case.id for case in kept]),
    )


def _prepare_and_measure(
    study: Study, workers: int, progress: Progress, measure: Measure | None
) -> tuple[Mapping[str, Record], Flags]:
    """Records by case, and which features are defined in any.

    Landmarks are learnt on the training side of the cases that have numbers, which is known
    afterwards: as long as a further case turns out to have none, they are learnt anew.
    """
    settings, bad = study.protocol.preparation, dict[str, Record]()
    if is_learnt(settings):
        checked = measure_all(study, workers, progress, measure, features=False)
        bad = {failure.case: checked[failure.case] for failure in failures_of(study, checked)}
    while True:
        kept = [case.id for case in study.cohort.cases if case.id not in bad]
        preparation = learn_landmarks(study, kept, workers, progress) if kept else settings
        measured = measure_all(study, workers, progress, measure, preparation=preparation)
        records = each(measured, partial(_or, bad))
        defined = _defined(study, records)
        records = each(records, partial(_without_gaps, study, defined))
        failed = {failure.case: records[failure.case] for failure in failures_of(study, records)}
        if failed.keys() == bad.keys() or not is_learnt(settings):
            return records, defined
        bad = failed


def _or(others: Mapping[str, Record], case: str, record: Record) -> Record:
    """The record of a case, or another one that counts."""
    return others.get(case, record)


def measure_all(
    study: Study,
    workers: int,
    progress: Progress,
    measure: Measure | None = None,
    *,
    features: bool = True,
    preparation: Preparation | None = None,
) -> Mapping[str, Record]:
    """Records by case, in the order of the manifest, with what only shows between them."""
    jobs = study.jobs(features=features, preparation=preparation)
    what = "Measuring cases" if features else "Reading cases"
    by = measure or by_engine(LocalEngine(workers))
    records, job_of = by(study, jobs, progress, what), {job.case: job for job in jobs}

    def ordered(case: str, record: Record) -> Record:
        return _own_overlap(study, in_order(job_of[case], record))

    return _compared(study, each(records, ordered))


def _own_overlap(study: Study, record: Record) -> Record:
    """The record without the overlap of readers who are not compared with each other."""
    chosen = study.comparisons
    if chosen is None:
        return record
    rows = record["overlap"]
    kept = [row for row in rows if chosen.compares(row["reader_a"], row["reader_b"])]
    return record | {"overlap": kept}


def _compared(study: Study, records: Mapping[str, Record]) -> Mapping[str, Record]:
    """The records with what the store cannot hold: against the study's claim, and each other."""
    failed: list[ImageFinding] = []
    for look in (sequence_findings, content_findings):
        with advisory(failed):
            found = defaultdict[str, list[Finding]](list)
            for finding in [*look(study, records)]:
                found[finding.case].append(finding)
            records = each(records, partial(_with_findings, found))

    def noted(case: str, record: Record) -> Record:
        notes = [Finding(case, ALL_READERS, **vars(note)) for note in failed]
        return _with_findings({case: notes}, case, record)

    return each(records, noted) if failed else records


def _with_findings(findings: Mapping[str, Sequence[Finding]], case: str, record: Record) -> Record:
    return reduce(with_finding, findings.get(case, ()), record)


def with_finding(record: Record, finding: Finding) -> Record:
    """The record of a case with a finding; an error about all readers leaves it no values."""
    told = {name: value for name, value in asdict(finding).items() if name != "case"}
    if finding.severity != "error":
        return record | {"findings": [*record["findings"], told]}
    error = {name: told[name] for name in ("message", "code", "file", "remedy")} | {"reader": None}
    return record | {"values": {}, "errors": [*record["errors"], error]}


def _defined(study: Study, records: Mapping[str, Record]) -> Flags:
    """Which features of the plan have a value in any case of any reader."""
    found = np.zeros(len(study.features), dtype=bool)
    for record in records.values():
        for values in record["values"].values():
            if values:
                found |= ~np.isnan(np.asarray(values, dtype=float))
    return found


def _spelled(study: Study, chosen: Flags) -> tuple[str, ...]:
    dialect = study.protocol.extraction.dialect
    features = zip(study.features, chosen, strict=True)
    return tuple(f.spell(dialect) for f, wanted in features if wanted)


def _without_gaps(study: Study, defined: Flags, case: str, record: Record) -> Record:
    """The record without readers for whom a feature that others have is not defined."""
    values, errors = {}, list(record["errors"])
    for reader, found in record["values"].items():
        gaps = np.isnan(np.asarray(found, dtype=float))
        missing = _spelled(study, gaps & defined) if found else ()
        if missing:
            remedy = "Check the mask, or leave out the family."
            message = (
                f"{len(missing)} features that other regions have cannot be computed here "
                f"({first_of(missing, 3)}): the region is too small or too uniform. "
                f"{remedy}"
            )
            known = {"code": "undefined-features", "file": "", "remedy": remedy}
            errors.append({"reader": reader, "message": message, **known})
        else:
            values[reader] = found
    return record | {"values": values, "errors": errors}


def failures_of(study: Study, records: Mapping[str, Record]) -> tuple[Failure, ...]:
    """Cases without numbers of the primary reader."""
    primary, found = study.readers[0], []
    for case, record in records.items():
        if primary not in record["values"]:
            found.append(_failure(case, primary, record["errors"]))
    return tuple(found)


def _failure(case: str, primary: str, errors: Sequence[Mapping[str, Any]]) -> Failure:
    """Why there is nothing of the primary reader; kind and file are the first error's."""
    own = [e for e in errors if e["reader"] in (None, primary)]
    if not own:
        remedy = "Draw it, or leave the case out."
        message = f"There is no mask of the primary reader {primary!r}. {remedy}"
        return Failure(case, message, "no-mask", remedy=remedy)
    first = {name: own[0][name] for name in ("code", "file", "remedy")}
    return Failure(case, " ".join(e["message"] for e in own), **first)


def findings_of(records: Mapping[str, Record]) -> tuple[Finding, ...]:
    """Findings of all masks, and errors of readers other than the primary one."""
    return tuple(
        finding
        for case, record in records.items()
        for finding in (
            *(Finding(case, **f) for f in record["findings"]),
            *(Finding(case, severity="error", **e) for e in record["errors"] if e["reader"]),
        )
    )


def _table(
    study: Study, records: Mapping[str, Record], cases: list[str], defined: Flags
) -> FeatureTable:
    settings = study.protocol.extraction
    features, readers = study.features, study.readers
    done = Counter(
        step["name"]
        for case in cases
        for history in records[case]["history"].values()
        for step in history
    )
    prepared = known_preparation(study)
    steps = [
        Step("read and place masks", dict(sorted(done.items()))),
        *([Step("prepare", prepared.model_dump(mode="json"))] if prepared.active else []),
        Step("extract", settings.model_dump(mode="json")),
        Step("leave out undefined", {"features": _spelled(study, ~defined)}),
        Step("assemble", {"cases": len(cases), "features": int(defined.sum()), "readers": readers}),
    ]
    return FeatureTable(
        values=_values(study, records, cases, defined),
        obs=study.obs().loc[cases],
        features=tuple(f for f, wanted in zip(features, defined, strict=True) if wanted),
        readers=readers,
        dialect=settings.dialect,
        history=(*study.history, *steps),
        comparisons=study.comparisons,
    )


def _values(study: Study, records: Mapping[str, Record], cases: list[str], defined: Flags) -> Table:
    """(cases, features, readers); those of very many cases in a file."""
    readers, n = study.readers, int(defined.sum())
    if not is_large(len(cases) * n * len(readers)):
        return _read_values(records, cases, readers, defined.size).transpose(0, 2, 1)[:, defined]
    path, step = study.results / ON_DISK / "gathered.f64", AT_ONCE // (defined.size * len(readers))
    with writing_atomically(path) as stream:
        for begin in range(0, len(cases), step):
            some = cases[begin : begin + step]
            block = _read_values(records, some, readers, defined.size)[:, :, defined]
            columns = block.transpose(2, 1, 0).reshape(-1, len(some))
            write_rows(stream, len(cases), begin, columns)
    return Columns.of(path, (n, len(readers), len(cases)))


def _read_values(
    records: Mapping[str, Record], cases: Sequence[str], readers: Sequence[str], n: int
) -> Floats:
    """(cases, readers, n features), nan where a reader has none."""
    missing = np.full(n, np.nan)
    values = (records[case]["values"] for case in cases)
    return np.array(
        [[np.asarray(own.get(r, missing), dtype=float) for r in readers] for own in values]
    )


def _is_simulated(record: Record) -> bool:
    """Whether an image says so in its header, wherever it was copied to."""
    steps = (step for history in record["history"].values() for step in history)
    return any(step["parameters"].get("simulated") for step in steps)


def _overlap(records: Mapping[str, Record], cases: list[str]) -> pd.DataFrame:
    rows = [{"case": case} | row for case in cases for row in records[case]["overlap"]]
    further = ["region"] if any("region" in row for row in rows) else []
    return pd.DataFrame(rows, columns=[*OVERLAP_COLUMNS, *further])


def _acquisition(study: Study, records: Mapping[str, Record], cases: list[str]) -> pd.DataFrame:
    """Facts of images and manifest, and the size of the primary reader's region, by case."""
    known = {case.id: case.covariates for case in study.cohort.cases}
    rows = [
        with_manifest(record["acquisition"], known[case])
        | record["regions"].get(study.readers[0], {})
        for case, record in ((case, records[case]) for case in cases)
    ]
    there = {name for row in rows for name in row}
    columns = [name for name in (*NUMBERS, *TEXTS, *REGION) if name in there]
    return pd.DataFrame(rows, pd.Index(cases, name="case", dtype="str"), columns)


def save_extraction(study: Study, extraction: Extraction) -> tuple[Path, ...]:
    """Write features.parquet and .csv, extraction.json, overlap.csv and acquisition.csv.

    What is written names no file: see `centrum.cohort.withheld`.
    """
    folder = study.results
    files = extraction.table.save(folder)
    facts = {
        "failures": _written(study, extraction.failures),
        "findings": _written(study, extraction.findings),
        "flow": as_json(study.flow),
        "simulated": extraction.simulated,
        "undefined": extraction.undefined,
        "sequences": [asdict(sequence) for sequence in extraction.sequences],
    }
    contents = {
        FACTS: json.dumps(facts, indent=1),
        OVERLAP: frame_csv(extraction.overlap),
        ACQUISITION: frame_csv(extraction.acquisition.reset_index()),
    }
    for name, text in contents.items():
        write_atomically(folder / name, text.encode())
    learnt = [LANDMARKS] if is_learnt(study.protocol.preparation) else []
    return (*files, *(folder / name for name in (*contents, *learnt)))


def _written(study: Study, found: Sequence[Failure | Finding]) -> list[dict[str, Any]]:
    """Failures or findings as they may be written."""
    jobs, words = {job.case: job for job in study.jobs()}, study.words
    of_study = ManyRoles(study.roles)
    of_cases = {case: jobs[case].roles for case in jobs.keys() & {f.case for f in found}}

    def roles(f: Failure | Finding) -> Roles:
        named = of_study.within(" ".join((f.message, f.remedy, f.file)))
        return {**named, **of_cases.get(f.case, {})}

    return [withheld_fields(asdict(f), roles(f), words) for f in found]


def for_console(study: Study, found: Iterable[Told]) -> tuple[Told, ...]:
    """Failures or findings with the names of cases and files, which only a screen may show."""
    jobs, names = {job.case: job for job in study.jobs()}, study.cohort.names
    return tuple(_named(f, jobs.get(f.case), names.get(f.case, f.case)) for f in found)


def _named(found: Told, job: MeasurementJob | None, case: str) -> Told:
    files = file_names(parts(job.image, job.drawn, job.further)) if job else {}
    texts = {name: restored(getattr(found, name), files) for name in ("message", "file", "remedy")}
    return replace(found, case=case, **texts)


def load_extraction(study: Study) -> Extraction:
    """What `extract` left.

    Raises
    ------
    DataError
        `extract` has not been run, or a file was changed since.
    """
    result = study.stages.result
    return Extraction(
        table=load_table(study),
        overlap=result(OVERLAP, _overlap_read),
        acquisition=result(ACQUISITION, _by_case).set_index("case"),
        **result(FACTS, _read_facts),
    )


WORDS = ("case", "reader_a", "reader_b", "region", *TEXTS)
"""Columns that stay text where all of it are numbers, such as the model 3020 of a scanner."""


def _overlap_read(path: Path) -> pd.DataFrame:
    frame = _by_case(path)
    return frame.fillna({"region": ""}) if "region" in frame else frame


def _by_case(path: Path) -> pd.DataFrame:
    return read_frame(path, dtype=dict.fromkeys(WORDS, str))


def _read_facts(path: Path) -> dict[str, Any]:
    facts = json.loads(path.read_text(encoding="utf-8"))
    return {
        "failures": tuple(Failure(**f) for f in facts["failures"]),
        "findings": tuple(Finding(**f) for f in facts["findings"]),
        "simulated": facts["simulated"],
        "undefined": tuple(facts["undefined"]),
        "sequences": tuple(MeasuredSequence(**s) for s in facts["sequences"]),
    }


def load_table(study: Study, *, perturbed: bool = False, morphometry: bool = False) -> FeatureTable:
    """The table that `extract` left, with what `perturb` and `morphometry` left if asked for.

    Raises
    ------
    DataError
        One of them has not been run, or a file was changed since.
    """
    result = study.stages.result
    result(HEAD, lambda path: json.loads(path.read_text(encoding="utf-8"))["features"])
    table = result(FEATURES, lambda path: FeatureTable.load(path.parent))
    if morphometry:
        table = table.with_morphometry(result(MORPHOMETRY, read_morphometry))
    return table.with_perturbed(result(PERTURBED, read_parquet)) if perturbed else table
