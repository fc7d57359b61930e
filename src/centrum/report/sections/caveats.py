"""What could mislead whoever reads the numbers: computed from the same results."""

from collections.abc import Iterator

import numpy as np

from centrum.agreement.copies import copies_in
from centrum.cohort.findings import listed
from centrum.errors import DataError
from centrum.evaluate import Confusion, Evaluation, Scored
from centrum.evaluate.calibration import Calibration
from centrum.evaluate.logistic import Coefficient
from centrum.protocol.limits import RESEARCH_ONLY, outside_the_region, signs_outside
from centrum.report.blocks import Block, Point
from centrum.report.confounders import bound_to_outcome, differing, differing_text
from centrum.report.numbering import place
from centrum.report.other_readers import found_text
from centrum.report.readers import proposed_text, read_by_all, trained_over
from centrum.report.results import StudyResults
from centrum.report.sections.added_value import added_text
from centrum.report.sections.instability import instability_text
from centrum.report.sections.leak_audit import (
    Crossings,
    as_good_text,
    crossings,
    suspicious,
    too_few,
)
from centrum.report.sections.plan import AFTER
from centrum.report.sections.section import section
from centrum.report.sections.validation import sizes_needed
from centrum.report.sequences import verification
from centrum.report.words.images import scheme_text
from centrum.study.findings import SAME_IMAGE, MeasuredSequence
from centrum.study.plan import leading
from centrum.text import (
    counted,
    fixed,
    interval_text,
    listed as listed_words,
    p_text,
    percent,
    sentence_case,
    width_text,
)

TOO_GOOD_AUC, TOO_GOOD_CASES = 0.97, 150
"""A test AUC above this on fewer cases than this is rarer than a leak."""

FEW_PATIENTS = 10
"""Resampling fewer patients than this gives no interval to rely on."""

WIDE = 0.1
"""An interval of the AUC wider than this leaves open whether a model is good or poor."""

DROP = 0.05
"""A fall of the AUC from the fitted to the out-of-fold cases that is worth a word."""

FEW_EVENTS = 10.0
"""Cases of the rarer outcome per feature of the model that are usually asked for."""


@section
def caveats(results: StudyResults) -> Block:
    """The section, one sentence for each thing; what speaks against the numbers comes first."""
    return Block(
        "What could mislead",
        "caveats",
        prose=("Read the numbers in this report with the following in mind.",),
        points=(*all_caveats(results), Point(RESEARCH_ONLY)),
    )


def all_caveats(results: StudyResults) -> tuple[Point, ...]:
    """What speaks against the numbers first, then how far they reach, then who is behind them."""
    return (*cautions(results), *_limits(results), *_scope(results))


# What must not be overlooked


def cautions(results: StudyResults) -> tuple[Point, ...]:
    """What speaks against the numbers themselves; empty when nothing does."""
    return (
        *_leaks_found(results),
        *_doubts(results.evaluation.by_set["test"]),
        *_planned_late(results),
        *_one_exam(results),
        *_bound(results),
        *(_grave(text, text, "regions", "regions") for text in [proposed_text(results)] if text),
        *(
            _grave(text, text, "regions", "regions")
            for text in [pair.text() for pair in copies_in(results.overlap)]
        ),
    )


def _planned_late(results: StudyResults) -> Iterator[Point]:
    if results.plans and leading(results.plans).after_outcomes:
        yield _grave(
            AFTER,
            "The plan of the analysis was written after the outcomes had been analysed.",
            "plan", "plan",
        )  # fmt: skip


def _one_exam(results: StudyResults) -> Iterator[Point]:
    """Patients with one image, told by its voxels."""
    found = [f for f in results.findings if (f.code, f.severity) == (SAME_IMAGE, "warning")]
    if cases := list(dict.fromkeys(f.case for f in found)):
        yield _grave(
            f"{counted(len(cases), 'case')} ({listed(cases)}) have an image that is, voxel for "
            "voxel, also that of another patient: one patient may stand on both sides of a split.",
            f"{counted(len(cases), 'case')} had an image that was, voxel for voxel, also that of "
            "another patient, so that one patient may have stood on both sides of a split.",
            "regions", "regions",
        )  # fmt: skip


def _bound(results: StudyResults) -> Iterator[Point]:
    """What is known of patients or images and tells the outcome by itself."""
    for name in bound_to_outcome(results):
        yield _grave(
            f"Each value of {name} occurs with one outcome alone: what the score tells apart may "
            f"be {name}.",
            f"Each value of {name} occurred with one outcome alone, and the score may have told "
            "these apart instead.",
            *place("table population"),
        )  # fmt: skip


def _leaks_found(results: StudyResults) -> Iterator[Point]:
    found, permutation = crossings(results), results.validation.permutation
    if found.fatal:
        yield _grave(
            "Test patients took part in the fit: no number in this report can be trusted.",
            "Test patients took part in the fit, so that no result can be relied on.",
            "leaks", "leak audit",
        )  # fmt: skip
    if found.alike:
        yield _grave(
            f"{counted(found.alike, 'pair')} of rows, one on each side, are equal or nearly so, as "
            "if the same examination had two names.",
            f"{counted(found.alike, 'pair')} of rows, one on each side of a split, were equal or "
            "nearly so and may be of one examination.",
            *place("table sides"),
        )  # fmt: skip
    if permutation is not None and permutation.telling:
        mean = float(np.mean(permutation.values))
        if suspicious(permutation.values):
            yield _grave(
                f"On permuted outcomes, which nothing can learn, the mean AUC is {fixed(mean, 2)} "
                "and by more than two standard errors away from 0.5: there may be a leak.",
                f"On permuted outcomes the mean AUC was {fixed(mean, 2)}, more than two standard "
                "errors away from 0.5, which points to a leak.",
                *place("figure leak-audit"),
            )  # fmt: skip


def _doubts(test: Evaluation) -> Iterator[Point]:
    if test.optimistic:
        yield _grave(
            "Sensitivity and specificity are optimistic: the cut-off was learnt on the scores that "
            "it is evaluated on here.",
            "The cut-off was learnt on the scores that it was evaluated on, so that sensitivity "
            "and specificity are optimistic.",
            *place("table performance"),
        )  # fmt: skip
    if test.n_patients < FEW_PATIENTS:
        yield _grave(
            f"With only {counted(test.n_patients, 'patient')} in the test set the intervals, which "
            "come from resampling patients, are too narrow.",
            f"With {counted(test.n_patients, 'patient')} in the test set the intervals are too "
            "narrow.",
            *place("table performance"),
        )  # fmt: skip
    if test.auc.value > TOO_GOOD_AUC and test.n < TOO_GOOD_CASES:
        yield _grave(
            f"An AUC of {fixed(test.auc.value)} on {test.n} test cases is better than that of the "
            "published studies with external validation (0.76 to 0.88): look for a leak before "
            "believing it, such as the same patient on both sides or an acquisition that tells the "
            "outcome.",
            f"An AUC of {fixed(test.auc.value)} on {test.n} test cases is so high that something "
            "other than the disease, such as the acquisition, may have told the outcome.",
            "leaks", "leak audit",
        )  # fmt: skip


def _grave(text: str, limitation: str, anchor: str, where: str) -> Point:
    return Point(text, anchor, where, grave=True, brief=text, limitation=limitation)


# How far the numbers reach


def _limits(results: StudyResults) -> tuple[Point, ...]:
    found = (
        _sample_size(results),
        _events(results),
        _interval(results.evaluation.by_set["test"]),
        _optimism(results),
        _cutoff(results),
        _calibration(results),
        _leaks(crossings(results)),
        _permutation(results),
        _confounding(results),
        _instability(results),
    )
    return tuple(point for point in found if point is not None)


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
        told = f"Whether {n} cases are enough cannot be determined: {error}"
        return Point(told, *place("table sample-size"))
    few = n < needed.model.n
    enough = "not enough" if few else "enough"
    return Point(
        f"{n} cases are {enough} for a model of {counted(k, 'feature')} by Riley's criteria, which "
        f"ask for {needed.model.n}, and for {needed.candidates.n} if each of the "
        f"{counted(len(results.table.features), 'candidate')} counts.",
        *place("table sample-size"),
        brief=f"{n} cases are too few: Riley's criteria ask for {needed.model.n}." * few,
        limitation=f"The study had {n} cases, fewer than the {needed.model.n} that the criteria of "
        f"Riley et al. ask for with {counted(k, 'feature')}." * few,
    )


def _events(results: StudyResults) -> Point:
    events, k = _rarer(results), max(len(results.model.features), 1)
    p = len(results.table.features)
    few = events / k < FEW_EVENTS
    judged = "fewer than the usual rule of 10" if few else "10 or more, as is usual"
    return Point(
        f"The model was fitted to {counted(events, 'case')} of the rarer outcome: "
        f"{fixed(events / p, 2)} per candidate feature and {fixed(events / k, 1)} per feature of "
        f"the model, which is {judged}.",
        *place("table selection"),
        brief=f"{counted(events, 'case')} of the rarer outcome trained a model of "
        f"{counted(k, 'feature')}: {fixed(events / k, 1)} each, where 10 are usual." * few,
        limitation=f"Per feature of the model there were {fixed(events / k, 1)} training cases of "
        "the rarer outcome." * few,
    )


def _interval(test: Evaluation) -> Point:
    found = test.auc.interval
    width = found.upper - found.lower
    if test.auc.value in (0, 1) or width == 0:
        return _without_variance(test)
    wide, wide_text = width > WIDE, width_text(found.lower, found.upper)
    told = ", which leaves open how good the model is" if wide else ""
    return Point(
        f"The test AUC rests on {counted(test.n_patients, 'patient')}; its "
        f"{percent(test.confidence)} interval from {fixed(found.lower, 2)} to "
        f"{fixed(found.upper, 2)} is {wide_text} wide{told}.",
        *place("table performance"),
        limitation=f"With {counted(test.n_patients, 'test patient')} the "
        f"{percent(test.confidence)} CI of the AUC was {wide_text} wide."
        if wide
        else "",
    )


def _without_variance(test: Evaluation) -> Point:
    """Scores that part all cases, or none: no resample differs."""
    found, n = test.auc.interval, min(test.n_positive, test.n_negative)
    limits = "no interval can be given"
    if found.lower < found.upper:
        limits = (
            "its interval is one-sided: with "
            f"{counted(n, 'case')} of the rarer outcome it reaches from {fixed(found.lower, 2)} to "
            f"{fixed(found.upper, 2)}"
        )
    return Point(
        f"The test AUC is {fixed(test.auc.value, 2)} in every resample of "
        f"{counted(test.n_patients, 'patient')}, which is no precision; {limits}.",
        *place("table performance"),
        limitation="That the scores parted all test cases says nothing of the precision of the AUC."
        if test.auc.value in (0, 1)
        else "The interval of the AUC has no width, which says nothing of its precision.",
    )


def _optimism(results: StudyResults) -> Point:
    found = results.evaluation.by_set
    apparent, honest, test = (found[name].auc.value for name in ("train", "out_of_fold", "test"))
    drop = apparent - honest
    told = (
        f"too good by {fixed(drop, 2)}" if drop > DROP else "hardly more than what holds out of it"
    )
    return Point(
        f"On the cases that it was fitted to the AUC is {fixed(apparent, 2)}, out of fold "
        f"{fixed(honest, 2)}, on test cases {fixed(test, 2)}: the first is {told}.",
        *place("figure roc"),
        brief=f"On the cases that it was fitted to the AUC is too good by {fixed(drop, 2)}."
        * (drop > DROP),
    )


def _cutoff(results: StudyResults) -> Point:
    learnt, test = results.evaluation.by_set["out_of_fold"], results.evaluation.by_set["test"]
    pairs = " and ".join(
        f"{name} {fixed(learnt.measures[name].value, 2)} there and "
        f"{fixed(test.measures[name].value, 2)} on test cases"
        for name in ("sensitivity", "specificity")
    )
    return Point(
        f"The cut-off was learnt on {counted(learnt.n, 'case')}, with {pairs}"
        f"{_plateau_text(results)}.",
        *place("table performance"),
    )


def _plateau_text(results: StudyResults) -> str:
    """Cut-offs that are as good but for one case, and what they would do to the test cases."""
    learnt = results.evaluation.by_set["out_of_fold"]
    if (
        results.protocol.evaluation.cutoff.rule != "youden"
        or not results.protocol.split.single_part
    ):
        return ""
    low, high = plateau(learnt)
    test = results.scores[results.scores["part"] == "test"]
    scored = Scored.of(test["score"], test["outcome"] == results.model.positive, None)
    ends = [Confusion.of(scored, cutoff).measures() for cutoff in (low, high)]
    moved = " and ".join(
        f"{name} {_changed(*(fixed(end[name], 2) for end in ends))}"
        for name in ("sensitivity", "specificity")
    )
    return (
        f"; over cut-offs from {fixed(low, 2)} to {fixed(high, 2)}, as good there but for one "
        f"case, {moved} on test cases"
    )


def _changed(first: str, last: str) -> str:
    """What became of a number.

    >>> _changed("0.67", "0.67"), _changed("0.93", "0.87")
    ('stays 0.67', 'goes from 0.93 to 0.87')
    """
    return f"stays {first}" if first == last else f"goes from {first} to {last}"


def plateau(learnt: Evaluation) -> tuple[float, float]:
    """Lowest and highest cut-off whose Youden index is the best but for one case."""
    curve = learnt.roc
    index = curve.sensitivity + curve.specificity
    slack = 1 / min(learnt.n_positive, learnt.n_negative)
    good = curve.thresholds[(index >= index.max() - slack - 1e-12) & np.isfinite(curve.thresholds)]
    if not good.size:
        return learnt.cutoff.value, learnt.cutoff.value
    return float(good.min()), float(good.max())


def _calibration(results: StudyResults) -> Point:
    found = results.evaluation.calibration
    if found.reason:
        told = f"Calibration could not be assessed: {found.reason}."
        return Point(told, *place("table calibration"))
    slope, level, departs = found.slope, found.in_the_large, departures(found)
    told = (
        f"so that they are {' and '.join(departs)}"
        if departs
        else "which does not speak against them, and cannot show that they are right"
    )
    return Point(
        f"The probabilities have a calibration slope of {_with_limits(slope)} and an intercept in "
        f"the large of {_with_limits(level)} on test cases, {told}.",
        *place("table calibration"),
        limitation=f"The predicted probabilities were {' and '.join(departs)}." if departs else "",
    )


def departures(found: Calibration) -> list[str]:
    """How probabilities are wrong by more than chance, such as "too extreme"."""
    slope, level = found.slope, found.in_the_large
    return [
        *([f"too {'extreme' if slope.value < 1 else 'moderate'}"] if _departs(slope, 1) else []),
        *([f"too {'low' if level.value > 0 else 'high'}"] if _departs(level, 0) else []),
    ]


def _departs(found: Coefficient, ideal: float) -> bool:
    return not found.interval.lower <= ideal <= found.interval.upper


def _with_limits(found: Coefficient) -> str:
    said = interval_text(found.interval.lower, found.interval.upper, 2, " to ")
    return f"{fixed(found.value, 2)} ({said})"


def _leaks(found: Crossings) -> Point | None:
    if found.fatal or found.alike:
        return None
    return Point(
        "The leak audit found no patient on both sides of a split, no test patient in any fitted "
        "step and no equal rows; it cannot detect what the images themselves reveal of the "
        "outcome, such as a different scanner.",
        "leaks",
        "leak audit",
    )


def _permutation(results: StudyResults) -> Point | None:
    found = results.validation.permutation
    if found is None or not found.values:
        return None
    if not found.telling:
        why = "A permutation test could tell nothing of the procedure."
        return Point(too_few(found), "leaks", "leak audit", limitation=why)
    n = len(found.values)
    told = (
        f"Permutation test of the procedure: {as_good_text(found)}; "
        f"{counted(n, 'permutation')} cannot show a P below {p_text(1 / (n + 1))}."
    )
    return Point(told, *place("figure leak-audit"))


def _instability(results: StudyResults) -> Point:
    """How far the prediction of a patient depends on who was trained on."""
    if told := instability_text(results):
        return Point(told, *place("table instability"))
    return Point(
        "How far the probability of a patient depends on who was trained on is not known: "
        "evaluation.optimism_resamples repeats the procedure on other samples of the patients.",
        "validation", "validation",
        limitation="How far the prediction for a patient depends on who was trained on was not "
        "assessed.",
    )  # fmt: skip


def _confounding(results: StudyResults) -> Point | None:
    """What differs between the outcomes, and what the score adds to age, sex and the like."""
    differs, added = differing_text(results), results.evaluation.added
    beside = "" if added is None else f" {added_text(added)}"
    if differs:
        text = f"{sentence_case(differs)}: the score may owe part of what it does to that."
        where = place("table population" if added is None else "table added-value")
        return Point(f"{text}{beside}", *where, brief=text, limitation=_owed(results))
    return Point(beside.strip(), *place("table added-value")) if beside else None


def _owed(results: StudyResults) -> str:
    """What the score may owe its performance to."""
    names = listed_words([name.replace("_", " ") for name in differing(results)])
    return f"The outcomes differed in {names}, to which the score may owe part of its performance."


def _unplanned(results: StudyResults) -> Iterator[Point]:
    if not results.plans:
        yield Point(
            "No analysis plan lies in the study's folder: nothing here shows which choices were "
            "made before the outcomes were known.",
            "protocol",
            "protocol",
            brief="No analysis plan shows which choices came before the outcomes.",
        )


# The patients and images behind the numbers


def _scope(results: StudyResults) -> Iterator[Point]:
    if results.simulated:
        yield Point(
            f"All {len(results.scores)} cases are simulated: the numbers show that the software "
            "works and say nothing about patients.",
            "population",
            "population",
            limitation="The patients were simulated: the results show that the software works and "
            "say nothing about patients.",
        )
    yield from _unplanned(results)
    outside = outside_the_region(results.protocol.images.region, results.regions)
    brief = "What lies outside the region is not in the score, whatever readers see there."
    yield Point(outside, "regions", "regions", brief=brief, limitation=_unseen(results))
    if scheme := results.protocol.images.scheme:
        yield Point(scheme_text(scheme), "regions", "regions")
    yield _centres(results)
    if len(results.table.compared) < 2:
        yield Point(
            "One set of regions was measured: how far the score depends on who draws is unknown.",
            "regions", "regions",
            brief="One set of regions was measured; another reader draws others.",
            limitation="One set of regions was measured, so that it is not known how far the score "
            "depends on who draws.",
        )  # fmt: skip
    yield from (
        Point(found_text(found), *place("table other-readers"))
        for found in results.evaluation.other_readers
    )
    if len(results.table.readers) > 1 and read_by_all(results) < len(results.table.cases):
        yield Point(
            f"Which features agree between readers, the model judged on {trained_over(results)}: "
            "for the others it is not known.",
            "regions", "regions",
            limitation="Agreement between the readers is known of a part of the cases only.",
        )  # fmt: skip
    sequences = {feature.sequence for feature in results.table.features}
    if len(sequences) == 1 and not results.protocol.tables:
        yield Point(
            "One image sequence was measured: what others would add is unknown.",
            "protocol", "protocol",
            limitation="One image sequence was measured.",
        )  # fmt: skip
    for sequence in results.sequences:
        if sequence.claimed and sequence.unverified:
            yield Point(
                f"Whether the images{_which(sequence)} are {sequence.claimed}: "
                f"{verification(sequence)}.",
                "summary", "summary",
                limitation=f"That the images{_which(sequence)} were {sequence.claimed} was not "
                f"verified in {sequence.unverified} of {counted(sequence.cases, 'case')}.",
            )  # fmt: skip
    if results.failures:
        n = len(results.failures)
        yield Point(
            f"{counted(n, 'eligible case')} of {results.flow.end.cases} could not be measured and "
            f"{'is' if n == 1 else 'are'} missing from all results.",
            *place("table failures"),
            brief=f"{counted(n, 'eligible case')} could not be measured.",
        )  # fmt: skip


def _which(sequence: MeasuredSequence) -> str:
    return f' of "{sequence.name}"' if sequence.name else ""


def _centres(results: StudyResults) -> Point:
    n = _n_centres(results)
    unknown = "how the model performs elsewhere is unknown until it has been validated there"
    told = f"All cases come from {'one centre' if n else 'centres that are not stated'}: {unknown}."
    brief = f"{'One centre' if n else 'Centres that are not stated'}: elsewhere it was not tried."
    limitation = (
        "The study's own cases were of one centre."
        if n
        else "The centres of the cases were not told."
    )
    if tested_apart(results):
        told = (
            f"The cases come from {n} centres; test cases are from other centres than training "
            "cases."
        )
        brief = limitation = ""
    elif n > 1:
        brief = f"{n} centres, some on both sides: elsewhere it was not tried."
        told = f"The cases come from {n} centres, of which some are on both sides: {unknown}."
        limitation = f"The cases were of {n} centres, of which some were on both sides of a split."
    return Point(told, *place("table population"), brief=brief, limitation=limitation)


def _n_centres(results: StudyResults) -> int:
    obs = results.table.obs
    return int(obs["centre"].dropna().nunique()) if "centre" in obs else 0


def tested_apart(results: StudyResults) -> bool:
    """Whether no part of the design has cases of one centre on both sides."""
    sides = results.validation.rows["parts"]
    apart = bool(sides) and not any(side["centres"] for side in sides)
    return apart and _n_centres(results) > 1


def _unseen(results: StudyResults) -> str:
    """Signs that the score does not see; of tables nobody knows what was drawn."""
    signs = signs_outside(results.protocol.images.region, results.regions)
    if results.protocol.tables or not signs:
        return ""
    return (
        f"Signs of malignancy outside the region of interest ({listed_words(signs, 'or')}) did not "
        "enter the score."
    )
