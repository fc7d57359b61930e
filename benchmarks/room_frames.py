"""Whether the page of the reading room misses frames while a hand draws.

    python benchmarks/room_frames.py     # writes results/room_frames.json

A slice of 512 x 512 in a real browser without a graphics card: 200 moves of each tool, one in each
frame; how long two frames take, in the middle and at the 95th percentile. A screen of 60 Hz has
33 ms for two; above 60 ms a hand feels it.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from speed import save

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright
from tests.web.browser import places
from tests.web.browser.places import make_study, open_room
from tests.web.browser.sight import ARGUMENTS, CHROMIUM, Eyes

MOVES = 200
BUDGET_MS = 60
SIZE = (512, 512, 3)

TOOLS = {"freehand": "h", "brush": "b", "eraser": "e"}

DRAW = """(moves) => new Promise((done) => {
  const overlay = document.querySelector(".overlay");
  const box = overlay.getBoundingClientRect();
  const send = (type, n) => overlay.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, isPrimary: true, bubbles: true, button: 0, buttons: 1,
    clientX: box.left + box.width * (0.5 + 0.25 * Math.cos(n / 32)),
    clientY: box.top + box.height * (0.5 + 0.25 * Math.sin(n / 32)),
  }));
  overlay.setPointerCapture = () => {};
  const times = [];
  let n = 0;
  send("pointerdown", 0);
  const next = (time) => {
    times.push(time);
    n += 1;
    if (n > moves) {
      send("pointerup", n);
      done(times);
    } else {
      send("pointermove", n);
      requestAnimationFrame(next);
    }
  };
  requestAnimationFrame(next);
})"""


def main() -> None:
    """Print and keep the times of each tool."""
    found, before = {}, os.getloadavg()[0]
    places.GRIDS.clear()
    places.GRIDS["plain"] = (SIZE, places.SAGITTAL)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        study = make_study(Path(folder) / "study", spare=len(TOOLS))
        with open_room(study) as room, Eyes.before(browser, room) as eyes:
            session = _counted(eyes)
            for tool, key in TOOLS.items():
                found[tool] = _drawn(eyes, session, key)
                _report(tool, found[tool])
                eyes.saved().page.click("text=Worklist")
                eyes.page.wait_for_selector(".worklist")
        browser.close()
    save("room_frames", {"tools": found, "cores": os.cpu_count(), "load": before})


def _counted(eyes: Eyes) -> Any:
    """The browser counts the processor time of the page's thread from now on."""
    session = eyes.page.context.new_cdp_session(eyes.page)
    session.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
    session.send("Performance.enable")
    return session


def _processor_s(session: Any) -> float:
    told = session.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in told if each["name"] == "TaskDuration")


def _drawn(eyes: Eyes, session: Any, key: str) -> dict[str, float]:
    """Milliseconds: two frames, and processor time of the page's thread for a move."""
    eyes.open()
    if key == "e":
        eyes.press("b")
        eyes.page.evaluate(DRAW, MOVES)
    eyes.press(key)
    before = _processor_s(session)
    times = np.array(eyes.page.evaluate(DRAW, MOVES))
    move = 1000 * (_processor_s(session) - before) / MOVES
    middle, late = np.percentile(times[2:] - times[:-2], (50, 95))
    return {"median": round(middle, 1), "p95": round(late, 1), "processor": round(move, 2)}


def _report(tool: str, ms: dict[str, float]) -> None:
    kept = "within" if ms["p95"] < BUDGET_MS else "BEYOND"
    print(
        f"{tool:9} two frames {ms['median']:5.1f} ms, 95th percentile {ms['p95']:5.1f} ms, {kept} "
        f"{BUDGET_MS}; processor {ms['processor']:.2f} ms a move"
    )


if __name__ == "__main__":
    main()
