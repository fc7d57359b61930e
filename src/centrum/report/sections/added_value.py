"""The section on confounding and added value: the score beside age, sex and the like."""

from collections.abc import Iterator, Mapping
from functools import partial

import pandas as pd

from centrum.arrays import Floats
from centrum.evaluate.added_value import AddedTest
from centrum.evaluate.comparison import AucDifference
from centrum.evaluate.logistic import Coefficient
from centrum.report import readings
from centrum.report.blocks import Block, Column, Estimate, Picture, PValue, Table, picture
from centrum.report.confounders import differing_text
from centrum.report.figures import draw_models
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import frame_table
from centrum.report.words.results import AUC_INTERVAL, told_together
from centrum.text import (
    counted,
    fixed,
    interval_text,
    listed,
    p_equals,
    percent,
    sentence_case,
    sentences,
)
from centrum.validation.added_value import CLINICAL, COMBINED, SCORE, AddedValue, ModelCurves

NRI_IDI = (
    "NRI and IDI were asked for. On test cases they tend to be positive even where a model adds "
    "nothing, and more so the worse its probabilities are calibrated (Pepe et al., Stat Biosci "
    "2015;7:282; Kerr et al., Epidemiology 2014;25:114). Judge by the test of the coefficient, the "
    "difference of the AUCs and the decision curves."
)
"""What is said beside them wherever they are given."""


@section
def added_value(results: StudyResults) -> Block | None:
    """The clinical model, the score and both together; None without a clinical variable."""
    found = results.evaluation.added
    if found is None:
        return None
    differs = differing_text(results)
    prose = (
        f"A clinical model of {variables_text(found)} alone is compared with the score and with a "
        "logistic regression of both, fitted to the training cases with their out-of-fold scores. "
        f"{sentences(added_text(found), penalty_text(found))}",
        *([f"{sentence_case(differs)}{_adjusted(results)}."] if differs else []),
        *_filled(found),
    )  # fmt: skip
    tables = (_models_table(results, found), *_nri_idi(results, found))
    return Block(
        "Confounding and added value", "added-value", prose=prose, tables=tables,
        warnings=(NRI_IDI,) if found.nri_idi else (),
        pictures=(_models_picture(results, found),),
    )  # fmt: skip


def _models_picture(results: StudyResults, found: AddedValue) -> Picture:
    names = _model_names(found)
    curves = {
        f"{names[key]}, AUC {_area_text(found, key)}": found.curves[key] for key in found.curves
    }
    return picture(
        partial(draw_models, curves, results.model.positive, results.simulated),
        "models", "The clinical model, the score and both",
        "A ROC curves; B calibration: flexible curve (restricted cubic spline) of observed on "
        "predicted probability; C decision curves: net benefit of acting from a threshold "
        "probability on. Dotted: a score that tells nothing, ideal probabilities, acting on "
        f"nobody. n = {found.n_test} test cases, {results.model.positive} in "
        f"{percent(found.curves[SCORE].decision_curve.prevalence, 0)}.",
        f"Three panels with a curve for each of {listed(list(curves))}.",
        _curves_table(found, names), reading=readings.models(found), main=True,
    )  # fmt: skip


def _area_text(found: AddedValue, key: str) -> str:
    area = found.areas[key]
    ends = interval_text(area.interval.lower, area.interval.upper, 2)
    return f"{fixed(area.value, 2)} ({ends})"


def _model_names(found: AddedValue) -> dict[str, str]:
    return {
        CLINICAL: f"Clinical: {variables_text(found)}",
        SCORE: "Score",
        COMBINED: "Both together",
    }


def _curves_table(found: AddedValue, names: Mapping[str, str]) -> Table:
    """Points of every curve: panel, model, place."""
    points = [
        pd.DataFrame({"panel": panel, "model": names[key], "x": x, "y": y})
        for key, curves in found.curves.items()
        for panel, x, y in _panels(curves)
    ]
    return frame_table(pd.concat(points, ignore_index=True))


def _panels(curves: ModelCurves) -> Iterator[tuple[str, Floats, Floats]]:
    roc, flexible, use = curves.roc, curves.calibration.curve, curves.decision_curve
    yield "ROC", 1 - roc.specificity, roc.sensitivity
    if flexible is not None:
        yield "calibration", flexible.predicted, flexible.observed
    yield "decision", use.thresholds, use.model


def _adjusted(results: StudyResults) -> str:
    return f"; {ref('table odds-ratios')} adjusts for this" * bool(results.evaluation.odds_ratios)


def variables_text(found: AddedValue) -> str:
    """The clinical variables."""
    return listed(found.variables)


def _filled(found: AddedValue) -> list[str]:
    if not found.filled:
        return []
    return [
        f"{counted(found.filled, 'case')} without one of these values took the mean of the "
        "training cases."
    ]


def penalty_text(found: AddedValue) -> str:
    """Where Firth's penalty was used, and why; "" where it was not."""
    names = {CLINICAL: "the clinical model", COMBINED: "the regression of both"}
    where = [names[name] for name in found.penalised]
    if found.parts > 1 and found.penalised_parts:
        where.append(f"models of {found.penalised_parts} of {found.parts} parts")
    if not where:
        return ""
    return (
        "Variables that part the outcomes of training cases without error leave the likelihood "
        f"without a maximum; there Firth's penalty was used: in {listed(where)}."
    )


def _penalised(test: AddedTest) -> str:
    return "penalised " if test.penalised else ""


def added_text(found: AddedValue) -> str:
    """What the score adds, in sentences."""
    areas, test = found.areas, found.test
    digits, (gap,) = told_together(found.differences[f"{COMBINED} - {CLINICAL}"])
    kind = (
        "Wald's test by patient" if test.by_patient else f"{_penalised(test)}likelihood ratio test"
    )
    alone, score, both = (fixed(areas[name].value, digits) for name in (CLINICAL, SCORE, COMBINED))
    return (
        f"Test AUC: {variables_text(found)} {alone}, score {score}, both {both}; the score adds "
        f"{fixed(gap.difference, digits)} "
        f"({interval_text(gap.interval.lower, gap.interval.upper, digits, ' to ')}; "
        f"{p_equals(gap.p)}). On the training cases the score adds to {variables_text(found)} with "
        f"{p_equals(test.p)} ({kind})."
    )


def _models_table(results: StudyResults, found: AddedValue) -> Table:
    """AUCs of the test cases and their differences."""
    less_clinical = {
        SCORE: found.differences[f"{SCORE} - {CLINICAL}"],
        COMBINED: found.differences[f"{COMBINED} - {CLINICAL}"],
    }
    less_score = {COMBINED: found.differences[f"{COMBINED} - {SCORE}"]}
    rows = tuple(
        (
            label,
            Estimate.of(found.areas[name].value, found.areas[name].interval),
            *_gap(less_clinical.get(name)),
            *_gap(less_score.get(name)),
            _slope(found.curves[name].calibration.slope),
            found.curves[name].calibration.brier,
        )
        for name, label in _model_names(found).items()
    )
    heads = ("Model", "AUC, test (CI)", "Less that of the clinical model (CI)", "P",
             "Less that of the score (CI)", "P of this", "Calibration slope (CI)")  # fmt: skip
    columns = (*map(Column, heads), Column("Brier score", fixed))
    inside = [name for name in results.protocol.model.covariates if name in found.variables]
    notes = (
        f"{counted(found.n_test, 'test case')}. Intervals of the AUC: {AUC_INTERVAL}; differences "
        "by DeLong's paired test. The regressions are fitted to training cases"
        + ("." if results.protocol.split.single_part
           else " of each part; a test case has its mean probability over the parts."),
        *([f"The score itself reads {listed(inside)}."] if inside else []),
        _test_note(found),
    )  # fmt: skip
    title = "The score beside clinical variables"
    return Table("added-value", title, columns, rows, notes, main=True)


def _nri_idi(results: StudyResults, found: AddedValue) -> tuple[Table, ...]:
    """Nothing unless they were asked for."""
    moved = found.nri_idi
    if moved is None:
        return ()
    rows = (
        (f"{sentence_case(results.model.positive)} cases that move up, less down", moved.positive),
        (f"{sentence_case(results.model.negative)} cases that move down, less up", moved.negative),
        ("Category-free NRI, the sum of both", moved.nri),
        ("IDI", moved.idi),
    )
    settings = results.protocol.evaluation
    columns = (Column("Measure"), Column(f"Value ({percent(settings.confidence)} CI)"))
    notes = (
        f"{counted(found.n_test, 'test case')}; intervals are of {settings.n_resamples} bootstrap "
        f"samples of patients. {NRI_IDI}",
    )
    title = "From the clinical to the combined model: NRI and IDI"
    cells = tuple((name, Estimate.of(each.value, each.interval)) for name, each in rows)
    return (Table("nri-idi", title, columns, cells, notes),)


def _test_note(found: AddedValue) -> str:
    test = found.test
    kind = (
        "Wald's test with a variance clustered by patient"
        if test.by_patient
        else f"{_penalised(test)}likelihood ratio test"
    )
    return (
        f"On {counted(found.n_train, 'training case')}, with out-of-fold scores, the score added "
        f"to {variables_text(found)}: χ² {fixed(test.statistic, 2)}, "
        f"{counted(test.df, 'degree')} of freedom, {p_equals(test.p)} ({kind})."
    )


def _slope(found: Coefficient) -> Estimate:
    return Estimate.of(found.value, found.interval)


def _gap(found: AucDifference | None) -> tuple[Estimate | None, PValue | None]:
    if found is None:
        return None, None
    return Estimate.of(found.difference, found.interval), PValue(found.p)
