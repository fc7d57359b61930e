"""The DICOM files below a folder by series, and the segmentations among them; headers only."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from centrum.errors import CentrumError, ManifestError
from centrum.execution import Progress, silent
from centrum.io.dicom_files import DicomFile
from centrum.io.dicom_header import (
    DIRECTORY,
    SEGMENTATIONS,
    STRUCTURE_SET,
    FileHeader,
    read_header,
    series_code,
)
from centrum.io.dicom_object import entry, items, reading
from centrum.io.functional_groups import FrameGroups, frame_groups
from centrum.io.paths import existing
from centrum.provenance import file_digest
from centrum.text import one_line

if TYPE_CHECKING:
    import pydicom

KINDS = {**dict.fromkeys(SEGMENTATIONS, "SEG"), STRUCTURE_SET: "RTSTRUCT"}
"""What masks are called, by what a file holds."""

MOST_FILES = 1_000_000
"""More files are not looked into: half an hour."""

_SAID = (
    "ContentCreatorName",
    "ContrastBolusAgent",
    "FrameOfReferenceUID",
    "IssuerOfPatientID",
    "Modality",
    "OperatorsName",
    "PatientBirthDate",
    "PatientID",
    "PatientName",
    "ProtocolName",
    "SOPInstanceUID",
    "SegmentationType",
    "SeriesDescription",
    "SeriesInstanceUID",
    "SeriesNumber",
    "StudyDate",
    "StudyInstanceUID",
)

_SEVERAL = (
    "EchoTime",
    "ImageType",
    "InversionTime",
    "RepetitionTime",
    "ScanOptions",
    "ScanningSequence",
)
"""Entries that may have several values; of times these are told as such."""

_OF_FRAMES = {
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
}
"""Where a multi-frame image says what others say of their one frame."""

_PLACES = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
}

_TOLD = ("others", "directories", "unreadable", "foreign")

Said = Mapping[str, Any]
"""Entries of a header as plain Python values; what is absent or empty is None."""


class ArchiveSlice(NamedTuple):
    """One slice of a series: its file, its UID, its plane ("" if unknown), and where it lies."""

    path: str
    uid: str
    plane: str
    position: float | None

    @property
    def folder(self) -> str:
        """The folder of its file; "" for the one that is looked into."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, eq=False)
class ArchiveSeries:
    """The images of one series.

    Attributes
    ----------
    uid : its Series Instance UID
    said : the entries of its first file
    slices : in the order of their files
    exams : patient and study of its files; more than one is a mistake of the archive
    """

    uid: str
    said: Said
    slices: tuple[ArchiveSlice, ...]
    exams: frozenset[tuple[str, str]]

    @property
    def exam(self) -> tuple[str, str]:
        """Its patient and study."""
        return min(self.exams)

    @property
    def code(self) -> str:
        """What it is called in a table."""
        return series_code(self.uid)

    def in_folders(self) -> dict[str, list[ArchiveSlice]]:
        """Its slices by folder."""
        found = defaultdict(list)
        for each in self.slices:
            found[each.folder].append(each)
        return found


@dataclass(frozen=True, eq=False)
class ArchiveMask:
    """A segmentation or structure set.

    Attributes
    ----------
    path : of its file, relative to the folder
    kind : "SEG" or "RTSTRUCT"
    said : its entries
    series, frames : UIDs of the series and frames of reference that it names
    """

    path: str
    kind: str
    said: Said
    series: frozenset[str]
    frames: frozenset[str]


@dataclass(frozen=True, eq=False)
class ArchiveIndex:
    """What lies below a folder.

    Attributes
    ----------
    folder : it
    series : image series by UID
    masks : segmentations, copies left out
    others : files of other kinds of object
    directories : DICOMDIR files
    unreadable, foreign : files that should be DICOM and are broken, and that are no DICOM
    copied : masks that are there again, byte for byte
    """

    folder: Path
    series: Mapping[str, ArchiveSeries]
    masks: tuple[ArchiveMask, ...]
    others: tuple[str, ...]
    directories: tuple[str, ...]
    unreadable: tuple[str, ...]
    foreign: tuple[str, ...]
    copied: tuple[str, ...]

    @property
    def files(self) -> frozenset[str]:
        """The DICOM files, readable or not, but DICOMDIRs."""
        images = (each.path for series in self.series.values() for each in series.slices)
        masks = (mask.path for mask in self.masks)
        return frozenset([*images, *masks, *self.copied, *self.others, *self.unreadable])

    @cached_property
    def series_in(self) -> Counter[str]:
        """How many series of images each folder holds."""
        return Counter(f for series in self.series.values() for f in series.in_folders())


class _Gathered:
    """The index as it grows, file by file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: dict[str, Said] = {}
        self.slices: dict[str, list[ArchiveSlice]] = defaultdict(list)
        self.exams: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self.masks: list[ArchiveMask] = []
        self.told: dict[str, list[str]] = defaultdict(list)

    def add(self, path: str) -> None:
        """Look into a file; whatever is wrong with it is its own affair."""
        place = existing(self.folder / path)
        try:
            header = read_header(place) if place.is_file() else None
            if header is None:
                self.told["foreign"].append(path)
            elif header.storage == DIRECTORY:
                self.told["directories"].append(path)
            else:
                with reading(place):
                    self._add(path, header)
        except (CentrumError, OSError):
            self.told["unreadable"].append(path)

    def _add(self, path: str, header: FileHeader) -> None:
        said = _said(header.entries)
        uid, exam = said["SeriesInstanceUID"], _exam(said)
        if kind := KINDS.get(header.storage):
            self.masks.append(_mask(path, kind, said, header.entries))
        elif header.is_image and uid:
            frames = _frames(header)
            slices, more = _slices(path, said, header, frames), _of_frames(frames)
            self.slices[uid] += slices
            self.said.setdefault(uid, {**said, **more})
            self.exams[uid].add(exam)
        else:
            self.told["others"].append(path)

    def index(self) -> ArchiveIndex:
        """What was found."""
        masks = _once(self.folder, self.masks)
        series = {
            uid: ArchiveSeries(uid, said, tuple(self.slices[uid]), frozenset(self.exams[uid]))
            for uid, said in self.said.items()
        }
        told = {what: tuple(self.told[what]) for what in _TOLD}
        copied = tuple(mask.path for mask in self.masks if mask not in masks)
        return ArchiveIndex(self.folder, series, masks, copied=copied, **told)


def index_files(folder: Path, paths: Sequence[str], progress: Progress = silent) -> ArchiveIndex:
    """The index of files relative to a folder.

    Raises
    ------
    ManifestError
        They are more than `MOST_FILES`.
    """
    if len(paths) > MOST_FILES:
        raise ManifestError(
            f"{folder.name!r} holds {len(paths)} files; up to {MOST_FILES} are looked into.",
            remedy="Begin with a part of its folders.",
            code="too-many-files",
        )
    found = _Gathered(folder)
    for k, path in enumerate(paths):
        progress("Reading DICOM headers", k, len(paths))
        found.add(path)
    progress("Reading DICOM headers", len(paths), len(paths))
    return found.index()


def _said(header: "pydicom.Dataset") -> Said:
    """The entries, text for those that have one value by the standard."""
    given = {keyword: entry(header, keyword) for keyword in (*_SAID, *_SEVERAL)}
    return {
        keyword: "\\".join(map(str, value))
        if isinstance(value, list) and keyword in _SAID
        else value
        for keyword, value in given.items()
    }


def _exam(said: Said) -> tuple[str, str]:
    """Patient and study; without an id of the patient the study is all that is known of him."""
    study = said["StudyInstanceUID"] or said["FrameOfReferenceUID"] or said["SeriesInstanceUID"]
    names = [one_line(str(said[k] or "")).strip() for k in ("PatientID", "IssuerOfPatientID")]
    return " ".join(filter(None, names)) if names[0] else "", study


def _frames(header: FileHeader) -> list[FrameGroups]:
    """The functional groups of a multi-frame image, none of any other."""
    if "PerFrameFunctionalGroupsSequence" not in header.entries:
        return []
    return frame_groups(header.entries, header.path)


def _of_frames(frames: Sequence[FrameGroups]) -> dict[str, Any]:
    found = {k: frames[0].entry(*place) for k, place in _OF_FRAMES.items()} if frames else {}
    return {keyword: value for keyword, value in found.items() if value is not None}


def _slices(
    path: str, said: Said, header: FileHeader, frames: Sequence[FrameGroups]
) -> list[ArchiveSlice]:
    uid = said["SOPInstanceUID"] or path
    if not frames:
        return [_slice(path, uid, header.entries)]
    return [_slice(path, f"{uid}/{k}", _placed(frame)) for k, frame in enumerate(frames)]


def _placed(frame: FrameGroups) -> "pydicom.Dataset":
    from pydicom import Dataset

    placed = Dataset()
    for keyword, group in _PLACES.items():
        if value := frame.entry(group, keyword):
            setattr(placed, keyword, value)
    return placed


def _slice(path: str, uid: str, header: "pydicom.Dataset") -> ArchiveSlice:
    file = DicomFile(Path(path), header, "")
    placed = file.plane and file.places("ImagePositionPatient")
    return ArchiveSlice(path, uid, file.plane, file.along_normal if placed else None)


def _mask(path: str, kind: str, said: Said, header: "pydicom.Dataset") -> ArchiveMask:
    if kind == "SEG":
        frames = {said["FrameOfReferenceUID"]}
        series = {
            entry(each, "SeriesInstanceUID") for each in items(header, "ReferencedSeriesSequence")
        }
    else:
        named = items(header, "ReferencedFrameOfReferenceSequence")
        frames = {entry(frame, "FrameOfReferenceUID") for frame in named}
        series = {
            entry(each, "SeriesInstanceUID")
            for frame in named
            for study in items(frame, "RTReferencedStudySequence")
            for each in items(study, "RTReferencedSeriesSequence")
        }
    return ArchiveMask(path, kind, said, *(frozenset(filter(None, f)) for f in (series, frames)))


def _once(folder: Path, masks: Iterable[ArchiveMask]) -> tuple[ArchiveMask, ...]:
    """The masks without copies: a program may write another content under the same UID."""
    by_uid: dict[str, list[ArchiveMask]] = defaultdict(list)
    for mask in masks:
        by_uid[mask.said["SOPInstanceUID"] or mask.path].append(mask)
    kept: list[ArchiveMask] = []
    for same in by_uid.values():
        contents: dict[str, ArchiveMask] = {}
        for mask in same:
            key = file_digest(existing(folder / mask.path)) if len(same) > 1 else ""
            contents.setdefault(key, mask)
        kept += contents.values()
    return tuple(sorted(kept, key=lambda mask: mask.path))
