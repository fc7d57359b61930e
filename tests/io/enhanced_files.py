"""Enhanced MR and CT images as scanners write them, made with pydicom alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

from centrum.geometry import Geometry
from tests.io.seg_files import FRAME, _decimals, _item

Groups = Mapping[str, Mapping[str, Any]]
"""Entries of functional groups by the name of their sequence."""


@dataclass(frozen=True, eq=False)
class MadeFrame:
    """A frame: its slice of the grid, its pixels [y, x], and its own groups beside its position."""

    z: int
    pixels: NDArray
    groups: Groups = field(default_factory=dict)


SHARED: Groups = {
    "MRTimingAndRelatedParametersSequence": {
        "RepetitionTime": 2778.0, "FlipAngle": 150.0, "EchoTrainLength": 17,
    },
    "MREchoSequence": {"EffectiveEchoTime": 104.0},
    "MRImagingModifierSequence": {"PixelBandwidth": 180.0},
    "PixelValueTransformationSequence": {
        "RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US",
    },
}  # fmt: skip
"""What holds for all frames, unless a test says otherwise."""


def frames_of_stack(array: NDArray, **groups: Mapping[str, Any]) -> list[MadeFrame]:
    """A frame for every slice [z, y, x]."""
    return [MadeFrame(z, pixels, groups) for z, pixels in enumerate(array)]


def enhanced(
    grid: Geometry,
    frames: Iterable[MadeFrame],
    *,
    kind: str = EnhancedMRImageStorage,
    shared: Groups = SHARED,
    measures: Mapping[str, Any] | None = None,
    stored: int = 16,
    frame: str = FRAME,
) -> Dataset:
    """The object, its pixels native and of the type that those of the first frame have."""
    frames = list(frames)
    header = _head(kind, frame)
    header.Rows, header.Columns = frames[0].pixels.shape
    header.NumberOfFrames = len(frames)
    pixels = np.array([each.pixels for each in frames])
    bits = 8 * pixels.dtype.itemsize
    header.BitsAllocated, header.BitsStored = bits, min(stored, bits)
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    x, y, _ = grid.spacing
    measures = {"PixelSpacing": _decimals([y, x], 6), "SliceThickness": 4.0} | dict(measures or {})
    header.SharedFunctionalGroupsSequence = [_groups({"PixelMeasuresSequence": measures, **shared})]
    header.PerFrameFunctionalGroupsSequence = [_groups(_placed(grid, each)) for each in frames]
    header.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    return header


def _placed(grid: Geometry, frame: MadeFrame) -> dict[str, Mapping[str, Any]]:
    cosines = _decimals([*grid.axes[:, 0], *grid.axes[:, 1]], 8)
    position = _decimals(grid.position((0, 0, frame.z)), 6)
    return {
        "PlaneOrientationSequence": {"ImageOrientationPatient": cosines},
        "PlanePositionSequence": {"ImagePositionPatient": position},
        **frame.groups,
    }


def _groups(groups: Groups) -> Dataset:
    return _item(**{name: [_item(**entries)] for name, entries in groups.items()})


def _head(kind: str, frame: str) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = kind
    header.SOPInstanceUID = generate_uid(entropy_srcs=[kind, frame])
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientName, header.PatientID, header.StudyDate = "DOE^JANE", "4711", "20240131"
    header.Modality, header.SeriesInstanceUID = "MR", "1.2.3"
    header.Manufacturer, header.ManufacturerModelName = "Made", "One"
    header.MagneticFieldStrength, header.SeriesDescription = 1.5, "T2 tse sag DOE"
    header.EchoPulseSequence, header.InversionRecovery = "SPIN", "NO"
    header.EchoPlanarPulseSequence, header.MRAcquisitionType = "NO", "2D"
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    if frame:
        header.FrameOfReferenceUID = frame
    return header


def shuffled(frames: Sequence[MadeFrame], seed: int = 3) -> list[MadeFrame]:
    """The frames in another order."""
    return [frames[k] for k in np.random.default_rng(seed).permutation(len(frames))]
