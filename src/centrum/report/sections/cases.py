"""Every case: its score and call in a table, and its region and contributions for the page."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
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
from centrum.report.colours import READERS
from centrum.report.drawing import WHY
from centrum.report.maps import map_pictures
from centrum.report.overlay import outline_path, small_picture
from centrum.report.patient import NOTHING
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.slices import Slice, largest_slice
from centrum.report.tables import frame_table, model_labels, model_order
from centrum.report.words.contributions import BASE, LIMIT, TOTAL, UNTOLD, sum_text
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
        *([] if contributions else [UNTOLD]),
    )
    return Block(
        "Cases", "cases",
        prose=prose, tables=(table,), pictures=map_pictures(results), files=tuple(files),
    )  # fmt: skip


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


@dataclass(frozen=True, eq=False)
class _Parts:
    """What makes the scores of some cases; rows of nan where a value is missing and not filled.

    Attributes
    ----------
    z, added : (cases, k) z-score and contribution of the model's features, in the order of
        `model_order`
    base : the value at the training means
    rest, total : (cases,) see `centrum.frozen.scorer.Explanation`
    """

    z: Floats
    added: Floats
    base: float
    rest: Floats
    total: Floats


def _parts(results: StudyResults, frame: pd.DataFrame) -> _Parts | None:
    """Of the cases of `frame`, which are rows of `case_frame`; None where nothing is explained."""
    if not results.evaluation.above_chance:
        return None
    scorer, matrix = results.scorer, study_matrix(results.table, results.protocol)
    rows = frame.index.to_numpy()
    at = [matrix.names.index(name) for name in scorer.features]
    x = np.asarray(matrix.X[rows][:, at, 0])
    there = np.isfinite(x).all(axis=1) | scorer.fills
    batch = None if matrix.batch is None else [str(b) for b in matrix.batch[rows[there]]]
    found = scorer.explain(x[there], batch)
    names = [results.model.features[k] for k in model_order(results.model)]
    read = np.nan_to_num(scorer.z_scores(x[there], batch))
    z = _spread(_columns(read, scorer.features, names), there)
    added = _spread(_columns(found.parts, scorer.features, names), there)
    return _Parts(z, added, found.base, _spread(found.rest, there), _spread(found.total, there))


def _columns(values: Floats, features: Sequence[str], names: Sequence[str]) -> Floats:
    """Those of some features; 0 of one that the score does not read."""
    whole = np.column_stack([values, np.zeros(len(values))])
    return np.asarray(whole[:, [features.index(n) if n in features else -1 for n in names]])


def _spread(values: Floats, there: Flags) -> Floats:
    """Rows of the cases that are there, among all."""
    found = np.full((there.size, *values.shape[1:]), np.nan)
    found[there] = values
    return found


def _contribution_table(results: StudyResults, frame: pd.DataFrame) -> list[Table]:
    """A file only: what each feature adds to the score of each case of `frame`."""
    parts = _parts(results, frame)
    if parts is None:
        return []
    scorer = results.scorer
    limited = bool((np.abs(np.nan_to_num(parts.rest)) > NOTHING).any())
    columns = [np.full(len(frame), parts.base), *parts.added.T, *([parts.rest] if limited else []),
               parts.total]  # fmt: skip
    heads = ("Case", BASE[scorer.linear], *model_labels(results), *([LIMIT] if limited else []),
             TOTAL[scorer.scale])  # fmt: skip
    rows = tuple(
        (case, *row)
        for case, row in zip(frame["case"], np.column_stack(columns).tolist(), strict=True)
    )
    title = "Contributions to the scores"
    return [Table("contributions", title, tuple(map(Column, heads)), rows)]


# What the page's script shows


def case_data(results: StudyResults, pictures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the page's script shows of the cases, JSON-ready; `pictures` are of `case_jobs`."""
    frame, model, scorer = case_frame(results), results.model, results.scorer
    frame = frame.iloc[_foremost(frame, MOST_LISTED)]
    parts = _parts(results, frame)
    return {
        "features": list(model_labels(results)),
        "why": UNTOLD if parts is None else "",
        "base": None if parts is None else [BASE[scorer.linear], parts.base],
        "limit": LIMIT,
        "total": TOTAL[scorer.scale],
        "told": sum_text(scorer),
        "positive": model.positive,
        "negative": model.negative,
        "cases": {
            case: {
                **_case_parts(parts, k),
                "picture": pictures.get(case) or _no_picture(results, case),
            }
            for k, case in enumerate(frame["case"])
        },
    }


def _case_parts(parts: _Parts | None, k: int) -> dict[str, Any]:
    """Of one case; nothing where a value is missing: JSON has no nan."""
    if parts is None or not np.isfinite(parts.total[k]):
        return {"z": None}
    rest = float(parts.rest[k])
    return {
        "z": np.round(parts.z[k], 2).tolist(),
        "parts": np.round(parts.added[k], 4).tolist(),
        "rest": round(rest, 4) if abs(rest) > NOTHING else 0,
        "total": round(float(parts.total[k]), 4),
    }


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
    names = (reader, *(f"{reader}:{region}" for region in results.regions_in_score))
    wanted = set(frame["case"].iloc[_foremost(frame, MOST_PICTURES)])
    return {
        case: CaseJob(
            image,
            {name: masks[name] for name in names},
            results.protocol.images,
            _contents(results, case, names),
        )
        for case, (image, masks) in results.sources.items()
        if case in wanted
    }


def _contents(results: StudyResults, case: str, names: Sequence[str]) -> list[Any] | None:
    """What was known of the bytes of a case's image and of some of its masks."""
    if case not in results.contents:
        return None
    known = results.contents[case]
    masks = dict(known["masks"])
    return [known["images"][0][1], *(masks[name] for name in names)]


@dataclass(frozen=True)
class CaseJob:
    """The picture of a case: the slice on which the first of its masks is largest, in mm.

    `contents` is what was known of the bytes of image and masks when the study was read.
    """

    image: str
    masks: Mapping[str, str]
    images: Images
    contents: Sequence[Any] | None = None

    def key(self) -> str:
        """Of image, mask, and how they are read."""
        read = self.images.model_dump(mode="json", include={*READ})
        return job_key(
            "case picture", (*MEASURING, *DRAWING), read=read, of=self.contents or self._now()
        )

    def _now(self) -> list[object]:
        return [known_digest(self.image), *map(known_digest, self.masks.values())]

    def make(self) -> dict[str, Any]:
        """Picture and outline, JSON-ready; or why there are none."""
        try:
            return self._make()
        except Exception as error:
            return {WHY: withheld(describe(of_case(error)), roles(self.image, self.masks))}

    def _make(self) -> dict[str, Any]:
        volume = shown_image(self.image, self.images)
        masks = {name: mask_of(mask, volume, self.images) for name, mask in self.masks.items()}
        if self.contents and self._now() != self.contents:
            raise changed_meanwhile("A file of the case")
        return _outlined(largest_slice(volume, masks))


def _outlined(shown: Slice) -> dict[str, Any]:
    """The slice with the outline of the first region, and of further ones with their colours."""
    rows, columns = shown.spacing
    first, *further = ((name, outline_path(region)) for name, region in shown.masks.items())
    return {
        "webp": b64encode(small_picture(shown.image)).decode(),
        "width": round(shown.image.shape[1] * columns, 2),
        "height": round(shown.image.shape[0] * rows, 2),
        "spacing": [round(columns, 4), round(rows, 4)],
        "path": first[1],
        **({"further": [_further(*each) for each in zip(further, cycle(READERS[1:]))]}
           if further else {}),
    }  # fmt: skip


def _further(named: tuple[str, str], colour: str) -> dict[str, str]:
    return {"name": named[0].partition(":")[2], "path": named[1], "colour": colour}


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
