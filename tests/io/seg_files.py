"""DICOM segmentations as other programs write them, made with pydicom alone."""

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, SegmentationStorage, generate_uid
from pydicom.valuerep import DSfloat

from centrum.geometry import Geometry

LABELMAP_STORAGE = "1.2.840.10008.5.1.4.1.1.66.7"
FRAME = "1.2.9.1"
"""The frame of reference of a segmentation that names no other."""

Frame = tuple[int, int, NDArray]
"""Number of the segment, slice of the grid, pixels [y, x]; LABELMAP has no number."""


def frames_of(regions: Mapping[int, NDArray]) -> list[Frame]:
    """A frame for every slice of a region [z, y, x] that has voxels, segment by segment."""
    return [
        (number, z, pixels)
        for number, region in regions.items()
        for z, pixels in enumerate(region)
        if pixels.any()
    ]


def label_frames(labels: NDArray) -> list[Frame]:
    """A frame for every slice of labels [z, y, x] that has some."""
    return [(0, z, pixels) for z, pixels in enumerate(labels) if pixels.any()]


def segmentation(
    grid: Geometry,
    frames: Iterable[Frame],
    names: Mapping[int, str],
    *,
    kind: str = "BINARY",
    bits: int = 1,
    frame: str = FRAME,
    measures: Mapping[str, float] | None = None,
    decimals: int = 6,
) -> Dataset:
    """The object; `measures` are what stands beside the pixel spacing."""
    frames = list(frames)
    header = _head(kind, frame)
    header.Columns, header.Rows = grid.size[:2]
    header.NumberOfFrames = len(frames)
    header.BitsAllocated = header.BitsStored = bits
    header.HighBit, header.PixelRepresentation = bits - 1, 0
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.SegmentSequence = [_described(number, name) for number, name in names.items()]
    header.SharedFunctionalGroupsSequence = [_shared(grid, measures or {})]
    header.PerFrameFunctionalGroupsSequence = [
        _own(grid, number if kind == "BINARY" else None, z, decimals) for number, z, _ in frames
    ]
    header.PixelData = _packed([pixels for *_, pixels in frames], bits)
    return header


def save(path: Path, header: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write the object, compressed if the transfer syntax says so."""
    path.write_bytes(encoded(header, syntax))
    return path


def encoded(header: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The bytes of its file."""
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax == RLELossless:
        header.compress(RLELossless, generate_instance_uid=False)
    header.file_meta.TransferSyntaxUID = syntax
    whole = BytesIO()
    pydicom.dcmwrite(whole, header, enforce_file_format=True)
    return whole.getvalue()


def _head(kind: str, frame: str) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    storage = SegmentationStorage if kind != "LABELMAP" else LABELMAP_STORAGE
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = storage
    header.SOPInstanceUID = generate_uid(entropy_srcs=[kind, frame])
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientName, header.PatientID, header.StudyDate = "DOE^JANE", "4711", "20240131"
    header.ContentCreatorName = "ROTH^ANNA"
    header.Modality, header.SeriesInstanceUID = "SEG", "1.2.3.9"
    header.SegmentationType = kind
    if frame:
        header.FrameOfReferenceUID = frame
    return header


def _described(number: int, name: str) -> Dataset:
    item = Dataset()
    item.SegmentNumber, item.SegmentLabel = number, name
    item.SegmentDescription = "drawn by Anna Roth"
    item.SegmentAlgorithmType = "MANUAL"
    return item


def _item(**entries: object) -> Dataset:
    item = Dataset()
    for keyword, value in entries.items():
        setattr(item, keyword, value)
    return item


def _shared(grid: Geometry, measures: Mapping[str, float]) -> Dataset:
    x, y, _ = grid.spacing
    cosines = _decimals([*grid.axes[:, 0], *grid.axes[:, 1]], 8)
    return _item(
        PlaneOrientationSequence=[_item(ImageOrientationPatient=cosines)],
        PixelMeasuresSequence=[_item(PixelSpacing=_decimals([y, x], 6), **measures)],
    )


def _own(grid: Geometry, number: int | None, z: int, decimals: int) -> Dataset:
    position = _decimals(grid.position((0, 0, z)), decimals)
    own = _item(
        FrameContentSequence=[_item(DimensionIndexValues=[number or 1, z + 1])],
        PlanePositionSequence=[_item(ImagePositionPatient=position)],
    )
    if number is not None:
        own.SegmentIdentificationSequence = [_item(ReferencedSegmentNumber=number)]
    return own


def _decimals(values: Iterable[float], digits: int) -> list[DSfloat]:
    return [DSfloat(f"{value:.{digits}f}"[:16]) for value in values]


def _packed(frames: Sequence[NDArray], bits: int) -> bytes:
    """Pixels of all frames; bits follow each other without a gap, the lowest of a byte first."""
    whole = np.array(frames)
    if bits == 1:
        packed = np.packbits(whole.astype(bool).ravel(), bitorder="little").tobytes()
    else:
        packed = whole.astype(f"<u{bits // 8}").tobytes()
    return packed + b"\0" * (len(packed) % 2)
