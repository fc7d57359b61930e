"""The stage `morphometry` of a study: the vertebral bodies of its cases, by every reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from centrum.agreement import icc
from centrum.commands.results import done, write_csv
from centrum.errors import ProtocolError
from centrum.execution import KeptResults, Progress, run_jobs, silent
from centrum.io.csv_text import read_frame
from centrum.measure.morphometry import MorphometryJob, Record, measure_bodies, not_measured
from centrum.morphometry.measures import MEASURES, OF_BODY, OF_GRADE
from centrum.morphometry.settings import MorphometrySettings
from centrum.study.extraction import load_table
from centrum.study.findings import Failure
from centrum.study.stage_keys import refuse_stale
from centrum.study.study import PROTOCOL, Study
from centrum.table import MORPHOMETRY, read_morphometry
from centrum.text import OneLine

MORPHOMETRY_AGREEMENT = "morphometry_agreement.csv"
"""File of how well the readers agree in each measure."""

NO_MORPHOMETRY = pd.DataFrame(columns=["case", "reader", *MEASURES, "reference", "notes", "error"])


@dataclass(frozen=True, eq=False, repr=False)
class Bodies(OneLine):
    """The vertebral bodies of the cases of a study.

    Attributes
    ----------
    frame : a row per case and reader: case, reader, the measures, reference, notes, error
    agreement : a row per measure: measure, icc, lower, upper, n; empty with one reader
    failures : bodies that could not be measured
    """

    frame: pd.DataFrame
    agreement: pd.DataFrame
    failures: tuple[Failure, ...]


def morphometry(study: Study, *, workers: int = 1, progress: Progress = silent) -> Bodies:
    """Measure the body of every case in the masks of every reader; leaves morphometry.csv.

    Beside it morphometry_agreement.csv: the ICC of each measure between the readers. Cases that
    were measured before come from the store, and one that cannot be measured does not stop the
    others.

    Raises
    ------
    ProtocolError
        The protocol has no block `morphometry`.
    CentrumError
        `extract` has not been run, or is older than what decides it.
    """
    settings = _settings_of(study)
    refuse_stale(study, "morphometry")
    cases = load_table(study).cases
    frame = _frame(study, _measure(study, settings, cases, workers, progress))
    files = [study.results / MORPHOMETRY, study.results / MORPHOMETRY_AGREEMENT]
    write_csv(files[0], frame)
    write_csv(files[1], _agreement(study, frame))
    done(study, "morphometry", files)
    return load_bodies(study)


def load_bodies(study: Study) -> Bodies:
    """What `morphometry` left."""
    frame = study.stages.result(MORPHOMETRY, read_morphometry)
    failed = frame[frame["error"] != ""]
    messages = failed["reader"] + ": " + failed["error"]
    return Bodies(
        frame=frame,
        agreement=study.stages.result(MORPHOMETRY_AGREEMENT, _read_agreement),
        failures=tuple(map(Failure, failed["case"], messages)),
    )


def _read_agreement(path: Path) -> pd.DataFrame:
    return read_frame(path, dtype={"measure": str})


def morphometry_outlook(study: Study) -> str:
    """What `morphometry` would do, in a line to print."""
    settings = _settings_of(study)
    jobs = _jobs(study, settings, [case.id for case in study.cohort.cases])
    kept = sum(study.store.get(job.key()) is not None for job in jobs)
    return f"morphometry: {len(jobs) - kept} cases to do, {kept} in the store"


def _settings_of(study: Study) -> MorphometrySettings:
    if study.protocol.morphometry is None:
        raise ProtocolError(
            f"{PROTOCOL} has no block `morphometry`: add a line `morphometry: {{}}` for the "
            "defaults."
        )
    return study.protocol.morphometry


def _jobs(
    study: Study, settings: MorphometrySettings, cases: Sequence[str]
) -> list[MorphometryJob]:
    wanted = set(cases)
    return [MorphometryJob(job, settings) for job in study.jobs() if job.case in wanted]


def _measure(
    study: Study,
    settings: MorphometrySettings,
    cases: Sequence[str],
    workers: int,
    progress: Progress,
) -> dict[str, Record]:
    """Records by case, in the order of the table."""
    jobs = _jobs(study, settings, cases)
    records = run_jobs(
        measure_bodies,
        jobs,
        workers,
        progress,
        "Measuring bodies",
        failed=not_measured,
        kept=KeptResults(study.store, MorphometryJob.key),
    )
    by_case = {job.case: record for job, record in zip(jobs, records, strict=True)}
    return {case: by_case[case] for case in cases}


def _frame(study: Study, records: Mapping[str, Record]) -> pd.DataFrame:
    rows = [
        {"case": case, "reader": reader, **record[reader], **record[reader]["measures"]}
        for case, record in records.items()
        for reader in study.readers
        if reader in record
    ]
    return pd.DataFrame(rows, columns=NO_MORPHOMETRY.columns)


def _agreement(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """The ICC of each number between the readers, over all measured cases."""
    columns = ["measure", "icc", "lower", "upper", "n"]
    readers = study.comparisons.between if study.comparisons else study.readers
    if len(readers) < 2:
        return pd.DataFrame(columns=columns)
    names = [*OF_BODY, *OF_GRADE]
    by_reader = {reader: rows.set_index("case")[names] for reader, rows in frame.groupby("reader")}
    cases = list(dict.fromkeys(frame["case"]))
    empty = pd.DataFrame(np.nan, cases, names)
    values = [by_reader.get(reader, empty).reindex(cases) for reader in readers]
    owners = study.cohort.to_frame()["patient"].reindex(cases)
    form = study.protocol.model.agreement.form
    found = icc(np.stack(values, axis=2).astype(float), form, patients=owners)
    data = (names, found.value, found.lower, found.upper, found.n_subjects)
    return pd.DataFrame(dict(zip(columns, data, strict=True)))
