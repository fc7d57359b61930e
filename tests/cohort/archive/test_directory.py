"""DICOMDIR: held against the files that are there, never followed."""

from pathlib import Path

import pytest

from centrum.cohort.archive.directory import directory_notes
from centrum.cohort.archive.index import index_files
from centrum.io.dicomdir import listed_files
from tests.archives import Exam, body, pixels, write_directory, write_seg, write_series

JANE = Exam()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A disk whose names were written in small letters when it was copied."""
    write_series(tmp_path / "cd/dicom/se0", JANE, 1, pixels(1), names="im{}")
    write_seg(tmp_path / "cd/dicom/seg", JANE, {"L1": body()})
    return tmp_path


NAMES = [*(["DICOM", "SE0", f"IM{k};1"] for k in range(9)), ["DICOM", "SEG"]]


def notes(disk: Path, names: list) -> list[str]:
    write_directory(disk / "cd/DICOMDIR", names)
    files = sorted(p.relative_to(disk).as_posix() for p in disk.rglob("*") if p.is_file())
    index = index_files(disk, files)
    assert index.directories == ("cd/DICOMDIR",)
    return list(directory_notes(index))


def test_one_that_agrees(disk: Path) -> None:
    assert notes(disk, NAMES) == []


def test_one_that_is_stale(disk: Path) -> None:
    assert notes(disk, [*NAMES[1:], ["DICOM", "SE1", "IM0"]]) == [
        "cd/DICOMDIR names files that are not there (1): DICOM/SE1/IM0. Look whether the export is "
        "complete",
        "cd/DICOMDIR does not name files that are there (1), which are taken all the same: "
        "cd/dicom/se0/im0",
    ]


@pytest.mark.parametrize(
    "name", [["..", "..", "etc"], ["/etc", "passwd"], ["C:", "A"], ["A\\..", "B"], ["."]]
)
def test_one_that_leads_elsewhere(disk: Path, name: list[str]) -> None:
    (note,) = notes(disk, [*NAMES, name])
    assert note == "cd/DICOMDIR names files outside its folder (1): not opened"


def test_one_that_is_broken(disk: Path) -> None:
    write_directory(disk / "cd/DICOMDIR", NAMES)
    content = (disk / "cd/DICOMDIR").read_bytes()
    (disk / "cd/DICOMDIR").write_bytes(content[: len(content) // 2])
    index = index_files(disk, ["cd/DICOMDIR"])
    assert len(list(directory_notes(index))) <= 1


def test_one_of_no_records(disk: Path) -> None:
    write_directory(disk / "cd/DICOMDIR", [])
    assert listed_files(disk / "cd/DICOMDIR") == []
