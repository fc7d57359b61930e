"""Features and agreement do not need outcomes; whatever does says so."""

import csv
from pathlib import Path

import pytest

from centrum.commands import study as verbs
from centrum.commands.check import check_study
from centrum.errors import CentrumError, DataError, ManifestError
from centrum.study.study import open_study
from tests.studies import make_study, write_rows

CASES = 6


def change(study: Path, outcomes: list[str] | None) -> Path:
    """Other outcomes, or none of that column."""
    rows = [*csv.DictReader((study / "cases.csv").open())]
    for k, row in enumerate(rows):
        row.pop("outcome")
        if outcomes:
            row["outcome"] = outcomes[k]
    write_rows(study, rows)
    return study


@pytest.fixture(params=[None, [""] * CASES], ids=["no column", "empty"])
def study(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A study of six cases whose outcomes nobody knows yet."""
    return change(make_study(tmp_path / "study", CASES), request.param)


def refused(code: str, kind: type[CentrumError] = DataError):
    return pytest.raises(kind, check=lambda error: error.code == code)


def test_features_are_measured_and_readers_compared(study: Path):
    opened = open_study(study)
    extraction = verbs.extract(opened)
    assert not extraction.failures
    assert len(extraction.table.obs) == CASES
    assert verbs.agree(opened)["icc"].notna().any()


def test_a_run_is_refused_before_anything_is_measured(study: Path):
    with refused("no-outcome") as caught:
        verbs.run(open_study(study))
    assert "centrum agree" in str(caught.value)
    assert not (study / "results/features.csv").exists()


def test_a_model_is_refused_after_measuring(study: Path):
    opened = open_study(study)
    verbs.extract(opened)
    with refused("no-outcome"):
        verbs.fit(opened)


def test_check_calls_it_an_error(study: Path):
    assert check_study(study).stops


def test_outcomes_of_some_cases_alone_are_refused_by_row(tmp_path: Path):
    study = change(make_study(tmp_path / "study", CASES), ["malignant", "", *["osteoporotic"] * 4])
    with pytest.raises(ManifestError, match="row 3"):
        open_study(study)
