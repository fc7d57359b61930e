"""One function over many cases: in this process or over local processes."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

from centrum.errors import CentrumError

Job = TypeVar("Job")
Result = TypeVar("Result")

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


UNGUARDED = "A script that asks for several workers is imported by each of them, and starts again."
"""Why a worker could not start."""

GUARD = 'Put its calls below `if __name__ == "__main__":`, or take workers=1.'
"""What to do about it."""


def silent(what: str, done: int, total: int) -> None:
    """No progress shown."""


def default_workers() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    workers: int,
    warm_up: Callable[[], object] = lambda: None,
) -> Iterator[tuple[Job, Result]]:
    """Pairs of job and result, as they are done.

    `function` and the jobs must be importable and picklable when there is more than one
    worker: processes are started afresh, never forked from a process with threads.
    `warm_up` is called here before they start: what it compiles they find in numba's cache,
    instead of each compiling it.

    Raises
    ------
    CentrumError
        A worker was killed, such as for want of memory, or could not start because the calling
        script does not guard its own start.

    >>> sorted(map_jobs(abs, [-1, 2], workers=1))
    [(-1, 1), (2, 2)]
    """
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            yield job, function(job)
        return
    warm_up()
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=_context()) as pool:
        done = 0
        try:
            futures = {pool.submit(function, job): job for job in jobs}
            for future in as_completed(futures):
                yield futures[future], future.result()
                done += 1
        except RuntimeError as error:
            told = _broken(error, done)
            if told is None:
                raise
            raise told from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _broken(error: RuntimeError, done: int) -> CentrumError | None:
    """What to say of processes that do not work; of another error nothing.

    A script that starts workers is imported by each: unguarded it starts workers there, which
    Python refuses, and the first worker dies before it has done anything.
    """
    if "bootstrapping phase" in str(error):
        return CentrumError(UNGUARDED, remedy=GUARD, code="no-main-guard")
    if not isinstance(error, BrokenProcessPool):
        return None
    if done == 0 and _is_script():
        return CentrumError(
            "A worker process ended before it had done anything: the script that was started "
            "does not guard its own start, or memory is wanting.",
            remedy=f"{GUARD} If it is guarded, run it again with fewer workers.",
            code="worker-ended",
        )
    return CentrumError(
        "A worker process was killed, perhaps for want of memory. What was finished is kept.",
        remedy="Run the same command again, with fewer --workers.",
        code="worker-killed",
    )


def _is_script() -> bool:
    """Whether Python was started with a file other than the `centrum` command."""
    name = Path(getattr(sys.modules["__main__"], "__file__", "") or "").stem
    return name not in ("", "centrum", "__main__")


def _context() -> multiprocessing.context.BaseContext:
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(["centrum.measure", "centrum.simulate"])
    return context
