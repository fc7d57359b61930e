"""The verb `demo`: a whole study on simulated patients, and three new ones scored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from centrum.commands import begin, results as left, score as scoring, study as verbs
from centrum.commands.manuscript import FOLDER, write_manuscript
from centrum.execution import Progress, silent
from centrum.frozen.model import read_model
from centrum.frozen.score import Score
from centrum.simulate import PhantomSettings as PhantomSettings
from centrum.study.extraction import Extraction
from centrum.study.left import load_evaluations
from centrum.study.study import open_study
from centrum.text import OneLine

SMALL = 12
"""Patients of each outcome in a demo that is to be over soon."""

NEW_MALIGNANT, NEW_OSTEOPOROTIC = 2, 1
"""New patients who took no part in the study."""

REFITS = 25
"""Of the procedure, for the range of a probability: few for a paper, enough to be looked at."""

OTHER_SEED = 1000
"""Added to the seed of the study, so that the new patients are others."""


@dataclass(frozen=True, eq=False, repr=False)
class Demo(OneLine):
    """What a demo made: results, and where to look."""

    extraction: Extraction
    evaluations: Mapping[str, Mapping[str, Any]]
    scores: tuple[Score, ...]
    manuscript: tuple[str, ...]
    places: Mapping[str, Path]


def run_demo(
    folder: Path, settings: PhantomSettings, *, workers: int = 1, progress: Progress = silent
) -> Demo:
    """Simulate and run a study, write its manuscript, score new patients."""
    choices = {"evaluation.optimism_resamples": REFITS}
    begin.simulate(folder, settings, choices=choices, workers=workers, progress=progress)
    study = open_study(folder)
    extraction, page = verbs.run(study, workers=workers, progress=progress)
    manuscript = write_manuscript(study, workers=workers, progress=progress)
    new, scored = folder / "new-patients", folder / "scored"
    few = replace(
        settings,
        n_malignant=NEW_MALIGNANT,
        n_osteoporotic=NEW_OSTEOPOROTIC,
        seed=settings.seed + OTHER_SEED,
    )
    begin.simulate(new, few, workers=workers, progress=progress)
    model = read_model(study.results / left.MODEL)
    cases = scoring.read_new_cases(new, model)
    scores = scoring.score_cohort(model, cases, scored, workers=workers, progress=progress)
    evaluations = load_evaluations(study)
    places = {
        "Report": page,
        "Manuscript": study.results / FOLDER,
        "Frozen model": study.results / left.MODEL,
        "New patients, scored": scored / "index.html",
    }
    return Demo(extraction, evaluations, scores, manuscript, places)
