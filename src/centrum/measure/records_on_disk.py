"""Records of very many cases, which wait on disk until a table is made of them."""

import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import numpy as np

from centrum.arrays import Floats
from centrum.measure.case import Record


class RecordsOnDisk(MutableMapping[str, Record]):
    """Records in a file that goes with this process, and is in no folder.

    What is held of each is where it begins. Values are read when they are asked for.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     records = RecordsOnDisk(Path(folder))
    ...     records["ab12"] = {"values": {"R1": [1.5, None]}, "errors": []}
    >>> records["ab12"]["errors"], list(records["ab12"]["values"]["R1"])
    ([], [1.5, None])
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = TemporaryFile(dir=folder)  # noqa: SIM115  (open as long as it is read)
        self._end = 0
        self._begin: dict[str, int] = {}

    def __setitem__(self, key: str, record: Record) -> None:
        numbers = {reader: np.array(v, dtype=np.float64) for reader, v in record["values"].items()}
        sizes = [[reader, v.size] for reader, v in numbers.items()]
        head = json.dumps(record | {"values": sizes}).encode()
        self._file.seek(self._end)
        self._file.write(len(head).to_bytes(8, "little") + head)
        self._file.write(b"".join(v.tobytes() for v in numbers.values()))
        self._begin[key] = self._end
        self._end = self._file.tell()

    def __getitem__(self, key: str) -> Record:
        self._file.seek(self._begin[key])
        size = int.from_bytes(self._file.read(8), "little")
        record: Record = json.loads(self._file.read(size))
        begin, values = self._begin[key] + 8 + size, dict[str, _OnDisk]()
        for reader, n in record["values"]:
            values[reader] = _OnDisk(self._file, begin, n)
            begin += 8 * n
        return record | {"values": values}

    def __delitem__(self, key: str) -> None:
        del self._begin[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._begin)

    def __len__(self) -> int:
        return len(self._begin)


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


class RecordsMade(Mapping[str, Record]):
    """Records that are made of others whenever they are asked for.

    >>> made = RecordsMade(["a", "b"], lambda case: {"case": case})
    >>> made["b"], list(made)
    ({'case': 'b'}, ['a', 'b'])
    """

    def __init__(self, cases: Sequence[str], make: Callable[[str], Record]) -> None:
        self._cases, self._make = dict.fromkeys(cases), make

    def __getitem__(self, case: str) -> Record:
        if case not in self._cases:
            raise KeyError(case)
        return self._make(case)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cases)

    def __len__(self) -> int:
        return len(self._cases)


def each(
    records: Mapping[str, Record], change: Callable[[str, Record], Record]
) -> Mapping[str, Record]:
    """What a function makes of each record by its case; now, or when asked if they wait on disk."""
    if isinstance(records, RecordsMade):
        return RecordsMade([*records], lambda case: change(case, records[case]))
    return {case: change(case, record) for case, record in records.items()}
