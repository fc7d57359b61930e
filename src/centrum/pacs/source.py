"""The series that an object is about: what is copied from it, and UIDs that are derived from it.

Objects that go back to an archive belong to the patient, the study and the frame of reference of
their series. All of that is copied as it stands there, and nothing of it is typed. These objects
are the one place where the identifiers of a patient are written.

Source: DICOM PS3.3, C.7.1 to C.7.4; PS3.5, B.2 (UIDs of the root 2.25).
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from centrum.errors import ImageError
from centrum.io.dicom_files import choose
from centrum.io.dicom_object import reading
from centrum.io.functional_groups import GROUPS
from centrum.io.open import file_format
from centrum.io.paths import split_source
from centrum.io.scratch import fetched
from centrum.io.slices import IMAGE_PLANE
from centrum.provenance import digest

if TYPE_CHECKING:
    from pydicom import Dataset

RESEARCH = "For research use only"
"""Stands in every object, and on every page."""

PATIENT_AND_STUDY = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "PatientAge", "PatientSize", "PatientWeight", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "StudyDescription", "AccessionNumber", "IssuerOfAccessionNumberSequence",
    "ReferringPhysicianName", "TimezoneOffsetFromUTC",
)  # fmt: skip
"""Entries of patient and study, which all objects of a study have in common."""

EMPTY_ALLOWED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""Those that every object must have, empty where they are not known (type 2)."""

OF_THE_BODY = ("BodyPartExamined", "Laterality")
"""Entries of the series that say which part of the body it shows."""

NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality")

KEYWORDS = (
    *NEEDED, *PATIENT_AND_STUDY, *OF_THE_BODY, *IMAGE_PLANE, *GROUPS, "FrameOfReferenceUID",
    "PositionReferenceIndicator", "Rows", "Columns", "NumberOfFrames", "ImageType",
    "SliceThickness", "SpecificCharacterSet", "LossyImageCompression",
    "LossyImageCompressionMethod", "LossyImageCompressionRatio", "ContentDate", "ContentTime",
    "AcquisitionDate", "AcquisitionTime", "SeriesDate", "SeriesTime",
)  # fmt: skip
"""What is read of a header: the rest of a file can be of any size."""

UNKNOWN_DATE, UNKNOWN_TIME = "19000101", "000000"
"""Of an object whose series has no date, as after de-identification, where the standard wants one.

PS3.15, E.1 puts a dummy value there; today's date would make each writing another object."""

_DATED = ("Content", "Acquisition", "Series", "Study")
"""Whose date is taken for that of the content, the first that there is."""


@dataclass(frozen=True, eq=False, repr=False)
class SourceSeries:
    """The headers of the images of one series, ordered by UID."""

    images: "tuple[Dataset, ...]"

    @property
    def first(self) -> "Dataset":
        """The header from which patient and study are copied."""
        return self.images[0]

    @property
    def uid(self) -> str:
        """The UID of the series."""
        return str(self.first.SeriesInstanceUID)

    @property
    def date(self) -> tuple[str, str]:
        """Date and time of the images, for what is made of them."""
        for kind in _DATED:
            if date := str(self.first.get(f"{kind}Date") or ""):
                return date, str(self.first.get(f"{kind}Time") or "") or UNKNOWN_TIME
        return UNKNOWN_DATE, UNKNOWN_TIME


def read_series(source: str | Path) -> SourceSeries:
    """The series that `centrum.io.read_image` reads as an image, headers alone.

    Raises
    ------
    ImageError
        It is no DICOM series ("not-dicom"), it cannot be read, or lacks what an object about it
        must name ("no-uid").
    """
    import pydicom

    path, part = split_source(fetched(source))
    paths = source_files(path, part)
    with reading(path):
        headers = [
            pydicom.dcmread(each, stop_before_pixels=True, specific_tags=[*KEYWORDS])
            for each in paths
        ]
    lacking = [k for k in NEEDED if not all(header.get(k) for header in headers)]
    if lacking:
        raise ImageError(
            f"{path.name}: a file lacks {', '.join(lacking)}, which an object about it must name.",
            remedy="Fetch the series from the archive again.",
            code="no-uid",
            file=path,
        )
    return SourceSeries(tuple(sorted(headers, key=lambda header: str(header.SOPInstanceUID))))


def source_files(path: Path, part: str | None) -> list[Path]:
    """The files of a series; of the part that chooses it, what has a "=" is about frames.

    Raises
    ------
    ImageError
        It is no DICOM series; code "not-dicom".
    """
    if path.is_dir():
        uid = next((word for word in (part or "").split(",") if word and "=" not in word), None)
        return [file.path for file in choose(path, uid)[0]]
    if file_format(path) == "DICOM":
        return [path]
    raise ImageError(
        f"{path.name} is no DICOM series, and an archive takes objects about its own series alone.",
        remedy="Score the series that it was converted from.",
        code="not-dicom",
        file=path,
    )


def describe_source(made: "Dataset", source: SourceSeries, *, body: bool) -> None:
    """Copy patient, study and dates of a series into an object about it.

    Parameters
    ----------
    made : the object; what it says of these is replaced
    body : whether it has the entries `OF_THE_BODY` too
    """
    made.SpecificCharacterSet = "ISO_IR 192"
    made.ContentDate, made.ContentTime = source.date
    for keyword in (*PATIENT_AND_STUDY, *(OF_THE_BODY if body else ())):
        made.pop(keyword, None)
        value = source.first.get(keyword)
        if value or keyword in EMPTY_ALLOWED:
            setattr(made, keyword, value or "")


def undated(made: "Dataset") -> None:
    """Take out when it was made, by which each writing would be another."""
    del made.InstanceCreationDate, made.InstanceCreationTime
    for item in made.get("ContributingEquipmentSequence", ()):
        item.pop("ContributionDateTime", None)


def derived_uid(kind: str, *parts: object) -> str:
    """The UID of what is made of `parts` (JSON-ready): the same for the same.

    >>> derived_uid("series", "1.2.3") == derived_uid("series", "1.2.3")
    True
    >>> derived_uid("series", "1.2.3") == derived_uid("instance", "1.2.3")
    False
    """
    return f"2.25.{UUID(hex=digest([kind, *parts])[:32], version=5).int}"


def encoded(made: "Dataset") -> bytes:
    """The bytes of the file of an object."""
    stream = BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
