"""The page on filters: its examples work, and it leaves no filter out."""

import doctest
import re
from pathlib import Path

import pytest
import yaml

from centrum.features.settings import ExtractionSettings
from centrum.filters import FILTERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "filters.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_are_extraction_settings(block: str) -> None:
    assert ExtractionSettings.model_validate(yaml.safe_load(block)).filters


def test_session_runs() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert (result.attempted, result.failed) == (10, 0)


@pytest.mark.parametrize("name", [n for n, kind in FILTERS.items() if kind.dialect == "ibsi"])
def test_every_filter_has_its_place_and_an_example(name: str) -> None:
    kind = FILTERS[name]
    assert re.search(rf"^### .*\b{name}\b", TEXT, re.MULTILINE)
    assert f"filter: {name}" in TEXT
    undocumented = [f for f in kind.model_fields if not re.search(rf"\b{f}\b", TEXT)]
    assert undocumented == []
