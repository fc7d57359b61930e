"""The section on how far predictions depend on who was trained on."""

from functools import partial

import numpy as np
import pandas as pd

from centrum.report.blocks import Block, Column, Picture, Table, picture
from centrum.report.figures import draw_instability
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import frame_table
from centrum.text import counted, fixed, percent
from centrum.validation.instability import Instability, instability as put_together
from centrum.validation.population import SIDES

OFTEN = 0.1
"""A call that more than this share of the refits changes is told."""


@section
def instability(results: StudyResults) -> Block | None:
    """Predictions of the refits beside those of the model; None without refits."""
    found = instability_of(results)
    if found is None:
        return None
    return Block(
        "Stability of the predictions", "instability",
        prose=(
            "The whole procedure, calibration and cut-off included, was repeated on "
            f"{counted(len(found.refits), 'bootstrap sample')} of the training patients (Riley and "
            f"Collins 2023). {instability_text(results)}",
        ),
        tables=(_summary_table(results, found), _case_table(results, found)),
        pictures=(_picture(results, found),),
    )  # fmt: skip


def instability_of(results: StudyResults) -> Instability | None:
    """Of all cases, in the order of the scores; None without refits."""
    refits, decision = results.validation.resamples, results.evaluation.decision
    if not refits:
        return None
    scores = results.scores["score"].to_numpy()
    return put_together(decision.probability(scores), decision.called(scores), refits)


def shown_instability(results: StudyResults, found: Instability) -> tuple[str, Instability]:
    """The cases that the model was not fitted to, or all where it was fitted to all."""
    test = (results.scores["part"] == "test").to_numpy()
    return ("test case", found.of(test)) if test.any() else ("case", found)


def changed_calls(results: StudyResults) -> tuple[int, int, str] | None:
    """Calls that more than `OFTEN` of the refits change, of how many, and what these are called.

    None without refits.
    """
    whole = instability_of(results)
    if whole is None:
        return None
    noun, found = shown_instability(results, whole)
    return int((found.changes > OFTEN).sum()), len(found.changes), noun


def instability_text(results: StudyResults) -> str:
    """Width of the ranges and calls that change, in a sentence; "" without refits."""
    whole = instability_of(results)
    if whole is None:
        return ""
    noun, found = shown_instability(results, whole)
    width = np.median(found.ranges[1] - found.ranges[0])
    changed, *_ = changed_calls(results) or (0,)
    return (
        f"With other training patients of the same kind the probability of a {noun} would lie in a "
        f"range that is {fixed(width, 2)} wide in the median (95 % of the refits); the mean "
        f"absolute prediction error is {fixed(found.errors.mean(), 2)}, and "
        f"{changed} of {counted(len(found.changes), noun)} "
        f"{'is' if changed == 1 else 'are'} called otherwise by more than {percent(OFTEN)} of the "
        "refits."
    )


def _summary_table(results: StudyResults, found: Instability) -> Table:
    """Ranges, errors and changed calls of either side."""
    rows = []
    for part, name in SIDES.items():
        there = (results.scores["part"] == part).to_numpy()
        if there.any():
            own = found.of(there)
            widths = own.ranges[1] - own.ranges[0]
            numbers = (np.median(widths), widths.max(), own.errors.mean(), own.errors.max(),
                       own.changes.mean())  # fmt: skip
            rows.append((name, int(there.sum()), *map(float, numbers),
                         int((own.changes > OFTEN).sum())))  # fmt: skip
    heads = ("Cases", "n", "Width of the range, median", "Widest", "MAPE, mean", "MAPE, largest",
             "Classification instability, mean")  # fmt: skip
    columns = (
        *map(Column, heads[:2]),
        *(Column(head, lambda v: fixed(v, 2)) for head in heads[2:]),
        Column(f"Called otherwise by more than {percent(OFTEN)} of the refits"),
    )
    notes = (
        "Range: 2.5th to 97.5th percentile of the probability over the refits. MAPE: mean absolute "
        "prediction error, the mean distance of the refits' probabilities from the model's. "
        "Classification instability: share of the refits that call the case otherwise. "
        f"{len(found.refits)} of {results.protocol.evaluation.optimism_resamples} samples could "
        "be fitted to.",
    )
    title = "Stability of the predictions"
    return Table("instability", title, columns, tuple(rows), notes)


def _case_table(results: StudyResults, found: Instability) -> Table:
    lower, upper = found.ranges
    side = results.scores["part"].map(SIDES)
    rows = tuple(
        zip(
            map(str, results.scores.index), side, found.probability.tolist(), lower.tolist(),
            upper.tolist(), found.errors.tolist(), found.changes.tolist(), strict=True,
        )
    )  # fmt: skip
    heads = ("Probability", "Lower", "Upper", "MAPE", "Share of refits that call otherwise")
    columns = (Column("Case"), Column("Side"), *(Column(h, lambda v: fixed(v, 2)) for h in heads))
    title = "Stability of the prediction of every case"
    return Table("instability-cases", title, columns, rows, sorts=True, boxed=True)


def _picture(results: StudyResults, whole: Instability) -> Picture:
    noun, found = shown_instability(results, whole)
    rows = results.scores
    if noun == "test case":
        rows = rows[rows["part"] == "test"]
    outcomes = (results.model.positive, results.model.negative)
    positive = (rows["outcome"] == outcomes[0]).to_numpy()
    lower, upper = found.ranges
    data = pd.DataFrame(
        {"case": rows.index.map(str), "outcome": rows["outcome"].to_numpy(),
         "probability": found.probability, "lower": lower, "upper": upper}
    )  # fmt: skip
    return picture(
        partial(draw_instability, found, positive, outcomes, results.simulated),
        "instability", "Instability of the predictions",
        f"Probability of every {noun} by the model and by {len(found.refits)} refits on bootstrap "
        "samples of the training patients (points), with the 2.5th to 97.5th percentile (lines). "
        f"n = {len(rows)}.",
        f"Instability plot. {instability_text(results)}",
        frame_table(data), reading=instability_text(results),
    )  # fmt: skip
