"""Arrays: what those of one kind of value are called, and tables that are too large for memory.

`Columns` are in a file, of which a block is read at a time. Statistics of a table go over it block
by block, by `column_blocks` or `row_blocks`, whether it is an array or `Columns`. A small table is
one block, whose numbers are those of the whole array to the last bit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Ints = NDArray[np.int64]
Counts = NDArray[np.uint16]
Flags = NDArray[np.bool_]
"""Truth values, such as a mask."""

AT_ONCE = 4_000_000
"""Numbers of a table that is one block: 32 MB. What is computed of it takes several times as much
memory."""

PARTS = 4
"""Blocks of columns of a larger table are so many times smaller: what is computed of one after the
other leaves gaps in memory that are not given back, and of smaller ones they are smaller."""

Positions = Ints | slice | Sequence[int] | NDArray[np.bool_]


class ColumnStep(Protocol):
    """What is done to the numbers of columns of one reading whenever they are read."""

    def of(self, values: Floats) -> Floats:
        """What becomes of values (cases, columns), which may be overwritten."""

    def only(self, rows: Any, columns: Any) -> "ColumnStep":
        """The same of some of the cases and of the columns."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """z-scores (x - mean) / sd of columns, limited to +- clip where there is one."""

    mean: Floats
    sd: Floats
    clip: float | None

    def of(self, values: Floats) -> Floats:
        """The z-scores of values (cases, columns), which are overwritten."""
        values -= self.mean
        values /= self.sd
        return values if self.clip is None else np.clip(values, -self.clip, self.clip, out=values)

    def only(self, rows: Any, columns: Any) -> "Scaling":
        """The same of some columns."""
        return Scaling(self.mean[columns], self.sd[columns], self.clip)


@dataclass(frozen=True, eq=False)
class FillStep:
    """A number of each column that stands where one is missing."""

    fill: Floats

    def of(self, values: Floats) -> Floats:
        """Values (cases, columns) without gaps, which are overwritten."""
        np.copyto(values, self.fill, where=np.isnan(values))
        return values

    def only(self, rows: Any, columns: Any) -> "FillStep":
        """The same of some columns."""
        return FillStep(self.fill[columns])


@dataclass(frozen=True, eq=False, repr=False)
class Columns:
    """Numbers (cases, columns, readings), or (cases, columns) of one reading, that stay on disk.

    Indexing chooses cases, columns and readings, and reads nothing; `np.asarray` reads.

    Attributes
    ----------
    path : a file of float64, (columns, readings, cases) in C order
    stored : shape of what it holds
    beside : (cases, more) columns in memory, behind those of the file and the same in all readings
    rows, columns : positions of the cases and columns
    readings : positions of the readings, or the one of them that there is no third axis for
    steps : what is done to the numbers when they are read, one after the other

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     write_columns(file, [[[1.0, 2.0]], [[5.0, 6.0]]])
    ...     _ = file.seek(0)
    ...     X = Columns.of(Path(file.name), (2, 1, 2))
    ...     X.shape, X[[1]].shape, np.asarray(X[[1], :, 0])
    ((2, 2, 1), (1, 2, 1), array([[2., 6.]]))
    """

    path: Path
    stored: tuple[int, int, int]
    beside: Floats
    rows: Ints
    columns: Ints
    readings: Ints | int
    steps: tuple[ColumnStep, ...] = ()

    @classmethod
    def of(cls, path: Path, stored: tuple[int, int, int]) -> "Columns":
        """All that a file holds."""
        columns, readings, rows = (np.arange(n) for n in stored)
        return cls(path, stored, np.empty((rows.size, 0)), rows, columns, readings)

    @property
    def shape(self) -> tuple[int, ...]:
        """(cases, columns), and readings where there is a third axis."""
        readings = () if isinstance(self.readings, int) else (self.readings.size,)
        return (self.rows.size, self.columns.size, *readings)

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"Columns({' x '.join(map(str, self.shape))} in {self.path.name})"

    def __len__(self) -> int:
        return self.rows.size

    def __getitem__(self, key: Positions | tuple[Any, ...]) -> "Columns":
        rows, columns, readings = (
            *(key if isinstance(key, tuple) else (key,)),
            *2 * [slice(None)],
        )[:3]
        found = self._only(_flat(rows), _flat(columns))
        if isinstance(self.readings, int):
            return found
        kept = self.readings[readings if np.ndim(readings) == 0 else np.asarray(readings)]
        return replace(found, readings=int(kept) if np.ndim(kept) == 0 else kept)

    def _only(self, rows: Any, columns: Any) -> "Columns":
        steps = tuple(step.only(rows, columns) for step in self.steps)
        return replace(self, rows=self.rows[rows], columns=self.columns[columns], steps=steps)

    def with_columns(self, beside: Floats) -> "Columns":
        """The same with more columns (cases, more), for a table of which nothing is chosen yet."""
        columns = np.arange(self.stored[0] + beside.shape[1])
        return replace(self, beside=beside, columns=columns)

    def after(self, step: ColumnStep) -> "Columns":
        """The same with one more step."""
        return replace(self, steps=(*self.steps, step))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        """All numbers, a column after the other in memory."""
        readings = np.atleast_1d(self.readings)
        found = np.empty((self.columns.size, readings.size, self.rows.size))
        first, last = (self.rows.min(), self.rows.max()) if self.rows.size else (0, -1)
        line, at = np.empty(last + 1 - first), self.rows - first
        with self.path.open("rb", buffering=0) as stream:
            for own, column in zip(found, self.columns, strict=True):
                for values, reading in zip(own, readings, strict=True):
                    if column >= self.stored[0]:
                        values[:] = self.beside[self.rows, column - self.stored[0]]
                        continue
                    place = (int(column) * self.stored[1] + int(reading)) * self.stored[2] + first
                    stream.seek(int(place) * line.itemsize)
                    if stream.readinto(line) != line.nbytes:  # type: ignore[arg-type]
                        raise OSError(
                            f"{self.path.name} ends before all its columns have been read."
                        )
                    np.take(line, at, out=values)
        values = found[:, 0].T if isinstance(self.readings, int) else found.transpose(2, 0, 1)
        for step in self.steps:
            values = step.of(values)
        return values if dtype is None else values.astype(dtype, copy=False)


Table = Floats | Columns
"""Numbers (cases, columns) or (cases, columns, readings)."""


def write_columns(stream: BinaryIO, columns: Iterable[ArrayLike]) -> None:
    """Write columns, each (readings, cases), one after the other, for `Columns.of`."""
    for column in columns:
        stream.write(np.ascontiguousarray(column, dtype=np.float64).tobytes())


def write_rows(stream: BinaryIO, rows: int, begin: int, columns: Iterable[Floats]) -> None:
    """Write some rows from `begin` on of columns of so many, into a file for `Columns.of`."""
    for k, column in enumerate(columns):
        stream.seek(8 * (k * rows + begin))
        stream.write(column.tobytes())


@overload
def table_of(X: Columns) -> Columns: ...
@overload
def table_of(X: ArrayLike) -> Table: ...
def table_of(X: ArrayLike | Columns) -> Table:
    """What can be indexed: columns on disk as they are, all else as an array."""
    return X if isinstance(X, Columns) else np.asarray(X, dtype=np.float64)


def column_blocks(X: Table) -> Iterator[slice]:
    """Slices of the second axis: one of a table of `AT_ONCE` numbers, else of fewer each."""
    width = X.shape[0] * int(np.prod(X.shape[2:]))
    small = X.shape[1] * width <= AT_ONCE
    return _blocks(X.shape[1], width, AT_ONCE if small else AT_ONCE // PARTS)


def row_blocks(X: Table) -> Iterator[slice]:
    """Slices of the first axis, of at most `AT_ONCE` numbers each; one of a small table."""
    return _blocks(X.shape[0], X.shape[1], AT_ONCE)


def _blocks(size: int, width: int, at_once: int) -> Iterator[slice]:
    step = max(1, at_once // max(1, width))
    return (slice(k, min(k + step, size)) for k in range(0, max(size, 1), step))


def _flat(chosen: Any) -> Any:
    if isinstance(chosen, slice):
        return chosen
    positions = np.asarray(chosen)
    return positions if positions.size else positions.astype(np.intp)  # [] is of floats
