"""The door: links that work once, PINs that cannot be guessed, visits that lock and expire."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from centrum.commands.read import LEAD, Pins
from centrum.reading.pins import MOST_WRONG, WAIT_SECONDS
from centrum.web.auth import LONGEST_VISIT, MOST_VISITS, Door
from centrum.web.refusals import Refused

IDLE = 600.0


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with the PIN of one reader, which takes a while to make."""
    study = tmp_path_factory.mktemp("pins")
    Pins(study).set("anna", "468013")
    return (study / "readings" / "pins.json").read_bytes()


@pytest.fixture
def door(clock: Clock, told: list[tuple[str, str]], kept: bytes, tmp_path: Path) -> Door:
    (tmp_path / "readings").mkdir()
    (tmp_path / "readings" / "pins.json").write_bytes(kept)
    tell = lambda name, secret: told.append((name, secret))  # noqa: E731
    return Door(("anna", "ben", LEAD), Pins(tmp_path, clock), IDLE, tell, clock)


def refused(code: str, status: int = 401) -> "pytest.RaisesContext[Refused]":
    return pytest.raises(Refused, check=lambda e: (e.code, e.status) == (code, status))


def test_a_link_lets_in_once(door: Door) -> None:
    secret = door.link("anna")
    assert len(bytes.fromhex(secret)) == 16
    assert door.acts(door.enter_by_link(secret)).name == "anna"
    with refused("wrong-link"):
        door.enter_by_link(secret)


def test_a_link_that_many_follow_at_once_lets_in_one(door: Door) -> None:
    secret = door.link("anna")

    def enter(_: int) -> bool:
        try:
            return bool(door.enter_by_link(secret))
        except Refused:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(enter, range(64))) == 1


def test_a_new_link_takes_the_place_of_the_older_of_the_same_person(door: Door) -> None:
    old, others = door.link("anna"), door.link("ben")
    new = door.link("anna")
    with refused("wrong-link"):
        door.enter_by_link(old)
    assert door.acts(door.enter_by_link(new)).name == "anna"
    assert door.acts(door.enter_by_link(others)).name == "ben"


@pytest.mark.parametrize("secret", ["", "0" * 32, "anna"])
def test_no_other_link_lets_in(door: Door, secret: str) -> None:
    door.link("anna")
    with refused("wrong-link"):
        door.enter_by_link(secret)


def test_neither_links_nor_cookies_are_kept(door: Door) -> None:
    secret = door.link("anna")
    cookie = door.enter_by_link(door.link("ben"))
    kept = str(vars(door))
    assert secret not in kept
    assert cookie not in kept


def test_the_lead_is_no_reader(door: Door) -> None:
    assert door.acts(door.enter_by_link(door.link(LEAD))).lead
    assert not door.acts(door.enter_by_link(door.link("anna"))).lead


def test_a_pin_lets_in(door: Door) -> None:
    assert door.acts(door.enter_by_pin("anna", "468013")).name == "anna"


@pytest.mark.parametrize(
    ("name", "pin"),
    [("anna", "468014"), ("anna", ""), ("ben", "468013"), ("zoe", "468013"), ("", "")],
)
def test_a_wrong_pin_and_a_wrong_name_are_told_alike(door: Door, name: str, pin: str) -> None:
    with refused("wrong-pin") as raised:
        door.enter_by_pin(name, pin)
    assert raised.value.message == "Name and PIN do not belong together."


def test_tries_are_few_and_begin_anew_after_a_while(door: Door, clock: Clock) -> None:
    for _ in range(MOST_WRONG):
        with refused("wrong-pin"):
            door.enter_by_pin("anna", "000000")
    with refused("too-many-attempts", 429) as raised:
        door.enter_by_pin("anna", "468013")
    assert int(raised.value.headers["retry-after"]) == WAIT_SECONDS
    clock.now = WAIT_SECONDS - 1
    with refused("too-many-attempts", 429):
        door.enter_by_pin("anna", "468013")
    clock.now = WAIT_SECONDS
    assert door.enter_by_pin("anna", "468013")


def test_guesses_at_once_are_counted_one_by_one(door: Door) -> None:
    def guess(k: int) -> str:
        try:
            return door.enter_by_pin("anna", f"{k:06}")
        except Refused as error:
            return error.code

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(guess, range(20)))
    assert found.count("wrong-pin") == MOST_WRONG
    assert found.count("too-many-attempts") == 20 - MOST_WRONG


def test_the_right_pin_begins_the_count_anew(door: Door) -> None:
    for _ in range(3):
        for _ in range(MOST_WRONG - 1):
            with refused("wrong-pin"):
                door.enter_by_pin("anna", "000000")
        door.enter_by_pin("anna", "468013")


def test_names_that_are_guessed_share_their_tries(door: Door) -> None:
    for k in range(MOST_WRONG):
        with refused("wrong-pin"):
            door.enter_by_pin(f"name{k}", "000000")
    with refused("too-many-attempts", 429):
        door.enter_by_pin("another", "000000")
    assert door.enter_by_pin("anna", "468013"), "nobody is kept out by guesses of other names"


def test_a_screen_locks_after_idling(door: Door, clock: Clock) -> None:
    cookie = door.enter_by_link(door.link("anna"))
    clock.now = IDLE - 1
    assert door.acts(cookie).name == "anna"
    clock.now += IDLE - 1
    assert not door.visit(cookie).locked
    clock.now += 1
    assert door.visit(cookie).locked
    with refused("locked"):
        door.acts(cookie)
    clock.now += 1
    with refused("locked"):
        door.acts(cookie)


def test_asking_who_is_there_keeps_no_screen_open(door: Door, clock: Clock) -> None:
    cookie = door.enter_by_link(door.link("anna"))
    for _ in range(10):
        clock.now += IDLE / 10
        visit = door.visit(cookie)
    assert visit.locked


def test_a_locked_reader_without_pin_gets_a_new_link_on_the_console(
    door: Door, told: list[tuple[str, str]]
) -> None:
    with_pin, without = (door.enter_by_link(door.link(name)) for name in ("anna", "ben"))
    for cookie in (with_pin, without, without):
        door.lock(cookie)
    ((name, secret),) = told
    assert name == "ben"
    assert door.acts(door.enter_by_link(secret)).name == "ben"


def test_a_visit_expires_whatever_one_does(door: Door, clock: Clock) -> None:
    cookie = door.enter_by_link(door.link("anna"))
    while clock.now < LONGEST_VISIT - IDLE:
        clock.now += IDLE / 2
        door.acts(cookie)
    clock.now = LONGEST_VISIT
    assert door.visit(cookie) is None
    with refused("enter-first"):
        door.acts(cookie)


def test_who_has_no_pin_can_come_back_after_the_longest_visit(
    door: Door, clock: Clock, told: list[tuple[str, str]]
) -> None:
    """Told once, by whatever notices first; who is inside with another visit needs no link."""
    first = door.enter_by_link(door.link("ben"))
    clock.now = 10
    second = door.enter_by_link(door.link("ben"))
    with_pin = door.enter_by_link(door.link("anna"))
    clock.now = LONGEST_VISIT
    assert door.visit(first) is None
    assert told == []
    clock.now = LONGEST_VISIT + 10
    assert [door.visit(cookie) for cookie in (second, second, with_pin)] == [None] * 3
    ((name, secret),) = told
    assert door.acts(door.enter_by_link(secret)).name == name == "ben"
    clock.now += LONGEST_VISIT
    door.enter_by_pin("anna", "468013")
    assert len(told) == 2


def test_who_leaves_is_gone(door: Door) -> None:
    cookie = door.enter_by_link(door.link("anna"))
    other = door.enter_by_link(door.link("anna"))
    door.leave(cookie)
    with refused("enter-first"):
        door.acts(cookie)
    assert door.acts(other).name == "anna"


def test_visits_do_not_pile_up(door: Door) -> None:
    first = door.enter_by_link(door.link("anna"))
    cookies = [door.enter_by_link(door.link("ben")) for _ in range(MOST_VISITS)]
    assert door.visit(first) is None
    assert all(door.visit(cookie) for cookie in cookies)


def test_who_has_no_pin(door: Door) -> None:
    assert door.has_pin("anna")
    assert not door.has_pin("ben")
    assert not Door(("anna",)).has_pin("anna")
    with refused("wrong-pin"):
        Door(("anna",)).enter_by_pin("anna", "468013")


def test_a_pin_of_somebody_who_is_not_let_in(door: Door) -> None:
    """As the lead of a pack."""
    with refused("wrong-pin"):
        Door(("ben",), door.pins).enter_by_pin("anna", "468013")
