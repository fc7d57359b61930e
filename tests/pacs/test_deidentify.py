"""What is left of an object, entry by entry; the whole of it is searched in `test_round_trip`."""

from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, strategies as st
from pydicom.datadict import DicomDictionary, dictionary_keyword, dictionary_VR
from pydicom.dataset import Dataset

from centrum.errors import ArchiveError
from centrum.io import read_image
from centrum.io.open import read_masks
from centrum.pacs.deidentify import Deidentified, cleaned, may_be_drawn_on, patient_of
from centrum.pacs.identities import Identities
from tests.pacs import objects


@pytest.fixture
def cleaner(tmp_path: Path) -> Deidentified:
    return Deidentified(Identities(tmp_path / "identities.jsonl"))


def left(cleaner: Deidentified, found: Dataset) -> Dataset:
    read = pydicom.dcmread(BytesIO(objects.encoded(found)))
    return pydicom.dcmread(BytesIO(cleaner.file(read)))


TEXTS = [
    tag for tag in DicomDictionary
    if dictionary_VR(tag) in ("LO", "SH", "LT", "ST", "UT", "UC", "UR", "PN", "DA", "DT", "TM")
    and tag >> 16 not in (0, 2, 4, 0x5000, 0x6000) and tag >> 16 < 0x7FE0
]  # fmt: skip


def test_no_entry_keeps_what_a_person_may_have_typed(cleaner: Deidentified) -> None:
    """Every text of the dictionary, at the top and in a sequence that the table does not know."""
    values = {"PN": "Mustermann", "DA": objects.DAY, "DT": objects.DAY, "TM": "101530.25"}
    inner, image = Dataset(), objects.mri()[0]
    for tag in TEXTS:
        kind = dictionary_VR(tag)
        inner.add_new(tag, kind, values.get(kind, "Mustermann"))
        if dictionary_keyword(tag) != "SpecificCharacterSet":
            image.add_new(tag, kind, values.get(kind, "Mustermann"))
    image.PatientID = objects.PATIENT
    image.SharedFunctionalGroupsSequence = [inner]
    found = left(cleaner, image)
    kept = {e.keyword for e in found.iterall() if (e.VR != "SQ" and "Mustermann" in str(e.value)) or
            str(e.value) in (objects.DAY, "101530.25")}  # fmt: skip
    assert kept <= {
        "AlgorithmName", "AlgorithmVersion", "CodeMeaning", "CodeValue", "CodingSchemeVersion",
        "LUTExplanation", "LongCodeValue", "Manufacturer", "ManufacturerModelName",
        "PulseSequenceName", "ReceiveCoilName", "RescaleType", "SegmentAlgorithmName",
        "SequenceName", "SoftwareVersions", "StackID", "TransmitCoilName",
        "CodingSchemeDesignator",
    }  # fmt: skip


KEPT = (
    "PixelData", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "EchoTime",
    "RepetitionTime", "Manufacturer", "PatientSex", "ImageType",
)  # fmt: skip


def test_what_models_and_readers_need_stays(cleaner: Deidentified) -> None:
    before, after = objects.mri()[0], left(cleaner, objects.mri()[0])
    for keyword in KEPT:
        assert after[keyword].value == before[keyword].value
    assert (after.SeriesDescription, after.ProtocolName) == ("t2 tse sag", "LWS")
    assert (after.PatientName, after.PatientID, after.PatientAge) == ("P0001", "P0001", "090Y")
    assert after.PatientIdentityRemoved == "YES"
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID


@pytest.mark.parametrize(("age", "told"), [("089Y", "089Y"), ("090Y", "090Y"), ("101Y", "090Y"),
                                           ("007M", "007M"), ("old", "")])  # fmt: skip
def test_high_ages_are_rounded(cleaner: Deidentified, age: str, told: str) -> None:
    image = objects.mri()[0]
    with pydicom.config.disable_value_validation():
        image.PatientAge = age
        assert left(cleaner, image).PatientAge == told


def test_distances_of_dates_stay_and_times_go(cleaner: Deidentified) -> None:
    image = objects.mri()[0]
    image.SeriesDate, image.AcquisitionDateTime = "20240518", "20240519101530.25+0200"
    found = left(cleaner, image)
    days = [datetime.strptime(d, "%Y%m%d")
            for d in (found.StudyDate, found.SeriesDate, found.AcquisitionDateTime)]  # fmt: skip
    assert [(day - days[0]).days for day in days] == [0, 1, 2]
    assert (datetime(2024, 5, 17) - days[0]).days >= 365
    assert found.StudyTime == ""


def test_references_lead_where_they_led(cleaner: Deidentified) -> None:
    images, seg = [left(cleaner, d) for d in objects.mri()], left(cleaner, objects.seg())
    (series,) = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == images[0].SeriesInstanceUID
    named = [i.ReferencedSOPInstanceUID for i in series.ReferencedInstanceSequence]
    assert named == [image.SOPInstanceUID for image in images]
    assert series.ReferencedInstanceSequence[0].ReferencedSOPClassUID == images[0].SOPClassUID
    assert seg.FrameOfReferenceUID == images[0].FrameOfReferenceUID
    assert seg.StudyInstanceUID == images[0].StudyInstanceUID
    assert seg.ContentCreatorName == cleaner.identities.reader("ROTH^ANNA")


@pytest.mark.parametrize(
    ("label", "told"),
    [("L1 Mustermann", "L1"), ("Segment_1", "Segment 7"), ("Mustermann", "region 7")],
)
def test_segments_are_told_apart(cleaner: Deidentified, label: str, told: str) -> None:
    seg = objects.seg()
    seg.SegmentSequence[0].SegmentLabel, seg.SegmentSequence[0].SegmentNumber = label, 7
    assert left(cleaner, seg).SegmentSequence[0].SegmentLabel == told


@pytest.mark.parametrize("why", objects.REFUSED)
def test_what_cannot_be_cleaned_is_refused(cleaner: Deidentified, why: str) -> None:
    image = objects.mri()[0]
    objects.REFUSED[why](image)
    with pytest.raises(ArchiveError, match=why) as error:
        left(cleaner, image)
    assert error.value.code == "not-cleanable"


def test_derived_images_that_say_nothing_of_text_are_flagged() -> None:
    image = objects.mri()[0]
    assert not may_be_drawn_on(image)
    image.ImageType = ["DERIVED", "SECONDARY"]
    assert may_be_drawn_on(image)
    image.BurnedInAnnotation = "NO"
    assert not may_be_drawn_on(image)
    assert not may_be_drawn_on(objects.seg())


def test_patients_of_two_hospitals_with_one_number_are_two() -> None:
    one, other, none = objects.mri()[:3]
    other.IssuerOfPatientID, none.PatientID = "B", ""
    assert len({patient_of(d) for d in (one, other, none)}) == 3


def test_the_table_of_the_library_is_the_standards() -> None:
    """A few rules of PS3.15, table E.1-1, as typed from it."""
    from centrum.pacs.deidentify import _rules

    typed = {0x00100010: "Z", 0x00100020: "D", 0x00080018: "U", 0x00200052: "U", 0x0008103E: "X",
             0x00080020: "Z", 0x00081010: "D", 0x00104000: "X", 0x00081140: "U"}  # fmt: skip
    assert {tag: _rules()[tag] for tag in typed} == typed
    assert len(_rules()) > 640


@given(st.text(max_size=60))
def test_cleaned_words_are_of_the_list(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)
    assert not any(len(digits) > 2 for digits in "".join(
        c if c.isdigit() else " " for c in cleaned(text)).split())  # fmt: skip


@pytest.mark.parametrize(
    ("exam", "masks"),
    [
        ("derived_tptbox_sagittal_t2/mr", ("seg.dcm", "rtstruct.dcm")),
        ("dcmqi_ct_seg/ct-3slice", ("liver.dcm",)),
    ],
)
def test_masks_of_real_exams_stay_where_they_are(
    cleaner: Deidentified, reference: Path, tmp_path: Path, exam: str, masks: tuple[str, ...]
) -> None:
    series = reference / "dicom" / exam
    (tmp_path / "series").mkdir()
    for path in series.iterdir():
        (tmp_path / "series" / path.name).write_bytes(cleaner.file(pydicom.dcmread(path)))
    before, after = read_image(series), read_image(tmp_path / "series")
    assert after.geometry == before.geometry
    np.testing.assert_array_equal(after.array, before.array)
    for name in masks:
        whole = series.parent / name
        (tmp_path / name).write_bytes(cleaner.file(pydicom.dcmread(whole)))
        pairs = zip(read_masks(whole, before), read_masks(tmp_path / name, after), strict=True)
        for drawn, fetched in pairs:
            assert drawn.array.any()
            np.testing.assert_array_equal(fetched.array, drawn.array)


def test_groups_of_frames_stay(cleaner: Deidentified) -> None:
    image = objects.mri()[0]
    content = objects.item(StackID="1", InStackPositionNumber=1, DimensionIndexValues=[1, 1])
    content.FrameAcquisitionDateTime, content.FrameComments = f"{objects.DAY}1015", "Haus"
    position = objects.item(ImagePositionPatient=[1, 2, 3])
    image.PerFrameFunctionalGroupsSequence = [
        objects.item(FrameContentSequence=[content], PlanePositionSequence=[position])
    ]
    (frame,) = left(cleaner, image).PerFrameFunctionalGroupsSequence
    assert frame.PlanePositionSequence[0].ImagePositionPatient == [1, 2, 3]
    (found,) = frame.FrameContentSequence
    assert (found.StackID, found.DimensionIndexValues) == ("1", [1, 1])
    assert found.FrameAcquisitionDateTime == left(cleaner, objects.mri()[0]).StudyDate
    assert "FrameComments" not in found
