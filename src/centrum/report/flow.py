"""From the results to the flow of cases: who was there at each station, and who left."""

import pandas as pd

from centrum.cohort.eligibility import CaseCounts
from centrum.report.blocks import Table
from centrum.report.figures import FlowChart, Stop
from centrum.report.results import StudyResults
from centrum.report.tables import frame_table
from centrum.text import counted

SIDES = {
    "training": "Training",
    "test": "Test",
    "in turn": "Trained on and held out in turn",
}
"""What the last stations are called."""


def flow_chart(results: StudyResults) -> FlowChart:
    """Stations with the numbers of cases, patients and outcomes."""
    flow = results.flow
    excluded = [f"{e.rule.name}: {e.excluded.cases}{_split(e.excluded)}" for e in flow.exclusions]
    total = sum(e.excluded.cases for e in flow.exclusions)
    leave = (f"Excluded: {counted(total, 'case')}", *excluded) if excluded else ()
    here = stations(results)
    stops = [Stop(_lines("Manifest", here["manifest"]), leave)]
    if results.failures:
        lost = here["not measured"]
        left = f"Could not be measured: {counted(lost.cases, 'case')}{_split(lost)}"
        stops.append(Stop(_lines("Eligible", here["eligible"]), (left,)))
    stops.append(Stop(_lines("Analysed", here["analysed"])))
    sides = [name for name in SIDES if name in here]
    return FlowChart(tuple(stops), tuple(_lines(SIDES[name], here[name]) for name in sides))


def flow_table(results: StudyResults) -> Table:
    """The numbers of the flow chart."""
    rows = [
        {"station": name, "cases": tally.cases, "patients": tally.patients, **tally.outcomes}
        for name, tally in stations(results).items()
    ]
    return frame_table(pd.DataFrame(rows))


def stations(results: StudyResults) -> dict[str, CaseCounts]:
    """Everybody who is counted, outcomes in the order positive, negative."""
    flow, scores = results.flow, results.scores
    outcomes = (results.model.positive, results.model.negative)
    analysed = _tally(scores, outcomes)
    lost = CaseCounts(
        flow.end.cases - analysed.cases,
        flow.end.patients - analysed.patients,
        {name: flow.end.outcomes[name] - analysed.outcomes[name] for name in outcomes},
    )
    counted_before = {
        "manifest": flow.start,
        **{f"excluded: {e.rule.name}": e.excluded for e in flow.exclusions},
        "eligible": flow.end,
    }
    return {
        **{
            station: CaseCounts(t.cases, t.patients, {name: t.outcomes[name] for name in outcomes})
            for station, t in counted_before.items()
        },
        "not measured": lost,
        "analysed": analysed,
        **_sides(results, outcomes),
    }


def _sides(results: StudyResults, outcomes: tuple[str, str]) -> dict[str, CaseCounts]:
    """Training and test side; of a design with several parts everybody is both in turn."""
    scores = results.scores
    if not results.protocol.split.single_part:
        return {"in turn": _tally(scores, outcomes)}
    return {
        "training": _tally(scores[scores["part"] == "train"], outcomes),
        "test": _tally(scores[scores["part"] == "test"], outcomes),
    }


def _tally(rows: pd.DataFrame, outcomes: tuple[str, str]) -> CaseCounts:
    counts = {name: int((rows["outcome"] == name).sum()) for name in outcomes}
    return CaseCounts(len(rows), rows["patient"].nunique(), counts)


def _lines(name: str, tally: CaseCounts) -> tuple[str, ...]:
    head = f"{name}: {counted(tally.cases, 'case')} of {counted(tally.patients, 'patient')}"
    return (head, *(f"{n} {outcome}" for outcome, n in tally.outcomes.items()))


def _split(tally: CaseCounts) -> str:
    parts = [f"{n} {outcome}" for outcome, n in tally.outcomes.items() if n]
    return f" ({', '.join(parts)})" if parts else ""
