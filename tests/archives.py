"""Trees of DICOM files as archives export them, made with pydicom: exams, SEG, RTSTRUCT."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from centrum.geometry import Geometry
from tests.io.drawing import drawn, structure_set, written
from tests.io.seg_files import frames_of, save, segmentation

GRID = Geometry((20, 40, 9), (0.6, 0.7, 4.4), (0.0, -20.25, 33.0), (0, 0, -1, 1, 0, 0, 0, -1, 0))
"""A sagittal grid."""

AXIAL = [1, 0, 0, 0, 1, 0]
T2 = {"SeriesDescription": "t2_tse_sag", "RepetitionTime": 3200, "EchoTime": 105}
T1 = {"SeriesDescription": "t1_tse_sag", "RepetitionTime": 550, "EchoTime": 11}
STIR = {"SeriesDescription": "tirm_sag", "RepetitionTime": 4000, "EchoTime": 60,
        "InversionTime": 150}  # fmt: skip


def uid(*words: object) -> str:
    """The UID that stands for these words."""
    return generate_uid(entropy_srcs=[str(word) for word in words])


@dataclass(frozen=True)
class Exam:
    """A study of a patient; everything of it has UIDs of its own."""

    patient: str = "4711-8856-02"
    name: str = "Doe^Jane"
    study: str = "1"
    date: str = "20240131"
    birth: str = "19480312"

    @property
    def head(self) -> dict[str, Any]:
        """The entries of patient and study."""
        return {
            "SpecificCharacterSet": "ISO_IR 192",
            "PatientName": self.name,
            "PatientID": self.patient,
            "PatientBirthDate": self.birth,
            "StudyDate": self.date,
            "StudyInstanceUID": uid("study", self.patient, self.study),
            "FrameOfReferenceUID": self.frame,
        }

    @property
    def frame(self) -> str:
        """Its frame of reference."""
        return uid("frame", self.patient, self.study)

    def series(self, number: int) -> str:
        """UID of one of its series."""
        return uid("series", self.patient, self.study, number)


def pixels(seed: int, grid: Geometry = GRID) -> NDArray:
    """Noise."""
    return np.random.default_rng(seed).integers(100, 900, grid.shape)


def body(grow: int = 0) -> NDArray:
    """A body without any symmetry."""
    found = np.zeros(GRID.shape, bool)
    found[2:6, 4 - min(grow, 3) : 15, 3:16] = True
    found[2, 4:6] = False
    return found


def bodies(grow: int = 0) -> dict[str, NDArray]:
    """Two bodies, one above the other."""
    below = np.zeros(GRID.shape, bool)
    below[3:8, 22 : 35 + grow, 4:18] = True
    return {"L1": body(grow), "L2": below}


def write_series(
    folder: Path,
    exam: Exam,
    number: int,
    array: NDArray,
    said: Mapping[str, Any] = T2,
    *,
    grid: Geometry = GRID,
    names: str = "IM{}",
) -> list[Path]:
    """One file per slice [z, y, x] on the grid; `said` adds to the headers or changes them.

    Slices whose files have other names are others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k, picture in enumerate(array.astype("<u2")):
        header = _slice(exam, number, names.format(k), picture, grid)
        header.ImagePositionPatient = [*map(_decimal, grid.position((0, 0, k)))]
        for keyword, value in said.items():
            setattr(header, keyword, value)
        paths.append(folder / names.format(k))
        header.save_as(paths[-1], enforce_file_format=True)
    return paths


def _slice(exam: Exam, number: int, name: str, picture: NDArray, grid: Geometry) -> Dataset:
    header = _object(exam, MRImageStorage, uid("slice", exam.patient, exam.study, number, name))
    header.Modality, header.SeriesInstanceUID = "MR", exam.series(number)
    header.SeriesNumber, header.ImageType = number, ["ORIGINAL", "PRIMARY", "M"]
    header.OperatorsName = "Technologist^Tom"
    header.ScanningSequence = "SE"
    header.Rows, header.Columns = picture.shape
    header.PixelSpacing = [_decimal(grid.spacing[1]), _decimal(grid.spacing[0])]
    header.ImageOrientationPatient = [*map(_decimal, (*grid.axes[:, 0], *grid.axes[:, 1]))]
    header.SliceThickness = 4
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit, header.PixelRepresentation = 15, 0
    header.PixelData = picture.tobytes()
    return header


def _object(exam: Exam, storage: str, instance: str) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = storage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = instance
    for keyword, value in exam.head.items():
        setattr(header, keyword, value)
    return header


def _decimal(value: float) -> str:
    return f"{value:.8f}"[:16]


def write_seg(
    path: Path,
    exam: Exam,
    regions: Mapping[str, NDArray],
    on: Sequence[int] = (1,),
    said: Mapping[str, Any] | None = None,
    *,
    grid: Geometry = GRID,
) -> Path:
    """A segmentation that names the series of these numbers."""
    names = dict(enumerate(regions, start=1))
    arrays = dict(enumerate(regions.values(), start=1))
    found = segmentation(grid, frames_of(arrays), names, frame=exam.frame, decimals=8)
    if on:
        found.ReferencedSeriesSequence = [Dataset() for _ in on]
        for item, number in zip(found.ReferencedSeriesSequence, on, strict=True):
            item.SeriesInstanceUID = exam.series(number)
    _of_exam(found, exam, path, {"ContentCreatorName": "Roth^Anna"} | dict(said or {}))
    path.parent.mkdir(parents=True, exist_ok=True)
    return save(path, found)


def write_structures(
    path: Path,
    exam: Exam,
    regions: Mapping[str, NDArray],
    on: int = 1,
    said: Mapping[str, Any] | None = None,
    *,
    grid: Geometry = GRID,
) -> Path:
    """A structure set of contours around the regions."""
    contours = [(k, name, drawn(r, grid)) for k, (name, r) in enumerate(regions.items(), start=1)]
    found = structure_set(contours, frame=exam.frame, series=exam.series(on), decimals=8)
    _of_exam(found, exam, path, {"OperatorsName": "Lind^Bo"} | dict(said or {}))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(found))
    return path


def _of_exam(found: Dataset, exam: Exam, path: Path, said: Mapping[str, Any]) -> None:
    instance = uid("mask", exam.patient, exam.study, path.name, sorted(said.items()))
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID = instance
    for keyword, value in (exam.head | {"SeriesInstanceUID": uid(instance)} | said).items():
        if keyword != "FrameOfReferenceUID":
            setattr(found, keyword, value)


def write_directory(path: Path, names: Sequence[Sequence[str]]) -> None:
    """A DICOMDIR that names these files."""
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    found.file_meta.MediaStorageSOPInstanceUID = uid("directory")
    found.DirectoryRecordSequence = [Dataset() for _ in names]
    with pydicom.config.disable_value_validation():
        for record, name in zip(found.DirectoryRecordSequence, names, strict=True):
            record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", list(name)
        found.save_as(path, enforce_file_format=True)


def write_disk(folder: Path, exam: Exam, seed: int = 0, disk: str = "DICOM/PA0/ST0") -> None:
    """An exam as a hospital hands it out: localiser, T1, T2, STIR and an axial series.

    The T2 is the third series.
    """
    few = GRID.crop((0, 0, 3), (20, 40, 3))
    across = Geometry((20, 40, 9), (0.6, 0.7, 4.4), (-9.0, -20.0, 0.0))
    localiser = T2 | {"SeriesDescription": "localizer", "ImageType": ["ORIGINAL", "LOCALIZER"]}
    axial = T2 | {"SeriesDescription": "t2_tse_tra"}
    for k, (said, grid) in enumerate(
        [(localiser, few), (T1, GRID), (T2, GRID), (STIR, GRID), (axial, across)], start=1
    ):
        place = folder / disk / f"SE{k - 1}"
        write_series(place, exam, k, pixels(10 * seed + k, grid), said, grid=grid)
