"""Tutorials are followed from their first block to the last."""

from pathlib import Path

import pytest

from tests.docs.given import ellipsoids
from tests.docs.pages import DOCS
from tests.docs.reader import Reader

TUTORIALS = DOCS / "tutorials"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("centrum.cli.default_workers", lambda: 1)


def test_from_pyradiomics_tables() -> None:
    Reader(TUTORIALS / "from-pyradiomics-tables.md", shell=True).follow()
    assert Path("validation/report.html").is_file()


def test_a_first_study_with_simpler_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centrum.commands.begin.simulate_cohort", ellipsoids)
    Reader(TUTORIALS / "a-first-study.md", shell=True, exact=False).follow()
    assert Path("scored/P001.html").is_file()


@pytest.mark.slow
def test_a_first_study() -> None:
    Reader(TUTORIALS / "a-first-study.md", shell=True).follow()
    for name in ("first-study/results/report.html", "scored/P001.html"):
        assert Path(name).is_file()
