"""Development beside external validation: the table and the figure of the paper."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from centrum.cohort.phantom import NOTICE
from centrum.evaluate import Evaluation
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.calibration import Calibration
from centrum.evaluate.comparison import difference_interval
from centrum.evaluate.logistic import Coefficient
from centrum.evaluate.population import Count
from centrum.frozen.domain import Domain, spoken
from centrum.frozen.external_record import ExternalRecord
from centrum.frozen.people import NO_IMAGES, People
from centrum.io.facts import NUMBERS
from centrum.measure.acquisition import TEXTS
from centrum.report import readings
from centrum.report.blocks import Column, Estimate, Picture, Table, picture
from centrum.report.figures.decision_curve import BELOW
from centrum.report.figures.external import draw_external
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.calibration_and_use import curve_table
from centrum.text import NO_INTERVAL, counted, fixed, interval_text, percent, sentence_case

UNKNOWN = "unknown"


@dataclass(frozen=True)
class SidePerformance:
    """How the model did on a side; `area` is the AUC that is reported."""

    area: Estimate
    evaluation: Evaluation
    calibration: Calibration


@dataclass(frozen=True)
class Side:
    """A column of the table.

    Attributes
    ----------
    patients, cases, positive : how many
    judged : None of a side that is not evaluated here
    """

    patients: int
    cases: int
    positive: int
    people: People
    judged: SidePerformance | None = None


def external_table(
    results: StudyResults,
    found: ExternalRecord,
    internal: Estimate,
    acquisition: pd.DataFrame | None,
) -> Table:
    """Who was studied and how the model did, in development and outside it.

    Parameters
    ----------
    internal : the AUC that the study reports
    acquisition : of the study's cases, a row each; None where headers were not read
    """
    sides = {**_own(results, internal, acquisition), "External": _external(found)}
    cells = [*_described(sides, results.model.positive), *_performance(sides)]
    columns = (Column("Characteristic"), *map(Column, sides))
    return Table(
        "external",
        "Development and external validation",
        columns,
        tuple((name, *values) for name, values in cells),
        _notes(results, found),
        main=True,
    )


def _own(
    results: StudyResults, internal: Estimate, acquisition: pd.DataFrame | None
) -> dict[str, Side]:
    """The sides of the study: one or two, as the design has them."""
    scores, found = results.scores, results.evaluation

    def side(rows: pd.DataFrame, judged: SidePerformance | None = None) -> Side:
        obs = results.table.obs.loc[rows.index].assign(patient=rows["patient"])
        taken = NO_IMAGES
        if acquisition is not None:
            taken = Domain.of_frame(acquisition.reindex(rows.index))
        people = People.of(obs, taken, bool(results.simulated))
        positive = int((rows["outcome"] == results.model.positive).sum())
        return Side(rows["patient"].nunique(), len(rows), positive, people, judged)

    tested = SidePerformance(internal, found.by_set["test"], found.calibration)
    if not results.protocol.split.single_part:
        return {"Development": side(scores, tested)}
    return {
        "Training": side(scores[scores["part"] == "train"]),
        "Internal test": side(scores[scores["part"] == "test"], tested),
    }


def _external(found: ExternalRecord) -> Side:
    e = found.evaluation
    area = Estimate.of(e.auc.value, e.auc.interval)
    judged = SidePerformance(area, e, found.calibration)
    return Side(e.n_patients, e.n, e.n_positive, found.people, judged)


Row = tuple[str, list[Any]]


def _described(sides: Mapping[str, Side], positive: str) -> list[Row]:
    people = [side.people for side in sides.values()]
    sexes = sorted({sex for each in people for sex in each.sex})
    rows: list[Row] = [
        ("Patients", [side.patients for side in sides.values()]),
        ("Cases", [side.cases for side in sides.values()]),
        (f"{sentence_case(positive)} cases", [Count(s.positive, s.cases) for s in sides.values()]),
        ("Age, years", [each.age or UNKNOWN for each in people]),
        *((f"Sex {sex}", [_share(each.sex, sex) for each in people]) for sex in sexes),
        ("Centre: cases", [_counts(each.centre) for each in people]),
    ]
    for name in (*NUMBERS, *TEXTS):
        told = [_acquired(each.acquisition, name) for each in people]
        if any(told):
            unit = f", {NUMBERS[name]}" if name in NUMBERS else ""
            head = f"{sentence_case(spoken(name))}{unit}"
            rows.append((head, [each or UNKNOWN for each in told]))
    return rows


def _share(counts: Mapping[str, int], name: str) -> Count | str:
    return Count(counts.get(name, 0), sum(counts.values())) if counts else UNKNOWN


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {n}" for name, n in counts.items()) or UNKNOWN


def _acquired(domain: Domain, name: str) -> str:
    """Range of a number, or the texts that occurred; "" where none is known."""
    if (found := domain.numbers.get(name)) is not None:
        ends = dict.fromkeys(f"{end:.4g}" for end in (found.lowest, found.highest))
        return "–".join(ends)
    return ", ".join(domain.texts.get(name, ()))


def _performance(sides: Mapping[str, Side]) -> list[Row]:
    def row(name: str, of: Callable[[SidePerformance], Any]) -> Row:
        return name, [side.judged and of(side.judged) for side in sides.values()]

    return [
        row("AUC", lambda j: j.area),
        *(
            row(text, partial(cell, name))
            for name, hits in HITS.items()
            for text, cell in ((sentence_case(name), _measure), (hits, _hits))
        ),
        row("Calibration slope", lambda j: _estimate(j.calibration.slope)),
        row("Calibration intercept", lambda j: _estimate(j.calibration.intercept)),
        row("Calibration in the large", lambda j: _estimate(j.calibration.in_the_large)),
        row("Brier score", lambda j: j.calibration.brier),
    ]


HITS = {"sensitivity": "True positives", "specificity": "True negatives"}
"""What the two measures are shares of."""


def _measure(name: str, judged: SidePerformance) -> Estimate:
    found = judged.evaluation.measures[name]
    return Estimate.of(found.value, found.interval)


def _hits(name: str, judged: SidePerformance) -> str:
    return hits_text(judged.evaluation, name, "/")


def hits_text(found: Evaluation, name: str, of: str = " of ") -> str:
    """The counts behind a sensitivity or specificity, as in "34 of 51"."""
    c = found.confusion
    counts = {"sensitivity": (c.tp, found.n_positive), "specificity": (c.tn, found.n_negative)}
    return of.join(map(str, counts[name]))


def _estimate(found: Coefficient) -> Estimate:
    return Estimate.of(found.value, found.interval)


def _notes(results: StudyResults, found: ExternalRecord) -> tuple[str, ...]:
    cut = found.evaluation.cutoff
    own = (
        f"Performance of the training cases is in {ref('table performance')}."
        if results.protocol.split.single_part
        else "Performance of the development cases is of models that had not seen the patient: the "
        "AUC as the mean over the parts where that is reported, the rest of pooled predictions."
    )
    refused = f" {counted(found.refused, 'external case')} could not be scored." * bool(
        found.refused
    )
    return (
        f"Estimates with {percent(found.evaluation.confidence)} confidence intervals. Age as mean "
        "± SD [range] and sex of each patient once, where known. Sensitivity and specificity at "
        f"the frozen cut-off, a score of {fixed(cut.value)}. {own}{refused}",
    )


def auc_gap(external: Estimate, internal: Estimate) -> Estimate:
    """External less internal AUC; without an interval where one of the two has none."""
    pair = [(each.value, Interval(each.lower, each.upper)) for each in (external, internal)]
    (new, own), (old, other) = pair
    return Estimate.of(new - old, difference_interval(new, own, old, other))


def gap_text(gap: Estimate, digits: int = 2) -> str:
    """What the interval of the difference of two AUCs says of it."""
    limits = interval_text(gap.lower, gap.upper, digits, " to ")
    if limits == NO_INTERVAL:
        return "Whether that is more than chance cannot be told: one of the two has no interval."
    told = f"The interval of the difference, {limits},"
    if gap.lower <= 0 <= gap.upper:
        return f"{told} held 0: these patients neither showed a difference nor ruled one out."
    return f"{told} did not hold 0."


def external_picture(results: StudyResults, found: ExternalRecord) -> Picture:
    """ROC, calibration and decision curve of the external set."""
    outcomes, e = (results.model.positive, results.model.negative), found.evaluation
    mark = results.simulated or (NOTICE if found.people.simulated else "")
    name = "internal test" if results.protocol.split.single_part else "internal (pooled)"
    shown = {name: results.evaluation.by_set["test"], "external": e}
    sizes = (
        f"{counted(e.n, 'external case')} of {counted(e.n_patients, 'patient')} ({e.n_positive} "
        f"{outcomes[0]}, {e.n_negative} {outcomes[1]})"
    )
    confidence = percent(e.confidence)
    return picture(
        partial(draw_external, found, shown, outcomes, mark),
        "external",
        "External validation",
        f"{sizes}. A: ROC curve with its {confidence} band; dots are decisions at the frozen "
        f"cut-off. B: observed share against predicted probability, flexible curve and groups of "
        f"cases with {confidence} intervals; below, the predictions by outcome. C: net benefit of "
        "the model's probability as it is, of acting on everybody and on nobody; "
        f"{BELOW}.",
        f"Three panels. AUC {fixed(e.auc.value, 2)}, calibration slope "
        f"{fixed(found.calibration.slope.value, 2)}.",
        curve_table(found.decision_curve),
        reading=f"{readings.calibrated(found.calibration)} "
        f"{readings.decision(found.decision_curve)}",
        main=True,
    )
