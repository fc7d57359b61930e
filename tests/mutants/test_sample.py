"""What is drawn, what is kept, and what is said of it."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.mutants import page
from tests.mutants.__main__ import Tests, mutants, sample
from tests.mutants.page import SAME, Found
from tests.mutants.workshop import NOT_RUN, NOTICED, UNNOTICED, Test


def found(place: str, result: str) -> Found:
    return Found("k", "io", "src/centrum/io/nrrd.py", 7, place, result, "", "", 1.0)


def test_a_larger_sample_begins_with_the_smaller() -> None:
    assert sample("frozen", 30, 1)[:10] == sample("frozen", 10, 1)
    assert sample("frozen", 10, 1) != sample("frozen", 10, 2)
    assert len({(m.module, m.place) for m in mutants("frozen")}) == len(mutants("frozen"))


@pytest.fixture
def known(tmp_path: Path) -> Tests:
    """Tests of the first mistakes in a module, in files that are far from it and near it."""
    tests = Tests(tmp_path / "tests", 20)
    first, last = MISTAKE.mistake.statement
    texts = tests._texts
    names = ("tests/io/test_a.py::far", "tests/prepare/test_b.py::near",
             "tests/prepare/test_nyul.py::own", "tests/prepare/test_b.py::elsewhere",
             "tests/prepare/test_b.py::failed", "tests/prepare/test_b.py::older")  # fmt: skip
    lines = [1 << first, 1 << last, 1 << first, 1 << 1, 1 << first, 1 << 1]
    told = [
        Test(name, 1.0, {}, "failed" not in name, {NYUL: own}, {}).as_json(
            texts if "older" not in name else {NYUL: "another"}
        )
        for name, own in zip(names, lines, strict=True)
    ]
    kept = tmp_path / "kept.jsonl"
    kept.write_text("\n".join(told))
    tests._add(kept)
    return tests


NYUL = "prepare/nyul.py"
MISTAKE = next(m for m in mutants("prepare") if m.module.endswith(NYUL) and m.mistake.function)


def short(tests: list[Test]) -> list[str]:
    return [test.name.partition("::")[2] for test in tests]


def test_tests_that_run_the_statement_are_asked_the_nearest_first(known: Tests) -> None:
    """And those that ran the module as it read earlier."""
    assert short(known.running(MISTAKE)) == ["far", "near", "own", "older"]
    groups = [short(group) for group in known.chosen(MISTAKE)]
    assert groups == [["own"], ["near", "older"], ["far"]]


def test_what_only_imports_run_is_asked_of_all_tests_of_the_module(known: Tests) -> None:
    whole = replace(MISTAKE, mistake=replace(MISTAKE.mistake, function=""))
    assert short(known.running(whole)) == ["far", "near", "own", "elsewhere", "older"]
    never = replace(MISTAKE, mistake=replace(MISTAKE.mistake, statement=(9998, 9999)))
    known._of[NYUL] = [test for test in known._of[NYUL] if "older" not in test.name]
    assert short(known.running(never)) == ["far", "near", "own", "elsewhere"]


def test_one_test_is_asked_however_long_it_takes(known: Tests) -> None:
    known._seconds = 0.1
    assert [short(group) for group in known.chosen(MISTAKE)] == [["far"]]


def test_shares_with_and_without_what_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    known: Mapping[tuple[str, str], str] = {
        ("src/centrum/io/nrrd.py", "b"): f"{SAME}no value is there",
        ("src/centrum/io/nrrd.py", "c"): "not worth a test",
    }
    monkeypatch.setattr(page, "reasons", lambda: known)
    results = [found("a", NOTICED), found("b", UNNOTICED), found("c", UNNOTICED)]
    results += [found("d", NOT_RUN), found("e", "hangs")]
    assert page.table(results).splitlines()[2:] == [
        "| io | 5 | 2 | 40 % | 12 to 77 % | 0 | 1 | 50 % |",
    ]
    said = page.unnoticed(results, {}).splitlines()
    assert [line.rpartition(": ")[2] for line in said] == [
        "no value is there", "not worth a test", "not looked at",
    ]  # fmt: skip
    assert "(no test runs it)" in said[2]


def test_a_mistake_counts_as_it_was_found_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "mutants.md")
    later = replace(found("a", NOTICED), by="tests/io/test_nrrd.py::test_it")
    results = [found("a", UNNOTICED), found("b", UNNOTICED), later, found("c", NOTICED)]
    samples = {2: [found("d", NOTICED)], 1: results}
    page.write(samples, [("src/centrum/io/nrrd.py", "a")], 20)
    said = page.PAGE.read_text()
    one, two = said.partition("## Sample of seed 2")[::2]
    assert "## Sample of seed 1" in one
    assert "20 s of CPU" in one
    assert "| io | 3 | 1 | 33 % | 6 to 79 % | 1 | 0 | 33 % |" in one
    assert "| io | 1 | 1 | 100 % | 21 to 100 % | 0 | 0 | 100 % |" in two
    assert page.ABOUT[2] in two
    assert "`io/nrrd.py`, a: noticed since, by `tests/io/test_nrrd.py::test_it`" in said
    assert "`io/nrrd.py`, b: the code is gone" in said


def test_of_a_sample_that_is_not_here_the_page_says_what_it_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "mutants.md")
    page.write({1: [found("a", NOTICED)], 3: [found("b", UNNOTICED)]}, [], 20)
    before = page.PAGE.read_text()
    page.write({}, [], 20)
    assert page.PAGE.read_text() == before
    page.write({2: [found("c", NOTICED)]}, [], 20)
    after = page.PAGE.read_text()
    one, rest = after.split("## Sample of seed 2")
    assert before.startswith(one.rstrip())
    assert before.endswith(rest[rest.index("## Sample of seed 3") :])


def test_every_reason_is_of_a_mistake_that_can_still_be_made() -> None:
    """A reason of what now reads otherwise goes."""
    packages = {module.split("/")[2] for module, _ in page.reasons()}
    there = {(m.module, m.place) for package in packages for m in mutants(package)}
    assert set(page.reasons()) <= there


def test_help_says_how() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.mutants", "--help"], cwd=ROOT, capture_output=True, check=True
    )
    assert b"--minutes" in said.stdout
