"""An exam as it lies in a hospital's archive: full of names, in every corner that holds one."""

from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, SecondaryCaptureImageStorage

from centrum.geometry import Geometry
from tests.io.drawing import drawn, structure_set, written
from tests.io.seg_files import frames_of, segmentation

ROOT = "1.2.276.0.7230010.99"
STUDY, FRAME = f"{ROOT}.1", f"{ROOT}.2"
MR, SEG, RTSTRUCT = f"{ROOT}.3", f"{ROOT}.4", f"{ROOT}.5"
SERIES = (MR, SEG, RTSTRUCT)
SLICES = 6
PATIENT = "MRN-00482913"
DAY = "20240517"

SECRETS = (
    "Mustermann", "Erika", "MRN-00482913", "00482913", "19480312", DAY, "101530.25", "ACC-777",
    ROOT, "Haus", "Ringstrasse", "Nachbar", "Roth", "Marienhospital", "MRSUITE3", "SN-4711-X",
)  # fmt: skip
"""What must not be found once an exam has no identifiers."""

GRID = Geometry((8, 10, SLICES), (0.6, 0.7, 4.4), (3.0, -20.25, 33.0),
                (0, 0, -1, 1, 0, 0, 0, -1, 0))  # fmt: skip


def item(**entries: object) -> Dataset:
    found = Dataset()
    for keyword, value in entries.items():
        setattr(found, keyword, value)
    return found


def pixels() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 900, GRID.shape).astype("<u2")


def region() -> np.ndarray:
    found = np.zeros(GRID.shape, bool)
    found[2:5, 3:8, 2:6] = True
    found[3, 5, 4] = False
    return found


def mri(series: str = MR, patient: str = PATIENT, study: str = STUDY) -> list[Dataset]:
    """A sagittal series."""
    return [_slice(k, image, series, patient, study) for k, image in enumerate(pixels())]


def _slice(k: int, image: np.ndarray, series: str, patient: str, study: str) -> Dataset:
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.file_meta.SourceApplicationEntityTitle = "MRSUITE3"
    found.SOPClassUID, found.SOPInstanceUID = MRImageStorage, f"{series}.{k + 1}"
    _identify(found, patient, study)
    found.ImageType, found.Modality = ["ORIGINAL", "PRIMARY", "M", "NORM"], "MR"
    found.SeriesInstanceUID, found.InstanceNumber = series, k + 1
    found.SeriesDescription, found.ProtocolName = "t2_tse_sag Mustermann", "LWS Haus"
    found.BodyPartExamined, found.StationName = "LSPINE", "MRSUITE3"
    found.DeviceSerialNumber, found.Manufacturer = "SN-4711-X", "SIEMENS"
    found.FrameOfReferenceUID = FRAME
    found.Columns, found.Rows = GRID.size[:2]
    found.PixelSpacing = [0.7, 0.6]
    found.ImageOrientationPatient = [*GRID.axes[:, 0], *GRID.axes[:, 1]]
    found.ImagePositionPatient = list(GRID.position((0, 0, k)))
    found.SliceThickness, found.EchoTime, found.RepetitionTime = 4, 104, 2778
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated = found.BitsStored = 16
    found.HighBit, found.PixelRepresentation = 15, 0
    found.PixelData = image.tobytes()
    found.ReferencedImageSequence = [
        item(ReferencedSOPClassUID=MRImageStorage, ReferencedSOPInstanceUID=f"{ROOT}.7.{k}")
    ]
    return found


def _identify(found: Dataset, patient: str, study: str) -> None:
    """Names at the top, in sequences within sequences, in private and in unknown entries."""
    found.SpecificCharacterSet = "ISO_IR 192"
    found.PatientName, found.PatientID = "Mustermann^Erika", patient
    found.PatientBirthDate, found.PatientSex, found.PatientAge = "19480312", "F", "093Y"
    found.PatientAddress, found.OtherPatientIDs = "Ringstrasse 5", "00482913"
    found.StudyInstanceUID, found.AccessionNumber = study, "ACC-777"
    found.StudyDate = found.SeriesDate = found.ContentDate = found.AcquisitionDate = DAY
    found.StudyTime = found.ContentTime = "101530.25"
    found.AcquisitionDateTime = f"{DAY}101530.25"
    found.StudyID, found.StudyDescription = "ACC-777", "Frau Mustermann"
    found.InstitutionName, found.ReferringPhysicianName = "Marienhospital", "Haus^Gregor"
    found.OperatorsName = "Nachbar^Anna"
    found.RequestAttributesSequence = [item(RequestedProcedureID="ACC-777")]
    deep = item(PatientName="Mustermann^Erika", StudyDate=DAY, PatientID=patient,
                ReferencedSOPInstanceUID=f"{ROOT}.9", PatientComments="Haus")  # fmt: skip
    deep.add_new(0x00191010, "LO", "Nachbar")
    deep.add_new(0x00191011, "LO", "Mustermann")
    found.ContributingEquipmentSequence = [
        item(Manufacturer="X", InstitutionName="Marienhospital", ContributionDateTime=f"{DAY}10",
             ContributionDescription="Haus", PurposeOfReferenceCodeSequence=[deep])
    ]  # fmt: skip
    found.add_new(0x00191010, "LO", "Nachbar")
    found.add_new(0x00191011, "UN", b"Mustermann")
    found.add_new(0x60000022, "LO", "Mustermann")
    found.add_new(0x00204000, "LT", "Frau Mustermann, 12.03.1948")
    found.add_new(0x00109991, "LO", "Mustermann")  # no entry of the standard


def seg() -> Dataset:
    """A region of the series, drawn by somebody with a name."""
    found = segmentation(GRID, frames_of({1: region()}), {1: "L1 Mustermann"}, frame=FRAME)
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    _identify(found, PATIENT, STUDY)
    found.SeriesInstanceUID, found.SOPInstanceUID = SEG, f"{SEG}.1"
    found.SegmentSequence[0].TrackingUID, found.SegmentSequence[0].TrackingID = f"{ROOT}.8", "Erika"
    found.SeriesDescription, found.ContentLabel = "Mustermann", "MUSTERMANN"
    found.ReferencedSeriesSequence = [
        item(
            SeriesInstanceUID=MR,
            ReferencedInstanceSequence=[
                item(ReferencedSOPClassUID=MRImageStorage, ReferencedSOPInstanceUID=f"{MR}.{k + 1}")
                for k in range(SLICES)
            ],
        )
    ]
    return found


def rtstruct() -> Dataset:
    """The same region as contours."""
    contours = drawn(region(), GRID)
    found = structure_set([(1, "L1 Mustermann", contours)], frame=FRAME, series=MR)
    _identify(found, PATIENT, STUDY)
    found.SeriesInstanceUID, found.SOPInstanceUID = RTSTRUCT, f"{RTSTRUCT}.1"
    found.StructureSetLabel, found.StructureSetDate = "Roth", DAY
    return pydicom.dcmread(BytesIO(written(found)))


def exam() -> list[Dataset]:
    """Series, segmentation and structure set."""
    return [*mri(), seg(), rtstruct()]


def burnt_in(found: Dataset) -> None:
    found.BurnedInAnnotation = "YES"


def capture(found: Dataset) -> None:
    found.SOPClassUID, found.ConversionType = SecondaryCaptureImageStorage, "WSD"


def captured(found: Dataset) -> None:
    found.ConversionType = "WSD"


def coloured(found: Dataset) -> None:
    found.PhotometricInterpretation, found.SamplesPerPixel = "RGB", 3
    found.PixelData = found.PixelData[:1] * (3 * found.Rows * found.Columns * 2)


def drawn_into(found: Dataset) -> None:
    found.add_new(0x60000100, "US", 16)
    found.add_new(0x60000102, "US", 12)


def padded(found: Dataset) -> None:
    found.PixelData += b"Mustermann"


REFUSED: dict[str, Callable[[Dataset], None]] = {
    "burnt into": burnt_in,
    "its kind": capture,
    "captured screen": captured,
    "colours": coloured,
    "drawings": drawn_into,
    "more or fewer": padded,
}
"""Changes of an image, by a word of the reason why it is refused."""


def saved(objects: Iterable[Dataset], folder: Path) -> Path:
    """Part-10 files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for found in objects:
        (folder / f"{found.SOPInstanceUID}.dcm").write_bytes(encoded(found))
    return folder


def encoded(found: Dataset) -> bytes:
    stream = BytesIO()
    pydicom.dcmwrite(stream, found, enforce_file_format=True)
    return stream.getvalue()
