"""Every case: its score and call in a table, and its region and contributions for the page."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats, Ints
from centrum.cohort.withheld import roles, withheld
from centrum.errors import describe, of_case
from centrum.evaluate import Evaluation
from centrum.measure.case import known_digest
from centrum.measure.images import mask_of, shown_image
from centrum.protocol import Images
from centrum.provenance import DRAWING, MEASURING, changed_meanwhile, job_key
from centrum.report.blocks import Block, Column, Table
from centrum.report.drawing import WHY
from centrum.report.overlay import outline_path, small_png
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.slices import Slice, largest_slice
from centrum.report.tables import frame_table, model_labels, model_order
from centrum.text import counted, fixed
from centrum.validation.matrix import study_matrix

MOST_PICTURES = 200
"""Cases whose region the page can show; of more, those called wrong and the most extreme."""

MOST_LISTED = 1000
"""Cases that the page lists; of more, the same, and a file has all."""

MOST_POINTS = 2000
"""Thresholds of a curve that the page's script has."""

READ = ("orientation", "on_grid_mismatch", "grid_tolerance_mm")
"""What of `images` decides the picture of a case, beside its files."""

SAME_SCORE = 1e-6
"""Contributions that sum to the score are this near to it, the rounding of scores.csv included."""


@section
def cases(results: StudyResults) -> Block:
    """The section with the table of all cases."""
    frame = case_frame(results)
    listed = frame.iloc[_foremost(frame, MOST_LISTED)]
    columns = (
        Column("Case"),
        Column("Outcome"),
        Column("Side"),
        Column("Score", fixed),
        Column("Out-of-fold score", fixed),
        Column("Probability", lambda p: fixed(p, 2)),
        Column("Called"),
        Column("Call"),
    )
    table = Table(
        "cases", "Every case", columns,
        tuple(listed.itertuples(index=False, name=None)), (_how_judged(results),),
        sorts=True, boxed=True,
    )  # fmt: skip
    contributions = _contribution_table(results, listed)
    files = [*contributions, *_all_cases(frame)]
    wrong = int((frame["call"] == "wrong").sum())
    prose = (
        f"{wrong} of {counted(len(frame), 'case')} {'is' if wrong == 1 else 'are'} called wrong.",
        *_listed_text(frame),
        *_pictured_text(results, frame),
        *([] if contributions else [_no_contributions(results)]),
    )
    return Block("Cases", "cases", prose=prose, tables=(table,), files=tuple(files))


def _listed_text(frame: pd.DataFrame) -> tuple[str, ...]:
    if len(frame) <= MOST_LISTED:
        return ()
    return (
        f"Of {len(frame)} cases the page lists {MOST_LISTED}, and the contributions to their "
        "scores: those called wrong and then those with the most extreme probabilities. The file "
        "below has all cases.",
    )


def _all_cases(frame: pd.DataFrame) -> list[Table]:
    """A file only: the cases that the page does not list, too."""
    return [frame_table(frame, "all_cases", "All cases")] if len(frame) > MOST_LISTED else []


def _no_contributions(results: StudyResults) -> str:
    if not results.model.linear:
        return (
            "The score of this model is not a weighted sum: features have no separate "
            "contributions."
        )
    return (
        "Features are transformed before they enter the score: their contributions are not shown."
    )


def _how_judged(results: StudyResults) -> str:
    positive = results.model.positive
    if not results.protocol.split.single_part:
        return (
            f"Score of the final model, fitted on all cases. Probability of {positive} and call "
            "are those of the models of the parts in which the patient was held out."
        )
    return (
        f"Score of the final model. Probability of {positive} and call of a training case are "
        "those of its out-of-fold score, from a model that had not seen its patient; of a test "
        "case those of its score."
    )


def _pictured_text(results: StudyResults, frame: pd.DataFrame) -> tuple[str, ...]:
    if not results.sources:
        return ("The study has no images to show.",)
    if len(frame) <= MOST_PICTURES:
        return ()
    return (
        f"Of {len(frame)} cases the page holds the pictures of {MOST_PICTURES}: those called wrong "
        "and then those with the most extreme probabilities.",
    )


def case_frame(results: StudyResults) -> pd.DataFrame:
    """A row per case: case, outcome, side, score, out_of_fold, probability, called, call.

    Probability and call are honest ones: of test cases those that were evaluated, of training cases
    those of the out-of-fold score; nan and "" where there is neither.
    """
    scores, found, model = results.scores, results.evaluation, results.model
    honest = scores["out_of_fold"]
    there = honest.notna()
    likely = pd.Series(np.nan, scores.index)
    called = pd.Series("", scores.index)
    likely[there] = found.decision.probability(honest[there])
    called[there] = _names(results, found.decision.called(honest[there]))
    tested = list(found.tested)
    likely[tested] = found.probability
    called[tested] = _names(results, found.called)
    right = np.where(called == scores["outcome"], "right", "wrong")
    held_out = "test" if results.protocol.split.single_part else "held out in turn"
    return pd.DataFrame(
        {
            "case": scores.index.map(str),
            "outcome": scores["outcome"].to_numpy(),
            "side": np.where(scores.index.isin(tested), held_out, "training"),
            "score": scores["score"].to_numpy(),
            "out_of_fold": honest.to_numpy(),
            "probability": likely.to_numpy(),
            "called": called.to_numpy(),
            "call": np.where(called.isin([model.positive, model.negative]), right, ""),
        }
    )


def _names(results: StudyResults, called: Flags) -> NDArray:
    return np.where(called, results.model.positive, results.model.negative)


# Contributions


def standardised(results: StudyResults, frame: pd.DataFrame) -> Floats | None:
    """Clipped z-scores of the model's features, (cases, k), in the order of `model_order`.

    Of the cases of `frame`, which are rows of `case_frame`.

    None where the score is not intercept + sum of coefficient x z-score: the model has no
    coefficients, or features were changed before it, as by harmonisation.
    """
    model, matrix = results.model, study_matrix(results.table, results.protocol)
    if not model.linear:
        return None
    at = [matrix.names.index(name) for name in model.features]
    z = model.scaled(np.asarray(matrix.X[frame.index.to_numpy()][:, at, 0]))
    score = model.intercept + z @ model.coefficients
    known = np.isfinite(score)
    if not np.allclose(score[known], frame["score"].to_numpy()[known], atol=SAME_SCORE):
        return None
    return np.asarray(z[:, model_order(model)])


def _contribution_table(results: StudyResults, frame: pd.DataFrame) -> list[Table]:
    """A file only: what each feature adds to the score of each case of `frame`."""
    z = standardised(results, frame)
    if z is None:
        return []
    parts = z * results.model.coefficients[model_order(results.model)]
    heads = ("Case", "Intercept", *model_labels(results))
    rows = tuple(
        (case, float(results.model.intercept), *row)
        for case, row in zip(frame["case"], parts.tolist(), strict=True)
    )
    title = "Contributions to the scores"
    return [Table("contributions", title, tuple(map(Column, heads)), rows)]


# What the page's script shows


def case_data(results: StudyResults, pictures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the page's script shows of the cases, JSON-ready; `pictures` are of `case_jobs`."""
    frame, model = case_frame(results), results.model
    frame = frame.iloc[_foremost(frame, MOST_LISTED)]
    z = standardised(results, frame)
    return {
        "features": list(model_labels(results)),
        "coefficients": [] if z is None else model.coefficients[model_order(model)].tolist(),
        "why": "" if z is not None else _no_contributions(results),
        "intercept": float(model.intercept),
        "positive": model.positive,
        "negative": model.negative,
        "cases": {
            case: {
                "score": round(float(score), 4),
                "z": _rounded(None if z is None else z[k]),
                "picture": pictures.get(case) or _no_picture(results, case),
            }
            for k, (case, score) in enumerate(zip(frame["case"], frame["score"], strict=True))
        },
    }


def _rounded(row: Floats | None) -> list[float] | None:
    """None where a value is missing: JSON has no nan."""
    return None if row is None or not np.isfinite(row).all() else np.round(row, 4).tolist()


def _foremost(frame: pd.DataFrame, number: int) -> Ints:
    """Rows of all cases, or of very many those called wrong and with extreme probabilities."""
    extreme = (frame["probability"] - 0.5).abs().fillna(0) + (frame["call"] == "wrong")
    order = extreme.sort_values(ascending=False, kind="stable").index[:number]
    return np.sort(order.to_numpy())


def _no_picture(results: StudyResults, case: str) -> dict[str, str]:
    if case not in results.sources:
        return {WHY: "There is no image of this case."}
    return {WHY: "The page does not include a picture of this case."}


def case_jobs(results: StudyResults) -> dict[str, "CaseJob"]:
    """The pictures that the page is to hold, by case."""
    reader, frame = results.table.readers[0], case_frame(results)
    wanted = set(frame["case"].iloc[_foremost(frame, MOST_PICTURES)])
    return {
        case: CaseJob(
            image, masks, reader, results.protocol.images, _contents(results, case, reader)
        )
        for case, (image, masks) in results.sources.items()
        if case in wanted
    }


def _contents(results: StudyResults, case: str, reader: str) -> list[Any] | None:
    """What was known of the bytes of a case's image and of a reader's mask."""
    if case not in results.contents:
        return None
    known = results.contents[case]
    return [known["images"][0][1], *(of for name, of in known["masks"] if name == reader)]


@dataclass(frozen=True)
class CaseJob:
    """The picture of a case: the slice with the largest region of a reader, in mm.

    `contents` is what was known of the bytes of image and mask when the study was read.
    """

    image: str
    masks: Mapping[str, str]
    reader: str
    images: Images
    contents: Sequence[Any] | None = None

    def key(self) -> str:
        """Of image, mask, and how they are read."""
        read = self.images.model_dump(mode="json", include={*READ})
        return job_key(
            "case picture", (*MEASURING, *DRAWING), read=read, of=self.contents or self._now()
        )

    def _now(self) -> list[object]:
        return [known_digest(self.image), known_digest(self.masks[self.reader])]

    def make(self) -> dict[str, Any]:
        """PNG and outline, JSON-ready; or why there are none."""
        try:
            return self._make()
        except Exception as error:
            return {WHY: withheld(describe(of_case(error)), roles(self.image, self.masks))}

    def _make(self) -> dict[str, Any]:
        mask = self.masks[self.reader]
        volume = shown_image(self.image, self.images)
        region = mask_of(mask, volume, self.images)
        if self.contents and self._now() != self.contents:
            raise changed_meanwhile("A file of the case")
        return _outlined(largest_slice(volume, {self.reader: region}), self.reader)


def _outlined(shown: Slice, reader: str) -> dict[str, Any]:
    rows, columns = shown.spacing
    return {
        "png": b64encode(small_png(shown.image)).decode(),
        "width": round(shown.image.shape[1] * columns, 2),
        "height": round(shown.image.shape[0] * rows, 2),
        "spacing": [round(columns, 4), round(rows, 4)],
        "path": outline_path(shown.masks[reader]),
    }


def roc_data(results: StudyResults) -> dict[str, Any]:
    """The curves, threshold by threshold, for the page's script, JSON-ready."""
    found = results.evaluation.by_set
    test = {"name": "test cases", "scale": "score", **_points(found["test"])}
    if not results.protocol.split.single_part:
        test |= {"scale": "mean probability", "at": None}
    learnt = {"name": "training cases, out of fold", "scale": "score"}
    return {
        "positive": results.model.positive,
        "negative": results.model.negative,
        "curves": [test, learnt | _points(found["out_of_fold"])],
    }


def _points(found: Evaluation) -> dict[str, Any]:
    """Thresholds, the positive and negative cases at or above each, and which is the cut-off.

    The cut-off takes the place of the threshold between the same two scores. Of very many
    thresholds some are left out.
    """
    curve, called = found.roc, found.confusion
    tp = np.rint(curve.sensitivity * found.n_positive).astype(int)
    fp = np.rint((1 - curve.specificity) * found.n_negative).astype(int)
    cut = np.flatnonzero((tp == called.tp) & (fp == called.fp))
    values = np.where(np.isin(np.arange(tp.size), cut), found.cutoff.value, curve.thresholds)
    shown = np.unique(np.r_[_evenly(tp.size, MOST_POINTS), cut])
    tp, fp, values, at = tp[shown], fp[shown], values[shown], np.searchsorted(shown, cut).tolist()
    inner = np.isfinite(curve.thresholds)[shown]
    return {
        "thresholds": [v if ok else None for v, ok in zip(values.tolist(), inner, strict=True)],
        "tp": tp.tolist(),
        "fp": fp.tolist(),
        "positives": found.n_positive,
        "negatives": found.n_negative,
        "at": at[0] if at else None,
    }


def _evenly(n: int, most: int) -> Ints:
    """At most so many positions of n, the first and the last among them.

    >>> _evenly(3, 5).tolist(), _evenly(9, 5).tolist()
    ([0, 1, 2], [0, 2, 4, 6, 8])
    """
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))
