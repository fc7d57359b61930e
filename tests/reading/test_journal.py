"""The journal: what is acknowledged stays, what is changed is found."""

import json
import os
import stat
from io import FileIO
from pathlib import Path

import pytest

from centrum.errors import DataError
from centrum.reading.journal import FIRST, JOURNAL, Journal, Line, read_journal


def line(k: int) -> Line:
    return Line("first", f"token{k % 2}", "edit", "room", slices=(k,), payload={"id": f"{k}"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Journal(tmp_path) as journal:
        for k in range(6):
            journal.append(line(k))
    return tmp_path / JOURNAL


def refused(code: str):
    return pytest.raises(DataError, check=lambda error: error.code == code)


def test_lines_are_numbered_and_chained(path: Path) -> None:
    import hashlib

    kept = path.read_bytes().splitlines()
    previous = FIRST
    for number, (content, found) in enumerate(zip(kept, read_journal(path), strict=True), 1):
        assert (found.number, found.previous) == (number, previous)
        assert found.encoded() == content
        previous = hashlib.sha256(content).hexdigest()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_goes_on_where_it_ended(path: Path) -> None:
    with Journal(path.parent) as journal:
        assert journal.append(line(6)).number == 7
        assert [each.slices[0] for each in journal.lines_of("token0")] == [0, 2, 4, 6]
    assert len([*read_journal(path)]) == 7


@pytest.mark.parametrize("left", [1, 60, -1])
def test_what_a_crash_tore_is_cut_off_and_told(path: Path, left: int) -> None:
    whole = path.read_bytes()
    with Journal(path.parent) as journal:
        journal.append(line(6))
    path.write_bytes(path.read_bytes()[: len(whole) + left if left > 0 else left])
    torn = path.stat().st_size - len(whole)
    assert len([*read_journal(path)]) == 6
    with Journal(path.parent) as journal:
        assert journal.torn == torn
        assert path.read_bytes() == whole
        journal.append(line(6))
    with Journal(path.parent) as journal:
        assert journal.torn == 0
        assert len([*journal.lines()]) == 7


def changed(content: list[bytes], k: int, **fields: object) -> None:
    content[k] = json.dumps({**json.loads(content[k]), **fields}, sort_keys=True).encode()


CHANGES = {
    "another tool": (lambda c: changed(c, 2, tool="brush"), 4),
    "another time in the last line": (lambda c: changed(c, 5, utc=""), None),
    "a line less": (lambda c: c.pop(3), 4),
    "two lines exchanged": (lambda c: c.insert(1, c.pop(2)), 2),
    "another number": (lambda c: changed(c, 5, number=7), 6),
    "no JSON": (lambda c: c.__setitem__(3, b"{"), 4),
    "no line": (lambda c: c.__setitem__(3, b"[1]"), 4),
    "an unknown kind": (lambda c: changed(c, 5, kind="forget"), 6),
    "a field more": (lambda c: changed(c, 5, note=""), 6),
    "the first line less": (lambda c: c.pop(0), 1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_broken_chain_is_refused_with_its_line(path: Path, name: str) -> None:
    change, number = CHANGES[name]
    content = path.read_bytes().splitlines()
    change(content)
    path.write_bytes(b"".join(each + b"\n" for each in content))
    if number is None:  # nothing follows it that would tell
        return Journal(path.parent).close()
    with refused("broken-chain") as error:
        Journal(path.parent)
    assert f"line {number} " in str(error.value)
    with refused("broken-chain"):
        list(read_journal(path))
    return None


def test_one_writer_at_a_time(path: Path) -> None:
    with Journal(path.parent), refused("journal-open"):
        Journal(path.parent)
    Journal(path.parent).close()


@pytest.mark.parametrize("fails", ["write", "half", "sync", "read"])
def test_what_the_disk_does_not_take_is_not_acknowledged(
    path: Path, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = path.read_bytes()
    with Journal(path.parent) as journal:
        stream, sync = journal._stream, os.fsync

        class Failing:
            def __getattr__(self, name: str):
                return getattr(stream, name)

            def write(self, content: bytes) -> int:
                if fails == "write":
                    raise OSError(28, "No space left on device")
                return stream.write(content[:9] if fails == "half" else content)

            def read(self, length: int) -> bytes:
                return stream.read(length)[: -1 if fails == "read" else None]

        def failing(handle: int) -> None:
            if fails == "sync":
                raise OSError(5, "Input/output error")
            sync(handle)

        with monkeypatch.context() as patched:
            patched.setattr(journal, "_stream", Failing())
            patched.setattr(os, "fsync", failing)
            with refused("not-saved"):
                journal.append(line(6))
        assert isinstance(journal._stream, FileIO)
        assert path.read_bytes() == whole
        assert journal.append(line(7)).number == 7
    assert [each.slices[0] for each in read_journal(path)] == [0, 1, 2, 3, 4, 5, 7]
