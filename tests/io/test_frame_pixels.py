"""Which fragments of compressed pixels are whose."""

import struct
from pathlib import Path
from unittest.mock import Mock

import pytest

from centrum.errors import ImageError
from centrum.io.frame_pixels import _joined


def items(*contents: bytes) -> Mock:
    """An object whose pixels are an offset table and fragments."""
    mark = b"\xfe\xff\x00\xe0"
    packed = b"".join(mark + struct.pack("<L", len(each)) + each for each in contents)
    return Mock(pixels=packed + b"\xfe\xff\xdd\xe0\0\0\0\0", path=Path("a.dcm"))


@pytest.mark.parametrize("padding", [b"", b"\0", b"\0\0"])
def test_offsets_are_whole_numbers_of_four_bytes(padding: bytes) -> None:
    """Two fragments of 4 and 2 bytes are the first frame; what is left of the table is none."""
    table = struct.pack("<LL", 0, 22) + padding
    found = items(table, b"abcd", b"ef", b"gh")
    assert _joined(found, 2) == [b"abcdef", b"gh"]


def test_without_offsets_each_fragment_is_a_frame_or_all_are_one() -> None:
    found = items(b"", b"ab", b"cd", b"ef")
    assert _joined(found, 3) == [b"ab", b"cd", b"ef"]
    assert _joined(found, 1) == [b"abcdef"]
    with pytest.raises(ImageError, match="of 3 fragments of compressed data, at 1 offsets"):
        _joined(found, 2)


@pytest.mark.parametrize("offsets", [(10, 22), (0, 23), (22, 0), (0, 0), (0, 12, 22)])
def test_offsets_that_are_none_of_fragments_are_refused(offsets: tuple[int, ...]) -> None:
    table = struct.pack(f"<{len(offsets)}L", *offsets)
    with pytest.raises(ImageError, match="announces 2 frames"):
        _joined(items(table, b"abcd", b"ef", b"gh"), 2)
