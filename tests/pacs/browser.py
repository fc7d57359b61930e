"""A browser without a window, driven over a pipe: it opens no port and finds no other host."""

import base64
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SECONDS = 240
"""Until a browser that still runs is ended."""

SIZE = (1400, 900)

OPTIONS = (
    "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--use-gl=angle",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--no-first-run",
    f"--window-size={SIZE[0]},{SIZE[1]}",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """What a reader does with the mouse and sees; source: Chrome DevTools Protocol."""

    process: "subprocess.Popen[bytes]"
    session: str
    numbers: Iterator[int]

    def run(self, script: str) -> Any:
        """The value of an expression of the page's."""
        answer = self("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = 60) -> Any:
        """The expression's value as soon as it is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(script):
                return value
            time.sleep(0.2)
        raise AssertionError(f"{script} within {seconds} s; the page shows:\n{self.text}")

    @property
    def text(self) -> str:
        return self.run("document.body.innerText")

    def middle(self, element: str) -> tuple[float, float]:
        """Of an element that is shown, which an expression gives."""
        script = f"""(() => {{
            const box = ({element})?.getBoundingClientRect();
            return box?.width ? [box.x + box.width / 2, box.y + box.height / 2] : null;
        }})()"""
        x, y = self.wait(script)
        return x, y

    def click(self, place: tuple[float, float], times: int = 1) -> None:
        for n in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self._mouse(kind, place, button="left", clickCount=n)

    def roll(self, place: tuple[float, float], y: float) -> None:
        self._mouse("mouseWheel", place, deltaX=0, deltaY=y)

    def _mouse(self, kind: str, place: tuple[float, float], **more: Any) -> None:
        self("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], **more)

    def picture(self) -> np.ndarray:
        """RGB as shown, rows × columns × 3."""
        shown = Image.open(BytesIO(base64.b64decode(self("Page.captureScreenshot")["data"])))
        return np.asarray(shown.convert("RGB")).astype(int)

    def settled(self) -> np.ndarray:
        """The picture that stays for three looks: a busy machine draws late."""
        before, stayed = self.picture(), 0
        for _ in range(60):
            time.sleep(0.5)
            after = self.picture()
            stayed = stayed + 1 if np.array_equal(before, after) else 0
            if stayed == 3:
                return after
            before = after
        raise AssertionError("the page changes all the time")

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        return _ask(self.process, next(self.numbers), method, parameters, sessionId=self.session)


@contextmanager
def browser(folder: Path, address: str) -> Iterator[Page]:
    """A page at an address; `folder` takes what a browser keeps."""
    words = [str(CHROMIUM), *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    shell = ["sh", "-c", 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null', *words]
    process = subprocess.Popen(
        shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    too_long = threading.Timer(SECONDS, process.kill)
    too_long.start()
    try:
        numbers = count(1)
        made = _ask(process, next(numbers), "Target.createTarget", {"url": address})
        way = {**made, "flatten": True}
        session = _ask(process, next(numbers), "Target.attachToTarget", way)["sessionId"]
        yield Page(process, session, numbers)
    finally:
        too_long.cancel()
        process.kill()
        process.wait()


def _ask(
    process: "subprocess.Popen[bytes]", number: int, method: str, parameters: dict, **more: str
) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    message = {"id": number, "method": method, "params": parameters, **more}
    process.stdin.write(json.dumps(message).encode() + b"\0")
    process.stdin.flush()
    while (answer := _next(process.stdout)).get("id") != number:
        pass
    assert "error" not in answer, answer
    return answer["result"]


def _next(stream: Any) -> dict[str, Any]:
    letters = bytearray()
    while not letters.endswith(b"\0"):
        ready = stream.peek()
        assert ready, "the browser has ended"
        letters += stream.read(ready.find(b"\0") + 1 or len(ready))
    return json.loads(letters[:-1])
