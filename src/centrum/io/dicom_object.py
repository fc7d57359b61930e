"""One DICOM file that is an object of its own: the entries that are asked for, and its pixels.

pydicom reads it, from bytes that are read once. It makes an object of every item of a sequence, and
reads as many as there are: how many there can be is looked at before.

Source: DICOM PS3.5 (encoding), PS3.10, 7.1 (file meta information).
"""

import hashlib
import warnings
import zlib
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centrum.errors import CentrumError, ImageError
from centrum.io.codestream import SYNTAXES
from centrum.io.gzipped import damaged

if TYPE_CHECKING:
    import pydicom

LARGEST_HEADER = 1 << 26
"""Bytes before the pixels. A segmentation has 700 for each frame: this is enough for 90 000."""

MOST_ITEMS = 1 << 18
"""Items of sequences, and sequences with an end mark, of which pydicom reads 30 000 in a second.

A frame of a segmentation has about eight items, a contour two: this is enough for 32 000 frames, or
131 000 contours. A hundred organs in 300 slices each have 30 000."""

LARGEST_INFLATED = 1 << 29
"""Bytes of a file that is compressed with its header, once they are unpacked."""

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED, RLE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
READ_SYNTAXES = (IMPLICIT, EXPLICIT, DEFLATED, RLE, *SYNTAXES)
"""UIDs of the transfer syntaxes that are read; the others are big-endian or need a library."""

WITHOUT_PIXELS = (IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED)
"""Those of an object that has no pixels."""

_META_STARTS, _LONGEST_META = 132, 1 << 16
_META_GROUP, _PIXEL_DATA = 2, 0x7FE00010
_ITEM = {True: b"\xfe\xff\x00\xe0", False: b"\xff\xfe\xe0\x00"}
_SEQUENCE_END = {True: b"\xfe\xff\xdd\xe0", False: b"\xff\xfe\xe0\xdd"}
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, eq=False)
class DicomObject:
    """What is read of a DICOM file.

    Attributes
    ----------
    path : where it is
    header : the entries that were asked for
    pixels : the value of Pixel Data, items and all where it is compressed; empty without
    syntax : UID of the transfer syntax
    sha256 : digest of the file
    """

    path: Path
    header: "pydicom.Dataset"
    pixels: bytes
    syntax: str
    sha256: str

    @property
    def is_compressed(self) -> bool:
        """Whether the pixels are, and not the whole file."""
        return self.syntax != DEFLATED and not is_native(self.syntax)


def is_native(syntax: str) -> bool:
    """Whether nothing of a file in a transfer syntax is compressed."""
    return syntax in (IMPLICIT, EXPLICIT, BIG_ENDIAN)


def sop_class(path: Path) -> str:
    """The UID of what kind of object a DICOM file holds, "" where it does not say it.

    Raises
    ------
    ImageError
        The file meta information is damaged.
    """
    with path.open("rb") as stream:
        meta, _ = _meta(path, stream.read(_LONGEST_META))
    return str(meta.get("MediaStorageSOPClassUID", ""))


def read_object(
    path: Path, keywords: Iterable[str], *, without_pixels: int | None = None
) -> DicomObject:
    """Read a DICOM file, of its header the entries with these keywords.

    Parameters
    ----------
    without_pixels : the most bytes that a file may have of which all is header

    Raises
    ------
    ImageError
        The file is damaged, larger than the limits of this module or `without_pixels`
        ("too-large"), or in a transfer syntax that is not read ("transfer-syntax").
    """
    _check_size(path, without_pixels)
    data = path.read_bytes()
    meta, start = _meta(path, data[:_LONGEST_META])
    syntax = str(meta.get("TransferSyntaxUID", ""))
    known = READ_SYNTAXES if without_pixels is None else WITHOUT_PIXELS
    if syntax not in known:
        raise _other_syntax(path, syntax, known)
    sha256 = hashlib.sha256(data).hexdigest()
    if syntax == DEFLATED:
        data, start = _inflated(path, data[start:]), 0
    _check_items(path, data, syntax != BIG_ENDIAN)
    end = start + LARGEST_HEADER if without_pixels is None else len(data)
    header, pixels = _read(path, data, slice(start, end), syntax, list(keywords))
    return DicomObject(path, header, pixels, syntax, sha256)


def _check_size(path: Path, largest: int | None) -> None:
    size = path.stat().st_size
    if largest is not None and size > largest:
        raise ImageError(
            f"{path.name} has {size} bytes: of its kind no file of more than {largest} is read.",
            remedy="Export it with less in it, or leave it out.",
            code="too-large",
            file=path,
        )


def _meta(path: Path, data: bytes) -> "tuple[pydicom.Dataset, int]":
    """The file meta information, and where it ends."""
    stream = BytesIO(data)
    stream.seek(_META_STARTS)
    with reading(path):
        meta = _entries(stream, False, True, stop_when=lambda tag, *_: tag >> 16 != _META_GROUP)
        return meta, stream.tell()


def check_inflated(path: Path) -> None:
    """Refuses a file that is compressed with its header, and damaged or too large.

    Raises
    ------
    ImageError
        As it says.
    """
    data = path.read_bytes()
    _, start = _meta(path, data[:_LONGEST_META])
    _inflated(path, data[start:])


def _inflated(path: Path, data: bytes) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    with reading(path):
        found = unpacker.decompress(data, LARGEST_INFLATED)
    if not unpacker.eof:
        raise damaged(path, f"it unpacks to more than {LARGEST_INFLATED} bytes, or has no end")
    return found


def most_made(data: bytes, *, little: bool = True) -> int:
    """How many items, or sequences with an end mark, pydicom will make objects of at most."""
    return max(data.count(_ITEM[little]), data.count(_SEQUENCE_END[little]))


def _check_items(path: Path, data: bytes, little: bool) -> None:
    found = most_made(data, little=little)
    if found > MOST_ITEMS:
        raise damaged(path, f"its sequences have some {found} items")


def _read(
    path: Path, data: bytes, where: slice, syntax: str, keywords: Iterable[str]
) -> "tuple[pydicom.Dataset, bytes]":
    """The header, and the pixels behind it."""
    from pydicom.datadict import tag_for_keyword

    tags = list(filter(None, map(tag_for_keyword, keywords)))
    stream = BytesIO(data[: where.stop])
    stream.seek(where.start)
    encoding = syntax == IMPLICIT, syntax != BIG_ENDIAN
    with reading(path):
        header = _entries(stream, *encoding, stop_when=_are_pixels, specific_tags=tags)
        behind, encoding = BytesIO(data), header.original_encoding
        behind.seek(stream.tell())
        # Not at the top level: there pydicom may take the length of the pixels for their kind.
        rest = _entries(behind, *encoding, specific_tags=[_PIXEL_DATA], at_top_level=False)
        pixels = rest[_PIXEL_DATA].value if _PIXEL_DATA in rest else b""
    if not isinstance(pixels, bytes):
        raise damaged(path, "its pixels are no bytes")
    return header, pixels


def _entries(stream: BytesIO, *encoding: bool, **options: Any) -> "pydicom.Dataset":
    """The entries from here; each is converted, so that a damaged one is found now."""
    from pydicom.filereader import read_dataset

    found = read_dataset(stream, *encoding, **options)
    if not is_whole(found):
        raise EOFError("a value is shorter than it says")
    list(found)
    return found


def is_whole(dataset: "pydicom.Dataset") -> bool:
    """Whether no value is shorter than it says, which pydicom passes over."""
    from pydicom.dataelem import RawDataElement

    raw = (e for e in dataset.elements() if isinstance(e, RawDataElement))
    return all(e.length in (_UNDEFINED, len(e.value or b"")) for e in raw)


def _are_pixels(tag: int, *_: object) -> bool:
    return tag == _PIXEL_DATA


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Within it the values of a DICOM file may be read, items of sequences too.

    Whatever pydicom stumbles over is damage, for which it has no error of its own. What it would
    only warn of does not matter, or leaves something out that is missed later.
    """
    from pydicom import config

    with config.disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (CentrumError, MemoryError):
            raise
        except Exception as error:
            why = f"its DICOM data cannot be read ({type(error).__name__})"
            raise damaged(path, why) from error


def entry(header: "pydicom.Dataset", keyword: str) -> Any:
    """An entry as plain Python numbers or text, None if absent or empty."""
    value = header.get(keyword)
    if value is None or value == "":
        return None
    if isinstance(value, MutableSequence):
        return [_plain(v) for v in value]
    return _plain(value)


def items(dataset: "pydicom.Dataset", keyword: str) -> "Sequence[pydicom.Dataset]":
    """The items of a sequence, none if it is absent or another kind of value."""
    from pydicom import Sequence as Items

    found = dataset.get(keyword)
    return found if isinstance(found, Items) else []


def _plain(value: Any) -> Any:
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def uid_name(uid: str) -> str:
    """What the standard calls a UID, to print in messages; "unknown" for one that it does not know.

    >>> uid_name("1.2.840.10008.5.1.4.1.1.481.3"), uid_name("1.2.3")
    ('RT Structure Set Storage', 'unknown')
    """
    from pydicom.uid import UID_dictionary

    return UID_dictionary[uid][0] if uid in UID_dictionary else "unknown"


def _other_syntax(path: Path, syntax: str, known: Iterable[str]) -> ImageError:
    return ImageError(
        f"{path.name} has the transfer syntax {uid_name(syntax)}; those that are read are "
        f"{', '.join(map(uid_name, known))}.",
        remedy="Save it uncompressed (Explicit VR Little Endian).",
        code="transfer-syntax",
        file=path,
    )
