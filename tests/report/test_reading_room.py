"""The section on how the regions were drawn: every number is one of the records."""

from dataclasses import replace

import pytest

from centrum.cohort.readings import PROVENANCES
from centrum.report.blocks import Block
from centrum.report.build import sections_of
from centrum.report.results import StudyResults
from centrum.report.sections.reading_room import reading_room
from tests.room_records import OUTLINED, pair, record, room_of

from .conftest import Make


def section_of(results: StudyResults, **known) -> Block:
    found = reading_room(replace(results, readings=room_of(results.table.cases[:3], **known)))
    assert found is not None
    return found


def table(block: Block, key: str):
    return next(t for t in (*block.tables, *block.files) if t.key == key)


def test_a_study_without_a_room_has_no_such_section(make: Make) -> None:
    results = make()
    assert reading_room(results) is None
    titles = [block.title for block in sections_of(results)]
    with_room = replace(results, readings=room_of(results.table.cases))
    assert [b.title for b in sections_of(with_room) if b.anchor != "reading-room"] == titles


def test_readers_have_their_slices_and_minutes(results: StudyResults) -> None:
    block = section_of(results)
    found = table(block, "readings")
    heads = [column.name for column in found.columns]
    senior, resident = (dict(zip(heads, row, strict=True)) for row in found.rows)
    assert (senior["Reader"], senior["Cases"]) == ("senior", 3)
    assert (senior["Drawn"], senior["Filled"], senior["Filled, corrected"]) == (6, 3, 3)
    assert senior["No body"] == 3
    assert "Proposed" not in heads  # which nobody has
    assert [senior[f"Minutes, {name}"] for name in ("median", "least", "most")] == [3, 2, 4]
    assert resident["Minutes, median"] == 1


def test_every_slice_has_its_provenance_in_a_file(results: StudyResults) -> None:
    rows = table(section_of(results), "reading_slices").rows
    assert len(rows) == 3 * 2 * len(OUTLINED)
    case = results.table.cases[0]
    own = [row[2:] for row in rows if row[:2] == (case, "senior")]
    assert own == [(k, name or "") for k, name in enumerate(OUTLINED, start=1)]
    for name in PROVENANCES:
        assert sum(row[3] == name for row in rows) == 6 * OUTLINED.count(name)


def test_agreement_is_told_by_how_outlines_came_about(results: StudyResults) -> None:
    a, b, *_ = results.table.cases
    pairs = (
        (a, pair(a, ("drawn", "drawn", 90), ("filled", "drawn", 70), ("drawn", "nobody", 0))),
        (b, pair(b, ("drawn", "drawn", 80))),
    )
    rows = table(section_of(results, pairs=pairs), "slice_agreement").rows
    assert rows == (
        ("senior – resident", "Drawn by both", 2, 2, pytest.approx(0.85), 0.8),
        ("senior – resident", "Filled by at least one", 1, 1, 0.7, 0.7),
        ("senior – resident", "Outlined by one only", 1, 1, 0.0, 0.0),
    )


def test_one_reader_twice_is_no_agreement_of_readers(results: StudyResults) -> None:
    (case, *_) = results.table.cases
    again = pair(case, ("drawn", "drawn", 90), reader_b="senior-second", intra=True)
    (row,) = table(section_of(results, pairs=((case, again),)), "slice_agreement").rows
    assert row[0] == "senior – senior-second (the same reader)"


def test_other_levels_are_named(results: StudyResults) -> None:
    a, b, *_ = results.table.cases
    far, near = (pair(c, ("drawn", "drawn", 90), level_mm=mm, height_mm=26) for c, mm in
                 ((a, 20.0), (b, 4.0)))  # fmt: skip
    block = section_of(results, pairs=((a, far), (b, near)))
    assert (
        f"In 1 case two readers placed the level further apart than half the height of the "
        f"body: {a}." in block.prose[0]
    )
    marked = [row[0] for row in table(block, "reading_cases").rows if "half a body apart" in row]
    assert marked == [a, a]
    assert "level" not in section_of(results).prose[0]


def test_a_consensus_is_told_and_counted_with_no_reader(results: StudyResults) -> None:
    a, b, *_ = results.table.cases
    block = section_of(results, consensus={a: "senior", b: ""})
    assert "A consensus was decided on in 2 cases." in block.prose[0]
    assert [row[0] for row in table(block, "readings").rows] == ["senior", "resident"]
    found = {row[0]: row[-1] for row in table(block, "reading_cases").rows}
    assert list(found.values()) == ["senior", "drawn anew", ""]


def test_comments_are_never_reported(results: StudyResults) -> None:
    room = room_of(results.table.cases[:1])
    told = replace(room.readings[0], record=record(60, comment="Mrs Canary", quality=("motion",)))
    block = reading_room(replace(results, readings=replace(room, readings=(told,))))
    assert block is not None
    every = "".join(t.csv() for t in (*block.tables, *block.files)) + "".join(block.prose)
    assert "Canary" not in every
    assert "motion" in every
