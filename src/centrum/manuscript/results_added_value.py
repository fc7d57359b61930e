"""What the score and clinical variables are worth beside each other, in numbers."""

from collections.abc import Sequence

from centrum.evaluate.bootstrap import Interval
from centrum.manuscript.estimates import TO, difference, estimate, limits
from centrum.manuscript.methods_validation import ABLATED
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.added_value import variables_text
from centrum.report.sections.odds_ratios import odds_ratio
from centrum.report.sections.sparse_model import features_of, mean_features
from centrum.report.sections.validation import against_model
from centrum.report.words.results import told_together
from centrum.text import fixed, listed, p_equals, percent, sentences
from centrum.validation.added_value import CLINICAL, COMBINED, SCORE, ModelArea
from centrum.validation.fits import Prediction


def added_value(results: StudyResults) -> str:
    """The clinical model, the score and both; "" without a clinical variable."""
    found, confidence = results.evaluation.added, results.protocol.evaluation.confidence
    if found is None:
        return ""

    digits, gaps = told_together(
        *(found.differences[f"{COMBINED} - {other}"] for other in (CLINICAL, SCORE))
    )
    more, beyond = (difference(gap, confidence, digits) for gap in gaps)

    def area(name: str, *further: str) -> str:
        own: ModelArea = found.areas[name]
        return estimate(own.value, own.interval, confidence, *further, digits=digits)

    names, where = variables_text(found), f"{ref('Table added-value')}, {ref('Figure models')}"
    return sentences(
        f"On the test cases the clinical model ({names}) had an AUC of {area(CLINICAL)}, the score "
        f"{area(SCORE)} and both together {area(COMBINED, where)}.",
        f"Both together differed from the clinical model by {more} and from the score by {beyond}.",
        f"On the training cases the score added to {names} with {p_equals(found.test.p)}.",
    )


def odds_ratios(results: StudyResults) -> str:
    """The odds ratio of the score alone and beside the other variables; "" without any."""
    found = results.evaluation.odds_ratios
    if found is None:
        return ""
    (row,) = (row for row in found.rows if row.variable == SCORE)
    alone, together = (odds_ratio(own.times(row.sd)) for own in (row.alone, row.together))
    confidence = results.protocol.evaluation.confidence
    told = [
        f"{ratio.value_text} ({percent(confidence)} CI {ratio.limits_text}; {p_equals(p.value)})"
        for ratio, p in (alone, together)
    ]
    return (
        "On the training cases the odds ratio of the out-of-fold score, per standard deviation, "
        f"was {told[0]} alone and {told[1]} beside the other variables "
        f"({ref('Table odds-ratios')})."
    )


def sources(results: StudyResults) -> str:
    """What each source of information gives alone; "" where none was tried."""
    found = results.validation.ablation
    told = [
        f"{ABLATED.get(name) or _sequence(name)} gave an AUC of {_against(results, records)}"
        for name, records in found.items()
        if _comparable(results, records)
    ]
    return f"By the same design ({ref('Table sources')}) {listed(told)}." if told else ""


def _sequence(name: str) -> str:
    return f'the sequence "{name}" alone'


def _comparable(results: StudyResults, records: Sequence[Prediction]) -> bool:
    """Whether any part has an AUC of both."""
    pairs = zip(records, results.validation.parts, strict=False)
    return any(None not in (one["auc"], other["auc"]) for one, other in pairs)


def _against(results: StudyResults, records: Sequence[Prediction], *further: str) -> str:
    """The AUC of a variant, and its difference to that of the model."""
    area, gap, p = against_model(results, records)
    told = limits(Interval(gap.lower, gap.upper), results.protocol.evaluation.confidence, TO)
    each = (f"difference to the model {fixed(gap.value, 2)}", told, p_equals(p), *further)
    return f"{fixed(area.value, 2)} ({'; '.join(each)})"


def sparse(results: StudyResults) -> str:
    """The sparse model beside the model; "" where it was not fitted."""
    few, own = results.validation.sparse, results.validation.parts
    if not few or not _comparable(results, few):
        return ""
    several = ", on average over the parts" * (len(own) > 1)
    return (
        f"The sparse model read {features_of(few)}, the model {mean_features(own)}"
        f"{several}; its AUC on the same test cases was "
        f"{_against(results, few, ref('Table sparse'))}."
    )
