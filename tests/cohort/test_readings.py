"""Records of signed readings: written and read back as they were, anything else refused."""

import json
import string

import pytest
from hypothesis import given, strategies as st

from centrum.cohort.readings import (
    FLAGS,
    PROVENANCES,
    ClosedRoom,
    LevelMark,
    ReadingPair,
    ReadingPlace,
    ReadingRecord,
    SlicePair,
    counted_provenance,
    places_of,
    read_closed,
    read_signed,
    sessions_in,
    signed_path,
    write_closed,
    write_signed,
)
from centrum.errors import DataError

NUMBERS = st.floats(0, 1e6, allow_nan=False)
MARKS = st.builds(LevelMark, slice=st.integers(0, 40), x=NUMBERS, y=NUMBERS)
RECORDS = st.builds(
    ReadingRecord,
    digest=st.text(string.hexdigits, max_size=64),
    seconds=NUMBERS,
    strokes=st.dictionaries(st.text(max_size=8), st.integers(0, 99), max_size=3),
    provenance=st.lists(st.sampled_from([*PROVENANCES, None]), max_size=12).map(tuple),
    quality=st.lists(st.sampled_from(FLAGS), unique=True).map(tuple),
    comment=st.text(max_size=20),
    level=st.none() | MARKS,
    signed_utc=st.just("2026-11-30T05:29:11Z"),
    journal_line=st.integers(0, 9999),
    taken_from=st.sampled_from(["", "reader1", "union"]),
)
TOKENS = st.text("0123456789abcdef", min_size=1, max_size=32)


@given(st.dictionaries(TOKENS, RECORDS, max_size=4))
def test_what_is_written_is_read(tmp_path_factory, signed):
    study = tmp_path_factory.mktemp("study")
    path = write_signed(study, "reader1", "first", signed)
    assert path == study / "readings/reader1/first/signed.json"
    assert read_signed(study, "reader1", "first") == signed


def test_the_forms_of_the_file_are_those_of_the_room(tmp_path):
    """As the room's description spells them; another program may read the file."""
    record = ReadingRecord(
        digest="ab", seconds=61.5, strokes={"polygon": 3}, provenance=("nobody", "drawn", None),
        quality=("motion",), comment="c", level=LevelMark(slice=1, x=2.5, y=3.0),
        signed_utc="2026-11-30T05:29:11Z", journal_line=7,
    )  # fmt: skip
    content = json.loads(write_signed(tmp_path, "r", "s", {"0f": record}).read_text())
    assert content == {
        "0f": {
            "digest": "ab",
            "seconds": 61.5,
            "strokes": {"polygon": 3},
            "provenance": ["nobody", "drawn", None],
            "quality": ["motion"],
            "comment": "c",
            "level": {"slice": 1, "x": 2.5, "y": 3.0},
            "signed_utc": "2026-11-30T05:29:11Z",
            "journal_line": 7,
            "taken_from": "",
        }
    }


def test_equal_records_are_equal_bytes(tmp_path):
    one, two = (ReadingRecord(digest=d, seconds=1, provenance=("drawn",)) for d in "ab")
    first = write_signed(tmp_path, "r", "s", {"1": one, "2": two}).read_bytes()
    assert write_signed(tmp_path, "r", "s", {"2": two, "1": one}).read_bytes() == first


def test_nothing_signed_is_empty(tmp_path):
    assert read_signed(tmp_path, "reader1", "first") == {}
    assert list(sessions_in(tmp_path)) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"provenance": ["copied"]}, "0f.provenance.0"),
        ({"seconds": -1}, "0f.seconds"),
        ({"seconds": "NaN"}, "0f.seconds"),
        ({"quality": ["blurred"]}, "0f.quality.0"),
        ({"patient": "Anna"}, "0f.patient"),
        ({"level": {"slice": -1, "x": 0, "y": 0}}, "0f.level.slice"),
    ],
)
def test_another_content_is_refused_with_its_place(tmp_path, change, place):
    path = signed_path(tmp_path, "reader1", "first")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"0f": {"digest": "", "seconds": 1, "provenance": [], **change}}))
    with pytest.raises(DataError, match=f"reader1, session first: {place}") as caught:
        read_signed(tmp_path, "reader1", "first")
    assert caught.value.code == "bad-reading"


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a\\b"])
def test_a_reader_cannot_lead_elsewhere(tmp_path, name):
    with pytest.raises(DataError, match="no slash"):
        signed_path(tmp_path, name, "first")
    with pytest.raises(DataError, match="no slash"):
        signed_path(tmp_path, "reader1", name)


def test_sessions_are_found_in_their_order(tmp_path):
    for reader, session in (("reader2", "first"), ("reader1", "second"), ("reader1", "first")):
        write_signed(tmp_path, reader, session, {})
    assert list(sessions_in(tmp_path)) == [
        ("reader1", "first"), ("reader1", "second"), ("reader2", "first"),
    ]  # fmt: skip


def test_only_masks_among_the_readings_have_a_place():
    found = places_of(
        {
            "a": "study/readings/reader1/first/0f.seg.nrrd",
            "b": "study/masks/0f.seg.nrrd",
            "c": "readings/0f.seg.nrrd",
            "d": "readings/reader2/first/0f.nrrd",
            "e": "readings/reader2/second/1e.seg.nrrd#L1",
        }
    )
    assert found == {
        "a": ReadingPlace(reader="reader1", session="first", token="0f"),
        "e": ReadingPlace(reader="reader2", session="second", token="1e"),
    }


@given(st.lists(RECORDS, max_size=5))
def test_every_slice_with_a_provenance_is_counted_once(records):
    counts = counted_provenance(records)
    assert list(counts) == list(PROVENANCES)
    assert sum(counts.values()) == sum(p is not None for r in records for p in r.provenance)
    for record in records:
        assert sum(len(record.slices(p)) for p in PROVENANCES) + record.provenance.count(None) == (
            len(record.provenance)
        )


PIXELS = st.integers(0, 50)
SLICES = st.builds(
    lambda **known: SlicePair(**{**known, "common": min(known["pixels_a"], known["pixels_b"])}),
    slice=st.integers(0, 20),
    a=st.sampled_from([*PROVENANCES, None]),
    b=st.sampled_from([*PROVENANCES, None]),
    pixels_a=PIXELS,
    pixels_b=st.integers(1, 50),
)
PAIRS = st.builds(
    ReadingPair,
    reader_a=st.just("r1"),
    reader_b=st.sampled_from(["r2", "r1-second"]),
    token_a=TOKENS,
    token_b=TOKENS,
    intra=st.booleans(),
    slices=st.lists(SLICES, max_size=3).map(tuple),
    level_mm=st.none() | NUMBERS,
    height_mm=st.none() | NUMBERS,
)
CLOSINGS = st.builds(
    ClosedRoom,
    convention=st.sampled_from(["outer_edge", "mid_cortex", "marrow_edge"]),
    order_seed=st.integers(0, 9),
    shown=st.just(("age",)),
    assistance=st.just(("fill",)),
    scratch_share=st.none() | st.just(0.2),
    training=st.none() | st.just((3, 0.9)),
    digests=st.just({"readings/r1/first/0f.seg.nrrd": "ab"}),
    pairs=st.lists(PAIRS, max_size=2).map(tuple),
)


@given(CLOSINGS)
def test_a_closing_is_read_as_it_was_written(tmp_path_factory, closed):
    study = tmp_path_factory.mktemp("study")
    assert read_closed(study) is None
    write_closed(study, closed)
    assert read_closed(study) == closed


def test_a_closing_that_was_edited_is_refused(tmp_path):
    path = write_closed(tmp_path, ClosedRoom(convention="outer_edge", order_seed=1))
    path.write_text(path.read_text().replace("outer_edge", "anywhere"))
    with pytest.raises(DataError, match=r"closed\.json: convention.*--close"):
        read_closed(tmp_path)


@pytest.mark.parametrize(
    ("a", "b", "pixels", "made"),
    [
        ("drawn", "drawn", (5, 5), "drawn"),
        ("drawn", "filled", (5, 5), "filled"),
        ("filled_corrected", "drawn", (5, 5), "filled"),
        ("filled", "proposed", (5, 5), "proposed"),
        ("drawn", "proposed_corrected", (5, 5), "proposed"),
        ("drawn", "nobody", (5, 0), "one_only"),
        (None, "proposed", (0, 5), "one_only"),
    ],
)
def test_slices_are_told_apart_by_how_they_were_made(a, b, pixels, made):
    pair = SlicePair(slice=0, a=a, b=b, pixels_a=pixels[0], pixels_b=pixels[1], common=0)
    assert pair.made == made


@pytest.mark.parametrize(
    ("apart", "height", "other"),
    [(13.0, 26.0, False), (13.1, 26.0, True), (None, 26.0, False), (40.0, None, False)],
)
def test_marks_half_a_body_apart_are_of_another_level(apart, height, other):
    pair = ReadingPair(
        reader_a="a", reader_b="b", token_a="0", token_b="1", level_mm=apart, height_mm=height
    )
    assert pair.other_level is other
