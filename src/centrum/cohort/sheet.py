"""A table as text cells with the row numbers that a spreadsheet shows: CSV and XLSX."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from centrum.cohort.findings import listed
from centrum.errors import ManifestError
from centrum.text import one_line

DELIMITERS = ",;\t"
"""Delimiters that are tried; the one that splits the first row into most cells is it."""

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

Row = tuple[int, tuple[str, ...]]


@dataclass(frozen=True)
class Sheet:
    """The cells of a table as stripped text.

    Attributes
    ----------
    name : file name
    header : cells of the first row that is not blank
    rows : row number (the first line of the file is 1) and cells of each row below it
    format : how the file was read: encoding and delimiter, or the name of the sheet
    notes : what was assumed or skipped
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    format: dict[str, str]
    notes: tuple[str, ...] = ()

    def column(self, index: int) -> dict[int, str]:
        """Text by row number of the column at `index`, "" where a row is shorter."""
        return {n: cells[index] if index < len(cells) else "" for n, cells in self.rows}


def read_sheet(path: Path) -> Sheet:
    """Read a CSV (comma, semicolon or tab; UTF-8, UTF-16 or Latin-1; also gzipped) or XLSX file.

    Blank rows are skipped. Raises ManifestError when the file is missing, of another
    kind, damaged or empty.
    """
    readers = {".csv": _read_text, ".tsv": _read_text, ".txt": _read_text}
    readers |= {".xlsx": _read_workbook, ".xlsm": _read_workbook}
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    reader = readers.get(f".{suffix}")
    if reader is None:
        raise ManifestError(
            f"{path.name}: a table of cases has the ending {', '.join(readers)}; "
            f"found {path.suffix or 'no ending'!r}. Save it as CSV or XLSX."
        )
    if not path.is_file():
        raise ManifestError(f"{path.name}: there is no such file in {path.parent.name or '.'!r}.")
    rows, form, notes = reader(path)
    return _sheet(path.name, rows, form, notes)


def _sheet(name: str, rows: Iterable[Sequence[str]], form: dict, notes: list[str]) -> Sheet:
    read = [(n, cells, _trim(cells)) for n, cells in enumerate(rows, start=1)]
    numbered = [(n, trimmed) for n, _, trimmed in read]
    filled = [(n, cells) for n, cells in numbered if cells]
    if not filled:
        raise ManifestError(f"{name}: the table is empty; its first row names the columns.")
    blank = [n for n, cells in numbered if not cells and n < filled[-1][0]]
    if blank:
        notes.append(f"blank rows skipped: {', '.join(map(str, blank))}")
    if broken := [n for n, cells, trimmed in read if _is_broken(cells, trimmed)]:
        notes.append(f"line breaks and control characters read as spaces in rows {listed(broken)}")
    return Sheet(name, filled[0][1], tuple(filled[1:]), form, tuple(notes))


def _trim(cells: Sequence[str]) -> tuple[str, ...]:
    stripped = [one_line(cell) for cell in cells]
    while stripped and not stripped[-1]:
        stripped.pop()
    return tuple(stripped)


def _is_broken(cells: Sequence[str], trimmed: Sequence[str]) -> bool:
    """Whether a cell holds what no page can show in one line."""
    return any(cell.strip() != kept for cell, kept in zip(cells, trimmed, strict=False))


def _read_text(path: Path) -> tuple[list[list[str]], dict[str, str], list[str]]:
    text, encoding, notes = _decode(read_bytes(path))
    delimiter = _sniff(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise ManifestError(
            f"{path.name}: not a readable CSV table near line {reader.line_num}: {error}. "
            "Look for a quotation mark without its partner."
        ) from error
    return rows, {"encoding": encoding, "delimiter": delimiter}, notes


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, decompressed if it ends in `.gz`; ManifestError when damaged."""
    raw = path.read_bytes()
    if path.suffix.lower() != ".gz":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise ManifestError(
            f"{path.name}: not a readable gzip file ({error}). Compress it again or save it as CSV."
        ) from error


def _decode(raw: bytes) -> tuple[str, str, list[str]]:
    marked = [encoding for bom, encoding in _BOMS.items() if raw.startswith(bom)]
    for encoding in marked or _unmarked(raw):
        try:
            return raw.decode(encoding), encoding, []
        except UnicodeDecodeError:
            continue
    note = "the file is not UTF-8; it was read as Latin-1: check names with accents"
    return raw.decode("latin-1"), "latin-1", [note]


def _unmarked(raw: bytes) -> list[str]:
    """ASCII in UTF-16 has a zero in every other byte; a stray one is a control character."""
    if 4 * raw[:64].count(0) > len(raw[:64]):
        return ["utf-16-be" if raw[:1] == b"\0" else "utf-16-le"]
    return ["utf-8"]


def _sniff(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))


def _read_workbook(path: Path) -> tuple[list[list[str]], dict[str, str], list[str]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise ManifestError(
            f"{path.name}: not a readable XLSX workbook ({error}). Save it again as XLSX or CSV."
        ) from error
    sheet = book.worksheets[0]
    rows = [[_text(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    others = [other.title for other in book.worksheets[1:]]
    book.close()
    notes = [f"sheet {sheet.title!r} was read, not {', '.join(others)}"] if others else []
    return rows, {"sheet": sheet.title}, notes


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and not any((value.hour, value.minute, value.second)):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
