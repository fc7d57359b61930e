"""The room as a server: on the wire, killed, over TLS, and what it says on its console."""

import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from centrum.errors import DataError
from centrum.reading.journal import read_journal
from centrum.web.certificate import own_certificate
from centrum.web.serve import Network, _wanted, listening, refuse_unsafe
from tests.web.rooms import CANARIES, SHAPE, Hand, edit, fresh, make_study, square
from tests.web.servers import Server, command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="servers are forked")

KILLS = 30


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(make_study(tmp_path_factory.mktemp("server") / "study")) as found:
        yield found


@pytest.fixture(scope="module")
def anna(server: Server) -> Hand:
    return server.hand("anna")


@pytest.fixture(scope="module")
def ben(server: Server) -> Hand:
    return server.hand("ben")


def raw(server: Server, request: bytes, patience: float = 10.0) -> bytes:
    """What comes back on the wire."""
    port = int(server.links["anna"][0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), patience) as wire:
        wire.sendall(request.replace(b"PORT", str(port).encode()))
        parts = []
        while part := wire.recv(65536):
            parts.append(part)
        return b"".join(parts)


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/%2e%2e/commands/read.py",
     "/../../../../etc/passwd", "/static/..\\app.py", "/api/t/../../static/room.js",
     "/static//etc/passwd"],
)  # fmt: skip
def test_a_path_on_the_wire_leads_nowhere(server: Server, path: str) -> None:
    """A client would take the dots away before it asks."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n"
    assert raw(server, request.encode()).startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))


def test_a_large_body_is_refused_before_it_arrives(server: Server) -> None:
    head = (
        "PUT /api/lock HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: http://127.0.0.1:PORT\r\n"
        "Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{"
    )
    began = time.monotonic()
    answer = raw(server, head.encode())
    assert answer.startswith(b"HTTP/1.1 413")
    assert time.monotonic() - began < 5


def test_headers_without_end_are_refused(server: Server) -> None:
    head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX: " + b"x" * 70_000
    assert raw(server, head).startswith(b"HTTP/1.1 400")


def test_without_host_nothing_is_answered(server: Server) -> None:
    assert raw(server, b"GET / HTTP/1.0\r\n\r\n").startswith((b"HTTP/1.1 421", b"HTTP/1.1 400"))


def test_no_answer_says_what_serves_it(anna: Hand) -> None:
    for path in ("/", "/api/me", "/none"):
        headers = anna.client.get(path).headers
        assert "server" not in headers
        assert "x-powered-by" not in headers


def test_no_answer_waits_for_an_acknowledgement(anna: Hand) -> None:
    """Nagle's algorithm would hold each back for 40 ms, however quick the machine is."""
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        anna.client.get("/")
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.03


def test_two_servers_cannot_write_one_journal(server: Server) -> None:
    from centrum.commands.read import Desk

    with pytest.raises(DataError, match="another server"):
        Desk(server.study)


def test_killed_at_any_stroke(tmp_path: Path) -> None:
    """What was acknowledged is there, the chain is whole, and what was not can be sent again."""
    study, chance = make_study(tmp_path / "study", cases=1), random.Random(5)
    journal = study / "readings/anna/first/journal.jsonl"
    kept: dict[int, dict] = {}
    doubt: tuple[dict, int] | None = None
    written = 0
    for kill in range(KILLS + 1):
        with Server(study) as server:
            hand = server.hand("anna")
            token = hand.tokens()[0]
            hand.open(token)
            if doubt:
                body, k = doubt
                lines = list(read_journal(journal))
                there = any(line.payload.get("id") == body["id"] for line in lines)
                revision = hand.revisions[token]
                answer = hand.send("PUT", f"/api/t/{token}/slice/{k}", body, revision)
                assert answer.status_code == 200, answer.text
                assert len(list(read_journal(journal))) == len(lines) + (not there)
                kept[k], written = body["content"], written + there
            slices = hand.open(token)["state"]["slices"]
            assert {k: s["content"] for k, s in enumerate(slices) if s["content"]} == kept
            if kill < KILLS:
                timer = threading.Timer(chance.uniform(0.0, 0.08), server.kill)
                timer.start()
                doubt = _draw_until_killed(hand, token, kept, chance)
                timer.join()
    assert len(kept) == SHAPE[0]
    assert 0 <= written < KILLS, "some kills came before the write"


def _draw_until_killed(
    hand: Hand, token: str, kept: dict[int, dict], chance: random.Random
) -> tuple[dict, int]:
    """The edit that was not acknowledged, and its slice."""
    while True:
        k = chance.randrange(SHAPE[0])
        body = {"id": fresh(), **edit(square(chance.randrange(5), chance.randrange(2, 9)))}
        try:
            answer = hand.send("PUT", f"/api/t/{token}/slice/{k}", body, hand.revisions[token])
        except httpx2.HTTPError:
            return body, k
        assert answer.status_code == 200
        hand.revisions[token] = answer.json()["revision"]
        kept[k] = body["content"]


def test_what_stands_on_the_console(tmp_path: Path) -> None:
    """Links once, tokens perhaps, and none of the canaries, whatever goes wrong."""
    study = make_study(tmp_path / "study")
    with command(study, "--port", "0") as (links, lines, process):
        origin, secret = links["anna"]
        assert set(links) == {"anna", "ben", "lead"}
        hand = Hand(httpx2.Client(base_url=origin, trust_env=False), origin).enter(link=secret)
        token = hand.tokens()[0]
        hand.sign(token)
        for image in (study / "kanarifolder").iterdir():
            image.write_bytes(b"damaged")
        others = [hand.client.get(f"/api/t/{t}").status_code for t in hand.tokens()[1:]]
        assert others == [422] * 3
        shutil.rmtree(study / "readings/anna/first")
        hand.send("POST", f"/api/t/{token}/reopen", {"id": fresh(), "reason": CANARIES[0]})
        hand.client.get("/none", headers={"host": "evil.example"})
        hand.send("POST", "/enter", {"reader": "anna", "pin": "000000"})
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    text = "\n".join(lines)
    assert text.count(secret) == 1
    assert not [canary for canary in CANARIES if canary in text]
    assert "Traceback" not in text
    assert str(study) not in text
    assert re.search("wrong-host", text)


def test_only_one_link_where_one_is_asked_for() -> None:
    assert _wanted(("anna", "ben", "lead"), "ben") == ("ben",)
    assert _wanted(("anna", "ben", "lead"), None) == ("anna", "ben", "lead")
    with pytest.raises(DataError, match="There is no reader zoe"):
        _wanted(("anna", "ben", "lead"), "zoe")


# Over the network


def test_beyond_this_machine_all_of_it_has_to_be_meant(tmp_path: Path) -> None:
    def code(network: Network, *without_pin: str) -> str:
        with pytest.raises(DataError) as raised:
            refuse_unsafe(network, without_pin)
        return raised.value.code

    assert code(Network("192.0.2.7")) == "not-meant"
    assert code(Network("192.0.2.7", wanted=True), "ben") == "no-pin"
    for host in ("127.0.0.1", "localhost", "::1"):
        assert code(Network(host, wanted=True)) == "no-host"
    for host in ("0.0.0.0", "::", "*", ""):
        assert code(Network(host, wanted=True)) == "any-host"
    assert code(Network(certificate=tmp_path)) == "bad-certificate"
    assert code(Network(key=tmp_path)) == "bad-certificate"
    refuse_unsafe(Network("192.0.2.7", wanted=True), ())
    refuse_unsafe(Network(), ("anna", "ben"))
    assert Network("192.0.2.7").tls
    assert Network("room.example").tls
    assert not Network("127.0.0.1").tls


def test_a_port_that_is_taken() -> None:
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(DataError, match=f"Port {port} is taken"):
            listening("127.0.0.1", port)
    with pytest.raises(DataError, match="no address of this machine"):
        listening("192.0.2.250", 0)


def test_over_tls_with_files(tmp_path: Path) -> None:
    made = own_certificate(tmp_path, "127.0.0.2")
    network = Network("127.0.0.2", certificate=made.certificate, key=made.key)
    with Server(make_study(tmp_path / "study", cases=1), network=network) as server:
        origin, secret = server.links["anna"]
        assert origin.startswith("https://127.0.0.2:")
        import ssl

        trusted = ssl.create_default_context(cafile=str(made.certificate))
        with httpx2.Client(base_url=origin, verify=trusted, trust_env=False) as client:
            answer = Hand(client, origin).send("POST", "/enter", {"link": secret})
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-centrum-")
            assert "Secure" in cookie
            assert "domain" not in cookie.lower()
            plain = Hand(client, origin.replace("https", "http")).send("POST", "/api/lock")
            assert plain.status_code == 403
        with pytest.raises(httpx2.HTTPError), httpx2.Client(trust_env=False) as stranger:
            stranger.get(origin)
        with pytest.raises(httpx2.HTTPError), httpx2.Client(trust_env=False) as stranger:
            stranger.get(origin.replace("https", "http"))


IN_A_NETWORK = """
import hashlib, ssl, sys
from pathlib import Path
import httpx2
from centrum.commands.read import LEAD, Pins
from centrum.web.serve import Network
from tests.web.rooms import Hand
from tests.web.servers import Server

study, host = Path(sys.argv[1]), "10.9.8.7"
pins = Pins(study)
for name in ("anna", "ben", LEAD):
    pins.set(name, "468013")
with Server(study, network=Network(host, wanted=True)) as server:
    origin, _ = server.links["anna"]
    assert origin.startswith(f"https://{host}:"), origin
    (shown,) = [line.split()[-1] for line in server.lines if line.startswith("Certificate")]
    der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, int(origin.split(":")[2]))))
    assert shown.replace(":", "") == hashlib.sha256(der).hexdigest().upper()
    trusted = ssl.create_default_context(cafile=str(study / "readings/room.crt"))
    with httpx2.Client(base_url=origin, verify=trusted, trust_env=False) as client:
        hand = Hand(client, origin).enter(reader="anna", pin="468013")
        token = hand.tokens()[0]
        hand.open(token)
        hand.draw(token, 0)
        assert client.get("/api/me", headers={"host": "localhost"}).status_code == 421
print("done")
"""


def test_over_tls_in_a_network(tmp_path: Path) -> None:
    """A network of its own, which nobody else is in."""
    study = make_study(tmp_path / "study", cases=1)
    lead = "ip addr add 10.9.8.7/32 dev lo && ip link set lo up"
    apart = ("unshare", "--map-root-user", "--net", "sh", "-c")
    if not shutil.which("unshare") or not shutil.which("ip") or _fails([*apart, lead]):
        pytest.skip("tests in a network of their own need `unshare`, `ip` and the right to them")
    words = [*apart, f'{lead} && exec "$0" "$@"', sys.executable, "-c", IN_A_NETWORK, str(study)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip().endswith("done"), done.stderr[-2000:]


def _fails(words: list[str]) -> bool:
    return subprocess.run(words, capture_output=True).returncode != 0
