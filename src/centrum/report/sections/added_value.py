"""The section on confounding and added value: the score beside age, sex and the like."""

import math

from centrum.evaluate.comparison import AucDifference
from centrum.evaluate.logistic import Coefficient
from centrum.report.blocks import Block, Column, Estimate, PValue, Table
from centrum.report.confounders import differing_text
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.words.results import AUC_INTERVAL
from centrum.text import counted, fixed, interval_text, listed, p_equals, sentence_case
from centrum.validation.added_value import CLINICAL, COMBINED, SCORE, AddedValue


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
        f"{added_text(found)}",
        *([f"{sentence_case(differs)}: what is adjusted for it is in the table."]
          if differs else []),
        *_filled(found),
    )  # fmt: skip
    tables = (_models_table(results, found), _coefficient_table(found))
    return Block("Confounding and added value", "added-value", prose=prose, tables=tables)


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


def added_text(found: AddedValue) -> str:
    """What the score adds, in sentences."""
    areas, test = found.areas, found.test
    gap = found.differences[f"{COMBINED} - {CLINICAL}"]
    kind = "Wald's test by patient" if test.by_patient else "likelihood ratio test"
    return (
        f"Test AUC: {variables_text(found)} {fixed(areas[CLINICAL].value, 2)}, score "
        f"{fixed(areas[SCORE].value, 2)}, both {fixed(areas[COMBINED].value, 2)}; the score adds "
        f"{fixed(gap.difference, 2)} "
        f"({interval_text(gap.interval.lower, gap.interval.upper, 2, ' to ')}; "
        f"{p_equals(gap.p)}). On the training cases the score adds to {variables_text(found)} with "
        f"{p_equals(test.p)} ({kind})."
    )


def _models_table(results: StudyResults, found: AddedValue) -> Table:
    """AUCs of the test cases and their differences."""
    named = {
        CLINICAL: f"Clinical: {variables_text(found)}",
        SCORE: "Score",
        COMBINED: "Both together",
    }
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
        )
        for name, label in named.items()
    )
    heads = ("Model", "AUC, test (CI)", "Less that of the clinical model (CI)", "P",
             "Less that of the score (CI)", "P of this")  # fmt: skip
    inside = [name for name in results.protocol.model.covariates if name in found.variables]
    notes = (
        f"{counted(found.n_test, 'test case')}. Intervals of the AUC: {AUC_INTERVAL}; differences "
        "by DeLong's paired test. The regressions are fitted to training cases"
        + ("." if results.protocol.split.single_part
           else " of each part; a test case has its mean probability over the parts."),
        *([f"The score itself reads {listed(inside)}."] if inside else []),
    )  # fmt: skip
    title = "The score beside clinical variables"
    return Table("added-value", title, tuple(map(Column, heads)), rows, notes, main=True)


def _coefficient_table(found: AddedValue) -> Table:
    """Odds ratios of the score, alone and adjusted, and of the clinical variables with it."""
    rows = (
        ("Score, alone", *_ratio(found.crude)),
        (f"Score, adjusted for {variables_text(found)}", *_ratio(found.adjusted)),
        *(
            (f"{name}, adjusted for the score", *_ratio(c))
            for name, c in found.coefficients.items()
        ),
    )
    test = found.test
    kind = (
        "Wald's test with a variance clustered by patient"
        if test.by_patient
        else "likelihood ratio test"
    )
    notes = (
        f"{counted(found.n_train, 'training case')}; score out of fold. Odds ratio per standard "
        f"deviation. The score added to {variables_text(found)}: χ² {fixed(test.statistic, 2)}, "
        f"{counted(test.df, 'degree')} of freedom, {p_equals(test.p)} ({kind}).",
    )
    columns = (Column("Variable"), Column("Odds ratio (CI)"), Column("P"))
    return Table("adjusted", "The score adjusted for clinical variables", columns, rows, notes)


def _ratio(found: Coefficient) -> tuple[Estimate, PValue]:
    ends = (found.value, found.interval.lower, found.interval.upper)
    return Estimate(*map(math.exp, ends)), PValue(found.p)


def _gap(found: AucDifference | None) -> tuple[Estimate | None, PValue | None]:
    if found is None:
        return None, None
    return Estimate.of(found.difference, found.interval), PValue(found.p)
