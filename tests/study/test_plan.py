"""A plan is written without the outcomes, is never changed, and is held against the run."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from centrum.cohort.sheet import Sheet
from centrum.commands.plan import plan_study
from centrum.errors import DataError, ProtocolError
from centrum.study.plan import PLAN, AnalysisPlan, add_plan, leading, read_plans

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CANARY = "canary-of-the-outcome"


def make(folder: Path, protocol: str = "preset: vcf-t2w\nname: Trial\n") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "study.yaml").write_text(protocol)
    with (folder / "cases.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["case", "outcome", "reader_says", "image", "mask"])
        rows.writerows([[f"P{k}", f"{CANARY}-{k % 2}", CANARY, "x", "y"] for k in range(7)])
    return folder


def add(folder: Path, **changes) -> tuple[AnalysisPlan, bool]:
    given = {"primary": "auc", "cases": 100, "basis": "", "now": NOW, **changes}
    return add_plan(folder, **given)


def edit(folder: Path, change) -> None:
    path = folder / PLAN
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_the_outcomes_are_not_looked_at(tmp_path, monkeypatch):
    """Not a cell of a column but that of the case reaches what counts the cases, and what is
    written is the same whatever the outcomes are: none that a manifest may have, or others."""
    seen = []
    only = Sheet.only

    def watched(sheet: Sheet, wanted) -> Sheet:
        found = only(sheet, wanted)
        seen.append((found.header, found.rows))
        return found

    monkeypatch.setattr(Sheet, "only", watched)
    plan, new = add(make(tmp_path / "a"))
    assert new
    assert plan.listed == 7
    assert [heads for heads, _ in seen] == [("case",)]
    assert CANARY not in repr(seen)
    assert CANARY not in (tmp_path / "a" / PLAN).read_text()
    other = make(tmp_path / "b")
    text = (other / "cases.csv").read_text().replace(f"{CANARY}-1", "malignant")
    (other / "cases.csv").write_text(text)
    add(other)
    assert (other / PLAN).read_bytes() == (tmp_path / "a" / PLAN).read_bytes()


def test_no_manifest_is_needed(tmp_path):
    (make(tmp_path) / "cases.csv").unlink()
    assert add(tmp_path)[0].listed is None


def test_what_was_written_is_read_back(tmp_path):
    plan, _ = add(make(tmp_path), primary="sensitivity", basis="Riley 2021")
    assert read_plans(tmp_path) == (plan,)
    assert plan.primary == "sensitivity"
    assert plan.protocol["split"]["design"] == "repeated_split" or plan.protocol["split"]["design"]
    assert not {"name", "description", "deviations"} & {*plan.protocol}


def test_a_plan_that_says_the_same_is_not_written_again(tmp_path):
    first, _ = add(make(tmp_path))
    before = (tmp_path / PLAN).read_bytes()
    assert add(tmp_path, now=NOW + timedelta(days=1)) == (first, False)
    (tmp_path / "study.yaml").write_text("preset: vcf-t2w\nname: Another title\n")
    assert add(tmp_path) == (first, False)
    assert (tmp_path / PLAN).read_bytes() == before


@pytest.mark.parametrize(
    "change", [{"cases": 90}, {"primary": "npv"}, {"basis": "fewer came"}, "split: {seed: 3}\n"]
)
def test_another_decision_is_another_plan_after_the_first(tmp_path, change):
    first, _ = add(make(tmp_path))
    if isinstance(change, str):
        make(tmp_path, f"preset: vcf-t2w\nname: Trial\n{change}")
        change = {}
    second, new = add(tmp_path, **change)
    assert new
    assert second.previous == first.digest
    assert read_plans(tmp_path) == (first, second)
    assert leading(read_plans(tmp_path)) == second


@pytest.mark.parametrize("name", ["fit.json", "scores.csv", "assessment.json", "model.json"])
def test_where_results_of_a_fit_are_it_is_after_the_outcomes(tmp_path, name):
    first, _ = add(make(tmp_path))
    assert not first.after_outcomes
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "features.parquet").touch()
    second, _ = add(tmp_path, cases=90)
    assert not second.after_outcomes
    (tmp_path / "results" / name).touch()
    third, _ = add(tmp_path, cases=80)
    assert third.after_outcomes
    assert leading(read_plans(tmp_path)) == second
    done = plan_study(tmp_path, primary="auc", cases=70)
    assert any("AFTER THE OUTCOMES" in line for line in done.lines())


def test_of_plans_after_the_outcomes_the_first_leads(tmp_path):
    (make(tmp_path) / "results").mkdir()
    (tmp_path / "results" / "fit.json").touch()
    first, _ = add(tmp_path)
    add(tmp_path, cases=80)
    assert leading(read_plans(tmp_path)) == first


def _raise(record):
    record["plans"][0]["cases"] = 500


def _drop(record):
    del record["plans"][0]


def _drop_last(record):
    del record["plans"][-1]


def _unknown(record):
    record["plans"][0]["reason"] = "none"


@pytest.mark.parametrize("change", [_raise, _drop, _drop_last, _unknown])
def test_a_plan_that_was_changed_is_refused(tmp_path, change):
    add(make(tmp_path))
    add(tmp_path, cases=90)
    edit(tmp_path, change)
    with pytest.raises(DataError, match="does not say any more what was planned") as caught:
        read_plans(tmp_path)
    assert caught.value.code == "changed-plan"
    with pytest.raises(DataError):
        add(tmp_path, cases=80)


@pytest.mark.parametrize(
    ("change", "message"), [({"primary": "area"}, "no measure 'area'"), ({"cases": 0}, "found 0")]
)
def test_nonsense_is_refused(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        add(make(tmp_path), **change)
    assert not (tmp_path / PLAN).exists()


def test_a_protocol_that_cannot_be_run_is_no_plan(tmp_path):
    with pytest.raises(ProtocolError):
        add(make(tmp_path, "name: x\nsplit: {sead: 7}\n"))
