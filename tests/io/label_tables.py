"""NIfTI files with a table of label names in their header, as TotalSegmentator writes it."""

import struct
from collections.abc import Mapping
from pathlib import Path

HEADER = 348


def caret_xml(names: Mapping[int, str]) -> bytes:
    """As of its `add_label_map_to_nifti`, nifti_ext_header.py."""
    body = "".join(
        f'<Label Key="{n}" Red="1.0" Green="0.0" Blue="0.5" Alpha="1"><![CDATA[{name}]]></Label>\n'
        for n, name in names.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>  '
        "<Date><![CDATA[2013-07-14T05:45:09]]></Date>   "
        f'<VolumeInformation Index="0">   <LabelTable>\n{body}\n  </LabelTable>  '
        "<StudyMetaDataLinkSet>  </StudyMetaDataLinkSet>  "
        "<VolumeType><![CDATA[Label]]></VolumeType>   </VolumeInformation></CaretExtension>"
        "\n              "
    ).encode()


def extension(content: bytes, code: int = 0, length: int | None = None) -> bytes:
    """A header extension, padded to a multiple of 16 bytes."""
    padded = content.ljust(-(-(len(content) + 8) // 16) * 16 - 8, b"\0")
    return struct.pack("<2i", length or len(padded) + 8, code) + padded


def insert(path: Path, extensions: bytes) -> Path:
    """Put extensions into an uncompressed single file that has none."""
    data = bytearray(path.read_bytes())
    (offset,) = struct.unpack("<f", data[108:112])
    data[HEADER : HEADER + 4] = bytes([1, 0, 0, 0])
    data[108:112] = struct.pack("<f", offset + len(extensions))
    data[int(offset) : int(offset)] = extensions
    path.write_bytes(data)
    return path
