"""A case is read by keyboard alone; nothing leaves this machine; the browser has nothing to say."""

from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import SimpleITK as sitk

from tests.web.browser.places import Room
from tests.web.browser.sight import Eyes, inside

SHAPE = (36, 40)


def steps(eyes: Eyes, dx: int, dy: int) -> None:
    """Move the crosshair by pixels, by fives where it can."""
    for way, count in (("ArrowRight", dx), ("ArrowLeft", -dx), ("ArrowDown", dy), ("ArrowUp", -dy)):
        if count > 0:
            eyes.press(*[f"Shift+{way}"] * (count // 5), *[way] * (count % 5))


def test_a_case_is_read_by_keyboard_alone(eyes: Eyes, room: Room):
    """From the worklist to the signature: level, polygon, freehand, brush, quality, signing."""
    case = eyes.case = room.fresh()
    for _ in range(eyes.number(case) + 3):
        eyes.press("Tab")
        if eyes.page.evaluate("document.activeElement.closest('tr') !== null"):
            break
    eyes.press(*["Tab"] * eyes.number(case), "Enter")
    eyes.page.wait_for_selector(".editor.scouting")
    eyes.settle()
    eyes.press("ArrowDown", "ArrowUp", "Enter", "ArrowRight", "Enter")
    assert eyes.page.locator(".editor.scouting").count()
    eyes.press("Enter")
    eyes.page.wait_for_selector(".editor:not(.scouting)")

    k = eyes.slice
    corners = [(10, 10), (29, 10), (29, 27), (10, 27)]
    start = cross(eyes)
    for here, there in zip([start, *corners], corners, strict=False):
        steps(eyes, there[0] - here[0], there[1] - here[1])
        eyes.press("Enter")
    eyes.press("Shift+Enter").saved()
    assert eyes.journal[-1]["payload"]["content"] == {
        "kind": "polygons", "polygons": [[list(map(float, corner)) for corner in corners]],
    }  # fmt: skip
    eyes.press("PageDown", "h", "Enter")
    for way in ("ArrowRight", "ArrowUp", "ArrowLeft"):
        eyes.press(*[way] * 6)
    eyes.press("Enter", "PageDown", "b", "Enter", *["ArrowUp"] * 4, "Enter").saved()
    tools = [line["tool"] for line in eyes.journal if line["kind"] == "edit"]
    assert tools == ["polygon", "freehand", "brush"]
    eyes.press("t", "x", "t", "x")
    assert eyes.states() == ["nobody", "nobody", "drawn", "drawn", "drawn"]

    eyes.page.locator(".flags input").first.focus()
    eyes.press(" ")
    eyes.saved().press("s", "Enter")
    eyes.page.wait_for_selector(".bar.signed")
    assert [line["kind"] for line in eyes.journal[-2:]] == ["quality", "submit"]
    mask = sitk.GetArrayFromImage(room.signed_mask(case)) != 0
    square = inside([corners], *SHAPE)
    assert sorted(plane.sum() for plane in mask)[-1] == square.sum()
    assert k == 2


def cross(eyes: Eyes) -> tuple[int, int]:
    """Where the crosshair is, as it is said; a step there and back says it."""
    eyes.saved().press("ArrowDown", "ArrowUp")
    _, row, _, column = eyes.said().replace(",", "").split()
    return int(column) - 1, int(row) - 1


def test_submitting_names_what_is_missing(eyes: Eyes):
    eyes.open()
    eyes.press("x", "s")
    dialog = eyes.page.locator("dialog")
    assert "1, 2, 4 and 5" in dialog.inner_text()
    eyes.press("Enter")
    assert eyes.slice == 0
    assert eyes.kinds == ["edit"]


def test_a_signed_case_is_locked_and_reopened_with_a_reason(eyes: Eyes):
    eyes.open("one slice")
    eyes.outline([(8, 8), (28, 8), (28, 26)])
    eyes.press("s", "Enter")
    eyes.page.wait_for_selector(".bar.signed")
    eyes.press("x")
    assert "signed" in eyes.said()
    eyes.page.click("text=Reopen…")
    eyes.press("Tab", "Enter")
    assert eyes.page.locator("dialog").count()
    eyes.page.fill("#reason", "the upper end plate")
    eyes.page.click("dialog button.main")
    eyes.page.wait_for_selector(".bar.signed", state="detached")
    assert eyes.journal[-1]["payload"]["reason"] == "the upper end plate"
    eyes.press("x").saved()
    assert eyes.states() == ["nobody"]


def test_nothing_leaves_this_machine_and_the_console_is_empty(eyes: Eyes):
    eyes.open()
    eyes.outline([(8, 8), (28, 8), (28, 26)])
    eyes.saved().press("?", "Escape").press("g", "Escape").press("n")
    eyes.page.wait_for_selector(".editor.scouting")
    assert len(eyes.requests) > 30
    assert {urlsplit(address).hostname for address in eyes.requests} == {"127.0.0.1"}
    assert eyes.console == []


def test_nothing_is_proposed_unless_the_study_chose_so(eyes: Eyes):
    eyes.open()
    assert not eyes.page.locator("button:has-text('proposal')").count()
    asked = """(token) => fetch(`/api/t/${token}/proposal`, {method: "POST",
        headers: {"Content-Type": "application/json", "If-Match": '"1"'},
        body: JSON.stringify({id: "0".repeat(32)})}).then((answer) => answer.json())"""
    assert eyes.page.evaluate(asked, eyes.token)["code"] == "no-proposal"
    assert eyes.kinds == []


def test_a_page_of_text_is_never_markup(eyes: Eyes):
    """A comment comes back as it was written."""
    eyes.open()
    eyes.page.fill("#comment", "<img src=x onerror=alert(1)>")
    eyes.saved().page.reload()
    eyes.page.wait_for_selector(".editor")
    assert eyes.page.input_value("#comment") == "<img src=x onerror=alert(1)>"
    assert eyes.console == []


def named(page: Any) -> list[str]:
    """Controls without a name."""
    return page.evaluate(
        """[...document.querySelectorAll("button, input, select, textarea, [tabindex='0']")]
        .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim()
            || one.labels?.length)).map((one) => one.outerHTML)"""
    )


def test_every_control_has_a_name(eyes: Eyes):
    assert named(eyes.page) == []
    eyes.open()
    assert named(eyes.page) == []
    labelled = eyes.page.locator(".overlay").get_attribute("aria-label")
    assert "slice 3 of 5" in labelled
    assert np.all([eyes.page.locator("#speech").get_attribute("aria-live") == "polite"])


def test_single_keys_can_be_switched_off(eyes: Eyes):
    """WCAG 2.1.4; keys of the slice and those with Ctrl remain, and so do the buttons."""
    eyes.open().press("?")
    eyes.page.uncheck(".single-keys input")
    eyes.press("Escape", "x", "b", "?", "PageDown", "PageUp")
    assert not eyes.page.locator("dialog").count()
    assert eyes.page.locator(".tool[aria-pressed=true]").inner_text().startswith("Polygon")
    eyes.press("ArrowDown", "Enter", "Control+z").saved()
    assert eyes.kinds == []
    eyes.page.click("text=Worklist")
    eyes.page.wait_for_selector(".worklist")
    eyes.press("n")
    assert not eyes.page.locator(".editor").count()
    eyes.open(eyes.case)
    eyes.page.click("button:has-text('Keys')")
    assert not eyes.page.is_checked(".single-keys input")
    eyes.page.check(".single-keys input")
    eyes.press("Escape", "x").saved()
    assert eyes.kinds == ["edit"]


ALTGR = """document.body.dispatchEvent(new KeyboardEvent("keydown", {
  bubbles: true, key: "[", ctrlKey: true, altKey: true, modifierAltGraph: true }))"""


def test_a_sign_behind_altgr_is_that_sign(eyes: Eyes):
    eyes.open().press("b")
    before = eyes.page.locator(".size").inner_text()
    eyes.page.evaluate(ALTGR)
    assert float(eyes.page.locator(".size").inner_text().split()[0]) < float(before.split()[0])


def test_keys_of_buttons_are_told_as_aria_has_them(eyes: Eyes):
    eyes.open()
    told = eyes.page.locator("[aria-keyshortcuts]").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('aria-keyshortcuts'))"
    )
    assert {"P", "Control+Z", "Control+Shift+Z"} <= set(told)


SCROLLBAR = 15
"""CSS pixels, which a browser without a window does not show."""


@pytest.mark.parametrize("width", [1280, 800])
def test_nothing_of_a_button_is_cut_off(eyes: Eyes, width: int):
    eyes.page.set_viewport_size({"width": width, "height": 800})
    eyes.open()
    eyes.page.evaluate(
        f"document.querySelector('.palette').style.borderRight = '{SCROLLBAR}px solid'"
    )
    wide = """[...document.querySelectorAll("button")].filter((one) => one.checkVisibility()
        && one.scrollWidth > one.clientWidth).map((one) => one.innerText)"""
    assert eyes.page.evaluate(wide) == []


COLOURS = """() => { const canvas = document.querySelector(".overlay");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = new Set();
  for (let n = 0; n < data.length; n += 4) {
    if (data[n + 3] > 250) found.add(data.slice(n, n + 3).join());
  }
  return [...found].sort(); }"""


def test_high_contrast_leaves_the_colours_on_the_slice(browser: Any, room: Room, eyes: Eyes):
    """They are chosen for a dark image; the system's may be as dark."""
    outline = [(8, 8), (28, 8), (28, 26)]
    eyes.open().outline(outline)
    eyes.saved().settle()
    with Eyes.before(browser, room, forced_colors="active") as forced:
        forced.open().outline(outline)
        forced.saved().settle()
        assert forced.page.evaluate(COLOURS) == eyes.page.evaluate(COLOURS)
        assert forced.console == []


def seen(eyes: Eyes, selector: str) -> bool:
    """Whether all of it lies in the window."""
    box = eyes.page.locator(selector).bounding_box()
    below = box["y"] + box["height"] - eyes.page.viewport_size["height"]
    assert box["y"] > -1, box
    assert below < 1, box
    return True


def test_at_200_percent_what_has_to_be_decided_comes_into_sight(browser: Any, room: Room):
    with Eyes.before(browser, room, viewport={"width": 640, "height": 400}, scale=2) as eyes:
        eyes.open(level=False)
        assert seen(eyes, ".bar.scout")
        eyes.press("Enter", "Enter")
        eyes.page.wait_for_selector(".editor:not(.scouting)")
        assert seen(eyes, ".stage")
        eyes.page.context.set_offline(True)
        eyes.press("x").wait_status("offline")
        assert "Offline: 1 change" in eyes.page.locator(".readout").inner_text()
        eyes.page.locator("#comment").scroll_into_view_if_needed()
        eyes.press("f")
        eyes.page.wait_for_selector(".bar.note")
        assert seen(eyes, ".bar.note")
        eyes.page.context.set_offline(False)
        eyes.page.wait_for_selector(".bar.note", state="detached")
        assert "Offline" not in eyes.page.locator(".readout").inner_text()
        eyes.page.locator(".flags input").last.check()
        eyes.page.locator(".conclude").click()
        eyes.page.click("dialog button.main")
        eyes.page.wait_for_selector(".bar.signed")
        assert seen(eyes, ".bar.signed")
