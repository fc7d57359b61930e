"""Which stages of a study are up to date, so that a run redoes only what a change touches."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from centrum.provenance import file_digest
from centrum.store import write_atomically


@dataclass(frozen=True)
class Stages:
    """The record `stages.json` of a results folder.

    For each stage: the key (digest of all that decides it) and the digests of its files.
    """

    folder: Path

    @property
    def path(self) -> Path:
        """Where the record lies."""
        return self.folder / "stages.json"

    def read(self) -> dict[str, Any]:
        """Stage name -> {"key": ..., "files": {path: digest}}."""
        if not self.path.is_file():
            return {}
        record: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return record

    def current(self, stage: str, key: str) -> bool:
        """Whether the stage was made under this key and its files are as it left them."""
        found = self.read().get(stage)
        return found is not None and found["key"] == key and self._whole(found["files"])

    def _whole(self, files: dict[str, str]) -> bool:
        return all(
            (self.folder / name).is_file() and file_digest(self.folder / name) == wanted
            for name, wanted in files.items()
        )

    def done(self, stage: str, key: str, files: Iterable[Path]) -> None:
        """Record that the stage was made under `key` and left `files`."""
        digests = {f.relative_to(self.folder).as_posix(): file_digest(f) for f in files}
        record = self.read() | {stage: {"key": key, "files": digests}}
        write_atomically(self.path, json.dumps(record, indent=1, sort_keys=True).encode())

    def digests_of(self, *stages: str) -> dict[str, str]:
        """Digest of every file that these stages left."""
        record = self.read()
        return {
            n: d for stage in stages for n, d in record.get(stage, {"files": {}})["files"].items()
        }
