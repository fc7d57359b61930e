"""The state is the replay of the journal; undo takes back exactly what was done."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from centrum.reading.desk import Desk
from centrum.reading.journal import read_journal
from centrum.reading.state import replay
from tests.reading.hands import Hand, small_study, square

SLICES = st.integers(0, 6)
EDITS = st.one_of(
    st.tuples(st.just("polygon"), SLICES, st.integers(2, 12)),
    st.tuples(st.just("runs"), SLICES, st.integers(0, 500)),
    st.tuples(st.just("nobody"), SLICES),
    st.tuples(st.just("clear"), SLICES),
    st.tuples(st.just("fill")),
)
STEPS = st.one_of(EDITS, st.tuples(st.just("undo")), st.tuples(st.just("redo")))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory):
    study = small_study(tmp_path_factory.mktemp("room") / "study", n=120)
    with Desk(study) as desk:
        yield desk


@pytest.fixture
def new_hand(desk: Desk):
    """Cases of a room, one after the other."""

    def take() -> Hand:
        works = desk.worklist("reader1")
        place = next(k for k, work in enumerate(works) if work["state"] == "new")
        hand = Hand.at(desk, place=place)
        hand.level()
        return hand

    return take


def do(hand: Hand, step: tuple) -> bool:
    """Do a step; whether it did something that undo takes back."""
    kind, *details = step
    if kind == "polygon":
        k, size = details
        hand.polygon(k, square(3, 4, size))
    elif kind == "runs":
        hand.runs(details[0], [details[1], 30])
    elif kind == "fill":
        if not hand.desk.between(hand.reader, hand.token)["slices"]:
            return False
        hand.fill()
    else:
        getattr(hand, kind)(*details)
    return True


quickly = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quickly
@given(st.lists(STEPS, max_size=14))
def test_replay_of_the_journal_is_the_state(new_hand, steps) -> None:
    hand = new_hand()
    for step in steps:
        possible = step[0] not in ("undo", "redo") or hand.state[step[0]]
        if possible:
            do(hand, step)
    shelf = hand.desk._shelves["reader1", "first"]
    lines = [each for each in read_journal(shelf.journal.path) if each.token == hand.token]
    kept = shelf.case(hand.token)
    assert replay(lines) == kept.state
    assert [*shelf.journal.lines_of(hand.token)] == lines
    assert kept.revision == len(lines) - 1 == hand.revision


@quickly
@given(st.lists(EDITS, max_size=6), EDITS)
def test_undo_after_an_edit_is_the_state_before_it(new_hand, before, step) -> None:
    hand = new_hand()
    for each in before:
        do(hand, each)
    old = hand.state
    if do(hand, step):
        new = hand.state
        assert hand.undo()["slices"] == old["slices"]
        assert hand.state["undo"] == old["undo"]
        assert hand.redo()["slices"] == new["slices"]


@quickly
@given(st.lists(EDITS, min_size=1, max_size=8))
def test_undo_to_the_beginning_and_back(new_hand, steps) -> None:
    hand = new_hand()
    states = [hand.state["slices"]]
    for step in steps:
        if do(hand, step):
            states.append(hand.state["slices"])
    for wanted in states[-2::-1]:
        assert hand.undo()["slices"] == wanted
    assert not hand.state["undo"]
    for wanted in states[1:]:
        assert hand.redo()["slices"] == wanted
    assert not hand.state["redo"]


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ([("polygon", 3, 5)], "drawn"),
        ([("polygon", 3, 5), ("runs", 3, 90)], "drawn"),
        ([("polygon", 3, 5), ("clear", 3)], None),
        ([("nobody", 3)], "nobody"),
        ([("nobody", 3), ("polygon", 3, 5)], "drawn"),
        ([("fill",)], "filled"),
        ([("fill",), ("polygon", 3, 5)], "filled_corrected"),
        ([("fill",), ("runs", 3, 90), ("polygon", 3, 5)], "filled_corrected"),
        ([("fill",), ("clear", 3)], None),
        ([("fill",), ("clear", 3), ("polygon", 3, 5)], "drawn"),
        ([("fill",), ("nobody", 3)], "nobody"),
        ([("fill",), ("polygon", 3, 5), ("undo",)], "filled"),
        ([("fill",), ("undo",)], None),
        ([("fill",), ("polygon", 2, 12), ("fill",)], "filled"),
    ],
)
def test_provenance(new_hand, steps: list[tuple], wanted: str | None) -> None:
    hand = new_hand()
    hand.polygon(1, square(3, 4, 6))
    hand.polygon(5, square(3, 4, 9))
    for step in steps:
        do(hand, step)
    assert hand.state["slices"][3]["provenance"] == wanted


def test_time_goes_on_and_never_back(new_hand) -> None:
    hand = new_hand()
    hand.seconds = 100
    hand.nobody(0)
    hand.seconds = 10
    hand.nobody(1)
    assert hand.state["seconds"] == 102


def test_vertices_are_kept_as_they_were_set(new_hand) -> None:
    hand = new_hand()
    points = [[3.25, 4.1], [9.333333333333334, 4], [5, 1e-17]]
    hand.polygon(2, points, square(12, 12, 4))
    content = hand.state["slices"][2]["content"]
    assert content["kind"] == "polygons"
    assert [[*map(list, each)] for each in content["polygons"]] == [points, square(12, 12, 4)]


def test_states_of_few_cases_are_in_memory(desk: Desk, new_hand) -> None:
    hands = [new_hand() for _ in range(9)]
    assert len(desk._shelves["reader1", "first"]._cases) == 6
    assert len(desk._box) == 3
    assert hands[0].polygon(2, square(3, 4, 5))["revision"] == 2
