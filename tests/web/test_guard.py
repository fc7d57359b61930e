"""What every request passes: strangers, forms, and bodies that are large, slow, deep or no JSON."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response
from hypothesis import given, strategies as st
from starlette.testclient import TestClient

from centrum.web import guard
from centrum.web.address import Address
from centrum.web.guard import DEEPEST, HEADERS, LARGEST_BODY, Guard, depth, refuse_malformed
from centrum.web.refusals import Refused

ROOM = Address("127.0.0.1", 8484)
OWN = {"origin": ROOM.origin, "content-type": "application/json"}


def _app() -> FastAPI:
    app = FastAPI()

    @app.api_route("/echo", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    async def echo(request: Request) -> Response:
        return Response(await request.body())

    @app.get("/cached")
    async def cached() -> Response:
        return Response("x", headers={"cache-control": "no-cache"})

    @app.get("/fault")
    async def fault() -> Response:
        raise RuntimeError("/data/Anna Roth/P001.nrrd")

    app.add_middleware(Guard, address=ROOM)
    return app


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(_app(), base_url=ROOM.origin, raise_server_exceptions=False) as found:
        yield found


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8484", "localhost:8484", "LOCALHOST:8484", "[::1]:8484"]
)
def test_the_rooms_own_names(client: TestClient, host: str) -> None:
    assert client.get("/echo", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8484", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:84840", "",
     "127.0.0.1:8484.evil.example", "127.0.0.1:8484@evil.example", "0.0.0.0:8484",
     "localhost.:8484"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_another_host_is_refused(client: TestClient, method: str, host: str) -> None:
    answer = client.request(method, "/echo", headers={**OWN, "host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "wrong-host")


def test_two_hosts_are_refused(client: TestClient) -> None:
    headers = [("host", "127.0.0.1:8484"), ("host", "evil.example")]
    assert client.get("/echo", headers=headers).status_code == 421


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1:8484", "http://127.0.0.1:8485", "http://127.0.0.1",
     "null", "", "http://127.0.0.1:8484.evil.example", "127.0.0.1:8484", None],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_write_of_another_page_is_refused(
    client: TestClient, method: str, origin: str | None
) -> None:
    headers = {"content-type": "application/json"} | (
        {"origin": origin} if origin is not None else {}
    )
    answer = client.request(method, "/echo", headers=headers, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign-page")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_write_that_the_browser_says_is_foreign_is_refused(client: TestClient, site: str) -> None:
    headers = {**OWN, "sec-fetch-site": site}
    assert client.put("/echo", headers=headers, content=b"{}").status_code == 403
    assert client.put(
        "/echo", headers=OWN | {"sec-fetch-site": "same-origin"}, content=b"{}"
    ).is_success


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_reads_nothing(client: TestClient, site: str) -> None:
    """Two ports of one machine are one site to a SameSite cookie."""
    assert client.get("/echo", headers={"sec-fetch-site": site}).status_code == 403
    framed = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
    assert client.get("/echo", headers=framed).status_code == 403
    assert client.get("/echo", headers={"origin": "http://127.0.0.1:9"}).status_code == 403
    followed = framed | {"sec-fetch-dest": "document"}
    assert client.get("/echo", headers=followed).status_code == 200


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "",
     "application/jsonp", "text/plain; application/json"],
)  # fmt: skip
def test_what_a_form_can_post_is_refused(client: TestClient, kind: str) -> None:
    answer = client.post("/echo", headers={**OWN, "content-type": kind}, content=b'{"id":"="}')
    assert (answer.status_code, answer.json()["code"]) == (415, "not-json")


def test_a_charset_is_allowed(client: TestClient) -> None:
    headers = {**OWN, "content-type": "Application/JSON; charset=utf-8"}
    assert client.put("/echo", headers=headers, content=b"{}").content == b"{}"


def test_a_body_has_its_limit(client: TestClient) -> None:
    fits = json.dumps("x" * (LARGEST_BODY - 2)).encode()
    assert len(fits) == LARGEST_BODY
    assert client.put("/echo", headers=OWN, content=fits).content == fits
    answer = client.put("/echo", headers=OWN, content=fits + b" ")
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_a_body_of_unknown_length_has_its_limit(client: TestClient) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * 4096

    answer = client.put("/echo", headers=OWN, content=parts())
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("length", ["99999999999999999999", str(LARGEST_BODY + 1)])
def test_a_large_body_is_not_waited_for(client: TestClient, length: str) -> None:
    answer = client.put("/echo", headers={**OWN, "content-length": length}, content=b"{}")
    assert answer.status_code == 413


@pytest.mark.anyio
async def test_a_slow_body_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(guard, "SLOWEST", 0.05)
    sent = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def receive() -> dict:
        await asyncio.sleep(10)
        raise AssertionError

    raw = [(k.encode(), v.encode()) for k, v in (OWN | {"host": "127.0.0.1:8484"}).items()]
    scope = {"type": "http", "method": "PUT", "path": "/echo", "headers": raw, "query_string": b""}
    await Guard(_app(), ROOM)(scope, receive, send)
    assert sent[0]["status"] == 408


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    "body",
    [b"[NaN]", b"[Infinity]", b"[-Infinity]", b"[1e999]", b"[-1e999]", b"{", b"\xff", b"[1,]",
     b'{"a":1}x', b'["\\ud800"]', b"[" + b"1" * 5000 + b"]", b"\xef\xbb\xbf{}", b"{}\x00"],
)  # fmt: skip
def test_what_is_no_json_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.put("/echo", headers=OWN, content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "not-json")


def test_nesting_has_its_limit(client: TestClient) -> None:
    assert client.put("/echo", headers=OWN, content=b"[" * DEEPEST + b"]" * DEEPEST).is_success
    for deep in (DEEPEST + 1, 30_000):
        answer = client.put("/echo", headers=OWN, content=b"[" * deep + b"]" * deep)
        assert (answer.status_code, answer.json()["code"]) == (422, "too-deep")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet='[]{}"\\a', max_size=6),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.text('[]{}"\\a', max_size=3), below, max_size=2)
    ),
)  # fmt: skip


def _deep(value: object) -> int:
    below = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(map(_deep, below), default=0) if isinstance(below, list) else 0


@given(JSON)
def test_depth_is_that_of_the_value(value: object) -> None:
    assert depth(json.dumps(value).encode()) == _deep(value)


@given(st.binary(max_size=60))
def test_whatever_is_sent_is_taken_or_refused(body: bytes) -> None:
    with suppress(Refused):
        refuse_malformed(body)
        json.loads(body)


@pytest.mark.parametrize("path", ["/echo", "/fault", "/none", "/cached"])
def test_every_answer_has_the_headers(client: TestClient, path: str) -> None:
    for host in ("127.0.0.1:8484", "evil.example"):
        answer = client.get(path, headers={"host": host})
        for name in set(HEADERS) - {"cache-control"}:
            assert answer.headers[name] == HEADERS[name]


def test_a_frame_and_a_script_of_elsewhere_are_forbidden() -> None:
    policy = dict(rule.split(" ", 1) for rule in HEADERS["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'self'", "img-src": "'self' blob:", "frame-ancestors": "'none'",
        "base-uri": "'none'", "form-action": "'none'", "object-src": "'none'",
    }  # fmt: skip


def test_nothing_is_stored_unless_it_may(client: TestClient) -> None:
    assert client.get("/echo").headers["cache-control"] == "no-store"
    assert client.get("/cached").headers["cache-control"] == "no-cache"


def test_a_fault_names_nothing(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/fault")
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    told = answer.text + str(answer.headers) + caplog.text
    assert "RuntimeError" in caplog.text
    assert "Anna" not in told
    assert "Traceback" not in told


def test_a_broken_answer_names_nothing(caplog: pytest.LogCaptureFixture) -> None:
    from starlette.responses import StreamingResponse

    async def parts() -> AsyncIterator[bytes]:
        yield b"x"
        raise RuntimeError("Anna Roth")

    async def app(scope: dict, receive: object, send: object) -> None:
        await StreamingResponse(parts())(scope, receive, send)

    with pytest.raises(ConnectionError) as raised:
        TestClient(Guard(app, ROOM), base_url=ROOM.origin).get("/")
    assert "Anna" not in str(raised.value) + caplog.text


def test_a_socket_is_closed() -> None:
    from starlette.websockets import WebSocketDisconnect

    with (
        TestClient(_app(), base_url=ROOM.origin) as client,
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/echo"),
    ):
        pass


def test_refusals_are_json(client: TestClient) -> None:
    assert set(client.get("/echo", headers={"host": "x"}).json()) == {"code", "message", "remedy"}
