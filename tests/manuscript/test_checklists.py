"""The lists: items and weights of the source, pointers that lead somewhere, scores."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.commands import study as verbs
from centrum.commands.manuscript import WRITTEN
from centrum.errors import DataError
from centrum.manuscript.answers import (
    ANOTHER_COHORT,
    DATA_SHEET,
    IN_PAPER,
    MODEL_FILE,
    THESE_LISTS,
    StudyFacts,
)
from centrum.manuscript.cards import data_sheet
from centrum.manuscript.checklists import (
    CHECKLISTS,
    FilledItem,
    checklist,
    checklist_table,
    fill,
    metrics_score,
)
from centrum.manuscript.evidence import EVIDENCE
from centrum.perturb import RobustnessSettings
from centrum.report.build import page_of, report_of
from centrum.report.html import render_html
from centrum.report.results import StudyResults
from centrum.report.sections import SECTIONS
from centrum.study.study import open_study
from tests.studies import make_study

from .conftest import Make, Places, grouped
from .elsewhere import external_of

STATUSES = ("answered", "not done", "not applicable", "author")
REPORT = re.compile(r"(?:Manuscript((?:, (?:Table|Figure) S?\d+)+) \(report |Report )#([a-z-]+)\)?")


# The lists themselves


@pytest.mark.parametrize("name", CHECKLISTS)
def test_items_are_those_of_the_source(name: str, reference: Path) -> None:
    path = reference / "modelling" / "checklists" / "checklists.json"
    source = json.loads(path.read_text(encoding="utf-8"))[name.replace("+", "_")]["items"]
    items = checklist(name).items
    assert [item.number for item in items] == [str(row["no"]) for row in source]
    assert [item.weight for item in items] == [row.get("weight", 0.0) for row in source]


def test_weights_of_metrics_are_shares_of_one() -> None:
    assert sum(item.weight for item in checklist("METRICS").items) == pytest.approx(1)


def test_lists_and_evidence_know_each_other() -> None:
    asked = {item.evidence for name in CHECKLISTS for item in checklist(name).items}
    assert asked - {""} == set(EVIDENCE)


# Answers of whole studies


def _variants(make: Make) -> dict[str, StudyResults]:
    many = make(n_parts=3, perturbed=RobustnessSettings(repeats=2), rules=())
    folds = many.protocol.model_copy(
        update={"split": many.protocol.split.model_copy(update={"design": "repeated_split"})}
    )
    tree = make(searched=True)
    model = replace(
        tree.model,
        coefficients=np.full(len(tree.model.features), np.nan),
        classifier="random_forest",
        lasso=None,
        feature_count=None,
    )
    return {
        "usual": make(),
        "grouped": grouped(make()),
        "one reader": make(readers=("senior",), simulated=""),
        "parts": replace(many, protocol=folds),
        "forest": replace(tree, model=model),
    }


@pytest.mark.parametrize("variant", ["usual", "grouped", "one reader", "parts", "forest"])
def test_every_pointer_leads_somewhere(make: Make, places: Places, variant: str) -> None:
    results = _variants(make)[variant]
    (there, numbers), seen = places(results), 0
    for name in CHECKLISTS:
        for unnumbered in fill(results, name, StudyFacts(exported_model=True)):
            answer = unnumbered.numbered(numbers)
            assert answer.status in STATUSES
            assert (answer.pointer == "") == (answer.status == "author"), answer
            assert answer.answer or answer.status == "author", answer
            for place in filter(None, answer.pointer.split("; ")):
                seen += 1
                _check(place, there, answer)
    assert seen > 80


def _check(place: str, there: dict[str, set[str]], answer: FilledItem) -> None:
    if place in (THESE_LISTS, MODEL_FILE):
        return
    found = REPORT.fullmatch(place)
    assert found, (place, answer)
    assert found[2] in there, (place, answer)
    assert set((found[1] or "").split(", ")[1:]) <= there[found[2]], (place, answer)


def test_places_outside_the_report(results: StudyResults) -> None:
    columns = ["TR ms", "TE ms", "field strength T", "slice spacing mm"]
    rows = results.table.obs.assign(**dict.fromkeys(columns, 1.5))[columns]
    facts = StudyFacts(acquisition=rows, external=external_of(results), exported_model=True)
    pointers = {a.pointer for name in CHECKLISTS for a in fill(results, name, facts)}
    assert DATA_SHEET in pointers
    assert any(IN_PAPER in p.split("; ") for p in pointers)
    assert any(p.endswith(f"{ANOTHER_COHORT}, Drift") for p in pointers)
    assert not {THESE_LISTS, MODEL_FILE} & pointers, "what is followed and shared is the author's"
    file, section = DATA_SHEET.split(", ")
    assert {file, THESE_LISTS} <= set(WRITTEN)
    assert f"\n## {section}\n" in data_sheet(results, facts)


@pytest.mark.parametrize(("name", "least"), [("METRICS", 20), ("CLEAR", 31), ("TRIPOD+AI", 23)])
def test_the_records_answer_most_items(results: StudyResults, name: str, least: int) -> None:
    answers = fill(grouped(results), name, StudyFacts(exported_model=True))
    assert sum(answer.status != "author" for answer in answers) >= least


def test_what_only_the_author_knows_is_never_claimed(make: Make) -> None:
    alone = {
        "METRICS": {"1", "2", "3", "5", "7", "8", "28", "29", "30"},
        "CLEAR": {"1", "4", "7", "8", "10", "14", "18", "19", "20", "49", *map(str, range(52, 59))},
        "TRIPOD+AI": {
            "1",
            "3a",
            "5b",
            "6a",
            "8a",
            "8b",
            "17",
            "18a",
            "18d",
            "18e",
            "18f",
            "19",
            "26",
        },
    }
    results = make()
    facts = StudyFacts(exported_model=True, external=external_of(results), methods=True)
    for name, numbers in alone.items():
        found = {a.item: a.status for a in fill(results, name, facts)}
        assert {found[number] for number in numbers} == {"author"}


@pytest.mark.slow
def test_pointers_of_a_study_on_disk(tmp_path: Path) -> None:
    study = open_study(make_study(tmp_path / "study"))
    verbs.run(study)
    results = verbs.collect(study)
    page = (study.results / "report.html").read_text(encoding="utf-8")
    numbers = report_of(results).numbers
    for name in CHECKLISTS:
        for unnumbered in fill(results, name, StudyFacts(exported_model=True)):
            answer = unnumbered.numbered(numbers)
            for place in filter(None, answer.pointer.split("; ")):
                if place.startswith("results/"):
                    assert (study.folder / place).is_file()
                elif found := REPORT.fullmatch(place):
                    assert f'id="{found[2]}"' in page
                    for what in (found[1] or "").split(", ")[1:]:
                        assert f"{what}. " in page, (what, answer)


# The score


def _answers(statuses: list[str]) -> list[FilledItem]:
    items = checklist("METRICS").items
    return [
        FilledItem(i.number, i.text, status, "", "")
        for i, status in zip(items, statuses, strict=True)
    ]


@given(st.lists(st.sampled_from(STATUSES), min_size=30, max_size=30))
def test_scores_lie_between_0_and_100(statuses: list[str]) -> None:
    if set(statuses) == {"not applicable"}:
        return
    score = metrics_score(_answers(statuses))
    assert -1e-9 <= score.lower <= score.upper <= 100 + 1e-9
    known = metrics_score(_answers(["not done" if s == "author" else s for s in statuses]))
    assert known.upper == pytest.approx(score.lower)
    met = metrics_score(_answers(["answered" if s == "author" else s for s in statuses]))
    assert met.lower == pytest.approx(score.upper)


def test_the_score_by_hand() -> None:
    statuses = ["answered"] * 30
    assert metrics_score(_answers(statuses)).lower == pytest.approx(100)
    statuses[8] = statuses[16] = "not applicable"  # weights 0.0225 and 0.02
    statuses[26] = "not done"  # weight 0.0749
    statuses[2] = "author"  # weight 0.0919
    score = metrics_score(_answers(statuses))
    possible = 1 - 0.0225 - 0.02
    assert score.possible == pytest.approx(possible)
    assert score.upper == pytest.approx(100 * (possible - 0.0749) / possible)
    assert score.lower == pytest.approx(100 * (possible - 0.0749 - 0.0919) / possible)


def test_a_score_is_of_metrics_only(results: StudyResults) -> None:
    with pytest.raises(DataError, match="30 items of METRICS, found 58"):
        metrics_score(fill(results, "CLEAR", StudyFacts()))


# Printed


@pytest.mark.parametrize("name", CHECKLISTS)
def test_the_table_holds_every_answer(results: StudyResults, name: str) -> None:
    answers = fill(results, name, StudyFacts())
    table = checklist_table(name, answers)
    assert table == checklist_table(name, fill(results, name, StudyFacts()))
    assert [c.name for c in table.columns] == ["Item", "What is asked", "Status", "Answer", "Where"]
    assert [row[0] for row in table.rows] == [item.number for item in checklist(name).items]
    assert len(table.csv().splitlines()) == len(answers) + 1
    counts = Counter(a.status for a in answers)
    assert f"{len(answers) - counts['author']} of {len(answers)} items" in table.notes[1]
    assert (name == "METRICS") == any(note.startswith("Score ") for note in table.notes)
    block = SECTIONS[-2](results)
    page = render_html(page_of(results, {}), [replace(block, tables=(table,))])
    assert page.count("<tr") == len(answers) + 1


def test_patients_are_in_no_answer(results: StudyResults) -> None:
    for name in CHECKLISTS:
        text = checklist_table(name, fill(results, name, StudyFacts())).csv()
        assert "secret-patient" not in text


def test_what_was_measured_elsewhere_is_the_authors(results: StudyResults) -> None:
    settings = results.protocol.model_dump() | {"tables": [{"file": "a.csv"}], "robustness": None}
    of_tables = replace(results, protocol=type(results.protocol).model_validate(settings))
    for name in CHECKLISTS:
        before, after = (fill(r, name, StudyFacts()) for r in (results, of_tables))
        lost = [a.text for a, b in zip(before, after, strict=True)
                if a.status != "author" and b.status == "author"]  # fmt: skip
        assert lost
        told = " ".join(a.answer for a in after if a.status == "answered")
        assert "IBSI 1" not in told
        assert "bins" not in told
