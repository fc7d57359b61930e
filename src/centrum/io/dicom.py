"""DICOM series: one classic (single-frame) image file per slice, in one folder.

The grid is made from the positions in the headers; SimpleITK (GDCM) decodes the pixels and
applies rescale slope and intercept, slice by slice. ITK's own series reader is not used: it
only warns when a slice is missing, and cuts decimals when the slope differs between slices.

Source: DICOM PS3.3, C.7.6.2 (Image Plane Module).
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.arrays import Floats
from centrum.errors import CentrumError, ImageError
from centrum.geometry import Geometry
from centrum.io.checks import NOTES
from centrum.io.dicom_files import (
    ACQUISITION_FACTS,
    DISTINGUISHING,
    IMAGE_PLANE,
    DicomFile,
    choose,
)
from centrum.io.facts import NUMBERS, read_facts
from centrum.io.frame_of_reference import SERIES, frame_note
from centrum.io.gzipped import MOST_VOXELS, damaged
from centrum.io.itk import read_file
from centrum.io.paths import check_name
from centrum.io.weighting import DESCRIPTIONS, described_weighting
from centrum.provenance import Step, digest, file_digest
from centrum.volume import Volume

SLICE_TOLERANCE_MM = 0.05
"""Largest accepted distance of a slice from its place on an evenly spaced stack.

Positions rounded to two decimals stay far below it; on a 4.4 mm step it is 1 %.
"""

DIRECTION_TOLERANCE = 1e-4
"""Largest accepted difference of a direction cosine between slices: 0.03 mm over 300 mm."""

SPACING_TOLERANCE = 1e-4
"""Largest accepted relative difference of the pixel spacing between slices."""

MISSING_SLICE_RATIO = 1.5
"""A step between slices that is this many times the median step lacks a slice."""


def read(folder: Path, uid: str | None = None) -> Volume:
    """The volume of one series; see `centrum.io.read_image`."""
    files, ignored = choose(folder, uid)
    try:
        return _read_series(files, ignored)
    except CentrumError as error:
        error.file = error.file or folder.name
        error.add_note(f"while reading the DICOM series in {folder.name}")
        raise


def content_digest(folder: Path, uid: str | None = None) -> str:
    """SHA-256 of the files of one series, whatever they are called."""
    files, _ = choose(folder, uid)
    return _files_digest(files)


def _files_digest(files: Iterable[DicomFile]) -> str:
    return digest(sorted(file_digest(f.path) for f in files))


def _read_series(files: list[DicomFile], ignored: int) -> Volume:
    for file in files:
        check_name(file.path)
        _check_single_slice(file)
        _check_pixels(file)
    _check_one_orientation(files)
    _check_constant(files)
    files = sorted(files, key=lambda f: f.along_normal)
    geometry, notes = _geometry(files)
    array = np.stack([_pixels(file, geometry) for file in files])
    parameters = {"format": "DICOM", "sha256": _files_digest(files), **notes}
    parameters |= frame_note(file.value("FrameOfReferenceUID") for file in files)
    parameters |= {SERIES: digest(files[0].value("SeriesInstanceUID"))}
    parameters |= {"ignored_files": ignored, **_facts(files[0])}
    return Volume(array, geometry, (Step("read", parameters),))


# Checks


def _check_single_slice(file: DicomFile) -> None:
    """Refuses what is not one grey-scale slice with a place in the patient."""
    if file.value("NumberOfFrames") not in (None, 0, 1):
        raise ImageError(
            f"{file.path.name} is an enhanced multi-frame file ({file.value('NumberOfFrames')} "
            "frames): expected one file per slice.",
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
    if file.value("PhotometricInterpretation") != "MONOCHROME2":
        raise ImageError(
            f"{file.path.name} has the photometric interpretation "
            f"{file.value('PhotometricInterpretation')}: expected MONOCHROME2 (one number "
            "per pixel, high is bright).",
            remedy="Remove screenshots and inverted images from the series.",
            code="photometric-interpretation",
            file=file.path,
        )
    missing = [k for k in IMAGE_PLANE if not file.places(k)]
    missing += [k for k in ("Rows", "Columns") if type(file.value(k)) is not int]
    if missing:
        raise ImageError(
            f"{file.path.name} lacks a readable {', '.join(missing)}: its place in the patient "
            "is unknown.",
            remedy="Export the original series again, or remove the file from the folder.",
            code="no-position",
            file=file.path,
        )


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
    slope, intercept = file.value("RescaleSlope"), file.value("RescaleIntercept")
    if not all(value is None or _is_number(value) for value in (slope, intercept)) or slope == 0:
        raise damaged(file.path, f"its pixels are scaled by {slope!r} and {intercept!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))


def _check_one_orientation(files: list[DicomFile]) -> None:
    def near(a: DicomFile, b: DicomFile) -> bool:
        gap = a.vector("ImageOrientationPatient") - b.vector("ImageOrientationPatient")
        return bool(np.abs(gap).max() <= DIRECTION_TOLERANCE)

    groups = _groups(files, near)
    if len(groups) > 1:
        listed = "\n  ".join(f"{g[0].plane}: {_names(g)}" for g in groups)
        raise ImageError(
            f"Expected one orientation, found {len(groups)} under one series UID:\n  {listed}\n",
            remedy="Put each orientation in a folder of its own.",
            code="several-orientations",
        )


def _check_constant(files: list[DicomFile]) -> None:
    def near(a: DicomFile, b: DicomFile) -> bool:
        spacings = a.vector("PixelSpacing"), b.vector("PixelSpacing")
        same_size = a.size == b.size
        return same_size and bool(np.allclose(*spacings, rtol=SPACING_TOLERANCE, atol=0))

    groups = _groups(files, near)
    if len(groups) > 1:
        listed = "\n  ".join(
            f"{g[0].size} at {g[0].value('PixelSpacing')} mm: {_names(g)}" for g in groups
        )
        raise ImageError(
            f"Expected one size and pixel spacing, found {len(groups)} in the series:\n"
            f"  {listed}\n",
            remedy="Put each in a folder of its own.",
            code="several-sizes",
        )


def _groups(
    files: list[DicomFile], near: Callable[[DicomFile, DicomFile], bool]
) -> list[list[DicomFile]]:
    groups: list[list[DicomFile]] = []
    for file in files:
        group = next((g for g in groups if near(g[0], file)), None)
        if group is None:
            groups.append([file])
        else:
            group.append(file)
    return groups


def _names(files: list[DicomFile], most: int = 4) -> str:
    shown = ", ".join(f.path.name for f in files[:most])
    return shown if len(files) <= most else f"{shown} and {len(files) - most} more"


# Positions


def _geometry(files: list[DicomFile]) -> tuple[Geometry, Mapping[str, Any]]:
    """The grid of slices in order of position, and where the slice step comes from."""
    first = files[0]
    step, source = _slice_step(files)
    columns = first.vector("ImageOrientationPatient").reshape(2, 3)
    axes = np.column_stack([*columns, first.normal])
    width, height = first.size
    row_step, column_step = first.value("PixelSpacing")
    x, y, z = first.vector("ImagePositionPatient")
    geometry = Geometry(
        (width, height, len(files)), (column_step, row_step, step), (x, y, z), tuple(axes.flat)
    )
    _check_even(files, geometry)
    return geometry, {"slice_step_from": source}


def _slice_step(files: list[DicomFile]) -> tuple[float, str]:
    """Step between slices in mm: the mean of the positions; stated only for a single slice."""
    if len(files) > 1:
        positions = np.array([f.along_normal for f in files])
        steps = np.diff(positions)
        _check_no_duplicates(files, steps)
        _check_no_gap(files, steps)
        return float((positions[-1] - positions[0]) / steps.size), "positions"
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        if files[0].value(keyword):
            return float(files[0].value(keyword)), keyword
    raise ImageError(
        f"{files[0].path.name} is the only slice and states neither SpacingBetweenSlices nor "
        "SliceThickness: the size of its voxels is unknown.",
        remedy="Give the whole series.",
        code="no-spacing",
        file=files[0].path,
    )


def _check_no_duplicates(files: list[DicomFile], steps: Floats) -> None:
    same = np.flatnonzero(steps <= SLICE_TOLERANCE_MM)
    if same.size == 0:
        return
    a, b = files[same[0]], files[same[0] + 1]
    differing = [k for k in DISTINGUISHING if a.value(k) != b.value(k)]
    values = "; ".join(f"{k} {a.value(k)} and {b.value(k)}" for k in differing)
    raise ImageError(
        f"Expected one image per position, found {a.path.name} and {b.path.name} both at "
        f"{a.along_normal:.2f} mm ({same.size} such pairs). They differ in: "
        f"{values or 'no entry that tells echoes or time points apart'}.",
        remedy="Put each echo or time point in a folder of its own, or remove the copies.",
        code="repeated-position",
        file=a.path,
    )


def _check_no_gap(files: list[DicomFile], steps: Floats) -> None:
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > MISSING_SLICE_RATIO * usual)
    if gaps.size == 0:
        return
    places = "; ".join(
        f"between {files[k].along_normal:.2f} and {files[k + 1].along_normal:.2f} mm "
        f"({files[k].path.name}, {files[k + 1].path.name})"
        for k in gaps[:4]
    )
    raise ImageError(
        f"Slices are missing: the usual step is {usual:.3f} mm, but there are "
        f"{gaps.size} larger ones, {places}.",
        remedy="Export the whole series again.",
        code="missing-slices",
        file=files[gaps[0]].path,
    )


def _check_even(files: list[DicomFile], geometry: Geometry) -> None:
    """Every slice must lie where the grid puts it: evenly spaced, and not sheared (tilted)."""
    found = np.array([f.vector("ImagePositionPatient") for f in files])
    index = np.zeros((len(files), 3))
    index[:, 2] = np.arange(len(files))
    away = np.linalg.norm(found - geometry.position(index), axis=1)
    worst = int(away.argmax())
    if away[worst] > SLICE_TOLERANCE_MM:
        raise ImageError(
            f"Expected evenly spaced slices, stacked along their normal "
            f"(within {SLICE_TOLERANCE_MM} mm); {files[worst].path.name} lies "
            f"{away[worst]:.3f} mm from its place.",
            remedy="Resample tilted or uneven stacks to a regular grid first.",
            code="uneven-slices",
            file=files[worst].path,
        )


# Pixels and facts


def _pixels(file: DicomFile, geometry: Geometry) -> NDArray:
    """Rescaled pixels [y, x] of one slice."""
    array = sitk.GetArrayFromImage(read_file(file.path, "GDCMImageIO"))
    if array.shape != (1, *geometry.shape[1:]):
        raise damaged(file.path, f"its pixels are read as {' x '.join(map(str, array.shape))}")
    return array[0]


def _facts(file: DicomFile) -> dict[str, Any]:
    """Facts of the acquisition, and notes about those that could not be read."""
    given = {name: file.value(keyword) for name, keyword in ACQUISITION_FACTS.items()}
    found = read_facts({name: given[name] for name in given if name in NUMBERS},
                       called=ACQUISITION_FACTS)  # fmt: skip
    others = {n: value for n, value in given.items() if n not in NUMBERS and value is not None}
    # Descriptions can hold a name: what they say is judged here, and they are not kept.
    described = described_weighting(map(file.value, DESCRIPTIONS))
    facts = others | found.facts | ({"described_as": described} if described else {})
    notes = [(file.path.name, note) for note in found.notes]
    return {"acquisition": facts} | ({NOTES: notes} if notes else {})
