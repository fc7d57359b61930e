"""One function over many cases: in this process or over local processes."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from centrum.errors import CentrumError

Job = TypeVar("Job")
Result = TypeVar("Result")

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


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
        A worker was killed, such as for want of memory.

    >>> sorted(map_jobs(abs, [-1, 2], workers=1))
    [(-1, 1), (2, 2)]
    """
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            yield job, function(job)
        return
    warm_up()
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=_context()) as pool:
        futures = {pool.submit(function, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise CentrumError(
                "A worker process was killed, perhaps for want of memory. What was finished "
                "is kept: run the same command again, with fewer --workers."
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _context() -> multiprocessing.context.BaseContext:
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(["centrum.measure", "centrum.simulate"])
    return context
