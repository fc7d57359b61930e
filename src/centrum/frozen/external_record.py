"""What an external validation left in its folder, read again for the study's own paper."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.evaluate import Evaluation
from centrum.evaluate.calibration import Calibration
from centrum.evaluate.decision_curve import DecisionCurve
from centrum.evaluate.discrimination import RocBand
from centrum.frozen.external import ExternalValidation
from centrum.frozen.people import People
from centrum.io.csv_text import read_frame
from centrum.records import from_json
from centrum.text import OneLine

RECORD, PREDICTIONS = "validation.json", "predictions.csv"
"""Files of the numbers in sums, and of the cases."""


@dataclass(frozen=True, eq=False, repr=False)
class ExternalRecord(OneLine):
    """An external validation as its files tell it; fields are those of `ExternalValidation`.

    Attributes
    ----------
    refused : cases that could not be scored
    calibration : of the probabilities as they are
    """

    refused: int
    people: People
    evaluation: Evaluation
    band: RocBand
    calibration: Calibration
    decision_curve: DecisionCurve
    positive: Flags
    scores: Floats
    probability: Floats

    @classmethod
    def of(cls, found: ExternalValidation) -> Self:
        """What is kept of a validation."""
        return cls(
            refused=len(found.refused),
            people=found.people,
            evaluation=found.evaluation,
            band=found.band,
            calibration=found.calibrated[0].calibration,
            decision_curve=found.decision_curve,
            positive=found.positive,
            scores=found.scores,
            probability=found.probability,
        )


def read_external(folder: Path, model: str) -> ExternalRecord:
    """Read what `centrum validate` left of a model.

    Parameters
    ----------
    model : its SHA-256

    Raises
    ------
    DataError
        There is no such record, it is of another model or an earlier version, or its two files are
        of different cases.
    """
    path = folder / RECORD
    if not path.is_file():
        raise DataError(
            f"{folder.name} holds no {RECORD}; `centrum validate MODEL COHORT` leaves one."
        )
    record = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(record, dict) or record.get("model") != model:
        raise DataError(
            f"The validation in {folder.name} is of another model than this study's. Validate "
            "results/model.json again."
        )
    try:
        found = _read(record, folder / PREDICTIONS)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise DataError(
            f"The validation in {folder.name} lacks what this version of centrum reads "
            f"({type(error).__name__}: {error}).",
            remedy="Validate results/model.json again.",
        ) from error
    if len(found.scores) != found.evaluation.n:
        raise DataError(
            f"{RECORD} in {folder.name} is of {found.evaluation.n} cases, {PREDICTIONS} of "
            f"{len(found.scores)}.",
            remedy="Validate results/model.json again.",
        )
    return found


def _read(record: Mapping[str, Any], predictions: Path) -> ExternalRecord:
    cases = read_frame(predictions)
    return ExternalRecord(
        refused=int(record["refused"]),
        people=from_json(People, record["people"]),
        evaluation=from_json(Evaluation, record["evaluation"]),
        band=from_json(RocBand, record["band"]),
        calibration=from_json(Calibration, record["calibration"]["as is"]["found"]),
        decision_curve=from_json(DecisionCurve, record["decision_curve"]),
        positive=cases["positive"].to_numpy(dtype=bool),
        scores=cases["score"].to_numpy(dtype=float),
        probability=cases["probability"].to_numpy(dtype=float),
    )


def shared_scores(own: Floats, new: Floats) -> int:
    """New cases whose score is to the last digits that of a case of the study.

    0 where the study's own scores (cases,) are not all different, as those of trees: then equal
    scores say nothing.

    >>> shared_scores(np.array([0.1, 0.25, 0.7]), np.array([0.25, 0.3]))
    1
    """
    places = 9
    known = np.unique(np.round(own, places))
    return int(np.isin(np.round(new, places), known).sum()) if known.size == own.size else 0
