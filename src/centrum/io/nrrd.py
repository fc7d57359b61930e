"""NRRD files (.nrrd, .nhdr), also as 3D Slicer writes them (.seg.nrrd).

Source: https://teem.sourceforge.net/nrrd/format.html. SimpleITK reads the voxels, turns
the axes to LPS, and raises on a file that ends too early.
"""

import re
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from centrum.errors import ImageError
from centrum.geometry import Geometry
from centrum.io.itk import geometry_of, read_file
from centrum.provenance import digest, file_digest

MAGIC = b"NRRD"

_DATA_FILE = re.compile(rb"^data ?file: *([^\r\n]+)", re.MULTILINE)


def read(path: Path) -> tuple[sitk.Image, Geometry, dict[str, Any]]:
    """Image, grid and notes for the history."""
    image = read_file(path, "NrrdImageIO")
    return image, geometry_of(image, path), {"format": "NRRD"}


def content_digest(path: Path) -> str:
    """SHA-256 of the file, together with the file of voxels that a detached header names."""
    with path.open("rb") as stream:
        header = stream.read(1 << 16).split(b"\n\n")[0].split(b"\r\n\r\n")[0]
    named = _DATA_FILE.search(header)
    if named is None:
        return file_digest(path)
    data = path.parent / named.group(1).decode().strip()
    if not data.is_file():
        raise ImageError(
            f"{path.name} keeps its voxels in '{data.name}', which is not a single file beside "
            "it. Copy that file too, or save the image as one .nrrd file."
        )
    return digest([file_digest(path), file_digest(data)])
