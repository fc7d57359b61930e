"""The last step of every format: a grid whose columns are sorted becomes a `ForeignTable`."""

from collections.abc import Collection, Mapping

import pandas as pd

from centrum.cohort.findings import listed
from centrum.errors import ManifestError
from centrum.exchange.foreign_table import ForeignTable
from centrum.exchange.grid import CellGrid, check_unique
from centrum.exchange.ids import IdCandidate, plain
from centrum.exchange.values import read_known, read_values, repeated_names

FILE_HEADS = ("image", "mask", "imagepath", "maskpath", "imagefile", "maskfile")
"""Columns with paths, as `plain` makes them; the names of files may be those of patients."""


def assemble(
    grid: CellGrid,
    form: str,
    cases: IdCandidate,
    features: Mapping[int, str],
    left_out: Collection[int] = (),
) -> ForeignTable:
    """Numbers and what is known of the cases.

    Parameters
    ----------
    grid : the table
    form : name of its format
    cases : what names the cases
    features : name of the feature in each column that holds one
    left_out : columns to drop

    Raises
    ------
    ManifestError
        There is no feature, two have one name, or a cell is no number.
    """
    if not features:
        raise ManifestError(
            f"{grid.file}: no column holds a feature of {form}; found {listed(grid.heads, 8)}.",
            remedy="Give the table that holds the features, or say which format it is of.",
            code="no-features",
            file=grid.file,
        )
    names = list(features.values())
    check_unique(grid.file, names, "column", [j + 1 for j in features])
    values, notes = read_values(grid, list(features))
    index = pd.Index(list(cases.ids), name="case", dtype=object)
    known = read_known(grid, _known(grid, cases, {*features, *left_out}), index)
    others = f"known and no features: {listed(list(known), 12)}" if len(known.columns) else ""
    told = [*grid.notes, _told(cases), *notes, others, repeated_names(names)]
    frame = pd.DataFrame(values, index, names)
    return ForeignTable(frame, known, form, tuple(filter(None, told)))


def _known(grid: CellGrid, cases: IdCandidate, gone: Collection[int]) -> list[int]:
    """A patient who names a case (hence the warning) is known as a patient, too."""
    named = None if cases.warning else cases.index
    dropped = {*gone, *grid.row_names(), named}
    return [
        j for j, head in enumerate(grid.heads) if j not in dropped and plain(head) not in FILE_HEADS
    ]


def _told(cases: IdCandidate) -> str:
    warning = f": {cases.warning}" if cases.warning else ""
    return f"cases are named by {cases.origin}{warning}"
