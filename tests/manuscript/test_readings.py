"""The Methods of a study with a reading room: sentences with its own numbers."""

from dataclasses import replace

import pandas as pd
import pytest

from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.evidence import find
from centrum.manuscript.methods_agreement import between_readers
from centrum.manuscript.methods_population import DRAWN, segmentation
from centrum.manuscript.methods_readings import room
from centrum.manuscript.passage import Passage
from centrum.report.readers import not_compared_text, trained_agreement
from centrum.report.results import StudyResults
from centrum.table import Comparisons
from centrum.text import placeholder
from tests.room_records import pair, room_of


def text_of(results: StudyResults, **known) -> str:
    return room(replace(results, readings=room_of(results.table.cases[:3], **known))).whole


def test_a_study_without_a_room_says_nothing_of_it(results: StudyResults) -> None:
    assert room(results) == Passage()
    assert placeholder(DRAWN) in segmentation(results).whole


def test_what_the_room_knows_is_not_asked_of_the_author(results: StudyResults) -> None:
    text = segmentation(replace(results, readings=room_of(results.table.cases[:3]))).whole
    assert placeholder(DRAWN) not in text
    assert "[Author: with which experience the readers drew the regions of interest]." in text


@pytest.mark.parametrize(
    "told",
    [
        "along the edge of the marrow, within the dark cortex.",
        "of its own (seed 7); outcome, age, sex, further sequences and the outlines of the other "
        "readings were not shown.",
        'Of the 12 slices that "senior" outlined in 3 cases, 6 were drawn by hand, 3 were '
        "interpolated between drawn slices by signed distance and accepted as they were and 3 were "
        "interpolated in this way and then corrected by hand.",
        'was 3.0 (2.0 to 4.0) for "senior" and 1.0 (1.0 to 1.0) for "resident".',
        "No flag of quality was set.",
    ],
)
def test_numbers_are_those_of_the_records(results: StudyResults, told: str) -> None:
    assert told in text_of(results)


def test_what_was_shown_is_told(results: StudyResults) -> None:
    text = text_of(results, shown=("age", "sex"))
    assert "outcome, further sequences and the outlines" in text
    assert "Age and sex were shown." in text
    assert " shown. Age" not in text_of(results)


def test_aids_practice_and_proposals_are_told_if_there_were_any(results: StudyResults) -> None:
    plain = text_of(results)
    assert "GrowCut" not in plain
    assert "practice" not in plain
    assert "Outlines of another program" not in plain
    text = text_of(results, assistance=("fill", "growcut"), training=(3, 0.9), scratch_share=0.2)
    assert "(GrowCut) could be used." in text
    assert "3 phantoms with known outlines, passed from a Dice coefficient of 0.9 on." in text
    assert "but for 20 % of the cases, which all readers drew from nothing." in text


def test_agreement_is_told_by_how_outlines_came_about(results: StudyResults) -> None:
    (case, *_) = results.table.cases
    own = pair(case, ("drawn", "drawn", 90), ("filled", "drawn", 70), ("drawn", "nobody", 0))
    text = text_of(results, pairs=((case, own),))
    assert (
        'The median Dice coefficient of single slices of "senior" and "resident" was 0.90 of those '
        "drawn by both (n = 1) and 0.70 of those filled by at least one (n = 1). 1 slice had an "
        "outline of one of them only."
    ) in text


def test_a_consensus_says_whose_outlines_it_has(results: StudyResults) -> None:
    a, b, c, *_ = results.table.cases
    text = text_of(results, consensus={a: "senior", b: "union", c: ""})
    assert (
        'an outline drawn anew in 1 case, that of "senior" in 1 case and the union of both in 1 '
        "case."
    ) in text


def test_checklists_are_answered_from_the_record(results: StudyResults) -> None:
    known = replace(results, readings=room_of(results.table.cases[:3]))
    before, after = (find(["segmentation", "readers"], r, StudyFacts()) for r in (results, known))
    assert before["segmentation"] == before["readers"]
    assert before["segmentation"].status == "author"
    assert after["segmentation"].status == "answered"
    assert "outcome, age, sex" in after["segmentation"].answer
    assert "reading-room" in after["segmentation"].pointer
    assert after["readers"].status == "author"  # who they are, the room does not know


def test_a_consensus_that_is_measured_is_no_reader_of_the_agreement(results: StudyResults) -> None:
    assert not_compared_text(results) == ""
    values = results.table.values[:, :, [0, 0, 1]]
    table = replace(
        results.table,
        values=values,
        readers=("consensus", *results.table.readers),
        comparisons=Comparisons(results.table.readers),
    )
    decided = replace(results, table=table)
    assert '"consensus" was not compared: it was made' in between_readers(decided).whole
    assert f"all {len(table.cases)} cases, which both readers, senior and resident, drew" in (
        between_readers(decided).whole
    )
    told = segmentation(decided).whole
    assert 'those of 2 readers, "senior" (' in told
    assert 'The features of "consensus" fed the model; those of these readers served' in told
    pd.testing.assert_frame_equal(trained_agreement(decided), trained_agreement(results))


def test_who_read_twice_is_told_by_name(results: StudyResults) -> None:
    values = results.table.values[:, :, [0, 1, 0]]
    names = ("senior", "senior-second")
    table = replace(
        results.table,
        values=values,
        readers=(*results.table.readers, "senior-second"),
        comparisons=Comparisons(results.table.readers, (names,)),
    )
    again = results.agreement.reset_index().assign(reader="senior", icc=0.5, n=7, kept=False)
    told = between_readers(replace(results, table=table, agreement_within=again)).whole
    assert 'Within "senior" the median ICC(A,1) of the features, over the 7 of ' in told
    assert 'cases that "senior" read twice, was 0.50 (' in told
    assert f"; 0 of {len(again)} had ICC(A,1) > 0.75." in told
    assert told.count("nor in the model.") == 1
    second = replace(table, readers=("senior-second", *results.table.readers))
    again_feeds = between_readers(replace(results, table=second, agreement_within=again)).whole
    assert "in the agreement between readers." in again_feeds
    assert "Within" not in between_readers(results).whole
    assert (
        '"senior" read again: "senior-second" ('
        in segmentation(replace(results, table=table)).whole
    )
