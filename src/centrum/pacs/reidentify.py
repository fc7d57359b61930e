"""Give what was made of de-identified images back its patient and the archive's UIDs.

It is done for the holder of the file of identities alone, and on the way to the archive: the files
that were made stay as they are. UIDs of images, series, study and frame of reference become those
that the archive knows, wherever they stand; the objects' own become others, always the same ones,
since what they hold is another object now, and nobody without the file can tell one from the other.

Source: DICOM PS3.3, C.12.1.1.1 (an altered instance has a UID of its own); PS3.16, TID 1411 and
TID 1004 (codes of tracking and of the observing device).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydicom import DataElement, Dataset, dcmread
from pydicom.multival import MultiValue
from pydicom.uid import UID_dictionary

from centrum.errors import ArchiveError
from centrum.io.dicom_object import reading
from centrum.pacs.archive import ToSend
from centrum.pacs.identities import Identities, KnownStudy
from centrum.pacs.source import EMPTY_ALLOWED, PATIENT_AND_STUDY, UNKNOWN_DATE, encoded
from centrum.store import write_atomically

_MADE = ("TrackingUID", "DimensionOrganizationUID")
"""UIDs that whoever makes an object makes for it, and that lead to no other object."""

_TRACKING, _DEVICE = "112040", "121012"
"""Concepts of a report whose UIDs do the same: of a finding, and of the program that observes."""


def restored(files: Sequence[ToSend], identities: Identities, folder: Path) -> list[Path]:
    """Write files under the patient and the UIDs of the archive; each into a folder of its own.

    Parameters
    ----------
    files : objects about de-identified images; those that refer to each other go together
    folder : private, for as long as they are sent

    Raises
    ------
    ArchiveError
        A file is of a study, or refers to something, that was not fetched under these identities
        ("unknown-uid"), or is itself one of the images that were fetched ("fetched-itself").
        Nothing is written then.
    """
    back = identities.originals()
    own = {uid for file in files for uid in (file.uid, file.series)} - back.keys()
    made = [encoded(_restored(file, identities, back, own)) for file in files]
    paths = [folder / f"{k:06d}" / file.path.name for k, file in enumerate(files)]
    for path, data in zip(paths, made, strict=True):
        write_atomically(path, data)
    return paths


def _restored(file: ToSend, identities: Identities, back: dict[str, str], own: set[str]) -> Dataset:
    if file.uid in back:
        raise ArchiveError(
            f"{file.path.name} is one of the objects that were fetched: the archive has the "
            "original.",
            remedy="Send what was made of them alone.",
            code="fetched-itself",
            file=file.path,
        )
    study = identities.study(back.get(file.study, ""))
    if study is None:
        raise _unknown(file, "its study")
    with reading(file.path):
        dataset = dcmread(file.path)
        _Restoring(file, study, identities, back, own).restore(dataset)
        _describe(dataset, study)
    return dataset


def _describe(dataset: Dataset, study: KnownStudy) -> None:
    """Patient and study as the archive has them."""
    known = Dataset.from_json(study.entries)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword in PATIENT_AND_STUDY:
        dataset.pop(keyword, None)
        if keyword in known:
            dataset.add(known[keyword])
        elif keyword in EMPTY_ALLOWED:
            setattr(dataset, keyword, "")


@dataclass(frozen=True)
class _Restoring:
    """What is done to one object."""

    file: ToSend
    study: KnownStudy
    identities: Identities
    back: dict[str, str]
    own: set[str]

    def restore(self, dataset: Dataset) -> None:
        """Every entry, those of sequences within sequences, too."""
        for element in dataset:
            if element.VR == "SQ":
                for item in element.value:
                    self.restore(item)
            elif element.VR == "UI":
                made = element.keyword in _MADE or _is_made(dataset, element)
                element.value = _each(element.value, lambda u, made=made: self._uid(u, made))
            elif element.VR in ("DA", "DT"):
                element.value = _each(element.value, self._moved_back)

    def _uid(self, uid: str, made: bool) -> str:
        if not uid or uid in UID_dictionary:
            return uid
        if uid in self.back:
            return self.back[uid]
        if uid in self.own or made:
            return self.identities.uid(uid)
        raise _unknown(self.file, "an object that it refers to")

    def _moved_back(self, text: str) -> str:
        """A date as it was; one that stands for none, or is none, as it is."""
        if not text or text.startswith(UNKNOWN_DATE):
            return text
        day = datetime.strptime(text[:8], "%Y%m%d") - self.identities.shift(self.study.patient)
        return day.strftime("%Y%m%d") + text[8:]


def _is_made(item: Dataset, element: DataElement) -> bool:
    """Whether an item of a report holds a UID that was made for it."""
    if element.keyword != "UID":
        return False
    concepts = item.get("ConceptNameCodeSequence") or [Dataset()]
    return str(concepts[0].get("CodeValue")) in (_TRACKING, _DEVICE)


def _each(value: Any, change: Any) -> Any:
    """A value, or each of several, changed."""
    if isinstance(value, MultiValue | list):
        return [change(str(v)) for v in value]
    return change(str(value or ""))


def _unknown(file: ToSend, what: str) -> ArchiveError:
    return ArchiveError(
        f"{file.path.name}: {what} was not fetched under these identities, or before they kept "
        "UIDs: the archive's UID is not known.",
        remedy="Take the identities with which the images were fetched, send objects that refer "
        "to each other together, or fetch the series again into another folder, which adds the "
        "UIDs.",
        code="unknown-uid",
        file=file.path,
    )
