"""MetaImage files: .mha, and .mhd with its file of voxels, as ITK and elastix write them.

Source: https://itk.org/Wiki/ITK/MetaIO/Documentation. SimpleITK reads them; what it does not tell
is checked: voxels that stop too early, and a header without axes or spacing. `TransformMatrix`
decides; ITK writes the same `AnatomicalOrientation` whatever the axes are.
"""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from centrum.errors import ImageError
from centrum.io.itk import Decoded, decode
from centrum.provenance import digest, file_digest

_KEYS = (b"ObjectType", b"NDims", b"Comment")
"""With what headers begin."""

_LONGEST_HEADER = 1 << 16
_DATA, _AXES = "ElementDataFile", ("TransformMatrix", "Rotation", "Orientation")
_SPACINGS = ("ElementSpacing", "ElementSize")


def is_metaimage(start: bytes) -> bool:
    """Whether `start` begins a MetaImage file.

    >>> is_metaimage(b"ObjectType = Image"), is_metaimage(b"NRRD0004")
    (True, False)
    """
    key, equals, _ = start.partition(b"=")
    return bool(equals) and key.strip() in _KEYS


def read(path: Path) -> tuple[Decoded, dict[str, Any]]:
    """Content and notes for the history."""
    header, end = _header(path)
    if not any(key in header for key in _SPACINGS):
        raise ImageError(
            f"{path.name} gives no ElementSpacing: the size of its voxels is unknown.",
            remedy="Export it again from the program that holds the original.",
            code="no-spacing",
            file=path,
        )
    decoded = decode(path, "MetaImageIO", lambda *_: None)
    _check_length(path, header, end, decoded)
    oriented = any(key in header for key in _AXES)
    notes = {"format": "MetaImage", "sha256": content_digest(path)}
    return replace(decoded, oriented=oriented), notes


def content_digest(path: Path) -> str:
    """SHA-256 of the file, together with the file of voxels that it names."""
    header, _ = _header(path)
    voxels = _voxel_file(path, header)
    own = file_digest(path)
    return own if voxels == path else digest([own, file_digest(voxels)])


def _header(path: Path) -> tuple[Mapping[str, str], int]:
    """Keys and values, and where the voxels begin behind them."""
    with path.open("rb") as stream:
        start = stream.read(_LONGEST_HEADER)
    found: dict[str, str] = {}
    end = 0
    for line in start.splitlines(keepends=True):
        key, _, value = line.decode("latin-1").partition("=")
        found[key.strip()], end = value.strip(), end + len(line)
        if key.strip() == _DATA:
            return found, end
    raise ImageError(
        f"{path.name} is truncated: its header does not say where the voxels are ({_DATA}).",
        remedy="Copy or export it again.",
        code="damaged-file",
        file=path,
    )


def _voxel_file(path: Path, header: Mapping[str, str]) -> Path:
    if header[_DATA].upper() == "LOCAL":
        return path
    voxels = path.with_name(header[_DATA])
    if not voxels.is_file():
        raise ImageError(
            f"{path.name} keeps its voxels in '{voxels.name}', which is not a single file beside "
            "it.",
            remedy="Copy that file too, or save the image as one .mha file.",
            code="missing-file",
            file=path,
        )
    return voxels


def _check_length(path: Path, header: Mapping[str, str], end: int, decoded: Decoded) -> None:
    """SimpleITK invents what is missing at the end of the voxels."""
    file = _voxel_file(path, header)
    data = file.read_bytes()[end if file == path else 0 :]
    try:
        packed = header.get("CompressedData", "").casefold() == "true"
        found = len(zlib.decompress(data)) if packed else len(data)
    except zlib.error as error:
        raise _truncated(file, str(error)) from error
    if found < decoded.array.nbytes:
        raise _truncated(file, f"its header announces {decoded.array.nbytes} bytes, found {found}")


def _truncated(path: Path, why: str) -> ImageError:
    return ImageError(
        f"{path.name} is truncated or damaged: {why}.",
        remedy="Copy or export it again.",
        code="damaged-file",
        file=path,
    )
