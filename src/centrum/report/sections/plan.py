"""The section on the plan that was written before the study was run."""

from centrum.report.blocks import Block, Column, Point, Table
from centrum.report.plan import (
    Departure,
    day,
    departures,
    plan_text,
    primary_name,
    primary_result,
    when,
)
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.study.plan import PLAN, AnalysisPlan, leading
from centrum.text import sentence_case


@section
def plan(results: StudyResults) -> Block | None:
    """What was planned, when, and what the run did otherwise; None without a plan."""
    if not results.plans:
        return None
    found = leading(results.plans)
    written = f"{PLAN}, SHA-256 {found.digest}, was written by version {found.software}."
    others = [other for other in results.plans if other != found]
    departed = departures(found, results)
    return Block(
        "Analysis plan",
        "plan",
        prose=(plan_text(results), written),
        warnings=(AFTER,) if found.after_outcomes else (),
        facts=((_primary(found), primary_result(found, results).text),),
        points=tuple(Point(f"A further plan was written on {day(p.written)}, {when(p)}.")
                     for p in others),
        tables=(_departure_table(departed),) if departed else (),
    )  # fmt: skip


AFTER = (
    "The plan was written after the outcomes had been analysed: what it names may have been chosen "
    "by the results."
)


def _primary(found: AnalysisPlan) -> str:
    return f"Primary measure: {sentence_case(primary_name(found))}"


def _departure_table(departed: tuple[Departure, ...]) -> Table:
    rows = tuple((each.choice, each.planned, each.now) for each in departed)
    columns = tuple(map(Column, ("Choice", "Planned", "In this run")))
    notes = ("Every choice of the protocol was compared.",)
    return Table("plan", "Departures from the plan", columns, rows, notes)
