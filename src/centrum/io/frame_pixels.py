"""The pixels of DICOM objects, one frame at a time: packed bits, whole numbers, compressed ones.

Frames of bits follow each other without a gap, so that one may begin within a byte. What the header
announces is held against the bytes that there are before any of them is unpacked.

Source: DICOM PS3.5, 8.1.1 and annex A.4 (native and encapsulated pixel data), annex G (RLE).
"""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags
from centrum.errors import ImageError
from centrum.io.codestream import Contradiction, PixelFormat
from centrum.io.dicom_object import RLE, DicomObject, entry, reading
from centrum.io.gdcm import decode_frame
from centrum.io.gzipped import damaged

PIXEL_KEYWORDS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)
"""The entries that say what the pixels are."""

PIXEL_BITS = (8, 16, 32)
"""Bits of the pixels of images."""

RESCALE = ("RescaleSlope", "RescaleIntercept")
"""The entries that make numbers in units of stored values."""

LARGEST_FRAME = 1 << 24
"""Pixels of a frame, 4096 x 4096: compressed ones can become 65 times as long as they are."""

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_MARK = 8
"""Bytes of the tag and the length of an item."""

Frames = Callable[[int], NDArray]
"""The pixels [y, x] of the frame with a number from 0."""


def pixel_format(found: DicomObject, wanted: Iterable[int]) -> PixelFormat:
    """What the header says of the pixels, of which each has a number of bits that is wanted.

    Raises
    ------
    ImageError
        It has other bits, or several samples; the size of a frame is missing, or too large.
    """
    rows, columns, samples, bits, stored, high, signed = (
        entry(found.header, keyword) for keyword in PIXEL_KEYWORDS
    )
    sized = all(type(number) is int and number > 0 for number in (columns, rows))
    if not sized or columns * rows > LARGEST_FRAME:
        raise damaged(found.path, f"its frames have {columns} x {rows} pixels")
    stored = bits if stored is None else stored
    # What lies above the highest bit, or below the lowest, is something else.
    lowest = high is None or high == stored - 1
    whole = type(stored) is int and 0 < stored <= (bits or 0) and signed in (None, 0, 1)
    if bits not in wanted or samples not in (None, 1) or not whole or not lowest:
        raise _other_pixels(found, wanted)
    return PixelFormat(columns, rows, bits, stored, bool(signed))


def plain_format(found: DicomObject, wanted: Iterable[int]) -> PixelFormat:
    """As `pixel_format`, of pixels that use all their bits, and have no sign.

    Raises
    ------
    ImageError
        They are others.
    """
    pixels = pixel_format(found, wanted)
    if pixels.signed or pixels.stored != pixels.bits:
        raise _other_pixels(found, wanted, " without a sign")
    return pixels


def _other_pixels(found: DicomObject, wanted: Iterable[int], sign: str = "") -> ImageError:
    samples, bits, stored, high, signed = (entry(found.header, k) for k in PIXEL_KEYWORDS[2:])
    return damaged(
        found.path,
        f"its pixels have {samples} samples of {stored} bits in {bits}, the highest {high}, signed "
        f"{signed}; expected one of {' or '.join(map(str, wanted))} bits{sign}",
    )


def frame_pixels(found: DicomObject, count: int, pixels: PixelFormat) -> Frames:
    """The frames of an object that announces `count` of them: stored values, or flags.

    Raises
    ------
    ImageError
        There are fewer or more bytes than frames; compressed bits ("transfer-syntax"). Each
        frame: its compressed data contradict the header, or cannot be decoded.
    """
    if found.is_compressed:
        return _of_compressed(found, count, pixels)
    return (_of_bits if pixels.bits == 1 else _of_numbers)(found, count, pixels)


def _of_bits(found: DicomObject, count: int, pixels: PixelFormat) -> Frames:
    shape, size = (pixels.rows, pixels.columns), pixels.rows * pixels.columns
    _check_length(found, -(-count * size // 8))
    packed = np.frombuffer(found.pixels, np.uint8)

    def frame(k: int) -> Flags:
        first, within = divmod(k * size, 8)
        part = packed[first : first + -(-(within + size) // 8)]
        flags = np.unpackbits(part, bitorder="little")[within : within + size]
        return flags.view(np.bool_).reshape(shape)

    return frame


def _of_numbers(found: DicomObject, count: int, pixels: PixelFormat) -> Frames:
    shape = (count, pixels.rows, pixels.columns)
    _check_length(found, math.prod(shape) * pixels.bits // 8)
    kind = number_type(pixels).newbyteorder("<")
    numbers = np.frombuffer(found.pixels, kind, math.prod(shape)).reshape(shape)
    return lambda k: _without_unused(numbers[k], pixels)


def number_type(pixels: PixelFormat) -> np.dtype[Any]:
    """The type of stored values.

    >>> number_type(PixelFormat(4, 4, 16, 12, signed=True))
    dtype('int16')
    """
    return np.dtype(f"{'i' if pixels.signed else 'u'}{pixels.bits // 8}")


def _without_unused(numbers: NDArray, pixels: PixelFormat) -> NDArray:
    """The values alone, of pixels in whose upper bits anything may stand."""
    unused = pixels.bits - pixels.stored
    return numbers << unused >> unused if unused else numbers


def _check_length(found: DicomObject, wanted: int) -> None:
    if len(found.pixels) not in (wanted, wanted + wanted % 2):
        raise damaged(
            found.path, f"its header announces {wanted} bytes of pixels, found {len(found.pixels)}"
        )


def check_rescale(path: Path, slope: Any, intercept: Any) -> None:
    """Refuses a slope and an intercept that are no numbers, or make all pixels the same.

    Raises
    ------
    ImageError
        "damaged-file". None is no scaling.
    """
    if not all(value is None or _is_number(value) for value in (slope, intercept)) or slope == 0:
        raise damaged(path, f"its pixels are scaled by {slope!r} and {intercept!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))


def rescaled(stored: NDArray, slope: float | None, intercept: float | None) -> NDArray:
    """Stored values times the slope plus the intercept, whole where both are.

    >>> rescaled(np.array([0, 9], "u2"), 2, -7), rescaled(np.array([0, 9], "u2"), 0.5, None)
    (array([-7, 11], dtype=int32), array([0. , 4.5]))
    """
    slope, intercept = 1 if slope is None else slope, intercept or 0
    if slope == 1 and intercept == 0:
        return stored
    values = stored * float(slope) + float(intercept)
    whole = float(slope).is_integer() and float(intercept).is_integer()
    fits = whole and np.abs(values).max(initial=0) < 1 << 31
    return values.astype(np.int32) if fits else values


# Compressed


def _of_compressed(found: DicomObject, count: int, pixels: PixelFormat) -> Frames:
    if pixels.bits not in (PIXEL_BITS if found.syntax == RLE else (8, 16)):
        raise _other_bits(found, pixels.bits)
    packed = _packed_frames(found, count, pixels)
    kind, shape = number_type(pixels), (pixels.rows, pixels.columns)

    def frame(k: int) -> NDArray:
        try:
            array = _unpacked(found, packed[k], pixels)
        except Contradiction as why:
            raise damaged(found.path, f"its frame {k + 1} {why}") from why
        if array.shape != shape or array.dtype != kind:
            raise damaged(found.path, f"its frame {k + 1} is read as {array.shape} {array.dtype}")
        return array

    return frame


def _unpacked(found: DicomObject, data: bytes, pixels: PixelFormat) -> NDArray:
    if found.syntax == RLE:
        return _without_unused(_of_rle(found.path, data, pixels), pixels)
    return decode_frame(data, found.syntax, pixels)


def _of_rle(path: Path, data: bytes, pixels: PixelFormat) -> NDArray:
    """pydicom is as fast as GDCM there, and cannot write where it may not."""
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder

    said = {
        "rows": pixels.rows,
        "columns": pixels.columns,
        "samples_per_pixel": 1,
        "bits_allocated": pixels.bits,
        "bits_stored": pixels.bits,
        "pixel_representation": int(pixels.signed),
        "photometric_interpretation": "MONOCHROME2",
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
    }
    with reading(path):
        decoder = get_decoder(RLE)
        return decoder.as_array(encapsulate([data]), decoding_plugin="pydicom", **said)[0]


def _other_bits(found: DicomObject, bits: int) -> ImageError:
    what = "packed bits" if bits == 1 else f"pixels of {bits} bits"
    return ImageError(
        f"{found.path.name} has {what} that are compressed: they are not read.",
        remedy="Save it uncompressed (Explicit VR Little Endian).",
        code="transfer-syntax",
        file=found.path,
    )


def _packed_frames(found: DicomObject, count: int, pixels: PixelFormat) -> list[bytes]:
    """The bytes of each frame; none is longer than an encoder can make it."""
    packed = _joined(found, count)
    most = pixels.rows * pixels.columns * pixels.bits // 8
    if max(map(len, packed)) > most + most // 4 + 1024:
        raise damaged(found.path, f"a frame is longer compressed than its {most} bytes can be")
    return packed


def _joined(found: DicomObject, count: int) -> list[bytes]:
    """The fragments of each frame, joined: one fragment, or those that the offsets give it."""
    (_, table), *rest = _fragments(found)
    starts = [start for start, _ in rest]
    offsets = np.frombuffer(table[: len(table) // 4 * 4], "<u4").tolist()
    if not offsets:
        offsets = starts if len(rest) == count else starts[:1]
    firsts = [starts.index(each) for each in offsets if each in starts]
    told = len(firsts) == len(offsets) == count and firsts[0] == 0
    if not told or firsts != sorted(set(firsts)):
        raise damaged(
            found.path,
            f"its header announces {count} frames; of {len(rest)} fragments of compressed data, at "
            f"{len(offsets)} offsets, nothing says which are whose",
        )
    parts = [data for _, data in rest]
    return [b"".join(parts[a:b]) for a, b in pairwise([*firsts, len(parts)])]


def _fragments(found: DicomObject) -> list[tuple[int, bytes]]:
    """The items of compressed pixels, and where each begins behind the first, the offset table."""
    data, at, items = found.pixels, 0, list[tuple[int, bytes]]()
    while at < len(data) and not data.startswith(_END, at):
        length = int.from_bytes(data[at + 4 : at + _MARK], "little")
        end = at + _MARK + length
        if not data.startswith(_ITEM, at) or end > len(data):
            raise damaged(found.path, "its compressed pixels are no row of items")
        behind_table = at - _MARK - len(items[0][1]) if items else 0
        items.append((behind_table, data[at + _MARK : end]))
        at = end
    if not items:
        raise damaged(found.path, "it has no pixels")
    return items
