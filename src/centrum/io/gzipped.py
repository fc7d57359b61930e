"""Bytes of files: read once, gzip read to its end, and no more of either than a header announces.

A file's bytes serve its digest and its voxels alike. Data that stop too early or fail their
checksum are found here; SimpleITK finds neither in NIfTI, and not a wrong checksum in NRRD.
ISA-L decompresses in half the time of zlib (docs/decisions/0006).
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from io import BufferedReader
from pathlib import Path

from isal import igzip, isal_zlib

from centrum.errors import ImageError

GZIP_MAGIC = b"\x1f\x8b"

MOST_VOXELS = 1 << 30
"""More than any image of a patient has; a header that announces more is damaged."""

FARTHEST_MM = 1e6
"""No voxel lies farther from anything; SimpleITK does not end over numbers without end."""

LARGEST_RATIO = 1032
"""Deflate cannot compress further: no file expands by more (zlib.net, "Technical details")."""

_GZIP_FORMAT = 31
"""zlib's number for the largest window in a gzip wrapper, whose checksum is verified."""


_SMALLEST_BUFFER = _PACKING = 1 << 16


class Surplus(ValueError):
    """There are more data than the header announces."""


_ISAL: type[Exception] = isal_zlib.IsalError  # type: ignore[assignment]
DAMAGE = (EOFError, BadGzipFile, _ISAL, zlib.error, Surplus)
"""What is raised for data that are damaged."""


def open_stream(path: Path) -> igzip.IGzipFile | BufferedReader:
    """The bytes of a file, decompressed if it is gzip."""
    with path.open("rb") as stream:
        compressed = stream.read(2) == GZIP_MAGIC
    return igzip.open(path) if compressed else path.open("rb")


def decompress(data: bytes, most: int) -> bytes:
    """All members of gzip data, their checksums verified; zeros behind them are padding.

    Never more than `most` bytes are made, whatever the data would become.

    Raises
    ------
    DAMAGE
        The data stop too early, fail their checksum or go on behind `most` bytes.

    >>> import gzip
    >>> decompress(gzip.compress(b"vert") + gzip.compress(b"ebra"), 8)
    b'vertebra'
    """
    parts: list[bytes] = []
    room = most + 1
    while data:
        member = isal_zlib.decompressobj(wbits=_GZIP_FORMAT)
        while not member.eof:
            part = member.decompress(data, min(room, _announced_length(data) + 1))
            if not part and len(member.unconsumed_tail) == len(data):
                raise EOFError("the compressed data end before their end marker")
            parts.append(part)
            room, data = room - len(part), member.unconsumed_tail
            if room <= 0:
                raise Surplus(f"there are more than the {most} bytes that its header announces")
        data = member.unused_data.lstrip(b"\0")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _announced_length(data: bytes) -> int:
    """The length that the last four bytes give (RFC 1952, ISIZE): exact for one small member.

    It only spares growing a buffer; whatever it is, all data are read.
    """
    said = min(int.from_bytes(data[-4:], "little"), LARGEST_RATIO * len(data))
    return max(said, _SMALLEST_BUFFER)


def check_announced(path: Path, voxels: int, found: int, wanted: int, ratio: float = 1.0) -> None:
    """Refuses what a header announces and its data cannot hold, before anything is allocated.

    Parameters
    ----------
    voxels : how many the header announces
    found : bytes that there are
    wanted : bytes that the voxels need
    ratio : by how much the bytes that there are can expand
    """
    if voxels > MOST_VOXELS:
        raise damaged(path, f"its header announces {voxels} voxels")
    if found * ratio < wanted:
        raise damaged(path, f"its header announces {wanted} bytes, found {found}")


def check_no_more(path: Path, found: int, wanted: int, packed: bool = False) -> None:
    """Refuses voxels behind those that the header announces: it cannot be of this file.

    What is `packed` may be a little longer where it cannot be compressed.
    """
    if found > wanted + (_PACKING + wanted // 100 if packed else 0):
        raise damaged(path, f"its header announces {wanted} bytes, found {found}")


def damaged(path: Path, why: str) -> ImageError:
    """The error of a file that is not as its header or its format says."""
    return ImageError(
        f"{path.name} is truncated or damaged: {why}.",
        remedy="Copy or export it again.",
        code="damaged-file",
        file=path,
    )


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn what is raised for damaged data into an `ImageError` about `path`."""
    try:
        yield
    except DAMAGE as error:
        raise damaged(path, str(error)) from error
