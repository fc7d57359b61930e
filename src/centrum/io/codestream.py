"""Compressed frames, looked at before they are decoded.

Decoders in C take sizes from the compressed data and make room for them: data that contradict the
header of the file, or are cut, crash the process, take gigabytes, or become grey pixels without a
word. Here only the headers within the data are read, and no more of them is let through than an
image of one channel needs.

Sources: ITU-T T.81, annex B (JPEG), T.87, annex C (JPEG-LS), T.800, annex A (JPEG 2000), T.814
(its high throughput coding, HTJ2K); which of them a transfer syntax means: DICOM PS3.5, 8.2.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

MOST_TILES = 1 << 12
"""Tiles of a JPEG 2000 frame: an image of 4096 x 4096 in tiles of 64 x 64."""

MOST_PACKETS = 1 << 18
"""Packets (layers of precincts) of such a frame, for each of which a decoder makes room."""


@dataclass(frozen=True)
class PixelFormat:
    """What the header of a file says of the pixels of a frame.

    Attributes
    ----------
    columns, rows : of a frame
    bits : bits that a pixel takes
    stored : how many of them, the lowest, are its value
    signed : whether that is in two's complement
    """

    columns: int
    rows: int
    bits: int
    stored: int
    signed: bool = False


class Contradiction(ValueError):
    """What is wrong with compressed data, the end of a sentence about their frame."""


_Check = Callable[[bytes, PixelFormat], None]


def check_codestream(data: bytes, syntax: str, pixels: PixelFormat) -> None:
    """Refuses a frame, compressed in a transfer syntax of `SYNTAXES`, that is not as its header.

    Raises
    ------
    Contradiction
        The data are of another kind, size or depth, are cut, or hold what no encoder of images
        of one channel writes.

    >>> check_codestream(b"GIF89a", "1.2.840.10008.1.2.4.90", PixelFormat(2, 2, 16, 12))
    Traceback (most recent call last):
    centrum.io.codestream.Contradiction: does not begin as JPEG 2000
    """
    try:
        SYNTAXES[syntax](data, pixels)
    except (struct.error, IndexError) as error:
        raise Contradiction("ends within a header") from error


def _wrong(why: str) -> NoReturn:
    raise Contradiction(why)


def _check_size(columns: int, rows: int, pixels: PixelFormat) -> None:
    if (columns, rows) != (pixels.columns, pixels.rows):
        _wrong(f"has {columns} x {rows} pixels, not {pixels.columns} x {pixels.rows}")


def _check_depth(bits: int, channels: int, pixels: PixelFormat) -> None:
    if channels != 1:
        _wrong(f"has {channels} channels")
    if not pixels.bits - 8 < bits <= pixels.bits:
        _wrong(f"has {bits} bits in a pixel of {pixels.bits}")


# JPEG and JPEG-LS

_APPLICATION = (*range(0xE0, 0xF0), 0xFE)
_START, _SCAN, _END = b"\xff\xd8", 0xDA, 0xD9
_TABLES, _JPEG_LS_PARAMETERS = (0xC4, 0xDB, 0xDD), 0xF8
_JPEG_MARKS = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_JPEG_LS_MARKS = re.compile(rb"\xff([\x80-\xcf\xd8-\xfe])")
"""Markers among the bits of a scan, other than those between its intervals."""


def _check_jpeg(data: bytes, pixels: PixelFormat, frames: tuple[int, ...]) -> None:
    """JPEG whose frame begins with one of these markers: the process by which it is coded."""
    if frames != (_LOSSLESS,) and pixels.signed:
        _wrong("has pixels with a sign, which JPEG with loss has not")
    end, _ = _check_headers(data, pixels, frames, _TABLES)
    _check_scan(_JPEG_MARKS.search(data, end))


def _check_jpeg_ls(data: bytes, pixels: PixelFormat, lossless: bool) -> None:
    end, scan = _check_headers(data, pixels, (0xF7,), (0xDD, _JPEG_LS_PARAMETERS))
    if scan[0] != 1 or scan[4] or (lossless and scan[3]):
        _wrong(f"has a scan of the parameters {scan[:6].hex()}")
    _check_scan(_JPEG_LS_MARKS.search(data, end))


def _check_headers(
    data: bytes, pixels: PixelFormat, frames: tuple[int, ...], tables: tuple[int, ...]
) -> tuple[int, bytes]:
    """Where the pixels begin, and the parameters of their scan."""
    if not data.startswith(_START):
        _wrong("does not begin as JPEG")
    described, segments = 0, list(_jpeg_segments(data))
    for _, marker, segment in segments:
        if marker in frames:
            described += 1
            depth, rows, columns, channels = struct.unpack_from(">BHHB", segment)
            _check_size(columns, rows, pixels)
            _check_depth(depth, channels, pixels)
        elif marker not in (_SCAN, *tables, *_APPLICATION):
            _wrong(f"has the JPEG marker {marker:02x}, which is of another kind of image")
        elif marker == _JPEG_LS_PARAMETERS and segment[0] != 1:
            _wrong("has a palette, or a size of its own")
    if described != 1:
        _wrong(f"has {described} descriptions of its pixels")
    end, _, scan = segments[-1]
    return end, scan


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """End, marker and parameters of each segment, the first scan included."""
    at, marker = len(_START), 0
    while marker != _SCAN:
        while data[at] == data[at + 1] == 0xFF:
            at += 1
        fill, marker, length = struct.unpack_from(">BBH", data, at)
        start, at = at + 4, at + 2 + length
        if fill != 0xFF or length < 3 or at > len(data):
            _wrong("ends within a header")
        yield at, marker, data[start:at]


def _check_scan(found: re.Match[bytes] | None) -> None:
    """One scan has an end: what is cut is decoded to grey."""
    if found is None or found[1][0] != _END:
        _wrong("has no end" if found is None else "goes on behind its pixels")


# JPEG 2000

_CODESTREAM, _SIZE, _TILE_PART, _DATA, _DATA_END = 0xFF4F, 0xFF51, 0xFF90, 0xFF93, 0xFFD9
_CODING, _QUANTISATION, _COMMENT, _CAPABILITIES = 0xFF52, 0xFF5C, 0xFF64, 0xFF50
_PASSED_OVER = (
    _QUANTISATION,
    _COMMENT,
    _CAPABILITIES,
    0xFF55,  # lengths of tile-parts
    0xFF57,  # and of packets
    0xFF58,
    0xFF59,  # profiles
    0xFF56,
)
"""Markers that change no size. Missing are those of a second component, of a changed order of
packets and of packet headers apart: encoders of one channel write none."""

_LONGEST_HEADER = 12
"""Bytes of the header of a tile-part, up to what follows it."""


@dataclass(frozen=True)
class _Tiles:
    """How a frame is cut."""

    width: int
    height: int
    across: int
    down: int

    @property
    def count(self) -> int:
        return self.across * self.down


def _check_jpeg_2000(data: bytes, pixels: PixelFormat) -> None:
    if not data.startswith(struct.pack(">HH", _CODESTREAM, _SIZE)):
        _wrong("does not begin as JPEG 2000")
    at, tiles = _main_header(data, pixels)
    met: set[int] = set()
    while at < len(data) and struct.unpack_from(">H", data, at)[0] == _TILE_PART:
        at, tile = _tile_part(data, at, tiles)
        met.add(tile)
    if met != set(range(tiles.count)):
        _wrong(f"has {len(met)} of {tiles.count} tiles")
    if data[at:].rstrip(b"\0") not in (b"", struct.pack(">H", _DATA_END)):
        _wrong("goes on behind its tiles")


def _main_header(data: bytes, pixels: PixelFormat) -> tuple[int, _Tiles]:
    """Where the header ends, and the tiles."""
    tiles, coded = None, False
    for at, marker, segment in _jpeg_2000_segments(data, 2, _TILE_PART):
        if marker == _TILE_PART and tiles and coded:
            return at, tiles
        if marker == _SIZE and tiles is None:
            tiles = _tiles(segment, pixels)
        elif marker == _CODING and tiles:
            coded = _check_coding(segment, tiles)
        elif marker not in _PASSED_OVER:
            _wrong(f"has the JPEG 2000 marker {marker:04x}, which images of one channel have not")
    return _wrong("has no pixels")


def _jpeg_2000_segments(data: bytes, at: int, last: int) -> Iterator[tuple[int, int, bytes]]:
    """Place, marker and parameters of each segment up to the marker that is the `last`."""
    while True:
        (marker,) = struct.unpack_from(">H", data, at)
        if marker == last:
            yield at, marker, b""
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2 or at + 2 + length > len(data):
            _wrong("ends within a header")
        yield at, marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def _tiles(segment: bytes, pixels: PixelFormat) -> _Tiles:
    _, right, bottom, left, top, width, height, x, y, channels, depth, *steps = struct.unpack_from(
        ">HLLLLLLLLHBBB", segment
    )
    if (left, top, x, y) != (0, 0, 0, 0) or steps != [1, 1] or not width or not height:
        _wrong("has pixels apart, or off its corner")
    _check_size(right, bottom, pixels)
    _check_depth((depth & 0x7F) + 1, channels, pixels)
    # Some encoders take two's complement for plain numbers; GDCM and pydicom make it of them again.
    bare = pixels.signed and depth == pixels.stored - 1
    if bool(depth >> 7) != pixels.signed and not bare:
        _wrong(f"{'has' if depth >> 7 else 'lacks'} a sign of its pixels, unlike its header")
    width, height = min(width, right), min(height, bottom)
    tiles = _Tiles(width, height, -(-right // width), -(-bottom // height))
    if tiles.count > MOST_TILES:
        _wrong(f"has {tiles.count} tiles")
    return tiles


def _check_coding(segment: bytes, tiles: _Tiles) -> bool:
    """Bounds what a decoder makes room for: code-blocks, precincts and layers."""
    style, _, layers, colours, levels, x, y = struct.unpack_from(">BBHBBBB", segment)
    if colours or levels > 32 or max(x, y) > 8 or x + y > 8 or not layers:
        _wrong(f"has the coding parameters {segment[:10].hex()}")
    sizes = segment[10 : 10 + levels + 1] if style & 1 else b"\xff" * (levels + 1)
    if len(sizes) <= levels:
        _wrong("ends within a header")
    precincts = sum(
        _along(tiles.width, levels - k, size & 15) * _along(tiles.height, levels - k, size >> 4)
        for k, size in enumerate(sizes)
    )
    packets = layers * tiles.count * precincts
    if packets > MOST_PACKETS:
        _wrong(f"has {packets} packets")
    return True


def _along(length: int, halved: int, exponent: int) -> int:
    """How many precincts at most lie along a side of a resolution, wherever it begins."""
    return (length >> halved >> exponent) + 2


def _tile_part(data: bytes, at: int, tiles: _Tiles) -> tuple[int, int]:
    """Where a tile-part ends, and its tile."""
    header, tile, length = struct.unpack_from(">HHL", data, at + 2)
    end = at + length if length else len(data.rstrip(b"\0").removesuffix(b"\xff\xd9"))
    if header != 10 or tile >= tiles.count or not at + _LONGEST_HEADER < end <= len(data):
        _wrong("is cut, or a tile is described wrongly")
    for start, marker, segment in _jpeg_2000_segments(data[:end], at + _LONGEST_HEADER, _DATA):
        if marker == _CODING:
            _check_coding(segment, tiles)
        elif marker not in (*_PASSED_OVER, _DATA) or start >= end:
            _wrong(f"has the JPEG 2000 marker {marker:04x} in a tile")
    return end, tile


# Transfer syntaxes

_LOSSLESS, _BASELINE, _EXTENDED = 0xC3, 0xC0, 0xC1
_JPEG = "1.2.840.10008.1.2.4."

SYNTAXES: dict[str, _Check] = {
    f"{_JPEG}50": partial(_check_jpeg, frames=(_BASELINE,)),
    f"{_JPEG}51": partial(_check_jpeg, frames=(_BASELINE, _EXTENDED)),
    f"{_JPEG}57": partial(_check_jpeg, frames=(_LOSSLESS,)),
    f"{_JPEG}70": partial(_check_jpeg, frames=(_LOSSLESS,)),
    f"{_JPEG}80": partial(_check_jpeg_ls, lossless=True),
    f"{_JPEG}81": partial(_check_jpeg_ls, lossless=False),
    **{f"{_JPEG}{n}": _check_jpeg_2000 for n in (90, 91, 201, 202, 203)},
}
"""The check of each, by its UID."""

ALWAYS_LOSSY = (f"{_JPEG}50", f"{_JPEG}51")
MAY_BE_LOSSY = (f"{_JPEG}81", f"{_JPEG}91", f"{_JPEG}203")
"""Those that lose something of an image, and those of which the header must say it."""
