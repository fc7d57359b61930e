"""What `init` wrote may be written again; what somebody worked on may not."""

from pathlib import Path

import pytest

from centrum.errors import ManifestError
from centrum.study.untouched import MARK, make_way, remember_begun

NAMES = ("cases.csv", "study.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).write_text("begun")
    remember_begun(tmp_path, NAMES)
    return tmp_path


def test_untouched_files_make_way(folder: Path) -> None:
    make_way(folder, NAMES, kept=["cases.csv"])
    assert not any((folder / name).exists() for name in NAMES)


def test_a_changed_manifest_is_refused_and_nothing_is_taken_away(folder: Path) -> None:
    (folder / "cases.csv").write_text("a day's work")
    with pytest.raises(ManifestError, match="may hold a day's work"):
        make_way(folder, NAMES, kept=["cases.csv", "cases.xlsx"])
    assert (folder / "study.yaml").read_text() == "begun"


def test_a_manifest_that_init_never_wrote_is_refused(folder: Path) -> None:
    (folder / "cases.xlsx").write_bytes(b"PK")
    with pytest.raises(ManifestError, match=r"cases\.xlsx exists"):
        make_way(folder, NAMES, kept=["cases.csv", "cases.xlsx"])


@pytest.mark.parametrize("content", ["", "[]", "{", '{"cases.csv": 3}', "[" * 9000, "\udcff"])
def test_a_mark_that_nobody_understands_protects_what_is_there(folder: Path, content: str) -> None:
    (folder / MARK).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ManifestError, match="exists and is not overwritten"):
        make_way(folder, NAMES, kept=["cases.csv"])
    assert (folder / "study.yaml").read_text() == "begun"
