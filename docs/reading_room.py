"""Draw reading-room.png: a simulated patient in the reading room, half of the slices drawn.

python docs/reading_room.py
"""

import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright
from tests.web.browser.hands import draw_case, seated
from tests.web.browser.places import open_room
from tests.web.browser.sight import ARGUMENTS, CHROMIUM
from tests.web.known import Known, phantoms

PICTURE = Path(__file__).with_name("reading-room.png")

FIELD_MM = (170.0, 144.0)
"""As `centrum simulate` makes them."""

READER = "reader1"


def photographed(known: Known) -> bytes:
    """The screen of a hand that has drawn and filled all slices, at one that it has drawn."""
    with sync_playwright() as playwright, open_room(known.study) as room:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with seated(browser, room, READER) as eyes:
            case, plan = next(iter(known.plans(READER).items()))
            draw_case(eyes, case, plan)
            shown = plan.drawn[len(plan.drawn) // 2]
            eyes.saved().press("Home", *["PageDown"] * shown)
            return eyes.page.screenshot()


def main() -> None:
    """Write it in few colours."""
    with TemporaryDirectory() as folder:
        screen = photographed(phantoms(Path(folder) / "study", 1, 0, FIELD_MM))
    Image.open(BytesIO(screen)).convert("RGB").quantize(64).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
