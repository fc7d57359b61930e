"""Tokens, their order, and what of the manifest a room may know."""

import stat
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.cohort.case import Case
from centrum.errors import DataError
from centrum.reading.desk import Desk
from centrum.reading.room import ROOM, RoomSettings, open_room, read_settings, write_settings
from centrum.reading.ticket import TICKETS, TicketBook, reading_sequence
from tests.reading.hands import Hand, small_study, write_room
from tests.studies import read_rows, write_rows


def cases_of(patients: list[int]) -> list[Case]:
    return [Case(f"C{k}", f"patient{p}", "") for k, p in enumerate(patients)]


def neighbours(order: list[str], cases: list[Case]) -> int:
    patient = {case.id: case.patient for case in cases}
    return sum(patient[a] == patient[b] for a, b in pairwise(order))


@given(st.lists(st.integers(0, 5), max_size=14), st.integers(0, 1000))
def test_bodies_of_a_patient_are_neighbours_only_where_that_cannot_be_helped(patients, seed):
    cases = cases_of(patients)
    order = reading_sequence(cases, seed, "anna", "first")
    assert sorted(order) == sorted(case.id for case in cases)
    most = max(Counter(patients).values(), default=0)
    assert neighbours(order, cases) == max(0, 2 * most - 1 - len(cases))


@given(st.permutations(range(9)), st.integers(0, 99))
def test_the_order_of_the_table_decides_nothing(places, seed) -> None:
    cases = cases_of([0, 0, 0, 1, 1, 2, 3, 4, 5])
    shuffled = [cases[k] for k in places]
    wanted = reading_sequence(cases, seed, "anna", "first")
    assert reading_sequence(shuffled, seed, "anna", "first") == wanted


def test_readers_and_sessions_have_orders_of_their_own() -> None:
    cases = cases_of(list(range(30)))
    orders = {
        tuple(reading_sequence(cases, seed, reader, session))
        for seed in (1, 2)
        for reader in ("anna", "ben")
        for session in ("first", "second")
    }
    assert len(orders) == 8


def test_the_order_tells_nothing_of_outcome_or_name() -> None:
    """Over 200 seeds the place of 20 cases of either outcome, which lie one after the other."""
    cases = cases_of(list(range(40)))
    means = []
    for seed in range(200):
        order = reading_sequence(cases, seed, "anna", "first")
        means.append(np.mean([order.index(case.id) for case in cases[:20]]))
    sd = np.sqrt(40 * 41 / 12 / 20 * 0.5)  # of the mean of 20 of 40 places
    assert abs(np.mean(means) - 19.5) < 3.5 * sd / np.sqrt(200)
    assert np.std(means) == pytest.approx(sd, rel=0.2)


def test_tokens_are_random_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    with Desk(study) as desk:
        tokens = [work["token"] for reader in desk.readers() for work in desk.worklist(reader)]
    assert len({*tokens}) == 6
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in tokens)
    assert stat.S_IMODE((study / "readings" / TICKETS).stat().st_mode) == 0o600
    with Desk(study) as desk:
        again = [work["token"] for reader in desk.readers() for work in desk.worklist(reader)]
        Hand.at(desk)
    assert again == tokens
    assert stat.S_IMODE((study / "readings" / TICKETS).stat().st_mode) == 0o600


def test_a_second_session_has_new_tokens_and_comes_when_the_first_is_signed(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", room="sessions: [first, second]\ntraining: {cases: 0}")
    with Desk(study) as desk:
        first = [work["token"] for work in desk.worklist("reader1")]
        for place in range(3):
            Hand.at(desk, place=place).read()
            assert (desk.session("reader1") == "second") == (place == 2)
        second = [work["token"] for work in desk.worklist("reader1")]
        assert not {*first} & {*second}
        assert desk.session("reader2") == "first"


def test_new_cases_come_last_and_lost_ones_are_gone(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", n=6)
    rows = read_rows(study)
    write_rows(study, rows[:4])
    with Desk(study) as desk:
        tokens = [work["token"] for work in desk.worklist("reader1")]
    write_rows(study, rows[1:])
    with Desk(study) as desk:
        kept = [work["token"] for work in desk.worklist("reader1")]
        assert [token for token in tokens if token in kept] == kept[:3]
        assert len(kept) == 5
        gone = next(token for token in tokens if token not in kept)
        with pytest.raises(DataError, match="no such case"):
            desk.open("reader1", gone)


def test_outcome_masks_and_covariates_are_not_read(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    rows = [row | {"tumour": "CANARY", "Genant": "x;y"} for row in read_rows(study)]
    rows = [row | {"outcome": f"CANARY {k}", "age": "unknown age"} for k, row in enumerate(rows)]
    write_rows(study, rows)
    room = open_room(study)
    assert "CANARY" not in repr(room.cases)
    assert {case.outcome for case in room.cases.values()} == {""}
    assert {
        (case.age, case.sex, *case.masks, *case.covariates) for case in room.cases.values()
    } == {(None, None)}


def test_a_manifest_without_outcome_and_masks_is_enough(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    write_rows(study, [{k: row[k] for k in ("case", "image")} for row in read_rows(study)])
    with Desk(study) as desk:
        assert Hand.at(desk).view["level"] == ""


def test_age_and_sex_are_shown_only_where_the_study_says_so(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    with Desk(study) as desk:
        assert Hand.at(desk).view["shown"] == {}
    study = small_study(tmp_path / "other", room="shown: {age: true}\ntraining: {cases: 0}")
    with Desk(study) as desk:
        hand = Hand.at(desk)
        ages = {row["case"]: float(row["age"]) for row in read_rows(study)}
        assert hand.view["shown"] == {"age": ages[desk._book.get(hand.token).case]}


def test_a_room_is_made_where_there_is_none(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    (study / "readings" / ROOM).unlink()
    assert open_room(study).settings == RoomSettings()
    assert read_settings(study) == RoomSettings()
    with pytest.raises(DataError, match="not overwritten"):
        write_settings(study, RoomSettings())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("readers: [a, A]", "each once"),
        ("readers: []", "at least one"),
        ("readers: [consensus]", "name folders"),
        ("readers: ['../x']", "name folders"),
        ("readers: [Lead]", "name folders"),
        ("sessions: [training]", "name folders"),
        ("convention: middle", "convention"),
        ("seeds: 3", "seeds"),
        ("[1]", "room.yaml"),
        ("a: [", "not YAML"),
        ("training: {pass_dice: 2}", "pass_dice"),
    ],
)
def test_other_rooms_are_refused(tmp_path: Path, text: str, told: str) -> None:
    study = small_study(tmp_path / "study")
    write_room(study, text)
    with pytest.raises(DataError, match=told):
        open_room(study)


def test_two_books_keep_each_others_tickets(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", n=4)
    rows = read_rows(study)
    write_rows(study, rows[:2])
    old = TicketBook(open_room(study), ())
    write_rows(study, rows)
    new = TicketBook(open_room(study), ())
    old.note_image("P000", "image", "grid")
    kept = TicketBook(open_room(study))
    assert [t.token for t in kept.of("reader1", "first")] == [
        t.token for t in new.of("reader1", "first")
    ]
    assert {t.image for t in kept.of_case("P000")} == {"image"}


def test_who_only_looks_deals_nothing(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    assert TicketBook(open_room(study)).of("reader1", "first") == []
    assert not (study / "readings" / TICKETS).exists()


def test_a_choice_that_is_the_default_is_frozen_as_one_that_is_not_made() -> None:
    plain, told = RoomSettings(), RoomSettings(convention="outer_edge", training={"cases": 3})
    assert plain.frozen_digest == told.frozen_digest
    others = [{"seed": 1}, {"confirm_level": False}, {"shown": {"age": True}}, {"training": {}},
              {"assistance": {"proposals": {"column": "a"}}}, {"readers": ["a"]}]  # fmt: skip
    digests = [RoomSettings.model_validate(choices).frozen_digest for choices in others]
    assert len({*digests}) == 5
    assert digests[3] == digests[5] == plain.frozen_digest

    class Later(RoomSettings):
        novelty: bool = False

    assert Later(seed=1).frozen_digest == digests[0]
    assert Later(novelty=True).frozen_digest != plain.frozen_digest


def test_tickets_that_were_changed_are_refused(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    room = open_room(study)
    for text in ("[]", '{"ab": 1}', '{"ab": {"case": "P1"}}'):
        (study / "readings" / TICKETS).write_text(text)
        with pytest.raises(DataError, check=lambda error: error.code == "bad-tickets"):
            TicketBook(room)
