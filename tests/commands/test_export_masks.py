"""`centrum export-masks`: every mask of a study again, whatever program reads it."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.io import list_segments, read_image, read_mask
from tests.pacs.series import write_series
from tests.studies import READERS, make_study, read_rows, write_rows
from tests.test_cli import centrum

pytest.importorskip("highdicom", reason="the extra dicom is not installed")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of four cases, the first and the third of one patient and DICOM series."""
    folder = make_study(tmp_path_factory.mktemp("masks") / "study", n=4)
    write_series(folder / "series", read_image(folder / "images" / "P000.nrrd"))
    rows = read_rows(folder)
    same = {"image": "series", "patient": "both"}
    write_rows(folder, [row | ({} if k % 2 else same) for k, row in enumerate(rows)])
    return folder


def drawn(study: Path, case: str, reader: str) -> np.ndarray:
    image = sitk.ReadImage(str(study / "masks" / f"{case}_{reader}.nrrd"))
    return sitk.GetArrayFromImage(image) > 0


@pytest.mark.parametrize("ending", ["seg.nrrd", "nii.gz", "nii"])
def test_a_file_for_each_case_and_reader(study: Path, tmp_path: Path, ending: str) -> None:
    done = centrum("export-masks", study, "--format", ending, "--out", tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, f"8 files in {tmp_path}")
    for row in read_rows(study):
        for reader in READERS:
            path = tmp_path / f"{row['case']}_{reader}.{ending}"
            stored = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
            np.testing.assert_array_equal(stored > 0, drawn(study, row["case"], reader))
            names = {"seg.nrrd": row["level"]}
            assert [s.name for s in list_segments(path)] == [names.get(ending, "1")]


def test_a_segmentation_for_each_series_and_reader(study: Path, tmp_path: Path) -> None:
    done = centrum("export-masks", study, "--format", "dicom", "--out", tmp_path)
    assert done.returncode == 1
    assert "P001, senior: not exported: [image] is no DICOM series" in done.stdout
    assert done.stdout.splitlines()[-1] == f"2 files in {tmp_path}"
    image = read_image(study / "series")
    for reader in READERS:
        path = tmp_path / f"P000_{reader}.seg.dcm"
        for case, level in (("P000", "T12"), ("P002", "L3")):
            found = read_mask(f"{path}#{level}", image)
            np.testing.assert_array_equal(found.array, drawn(study, case, reader))


def test_another_format_is_refused(study: Path, tmp_path: Path) -> None:
    done = centrum("export-masks", study, "--format", "mha", "--out", tmp_path / "new")
    assert done.returncode == 2
    assert "Masks are exported as seg.nrrd, nii.gz, nii, dicom, found 'mha'." in done.stderr
    assert not (tmp_path / "new").exists()
