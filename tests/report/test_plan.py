"""The report and the methods say what was planned, and what the run did otherwise."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from centrum.manuscript import methods_plan
from centrum.report.build import sections_of
from centrum.report.plan import Departure, departures, plan_text
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import cautions, caveats
from centrum.report.sections.plan import plan
from centrum.study.plan import AnalysisPlan, choices_of

from .conftest import Make

WRITTEN = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


def planned(results: StudyResults, **changes: object) -> AnalysisPlan:
    whole: dict = {
        "written": WRITTEN, "software": "0.3.0", "after_outcomes": False, "primary": "auc",
        "cases": len(results.scores), "basis": "Riley 2021.", "listed": 60,
        "protocol": choices_of(results.protocol), "previous": "", **changes,
    }  # fmt: skip
    return AnalysisPlan(**whole)


def with_plans(results: StudyResults, *plans: AnalysisPlan) -> StudyResults:
    return replace(results, plans=plans)


def changed(results: StudyResults, **evaluation: object) -> StudyResults:
    new = results.protocol.evaluation.model_copy(update=evaluation)
    return replace(results, protocol=results.protocol.model_copy(update={"evaluation": new}))


def test_a_run_that_followed_says_so(results):
    found = with_plans(results, planned(results))
    block = plan(found)
    text, written = block.prose
    assert planned(results).digest in written
    assert "written on 2026-03-01 12:05 UTC, before the outcomes were analysed" in text
    assert f"AUC of the test cases as the primary measure and {len(results.scores)} cases" in text
    assert "(Riley 2021)" in text
    assert "followed it in every choice" in text
    assert block.tables == block.warnings == block.points == ()
    area = results.evaluation.by_set["test"].auc
    ((name, value),) = block.facts
    assert name == "Primary measure: AUC"
    assert value.startswith(f"{area.value:.3f} ({area.interval.lower:.3f}")
    assert text.rstrip(".") in methods_plan.plan(found).whole
    assert "No analysis plan" not in " ".join(p.text for p in caveats(found).points)


def test_every_choice_that_differs_is_told(results):
    then = planned(results, cases=70)
    now = with_plans(changed(results, n_resamples=150, subgroups=("sex",)), then)
    found = departures(then, now)
    assert [d.choice for d in found] == [
        "cases analysed", "evaluation.n_resamples", "evaluation.subgroups",
    ]  # fmt: skip
    assert found[0] == Departure("cases analysed", "70", str(len(results.scores)))
    assert found[1].now == "150"
    block = plan(now)
    (table,) = block.tables
    assert [row[0] for row in table.rows] == [d.choice for d in found]
    assert then.digest in block.prose[1]
    methods = methods_plan.plan(now).whole
    assert "departs from it in 3 choices" in methods
    assert f"cases analysed was planned as 70 and is {len(results.scores)}" in methods


def test_a_choice_of_another_version_is_a_departure(results):
    choices = choices_of(results.protocol)
    del choices["keep_names"]
    then = planned(results, protocol={**choices, "former": 1})
    found = departures(then, with_plans(results, then))
    assert found == (
        Departure("former", "1", "(no such choice)"),
        Departure("keep_names", "(no such choice)", "false"),
    )


def test_other_words_are_no_departure(results):
    other = results.protocol.model_copy(update={"name": "Else", "deviations": ("none",)})
    then = planned(results)
    assert departures(then, with_plans(replace(results, protocol=other), then)) == ()


def test_a_plan_after_the_outcomes_is_a_caution(results):
    late = planned(results, after_outcomes=True)
    found = with_plans(results, late)
    assert "no prespecification" in plan(found).prose[0]
    assert plan(found).warnings
    (point,) = [p for p in cautions(found) if p.anchor == "plan"]
    assert "written after the outcomes" in point.text
    early = planned(results)
    both = with_plans(results, early, late.model_copy(update={"previous": early.digest}))
    assert not plan(both).warnings
    assert "further plan" in plan(both).points[0].text
    assert "no prespecification" in plan(both).points[0].text


def test_another_primary_measure_is_shown(results):
    block = plan(with_plans(results, planned(results, primary="npv")))
    ((name, value),) = block.facts
    assert name == "Primary measure: Negative predictive value"
    assert value.startswith(f"{results.evaluation.by_set['test'].measures['npv'].value:.3f}")
    assert "negative predictive value of the test cases" in block.prose[0]


def test_without_a_plan_the_report_says_that_there_is_none(results):
    assert plan(results) is None
    assert plan_text(results) == ""
    assert "No analysis plan" in " ".join(p.text for p in caveats(results).points)
    assert "[Author:" in methods_plan.plan(results).paper
    titles = [block.title for block in sections_of(results)]
    assert "Analysis plan" not in titles
    assert "Analysis plan" in [b.title for b in sections_of(with_plans(results, planned(results)))]
