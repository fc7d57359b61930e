"""The study's lead: sees what both have signed, decides, and draws nothing else."""

from pathlib import Path

import numpy as np
import pytest

from centrum.cohort.readings import CONSENSUS, read_signed
from centrum.commands.read import LEAD
from centrum.reading.raster import mask_of
from tests.web.rooms import CANARIES, SHAPE, Hand, Served, edit, make_study, served, square

BOTH = "/api/compare/{}/{}"

LEVEL = "T12"
"""Of the first case."""


def read_case(hand: Hand, token: str, size: int) -> None:
    """Slices 1 and 2 drawn, the ends without a body, signed."""
    hand.open(token)
    for k in (1, 2):
        hand.draw(token, k, square(0, size))
    for k in (0, 3):
        hand.write(token, "PUT", f"slice/{k}", edit({"kind": "nobody"}))
    hand.write(token, "POST", "submit", {})


def token_of(room: Served, reader: str, case: str) -> str:
    (ticket,) = [t for t in room.desk._book.of(reader, "first") if t.case == case]
    return ticket.token


@pytest.fixture
def pair(room: Served, anna: Hand, ben: Hand) -> tuple[str, str]:
    """The tokens of the first case, which both have signed."""
    case = "Kanarienvogel 0"
    tokens = token_of(room, "anna", case), token_of(room, "ben", case)
    read_case(anna, tokens[0], 6)
    read_case(ben, tokens[1], 8)
    return tokens


@pytest.fixture
def lead(room: Served) -> Hand:
    return room.hand(LEAD)


def test_what_both_have_signed_is_compared(
    lead: Hand, anna: Hand, ben: Hand, pair: tuple[str, str]
) -> None:
    """Squares of 6 and of 8 pixels from one corner: 36 in common, of 36 and 64."""
    (found,) = lead.client.get("/api/compare").json()
    assert (found["a"], found["b"]) == pair
    assert found["readers"] == ["anna", "ben"]
    assert found["dice"] == pytest.approx(72 / 100)
    assert (found["intra"], found["slices"], found["decided"]) == (False, 2, None)
    places = anna.tokens().index(pair[0]), ben.tokens().index(pair[1])
    assert found["numbers"] == [place + 1 for place in places]
    view = lead.client.get(BOTH.format(*pair)).json()
    assert view["shape"] == list(SHAPE)
    assert [s["slice"] for s in view["outlines"]] == [1, 2]
    one = view["outlines"][0]
    a, b = (mask_of(one[side], SHAPE[1:]) for side in "ab")
    assert (a.sum(), b.sum(), (a & b).sum()) == (36, 64, 36)
    assert one["provenance"] == ["drawn", "drawn"]
    assert one["area_difference_mm2"] == pytest.approx(28 * 0.9**2)
    assert one["mean_surface_distance_mm"] > 0
    assert view["marks"] == [{"slice": 1, "x": 8, "y": 9}] * 2
    assert (view["level"], view["level_mm"], view["flags"]) == (LEVEL, 0, [[], []])
    assert view["takes"] == ["anna", "ben", "union", "intersection"]
    assert view["spacing"] == pytest.approx([4.4, 0.9, 0.9])
    case = anna.client.get(f"/api/t/{pair[0]}").json()
    assert all(view[fact] == case[fact] for fact in ("windows", "scale", "orientation"))
    pixels = lead.client.get(f"{BOTH.format(*pair)}/pixels").content
    assert len(pixels) == 2 * np.prod(SHAPE)


def test_what_one_alone_has_signed_is_unknown(
    room: Served, lead: Hand, anna: Hand, pair: tuple[str, str]
) -> None:
    other = token_of(room, "anna", "Kanarienvogel 1")
    read_case(anna, other, 6)
    assert len(lead.client.get("/api/compare").json()) == 1
    second = token_of(room, "ben", "Kanarienvogel 1")
    unknown = lead.client.get(BOTH.format("0" * 32, "1" * 32))
    for tokens in ((other, second), (pair[0], second), pair[::-1]):
        for method, end in (("GET", ""), ("GET", "/pixels"), ("POST", "/decide")):
            body = {"take": "anna", "reason": "r"} if end == "/decide" else None
            answer = (
                lead.send(method, BOTH.format(*tokens) + end, body)
                if body
                else lead.client.get(BOTH.format(*tokens) + end)
            )
            assert (answer.status_code, answer.content) == (404, unknown.content)


def test_a_slice_that_one_alone_has_outlined_has_no_distance(
    room: Served, lead: Hand, anna: Hand, ben: Hand
) -> None:
    tokens = [token_of(room, reader, "Kanarienvogel 2") for reader in ("anna", "ben")]
    read_case(anna, tokens[0], 6)
    ben.open(tokens[1])
    ben.draw(tokens[1], 1, square(0, 6))
    for k in (0, 2, 3):
        ben.write(tokens[1], "PUT", f"slice/{k}", edit({"kind": "nobody"}))
    ben.write(tokens[1], "POST", "submit", {})
    both, alone = lead.client.get(BOTH.format(*tokens)).json()["outlines"]
    assert (both["dice"], both["mean_surface_distance_mm"]) == (1, 0)
    assert (alone["dice"], alone["mean_surface_distance_mm"]) == (0, None)
    assert alone["area_difference_mm2"] == pytest.approx(-36 * 0.9**2)


def test_what_can_be_decided_hangs_on_who_has_signed(tmp_path: Path) -> None:
    """Nothing before all have; union and intersection are of the first two readers alone."""
    names = ["anna", "ben", "cid"]
    with served(make_study(tmp_path / "study", cases=1, settings={"readers": names})) as room:
        lead, hands = room.hand(LEAD), [room.hand(name) for name in names]
        tokens = [hand.tokens()[0] for hand in hands]
        found = []
        for k, hand in enumerate(hands):
            read_case(hand, tokens[k], 5 + k)
            pairs = lead.client.get("/api/compare").json()
            views = [lead.client.get(BOTH.format(p["a"], p["b"])).json() for p in pairs]
            found.append({tuple(view["readers"]): view["takes"] for view in views})
        assert found[1] == {("anna", "ben"): []}
        assert found[2] == {
            ("anna", "ben"): ["anna", "ben", "union", "intersection"],
            ("anna", "cid"): ["anna", "cid"],
            ("ben", "cid"): ["ben", "cid"],
        }


def test_two_sessions_of_one_reader_are_compared_and_not_decided(tmp_path: Path) -> None:
    settings = {"readers": ["anna"], "sessions": ["first", "second"]}
    with served(make_study(tmp_path / "study", cases=1, settings=settings)) as room:
        anna = room.hand("anna")
        for size in (6, 8):
            read_case(anna, anna.tokens()[0], size)
        (found,) = room.hand(LEAD).client.get("/api/compare").json()
        assert found["intra"]
        assert found["readers"] == ["anna", "anna-second"]
        view = room.hand(LEAD).client.get(BOTH.format(found["a"], found["b"])).json()
        assert view["takes"] == []


def test_readers_see_none_of_it(anna: Hand, ben: Hand, pair: tuple[str, str]) -> None:
    for hand in (anna, ben):
        for path in ("/api/compare", BOTH.format(*pair), f"{BOTH.format(*pair)}/pixels"):
            assert hand.client.get(path).status_code == 404
        body = {"take": "anna", "reason": "r"}
        assert hand.send("POST", f"{BOTH.format(*pair)}/decide", body).status_code == 404


def test_the_lead_decides(room: Served, lead: Hand, pair: tuple[str, str]) -> None:
    body = {"take": "ben", "reason": "the dorsal edge"}
    answer = lead.send("POST", f"{BOTH.format(*pair)}/decide", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"]["signed"]
    (record,) = read_signed(room.study, CONSENSUS, "first").values()
    assert record.taken_from == "ben"
    assert lead.client.get("/api/compare").json()[0]["decided"] == "ben"


def test_the_lead_draws_anew_what_is_adjudicated_and_nothing_else(
    room: Served, lead: Hand, anna: Hand, pair: tuple[str, str]
) -> None:
    body = {"take": "union", "reason": "both", "sign": False}
    decided = lead.send("POST", f"{BOTH.format(*pair)}/decide", body).json()
    token = decided["token"]
    (listed,) = lead.client.get("/api/compare").json()
    assert (listed["drawing"], listed["decided"]) == (token, None)
    lead.open(token, level=False)
    lead.draw(token, 1, square(0, 7))
    lead.write(token, "POST", "submit", {})
    (record,) = read_signed(room.study, CONSENSUS, "first").values()
    assert record.provenance[1] == "proposed_corrected"
    (listed,) = lead.client.get("/api/compare").json()
    assert (listed["drawing"], listed["decided"]) == (None, "")
    for foreign in pair:
        assert lead.client.get(f"/api/t/{foreign}").status_code == 404
        reopened = lead.send("POST", f"/api/t/{foreign}/reopen", {"id": "0" * 32, "reason": "r"}, 1)
        assert reopened.status_code == 404
    assert anna.client.get(f"/api/t/{token}").status_code == 404
    assert lead.client.get("/api/worklist").status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"take": "zoe", "reason": "r"}, "no-outline"),
        ({"take": "anna", "reason": " "}, "no-reason"),
        ({"take": "anna"}, "not-so"),
        ({"take": "", "reason": "r"}, "not-so"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    lead: Hand, pair: tuple[str, str], body: dict, code: str
) -> None:
    answer = lead.send("POST", f"{BOTH.format(*pair)}/decide", body)
    assert answer.status_code == 422
    assert answer.json()["code"] == code


def test_nothing_of_it_says_whose_image_it_is(lead: Hand, pair: tuple[str, str]) -> None:
    decided = lead.send(
        "POST", f"{BOTH.format(*pair)}/decide", {"take": "zoe", "reason": "Kanarienvogel"}
    )
    paths = ("/api/compare", BOTH.format(*pair), f"{BOTH.format(*pair)}/pixels")
    for answer in (decided, *(lead.client.get(path) for path in paths)):
        told = (answer.content + str(dict(answer.headers)).encode()).lower()
        assert not [word for word in CANARIES if word.lower().encode() in told]
