"""The section on probabilities: how right they are, and what they are good for."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.arrays import Flags
from centrum.evaluate.calibration import Calibration
from centrum.evaluate.decision_curve import TINY, DecisionCurve
from centrum.evaluate.logistic import Coefficient
from centrum.evaluate.prevalence import at_prevalence
from centrum.report import readings
from centrum.report.blocks import Block, Column, Estimate, Picture, PValue, Table, picture
from centrum.report.figures import draw_calibration, draw_decision_curve, draw_precision_recall
from centrum.report.figures.decision_curve import BELOW
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.subgroup_calibration import subgroup_calibration_table
from centrum.report.tables import frame_table
from centrum.report.words.model import CALIBRATIONS
from centrum.text import fixed, listed, percent

EXAMPLES = (0.25, 0.5, 0.75)
"""Probabilities of which it is said what they become at another prevalence."""


@section
def calibration_and_use(results: StudyResults) -> Block:
    """Probabilities: calibrated? useful? sure? the same for everybody?"""
    found = results.evaluation
    tables = [calibration_table(found.calibration, found.by_set["test"].confidence)]
    if found.subgroups:
        tables += [subgroup_table(results), subgroup_calibration_table(results)]
    if found.readers:
        tables.append(reader_table(results))
    sets = found.conformal
    right = f" ({percent(sets.right, 0)} of these the right one)" * bool(sets.decided)
    prose = (
        f"Scores became probabilities by {CALIBRATIONS[results.protocol.model.calibration].label}, "
        "learnt on out-of-fold scores of the training cases.",
        f"{sets_text(results)} Of the test cases {percent(sets.decided, 0)} have one outcome in "
        f"their set{right}, "
        f"{percent(sets.uncertain, 0)} are uncertain, {percent(sets.neither, 0)} unlike both.",
    )
    reason = found.calibration.reason
    warnings = (
        *((f"No calibration slope: {reason}.",) if reason else ()),
        *(f"{what} could not be computed: {why}" for what, why in found.failed.items()),
    )
    return Block(
        "Calibration and use", "calibration",
        prose=prose, warnings=warnings, tables=tuple(tables),
        pictures=(
            _calibration_picture(results),
            _decision_picture(results),
            *_pictures_elsewhere(results),
            _precision_picture(results),
        ),
    )  # fmt: skip


def sets_text(results: StudyResults) -> str:
    """How often the sets were to hold the true outcome, and how often they did."""
    sets = results.evaluation.conformal
    aim = percent(1 - results.evaluation.decision.conformal.error)
    return (
        f"Sets of outcomes were aimed at holding the true one of {aim} of the patients of each "
        f"outcome; they held that of {percent(sets.coverage_positive, 0)} of the "
        f"{results.model.positive} and {percent(sets.coverage_negative, 0)} of the "
        f"{results.model.negative} test cases."
    )


def calibration_table(found: Calibration, confidence: float) -> Table:
    """Slope, intercepts, errors and tests of the probabilities."""
    test = found.hosmer_lemeshow
    rows: list[tuple[Any, ...]] = [
        ("Calibration slope", _estimate(found.slope), "1"),
        ("Calibration intercept", _estimate(found.intercept), "0"),
        ("Calibration in the large", _estimate(found.in_the_large), "0"),
        ("Expected / observed", found.expected_observed, "1"),
        ("Brier score", found.brier, "0"),
        ("Scaled Brier score", found.brier_scaled, "1"),
        ("Log loss", found.log_loss, "0"),
        ("ICI (mean distance from the curve)", found.ici, "0"),
        ("E50 (median distance)", found.e50, "0"),
        ("E90 (90th percentile)", found.e90, "0"),
        ("Emax (largest)", found.emax, "0"),
    ]
    if test is not None:
        name = f"Hosmer-Lemeshow χ², {test.df} degrees of freedom"
        rows += [(name, test.statistic, ""), ("Hosmer-Lemeshow P", PValue(test.p), "")]
    columns = (Column("Measure"), Column(f"Test ({percent(confidence)} CI)"), Column("Ideal"))
    notes = (
        "A slope below 1 means that probabilities are too extreme; an intercept in the large above "
        "0 that they are too low. Hosmer-Lemeshow's test has little power in small samples and "
        "depends on the grouping.",
    )
    return Table("calibration", "Calibration", columns, tuple(rows), notes, main=True)


def _estimate(found: Coefficient) -> Estimate:
    return Estimate.of(found.value, found.interval)


def subgroup_table(results: StudyResults) -> Table:
    """Performance by groups of the test cases."""
    rows = []
    for row in results.evaluation.subgroups:
        numbers: tuple[Any, ...] = (row.reason, None, None, None)
        if not row.reason:
            pairs = (
                (row.auc, row.auc_interval),
                (row.sensitivity, row.sensitivity_interval),
                (row.specificity, row.specificity_interval),
            )
            estimates = [Estimate.of(v, i) for v, i in pairs]
            numbers = (*estimates, PValue(row.heterogeneity))
        sizes = (row.n, row.n_patients, row.n_positive)
        rows.append((row.variable, row.level, *sizes, *numbers))
    heads = ("Variable", "Group", "Cases", "Patients", results.model.positive, "AUC",
             "Sensitivity", "Specificity", "P (same AUC)")  # fmt: skip
    notes = (
        "Test cases. Intervals are by patient; P of Cochran's Q that the AUC is the "
        "same in all groups. Many groups are compared: a small P by chance is to be expected.",
    )
    columns = tuple(map(Column, heads))
    return Table("subgroups", "Subgroups", columns, tuple(rows), notes)


def reader_table(results: StudyResults) -> Table:
    """Readers, and the model at their specificity."""
    rows = tuple(
        (
            r.name,
            r.n,
            Estimate.of(r.sensitivity, r.sensitivity_interval),
            Estimate.of(r.specificity, r.specificity_interval),
            PValue(r.p_sensitivity),
            PValue(r.p_specificity),
            Estimate.of(r.model_sensitivity, r.model_interval),
        )
        for r in results.evaluation.readers
    )
    heads = ("Reader", "Cases", "Sensitivity", "Specificity", "P (sensitivity)",
             "P (specificity)", "Model's sensitivity at this specificity")  # fmt: skip
    notes = ("P: exact McNemar tests against the model's calls at its cut-off.",)
    columns = tuple(map(Column, heads))
    return Table("readers", "Readers beside the model", columns, rows, notes)


def _tested(results: StudyResults) -> tuple[Flags, NDArray]:
    """Whether each test case is positive, and its patient."""
    rows = results.scores.loc[list(results.evaluation.tested)]
    positive = (rows["outcome"] == results.model.positive).to_numpy()
    return positive, rows["patient"].to_numpy()


def _calibration_picture(results: StudyResults) -> Picture:
    found, (positive, _) = results.evaluation, _tested(results)
    curve, slope = found.calibration, found.calibration.slope
    outcomes = (results.model.positive, results.model.negative)
    data = pd.DataFrame(
        [(g.n, g.predicted, g.observed, g.interval.lower, g.interval.upper) for g in curve.groups],
        columns=["cases", "predicted", "observed", "lower", "upper"],
    )
    return picture(
        partial(draw_calibration, curve, found.probability, positive, outcomes, results.simulated),
        "calibration", "Calibration",
        "Observed share against predicted probability: flexible curve (restricted cubic spline) "
        f"with 95 % interval, and {len(curve.groups)} groups of cases with Wilson intervals. "
        f"Below: the predictions by outcome. n = {len(positive)} test cases.",
        f"Calibration plot. Slope {fixed(slope.value, 2)}, mean distance {fixed(curve.ici, 2)}.",
        frame_table(data), reading=readings.calibrated(curve), main=True,
    )  # fmt: skip


def _decision_picture(results: StudyResults) -> Picture:
    found = results.evaluation.decision_curve
    gain = np.where(np.abs(found.difference) > TINY, found.difference, 0)
    better, worse = int((gain > 0).sum()), int((gain < 0).sum())
    return picture(
        partial(draw_decision_curve, found, results.simulated), "decision-curve", "Decision curve",
        "Net benefit of acting on the model's probability (95 % bootstrap interval by patient), "
        "on everybody and on nobody, over the probability from which on one would act; "
        f"{BELOW}. "
        f"n = {len(results.evaluation.tested)} test cases, {results.model.positive} in "
        f"{percent(found.prevalence, 0)}: it holds at that prevalence alone.",
        f"Three curves. Of {gain.size} thresholds the model has the largest net benefit at "
        f"{better}, and less than everybody or nobody at {worse}.",
        curve_table(found), reading=readings.decision(found), main=True,
    )  # fmt: skip


def curve_table(found: DecisionCurve) -> Table:
    """The numbers that a decision curve shows."""
    return frame_table(pd.DataFrame(
        {"threshold": found.thresholds, "model": found.model, "lower": found.lower,
         "upper": found.upper, "all": found.treat_all, "gain": found.difference,
         "gain lower": found.difference_lower, "gain upper": found.difference_upper,
         "avoided per 100": found.avoided}
    ))  # fmt: skip


def _pictures_elsewhere(results: StudyResults) -> tuple[Picture, ...]:
    """Net benefit at the stated prevalence; none without one."""
    evaluation = results.evaluation
    found = evaluation.decision_curve_elsewhere
    if found is None:
        return ()
    shown = percent(found.prevalence)
    moved = listed([
        percent(float(at_prevalence(p, evaluation.trained_share, found.prevalence)), 0)
        for p in EXAMPLES
    ])  # fmt: skip
    return (
        picture(
            partial(draw_decision_curve, found, results.simulated), "decision-curve-elsewhere",
            f"Decision curve at a prevalence of {shown}",
            f"As in {ref('figure decision-curve')}, where {results.model.positive} is found in "
            f"{shown}, if the cases of each outcome are like those of this study. The intercept of "
            "the probabilities was moved by the log odds ratio of the two prevalences "
            f"({percent(evaluation.trained_share, 0)} of the training cases): probabilities "
            f"of {listed(list(map(percent, EXAMPLES)))} become {moved}.",
            "Three curves.",
            curve_table(found), reading=readings.decision(found),
        ),
    )  # fmt: skip


def _precision_picture(results: StudyResults) -> Picture:
    found = results.evaluation.precision_recall
    data = pd.DataFrame(
        {"threshold": found.thresholds, "precision": found.precision, "recall": found.recall}
    )
    return picture(
        partial(draw_precision_recall, found, results.simulated), "precision-recall",
        "Precision and recall",
        f"Precision against recall of the test cases (n = {len(results.evaluation.tested)}). "
        f"Dotted: the share of {results.model.positive}, which calling everybody positive gives.",
        f"Curve with an average precision of {fixed(found.average_precision, 2)}.",
        frame_table(data),
        reading=readings.precision(found, int(_tested(results)[0].sum()), results.model.positive),
    )  # fmt: skip
