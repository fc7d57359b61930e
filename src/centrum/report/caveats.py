"""What could mislead whoever reads the numbers: computed from the same results."""

from collections.abc import Iterator

import numpy as np

from centrum.errors import DataError
from centrum.limits import OUTSIDE_THE_REGION, RESEARCH_ONLY
from centrum.report.blocks import Block, Point
from centrum.report.labels import counted, fixed, p_text
from centrum.report.validation import sizes_needed
from centrum.results import StudyResults

WIDE = 0.2
"""An interval of the AUC wider than this leaves open whether a model is good or poor."""

DROP = 0.05
"""A fall of the AUC from the fitted to the out-of-fold cases that is worth a word."""

FEW_EVENTS = 10.0
"""Cases of the rarer outcome per feature of the model that are usually asked for."""


def caveats(results: StudyResults) -> Block:
    """The section, one sentence for each thing."""
    found = (
        _sample_size(results),
        _events(results),
        _optimism(results),
        _interval(results),
        _calibration(results),
        _cutoff(results),
        _leaks(results),
        _permutation(results),
        *_scope(results),
    )
    points = tuple(point for point in found if point is not None)
    return Block(
        "What could mislead",
        "caveats",
        prose=("Read the numbers of this report with the following in mind.",),
        warnings=(OUTSIDE_THE_REGION, RESEARCH_ONLY),
        points=points,
    )


def _rarer(results: StudyResults) -> int:
    """Cases of the rarer outcome among those that the model was fitted on."""
    train = results.scores[results.scores["part"] == "train"]
    positive = int((train["outcome"] == results.model.positive).sum())
    return min(positive, len(train) - positive)


def _sample_size(results: StudyResults) -> Point:
    n, k = len(results.scores), len(results.model.features)
    try:
        needed = sizes_needed(results)
    except DataError as error:
        told = f"Whether {n} cases are enough cannot be worked out: {error}"
        return Point(told, "validation", "sample size")
    enough = "enough" if n >= needed.model.n else "not enough"
    return Point(
        f"{n} cases are {enough} for a model of {counted(k, 'feature')} by Riley's criteria, which "
        f"ask for {needed.model.n}, and for {needed.candidates.n} if every candidate feature "
        "counts.",
        "validation",
        "sample size",
    )


def _events(results: StudyResults) -> Point:
    events, k = _rarer(results), max(len(results.model.features), 1)
    p = len(results.table.features)
    few = "few" if events / k < FEW_EVENTS else "many enough by the usual rule of 10"
    return Point(
        f"The model was fitted to {events} cases of the rarer outcome: {fixed(events / k, 1)} per "
        f"selected and {fixed(events / p, 2)} per candidate feature, which is {few}.",
        "selection",
        "selection of features",
    )


def _optimism(results: StudyResults) -> Point:
    found = results.evaluations
    apparent, honest, test = (found[name].auc.value for name in ("train", "out_of_fold", "test"))
    drop = apparent - honest
    told = (
        f"by {fixed(drop, 2)} optimistic"
        if drop > DROP
        else "hardly more than what holds out of it"
    )
    return Point(
        f"On the cases that it was fitted to the AUC is {fixed(apparent, 2)}, out of fold "
        f"{fixed(honest, 2)}, on test cases {fixed(test, 2)}: the first is {told}.",
        "performance",
        "performance",
    )


def _interval(results: StudyResults) -> Point:
    test = results.evaluations["test"]
    limits = test.auc.percentile
    width = limits.upper - limits.lower
    told = (
        "wide: it leaves open how good the model is" if width > WIDE else f"{fixed(width, 2)} wide"
    )
    return Point(
        f"The test AUC rests on {counted(test.n_patients, 'patient')}; its "
        f"{100 * test.confidence:g} % interval from {fixed(limits.lower, 2)} to "
        f"{fixed(limits.upper, 2)} is {told}.",
        "performance",
        "performance",
    )


def _calibration(results: StudyResults) -> Point:
    slope = results.judgement.calibration.slope
    if not np.isfinite(slope.value):
        reason = results.judgement.calibration.reason
        return Point(f"Calibration could not be judged: {reason}.", "calibration", "calibration")
    limits = slope.interval
    if limits.lower <= 1 <= limits.upper:
        told = "which does not speak against them, and cannot show that they are right"
    else:
        told = "so that they are " + ("too extreme" if slope.value < 1 else "not extreme enough")
    return Point(
        f"The probabilities have a calibration slope of {fixed(slope.value, 2)} "
        f"({fixed(limits.lower, 2)} to {fixed(limits.upper, 2)}) on test cases, {told}.",
        "calibration",
        "calibration",
    )


def _cutoff(results: StudyResults) -> Point:
    learnt, test = results.evaluations["out_of_fold"], results.evaluations["test"]
    pairs = [
        f"{name} {fixed(learnt.measures[name].value, 2)} there and "
        f"{fixed(test.measures[name].value, 2)} on test cases"
        for name in ("sensitivity", "specificity")
    ]
    return Point(
        f"The cut-off was learnt on {learnt.n} cases; {', '.join(pairs)}: how far these differ is "
        "how far a cut-off from so few cases can be trusted.",
        "performance",
        "performance",
    )


def _leaks(results: StudyResults) -> Point:
    sides = results.assessment.rows["parts"]
    crossing = sum(side["patients"] for side in sides)
    touched = sum(
        tested
        for record in results.assessment.parts
        for _, tested in record.get("seen", {}).values()
    )
    if crossing or touched:
        told = "Test patients took part in the fit: no number of this report can be trusted."
    else:
        told = "No patient is on both sides of a split, and no fitted step saw a test patient."
    return Point(told, "leaks", "leak audit")


def _permutation(results: StudyResults) -> Point | None:
    found = results.assessment.permutation
    if found is None or not found.values:
        return None
    n = len(found.values)
    told = (
        f"The whole procedure does as well by chance with P = {p_text(found.p)} ("
        f"{counted(n, 'permutation')} of the outcomes, which cannot show a P below "
        f"{p_text(1 / (n + 1))})."
    )
    return Point(told.replace("= <", "< "), "leaks", "leak audit")


def _scope(results: StudyResults) -> Iterator[Point]:
    obs = results.table.obs
    centres = obs["centre"].dropna().nunique() if "centre" in obs else 0
    if centres <= 1:
        said = "come from one centre" if centres else "come from centres that are not stated"
        yield Point(
            f"All cases {said}: how the model does elsewhere is not known before it was validated "
            "there."
        )
    if len(results.table.readers) == 1:
        yield Point(
            "One reader drew all regions: how far the score depends on who draws is not known."
        )
    if len(results.protocol.images.sequences) < 2:
        yield Point("One image sequence was measured: what others would add is not known.")
