"""The made-up study of the report's tests, and its report without drawn pictures."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from centrum.report.results import StudyResults
from centrum.report.sections import SECTIONS
from tests.report.conftest import Make, make, results, sources

__all__ = ["Make", "Places", "grouped", "make", "places", "results", "sources"]

Places = Callable[[StudyResults], dict[str, set[str]]]


@pytest.fixture
def places(unrendered: None) -> Places:
    """Anchor of a section -> numbers of its tables and figures, as the report has them."""

    def of(results: StudyResults) -> dict[str, set[str]]:
        sections = [section(results) for section in SECTIONS]
        return {
            block.anchor: {
                re.match(r"(Table|Figure) S?\d+", shown.title)[0]
                for shown in (*block.tables, *block.pictures)
            }
            for block in sections
        }

    return of


def grouped(results: StudyResults) -> StudyResults:
    """Of one centre, with a test of every subgroup, which the few made-up cases do not allow."""
    judgement = results.judgement
    rows = tuple(replace(row, heterogeneity=0.4, reason="") for row in judgement.subgroups)
    obs = results.table.obs.assign(centre="A")
    return replace(
        results,
        judgement=replace(judgement, subgroups=rows),
        table=replace(results.table, obs=obs),
    )
