"""The first screen of an external validation: the questions of a study's report, of new cases."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from centrum.evaluate.bootstrap import Interval
from centrum.frozen.external import ExternalValidation
from centrum.frozen.model import FrozenModel
from centrum.modelling.chance import CHANCE
from centrum.report.answers import (
    GOOD,
    MAY_BE_CHANCE,
    NO_PATIENT,
    OPEN,
    SURE,
    WHOM,
    another_share,
    calibrated,
    called_right,
    certainty,
    drawn_by,
    further_centres,
    how_many,
    share_of,
    with_interval,
)
from centrum.report.blocks import Answer, Estimate, Point
from centrum.report.external_beside import auc_gap, gap_text
from centrum.report.numbering import place
from centrum.report.sections.caveats import WIDE
from centrum.text import agreeing, counted, fixed, listed, percent

MOVED = 1.0
"""Training SDs by which a feature that moved is worth a word."""


def external_answers(
    model: FrozenModel, external: ExternalValidation, simulated: str
) -> tuple[Answer, ...]:
    """The three answers."""
    found = external.evaluation
    sure = certainty(found, found.auc.interval, model.positive, "New cases")
    whom = _for_whom(model, external, simulated)
    return (
        Answer(GOOD, tuple(_performance(model, external)), tuple(_how_good(model, external))),
        Answer(SURE, tuple(sure), tuple(_how_sure(external))),
        Answer(WHOM, tuple(_studied(model, external)), tuple(whom)),
    )


# How good


def _performance(model: FrozenModel, external: ExternalValidation) -> Iterator[tuple[str, str]]:
    found, before = external.evaluation, _before(model)
    digits, _ = _together(model, external)
    confidence = f"{percent(found.confidence)} CI"
    area = found.auc
    yield f"AUC here ({confidence})", with_interval(area.value, area.interval, digits)
    own = model.performance
    how = ", pooled" * bool(own["test"].get("pooled"))
    how = ", mean over the parts" if "over_parts" in own else how
    then = with_interval(before.value, Interval(before.lower, before.upper), digits)
    known = not np.isnan(before.value)
    yield f"AUC when it was built{how} ({confidence})", then if known else "unknown"
    for name in ("sensitivity", "specificity"):
        if name in found.measures:
            measure = found.measures[name]
            told = with_interval(measure.value, measure.interval)
            yield f"{name.capitalize()} at the frozen cut-off ({confidence})", told


def _before(model: FrozenModel) -> Estimate:
    """The AUC of the study that built the model, where None is nan."""
    measure: Mapping[str, Any] = (
        model.performance.get("over_parts") or model.performance["test"]["auc"]
    )
    ends = (measure["value"], *(measure["interval"][name] for name in ("lower", "upper")))
    return Estimate(*(float("nan") if end is None else end for end in ends))


def _now(external: ExternalValidation) -> Estimate:
    return Estimate.of(external.evaluation.auc.value, external.evaluation.auc.interval)


def _together(model: FrozenModel, external: ExternalValidation) -> tuple[int, float]:
    """With how many decimals the two AUCs are told, and their difference."""
    before = _before(model).value
    if np.isnan(before):
        return 2, before
    digits, (gap,) = agreeing((external.evaluation.auc.value, before))
    return digits, gap


def _how_good(model: FrozenModel, external: ExternalValidation) -> Iterator[Point]:
    outcomes = (model.positive, model.negative)
    yield called_right(external.evaluation, outcomes, "the frozen cut-off", "new cases")
    yield Point(_change(model, external))
    if external.evaluation.auc.interval.lower <= CHANCE:
        yield Point(MAY_BE_CHANCE)


def _change(model: FrozenModel, external: ExternalValidation) -> str:
    """How the AUC differs from that of the study, as far as two sets of patients can tell."""
    before = _before(model)
    if np.isnan(before.value):
        return "The study that built it gave no test AUC to compare this one with."
    averaged = "over_parts" in model.performance
    than = "the mean over the parts" if averaged else "on the test cases"
    gap, (digits, told) = auc_gap(_now(external), before), _together(model, external)
    way = "lower" if gap.value < 0 else "higher"
    return (
        f"Its AUC is {fixed(abs(told), digits)} {way} than {than} of the study that built it. "
        f"{gap_text(gap, digits)}"
    )


# How sure


def _how_sure(external: ExternalValidation) -> Iterator[Point]:
    interval = external.evaluation.auc.interval
    if interval.upper - interval.lower > WIDE:
        yield OPEN
    yield calibrated(external.calibrated[0].calibration)
    yield from map(drawn_by, external.other_readers)
    if not external.other_readers:
        yield Point("How far the score depends on who draws the region was not tried here.")


# For whom


def _studied(model: FrozenModel, external: ExternalValidation) -> Iterator[tuple[str, str]]:
    found, people = external.evaluation, external.people
    yield "Scored", how_many(found.n, found.n_patients)
    yield share_of(model.positive, found.n_positive, found.n)
    if people.age is not None:
        yield "Age, mean ± SD [range]", people.age.text


def _for_whom(model: FrozenModel, external: ExternalValidation, simulated: str) -> Iterator[Point]:
    if simulated:
        yield Point(NO_PATIENT)
    yield _scored(external)
    yield Point(_moved(external), *place("figure drift"))
    untried = [further_centres(len(external.people.centre)), another_share(model.positive)]
    yield Point(f"Not tried: {listed(untried, 'or')}.")


def _moved(external: ExternalValidation) -> str:
    moved = sum(abs(drift.shift) > MOVED for drift in external.drift)
    if not moved:
        return "The means of all features lie within one SD of those of the training cases."
    features = counted(len(external.drift), "feature")
    return f"{moved} of {features} moved by more than one training SD."


def _scored(external: ExternalValidation) -> Point:
    if not external.refused:
        return Point("No case was refused.", "cases", "cases")
    n = len(external.refused)
    whole = n + len(external.cases)
    return Point(f"{n} of {counted(whole, 'case')} could not be scored.", *place("table refused"))
