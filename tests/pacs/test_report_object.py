"""Pages in an archive: the same pixels and the same document, of the right patient."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image

from centrum.pacs.report_object import encapsulated_pdf, secondary_capture
from centrum.pacs.source import encoded
from tests.pacs.bodies import Exam
from tests.pacs.series import IDENTITY, NAME
from tests.programs import faults


@pytest.fixture
def page() -> Image.Image:
    """Of an odd number of bytes, each pixel another colour."""
    rows, columns = np.indices((31, 21))
    return Image.fromarray(np.stack([rows * 8, columns * 12, rows + columns], -1).astype("u1"))


def saved(made: pydicom.Dataset, path: Path) -> Path:
    path.write_bytes(encoded(made))
    return path


def test_the_picture_comes_back(one: Exam, page: Image.Image, tmp_path: Path) -> None:
    path = saved(secondary_capture(page, one.source), tmp_path / "sc.dcm")
    found = pydicom.dcmread(path)
    np.testing.assert_array_equal(found.pixel_array, np.asarray(page))
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image)[0], np.asarray(page))
    assert faults(path) == []


def test_the_document_comes_back(one: Exam, tmp_path: Path) -> None:
    document = b"%PDF-1.4 of an odd length"
    path = saved(encapsulated_pdf(document, one.source), tmp_path / "pdf.dcm")
    found = pydicom.dcmread(path)
    assert found.EncapsulatedDocument[: found.EncapsulatedDocumentLength] == document
    assert found.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert faults(path) == []


def test_both_are_the_patients_and_say_what_they_are_for(one: Exam, page: Image.Image) -> None:
    for made in (secondary_capture(page, one.source), encapsulated_pdf(b"%PDF", one.source)):
        assert (made.PatientName, made.PatientID) == (NAME, IDENTITY)
        assert made.StudyInstanceUID == one.source.first.StudyInstanceUID
        assert made.SeriesInstanceUID != one.source.uid
        assert "For research use only" in made.SeriesDescription
        assert made.BurnedInAnnotation == "YES"
        named = made.get("SourceImageSequence") or made.SourceInstanceSequence
        assert len(named) == len(one.source.images)


def test_the_same_twice_and_another_for_another(one: Exam, page: Image.Image) -> None:
    made = secondary_capture(page, one.source)
    assert encoded(made) == encoded(secondary_capture(page, one.source))
    other = page.copy()
    other.putpixel((3, 3), (1, 2, 3))
    assert secondary_capture(other, one.source).SOPInstanceUID != made.SOPInstanceUID
    assert made.SOPInstanceUID != made.SeriesInstanceUID
