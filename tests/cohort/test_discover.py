"""Cases found in folders as people lay them out, and the manifest that comes of it."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from centrum.cohort import Level, check_files, discover as module, read_manifest
from centrum.cohort.columns import FIELDS
from centrum.cohort.discover import Discovery, discover
from centrum.cohort.schemes import find_scheme
from centrum.errors import ManifestError
from tests.io.drawing import squares, structure_set, written


def image(path: Path) -> None:
    """A tiny image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((2, 3, 30), np.int16)), str(path))


def labels(path: Path, values: Sequence[int], names: Sequence[str] = ()) -> None:
    """A label image with one voxel per value; with names, as 3D Slicer writes it."""
    array = np.zeros((2, 3, 30), np.uint8)
    array[0, 0, : len(values)] = values
    out = sitk.GetImageFromArray(array)
    for n, (value, name) in enumerate(zip(values, names, strict=False)):
        keys = {"ID": f"id{n}", "Name": name, "LabelValue": str(value), "Layer": "0"}
        for key, text in keys.items():
            out.SetMetaData(f"Segment{n}_{key}", text)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(out, str(path))


def dicom(folder: Path, n_series: int = 1) -> None:
    """A folder of MR slices, each of its own series."""
    folder.mkdir(parents=True)
    for n in range(n_series):
        slice_ = Dataset()
        slice_.SOPClassUID, slice_.SOPInstanceUID = MRImageStorage, f"1.2.{n}"
        slice_.SeriesInstanceUID, slice_.Modality = f"1.2.3.{n}", "MR"
        slice_.PatientName = "Meyer"
        slice_.ImagePositionPatient, slice_.PixelSpacing = [0, 0, 0], [1, 1]
        slice_.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
        slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit = 16, 16, 15
        slice_.Rows, slice_.Columns, slice_.PixelRepresentation = 2, 2, 0
        slice_.PixelData = bytes(8)
        slice_.file_meta = FileMetaDataset()
        slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        slice_.save_as(folder / f"IM{n}", enforce_file_format=True)


def sources(found: Discovery) -> Mapping[str, tuple[dict[str, str], dict[str, str]]]:
    return {case.id: (dict(case.images), dict(case.masks)) for case in found.cases}


def test_images_and_masks_side_by_side(tmp_path: Path) -> None:
    for name in ("vcf_001", "vcf_002"):
        image(tmp_path / f"images/{name}.nrrd")
        for reader in ("R1", "R2_b"):
            labels(tmp_path / f"masks/{name}_{reader}.seg.nrrd", [1], ["L1"])
    found = discover(tmp_path)
    assert sources(found)["vcf_001"] == (
        {"default": "images/vcf_001.nrrd"},
        {"R1": "masks/vcf_001_R1.seg.nrrd", "R2_b": "masks/vcf_001_R2_b.seg.nrrd"},
    )
    assert [case.level for case in found.cases] == [Level("L", 1)] * 2
    assert (found.images_without_mask, found.masks_without_image, found.ignored) == ((), (), ())
    assert found.summary()[0].startswith("2 cases of 2 patients, images images/{case}.{ext}")


def test_a_folder_per_case(tmp_path: Path) -> None:
    image(tmp_path / "a/image.nii.gz")
    labels(tmp_path / "a/mask_R1.nii.gz", [1])
    labels(tmp_path / "a/mask_R2.nii.gz", [1])
    found = discover(tmp_path)
    masks = {"R1": "a/mask_R1.nii.gz", "R2": "a/mask_R2.nii.gz"}
    assert sources(found) == {"a": ({"default": "a/image.nii.gz"}, masks)}
    assert found.cases[0].level is None


def test_dicom_folders_with_slicer_segmentations(tmp_path: Path) -> None:
    dicom(tmp_path / "p1")
    dicom(tmp_path / "p2")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/readme.txt").write_text("no DICOM here")
    labels(tmp_path / "p1_R1.seg.nrrd", [1], ["LWK 1"])
    found = discover(tmp_path)
    assert sources(found) == {"p1": ({"default": "p1/"}, {"R1": "p1_R1.seg.nrrd"})}
    assert found.cases[0].level == Level("L", 1)
    assert found.images_without_mask == ("p2/",)
    assert found.ignored == ("notes/readme.txt",)
    assert found.notes == ()


@pytest.mark.parametrize("masks", ["", "masks/"])
def test_dicom_folders_with_structure_sets(tmp_path: Path, masks: str) -> None:
    """A region each; contours have no voxels before they are laid on the image."""
    images = "images/" if masks else ""
    (tmp_path / masks).mkdir(exist_ok=True)
    regions = [(1, "L1", squares((0, 0, 1, 1))), (2, "cord", squares((0, 0, 1, 1))),
               (3, "L2 body", squares((0, 0, 1, 1))), (4, "L3", [])]  # fmt: skip
    for case, found in (("p1", regions), ("p2", regions[:1])):
        dicom(tmp_path / images / case)
        (tmp_path / f"{masks}{case}_R1.dcm").write_bytes(written(structure_set(found)))
    found = discover(tmp_path)
    path = f"{masks}p1_R1.dcm"
    assert sources(found) == {
        "p1_L1": ({"default": f"{images}p1/"}, {"R1": f"{path}#L1"}),
        "p1_L2": ({"default": f"{images}p1/"}, {"R1": f"{path}#L2 body"}),
        "p2": ({"default": f"{images}p2/"}, {"R1": f"{masks}p2_R1.dcm"}),
    }
    assert [case.level for case in found.cases] == [Level("L", 1), Level("L", 2), Level("L", 1)]
    assert found.notes == (
        f"segment 'L3' of {path} is empty",
        f"{path}: contours: the order of levels is checked when they are measured",
        f"{path}: left out, no vertebrae: cord",
    )


def test_regions_of_one_name_are_called_by_number(tmp_path: Path) -> None:
    dicom(tmp_path / "p1")
    regions = [(k, "ROI", squares((0, 0, 1, 1))) for k in (3, 8)]
    (tmp_path / "p1.dcm").write_bytes(written(structure_set(regions)))
    found = discover(tmp_path)
    assert sources(found) == {"p1": ({"default": "p1/"}, {"reader": "p1.dcm#3"})}
    assert "segment 'ROI' of p1.dcm is ignored: it is another ROI" in found.notes


def test_a_folder_with_two_series_is_told(tmp_path: Path) -> None:
    dicom(tmp_path / "p1", n_series=2)
    labels(tmp_path / "p1.seg.nrrd", [1], ["L1"])
    (note,) = discover(tmp_path).notes
    assert note.startswith("p1/ holds 2 image series, choose one as FOLDER#CODE: ")
    assert "Meyer" not in note


def test_several_vertebrae_with_numbers_of_a_scheme_in_one_file(tmp_path: Path) -> None:
    for exam in ("e1", "e2"):
        image(tmp_path / exam / "T2w.nii.gz")
        labels(tmp_path / exam / "seg-vb.nii.gz", [18, 19, 20])
    found = discover(tmp_path, labels=find_scheme("verse"))
    assert list(sources(found)) == ["e1_T11", "e1_T12", "e1_L1", "e2_T11", "e2_T12", "e2_L1"]
    assert sources(found)["e2_L1"][1] == {"reader": "e2/seg-vb.nii.gz#20"}
    assert {case.patient for case in found.cases} == {"e1", "e2"}
    assert [case.level.name for case in found.cases[:3] if case.level] == ["T11", "T12", "L1"]


def test_segments_of_two_readers_meet_by_level(tmp_path: Path) -> None:
    image(tmp_path / "images/p.nrrd")
    labels(tmp_path / "masks/p_R1.seg.nrrd", [1, 2], ["Th12", "L1"])
    labels(tmp_path / "masks/p_R2.seg.nrrd", [1, 2, 3], ["LWK 1", "T12", "odd/one"])
    found = discover(tmp_path)
    assert sources(found)["p_T12"][1] == {
        "R1": "masks/p_R1.seg.nrrd#Th12",
        "R2": "masks/p_R2.seg.nrrd#T12",
    }
    assert sources(found)["p_odd_one"][1] == {"R2": "masks/p_R2.seg.nrrd#3"}
    assert found.notes == ("case p_odd_one has no mask by reader R1",)


def test_labels_that_only_number_say_no_level(tmp_path: Path) -> None:
    image(tmp_path / "images/p.nrrd")
    labels(tmp_path / "masks/p.nrrd", [1, 2])
    found = discover(tmp_path)
    assert [(case.id, case.level) for case in found.cases] == [("p_1", None), ("p_2", None)]


def test_readers_who_disagree_on_the_level(tmp_path: Path) -> None:
    image(tmp_path / "images/p.nrrd")
    labels(tmp_path / "masks/p_R1.seg.nrrd", [1], ["L1"])
    labels(tmp_path / "masks/p_R2.seg.nrrd", [1], ["L2"])
    found = discover(tmp_path)
    assert [(case.id, case.level) for case in found.cases] == [("p", None)]
    assert found.notes == ("case p: the readers name L1, L2; level left empty",)


def test_segments_that_are_empty_or_twice_there(tmp_path: Path) -> None:
    image(tmp_path / "images/p.nrrd")
    path = tmp_path / "masks/p_R1.seg.nrrd"
    labels(path, [1, 2, 0], ["L1", "LWK 1", "L2"])
    reader = sitk.ReadImage(str(path))
    reader.SetMetaData("Segment2_LabelValue", "9")
    sitk.WriteImage(reader, str(path))
    found = discover(tmp_path)
    assert sources(found) == {"p": ({"default": "images/p.nrrd"}, {"R1": "masks/p_R1.seg.nrrd#L1"})}
    assert found.notes == (
        "segment 'L2' of masks/p_R1.seg.nrrd is empty",
        "segment 'LWK 1' of masks/p_R1.seg.nrrd is ignored: it is another L1",
    )


def test_what_does_not_match_is_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"images/{name}.nrrd")
    image(tmp_path / "images/a.nii.gz")
    labels(tmp_path / "masks/a_R1.seg.nrrd", [1], ["L1"])
    labels(tmp_path / "masks/c_R1.seg.nrrd", [1], ["L1"])
    (tmp_path / "protocol.pdf").touch()
    (tmp_path / ".hidden").touch()
    found = discover(tmp_path)
    assert found.images_without_mask == ("images/b.nrrd",)
    assert found.masks_without_image == ("masks/c_R1.seg.nrrd",)
    assert found.ignored == ("images/a.nrrd", "protocol.pdf")
    assert found.notes == (
        "images/a.nrrd is ignored: images/a.nii.gz is the same sequence of the same case",
    )
    text = "\n".join(found.summary())
    assert "images without a mask (1): images/b.nrrd" in text
    assert "files ignored (2): images/a.nrrd, protocol.pdf" in text


def test_a_mask_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    image(tmp_path / "images/a.nrrd")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/a_R1.nrrd").write_text("NRRD0004\nnothing")
    found = discover(tmp_path)
    assert found.cases == ()
    assert found.notes[0].startswith("masks/a_R1.nrrd could not be read: ")


def test_patterns_of_the_user(tmp_path: Path) -> None:
    for sequence in ("T1", "T2"):
        image(tmp_path / f"clinic/p7/v1/{sequence}.nii.gz")
    labels(tmp_path / "clinic/p7/v1/roi-R1-final.nii.gz", [1])
    found = discover(
        tmp_path,
        image_pattern="clinic/{patient}/{case}/{sequence}.{ext}",
        mask_pattern="clinic/*/{case}/roi-{reader}-*.{ext}",
    )
    assert sources(found) == {
        "v1": (
            {"T1": "clinic/p7/v1/T1.nii.gz", "T2": "clinic/p7/v1/T2.nii.gz"},
            {"R1": "clinic/p7/v1/roi-R1-final.nii.gz"},
        )
    }
    assert found.cases[0].patient == "p7"


@pytest.mark.parametrize(
    ("pattern", "told"),
    [("images/*.nrrd", "has no {case}"), ("{case}/{series}.nrrd", "found {series}")],
)
def test_bad_patterns(tmp_path: Path, pattern: str, told: str) -> None:
    with pytest.raises(ManifestError) as caught:
        discover(tmp_path, image_pattern=pattern)
    assert told in str(caught.value)


def test_a_folder_without_cases_and_no_folder(tmp_path: Path) -> None:
    image(tmp_path / "scan.nrrd")
    with pytest.raises(ManifestError, match=r"no image with a mask") as caught:
        discover(tmp_path)
    assert "images/{case}.{ext}  with  masks/{case}_{reader}.{ext}" in str(caught.value)
    assert "Found 1 files: scan.nrrd" in str(caught.value)
    with pytest.raises(ManifestError, match="there is no folder 'none'"):
        discover(tmp_path / "none")


def test_the_manifest_is_written_for_the_user_to_fill(tmp_path: Path) -> None:
    image(tmp_path / "data/images/p.nrrd")
    labels(tmp_path / "data/masks/p_R1.seg.nrrd", [1, 2], ["Th12", "L1"])
    labels(tmp_path / "data/masks/p_R2.seg.nrrd", [1], ["T12"])
    path = tmp_path / "study/cases.csv"
    path.parent.mkdir()
    discover(tmp_path / "data").write(path)
    first, second = csv.DictReader(path.open(encoding="utf-8"))
    empty = {"outcome": "", "centre": "", "age": "", "sex": ""}
    assert first == {
        "case": "p_T12",
        "patient": "p",
        "level": "T12",
        **empty,
        "image": "../data/images/p.nrrd",
        "mask:R1": "../data/masks/p_R1.seg.nrrd#Th12",
        "mask:R2": "../data/masks/p_R2.seg.nrrd",
    }
    assert list(first) == [*FIELDS, "image", "mask:R1", "mask:R2"]
    assert (second["case"], second["mask:R2"]) == ("p_L1", "")
    assert str(tmp_path) not in path.read_text(encoding="utf-8")


def test_the_written_manifest_is_read_once_the_outcomes_are_filled_in(tmp_path: Path) -> None:
    for name in ("a", "b"):
        dicom(tmp_path / name)
        labels(tmp_path / f"{name}_R1.seg.nrrd", [1, 2], ["Th12", "L1"])
    path = tmp_path / "cases.csv"
    found = discover(tmp_path)
    found.write(path)
    with pytest.raises(ManifestError, match="4 problems"):
        read_manifest(path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("T12,,", "T12,malignant,").replace("L1,,", "L1,malignant,"))
    cohort = read_manifest(path)
    assert [(c.id, c.level) for c in cohort.cases] == [(c.id, c.level) for c in found.cases]
    check_files(cohort)


def test_an_existing_manifest_is_not_overwritten(tmp_path: Path) -> None:
    image(tmp_path / "images/p.nrrd")
    labels(tmp_path / "masks/p.nrrd", [1])
    path = tmp_path / "cases.csv"
    path.write_text("a day's work")
    with pytest.raises(ManifestError, match=r"cases\.csv exists and is not overwritten"):
        discover(tmp_path).write(path)
    assert path.read_text() == "a day's work"


def test_the_real_lumbar_exams(reference: Path, tmp_path: Path) -> None:
    found = discover(reference / "spine_mri", labels=find_scheme("verse"))
    assert any("C5 to C7 would have 32 mL" in note for note in found.notes)
    chu = [case for case in found.cases if case.patient.startswith("chu")]
    assert len(chu) == 56
    assert len({case.patient for case in chu}) == 8
    levels = [case.level.name for case in chu if case.level and case.patient == "chu2015_02"]
    assert levels == ["T11", "T12", "L1", "L2", "L3", "L4", "L5"]
    assert "vertebrae.csv" in found.ignored
    assert found.images_without_mask == ("sct_cspine/T2w.nii.gz",)
    found.write(tmp_path / "cases.csv")


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "p1"
    elsewhere.mkdir(parents=True)
    image(elsewhere / "image.nii.gz")
    labels(elsewhere / "mask_R1.nii.gz", [1])
    images = tmp_path / "images"
    images.mkdir()
    (images / "p1").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(images)
    assert [case.id for case in discover(images).cases] == ["p1"]


def test_folders_are_looked_into_down_to_a_depth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEEPEST", 2)
    for place in ("a.nii", "1/b.nii", "1/2/c.nii", "1/2/3/d.nii"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
    assert module._files(tmp_path) == ["1/2/c.nii", "1/b.nii", "a.nii"]
