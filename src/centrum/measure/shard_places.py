"""Where shards lie: a folder that all machines see, or a place in object storage.

A file is written whole or not at all, by however many at once. In a folder that is a rename. In
object storage a shard is created only where there is none, and the index replaces no other than the
one that was read: who comes second is told.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from centrum.io.objects import (
    ObjectFile,
    ObjectUrl,
    StoredObject,
    create,
    look_below,
    read_object,
    remove,
    replace_object,
)
from centrum.store import write_atomically

Content = Path | BytesIO | ObjectFile
"""A file that can be read."""

Seen = str | None
"""Which version of a file was read; None where there was none, or where any is replaced."""


class ShardPlace(Protocol):
    """What shards ask of the place that they lie in; files are named as seen from it."""

    def shards(self) -> Iterator[tuple[str, Any]]:
        """Names of all shards, and what `peek` takes."""

    def peek(self, found: Any) -> Content:
        """A shard of which little is read."""

    def read(self, file: str) -> tuple[Content, Seen]:
        """A file and its version, FileNotFoundError where there is none."""

    def create(self, file: str, content: bytes) -> bool:
        """Write a file; False where there is another already, which stays."""

    def replace(self, file: str, content: bytes, seen: Seen) -> bool:
        """Write a file in the place of the one that was seen; False where it is another by now."""

    def remove(self, file: str) -> None:
        """Take a file away, if it is there."""


@dataclass(frozen=True)
class ShardFolder:
    """A folder. What is there is replaced, by the last who writes."""

    folder: Path

    def shards(self) -> Iterator[tuple[str, Path]]:
        """Names of all shards, and their paths."""
        for place in self.folder.glob("??"):
            with os.scandir(place) as files:
                for file in files:
                    if file.name.endswith(".parquet") and not file.name.startswith("."):
                        yield file.name.removesuffix(".parquet"), Path(file.path)

    def peek(self, found: Path) -> Content:
        """The path."""
        return found

    def read(self, file: str) -> tuple[Content, Seen]:
        """The path of a file, whether or not it is there."""
        return self.folder / file, None

    def create(self, file: str, content: bytes) -> bool:
        """Write a file."""
        write_atomically(self.folder / file, content)
        return True

    def replace(self, file: str, content: bytes, seen: Seen) -> bool:
        """Write a file."""
        return self.create(file, content)

    def remove(self, file: str) -> None:
        """Take a file away, if it is there."""
        (self.folder / file).unlink(missing_ok=True)


@dataclass(frozen=True)
class ShardObjects:
    """A place in object storage. Whoever uses it has credentials of its own."""

    url: ObjectUrl

    def shards(self) -> Iterator[tuple[str, StoredObject]]:
        """Names of all shards, and the objects as they are listed."""
        for each in look_below(self.url):
            name = each.url.name.removesuffix(".parquet")
            if each.url == self.url.within(f"{name[:2]}/{name}.parquet"):
                yield name, each

    def peek(self, found: StoredObject) -> Content:
        """The object as it was listed; only what is read of it is transferred."""
        return ObjectFile(found)

    def read(self, file: str) -> tuple[Content, Seen]:
        """A file and its version, FileNotFoundError where there is none."""
        content, version = read_object(self.url.within(file))
        return BytesIO(content), version

    def create(self, file: str, content: bytes) -> bool:
        """Write a file; False where there is another already, which stays."""
        return create(self.url.within(file), content)

    def replace(self, file: str, content: bytes, seen: Seen) -> bool:
        """Write a file in the place of the one that was seen; False where it is another by now."""
        url = self.url.within(file)
        return create(url, content) if seen is None else replace_object(url, content, seen)

    def remove(self, file: str) -> None:
        """Take a file away, if it is there."""
        remove(self.url.within(file))
