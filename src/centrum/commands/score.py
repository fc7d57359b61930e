"""The verb `score`: one new patient, or a folder of them, by a frozen model.

It stands apart from `centrum.commands.study` because it starts fast: nothing that fits a model or
draws a study's figures is imported.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centrum.cohort import Cohort, check_files, read_manifest
from centrum.cohort.case import Case, Value
from centrum.cohort.pseudonyms import KEY, pseudonymised, write_key
from centrum.errors import DataError, ManifestError, of_case
from centrum.execution import Progress, run_jobs, silent
from centrum.frozen.model import FrozenModel, read_model as read_model
from centrum.frozen.score import (
    Patient as Patient,
    Score,
    Seen,
    as_written,
    needed_extraction,
    not_scored,
    score_and_see,
)
from centrum.io.csv_text import csv_text
from centrum.io.facts import NUMBERS, OTHER_NAMES, fact_of, read_facts
from centrum.measure.acquisition import TEXTS
from centrum.measure.case import warm_up
from centrum.measure.sequences import choose_sequences
from centrum.pacs.audit import DIGITS, audit_file, note, short_digest
from centrum.protocol import read_protocol
from centrum.report.overlay import RegionView, region_view
from centrum.report.patient import page_of, render_index, render_patient
from centrum.store import take_leftovers, tidy, write_atomically

if TYPE_CHECKING:
    from centrum.commands.dicom_out import DicomOut
    from centrum.frozen.elsewhere import Elsewhere

MANIFESTS = ("cases.csv", "cases.xlsx")

STORE = "store"
"""Folder that keeps what was measured, so that a stopped run goes on where it was."""

DESCRIBING = ("age", "sex", "centre", "level")
"""Columns of a manifest that describe a patient, whether the model reads them or not."""

COLUMNS = (
    "case", "status", "probability", "low", "high", "called", "outcomes", "score", "warnings",
    "flags",
)  # fmt: skip
"""Of the table of a scored cohort."""

AT_PREVALENCE = (
    "prevalence", "probability at prevalence", "low at prevalence", "high at prevalence",
    "PPV at prevalence", "NPV at prevalence", "condition",
)  # fmt: skip
"""Further columns, where a prevalence is stated."""


def at_prevalence(model: FrozenModel, prevalence: float) -> "Elsewhere":
    """The model where the positive outcome is so frequent; statistics are imported for it alone.

    Raises
    ------
    DataError
        The prevalence does not lie between 0 and 1.
    """
    from centrum.frozen.elsewhere import Elsewhere

    return Elsewhere.of(model, prevalence)


def score_one(
    model: FrozenModel,
    patient: Patient,
    folder: Path,
    dicom: "DicomOut | None" = None,
    elsewhere: "Elsewhere | None" = None,
    sources: Mapping[str, str] | None = None,
) -> tuple[Score, Path]:
    """Score a patient; leaves CASE.json and CASE.html in `folder`. Gives the page's path.

    Parameters
    ----------
    dicom : where objects for an archive go, if they are wanted
    elsewhere : another prevalence, at which numbers are wanted beside those of the study
    sources : tables of further sources that the model reads, or patterns of one file per case, by
        name

    Raises
    ------
    DataError
        The case's name cannot be that of a file.
    """
    if patient.case in (".", "..") or any(c in "/\\" for c in patient.case):
        raise DataError(f"A case names its files: no slash in it, found {patient.case!r}.")
    if model.protocol.sources or sources:
        from centrum.commands.source_tables import of_patient

        patient = of_patient(model, patient, sources or {})
    score, seen = score_and_see(model, patient)
    view = _view(seen)
    if dicom is not None:
        dicom.write(model, [patient], [(score, view)])
    return score, _write_patient(model, patient, score, view, folder, elsewhere)


def read_known(model: FrozenModel, given: Mapping[str, str]) -> dict[str, Value]:
    """What is known of a patient, by the names that the model and the facts go by.

    Facts of the acquisition can have a unit, as in 1.5T.

    Raises
    ------
    DataError
        A name says nothing to the model.
    """
    allowed = {name.casefold(): name for name in _known_names(model)}
    for name in given:
        if name.casefold() not in allowed:
            near = get_close_matches(name.casefold(), allowed, 1)
            raise DataError(
                f"Nothing called {name!r} can be known of a patient"
                f"{f'; did you mean {allowed[near[0]]}?' if near else '.'}",
                remedy=f"There are {', '.join(allowed.values())}.",
                code="unknown-name",
            )
    return {allowed[name.casefold()]: _with_unit(name, text) for name, text in given.items()}


def _known_names(model: FrozenModel) -> tuple[str, ...]:
    """What the model reads beside images, what describes patients, and facts of acquisitions."""
    batch = model.scorer.batch_column
    own = (*(c.column for c in model.covariates), *([batch] if batch else []))
    return tuple(dict.fromkeys((*own, *DESCRIBING, *NUMBERS, *OTHER_NAMES, *TEXTS)))


def _with_unit(name: str, text: str) -> Value:
    fact = fact_of(name)
    return read_facts({fact: text}).facts.get(fact, text) if fact in NUMBERS else text


def score_cohort(
    model: FrozenModel,
    cohort: Cohort,
    folder: Path,
    *,
    reader: str | None = None,
    workers: int = 1,
    progress: Progress = silent,
    dicom: "DicomOut | None" = None,
    elsewhere: "Elsewhere | None" = None,
    sources: Mapping[str, str] | None = None,
) -> tuple[Score, ...]:
    """Score all cases of a cohort; leaves scores.csv, index.html and two files for each case.

    Objects for an archive go to `dicom`, numbers at another prevalence come from `elsewhere`, if
    they are wanted; `sources` are as of `patients_of`.

    A case that cannot be scored, such as one whose file is missing, is refused with its reason and
    does not stop the others.

    Raises
    ------
    ManifestError, ProtocolError
        There is no such reader, or no image column that the model reads.
    """
    patients = patients_of(model, cohort, reader, sources)
    given = _Given(model.to_dict(), folder / STORE, pictured=True)
    scored = _score_each(given, model, patients, folder, workers, progress)
    keep_key(cohort)
    for patient, (score, view) in zip(patients, scored, strict=True):
        _write_patient(model, patient, score, view, folder, elsewhere)
    if dicom is not None:
        dicom.write(model, patients, scored)
    scores = tuple(score for score, _ in scored)
    shown = [as_written(model, *pair) for pair in zip(patients, scores, strict=True)]
    write_atomically(folder / "scores.csv", _table(shown, elsewhere).encode())
    write_atomically(folder / "index.html", render_index(model, shown, elsewhere).encode())
    return scores


def score_all(
    model: FrozenModel,
    patients: Sequence[Patient],
    folder: Path,
    workers: int = 1,
    progress: Progress = silent,
) -> tuple[Score, ...]:
    """Scores of the patients, in their order; what was measured is kept in `folder`."""
    given = _Given(model.to_dict(), folder / STORE, pictured=False)
    scored = _score_each(given, model, patients, folder, workers, progress)
    return tuple(score for score, _ in scored)


def _score_each(
    given: "_Given",
    model: FrozenModel,
    patients: Sequence[Patient],
    folder: Path,
    workers: int,
    progress: Progress,
) -> list[tuple[Score, RegionView | None]]:
    tidy(folder / STORE)
    if folder.is_dir():
        take_leftovers(folder, os.listdir(folder))
    return run_jobs(
        partial(_score, given),
        patients,
        workers,
        progress,
        "Scoring cases",
        failed=_not_scored,
        warm_up=partial(warm_up, needed_extraction(model)),
    )


@dataclass(frozen=True)
class _Given:
    """What every worker process gets: the model as data, where results are kept, what to draw."""

    model: dict
    store: Path
    pictured: bool


_MODELS: dict[str, FrozenModel] = {}
"""The models that this process has read, by digest."""


def _score(given: _Given, patient: Patient) -> tuple[Score, RegionView | None]:
    """The score of a patient, and the picture of its region if asked for."""
    key = given.model["sha256"]
    if key not in _MODELS:
        _MODELS[key] = FrozenModel.from_dict(given.model)
    score, seen = score_and_see(_MODELS[key], patient, given.store)
    return score, _view(seen) if given.pictured else None


def _not_scored(patient: Patient, error: Exception) -> tuple[Score, RegionView | None]:
    return not_scored(patient, error), None


def _view(seen: Seen | None) -> RegionView | None:
    """The region on its image; None where it cannot be drawn, which takes no score away."""
    try:
        return None if seen is None else region_view(seen.volume, seen.mask, seen.regions)
    except Exception as error:
        of_case(error)
        return None


def read_new_cases(folder: Path, model: FrozenModel, *, with_outcome: bool = False) -> Cohort:
    """The cases of a folder with cases.csv or cases.xlsx, or of such a file, named by codes.

    A study.yaml beside the manifest that says `keep_names` leaves them their names.

    Raises
    ------
    ManifestError
        There is no manifest, or something is wrong with it.
    """
    places = [folder / name for name in MANIFESTS] if folder.is_dir() else [folder]
    found = [place for place in places if place.is_file()]
    if len(found) != 1:
        raise ManifestError(
            f"{folder.name or folder} holds {len(found)} of {' and '.join(MANIFESTS)}, one is "
            "wanted: a row per case with the columns case, image and mask. `centrum init "
            "IMAGES_DIR` writes one."
        )
    cohort = read_manifest(
        found[0],
        outcomes=(model.negative, model.positive),
        mixed_patients=model.protocol.outcome.mixed_patients,
        optional=() if with_outcome else ("outcome",),
        labels=model.protocol.images.scheme,
    )
    protocol = found[0].parent / "study.yaml"
    if protocol.is_file() and read_protocol(protocol).keep_names:
        return cohort
    return pseudonymised(cohort, found[0].parent / KEY)


def keep_key(cohort: Cohort) -> None:
    """Write whose the pseudonyms of a cohort are, beside its manifest."""
    write_key(cohort.identities, Path(cohort.source).parent / KEY)


def patients_of(
    model: FrozenModel,
    cohort: Cohort,
    reader: str | None = None,
    sources: Mapping[str, str] | None = None,
) -> tuple[Patient, ...]:
    """The cases of a cohort as patients to score, with the masks of one reader.

    `sources` are as of `score_one`, where they are not beside the manifest.

    Raises
    ------
    ManifestError, ProtocolError
        There is no such reader, or no image column that the model reads.
    """
    chosen = reader_of(model, cohort, reader)
    sequences = choose_sequences(model.protocol.images, cohort.sequences)
    patients = tuple(_patient(case, chosen, sequences) for case in cohort.cases)
    if not (model.protocol.sources or sources):
        return patients
    from centrum.commands.source_tables import of_cohort

    return of_cohort(model, patients, cohort, chosen, sources or {})


def _patient(case: Case, reader: str, sequences: Sequence[str]) -> Patient:
    first, *further = sequences
    record = case.record()
    return Patient(
        case=case.id,
        image=case.images.get(first, ""),
        mask=case.masks.get(reader, ""),
        regions={
            name: source
            for key, source in case.regions.items()
            for drawn_by, _, name in [key.partition(":")]
            if drawn_by == reader
        },
        sequences={name: case.images.get(name, "") for name in further},
        known={name: v for name, v in record.items() if isinstance(v, (str, float, int))},
        outcome=case.outcome,
        patient=case.patient,
    )


def reader_of(model: FrozenModel, cohort: Cohort, reader: str | None = None) -> str:
    """Whose masks are scored: the reader that is asked for, the model's, or the first.

    Raises
    ------
    ManifestError
        There is no such reader.
    """
    wanted = reader or model.protocol.images.reader
    if reader is not None and reader not in cohort.readers:
        raise ManifestError(
            f"There is no reader {reader!r}; the manifest has {', '.join(cohort.readers)}."
        )
    return wanted if wanted in cohort.readers and wanted is not None else cohort.readers[0]


def outlook(model: FrozenModel, cohort: Cohort, folder: Path) -> Iterator[str]:
    """What `score` would do, in lines to print."""
    check_files(cohort)
    yield f"{len(cohort)} cases would be scored by {model.name!r} into {folder}"
    yield f"{len(model.scorer.features)} features each; what was measured is kept in {STORE}/"


def score_lines(scores: Iterable[Score], elsewhere: "Elsewhere | None" = None) -> Iterator[str]:
    """Call, probability and set of each patient, and the warnings."""
    for s in scores:
        if s.refused:
            yield f"{s.case}: refused"
        else:
            could = " or ".join(s.outcomes) or "neither"
            at = _also_at(s, elsewhere)
            yield f"{s.case}: {s.called}, probability {s.probability_text}{at}, set: {could}"
        for flag in s.flags:
            if flag.severity != "note":
                yield f"  {flag.severity}: {flag.told()}"
    if elsewhere is not None:
        yield elsewhere.condition


def _also_at(score: Score, elsewhere: "Elsewhere | None") -> str:
    if elsewhere is None or score.probability is None:
        return ""
    return f", {elsewhere.moved(score).probability_text} at a prevalence of {elsewhere.at}"


def record_of(model: FrozenModel, score: Score, elsewhere: "Elsewhere | None") -> dict[str, Any]:
    """What is written of a case, JSON-ready."""
    record = score.to_dict(model)
    if elsewhere is not None:
        record["elsewhere"] = elsewhere.record(score)
    return record


def _write_patient(
    model: FrozenModel,
    patient: Patient,
    score: Score,
    view: RegionView | None,
    folder: Path,
    elsewhere: "Elsewhere | None",
) -> Path:
    _note(model, score)
    score = as_written(model, patient, score)
    page = folder / page_of(patient.case)
    record = json.dumps(record_of(model, score, elsewhere), indent=1) + "\n"
    write_atomically(page.with_suffix(".json"), record.encode())
    stack = None if view is None else view.stack
    written = render_patient(model, score, stack, elsewhere, patient.known)
    write_atomically(page, written.encode())
    return page


def _note(model: FrozenModel, score: Score) -> None:
    """A line in the audit log, where the environment names one; see `centrum.pacs.audit`."""
    path = audit_file()
    if path is not None:
        named = {"model": model.to_dict()["sha256"][:DIGITS], "case": short_digest(score.case)}
        note(path, "score", {**named, "result": score.status})


def _table(scores: Sequence[Score], elsewhere: "Elsewhere | None") -> str:
    """At another prevalence with columns for it; the condition stands in every row."""
    rows = []
    for s in scores:
        warnings = [f.code for f in s.flags if f.severity != "note"]
        row = (s.case, s.status, s.probability, s.low, s.high, s.called, "; ".join(s.outcomes))
        more = () if elsewhere is None else _columns_at(s, elsewhere)
        rows.append([*row, s.score, len(warnings), "; ".join(warnings), *more])
    return csv_text([(*COLUMNS, *(AT_PREVALENCE if elsewhere else ())), *rows])


def _columns_at(score: Score, elsewhere: "Elsewhere") -> tuple[Any, ...]:
    there = elsewhere.moved(score)
    own = (there.probability, there.low, there.high)
    values = (elsewhere.ppv.value, elsewhere.npv.value)
    return (elsewhere.prevalence, *own, *values, elsewhere.condition)
