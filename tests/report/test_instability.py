"""What the report says of the stability of the predictions."""

from dataclasses import replace

import numpy as np
import pytest

from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.cards import model_card
from centrum.manuscript.evidence_of_results import uncertainty
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import caveats
from centrum.report.sections.instability import instability, instability_of, instability_text
from centrum.text import fixed


@pytest.fixture
def without(results: StudyResults) -> StudyResults:
    return replace(results, validation=replace(results.validation, resamples=[]))


def test_without_refits_it_is_told_that_nothing_is_known(without: StudyResults) -> None:
    assert instability(without) is None
    assert instability_text(without) == ""
    said = [point.text for point in caveats(without).points]
    assert any("evaluation.optimism_resamples repeats the procedure" in text for text in said)
    assert "refits" not in uncertainty(without, StudyFacts()).answer


def test_the_table_has_the_numbers_of_either_side(results: StudyResults) -> None:
    found = instability_of(results)
    table, cases = instability(results).tables
    test = (results.scores["part"] == "test").to_numpy()
    assert [row[0] for row in table.rows] == ["training", "test"]
    row = table.rows[1]
    widths = (found.ranges[1] - found.ranges[0])[test]
    assert row[1:5] == (test.sum(), np.median(widths), widths.max(), found.errors[test].mean())
    assert row[6] == found.changes[test].mean()
    assert row[7] == (found.changes[test] > 0.1).sum()
    own = cases.rows[5]
    likely = results.evaluation.decision.probability(results.scores["score"].to_numpy())
    assert own[0] == results.scores.index[5]
    assert own[2] == likely[5]
    assert own[3] == found.ranges[0][5] <= own[4]


def test_texts_tell_the_test_cases(results: StudyResults) -> None:
    found, test = instability_of(results), (results.scores["part"] == "test").to_numpy()
    text = instability_text(results)
    width = np.median((found.ranges[1] - found.ranges[0])[test])
    assert f"{fixed(width, 2)} wide in the median" in text
    assert f"of {test.sum()} test cases" in text
    assert text in [point.text for point in caveats(results).points]
    assert text in model_card(results, StudyFacts())
    assert text in uncertainty(results, StudyFacts()).answer


def test_a_model_of_all_cases_tells_all(results: StudyResults) -> None:
    scores = results.scores.assign(part="train")
    whole = replace(results, scores=scores)
    assert f"of {len(scores)} cases" in instability_text(whole)
    assert [row[0] for row in instability(whole).tables[0].rows] == ["training"]


@pytest.mark.usefixtures("drawn")
def test_the_figure_has_every_test_case(results: StudyResults) -> None:
    (picture,) = instability(results).pictures
    test = results.scores[results.scores["part"] == "test"]
    assert [row[0] for row in picture.data.rows] == list(test.index)
    figure = picture.drawing()
    (axes,) = figure.axes
    faint = [line for line in axes.lines if line.get_marker() == "."]
    assert sum(len(line.get_xdata()) for line in faint) == 3 * len(test)
