"""The vertebral body of one case, measured from the masks of its readers as they were drawn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from centrum.cohort.withheld import withheld
from centrum.errors import CentrumError, describe, of_case
from centrum.io import split_source
from centrum.io.scratch import fetched
from centrum.measure.case import MeasurementJob, known_digest
from centrum.morphometry import Exam, Genant, Morphometry, measure_exam
from centrum.morphometry.measures import measures_of
from centrum.morphometry.settings import MorphometrySettings
from centrum.provenance import MEASURING, job_key

Record = dict[str, Any]

Graded = tuple[Morphometry, Genant | None]

_DECIDING = ("orientation", "labels", "on_grid_mismatch", "grid_tolerance_mm")
"""What of `images` decides the numbers."""


@dataclass(frozen=True)
class MorphometryJob:
    """Whose body to measure, and what to compare it with."""

    job: MeasurementJob
    settings: MorphometrySettings

    @property
    def case(self) -> str:
        """Id of the case."""
        return self.job.case

    def key(self) -> str:
        """Of all that decides the numbers; of the image it is where it ends."""
        return job_key(
            "morphometry",
            MEASURING,
            image=known_digest(self.job.image),
            masks=self.job.sources()["masks"],
            level=str(self.job.level or ""),
            images=self.job.images.model_dump(mode="json", include={*_DECIDING}),
            settings=self.settings.model_dump(mode="json"),
        )


def measure_bodies(wanted: MorphometryJob) -> Record:
    """The record of a case: reader -> measures by name, reference, notes and error."""
    return {reader: _of_reader(wanted, source) for reader, source in wanted.job.masks.items()}


def not_measured(wanted: MorphometryJob, error: Exception) -> Record:
    """The record of a case that failed as a whole."""
    return {reader: _failed(wanted.job, error) for reader in wanted.job.masks}


def _of_reader(wanted: MorphometryJob, source: str) -> Record:
    try:
        body, found = _body(wanted, source)
    except CentrumError as error:
        return _failed(wanted.job, error)
    notes = found.notes if found else ("no grade: cut by the image, or no level with one",)
    return {
        "measures": measures_of(body, found),
        "reference": found.reference if found else "",
        "notes": "; ".join(notes),
        "error": "",
    }


def _failed(job: MeasurementJob, error: Exception) -> Record:
    message = withheld(describe(of_case(error)), job.roles, job.words)
    return {"measures": {}, "reference": "", "notes": "", "error": message}


def _body(wanted: MorphometryJob, source: str) -> Graded:
    """Among the others of its label map where there are any, else alone."""
    job = wanted.job
    if wanted.settings.neighbours and (among := _among(job, source)):
        return among
    level = job.level.name if job.level else None
    return _exam(job, source, level).bodies[0]


def _exam(job: MeasurementJob, source: str | Path, level: str | None = None) -> Exam:
    settings = job.images
    return measure_exam(
        source,
        job.image,
        level=level,
        labels=settings.labels,
        orientation=settings.orientation,
        tolerance_mm=settings.grid_tolerance_mm,
        on_mismatch=settings.on_grid_mismatch,
    )


def _among(job: MeasurementJob, source: str) -> Graded | None:
    """The body of the level among all of its file; None where the file has no such order."""
    path, part = split_source(fetched(source))
    if not part or job.level is None:
        return None
    try:
        bodies = _exam(job, path).bodies
    except CentrumError:  # other segments than bodies, or several of one level: it stands alone
        return None
    return next((pair for pair in bodies if pair[0].level == job.level), None)
