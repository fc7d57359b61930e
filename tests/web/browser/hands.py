"""A simulated hand before the page: a plan of `tests.web.hands` carried out by pointer and keys."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.web.browser.places import Room
from tests.web.browser.sight import Eyes
from tests.web.hands import Outline, Plan

FLAGS = {"motion": "Motion"}
"""What the page calls them."""


@dataclass
class Seat(Room):
    """A room as one of several readers has it."""

    reader: str = ""

    @property
    def tickets(self) -> dict[str, str]:
        """Token of each case, of this reader."""
        known = json.loads((self.study / "readings/tickets.json").read_text())
        return {t["case"]: token for token, t in known.items() if t["reader"] == self.reader}

    def journal(self, token: str, reader: str = "") -> list[dict[str, Any]]:
        """Lines of a case in this reader's journal."""
        return super().journal(token, reader or self.reader)


@contextmanager
def seated(browser: Any, room: Room, reader: str, **context: Any) -> Iterator[Eyes]:
    """A reader before the worklist, in a browser context of their own."""
    seat = Seat(room.study, room.origin, room.door, reader=reader)
    with Eyes.before(browser, seat, name=reader, **context) as eyes:
        yield eyes


def read_case(eyes: Eyes, case: str, plan: Plan) -> dict[int, Outline]:
    """Read a case from the worklist to the signature; the outlines that the clicks mean."""
    drawn = draw_case(eyes, case, plan)
    for flag in plan.flags:
        eyes.page.get_by_label(FLAGS[flag]).check()
    _sign(eyes)
    return drawn


def draw_case(eyes: Eyes, case: str, plan: Plan) -> dict[int, Outline]:
    """The same without a word on the quality and without the signature."""
    eyes.open(case, level=False)
    _mark_level(eyes, plan)
    drawn = _draw(eyes, plan)
    if plan.filled:
        eyes.press("f")
        eyes.page.wait_for_selector(".bar.fill")
        eyes.press("Enter")
    return drawn


def _mark_level(eyes: Eyes, plan: Plan) -> None:
    k, x, y = plan.level
    eyes.press("Home", *["PageDown"] * k)
    eyes.click((x, y))
    eyes.press("Enter")
    eyes.page.wait_for_selector(".editor:not(.scouting)")


def _draw(eyes: Eyes, plan: Plan) -> dict[int, Outline]:
    """All slices from the first on; the view stays as it is meanwhile."""
    eyes.press("Home")
    frame, drawn = eyes.frame, {}
    for k in range(plan.slices):
        if k in plan.drawn:
            places = [frame.place((x, y)) for x, y in plan.outlines[k]]
            for place in (*places, places[0]):
                eyes.page.mouse.click(*place)
            drawn[k] = [frame.voxel(place) for place in places]
        elif k in plan.empty:
            eyes.page.keyboard.press("x")
        eyes.page.keyboard.press("PageDown")
    return drawn


def _sign(eyes: Eyes) -> None:
    """Sign, and go back to the worklist."""
    eyes.saved().press("s", "Enter")
    eyes.page.wait_for_selector(".bar.signed")
    eyes.page.click("text=Worklist")
    eyes.page.wait_for_selector(".worklist")
