"""DICOM series: one classic (single-frame) image file per slice, in one folder.

pydicom reads the headers, and the grid is made from the positions in them; SimpleITK
(GDCM) decodes the pixels and applies rescale slope and intercept, slice by slice. ITK's
own series reader is not used: it only warns when a slice is missing, and cuts decimals when
the slope differs between slices.

Source: DICOM PS3.3, C.7.6.2 (Image Plane Module).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from centrum.errors import CentrumError, ImageError
from centrum.geometry import Geometry
from centrum.io.itk import read_file
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

ACQUISITION_FACTS = {
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "field_strength_t": "MagneticFieldStrength",
    "repetition_time_ms": "RepetitionTime",
    "echo_time_ms": "EchoTime",
    "echo_train_length": "EchoTrainLength",
    "flip_angle_deg": "FlipAngle",
    "slice_thickness_mm": "SliceThickness",
    "spacing_between_slices_mm": "SpacingBetweenSlices",
    "pixel_bandwidth_hz": "PixelBandwidth",
    "scanning_sequence": "ScanningSequence",
    "acquisition_type": "MRAcquisitionType",
}
"""What is kept of the headers, and the DICOM keyword it comes from; nothing that identifies."""

_DISTINGUISHING = (
    "EchoTime",
    "RepetitionTime",
    "InversionTime",
    "TemporalPositionIdentifier",
    "AcquisitionNumber",
    "DiffusionBValue",
    "ImageType",
)
"""Header entries that tell images at one position apart."""

_IMAGE_PLANE = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
"""The entries that place a slice, and how many numbers each has."""

_OTHER_KEYWORDS = (
    "Rows",
    "Columns",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "SeriesDescription",
    "SeriesInstanceUID",
    "SeriesNumber",
)
_KEYWORDS = [*ACQUISITION_FACTS.values(), *_DISTINGUISHING, *_IMAGE_PLANE, *_OTHER_KEYWORDS]
_MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
_PLANES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True)
class Series:
    """One series of a folder, to choose from.

    Attributes
    ----------
    uid : Series Instance UID; choose the series as FOLDER#UID
    number, description, modality : as in the headers, description and modality may be empty
    is_image : whether it holds images, and not segmentations, contours or reports
    n_files : files in the folder
    orientation : "sagittal", "coronal" or "axial" (nearest plane), "mixed", or "" if unknown
    repetition_time_ms, echo_time_ms : of the first file, None if not stated
    """

    uid: str
    number: int | None
    description: str
    modality: str
    is_image: bool
    n_files: int
    orientation: str
    repetition_time_ms: float | None
    echo_time_ms: float | None

    def describe(self) -> str:
        """The series in one line, to print in messages."""
        times = f"TR {self.repetition_time_ms} TE {self.echo_time_ms}"
        words = (self.modality, self.orientation, self.description)
        return f"{self.uid}  {self.n_files} files  {' '.join(filter(None, words))}  {times}"


@dataclass(frozen=True)
class _File:
    """One DICOM file: where it is, and the header entries that are used."""

    path: Path
    header: pydicom.Dataset

    def value(self, keyword: str) -> Any:
        """The entry as plain Python numbers or text, None if absent or empty."""
        value = self.header.get(keyword)
        if value is None or value == "":
            return None
        if isinstance(value, pydicom.multival.MultiValue):
            return [_plain(v) for v in value]
        return _plain(value)

    def places(self, keyword: str) -> bool:
        """Whether an entry of the image plane is there, with as many numbers as it must have."""
        value = self.value(keyword)
        wanted = _IMAGE_PLANE[keyword]
        return isinstance(value, list) and [type(v) for v in value] == [float] * wanted

    def vector(self, keyword: str) -> NDArray[np.float64]:
        """An entry of the image plane as an array."""
        return np.array(self.value(keyword), dtype=float)


def _plain(value: Any) -> Any:
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def list_series(folder: str | Path) -> tuple[Series, ...]:
    """Every series of a folder (not of its subfolders), by series number and UID.

    Raises
    ------
    ImageError
        The folder holds no DICOM file, or a damaged one.
    """
    files, _ = _scan(Path(folder))
    series = [_summary(uid, members) for uid, members in _by_series(files).items()]
    return tuple(sorted(series, key=lambda s: (s.number is None, s.number or 0, s.uid)))


def read(folder: Path, uid: str | None = None) -> Volume:
    """The volume of one series; see `centrum.io.read_image`."""
    files, ignored = _choose(folder, uid)
    try:
        return _read_series(files, ignored)
    except CentrumError as error:
        error.add_note(f"while reading the DICOM series in {folder.name}")
        raise


def content_digest(folder: Path, uid: str | None = None) -> str:
    """SHA-256 of the files of one series, whatever they are called."""
    files, _ = _choose(folder, uid)
    return _files_digest(files)


def _files_digest(files: Iterable[_File]) -> str:
    return digest(sorted(file_digest(f.path) for f in files))


def _read_series(files: list[_File], ignored: int) -> Volume:
    for file in files:
        _check_single_slice(file)
    _check_one_orientation(files)
    _check_constant(files)
    files = sorted(files, key=_along_normal)
    geometry, notes = _geometry(files)
    array = np.stack([_pixels(file, geometry) for file in files])
    parameters = {"format": "DICOM", "sha256": _files_digest(files), **notes}
    parameters |= {"ignored_files": ignored, "acquisition": _facts(files[0])}
    return Volume(array, geometry, (Step("read", parameters),))


# Which files


def _scan(folder: Path) -> tuple[list[_File], int]:
    """The DICOM files of a folder, and how many other files lie beside them."""
    paths = sorted(p for p in folder.iterdir() if p.is_file())
    headers = [_read_header(path) for path in paths]
    files = [_File(p, h) for p, h in zip(paths, headers, strict=True) if h is not None]
    if not files:
        inner = sum(1 for p in folder.iterdir() if p.is_dir())
        raise ImageError(
            f"{folder.name} holds no DICOM file ({len(paths)} other files, {inner} "
            "subfolders, which are not searched). Give the folder that holds the slices."
        )
    return files, len(paths) - len(files)


def _read_header(path: Path) -> pydicom.Dataset | None:
    """The header, or None for a file that is not DICOM or is a DICOMDIR."""
    try:
        with pydicom.config.disable_value_validation(), path.open("rb") as stream:
            header = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_KEYWORDS)
            list(header)  # converts every value now, so that a damaged one is found here
            at_end = stream.tell() >= path.stat().st_size
            deflated = header.file_meta.TransferSyntaxUID.is_deflated
    except InvalidDicomError:
        return None
    except (OSError, EOFError, ValueError, AttributeError, NotImplementedError) as error:
        raise _damaged(path) from error
    if header.file_meta.get("MediaStorageSOPClassUID") == _MEDIA_STORAGE_DIRECTORY:
        return None
    # pydicom takes what there is of a truncated header: an image must go on with pixels.
    without_pixels = _is_image(header) and at_end and not deflated
    if without_pixels or not header.get("SeriesInstanceUID"):
        raise _damaged(path)
    return header


def _is_image(header: pydicom.Dataset) -> bool:
    storage = header.file_meta.get("MediaStorageSOPClassUID")
    return storage is not None and "Image Storage" in storage.name


def _damaged(path: Path) -> ImageError:
    return ImageError(
        f"{path.name} begins as a DICOM file, but its header is truncated or damaged. Copy or "
        "export it again, or take it out of the folder."
    )


def _by_series(files: Iterable[_File]) -> dict[str, list[_File]]:
    groups: dict[str, list[_File]] = {}
    for file in files:
        groups.setdefault(str(file.header.SeriesInstanceUID), []).append(file)
    return groups


def _choose(folder: Path, uid: str | None) -> tuple[list[_File], int]:
    files, ignored = _scan(folder)
    groups = _by_series(files)
    series = [_summary(key, members) for key, members in groups.items()]
    chosen = [s for s in series if (s.uid == uid if uid else s.is_image)]
    if len(chosen) == 1:
        return groups[chosen[0].uid], ignored
    wanted = f"the series {uid}" if uid else "exactly one image series"
    listed = "\n  ".join(s.describe() for s in series)
    raise ImageError(
        f"{folder.name}: {wanted} is wanted, found {len(chosen)}. Choose one as FOLDER#UID. "
        f"The series in the folder:\n  {listed}"
    )


def _summary(uid: str, files: list[_File]) -> Series:
    first = files[0]
    planes = {_plane(f) for f in files}
    return Series(
        uid=uid,
        number=first.value("SeriesNumber"),
        description=first.value("SeriesDescription") or "",
        modality=first.value("Modality") or "",
        is_image=_is_image(first.header),
        n_files=len(files),
        orientation=planes.pop() if len(planes) == 1 else "mixed",
        repetition_time_ms=first.value("RepetitionTime"),
        echo_time_ms=first.value("EchoTime"),
    )


def _plane(file: _File) -> str:
    """The anatomical plane nearest to a slice, "" if the header has no orientation."""
    if not file.places("ImageOrientationPatient"):
        return ""
    return _PLANES[int(np.abs(_normal(file)).argmax())]


# Checks


def _check_single_slice(file: _File) -> None:
    """Refuses what is not one grey-scale slice with a place in the patient."""
    if (file.value("NumberOfFrames") or 1) > 1:
        raise ImageError(
            f"{file.path.name} is an enhanced multi-frame file ({file.value('NumberOfFrames')} "
            "frames): one file per slice is wanted. Export the series as classic single-frame "
            "DICOM, or convert it to NIfTI or NRRD."
        )
    if "MOSAIC" in (file.value("ImageType") or []):
        raise ImageError(
            f"{file.path.name} is a mosaic (all slices tiled in one picture): one file per slice "
            "is wanted. Export without mosaic, or convert it to NIfTI."
        )
    if file.value("PhotometricInterpretation") != "MONOCHROME2":
        raise ImageError(
            f"{file.path.name} has the photometric interpretation "
            f"{file.value('PhotometricInterpretation')}: MONOCHROME2 (one number per pixel, "
            "bright is high) is wanted. Take screenshots and inverted images out of the series."
        )
    missing = [k for k in _IMAGE_PLANE if not file.places(k)]
    missing += [k for k in ("Rows", "Columns") if file.value(k) is None]
    if missing:
        raise ImageError(
            f"{file.path.name} lacks a readable {', '.join(missing)}: its place in the patient "
            "is unknown. Export the original series again, or take the file out of the folder."
        )


def _check_one_orientation(files: list[_File]) -> None:
    def near(a: _File, b: _File) -> bool:
        gap = a.vector("ImageOrientationPatient") - b.vector("ImageOrientationPatient")
        return bool(np.abs(gap).max() <= DIRECTION_TOLERANCE)

    groups = _groups(files, near)
    if len(groups) > 1:
        listed = "\n  ".join(f"{_plane(g[0])}: {_names(g)}" for g in groups)
        raise ImageError(
            f"One orientation is wanted, found {len(groups)} under one series UID:\n  {listed}\n"
            "Put each orientation in a folder of its own."
        )


def _check_constant(files: list[_File]) -> None:
    def near(a: _File, b: _File) -> bool:
        spacings = a.vector("PixelSpacing"), b.vector("PixelSpacing")
        same_size = _size(a) == _size(b)
        return same_size and bool(np.allclose(*spacings, rtol=SPACING_TOLERANCE, atol=0))

    groups = _groups(files, near)
    if len(groups) > 1:
        listed = "\n  ".join(
            f"{_size(g[0])} at {g[0].value('PixelSpacing')} mm: {_names(g)}" for g in groups
        )
        raise ImageError(
            f"One size and pixel spacing is wanted, found {len(groups)} in the series:\n"
            f"  {listed}\nPut each in a folder of its own."
        )


def _size(file: _File) -> tuple[int, int]:
    return file.value("Columns"), file.value("Rows")


def _groups(files: list[_File], near: Callable[[_File, _File], bool]) -> list[list[_File]]:
    groups: list[list[_File]] = []
    for file in files:
        group = next((g for g in groups if near(g[0], file)), None)
        if group is None:
            groups.append([file])
        else:
            group.append(file)
    return groups


def _names(files: list[_File], most: int = 4) -> str:
    shown = ", ".join(f.path.name for f in files[:most])
    return shown if len(files) <= most else f"{shown} and {len(files) - most} more"


# Positions


def _normal(file: _File) -> NDArray[np.float64]:
    cosines = file.vector("ImageOrientationPatient")
    return np.cross(cosines[:3], cosines[3:])


def _along_normal(file: _File) -> float:
    """Position of a slice along its normal in mm."""
    return float(_normal(file) @ file.vector("ImagePositionPatient"))


def _geometry(files: list[_File]) -> tuple[Geometry, Mapping[str, Any]]:
    """The grid of slices in order of position, and where the slice step comes from."""
    first = files[0]
    step, source = _slice_step(files)
    columns = first.vector("ImageOrientationPatient").reshape(2, 3)
    axes = np.column_stack([*columns, _normal(first)])
    width, height = _size(first)
    row_step, column_step = first.value("PixelSpacing")
    x, y, z = first.vector("ImagePositionPatient")
    geometry = Geometry(
        (width, height, len(files)), (column_step, row_step, step), (x, y, z), tuple(axes.flat)
    )
    _check_even(files, geometry)
    return geometry, {"slice_step_from": source}


def _slice_step(files: list[_File]) -> tuple[float, str]:
    """Step between slices in mm: the mean of the positions; stated only for a single slice."""
    if len(files) > 1:
        positions = np.array([_along_normal(f) for f in files])
        steps = np.diff(positions)
        _check_no_duplicates(files, steps)
        _check_no_gap(files, steps)
        return float((positions[-1] - positions[0]) / steps.size), "positions"
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        if files[0].value(keyword):
            return float(files[0].value(keyword)), keyword
    raise ImageError(
        f"{files[0].path.name} is the only slice and states neither SpacingBetweenSlices nor "
        "SliceThickness: the size of its voxels is unknown. Give the whole series."
    )


def _check_no_duplicates(files: list[_File], steps: NDArray[np.float64]) -> None:
    same = np.flatnonzero(steps <= SLICE_TOLERANCE_MM)
    if same.size == 0:
        return
    a, b = files[same[0]], files[same[0] + 1]
    differing = [k for k in _DISTINGUISHING if a.value(k) != b.value(k)]
    values = "; ".join(f"{k} {a.value(k)} and {b.value(k)}" for k in differing)
    raise ImageError(
        f"One image per position is wanted, found {a.path.name} and {b.path.name} both at "
        f"{_along_normal(a):.2f} mm ({same.size} such pairs). They differ in: "
        f"{values or 'no entry that tells echoes or time points apart'}. Put each echo or time "
        "point in a folder of its own, or take out the copies."
    )


def _check_no_gap(files: list[_File], steps: NDArray[np.float64]) -> None:
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > MISSING_SLICE_RATIO * usual)
    if gaps.size == 0:
        return
    places = "; ".join(
        f"between {_along_normal(files[k]):.2f} and {_along_normal(files[k + 1]):.2f} mm "
        f"({files[k].path.name}, {files[k + 1].path.name})"
        for k in gaps[:4]
    )
    raise ImageError(
        f"Slices are missing: the usual step is {usual:.3f} mm, but there are "
        f"{gaps.size} larger ones, {places}. Export the whole series again."
    )


def _check_even(files: list[_File], geometry: Geometry) -> None:
    """Every slice must lie where the grid puts it: evenly spaced, and not sheared (tilted)."""
    found = np.array([f.vector("ImagePositionPatient") for f in files])
    index = np.zeros((len(files), 3))
    index[:, 2] = np.arange(len(files))
    away = np.linalg.norm(found - geometry.position(index), axis=1)
    worst = int(away.argmax())
    if away[worst] > SLICE_TOLERANCE_MM:
        raise ImageError(
            f"Evenly spaced slices, stacked along their normal, are wanted "
            f"(within {SLICE_TOLERANCE_MM} mm); {files[worst].path.name} lies "
            f"{away[worst]:.3f} mm from its place. Tilted or uneven stacks must be resampled "
            "to a regular grid first."
        )


# Pixels and facts


def _pixels(file: _File, geometry: Geometry) -> NDArray:
    """Rescaled pixels [y, x] of one slice."""
    array = sitk.GetArrayFromImage(read_file(file.path, "GDCMImageIO"))
    return array.reshape(geometry.shape[1:])


def _facts(file: _File) -> dict[str, Any]:
    values = {name: file.value(keyword) for name, keyword in ACQUISITION_FACTS.items()}
    return {name: value for name, value in values.items() if value is not None}
