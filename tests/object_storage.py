"""Object storage for the tests: moto, an emulator of S3, in a process of its own on loopback.

It keeps objects in memory, asks for no credentials unless told to, and does conditional puts as S3
does. It stands for no real storage: its speed, its consistency and its limits are its own. It has
an environment of its own (`make emulator`), since it wants older versions of what others need.
"""

import importlib.util
import os
import re
import socket
import subprocess
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from centrum.io import objects, scratch

ROOT = Path(__file__).resolve().parents[1]
PYTHON = Path(os.environ.get("CENTRUM_EMULATOR", ROOT / "build/emulator/bin/python"))
MISSING = f"tests of object storage need obstore, and moto at {PYTHON} (make emulator)"
HOST = "127.0.0.1"


def needed() -> None:
    """Skips where there is no emulator; in continuous integration that fails."""
    there = PYTHON.is_file() and importlib.util.find_spec("obstore")
    if not there and os.environ.get("CI"):
        pytest.fail(MISSING)
    if not there:
        pytest.skip(MISSING)


@dataclass
class Emulator:
    """moto as a process."""

    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with socket.create_server((HOST, 0)) as found:
            self.port = found.getsockname()[1]
        words = [str(PYTHON), "-m", "moto.server", "-H", HOST, "-p", str(self.port)]
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(words, env=env, **quiet)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
                return
            time.sleep(0.1)
        raise AssertionError("the emulator did not start")

    def close(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def ask(self, method: str, path: str, data: bytes = b"") -> bytes:
        request = urllib.request.Request(f"{self.address}{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


@dataclass
class Door:
    """A way to the emulator that notes what is asked, and can be cut in the middle of an answer.

    Attributes
    ----------
    asked : method and key of each request, such as "GET a/b.nrrd"
    cuts : how many answers are still cut
    after : bytes of an answer that come through before it is cut
    """

    emulator: Emulator
    asked: list[str] = field(default_factory=list)
    cuts: int = 0
    after: int = 2000

    def __enter__(self) -> "Door":
        self.listening = socket.create_server((HOST, 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listening.close()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.listening.getsockname()[1]}"

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listening.accept()
                far = socket.create_connection((HOST, self.emulator.port))
                for each in ((near, far, self._note), (far, near, self._cut)):
                    threading.Thread(target=_pump, args=each, daemon=True).start()

    def _note(self, data: bytes, _: int) -> bool:
        found = re.findall(rb"(GET|HEAD|PUT|DELETE) /[^/\s]+/?([^\s]*) HTTP/1", data)
        self.asked += [b" ".join(each).decode() for each in found]
        return True

    def _cut(self, data: bytes, sent: int) -> bool:
        if self.cuts > 0 and sent > self.after:
            self.cuts -= 1
            return False
        return True


def _pump(near: socket.socket, far: socket.socket, goes_on) -> None:
    sent = 0
    with suppress(OSError):
        while data := near.recv(1024):
            sent += len(data)
            if not goes_on(data, sent):
                break
            far.sendall(data)
    for each in (near, far):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@dataclass
class Bucket:
    """A bucket of the emulator, empty at first."""

    emulator: Emulator
    name: str

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def put(self, key: str, content: bytes) -> str:
        """Write an object whatever is there; its URL."""
        import obstore

        obstore.put(objects._store(self.name), key, content)
        return self.url(key)

    def put_folder(self, folder: Path, prefix: str) -> None:
        for path in (p for p in folder.rglob("*") if p.is_file()):
            self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def keys(self, prefix: str = "") -> dict[str, bytes]:
        import obstore

        store = objects._store(self.name)
        found = (m["path"] for chunk in obstore.list(store, prefix or None) for m in chunk)
        return {key: bytes(obstore.get(store, key).bytes()) for key in found}


def as_at_first() -> None:
    """Forget what this process knows of storages and of what it has staged."""
    objects._store.cache_clear()
    scratch._hold_last(0)
    scratch._places.clear()


def environment(address: str) -> dict[str, str]:
    """What leads to the emulator, as the documentation says it of a storage of one's own."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_REGION": "us-east-1",
    }
