"""One row per case, whichever way the file has it, and where in the file each cell stands."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from centrum.arrays import Ints
from centrum.cohort.cells import is_missing
from centrum.cohort.findings import Findings, listed
from centrum.cohort.sheet import Sheet
from centrum.errors import ManifestError

_ROW_NAMES = re.compile(r"|Unnamed: 0(?:\.\d+)*")
_FIRST_ROW_NAMES = re.compile(r"X|index|\.\.\.1|row\.?names?", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class CellGrid:
    """The cells of a table as text.

    Attributes
    ----------
    file : name of the file
    heads : what each column holds; unique
    cells : text by case and head
    rows : (cases, heads) row of the file in which each cell stands; the first is 1
    ids : case ids if the file names cases in its header or its lines, else empty
    notes : what was assumed so far
    """

    file: str
    heads: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    rows: Ints
    ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def column(self, index: int) -> tuple[str, ...]:
        """Text of one column, by case."""
        return tuple(cells[index] for cells in self.cells)

    def row_names(self) -> list[int]:
        """Columns that hold the names or numbers of rows, which R and pandas write."""
        return [j for j, head in enumerate(self.heads) if is_row_names(head, j)]

    def place(self, case: int, index: int) -> tuple[int, str]:
        """Row and column head of a cell as a spreadsheet shows them."""
        return int(self.rows[case, index]), self.ids[case] if self.ids else self.heads[index]

    def noting(self, *notes: str) -> "CellGrid":
        """The grid with more notes; empty ones are dropped."""
        return replace(self, notes=(*self.notes, *filter(None, notes)))


def is_row_names(head: str, index: int) -> bool:
    """Whether R or pandas heads the names of rows so in the column at `index`.

    >>> is_row_names("", 0), is_row_names("X", 0), is_row_names("X", 5)
    (True, True, False)
    """
    return bool(_ROW_NAMES.fullmatch(head) or (index == 0 and _FIRST_ROW_NAMES.fullmatch(head)))


def upright(sheet: Sheet) -> CellGrid:
    """A sheet with one row per case.

    A first column without a name holds names of rows; any other one must be empty.

    Raises
    ------
    ManifestError
        There is no row, a row is longer than the header, or a head is missing or repeated.
    """
    check_widths(sheet)
    kept = [j for j, head in enumerate(sheet.header) if head or any(sheet.column(j).values())]
    heads = tuple(sheet.header[j] for j in kept)
    for j in (j for j in kept[1:] if not sheet.header[j]):
        raise ManifestError(
            f"{sheet.name}: column {j + 1} has no name but values.",
            remedy="Name it in the first row.",
            code="unnamed-column",
            file=sheet.name,
        )
    check_unique(sheet.name, heads, "column", [j + 1 for j in kept])
    cells = tuple(tuple(_cell(row, j) for j in kept) for _, row in sheet.rows)
    numbers = np.array([number for number, _ in sheet.rows], dtype=np.int64)
    rows = np.repeat(numbers[:, None], len(heads), axis=1)
    return CellGrid(sheet.name, heads, cells, rows, notes=sheet.notes)


def turned(
    sheet: Sheet, names: Sequence[tuple[int, str]], cases: Sequence[tuple[int, str]]
) -> CellGrid:
    """A sheet with one row per feature.

    Parameters
    ----------
    sheet : the sheet
    names : position among `sheet.rows` and name of each feature
    cases : position of the column and id of each case

    Raises
    ------
    ManifestError
        A row is longer than the header, or a name or an id is missing or repeated.
    """
    check_widths(sheet)
    if not cases:
        raise ManifestError(
            f"{sheet.name}: no column holds the values of a case.",
            remedy="Add a column for each case, headed by its id.",
            code="no-cases",
            file=sheet.name,
        )
    for j, name in cases:
        if not name:
            raise ManifestError(
                f"{sheet.name}: column {j + 1} has no case id.",
                remedy="Name it in the first row.",
                code="no-case-id",
                file=sheet.name,
            )
    check_unique(sheet.name, [name for _, name in cases], "column", [j + 1 for j, _ in cases])
    numbers = [sheet.rows[i][0] for i, _ in names]
    check_unique(sheet.name, [name for _, name in names], "row", numbers)
    cells = tuple(tuple(_cell(sheet.rows[i][1], j) for i, _ in names) for j, _ in cases)
    rows = np.repeat(np.array(numbers, dtype=np.int64)[None, :], len(cases), axis=0)
    heads, ids = (tuple(name for _, name in pairs) for pairs in (names, cases))
    return CellGrid(sheet.name, heads, cells, rows, ids, sheet.notes)


def stacked(
    file: str, entries: Iterable[tuple[str, str, int, str]], notes: tuple[str, ...] = ()
) -> CellGrid:
    """A grid from one entry per case and feature: id, name, row of the file, text.

    Raises
    ------
    ManifestError
        A case has two entries of one name, or an entry is of no case.
    """
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for case, name, row, text in entries:
        if not case:
            raise ManifestError(
                f"{file}: row {row}: expected the id of a case, found none.",
                remedy="Fill it in.",
                code="no-case-id",
                file=file,
            )
        if (case, name) in found:
            raise ManifestError(
                f"{file}: rows {found[case, name][0]} and {row} both hold {name!r} of case "
                f"{case!r}.",
                remedy="Remove one of them.",
                code="repeated-value",
                file=file,
            )
        found[case, name] = (row, text)
    ids = tuple(dict.fromkeys(case for case, _ in found))
    heads = tuple(dict.fromkeys(name for _, name in found))
    grid = [[found.get((case, name), (0, "")) for name in heads] for case in ids]
    cells = tuple(tuple(text for _, text in line) for line in grid)
    rows = np.array([[row for row, _ in line] for line in grid], dtype=np.int64)
    return CellGrid(file, heads, cells, rows, ids, notes)


def check_widths(sheet: Sheet) -> None:
    """Refuse a sheet without rows, or with a row that is longer than its header."""
    findings = Findings()
    if not sheet.rows:
        findings.problem("there is no row below the header", code="no-cases")
    for number, cells in sheet.rows:
        if len(cells) > len(sheet.header):
            findings.problem(
                f"{len(cells)} cells under {len(sheet.header)} column headings",
                row=number,
                code="too-many-cells",
                remedy="Put text with a delimiter or a decimal comma in quotation marks.",
            )
    findings.raise_problems(sheet.name)


def check_unique(file: str, names: Sequence[str], kind: str, places: Sequence[int]) -> None:
    """Refuse names that the `kind` ("row" or "column") at several of the `places` share."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if not repeated:
        return
    told = [
        f"{name!r} ({listed([p for n, p in zip(names, places, strict=True) if n == name])})"
        for name in repeated
    ]
    raise ManifestError(
        f"{file}: several {kind}s have one name: {listed(told)}.",
        remedy="Rename or remove all but one.",
        code="repeated-name",
        file=file,
    )


def filled(texts: Iterable[str]) -> list[str]:
    """The texts that say a value."""
    return [text for text in texts if not is_missing(text)]


def _cell(cells: Sequence[str], index: int) -> str:
    return cells[index] if index < len(cells) else ""
