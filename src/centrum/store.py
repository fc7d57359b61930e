"""Results by the digest of what they were made from; a killed run resumes from them.

An entry is written to a temporary file beside its place and then renamed, so that a place
holds a whole entry or none, whatever happens. An entry carries the digest of its own
content and counts as absent when that does not agree.
"""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from centrum.provenance import canonical_json, digest


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is either whole or not there; an older one stays until it is replaced.

    A file that already holds `content` is left as it is, with its time.

    Raises
    ------
    OSError
        The disk is full or cannot be written to; nothing is left behind.
    """
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:32]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files that only their owner can read; results are ordinary files.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


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
    ...     store.put("ab12", {"x": 0.1})
    ...     store.get("ab12"), store.get("cd34")
    ({'x': 0.1}, None)
    """

    folder: Path

    def path(self, key: str) -> Path:
        """Where the entry of a key lies."""
        return self.folder / key[:2] / f"{key}.json"

    def put(self, key: str, value: Any) -> None:
        """Keep JSON-ready `value` under `key`."""
        text = canonical_json({"digest": digest(value), "value": value})
        write_atomically(self.path(key), text.encode())

    def kept(self, key: str, make: Callable[[], Any]) -> Any:
        """The value of `key`, made and kept first where there is none.

        What was just made is read back, so that it cannot differ from what is read later.
        """
        found = self.get(key)
        if found is None:
            self.put(key, make())
            found = self.get(key)
        return found

    def get(self, key: str) -> Any | None:
        """The value of `key`; None when there is none or it is damaged."""
        try:
            entry = json.loads(self.path(key).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        whole = isinstance(entry, dict) and entry.get("digest") == digest(entry.get("value"))
        return entry["value"] if whole else None
