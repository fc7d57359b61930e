"""The room over HTTP: a case from the worklist to its signature, and everything that is refused."""

import gzip
import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from fastapi.routing import APIRoute

from centrum.commands.read import LEAD, Pins
from centrum.errors import CentrumError, DataError, ImageError, ManifestError
from centrum.web.app import KINDS, STATIC, _open_to_all, _room, static_edition
from tests.web.rooms import (
    CANARIES,
    ROOM,
    SHAPE,
    Hand,
    Served,
    digest_of,
    edit,
    fresh,
    image,
    make_study,
    served,
    square,
)

WRITES = (
    ("PUT", "slice/0"), ("PUT", "between"), ("POST", "undo"), ("POST", "redo"), ("PUT", "level"),
    ("PUT", "quality"), ("POST", "submit"), ("POST", "proposal"),
)  # fmt: skip


def test_a_case_from_the_worklist_to_its_signature(room: Served, anna: Hand) -> None:
    token, *others = anna.tokens()
    assert len(others) == 3
    view = anna.open(token)
    assert view["shape"] == list(SHAPE)
    for k in (0, 3):
        anna.draw(token, k)
    found = anna.send("POST", f"/api/t/{token}/between", {"slices": None}).json()["slices"]
    digests = {k: digest_of({"kind": "runs", "runs": runs}) for k, runs in found.items()}
    assert set(digests) == {"1", "2"}
    state = anna.write(token, "PUT", "between", {"digests": digests})
    assert [s["provenance"] for s in state["slices"]] == ["drawn", "filled", "filled", "drawn"]
    assert anna.write(token, "POST", "undo", {})["redo"]
    assert anna.write(token, "POST", "redo", {"seconds": 40})["seconds"] == 40
    anna.write(token, "PUT", "quality", {"flags": ["motion"], "comment": "wörd"})
    signed = anna.write(token, "POST", "submit", {})
    assert signed["signed"]
    (mask,) = (room.study / "readings/anna/first").glob("*.seg.nrrd")
    assert mask.name == f"{token}.seg.nrrd"
    drawn = sitk.GetArrayFromImage(sitk.ReadImage(mask))
    filled = sum(sum(runs[1::2]) for runs in found.values())
    assert drawn.sum() == 2 * 36 + filled
    entry = next(e for e in anna.client.get("/api/worklist").json() if e["token"] == token)
    assert (entry["state"], entry["done"]) == ("signed", 4)
    refused = anna.send(
        "PUT", f"/api/t/{token}/slice/0", {"id": fresh(), **edit(square())}, signed["revision"]
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "signed")
    state = anna.write(token, "POST", "reopen", {"reason": "another look"})
    assert not state["signed"]
    anna.draw(token, 0, None)


def test_pixels_are_those_of_the_image(reader: Hand, still: Served) -> None:
    tokens = reader.tokens()
    answer = reader.client.get(f"/api/t/{tokens[0]}/pixels", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert "last-modified" not in answer.headers
    found = np.frombuffer(answer.content, "<i2").reshape(SHAPE)
    all_images = [sitk.GetArrayFromImage(image(k)) for k in range(4)]
    assert any(np.array_equal(found, array) for array in all_images)
    plain = reader.client.get(f"/api/t/{tokens[0]}/pixels", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content


def test_compressed_pixels_tell_no_time(reader: Hand) -> None:
    path = f"/api/t/{reader.tokens()[0]}/pixels"
    with reader.client.stream("GET", path, headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert raw[4:8] == bytes(4)
    assert len(gzip.decompress(raw)) == 2 * np.prod(SHAPE)


def test_other_sequences_only_where_the_study_shows_them(still: Served, reader: Hand) -> None:
    answer = reader.client.get(f"/api/t/{reader.tokens()[0]}/pixels?sequence=T1w")
    assert (answer.status_code, answer.json()["code"]) == (422, "no-sequence")


def test_a_slice_that_nobody_looked_at_is_named(anna: Hand) -> None:
    token = anna.tokens()[0]
    anna.open(token)
    anna.draw(token, 1)
    answer = anna.send("POST", f"/api/t/{token}/submit", {"id": fresh()}, anna.revisions[token])
    assert answer.status_code == 422
    assert answer.json()["slices"] == [0, 2, 3]


def test_the_level_comes_first(anna: Hand) -> None:
    token = anna.tokens()[0]
    anna.open(token, level=False)
    answer = anna.send("PUT", f"/api/t/{token}/slice/0", {"id": fresh(), **edit(square())}, 0)
    assert (answer.status_code, answer.json()["code"]) == (422, "level-first")


def test_two_tabs(anna: Hand) -> None:
    """The second is told the newer state, and nothing of the first is lost."""
    token = anna.tokens()[0]
    anna.open(token)
    tab = Hand(anna.client, revisions=dict(anna.revisions))
    anna.draw(token, 0)
    body = {"id": fresh(), **edit(square(3))}
    answer = tab.send("PUT", f"/api/t/{token}/slice/1", body, tab.revisions[token])
    assert answer.status_code == 409
    state = answer.json()["state"]
    assert state["revision"] == anna.revisions[token]
    assert state["slices"][0]["content"] == square(0)
    assert state["slices"][1]["content"] is None
    again = tab.send("PUT", f"/api/t/{token}/slice/1", body, state["revision"])
    assert again.status_code == 200
    kept = anna.open(token)["state"]["slices"]
    assert [s["content"] for s in kept[:2]] == [square(0), square(3)]


def test_what_is_sent_twice_is_done_once(anna: Hand, room: Served) -> None:
    token = anna.tokens()[0]
    anna.open(token)
    body, revision = {"id": fresh(), **edit(square())}, anna.revisions[token]
    first = anna.send("PUT", f"/api/t/{token}/slice/0", body, revision)
    journal = room.study / "readings/anna/first/journal.jsonl"
    lines = journal.read_bytes()
    again = anna.send("PUT", f"/api/t/{token}/slice/0", body, revision)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert journal.read_bytes() == lines
    other = anna.send("PUT", f"/api/t/{token}/slice/1", body, revision)
    assert (other.status_code, other.json()["code"]) == (422, "id-used")


def test_a_digest_that_differs_is_told(reader: Hand) -> None:
    token = reader.tokens()[0]
    reader.open(token)
    body = {"id": fresh(), **edit(square(), after="0" * 16)}
    answer = reader.send("PUT", f"/api/t/{token}/slice/0", body, reader.revisions[token])
    assert (answer.status_code, answer.json()["expected"]) == (422, digest_of(square()))


@pytest.mark.parametrize(("method", "what"), WRITES)
def test_a_write_names_its_revision(reader: Hand, method: str, what: str) -> None:
    token = reader.tokens()[0]
    reader.open(token)
    bodies = {
        "slice/0": edit(square()), "level": {"slice": 0, "x": 1, "y": 1},
        "quality": {"flags": [], "comment": ""}, "between": {"digests": {"1": "0" * 16}},
    }  # fmt: skip
    body = {"id": fresh(), **bodies.get(what, {})}
    answer = reader.send(method, f"/api/t/{token}/{what}", body)
    assert (answer.status_code, answer.json()["code"]) == (428, "no-revision")
    for wrong in ("3", "*", 'W/"3"', '"-1"', '"1", "2"', '"1e3"', '""', '"99999999999"'):
        headers = {"origin": ROOM.origin, "if-match": wrong}
        answer = reader.client.request(method, f"/api/t/{token}/{what}", json=body, headers=headers)
        assert answer.status_code == 422, wrong
    stale = reader.send(method, f"/api/t/{token}/{what}", body, 900)
    assert stale.status_code == (422 if what == "proposal" else 409)


def _polygon(points: int) -> dict:
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    circle = np.stack([11 + 8 * np.cos(angles), 9 + 8 * np.sin(angles)], axis=1).round(3)
    return {"kind": "polygons", "polygons": [circle.tolist()]}


def _triangle(*points: list) -> dict:
    return {"kind": "polygons", "polygons": [list(points)]}


def test_as_many_points_as_fit(anna: Hand) -> None:
    token = anna.tokens()[0]
    anna.open(token)
    anna.draw(token, 0, _polygon(2000))


RUNS = {"kind": "runs", "runs": [3, 4]}
BAD = {
    "2001 points": edit(_polygon(2001)),
    "2001 points in many polygons": edit({"kind": "polygons", "polygons": [[[1, 1]] * 3] * 667}),
    "a point outside": edit(square(), content=_triangle([1, 1], [25, 1], [1, 3])),
    "a point above": edit(square(), content=_triangle([1, -1.01], [2, 1], [1, 3])),
    "a point of three": edit(square(), content=_triangle(*[[1, 1, 1]] * 3)),
    "a point of text": edit(square(), content=_triangle(*[["1", "1"]] * 3)),
    "a point of truth": edit(square(), content=_triangle(*[[True, 1]] * 3)),
    "a huge number": edit(square(), content=_triangle(*[[1e300, 1]] * 3)),
    "runs unsorted": edit(RUNS, content={"kind": "runs", "runs": [9, 2, 3, 2]}),
    "runs that overlap": edit(RUNS, content={"kind": "runs", "runs": [3, 4, 5, 2]}),
    "runs that touch": edit(RUNS, content={"kind": "runs", "runs": [3, 4, 7, 2]}),
    "runs outside": edit(RUNS, content={"kind": "runs", "runs": [SHAPE[1] * SHAPE[2] - 1, 2]}),
    "runs of an odd number": edit(RUNS, content={"kind": "runs", "runs": [3]}),
    "runs without length": edit(RUNS, content={"kind": "runs", "runs": [3, 0]}),
    "runs below": edit(RUNS, content={"kind": "runs", "runs": [-3, 4]}),
    "runs of fractions": edit(RUNS, content={"kind": "runs", "runs": [3.5, 4]}),
    "another kind": edit(RUNS, content={"kind": "spline"}),
    "a kind too many": edit(RUNS, content={"kind": "nobody", "runs": []}),
    "another tool": edit(RUNS, tool="wand"),
    "a tool that is off": edit(square(), tool="livewire"),
    "a tool that cannot": edit(square(), tool="clear"),
    "another key": edit(RUNS, __proto__={}),
    "seconds below": edit(RUNS, seconds=-1),
    "seconds of text": edit(RUNS, seconds="1"),
    "a digest of another length": edit(RUNS, after="0" * 15),
    "no content": {k: v for k, v in edit(RUNS).items() if k != "content"},
    "no seconds": {k: v for k, v in edit(RUNS).items() if k != "seconds"},
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_an_edit_that_cannot_be_is_refused(reader: Hand, what: str) -> None:
    token = reader.tokens()[0]
    reader.open(token)
    before = reader.open(token)["state"]
    body = {"id": fresh(), **BAD[what]}
    answer = reader.send("PUT", f"/api/t/{token}/slice/0", body, before["revision"])
    assert answer.status_code == 422, answer.text
    assert set(answer.json()) >= {"code", "message", "remedy"}
    assert answer.json()["code"] != "digest", "refused for what it is, not for what it makes"
    assert reader.open(token)["state"] == before


@pytest.mark.parametrize("name", ["", "g" * 32, "0" * 31, "0" * 33, "A" * 32, 7, None])
def test_an_id_that_is_none_is_refused(reader: Hand, name: object) -> None:
    token = reader.tokens()[0]
    reader.open(token)
    body = {**edit(square()), "id": name}
    assert reader.send("PUT", f"/api/t/{token}/slice/0", body, 1).status_code == 422


@pytest.mark.parametrize("k", ["4", "-1", "99999999999999999999", "0x1", "a", "%00", "1%2f2"])
def test_a_slice_that_is_none_is_refused(reader: Hand, k: str) -> None:
    token = reader.tokens()[0]
    reader.open(token)
    body = {"id": fresh(), **edit(square())}
    assert reader.send("PUT", f"/api/t/{token}/slice/{k}", body, 1).status_code in (404, 422)


@pytest.mark.parametrize("text", ["\x00", "\x1b[31m", "x" * 2001])
def test_a_comment_that_cannot_be_kept_is_refused(reader: Hand, text: str) -> None:
    token = reader.tokens()[0]
    reader.open(token)
    body = {"id": fresh(), "flags": [], "comment": text}
    assert (
        reader.send("PUT", f"/api/t/{token}/quality", body, reader.revisions[token]).status_code
        == 422
    )


def test_what_was_sent_does_not_come_back(reader: Hand) -> None:
    """A refusal that repeats what it refuses lets one page write into another."""
    token = reader.tokens()[0]
    reader.open(token)
    evil = "<script>alert(1)</script>"
    bodies = [
        {evil: evil}, {"id": evil, **edit(square())}, {"id": fresh(), **edit(square(), tool=evil)},
        {"id": fresh(), **edit(square(), content={"kind": evil})}, [evil], evil,
    ]  # fmt: skip
    for body in bodies:
        answer = reader.send("PUT", f"/api/t/{token}/slice/0", body, 1)
        assert answer.status_code == 422
        assert "script" not in answer.text
    for path in (
        f"/api/{evil}",
        f"/api/t/{evil}",
        f"/static/{evil}",
        f"/api/t/{token}/pixels?sequence={evil}",
    ):
        assert "script" not in reader.client.get(path).text


# Files


TRAVERSALS = (
    "../app.py", "..%2fapp.py", "%2e%2e/app.py", "%2e%2e%2fapp.py", "....//app.py", "..\\app.py",
    "..%5capp.py", "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "tools/../../app.py",
    "room.js/../../app.py", "room.js%00.css", "", ".", "tools", "tools/", "../templates/room.html",
    "C:/windows/win.ini", "file:///etc/passwd", "../../../../../../etc/passwd",
)  # fmt: skip


@pytest.mark.parametrize("name", TRAVERSALS)
def test_static_gives_out_its_own_files_alone(still: Served, name: str) -> None:
    for start in ("/static", f"/static/{static_edition()}"):
        answer = still.client().get(f"{start}/{name}")
        assert answer.status_code == 404, answer.text[:80]
        assert answer.json()["code"] == "not-found"


@pytest.mark.parametrize("token", [*TRAVERSALS, "0" * 32, "0" * 31, "A" * 4000, "%00", "*"])
@pytest.mark.parametrize("ending", ["", "/pixels", "/training"])
def test_a_token_that_is_none_is_not_found(reader: Hand, token: str, ending: str) -> None:
    answer = reader.client.get(f"/api/t/{token}{ending}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_static_files_have_their_kind(still: Served) -> None:
    client = still.client()
    for path in STATIC.rglob("*"):
        if path.suffix in KINDS:
            answer = client.get(f"/static/{static_edition()}/{path.relative_to(STATIC).as_posix()}")
            assert "immutable" in answer.headers["cache-control"]
            assert answer.headers["content-type"] == KINDS[path.suffix]
            assert answer.content == path.read_bytes()


def test_files_of_another_edition_are_not_there(still: Served) -> None:
    """A browser that keeps them would take them for those of its page."""
    assert still.client().get(f"/static/{'0' * 16}/room.js").status_code == 404


def test_the_page_holds_nothing_but_itself(still: Served) -> None:
    answer = still.client().get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in answer.text
    assert "style=" not in answer.text
    assert "http" not in answer.text


# Who is inside


def test_nobody_is_answered_without_entering(still: Served) -> None:
    client = still.client()
    token = still.hand("anna").tokens()[0]
    for path in (
        "me",
        "worklist",
        f"t/{token}",
        f"t/{token}/pixels",
        f"t/{token}/training",
    ):
        assert client.get(f"/api/{path}").status_code == 401, path
    for method, what in (*WRITES, ("POST", "between"), ("POST", "reopen")):
        answer = Hand(client).send(
            method, f"/api/t/{token}/{what}", {"id": fresh(), "reason": "x"}, 1
        )
        assert answer.status_code in (401, 422), what
        assert "state" not in answer.json()


def test_the_cookie(still: Served) -> None:
    client = still.client()
    answer = Hand(client).send("POST", "/enter", {"link": still.door.link("anna")})
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == "centrum-8484"
    assert rest.partition("; ")[2].lower() == "httponly; path=/; samesite=strict"
    assert answer.json() == {
        "reader": "anna", "lead": False, "locked": False, "pin": False, "idle_minutes": 15.0,
    }  # fmt: skip


def test_a_cookie_of_another_port_opens_nothing(still: Served) -> None:
    value = still.hand("anna").client.cookies["centrum-8484"]
    client = still.client()
    for name in ("centrum-8485", "centrum", "Centrum-8484"):
        answer = client.get("/api/worklist", headers={"cookie": f"{name}={value}"})
        assert answer.status_code == 401
    assert (
        client.get("/api/worklist", headers={"cookie": f"centrum-8484={value}"}).status_code == 200
    )


def test_a_locked_screen_is_opened_by_the_pin(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    Pins(study).set("anna", "468013")
    now = [0.0]
    with served(study, idle_seconds=60, clock=lambda: now[0]) as room:
        anna = room.hand("anna")
        token = anna.tokens()[0]
        anna.open(token)
        anna.draw(token, 0)
        now[0] = 61
        for path in ("worklist", f"t/{token}", f"t/{token}/pixels"):
            assert anna.client.get(f"/api/{path}").status_code == 401
        assert anna.client.get("/api/me").json() == {
            "reader": "anna", "lead": False, "locked": True, "pin": True, "idle_minutes": 1.0,
        }  # fmt: skip
        body = {"id": fresh(), **edit(square())}
        answer = anna.send("PUT", f"/api/t/{token}/slice/1", body, anna.revisions[token])
        assert (answer.status_code, answer.json()["code"]) == (401, "locked")
        wrong = anna.send("POST", "/enter", {"reader": "anna", "pin": "000000"})
        assert wrong.status_code == 401
        anna.enter(reader="anna", pin="468013")
        assert anna.open(token)["state"]["slices"][0]["content"] == square()
        anna.draw(token, 1)


def test_a_pin_is_not_guessed_over_http(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", cases=1)
    Pins(study).set("anna", "468013")
    with served(study) as room:
        hand = Hand(room.client())
        told = [hand.send("POST", "/enter", {"reader": "anna", "pin": f"{k:06}"}) for k in range(7)]
        assert [answer.status_code for answer in told] == [401] * 5 + [429] * 2
        right = hand.send("POST", "/enter", {"reader": "anna", "pin": "468013"})
        assert right.status_code == 429
        assert int(right.headers["retry-after"]) > 800
    with served(study) as room:  # a server that is begun again does not forget
        answer = Hand(room.client()).send("POST", "/enter", {"reader": "anna", "pin": "468013"})
        assert answer.status_code == 429


def test_a_lock_and_a_way_out(room: Served, anna: Hand) -> None:
    assert anna.send("POST", "/api/lock").json()["locked"]
    assert anna.client.get("/api/worklist").status_code == 401
    again = room.hand("anna")
    assert again.send("POST", "/api/leave").status_code == 200
    assert again.client.get("/api/me").status_code == 401


def test_half_a_proof_is_none(still: Served) -> None:
    for proof in ({}, {"reader": "anna"}, {"pin": "468013"}, {"link": ""}):
        answer = Hand(still.client()).send("POST", "/enter", proof)
        assert answer.status_code in (401, 422)
        assert "set-cookie" not in answer.headers


def test_a_form_of_another_page_changes_nothing(reader: Hand) -> None:
    """As a page that the reader visits beside could send it, with the reader's cookie."""
    token = reader.tokens()[0]
    reader.open(token)
    evil = {"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"}
    for origin in (evil, {"origin": "null"}, {"origin": "https://evil.example"}):
        form = reader.client.post(f"/api/t/{token}/undo", data={"id": fresh()}, headers=origin)
        assert form.status_code == 403
        kind = {"content-type": "text/plain"}
        text = reader.client.post("/api/lock", content=json.dumps({}), headers=origin | kind)
        assert text.status_code == 403
    own = {"origin": ROOM.origin}
    assert reader.client.post("/api/lock", data={"a": "b"}, headers=own).status_code == 415
    assert not reader.client.get("/api/me").json()["locked"]


def test_no_page_of_elsewhere_is_allowed_to_ask(reader: Hand) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "PUT"}
    answer = reader.client.options("/api/worklist", headers=asked)
    assert answer.status_code == 403
    own = reader.client.get("/api/worklist", headers={"origin": ROOM.origin})
    assert not [name for name in own.headers if name.startswith("access-control")]


def test_the_lead_is_no_reader_and_readers_are_no_lead(room: Served, anna: Hand) -> None:
    lead, token = room.hand(LEAD), anna.tokens()[0]
    assert lead.client.get("/api/me").json()["lead"]
    assert lead.client.get("/api/worklist").status_code == 404
    assert lead.client.get(f"/api/t/{token}").status_code == 404
    assert anna.client.get("/api/progress").status_code == 404
    assert lead.client.get("/api/progress").json()["ben"] == {"cases": 4, "begun": 0, "signed": 0}


def test_an_image_that_cannot_be_read_is_not_named(room: Served, anna: Hand) -> None:
    for path in (room.study / "kanarifolder").iterdir():
        path.write_bytes(b"damaged")
    for ending in ("", "/pixels"):
        answer = anna.client.get(f"/api/t/{anna.tokens()[0]}{ending}")
        assert answer.status_code == 422
        assert "anari" not in answer.text


def _noted(error: CentrumError) -> CentrumError:
    error.add_note("while reading case Kanarienvogel")
    return error


@pytest.mark.parametrize(
    "error",
    [DataError("Zeisig.", file="Zeisig.nrrd"), ImageError("Zeisig."), ManifestError("Zeisig."),
     _noted(DataError("It is so."))],
)  # fmt: skip
def test_an_error_that_could_name_a_file_is_not_passed_on(
    still: Served, reader: Hand, monkeypatch: pytest.MonkeyPatch, error: CentrumError
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(still.desk, "open", fails)
    answer = reader.client.get(f"/api/t/{reader.tokens()[0]}")
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable")
    assert not [canary for canary in CANARIES if canary in answer.text]


def test_a_disk_that_is_full_is_told_so_that_it_is_sent_again(
    anna: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = anna.tokens()[0]
    anna.open(token)
    body = {"id": fresh(), **edit(square())}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("centrum.reading.journal.Journal._write", full)
        answer = anna.send("PUT", f"/api/t/{token}/slice/0", body, anna.revisions[token])
    assert (answer.status_code, answer.json()["code"]) == (503, "not-saved")
    again = anna.send("PUT", f"/api/t/{token}/slice/0", body, anna.revisions[token])
    assert again.status_code == 200


def test_what_the_description_wants_is_what_the_desk_wants(reader: Hand) -> None:
    """A form lacks a field for the description, too; it is not left to the desk to find that."""
    token = reader.tokens()[0]
    reader.open(token)
    body = {"id": fresh(), "flags": []}
    answer = reader.send("PUT", f"/api/t/{token}/quality", body, reader.revisions[token])
    assert (answer.status_code, answer.json()["code"]) == (422, "not-so")


def test_a_stroke_waits_for_one_thread_alone() -> None:
    """What a route depends on is asked at once; a thread for each had to be waited for."""
    asked = [r.dependant for r in (*_room.routes, *_open_to_all.routes) if isinstance(r, APIRoute)]
    while asked:
        one = asked.pop()
        for needed in one.dependencies:
            assert inspect.iscoroutinefunction(needed.call), needed.call
            asked.append(needed)
