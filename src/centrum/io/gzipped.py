"""Files read once, and gzip read to its end.

A file's bytes serve its digest and its voxels alike. Data that stop too early or fail their
checksum are found here; SimpleITK finds neither in NIfTI, and not a wrong checksum in NRRD.
ISA-L decompresses in half the time of zlib (docs/decisions/0006).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from io import BufferedReader
from pathlib import Path

from isal import igzip, isal_zlib

from centrum.errors import ImageError

GZIP_MAGIC = b"\x1f\x8b"

_GZIP_FORMAT = 31
"""zlib's number for the largest window in a gzip wrapper, whose checksum is verified."""

_LARGEST_RATIO = 1032
"""Deflate cannot compress further: no file expands by more (zlib.net, "Technical details")."""

DAMAGE: tuple[type[Exception], ...] = (EOFError, BadGzipFile, isal_zlib.IsalError)  # type: ignore[assignment]
"""What is raised for gzip data that are damaged."""


def open_stream(path: Path) -> igzip.IGzipFile | BufferedReader:
    """The bytes of a file, decompressed if it is gzip."""
    with path.open("rb") as stream:
        compressed = stream.read(2) == GZIP_MAGIC
    return igzip.open(path) if compressed else path.open("rb")


def decompress(data: bytes) -> bytes:
    """All members of gzip data, their checksums verified; zeros behind them are padding.

    Raises
    ------
    DAMAGE
        The data stop too early or fail their checksum.

    >>> import gzip
    >>> decompress(gzip.compress(b"vert") + gzip.compress(b"ebra"))
    b'vertebra'
    """
    members = []
    while data:
        member = isal_zlib.decompressobj(wbits=_GZIP_FORMAT)
        members.append(member.decompress(data, _announced_length(data) + 1))
        while not member.eof and member.unconsumed_tail:
            members.append(member.decompress(member.unconsumed_tail))
        if not member.eof:
            raise EOFError("the compressed data end before their end marker")
        data = member.unused_data.lstrip(b"\0")
    return members[0] if len(members) == 1 else b"".join(members)


def _announced_length(data: bytes) -> int:
    """The length that the last four bytes give (RFC 1952, ISIZE): exact for one small member.

    It only spares growing a buffer; whatever it is, all data are read.
    """
    return min(int.from_bytes(data[-4:], "little"), _LARGEST_RATIO * len(data))


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn what is raised for damaged gzip data into an `ImageError` about `path`."""
    try:
        yield
    except DAMAGE as error:
        raise ImageError(
            f"{path.name} is truncated or damaged: {error}.",
            remedy="Copy or export it again.",
            code="damaged-file",
            file=path,
        ) from error
