"""`centrum read --compare`, `--adjudicate` and `--close`, and what is measured afterwards."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from centrum.cli import app
from centrum.commands import study as verbs
from centrum.commands.read_finished import adjudicate_cases
from centrum.errors import DataError
from centrum.study.study import open_study
from tests.reading.rooms import read_study
from tests.studies import read_rows


def read(*words: object) -> Result:
    return CliRunner().invoke(app, ["read", *map(str, words)])


def told(*words: object) -> str:
    done = read(*words)
    assert done.exit_code == 0, done.output
    return done.output


def test_from_signed_cases_to_the_manifest(tmp_path: Path) -> None:
    study, out = read_study(tmp_path / "study"), tmp_path / "out"
    assert "2 pairs of readings" in told(study, "--compare", "--out", out)
    assert sorted(path.name for path in out.iterdir()) == [
        "agreement.html", "agreement_by_case.csv", "agreement_by_slice.csv",
    ]  # fmt: skip
    assert not (study / "results").exists()
    words = ("--adjudicate", "P000=reader2", "--adjudicate", "P001=union", "--reason", "both")
    assert "2 cases decided anew" in told(study, *words)
    assert "mask:consensus: 2 cases" in told(study, "--close")
    assert set(read_rows(study)[0]) >= {"mask:reader1", "mask:reader2", "mask:consensus"}
    assert "says all of this already" in told(study, "--close")


def test_two_tasks_at_once_are_refused(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study", n=1)
    done = read(study, "--compare", "--close")
    assert done.exit_code != 0
    assert "one after the other" in done.output


@pytest.mark.parametrize("text", ["P001", "=reader1", "P001="])
def test_a_decision_names_case_and_reader(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="CASE=READER"):
        adjudicate_cases(tmp_path, [text], "why")


def test_a_study_is_run_with_the_masks_of_its_room(tmp_path: Path) -> None:
    """A consensus of one case takes no part: agreement is over all that the readers have signed."""
    study = read_study(tmp_path / "study", n=4)
    adjudicate_cases(study, ["P000=reader2"], "the dorsal edge")
    told(study, "--close")
    extraction = verbs.extract(open_study(study))
    assert not extraction.failures
    assert extraction.table.readers == ("reader1", "reader2")
    pairs = zip(extraction.overlap["reader_a"], extraction.overlap["reader_b"], strict=True)
    assert set(pairs) == {("reader1", "reader2")}
    agreement = verbs.agree(open_study(study))
    assert set(agreement["n"]) == {4}
    with (study / "results/overlap.csv").open() as overlap:
        assert len(list(csv.DictReader(overlap))) == 4
