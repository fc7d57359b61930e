"""The verb `validate`: a frozen model evaluated on patients of another centre."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from centrum.arrays import Columns, Floats, Table, row_blocks, write_rows
from centrum.cohort.case import Case
from centrum.cohort.phantom import NOTICE
from centrum.cohort.withheld import ManyRoles, Roles, withheld, words_in
from centrum.commands.score import (
    keep_key,
    outlook as outlook_of_images,
    patients_of,
    read_new_cases,
    reader_of,
    score_all,
)
from centrum.errors import DataError
from centrum.execution import Progress, silent
from centrum.frozen.domain import Flag
from centrum.frozen.external import ExternalValidation, NewCases, validate
from centrum.frozen.model import FrozenModel, read_model as read_model
from centrum.frozen.people import People
from centrum.frozen.score import REFUSED, Patient, Score, not_scored, range_by, score_known
from centrum.io.csv_text import frame_csv
from centrum.measure.acquisition import with_manifest
from centrum.provenance import __version__, digest
from centrum.records import as_json
from centrum.report.build import drawn_document, write_page
from centrum.report.external import external_blocks
from centrum.report.html import Page
from centrum.store import write_atomically
from centrum.study.study import PROTOCOL, Study, open_study, people
from centrum.study.tables import read_study_tables
from centrum.table import ON_DISK, FeatureTable
from centrum.text import listed


@dataclass(frozen=True, eq=False)
class _Judged:
    """The scores of cases, and the values (cases, features) that they were made of.

    Values of a case that was refused are of no meaning.
    """

    scores: Sequence[Score]
    values: Table


def validate_model(
    model: FrozenModel,
    folder: Path,
    out: Path,
    *,
    others: Mapping[str, FrozenModel] | None = None,
    reader: str | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> ExternalValidation:
    """Evaluate a model on a cohort; leaves report.html, validation.json and predictions.csv.

    Parameters
    ----------
    folder : with cases.csv and images, or a study of tables
    reader : whose masks are scored; the model is applied to those of all others beside it
    others : further models to compare on the same patients, by name

    Raises
    ------
    ManifestError
        Something is wrong with the manifest, or files are missing.
    DataError
        Not one case could be scored, cases of one outcome only, or a compared model or a study of
        tables with other outcomes.
    """
    others = others or {}
    for name, other in others.items():
        _refuse_other_outcomes(model, (other.positive, other.negative), f"the model {name!r}")
    place = _place_of(model, folder, out, reader, workers, progress)
    first, *further = place.readers
    own = place.score(model, first)
    place.keep_key()
    compared = {name: place.score(m, first).scores for name, m in others.items()}
    scores = [
        _of_all(score, {name: found[k] for name, found in compared.items()})
        for k, score in enumerate(own.scores)
    ]
    judged = replace(own, scores=scores)
    read = {name: _scores_by(model, place, own, name) for name in further}
    new, refused, flags = _from_scores(model, place, judged, read)
    found = validate(
        model,
        new,
        refused=refused,
        flags=flags,
        others={name: (others[name], _of_scored(scores, c)) for name, c in compared.items()},
    )
    words = words_in(model.protocol.model_dump(mode="json"))
    told = {case: withheld(why, place.roles(case, why), words) for case, why in refused.items()}
    simulated = NOTICE if any(s.simulated for s in scores) or model.simulated else ""
    _write(model, replace(found, refused=told), out, simulated)
    return found


def outlook(model: FrozenModel, folder: Path, out: Path) -> Iterator[str]:
    """What `validate` would do, in lines to print."""
    if (study := _study_of_tables(folder)) is None:
        cohort = read_new_cases(folder, model, with_outcome=True)
        yield from outlook_of_images(model, cohort, out)
        if further := people(cohort, reader_of(model, cohort))[1:]:
            yield f"and so would those of them that were drawn by {listed(further)}"
        return
    patients = tuple(map(_patient_of_tables, study.cohort.cases))
    scores = _score_tables(study, patients, model, study.readers[0]).scores
    refused = sum(score.refused for score in scores)
    yield f"{len(scores) - refused} cases of tables would be scored by {model.name!r} into {out}"
    yield f"{refused} would be refused"


def _refuse_other_outcomes(model: FrozenModel, other: tuple[str, str], what: str) -> None:
    if other != (model.positive, model.negative):
        raise DataError(
            f"The model tells {model.positive} (high scores) from {model.negative}, {what} "
            f"{other[0]} from {other[1]}: nothing can be compared.",
            remedy="Take one of the same outcomes, spelled alike, with the same one positive.",
            code="other-outcomes",
        )


def _of_all(score: Score, others: Mapping[str, Score]) -> Score:
    """The score of a case; refused where a model that is compared refuses it."""
    gone = [name for name, other in others.items() if other.refused]
    if score.refused or not gone:
        return score
    why = " ".join(_refusals(others[gone[0]]))
    text = f"Models are compared on the same cases, and {gone[0]!r} refuses this one: {why}"
    return replace(
        score, status=REFUSED, flags=(Flag("refuse", "not-compared", text), *score.flags)
    )


def _of_scored(scores: Sequence[Score], others: Sequence[Score]) -> np.ndarray:
    """Another model's scores of the cases that take part."""
    pairs = zip(scores, others, strict=True)
    return np.array([other.score for own, other in pairs if not own.refused], dtype=float)


def _refusals(score: Score) -> list[str]:
    return [flag.message for flag in score.flags if flag.severity == "refuse"]


def _write(model: FrozenModel, validation: ExternalValidation, out: Path, simulated: str) -> None:
    record = {"model": model.to_dict()["sha256"], **as_json(validation)}
    write_atomically(out / "validation.json", json.dumps(record, indent=1).encode())
    write_atomically(out / "predictions.csv", frame_csv(validation.predictions()).encode())
    lead = f"External validation of a frozen model, by centrum {__version__}."
    page = Page(f"External validation: {model.name}", lead, simulated)
    write_page(page, drawn_document(external_blocks(model, validation, simulated)), out)


def _scores_by(model: FrozenModel, place: "_Place", own: _Judged, reader: str) -> Floats:
    """Scores (cases,) by the regions of a further reader, nan where there is none.

    Covariates, and what is measured of bodies, are those of the first reader.
    """
    measured = np.array([feature is not None for feature in model.features])
    other, found = place.score(model, reader), np.full(len(place.patients), np.nan)
    for rows in row_blocks(own.values):
        both = np.asarray(other.values[rows]), np.asarray(own.values[rows])
        for k, values in enumerate(np.where(measured, *both), rows.start):
            if not (own.scores[k].refused or other.scores[k].refused):
                batch = model.batch_of(place.patients[k].known)
                found[k] = model.scorer.score(values[None], batch)[0]
    return found


def _from_scores(
    model: FrozenModel,
    place: "_Place",
    judged: _Judged,
    read: Mapping[str, Floats],
) -> tuple[NewCases, dict[str, str], list[str]]:
    """The scored cases; case -> why it was refused; all flags."""
    scores = judged.scores
    pairs = [(p, s) for p, s in zip(place.patients, scores, strict=True) if not s.refused]
    refused = {s.case: " ".join(_refusals(s)) for s in scores if s.refused}
    if not scores:
        raise DataError("There is not one case to validate the model on.", code="no-cases")
    if not pairs:
        first, why = next(iter(refused.items()))
        raise DataError(f"Not one of {len(scores)} cases could be scored. {first}: {why}")
    batch = [model.batch_of(p.known) for p, _ in pairs]
    new = NewCases(
        cases=tuple(p.case for p, _ in pairs),
        patients=np.array([p.patient or p.case for p, _ in pairs]),
        positive=np.array([p.outcome == model.positive for p, _ in pairs]),
        values=judged.values[[k for k, s in enumerate(scores) if not s.refused]],
        batch=None if batch[0] is None else tuple(b[0] for b in batch if b is not None),
        reader=place.readers[0],
        read={
            name: found[[k for k, s in enumerate(scores) if not s.refused]]
            for name, found in read.items()
        },
        people=People.of_new(
            [{**p.known, "patient": p.patient or p.case} for p, _ in pairs],
            [s.acquisition for _, s in pairs],
            any(s.simulated for _, s in pairs),
        ),
    )
    kinds = [{f.code for f in s.flags if f.severity != "note"} for s in scores]
    return new, refused, [code for codes in kinds for code in sorted(codes)]


def _judged(model: FrozenModel, scores: Sequence[Score]) -> _Judged:
    """Scores with the values that their parts tell."""
    values = np.full((len(scores), len(model.scorer.features)), np.nan)
    for row, score in zip(values, scores, strict=True):
        if not score.refused:
            known = {part.name: part.value for part in score.parts}
            row[:] = [np.nan if (v := known[n]) is None else v for n in model.scorer.features]
    return _Judged(scores, values)


@dataclass(frozen=True)
class _Place:
    """Patients of another place, and what a model says of each of them by a reader's regions.

    The first of the readers is the one whose regions are validated.
    """

    patients: tuple[Patient, ...]
    roles: Callable[[str, str], Roles]
    """What may stand in a message about a case, and what is written in its place."""
    readers: tuple[str, ...]
    score: Callable[[FrozenModel, str], _Judged]
    keep_key: Callable[[], None]


def _place_of(
    model: FrozenModel,
    folder: Path,
    out: Path,
    reader: str | None,
    workers: int,
    progress: Progress,
) -> _Place:
    if (study := _study_of_tables(folder)) is not None:
        outcome = study.protocol.outcome
        told = (outcome.positive, outcome.negative)
        if outcome.positive == model.negative:  # which is positive is the model's to say here
            told = told[::-1]
        _refuse_other_outcomes(model, told, "the study of tables")
        patients = tuple(map(_patient_of_tables, study.cohort.cases))
        names, score_by = ManyRoles(study.roles), partial(_score_tables, study, patients)
        return _Place(
            patients, lambda _, why: names.within(why), study.readers, score_by, study.keep_key
        )
    cohort = read_new_cases(folder, model, with_outcome=True)
    first = reader_of(model, cohort, reader)
    patients = patients_of(model, cohort, first)

    def score(of: FrozenModel, name: str) -> _Judged:
        everyone = patients_of(of, cohort, name)
        drawn = [p for p in everyone if p.mask or name == first]
        found = {s.case: s for s in score_all(of, drawn, out, workers, progress)}
        return _judged(of, [found.get(p.case) or not_scored(p, _not_drawn(name)) for p in everyone])

    by_case = {p.case: p for p in patients}

    def roles(case: str, _: str) -> Roles:
        return by_case[case].roles

    return _Place(patients, roles, people(cohort, first), score, partial(keep_key, cohort))


def _not_drawn(reader: str) -> DataError:
    return DataError(f"{reader!r} drew no region of this case.")


def _study_of_tables(folder: Path) -> Study | None:
    if not (folder / PROTOCOL).is_file():
        return None
    study = open_study(folder)
    return study if study.protocol.tables else None


def _patient_of_tables(case: Case) -> Patient:
    known = {n: v for n, v in case.record().items() if isinstance(v, (str, float, int))}
    return Patient(case.id, "", "", known=known, outcome=case.outcome, patient=case.patient)


def _score_tables(
    study: Study, patients: Sequence[Patient], model: FrozenModel, reader: str
) -> _Judged:
    """Scores of the cases of a study of tables; a case that cannot be scored is refused."""
    read = [n for n, f in zip(model.scorer.features, model.features, strict=True) if f is not None]
    extraction = read_study_tables(study, () if model.scorer.fills else read, wanted=read)
    table = extraction.table
    if missing := [name for name in read if name not in table.names]:
        raise DataError(
            f"The table lacks {len(missing)} of the {len(model.scorer.features)} features that the "
            f"model reads: {', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}."
        )
    known = {patient.case: patient for patient in patients}
    found = {f.case: not_scored(known[f.case], DataError(f.message)) for f in extraction.failures}
    k, kept = table.readers.index(reader), _kept(study, model, reader, table)
    measured = table.values[:, [table.names.index(name) for name in read], k]
    for rows in row_blocks(measured):
        values = []
        for case, row in zip(table.cases[rows], np.asarray(measured[rows]), strict=True):
            named = dict(zip(read, row.tolist(), strict=True))
            found[case], own = _score_row(model, known[case], named)
            if k and not np.isfinite(row).any():
                found[case] = not_scored(known[case], _not_drawn(reader))
            values.append(own)
        kept.add(rows.start, np.array(values, dtype=float))
    scores = [replace(found[p.case], simulated=extraction.simulated) for p in patients]
    row_of = {case: k for k, case in enumerate(table.cases)}
    return _Judged(scores, kept.all()[[row_of.get(p.case, 0) for p in patients]])


def _kept(study: Study, model: FrozenModel, reader: str, table: FeatureTable) -> "_ValuesRead":
    """Where the values go that the model reads of a reader."""
    name = digest([model.to_dict()["sha256"], reader])[:16]
    path = study.results / ON_DISK / f"scored-{name}.f64"
    return _ValuesRead(path if table.large else None, (len(model.features), 1, len(table.cases)))


class _ValuesRead:
    """What a model read of cases, (cases, features); that of very many stays on disk."""

    def __init__(self, path: Path | None, stored: tuple[int, int, int]):
        self.path, self.stored = path, stored
        self._blocks: list[Floats] = []

    def add(self, begin: int, values: Floats) -> None:
        """The rows from `begin` on."""
        if self.path is None:
            self._blocks.append(values)
            return
        if begin == 0:
            self.path.write_bytes(b"")
        with self.path.open("r+b") as stream:
            write_rows(stream, self.stored[-1], begin, values.T)

    def all(self) -> Table:
        """All of them."""
        if self.path is None:
            return np.concatenate(self._blocks)
        return Columns.of(self.path, self.stored)[:, :, 0]


def _score_row(
    model: FrozenModel, patient: Patient, measured: Mapping[str, float]
) -> tuple[Score, Floats]:
    """The score without its parts, which would not fit into memory, and the values (features,)."""
    values = np.full(len(model.scorer.features), np.nan)
    try:
        known = {**measured, **{c.name: c.of(patient.known) for c in model.covariates}}
        values = np.array([known[name] for name in model.scorer.features], dtype=float)
        range_ = range_by(model, patient, lambda name, _: measured[name])
        score = score_known(model, patient, values, range_=range_)
        return replace(score, parts=(), acquisition=with_manifest({}, patient.known)), values
    except Exception as error:
        return not_scored(patient, error), values
