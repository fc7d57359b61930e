"""Copies, exchanged vertebrae and one exam under two names, told by content and not by names."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.commands import check, study as verbs
from centrum.study.findings import Failure, Finding, alike
from centrum.study.study import open_study
from tests.studies import PROTOCOL, image_of, make_study, read_rows, write_rows

Edit = Callable[[list[dict]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study", n=4)


def checked(folder: Path) -> tuple[dict[str, Failure], dict[str, list[Finding]]]:
    """Failures by case, and findings by code."""
    failures, findings = check.check_cases(open_study(folder))
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    return {failure.case: failure for failure in failures}, by_code


def changed(folder: Path, case: int, **cells: str) -> None:
    """Cells of a case; what else a patient has only once is emptied."""
    rows = read_rows(folder)
    rows[case] |= cells | {"age": "", "sex": ""}
    write_rows(folder, rows)


def stored_otherwise(image: sitk.Image) -> sitk.Image:
    """The same voxels, with the slices in the other order and as other numbers."""
    return sitk.Cast(sitk.Flip(image, (False, False, True)), sitk.sitkFloat64)


@pytest.mark.parametrize("change", [lambda image: image, stored_otherwise])
def test_an_exam_under_two_patients_is_told_of_both(folder: Path, change: Callable) -> None:
    sitk.WriteImage(change(sitk.ReadImage(folder / "images/P001.nrrd")), folder / "again.nrrd")
    changed(folder, 3, image="again.nrrd")
    failures, findings = checked(folder)
    assert not failures
    found = {finding.case: finding for finding in findings["same-image"]}
    assert {case: finding.severity for case, finding in found.items()} == {
        "P001": "warning",
        "P003": "warning",
    }
    assert "P003" in found["P001"].message
    assert "patient-" not in found["P001"].message
    assert "same 'patient'" in found["P001"].remedy
    assert found["P003"].file == "again.nrrd"


def test_an_exam_under_two_names_of_one_patient_is_noted(folder: Path) -> None:
    shutil.copy(folder / "images/P000.nrrd", folder / "again.nrrd")
    changed(folder, 2, image="again.nrrd", patient="patient-0")
    failures, found = checked(folder)
    assert not failures
    assert {finding.case for finding in found["same-image"]} == {"P000", "P002"}
    assert {finding.severity for finding in found["same-image"]} == {"note"}


def test_two_sequences_that_are_one_image_are_refused(folder: Path) -> None:
    shutil.copy(folder / "images/P000.nrrd", folder / "again.nrrd")
    rows = read_rows(folder)
    for row in rows:
        row["image:T1w"], row["image:T2w"] = row["image"], row.pop("image")
    rows[0]["image:T1w"] = "again.nrrd"
    write_rows(folder, rows)
    (folder / "study.yaml").write_text(PROTOCOL + "images: {sequences: [T2w, T1w]}\n")
    failures, _ = checked(folder)
    assert "T2w and T1w are one image" in failures["P000"].message


def test_a_copied_mask_is_warned_of_and_counted(folder: Path) -> None:
    shutil.copy(folder / "masks/P001_senior.nrrd", folder / "masks/P001_resident.nrrd")
    failures, found = checked(folder)
    assert not failures
    assert [(f.case, f.reader) for f in found["copied-mask"]] == [("P001", "resident")]
    overlap = verbs.extract(open_study(folder)).overlap
    assert (overlap["dice"] == 1).sum() == 1


def test_masks_apart_are_an_error_of_the_case_unless_one_is_taken_out(folder: Path) -> None:
    away = np.zeros((7, 24, 26), np.uint8)
    away[2:5, :3, :4] = 1
    sitk.WriteImage(image_of(away), folder / "masks/P002_resident.nrrd")
    failures, found = checked(folder)
    assert {case: failure.code for case, failure in failures.items()} == {"P002": "no-overlap"}
    assert "leave its cell in the manifest empty" in failures["P002"].remedy
    assert "low-overlap" not in found
    changed(folder, 2, **{"mask:resident": ""})
    assert not checked(folder)[0]


def test_little_overlap_is_a_warning(folder: Path) -> None:
    mask = sitk.GetArrayFromImage(sitk.ReadImage(folder / "masks/P002_senior.nrrd"))
    sitk.WriteImage(image_of(np.roll(mask, 8, axis=2)), folder / "masks/P002_resident.nrrd")
    failures, found = checked(folder)
    assert not failures
    (warning,) = found["low-overlap"]
    assert (warning.case, warning.severity) == ("P002", "warning")


def test_exchanged_vertebrae_are_named(folder: Path) -> None:
    """L1 and L2 of one exam; the second reader called them the other way round."""
    rows, labels = read_rows(folder)[:2], np.zeros((7, 24, 26), np.uint8)
    labels[1:6, 2:10, 3:22], labels[1:6, 13:22, 3:22] = 1, 2
    sitk.WriteImage(image_of(labels), folder / "senior.nrrd")
    exchanged = np.roll(np.choose(labels, [0, 2, 1]).astype(np.uint8), 1, axis=2)
    sitk.WriteImage(image_of(exchanged), folder / "resident.nrrd")
    for label, row in enumerate(rows, 1):
        row |= {"patient": "p", "outcome": "malignant", "image": "images/P000.nrrd"}
        row |= {"age": "", "sex": ""}
        row |= {f"mask:{reader}": f"{reader}.nrrd#{label}" for reader in ("senior", "resident")}
    write_rows(folder, [*rows, *read_rows(folder)[2:]])
    failures, _ = checked(folder)
    assert {case: failure.code for case, failure in failures.items()} == {
        "P000": "no-overlap",
        "P001": "no-overlap",
    }
    assert "seem swapped with those of case P001" in failures["P000"].message


def test_the_mask_of_another_patient_is_warned_of(folder: Path) -> None:
    shutil.copy(folder / "masks/P000_senior.nrrd", folder / "masks/P003_senior.nrrd")
    failures, found = checked(folder)
    assert not failures
    assert {finding.case for finding in found["same-mask"]} == {"P000", "P003"}
    assert len(alike(found["same-mask"])) == 1


def test_what_the_store_holds_hides_no_finding_between_cases(folder: Path) -> None:
    changed(folder, 1, image="images/P000.nrrd", patient="patient-0", outcome="malignant")
    assert "same-image" not in checked(folder)[1]
    shutil.copy(folder / "images/P000.nrrd", folder / "images/P003.nrrd")
    assert {f.case for f in checked(folder)[1]["same-image"]} == {"P000", "P001", "P003"}
