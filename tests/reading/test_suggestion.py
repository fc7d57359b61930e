from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.errors import DataError
from centrum.reading.desk import Desk
from centrum.reading.raster import mask_of
from centrum.reading.suggestion import MOST_CLICKS, suggested
from tests.reading.hands import Hand, small_study, write_room

BRIGHT = np.zeros((20, 30))
BRIGHT[5:15, 8:22] = 100.0
WIRE = {"tool": "livewire", "points": [[8, 5], [21, 5], [21, 14]], "closed": True}
GROWN = {"tool": "growcut", "inside": [10 * 30 + 14, 2], "outside": [0, 30, 19 * 30, 30]}


def test_a_wire_is_a_polygon_through_the_clicks():
    (polygon,) = suggested(WIRE, BRIGHT, (1, 1)).polygons
    assert [list(point) for point in polygon if list(point) in WIRE["points"]] == WIRE["points"]


def test_an_open_wire_ends_at_its_last_click():
    (line,) = suggested({**WIRE, "closed": False}, BRIGHT, (1, 1)).polygons
    assert (line[0], line[-1]) == ((8, 5), (21, 14))


def test_what_grows_is_runs():
    found = suggested(GROWN, BRIGHT, (1, 1))
    assert (mask_of(found.runs, BRIGHT.shape) == (BRIGHT > 0)).all()


@pytest.mark.parametrize(
    "sent",
    [
        {"tool": "polygon"},
        {**WIRE, "closed": None, "more": 1},
        {**WIRE, "points": [[1, 1]] * (MOST_CLICKS + 1)},
        {**WIRE, "points": [[1, 1], [90, 1]]},
        {**GROWN, "inside": [10**9, 2]},
        {**GROWN, "inside": []},
    ],
)
def test_what_cannot_be_understood_is_refused(sent):
    with pytest.raises(DataError) as refused:
        suggested(sent, BRIGHT, (1, 1))
    assert refused.value.code in {"bad-edit", "bad-runs", "grow-cut-strokes"}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["points", "tool"]), inner),
)


@given(tool=st.sampled_from(["livewire", "growcut"]), one=anything, other=anything)
def test_nothing_that_is_sent_ends_in_a_fault(tool, one, other):
    names = {"livewire": ("points", "closed"), "growcut": ("inside", "outside")}[tool]
    sent = {"tool": tool, **dict(zip(names, (one, other), strict=True))}
    with suppress(DataError):
        suggested(sent, BRIGHT, (1, 1))


@pytest.fixture
def smart(tmp_path) -> Hand:
    small_study(tmp_path)
    write_room(tmp_path, "training: {cases: 0}\nassistance: {livewire: true}\n")
    with Desk(tmp_path) as desk:
        yield Hand.at(desk)


def test_the_desk_offers_what_the_study_allows_once_the_level_is_placed(smart):
    wire = {"tool": "livewire", "points": [[3, 3], [12, 3]], "closed": False}
    with pytest.raises(DataError) as early:
        smart.desk.suggest(smart.reader, smart.token, 2, wire)
    smart.level()
    with pytest.raises(DataError) as other:
        smart.desk.suggest(smart.reader, smart.token, 2, GROWN)
    with pytest.raises(DataError) as beyond:
        smart.desk.suggest(smart.reader, smart.token, 7, wire)
    assert [e.value.code for e in (early, other, beyond)] == [
        "level-first", "not-allowed", "bad-edit",
    ]  # fmt: skip
    offered = smart.desk.suggest(smart.reader, smart.token, 2, wire)["content"]
    assert offered["polygons"][0][0] == (3, 3)
    assert all(each["content"] is None for each in smart.state["slices"])


def test_what_is_offered_is_kept_under_the_name_of_its_tool(smart):
    smart.level()
    wire = {"tool": "livewire", "points": [[3, 3], [12, 3], [9, 14]], "closed": True}
    offered = smart.desk.suggest(smart.reader, smart.token, 2, wire)["content"]
    content = {**offered, "polygons": [[list(point) for point in offered["polygons"][0]]]}
    smart.put(2, "livewire", content)
    assert smart.state["slices"][2]["provenance"] == "drawn"
