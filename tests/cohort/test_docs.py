"""The examples of the page on cohorts are read as a user's would be."""

import re
from pathlib import Path

import yaml

from centrum.cohort import EligibilityRule, Level, apply_rules, read_manifest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "cohort.md"


def block(language: str) -> str:
    """The first fenced block of a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert found
    return found[1]


def test_the_manifest_and_the_rules_of_the_page(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(block("csv"), encoding="utf-8")
    cohort = read_manifest(path)
    rules = [EligibilityRule(**rule) for rule in yaml.safe_load(block("yaml"))["eligibility"]]
    eligible, flow = apply_rules(cohort, rules)
    assert [case.id for case in eligible.cases] == ["v01", "v02", "v03"]
    assert [len(exclusion.cases) for exclusion in flow.exclusions] == [1, 0, 0, 0, 1, 0]
    assert flow.exclusions[0].undecided == ("v05",)


def test_the_spellings_of_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    listed = re.search(r"`Level\.parse` accepts (.*?)\. A text", text, re.S)
    assert listed
    names = [Level.parse(spelling).name for spelling in re.findall(r"`([^`]+)`", listed[1])]
    assert names == ["C3", "C3", *["T12"] * 6, "L1", "L6", "T13", "S1", "L1"]
