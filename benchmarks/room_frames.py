"""Whether the page of the reading room misses frames while a hand draws.

    python benchmarks/room_frames.py

A slice of 512 x 512 in a real browser without a graphics card: 200 moves of each tool, one in each
frame; how long two frames take, in the middle and at the 95th percentile. A screen of 60 Hz has
33 ms for two; above 60 ms a hand feels it.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

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
    """Print the times of each tool."""
    places.GRIDS.clear()
    places.GRIDS["plain"] = (SIZE, places.SAGITTAL)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        study = make_study(Path(folder) / "study", spare=len(TOOLS))
        with open_room(study) as room, Eyes.before(browser, room) as eyes:
            for tool, key in TOOLS.items():
                _report(tool, _two_frames(eyes, key))
                eyes.saved().page.click("text=Worklist")
                eyes.page.wait_for_selector(".worklist")
        browser.close()


def _two_frames(eyes: Eyes, key: str) -> np.ndarray:
    eyes.open()
    if key == "e":
        eyes.press("b")
        eyes.page.evaluate(DRAW, MOVES)
    eyes.press(key)
    times = np.array(eyes.page.evaluate(DRAW, MOVES))
    return times[2:] - times[:-2]


def _report(tool: str, times: np.ndarray) -> None:
    middle, late = np.percentile(times, (50, 95))
    kept = "within" if late < BUDGET_MS else "BEYOND"
    print(
        f"{tool:9} two frames {middle:5.1f} ms, 95th percentile {late:5.1f} ms, {kept} {BUDGET_MS}"
    )


if __name__ == "__main__":
    main()
