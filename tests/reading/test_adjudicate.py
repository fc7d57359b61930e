"""Adjudication: a consensus is one of the readings, or made of them, and a reading of its own."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from centrum.cohort.readings import CONSENSUS, read_signed
from centrum.errors import DataError
from centrum.io.open import read_masks
from centrum.reading.adjudicate import adjudicate, decide, taken_outline
from centrum.reading.close import close_room
from centrum.reading.desk import Desk
from centrum.reading.finished import finished_room
from centrum.reading.journal import read_journal
from centrum.reading.refusals import UnknownTicket
from centrum.study.readings import readings_of
from centrum.study.study import open_study
from tests.reading.hands import Hand, square
from tests.reading.rooms import case_of, hand_of, read_study
from tests.studies import make_study

JOURNAL = "readings/consensus/first/journal.jsonl"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return read_study(tmp_path / "study")


def refused(code: str):
    return pytest.raises(DataError, check=lambda error: error.code == code)


def masks(study: Path) -> dict[str, dict[str, np.ndarray]]:
    """By case and column, what the closed manifest names."""
    close_room(study)
    rows = csv.DictReader(io.StringIO((study / "cases.csv").read_text()))
    return {
        row["case"]: {
            head.removeprefix("mask:"): read_masks(study / source)[0].array
            for head, source in row.items()
            if head.startswith("mask:") and source
        }
        for row in rows
    }


def test_a_readers_outline_becomes_the_consensus(study: Path) -> None:
    done = adjudicate(study, {"P000": "reader2", "P001": "reader1"}, "the dorsal edge")
    assert done.taken == {"P000": "reader2", "P001": "reader1"}
    found = masks(study)
    assert (found["P000"][CONSENSUS] == found["P000"]["reader2"]).all()
    assert (found["P001"][CONSENSUS] == found["P001"]["reader1"]).all()
    records = read_signed(study, CONSENSUS, "first").values()
    assert {record.taken_from for record in records} == {"reader1", "reader2"}
    for record in records:
        (source,) = {r.provenance for r in read_signed(study, record.taken_from, "first").values()}
        assert record.provenance == source
    kinds = [line.kind for line in read_journal(study / JOURNAL)]
    assert kinds == ["open", "level", "proposal", "submit"] * 2
    reasons = [
        line.payload["reason"] for line in read_journal(study / JOURNAL) if line.kind == "proposal"
    ]
    assert reasons == ["the dorsal edge"] * 2


@pytest.mark.parametrize("name", ["union", "intersection"])
def test_it_can_be_made_of_both(study: Path, name: str) -> None:
    adjudicate(study, {"P000": name}, "both are right")
    found = masks(study)
    a, b = found["P000"]["reader1"], found["P000"]["reader2"]
    assert (found["P000"][CONSENSUS] == (a | b if name == "union" else a & b)).all()
    assert CONSENSUS not in found["P001"]
    (record,) = read_signed(study, CONSENSUS, "first").values()
    assert record.provenance == ("nobody", *["proposed"] * 4, "nobody", "nobody")


def test_the_same_decision_twice_is_one(study: Path) -> None:
    adjudicate(study, {"P000": "reader2"}, "the dorsal edge")
    before = (study / JOURNAL).read_bytes()
    again = adjudicate(study, {"P000": "reader2"}, "the dorsal edge")
    assert again.anew == ()
    assert "as before" in next(again.lines())
    assert (study / JOURNAL).read_bytes() == before


def test_another_decision_reopens_with_its_reason(study: Path) -> None:
    adjudicate(study, {"P000": "reader2"}, "first thought")
    adjudicate(study, {"P000": "reader1"}, "second thought")
    found = masks(study)
    assert (found["P000"][CONSENSUS] == found["P000"]["reader1"]).all()
    (reopened,) = [line for line in read_journal(study / JOURNAL) if line.kind == "reopen"]
    assert reopened.payload["reason"] == "second thought"


def test_a_reader_who_signed_anew_is_decided_on_anew(study: Path) -> None:
    adjudicate(study, {"P000": "reader2"}, "the dorsal edge")
    with Desk(study) as desk:
        hand = hand_of(desk, "reader2", "P000")
        hand.reopen()
        hand.polygon(3, square(5, 5, 9))
        hand.submit()
    assert adjudicate(study, {"P000": "reader2"}, "the dorsal edge").anew == ("P000",)
    found = masks(study)
    assert (found["P000"][CONSENSUS] == found["P000"]["reader2"]).all()


def test_the_lead_can_draw_anew_from_both(study: Path) -> None:
    """As in the room: the union is laid down, a slice corrected, and then it is signed."""
    finished = finished_room(study)
    with Desk(study) as desk:
        taken = taken_outline(finished, "P000", "union")
        token, state = decide(desk, "P000", taken, "too narrow", sign=False)
        assert not state["signed"]
        assert [work["token"] for work in desk.worklist(CONSENSUS)] == [token]
        hand = Hand(desk, CONSENSUS, token).open()
        hand.polygon(3, square(4, 4, 12))
        hand.undo()
        assert desk._shelves[CONSENSUS, "first"].case(token).state.taken_from == "union"
        hand.redo()
        hand.submit()
        for reader in ("reader1", "reader2"):
            assert token not in [work["token"] for work in desk.worklist(reader)]
            with pytest.raises(UnknownTicket):
                desk.open(reader, token)
    (record,) = read_signed(study, CONSENSUS, "first").values()
    assert record.taken_from == ""
    assert record.provenance[3] == "proposed_corrected"
    assert masks(study)["P000"][CONSENSUS][3].sum() == 144


def test_nothing_is_decided_before_all_have_signed(study: Path) -> None:
    with Desk(study) as desk:
        hand_of(desk, "reader2", "P001").reopen()
    with refused("not-both-signed"):
        adjudicate(study, {"P000": "reader1", "P001": "reader1"}, "why not")
    assert not (study / JOURNAL).exists()


@pytest.mark.parametrize(
    ("decisions", "reason", "code"),
    [
        ({"P000": "reader1"}, "  ", "no-reason"),
        ({"P009": "reader1"}, "a", "no-case"),
        ({"P000": "reader3"}, "a", "no-outline"),
        ({"P000": "consensus"}, "a", "no-outline"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    study: Path, decisions: dict, reason: str, code: str
) -> None:
    with refused(code):
        adjudicate(study, decisions, reason)
    assert not (study / JOURNAL).exists()


@pytest.mark.parametrize("name", ["reader2", "union"])
def test_slices_of_which_nothing_is_said_are_no_consensus(study: Path, name: str) -> None:
    with Desk(study) as desk:
        hand = hand_of(desk, "reader2", "P001")
        hand.reopen()
        hand.quality("not_measurable")
        hand.clear(6)
        hand.submit()
    with refused("slices-unread") as caught:
        adjudicate(study, {"P000": "reader1", "P001": name}, "a")
    assert "P001: of slices 7" in caught.value.message
    assert not (study / JOURNAL).exists()


def test_an_open_room_is_not_adjudicated_behind_its_back(study: Path) -> None:
    with Desk(study), refused("journal-open"):
        adjudicate(study, {"P000": "reader1"}, "a")


def test_a_consensus_is_no_reader_that_agrees_with_others(study: Path) -> None:
    adjudicate(study, {"P000": "reader1"}, "a")
    pairs = list(finished_room(study).pairs())
    assert {(a.column, b.column) for a, b in pairs} == {("reader1", "reader2")}
    close_room(study)  # which asks for no consensus of the other case
    found = readings_of(open_study(study))
    assert found is not None
    assert found.taken_from() == {"reader1": 1}
    assert found.readers == ("reader1", "reader2")


def test_a_restart_keeps_the_record_of_a_consensus(study: Path) -> None:
    adjudicate(study, {"P000": "reader1"}, "a")
    before = read_signed(study, CONSENSUS, "first")
    with Desk(study) as desk:
        (token,) = before
        assert case_of(desk, token) == "P000"
    assert read_signed(study, CONSENSUS, "first") == before


def test_a_consensus_is_measured_only_as_the_primary_reader(study: Path) -> None:
    adjudicate(study, {"P000": "reader1"}, "a")
    close_room(study)
    assert open_study(study).readers == ("reader1", "reader2")
    with (study / "study.yaml").open("a") as protocol:
        protocol.write("images: {reader: consensus}\n")
    assert open_study(study).readers == ("consensus", "reader1", "reader2")


def test_a_column_called_consensus_from_elsewhere_stays_a_reader(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", 2)
    text = (study / "cases.csv").read_text().replace("mask:resident", "mask:consensus")
    (study / "cases.csv").write_text(text)
    assert open_study(study).readers == ("senior", "consensus")
