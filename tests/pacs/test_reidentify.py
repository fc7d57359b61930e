"""The way back: results of de-identified images under the patient and the UIDs of the archive."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.uid import UID_dictionary

from centrum.commands import pacs
from centrum.errors import ArchiveError
from centrum.io import read_image, read_mask
from centrum.io.write import write_masks
from centrum.pacs.deidentify import Deidentified
from centrum.pacs.identities import Identities
from centrum.pacs.reidentify import restored
from centrum.pacs.send import read_files
from centrum.pacs.source import PATIENT_AND_STUDY
from tests.pacs.bodies import Exam, exam
from tests.pacs.models import model
from tests.pacs.series import IDENTITY, NAME
from tests.test_cli import centrum

pytest.importorskip("highdicom", reason="the extra dicom is not installed")

KINDS = ("patient.pdf.dcm", "patient.sc.dcm", "patient.seg.dcm", "patient.sr.dcm")
DAY, STUDY = date(2024, 1, 31), "1.2.840.99.1"


def scored(images: Path, original: Exam, folder: Path) -> Path:
    """The objects that `score` writes of the first body."""
    folder.mkdir()
    model().save(folder / "model.json")
    drawn = [region.mask for region in original.regions]
    mask = write_masks(drawn, folder / "drawn.seg.nrrd")
    done = centrum("score", folder / "model.json", "--image", images, "--mask", f"{mask}#L1",
                   "--known", "age=70", "--known", "level=L1", "--out", folder / "scored",
                   "--dicom", folder / "objects")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "objects"


def cleaned(original: Exam, folder: Path, identities: Path) -> Path:
    """The series as `fetch` would leave it."""
    folder.mkdir()
    cleaner = Deidentified(Identities(identities))
    for path in original.folder.iterdir():
        (folder / path.name).write_bytes(cleaner.file(pydicom.dcmread(path)))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an exam, its series without the patient, identities, and the objects of it."""
    folder = tmp_path_factory.mktemp("made")
    original = exam(folder / "scanner")
    images = cleaned(original, folder / "mri", folder / "private.jsonl")
    scored(images, original, folder / "work")
    return folder


@pytest.fixture
def objects(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "work" / "objects", tmp_path / "objects"))


def back(made: Path, objects: Path, folder: Path) -> dict[str, Dataset]:
    known = Identities(made / "private.jsonl", begin=False)
    paths = restored(read_files([objects]), known, folder)
    return {path.name: pydicom.dcmread(path) for path in paths}


def values(dataset: Dataset, kind: str) -> Iterator[str]:
    """Values of a kind that no standard defines, wherever they stand."""
    for element in dataset.iterall():
        if kind == element.VR and element.value:
            found = element.value
            yield from map(str, found if isinstance(found, list) else [found])


def uids(dataset: Dataset) -> set[str]:
    return set(values(dataset, "UI")) - UID_dictionary.keys()


def test_objects_are_as_if_they_were_made_of_the_original(made: Path, tmp_path: Path) -> None:
    """But for their own UIDs: what `score` makes of the images as the archive has them."""
    found = back(made, made / "work" / "objects", tmp_path / "back")
    original = exam(tmp_path / "again")
    truth = scored(original.folder, original, tmp_path / "truth")
    assert tuple(sorted(found)) == KINDS
    for name in KINDS:
        wanted, ours = pydicom.dcmread(truth / name), found[name]
        for keyword in PATIENT_AND_STUDY:
            assert ours.get(keyword) == wanted.get(keyword), keyword
        assert ours.ContentDate == wanted.ContentDate == "20240131"
        assert ours.file_meta.MediaStorageSOPInstanceUID == ours.SOPInstanceUID
        ends = {uid for uid in uids(wanted) if uid.startswith("1.2.840.99.")}
        assert {uid for uid in uids(ours) if uid.startswith("1.2.840.99.")} == ends
        assert len(ends) == 8 + _others(name)
        assert len(uids(ours)) == len(uids(wanted))
        assert [e.tag for e in ours] == [e.tag for e in wanted]
    assert read_image(original.folder).array.shape == (7, 36, 30)


def _others(name: str) -> int:
    """UIDs of series and frame of reference beside those of study and seven images."""
    return {"patient.seg.dcm": 2, "patient.sr.dcm": 1}.get(name, 0)


def test_nothing_of_the_pseudonymous_objects_is_left(made: Path, tmp_path: Path) -> None:
    before = {p.name: pydicom.dcmread(p) for p in (made / "work" / "objects").iterdir()}
    replaced = {uid for each in before.values() for uid in uids(each)}
    device = {str(item.UID) for item in before["patient.sr.dcm"].ContentSequence if "UID" in item}
    for name, dataset in back(made, made / "work" / "objects", tmp_path / "back").items():
        assert "P0001" not in str(dataset), name
        assert (str(dataset.PatientName), dataset.PatientID) == (NAME, IDENTITY)
        assert not uids(dataset) & replaced - device
        assert "PatientIdentityRemoved" not in dataset
    for folder in (made / "mri", made / "work"):
        for path in folder.rglob("*"):
            whole = path.read_bytes() if path.is_file() else b""
            assert IDENTITY.encode() not in whole
            assert b"1.2.840.99." not in whole


def test_a_report_still_refers_to_its_segmentation(made: Path, tmp_path: Path) -> None:
    found = back(made, made / "work" / "objects", tmp_path / "back")
    seg, sr = found["patient.seg.dcm"], found["patient.sr.dcm"]
    assert {str(seg.SOPInstanceUID), str(seg.SeriesInstanceUID)} <= uids(sr)
    assert str(seg.SegmentSequence[0].TrackingUID) in uids(sr)
    assert len({str(each.SeriesInstanceUID) for each in found.values()}) == 4
    again = back(made, made / "work" / "objects", tmp_path / "again")
    assert {n: d.SOPInstanceUID for n, d in again.items()} == {
        n: d.SOPInstanceUID for n, d in found.items()
    }


@pytest.mark.parametrize(
    ("characters", "label"), [("ISO_IR 100", "Wirbelkörper"), ("ISO_IR 144", "тело")]
)
def test_what_another_program_wrote_in_other_characters(
    made: Path, objects: Path, tmp_path: Path, characters: str, label: str
) -> None:
    """A mask drawn on the same images, of which the program says no date."""
    seg = pydicom.dcmread(objects / "patient.seg.dcm")
    seg.SpecificCharacterSet, seg.ContentDate = characters, "19000101"
    seg.SegmentSequence[0].SegmentLabel = label
    seg.save_as(objects / "patient.seg.dcm")
    found = back(made, objects, tmp_path / "back")["patient.seg.dcm"]
    assert found.SegmentSequence[0].SegmentLabel == label
    assert (str(found.PatientName), found.ContentDate) == (NAME, "19000101")


def _of_another_study(seg: Dataset) -> None:
    seg.StudyInstanceUID = "1.2.3"


def _of_another_frame(seg: Dataset) -> None:
    seg.FrameOfReferenceUID = "1.2.3"


def _of_another_image(seg: Dataset) -> None:
    groups = seg.PerFrameFunctionalGroupsSequence[-1]
    groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = "1.2.3"


@pytest.mark.parametrize("change", [_of_another_study, _of_another_frame, _of_another_image])
def test_what_is_not_known_is_refused_and_nothing_is_written(
    made: Path, objects: Path, tmp_path: Path, change: Callable[[Dataset], None]
) -> None:
    seg = pydicom.dcmread(objects / "patient.seg.dcm")
    change(seg)
    seg.save_as(objects / "patient.seg.dcm")
    with pytest.raises(ArchiveError, match=r"patient\.seg\.dcm: .* was not fetched") as caught:
        back(made, objects, tmp_path / "back")
    assert caught.value.code == "unknown-uid"
    assert not (tmp_path / "back").exists()
    assert "1.2.3" not in str(caught.value)


def test_objects_that_refer_to_each_other_go_together(
    made: Path, objects: Path, tmp_path: Path
) -> None:
    (objects / "patient.seg.dcm").unlink()
    with pytest.raises(ArchiveError, match=r"patient\.sr\.dcm") as caught:
        back(made, objects, tmp_path / "back")
    assert caught.value.code == "unknown-uid"


def test_images_themselves_do_not_go_back(made: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="the archive has the original") as caught:
        back(made, made / "mri", tmp_path / "back")
    assert caught.value.code == "fetched-itself"


def test_other_identities_know_nothing_and_none_are_begun(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    with pytest.raises(ArchiveError, match=r"no other\.jsonl") as caught:
        Identities(other, begin=False)
    assert caught.value.code == "no-identities"
    assert not other.exists()
    files = read_files([made / "work" / "objects"])
    with pytest.raises(ArchiveError, match="was not fetched under these identities"):
        restored(files, Identities(other), tmp_path / "back")


def test_fetched_scored_sent_and_found_under_the_patient(profile: Path, tmp_path: Path) -> None:
    original = exam(tmp_path / "scanner")
    assert pacs.send(profile, [original.folder]).complete
    pacs.find(profile, first=date(1900, 1, 1), out=tmp_path / "found.csv")
    (fetched,) = pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri")
    objects = scored(tmp_path / "mri" / fetched.folder, original, tmp_path / "work")
    identities = profile.parent / "identities.jsonl"
    words = ("pacs", "send", profile, objects, "--reidentify", identities)
    assert "4 files sent, 0 were there already." in centrum(*words).stdout
    assert "0 files sent, 4 were there already." in centrum(*words).stdout
    line = json.loads((profile.parent / "audit.jsonl").read_text().splitlines()[-1])
    assert (line["action"], line["identifiers"], line["result"]) == (
        "send", "restored", "complete"
    )  # fmt: skip

    ids = tmp_path / "ids.txt"
    ids.write_text(IDENTITY, encoding="utf-8")
    found = pacs.find(profile, first=DAY, last=DAY, patients=ids, out=tmp_path / "back.csv")
    assert {each.study for each in found} == {STUDY}
    assert len(found) == 5
    done = pacs.fetch(profile, tmp_path / "back.csv", tmp_path / "back", keep_identifiers=True)
    assert all(each.complete for each in done)
    files = {pydicom.dcmread(p).Modality: p for p in (tmp_path / "back").rglob("*.dcm")}
    mask = read_mask(f"{files['SEG']}#L1", read_image(original.folder))
    np.testing.assert_array_equal(mask.array, original.regions[0].mask.array)
    everything = pacs.find(profile, first=date(1900, 1, 1))
    assert len(everything) == 5
