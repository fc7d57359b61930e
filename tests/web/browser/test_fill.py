"""Fill between drawn slices: a preview, one step to accept, one to undo."""

import numpy as np

from tests.web.browser.sight import Eyes

LARGE = [(6, 6), (32, 6), (32, 30), (6, 30)]
SMALL = [(12, 12), (24, 12), (24, 24), (12, 24)]


def drawn_at_both_ends(eyes: Eyes) -> None:
    eyes.open()
    eyes.press("Home")
    eyes.outline(LARGE)
    eyes.press("End")
    eyes.outline(SMALL)
    eyes.saved()


def test_a_preview_is_shown_and_nothing_recorded(eyes: Eyes):
    drawn_at_both_ends(eyes)
    eyes.press("f")
    eyes.page.wait_for_selector(".bar.fill")
    assert eyes.states() == ["drawn", "preview", "preview", "preview", "drawn"]
    assert eyes.slice == 1
    assert "slices 2, 3 and 4" in eyes.page.locator(".bar.fill").inner_text()
    eyes.press("x")
    assert "Accept or reject" in eyes.said()
    eyes.press("Escape")
    assert eyes.states() == ["drawn", "open", "open", "open", "drawn"]
    assert eyes.kinds == ["edit", "edit"]


def box(eyes: Eyes, selector: str) -> dict[str, float]:
    return eyes.page.locator(selector).bounding_box()


def test_no_bar_covers_what_names_the_sides_and_the_neighbours(eyes: Eyes):
    drawn_at_both_ends(eyes)
    letter, name = box(eyes, ".letter.top"), box(eyes, ".neighbour.top")
    assert letter["x"] + letter["width"] < name["x"]
    assert eyes.page.locator(".neighbour").all_inner_texts() == ["↑ T12", "↓ L2"]
    eyes.press("f")
    eyes.page.wait_for_selector(".bar.fill")
    eyes.settle()
    bar = box(eyes, ".bar.fill")
    for each in (".letter.top", ".neighbour.top"):
        assert box(eyes, each)["y"] >= bar["y"] + bar["height"]
    eyes.press("Escape")
    eyes.settle()
    assert box(eyes, ".letter.top") == letter


def test_nothing_is_drawn_while_a_fill_is_on_its_way(eyes: Eyes):
    drawn_at_both_ends(eyes)
    held = eyes.hold("/between")
    eyes.press("f")
    held.asked()
    eyes.press("PageUp", "x")
    assert "on its way" in eyes.said()
    held.go()
    eyes.page.wait_for_selector(".bar.fill")
    assert eyes.states() == ["drawn", "preview", "preview", "preview", "drawn"]
    eyes.press("Escape")


def test_accepting_is_one_step_and_undo_another(eyes: Eyes):
    drawn_at_both_ends(eyes)
    eyes.press("f")
    eyes.page.wait_for_selector(".bar.fill")
    eyes.press("Enter").saved()
    assert eyes.states() == ["drawn", "filled", "filled", "filled", "drawn"]
    assert eyes.kinds == ["edit", "edit", "fill"]
    areas = [sum(runs[1::2]) for _, runs in sorted(eyes.journal[-1]["payload"]["runs"].items())]
    assert areas == sorted(areas, reverse=True)
    assert np.all(np.diff(areas) < 0)
    eyes.press("Control+z").saved()
    assert eyes.states() == ["drawn", "open", "open", "open", "drawn"]
    eyes.press("Control+Shift+z").saved()
    assert eyes.states() == ["drawn", "filled", "filled", "filled", "drawn"]
    assert eyes.kinds == ["edit", "edit", "fill", "undo", "redo"]


def test_a_filled_slice_that_a_hand_touches_is_corrected(eyes: Eyes):
    drawn_at_both_ends(eyes)
    eyes.press("f")
    eyes.page.wait_for_selector(".bar.fill")
    eyes.page.click("text=Accept")
    eyes.saved().press("Home", "PageDown", "b")
    eyes.drag([(20, 4), (22, 30)])
    eyes.saved()
    assert eyes.states()[1] == "filled_corrected"


def test_with_nothing_between_it_says_what_to_draw(eyes: Eyes):
    eyes.open()
    eyes.outline(LARGE)
    eyes.saved().press("f")
    eyes.page.wait_for_selector(".bar.note")
    assert "first and the last slice" in eyes.page.locator(".bar.note").inner_text()


def test_without_the_server_a_fill_waits_and_nothing_is_lost(eyes: Eyes):
    drawn_at_both_ends(eyes)
    eyes.page.context.set_offline(True)
    eyes.press("f")
    eyes.page.wait_for_selector(".bar.note")
    assert "cannot be reached" in eyes.page.locator(".bar.note").inner_text()
    eyes.page.context.set_offline(False)
