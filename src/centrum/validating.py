"""The verb `validate`: a frozen model judged on patients of another place."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from centrum import __version__
from centrum.csv_text import frame_csv
from centrum.errors import DataError, ManifestError
from centrum.execution import Progress, silent
from centrum.external import External, NewCases, validate
from centrum.frozen.model import FrozenModel
from centrum.modelling.split import owners_of
from centrum.report.build import write_page
from centrum.report.external import external_blocks
from centrum.report.html import Page
from centrum.score import Patient, Score
from centrum.scoring import keep_key, patients_of, read_new_cases, score_all
from centrum.simulate import NOTICE
from centrum.store import write_atomically
from centrum.study import PROTOCOL, Study, open_study
from centrum.tabular import read_study_tables
from centrum.withheld import Roles, withheld, words_in


def validate_model(
    model: FrozenModel,
    folder: Path,
    out: Path,
    *,
    others: Mapping[str, FrozenModel] | None = None,
    reader: str | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> External:
    """Judge a model on a cohort; leaves report.html, validation.json and predictions.csv.

    Parameters
    ----------
    folder : with cases.csv and images, or a study of tables
    others : further models to compare on the same patients, by name

    Raises
    ------
    ManifestError
        Something is wrong with the manifest, or files are missing.
    DataError
        Not one case could be scored, or cases of one outcome only.
    """
    tables = _study_of_tables(folder)
    files: Mapping[str, Roles]
    if tables is not None:
        tables.keep_key()
        new, refused, flags, simulated = _from_tables(model, tables)
        files = dict.fromkeys(refused, tables.roles)
        scored = {name: m.scorer.score(*_values(m, tables)) for name, m in (others or {}).items()}
    else:
        cohort = read_new_cases(folder, model, with_outcome=True)
        patients = patients_of(model, cohort, reader)
        scores = score_all(model, patients, out, workers, progress)
        keep_key(cohort)
        new, refused, flags = _from_scores(model, patients, scores)
        files = {patient.case: patient.roles for patient in patients}
        simulated = any(s.simulated for s in scores)
        scored = {
            name: _scores_of(m, patients, new.cases, out, workers, progress)
            for name, m in (others or {}).items()
        }
    compared = {name: ((others or {})[name], s) for name, s in scored.items()}
    found = validate(model, new, refused=refused, flags=flags, others=compared)
    words = words_in(model.protocol.model_dump(mode="json"))
    told = {case: withheld(why, files[case], words) for case, why in refused.items()}
    _write(model, replace(found, refused=told), out, NOTICE if simulated or model.simulated else "")
    return found


def _write(model: FrozenModel, found: External, out: Path, simulated: str) -> None:
    record = {"model": model.to_dict()["sha256"], **found.to_dict()}
    write_atomically(out / "validation.json", json.dumps(record, indent=1).encode())
    write_atomically(out / "predictions.csv", frame_csv(found.predictions()).encode())
    lead = f"External validation of a frozen model, by centrum {__version__}."
    page = Page(f"External validation: {model.name}", lead, simulated)
    write_page(page, external_blocks(model, found, simulated), out)


def _from_scores(
    model: FrozenModel, patients: Sequence[Patient], scores: Sequence[Score]
) -> tuple[NewCases, dict[str, str], list[str]]:
    """The scored cases; case -> why it was refused; all flags."""
    pairs = [(p, s) for p, s in zip(patients, scores, strict=True) if not s.refused]
    refused = {s.case: " ".join(f.message for f in s.flags if f.severity == "refuse")
               for s in scores if s.refused}  # fmt: skip
    if not pairs:
        first, why = next(iter(refused.items()))
        raise DataError(f"Not one of {len(scores)} cases could be scored. {first}: {why}")
    values = [
        [float("nan") if (v := {x.name: x.value for x in s.parts}[name]) is None else v
         for name in model.scorer.features]
        for _, s in pairs
    ]  # fmt: skip
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


def _scores_of(
    model: FrozenModel,
    patients: Sequence[Patient],
    cases: Sequence[str],
    out: Path,
    workers: int,
    progress: Progress,
) -> np.ndarray:
    """Scores of the same cases by another model."""
    found = {s.case: s.score for s in score_all(model, patients, out, workers, progress)}
    if missing := [case for case in cases if found[case] is None]:
        raise DataError(
            f"{model.name!r} refuses {len(missing)} of the cases that are to be compared, such as "
            f"{missing[0]}: models are compared on the same patients."
        )
    return np.array([found[case] for case in cases], dtype=float)


def _study_of_tables(folder: Path) -> Study | None:
    if not (folder / PROTOCOL).is_file():
        return None
    study = open_study(folder)
    return study if study.protocol.tables else None


def _from_tables(
    model: FrozenModel, study: Study
) -> tuple[NewCases, dict[str, str], list[str], bool]:
    extraction = read_study_tables(study)
    values, batch = _values(model, study)
    obs = extraction.table.obs
    new = NewCases(
        cases=tuple(map(str, obs.index)),
        patients=owners_of(obs["outcome"].to_numpy(), obs["patient"].to_numpy()),
        positive=(obs["outcome"] == model.positive).to_numpy(),
        values=values,
        batch=batch,
    )
    refused = {f.case: f.message for f in extraction.failures}
    return new, refused, [], extraction.simulated


def _values(model: FrozenModel, study: Study) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """The model's features of a study of tables, and batches."""
    table = read_study_tables(study).table
    position = {name: k for k, name in enumerate(table.names)}
    known = {c.name: c for c in model.covariates}
    rows = table.obs.to_dict("records")
    missing = [n for n in model.scorer.features if n not in position and n not in known]
    if missing:
        raise DataError(
            f"The table lacks {len(missing)} of the {len(model.scorer.features)} features that the "
            f"model reads: {', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}."
        )
    columns = [
        table.values[:, position[n], 0]
        if n in position
        else np.array([known[n].of({str(k): v for k, v in row.items()}) for row in rows])
        for n in model.scorer.features
    ]
    column = model.scorer.batch_column
    if column is None:
        return np.column_stack(columns), None
    if column not in table.obs:
        raise ManifestError(f"The model harmonises by {column!r}, which the manifest has not.")
    return np.column_stack(columns), tuple(table.obs[column].astype(str))
