"""The external validation in the paper: what was done, what was found, its table and figure."""

from collections.abc import Sequence

import numpy as np

from centrum.evaluate.decision_curve import DecisionCurve
from centrum.evaluate.logistic import Coefficient
from centrum.frozen.external_record import ExternalRecord
from centrum.io.facts import NUMBERS
from centrum.manuscript.answers import (
    StudyFacts,
    area_text,
    elsewhere,
    headline_auc,
    shared_with,
)
from centrum.manuscript.methods import MOST_WORDS, Paragraph, word_count
from centrum.report.blocks import Block, Estimate
from centrum.report.external_beside import (
    auc_gap,
    external_picture,
    external_table,
    gap_text,
    hits_text,
)
from centrum.report.numbering import ref
from centrum.report.readings import GAIN, HARM, Stretch, stretch
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import departures
from centrum.report.size_of_test import rests_on
from centrum.text import (
    agreeing,
    counted,
    fixed,
    interval_text,
    listed,
    number,
    percent,
    placeholder,
    sentences,
)

HEADING = "External validation"

AFTER = "Validation"
"""The heading of the methods that the paragraph stands behind."""


def external_block(results: StudyResults, facts: StudyFacts) -> list[Block]:
    """Table and figure of the results; none where there was no such validation."""
    found = facts.external
    if found is None:
        return []
    return [
        Block(
            HEADING,
            "external-validation",
            tables=(external_table(results, found, headline_auc(results), facts.acquisition),),
            pictures=(external_picture(results, found),),
        )
    ]


def external_text(results: StudyResults, facts: StudyFacts) -> tuple[Paragraph, ...]:
    """Paragraphs of the results; none where there was no such validation."""
    if facts.external is None:
        return ()
    return tuple(Paragraph(HEADING, text) for text in external_results(results, facts.external))


def with_external(
    methods: Sequence[Paragraph], results: StudyResults, facts: StudyFacts
) -> tuple[Paragraph, ...]:
    """The methods with a paragraph on the external validation, where there was one."""
    if facts.external is None:
        return tuple(methods)
    at = 1 + max((k for k, p in enumerate(methods) if p.main and p.heading == AFTER), default=-1)
    own = Paragraph(HEADING, external_methods(results, facts.external))
    return (*methods[:at], own, *methods[at:])


# Methods


def room_beside(results: StudyResults, facts: StudyFacts) -> int:
    """Words that the other methods may have in the paper."""
    if facts.external is None:
        return MOST_WORDS
    return MOST_WORDS - word_count([Paragraph(HEADING, external_methods(results, facts.external))])


def external_methods(results: StudyResults, found: ExternalRecord) -> str:
    """Who was validated on, that nothing was changed, and how the two AUCs were compared."""
    e = found.evaluation
    confidence = percent(e.confidence)
    return sentences(
        f"The final model was frozen and applied, with its cut-off and calibration unchanged, to "
        f"{counted(e.n, 'further case')} of {counted(e.n_patients, 'patient')}"
        f"{_where(results, found)}.",
        _acquired(results, found),
        placeholder("who was eligible for the external set, when and how the patients were found"),
        _measures(results),
        "The external AUC was compared with the internal one by the "
        f"{confidence} confidence interval of their difference, made of their own intervals (Zou "
        "and Donner, Stat Med 2008;27:1693-1702)."
        if comparable(results, found)
        else "",
    )


def _measures(results: StudyResults) -> str:
    """How the external scores were evaluated."""
    if results.protocol.split.single_part:
        return "All measures and their intervals are those of the internal test."
    return (
        "Its measures are those of the internal validation; the interval of its AUC is by DeLong's "
        "variance on the logit scale."
    )


def comparable(results: StudyResults, found: ExternalRecord) -> bool:
    """Whether the external AUC may be held against the study's: of other patients, as real."""
    return (
        found.people.simulated == bool(results.simulated)
        and not shared_with(results, found)
        and bool(np.isfinite(headline_auc(results).value))
    )


def _where(results: StudyResults, found: ExternalRecord) -> str:
    """The centres, as far as both manifests name them."""
    centres = found.people.centre
    each = [f"{name}: {counted(n, 'case')}" for name, n in centres.items()]
    named = f" ({listed(each)})"
    match elsewhere(results, found):
        case True:
            several = "s" if len(centres) > 1 else ""
            return f" of {'other centres' if several else 'another centre'}{named}"
        case False:
            return f" of the study's own centre{'s' if len(centres) > 1 else ''}{named}"
    if not centres:
        return ", whose centre is not recorded"
    return f"{named}, and whether their centres are others than the study's is not recorded"


def _acquired(results: StudyResults, found: ExternalRecord) -> str:
    """Scanner and protocol of the external images, or that the records do not tell."""
    if results.protocol.tables:
        return "Their features were read from tables, as those of the study."
    taken = found.people.acquisition
    scanners = [", ".join(taken.texts[name]) for name in ("manufacturer", "model")
                if name in taken.texts]  # fmt: skip
    fields = taken.numbers.get("field_strength_t")
    if fields is not None:
        ends = dict.fromkeys((fields.lowest, fields.highest))
        scanners.append(f"{' to '.join(map(number, ends))} {NUMBERS['field_strength_t']}")
    table = ref("table external")
    if not scanners:
        known = f"What is known of the acquisition is in {table}." if taken.numbers else ""
        return sentences(known, placeholder("scanner of the external images"))
    return f"The images were acquired with {listed(scanners)} ({table})."


# Results


def external_results(results: StudyResults, found: ExternalRecord) -> tuple[str, ...]:
    """Population, discrimination and decisions; probabilities and their use; what it rests on."""
    outcomes = (results.model.positive, results.model.negative)
    return (
        sentences(_population(results, found), _discrimination(results, found), _decisions(found)),
        sentences(calibration_text(found), benefit_text(found)),
        sentences(
            _simulated(results, found),
            _shared(results, found),
            rests_on(found.evaluation, outcomes, "external"),
        ),
    )


def _population(results: StudyResults, found: ExternalRecord) -> str:
    e, people = found.evaluation, found.people
    age = people.age
    known = [
        f"{e.n_positive} {results.model.positive} and {e.n_negative} {results.model.negative} "
        "cases",
        "" if age is None else f"mean age {fixed(age.mean, 0)} years, range {fixed(age.minimum, 0)}"
        f" to {fixed(age.maximum, 0)}",
        f"sex: {listed([f'{n} {name}' for name, n in people.sex.items()])}" if people.sex else "",
    ]  # fmt: skip
    lost = f"; {counted(found.refused, 'further case')} could not be scored" * bool(found.refused)
    return (
        f"The external set had {counted(e.n, 'case')} of {counted(e.n_patients, 'patient')} "
        f"({'; '.join(filter(None, known))}){lost} ({ref('table external')})."
    )


def _discrimination(results: StudyResults, found: ExternalRecord) -> str:
    """The external AUC beside the internal one, and what their difference tells."""
    where = f"({ref('figure external')})"
    if not comparable(results, found):
        return f"The AUC was {external_area_text(found)} {where}."
    outside, inside = external_auc(found), headline_auc(results)
    gap = auc_gap(outside, inside)
    digits, (told,) = agreeing((outside.value, inside.value))
    way = "lower" if gap.value < 0 else "higher"
    return (
        f"The AUC was {external_area_text(found, digits)} {where}, "
        f"{fixed(abs(told), digits)} {way} than the internal one of "
        f"{area_text(results, digits)}. {gap_text(gap, digits)}"
    )


def external_auc(found: ExternalRecord) -> Estimate:
    """The external AUC."""
    return Estimate.of(found.evaluation.auc.value, found.evaluation.auc.interval)


def external_area_text(found: ExternalRecord, digits: int = 2) -> str:
    """The external AUC with its interval."""
    area = external_auc(found)
    limits = interval_text(area.lower, area.upper, digits)
    return f"{fixed(area.value, digits)} ({percent(found.evaluation.confidence)} CI {limits})"


def _decisions(found: ExternalRecord) -> str:
    """Sensitivity and specificity at the frozen cut-off, with the counts."""
    e, confidence = found.evaluation, percent(found.evaluation.confidence)
    said = []
    for name in ("sensitivity", "specificity"):
        measure = e.measures[name]
        limits = interval_text(measure.interval.lower, measure.interval.upper, 2)
        within = f"{hits_text(e, name)}; {confidence} CI {limits}"
        said.append(f"{name} was {fixed(measure.value, 2)} ({within})")
    return f"At the frozen cut-off {listed(said)}."


def calibration_text(found: ExternalRecord) -> str:
    """Slope and intercepts of the probabilities, what they show, and the Brier score."""
    c, brier = found.calibration, f"The Brier score was {fixed(found.calibration.brier)}."
    if c.reason:
        return f"The calibration slope is not defined: {c.reason}. {brier}"
    judged = departures(c)
    told = (
        f"the probabilities were {listed(judged)}"
        if judged
        else "the intervals hold the ideal values, which does not prove them right"
    )
    confidence = percent(found.evaluation.confidence)
    return (
        f"The calibration slope was {_with_limits(c.slope)}, the intercept "
        f"{_with_limits(c.intercept)} and calibration in the large {_with_limits(c.in_the_large)} "
        f"({confidence} CI): {told}. {brier}"
    )


def _with_limits(found: Coefficient) -> str:
    limits = interval_text(found.interval.lower, found.interval.upper, 2, " to ")
    return f"{fixed(found.value, 2)} ({limits})"


def benefit_text(found: ExternalRecord) -> str:
    """Where acting on the model gained and where it did harm, with the intervals."""
    curve = found.decision_curve
    gain, harm = (stretch(curve, side) for side in (GAIN, HARM))
    n, than = curve.thresholds.size, "than by acting on all cases or on none"
    said = f"Net benefit was at none of {n} threshold probabilities higher {than}"
    if gain is not None:
        said = (
            f"Net benefit was higher {than} at {gain.n} of {n} threshold probabilities "
            f"({_stretch(curve, gain, 'above')})"
        )
    lost = "and lower at none"
    if harm is not None:
        lost = (
            f"and lower, so that the model did harm, at {harm.n} ({_stretch(curve, harm, 'below')})"
        )
    return f"{said}, {lost}. {_at_even(found)}"


MOST_RUNS = 3
"""Rows of thresholds that are named one by one."""


def _stretch(curve: DecisionCurve, found: Stretch, side: str) -> str:
    """Which thresholds, and at how many the interval leaves no doubt of the sign."""
    rows = [f"{fixed(a, 2)} to {fixed(b, 2)}" if a < b else fixed(a, 2) for a, b in found.runs]
    if len(rows) > MOST_RUNS:
        rows = [f"in {len(rows)} rows from {fixed(found.low, 2)} to {fixed(found.high, 2)}"]
    unknown = np.isnan(curve.difference_lower).all()
    sure = "" if unknown else f"; the interval of the gain lay {side} 0 at {found.sure}"
    return f"{listed(rows)}{sure}"


def _at_even(found: ExternalRecord) -> str:
    """The gain where a false positive weighs as much as a true one, at whatever else it is."""
    curve = found.decision_curve
    k = int(np.argmin(np.abs(curve.thresholds - EVEN)))
    gain = 100 * curve.difference[k]
    ends = 100 * curve.difference_lower[k], 100 * curve.difference_upper[k]
    limits = interval_text(*ends, 1, " to ")
    confidence = percent(found.evaluation.confidence)
    way = "gained" if gain > 0 else "lost"
    return (
        f"At {number(EVEN)}, where a false positive weighs as much as a true one, the model "
        f"{way} {fixed(abs(gain), 1)} net true positives per 100 cases "
        f"({confidence} CI of the gain {limits}; {ref('figure external')})."
    )


EVEN = 0.5
"""The threshold probability whose odds are 1."""


def _simulated(results: StudyResults, found: ExternalRecord) -> str:
    """Where one of the two sets is simulated and the other is not."""
    if found.people.simulated == bool(results.simulated):
        return ""
    which = "external" if found.people.simulated else "study's own"
    return f"The {which} cases are simulated and the others are not: the AUCs are not compared."


def _shared(results: StudyResults, found: ExternalRecord) -> str:
    """That cases of the study may be among the external ones."""
    n = shared_with(results, found)
    if not n:
        return ""
    return (
        f"{counted(n, 'external case')} had the very score of a case of the study: where they are "
        "the same examinations, this is no external validation."
    )


def external_summary(results: StudyResults, found: ExternalRecord) -> str:
    """The whole in a sentence, for checklists and cards."""
    e, slope = found.evaluation, fixed(found.calibration.slope.value, 2)
    calibrated = "" if found.calibration.reason else f", calibration slope {slope}"
    return (
        f"The frozen model was applied to {counted(e.n, 'case')} of "
        f"{counted(e.n_patients, 'patient')}, {e.n_positive} {results.model.positive},"
        f"{_where(results, found)}: AUC {external_area_text(found)}{calibrated}."
    )
