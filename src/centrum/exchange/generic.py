"""Any other table with one row per case: CSV, TSV or XLSX.

One column names the cases. Outcome, patient, age, sex, centre and level are known by the heads
that a manifest of cases may have, outcomes also by `OUTCOMES`. Every other column in which half
of the cells or more are numbers holds a feature; columns of text are known. A feature with a
text among its numbers is refused. Running numbers, ids, dates and constants are no features: they
are left out and named, unless they are to be kept. Coded categories look like features: columns
with two values are noted.
"""

from collections.abc import Collection
from dataclasses import replace

from centrum.cohort.columns import find_columns
from centrum.cohort.findings import listed
from centrum.cohort.sheet import Sheet
from centrum.errors import ManifestError
from centrum.exchange import pyradiomics, slicer
from centrum.exchange.assemble import assemble
from centrum.exchange.foreign_table import ForeignTable
from centrum.exchange.grid import CellGrid, filled, upright
from centrum.exchange.ids import choose, usual
from centrum.exchange.not_features import why_no_feature
from centrum.exchange.values import OUTCOMES, is_plain_number, to_number

WANTED = "one row per case"


def recognises(sheet: Sheet, *, asked: bool = False) -> bool:
    """Whether there is no sign of one row per feature."""
    return not (slicer.recognises(sheet) or pyradiomics.is_turned(sheet))


def read(sheet: Sheet, id_column: str | None = None, keep: Collection[str] = ()) -> ForeignTable:
    """Read a sheet with one row per case; `keep` are features whatever they look like.

    Raises
    ------
    ManifestError
        Beside what `assemble` refuses: there is no column of numbers called as one of `keep`.
    """
    grid = upright(sheet)
    cases = choose(grid, usual(grid), id_column)
    others = {cases.index, *grid.row_names()}
    numbers = [
        j
        for j, head in enumerate(grid.heads)
        if j not in others and not is_known(head) and _holds_numbers(grid.column(j))
    ]
    _check_kept(grid, numbers, keep)
    reasons = {
        j: reason
        for j in numbers
        if grid.heads[j] not in keep and (reason := why_no_feature(grid.heads[j], grid.column(j)))
    }
    features = {j: pyradiomics.original_name(grid.heads[j]) for j in numbers if j not in reasons}
    noted = grid.noting(
        pyradiomics.renamed([grid.heads[j] for j in features]), _note_codes(grid, features)
    )
    table = assemble(noted, "generic", cases, features, reasons)
    return replace(table, no_features={grid.heads[j]: why for j, why in reasons.items()})


def _check_kept(grid: CellGrid, numbers: Collection[int], keep: Collection[str]) -> None:
    heads = {grid.heads[j] for j in numbers}
    if strange := [name for name in keep if name not in heads]:
        raise ManifestError(
            f"{grid.file}: no column of numbers is called {strange[0]!r}, which is to be kept.",
            remedy="Correct the name: it must be that of the column.",
            code="keep-unknown",
            file=grid.file,
        )


def is_known(head: str) -> bool:
    """Whether a column by its head is no feature.

    >>> is_known("Age (years)"), is_known("Target"), is_known("T2_Mean")
    (True, True, False)
    """
    return bool(find_columns((head,)).fields) or head.casefold() in OUTCOMES


def _holds_numbers(cells: tuple[str, ...]) -> bool:
    known = filled(cells)
    numbers = sum(to_number(text) is not None for text in known)
    return bool(known) and 2 * numbers >= len(known)


def _note_codes(grid: CellGrid, features: dict[int, str]) -> str:
    cells = {name: filled(grid.column(j)) for j, name in features.items()}
    coded = [
        name
        for name, texts in cells.items()
        if len(texts) > len(set(texts)) == 2 and all(map(is_plain_number, texts))
    ]
    if not coded:
        return ""
    return f"features with two values, which may be categories or outcomes: {listed(coded, 12)}"
