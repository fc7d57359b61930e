"""Whatever the description of the room allows and forbids: no request ends in a fault.

schemathesis makes requests of the OpenAPI description, valid and invalid ones, which are sent to a
room in which a case is open. `make test-slow` makes many more of them.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.schemas import APIOperation

from centrum.reading.journal import read_journal
from centrum.web.app import create_app
from tests.web.rooms import ROOM, SHAPE, Hand, Served, edit, fresh, make_study, served, square

FEW, MANY = 6, 300
"""Requests of each operation and mode."""

LAST = ("/api/leave", "/api/lock")
"""What ends the visit is asked with a visit of its own."""

KNOWN = {200, 400, 401, 403, 404, 405, 409, 413, 415, 421, 422, 428, 429}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(make_study(tmp_path_factory.mktemp("fuzz") / "study")) as found:
        yield found


def _operations(room: Served) -> list[APIOperation]:
    app = create_app(room.desk, room.door, ROOM)
    schema = schemathesis.openapi.from_dict(app.openapi())
    return [found.ok() for found in schema.get_all_operations()]


def _tries(operation: APIOperation, mode: GenerationMode) -> st.SearchStrategy:
    return operation.as_strategy(generation_mode=mode)


def _sent(case: Any, token: str, revision: int) -> dict[str, Any]:
    """A request as it is sent; most are about the open case, and about its newest state."""
    lot = zlib.crc32(repr((case.body, case.query, case.path_parameters)).encode())
    if case.path_parameters and "token" in case.path_parameters and lot % 4:
        case.path_parameters["token"] = token
    sent = case.as_transport_kwargs(base_url=ROOM.origin)
    headers = {k.lower(): v for k, v in (sent.get("headers") or {}).items()}
    headers.pop("user-agent", None)
    if case.method in ("PUT", "POST"):
        headers |= {"origin": ROOM.origin, "content-type": "application/json"}
        headers |= {"if-match": f'"{revision}"'} if lot % 5 else {}
    kept = {k: sent[k] for k in ("method", "url", "params", "json") if sent.get(k) is not None}
    if isinstance(sent.get("data"), str | bytes):
        kept["content"] = sent["data"]
    return {**kept, "headers": headers}


def _fuzz(room: Served, examples: int) -> dict[str, set[int]]:
    """The statuses by operation."""
    seen: dict[str, set[int]] = {}
    hand = room.hand("anna")
    token = hand.tokens()[0]
    hand.open(token)
    for operation in sorted(_operations(room), key=lambda each: each.path in LAST):
        statuses = seen.setdefault(operation.label, set())
        for mode in GenerationMode:
            with suppress(Unsatisfiable):  # what takes nothing has nothing that is invalid
                _try(operation, mode, examples, _asked(room, token, statuses))
    return seen


def _asked(room: Served, token: str, statuses: set[int]) -> Callable[[Any], None]:
    client = room.hand("anna").client
    visit, revision = dict(client.cookies), [1]

    def ask(case: Any) -> None:
        client.cookies.update(visit)
        try:
            answer = client.request(**_sent(case, token, revision[0]))
        except (httpx2.InvalidURL, UnicodeEncodeError, httpx2.LocalProtocolError):
            return  # no client can send it
        assert answer.status_code in KNOWN, (answer.status_code, answer.text[:200])
        if answer.status_code != 200:
            assert set(answer.json()) >= {"code", "message", "remedy"}
        told = answer.json() if answer.status_code in (200, 409) and case.method != "GET" else {}
        revision[0] = told.get("state", told).get("revision", revision[0])
        statuses.add(answer.status_code)

    return ask


def _try(
    operation: APIOperation, mode: GenerationMode, examples: int, ask: Callable[[Any], None]
) -> None:
    @seed(20)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(_tries(operation, mode))
    def run(case: Any) -> None:
        ask(case)

    run()


def _check(room: Served, examples: int) -> None:
    seen = _fuzz(room, examples)
    assert len(seen) >= 20
    assert all(seen.values()), seen
    writes = [statuses for label, statuses in seen.items() if label.startswith("PUT")]
    assert any(200 in statuses for statuses in writes), "none was more than refused"
    journal = room.study / "readings/anna/first/journal.jsonl"
    assert len(list(read_journal(journal))) >= 2


def test_no_request_ends_in_a_fault(room: Served) -> None:
    _check(room, FEW)


@pytest.mark.slow
def test_none_of_many_requests_ends_in_a_fault(room: Served) -> None:
    _check(room, MANY)


# Edits, more pointedly than the description can

ODD = (1e308, -0.0, 5e-324, 2**53, True, None)
NUMBERS = st.integers(-3, 500) | st.floats(-2, 30) | st.sampled_from(ODD) | st.text(max_size=2)
PLACES = st.lists(st.floats(-1, 20), min_size=2, max_size=2)
POINTS = PLACES | st.lists(NUMBERS, min_size=1, max_size=3)
POLYGONS = st.lists(st.lists(PLACES, max_size=6) | st.lists(POINTS, max_size=6), max_size=3)
CONTENTS = (
    st.none()
    | st.fixed_dictionaries({"kind": st.just("polygons"), "polygons": POLYGONS})
    | st.fixed_dictionaries({"kind": st.just("runs"), "runs": st.lists(NUMBERS, max_size=8)})
    | st.fixed_dictionaries({"kind": st.sampled_from(["nobody", "polygons", "", None, 3])})
    | st.dictionaries(st.text(max_size=3), NUMBERS, max_size=2)
)
TOOLS = ("polygon", "freehand", "brush", "eraser", "nobody", "clear", "correct")


@given(CONTENTS, st.sampled_from(TOOLS), st.integers(-1, SHAPE[0]), st.booleans())
@settings(suppress_health_check=list(HealthCheck))
def test_an_edit_is_kept_as_it_was_sent_or_refused(
    drawing: tuple[Hand, str], content: object, tool: str, k: int, told: bool
) -> None:
    hand, token = drawing
    body = {"id": fresh(), **edit(square()), "content": content, "tool": tool}
    path = f"/api/t/{token}/slice/{k}"
    answer = hand.send("PUT", path, body, hand.revisions[token])
    if answer.status_code == 422 and answer.json()["code"] == "digest" and told:
        body["after"] = answer.json()["expected"]
        answer = hand.send("PUT", path, body, hand.revisions[token])
    assert answer.status_code in (200, 404, 422), answer.text
    if answer.status_code == 200:
        hand.revisions[token] = answer.json()["revision"]
        kept = hand.client.get(f"/api/t/{token}").json()["state"]
        assert kept["revision"] == hand.revisions[token]
        assert kept["slices"][k]["content"] == content


@pytest.fixture(scope="module")
def drawing(room: Served) -> tuple[Hand, str]:
    """A reader with a case open."""
    hand = room.hand("ben")
    token = hand.tokens()[0]
    hand.open(token)
    return hand, token
