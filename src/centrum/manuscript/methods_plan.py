"""What the Methods section says of the plan of the analysis."""

from centrum.manuscript.passage import Passage
from centrum.report.plan import departures, plan_text
from centrum.report.results import StudyResults
from centrum.study.plan import leading
from centrum.text import placeholder, sentences

NAMED = 10
"""Departures that are told one by one."""

REGISTERED = "where and when the analysis plan was registered"


def plan(results: StudyResults) -> Passage:
    """Whether the analysis was planned before the outcomes, and what was changed."""
    if not results.plans:
        return Passage(
            placeholder("whether the analysis was planned before the outcomes were known")
        )
    found = departures(leading(results.plans), results)
    told = [f"{d.choice} was planned as {d.planned} and is {d.now}" for d in found[:NAMED]]
    more = f"; {len(found) - NAMED} more are in the report" if len(found) > NAMED else ""
    changed = f"{'; '.join(told)}{more}." if told else ""
    return Passage(sentences(plan_text(results), placeholder(REGISTERED)), changed)
