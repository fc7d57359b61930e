"""What the stages of a study leave in `results/`: names of files, how they are written and read."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from centrum.frozen.explanation import StudyExplanation
from centrum.frozen.scorer import Scorer
from centrum.io.csv_text import frame_csv, read_frame
from centrum.records import from_json
from centrum.store import write_atomically
from centrum.study.stage_keys import KEYS
from centrum.study.study import Study
from centrum.validation.model import Model
from centrum.validation.procedure import InternalValidation

AGREEMENT, WITHIN, ROBUSTNESS = "agreement.csv", "agreement_within.csv", "robustness.csv"
"""Files of the features under other readers, read again by one reader, and under perturbations."""

NONE_TWICE = pd.DataFrame(columns=["reader", "feature"])
"""Of readers who read once."""

FIT, SCORES, ASSESSMENT = "fit.json", "scores.csv", "assessment.json"
"""Files of the model, of its scores and of the internal validation."""

PREDICTIONS = "predictions.csv"
"""File of the predictions of the held-out cases, those that are evaluated."""

EXPLANATION = "explanation.json"
"""File of what the score rests on: `null` where the model may tell no more than chance."""

MODEL = "model.json"
"""File of the frozen model."""


def load_agreement(study: Study) -> pd.DataFrame:
    """What `agree` left."""
    return study.stages.result(AGREEMENT, by_feature)


def load_agreement_within(study: Study) -> pd.DataFrame:
    """What `agree` left of readers who read more than once; without a row where nobody did."""
    if WITHIN not in study.stages.digests_of("agree"):
        return NONE_TWICE
    return study.stages.result(WITHIN, lambda path: read_frame(path, dtype={"reader": str}))


def by_feature(path: Path) -> pd.DataFrame:
    """A CSV with a row per feature."""
    return read_frame(path, index_col="feature")


def load_model(study: Study) -> Model:
    """What `fit` left."""
    return study.stages.result(FIT, lambda path: from_json(Model, _read_json(path)["model"]))


def load_scorer(study: Study) -> Scorer:
    """The fitted model as numbers."""
    return study.stages.result(FIT, lambda path: Scorer.from_dict(_read_json(path)["scorer"]))


def load_search(study: Study) -> list[dict[str, Any]]:
    """The table of the final model's search; empty without one."""
    return study.stages.result(FIT, lambda path: list(_read_json(path)["search"]))


def load_scores(study: Study) -> pd.DataFrame:
    """The scores that `fit` left."""
    return study.stages.result(SCORES, _read_scores)


def _read_scores(path: Path) -> pd.DataFrame:
    texts = {"case": str, "patient": str, "outcome": str}
    return read_frame(path, dtype=texts, index_col="case")


def load_internal_validation(study: Study) -> InternalValidation:
    """What `internal` left."""
    read = study.stages.result
    return read(ASSESSMENT, lambda path: InternalValidation.from_dict(_read_json(path)))


def load_explanation(study: Study) -> StudyExplanation | None:
    """What `explain` left; None where nothing is explained."""
    return study.stages.result(EXPLANATION, _read_explanation)


def _read_explanation(path: Path) -> StudyExplanation | None:
    found = _read_json(path)["explanation"]
    return None if found is None else from_json(StudyExplanation, found)


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def done(study: Study, stage: str, files: Iterable[Path]) -> None:
    """Note what a stage has left, and what that was made from."""
    study.stages.done(stage, KEYS[stage](study), files)


def write_json(path: Path, value: object) -> None:
    """JSON as all results have it."""
    write_atomically(path, json.dumps(value, indent=1).encode())


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """CSV as all results have it."""
    write_atomically(path, frame_csv(frame).encode())
