"""Classic MR series as a scanner writes them: complete headers, one file for each slice."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from pydicom.valuerep import format_number_as_ds

from centrum.geometry import Geometry
from centrum.volume import Volume

FRAME = "1.2.840.99.7"
NAME, IDENTITY = "MÜLLER^Änne", "4711-0815"
"""What no file but a DICOM object may hold."""

HEADER = {
    "SpecificCharacterSet": "ISO_IR 100", "ImageType": ["ORIGINAL", "PRIMARY", "M"],
    "StudyDate": "20240131", "SeriesDate": "20240131", "AcquisitionDate": "20240131",
    "ContentDate": "20240131", "StudyTime": "101500", "SeriesTime": "101700",
    "ContentTime": "101733", "AccessionNumber": "A-1", "Modality": "MR",
    "Manufacturer": "Maker", "ReferringPhysicianName": "ROTH^Anna", "StudyDescription": "Spine",
    "SeriesDescription": "T2 sag", "PatientName": NAME, "PatientID": IDENTITY,
    "PatientBirthDate": "19500101", "PatientSex": "F", "BodyPartExamined": "LSPINE",
    "ScanningSequence": "SE", "SequenceVariant": "SK", "ScanOptions": "", "MRAcquisitionType": "2D",
    "RepetitionTime": "2500", "EchoTime": "90", "EchoTrainLength": "15",
    "MagneticFieldStrength": "1.5", "StudyInstanceUID": "1.2.840.99.1",
    "SeriesInstanceUID": "1.2.840.99.2", "StudyID": "S1", "SeriesNumber": "4",
    "FrameOfReferenceUID": FRAME, "PositionReferenceIndicator": "", "Laterality": "",
    "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16,
    "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0,
}  # fmt: skip


def write_series(
    folder: Path,
    image: Volume,
    order: Callable[[list[int]], Sequence[int]] = list,
    **entries: Any,
) -> Path:
    """Files in the order of `order`, by name, by number and by UID; `entries` change the header."""
    folder.mkdir(parents=True)
    grid = image.geometry
    for number, z in enumerate(order([*range(grid.size[2])]), start=1):
        header = _header(grid, z, entries)
        header.InstanceNumber = number
        header.SOPInstanceUID = f"{header.SeriesInstanceUID}.{number}"
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        header.PixelData = np.rint(image.array[z]).astype("<u2").tobytes()
        header.save_as(folder / f"IM{number:03d}.dcm", enforce_file_format=True)
    return folder


def _header(grid: Geometry, z: int, entries: dict[str, Any]) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = MRImageStorage
    for keyword, value in {**HEADER, **entries}.items():
        if value is not None:
            setattr(header, keyword, value)
    x, y, step = grid.spacing
    header.Columns, header.Rows = grid.size[:2]
    header.PixelSpacing = _decimals([y, x])
    header.SliceThickness = _decimals([step])[0]
    header.ImageOrientationPatient = _decimals([*grid.axes[:, 0], *grid.axes[:, 1]])
    header.ImagePositionPatient = _decimals(grid.position((0, 0, z)))
    return header


def _decimals(values: Sequence[float]) -> list[str]:
    return [format_number_as_ds(float(value)) for value in values]
