"""Text tables of very many cells: plain ones, whose numbers go to a file as they are read.

What such a table is, is judged by its first rows, as of any other. Below them every cell of a
feature is a number with a decimal point, or says that it is missing; one row holds one case. What
else a table may have (decimal commas, titles, features in rows) is read of smaller ones alone.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from centrum.arrays import Columns, Flags, Floats, write_rows
from centrum.cohort.cells import MISSING
from centrum.cohort.sheet import Sheet
from centrum.errors import ManifestError
from centrum.exchange.foreign_table import ColumnFrame, ForeignTable
from centrum.exchange.grid import CellGrid
from centrum.exchange.ids import IdCandidate, choose
from centrum.exchange.not_features import why_no_feature
from centrum.exchange.pyradiomics import original_name
from centrum.exchange.values import read_known, to_number
from centrum.text import counted

LARGE_TEXT = 2**25
"""Bytes of a text table above which it is read so."""

FIRST = 2**22
"""Bytes of the first rows, by which a table is judged."""

BLOCK = 2**24
"""Bytes that are read at a time."""

ENDINGS = (".csv", ".tsv", ".txt")

PLAIN = (
    "Write one row for each case below one row of column headings, an id in a column 'case', and "
    "numbers with a decimal point; in UTF-8. Or divide it into files of less than 32 MB, which may "
    "be written otherwise, and name them by a pattern."
)
"""What a large table has to be."""

Reader = Callable[[Path], tuple[Sheet, ForeignTable]]
"""Reads a table of few cells."""


class NotPlainError(ManifestError):
    """A large table is not one that can be read in blocks."""


def is_large_text(path: Path) -> bool:
    """Whether a file is a text table that is read in blocks."""
    return path.suffix.lower() in ENDINGS and path.is_file() and path.stat().st_size > LARGE_TEXT


def read_large(
    path: Path,
    read: Reader,
    columns: Path,
    *,
    keep: Collection[str] = (),
    wanted: Collection[str] | None = None,
) -> ForeignTable:
    """Read a large table; its numbers go to the file `columns`.

    Parameters
    ----------
    read : reads its first rows
    keep : columns that are features whatever they look like
    wanted : names of the features that are read; all of them when missing

    Raises
    ------
    NotPlainError
        It cannot be read in blocks.
    ManifestError
        Cases have no ids or share one, or its first rows cannot be read.
    """
    plain = _judged(path, read)
    at = {n: j for n, j in plain.numbers.items() if wanted is None or n in wanted}
    found = _ColumnsRead(columns, list(at.values()), _lines(path))
    texts = list(plain.texts)
    cells: list[list[str]] = [[] for _ in texts]
    for block in _blocks(plain, found.positions, texts):
        arrived = iter(block.columns)
        found.add([next(arrived).to_numpy(zero_copy_only=False) for _ in found.positions])
        for kept in cells:
            kept.extend(next(arrived).to_pylist())
    by_text = dict(zip(texts, cells, strict=True))
    index = pd.Index(_checked_ids(plain, by_text[plain.ids]), name="case", dtype=object)
    reasons = _reasons(plain, at, found, keep)
    names = [name for name, j in at.items() if plain.heads[j] not in reasons]
    positions = [k for k, j in enumerate(at.values()) if plain.heads[j] not in reasons]
    whole = Columns.of(columns, (len(at), 1, found.rows))[: found.end, positions, 0]
    undefined = counted(found.undefined, "cell") + " undefined, and read as missing"
    notes = (*plain.table.notes, *((undefined,) if found.undefined else ()))
    return replace(
        plain.table,
        values=ColumnFrame(index, pd.Index(names), whole),
        known=_known(plain, by_text, index),
        notes=notes,
        no_features=reasons,
    )


@dataclass(frozen=True, eq=False)
class _Plain:
    """What a large table is, by its first rows.

    Attributes
    ----------
    heads : of all its columns
    delimiter : between cells
    table : what its first rows are
    numbers : position of each column of numbers, by the name that it has or would have as a feature
    ids : position of the column with the ids of cases
    texts : positions of the columns that are read as text, the ids among them
    """

    path: Path
    heads: tuple[str, ...]
    delimiter: str
    table: ForeignTable
    numbers: dict[str, int]
    ids: int
    texts: tuple[int, ...]


def _judged(path: Path, read: Reader) -> _Plain:
    """What a table is; its first rows are read as a table of their own."""
    with path.open("rb") as stream:
        begin = stream.read(FIRST)
    with TemporaryDirectory() as folder:
        first = Path(folder, path.name)
        first.write_bytes(begin[: begin.rfind(b"\n") + 1])
        sheet, table = read(first)
    spelled = original_name if table.format in ("generic", "pyradiomics") else str
    place = {spelled(head): j for j, head in enumerate(sheet.header)}
    names = [*table.values.columns, *map(spelled, table.no_features)]
    ids = list(table.values.index)
    named = [j for j in range(len(sheet.header)) if list(sheet.column(j).values()) == ids]
    upright = sheet.rows[0][0] == 2 and len(sheet.rows) == len(ids) and {*names} <= {*place}
    utf8 = sheet.format.get("encoding", "").startswith("utf-8")
    if not (upright and utf8 and named and len({*sheet.header}) == len(sheet.header)):
        raise _not_plain(path, "rows that are no cases, titles, or another encoding than UTF-8")
    known = [sheet.header.index(head) for head in table.known.columns]
    return _Plain(
        path=path,
        heads=sheet.header,
        delimiter=sheet.format["delimiter"],
        table=table,
        numbers={name: place[name] for name in sorted(names, key=place.__getitem__)},
        ids=named[0],
        texts=tuple(dict.fromkeys((named[0], *known))),
    )


def _not_plain(path: Path, what: str) -> NotPlainError:
    return NotPlainError(
        f"{path.name}: a table of more than {LARGE_TEXT >> 20} MB is read in blocks, and this one "
        f"has {what}.",
        remedy=PLAIN,
        code="not-plain",
        file=path,
    )


def _lines(path: Path) -> int:
    """How many lines there are below the first, at most."""
    with path.open("rb") as stream:
        return sum(part.count(b"\n") for part in iter(lambda: stream.read(BLOCK), b""))


def _blocks(plain: _Plain, numbers: Sequence[int], texts: Sequence[int]) -> Iterator[Any]:
    """Blocks of rows, with columns of numbers and then of texts.

    Raises
    ------
    NotPlainError
        A row has another number of cells, or a cell of `numbers` is no number.
    """
    import pyarrow as pa
    from pyarrow import csv

    types = {str(j): pa.float64() for j in numbers} | {f"text {j}": pa.string() for j in texts}
    double = {*numbers} & {*texts}
    assert not double, "a column is read once"
    names = [f"text {j}" if j in texts else str(j) for j in range(len(plain.heads))]
    odd: list[Any] = []

    def invalid(row: Any) -> str:
        odd.append(row)
        return "error"

    try:
        stream = csv.open_csv(
            plain.path,
            csv.ReadOptions(use_threads=False, block_size=BLOCK, skip_rows=1, column_names=names),
            csv.ParseOptions(delimiter=plain.delimiter, invalid_row_handler=invalid),
            csv.ConvertOptions(
                column_types=types,
                include_columns=[*map(str, numbers), *(f"text {j}" for j in texts)],
                null_values=_MISSING,
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
        yield from stream
    except pa.ArrowInvalid as error:
        if odd:
            wrong = f"a row of {odd[0].actual_columns} cells, where {odd[0].expected_columns} are "
            raise _not_plain(plain.path, f"{wrong}expected") from None
        column = re.search(r"column #(\d+)", str(error))
        if column is None:
            raise _not_plain(plain.path, "what is no table of CSV") from None
        raise _not_plain(plain.path, _strange(plain, int(column[1]))) from None


_FORMS = (str, str.upper, str.title)
_MISSING = sorted({form(word) for word in MISSING for form in _FORMS} | {"NaN"})
"""What says that a number is missing, as it is usually written."""


def _strange(plain: _Plain, column: int) -> str:
    """Which cell of a column is no number."""
    texts = (text for block in _blocks(plain, [], [column]) for text in block.column(0).to_pylist())
    for row, text in enumerate(texts, 2):
        number = to_number(text)
        if number is None or "," in text:
            return f"{text!r} in row {row}, column {plain.heads[column]!r}, for a number"
    return f"cells that are no plain numbers in column {plain.heads[column]!r}"


class _ColumnsRead:
    """Columns of numbers on their way to a file, and what is noticed of each of them."""

    def __init__(self, path: Path, positions: list[int], rows: int) -> None:
        self.path, self.positions, self.rows = path, positions, rows
        self.end = self.undefined = 0
        self.whole: Flags = np.ones(len(positions), dtype=bool)
        self.same: Flags = np.ones(len(positions), dtype=bool)
        self._first = np.full(len(positions), np.nan)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    def add(self, columns: Sequence[np.ndarray]) -> None:
        """One block of rows; infinite values are missing."""
        with self.path.open("r+b") as stream:
            numbers = (self._noticed(k, values) for k, values in enumerate(columns))
            write_rows(stream, self.rows, self.end, numbers)
        self.end += len(columns[0]) if columns else 0

    def _noticed(self, k: int, values: np.ndarray) -> Floats:
        infinite = np.isinf(values)
        self.undefined += int(infinite.sum())
        numbers = np.where(infinite, np.nan, values)
        known = numbers[~np.isnan(numbers)]
        if known.size and np.isnan(self._first[k]):
            self._first[k] = known[0]
        self.same[k] &= bool((known == self._first[k]).all())
        self.whole[k] &= bool((known == np.floor(known)).all())
        return numbers


def _reasons(
    plain: _Plain, at: dict[str, int], found: _ColumnsRead, keep: Collection[str]
) -> dict[str, str]:
    """Columns of numbers of a generic table that are no features, by all their cells."""
    if plain.table.format != "generic":
        return {}
    looked_at = [j for k, j in enumerate(at.values()) if found.whole[k] or found.same[k]]
    reasons = {}
    for j in sorted(looked_at):
        head = plain.heads[j]
        if head in keep:
            continue
        texts = [t for block in _blocks(plain, [], [j]) for t in block.column(0).to_pylist()]
        if why := why_no_feature(head, texts):
            reasons[head] = why
    return reasons


def _checked_ids(plain: _Plain, ids: Sequence[str]) -> tuple[str, ...]:
    """The ids of the cases, each of which has one of its own."""
    stripped = tuple(text.strip() for text in ids)
    head, rows = plain.heads[plain.ids], np.arange(2, len(ids) + 2)[:, None]
    grid = CellGrid(plain.path.name, (head,), tuple((text,) for text in stripped), rows)
    named = IdCandidate(stripped, f"column {head!r}", 0, binding=True)
    return choose(grid, [named], None).ids


def _known(plain: _Plain, cells: dict[int, list[str]], index: pd.Index) -> pd.DataFrame:
    """The columns that are no features, as they are read of any table."""
    own = [plain.heads.index(head) for head in plain.table.known.columns]
    columns = [[text.strip() for text in cells[j]] for j in own]
    rows = np.arange(2, len(index) + 2)[:, None]
    grid = CellGrid(
        plain.path.name, tuple(plain.heads[j] for j in own), tuple(zip(*columns, strict=True)), rows
    )
    return read_known(grid, range(len(own)), index)
