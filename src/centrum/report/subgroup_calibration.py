"""Whether probabilities are true for everybody: calibration by groups of the test cases."""

from typing import Any

from centrum.evaluate.subgroups import Subgroup
from centrum.report.blocks import Column, Estimate, Table
from centrum.report.results import StudyResults


def subgroup_calibration_table(results: StudyResults) -> Table:
    """Level, spread and error of the probabilities in each group that is large enough."""
    rows = tuple(_row(each) for each in results.evaluation.subgroups)
    heads = ("Variable", "Group", "Cases", "Expected / observed", "In the large (CI)",
             "Slope (CI)", "Brier score")  # fmt: skip
    notes = (
        "Test cases; intervals by patient. Ideal are 1, 0, 1 and 0. Above 0 in the large: "
        "probabilities are too low for the group. No slope: the probabilities part the outcomes of "
        "the group, or are all equal. Small groups have wide intervals, and of many groups some "
        "depart by chance.",
    )
    title = "Calibration of subgroups"
    return Table("subgroup-calibration", title, tuple(map(Column, heads)), rows, notes)


def _row(found: Subgroup) -> tuple[Any, ...]:
    if found.reason:
        return (found.variable, found.level, found.n, found.reason, None, None, None)
    estimates = (Estimate.of(c.value, c.interval) for c in (found.in_the_large, found.slope))
    return (
        found.variable, found.level, found.n, found.expected_observed, *estimates, found.brier,
    )  # fmt: skip
