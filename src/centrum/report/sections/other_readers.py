"""The section on the score with the regions of another reader."""

from functools import partial

import pandas as pd

from centrum.evaluate.logistic import Coefficient
from centrum.modelling.settings import MORPHOMETRY_PREFIX
from centrum.report import readings
from centrum.report.blocks import Block, Column, Estimate, Picture, PValue, Table, picture
from centrum.report.figures import draw_bland_altman
from centrum.report.readers import not_compared_text
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import frame_table
from centrum.report.words.agreement import icc_label
from centrum.report.words.results import AUC_INTERVAL
from centrum.text import counted, fixed, interval_text, p_equals, percent
from centrum.validation.other_readers import OtherReader, RegionPerformance


@section
def other_readers(results: StudyResults) -> Block | None:
    """How the score does with other regions of the same cases; None with one reader."""
    found = results.evaluation.other_readers
    if not found:
        return None
    covariates = results.protocol.model.covariates
    bodies = any(name.startswith(MORPHOMETRY_PREFIX) for name in covariates)
    known = "the covariates and the measures of the bodies" if bodies else "the covariates"
    kept = f" Other were the image features alone; {known} stayed." if covariates else ""
    prose = (
        f"{_whose(results)} to the features of regions that another reader drew of the same test "
        f"cases. Nothing in it was changed.{kept}",
        *(found_text(each) for each in found),
        *([_consensus(results)] if not_compared_text(results) else []),
    )
    return Block(
        "The score by other readers", "other-readers",
        prose=prose, tables=(regions_table(results), score_agreement_table(results)),
        pictures=(_picture(results),),
    )  # fmt: skip


def _consensus(results: StudyResults) -> str:
    """That the first reader is no other person than these."""
    return (
        f'"{results.table.readers[0]}" was made of the outlines of these readers: with those of '
        "somebody else the score may differ more."
    )


def _whose(results: StudyResults) -> str:
    if results.protocol.split.single_part:
        return "The model was applied, with its cut-off and calibration,"
    return "The models of the parts were applied, each with its cut-off and calibration,"


def found_text(found: OtherReader) -> str:
    """What changes with the regions of one other reader, in a sentence."""
    gap = found.difference
    return (
        f'With the regions of "{found.name}" the test AUC is {fixed(gap.first, 2)} instead of '
        f"{fixed(gap.second, 2)} (difference {fixed(gap.difference, 2)}, "
        f"{interval_text(gap.interval.lower, gap.interval.upper, 2, ' to ')}; {p_equals(gap.p)}), "
        f"and {found.changed} of {counted(len(found.cases), 'call')} "
        f"{'changes' if found.changed == 1 else 'change'}."
    )


def regions_table(results: StudyResults) -> Table:
    """Discrimination, calls and calibration with the regions of each reader."""
    rows, before = [], None
    for found in results.evaluation.other_readers:
        if found.cases != before:
            rows.append(_performance(found, found.primary))
        rows.append(_performance(found, found.other))
        before = found.cases
    heads = ("Regions of", "Cases", "Patients", "AUC (CI)", "Sensitivity (CI)",
             "Specificity (CI)", "Calibration slope (CI)", "In the large (CI)",
             "Brier score")  # fmt: skip
    confidence = percent(results.protocol.evaluation.confidence)
    notes = (
        f"Test cases that both readers drew; {confidence} intervals (AUC: {AUC_INTERVAL}; shares: "
        "Wilson, by patient). Cut-off and calibration were learnt on the regions of "
        f'"{results.table.readers[0]}".',
    )
    title = "Performance with the regions of each reader"
    return Table("other-readers", title, tuple(map(Column, heads)), tuple(rows), notes, main=True)


def _performance(found: OtherReader, own: RegionPerformance) -> tuple[object, ...]:
    return (
        own.reader,
        len(found.cases),
        found.n_patients,
        Estimate.of(own.auc, own.auc_interval),
        Estimate.of(own.sensitivity, own.sensitivity_interval),
        Estimate.of(own.specificity, own.specificity_interval),
        _coefficient(own.slope),
        _coefficient(own.in_the_large),
        own.brier,
    )


def _coefficient(found: Coefficient) -> Estimate:
    return Estimate.of(found.value, found.interval)


def score_agreement_table(results: StudyResults) -> Table:
    """Agreement of score and call between the primary reader and each other one."""
    pairs = results.evaluation.other_readers
    columns = [Column(f"{found.name} – {found.primary.reader}") for found in pairs]
    label = icc_label(results.protocol.model.agreement)
    measures = {
        "Cases": lambda f: len(f.cases),
        "Difference of the AUC": lambda f: Estimate.of(f.difference.difference,
                                                     f.difference.interval),
        "P (DeLong, paired)": lambda f: PValue(f.difference.p),
        f"{label} of the {_scored(results)}": lambda f: Estimate.of(f.icc, f.icc_interval),
        "Cohen's kappa of the calls": lambda f: Estimate.of(f.kappa.value, f.kappa.interval),
        f"Calls that change to {results.model.positive}": lambda f: f.to_positive,
        f"Calls that change to {results.model.negative}": lambda f: f.to_negative,
        f"Mean difference of the {_scored(results)}": lambda f: Estimate.of(
            f.limits.bias, f.limits.bias_interval),
        "Lower limit of agreement": lambda f: Estimate.of(f.limits.lower, f.limits.lower_interval),
        "Upper limit of agreement": lambda f: Estimate.of(f.limits.upper, f.limits.upper_interval),
    }  # fmt: skip
    rows = tuple((name, *map(measure, pairs)) for name, measure in measures.items())
    notes = (
        "Differences: other reader minus first. Between the limits of agreement 95 % of the "
        "differences are expected (Bland and Altman). Where patients have several cases the "
        "interval of the ICC is of the jackknife over patients, those of the limits are of the "
        "bootstrap by patient.",
    )
    title = "Agreement of score and call between readers"
    return Table("reader-scores", title, (Column("Measure"), *columns), rows, notes)


def _scored(results: StudyResults) -> str:
    """What orders the test cases."""
    return "score" if results.protocol.split.single_part else "mean probability"


def _picture(results: StudyResults) -> Picture:
    found = results.evaluation.other_readers
    outcomes = (results.model.positive, results.model.negative)
    data = pd.DataFrame(
        [
            (each.name, case, outcomes[not positive], *scores, *called)
            for each in found
            for case, positive, scores, called in zip(
                each.cases, each.positive, each.scores.tolist(), each.called.astype(int).tolist(),
                strict=True,
            )
        ],
        columns=["reader", "case", "outcome", "first reader", "other reader",
                 "called by first", "called by other"],
    )  # fmt: skip
    n = "; ".join(f"{each.name} n = {len(each.cases)}" for each in found)
    return picture(
        partial(draw_bland_altman, found, outcomes, _scored(results), results.simulated),
        "bland-altman", "Agreement of the score between readers",
        f"Difference of the {_scored(results)} with the regions of the other reader and of "
        f'"{results.table.readers[0]}" against their mean (Bland and Altman), with the mean '
        "difference, the 95 % limits of agreement and their intervals (grey). Ringed: cases whose "
        f"call changes. Test cases: {n}.",
        f"Bland-Altman plot. {readings.between_readers(found)}",
        frame_table(data), reading=readings.between_readers(found),
    )  # fmt: skip
