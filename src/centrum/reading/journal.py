"""A journal: JSON lines that are only ever added, each with the digest of the one before.

A line counts once it is on the disk and was read back. What a crash left behind the last newline
was never acknowledged and is cut off; any other change of the file breaks the chain and is refused.
"""

import hashlib
import json
import os
from collections.abc import Iterator, KeysView, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self, get_args

from centrum.errors import DataError
from centrum.provenance import __version__, canonical_json

JOURNAL, LOCK = "journal.jsonl", "journal.lock"

FIRST = "0" * 64
"""What stands for the line before the first."""

Act = Literal[
    "open", "level", "edit", "fill", "undo", "redo", "quality", "submit", "reopen", "proposal",
    "looked", "confirmed",
]  # fmt: skip

ACTS: tuple[Act, ...] = get_args(Act)
"""What a line can be about; the last two are the lead's, of images."""


@dataclass(frozen=True)
class Line:
    """One line of a journal.

    Attributes
    ----------
    session, token : whose case
    kind : what was done
    room : digest of the room's choices
    slices : numbers of the slices that it is about
    tool : of an edit
    payload : what was sent, by kind
    before, after : digests of the slices; `after` of a level or a word, of that
    seconds : active time in the case
    number : from 1
    utc : when, ISO 8601
    version : of this program
    previous : SHA-256 of the line before
    """

    session: str
    token: str
    kind: Act
    room: str
    slices: tuple[int, ...] = ()
    tool: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    seconds: float = 0.0
    number: int = 0
    utc: str = ""
    version: str = __version__
    previous: str = FIRST

    def encoded(self) -> bytes:
        """The line as it is kept, without its newline."""
        return canonical_json(vars(self)).encode("ascii")


_FIELDS = frozenset(each.name for each in fields(Line))
_TUPLES = ("slices", "before", "after")


class Journal:
    """A journal that is open for writing, by this process alone.

    Attributes
    ----------
    path : of the file
    torn : bytes that a crash had left behind the last line, and that were cut off
    rooms : digests of choices that its lines name; one, unless somebody changed them

    Raises
    ------
    DataError
        Another process has it open ("journal-open"), or its chain is broken ("broken-chain").

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
    ...     _ = journal.append(Line("first", "ab", "open", room="cd"))
    ...     [line.number for line in journal.lines()]
    [1]
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / JOURNAL
        self._lock = _locked(folder / LOCK)
        try:
            self._stream = _opened(self.path)
            self.torn = self._cut_off()
            self._number, self._previous, self._end = 0, FIRST, 0
            self._places: dict[str, list[tuple[int, int]]] = {}
            self.rooms: set[str] = set()
            for line, content in _chained(self.path):
                self._note(line, content)
            _sync_folder(folder)
        except BaseException:
            self._lock.close()
            raise

    def append(self, line: Line) -> Line:
        """Write a line, read it back; the line with its number, time and link.

        Raises
        ------
        DataError
            The disk did not take it; the journal is as before ("not-saved").
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = replace(line, number=self._number + 1, utc=now, previous=self._previous)
        content = line.encoded() + b"\n"
        try:
            self._write(content)
        except OSError as error:
            self._take_back()
            raise DataError(
                "What was drawn could not be saved: the disk is full or cannot be written to.",
                remedy="Make room on it, or connect it again, and repeat the last stroke.",
                code="not-saved",
            ) from error
        self._note(line, content)
        return line

    def _note(self, line: Line, content: bytes) -> None:
        """Remember where a line lies, and what the next one follows."""
        self._places.setdefault(line.token, []).append((self._end, len(content)))
        self.rooms.add(line.room)
        self._end += len(content)
        self._number, self._previous = line.number, _digest(content)

    def _write(self, content: bytes) -> None:
        self._stream.seek(self._end)
        if self._stream.write(content) != len(content):
            raise OSError("not all of the line was written")
        os.fsync(self._stream.fileno())
        self._stream.seek(self._end)
        if self._stream.read(len(content) + 1) != content:
            raise OSError("the line reads otherwise than it was written")

    def _take_back(self) -> None:
        with suppress(OSError):  # the next line is written over it in any case
            self._stream.truncate(self._end)

    def _cut_off(self) -> int:
        whole = _length_of_lines(self._stream)
        torn = self._stream.seek(0, os.SEEK_END) - whole
        if torn:
            self._stream.truncate(whole)
            os.fsync(self._stream.fileno())
        return torn

    def lines(self) -> Iterator[Line]:
        """All lines, oldest first."""
        return read_journal(self.path)

    @property
    def tokens(self) -> KeysView[str]:
        """Those that have lines."""
        return self._places.keys()

    def lines_of(self, token: str) -> Iterator[Line]:
        """The lines of one case, oldest first."""
        for start, length in self._places.get(token, ()):
            self._stream.seek(start)
            line = _parsed(self._stream.read(length))
            if line is None:
                raise _broken(self.path, 0)
            yield line

    def close(self) -> None:
        """Let others open it."""
        self._stream.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_journal(path: Path) -> Iterator[Line]:
    """The lines of a journal that somebody may be writing to; a torn last one is left out.

    Raises
    ------
    DataError
        Its chain is broken ("broken-chain").
    """
    for line, _ in _chained(path):
        yield line


def _chained(path: Path) -> Iterator[tuple[Line, bytes]]:
    """Lines with their bytes."""
    previous = FIRST
    with path.open("rb") as lines:
        for number, content in enumerate(lines, start=1):
            if not content.endswith(b"\n"):
                return
            line = _parsed(content)
            if line is None or (line.number, line.previous) != (number, previous):
                raise _broken(path, number)
            previous = _digest(content)
            yield line, content


def _parsed(content: bytes) -> Line | None:
    """A line, None where it is none."""
    try:
        found = json.loads(content)
        if {*found} != _FIELDS or found["kind"] not in ACTS:
            return None
        return Line(**{**found, **{name: tuple(found[name]) for name in _TUPLES}})
    except (ValueError, TypeError, RecursionError):
        return None


def _digest(content: bytes) -> str:
    """SHA-256 of a line without its newline."""
    return hashlib.sha256(content.removesuffix(b"\n")).hexdigest()


def _broken(path: Path, number: int) -> DataError:
    return DataError(
        f"{path.name} of {path.parent.name} is not as it was written: line {number} is none, or "
        "does not follow the one before it.",
        remedy="Put the file back from a backup of `readings`; nothing is read before that.",
        code="broken-chain",
        file=path,
    )


def _length_of_lines(stream: FileIO) -> int:
    """Bytes up to the last newline."""
    end = stream.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65536)
        stream.seek(start)
        at = stream.read(end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _opened(path: Path) -> FileIO:
    """The file for reading and writing without a buffer, made for its owner alone."""
    return FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")


def _locked(path: Path) -> BinaryIO:
    """The lock, which the system takes away from a process that ends, however it does."""
    stream = path.open("a+b")
    try:
        _lock(stream)
    except OSError as error:
        stream.close()
        raise DataError(
            "These readings are open in another window or on another server.",
            remedy="End the other `centrum read` first.",
            code="journal-open",
        ) from error
    return stream


def _lock(stream: BinaryIO) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync_folder(folder: Path) -> None:
    """A new file is there after a crash only if its folder was written, too."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
