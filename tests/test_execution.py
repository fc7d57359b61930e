"""Mapping over processes."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from concurrent.futures import Future
from pathlib import Path
from typing import get_args
from unittest.mock import Mock

import pytest

from centrum import execution
from centrum.errors import CentrumError
from centrum.execution import KeptResults, map_jobs, run_job, run_jobs, silent
from centrum.features.settings import FamilyName
from centrum.store import Store


def square(x: int) -> int:
    return x * x


def die(x: int) -> int:
    if x == 3:
        os._exit(9)
    return x


def die_once(x: tuple[int, Path]) -> int:
    """A process that works alone is not ended by what ended another."""
    number, folder = x
    if number == 3 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def told(x: int, error: CentrumError) -> str:
    return f"{x}: {error.code}: {error.message}"


def fail(x: int) -> int:
    raise ValueError(f"job {x}")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once(workers: int) -> None:
    assert sorted(map_jobs(square, list(range(20)), workers)) == [(x, x * x) for x in range(20)]


def test_a_killed_worker_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(CentrumError, match="fewer --workers"):
        list(map_jobs(die, list(range(6)), 2))


def test_a_job_that_ends_its_process_has_a_result_and_the_others_theirs() -> None:
    found = dict(map_jobs(die, list(range(12)), 2, ended=told))
    message = "The process that worked on it was ended with exit code 9. It was tried twice."
    assert found == {x: x for x in range(12)} | {3: f"3: worker-ended: {message}"}


def test_jobs_whose_processes_live_are_never_tried_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when one is done while the result of another is looked at."""

    def slow(futures: Collection[Future]) -> set[Future]:
        done = some_done(futures)
        time.sleep(0.01)
        return done

    some_done, alone = execution._some_done, Mock()
    monkeypatch.setattr(execution, "_some_done", slow)
    monkeypatch.setattr(execution, "_alone", alone)
    assert len(list(map_jobs(square, list(range(40)), 2))) == 40
    alone.assert_not_called()


def test_a_job_is_tried_alone_when_its_process_ended(tmp_path: Path) -> None:
    jobs = [(x, tmp_path) for x in range(6)]
    assert sorted(n for _, n in map_jobs(die_once, jobs, 2)) == list(range(6))
    assert (tmp_path / "died").exists()


def test_no_more_processes_than_windows_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def pool(workers: int) -> None:
        asked.append(workers)
        raise InterruptedError

    monkeypatch.setattr(execution, "_pool", pool)
    for workers in (2, 99):
        with pytest.raises(InterruptedError):
            list(map_jobs(square, list(range(99)), workers))
    assert asked == [2, 61]


def test_where_there_is_no_fork_server_processes_are_spawned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on Windows; what `spawn` starts is watched, ended and told in the same way."""
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert execution._context().get_start_method() == "spawn"
    assert execution._how_ended(0xC0000005) == "with exit code 3221225477"
    found = dict(map_jobs(die, [1, 3], 2, ended=told))
    assert found[1] == 1
    assert "exit code 9" in str(found[3])


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_rises(workers: int) -> None:
    with pytest.raises(ValueError, match="job"):
        list(map_jobs(fail, [1, 2], workers))


def test_a_script_without_a_guard_is_told_what_to_do(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from centrum.execution import map_jobs\nprint(list(map_jobs(abs, [-1, -2], 2)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    last = [line for line in done.stderr.splitlines() if "centrum.errors.CentrumError" in line][-1]
    assert 'Put its calls below `if __name__ == "__main__":`, or take workers=1.' in last


def test_what_is_imported_here_is_imported_once_for_all_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    base = multiprocessing.context.BaseContext
    monkeypatch.setattr(base, "set_forkserver_preload", lambda _, names: asked.extend(names))
    execution._context()
    assert {"centrum.execution", "centrum.errors"} <= {*asked} <= {*sys.modules}
    assert all(name.startswith("centrum.") for name in asked)


def objects_before_a_look(_: int) -> int:
    return gc.get_threshold()[0]


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_workers_look_for_garbage_seldom(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: [method])
    assert {n for _, n in map_jobs(objects_before_a_look, range(2), 2)} == {10_000}


COUNT_COMPILATIONS = """
import sys
from numba.core.dispatcher import Dispatcher
from centrum.execution import map_jobs
from centrum.features.settings import ExtractionSettings
from centrum.measure.case import warm_up

SETTINGS = ExtractionSettings(families={families}, aggregations=("2.5D_merged", "3D_averaged"))

def compilations(job):
    warm_up(SETTINGS)
    modules = [m for name, m in sys.modules.items() if name.startswith("centrum.")]
    kernels = {{id(k): k for m in modules for k in vars(m).values() if isinstance(k, Dispatcher)}}
    return sum(sum(k.stats.cache_misses.values()) for k in kernels.values())

if __name__ == "__main__":
    first = compilations(0)
    print(first, sum(n for _, n in map_jobs(compilations, range(8), 4)))
"""


def compiled(families: tuple[str, ...], folder: Path) -> list[int]:
    """Compilations by the parent, and by four workers that begin when it is done."""
    script = folder / "count.py"
    script.write_text(COUNT_COMPILATIONS.format(families=families))
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(n) for n in done.stdout.split()]


def test_workers_compile_nothing_again(tmp_path: Path) -> None:
    parent, workers = compiled(("histogram",), tmp_path)
    assert parent > 0
    assert workers == 0


@pytest.mark.slow
def test_workers_compile_no_kernel_again(tmp_path: Path) -> None:
    every = set(get_args(FamilyName)) - {"shape2D"}
    parent, workers = compiled(tuple(sorted(every)), tmp_path)
    assert parent > 20
    assert workers == 0


def test_the_parent_warms_up_before_workers_start(tmp_path: Path) -> None:
    calls: list[int] = []
    assert len(list(map_jobs(square, [1, 2], 2, lambda: calls.append(1)))) == 2
    assert calls == [1]
    list(map_jobs(square, [1, 2], 1, lambda: calls.append(2)))
    assert calls == [1]


def halved(x: int) -> dict[str, float]:
    if x % 2:
        raise ValueError("odd")
    if x == 6:
        os._exit(9)
    return {"half": x / 2}


def without(x: int, error: Exception) -> dict[str, float]:
    return {"half": -1.0}


def key_of(x: int) -> str:
    return f"{x:04d}"


def is_large(result: dict[str, float]) -> bool:
    return result["half"] > 1


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_jobs_and_what_failed_has_one_too(
    tmp_path: Path, workers: int
) -> None:
    jobs = [8, 4, 3, 2, *([6] if workers > 1 else [])]
    kept, counts = KeptResults(Store(tmp_path), key_of, is_large), []
    found = run_jobs(halved, jobs, workers, lambda *told: counts.append(told), "Halving",
                     failed=without, kept=kept)  # fmt: skip
    assert [each["half"] for each in found] == [4, 2, -1, 1, -1][: len(jobs)]
    assert counts == [("Halving", done, len(jobs)) for done in range(len(jobs) + 1)]
    known = [kept.store.get(key_of(job)) for job in jobs]
    assert known == [{"half": 4}, {"half": 2}, None, None, None][: len(jobs)]


def test_what_is_in_the_store_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptResults(Store(tmp_path), key_of)
    jobs = [2, 4, 8]
    made = run_jobs(halved, jobs, 1, silent, "", failed=without, kept=kept)
    nothing = Mock(side_effect=AssertionError)
    monkeypatch.setattr(execution, "_pool", nothing)
    again = run_jobs(nothing, jobs, 2, silent, "", failed=without, kept=kept, warm_up=nothing)
    assert again == made == [run_job(nothing, job, without, kept) for job in jobs]


def test_what_was_read_while_it_changed_is_not_kept(tmp_path: Path) -> None:
    """Its key is another one when it is done."""
    states = iter("ab")
    kept: KeptResults[int, dict[str, float]] = KeptResults(
        Store(tmp_path), lambda _: next(states) * 4
    )
    why: list[Exception] = []
    assert run_job(halved, 2, lambda job, error: why.append(error) or {}, kept) == {}
    assert [getattr(error, "code", "") for error in why] == ["changed-meanwhile"]
    assert kept.store.get("aaaa") is kept.store.get("bbbb") is None
