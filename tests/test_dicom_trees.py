"""A study straight from an archive's files: a SEG of one reader, a structure set of the other."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.commands import begin, study as verbs
from centrum.commands.check import check_study
from centrum.commands.run import run
from centrum.geometry import Geometry
from centrum.io import read_image, read_mask
from centrum.study.study import open_study
from centrum.table import FeatureTable
from tests.archives import Exam, write_disk, write_seg, write_series, write_structures
from tests.storage import to_image
from tests.studies import PROTOCOL, SIZE, SPACING, ellipsoid, intensities, read_rows, write_rows

GRID = Geometry(SIZE, SPACING, (0.0, -20.0, 30.0), (0, 0, -1, 1, 0, 0, 0, -1, 0))
DISK = "DICOM/ST0"

FEW = """\
name: Trees
images: {region: whole_vertebra, reader: R2}
extraction:
  families: [morphology, statistics, glcm]
  interpolation: null
  discretisation: {method: fixed_bin_number, bins: 8}
"""


def exported(folder: Path, patients: int) -> Path:
    """The disks of simulated patients, every second of them with a malignant body."""
    rng = np.random.default_rng(0)
    for k in range(patients):
        exam = Exam(f"30{k:02}-77-{k}", study=str(k))
        disk = folder / f"CD{k:02}"
        write_disk(disk, exam, k, DISK)
        for path in (disk / DISK / "SE2").iterdir():
            path.unlink()
        array = np.clip(intensities(rng, bool(k % 2)), 0, 4000).round()
        write_series(disk / DISK / "SE2", exam, 3, array, grid=GRID)
        region = np.random.default_rng(k)
        one, other = (ellipsoid(region, grow).astype(bool) for grow in (0.0, 0.4))
        write_seg(disk / DISK / "SE5/IM0", exam, {"L1": one}, [3], grid=GRID)
        write_structures(disk / DISK / "SE6/IM0", exam, {"LWK 1": other}, 3, grid=GRID)
    return folder


def begun(images: Path, folder: Path, protocol: str) -> Path:
    """The study that `init` makes, with the outcomes."""
    begin.init(images, folder)
    write_rows(folder, [
        row | {"outcome": ("osteoporotic", "malignant")[k % 2], "age": str(60 + k), "sex": "F",
               "centre": "A"}
        for k, row in enumerate(read_rows(folder))
    ])  # fmt: skip
    (folder / "study.yaml").write_text(protocol)
    return folder


def extracted(folder: Path) -> FeatureTable:
    verbs.extract(open_study(folder))
    return FeatureTable.load(open_study(folder).results)


def as_nifti(folder: Path, images: Path) -> None:
    """Point the manifest to the same voxels in NIfTI files."""
    rows = read_rows(folder)
    for row in rows:
        image = read_image(folder / row["image"])
        for head in ("image", "mask:R1", "mask:R2"):
            found = image if head == "image" else read_mask(folder / row[head], image)
            path = images / f"{row['case']}_{head[-2:]}.nii.gz"
            array = found.array.astype(np.int16)
            sitk.WriteImage(to_image(array, found.geometry), str(path))
            row[head] = str(path)
    write_rows(folder, rows)


def test_init_check_and_features_as_of_nifti(tmp_path: Path) -> None:
    folder = begun(exported(tmp_path / "archive", 4), tmp_path / "study", FEW)
    rows = read_rows(folder)
    assert [row["case"] for row in rows] == ["P001", "P002", "P003", "P004"]
    assert {row["level"] for row in rows} == {"L1"}
    assert all("SE5" in row["mask:R2"] and "SE6" in row["mask:R1"] for row in rows)
    assert "-77-" not in (folder / "cases.csv").read_text()
    assert (folder / "identities.csv").stat().st_mode & 0o077 == 0
    assert not [f for f in check_study(folder).findings if f.severity == "error"]
    table = extracted(folder)
    assert table.values.shape[0] == 4
    assert np.isfinite(table.values).all()
    as_nifti(folder, tmp_path)
    np.testing.assert_allclose(extracted(folder).values, table.values, rtol=1e-5)


def test_a_second_try_keeps_the_codes(tmp_path: Path) -> None:
    """Also where a patient has come in between."""
    archive = exported(tmp_path / "archive", 2)
    begin.init(archive, tmp_path / "study")
    first = {row["image"]: row["case"] for row in read_rows(tmp_path / "study")}
    exam = Exam("1000-1")
    write_series(archive / "CD!", exam, 1, np.ones((7, 24, 26)), grid=GRID)
    write_seg(archive / "CD!/seg", exam, {"L1": ellipsoid(np.random.default_rng(9)) > 0}, grid=GRID)
    begin.init(archive, tmp_path / "study")
    second = {row["image"]: row["case"] for row in read_rows(tmp_path / "study")}
    assert {image: second[image] for image in first} == first
    assert len(second) == 3


def test_names_are_kept_where_the_user_wants_them(tmp_path: Path) -> None:
    begin.init(exported(tmp_path / "archive", 1), tmp_path / "study", keep_names=True)
    (row,) = read_rows(tmp_path / "study")
    assert row["case"] == "3000-77-0"
    assert {"mask:Roth_Anna", "mask:Lind_Bo"} <= row.keys()
    assert not (tmp_path / "study/identities.csv").exists()


@pytest.mark.slow
def test_a_whole_run(tmp_path: Path) -> None:
    protocol = PROTOCOL + "images: {reader: R2}\n"
    folder = begun(exported(tmp_path / "archive", 24), tmp_path / "study", protocol)
    _, page = run(open_study(folder))
    text = page.read_text()
    assert page.exists()
    for secret in ("-77-", "Roth", "Lind", "Doe", "19480312"):
        assert secret not in text
