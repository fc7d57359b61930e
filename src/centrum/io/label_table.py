"""The table of label names that TotalSegmentator and Connectome Workbench put into a NIfTI header.

It is XML in a header extension. Workbench gives it the code 30 of Caret, TotalSegmentator the
code 0 of unknown content. A table that cannot be read is none: its numbers then need a scheme.

Sources: nifti1.h, "extended header"; TotalSegmentator, nifti_ext_header.py; Connectome Workbench,
CaretVolumeExtension.
"""

import re
import struct
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring

from centrum.io.segments import MOST_LABELS
from centrum.text import one_line

CODES = (0, 30)

LONGEST = 1 << 20
"""Bytes of a table; TotalSegmentator's has 13 000."""

LONGEST_NAME = 200

_NUMBER = re.compile(r"[0-9]{1,10}")


def label_table(header: bytes, size: int, order: str) -> dict[int, str]:
    """Name of each label, empty where the header has no such table.

    Parameters
    ----------
    header : bytes before the voxels
    size : of the header without extensions, 348 or 540
    order : of its bytes, "<" or ">"

    >>> xml = b'<CaretExtension><Label Key="27"><![CDATA[vertebrae_L5]]></Label></CaretExtension>'
    >>> extension = struct.pack("<2i", 96, 0) + xml.ljust(88, bytes(1))
    >>> label_table(bytes(348) + bytes([1, 0, 0, 0]) + extension, 348, "<")
    {27: 'vertebrae_L5'}
    """
    for content in _extensions(header, size, order):
        if table := _names(content.strip(b"\0 \t\r\n")):
            return table
    return {}


def _extensions(header: bytes, size: int, order: str) -> Iterator[bytes]:
    """Contents of the extensions that may be such a table; a chain that is broken ends."""
    place = size + 4
    if header[size : size + 1] in (b"", b"\0"):
        return
    while place + 8 <= len(header):
        length, code = struct.unpack(f"{order}2i", header[place : place + 8])
        if length < 16 or place + length > len(header):
            return
        if code in CODES and length <= LONGEST:
            yield header[place + 8 : place + length]
        place += length


def _names(xml: bytes) -> dict[int, str]:
    if not xml.startswith(b"<") or b"<CaretExtension" not in xml or b"<!DOCTYPE" in xml:
        return {}
    try:
        root = fromstring(xml)
    except (ParseError, ValueError, LookupError):  # LookupError: an unknown encoding
        return {}
    names: dict[int, str] = {}
    for label in root.iter("Label"):
        key, name = label.get("Key", ""), one_line(_text(label))
        if _NUMBER.fullmatch(key) and int(key) and name and len(name) <= LONGEST_NAME:
            names.setdefault(int(key), name)
    return names if len(names) <= MOST_LABELS else {}


def _text(element: Element) -> str:
    return element.text or ""
