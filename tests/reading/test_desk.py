"""The desk, verb by verb."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from centrum.cohort.readings import read_signed
from centrum.errors import DataError
from centrum.io import read_image, read_mask
from centrum.reading.desk import Desk
from centrum.reading.raster import mask_of, slice_digest
from centrum.reading.refusals import DigestDiffers, SlicesUnread, StaleRevision, UnknownTicket
from centrum.volume import content_digest
from tests.reading.hands import Hand, new_id, small_study, square, write_room


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return small_study(tmp_path / "study")


@pytest.fixture
def desk(study: Path) -> Iterator[Desk]:
    with Desk(study) as desk:
        yield desk


def refused(code: str):
    return pytest.raises(DataError, check=lambda error: error.code == code)


def test_a_case_is_read_and_its_mask_lies_on_the_image(study: Path, desk: Desk) -> None:
    hand = Hand.at(desk).read()
    (record,) = read_signed(study, "reader1", "first").values()
    assert record.provenance == (
        "nobody", "drawn", "filled", "drawn", "filled", "drawn", "nobody"
    )  # fmt: skip
    assert dict(record.strokes) == {"polygon": 3, "fill": 1, "nobody": 2}
    case = desk._book.get(hand.token).case  # type: ignore[union-attr]
    image = read_image(study / f"images/{case}.nrrd")
    mask = read_mask(study / f"readings/reader1/first/{hand.token}.seg.nrrd", image)
    assert mask.name == hand.view["level"]
    assert content_digest(mask) == record.digest
    assert np.flatnonzero(mask.array.any(axis=(1, 2))).tolist() == [1, 2, 3, 4, 5]
    assert mask.array[3].sum() == 81


def test_what_was_read_is_there_after_a_restart(study: Path) -> None:
    with Desk(study) as desk:
        hand = Hand.at(desk)
        hand.level()
        hand.polygon(2, square(3, 3, 4))
        state = hand.state
    with Desk(study) as desk:
        assert desk.open("reader1", hand.token)["state"] == state
        assert desk.worklist("reader1")[0]["state"] == "begun"


def test_foreign_and_unknown_tokens_are_the_same(desk: Desk) -> None:
    foreign = desk.worklist("reader2")[0]["token"]
    desk.open("reader2", foreign)
    told = set()
    for token in (foreign, "0" * 32, "", None):
        with pytest.raises(UnknownTicket) as error:
            desk.open("reader1", token)  # type: ignore[arg-type]
        told.add((str(error.value), error.value.code, error.value.remedy))
    assert len(told) == 1


def test_an_id_that_is_sent_twice_is_done_once(desk: Desk) -> None:
    hand = Hand.at(desk)
    hand.level()
    sent = hand.sent("polygon", {"kind": "polygons", "polygons": [square(3, 3, 4)]})
    first = desk.edit("reader1", hand.token, 2, sent, hand.revision)
    hand.revision = first["revision"]
    hand.polygon(2, square(4, 4, 4))
    lines = desk._shelves["reader1", "first"].journal.lines
    before = len(list(lines()))
    assert desk.edit("reader1", hand.token, 2, sent, 1) == first
    assert len(list(lines())) == before
    with refused("id-used"):
        desk.edit("reader1", hand.token, 3, sent, hand.revision)


def test_a_stale_revision_is_told_the_newer_state(desk: Desk) -> None:
    hand = Hand.at(desk)
    hand.level()
    hand.polygon(2, square(3, 3, 4))
    hand.revision -= 1
    with pytest.raises(StaleRevision) as error:
        hand.nobody(4)
    assert error.value.state == hand.state
    assert hand.state["slices"][4]["content"] is None


def test_other_pixels_than_the_page_shows_are_refused(desk: Desk) -> None:
    hand = Hand.at(desk)
    hand.level()
    with pytest.raises(DigestDiffers) as error:
        hand.put(2, "polygon", {"kind": "polygons", "polygons": [square(3, 3, 4)]}, after="0" * 16)
    runs = [r for i in range(3, 7) for r in (i * 26 + 3, 4)]
    assert error.value.expected == slice_digest(runs, (24, 26))


def test_the_level_comes_first(desk: Desk) -> None:
    hand = Hand.at(desk)
    with refused("level-first"):
        hand.nobody(2)
    assert hand.level(k=4, x=1.5, y=2)["level"] == {"slice": 4, "x": 1.5, "y": 2}
    hand.nobody(2)


def test_submit_names_the_slices_of_which_nothing_is_said(desk: Desk) -> None:
    hand = Hand.at(desk)
    hand.level()
    hand.polygon(1, square(3, 3, 4))
    hand.polygon(5, square(3, 3, 4))
    with pytest.raises(SlicesUnread, match="1, 3, 4, 5 and 7") as error:
        hand.submit()
    assert error.value.slices == (0, 2, 3, 4, 6)


def test_what_cannot_be_measured_is_signed_without_an_outline(study: Path, desk: Desk) -> None:
    hand = Hand.at(desk)
    hand.quality("not_measurable", "motion", comment="an implant")
    hand.submit()
    (record,) = read_signed(study, "reader1", "first").values()
    assert (record.quality, record.comment) == (("motion", "not_measurable"), "an implant")
    assert record.digest == ""
    assert not list((study / "readings/reader1/first").glob("*.seg.nrrd"))


def test_a_case_without_any_body_is_not_signed(desk: Desk) -> None:
    hand = Hand.at(desk)
    hand.level()
    for k in range(7):
        hand.nobody(k)
    with refused("nothing-drawn"):
        hand.submit()


def test_nothing_changes_in_a_signed_case_until_it_is_reopened(study: Path, desk: Desk) -> None:
    hand = Hand.at(desk).read()
    for verb in (lambda: hand.clear(3), hand.undo, hand.submit, lambda: hand.quality("motion")):
        with refused("signed"):
            verb()
    with refused("no-reason"):
        hand.reopen("  ")
    hand.reopen()
    assert read_signed(study, "reader1", "first") == {}
    hand.polygon(4, square(7, 7, 8))
    hand.submit()
    (record,) = read_signed(study, "reader1", "first").values()
    assert record.provenance[4] == "filled_corrected"


def test_undo_and_redo_go_through_a_fill_in_one_step(desk: Desk) -> None:
    hand = Hand.at(desk)
    hand.level()
    hand.polygon(1, square(3, 3, 4))
    hand.polygon(5, square(3, 3, 6))
    before = hand.state["slices"]
    filled = hand.fill()["slices"]
    assert [s["provenance"] for s in filled[1:6]] == ["drawn", *["filled"] * 3, "drawn"]
    assert hand.undo()["slices"] == before
    assert hand.redo()["slices"] == filled
    hand.undo()
    hand.nobody(0)
    with refused("nothing-to-redo"):
        hand.redo()


def test_a_corrected_slice_draws_the_fill_anew(desk: Desk) -> None:
    hand = Hand.at(desk)
    hand.level()
    hand.polygon(1, square(3, 3, 4))
    hand.polygon(5, square(3, 3, 6))
    hand.fill()
    assert desk.between("reader1", hand.token) == {"slices": {}}
    hand.polygon(3, square(3, 3, 12))
    again = desk.between("reader1", hand.token)["slices"]
    assert sorted(again) == ["2", "4"]
    assert hand.state["slices"][3]["provenance"] == "filled_corrected"
    assert mask_of(again["4"], (24, 26)).sum() > 36


def test_a_fill_that_was_not_shown_is_refused(desk: Desk) -> None:
    hand = Hand.at(desk)
    hand.level()
    hand.polygon(1, square(3, 3, 4))
    hand.polygon(3, square(3, 3, 6))
    shown = desk.between("reader1", hand.token)["slices"]
    digests = {k: slice_digest(runs, hand.shape) for k, runs in shown.items()}
    hand.polygon(3, square(3, 3, 14))
    with refused("fill-changed"):
        desk.fill("reader1", hand.token, {"id": new_id(), "digests": digests}, hand.revision)
    with refused("fill-changed"):
        other = {"4": slice_digest((), hand.shape)}
        desk.fill("reader1", hand.token, {"id": new_id(), "digests": other}, hand.revision)


def test_tools_that_the_study_has_not_are_refused(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", room="assistance: {fill: false}\n")
    with Desk(study) as desk:
        hand = Hand.at(desk, place=3)
        hand.level()
        for verb in (hand.fill, lambda: hand.polygon(1, square(2, 2, 4), tool="livewire")):
            with refused("not-allowed"):
                verb()


def test_other_choices_are_refused_once_something_was_read(study: Path) -> None:
    with Desk(study) as desk:
        Hand.at(desk)
    write_room(study, "training: {cases: 0}\nconvention: marrow_edge\n")
    with refused("room-changed"):
        Desk(study)
    write_room(study, "training: {cases: 0}\nsessions: [first, second]\nidle_minutes: 3\n")
    with Desk(study) as desk:
        assert desk.worklist("reader1")[0]["state"] == "begun"


def test_one_server_at_a_time(study: Path, desk: Desk) -> None:
    with refused("journal-open"):
        Desk(study)
    desk.close()
    Desk(study).close()


def test_every_verb_may_be_sent_again_even_after_a_restart(study: Path) -> None:
    """The same request gets the same answer, and the journal no second line."""
    with Desk(study) as desk:
        hand = Hand.at(desk)
        asked = requests(hand)
        lines = len([*desk._shelves["reader1", "first"].journal.lines()])
        assert [ask(desk) for ask, _ in asked] == [answer for _, answer in asked]
    with Desk(study) as desk:
        assert [ask(desk) for ask, _ in asked] == [answer for _, answer in asked]
        assert len([*desk._shelves["reader1", "first"].journal.lines()]) == lines == 1 + len(asked)


def requests(hand: Hand) -> list[tuple[Callable[[Desk], object], object]]:
    """One request of each kind, as it can be repeated, with its answer."""
    asked: list[tuple[Callable[[Desk], object], object]] = []
    token = hand.token

    def ask(request: Callable[[Desk], object]) -> None:
        answer = request(hand.desk)
        hand.revision = answer["revision"]  # type: ignore[index]
        asked.append((request, answer))

    def edit(k: int, size: float) -> None:
        content = {"kind": "polygons", "polygons": [square(4, 4, size)]}
        sent, revision = hand.sent("polygon", content), hand.revision
        ask(lambda desk: desk.edit("reader1", token, k, sent, revision))

    def say(verb: str, **words: object) -> None:
        sent, revision = {"id": new_id(), **words}, hand.revision
        rest = () if verb == "reopen" else (revision,)
        ask(lambda desk: getattr(desk, verb)("reader1", token, sent, *rest))

    def step(verb: str) -> None:
        name, revision = new_id(), hand.revision
        ask(lambda desk: getattr(desk, verb)("reader1", token, name, revision))

    say("level", slice=3, x=4, y=5)
    edit(1, 5)
    edit(4, 7)
    shown = hand.desk.between("reader1", token)["slices"]
    say("fill", digests={k: slice_digest(runs, hand.shape) for k, runs in shown.items()})
    step("undo")
    step("redo")
    say("quality", flags=["not_measurable"], comment="")
    say("submit")
    say("reopen", reason="once more")
    return asked


@pytest.mark.parametrize(
    ("verb", "words", "others"),
    [
        ("level", {"slice": 3, "x": 4, "y": 5}, {"slice": 3, "x": 4, "y": 6}),
        ("quality", {"flags": [], "comment": "a"}, {"flags": [], "comment": "b"}),
    ],
)
def test_other_words_under_the_same_id_are_refused(
    desk: Desk, verb: str, words: dict, others: dict
) -> None:
    hand, name = Hand.at(desk), new_id()
    said = getattr(desk, verb)("reader1", hand.token, {"id": name, **words}, 0)
    with refused("id-used"):
        getattr(desk, verb)("reader1", hand.token, {"id": name, **others}, said["revision"])
    with refused("id-used"):
        desk.undo("reader1", hand.token, name, said["revision"])


@pytest.mark.parametrize("revision", [True, 1.0, "1", None, [1]])
def test_a_revision_is_a_whole_number(desk: Desk, revision: object) -> None:
    hand = Hand.at(desk)
    hand.level()
    with pytest.raises(StaleRevision):
        desk.edit("reader1", hand.token, 2, hand.sent("clear", None), revision)
    desk.edit("reader1", hand.token, 2, hand.sent("clear", None), 1)


def test_the_worklist_follows_what_is_done(desk: Desk) -> None:
    def listed() -> tuple:
        work = desk.worklist("reader1")[0]
        return work["state"], work["slices"], work["done"]

    assert listed() == ("new", None, 0)
    hand = Hand.at(desk)
    assert listed() == ("begun", 7, 0)
    hand.level()
    hand.nobody(0)
    assert listed() == ("begun", 7, 1)
    hand.undo()
    assert listed() == ("begun", 7, 0)
    hand.polygon(1, square(8, 7, 6))
    hand.polygon(5, square(8, 7, 6))
    hand.fill()
    hand.nobody(0)
    hand.nobody(6)
    hand.submit()
    assert listed() == ("signed", 7, 7)
    hand.reopen()
    assert listed() == ("begun", 7, 7)
    assert desk.progress()["reader1"] == {"cases": 3, "begun": 1, "signed": 0}
    with pytest.raises(UnknownTicket):
        desk.worklist("nobody")


def test_the_worklist_tells_level_time_and_slices(tmp_path: Path):
    with Desk(small_study(tmp_path / "study")) as desk:
        new = desk.worklist("reader1")[0]
        hand = Hand.at(desk)
        assert (new["level"], new["seconds"], new["slices"]) == (hand.view["level"], 0, None)
        hand.level()
        hand.seconds = 40
        hand.nobody(0)
        begun = desk.worklist("reader1")[0]
        assert (begun["seconds"], begun["slices"], begun["done"]) == (42, 7, 1)
