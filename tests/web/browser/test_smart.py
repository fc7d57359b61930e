"""Live wire and GrowCut: what is kept is what the server offers, bit by bit."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.web.browser.places import SIZE, SPACING, Room, make_study, open_room
from tests.web.browser.sight import Eyes, brushed, pixels_of
from tests.web.browser.test_tools import recorded

SHAPE = (SIZE[1], SIZE[0])
RIM = [(9, 8), (30, 8), (29, 26), (10, 25)]

SUGGEST = """async ([token, k, asked]) => {
  const answer = await fetch(`/api/t/${token}/slice/${k}/suggest`, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(asked),
  });
  return (await answer.json()).content;
}"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    allowed = {"fill": True, "livewire": True, "growcut": True}
    study = make_study(tmp_path_factory.mktemp("smart") / "study", spare=20, assistance=allowed)
    with open_room(study) as found:
        yield found


def offered(eyes: Eyes, asked: dict[str, Any]) -> dict[str, Any]:
    """What the server says to the same question."""
    return eyes.page.evaluate(SUGGEST, [eyes.token, eyes.slice, asked])


def questions(eyes: Eyes) -> list[dict[str, Any]]:
    """Those that go to the server from now on, in their order."""
    asked: list[dict[str, Any]] = []

    def note(request: Any) -> None:
        if request.url.endswith("/suggest"):
            asked.append(request.post_data_json)

    eyes.page.on("request", note)
    return asked


def clicked(eyes: Eyes, *points: tuple[float, float]) -> list[list[float]]:
    """Click on the rim, each click after the answer to the one before."""
    found = []
    for n, point in enumerate(points, start=1):
        found += eyes.click(point)
        eyes.hear(f"{n} click")
    return found


def kept(eyes: Eyes) -> dict[str, Any]:
    eyes.saved()
    return eyes.journal[-1]


def rounded(points: list[list[float]]) -> list[list[float]]:
    return np.round(points, 3).tolist()


class TestLiveWire:
    def test_clicks_are_joined_as_the_server_joins_them(self, eyes: Eyes):
        eyes.open().press("l")
        assert "Live wire" in eyes.said()
        clicks = rounded(clicked(eyes, *RIM))
        eyes.click(RIM[0])
        eyes.page.wait_for_selector(".strip [data-state=drawn]")
        line = kept(eyes)
        assert line["tool"] == "livewire"
        whole = offered(eyes, {"tool": "livewire", "points": clicks, "closed": True})
        assert line["payload"]["content"] == whole
        assert len(whole["polygons"][0]) > 2 * len(RIM)
        assert eyes.console == []

    def test_enter_closes_and_backspace_takes_a_click_back(self, eyes: Eyes):
        eyes.open().press("l")
        clicks = rounded(clicked(eyes, *RIM[:3]))
        eyes.click((20, 30))
        eyes.hear("4 clicks")
        eyes.press("Backspace")
        assert eyes.said() == "3 clicks"
        eyes.press("Enter")
        eyes.page.wait_for_selector(".strip [data-state=drawn]")
        content = kept(eyes)["payload"]["content"]
        asked = {"tool": "livewire", "points": clicks, "closed": True}
        assert content == offered(eyes, asked)

    def test_a_polygon_goes_on_with_it_and_it_counts_as_a_wire(self, eyes: Eyes):
        eyes.open().press("l")
        clicked(eyes, *RIM[:2])
        eyes.press("p")
        eyes.click(RIM[2], RIM[3], RIM[0])
        assert kept(eyes)["tool"] == "livewire"

    def test_after_a_reload_each_click_is_still_one(self, eyes: Eyes):
        eyes.open().press("l")
        clicks = rounded(clicked(eyes, *RIM[:3]))
        eyes.page.reload()
        eyes.page.wait_for_selector(".editor")
        eyes.press("l", "Backspace")
        assert eyes.said() == "2 clicks"
        eyes.press("Shift+Enter")
        eyes.page.wait_for_selector(".strip [data-state=drawn]")
        asked = {"tool": "livewire", "points": clicks[:2], "closed": True}
        assert kept(eyes)["payload"]["content"] == offered(eyes, asked)

    def test_points_that_a_polygon_added_are_clicks_of_their_own(self, eyes: Eyes):
        eyes.open().press("l")
        clicked(eyes, *RIM[:2])
        eyes.press("p")
        eyes.click(RIM[2], RIM[3])
        eyes.press("l", "Backspace")
        assert eyes.said() == "3 clicks"
        eyes.press("Backspace", "Backspace")
        assert eyes.said() == "1 click"

    def test_by_keyboard(self, eyes: Eyes):
        eyes.open().press("l", "ArrowLeft", "Enter")
        for way in ("ArrowRight", "ArrowDown"):
            eyes.press(*[f"Shift+{way}"] * 2, "Enter")
            eyes.page.wait_for_timeout(300)
        eyes.press("Shift+Enter")
        eyes.page.wait_for_selector(".strip [data-state=drawn]")
        assert kept(eyes)["tool"] == "livewire"

    def test_without_the_server_it_says_so_and_a_polygon_is_drawn(self, eyes: Eyes):
        eyes.open().press("l")
        clicked(eyes, RIM[0])
        eyes.page.context.set_offline(True)
        eyes.click(RIM[1])
        eyes.page.wait_for_selector(".bar.note")
        assert "need the server" in eyes.page.locator(".bar.note").inner_text()
        eyes.press("p")
        eyes.click(*RIM[1:], RIM[0])
        eyes.page.context.set_offline(False)
        assert len(kept(eyes)["payload"]["content"]["polygons"][0]) == 4


def strokes(eyes: Eyes, outside: str = "Control") -> None:
    """A stroke in the middle, and one around it."""
    eyes.drag([(18, 15), (22, 18)], steps=3)
    around = [(6, 5), (33, 5), (33, 30), (6, 30), (6, 6)]
    frame = eyes.frame
    button = "right" if outside == "right" else "left"
    if outside == "Control":
        eyes.page.keyboard.down("Control")
    eyes.page.mouse.move(*frame.place(around[0]))
    eyes.page.mouse.down(button=button)
    for point in around[1:]:
        eyes.page.mouse.move(*frame.place(point), steps=4)
    eyes.page.mouse.up(button=button)
    if outside == "Control":
        eyes.page.keyboard.up("Control")


class TestGrowCut:
    @pytest.mark.parametrize("outside", ["Control", "right"])
    def test_strokes_are_answered_and_accepted(self, eyes: Eyes, outside: str):
        eyes.open().press("c", "[", "[", "[")
        asked = questions(eyes)
        strokes(eyes, outside)
        eyes.page.wait_for_selector(".bar.fill button.main")
        assert "square millimetres" in eyes.said()
        assert eyes.kinds == []
        (question,) = asked
        frame = eyes.frame
        way = [frame.voxel(frame.place(point)) for point in ((18, 15), (22, 18))]
        radius = float(eyes.page.locator(".size").inner_text().split()[0]) / 2
        inside = brushed(way, radius, SPACING[1::-1], SHAPE)
        assert np.mean(pixels_of(question["inside"], SHAPE) == inside) > 0.99
        eyes.press("Enter")
        line = kept(eyes)
        assert line["tool"] == "growcut"
        assert line["payload"]["content"] == offered(eyes, question)
        won = recorded(eyes)
        assert won[pixels_of(question["inside"], SHAPE)].all()
        assert not won[pixels_of(question["outside"], SHAPE)].any()

    def test_an_answer_that_comes_too_late_is_not_offered(self, eyes: Eyes):
        eyes.open().press("c", "[", "[", "[")
        held, asked = eyes.hold("/suggest"), questions(eyes)
        strokes(eyes)
        held.asked()
        eyes.drag([(12, 12), (26, 24)], steps=3)
        eyes.page.wait_for_selector(".bar.fill button.main")
        held.go()
        eyes.page.wait_for_timeout(600)
        eyes.press("Enter")
        answered, late = asked
        assert kept(eyes)["payload"]["content"] == offered(eyes, answered)
        assert answered != late

    def test_rejected_nothing_is_recorded(self, eyes: Eyes):
        eyes.open().press("c", "[", "[", "[")
        strokes(eyes)
        eyes.page.wait_for_selector(".bar.fill button.main")
        eyes.press("s")
        assert "Accept or reject" in eyes.said()
        eyes.press("Escape")
        assert "nothing was recorded" in eyes.said()
        assert not eyes.page.locator(".bar.fill").count()
        assert eyes.kinds == []

    @pytest.mark.parametrize("way", ["PageDown", "reload"])
    def test_strokes_that_nobody_accepted_are_told_as_gone(self, eyes: Eyes, way: str):
        eyes.open().press("c", "[", "[", "[")
        k = eyes.slice
        eyes.drag([(18, 15), (22, 18)], steps=3)
        if way == "reload":
            eyes.page.reload()
        else:
            eyes.press(way)
        eyes.page.wait_for_selector(".bar.note")
        assert f"on slice {k + 1} were not accepted" in eyes.page.locator(".bar.note").inner_text()
        eyes.page.reload()
        eyes.page.wait_for_selector(".editor")
        assert not eyes.page.locator(".bar.note").count()
        assert eyes.kinds == []

    def test_undo_takes_the_last_stroke_back(self, eyes: Eyes):
        eyes.open().press("c", "[", "[", "[")
        strokes(eyes)
        eyes.page.wait_for_selector(".bar.fill button.main")
        eyes.press("Control+z")
        eyes.page.wait_for_selector(".bar.fill button.main", state="detached")
        assert "around the body" in eyes.said()
        eyes.press("Control+z")
        eyes.page.wait_for_selector(".bar.fill", state="detached")
        assert eyes.kinds == []

    def test_by_keyboard(self, eyes: Eyes):
        eyes.open().press("c", "[", "[", "[", "ArrowUp", "Enter", "ArrowDown", "Enter")
        eyes.press("Shift+ArrowLeft", "Shift+ArrowLeft", "Control+Enter", "ArrowUp", "Enter")
        eyes.page.wait_for_selector(".bar.fill button.main")
        eyes.press("Shift+Enter")
        assert kept(eyes)["tool"] == "growcut"


def test_all_tools_and_the_comment_lie_above_the_signature(eyes: Eyes):
    """As high as the window of a laptop is."""
    eyes.open()
    below = """[...document.querySelectorAll(".palette button, .palette input, .palette textarea")]
        .filter((one) => !one.closest(".finish")).filter((one) => one.getBoundingClientRect().bottom
            > document.querySelector(".finish").getBoundingClientRect().top)
        .map((one) => one.outerHTML)"""
    assert eyes.page.evaluate(below) == []


def test_help_names_their_keys(eyes: Eyes):
    eyes.open().press("?")
    told = eyes.page.locator(".help").inner_text()
    assert "live wire" in told
    assert "GrowCut" in told
