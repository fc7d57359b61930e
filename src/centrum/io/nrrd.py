"""NRRD files (.nrrd, .nhdr), also as 3D Slicer writes them (.seg.nrrd).

Source: https://teem.sourceforge.net/nrrd/format.html. SimpleITK turns the axes to LPS, and reads
voxels that are shifted or written in hexadecimal digits. Others are decoded here, from bytes that
are read once: SimpleITK would ignore the checksum of compressed voxels, and cut numbers in text
to the type of the header.
"""

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.errors import ImageError
from centrum.io.gzipped import (
    LARGEST_RATIO,
    check_announced,
    check_no_more,
    damage_named,
    damaged,
    decompress,
)
from centrum.io.itk import DecodedImage, decode, stored_voxels
from centrum.io.nrrd_header import LONGEST_HEADER, MAGIC, NrrdHeader, numbers, parse, vectors, whole
from centrum.io.paths import beside
from centrum.provenance import digest, file_digest

__all__ = ["MAGIC", "SIMULATED_KEY", "content_digest", "read"]

_ANATOMICAL = {
    name
    for long in ("right-anterior-superior", "left-anterior-superior", "left-posterior-superior")
    for short in ["".join(word[0] for word in long.split("-"))]
    for name in (long, f"{long}-time", short, f"{short}t")
}
"""Spaces whose axes are directions of the patient; those of the others are anybody's guess."""

_UNIT = re.compile(r"\w+")
_MILLIMETRES = {"mm", "millimeter", "millimeters", "millimetre", "millimetres"}

_EXPANDS = {"raw": 1.0, "hex": 0.5, "gzip": float(LARGEST_RATIO)}
"""By how much bytes of an encoding can expand; a number in text has two characters at least."""

SIMULATED_KEY = "centrum_simulated"
"""Header key of simulated images and masks; the reading step then says so wherever they go."""


def read(path: Path) -> tuple[DecodedImage, dict[str, Any]]:
    """Content and notes for the history."""
    header = _header(path)
    _check_spacing(path, header)
    file = _voxel_file(path, header)
    start = header.end if file == path else 0
    _check_length(file, header, file.stat().st_size - start)
    data, voxels = _numbers(file, header, start)
    decoded = decode(path, "NrrdImageIO", lambda reader, kind: _voxels(header, data, reader, kind))
    decoded = replace(decoded, oriented=_is_oriented(header), header=header.keys)
    simulated = {"simulated": True} if SIMULATED_KEY in header.keys else {}
    sha256 = voxels if file == path else digest([file_digest(path), voxels])
    return decoded, {"format": "NRRD", **simulated, "sha256": sha256}


def content_digest(path: Path) -> str:
    """SHA-256 of the file, together with the file of voxels that a detached header names."""
    file = _voxel_file(path, _header(path))
    own = file_digest(path)
    return own if file == path else digest([own, file_digest(file)])


def _header(path: Path) -> NrrdHeader:
    with path.open("rb") as stream:
        return parse(path, stream.read(LONGEST_HEADER))


def _voxel_file(path: Path, header: NrrdHeader) -> Path:
    """The file with the voxels: the same, or the one that a detached header names."""
    name = header.fields.get("datafile")
    if name is None:
        return path
    if name.startswith("LIST") or re.search(r"%\d*d", name):
        raise ImageError(
            f"{path.name} keeps its voxels in several files ({name!r}): expected one.",
            remedy="Save the image as one .nrrd file, as 3D Slicer does.",
            code="several-files",
            file=path,
        )
    return beside(path, name)


# Place


def _check_spacing(path: Path, header: NrrdHeader) -> None:
    """SimpleITK takes a spacing that is not given for 1 mm."""
    fields = header.fields
    if not _is_spaced(path, header):
        raise ImageError(
            f"{path.name} gives neither `space directions` nor `spacings` for each of its axes: "
            "the size of its voxels is unknown.",
            remedy="Export it again from the program that holds the original.",
            code="no-spacing",
            file=path,
        )
    units = fields.get("spaceunits", fields.get("units", ""))
    if not {u.casefold() for u in _UNIT.findall(units)} <= _MILLIMETRES:
        raise ImageError(
            f"{path.name} gives lengths in {units}: expected millimetres.",
            remedy="Save it in millimetres.",
            code="other-unit",
            file=path,
        )


def _is_spaced(path: Path, header: NrrdHeader) -> bool:
    """Whether every axis has its step, but for those along which components of a voxel lie."""
    name = "spacedirections" if "spacedirections" in header.fields else "spacings"
    read: Any = vectors if name == "spacedirections" else numbers
    steps = read(path, header.fields, name)
    vectors(path, header.fields, "spaceorigin")
    along = len(header.sizes) - (0 if header.axes_are_spatial else 1)
    given = [step for step in steps if step is not None]
    positive = name == "spacedirections" or all(step > 0 for step in given)
    return len(steps) == len(header.sizes) and len(given) >= along and positive


def _is_oriented(header: NrrdHeader) -> bool:
    """Whether the header gives its axes, in a space that is the patient's."""
    named = header.fields.get("space", "").strip().casefold() in _ANATOMICAL
    return named and "spacedirections" in header.fields


# Voxels


def _check_length(file: Path, header: NrrdHeader, found: int) -> None:
    """The bytes behind the header against what it announces."""
    wanted, encoding = header.count * header.kind.itemsize, header.encoding
    ratio = _EXPANDS.get(encoding, header.kind.itemsize / 2)
    # The last number in text has no blank behind it.
    check_announced(file, header.count, found + (encoding == "text"), wanted, ratio)
    if encoding in ("raw", "gzip") and not _is_shifted(file, header):
        check_no_more(file, found, wanted, packed=encoding == "gzip")


def _is_shifted(path: Path, header: NrrdHeader) -> bool:
    return any(whole(path, header.fields, name) for name in ("lineskip", "byteskip"))


def _numbers(file: Path, header: NrrdHeader, start: int) -> tuple[NDArray | None, str]:
    """The numbers in the order of the file, and its digest; None where SimpleITK finds them."""
    if _is_shifted(file, header) or header.encoding == "hex":
        return None, file_digest(file)
    stored = file.read_bytes()
    decoded = _numbers_in_text if header.encoding == "text" else _numbers_in_bytes
    return decoded(file, header, stored[start:]), hashlib.sha256(stored).hexdigest()


def _numbers_in_bytes(path: Path, header: NrrdHeader, stored: bytes) -> NDArray:
    wanted = header.count * header.kind.itemsize
    with damage_named(path):
        data = decompress(stored, wanted) if header.encoding == "gzip" else stored
    check_announced(path, header.count, len(data), wanted)
    return stored_voxels(data, 0, _byte_order(path, header), header.kind, (header.count,))


def _byte_order(path: Path, header: NrrdHeader) -> str:
    word = header.fields.get("endian", "little" if header.kind.itemsize == 1 else "").casefold()
    if word not in ("little", "big"):
        raise damaged(path, f"its header gives the byte order {word!r}: expected little or big")
    return "<" if word == "little" else ">"


def _numbers_in_text(path: Path, header: NrrdHeader, stored: bytes) -> NDArray:
    words = [] if b"_" in stored else stored.split()
    if len(words) != header.count:
        raise damaged(path, f"its header announces {header.count} numbers, found {len(words)}")
    try:
        found = np.array(words, dtype=header.kind)
    except (ValueError, OverflowError) as error:
        raise damaged(path, f"its voxels are no numbers of type {header.kind}") from error
    return found


def _voxels(
    header: NrrdHeader, numbers: NDArray | None, reader: sitk.ImageFileReader, kind: Any
) -> NDArray | None:
    """The numbers as voxels; None where SimpleITK has to order or refuse them."""
    shape = reader.GetSize()
    if reader.GetNumberOfComponents() > 1:
        shape = (reader.GetNumberOfComponents(), *shape)
    read_alike = header.sizes == tuple(shape) and header.kind == kind and header.components_first
    return numbers.reshape(shape[::-1]) if numbers is not None and read_alike else None
