"""The standard scale of a study (Nyul), learnt from the images of its training patients.

Which patients these are is the protocol's split of the cases that can be measured: the same
that the model is fitted on. Each image counts once, however many cases are on it.
"""

import json
from collections.abc import Sequence
from typing import Any

from centrum.errors import DataError
from centrum.execution import KeptResults, Progress, run_jobs, silent
from centrum.io import source_digest
from centrum.measure.case import (
    MeasurementJob,
    landmarks_key,
    measure_landmarks,
    no_landmarks,
)
from centrum.prepare.nyul import standard_scale
from centrum.prepare.settings import Nyul, Preparation
from centrum.provenance import __version__
from centrum.stages import UNREADABLE
from centrum.store import write_atomically
from centrum.study.study import Study, training_rows

FILE = "landmarks.json"


def is_learnt(preparation: Preparation) -> bool:
    """Whether the preparation has landmarks that must be learnt first."""
    return (
        isinstance(preparation.normalisation, Nyul) and preparation.normalisation.landmarks is None
    )


def learn_landmarks(
    study: Study,
    cases: Sequence[str],
    workers: int = 1,
    progress: Progress = silent,
) -> Preparation:
    """The protocol's preparation with landmarks of the training patients among `cases`.

    Leaves landmarks.json: the landmarks, what they were learnt from, and how.

    Raises
    ------
    DataError
        No training image can be read, or an outcome is missing.
    """
    preparation = study.protocol.preparation
    scale = preparation.normalisation
    if not isinstance(scale, Nyul) or scale.landmarks is not None:
        return preparation
    jobs = _one_per_image(study, cases)
    measured = run_jobs(
        measure_landmarks,
        jobs,
        workers,
        progress,
        "Learning landmarks",
        failed=no_landmarks,
        kept=KeptResults(study.store, landmarks_key),
    )
    known = {job.case: row for job, row in zip(jobs, measured, strict=True) if row is not None}
    if not known:
        raise DataError("No image of the training patients could be read to learn landmarks from.")
    # In the order of cases: sums depend on it.
    rows = [known[case] for case in sorted(known)]
    learnt = tuple(standard_scale(rows, scale.range).tolist())
    record = _record(study) | {"landmarks": learnt, "cases": sorted(known)}
    write_atomically(study.results / FILE, json.dumps(record, indent=1).encode())
    return _with(preparation, scale, learnt)


def known_preparation(study: Study) -> Preparation:
    """The protocol's preparation, with the landmarks that this study has learnt if it has."""
    preparation, path = study.protocol.preparation, study.results / FILE
    scale = preparation.normalisation
    if isinstance(scale, Nyul) and is_learnt(preparation):
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if record.items() >= _record(study).items():
                return _with(preparation, scale, tuple(record["landmarks"]))
        except UNREADABLE:
            return preparation
    return preparation


def _with(preparation: Preparation, scale: Nyul, landmarks: tuple[float, ...]) -> Preparation:
    learnt = scale.model_copy(update={"landmarks": landmarks})
    return preparation.model_copy(update={"normalisation": learnt})


def _record(study: Study) -> dict[str, Any]:
    """What decides the landmarks, beside the images."""
    return {
        "preparation": study.protocol.preparation.model_dump(mode="json"),
        "split": study.protocol.split.model_dump(mode="json"),
        "version": __version__,
    }


def _one_per_image(study: Study, cases: Sequence[str]) -> list[MeasurementJob]:
    """Jobs of training cases, without a second one of the same image."""
    rows, _ = training_rows(study.protocol, study.obs().loc[list(cases)])
    wanted = {cases[row] for row in rows}
    jobs = (job for job in study.jobs() if job.case in wanted)
    return list({source_digest(job.image): job for job in reversed(list(jobs))}.values())[::-1]
