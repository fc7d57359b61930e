"""Servers as processes of their own: forked from this one, or begun on the command line."""

import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from centrum.commands.read import begun_desk
from centrum.web.serve import Network, serve
from tests.web.rooms import Hand

LINK = re.compile(r"^  (\S+) +((https?://\S+)/#enter=([0-9a-f]{32}))$")

PATIENCE = 60.0

OPEN = "open"
"""Said by a forked server behind its last line."""


def link_of(lines: list[str]) -> dict[str, tuple[str, str]]:
    """Origin and secret of each link, by name."""
    found = [match for line in lines if (match := LINK.match(line))]
    return {match[1]: (match[3], match[4]) for match in found}


def _run(study: Path, said: object, port: int, network: Network | None) -> None:
    """What the forked process does; it leaves nothing behind of the tests."""
    os.setsid()
    desk, _ = begun_desk(study)
    with desk:
        opened = lambda _: said.send(OPEN)  # type: ignore[attr-defined]  # noqa: E731
        serve(desk, port=port, network=network, say=said.send, opened=opened)  # type: ignore[attr-defined]
    os._exit(0)


@dataclass
class Server:
    """A forked server, which is ended with `kill -9`."""

    study: Path
    port: int = 0
    network: Network | None = None
    lines: list[str] = field(default_factory=list)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __enter__(self) -> "Server":
        context = multiprocessing.get_context("fork")
        self.said, says = context.Pipe(duplex=False)
        self.process = context.Process(
            target=_run, args=(self.study, says, self.port, self.network), daemon=True
        )
        self.process.start()
        says.close()
        while not self.lines or self.lines[-1] != OPEN:
            assert self.said.poll(PATIENCE), self.lines
            self.lines.append(self.said.recv())
        self.links = link_of(self.lines)
        return self

    def kill(self) -> None:
        """As when the power fails."""
        self.process.kill()
        self.process.join(PATIENCE)

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.said.close()

    def hand(self, name: str) -> Hand:
        """Somebody who entered by their link."""
        origin, secret = self.links[name]
        client = httpx2.Client(base_url=origin, timeout=PATIENCE, trust_env=False)
        return Hand(client, origin).enter(link=secret)


@contextmanager
def command(
    study: Path, *words: str, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[dict[str, tuple[str, str]], list[str], "subprocess.Popen[str]"]]:
    """`centrum read` as a process; links, all lines that it prints, and the process."""
    code = "import sys; from centrum.cli import main; sys.argv[0] = 'centrum'; main()"
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", code, "read", str(study), *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines: list[str] = []
    reader = threading.Thread(target=_collect, args=(process, lines), daemon=True)
    reader.start()
    try:
        end = time.monotonic() + PATIENCE
        while not link_of(lines) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.05)
        yield link_of(lines), lines, process
    finally:
        process.terminate()
        process.wait(PATIENCE)
        reader.join(PATIENCE)


def _collect(process: "subprocess.Popen[str]", lines: list[str]) -> None:
    for line in process.stdout or ():
        lines.append(line.rstrip("\n"))
