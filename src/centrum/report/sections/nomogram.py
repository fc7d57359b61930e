"""The section on the nomogram of the combined model, with its calculator on the page."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from centrum.modelling.nomogram import PROBABILITIES, Nomogram, TextAxis
from centrum.report import readings
from centrum.report.blocks import Block, Column, Table, picture
from centrum.report.calculator import calculator, labels_of
from centrum.report.figures import draw_nomogram
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.text import counted, fixed, listed, number, percent
from centrum.validation.added_value import COMBINED

PENALISED = (
    "Its variables part the outcomes of these cases without error: it was fitted with Firth's "
    "penalty, and its probabilities near 0 and 1 are hardly known."
)


@section
def nomogram(results: StudyResults) -> Block | None:
    """The combined model drawn; None without a clinical variable."""
    added = results.evaluation.added
    if added is None:
        return None
    found, prevalence = added.nomogram, results.protocol.evaluation.prevalence
    points = points_table(found, prevalence)
    prose = (
        f"The regression of {listed([*added.variables, 'the score'])} that was fitted to "
        f"{counted(added.n_train, 'training case')}, with out-of-fold scores, drawn as points; how "
        f"such regressions do on test cases is in {ref('table added-value')}. The points of all "
        "variables are added up, and their sum gives the probability. Numbers of the figure: "
        f"{ref('table nomogram-points')}.",
        *([PENALISED] if COMBINED in added.penalised else []),
    )
    where = (
        f"the share of the training cases ({percent(found.share, 0)})"
        if prevalence is None
        else f"the share of the training cases ({percent(found.share, 0)}), and below it "
        f"{percent(prevalence)}"
    )
    labels = labels_of(found)
    drawn = picture(
        partial(draw_nomogram, found, labels, results.model.positive, prevalence,
                results.simulated),
        "nomogram", "Nomogram of the combined model",
        f"Find each value on its line, read its points above, add them up, and read the "
        f"probability of {results.model.positive} below the sum. Prevalence: {where}. "
        f"n = {added.n_train} training cases.",
        f"Lines for {', '.join(labels.values())}, their sum and the probability.",
        points, reading=readings.nomogram(found, labels), main=True,
    )  # fmt: skip
    return Block("Nomogram", "nomogram", prose=prose, tables=(points,), pictures=(drawn,))


def points_table(found: Nomogram, prevalence: float | None) -> Table:
    """Points of the ticks of every axis, and sums of points with their probability."""
    columns = (
        Column("Axis"),
        Column("Value", lambda v: v if isinstance(v, str) else number(v)),
        Column("Points", lambda v: fixed(v, found.digits)),
    )
    rows = tuple(_rows(found, prevalence))
    return Table("nomogram-points", "Points of the nomogram", columns, rows)


def _rows(found: Nomogram, prevalence: float | None) -> Iterator[tuple[str, Any, float]]:
    labels = labels_of(found)
    for axis in found.axes:
        for value in axis.levels if isinstance(axis, TextAxis) else axis.ticks:
            yield labels[axis.variable], value, found.points(axis, value)
    for at in (None, prevalence) if prevalence else (None,):
        where = "Probability" if at is None else f"Probability at a prevalence of {percent(at)}"
        for likely in PROBABILITIES:
            if 0 <= (total := found.points_at(likely, at)) <= found.most:
                yield where, likely, total


def nomogram_data(results: StudyResults) -> dict[str, Any] | None:
    """What the calculator of the page reads; None without a nomogram."""
    added = results.evaluation.added
    if added is None:
        return None
    prevalence = results.protocol.evaluation.prevalence
    return calculator(added.nomogram, results.model.positive, prevalence)
