"""The verb `validate`: a frozen model evaluated on patients of another centre."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from centrum.arrays import Floats
from centrum.cohort.case import Case
from centrum.cohort.phantom import NOTICE
from centrum.cohort.withheld import Roles, withheld, words_in
from centrum.commands.score import (
    keep_key,
    outlook as outlook_of_images,
    patients_of,
    read_new_cases,
    score_all,
)
from centrum.errors import DataError
from centrum.execution import Progress, silent
from centrum.frozen.domain import Flag
from centrum.frozen.external import ExternalValidation, NewCases, validate
from centrum.frozen.model import FrozenModel, read_model as read_model
from centrum.frozen.score import REFUSED, Patient, Score, not_scored, range_by, score_known
from centrum.io.csv_text import frame_csv
from centrum.provenance import __version__
from centrum.records import as_json
from centrum.report.build import drawn_document, write_page
from centrum.report.external import external_blocks
from centrum.report.html import Page
from centrum.store import write_atomically
from centrum.study.study import PROTOCOL, Study, open_study
from centrum.study.tables import read_study_tables


@dataclass(frozen=True, eq=False)
class _Judged:
    """The score of a case, and the values (features,) that it was made of; none where refused."""

    score: Score
    values: Floats | None = None


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
    own = place.score(model)
    place.keep_key()
    compared = {name: [j.score for j in place.score(other)] for name, other in others.items()}
    judged = [
        replace(j, score=_of_all(j.score, {name: found[k] for name, found in compared.items()}))
        for k, j in enumerate(own)
    ]
    scores = [j.score for j in judged]
    new, refused, flags = _from_scores(model, place.patients, judged)
    found = validate(
        model,
        new,
        refused=refused,
        flags=flags,
        others={name: (others[name], _of_scored(scores, c)) for name, c in compared.items()},
    )
    words = words_in(model.protocol.model_dump(mode="json"))
    told = {case: withheld(why, place.roles[case], words) for case, why in refused.items()}
    simulated = NOTICE if any(s.simulated for s in scores) or model.simulated else ""
    _write(model, replace(found, refused=told), out, simulated)
    return found


def outlook(model: FrozenModel, folder: Path, out: Path) -> Iterator[str]:
    """What `validate` would do, in lines to print."""
    if (study := _study_of_tables(folder)) is None:
        yield from outlook_of_images(model, read_new_cases(folder, model, with_outcome=True), out)
        return
    scores = _score_tables(study, tuple(map(_patient_of_tables, study.cohort.cases)), model)
    refused = sum(j.score.refused for j in scores)
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


def _from_scores(
    model: FrozenModel, patients: Sequence[Patient], judged: Sequence[_Judged]
) -> tuple[NewCases, dict[str, str], list[str]]:
    """The scored cases; case -> why it was refused; all flags."""
    scores = [each.score for each in judged]
    pairs = [(p, s) for p, s in zip(patients, scores, strict=True) if not s.refused]
    refused = {s.case: " ".join(_refusals(s)) for s in scores if s.refused}
    if not scores:
        raise DataError("There is not one case to validate the model on.", code="no-cases")
    if not pairs:
        first, why = next(iter(refused.items()))
        raise DataError(f"Not one of {len(scores)} cases could be scored. {first}: {why}")
    values = [j.values for j in judged if not j.score.refused]
    batch = [model.batch_of(p.known) for p, _ in pairs]
    new = NewCases(
        cases=tuple(p.case for p, _ in pairs),
        patients=np.array([p.patient or p.case for p, _ in pairs]),
        positive=np.array([p.outcome == model.positive for p, _ in pairs]),
        values=np.array(values, dtype=float),
        batch=None if batch[0] is None else tuple(b[0] for b in batch if b is not None),
    )
    kinds = [{f.code for f in s.flags if f.severity != "note"} for s in scores]
    return new, refused, [code for codes in kinds for code in sorted(codes)]


def _judged(model: FrozenModel, score: Score) -> _Judged:
    """A score with the values that its parts tell."""
    if score.refused:
        return _Judged(score)
    known = {part.name: np.nan if part.value is None else part.value for part in score.parts}
    return _Judged(score, np.array([known[n] for n in model.scorer.features], dtype=float))


@dataclass(frozen=True)
class _Place:
    """Patients of another place, and what a model says of each of them."""

    patients: tuple[Patient, ...]
    roles: Mapping[str, Roles]
    score: Callable[[FrozenModel], Sequence[_Judged]]
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
        roles = dict.fromkeys((p.case for p in patients), study.roles)
        return _Place(patients, roles, partial(_score_tables, study, patients), study.keep_key)
    cohort = read_new_cases(folder, model, with_outcome=True)
    patients = patients_of(model, cohort, reader)

    def score(of: FrozenModel) -> Sequence[_Judged]:
        return [_judged(of, s) for s in score_all(of, patients, out, workers, progress)]

    return _Place(patients, {p.case: p.roles for p in patients}, score, partial(keep_key, cohort))


def _study_of_tables(folder: Path) -> Study | None:
    if not (folder / PROTOCOL).is_file():
        return None
    study = open_study(folder)
    return study if study.protocol.tables else None


def _patient_of_tables(case: Case) -> Patient:
    known = {n: v for n, v in case.record().items() if isinstance(v, (str, float, int))}
    return Patient(case.id, "", "", known=known, outcome=case.outcome, patient=case.patient)


def _score_tables(study: Study, patients: Sequence[Patient], model: FrozenModel) -> list[_Judged]:
    """Scores of the cases of a study of tables; a case that cannot be scored is refused."""
    read = [n for n, f in zip(model.scorer.features, model.features, strict=True) if f is not None]
    extraction = read_study_tables(study, () if model.scorer.fills else read)
    table = extraction.table
    if missing := [name for name in read if name not in table.names]:
        raise DataError(
            f"The table lacks {len(missing)} of the {len(model.scorer.features)} features that the "
            f"model reads: {', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}."
        )
    at = [table.names.index(name) for name in read]
    measured = dict(zip(table.cases, np.asarray(table.values[:, at, 0]), strict=True))
    why = {failure.case: failure.message for failure in extraction.failures}
    judged = [
        _score_row(model, p, dict(zip(read, measured[p.case].tolist(), strict=True)))
        if p.case in measured
        else _Judged(not_scored(p, DataError(why[p.case])))
        for p in patients
    ]
    return [replace(j, score=replace(j.score, simulated=extraction.simulated)) for j in judged]


def _score_row(model: FrozenModel, patient: Patient, measured: Mapping[str, float]) -> _Judged:
    """The score without its parts: of very many cases these would not fit into memory."""
    try:
        known = {**measured, **{c.name: c.of(patient.known) for c in model.covariates}}
        values = np.array([known[name] for name in model.scorer.features], dtype=float)
        range_ = range_by(model, patient, lambda name, _: measured[name])
        score = score_known(model, patient, values, range_=range_)
        return _Judged(replace(score, parts=()), values)
    except Exception as error:
        return _Judged(not_scored(patient, error))
