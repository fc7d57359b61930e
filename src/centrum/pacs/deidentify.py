"""Take out of a DICOM object who the patient is, and leave where each voxel lies.

The rules of the standard's basic profile come from dicom-anonymizer's table; they are applied here,
in sequences too. Beyond them nothing is trusted that a person may have typed. UIDs are replaced
wherever they stand, so that a segmentation still refers to its series, and what is drawn in one
frame of reference stays in one.

Source: DICOM PS3.15, E.1.1 and table E.1-1 (edition 2026c), with the options E.3.5 (clean
descriptors), E.3.6 (modified dates) and E.3.7 (retain patient characteristics, of which age and
sex). What the table leaves alone, and what is removed all the same: decision 0025.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from io import BytesIO
from math import prod
from typing import Any

from pydicom import DataElement, Dataset, dcmwrite
from pydicom.datadict import dictionary_has_tag
from pydicom.dataset import FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID_dictionary

from centrum.errors import ArchiveError
from centrum.io.dicom_object import uid_name
from centrum.pacs.identities import Identities, KnownStudy
from centrum.pacs.source import PATIENT_AND_STUDY

TABLE = "dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c"

REMOVE, EMPTY, DUMMY, UIDS, KEEP = "X", "Z", "D", "U", "K"

_LISTS = {
    "X_TAGS": REMOVE, "Z_TAGS": EMPTY, "D_TAGS": DUMMY, "U_TAGS": UIDS, "Z_D_TAGS": DUMMY,
    "X_Z_TAGS": EMPTY, "X_D_TAGS": DUMMY, "X_Z_D_TAGS": DUMMY, "X_Z_U_STAR_TAGS": UIDS,
}  # fmt: skip
"""Of several actions that a rule leaves open, the one that is allowed for every kind of object."""

KINDS = (
    "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2",
    "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4",
    "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7",
    "1.2.840.10008.5.1.4.1.1.481.3",
)  # fmt: skip
"""CT and MR images (classic, enhanced, converted), segmentations, label maps, structure sets.

Others hold text or screenshots, which no rule cleans. Source: DICOM PS3.4, B.5."""

CLEANED = frozenset({
    "BodyPartExamined", "ContentDescription", "ContentLabel", "ProtocolName", "ROIName",
    "SegmentDescription", "SegmentLabel", "SeriesDescription", "StructureSetLabel", "TrackingID",
})  # fmt: skip
"""Typed by people, and needed: only words that say nothing of a person stay."""

NUMBERED = {"SegmentLabel": "SegmentNumber", "ROIName": "ROINumber"}
"""Names of what can be several in one object, and the entry beside them that counts it."""

MACHINE_MADE = frozenset({
    "CodeMeaning", "CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "Manufacturer",
    "ManufacturerModelName", "PulseSequenceName", "ReceiveCoilName", "SequenceName",
    "SoftwareVersions", "TransmitCoilName", "LongCodeValue", "ContextIdentifier",
    "MappingResource", "SegmentAlgorithmName", "AlgorithmName", "AlgorithmVersion",
    "RescaleType", "LUTExplanation", "StackID",
})  # fmt: skip
"""Texts that devices and programs write."""

WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        2d 3d adc ax axial blade body bone bwk bws c calc cervical cor corona coronal corpus
        cspine ct cube dark dess diff dixon dl dual dwi e1 e2 echo ep epi fast fat fatsat ffe
        fisp flair flash fov fracture frfse fs fsat fse gad gd gradient gre haste hbw hwk hws
        ideal in inphase ir kernel km lesion localizer lspine lumbar lwk lws map mask medic mit
        mobi mobiview mpr mr mra mri mrt native obl ohne opp opposed out outphase p2 p3 pd
        pelvis phase post pre propeller recon region relaxed roi sacrum sag sagittal sat sba
        scout se seg segment segmentation sense series sp space spair spin spine spir ssfse ssh
        star std stir subtraction survey t1 t1w t2 t2w tf tfe thick thin thoracic tir tirm tra
        trans transverse trufi tse tspine turbo vertebra vertebrae vertebral vibe vista vol
        volume w water wfs wirbel wirbelkoerper wirbelsaeule
        """,
    )
)
"""Of methods, planes, bones and programs, in English and German."""

_LEVEL = re.compile(r"(?:[ctls]|th)\d{1,2}")

_TEXTS = {"LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE", "PN"}
_BYTES = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
_IMAGE_GROUPS = (0x0028, 0x7FE0)
"""Pixels, and the tables by which they are shown."""

_DRAWN_OVER = (0x5000, 0x6000)
_OVERLAY_BIT, _PATIENT_BIRTH = 0x0102, 0x00100030

OLDEST = 89
"""Years; older patients are "090Y", as there are few of them.

Source: 45 CFR 164.514(b)(2)(i)(C)."""

METHOD = ["centrum, PS3.15 E.1 (2026c)", "clean descriptors, modified dates, age and sex kept"]
CODES = {
    "113100": "Basic Application Confidentiality Profile",
    "113105": "Clean Descriptors Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
}
"""Source: DICOM PS3.16, CID 7050."""


class Deidentified:
    """Objects without the patient, under the codes of one file of identities.

    Attributes
    ----------
    identities : where pseudonyms, UIDs and shifts of dates come from
    """

    def __init__(self, identities: Identities) -> None:
        self.identities = identities

    def file(self, dataset: Dataset) -> bytes:
        """The DICOM file of an object without the patient; the dataset is changed.

        Its UIDs, and whose it was, are written into the identities before.

        Raises
        ------
        ArchiveError
            Its pixels show, or may hold, what no rule takes away ("not-cleanable").
        """
        check_cleanable(dataset)
        patient = patient_of(dataset)
        self.identities.keep_study(str(dataset.get("StudyInstanceUID")), _known(dataset, patient))
        cleaning = _Cleaning(self.identities, self.identities.shift(patient))
        cleaning.clean(dataset)
        self.identities.keep(cleaning.replaced)
        _sign(dataset, self.identities.pseudonym(patient))
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
        dataset.file_meta, dataset.preamble = meta, bytes(128)
        stream = BytesIO()
        dcmwrite(stream, dataset, enforce_file_format=True)
        return stream.getvalue()


def patient_of(dataset: Dataset) -> str:
    """What tells a patient from others: ID and its issuer; the study where there is no ID."""
    known, issuer = (str(dataset.get(k) or "") for k in ("PatientID", "IssuerOfPatientID"))
    if not known:
        return f"study {dataset.get('StudyInstanceUID')}"
    return f"{known} ({issuer})" if issuer else known


def _known(dataset: Dataset, patient: str) -> KnownStudy:
    entries = Dataset()
    for keyword in PATIENT_AND_STUDY:
        if keyword in dataset:
            entries.add(dataset[keyword])
    return KnownStudy(patient, entries.to_json_dict(suppress_invalid_tags=True))


# Pixels


def check_cleanable(dataset: Dataset) -> None:
    """Refuses an object whose pixels or contents can say who the patient is.

    Raises
    ------
    ArchiveError
        With the code "not-cleanable".
    """
    why = _uncleanable(dataset)
    if why:
        raise ArchiveError(
            f"An object is not fetched, because {why}.",
            remedy="Look at it in the archive; --keep-identifiers fetches it as it is.",
            code="not-cleanable",
        )


def _uncleanable(dataset: Dataset) -> str:
    kind = str(dataset.get("SOPClassUID"))
    if kind not in KINDS:
        return f"its kind ({uid_name(kind)}) can hold names as text or in its picture"
    if str(dataset.get("BurnedInAnnotation") or "").upper() == "YES":
        return "it says that text is burnt into its pixels"
    if "ConversionType" in dataset:
        return "it is a captured screen or a scanned film"
    if "PixelData" in dataset:
        return _odd_pixels(dataset)
    return ""


def _odd_pixels(dataset: Dataset) -> str:
    shown = str(dataset.get("PhotometricInterpretation"))
    if shown not in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"):
        return "it is a picture in colours, which may hold text"
    if any(e.tag.group & 0xFF00 == 0x6000 and e.tag.element == _OVERLAY_BIT and e.value
           for e in dataset):  # fmt: skip
        return "drawings lie within its pixels"
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        return ""
    size = ("Rows", "Columns", "SamplesPerPixel", "NumberOfFrames", "BitsAllocated")
    bits = prod(int(dataset.get(k) or 1) for k in size)
    wanted = -(-bits // 8)
    if len(dataset.PixelData) - wanted in (0, 1):
        return ""
    return "its pixels are more or fewer than it says"


def may_be_drawn_on(dataset: Dataset) -> bool:
    """Whether nothing says that an image is as the scanner made it, without text on it.

    Segmentations and structure sets have no pixels that show a patient.
    """
    if "ImageType" not in dataset or str(dataset.get("BurnedInAnnotation") or "").upper() == "NO":
        return False
    if str(dataset.get("Modality")) in ("SEG", "RTSTRUCT"):
        return False
    return list(map(str, dataset.ImageType))[:2] != ["ORIGINAL", "PRIMARY"]


# Entries


@cache
def _rules() -> Mapping[int, str]:
    """Action by tag."""
    table = import_module(TABLE)
    return {
        tag[0] << 16 | tag[1]: action
        for name, action in _LISTS.items()
        for tag in getattr(table, name)
        if len(tag) == 2
    }


def check_table() -> None:
    """Raises ModuleNotFoundError where the table of rules is not installed."""
    _rules()


@dataclass(frozen=True)
class _Cleaning:
    """What is done to one object, and the UIDs that it had."""

    identities: Identities
    shift: timedelta
    replaced: set[str] = field(default_factory=set)

    def clean(self, dataset: Dataset) -> None:
        """Every entry, those of sequences within sequences, too."""
        for element in list(dataset):
            if self._goes(element):
                del dataset[element.tag]
            elif element.VR == "SQ" and self._is_kept(element):
                for item in element.value:
                    self.clean(item)
            else:
                element.value = self._instead(element, dataset)

    def _goes(self, element: DataElement) -> bool:
        tag = element.tag
        if not dictionary_has_tag(tag) or tag.group & 0xFF00 in _DRAWN_OVER:
            return True
        if element.VR in _BYTES and tag.group not in _IMAGE_GROUPS:
            return True
        return _rules().get(tag) == REMOVE and not self._is_needed(element)

    @staticmethod
    def _is_needed(element: DataElement) -> bool:
        return element.keyword in CLEANED or element.keyword in ("PatientAge", "PatientSex")

    @staticmethod
    def _is_kept(element: DataElement) -> bool:
        return _rules().get(element.tag, KEEP) in (KEEP, UIDS)

    def _instead(self, element: DataElement, beside: Dataset) -> Any:
        """The value that takes the place of one."""
        kind, keyword = element.VR, element.keyword
        if kind == "SQ":
            return Items()
        if keyword == "PatientAge":
            return _rounded_age(element.value)
        if keyword == "PatientSex":
            return element.value if element.value in ("M", "F", "O") else ""
        if keyword == "ContentCreatorName":
            return self.identities.reader(str(element.value)) if element.value else ""
        if keyword in NUMBERED:
            return _name(str(element.value or ""), beside.get(NUMBERED[keyword]))
        if keyword in CLEANED:
            return _each(element.value, cleaned) or _stand_in(keyword)
        if kind == "UI":
            return _each(element.value, self._uid)
        if kind in ("DA", "DT") and element.tag != _PATIENT_BIRTH:
            return _each(element.value, self._moved)
        if kind in ("DA", "TM"):
            return "000000" if _rules().get(element.tag) == DUMMY else ""
        return self._of_rule(element)

    @staticmethod
    def _of_rule(element: DataElement) -> Any:
        kind, rule = element.VR, _rules().get(element.tag, KEEP)
        if element.keyword in MACHINE_MADE:
            return element.value
        if kind in _TEXTS:
            return "REMOVED" if rule == DUMMY else ""
        if rule in (EMPTY, DUMMY):
            return 0 if rule == DUMMY and kind not in ("CS", "AS") else None
        return element.value

    def _uid(self, uid: str) -> str:
        if not uid or uid in UID_dictionary:
            return uid
        self.replaced.add(uid)
        return self.identities.uid(uid)

    def _moved(self, text: str) -> str:
        """A date, without its time, moved; "" for what is none."""
        try:
            day = datetime.strptime(text[:8], "%Y%m%d")
            return (day + self.shift).strftime("%Y%m%d")
        except (ValueError, OverflowError):
            return ""


def _each(value: Any, change: Any) -> Any:
    """A value, or each of several, changed."""
    if isinstance(value, MultiValue | list):
        return [change(str(v)) for v in value]
    return change(str(value)) if value not in (None, "") else value


def cleaned(text: str) -> str:
    """Of a description what names methods, planes and levels, and nobody.

    >>> cleaned("t2_tse_sag Mustermann L1-L5"), cleaned("Mustermann")
    ('t2 tse sag L1 L5', '')
    """
    words = re.findall(r"[^\W_]+", text)
    return " ".join(w for w in words if w.casefold() in WORDS or _LEVEL.fullmatch(w.casefold()))


def _name(text: str, number: Any) -> str:
    """Of a segment or region: its words, with a level or else its number, which tells it apart."""
    found = cleaned(text)
    if any(_LEVEL.fullmatch(word.casefold()) for word in found.split()):
        return found
    return f"{found or 'region'} {number}"


_MUST_BE_THERE = ("ContentLabel", "ProtocolName", "StructureSetLabel")


def _stand_in(keyword: str) -> str:
    """What a description that had nothing to keep becomes, where one must be there."""
    return "REMOVED" if keyword in _MUST_BE_THERE else ""


def _rounded_age(value: Any) -> str:
    found = re.fullmatch(r"(\d{3})([DWMY])", str(value or ""))
    if not found:
        return ""
    return "090Y" if found[2] == "Y" and int(found[1]) > OLDEST else found[0]


def _sign(dataset: Dataset, pseudonym: str) -> None:
    """Say whose it is now, and what was done."""
    dataset.PatientName = dataset.PatientID = pseudonym
    dataset.PatientIdentityRemoved = "YES"
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    dataset.DeidentificationMethod = METHOD
    dataset.DeidentificationMethodCodeSequence = Items(map(_code, CODES))


def _code(value: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", CODES[value]
    return item
