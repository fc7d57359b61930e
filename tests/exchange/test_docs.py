"""The page on tables leaves no format out."""

import re
from pathlib import Path

from centrum.exchange import FORMATS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-your-own-tables.md"


def test_the_page_names_every_format() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [A-Za-z3]", PAGE.read_text(encoding="utf-8"), re.M)
    assert sorted(rows) == sorted([*FORMATS, "format"])
