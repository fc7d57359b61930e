"""DICOM series in one folder: a classic (single-frame) image file per slice, or one multi-frame.

The grid is made from the positions in the headers; SimpleITK (GDCM) reads the pixels and
applies rescale slope and intercept, slice by slice. ITK's own series reader is not used: it
only warns when a slice is missing, and cuts decimals when the slope differs between slices.
Compressed files are not given to it, but their frame, once it was checked (`frame_pixels`).

Source: DICOM PS3.3, C.7.6.2 (Image Plane Module).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.errors import CentrumError, ImageError
from centrum.geometry import Geometry
from centrum.io import enhanced
from centrum.io.checks import UNREAD_FILES
from centrum.io.dicom_facts import acquisition_note
from centrum.io.dicom_files import DicomFile, choose, unread_beside
from centrum.io.dicom_object import read_object, reading, uid_name
from centrum.io.frame_of_reference import SERIES, frame_note
from centrum.io.frame_pixels import (
    PIXEL_BITS,
    PIXEL_KEYWORDS,
    RESCALE,
    check_rescale,
    frame_pixels,
    pixel_format,
    rescaled,
)
from centrum.io.gzipped import MOST_VOXELS, damaged
from centrum.io.itk import read_file
from centrum.io.lossy import lossy_note
from centrum.io.paths import check_name
from centrum.io.slices import check_grey, check_one_stack, check_placed, stack_geometry
from centrum.provenance import Step, digest, file_digest
from centrum.volume import Volume


def read(folder: Path, part: str | None = None) -> Volume:
    """The volume of one series; see `centrum.io.read_image`."""
    uid, frames = _parts(part)
    files, ignored = choose(folder, uid)
    try:
        if file := _multi_frame(files, frames):
            return enhanced.read(file.path, frames, ignored)
        return _read_series(files, {"ignored_files": ignored, **_unread(folder, uid)})
    except CentrumError as error:
        error.file = error.file or folder.name
        error.add_note(f"while reading the DICOM series in {folder.name}")
        raise


def content_digest(folder: Path, part: str | None = None) -> str:
    """SHA-256 of the files of one series, whatever they are called."""
    uid, frames = _parts(part)
    files, _ = choose(folder, uid)
    if file := _multi_frame(files, frames):
        return enhanced.content_digest(file.path, frames)
    return _files_digest(files)


def _parts(part: str | None) -> tuple[str | None, str | None]:
    """The UID of the series, and the choice of frames, of UID, of CHOICE or of UID,CHOICE."""
    if part is None or "=" not in part:
        return part, None
    uid, comma, rest = part.partition(",")
    return (uid, rest) if comma and "=" not in uid else (None, part)


def _multi_frame(files: list[DicomFile], frames: str | None) -> DicomFile | None:
    """The file that is a whole series, None for a series of single slices.

    Raises
    ------
    ImageError
        There are others beside it ("several-files"); frames are chosen, and there are none.
    """
    found = [file for file in files if file.sop_class in enhanced.SOP_CLASSES]
    if not found and frames:
        raise ImageError(
            f"'{frames}' chooses frames of an enhanced multi-frame file, which the series has not.",
            remedy="Leave it out.",
            code="part-of-image",
        )
    if found and len(files) > 1:
        raise ImageError(
            "Expected one multi-frame file in the series, or one file per slice; found "
            f"{len(found)} multi-frame files of {len(files)}, the first {found[0].name}.",
            remedy="Give the file instead of the folder.",
            code="several-files",
            file=found[0].path,
        )
    return found[0] if found else None


def _files_digest(files: Iterable[DicomFile]) -> str:
    return digest(sorted(file_digest(f.path) for f in files))


def _unread(folder: Path, uid: str | None) -> dict[str, int]:
    found = unread_beside(folder, uid)
    return {UNREAD_FILES: found} if found else {}


def _read_series(files: list[DicomFile], others: Mapping[str, int]) -> Volume:
    for file in files:
        check_name(file.path)
        _check_single_slice(file)
        _check_pixels(file)
    check_one_stack(files)
    files = sorted(files, key=lambda f: f.along_normal)
    geometry, notes = stack_geometry(files)
    array = np.stack([_pixels(file, geometry) for file in files])
    parameters = {"format": "DICOM", "sha256": _files_digest(files), **notes}
    parameters |= frame_note(file.value("FrameOfReferenceUID") for file in files)
    parameters |= {SERIES: digest(files[0].value("SeriesInstanceUID"))}
    parameters |= lossy_note((file.value, file.syntax) for file in files)
    parameters |= others
    parameters |= acquisition_note(files[0].value, files[0].name)
    return Volume(array, geometry, (Step("read", parameters),))


# Checks


def _check_single_slice(file: DicomFile) -> None:
    """Refuses what is not one grey-scale slice with a place in the patient."""
    if file.value("NumberOfFrames") not in (None, 0, 1):
        raise ImageError(
            f"{file.path.name} is a multi-frame file ({file.value('NumberOfFrames')} frames) of "
            f"the kind {uid_name(file.sop_class)}: expected an enhanced MR or CT image, or one "
            "file per slice.",
            remedy="Export the series as classic single-frame DICOM, or convert it to NIfTI or "
            "NRRD.",
            code="multi-frame",
            file=file.path,
        )
    if "MOSAIC" in (file.value("ImageType") or []):
        raise ImageError(
            f"{file.path.name} is a mosaic (all slices tiled in one picture): expected one file "
            "per slice.",
            remedy="Export without mosaic, or convert it to NIfTI.",
            code="mosaic",
            file=file.path,
        )
    check_grey(file)
    check_placed(file, "Rows", "Columns")


def _check_pixels(file: DicomFile) -> None:
    """What GDCM passes over: it reads as many pixels as the header says, whatever there are."""
    width, height = file.size
    bits, samples = file.value("BitsAllocated"), file.value("SamplesPerPixel") or 1
    if bits not in (8, 16, 32) or samples != 1 or width * height > MOST_VOXELS:
        raise damaged(
            file.path, f"it has {width} x {height} pixels of {samples} samples of {bits} bits"
        )
    wanted, found = width * height * bits // 8, file.pixel_bytes
    if found is not None and found not in (wanted, wanted + wanted % 2):
        raise damaged(file.path, f"its header announces {wanted} bytes of pixels, found {found}")
    check_rescale(file.path, *map(file.value, RESCALE))


# Pixels


def _pixels(file: DicomFile, geometry: Geometry) -> NDArray:
    """Rescaled pixels [y, x] of one slice."""
    if not file.is_native:
        return _compressed_pixels(file)
    array = sitk.GetArrayFromImage(read_file(file.path, "GDCMImageIO"))
    if array.shape != (1, *geometry.shape[1:]):
        raise damaged(file.path, f"its pixels are read as {' x '.join(map(str, array.shape))}")
    return array[0]


def _compressed_pixels(file: DicomFile) -> NDArray:
    """Those of a file that GDCM is not given as it is."""
    with reading(file.path):
        found = read_object(file.path, PIXEL_KEYWORDS)
        stored = frame_pixels(found, 1, pixel_format(found, PIXEL_BITS))(0)
    return rescaled(stored, *map(file.value, RESCALE))
