"""A run held against the plan that was written before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from centrum.report.blocks import Estimate
from centrum.report.results import StudyResults
from centrum.report.tables import flat
from centrum.report.words.results import AT_CUTOFF
from centrum.study.plan import AnalysisPlan, choices_of, leading
from centrum.text import counted, sentences

NOT_THERE = "(no such choice)"
"""In the place of a choice that one of the two versions of the software does not have."""


@dataclass(frozen=True)
class Departure:
    """A choice that is not as it was planned."""

    choice: str
    planned: str
    now: str


def departures(plan: AnalysisPlan, results: StudyResults) -> tuple[Departure, ...]:
    """Every choice of the protocol that is not as it was planned, and the number of cases."""
    return tuple(_departures(plan, results))


def _departures(plan: AnalysisPlan, results: StudyResults) -> Iterator[Departure]:
    if (analysed := len(results.scores)) != plan.cases:
        yield Departure("cases analysed", str(plan.cases), str(analysed))
    then, now = dict(flat(plan.protocol)), dict(flat(choices_of(results.protocol)))
    for choice in dict.fromkeys((*then, *now)):
        planned, found = then.get(choice, NOT_THERE), now.get(choice, NOT_THERE)
        if planned != found:
            yield Departure(choice, planned, found)


def plan_text(results: StudyResults) -> str:
    """When the plan was written, what it names, and whether the run followed it; "" without."""
    if not results.plans:
        return ""
    plan = leading(results.plans)
    found = departures(plan, results)
    followed = (
        "The analysis followed it in every choice."
        if not found
        else f"The analysis departs from it in {counted(len(found), 'choice')}."
    )
    return sentences(
        f"An analysis plan was written on {day(plan.written)}, {when(plan)}. It names the "
        f"{primary_name(plan)} of the test cases as the primary measure and "
        f"{counted(plan.cases, 'case')} to be analysed{_basis(plan)}.",
        followed,
    )


def _basis(plan: AnalysisPlan) -> str:
    return f" ({plan.basis.rstrip('.')})" if plan.basis else ""


def when(plan: AnalysisPlan) -> str:
    """Before or after the outcomes, as far as the study's folder tells."""
    if plan.after_outcomes:
        return "after the outcomes had been analysed: it is no prespecification"
    return "before the outcomes were analysed as far as the study's folder shows"


def day(written: datetime) -> str:
    """Day and minute, with the zone."""
    return f"{written:%Y-%m-%d %H:%M %Z}"


def primary_name(plan: AnalysisPlan) -> str:
    """What the primary measure is called."""
    name = "AUC" if plan.primary == "auc" else AT_CUTOFF[plan.primary]
    return name if name.isupper() else f"{name[0].lower()}{name[1:]}"


def primary_result(plan: AnalysisPlan, results: StudyResults) -> Estimate:
    """The primary measure on the test cases."""
    test = results.evaluation.by_set["test"]
    if plan.primary == "auc":
        return Estimate.of(test.auc.value, test.auc.interval)
    measure = test.measures[plan.primary]
    return Estimate.of(measure.value, measure.interval)
