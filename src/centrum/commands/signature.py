"""The verb `signature`: a published score on the cases of a study, under every reading."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from centrum.errors import SignatureError
from centrum.evaluate import Scored
from centrum.evaluate.discrimination import auc, auc_interval
from centrum.io.csv_text import frame_csv
from centrum.io.weighting import named_weighting
from centrum.records import as_json
from centrum.signature import (
    DecodedName,
    ImageTypes,
    Reading,
    Signature,
    decode_all,
    evaluate_signature,
    load_shipped,
    read_signature,
    shipped,
)
from centrum.store import write_atomically
from centrum.study.extraction import load_table
from centrum.study.stage_keys import refuse_stale
from centrum.study.study import Study


@dataclass(frozen=True, eq=False)
class EvaluatedReading:
    """A reading, and how its scores tell the outcomes; nan where there are none."""

    reading: Reading
    auc: float
    lower: float
    upper: float


@as_json.register
def _(evaluated: EvaluatedReading) -> dict[str, Any]:
    """Without the scores."""
    r = evaluated.reading
    return {
        "names": list(r.names),
        "tables": [str(table) for table in r.tables],
        "missing": list(r.missing),
        "problem": r.problem,
        "standardised": r.standardised,
        "caution": r.caution,
        "reasoning": list(r.reasoning),
        "auc": as_json(evaluated.auc),
        "interval": as_json([evaluated.lower, evaluated.upper]),
    }


def decode(names: Sequence[str], settings: Sequence[str] = ()) -> tuple[DecodedName, ...]:
    """Every full feature name that each printed one can stand for.

    Parameters
    ----------
    names : as a paper prints them
    settings : images that may have been measured, such as original+wavelet; all when none is given

    Raises
    ------
    SignatureError
        A setting names no kind of image.

    >>> [decoded.printed for decoded in decode(["Contrast.5"])]
    ['Contrast.5']
    """
    images = [ImageTypes.parse(text) for text in settings] or None
    return tuple(decode_all(name, images) for name in names)


def find_signature(name: str) -> Signature:
    """A signature that ships with the package, or of a file.

    Raises
    ------
    SignatureError
        There is neither.
    """
    if name in shipped():
        return load_shipped(name)
    try:
        return read_signature(Path(name))
    except SignatureError as error:
        if error.code != "no-file":
            raise
    raise SignatureError(
        f"There is no signature {name!r}: no file of that name, and those that ship are "
        f"{', '.join(shipped())}."
    )


def evaluate_readings(
    study: Study, signature: Signature, out: Path | None = None
) -> tuple[EvaluatedReading, ...]:
    """Score the study's cases under every reading, from the primary reader's features.

    With `out` it leaves signature.json, and signature.csv with a column of scores per reading.

    Raises
    ------
    SignatureError
        No table explains all names of the signature, or its outcomes or its sequence are not the
        study's.
    DataError, ProtocolError
        The features were not measured yet, or cannot be scored.
    """
    refuse_stale(study, "export")
    table, outcome = load_table(study), study.protocol.outcome
    _refuse_other_sequence(signature, study)
    if {signature.positive, signature.negative} != {outcome.positive, outcome.negative}:
        raise SignatureError(
            f"The signature tells {signature.positive} from {signature.negative}, the study has "
            f"{outcome.positive} and {outcome.negative}."
        )
    measured = np.asarray(table.values[:, :, 0])
    values = pd.DataFrame(measured, table.obs.index, list(table.names))
    positive = (table.obs["outcome"] == signature.positive).to_numpy()
    patients = table.obs["patient"].to_numpy()
    evaluated = [_evaluated(r, positive, patients) for r in evaluate_signature(signature, values)]
    if out is not None:
        _write(evaluated, table.obs, out)
    return tuple(evaluated)


def _refuse_other_sequence(signature: Signature, study: Study) -> None:
    """A score of one weighting means nothing on images of another."""
    said, claimed = named_weighting(signature.name), study.protocol.images.weighting
    if said and claimed and said != claimed:
        raise SignatureError(
            f"The signature {signature.name!r} is of {said}, the study of {claimed} "
            "(images.weighting).",
            remedy=f"Score a study of {said}.",
            code="other-sequence",
        )


def _evaluated(reading: Reading, positive: Any, patients: Any) -> EvaluatedReading:
    if reading.scores is None:
        return EvaluatedReading(reading, float("nan"), float("nan"), float("nan"))
    scored = Scored.of(reading.scores, positive, patients)
    interval = auc_interval(scored)
    return EvaluatedReading(reading, auc(scored), interval.lower, interval.upper)


def _write(evaluated: list[EvaluatedReading], obs: pd.DataFrame, out: Path) -> None:
    scores = {
        f"reading {k}": j.reading.scores
        for k, j in enumerate(evaluated, 1)
        if j.reading.scores is not None
    }
    frame = pd.DataFrame({"case": obs.index, "outcome": obs["outcome"].to_numpy(), **scores})
    record = json.dumps(as_json(evaluated), indent=1)
    write_atomically(out / "signature.json", record.encode())
    write_atomically(out / "signature.csv", frame_csv(frame).encode())
