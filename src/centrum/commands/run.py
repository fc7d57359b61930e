"""The verb `run`: nothing that computes is loaded where there is nothing to do."""

from pathlib import Path

from centrum.execution import Progress, silent
from centrum.report.old import marking_old
from centrum.stages import PAGE
from centrum.study.extraction import Extraction as Extraction
from centrum.study.left import (
    load_area_over_parts as load_area_over_parts,
    load_evaluations as load_evaluations,
    up_to_date,
)
from centrum.study.study import RESULTS, Study, open_study


def open_to_run(folder: Path) -> Study:
    """The study; where it cannot be opened, the report of an earlier run is marked as old."""
    with marking_old(folder / RESULTS):
        return open_study(folder)


def run(study: Study, *, workers: int = 1, progress: Progress = silent) -> tuple[Extraction, Path]:
    """As `centrum.commands.study.run`, and sooner where every stage is as it should be."""
    with marking_old(study.results):
        known = up_to_date(study)
        if known is not None:
            return known, study.results / PAGE
        from centrum.commands import study as verbs

        return verbs.run(study, workers=workers, progress=progress)
