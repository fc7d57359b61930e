"""MetaImage files: .mha, and .mhd with its file of voxels, as ITK and elastix write them.

Source: https://itk.org/Wiki/ITK/MetaIO/Documentation. SimpleITK reads the header, and voxels that
are text or lie behind another header; others are decoded here, because it invents what is missing
or cannot be decompressed. A header without axes or spacing is told apart, too. `TransformMatrix`
decides; ITK writes the same `AnatomicalOrientation` whatever the axes are.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.errors import ImageError
from centrum.io.gzipped import (
    FARTHEST_MM,
    LARGEST_RATIO,
    Surplus,
    check_announced,
    check_no_more,
    damage_named,
    damaged,
)
from centrum.io.itk import DecodedImage, decode, stored_voxels
from centrum.io.paths import beside
from centrum.provenance import digest, file_digest

_KEYS = (b"ObjectType", b"NDims", b"Comment")
"""With what headers begin."""

_LONGEST_HEADER, _LONGEST_LINE = 1 << 16, 1000
_DATA, _AXES = "ElementDataFile", ("TransformMatrix", "Rotation", "Orientation")
_SPACINGS = ("ElementSpacing", "ElementSize")
_WHOLE = dict.fromkeys(
    ("NDims", "DimSize", "HeaderSize", "CompressedDataSize", "ElementNumberOfChannels"),
    re.compile(r"[+-]?[0-9]{1,12}"),
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_NUMBERS = _WHOLE | dict.fromkeys(
    (*_AXES, *_SPACINGS, "Offset", "Origin", "Position", "CenterOfRotation"), _NUMBER
)
"""How the words are written of entries that hold numbers."""

_KINDS = {
    "CHAR": "i1", "UCHAR": "u1", "SHORT": "i2", "USHORT": "u2", "INT": "i4", "UINT": "u4",
    "LONG": "i4", "ULONG": "u4", "LONG_LONG": "i8", "ULONG_LONG": "u8", "FLOAT": "f4",
    "DOUBLE": "f8",
}  # fmt: skip
_TRUE, _FALSE = ("true", "t", "1"), ("false", "f", "0")
_BYTE_ORDERS = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")


@dataclass(frozen=True)
class _MetaImageHeader:
    """Keys and values, where the voxels begin behind them, and what they announce."""

    keys: Mapping[str, str]
    end: int

    def says(self, key: str, default: bool = False) -> bool:
        return self.keys[key].casefold() in _TRUE if key in self.keys else default

    def numbers(self, key: str) -> list[int]:
        return [int(word) for word in self.keys.get(key, "").split()]

    @property
    def kind(self) -> np.dtype:
        order = ">" if any(map(self.says, _BYTE_ORDERS)) else "<"
        return np.dtype(order + _KINDS[_type_name(self.keys)])

    @property
    def count(self) -> int:
        return prod(self.numbers("DimSize")) * prod(self.numbers("ElementNumberOfChannels"))

    @property
    def bytes(self) -> int:
        return self.count * self.kind.itemsize

    @property
    def is_plain(self) -> bool:
        """Whether the voxels are nothing but numbers, one behind the other."""
        binary = self.says("CompressedData") or self.says("BinaryData", True)
        return binary and self.numbers("HeaderSize") in ([], [0])


def _type_name(keys: Mapping[str, str]) -> str:
    return keys["ElementType"].removeprefix("MET_").removesuffix("_ARRAY")


def is_metaimage(start: bytes) -> bool:
    """Whether `start` begins a MetaImage file.

    >>> is_metaimage(b"ObjectType = Image"), is_metaimage(b"NRRD0004")
    (True, False)
    """
    key, equals, _ = start.partition(b"=")
    return bool(equals) and key.strip() in _KEYS


def read(path: Path) -> tuple[DecodedImage, dict[str, Any]]:
    """Content and notes for the history."""
    header = _header(path)
    if not any(key in header.keys for key in _SPACINGS):
        raise ImageError(
            f"{path.name} gives no ElementSpacing: the size of its voxels is unknown.",
            remedy="Export it again from the program that holds the original.",
            code="no-spacing",
            file=path,
        )
    file = _voxel_file(path, header)
    data = _numbers(file, header, header.end if file == path else 0)
    decoded = decode(path, "MetaImageIO", lambda reader, kind: _voxels(header, data, reader, kind))
    oriented = any(key in header.keys for key in _AXES)
    notes = {"format": "MetaImage", "sha256": content_digest(path)}
    return replace(decoded, oriented=oriented), notes


def content_digest(path: Path) -> str:
    """SHA-256 of the file, together with the file of voxels that it names."""
    voxels = _voxel_file(path, _header(path))
    own = file_digest(path)
    return own if voxels == path else digest([own, file_digest(voxels)])


def _header(path: Path) -> _MetaImageHeader:
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
            header = _MetaImageHeader(found, end)
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
    if key in _NUMBERS and not (words and all(map(_NUMBERS[key].fullmatch, words))):
        raise damaged(path, f"its header gives {key!r} as {value!r}: expected numbers")
    if _NUMBERS.get(key) is _NUMBER and max(abs(float(word)) for word in words) > FARTHEST_MM:
        raise damaged(path, f"its header gives {key!r} as {value!r}, which is no length in mm")
    return key, value


def _check(path: Path, header: _MetaImageHeader) -> None:
    """What is needed to know the bytes of the voxels."""
    missing = {"NDims", "DimSize", "ElementType"} - header.keys.keys()
    if missing:
        raise damaged(path, f"its header gives no {', '.join(sorted(missing))}")
    sizes, channels = header.numbers("DimSize"), header.numbers("ElementNumberOfChannels")
    if header.numbers("NDims") != [len(sizes)] or min(sizes + channels) < 1:
        raise damaged(path, f"its header gives the sizes {header.keys['DimSize']!r}")
    for key in ("BinaryData", "CompressedData", *_BYTE_ORDERS):
        if header.keys.get(key, "true").casefold() not in _TRUE + _FALSE:
            raise damaged(path, f"its header gives {key!r} as {header.keys[key]!r}")
    if len({header.says(key) for key in _BYTE_ORDERS if key in header.keys}) > 1:
        raise damaged(path, "its header gives two byte orders")
    if _type_name(header.keys) not in _KINDS:
        raise damaged(path, f"its header gives the type {header.keys['ElementType']!r}")


def _voxel_file(path: Path, header: _MetaImageHeader) -> Path:
    name = header.keys[_DATA]
    return path if name.upper() == "LOCAL" else beside(path, name)


def _numbers(file: Path, header: _MetaImageHeader, start: int) -> bytes | None:
    """The bytes of the voxels; None where SimpleITK has to find them."""
    size, packed = file.stat().st_size - start, header.says("CompressedData")
    if not header.is_plain:
        _check_elsewhere(file, header, start)
        return None
    check_announced(file, header.count, size, header.bytes, LARGEST_RATIO if packed else 1)
    check_no_more(file, size, header.bytes, packed=packed)
    data = file.read_bytes()[start:]
    if packed:
        with damage_named(file):
            data = _unpacked(data, header.bytes)
    check_announced(file, header.count, len(data), header.bytes)
    return data


def _check_elsewhere(file: Path, header: _MetaImageHeader, start: int) -> None:
    """SimpleITK invents what is missing at the end of the voxels."""
    if header.says("CompressedData"):
        raise damaged(file, "its voxels are compressed, and lie behind another header")
    if header.says("BinaryData", True):
        skipped = max(0, *header.numbers("HeaderSize"))
        found = file.stat().st_size - start - skipped
        check_announced(file, header.count, found, header.bytes)
        return
    words = file.read_bytes()[start:].split()
    check_announced(file, header.count, len(words), header.count)


def _unpacked(data: bytes, most: int) -> bytes:
    """The content of zlib data, of which no more than `most` bytes are made."""
    stream = zlib.decompressobj()
    found = stream.decompress(data, most + 1)
    if len(found) > most:
        raise Surplus(f"there are more than the {most} bytes that its header announces")
    if not stream.eof:
        raise EOFError("the compressed data end before their end marker")
    return found


def _voxels(
    header: _MetaImageHeader, data: bytes | None, reader: sitk.ImageFileReader, kind: Any
) -> NDArray | None:
    """The bytes as voxels; None where SimpleITK has to order or refuse them."""
    channels, shape = reader.GetNumberOfComponents(), reader.GetSize()
    read_alike = header.numbers("DimSize") == list(shape) and header.count == channels * prod(shape)
    if data is None or not read_alike or header.kind.newbyteorder("=") != kind:
        return None
    if channels > 1:
        shape = (channels, *shape)
    return stored_voxels(data, 0, header.kind.byteorder, kind, shape[::-1])
