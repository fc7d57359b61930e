"""MetaImage files: .mha, and .mhd with its file of voxels, as ITK and elastix write them.

Source: https://itk.org/Wiki/ITK/MetaIO/Documentation. SimpleITK reads them; what it does not tell
is checked: voxels that stop too early, and a header without axes or spacing. `TransformMatrix`
decides; ITK writes the same `AnatomicalOrientation` whatever the axes are.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from centrum.errors import ImageError
from centrum.io.gzipped import (
    LARGEST_RATIO,
    Surplus,
    check_announced,
    check_no_more,
    damage_named,
    damaged,
)
from centrum.io.itk import Decoded, decode
from centrum.io.paths import beside
from centrum.provenance import digest, file_digest

_KEYS = (b"ObjectType", b"NDims", b"Comment")
"""With what headers begin."""

_LONGEST_HEADER, _LONGEST_LINE = 1 << 16, 1000
_DATA, _AXES = "ElementDataFile", ("TransformMatrix", "Rotation", "Orientation")
_SPACINGS = ("ElementSpacing", "ElementSize")
_NUMBERS = {
    *_AXES, *_SPACINGS, "Offset", "Origin", "Position", "CenterOfRotation", "NDims", "DimSize",
    "HeaderSize", "CompressedDataSize", "ElementNumberOfChannels", "ElementMin", "ElementMax",
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_BYTES = {
    "CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "LONG": 4, "ULONG": 4,
    "LONG_LONG": 8, "ULONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8,
}  # fmt: skip


@dataclass(frozen=True)
class _Header:
    """Keys and values, where the voxels begin behind them, and what they announce."""

    keys: Mapping[str, str]
    end: int

    def says(self, key: str) -> bool:
        return self.keys.get(key, "").casefold() in ("true", "1")

    def numbers(self, key: str) -> list[int]:
        return [int(float(word)) for word in self.keys.get(key, "").split()]

    @property
    def count(self) -> int:
        return prod(self.numbers("DimSize")) * prod(self.numbers("ElementNumberOfChannels"))

    @property
    def bytes(self) -> int:
        kind = self.keys["ElementType"].removeprefix("MET_").removesuffix("_ARRAY")
        return self.count * _BYTES.get(kind, 0)


def is_metaimage(start: bytes) -> bool:
    """Whether `start` begins a MetaImage file.

    >>> is_metaimage(b"ObjectType = Image"), is_metaimage(b"NRRD0004")
    (True, False)
    """
    key, equals, _ = start.partition(b"=")
    return bool(equals) and key.strip() in _KEYS


def read(path: Path) -> tuple[Decoded, dict[str, Any]]:
    """Content and notes for the history."""
    header = _header(path)
    if not any(key in header.keys for key in _SPACINGS):
        raise ImageError(
            f"{path.name} gives no ElementSpacing: the size of its voxels is unknown.",
            remedy="Export it again from the program that holds the original.",
            code="no-spacing",
            file=path,
        )
    _check_length(_voxel_file(path, header), header, path)
    decoded = decode(path, "MetaImageIO", lambda *_: None)
    oriented = any(key in header.keys for key in _AXES)
    notes = {"format": "MetaImage", "sha256": content_digest(path)}
    return replace(decoded, oriented=oriented), notes


def content_digest(path: Path) -> str:
    """SHA-256 of the file, together with the file of voxels that it names."""
    voxels = _voxel_file(path, _header(path))
    own = file_digest(path)
    return own if voxels == path else digest([own, file_digest(voxels)])


def _header(path: Path) -> _Header:
    with path.open("rb") as stream:
        start = stream.read(_LONGEST_HEADER)
    found: dict[str, str] = {}
    end = 0
    for line in start.splitlines(keepends=True):
        key, value = _entry(path, line)
        if key in found:
            raise damaged(path, f"its header gives {key!r} twice")
        found[key], end = value, end + len(line)
        if key == _DATA:
            header = _Header(found, end)
            _check(path, header)
            return header
    raise ImageError(
        f"{path.name} is truncated: its header does not say where the voxels are ({_DATA}).",
        remedy="Copy or export it again.",
        code="damaged-file",
        file=path,
    )


def _entry(path: Path, line: bytes) -> tuple[str, str]:
    key, equals, value = line.decode("latin-1").partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not re.fullmatch(r"\w[\w .-]*", key) or len(line) > _LONGEST_LINE:
        raise damaged(path, f"its header has a line that is no entry: {key[:40]!r}")
    words = value.split()
    if key in _NUMBERS and not (words and all(map(_NUMBER.fullmatch, words))):
        raise damaged(path, f"its header gives {key!r} as {value!r}: numbers are wanted")
    return key, value


def _check(path: Path, header: _Header) -> None:
    """What is needed to know the bytes of the voxels."""
    missing = {"NDims", "DimSize", "ElementType"} - header.keys.keys()
    if missing:
        raise damaged(path, f"its header gives no {', '.join(sorted(missing))}")
    sizes, channels = header.numbers("DimSize"), header.numbers("ElementNumberOfChannels")
    if header.numbers("NDims") != [len(sizes)] or min(sizes + channels) < 1:
        raise damaged(path, f"its header gives the sizes {header.keys['DimSize']!r}")
    if not header.bytes:
        raise damaged(path, f"its header gives the type {header.keys['ElementType']!r}")


def _voxel_file(path: Path, header: _Header) -> Path:
    name = header.keys[_DATA]
    return path if name.upper() == "LOCAL" else beside(path, name)


def _check_length(file: Path, header: _Header, path: Path) -> None:
    """SimpleITK invents what is missing at the end of the voxels."""
    start = header.end if file == path else 0
    size, packed = file.stat().st_size - start, header.says("CompressedData")
    text = not packed and header.keys.get("BinaryData", "True").casefold() == "false"
    if text:
        check_announced(file, header.count, len(file.read_bytes()[start:].split()), header.count)
        return
    check_announced(file, header.count, size, header.bytes, LARGEST_RATIO if packed else 1)
    if header.numbers("HeaderSize") in ([], [0]):
        check_no_more(file, size, header.bytes, packed=packed)
    if packed:
        with damage_named(file):
            found = _unpacked_length(file.read_bytes()[start:], header.bytes)
        check_announced(file, header.count, found, header.bytes)


def _unpacked_length(data: bytes, most: int) -> int:
    """The length of zlib data, of which no more than `most` bytes are made."""
    stream = zlib.decompressobj()
    found = len(stream.decompress(data, most + 1))
    if found > most:
        raise Surplus(f"there are more than the {most} bytes that its header announces")
    if not stream.eof:
        raise EOFError("the compressed data end before their end marker")
    return found
