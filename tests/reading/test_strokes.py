"""Whatever is sent is an edit or refused with one kind of error."""

import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from centrum.errors import DataError
from centrum.reading.desk import Desk
from centrum.reading.forms import LONGEST_COMMENT, read_text
from centrum.reading.raster import slice_digest
from centrum.reading.strokes import MOST_POINTS, read_edit
from tests.reading.hands import Hand, small_study, square

SHAPE = (6, 7)


def sent(**fields: object) -> dict:
    whole = {
        "id": "0123456789abcdef" * 2,
        "tool": "brush",
        "content": {"kind": "runs", "runs": [3, 4]},
        "after": slice_digest((3, 4), SHAPE),
        "seconds": 2,
    }
    return whole | fields


def test_an_edit_is_read() -> None:
    edit = read_edit(sent(), SHAPE)
    assert (edit.tool, edit.runs, edit.seconds) == ("brush", (3, 4), 2.0)
    polygons = {"kind": "polygons", "polygons": [square(1, 1, 2), []]}
    edit = read_edit(sent(tool="polygon", content=polygons), SHAPE)
    assert edit.runs == (8, 2, 15, 2)
    assert edit.content.as_json()["polygons"][0][1] == (3.0, 1.0)  # type: ignore[union-attr]


def polygons(*points: object) -> dict:
    return sent(tool="polygon", content={"kind": "polygons", "polygons": [[*points]]})


WRONG = {
    "no object": [1],
    "nothing": None,
    "a field less": {k: v for k, v in sent().items() if k != "seconds"},
    "a field more": sent(more=1),
    "an id in capitals": sent(id="A" * 32),
    "a short id": sent(id="a" * 31),
    "an id with a newline": sent(id="a" * 32 + "\n"),
    "a number as id": sent(id=7),
    "another tool": sent(tool="pencil"),
    "a list as tool": sent(tool=[]),
    "a tool that cannot make it": sent(tool="polygon"),
    "clear with content": sent(tool="clear"),
    "nobody with runs": sent(tool="nobody"),
    "nothing by brush": sent(content=None),
    "another kind": sent(content={"kind": "voxels"}),
    "nobody and more": sent(tool="nobody", content={"kind": "nobody", "runs": []}),
    "runs twice": sent(content={"kind": "runs", "runs": [1], "polygons": []}),
    "true among runs": sent(content={"kind": "runs", "runs": [True, 1]}),
    "a fraction among runs": sent(content={"kind": "runs", "runs": [1.0, 1]}),
    "runs that touch": sent(content={"kind": "runs", "runs": [1, 2, 3, 1]}),
    "runs beyond": sent(content={"kind": "runs", "runs": [40, 3]}),
    "a huge run": sent(content={"kind": "runs", "runs": [1, 10**30]}),
    "no digest": sent(after="x" * 16),
    "a short digest": sent(after="0" * 15),
    "no digest at all": sent(after=None),
    "time before": sent(seconds=-1),
    "no time": sent(seconds=True),
    "endless time": sent(seconds=float("inf")),
    "no number": sent(seconds=float("nan")),
    "a huge number": sent(seconds=10**400),
    "time as text": sent(seconds="2"),
    "a point of three": polygons([1, 2, 3]),
    "a point of texts": polygons(["1", "2"]),
    "a point without end": polygons([1, float("inf")]),
    "no point": polygons([1, float("nan")]),
    "left of it": polygons([-1.001, 2]),
    "right of it": polygons([7.001, 2]),
    "above it": polygons([1, -1.001]),
    "below it": polygons([1, 6.001]),
    "too many points": polygons(*[[1, 1]] * (MOST_POINTS + 1)),
    "too many polygons": sent(
        tool="polygon", content={"kind": "polygons", "polygons": [[]] * (MOST_POINTS + 1)}
    ),
    "polygons as text": sent(tool="polygon", content={"kind": "polygons", "polygons": "ab"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_other_edits_are_refused(name: str) -> None:
    with pytest.raises(DataError) as error:
        read_edit(WRONG[name], SHAPE)
    assert error.value.code in ("bad-edit", "bad-runs")


@pytest.mark.parametrize(("x", "y"), [(-1, -1), (7, 6), (0, 6), (7, -1)])
def test_a_pixel_beyond_the_slice_is_allowed(x: float, y: float) -> None:
    read_edit(polygons([x, y], [3, 3], [1, 2]), SHAPE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["kind", "runs", "polygons", "id", "x"]) | st.text(), inner,
                      max_size=4),
    max_leaves=12,
)  # fmt: skip
FIELDS = ("id", "tool", "content", "after", "seconds")


@given(JSON, st.sampled_from(FIELDS), JSON)
@settings(max_examples=200)
def test_any_json_is_an_edit_or_refused(anything, field, value) -> None:
    runs, points = ({"kind": kind, kind: value} for kind in ("runs", "polygons"))
    for edit in (anything, sent(**{field: value}), sent(content=runs),
                 sent(tool="polygon", content=points)):  # fmt: skip
        with suppress(DataError):
            read_edit(edit, SHAPE)


def test_what_was_sent_is_not_repeated() -> None:
    for field in FIELDS:
        with pytest.raises(DataError) as error:
            read_edit(sent(**{field: "CANARY"}), SHAPE)
        assert "CANARY" not in str(error.value)


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[2J", "\ud800", "a" * (LONGEST_COMMENT + 1), 7])
def test_other_comments_are_refused(text: object) -> None:
    with pytest.raises(DataError):
        read_text(text)


def test_comments_may_be_of_any_language_and_several_lines() -> None:
    assert read_text("Deckplatte unscharf\n椎体") == "Deckplatte unscharf\n椎体"


def test_random_words_to_every_verb_are_refused_and_change_nothing(tmp_path: Path) -> None:
    chance = random.Random(3)
    with Desk(small_study(tmp_path / "study")) as desk:
        hand = Hand.at(desk)
        hand.level()
        hand.polygon(1, square(3, 3, 5))
        state = hand.state
        for _ in range(400):
            values = [_anything(chance) for _ in range(4)]
            for verb in _verbs(hand, *values):
                try:
                    verb()
                except DataError:
                    pass
                else:
                    raise AssertionError(values)
        assert hand.state == state


def _verbs(hand: Hand, one, two, three, four):
    desk, token, revision = hand.desk, hand.token, hand.revision
    name = {"id": "a" * 32}
    yield lambda: desk.edit("reader1", token, one, two, revision)
    yield lambda: desk.edit("reader1", token, 2, two, revision)
    yield lambda: desk.edit("reader1", token, one, hand.sent("clear", None), three or "0")
    yield lambda: desk.level("reader1", token, one, revision)
    yield lambda: desk.level("reader1", token, {**name, "slice": one, "x": two, "y": "a"}, revision)
    yield lambda: desk.quality("reader1", token, {**name, "flags": one, "comment": 7}, revision)
    yield lambda: desk.quality("reader1", token, {**name, "flags": "m", "comment": ""}, revision)
    yield lambda: desk.fill("reader1", token, {**name, "digests": one}, revision)
    yield lambda: desk.fill("reader1", token, {**name, "digests": {"2": two}}, revision)
    yield lambda: desk.submit("reader1", token, one, revision)
    yield lambda: desk.reopen("reader1", token, {**name, "reason": one})
    yield lambda: desk.undo("reader1", token, one, two)
    yield lambda: desk.undo("reader1", token, "b" * 32, f"{two}")
    yield lambda: desk.redo("reader1", token, "c" * 32, revision)
    yield lambda: desk.use_proposal("reader1", token, name, revision)
    yield lambda: desk.between("reader1", token, "three")
    yield lambda: desk.pixels("reader1", token, f"{four}")
    yield lambda: desk.open("reader1", one)
    yield lambda: desk.open(f"{one}", token)
    yield lambda: desk.training_result("reader1", token)


def _anything(chance: random.Random, depth: int = 0):
    kinds = [None, True, -1, 99, 2.5, 10**40, float("nan"), "", "a" * 32, "\ud800", "reader2"]
    if depth > 2 or chance.random() < 0.6:
        return chance.choice(kinds)
    values = [_anything(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    if chance.random() < 0.5:
        return values
    return {chance.choice(["id", "kind", "runs", "2", "content"]): v for v in values}
