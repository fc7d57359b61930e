"""Every case: its score and call in a table, and its region and contributions for the page."""

from base64 import b64encode
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.errors import CentrumError, describe
from centrum.io import read_image, read_mask
from centrum.matrix import study_matrix
from centrum.report.blocks import Block, Column, Table
from centrum.report.labels import fixed
from centrum.report.overlay import grey_png, outline_path
from centrum.report.slices import largest_slice
from centrum.report.tables import model_labels, model_order
from centrum.results import StudyResults

Floats = NDArray[np.float64]

MOST_PICTURES = 200
"""Cases whose region the page can show; of more, those that are most wrong."""

MOST_PIXELS = 96
"""Side of a picture; finer ones are averaged."""


def cases(results: StudyResults) -> Block:
    """The section with the table of all cases."""
    frame = case_frame(results)
    columns = (
        Column("Case"),
        Column("Outcome"),
        Column("Side"),
        Column("Score", fixed),
        Column("Probability", lambda p: fixed(p, 2)),
        Column("Called"),
        Column("Right"),
    )
    rows = tuple(frame.itertuples(index=False, name=None))
    notes = (
        "Training cases with their out-of-fold score: a model that had not seen the patient. "
        f"Probability of {results.model.positive}.",
    )
    wrong = int((frame["right"] == "no").sum())
    return Block(
        "Cases",
        "cases",
        prose=(
            f"{wrong} of {len(frame)} cases are called wrong. Where the page can run its script, "
            "choose a case to see its region and what makes its score.",
        ),
        tables=(Table("table-s20", "Table S20. Every case", columns, rows, notes),),
    )


def case_frame(results: StudyResults) -> pd.DataFrame:
    """A row per case: case, outcome, side, score, probability, called, right."""
    scores, found = results.scores, results.judgement
    model = results.model
    honest = scores["out_of_fold"].fillna(scores["score"])
    likely = pd.Series(found.decision.probability(honest), scores.index)
    called = pd.Series(found.decision.called(honest), scores.index)
    tested = list(found.tested)
    likely[tested], called[tested] = found.probability, found.called
    names = np.where(called, model.positive, model.negative)
    side = scores["part"] if results.protocol.split.single_part else "held out in turn"
    return pd.DataFrame(
        {
            "case": scores.index,
            "outcome": scores["outcome"],
            "side": side,
            "score": honest,
            "probability": likely,
            "called": names,
            "right": np.where(names == scores["outcome"], "yes", "no"),
        }
    ).reset_index(drop=True)


def contributions(results: StudyResults) -> Floats:
    """What each feature adds to the score of each case, (cases, features of the model).

    With the intercept they sum to `Model.score`; features in the order of `model_order`.
    """
    model, matrix = results.model, study_matrix(results.table, results.protocol)
    at = [matrix.names.index(name) for name in model.features]
    z = (matrix.X[:, at, 0] - model.means) / model.sds
    z = z if model.clip is None else np.clip(z, -model.clip, model.clip)
    return np.asarray((z * model.coefficients)[:, model_order(model)])


def case_data(results: StudyResults) -> dict[str, Any]:
    """What the page's script shows of a case."""
    frame = case_frame(results)
    order = dict(zip(results.table.cases, range(len(frame)), strict=True))
    shares = contributions(results) if results.model.linear else None
    pictured = _pictured(frame)
    return {
        "features": list(model_labels(results)),
        "intercept": round(float(results.model.intercept), 4),
        "positive": results.model.positive,
        "negative": results.model.negative,
        "cases": {
            str(case): {
                "shares": None if shares is None else np.round(shares[order[case]], 3).tolist(),
                "score": round(float(results.scores.loc[case, "score"]), 3),
                **(_picture(results, case) if case in pictured else {}),
            }
            for case in frame["case"]
        },
    }


def _pictured(frame: pd.DataFrame) -> set[str]:
    """All cases, or of very many those furthest on the wrong side."""
    wrong = frame["right"] == "no"
    certain = (frame["probability"] - 0.5).abs()
    ranked = frame.assign(worst=np.where(wrong, 1 + certain, -certain))
    return set(ranked.sort_values("worst", ascending=False, kind="stable")["case"][:MOST_PICTURES])


def _picture(results: StudyResults, case: str) -> dict[str, Any]:
    """The slice with the largest region and its outline; why not, where it cannot be shown."""
    if case not in results.sources:
        return {}
    image, masks = results.sources[case]
    how, reader = results.protocol.images, results.table.readers[0]
    try:
        volume = read_image(image)
        region = read_mask(
            masks[reader],
            volume.geometry,
            tolerance_mm=how.grid_tolerance_mm,
            on_mismatch=how.on_grid_mismatch,
        )
    except CentrumError as error:
        return {"why": describe(error)}
    shown = largest_slice(volume, {reader: region})
    height, width = shown.image.shape
    small = _averaged(shown.image)
    return {
        "png": b64encode(grey_png(small)).decode(),
        "width": width,
        "height": height,
        "aspect": round(height * shown.spacing[0] / (width * shown.spacing[1]), 4),
        "path": outline_path(shown.masks[reader]),
    }


def _averaged(image: NDArray) -> Floats:
    """The picture with at most `MOST_PIXELS` on a side, by averaging blocks."""
    step = -(-max(image.shape) // MOST_PIXELS)
    rows, columns = (n // step * step for n in image.shape)
    blocks = image[:rows, :columns].astype(float).reshape(rows // step, step, columns // step, step)
    return np.asarray(blocks.mean(axis=(1, 3)))


def roc_data(results: StudyResults) -> dict[str, Any]:
    """The test curve, threshold by threshold, for the page's script."""
    test = results.evaluations["test"]
    curve = test.roc
    there = np.isfinite(curve.thresholds)
    return {
        "threshold": np.round(curve.thresholds[there], 4).tolist(),
        "sensitivity": np.round(curve.sensitivity[there], 4).tolist(),
        "specificity": np.round(curve.specificity[there], 4).tolist(),
        "positives": test.n_positive,
        "negatives": test.n_negative,
        "positive": results.model.positive,
        "negative": results.model.negative,
        "cutoff": round(test.cutoff.value, 4),
    }
