"""The page on filters: it leaves no filter out."""

import re
from pathlib import Path

import pytest

from centrum.filters import FILTERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "filters.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [n for n, kind in FILTERS.items() if kind.dialect == "ibsi"])
def test_every_filter_has_its_place_and_an_example(name: str) -> None:
    kind = FILTERS[name]
    assert re.search(rf"^### .*\b{name}\b", TEXT, re.MULTILINE)
    assert f"filter: {name}" in TEXT
    undocumented = [f for f in kind.model_fields if not re.search(rf"\b{f}\b", TEXT)]
    assert undocumented == []
