"""Results by the digest of what they were made from; a killed run resumes from them.

An entry is written to a temporary file beside its place and then renamed, so that a place
holds a whole entry or none, whatever happens. An entry carries the digest of its key and
content and counts as absent when that does not agree. What makes a key: `centrum.provenance`.
"""

import json
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from centrum.errors import DataError
from centrum.provenance import canonical_json, digest

_WRITING = re.compile(r"\..+\.([0-9a-f]{6})-(\d+)\.[a-z0-9_]{8}\.writing")
"""Names of files that are not written yet: a mark of the machine, and the process that writes."""

_WRITING_ONCE = re.compile(r"\..+\.[a-z0-9_]{8}")
"""Names of such files in version 0.2.1 and before."""

LEFT_OVER = 3600
"""Seconds after which nobody is writing to such a file any more, whoever began it."""

RETRIES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds to wait for a file that another program has open."""


def write_atomically(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file that is either whole or not there; an older one stays until it is replaced.

    A file that already holds `content` is left as it is, with its time. `mode` says who may read
    and write it, everybody else may whom the system lets.

    Raises
    ------
    OSError
        The disk is full or cannot be written to; nothing is left behind.
    """
    if path.is_file() and path.read_bytes() == content:
        return
    with writing_atomically(path, mode) as stream:
        stream.write(content)


@contextmanager
def writing_atomically(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """The stream of a file that is there, whole, when all has been written to it without an error.

    See `write_atomically`, which is for what memory holds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    begin = f".{path.name[:32]}.{_machine()}-{os.getpid()}."
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=begin, suffix=".writing")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files that only their owner can read; results are ordinary files.
        os.chmod(temporary, 0o666 & ~_umask() if mode is None else mode)
        _replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _replace(temporary: str, path: Path) -> None:
    """Rename; on Windows only when nobody reads the older file, such as a virus scanner."""
    for seconds in RETRIES if os.name == "nt" else ():
        try:
            return os.replace(temporary, path)
        except PermissionError:
            time.sleep(seconds)
    return os.replace(temporary, path)


def tidy(folder: Path) -> None:
    """Take away what killed writes left in a folder of results, and below it.

    The folder itself may be a link, as to a larger disk; folders within it may not lead out of
    it, because what is written and taken away there would be somebody else's.

    Raises
    ------
    DataError
        A folder within it is a link to another place, or it is itself one to a place that is not
        there; codes "leads-out" and "leads-nowhere".
    """
    own = Path(os.path.realpath(folder))
    if folder.is_symlink() and not own.exists():
        raise DataError(
            f"{folder.name} is a link to a place that is not there.",
            remedy="Connect the disk that it leads to, or remove the link.",
            code="leads-nowhere",
            file=folder,
        )
    for place, folders, files in os.walk(own):
        for name in folders:
            _refuse_leading_out(Path(place, name), own)
        take_leftovers(Path(place), files, once=True)


def take_leftovers(folder: Path, files: Iterable[str], *, once: bool = False) -> None:
    """Take those files of a folder away whose writing was killed; `once` by older versions, too.

    That is known of processes of this machine that have ended, and else after `LEFT_OVER`.
    """
    for name in files:
        written = _WRITING.fullmatch(name)
        if written or (once and _WRITING_ONCE.fullmatch(name)):
            path = folder / name
            with suppress(OSError):
                if (written and _has_ended(*written.groups())) or _age(path) > LEFT_OVER:
                    path.unlink()


def _age(path: Path) -> float:
    return time.time() - path.lstat().st_mtime


def _has_ended(machine: str, process: str) -> bool:
    """Whether a process is known to have ended; Windows has no way to ask that harms nobody."""
    if machine != _machine() or os.name == "nt":
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass
    return False


@cache
def _machine() -> str:
    """A mark that tells this machine from others, and not its name."""
    return digest(platform.node())[:6]


def _refuse_leading_out(path: Path, own: Path) -> None:
    there = Path(os.path.realpath(path))
    if not there.is_relative_to(own):
        raise DataError(
            f"{path.relative_to(own)} in {own.name} is a link that leads out of it: what is "
            "written there would be in another place.",
            remedy=f"Remove the link; {own.name} as a whole may be one.",
            code="leads-out",
            file=path,
        )


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@dataclass(frozen=True)
class Store:
    """A folder of JSON entries, each at a place named by its key.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     store = Store(Path(folder))
    ...     _ = store.put("ab12", {"x": 0.1})
    ...     store.get("ab12"), store.get("cd34")
    ({'x': 0.1}, None)
    """

    folder: Path

    def path(self, key: str) -> Path:
        """Where the entry of a key lies."""
        return self.folder / key[:2] / f"{key}.json"

    def put(self, key: str, value: Any) -> Any:
        """Keep JSON-ready `value` under `key`; gives the value as `get` will."""
        text = canonical_json({"digest": digest([key, value]), "value": value})
        write_atomically(self.path(key), text.encode())
        return json.loads(text)["value"]

    def kept(self, key: str, make: Callable[[], Any]) -> Any:
        """The value of `key`, made and kept first where there is none."""
        found = self.get(key)
        return self.put(key, make()) if found is None else found

    def keep_only(self, keys: Collection[str]) -> None:
        """Take away the entries of all other keys."""
        for path in self.folder.glob("*/*.json"):
            if path.stem not in keys:
                path.unlink()

    def get(self, key: str) -> Any | None:
        """The value of `key`; None when there is none or it is damaged."""
        try:
            entry = json.loads(self.path(key).read_text(encoding="utf-8"))
            value = entry["value"]
            whole = entry["digest"] == digest([key, value])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return value if whole else None
