"""Schedulers and workers of dask as processes of this machine, which start at once.

They are forked from one process that has imported what they need: an import takes seconds, and
minutes on a busy machine. Each runs the command `dask` with the words that a user gives.
"""

import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

LIMIT = 300
"""Seconds in which what is waited for happens, however busy the machine."""


END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux."""


class Forks:
    """The process that the others are forked from; it ends them when this process ends."""

    def __init__(self) -> None:
        paths = os.pathsep.join([str(ROOT / "src"), *sys.path])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.clusters"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def dask(self, log: Path, config: dict[str, str], *words: str) -> int:
        """Run `dask` with these words and choices; the number of the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([str(log), config, *words]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


forks = cache(Forks)


NEEDED = (
    "centrum.commands.cluster",
    "centrum.measure.case",
    "distributed.cli.dask_scheduler",
    "distributed.cli.dask_worker",
    "pyarrow.parquet",
    "tests.naps",
)
"""Modules that every process needs, imported once."""


def fork_as_told() -> None:
    """Fork a process for each line that comes in; end them all when no more can come."""
    import dask
    from dask.__main__ import main

    for name in NEEDED:
        importlib.import_module(name)
    assert threading.active_count() == 1, "threads do not survive a fork"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    children = []
    for line in sys.stdin:
        log, config, *words = json.loads(line)
        if not (process := os.fork()):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            dask.config.set(config)
            _become(Path(log), words, main)
        children.append(process)
        print(process, flush=True)
    for process in children:
        end(process)


def _become(log: Path, words: list[str], main: Callable[[], object]) -> None:
    with suppress(AttributeError):  # where there is none, it outlives a process that was killed
        ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)
    nothing, told = (
        os.open(os.devnull, os.O_RDONLY),
        os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
    )
    for new, old in ((nothing, 0), (told, 1), (told, 2)):
        os.dup2(new, old)
    os.chdir(log.parent)
    sys.argv = ["dask", *words]
    try:
        main()
    finally:
        os._exit(0)


def end(process: int, number: int = signal.SIGKILL) -> None:
    """Kill a process, if it is there."""
    with suppress(ProcessLookupError):
        os.kill(process, number)


def lives(process: int) -> bool:
    """Whether a process is there."""
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def wait_for(done: Callable[[], object], seconds: float = LIMIT) -> None:
    """Wait until something is so."""
    limit = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < limit, "nothing happened"
        time.sleep(0.02)


@dataclass
class Cluster:
    """A scheduler and its workers."""

    folder: Path
    port: int = 0
    tls: tuple[str, ...] = ()
    config: dict[str, str] = field(default_factory=dict)
    processes: list[int] = field(default_factory=list)

    def start(self, *words: str) -> int:
        log = self.folder / f"{len(self.processes)}.log"
        process = forks().dask(log, self.config, *words, *self.tls)
        self.processes.append(process)
        return process

    def schedule(self) -> int:
        """Start a scheduler, at the port of the one before if there was one."""
        told = self.folder / "scheduler.json"
        told.unlink(missing_ok=True)
        process = self.start(
            "scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard",
            "--scheduler-file", str(told),
        )  # fmt: skip
        wait_for(self._is_told)
        self.port = int(self.address.rpartition(":")[2])
        return process

    def _is_told(self) -> bool:
        with suppress(OSError, ValueError):
            return bool(self.address)
        return False

    @property
    def address(self) -> str:
        return json.loads((self.folder / "scheduler.json").read_text())["address"]

    def work(self, *more: str, threads: int = 1, address: str = "") -> int:
        return self.start(
            "worker", address or self.address, "--nthreads", str(threads), "--no-nanny",
            "--no-dashboard", "--death-timeout", str(LIMIT), *more,
        )  # fmt: skip

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        for process in self.processes:
            end(process)
        wait_for(lambda: not any(map(lives, self.processes)))


@contextmanager
def a_cluster(folder: Path, workers: int, **more: Any) -> Iterator[Cluster]:
    """A scheduler and so many workers, until they are no longer needed."""
    folder.mkdir(exist_ok=True)
    cluster = Cluster(folder, **more)
    try:
        cluster.schedule()
        for _ in range(workers):
            cluster.work()
        yield cluster
    finally:
        cluster.end()


if __name__ == "__main__":
    fork_as_told()
