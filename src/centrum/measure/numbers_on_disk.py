"""Values of the records of very many cases, which wait on disk until a table is made of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import numpy as np

from centrum.arrays import Floats
from centrum.measure.case import Record


class NumbersOnDisk:
    """A file that goes with this process, and is in no folder.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     light = NumbersOnDisk(Path(folder)).light({"values": {"R1": [1.5, None]}, "errors": []})
    >>> list(light["values"]["R1"]), len(light["values"]["R1"])
    ([1.5, None], 2)
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = TemporaryFile(dir=folder)  # noqa: SIM115  (open as long as its numbers)
        self._end = 0

    def light(self, record: Record) -> Record:
        """The record with values that are read when they are asked for."""
        return record | {"values": {name: self._keep(v) for name, v in record["values"].items()}}

    def _keep(self, values: Sequence[float | None]) -> "_OnDisk":
        numbers = np.array(values, dtype=np.float64)
        self._file.seek(self._end)
        self._file.write(numbers.tobytes())
        kept = _OnDisk(self._file, self._end, numbers.size)
        self._end += numbers.nbytes
        return kept


class _OnDisk(Sequence[float | None]):
    """Numbers in a file; None where one is missing."""

    def __init__(self, file: BinaryIO, begin: int, size: int) -> None:
        self._file, self._begin, self._size = file, begin, size

    def __len__(self) -> int:
        return self._size

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        self._file.seek(self._begin)
        return np.frombuffer(self._file.read(8 * self._size), dtype=np.float64)

    def __iter__(self) -> Iterator[float | None]:
        return (None if v != v else v for v in np.asarray(self).tolist())

    def __getitem__(self, at: Any) -> Any:
        return list(self)[at]
