"""Readers learn nothing of each other, of patients or of the outcome: not by any route."""

import logging
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from fastapi.routing import APIRoute
from hypothesis import given, strategies as st

from centrum.cohort.case import Case
from centrum.commands.read import LEAD
from centrum.reading.ticket import reading_sequence
from centrum.web.app import _room
from tests.web.rooms import CANARIES, ROOM, Hand, Served, edit, fresh, make_study, served, square

BODIES = {
    "edit": edit(square()),
    "between": {},
    "suggest": {"tool": "livewire", "points": [[1, 1], [5, 1]], "closed": False},
    "fill": {"digests": {"1": "0" * 16}},
    "level": {"slice": 1, "x": 3, "y": 4},
    "quality": {"flags": ["motion"], "comment": ""},
    "reopen": {"reason": "to look"},
}

WITHOUT_ID = {"between", "suggest"}
"""Nothing is kept of these."""

OF_THE_LEAD = {
    "/api/progress",
    *(f"/api/compare{rest}" for rest in ("", "/{a}/{b}", "/{a}/{b}/pixels", "/{a}/{b}/decide")),
}
"""Tried in `test_lead.py`: readers are answered 404."""

OPEN = {"/api/me", "/api/lock", "/api/leave"}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A room in which one reader has signed two cases and begun a third."""
    with served(make_study(tmp_path_factory.mktemp("read") / "study")) as room:
        anna = room.hand("anna")
        first, second, third, _ = anna.tokens()
        anna.sign(first)
        anna.sign(second)
        anna.open(third)
        anna.draw(third, 2, square(4, 9))
        yield room


def routes() -> list[tuple[str, str, str]]:
    """Method, path and name of every route with a token."""
    found = [route for route in _room.routes if isinstance(route, APIRoute)]
    return [(min(r.methods), r.path, r.name) for r in found if "{token}" in r.path]


def test_every_route_is_known_here() -> None:
    """A new one without a token is looked at before it is added to these."""
    others = {r.path for r in _room.routes if isinstance(r, APIRoute) and "{token}" not in r.path}
    assert others == OPEN | OF_THE_LEAD | {"/api/worklist"}
    assert len(routes()) >= 14


def ask(hand: Hand, method: str, path: str, name: str, token: str) -> tuple[int, bytes, dict]:
    """What somebody is answered who asks for a token by a route."""
    url = path.replace("{token}", token).replace("{k}", "0")
    if name == "sequence":
        url += "?name=T1w"
    if method == "GET":
        answer = hand.client.get(url)
    else:
        body = BODIES.get(name, {}) | ({} if name in WITHOUT_ID else {"id": fresh()})
        answer = hand.send(method, url, body, 1)
    return answer.status_code, answer.content, dict(answer.headers)


@pytest.mark.parametrize("name", ["ben", LEAD])
def test_what_is_another_readers_is_as_unknown_as_what_is_not_there(
    read: Served, name: str
) -> None:
    anna, other = read.hand("anna"), read.hand(name)
    lines = (read.study / "readings/anna/first/journal.jsonl").read_bytes()
    for method, path, route in routes():
        unknown = ask(other, method, path, route, "0" * 32)
        assert unknown[0] == 404, path
        for token in anna.tokens():
            assert ask(other, method, path, route, token) == unknown, path
    assert (read.study / "readings/anna/first/journal.jsonl").read_bytes() == lines


def test_one_readers_work_changes_nothing_for_the_other(read: Served) -> None:
    ben = read.hand("ben")
    states = {(e["state"], e["done"]) for e in ben.client.get("/api/worklist").json()}
    assert states == {("new", 0)}
    for token in ben.tokens():
        assert all(s["content"] is None for s in ben.open(token, False)["state"]["slices"])
    assert not set(ben.tokens()) & set(read.hand("anna").tokens())


def test_canaries_are_nowhere(read: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in bodies nor in headers, whoever asks for whatever, nor in the log."""
    caplog.set_level(logging.DEBUG)
    anna, ben, lead = read.hand("anna"), read.hand("ben"), read.hand(LEAD)
    digests = {
        s["digest"].encode()
        for token in anna.tokens()[:3]
        for s in anna.open(token)["state"]["slices"]
        if s["content"]
    }
    words = {canary.lower().encode() for canary in CANARIES} | {str(read.study).lower().encode()}
    seen = []
    for hand in (anna, ben, lead):
        tokens = [*read.hand("anna").tokens(), *read.hand("ben").tokens(), "0" * 32]
        for method, path, name in routes():
            for token in tokens:
                if not (hand is anna and method != "GET"):
                    status, body, headers = ask(hand, method, path, name, token)
                    told = body + str(headers).encode()
                    seen.append(status)
                    assert not [w for w in words if w in told.lower()], path
                    if hand is not anna:
                        assert not [d for d in digests if d in told], path
        for path in ("/", "/api/me", "/api/worklist", "/api/progress", "/api/openapi.json"):
            answer = hand.client.get(path)
            told = answer.content + str(dict(answer.headers)).encode()
            assert not [w for w in words if w in told.lower()], path
    assert {200, 404, 422} <= set(seen)
    text = caplog.text.lower().encode()
    assert not [word for word in words if word in text]


def test_headers_of_pixels_name_nothing(read: Served) -> None:
    anna = read.hand("anna")
    for token in anna.tokens()[:2]:
        headers = anna.client.get(f"/api/t/{token}/pixels").headers
        assert "content-disposition" not in headers
        assert "etag" not in headers
        assert "last-modified" not in headers


def test_tokens_are_of_128_random_bits(read: Served) -> None:
    found = [*read.hand("anna").tokens(), *read.hand("ben").tokens()]
    assert len(set(found)) == 8
    bits = np.unpackbits(np.frombuffer(bytes.fromhex("".join(found)), np.uint8))
    assert abs(bits.mean() - 0.5) < 4 * 0.5 / np.sqrt(bits.size)


# The order


def cases(n: int = 40) -> list[Case]:
    """Two bodies of each patient; the first half is malignant, as in a table that is sorted."""
    outcome = ["malignant", "osteoporotic"]
    return [Case(f"P{k:03}", f"A{k // 2}", outcome[2 * k // n]) for k in range(n)]


def test_the_order_tells_nothing_of_the_outcome() -> None:
    """Over 200 seeds the mean rank correlation is that of chance, and no seed is far off."""
    found = cases()
    malignant = {case.id: case.outcome == "malignant" for case in found}
    correlations, places = [], []
    for seed in range(200):
        order = reading_sequence(found, seed, "anna", "first")
        marks = np.array([malignant[name] for name in order], float)
        correlations.append(np.corrcoef(np.arange(len(order)), marks)[0, 1])
        places.append(np.corrcoef(np.arange(len(order)), [int(n[1:]) for n in order])[0, 1])
    for values in (correlations, places):
        error = np.std(values) / np.sqrt(len(values))
        assert abs(np.mean(values)) < 3 * error
        assert np.std(values) == pytest.approx(1 / np.sqrt(len(found) - 1), rel=0.3)


def test_outcomes_that_change_places_change_no_order() -> None:
    found = cases()
    other = [
        Case(c.id, c.patient, "malignant" if k % 3 else "osteoporotic") for k, c in enumerate(found)
    ]
    for seed in range(20):
        order = reading_sequence(found, seed, "anna", "first")
        assert reading_sequence(other, seed, "anna", "first") == order
        assert reading_sequence(found[::-1], seed, "anna", "first") == order


@given(st.integers(0, 10**6))
def test_bodies_of_one_patient_are_no_neighbours(seed: int) -> None:
    patient = {case.id: case.patient for case in cases(12)}
    for reader in ("anna", "ben"):
        order = reading_sequence(cases(12), seed, reader, "first")
        assert all(patient[a] != patient[b] for a, b in pairwise(order))


def test_readers_and_sessions_have_orders_of_their_own() -> None:
    found = cases()
    orders = {
        tuple(reading_sequence(found, 7, reader, session))
        for reader in ("anna", "ben")
        for session in ("first", "second")
    }
    assert len(orders) == 4


def test_the_host_is_no_canary() -> None:
    assert not [canary for canary in CANARIES if canary in ROOM.origin]
