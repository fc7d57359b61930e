"""A second reader who drew some of the cases: every sentence says of how many it speaks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from centrum.agreement import icc
from centrum.manuscript import methods_agreement, methods_population
from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.evidence_of_model import agreement as evidence_of_agreement
from centrum.report.blocks import Block
from centrum.report.readers import agreed_over, trained_over
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import caveats
from centrum.report.sections.regions import regions
from tests.report.conftest import Make

READ = 8


@pytest.fixture(scope="module")
def subset(make: Make) -> StudyResults:
    """The resident drew the first cases only."""
    results = make()
    values = results.table.values.copy()
    values[READ:, :, 1] = np.nan
    found = icc(values)
    first = results.table.cases[:READ]
    return replace(
        results,
        table=replace(results.table, values=values),
        agreement=results.agreement.assign(n=found.n_subjects, icc=found.value),
        overlap=results.overlap[results.overlap["case"].isin(first)],
        sources={},
    )


def texts(block: Block) -> Iterator[str]:
    yield from block.prose
    for picture in block.pictures:
        yield from (picture.caption, picture.alt, picture.reading)


def test_the_cases_are_counted(subset: StudyResults) -> None:
    n, trained = len(subset.table.cases), subset.scores["part"] == "train"
    assert agreed_over(subset) == f"the {READ} of {n} cases that both readers drew"
    assert trained_over(subset) == (
        f"the {trained[:READ].sum()} of {trained.sum()} training cases that both readers drew"
    )


def test_the_report_says_over_which_cases(subset: StudyResults) -> None:
    block = regions(subset)
    n, over = len(subset.table.cases), agreed_over(subset)
    assert f"senior ({n} cases), resident ({READ} cases)" in block.prose[0]
    assert over in block.prose[0]
    assert trained_over(subset) in block.prose[0]
    assert all(over in picture.caption for picture in block.pictures)
    assert f"half of the {READ} pairs" in block.pictures[0].reading
    assert not any("all analysed cases" in text or f"n = {n}" in text for text in texts(block))
    (table,) = (t for t in block.tables if t.key == "agreement")
    assert {row[1] for row in table.rows} == {READ}


def test_methods_and_checklists_say_over_which_cases(subset: StudyResults) -> None:
    methods = methods_agreement.between_readers(subset).whole
    assert agreed_over(subset) in methods
    assert trained_over(subset) in methods
    assert f'"resident" ({READ} cases)' in methods_population.segmentation(subset).whole
    assert f"on {READ} pairs of regions" in methods_population.overlap(subset).whole
    facts: Any = StudyFacts
    assert agreed_over(subset) in evidence_of_agreement(subset, facts).answer


def test_what_could_mislead_names_the_cases_that_one_reader_drew(
    subset: StudyResults, make: Make
) -> None:
    def said(results: StudyResults) -> str:
        return " ".join(point.text for point in caveats(results).points)

    assert f"the model judged on {trained_over(subset)}" in said(subset)
    assert "the model judged on" not in said(make())


def test_readers_who_drew_everything_are_said_to(make: Make) -> None:
    results = make()
    n = len(results.table.cases)
    assert agreed_over(results) == f"all {n} cases, which both readers drew"
    assert "over all" in regions(replace(results, sources={})).pictures[0].caption
