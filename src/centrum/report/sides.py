"""Training beside test: tables, and what they say."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from centrum.evaluate import PopulationRow
from centrum.evaluate.population import MISSING, Count
from centrum.report.blocks import Column, PValue, Table
from centrum.report.labels import heading
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.tables import DESCRIBED, model_labels, model_order
from centrum.text import counted, fixed
from centrum.validation.population import SIDES, Sides

STANDARDISED = (
    "Standardised difference: of means or shares, in units of the spread within the sides (Austin; "
    "of several categories Yang and Dalton), whatever the number of cases."
)
"""Note of tables with such differences."""


def sides_text(sides: Sides) -> str:
    """How many characteristics differ by more than chance gives."""
    n = len(sides.differing)
    return (
        f"{ref('Table training-test')} has the training beside the test cases: of "
        f"{counted(sides.compared, 'characteristic')}, the features of the model among them, {n} "
        f"{'differs' if n == 1 else 'differ'} by more than random sides of this size do once in "
        "twenty."
    )


def sides_tables(results: StudyResults, sides: Sides) -> tuple[Table, ...]:
    """Cases by side, cases by side and outcome, features of the model by side."""
    notes = (DESCRIBED, STANDARDISED, _random(sides))
    beside = Table(
        "training-test", "Training and test cases", COLUMNS, _beside(sides.cases), notes, main=True
    )
    return (beside, _by_outcome(results, sides), *_features(results, sides))


COLUMNS = (
    *map(Column, ("Characteristic", "Level", "Statistic", *SIDES.values())),
    Column("Standardised difference", lambda v: "" if v is None else fixed(v, 2)),
    *map(Column, ("Test", "P")),
)
"""Of tables of both sides."""


def _beside(rows: Sequence[PopulationRow]) -> tuple[tuple[Any, ...], ...]:
    """Cells under `COLUMNS`."""
    return tuple(
        (
            heading(row.variable),
            row.level,
            row.statistic,
            *(row.groups[side] for side in SIDES.values()),
            row.difference,
            row.significance.test if row.significance else "",
            PValue(row.significance.p) if row.significance else None,
        )
        for row in rows
    )


def _random(sides: Sides) -> str:
    """What is met by chance."""
    return (
        f"A difference of a number or of two categories above {fixed(sides.chance(''), 2)} is met "
        f"once in twenty random splits into {sides.n_train} and {sides.n_test} cases."
    )


def _by_outcome(results: StudyResults, sides: Sides) -> Table:
    """The cases of either side by outcome."""
    outcomes = (results.model.positive, results.model.negative)
    heads = ["Characteristic", "Level"]
    for side in SIDES.values():
        heads += [*(f"{outcome}, {side}" for outcome in outcomes), f"P, {side}"]
    rows, before = list[tuple[Any, ...]](), ""
    for row in results.population:
        found = [_cells(sides.by_outcome[side], row, outcomes, first=row.variable != before)
                 for side in SIDES.values()]  # fmt: skip
        rows.append((heading(row.variable), row.level, *chain(*found)))
        before = row.variable
    title = "Training and test cases by outcome"
    return Table("population-by-side", title, tuple(map(Column, heads)), tuple(rows), (DESCRIBED,))


def _cells(
    side: tuple[PopulationRow, ...], row: PopulationRow, outcomes: tuple[str, str], *, first: bool
) -> tuple[Any, ...]:
    """What a side has in a row of the table of all cases: a cell for each outcome, and P."""
    own = [found for found in side if found.variable == row.variable]
    same = next((found for found in own if found.level == row.level), None)
    groups = same.groups if same else {name: _none(own, name) for name in outcomes}
    tests = [found.significance for found in own if found.significance] if first else []
    return (*(groups.get(name) for name in outcomes), PValue(tests[0].p) if tests else None)


def _none(rows: Sequence[PopulationRow], outcome: str) -> Count | None:
    """No case of a level that only the other side has; None where nothing was counted."""
    cells = (row.groups.get(outcome) for row in rows)
    known = next((cell for cell in cells if isinstance(cell, Count)), None)
    return known and Count(0, known.total)


def _features(results: StudyResults, sides: Sides) -> list[Table]:
    """The features of the model, those with the largest coefficients first."""
    names = [results.model.features[k] for k in model_order(results.model)]
    labels = dict(zip(names, model_labels(results), strict=True))
    rows = {row.variable: row for row in sides.features if row.level != MISSING}
    ordered = tuple(replace(rows[name], variable=labels[name]) for name in names if name in rows)
    if not ordered:
        return []
    title = "Features of the model in training and test cases"
    notes = (STANDARDISED, _random(sides))
    return [Table("features-by-side", title, COLUMNS, _beside(ordered), notes)]
