"""Gzip read to its end, so that data that stop too early or fail their checksum are found.

SimpleITK finds neither in NIfTI, and not a wrong checksum in NRRD.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from centrum.errors import ImageError

_CHUNK = 1 << 20


def open_stream(path: Path) -> gzip.GzipFile | BufferedReader:
    """The bytes of a file, decompressed if it is gzip."""
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path) if compressed else path.open("rb")


def rest_length(stream: gzip.GzipFile | BufferedReader) -> int:
    """Number of bytes from here to the end of the stream."""
    return sum(len(chunk) for chunk in iter(lambda: stream.read(_CHUNK), b""))


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn what Python raises for damaged gzip data into an `ImageError` about `path`."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImageError(
            f"{path.name} is truncated or damaged: {error}. Copy or export it again."
        ) from error
