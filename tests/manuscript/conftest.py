"""The made-up study of the report's tests, and its report without drawn pictures."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from centrum.report.build import report_of
from centrum.report.numbering import Numbering
from centrum.report.results import StudyResults
from tests.report.conftest import Make, make, results, sources

__all__ = ["Make", "Places", "grouped", "make", "places", "results", "sources"]

Places = Callable[[StudyResults], tuple[dict[str, set[str]], Numbering]]


@pytest.fixture
def places() -> Places:
    """Anchor of a section -> labels of its tables and figures, as the report has them."""

    def of(results: StudyResults) -> tuple[dict[str, set[str]], Numbering]:
        report = report_of(results)
        there = {
            block.anchor: {shown.label for shown in (*block.tables, *block.pictures)}
            for block in report.blocks
        }
        return there, report.numbers

    return of


def grouped(results: StudyResults) -> StudyResults:
    """Of one centre, with a test of every subgroup, which the few made-up cases do not allow."""
    evaluation = results.evaluation
    rows = tuple(replace(row, heterogeneity=0.4, reason="") for row in evaluation.subgroups)
    obs = results.table.obs.assign(centre="A")
    return replace(
        results,
        evaluation=replace(evaluation, subgroups=rows),
        table=replace(results.table, obs=obs),
    )
