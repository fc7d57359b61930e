"""NRRD files (.nrrd, .nhdr), also as 3D Slicer writes them (.seg.nrrd).

Source: https://teem.sourceforge.net/nrrd/format.html. SimpleITK reads the voxels, turns
the axes to LPS, and raises on a file that ends too early; it ignores the checksum of
compressed voxels, which is verified here.
"""

import gzip
import re
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from centrum.errors import ImageError
from centrum.geometry import Geometry
from centrum.io.gzipped import damage_named, rest_length
from centrum.io.itk import geometry_of, read_file
from centrum.provenance import digest, file_digest

MAGIC = b"NRRD"

_DATA_FILE = re.compile(rb"^data ?file: *([^\r\n]+)", re.MULTILINE)
_GZIP_ENCODING = re.compile(rb"^encoding: *gz(ip)?\s*$", re.MULTILINE)
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_LONGEST_HEADER = 1 << 20


SIMULATED_KEY = "centrum_simulated"
"""Header key of simulated images and masks; the reading step then says so wherever they go."""


def read(path: Path) -> tuple[sitk.Image, Geometry, dict[str, Any]]:
    """Image, grid and notes for the history."""
    _check_checksum(path)
    image = read_file(path, "NrrdImageIO")
    simulated = {"simulated": True} if image.HasMetaDataKey(SIMULATED_KEY) else {}
    return image, geometry_of(image, path), {"format": "NRRD", **simulated}


def content_digest(path: Path) -> str:
    """SHA-256 of the file, together with the file of voxels that a detached header names."""
    named = _DATA_FILE.search(_header(path)[0])
    if named is None:
        return file_digest(path)
    data = path.parent / named.group(1).decode().strip()
    if not data.is_file():
        raise ImageError(
            f"{path.name} keeps its voxels in '{data.name}', which is not a single file beside "
            "it. Copy that file too, or save the image as one .nrrd file."
        )
    return digest([file_digest(path), file_digest(data)])


def _header(path: Path) -> tuple[bytes, int]:
    """The header, and where the voxels begin behind it."""
    with path.open("rb") as stream:
        start = stream.read(_LONGEST_HEADER)
    end = _END_OF_HEADER.search(start)
    return (start[: end.start()], end.end()) if end else (start, len(start))


def _check_checksum(path: Path) -> None:
    """Refuses compressed voxels that are cut short or changed (in the same file only)."""
    header, end = _header(path)
    if _GZIP_ENCODING.search(header) is None or _DATA_FILE.search(header):
        return
    with damage_named(path), path.open("rb") as stream:
        stream.seek(end)
        with gzip.open(stream) as voxels:
            rest_length(voxels)
