"""The abstract and the key points, with their numbers; what only the authors know stays open."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from centrum.frozen.external_record import ExternalRecord
from centrum.manuscript.estimates import by_outcome, decisions, difference, estimate, tally
from centrum.manuscript.methods import Paragraph
from centrum.manuscript.results import Text
from centrum.manuscript.results_performance import patients_tested
from centrum.modelling.designs import FOLD_REPEATS, SPLITS
from centrum.modelling.settings import Split
from centrum.report.flow import stations
from centrum.report.results import StudyResults
from centrum.report.sections.added_value import variables_text
from centrum.report.sections.validation import means_over_parts
from centrum.report.words.agreement import rule_label
from centrum.report.words.model import classifier_label
from centrum.report.words.word import complete
from centrum.text import counted, fixed, listed, percent, placeholder, sentences
from centrum.validation.added_value import CLINICAL, COMBINED

RESULTS = "Results"
"""The part of the abstract that has the numbers."""

MOST_WORDS = 250
"""Words that a journal allows for the four parts of an abstract."""


def _times(settings: Split, usual: int) -> str:
    return counted(settings.repeats or usual, "time")


TESTED: Mapping[str, Callable[[Split], str]] = complete(
    __name__,
    ("split.design",),
    {
        "single": lambda split: "on patients held out by one stratified split",
        "repeated_split": lambda split: (
            f"by a stratified split of the patients, repeated {_times(split, SPLITS)}"
        ),
        "repeated_k_fold": lambda split: (
            f"by nested {split.folds}-fold cross-validation, repeated {_times(split, FOLD_REPEATS)}"
        ),
        "nested_cv": lambda split: (
            f"by nested cross-validation with {split.folds} outer folds, repeated "
            f"{_times(split, FOLD_REPEATS)}"
        ),
        "leave_one_centre_out": lambda split: f"with each {_column(split)} left out in turn",
        "temporal": lambda split: "on the latest patients",
        "external": lambda split: f"on cases of another {_column(split)}",
    },
)
"""How the model was tested."""


def _column(split: Split) -> str:
    return split.column.replace("_", " ")


def _images(results: StudyResults) -> str:
    """What was measured, as far as it was claimed."""
    claimed = [sequence.claimed for sequence in results.sequences if sequence.claimed]
    claimed = claimed or [w for w in [results.protocol.images.weighting] if w]
    if results.protocol.tables or not claimed:
        return ""
    return f" on {listed([*dict.fromkeys(claimed)])} MRI"


def objectives(results: StudyResults) -> str:
    """What the model was for."""
    outcome = results.protocol.outcome
    return (
        f"To develop and test a radiomics model that tells {outcome.positive} from "
        f"{outcome.negative} vertebral fractures{_images(results)}."
    )


def methods(results: StudyResults) -> str:
    """Who, with what features, by what model, tested how."""
    analysed, n = stations(results)["analysed"], len(results.table.features)
    kind = "simulated" if results.simulated else ""
    measured = "read from tables" if results.protocol.tables else "measured"
    return sentences(
        placeholder("design, setting and period"),
        f"{tally(analysed, kind)} ({by_outcome(analysed)}) were analysed.",
        f"{counted(n, 'radiomics feature')} per case {'was' if n == 1 else 'were'} {measured}"
        f"{_reproducible(results)}.",
        f"The model ({classifier_label(results.model.classifier)}) was tested "
        f"{TESTED[results.protocol.split.design](results.protocol.split)}, with every step "
        "refitted on training patients alone.",
        f"The area under the ROC curve (AUC), sensitivity and specificity were estimated with "
        f"{percent(results.protocol.evaluation.confidence)} confidence intervals (CI).",
    )


def _reproducible(results: StudyResults) -> str:
    n = len(results.table.compared)
    if n < 2:
        return ""
    rule = rule_label(results.protocol.model.agreement)
    return f"; those with {rule} between {counted(n, 'reader')} were candidates"


def findings(results: StudyResults) -> str:
    """The numbers that matter most."""
    return sentences(
        f"The model read {counted(len(results.model.features), 'feature')}.",
        headline(results), _calibration(results), _added(results), _other_readers(results),
    )  # fmt: skip


def headline(results: StudyResults) -> str:
    """AUC, sensitivity and specificity: of the test side, or their means over the parts."""
    test = results.evaluation.by_set["test"]
    if results.protocol.split.single_part:
        sensitivity, specificity = decisions(test, ("sensitivity", "specificity"))
        return (
            f"On {counted(test.n, 'test case')} {patients_tested(results)} the AUC was "
            f"{estimate(test.auc.value, test.auc.interval, test.confidence)}, sensitivity "
            f"{sensitivity} and specificity {specificity}."
        )
    means = means_over_parts(results)
    told = [
        f"{name} {estimate(means[key].mean, means[key].interval, test.confidence)}"
        for key, name in (("AUC", "AUC"), ("Sensitivity", "sensitivity"),
                          ("Specificity", "specificity"))
        if key in means
    ]  # fmt: skip
    parts = counted(len(results.validation.parts), "part")
    return f"Means over {parts} of the design were: {listed(told)}."


def _calibration(results: StudyResults) -> str:
    found = results.evaluation.calibration
    if found.reason:
        return ""
    slope, confidence = found.slope, results.protocol.evaluation.confidence
    told = estimate(slope.value, slope.interval, confidence, join=" to ")
    return f"The calibration slope was {told}."


def _added(results: StudyResults) -> str:
    found = results.evaluation.added
    if found is None:
        return ""
    gap = found.differences[f"{COMBINED} - {CLINICAL}"]
    return (
        f"The AUC of {variables_text(found)} alone was {fixed(found.areas[CLINICAL].value, 2)}; "
        f"the score added {difference(gap, results.protocol.evaluation.confidence)}."
    )


def _other_readers(results: StudyResults) -> str:
    """The AUC by the regions of another reader, or its range over several."""
    found = results.evaluation.other_readers
    if len(found) > 1:
        areas = [each.difference.first for each in found]
        ends = f"{fixed(min(areas), 2)} to {fixed(max(areas), 2)}"
        return f"With the regions of {len(found)} other readers the AUC was {ends}."
    return sentences(*(
        f'With the regions of "{each.name}" the AUC was {fixed(each.difference.first, 2)}, and '
        f"{each.changed} of {counted(len(each.cases), 'call')} changed."
        for each in found
    ))  # fmt: skip


def _external(results: StudyResults, external: ExternalRecord) -> str:
    """The frozen model on other patients."""
    found = external.evaluation
    kind = "simulated external" if external.people.simulated else "external"
    sensitivity, specificity = decisions(found, ("sensitivity", "specificity"))
    return (
        f"On {counted(found.n, f'{kind} case')} of {counted(found.n_patients, 'patient')} "
        f"({found.n_positive} {results.model.positive}) the AUC was "
        f"{estimate(found.auc.value, found.auc.interval, found.confidence)}, sensitivity "
        f"{sensitivity} and specificity {specificity}."
    )


def conclusion(results: StudyResults) -> str:
    """What follows from the numbers; what it is good for is the authors'."""
    outcome = results.protocol.outcome
    who = "simulated patients" if results.simulated else "patients"
    told = f"{outcome.positive} from {outcome.negative} vertebral fractures"
    return sentences(
        f"In {who} on whom it was not fitted, the radiomics model told {told} better than chance."
        if results.evaluation.above_chance
        else f"It was not shown that the radiomics model tells {told} better than chance in {who} "
        "on whom it was not fitted.",
        placeholder("what this means for practice"),
    )


STRUCTURE: Mapping[str, Text] = MappingProxyType(
    {
        "Objectives": objectives,
        "Materials and methods": methods,
        RESULTS: findings,
        "Conclusion": conclusion,
    }
)
"""Headings of the abstract and what stands under them."""


def abstract_text(
    results: StudyResults, external: ExternalRecord | None = None
) -> tuple[Paragraph, ...]:
    """The structured abstract, of at most `MOST_WORDS`, and the key points."""
    found = "" if external is None else _external(results, external)
    structured = (
        Paragraph(heading, sentences(write(results), found if heading == RESULTS else ""))
        for heading, write in STRUCTURE.items()
    )
    return (*structured, *(Paragraph("Key points", text) for text in _key_points(results)))


def _key_points(results: StudyResults) -> Sequence[str]:
    """Question, findings and clinical relevance, as European Radiology asks for them."""
    outcome = results.protocol.outcome
    return (
        f"Question: Does a radiomics model tell {outcome.positive} from {outcome.negative} "
        f"vertebral fractures{_images(results)} in patients on whom it was not fitted?",
        f"Findings: {headline(results)}",
        f"Clinical relevance: {placeholder('clinical relevance statement')}",
    )
