"""The study's lead: compares what two have signed, decides, draws anew; readers see none of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from centrum.agreement.overlap import slice_overlap
from centrum.cohort.readings import CONSENSUS, read_signed
from centrum.commands.read import LEAD
from centrum.reading.raster import fill_polygons, mask_of
from tests.web.browser.places import READER, SIZE, SPACING, Room, make_study, open_room
from tests.web.browser.sight import Eyes
from tests.web.browser.test_hands import named
from tests.web.rooms import Hand, digest_of, edit

SHAPE = (SIZE[1], SIZE[0])
OTHER = "ben"
CASES = ("spare 0", "spare 1", "spare 2", "spare 3")
LEFTS = {"spare 0": 14, "spare 1": 11, "spare 2": 10, "spare 3": 8}
"""Where the second reader's rectangle begins; it ends at `END`."""

FIRST, END = (8.5, 28.5), 31.5
"""Where the first's begins and ends."""


def rectangle(left: float, right: float) -> dict[str, Any]:
    return {"kind": "polygons",
            "polygons": [[[left, 8.5], [right, 8.5], [right, 26.5], [left, 26.5]]]}  # fmt: skip


def both(case: str) -> tuple[np.ndarray, np.ndarray]:
    """What the two have drawn."""
    a, b = rectangle(*FIRST), rectangle(LEFTS[case] + 0.5, END)
    return fill_polygons(a["polygons"], SHAPE), fill_polygons(b["polygons"], SHAPE)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Two readers have signed four cases, by HTTP; they agree on some more than on others."""
    folder = tmp_path_factory.mktemp("compare") / "study"
    with open_room(make_study(folder, spare=5, readers=[READER, OTHER])) as found:
        for name in (READER, OTHER):
            read(found, name)
        yield found


def read(room: Room, name: str) -> None:
    with httpx2.Client(base_url=room.origin, trust_env=False, timeout=60) as client:
        hand = Hand(client, room.origin).enter(link=room.door.link(name))
        for case in CASES:
            token = ticket(room, name, case)
            hand.open(token)
            sides = FIRST if name == READER else (LEFTS[case] + 0.5, END)
            for k in range(SIZE[2]):
                drawn = k in (1, 2, 3) if name == READER else k in (2, 3)
                content = rectangle(*sides) if drawn else {"kind": "nobody"}
                hand.write(
                    token, "PUT", f"slice/{k}", edit(content) | {"after": digest_of(content, SHAPE)}
                )
            if name == OTHER and case == CASES[1]:
                flags = {"flags": ["motion"], "comment": ""}
                hand.write(token, "PUT", "quality", flags)
            hand.write(token, "POST", "submit", {})


def ticket(room: Room, reader: str, case: str) -> str:
    known = json.loads((room.study / "readings/tickets.json").read_text())
    (token,) = [
        token for token, one in known.items() if (one["reader"], one["case"]) == (reader, case)
    ]
    return token


@pytest.fixture(scope="module")
def leading(browser: Any, room: Room) -> Iterator[Eyes]:
    with Eyes.before(browser, room, name=LEAD) as found:
        yield found


@pytest.fixture
def lead(leading: Eyes) -> Iterator[Eyes]:
    with leading.fresh_tab() as found:
        yield found


def choose(lead: Eyes, case: str) -> None:
    """Open a case from the list, by the order of agreement."""
    row = lead.page.locator(".compared tbody tr").nth(CASES.index(case))
    row.locator("button").click()
    lead.page.wait_for_selector(".comparison")
    lead.settle()


def figures(lead: Eyes) -> list[list[str]]:
    rows = lead.page.locator(".by-slice tbody tr").all()
    return [[cell.inner_text() for cell in row.locator("td").all()] for row in rows]


def test_cases_are_listed_with_the_least_agreement_first(lead: Eyes):
    rows = lead.page.locator(".compared tbody tr")
    told = [row.locator("td").nth(1).inner_text() for row in rows.all()]
    assert told == sorted(told)
    assert len(set(told)) == len(CASES)
    assert "ben: motion" in rows.nth(1).inner_text()
    assert lead.console == []
    assert named(lead.page) == []


def test_every_slice_has_its_figures(lead: Eyes):
    choose(lead, CASES[0])
    a, b = both(CASES[0])
    found = slice_overlap(a, b, SPACING[1::-1])
    drawn = [
        f"{found.dice:.3f}", f"−{abs(found.volume_difference_mm3):.0f}",
        f"{found.mean_surface_distance_mm:.2f}",
    ]  # fmt: skip
    alone = ["0.000", f"−{a.sum() * SPACING[0] * SPACING[1]:.0f}", "–"]
    assert figures(lead) == [alone, drawn, drawn]
    assert lead.slice == 1
    lead.press("t")
    assert lead.slice == 2
    assert f"Dice {found.dice:.3f}" in lead.said()
    assert "mm²" in lead.said()
    lead.press("Home")
    assert "no outline" in lead.said()
    assert named(lead.page) == []


def colours(lead: Eyes, k: int) -> set[str]:
    """Which of the readers' colours are on the picture of a slice."""
    return set(
        lead.page.evaluate(
            """(k) => { const canvas = document.querySelectorAll(".sheet canvas")[k];
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            const style = getComputedStyle(document.querySelector(".pane"));
            const wanted = Object.fromEntries(["reader-a", "reader-b"].map((name) => {
              const one = new OffscreenCanvas(1, 1).getContext("2d");
              one.fillStyle = style.getPropertyValue(`--${name}`).trim();
              one.fillRect(0, 0, 1, 1);
              return [name, [...one.getImageData(0, 0, 1, 1).data].slice(0, 3)]; }));
            const found = new Set();
            for (let n = 0; n < data.length; n += 4) {
              for (const [name, [r, g, b]] of Object.entries(wanted)) {
                if (data[n] === r && data[n + 1] === g && data[n + 2] === b) found.add(name);
              }
            }
            return [...found]; }""",
            k,
        )
    )


def test_all_slices_of_a_case_lie_beside_each_other(lead: Eyes):
    choose(lead, CASES[0])
    lead.press("s")
    lead.page.wait_for_selector(".sheet")
    cells = lead.page.locator(".sheet .slices button")
    assert cells.count() == SIZE[2]
    told = [cell.inner_text() for cell in cells.all()]
    assert told[0] == "Slice 1 · no outline"
    assert told[1] == "Slice 2 · Dice 0.000"
    assert [colours(lead, k) for k in (0, 1, 2)] == [set(), {"reader-a"}, {"reader-a", "reader-b"}]
    assert named(lead.page) == []
    cells.nth(3).click()
    lead.page.wait_for_selector(".sheet", state="detached")
    assert lead.slice == 3
    lead.press("s")
    lead.page.wait_for_selector(".sheet")
    lead.press("Escape")
    lead.page.wait_for_selector(".sheet", state="detached")
    assert lead.slice == 3
    assert lead.console == []


def shades(lead: Eyes, *points: tuple[float, float]) -> list[set[tuple[int, ...]]]:
    """Colours of what is drawn around voxels, without those of the image below."""
    frame, box = lead.frame, lead.page.locator(".overlay").first.bounding_box()
    at = [(x - box["x"], y - box["y"]) for x, y in (frame.exact(point) for point in points)]
    found = lead.page.evaluate(
        """(at) => { const canvas = document.querySelector(".overlay");
        const context = canvas.getContext("2d");
        return at.map(([x, y]) => [...context.getImageData(x - 8, y - 8, 16, 16).data]); }""",
        at,
    )
    return [{tuple(one) for one in np.reshape(f, (-1, 4)).tolist() if one[3] > 60} for f in found]


def test_both_outlines_and_what_one_alone_holds_are_drawn(lead: Eyes):
    choose(lead, CASES[0])
    lead.press("t", "z")
    only, common, outside = shades(lead, (11.5, 20), (21, 14), (36, 20))
    assert only
    assert not common
    assert not outside
    lead.press("o")
    assert shades(lead, (11.5, 20)) == [set()]


CHOICES = {
    "a": FIRST, "b": (14.5, END), "u": (FIRST[0], END), "j": (14.5, FIRST[1]),
}  # fmt: skip


def test_what_is_chosen_is_shown_before_it_is_signed(lead: Eyes):
    """In white, at the sides where the outline would be, and at no other."""
    choose(lead, CASES[0])
    lead.press("t", "z")
    edges = (*FIRST, 14.5, END)
    for key, sides in CHOICES.items():
        lead.press(key)
        seen = shades(lead, *[(x, 18.25) for x in edges])
        white = [
            x for x, found in zip(edges, seen, strict=True) if any(min(c) > 230 for c in found)
        ]
        assert sorted(white) == sorted(sides), key


def test_a_decision_wants_an_outline_and_a_reason(lead: Eyes):
    choose(lead, CASES[3])
    lead.page.click("text=Sign this")
    assert "Choose an outline" in lead.page.locator(".said").inner_text()
    lead.press("Tab")
    lead.page.locator(".overlay").focus()
    lead.press("a")
    lead.page.click("text=Sign this")
    assert "Say why" in lead.page.locator(".said").inner_text()
    lead.page.context.set_offline(True)
    lead.page.fill("#why", "because")
    lead.page.click("text=Sign this")
    lead.page.wait_for_selector(".said:has-text('cannot be reached')")
    lead.page.context.set_offline(False)


def consensus(room: Room, case: str) -> tuple[Any, list[dict[str, Any]]]:
    """Record and journal of what was decided."""
    token = ticket(room, CONSENSUS, case)
    return read_signed(room.study, CONSENSUS, "first").get(token), room.journal(token, CONSENSUS)


def test_what_is_decided_is_in_the_journal_of_the_consensus(lead: Eyes, room: Room):
    """By keyboard: the union, with its reason; then the next case that is not decided."""
    choose(lead, CASES[0])
    lead.press("u")
    assert "Union" in lead.said()
    lead.page.focus("#why")
    lead.page.keyboard.type("both are right")
    lead.press("Tab", "Enter")
    lead.page.wait_for_selector(".decision :text('Union of both, signed')")
    record, lines = consensus(room, CASES[0])
    assert record.taken_from == "union"
    (laid,) = [line for line in lines if line["kind"] == "proposal"]
    assert laid["payload"]["reason"] == "both are right"
    a, b = both(CASES[0])
    assert np.array_equal(mask_of(laid["payload"]["runs"]["2"], SHAPE), a | b)
    assert lines[-1]["kind"] == "submit"
    before = lead.page.locator("h1").inner_text()
    lead.page.locator(".overlay").focus()
    lead.press("n")
    lead.page.wait_for_selector(f".comparison h1:not(:has-text({before!r}))")
    assert "Not decided" in lead.page.locator(".decision").inner_text()
    lead.page.click(".bar-left button")
    lead.page.wait_for_selector(".compared")
    rows = lead.page.locator(".compared tbody tr")
    assert "union" in rows.nth(0).inner_text()
    assert "not decided" in rows.nth(3).inner_text()


def test_what_was_asked_for_last_is_shown(lead: Eyes):
    """A case that is slow to come does not push the list away."""
    held = lead.hold("/pixels")
    lead.page.locator(".compared tbody button").first.click()
    held.asked()
    lead.page.locator(".compared tbody button").nth(3).click()
    lead.page.wait_for_selector(".comparison")
    title = lead.page.locator("h1").inner_text()
    with lead.page.expect_response("**/pixels"):
        held.go()
    lead.settle()
    lead.settle()
    assert lead.page.locator("h1").inner_text() == title


def test_drawn_anew_it_begins_with_what_was_chosen(lead: Eyes, room: Room):
    choose(lead, CASES[1])
    lead.press("t", "b")
    lead.page.fill("#why", "the dorsal edge")
    lead.page.click("text=Draw anew")
    lead.page.wait_for_selector(".palette .conclude")
    lead.settle()
    assert lead.slice == 2
    assert lead.states() == ["nobody", "nobody", "drawn", "drawn", "nobody"]
    lead.page.reload()
    lead.page.wait_for_selector(".palette .conclude")
    lead.settle()
    lead.press("PageUp")
    outline = lead.outline([(10, 10), (28, 10), (28, 25), (10, 25)])
    lead.saved()
    lead.page.click("text=Comparison")
    lead.page.wait_for_selector(".comparison")
    assert "being drawn" in lead.page.locator(".decision").inner_text()
    lead.page.click("text=Go on drawing")
    lead.page.wait_for_selector(".palette .conclude")
    lead.press("s", "Enter")
    lead.page.wait_for_selector(".bar.signed")
    record, lines = consensus(room, CASES[1])
    assert record.taken_from == ""
    kinds = [line["kind"] for line in lines if line["kind"] not in ("open", "level")]
    assert kinds == ["proposal", "edit", "submit"]
    assert np.allclose(lines[-2]["payload"]["content"]["polygons"], [outline], atol=1e-9)


def test_readers_are_answered_that_there_is_nothing(browser: Any, room: Room):
    tokens = [ticket(room, name, CASES[0]) for name in (READER, OTHER)]
    way = "/api/compare/{}/{}".format(*tokens)
    with Eyes.before(browser, room) as eyes:
        assert not eyes.page.locator(".compared").count()
        for path in ("/api/compare", way, f"{way}/pixels", f"/api/t/{'0' * 32}"):
            asked = "(path) => fetch(path).then((answer) => answer.status)"
            assert eyes.page.evaluate(asked, path) == 404
        decision = """(path) => fetch(path, {method: "POST", body: '{"take":"union","reason":"r"}',
            headers: {"Content-Type": "application/json"}}).then((answer) => answer.status)"""
        assert eyes.page.evaluate(decision, f"{way}/decide") == 404


def test_with_nothing_signed_it_says_so(browser: Any, tmp_path: Path):
    with (
        open_room(make_study(tmp_path / "study", spare=1, readers=[READER, OTHER])) as room,
        Eyes.before(browser, room, name=LEAD) as lead,
    ):
        assert "No case has been signed by two" in lead.page.locator(".worklist").inner_text()


def test_at_200_percent_the_slice_comes_into_sight(browser: Any, room: Room):
    window = {"width": 640, "height": 400}
    with Eyes.before(browser, room, name=LEAD, viewport=window, scale=2) as lead:
        choose(lead, CASES[0])
        box = lead.page.locator(".stage").bounding_box()
        assert -1 < box["y"] < box["y"] + box["height"] < window["height"] + 1


@pytest.mark.parametrize("zoom", [1.6, 2.5])
def test_a_narrow_page_is_not_wider_than_the_window(browser: Any, room: Room, zoom: float):
    with Eyes.before(browser, room, zoom=zoom, name=LEAD) as lead:
        choose(lead, CASES[0])
        wide = "[document.documentElement.scrollWidth, innerWidth]"
        found, window = lead.page.evaluate(wide)
        assert found <= window
