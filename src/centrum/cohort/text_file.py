"""The rows of a CSV, TSV or TXT file: its encoding, its delimiter, its cells."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from centrum.cohort.findings import Findings
from centrum.errors import ManifestError
from centrum.io import structured
from centrum.text import one_line

DELIMITERS = ",;\t|"
"""Delimiters that are tried, unless the file says its own in a first line `sep=;`."""

LARGEST_TEXT = 2**28
"""Bytes of a text table when it is unpacked."""

MOST_CELLS = 2**23
"""Cells of a table; in memory each is some hundred bytes."""

LOOKED_AT = 20
"""Rows in which known heads are looked for."""

Knows = Callable[[str], bool]
"""Whether a text is a head that a table of the kind that is read may have."""

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CODECS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
"""How the text behind a mark is written; the mark itself is not."""
_SAID = re.compile(r"\s*\"?sep=([^\w\"\r\n\0])\"?\r?\n", re.IGNORECASE)

_NOT_WESTERN = re.compile(
    rb"[\x81\x8d\x8f\x90\x9d]"  # not defined in cp1252
    rb"|(?<![A-Za-z])[\xa1-\xaf\xb1-\xff]{2,}(?![A-Za-z])"  # a word without a letter of a-z
    rb"|[A-Za-z][\xa1-\xa9\xab-\xaf\xb1-\xb4\xb6\xb8\xb9\xbb-\xbf][a-z]"  # a sign within a word
)


@dataclass(frozen=True)
class TableText:
    """A text table as its file has it.

    Attributes
    ----------
    mark : the bytes before the text that tell its encoding
    encoding : as it is told
    codec : of the bytes behind the mark
    said : a first line that names the delimiter, with its end
    text : all that follows
    delimiter : between cells
    """

    mark: bytes
    encoding: str
    codec: str
    said: str
    text: str
    delimiter: str

    def bytes_of(self, text: str) -> bytes:
        """A file like this one with another text; UnicodeEncodeError where it cannot hold it."""
        return self.mark + (self.said + text).encode(self.codec)


def read_table_text(path: Path, knows: Knows, findings: Findings) -> TableText:
    """The text of a table, and how it is stored; errors as of `read_text`."""
    raw = read_bytes(path)
    text, encoding = _decode(path, raw, findings)
    mark = next((bom for bom in _BOMS if raw.startswith(bom)), b"")
    found = _SAID.match(text)
    said = found[0] if found else ""
    text = text[len(said) :]
    delimiter = found[1] if found else _sniff(text, knows)
    if text.count(delimiter) + text.count("\n") > MOST_CELLS:
        raise too_large(path, f"{MOST_CELLS} cells")
    return TableText(mark, encoding, _CODECS.get(mark, encoding), said, text, delimiter)


def read_text(path: Path, knows: Knows, findings: Findings) -> tuple[list[list[str]], dict]:
    """Rows of cells, and how the file was read.

    Raises
    ------
    ManifestError
        The file is damaged or too large, or in an encoding that cannot be told.
    """
    table = read_table_text(path, knows, findings)
    rows = csv.reader(io.StringIO(table.text, newline=""), delimiter=table.delimiter, strict=True)
    try:
        return list(rows), {"encoding": table.encoding, "delimiter": table.delimiter}
    except csv.Error as error:
        raise ManifestError(
            f"{path.name}: not a readable CSV table near line {rows.line_num}: {error}.",
            remedy="Look for an unpaired quotation mark.",
            code="unreadable-table",
            file=path,
        ) from error


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, decompressed if it ends in `.gz`; ManifestError when damaged."""
    raw = structured.read_bytes(path, ManifestError, LARGEST_TEXT)
    if path.suffix.lower() != ".gz":
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as stream:
            unpacked = stream.read(LARGEST_TEXT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ManifestError(
            f"{path.name}: not a readable gzip file ({error}).",
            remedy="Compress it again or save it as CSV.",
            code="unreadable-table",
            file=path,
        ) from error
    if len(unpacked) > LARGEST_TEXT:
        raise too_large(path, f"{LARGEST_TEXT >> 20} MB when it is unpacked")
    return unpacked


def too_large(path: Path, most: str) -> ManifestError:
    """The error that a table has more than `most`."""
    return ManifestError(
        f"{path.name}: the table has more than {most}.",
        remedy="Remove what is not data, such as cells far from the others and whole columns that "
        "are merged or filled, or divide it.",
        code="too-large",
        file=path,
    )


def _decode(path: Path, raw: bytes, findings: Findings) -> tuple[str, str]:
    """The text and its encoding: UTF-8, UTF-16, or Windows' Western one, which is noted."""
    marked = [encoding for bom, encoding in _BOMS.items() if raw.startswith(bom)]
    for encoding in marked or _unmarked(raw):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    if marked or _NOT_WESTERN.search(raw):
        raise ManifestError(
            f"{path.name}: the file is not UTF-8, and its encoding cannot be told: letters would "
            "be misread.",
            remedy="Save it as UTF-8 (in Excel: CSV UTF-8) or as XLSX.",
            code="unknown-encoding",
            file=path,
        )
    findings.note(
        "the file is not UTF-8; it was read as cp1252 (Windows, Western Europe): check words with "
        "accents, and save it as UTF-8 if they are wrong"
    )
    return raw.decode("cp1252"), "cp1252"


def _unmarked(raw: bytes) -> list[str]:
    """ASCII in UTF-16 has a zero in every other byte; a stray one is a control character."""
    if 4 * raw[:64].count(0) > len(raw[:64]):
        return ["utf-16-be" if raw[:1] == b"\0" else "utf-16-le"]
    return ["utf-8"]


def _sniff(text: str, knows: Knows) -> str:
    """The delimiter that shows most known heads in a row; else that makes most first cells.

    Rows end where the table's do, not where a quoted cell breaks its line.

    >>> _sniff('Cohort, 2024\\ncase;"age\\n(years)"\\nP1;71,5', "case".__eq__)
    ';'
    """

    def seen(delimiter: str) -> tuple[int, int]:
        rows = list(islice(_rows(text, delimiter), LOOKED_AT))
        return max((sum(map(knows, row)) for row in rows), default=0), len(rows[0]) if rows else 0

    return max(DELIMITERS, key=seen)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Rows that are not blank, up to the first that this delimiter cannot split."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from ([one_line(cell) for cell in row] for row in reader if any(map(str.strip, row)))
    except csv.Error:
        return
