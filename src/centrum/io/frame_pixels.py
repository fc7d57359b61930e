"""The pixels of multi-frame DICOM objects, one frame at a time: packed bits, whole numbers, RLE.

Frames of bits follow each other without a gap, so that one may begin within a byte. What the header
announces is held against the bytes that there are before any of them is unpacked.

Source: DICOM PS3.5, 8.1.1 and annex A.4 (native and encapsulated pixel data), annex G (RLE).
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags
from centrum.errors import ImageError
from centrum.io.dicom_files import entry
from centrum.io.dicom_object import RLE, DicomObject, reading
from centrum.io.gzipped import damaged

PIXEL_KEYWORDS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)
"""The entries that say what the pixels are."""

LARGEST_FRAME = 1 << 24
"""Pixels of a frame, 4096 x 4096: compressed ones can become 65 times as long as they are."""

KINDS = {1: np.bool_, 8: np.uint8, 16: np.uint16}
"""Types of pixels by their bits; all are positive whole numbers."""

Frames = Callable[[int], NDArray]
"""The pixels [y, x] of the frame with a number from 0."""


def frame_size(found: DicomObject) -> tuple[int, int]:
    """Columns and rows of a frame.

    Raises
    ------
    ImageError
        They are missing, or too many.
    """
    columns, rows = (entry(found.header, keyword) for keyword in ("Columns", "Rows"))
    whole = all(type(number) is int and number > 0 for number in (columns, rows))
    if not whole or columns * rows > LARGEST_FRAME:
        raise damaged(found.path, f"its frames have {columns} x {rows} pixels")
    return columns, rows


def pixel_bits(found: DicomObject, wanted: Iterable[int]) -> int:
    """How many bits a pixel has, one of those that are wanted.

    Raises
    ------
    ImageError
        It has other bits, some that are not used, a sign or several samples.
    """
    samples, bits, stored, signed = (entry(found.header, k) for k in PIXEL_KEYWORDS[2:])
    if bits not in wanted or stored not in (None, bits) or samples not in (None, 1) or signed:
        raise damaged(
            found.path,
            f"its pixels have {samples} samples of {stored} bits in {bits}, signed {signed}; "
            f"expected one of {' or '.join(map(str, wanted))} bits without a sign",
        )
    return int(bits)


def frame_pixels(found: DicomObject, count: int, bits: int) -> Frames:
    """The frames of an object that announces `count` of them, with pixels of 1, 8 or 16 bits.

    Raises
    ------
    ImageError
        There are fewer or more bytes than frames; compressed bits ("transfer-syntax").
    """
    columns, rows = frame_size(found)
    unpacked = _of_rle if found.is_rle else _of_bits if bits == 1 else _of_numbers
    return unpacked(found, (count, rows, columns), bits)


def _of_bits(found: DicomObject, shape: tuple[int, int, int], bits: int) -> Frames:
    _check_length(found, -(-int(np.prod(shape)) // 8))
    packed, size = np.frombuffer(found.pixels, np.uint8), shape[1] * shape[2]

    def frame(k: int) -> Flags:
        first, within = divmod(k * size, 8)
        part = packed[first : first + -(-(within + size) // 8)]
        flags = np.unpackbits(part, bitorder="little")[within : within + size]
        return flags.view(np.bool_).reshape(shape[1:])

    return frame


def _of_numbers(found: DicomObject, shape: tuple[int, int, int], bits: int) -> Frames:
    _check_length(found, int(np.prod(shape)) * bits // 8)
    kind = np.dtype(KINDS[bits]).newbyteorder("<")
    numbers = np.frombuffer(found.pixels, kind, int(np.prod(shape))).reshape(shape)
    return lambda k: numbers[k]


def _check_length(found: DicomObject, wanted: int) -> None:
    if len(found.pixels) not in (wanted, wanted + wanted % 2):
        raise damaged(
            found.path, f"its header announces {wanted} bytes of pixels, found {len(found.pixels)}"
        )


def _of_rle(found: DicomObject, shape: tuple[int, int, int], bits: int) -> Frames:
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder

    if bits == 1:
        raise _rle_of_bits(found)
    packed, decoder = _packed_frames(found, shape, bits), get_decoder(RLE)
    said = _said(shape, bits)

    def frame(k: int) -> NDArray:
        with reading(found.path):
            return decoder.as_array(encapsulate([packed[k]]), decoding_plugin="pydicom", **said)[0]

    return frame


def _said(shape: tuple[int, int, int], bits: int) -> dict[str, Any]:
    """What pydicom must be told of one frame."""
    return {
        "rows": shape[1],
        "columns": shape[2],
        "samples_per_pixel": 1,
        "bits_allocated": bits,
        "bits_stored": bits,
        "pixel_representation": 0,
        "photometric_interpretation": "MONOCHROME2",
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
    }


def _rle_of_bits(found: DicomObject) -> ImageError:
    return ImageError(
        f"{found.path.name} has packed bits that are compressed (RLE Lossless): they are not read.",
        remedy="Save it uncompressed (Explicit VR Little Endian).",
        code="transfer-syntax",
        file=found.path,
    )


def _packed_frames(found: DicomObject, shape: tuple[int, int, int], bits: int) -> list[bytes]:
    """The bytes of each frame; none is longer than an encoder can make it."""
    from pydicom.encaps import generate_frames

    count, most = shape[0], shape[1] * shape[2] * bits // 8
    with reading(found.path):
        packed = list(generate_frames(found.pixels, number_of_frames=count))
    if len(packed) != count:
        raise damaged(found.path, f"its header announces {count} frames, found {len(packed)}")
    if max(map(len, packed)) > most + most // 64 + 1024:
        raise damaged(found.path, f"a frame is longer compressed than its {most} bytes can be")
    return packed
