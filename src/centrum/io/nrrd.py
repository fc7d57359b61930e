"""NRRD files (.nrrd, .nhdr), also as 3D Slicer writes them (.seg.nrrd).

Source: https://teem.sourceforge.net/nrrd/format.html. SimpleITK reads the header, turns the
axes to LPS, and reads the voxels where they lie in another file or are text; those behind the
header, raw or gzip, are decoded here from bytes that are read once. SimpleITK would ignore
the checksum of compressed voxels.
"""

import hashlib
import re
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.errors import ImageError
from centrum.io.gzipped import damage_named, decompress
from centrum.io.itk import Decoded, decode, stored_voxels
from centrum.provenance import digest, file_digest

MAGIC = b"NRRD"

_DATA_FILE = re.compile(rb"^data ?file: *([^\r\n]+)", re.MULTILINE)
_ENCODING = re.compile(rb"^encoding: *(\w+)", re.MULTILINE)
_BIG_ENDIAN = re.compile(rb"^endian: *big", re.MULTILINE)
_SIZES = re.compile(rb"^sizes: *([\d ]+)", re.MULTILINE)
_SKIP = re.compile(rb"^(line|byte) ?skip: *[^0\s]", re.MULTILINE)
_SPACE = re.compile(rb"^space: *([^\r\n]+)", re.MULTILINE | re.IGNORECASE)
_DIRECTIONS = re.compile(rb"^space directions: *\S", re.MULTILINE | re.IGNORECASE)
_SPACINGS = re.compile(rb"^spacings: *\S", re.MULTILINE | re.IGNORECASE)
_SPACE_UNITS = re.compile(rb"^space units: *([^\r\n]+)", re.MULTILINE | re.IGNORECASE)
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_LONGEST_HEADER = 1 << 20

_ANATOMICAL = {
    name
    for long in ("right-anterior-superior", "left-anterior-superior", "left-posterior-superior")
    for short in ["".join(word[0] for word in long.split("-"))]
    for name in (long, f"{long}-time", short, f"{short}t")
}
"""Spaces whose axes are directions of the patient; those of the others are anybody's guess."""

_UNIT = re.compile(rb"\w+")
_MILLIMETRES = {b"mm", b"millimeter", b"millimeters", b"millimetre", b"millimetres"}

_RAW, _GZIP = (b"raw",), (b"gz", b"gzip")


SIMULATED_KEY = "centrum_simulated"
"""Header key of simulated images and masks; the reading step then says so wherever they go."""


def read(path: Path) -> tuple[Decoded, dict[str, Any]]:
    """Content and notes for the history."""
    stored = path.read_bytes()
    header, end = _split(stored)
    _check_spacing(path, header)
    with damage_named(path):
        data = _voxel_bytes(stored, header, end)
    decoded = decode(path, "NrrdImageIO", lambda reader, kind: _voxels(header, data, reader, kind))
    decoded = replace(decoded, oriented=_is_oriented(header))
    simulated = {"simulated": True} if SIMULATED_KEY in decoded.header else {}
    sha256 = _digest(path, header, hashlib.sha256(stored).hexdigest())
    return decoded, {"format": "NRRD", **simulated, "sha256": sha256}


def _check_spacing(path: Path, header: bytes) -> None:
    if not (_DIRECTIONS.search(header) or _SPACINGS.search(header)):
        raise ImageError(
            f"{path.name} gives neither `space directions` nor `spacings`: the size of its voxels "
            "is unknown.",
            remedy="Export it again from the program that holds the original.",
            code="no-spacing",
            file=path,
        )
    units = _SPACE_UNITS.search(header)
    if units and not {u.lower() for u in _UNIT.findall(units[1])} <= _MILLIMETRES:
        raise ImageError(
            f"{path.name} gives lengths in {units[1].decode('latin-1')}: millimetres are wanted.",
            remedy="Save it in millimetres.",
            code="other-unit",
            file=path,
        )


def _is_oriented(header: bytes) -> bool:
    """Whether the header gives its axes, in a space that is the patient's.

    >>> _is_oriented(b"NRRD0004\\nspace: scanner-xyz\\nspace directions: (1,0,0) (0,1,0) (0,0,1)")
    False
    """
    space = _SPACE.search(header)
    named = space is not None and space[1].decode("latin-1").strip().casefold() in _ANATOMICAL
    return named and _DIRECTIONS.search(header) is not None


def content_digest(path: Path) -> str:
    """SHA-256 of the file, together with the file of voxels that a detached header names."""
    with path.open("rb") as stream:
        header, _ = _split(stream.read(_LONGEST_HEADER))
    return _digest(path, header, file_digest(path))


def _digest(path: Path, header: bytes, own: str) -> str:
    named = _DATA_FILE.search(header)
    if named is None:
        return own
    data = path.parent / named.group(1).decode().strip()
    if not data.is_file():
        raise ImageError(
            f"{path.name} keeps its voxels in '{data.name}', which is not a single file beside it.",
            remedy="Copy that file too, or save the image as one .nrrd file.",
            code="missing-file",
            file=path,
        )
    return digest([own, file_digest(data)])


def _split(stored: bytes) -> tuple[bytes, int]:
    """The header, and where the voxels begin behind it."""
    start = stored[:_LONGEST_HEADER]
    end = _END_OF_HEADER.search(start)
    return (start[: end.start()], end.end()) if end else (start, len(start))


def _voxel_bytes(stored: bytes, header: bytes, end: int) -> bytes | None:
    """The voxels behind the header; None if they are elsewhere, shifted or encoded as text."""
    encoding = _ENCODING.search(header)
    if encoding is None or _DATA_FILE.search(header) or _SKIP.search(header):
        return None
    if encoding[1] in _GZIP:
        return decompress(stored[end:])
    return stored[end:] if encoding[1] in _RAW else None


def _voxels(
    header: bytes, data: bytes | None, reader: sitk.ImageFileReader, kind: Any
) -> NDArray | None:
    """Numbers as they are stored; None where SimpleITK has to order or refuse them."""
    sizes, shape = _SIZES.search(header), reader.GetSize()
    if reader.GetNumberOfComponents() > 1:
        shape = (reader.GetNumberOfComponents(), *shape)
    if data is None or sizes is None or tuple(map(int, sizes[1].split())) != tuple(shape):
        return None
    if len(data) < kind.itemsize * prod(shape):
        return None
    order = ">" if _BIG_ENDIAN.search(header) else "<"
    return stored_voxels(data, 0, order, kind, shape[::-1])
