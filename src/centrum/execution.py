"""One function over many jobs: in this process or over local processes, kept as they are done."""

import atexit
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Generic, TypeVar

from centrum.errors import CentrumError
from centrum.provenance import changed_meanwhile
from centrum.store import Store

Job = TypeVar("Job")
Result = TypeVar("Result")

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


UNGUARDED = "A script that asks for several workers is imported by each of them, and starts again."
"""Why a worker could not start."""

GUARD = 'Put its calls below `if __name__ == "__main__":`, or take workers=1.'
"""What to do about it."""


KEPT, AGAIN = "What was finished is kept.", "Run the same command again, with fewer --workers."
LEAVE_OUT = (
    "Run again with fewer --workers if memory was wanting; else export its files again, or leave "
    "it out."
)
"""What to do about a process that ended: where it did a part of the whole, and where a case."""

STARTED_WRONG = 1
"""Exit code of a worker that could not even import the script that asked for it."""

MOST = 61
"""Processes at most: Windows waits for no more."""


def silent(what: str, done: int, total: int) -> None:
    """No progress shown."""


def default_workers() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def look_seldom() -> None:
    """Look for garbage seldom: libraries leave a million objects, each of which is looked at."""
    gc.set_threshold(10_000)


def always(result: object) -> bool:
    """Every result is worth keeping."""
    return True


@dataclass(frozen=True)
class KeptResults(Generic[Job, Result]):
    """Where results of jobs are kept, and under which keys.

    Attributes
    ----------
    store : takes JSON-ready results
    key : of a job, the digest of all that it reads; see `centrum.provenance`
    worth : whether a result is kept; what is not is made again by the next run
    """

    store: Store
    key: Callable[[Job], str]
    worth: Callable[[Result], bool] = always

    def put(self, job: Job, key: str, result: Result) -> Result:
        """Keep the result of a job that had this key; the result as it is read later.

        The key is computed again, of large files' bytes, too, which are not held in memory twice.

        Raises
        ------
        DataError
            A file was changed while it was read.
        """
        if not self.worth(result):
            return result
        if self.key(job) != key:
            raise changed_meanwhile("A file of the case")
        kept: Result = self.store.put(key, result)
        return kept


def run_job(
    function: Callable[[Job], Result],
    job: Job,
    failed: Callable[[Job, Exception], Result],
    kept: KeptResults[Job, Result] | None = None,
) -> Result:
    """The result of one job in this process; parameters as of `run_jobs`."""
    key = kept.key(job) if kept else ""
    known: Result | None = kept.store.get(key) if kept else None
    return _make(function, failed, kept, _WantedJob(0, job, key)) if known is None else known


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    workers: int,
    progress: Progress,
    what: str,
    *,
    failed: Callable[[Job, Exception], Result] | None = None,
    kept: KeptResults[Job, Result] | None = None,
    warm_up: Callable[[], object] = lambda: None,
) -> list[Result]:
    """Results of jobs, in their order, whoever did which when.

    Parameters
    ----------
    function : makes the result of a job
    jobs, workers, warm_up : as of `map_jobs`
    progress, what : called with `what` and how many are done
    failed : makes the result of a job that raised, or that ended its process; it is not kept.
        Without it such an error rises
    kept : the store, which is asked first: processes start only for what is not in it

    >>> run_jobs(abs, [-1, 2], 1, silent, "Making positive")
    [1, 2]
    """
    progress(what, 0, len(jobs))
    found: dict[int, Result] = {}
    wanted: list[_WantedJob[Job]] = []
    for place, job in enumerate(jobs):
        key = kept.key(job) if kept else ""
        known: Result | None = kept.store.get(key) if kept else None
        if known is None:
            wanted.append(_WantedJob(place, job, key))
        else:
            found[place] = known
            progress(what, len(found), len(jobs))
    make = partial(_make, function, failed, kept)
    ended = None if failed is None else lambda one, error: failed(one.job, error)
    for one, result in map_jobs(make, wanted, workers, warm_up, ended=ended):
        found[one.place] = result
        progress(what, len(found), len(jobs))
    return [found[place] for place in range(len(jobs))]


@dataclass(frozen=True)
class _WantedJob(Generic[Job]):
    """A job that is not in the store, its place among all, and its key."""

    place: int
    job: Job
    key: str


def _make(
    function: Callable[[Job], Result],
    failed: Callable[[Job, Exception], Result] | None,
    kept: KeptResults[Job, Result] | None,
    wanted: _WantedJob[Job],
) -> Result:
    try:
        result = function(wanted.job)
        return kept.put(wanted.job, wanted.key, result) if kept else result
    except Exception as error:
        if failed is None:
            raise
        return failed(wanted.job, error)


def map_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job] | deque[Job],
    workers: int,
    warm_up: Callable[[], object] = lambda: None,
    *,
    ended: Callable[[Job, CentrumError], Result] | None = None,
) -> Iterator[tuple[Job, Result]]:
    """Pairs of job and result, as they are done.

    `function` and the jobs must be importable and picklable when there is more than one
    worker: processes are started afresh, never forked from a process with threads.
    `warm_up` is called here before they start: what it compiles they find in numba's cache,
    instead of each compiling it. Jobs that are given as a deque are taken out of it, and more can
    be put in as long as the last result has not been asked for.

    When a process ends in the middle of its work, as by a fault of a library or for want of
    memory, each job that was under way is done once more, alone in a process of its own. One that
    ends this process, too, has the result that `ended` makes of it; the others go on. With one
    worker jobs are done in this process, which such a fault ends.

    Raises
    ------
    CentrumError
        A job ended its process and there is no `ended`, or workers could not start because the
        calling script does not guard its own start.

    >>> sorted(map_jobs(abs, [-1, 2], workers=1))
    [(-1, 1), (2, 2)]
    """
    waiting = jobs if isinstance(jobs, deque) else deque(jobs)
    if workers == 1 or len(waiting) < 2:
        while waiting:
            job = waiting.popleft()
            yield job, function(job)
        return
    warm_up()
    while waiting:
        suspects = yield from _together(function, waiting, min(workers, len(waiting), MOST))
        for job in suspects:
            yield job, _alone(function, job, ended)


def _together(
    function: Callable[[Job], Result], waiting: deque[Job], workers: int
) -> Generator[tuple[Job, Result], None, list[Job]]:
    """Do jobs until none waits or a process ended; the jobs that were under way then."""
    under_way: dict[Future[Result], Job] = {}
    with _pool(workers) as pool:
        while waiting or under_way:
            while waiting and len(under_way) <= workers:
                try:
                    under_way[pool.submit(function, waiting[0])] = waiting[0]
                except BrokenProcessPool:
                    break
                waiting.popleft()
            done = _some_done(under_way)
            sound = [f for f in done if not isinstance(f.exception(), BrokenProcessPool)]
            for future in sound:
                yield under_way.pop(future), future.result()
            if len(sound) < len(done):
                break
    return list(under_way.values())


def _some_done(futures: Collection[Future[Result]]) -> set[Future[Result]]:
    """Those of the futures that are done, when one is."""
    done = set[Future[Result]]()
    while not done:  # Windows lets nobody interrupt a wait that has no end
        done = wait(futures, 1, FIRST_COMPLETED).done
    return done


def _alone(
    function: Callable[[Job], Result],
    job: Job,
    ended: Callable[[Job, CentrumError], Result] | None,
) -> Result:
    """Do a job in a process of its own, and say how this ended if it did."""
    others = set(multiprocessing.active_children())
    with _pool(1) as pool:
        future = pool.submit(function, job)
        own = set(multiprocessing.active_children()) - others
        _some_done([future])
        if not isinstance(future.exception(), BrokenProcessPool):
            return future.result()
    code = next((process.exitcode for process in own), None)
    if code == STARTED_WRONG and _is_script():
        raise CentrumError(UNGUARDED, remedy=GUARD, code="no-main-guard")
    if ended is None:
        raise _worker_ended(code, KEPT, AGAIN)
    return ended(job, _worker_ended(code, "It was tried twice.", LEAVE_OUT))


def _worker_ended(code: int | None, more: str, remedy: str) -> CentrumError:
    message = f"The process that worked on it was ended {_how_ended(code)}. {more}"
    return CentrumError(message, remedy=remedy, code="worker-ended")


def _how_ended(code: int | None) -> str:
    """What the exit code of a process says.

    >>> _how_ended(-11), _how_ended(-40), _how_ended(7)
    ('by the signal SIGSEGV', 'by the signal 40', 'with exit code 7')
    """
    if code is None or code >= 0:
        return f"with exit code {code}"
    named = -code in {number.value for number in signal.Signals}
    return f"by the signal {signal.Signals(-code).name if named else -code}"


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one, however it ends, and at once when it is stopped.

    Each waits for the end of a pipe whose other side this process alone holds: the system closes
    it, whatever kills this process.
    """
    context = _context()
    watched, held = context.Pipe(duplex=False)
    with watched, held:
        pool = ProcessPoolExecutor(workers, context, _begin, (watched,))
        try:
            yield pool
        except RuntimeError as error:
            if "bootstrapping phase" not in str(error):
                raise
            raise CentrumError(UNGUARDED, remedy=GUARD, code="no-main-guard") from error
        except Exception:
            raise
        except BaseException:
            held.close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(watched: Connection) -> None:
    """What a worker does first; a Ctrl-C is for the process that started it."""
    look_seldom()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: Connection) -> None:
    """End this process, whatever it is at, when nobody holds the other side of a pipe."""
    with suppress(EOFError, OSError):
        watched.recv_bytes()
    os._exit(1)


def _is_script() -> bool:
    """Whether Python was started with a file other than the `centrum` command."""
    name = Path(getattr(sys.modules["__main__"], "__file__", "") or "").stem
    return name not in ("", "centrum", "__main__")


def _context() -> multiprocessing.context.BaseContext:
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        own = [name for name in sys.modules if name.startswith("centrum.")]
        context.set_forkserver_preload(own)
    return context


def expect_workers() -> None:
    """Have what was imported here so far imported where workers are forked from, meanwhile."""
    context = _context()
    if context.get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()


if any("multiprocessing.forkserver" in word for word in sys.orig_argv):
    # Workers are forked from this process, which has nothing to put away: taking apart the
    # libraries that it has loaded would have it outlive the main process by a second.
    atexit.register(os._exit, 0)
    look_seldom()
