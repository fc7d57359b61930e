"""How well the score did on test cases, in numbers."""

from collections.abc import Iterator

import numpy as np

from centrum.arrays import Flags
from centrum.evaluate.decision_curve import TINY, DecisionCurve
from centrum.evaluate.repeated import RepeatedMean
from centrum.manuscript.estimates import coefficient, decisions, estimate
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.validation import means_over_parts
from centrum.report.words.validation import design_label
from centrum.text import counted, fixed, listed, p_equals, percent, sentences
from centrum.validation.over_parts import by_part, fitted

DECISIONS = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "accuracy": "accuracy",
    "ppv": "positive predictive value",
    "npv": "negative predictive value",
}
"""Measures of the decisions that are told, and their names."""

OVER_PARTS = ("Sensitivity", "Specificity", "Accuracy")
"""Means over the parts that are told beside that of the AUC."""


def discrimination(results: StudyResults) -> str:
    """The AUC, of the test cases or over the parts of the design."""
    test = results.evaluation.by_set["test"]
    area = estimate(
        test.auc.value, test.auc.interval, test.confidence,
        f"{p_equals(test.auc.p)} against 0.5", f"{ref('Table performance')}, {ref('Figure roc')}",
    )  # fmt: skip
    whose = patients_tested(results)
    if results.protocol.split.single_part:
        return sentences(
            f"On {counted(test.n, 'test case')} {whose} the AUC was {area}.",
            _trained(results),
        )
    return sentences(
        *_over_parts(results),
        f"Pooled over the parts, the predictions of {counted(test.n, 'case')} {whose} had an AUC "
        f"of {area}.",
        _trained(results),
    )


def patients_tested(results: StudyResults) -> str:
    """Whose the test cases are, and how many of them are positive."""
    test = results.evaluation.by_set["test"]
    return f"of {counted(test.n_patients, 'patient')} ({test.n_positive} {results.model.positive})"


def _trained(results: StudyResults) -> str:
    """The AUC of the cases that the final model was fitted to."""
    honest, apparent = (results.evaluation.by_set[name] for name in ("out_of_fold", "train"))
    return (
        f"On the {counted(apparent.n, 'case')} that the final model was fitted to it was "
        f"{estimate(honest.auc.value, honest.auc.interval, honest.confidence)} out of fold and "
        f"{fixed(apparent.auc.value, 2)} apparent."
    )


def _over_parts(results: StudyResults) -> Iterator[str]:
    """Means over the parts of the design, with the range of the AUC."""
    parts, means = results.validation.parts, means_over_parts(results)
    told = f"{counted(len(parts), 'part')} of the design ({design_label(results.protocol.split)})"
    area = means.get("AUC")
    if area is None:
        yield f"None of the {told} had test cases of both outcomes, and so none had an AUC."
    else:
        values = by_part(fitted(parts))["AUC"]
        of = "" if area.n == len(parts) else f", of which {area.n} had an AUC,"
        yield (
            f"Over the {told}{of} the mean AUC was {_mean(area, results)}, ranging from "
            f"{fixed(min(values), 2)} to {fixed(max(values), 2)} ({ref('Table parts')})."
        )
    others = [f"{name.lower()} {_mean(means[name], results)}" for name in OVER_PARTS
              if name in means]  # fmt: skip
    if others:
        yield f"By the cut-off of each part, means over the parts were: {listed(others)}."


def _mean(found: RepeatedMean, results: StudyResults) -> str:
    return estimate(found.mean, found.interval, results.protocol.evaluation.confidence)


def called(results: StudyResults) -> str:
    """Sensitivity, specificity and the like at the cut-off, with their counts."""
    test = results.evaluation.by_set["test"]
    cutoff = fixed(test.cutoff.value, 2)
    begin = (
        f"At the cut-off, a score of {cutoff},"
        if results.protocol.split.single_part
        else "Of the pooled calls, each by the cut-offs of its parts,"
    )
    told = zip(DECISIONS.values(), decisions(test, [*DECISIONS]), strict=True)
    (first, value), *others = told
    each = [f"{first} was {value}", *(f"{name} {value}" for name, value in others)]
    return f"{begin} {listed(each)}."


def by_patient(results: StudyResults) -> str:
    """Patients instead of cases; "" where each has one."""
    found = results.evaluation.patients
    if found is None:
        return ""
    sensitivity, specificity = decisions(found, ("sensitivity", "specificity"))
    return (
        f"By patient ({found.n_positive} of {found.n} {results.model.positive}) the AUC was "
        f"{estimate(found.auc.value, found.auc.interval, found.confidence)}, sensitivity "
        f"{sensitivity} and specificity {specificity} ({ref('Table patients')})."
    )


def calibration(results: StudyResults) -> str:
    """Whether probabilities were right."""
    found, confidence = results.evaluation.calibration, results.protocol.evaluation.confidence
    errors = (
        f"Brier score {fixed(found.brier, 2)}, ratio of expected to observed "
        f"{results.model.positive} cases {fixed(found.expected_observed, 2)}"
    )
    where = f"({ref('Table calibration')}, {ref('Figure calibration')})"
    if found.reason:
        return f"No calibration slope could be estimated: {found.reason}; {errors} {where}."
    return (
        f"The test probabilities had a calibration slope of {coefficient(found.slope, confidence)} "
        f"and a calibration in the large of {coefficient(found.in_the_large, confidence)}; "
        f"{errors} {where}."
    )


def use(results: StudyResults) -> str:
    """Where deciding by the model had a larger net benefit, and where it did harm."""
    found = results.evaluation.decision_curve
    gain, harm = found.difference > TINY, found.difference < -TINY
    confidence = percent(results.protocol.evaluation.confidence)
    sure = int(np.sum(found.difference_lower[gain] > 0))
    surely = f"; its {confidence} CI lay above 0 at {sure or 'none'} of them" * bool(gain.any())
    return sentences(
        "Deciding by the model had a larger net benefit than calling all cases "
        f"{results.model.positive} and than calling none at {_at(found, gain)}{surely} "
        f"({ref('Figure decision-curve')}).",
        f"It did harm, with a smaller net benefit than one of these, at {_at(found, harm)}"
        f"{_most(found, harm)}."
        if harm.any()
        else "At no threshold did it do harm, with a smaller net benefit than one of these.",
    )


def _at(found: DecisionCurve, there: Flags) -> str:
    """How many thresholds, and between which."""
    n = int(there.sum())
    told = f"{n or 'none'} of {found.thresholds.size} threshold probabilities"
    ends = [fixed(at, 2) for at in found.thresholds[there]]
    if n < 2:
        return f"{told}{', ' * n}{''.join(ends)}"
    return f"{told}, between {ends[0]} and {ends[-1]}"


def _most(found: DecisionCurve, there: Flags) -> str:
    """Where the loss was largest."""
    k = int(np.argmin(np.where(there, found.difference, 0)))
    loss = fixed(-100 * found.difference[k], 1)
    return f", most at {fixed(found.thresholds[k], 2)}: {loss} net true positives per 100 cases"


def sets(results: StudyResults) -> str:
    """How the conformal sets did."""
    found, model = results.evaluation.conformal, results.model
    right = f", of which {percent(found.right, 0)} were right" if found.decided else ""
    return (
        f"The sets of outcomes held the true one of {percent(found.coverage_positive, 0)} of the "
        f"{model.positive} and {percent(found.coverage_negative, 0)} of the {model.negative} test "
        f"cases; {percent(found.decided, 0)} had one outcome in their set{right}, and "
        f"{percent(found.uncertain, 0)} were uncertain."
    )


def readers(results: StudyResults) -> str:
    """Diagnoses of readers beside the calls of the model."""
    confidence = results.protocol.evaluation.confidence
    return sentences(*(
        f'"{r.name}" had a sensitivity of '
        f"{estimate(r.sensitivity, r.sensitivity_interval, confidence)} and a specificity of "
        f"{estimate(r.specificity, r.specificity_interval, confidence)} in {counted(r.n, 'case')} "
        f"({p_equals(r.p_sensitivity)} and {p_equals(r.p_specificity)} against the calls of the "
        f"model; {ref('Table readers')}). At this specificity the sensitivity of the model was "
        f"{estimate(r.model_sensitivity, r.model_interval, confidence)}."
        for r in results.evaluation.readers
    ))  # fmt: skip
