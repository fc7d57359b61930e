"""Whatever ends the main process, none of its processes is left, and the next run goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from tests.studies import make_study

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="processes are looked up in /proc"
)

LIMIT = 2.0
"""Seconds after which no process may be left."""

BUSY = """
import sys, time
from numba import njit
from centrum.execution import map_jobs

@njit(nogil=True)
def spin(n):
    k = 0
    while k < n:
        k = (k + 1) % 1000
    return k

def work(job):
    open(f"{sys.argv[1]}/{job}", "w").close()
    return spin(1000) if job else time.sleep(600)

if __name__ == "__main__":
    list(map_jobs(work, range(4), 2))
"""
"""One worker sleeps, the other is deep in a kernel that never comes back."""


def processes(mark: str) -> list[int]:
    """Those that were started with this mark, however they came about."""

    def marked(folder: Path) -> bool:
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            return state != "Z" and mark.encode() in (folder / "environ").read_bytes()
        except OSError:
            return False

    return [int(f.name) for f in Path("/proc").iterdir() if f.name.isdigit() and marked(f)]


def rows(shard: Path) -> int:
    return pq.read_metadata(shard).num_rows if shard.suffix == ".parquet" else 0


def wait_until(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.02)
    return done()


@pytest.fixture
def mark() -> Iterator[str]:
    mark = f"MARK={uuid4()}"
    yield mark
    for process in processes(mark):
        os.kill(process, signal.SIGKILL)


def start(mark: str, *words: object) -> subprocess.Popen:
    name, _, value = mark.partition("=")
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        env=os.environ | {name: value},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_no_worker_outlives_a_killed_main_process(mark: str, tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(BUSY)
    (tmp_path / "begun").mkdir()
    main = start(mark, tmp_path / "busy.py", tmp_path / "begun")
    assert wait_until(lambda: {"0", "1"} <= {*os.listdir(tmp_path / "begun")}, 60)
    assert len(processes(mark)) >= 5, "main, resource tracker, fork server and two workers"
    main.kill()
    main.wait()
    assert wait_until(lambda: not processes(mark), LIMIT), processes(mark)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_run_that_is_ended_leaves_no_process(
    mark: str, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    study = make_study(tmp_path / "study", n=40)
    script = "from centrum.cli import main; main()"
    main = start(mark, "-c", script, "check", study, "--workers", 2)
    assert wait_until(lambda: any((study / "results/shards").glob("*/*.parquet")), 60)
    main.send_signal(number)
    _, said = main.communicate()
    assert main.returncode == code
    assert wait_until(lambda: not processes(mark), LIMIT), processes(mark)
    assert sum(map(rows, (study / "results/shards").glob("??/*"))) < 40, "ended before it was done"
    if number != signal.SIGKILL:
        assert "The same command goes on from there." in said
        assert "Traceback" not in said
