"""Trees of DICOM files: what is chosen, what is left out, and what is said of it."""

import os
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage

from centrum.cohort.archive.exams import ArchiveChoices
from centrum.cohort.archive.series import SeriesWanted
from centrum.cohort.discover import Discovery, discover
from centrum.errors import CentrumError, ManifestError, ProtocolError
from centrum.io import read_image, read_mask, source_digest
from centrum.io.dicom_header import read_header, series_code
from tests.archives import (
    GRID,
    T1,
    T2,
    Exam,
    bodies,
    body,
    pixels,
    write_disk,
    write_seg,
    write_series,
    write_structures,
)
from tests.cohort.test_discover import image as nrrd, labels

JANE = Exam()
DISK = "DICOM/PA0/ST0"


def found_in(folder: Path, **said: str) -> Discovery:
    """What `init` finds; `said` is `series`, `masks` or `readers`."""
    wanted = SeriesWanted(pattern=said.pop("series", None))
    key = folder.parent / "identities.csv"
    return discover(folder, archive=ArchiveChoices(wanted, key=key, **said))


def sources(found: Discovery) -> dict[str, tuple[str, dict[str, str]]]:
    return {case.id: (case.images["default"], dict(case.masks)) for case in found.cases}


def told(found: Discovery) -> str:
    return "\n".join(found.summary())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path / "tree"


@pytest.fixture
def disk(tree: Path) -> Path:
    """The disk of a hospital with a segmentation and a structure set beside the series."""
    write_disk(tree, JANE)
    write_seg(tree / DISK / "SE9/IM0", JANE, bodies(), [3])
    write_structures(tree / DISK / "SE9/IM1", JANE, bodies(1), 3)
    return tree


# What is chosen


def test_a_disk_of_a_hospital(disk: Path) -> None:
    found = found_in(disk)
    image, masks = f"{DISK}/SE2/", {"R1": f"{DISK}/SE9/IM1", "R2": f"{DISK}/SE9/IM0"}
    assert sources(found) == {
        f"{JANE.patient}_{level}": (image, {r: f"{path}#{level}" for r, path in masks.items()})
        for level in ("L1", "L2")
    }
    assert [case.level.name for case in found.cases if case.level] == ["L1", "L2"]
    assert [(each.what, each.name, each.pseudonym) for each in found.identities] == [
        ("reader", "Lind Bo", "R1"),
        ("reader", "Roth Anna", "R2"),
    ]
    for line in (
        "41 DICOM files: 5 image series, 2 masks",
        f"taken: 1 series, t2_tse_sag, as {DISK}/SE2/",
        f"left out, STIR: 1 series, tirm_sag, as {DISK}/SE3/",
        f"left out, T1w: 1 series, t1_tse_sag, as {DISK}/SE1/",
        f"left out, axial: 1 series, t2_tse_tra, as {DISK}/SE4/",
        f"left out, localiser: 1 series, localizer, as {DISK}/SE0/",
        "masks: 1 RTSTRUCT by R1, 1 SEG by R2",
    ):
        assert line in told(found).splitlines()


def test_nobody_is_named(disk: Path) -> None:
    """Neither the patient nor a UID; of a description what is his name is left out."""
    for path in (disk / DISK / "SE1").iterdir():
        path.unlink()
    write_series(disk / DISK / "SE1", JANE, 2, pixels(1), T1 | {"SeriesDescription": "DOE t1"})
    found = found_in(disk)
    assert "T1w: 1 series, t1, as" in told(found)
    for secret in ("Doe", "DOE", "Jane", "4711", "1948", "2.25.", "1.2.826", "Roth", "Lind"):
        assert secret not in told(found)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "derived"),
        ({"ContrastBolusAgent": "Gadovist"}, "with contrast agent"),
        ({"SeriesDescription": "t2_tse_sag KM"}, "with contrast agent"),
        ({"ScanOptions": ["PFP", "FS"]}, "T2w-FS"),
        ({"SeriesDescription": "t2_tse_sag_fs"}, "T2w-FS"),
        ({"SeriesDescription": "scout"}, "localiser"),
        ({"Modality": "CT"}, "CT modality"),
        ({"SeriesDescription": "", "RepetitionTime": None, "EchoTime": None},
         "weighting not stated"),
    ],
)  # fmt: skip
def test_what_is_not_measured(tree: Path, said: dict, why: str) -> None:
    """Beside the series that is; what leaves a doubt is taken where a mask was drawn on it."""
    write_series(tree / "a", JANE, 1, pixels(1))
    write_series(tree / "b", JANE, 2, pixels(2), T2 | said)
    write_seg(tree / "seg", JANE, {"L1": body()})
    assert f"left out, {why}: 1 series" in told(found_in(tree))
    write_seg(tree / "seg", JANE, {"L1": body()}, [2])
    hard = why in ("T2w-FS", "localiser", "CT modality")
    if hard:
        with pytest.raises(ManifestError, match=r"drawn on a series that was left out \(" + why):
            found_in(tree)
    else:
        assert f"taken although {why}: 1 series" in told(found_in(tree))
    named = found_in(tree, series="2")
    assert sources(named)[JANE.patient][0] == "b/"


def test_few_slices_and_several_planes(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    write_seg(tree / "seg", JANE, {"L1": body()})
    few = GRID.crop((0, 0, 2), (20, 40, 4))
    write_series(tree / "few", JANE, 2, pixels(2, few), grid=few)
    for k, axes in enumerate(([0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 1, 0])):
        said = T2 | {"ImageOrientationPatient": axes}
        write_series(tree / "mixed", JANE, 3, pixels(3)[5 * k : 5 * k + 4], said, names=f"{k}-{{}}")
    assert "left out, fewer than 5 slices: 1 series, t2_tse_sag, as few/" in told(found_in(tree))
    assert "left out, several planes: 1 series, t2_tse_sag, as mixed/" in told(found_in(tree))


@pytest.mark.parametrize("pattern", ["tirm*", "4", "TIRM_SAG", f"{DISK}/SE3"])
def test_the_user_names_the_series(disk: Path, pattern: str) -> None:
    write_seg(disk / DISK / "SE9/IM2", JANE, bodies(), [4])
    found = found_in(disk, series=pattern)
    assert {image for image, _ in sources(found).values()} == {f"{DISK}/SE3/"}
    assert "left out, not named by --series: 4 series" in told(found)


def test_one_exam_with_one_segmentation(tree: Path) -> None:
    """All in one folder."""
    write_series(tree, JANE, 1, pixels(1))
    write_seg(tree / "seg.dcm", JANE, {"L1": body()})
    assert sources(found_in(tree)) == {JANE.patient: ("./", {"R1": "seg.dcm"})}


def test_one_flat_folder(tree: Path) -> None:
    """Two patients of one name, files without endings, a broken one among them."""
    exams = [Exam("882-11-90"), Exam("882-11-91", study="7")]
    for k, exam in enumerate(exams):
        write_series(tree, exam, 1, pixels(10 + k), names=f"{k}1-{{}}")
        write_series(tree, exam, 2, pixels(20 + k), T1, names=f"{k}2-{{}}")
        write_seg(tree / f"{k}3", exam, {"L1": body(k)})
    found = found_in(tree)
    assert {case.patient for case in found.cases} == {exam.patient for exam in exams}
    for k, exam in enumerate(exams):
        image, masks = sources(found)[exam.patient]
        assert exam.series(1) not in image
        volume = read_image(f"{tree}/{image}")
        np.testing.assert_array_equal(volume.array, pixels(10 + k))
        assert volume.history[0].parameters["ignored_files"] == 4 * 9 + 2 - 9
        assert read_mask(tree / masks["R1"], volume).n_voxels == body(k).sum()


# Several series


def test_of_two_series_the_one_with_masks(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    write_series(tree / "b", JANE, 2, pixels(2))
    write_seg(tree / "seg", JANE, {"L1": body()}, [2])
    found = found_in(tree)
    assert sources(found)[JANE.patient][0] == "b/"
    assert found.images_without_mask == ("a/",)
    assert "left out, without a mask: 1 series" in told(found)


def test_masks_of_one_vertebra_on_two_series_are_not_chosen_from(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    write_series(tree / "b", JANE, 2, pixels(2), T2 | {"SeriesDescription": "t2_tse_sag_repeat"})
    write_seg(tree / "seg", JANE, {"L1": body()}, [1])
    write_structures(tree / "rt", JANE, {"L1": body(1)}, 2)
    with pytest.raises(ManifestError, match=r"2 series of one exam have masks .*: a/, b/\."):
        found_in(tree)
    found = found_in(tree, series="*repeat")
    assert sources(found)[JANE.patient] == ("b/", {"R1": "rt"})


def test_stations_of_one_spine(tree: Path) -> None:
    """Series of other vertebrae are no repetitions."""
    write_series(tree / "a", JANE, 1, pixels(1))
    write_series(tree / "b", JANE, 2, pixels(2))
    write_seg(tree / "seg", JANE, {"L1": body()}, [1])
    write_seg(tree / "seg2", JANE, {"T8": body()}, [2])
    found = found_in(tree)
    assert {case.level.name: case.images["default"] for case in found.cases if case.level} == {
        "L1": "a/",
        "T8": "b/",
    }
    assert {case.patient for case in found.cases} == {JANE.patient}


def test_slices_that_are_there_twice_or_in_several_folders(tree: Path) -> None:
    write_seg(tree / "seg", JANE, {"L1": body()})
    write_series(tree / "a", JANE, 1, pixels(1))
    shutil.copy(tree / "a/IM0", tree / "a/copy")
    with pytest.raises(ManifestError, match="left out, slices are there twice: 1 series"):
        found_in(tree)
    (tree / "a/copy").unlink()
    (tree / "b").mkdir()
    (tree / "a/IM3").rename(tree / "b/IM3")
    (case,) = found_in(tree).cases
    source = case.images["default"]
    assert source == f"./#{series_code(read_header(tree / 'b/IM3').entries.SeriesInstanceUID)}"
    shutil.copytree(tree / "a", tree.parent / "whole")
    shutil.copy(tree / "b/IM3", tree.parent / "whole")
    (volume, wanted) = (read_image(tree / source), read_image(tree.parent / "whole"))
    assert volume.geometry == wanted.geometry
    np.testing.assert_array_equal(volume.array, wanted.array)
    assert source_digest(tree / source) == source_digest(tree.parent / "whole")
    shutil.copytree(tree / "b", tree.parent / "whole/sub")
    code = source.partition("#")[2]
    assert read_image(f"{tree.parent / 'whole'}#{code}").geometry == wanted.geometry
    (tree / "b/IM9.dcm").write_bytes(bytes(200))
    parameters = read_image(tree / source).history[0].parameters
    assert parameters["unread_files"] == 1
    assert parameters["ignored_files"] > 1
    (tree / "b/IM9.dcm").unlink()
    shutil.copy(tree / "a/IM0", tree / "b/copy")
    with pytest.raises(ManifestError, match="left out, slices are there twice: 1 series"):
        found_in(tree)
    (tree / "b/copy").unlink()
    (tree / "b/IM3").rename(tree / "IM3")
    with pytest.raises(ManifestError, match="slices lie in a folder and in others within it: 1 s"):
        found_in(tree)


def test_echoes_of_one_series(tree: Path) -> None:
    write_seg(tree / "seg", JANE, {"L1": body()})
    write_series(tree / "a", JANE, 1, pixels(1))
    write_series(tree / "a", JANE, 1, pixels(2), T2 | {"EchoTime": 20}, names="x{}")
    with pytest.raises(ManifestError, match="several images at one position"):
        found_in(tree)


# Masks and their images


def test_a_mask_that_names_no_series_is_placed(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    write_series(tree / "b", JANE, 2, pixels(2), T1)
    write_seg(tree / "seg", JANE, {"L1": body()}, [])
    found = found_in(tree)
    assert sources(found)[JANE.patient] == ("a/", {"R1": "seg"})
    assert "masks taken, names no series: found by its place: seg" in told(found)
    write_series(tree / "c", JANE, 3, pixels(3))
    with pytest.raises(ManifestError, match="names no series, and lies on 2 of those"):
        found_in(tree)
    write_seg(tree / "seg", Exam(study="other"), {"L1": body()}, [])
    with pytest.raises(ManifestError, match="no image shares its frame of reference"):
        found_in(tree)


@pytest.mark.parametrize(
    ("on", "said", "why"),
    [
        ([9], {}, "drawn on a series that is not in the folder"),
        ([1, 3], {}, "names 2 series that could be measured"),
        ([2], {}, r"drawn on a series that was left out \(T1w\)"),
        ([1], {"SegmentationType": "FRACTIONAL"}, "FRACTIONAL"),
    ],
)
def test_a_mask_without_an_image_is_told(tree: Path, on: list, said: dict, why: str) -> None:
    for k, header in enumerate((T2, T1, T2), start=1):
        write_series(tree / f"{k}", JANE, k, pixels(k), header)
    write_seg(tree / "seg", JANE, {"L1": body()}, on, said)
    with pytest.raises(ManifestError, match=f"masks left out, {why}.*: seg"):
        found_in(tree)


def test_of_two_series_that_a_mask_names_one_can_be_measured(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    write_series(tree / "b", JANE, 2, pixels(2), T1)
    write_seg(tree / "seg", JANE, {"L1": body()}, [1, 2])
    found = found_in(tree)
    assert sources(found)[JANE.patient][0] == "a/"
    assert "names 2 series, of which one can be measured" in told(found)


def test_a_mask_with_the_id_of_another_patient_is_told(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    write_seg(tree / "seg", JANE, {"L1": body()}, said={"PatientID": "ANON7"})
    assert "masks taken, although with another patient's id than the image: seg" in told(
        found_in(tree)
    )


# Readers


def test_several_segmentations_of_one_reader_are_not_chosen_from(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    write_seg(tree / "seg0", JANE, {"L1": body()}, said={"SeriesDescription": "draft"})
    write_seg(tree / "seg1", JANE, {"L1": body(1)}, said={"SeriesDescription": "final"})
    with pytest.raises(ManifestError, match="reader R1 has 2 segmentations of L1, none"):
        found_in(tree)
    assert sources(found_in(tree, masks="final"))[JANE.patient][1] == {"R1": "seg1"}
    assert sources(found_in(tree, masks="seg0"))[JANE.patient][1] == {"R1": "seg0"}
    by_text = sources(found_in(tree, readers="description"))[JANE.patient][1]
    assert by_text == {"draft": "seg0", "final": "seg1"}


def test_descriptions_tell_apart_whom_no_creator_does(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    for k, name in enumerate(("senior", "DOE resident")):
        said = {"ContentCreatorName": "", "SeriesDescription": name}
        write_seg(tree / f"seg{k}", JANE, {"L1": body(k)}, said=said)
    found = found_in(tree)
    assert sources(found)[JANE.patient][1] == {"senior": "seg0", "resident": "seg1"}
    assert found.identities == ()


@pytest.mark.parametrize("said", [{"OperatorsName": "Technologist^Tom"}, {"OperatorsName": ""}])
def test_what_was_copied_from_the_image_names_no_reader(tree: Path, said: dict) -> None:
    """rt-utils copies the description, other programs who made the images."""
    write_series(tree / "a", JANE, 1, pixels(1))
    copied = said | {"SeriesDescription": T2["SeriesDescription"]}
    write_structures(tree / "rt", JANE, {"L1": body()}, said=copied)
    write_seg(tree / "seg", JANE, {"L1": body()})
    assert sources(found_in(tree))[JANE.patient][1] == {"R1": "seg", "reader": "rt"}


def test_the_exam_in_the_folders_of_two_readers(tree: Path) -> None:
    """Copies of the series; one of the masks is there twice."""
    for k, reader in enumerate(("anna", "bo")):
        write_series(tree / reader / "exam", JANE, 1, pixels(1))
        said = {"ContentCreatorName": "Slicer"}
        write_seg(tree / reader / f"seg{k}", JANE, {"L1": body(k)}, said=said)
    shutil.copy(tree / "anna/seg0", tree / "bo/again")
    with pytest.raises(ManifestError, match="reader R1 has 2 segmentations"):
        found_in(tree)
    found = found_in(tree, readers="folder")
    assert sources(found)[JANE.patient] == (
        "anna/exam/",
        {"anna": "anna/seg0", "bo": "bo/seg1"},
    )
    assert "1 copies of masks" in told(found)


def test_one_uid_for_two_contents_is_no_copy(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    said = {"ContentCreatorName": "Slicer"}
    write_seg(tree / "anna/seg", JANE, {"L1": body()}, said=said)
    write_seg(tree / "bo/seg", JANE, {"L1": body(1)}, said=said)
    assert len(sources(found_in(tree, readers="folder"))[JANE.patient][1]) == 2


def test_codes_of_readers_are_kept(disk: Path) -> None:
    (disk.parent / "identities.csv").write_text("what,name,pseudonym\nreader,Roth Anna,R1\n")
    assert sources(found_in(disk))[f"{JANE.patient}_L1"][1] == {
        "R1": f"{DISK}/SE9/IM0#L1",
        "R2": f"{DISK}/SE9/IM1#L1",
    }
    with pytest.raises(CentrumError, match="creator, description, folder"):
        found_in(disk, readers="colour")


# Patients


def test_two_exams_of_one_patient(tree: Path) -> None:
    for study, date in (("1", "20240301"), ("2", "20230301")):
        exam = Exam(study=study, date=date)
        write_series(tree / study, exam, 1, pixels(1))
        write_seg(tree / study / "seg", exam, {"L1": body()})
    found = found_in(tree)
    assert {case.patient for case in found.cases} == {JANE.patient}
    assert {case.id: case.images["default"] for case in found.cases} == {
        f"{JANE.patient}_1": "2/",
        f"{JANE.patient}_2": "1/",
    }


def test_who_is_a_patient_is_told_where_it_is_doubtful(tree: Path) -> None:
    one, other = Exam("", study="1"), Exam("", study="2")
    first, second = Exam("9", study="3"), Exam("9", study="4", birth="20000101")
    for k, exam in enumerate((one, other, first, second)):
        write_series(tree / f"{k}", exam, 1, pixels(1))
        write_seg(tree / f"{k}" / "seg", exam, {"L1": body()})
    found = found_in(tree)
    assert len({case.patient for case in found.cases}) == 3
    assert "2 exams without a patient's id: taken as of a patient each" in told(found)
    assert "1 id of a patient with several dates of birth" in told(found)


# What else lies in a folder


@pytest.mark.parametrize(
    "keyword", ["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "StudyDate",
                "SeriesDescription", "FrameOfReferenceUID", "Modality", "EchoTime", "ImageType",
                "OperatorsName", "SOPInstanceUID"]
)  # fmt: skip
def test_entries_with_several_values(tree: Path, keyword: str) -> None:
    """As damaged files have them, and others that have a backslash in a text."""
    write_series(tree / "a", JANE, 1, pixels(1))
    write_seg(tree / "seg", JANE, {"L1": body()})
    said = {keyword: ["1", "2"]} if keyword != "ImageType" else {keyword: "M"}
    with pydicom.config.disable_value_validation():
        write_series(tree / "b", JANE, 2, pixels(2), T1 | said)
        write_seg(tree / "seg2", JANE, {"L2": body()}, [2], said)
    assert "a/" in {image for image, _ in sources(found_in(tree)).values()}


def test_loops_depths_and_foreign_files(tree: Path) -> None:
    write_series(tree / "a", JANE, 1, pixels(1))
    write_seg(tree / "seg", JANE, {"L1": body()})
    (tree / "a/up").symlink_to(tree)
    (tree / "itself").symlink_to(tree / "itself")
    os.mkfifo(tree / "pipe")
    (tree / "notes.txt").write_text("x")
    (tree / "._IM0").write_bytes(bytes(200))
    (tree / "cut.dcm").write_bytes((tree / "seg").read_bytes()[:300])
    with (tree / "sparse").open("wb") as stream:
        stream.write((tree / "seg").read_bytes()[:200])
        stream.truncate(1 << 40)
    deep = tree
    for _ in range(600):
        deep /= "d"
        deep.mkdir()
    found = found_in(tree)
    assert sources(found) == {JANE.patient: ("a/", {"R1": "seg"})}
    assert set(found.ignored) == {"notes.txt", "pipe"}
    assert "2 that cannot be read: cut.dcm, sparse" in told(found)


def test_files_with_several_frames(tree: Path) -> None:
    """An enhanced image says in its functional groups what others say of their one frame."""
    (file, *others) = write_series(tree / "a", JANE, 1, pixels(1))
    header = pydicom.dcmread(file)
    frames = [pydicom.dcmread(path) for path in (file, *others)]
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    header.NumberOfFrames = len(frames)
    header.PerFrameFunctionalGroupsSequence = [item(
        PlanePositionSequence=[item(ImagePositionPatient=frame.ImagePositionPatient)]
    ) for frame in frames]  # fmt: skip
    header.SharedFunctionalGroupsSequence = [item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=header.ImageOrientationPatient)],
        MRTimingAndRelatedParametersSequence=[item(RepetitionTime=3200)],
        MREchoSequence=[item(EffectiveEchoTime=105.0)],
    )]  # fmt: skip
    for keyword in ("RepetitionTime", "EchoTime", "ImageOrientationPatient", "SeriesDescription",
                    "ImagePositionPatient"):  # fmt: skip
        delattr(header, keyword)
    for path in others:
        path.unlink()
    header.save_as(file, enforce_file_format=True)
    write_seg(tree / "seg", JANE, {"L1": body()})
    assert sources(found_in(tree)) == {JANE.patient: ("a/", {"R1": "seg"})}


def item(**entries: object) -> Dataset:
    found = Dataset()
    for keyword, value in entries.items():
        setattr(found, keyword, value)
    return found


# When names of files decide


def test_a_layout_that_fits_stays(tree: Path) -> None:
    write_series(tree / "images/P1", JANE, 1, pixels(1))
    write_seg(tree / "masks/P1_senior.dcm", JANE, {"L1": body()})
    found = discover(tree)
    assert found.layout is not None
    assert sources(found) == {"P1": ("images/P1/", {"senior": "masks/P1_senior.dcm"})}
    write_series(tree / "images/P1", JANE, 2, pixels(2), T1, names="x{}")
    assert discover(tree, archive=ArchiveChoices(key=tree / "key")).layout is None


def test_of_several_series_in_a_folder_of_a_layout(tree: Path) -> None:
    """Masks of 3D Slicer beside folders of DICOM files as the scanner sent them."""
    for k in range(2):
        exam = Exam(study=str(k))
        write_series(tree / f"P{k}", exam, 1, pixels(1), T1, names="a{}")
        write_series(tree / f"P{k}", exam, 2, pixels(2), names="b{}")
        labels(tree / f"P{k}_R1.seg.nrrd", [1], ["L1"])
    found = discover(tree)
    assert found.layout is not None
    for k, case in enumerate(found.cases):
        assert case.images["default"] == f"P{k}/#{series_code(Exam(study=str(k)).series(2))}"
        assert (read_image(f"{tree}/{case.images['default']}").array == pixels(2)).all()
    assert "P0/: taken is t2_tse_sag, the one sagittal T2w of 2 image series" in found.notes
    (stir,) = {case.images["default"] for case in found_in(tree, series="t1*").cases[:1]}
    assert stir.endswith(series_code(Exam(study="0").series(1)))
    assert "P0/: --series fits 0 of 2 image series" in found_in(tree, series="flair").notes


def test_choices_among_dicom_files_where_names_decide(tree: Path) -> None:
    write_series(tree / "images/P1", JANE, 1, pixels(1))
    write_seg(tree / "masks/P1_senior.dcm", JANE, {"L1": body()})
    choices = ArchiveChoices(readers="folder")
    with pytest.raises(ProtocolError, match="here the names of files do"):
        discover(tree, image_pattern="images/{case}/", mask_pattern="masks/{case}_*.dcm",
                 archive=choices)  # fmt: skip
    shutil.rmtree(tree)
    nrrd(tree / "images/P1.nrrd")
    labels(tree / "masks/P1.nrrd", [1])
    with pytest.raises(ProtocolError, match="about DICOM files"):
        found_in(tree, series="T2*")
