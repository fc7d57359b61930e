"""Nothing is lost: without a network, in two tabs, over a reload, behind a lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from centrum.commands.read import Pins
from tests.web.browser.places import READER, make_study, open_room
from tests.web.browser.sight import Eyes

PIN = "271828"

SQUARE = [(8, 8), (28, 8), (28, 26), (8, 26)]
SMALL = [(12, 12), (20, 12), (20, 20), (12, 20)]


def edits(eyes: Eyes) -> list[dict[str, Any]]:
    return [line for line in eyes.journal if line["kind"] == "edit"]


class TestOffline:
    def test_the_queue_drains_in_order_and_nothing_twice(self, eyes: Eyes):
        eyes.open()
        k = eyes.slice
        eyes.outline(SQUARE)
        eyes.saved().page.context.set_offline(True)
        eyes.press("PageDown", "x")
        eyes.wait_status("offline")
        assert "Offline: 1 change kept here" in eyes.said()
        eyes.press("PageUp", "PageUp", "x", "Control+z")
        assert eyes.states()[k - 1] == "open"
        eyes.press("Control+Shift+z")
        assert eyes.states()[k - 1] == "nobody"
        assert "4 changes kept here" in eyes.page.locator(".status").inner_text()
        assert eyes.kinds == ["edit"]
        eyes.page.context.set_offline(False)
        eyes.saved()
        assert eyes.kinds == ["edit", "edit", "edit", "undo", "redo"]
        assert [line["slices"] for line in edits(eyes)] == [[k], [k + 1], [k - 1]]
        assert len({line["payload"]["id"] for line in edits(eyes)}) == 3
        assert [eyes.states()[n] for n in (k - 1, k, k + 1)] == ["nobody", "drawn", "nobody"]

    def test_what_the_hand_does_is_seen_before_it_is_kept(self, eyes: Eyes):
        """A disk that is busy with other things delays the sending, not the screen."""
        eyes.open()
        k = eyes.slice
        eyes.press("x").saved()
        with eyes.busy_disk():
            eyes.press("Control+z")
            assert eyes.states()[k] == "open"
            assert eyes.said() == f"undo: slice {k + 1}"
            eyes.press("Control+Shift+z")
            assert eyes.states()[k] == "nobody"
            assert eyes.kinds == ["edit"]
        eyes.saved()
        assert eyes.kinds == ["edit", "undo", "redo"]

    def test_an_answer_that_was_lost_is_no_second_stroke(self, eyes: Eyes):
        """The edit arrives, its answer does not: the page asks again under the same id."""
        eyes.open()
        lost: list[str] = []

        def lose(route: Any) -> None:
            if len(lost) < 2:
                lost.append(route.fetch().text())
                route.abort()
            else:
                route.continue_()

        eyes.page.route("**/slice/*", lose)
        eyes.outline(SQUARE)
        eyes.saved()
        assert len(lost) == 2
        assert lost[0] == lost[1]
        assert eyes.kinds == ["edit"]
        eyes.press("x")
        eyes.saved()
        assert eyes.kinds == ["edit", "edit"]

    def test_what_waits_outlives_a_reload(self, eyes: Eyes):
        eyes.open()
        k = eyes.slice
        eyes.page.route("**/slice/*", lambda route: route.abort())
        eyes.outline(SQUARE)
        eyes.press("PageDown", "x")
        eyes.wait_status("offline")
        eyes.page.unroute("**/slice/*")
        eyes.page.reload()
        eyes.page.wait_for_selector(".editor")
        eyes.saved()
        assert eyes.kinds == ["edit", "edit"]
        assert (eyes.states()[k], eyes.states()[k + 1]) == ("drawn", "nobody")

    def test_what_a_closed_tab_left_is_sent_by_the_next(self, eyes: Eyes):
        eyes.open()
        other = eyes.second_tab()
        other.page.route("**/slice/*", lambda route: route.abort())
        other.press("x")
        other.wait_status("offline")
        other.page.close()
        eyes.page.reload()
        eyes.page.wait_for_selector(".editor")
        eyes.saved()
        assert eyes.kinds == ["edit"]
        assert "nobody" in eyes.states()

    def test_a_tab_that_lives_sends_its_own(self, eyes: Eyes):
        eyes.open()
        eyes.page.route("**/slice/*", lambda route: route.abort())
        eyes.press("x")
        eyes.wait_status("offline")
        other = eyes.second_tab()
        other.saved()
        assert "nobody" not in other.states()
        assert eyes.kinds == []
        other.page.close()
        eyes.front().page.unroute("**/slice/*")
        eyes.saved()
        assert eyes.kinds == ["edit"]

    def test_a_stroke_during_another_answer_stays_on_the_screen(self, eyes: Eyes):
        """The answer to a flag, which is a whole state, is older than the stroke."""
        eyes.open()
        k = eyes.slice
        held = eyes.hold("/quality")
        eyes.page.locator(".flags input").first.check()
        held.asked()
        eyes.page.locator(".overlay").focus()
        eyes.press("x")
        held.go()
        eyes.saved()
        eyes.settle()
        assert eyes.states()[k] == "nobody"
        assert eyes.kinds == ["quality", "edit"]

    def test_what_waits_is_sent_from_the_worklist_too(self, eyes: Eyes):
        eyes.open()
        eyes.page.route("**/slice/*", lambda route: route.abort())
        eyes.press("x")
        eyes.wait_status("offline")
        eyes.page.click("text=Worklist")
        eyes.page.wait_for_selector(".waits")
        assert "1 change not yet sent" in eyes.page.locator(".waits").inner_text()
        assert (
            "0 of 5" in eyes.page.locator("tr.begun", has=eyes.page.locator(".waits")).inner_text()
        )
        eyes.page.locator("tr:has(.waits) button").focus()
        eyes.page.unroute("**/slice/*")
        eyes.page.wait_for_selector(".waits", state="detached")
        assert eyes.kinds == ["edit"]
        row = eyes.page.locator("tr:has(button:focus)")
        assert "1 of 5" in row.inner_text()
        eyes.open(eyes.case)
        assert "nobody" in eyes.states()

    def test_what_arrives_while_its_case_is_opened_again_is_shown(self, eyes: Eyes):
        """The state came before the change arrived, the pixels after it."""
        eyes.open()
        k = eyes.slice
        down = [True]
        eyes.page.route("**/slice/*", lambda one: one.abort() if down else one.continue_())
        eyes.press("x").wait_status("offline")
        eyes.page.click("text=Worklist")
        eyes.page.wait_for_selector(".waits")
        held = eyes.hold("/pixels")
        choose(eyes)
        held.asked()
        down.clear()
        eyes.page.wait_for_selector(".waits", state="detached")
        assert eyes.kinds == ["edit"]
        held.go()
        eyes.page.wait_for_selector(".editor")
        eyes.saved().settle()
        assert eyes.states()[k] == "nobody"
        eyes.press("End", "x").saved()
        assert eyes.kinds == ["edit", "edit"]


def choose(eyes: Eyes) -> None:
    """Click on the case that was open before."""
    eyes.page.locator(".worklist tbody button").nth(eyes.number(eyes.case)).click()


class TestLeaving:
    def test_an_answer_that_was_torn_can_be_asked_for_again(self, eyes: Eyes):
        eyes.open()
        eyes.page.route("**/worklist", lambda route: route.fulfill(body="[{"), times=1)
        eyes.page.click("text=Worklist")
        eyes.page.wait_for_selector(".failure")
        eyes.page.click("text=Try again")
        eyes.page.wait_for_selector(".worklist")
        assert eyes.console == []

    def test_a_case_that_was_opened_twice_is_saved(self, eyes: Eyes):
        """Two clicks of a hasty hand, of which the first is answered last."""
        eyes.case = eyes.room.fresh()
        held = eyes.hold("/pixels")
        choose(eyes)
        held.asked()
        choose(eyes)
        eyes.page.wait_for_selector(".editor.scouting")
        with eyes.page.expect_response("**/pixels"):
            held.go()
        eyes.settle()
        eyes.press("Enter", "Enter", "x").saved()
        assert eyes.kinds == ["edit"]
        assert eyes.console == []

    def test_a_comment_is_sent_when_the_case_is_left_at_once(self, eyes: Eyes):
        eyes.open()
        eyes.page.fill("#comment", "blurred")
        eyes.page.click("text=Worklist")
        eyes.page.wait_for_selector(".worklist")
        choose(eyes)
        eyes.page.wait_for_selector(".editor")
        eyes.saved()
        assert eyes.kinds == ["quality"]
        assert eyes.page.input_value("#comment") == "blurred"
        assert eyes.console == []

    def test_a_word_that_is_being_written_is_not_called_saved(self, eyes: Eyes):
        eyes.open()
        eyes.page.locator("#comment").press_sequentially("blur")
        assert eyes.page.locator(".status").get_attribute("data-kind") == "saving"
        eyes.saved()
        assert [line["payload"]["comment"] for line in eyes.journal[-1:]] == ["blur"]
        assert eyes.kinds == ["quality"]

    def test_a_stroke_is_not_called_saved_before_it_is(self, eyes: Eyes):
        eyes.open()
        held = eyes.hold("/slice/")
        eyes.page.keyboard.press("x")
        assert eyes.page.locator(".status").get_attribute("data-kind") == "saving"
        held.asked()
        assert eyes.page.locator(".status").inner_text().endswith("Saving 1 change")
        held.go()
        eyes.saved()


class TestTwoTabs:
    def test_a_stale_change_is_offered_again_on_the_newer_state(self, eyes: Eyes):
        eyes.open()
        k = eyes.slice
        other = eyes.second_tab()
        other.press("End", "x").saved()
        eyes.front()
        outline = eyes.outline(SQUARE)
        eyes.page.wait_for_selector(".bar.conflict")
        assert "newer state" in eyes.page.locator(".bar.conflict").inner_text()
        assert eyes.states()[-1] == "nobody"
        assert eyes.states()[k] == "open"
        assert eyes.kinds == ["edit"]
        eyes.page.click("text=Put mine on top")
        eyes.saved()
        assert eyes.kinds == ["edit", "edit"]
        (polygon,) = eyes.journal[-1]["payload"]["content"]["polygons"]
        assert np.allclose(polygon, outline, rtol=0, atol=1e-9)
        assert eyes.states()[-1] == "nobody"

    def test_the_newer_state_can_be_kept(self, eyes: Eyes):
        eyes.open()
        k = eyes.slice
        other = eyes.second_tab()
        drawn = other.outline(SMALL)
        other.saved()
        eyes.front().press("x")
        eyes.page.click("text=Keep the newer state")
        eyes.settle()
        assert eyes.states()[k] == "drawn"
        eyes.press("PageDown", "x").saved()
        assert eyes.kinds == ["edit", "edit"]
        assert np.allclose(eyes.journal[-2]["payload"]["content"]["polygons"], [drawn])

    def test_nothing_is_drawn_before_it_is_decided(self, eyes: Eyes):
        eyes.open()
        other = eyes.second_tab()
        other.press("End", "x").saved()
        eyes.front().press("x")
        eyes.page.wait_for_selector(".bar.conflict")
        eyes.press("PageDown", "x")
        assert "Decide first" in eyes.said()
        assert eyes.kinds == ["edit"]

    def test_what_waited_over_a_reload_is_stale_all_the_same(self, browser: Any, eyes: Eyes):
        """Another computer went on meanwhile: the waiting change does not go over its work."""
        eyes.open()
        k = eyes.slice
        eyes.page.route("**/slice/*", lambda route: route.abort())
        eyes.press("x")
        eyes.wait_status("offline")
        with Eyes.before(browser, eyes.room) as elsewhere:
            elsewhere.open(eyes.case)
            elsewhere.outline(SQUARE)
            elsewhere.saved()
        eyes.page.unroute("**/slice/*")
        eyes.page.reload()
        eyes.page.wait_for_selector(".bar.conflict")
        assert eyes.states()[k] == "drawn"
        assert f"slice {k + 1}" in eyes.page.locator(".bar.conflict").inner_text()
        assert eyes.kinds == ["edit"]


class TestReload:
    def test_undo_and_redo_are_the_journal(self, eyes: Eyes):
        eyes.open()
        k = eyes.slice
        eyes.outline(SQUARE)
        eyes.press("PageDown", "x").saved()
        eyes.page.reload()
        eyes.page.wait_for_selector(".editor")
        eyes.settle()
        assert eyes.slice == k + 1
        eyes.press("Control+z").saved()
        eyes.press("Control+z").saved()
        assert eyes.states()[k : k + 2] == ["open", "open"]
        eyes.page.reload()
        eyes.page.wait_for_selector(".editor")
        eyes.press("Control+Shift+z").saved()
        assert eyes.states()[k : k + 2] == ["drawn", "open"]
        assert eyes.kinds == ["edit", "edit", "undo", "undo", "redo"]

    def test_an_outline_that_is_not_closed_stays(self, eyes: Eyes):
        eyes.open()
        points = eyes.click(*SQUARE[:3])
        eyes.page.reload()
        eyes.page.wait_for_selector(".editor")
        eyes.settle()
        points += eyes.click(SQUARE[3], SQUARE[0])[:1]
        eyes.saved()
        assert np.allclose(eyes.journal[-1]["payload"]["content"]["polygons"], [points], atol=0.1)

    def test_an_outline_that_is_not_closed_outlives_its_tab(self, eyes: Eyes):
        eyes.open()
        k = eyes.slice
        eyes.click(*SQUARE[:3])
        other = eyes.second_tab()
        eyes.page.close()
        assert other.states()[k] == "draft"
        other.press(*["PageDown"] * (k - other.slice), "Control+z").click(SQUARE[2], SQUARE[3])
        other.press("Shift+Enter").saved()
        assert other.states()[k] == "drawn"
        other.page.close()

    def test_the_address_has_no_token_and_no_secret(self, eyes: Eyes):
        eyes.open()
        assert eyes.page.url == f"{eyes.room.origin}/"


def test_a_change_that_the_server_computes_otherwise_is_told_and_taken_back(eyes: Eyes):
    eyes.open()
    k = eyes.slice

    def change(route: Any) -> None:
        body = route.request.post_data_json | {"after": "0" * 16}
        route.continue_(post_data=body)

    eyes.page.route("**/slice/*", change)
    eyes.outline(SQUARE)
    eyes.page.wait_for_selector(".bar.note")
    eyes.page.wait_for_selector(".strip [data-state=drawn]", state="detached")
    assert eyes.states()[k] == "open"
    assert eyes.kinds == []


def test_an_answer_with_another_digest_is_not_called_saved(eyes: Eyes):
    eyes.open()

    def lie(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"digest": "0" * 16})

    eyes.page.route("**/slice/*", lie)
    eyes.press("x")
    eyes.page.wait_for_selector(".bar.note")
    assert "not the one on the screen" in eyes.page.locator(".bar.note").inner_text()


@contextmanager
def behind_a_pin(browser: Any, folder: Any, idle_minutes: float) -> Iterator[Eyes]:
    study = make_study(folder, spare=1, idle_minutes=idle_minutes)
    pins = Pins(study)
    pins.set(READER, PIN)
    with open_room(study, pins) as room, Eyes.before(browser, room) as eyes:
        yield eyes


@pytest.fixture
def hasty(browser: Any, tmp_path: Any) -> Iterator[Eyes]:
    """A room that locks after three seconds without a hand."""
    with behind_a_pin(browser, tmp_path / "study", 0.05) as eyes:
        yield eyes


def test_what_waits_behind_the_lock_is_sent_from_the_worklist(browser: Any, tmp_path: Any):
    with behind_a_pin(browser, tmp_path / "study", 15) as eyes:
        eyes.open()
        eyes.page.route("**/slice/*", lambda route: route.abort())
        eyes.press("x").wait_status("offline")
        eyes.page.click("text=Worklist")
        eyes.page.wait_for_selector(".waits")
        eyes.page.click("text=Lock")
        eyes.page.wait_for_selector("#pin")
        with eyes.page.expect_response("**/slice/*"):
            eyes.page.unroute("**/slice/*")
        eyes.page.fill("#pin", PIN)
        eyes.press("Enter")
        eyes.page.wait_for_selector(".worklist")
        eyes.page.wait_for_selector(".waits", state="detached")
        assert eyes.kinds == ["edit"]


def test_the_screen_locks_after_idling_and_work_goes_on_behind_the_pin(hasty: Eyes):
    hasty.open()
    k = hasty.slice
    hasty.click(*SQUARE[:2])
    hasty.press("?")
    hasty.page.wait_for_selector(".entrance", timeout=20_000)
    assert not hasty.page.locator("canvas, dialog").count()
    hasty.page.fill("#pin", "314159")
    hasty.press("Enter")
    hasty.page.wait_for_selector(".said:has-text('PIN')")
    hasty.page.fill("#pin", PIN)
    hasty.press("Enter")
    hasty.page.wait_for_selector(".editor")
    hasty.settle()
    assert hasty.slice == k
    assert hasty.page.locator(".strip [data-state=draft]").count() == 1
