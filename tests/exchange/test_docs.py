"""The page on tables runs as it is printed."""

import doctest
import re
from pathlib import Path

import pytest

from centrum.exchange import FORMATS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-your-own-tables.md"


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = re.search(r"^```csv\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert table
    (tmp_path / "features.csv").write_text(table[1], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted >= 10
    assert result.failed == 0


def test_the_page_names_every_format() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [A-Za-z3]", PAGE.read_text(encoding="utf-8"), re.M)
    assert sorted(rows) == sorted([*FORMATS, "format"])
