"""A table as text cells with the row numbers that a spreadsheet shows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from centrum.cohort.columns import is_known_head
from centrum.cohort.findings import Findings, Problem, listed
from centrum.cohort.header import Row, find_header
from centrum.cohort.ods import read_ods
from centrum.cohort.text_file import Knows, read_text
from centrum.cohort.workbook import Worksheet, check_merged, read_worksheet
from centrum.cohort.xlsx import read_xlsx
from centrum.errors import ManifestError
from centrum.io.csv_text import unmarked
from centrum.text import one_line

TEXTS = (".csv", ".tsv", ".txt")
"""Endings of text tables, also with `.gz`."""

WORKBOOKS = {".xlsx": read_xlsx, ".xlsm": read_xlsx, ".ods": read_ods}
"""Readers of workbooks by ending."""


@dataclass(frozen=True)
class Sheet:
    """The cells of a table as stripped text.

    Attributes
    ----------
    name : file name
    header : the heads, each on one line
    rows : row number (the first row of the file is 1) and cells of each row below the heads
    format : how the file was read: encoding and delimiter, or the name of the sheet
    notes : what was assumed or skipped
    head_row : number of the row with the heads
    problems : what cannot be read as it is stored: formulas without a value, merged cells
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    format: dict[str, str]
    notes: tuple[str, ...] = ()
    head_row: int = 1
    problems: tuple[Problem, ...] = ()

    def column(self, index: int) -> dict[int, str]:
        """Text by row number of the column at `index`, "" where a row is shorter."""
        return {n: cells[index] if index < len(cells) else "" for n, cells in self.rows}

    def only(self, wanted: Callable[[str], bool]) -> "Sheet":
        """The table without columns whose heads are not wanted, and without what is said of them.

        Cells beyond the last head stay where they are beyond it.

        >>> sheet = Sheet("a.csv", ("case", "age"), ((2, ("P1", "71")),), {})
        >>> sheet.only(lambda head: head == "case").rows
        ((2, ('P1',)),)
        """
        width = len(self.header)
        kept = [k for k, head in enumerate(self.header) if wanted(head)]
        rows = tuple(
            (n, (*(cells[k] for k in kept if k < len(cells)), *cells[width:]))
            for n, cells in self.rows
        )
        heads = tuple(self.header[k] for k in kept)
        problems = tuple(p for p in self.problems if not p.column or p.column in heads)
        return replace(self, header=heads, rows=rows, notes=(), problems=problems)


def read_sheet(path: Path, *, knows: Knows = is_known_head) -> Sheet:
    """Read a table: CSV, TSV or TXT (also gzipped), XLSX or ODS.

    Encoding, delimiter and heads are found out, blank rows are skipped, all with a note. `knows`
    says which heads the table may have.

    Raises
    ------
    ManifestError
        The file is missing, of another kind, damaged, too large or empty; or its encoding cannot
        be told.
    """
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending not in (*TEXTS, *WORKBOOKS):
        raise ManifestError(
            f"{path.name}: a table has the ending {', '.join((*TEXTS, *WORKBOOKS))}; found "
            f"{path.suffix or 'no ending'!r}.",
            remedy="Save it as CSV, XLSX or ODS.",
            code="unknown-table-format",
            file=path,
        )
    if ending in TEXTS:
        return _from_text(path, knows)
    return _from_workbook(path.name, WORKBOOKS[ending](path), knows)


def _from_text(path: Path, knows: Knows) -> Sheet:
    findings = Findings()
    rows, form = read_text(path, knows, findings)
    return _sheet(path.name, rows, form, knows, findings)


def _from_workbook(name: str, worksheet: Worksheet, knows: Knows) -> Sheet:
    findings = Findings()
    rows = read_worksheet(worksheet, findings)
    sheet = _sheet(name, rows, {"sheet": worksheet.title}, knows, findings)
    check_merged(worksheet, sheet.head_row, findings)
    return replace(sheet, problems=tuple(findings.problems))


def _sheet(
    name: str, rows: Iterable[Sequence[str]], form: dict, knows: Knows, findings: Findings
) -> Sheet:
    read = [(n, cells, _trim(cells)) for n, cells in enumerate(rows, start=1) if cells]
    filled = [(n, trimmed) for n, _, trimmed in read if trimmed]
    if not filled:
        raise ManifestError(
            f"{name}: the table is empty.",
            remedy="Its first row names the columns.",
            code="empty-table",
            file=name,
        )
    if blank := sorted(set(range(1, filled[-1][0])) - {n for n, _ in filled}):
        findings.note(f"blank rows skipped: {listed(blank, 10)}")
    header = find_header(filled, knows, findings)
    broken = [n for n, cells, kept in read if _is_broken(cells, kept)]
    if broken:
        told = f"line breaks and control characters read as spaces in rows {listed(broken)}"
        findings.note(told)
    return Sheet(name, header.heads, header.rows, form, tuple(findings.notes), header.row)


def _trim(cells: Sequence[str]) -> tuple[str, ...]:
    """Cells on one line, up to the last filled one; typed cells have no breaks or blanks."""
    stripped = [unmarked(one_line(cell)) if type(cell) is str else cell for cell in cells]
    while stripped and not stripped[-1]:
        stripped.pop()
    return tuple(stripped)


def _is_broken(cells: Sequence[str], trimmed: Sequence[str]) -> bool:
    """Whether a cell holds what no page can show in one line."""
    return any(unmarked(cell.strip()) != kept for cell, kept in zip(cells, trimmed, strict=False))
