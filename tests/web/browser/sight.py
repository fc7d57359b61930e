"""A reader before the page: what the hand does and what the eyes see, and nothing of the page's own
code. Where a voxel lies on the screen is told by the page (`data-view`) and tried on pixels of the
screen in test_tools.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.web.browser.places import READER, Room

CHROMIUM = shutil.which("chromium")

ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

VIEWPORT = (1280, 800)

Point = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """CSS pixels of a column and of a row, where the slice begins on the canvas, and that there."""

    scale_x: float
    scale_y: float
    pan_x: float
    pan_y: float
    left: float
    top: float

    def exact(self, point: Point) -> Point:
        """Where a voxel lies on the screen."""
        return (
            self.left + self.pan_x + (point[0] + 0.5) * self.scale_x,
            self.top + self.pan_y + (point[1] + 0.5) * self.scale_y,
        )

    def place(self, point: Point) -> Point:
        """The whole CSS pixel next to it; a mouse has no others."""
        x, y = self.exact(point)
        return round(x), round(y)

    def voxel(self, place: Point) -> list[float]:
        """What that pixel means, by the geometry of the event."""
        return [
            (place[0] - self.left - self.pan_x) / self.scale_x - 0.5,
            (place[1] - self.top - self.pan_y) / self.scale_y - 0.5,
        ]


def within(promise: str, seconds: float = 10) -> str:
    """A promise of the page that is broken after a time: nothing else ends such a wait."""
    late = f"setTimeout(() => broken(Error({promise!r} + ' took too long')), {1000 * seconds})"
    return f"Promise.race([{promise}, new Promise((_, broken) => {late})])"


HOLD = """(part) => {
  const { fetch } = window, asked = Promise.withResolvers(), free = Promise.withResolvers();
  let first = true;
  window.fetch = async (path, ...options) => {
    const held = first && path.includes(part);
    if (held) {
      first = false;
      asked.resolve();
      await free.promise;
    }
    return fetch(path, ...options);
  };
  return { asked: asked.promise, go: free.resolve };
}"""


FORGET = """() => new Promise((resolve, reject) => {
  localStorage.clear();
  const request = indexedDB.open("centrum-reading-room");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const database = request.result;
    if (database.objectStoreNames.contains("changes")) {
      const transaction = database.transaction("changes", "readwrite");
      transaction.objectStore("changes").clear();
      transaction.oncomplete = resolve;
    } else resolve();
    database.close();
  };
})"""


BUSY = """() => new Promise((resolve) => {
  const request = indexedDB.open("centrum-reading-room");
  request.onsuccess = () => {
    const store = request.result.transaction("changes", "readwrite").objectStore("changes");
    let busy = true;
    const turn = () => { if (busy) store.count().onsuccess = turn; };
    turn();
    request.result.close();
    resolve({ rest: () => { busy = false; } });
  };
})"""


@dataclass(frozen=True)
class Held:
    """A request that waits in the page itself.

    The browser's own interception begins in another process some time after it was asked for: on
    a slow machine a request slips through.
    """

    request: Any

    def asked(self) -> None:
        """Until it was asked for."""
        self.request.evaluate(f"(held) => {within('held.asked')}")

    def go(self) -> None:
        """It is sent now."""
        self.request.evaluate("(held) => held.go()")


@dataclass
class Eyes:
    """A tab of the reading room.

    Attributes
    ----------
    requests : addresses that the page asked
    console : what the browser complained of
    case : the case that is open
    """

    page: Any
    room: Room
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    case: str = ""

    @property
    def token(self) -> str:
        """Of the case that is open."""
        return self.room.tickets[self.case]

    @property
    def journal(self) -> list[dict[str, Any]]:
        """Lines of the case that is open."""
        return self.room.journal(self.token)

    @property
    def kinds(self) -> list[str]:
        """What was done to the case that is open."""
        return self.room.kinds(self.token)

    @classmethod
    @contextmanager
    def before(
        cls,
        browser: Any,
        room: Room,
        scale: float = 1,
        zoom: float = 1,
        name: str = READER,
        **context: Any,
    ) -> Iterator["Eyes"]:
        """Before the worklist, on a screen of `scale` device pixels at a page zoom of `zoom`.

        A browser's zoom makes CSS pixels larger: fewer of them, each of more device pixels.
        """
        width, height = (round(side / zoom) for side in VIEWPORT)
        context.setdefault("viewport", {"width": width, "height": height})
        made = browser.new_context(device_scale_factor=scale * zoom, **context)
        eyes = cls.in_tab(made.new_page(), room)
        eyes.page.goto(room.link(name))
        eyes.page.wait_for_selector(".worklist")
        yield eyes
        made.close()

    @classmethod
    def in_tab(cls, page: Any, room: Room) -> "Eyes":
        """A tab that has loaded nothing yet."""
        eyes = cls(page, room)
        page.set_default_timeout(10_000)
        page.on("request", lambda request: eyes.requests.append(request.url))
        page.on("console", lambda message: eyes.console.append(message.text))
        page.on("pageerror", lambda error: eyes.console.append(str(error)))
        return eyes

    @contextmanager
    def fresh_tab(self) -> Iterator["Eyes"]:
        """Before the worklist in a new tab: it shares who has entered and the files of the page.

        What the browser keeps of the page is gone, other tabs are closed, the network is there.
        """
        context = self.page.context
        found = Eyes.in_tab(context.new_page(), self.room)
        found.page.goto(self.room.origin)
        found.page.wait_for_selector(".worklist")
        yield found
        context.set_offline(False)
        for page in context.pages:
            if page is not self.page:
                page.close()
        self.page.evaluate(FORGET)

    def second_tab(self) -> "Eyes":
        """Another tab of the same browser, with the same case."""
        other = Eyes.in_tab(self.page.context.new_page(), self.room)
        other.page.goto(self.room.origin)
        other.page.wait_for_selector(".worklist")
        return other.open(self.case)

    def front(self) -> "Eyes":
        """The tab that is seen; a browser lets others sleep."""
        self.page.bring_to_front()
        return self

    @contextmanager
    def busy_disk(self) -> Iterator[None]:
        """What the hand does meanwhile waits before it is kept in the browser's store."""
        disk = self.page.evaluate_handle(BUSY)
        yield
        disk.evaluate("(disk) => disk.rest()")

    # Where one is

    def number(self, case: str) -> int:
        """Place of a case on the worklist, from 0."""
        listed = self.page.evaluate("fetch('/api/worklist').then((answer) => answer.json())")
        return [entry["token"] for entry in listed].index(self.room.tickets[case])

    def open(self, case: str = "", level: bool = True) -> "Eyes":
        """Open a case, a fresh one if it is not named, and confirm the level in the middle."""
        self.case = case = case or self.room.fresh()
        self.page.locator(".worklist tbody button").nth(self.number(case)).click()
        self.page.wait_for_selector(".editor")
        if level and self.page.locator(".scouting").count():
            self.press("Enter", "Enter")
            self.page.wait_for_selector(".editor:not(.scouting)")
        self.settle()
        return self

    def settle(self) -> None:
        """Until what was done is drawn: the page draws in the next frame, before this is called."""
        self.page.evaluate(within("new Promise((drawn) => requestAnimationFrame(drawn))"))

    def saved(self) -> "Eyes":
        """Wait until the page says so."""
        self.wait_status("saved")
        return self

    def wait_status(self, kind: str) -> None:
        """Wait for a state of the status line, which leaves "saved" with the stroke itself."""
        self.page.wait_for_selector(f".status[data-kind={kind}]")

    @property
    def slice(self) -> int:
        """The slice that is shown, from 0."""
        items = self.page.locator(".strip li button")
        return [item.get_attribute("aria-current") for item in items.all()].index("true")

    def states(self) -> list[str]:
        """State of each slice in the strip."""
        found = self.page.locator(".strip li").all()
        return [item.get_attribute("data-state") for item in found]

    def said(self) -> str:
        """What a screen reader was told last."""
        self.settle()
        return self.page.locator("#speech").inner_text()

    def hear(self, text: str) -> None:
        """Wait until a screen reader is told it."""
        self.page.wait_for_selector(f"#speech:has-text({text!r})", state="attached")

    # The hand

    def press(self, *keys: str) -> "Eyes":
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()
        return self

    @property
    def frame(self) -> "Frame":
        """How the slice lies on the screen now; a change of its size is drawn a frame later."""
        self.settle()
        self.settle()
        overlay = self.page.locator(".overlay").first
        told = map(float, overlay.get_attribute("data-view").split())
        box = overlay.bounding_box()
        return Frame(*told, box["x"], box["y"])

    def click(self, *points: Point) -> list[list[float]]:
        """Click on voxels; the points that these clicks mean."""
        frame = self.frame
        places = [frame.place(point) for point in points]
        for place in places:
            self.page.mouse.click(*place)
        return [frame.voxel(place) for place in places]

    def outline(self, points: Sequence[Point]) -> list[list[float]]:
        """Draw a polygon, closed on its first point."""
        *drawn, _ = self.click(*points, points[0])
        self.settle()
        return drawn

    def drag(self, points: Sequence[Point], steps: int = 1) -> list[list[float]]:
        """Press on the first voxel, go over the others and let go; the points that it means."""
        frame = self.frame
        places = [frame.place(point) for point in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=steps)
        self.page.mouse.up()
        self.settle()
        return [frame.voxel(place) for place in places]

    # What was sent

    def hold(self, part: str) -> "Held":
        """The first request of an address with that part waits in the page; others go on."""
        return Held(self.page.evaluate_handle(HOLD, part))

    def sent(self, act: Callable[[], Any]) -> list[dict[str, Any]]:
        """Bodies of the edits that an act sends."""
        bodies: list[dict[str, Any]] = []

        def note(request: Any) -> None:
            if request.method != "GET" and "/slice/" in request.url:
                bodies.append(request.post_data_json)

        self.page.on("request", note)
        act()
        self.saved()
        self.page.remove_listener("request", note)
        return bodies


# Geometry, computed once more


def inside(polygons: Sequence[Sequence[Sequence[float]]], rows: int, columns: int) -> np.ndarray:
    """Pixels whose centre lies in an odd number of polygons, by the winding of each edge."""
    mask = np.zeros((rows, columns), dtype=bool)
    for i, j in np.ndindex(rows, columns):
        crossed = 0
        for polygon in polygons:
            for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
                if min(y0, y1) <= i < max(y0, y1):
                    crossed += j < x0 + (i - y0) * (x1 - x0) / (y1 - y0)
        mask[i, j] = crossed % 2
    return mask


def brushed(
    path: Sequence[Sequence[float]], radius: float, spacing: Point, shape: tuple[int, int]
) -> np.ndarray:
    """Pixels whose centre lies within `radius` mm of a path; spacing of rows and columns."""
    mask = np.zeros(shape, dtype=bool)
    scale = np.array([spacing[1], spacing[0]])
    for i, j in np.ndindex(*shape):
        centre = np.array([j, i]) * scale
        for start, end in zip(path, [*path[1:], path[-1]], strict=True):
            a, b = np.array(start) * scale, np.array(end) * scale
            along = np.dot(centre - a, b - a) / (np.dot(b - a, b - a) or 1)
            nearest = a + np.clip(along, 0, 1) * (b - a)
            mask[i, j] |= np.hypot(*(centre - nearest)) <= radius
    return mask


def pixels_of(runs: Sequence[int], shape: tuple[int, int]) -> np.ndarray:
    """A slice from its runs."""
    mask = np.zeros(shape[0] * shape[1], dtype=bool)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        mask[start : start + length] = True
    return mask.reshape(shape)
