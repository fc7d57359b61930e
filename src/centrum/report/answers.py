"""What a reader asks of a study first: how good, how sure, for whom; each told in a few numbers."""

from collections.abc import Iterator

import pandas as pd

from centrum.cohort.levels import Level
from centrum.evaluate import Evaluation
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.calibration import Calibration
from centrum.report.blocks import Answer, Point
from centrum.report.numbering import place
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import WIDE, departures
from centrum.report.sections.instability import OFTEN, changed_calls
from centrum.report.sections.validation import means_over_parts
from centrum.report.sequences import weighting_text
from centrum.text import counted, fixed, interval_text, listed, percent, width_text
from centrum.validation.other_readers import OtherReader

GOOD, SURE, WHOM = "How good?", "How sure?", "For whom?"
"""The three questions."""

MAY_BE_CHANCE = "The interval of the AUC reaches 0.5: the score may be no better than chance."

OPEN = Point("The interval leaves open how good the model is.", *place("table performance"))

NO_PATIENT = "For no patient: all cases are simulated."


def answers(results: StudyResults) -> tuple[Answer, ...]:
    """The three answers."""
    return (
        Answer(GOOD, facts=_performance(results), points=tuple(_how_good(results))),
        Answer(SURE, facts=tuple(_certainty(results)), points=tuple(_how_sure(results))),
        Answer(WHOM, facts=tuple(_studied(results)), points=tuple(_for_whom(results))),
    )


# How good


def _performance(results: StudyResults) -> tuple[tuple[str, str], ...]:
    confidence = f"{percent(_test(results).confidence)} CI"
    return tuple(
        (f"{name}, test ({confidence})", with_interval(value, interval))
        for name, value, interval in _headline(results)
    )


def _headline(results: StudyResults) -> tuple[tuple[str, float, Interval], ...]:
    """AUC, sensitivity and specificity: of the test side, or their means over the parts."""
    if not results.protocol.split.single_part:
        means = means_over_parts(results)
        names = [name for name in ("AUC", "Sensitivity", "Specificity") if name in means]
        return tuple((name, means[name].mean, means[name].interval) for name in names)
    test = _test(results)
    decisions = tuple(
        (name.capitalize(), test.measures[name].value, test.measures[name].interval)
        for name in ("sensitivity", "specificity")
    )
    return (("AUC", test.auc.value, test.auc.interval), *decisions)


def with_interval(value: float, interval: Interval, digits: int = 2) -> str:
    """A value and its interval."""
    return f"{fixed(value, digits)} ({interval_text(interval.lower, interval.upper, digits)})"


def _how_good(results: StudyResults) -> Iterator[Point]:
    outcomes = (results.model.positive, results.model.negative)
    single = results.protocol.split.single_part
    at = "the cut-off" if single else "the cut-off of each part"
    yield called_right(_test(results), outcomes, at, "test cases")
    if not single:
        n = counted(len(results.validation.parts), "part")
        yield Point(f"The numbers above are means over {n}.", *place("table parts"))
    if not results.evaluation.above_chance:
        yield Point(MAY_BE_CHANCE)


def called_right(found: Evaluation, outcomes: tuple[str, str], at: str, which: str) -> Point:
    """How many cases of the positive and the negative outcome are called right."""
    calls, (positive, negative) = found.confusion, outcomes
    return Point(
        f"At {at}, {calls.tp} of {calls.tp + calls.fn} {positive} and {calls.tn} of "
        f"{calls.tn + calls.fp} {negative} {which} are called right.",
        *place("table performance"),
    )


# How sure


def _certainty(results: StudyResults) -> Iterator[tuple[str, str]]:
    test = _test(results)
    interval = next((i for name, _, i in _headline(results) if name == "AUC"), test.auc.interval)
    return certainty(test, interval, results.model.positive, "Test cases")


def certainty(
    found: Evaluation, interval: Interval, positive: str, which: str
) -> Iterator[tuple[str, str]]:
    """How wide the interval of the AUC is, and on how many it rests."""
    known = interval.upper > interval.lower
    told = width_text(interval.lower, interval.upper) if known else "unknown"
    yield "Width of the interval of the AUC", told
    yield "Tested on", counted(found.n_patients, "patient")
    yield which, f"{found.n_positive} {positive} of {found.n}"


def _how_sure(results: StudyResults) -> Iterator[Point]:
    headline = {name: interval for name, _, interval in _headline(results)}
    if "AUC" in headline and headline["AUC"].upper - headline["AUC"].lower > WIDE:
        yield OPEN
    yield calibrated(results.evaluation.calibration)
    yield _changing(results)
    yield from _drawn_by_others(results)


def calibrated(found: Calibration) -> Point:
    """Whether the probabilities are right."""
    if found.reason:
        told = "Whether the probabilities are right could not be assessed."
    elif departs := departures(found):
        told = f"The probabilities are {' and '.join(departs)}."
    else:
        limits = interval_text(found.slope.interval.lower, found.slope.interval.upper, 2, " to ")
        told = (
            f"Nothing speaks against the probabilities (calibration slope "
            f"{fixed(found.slope.value, 2)}, {limits})."
        )
    return Point(told, *place("table calibration"))


def _changing(results: StudyResults) -> Point:
    found = changed_calls(results)
    if found is None:
        told = "How far a call depends on who was trained on was not tried."
        return Point(told, "validation", "validation")
    n, of, noun = found
    return Point(
        f"With other training patients {n} of {counted(of, noun)} would be called otherwise (in "
        f"more than {percent(OFTEN)} of the refits).",
        *place("table instability"),
    )


def _drawn_by_others(results: StudyResults) -> Iterator[Point]:
    yield from map(drawn_by, results.evaluation.other_readers)
    if len(results.table.compared) < 2:
        told = "How far the score depends on who draws the region is unknown."
        yield Point(told, "regions", "regions")


def drawn_by(found: OtherReader) -> Point:
    """What changes with the regions of another reader."""
    return Point(
        f'With the regions of "{found.name}" the AUC is {fixed(found.difference.first, 2)} and '
        f"{found.changed} of {counted(len(found.cases), 'call')} "
        f"{'changes' if found.changed == 1 else 'change'}.",
        *place("table other-readers"),
    )


# For whom


def _studied(results: StudyResults) -> Iterator[tuple[str, str]]:
    scores, positive = results.scores, results.model.positive
    n, patients = len(scores), scores["patient"].nunique()
    yield "Analysed", how_many(n, patients)
    yield share_of(positive, int((scores["outcome"] == positive).sum()), n)
    ages = _of_patients(results, "age")
    if ages.size:
        low, middle, high = (fixed(v, 0) for v in (ages.min(), ages.median(), ages.max()))
        yield "Age, median (range)", f"{middle} ({low}–{high})"


def how_many(cases: int, patients: int) -> str:
    """Patients, or cases and their patients where some have several."""
    if cases == patients:
        return counted(patients, "patient")
    return f"{counted(cases, 'case')} of {counted(patients, 'patient')}"


def share_of(positive: str, events: int, cases: int) -> tuple[str, str]:
    """How many cases have the positive outcome."""
    return f"Share of {positive}", f"{percent(events / cases, 0)} ({events} of {cases})"


def _for_whom(results: StudyResults) -> Iterator[Point]:
    if results.simulated:
        yield Point(NO_PATIENT, "population", "population")
    yield Point(" ".join(filter(None, (_left_out(results), _levels(results)))), "population",
                "population")  # fmt: skip
    if sequence := weighting_text(results):
        yield Point(sequence, "regions", "regions")
    yield Point(f"Not tried: {listed(_not_tried(results), 'or')}.")


def _left_out(results: StudyResults) -> str:
    """How many of the manifest are not among the analysed cases."""
    start, eligible, n = results.flow.start.cases, results.flow.end.cases, len(results.scores)
    if start == n:
        return "No case was left out."
    parts = [
        *([f"{start - eligible} excluded by rules"] if start > eligible else []),
        *([f"{eligible - n} not measured"] if eligible > n else []),
    ]
    return f"Of {counted(start, 'case')}: {listed(parts)}."


def _levels(results: StudyResults) -> str:
    """From which vertebra to which; "" where that is not stated."""
    obs = results.table.obs
    known = obs["level"].dropna() if "level" in obs else pd.Series(dtype=object)
    levels = sorted(Level.parse(str(level)) for level in known)
    if not levels:
        return ""
    first, last = str(levels[0]), str(levels[-1])
    return f"All at {first}." if first == last else f"Levels {first} to {last}."


def _not_tried(results: StudyResults) -> list[str]:
    """What the results do not reach, as far as the study tells."""
    obs = results.table.obs
    centres = obs["centre"].dropna().nunique() if "centre" in obs else 0
    measured = {feature.sequence for feature in results.table.features}
    return [
        further_centres(centres),
        *(["other sequences"] if len(measured) == 1 and not results.protocol.tables else []),
        another_share(results.model.positive),
    ]


def further_centres(known: int) -> str:
    """The centres that were not among those known."""
    return {0: "other centres", 1: "a second centre"}.get(known, f"centres beside these {known}")


def another_share(positive: str) -> str:
    """Patients among whom the outcome is rarer, or more frequent."""
    return f"patients of whom another share is {positive}"


def _of_patients(results: StudyResults, column: str) -> pd.Series:
    """Known values, one for each patient."""
    obs = results.table.obs
    if column not in obs:
        return pd.Series(dtype=float)
    return obs.dropna(subset=[column]).drop_duplicates("patient")[column]


def _test(results: StudyResults) -> Evaluation:
    return results.evaluation.by_set["test"]
