"""Measuring on a cluster: batches go to the workers of dask.distributed, shards stay on the disk.

Through the scheduler go jobs, which name files, and what is told of a batch: a name and counts.
"""

import logging
import shlex
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from centrum.errors import CentrumError, DataError, ProtocolError
from centrum.io.loopback import is_loopback
from centrum.io.structured import read_yaml
from centrum.measure.batches import Batch, BatchDone, BatchWork, Job
from centrum.protocol.faults import faults_of
from centrum.settings import Settings

WAIT = 60
"""Seconds in which a scheduler answers and has a first worker."""

NO_PROFILE = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
"""Environment of workers that do not look a hundred times a second at what they are doing."""

OFTEN = 0.02
"""Seconds between two looks for a batch that is done."""

LOOK = 5
"""Seconds after which the scheduler is asked again how many workers it has."""

OWN_PAGES = "127.0.0.1:0"
"""Where scheduler and workers show their pages, which are not encrypted: to this machine alone."""


@dataclass(frozen=True)
class DaskEngine:
    """The workers of a scheduler, however many there are at the time.

    A batch is sent again when its worker is gone; one with which several workers went is done
    case by case. While there is no worker, `none_left` is asked every few seconds, and raises where
    none will come.
    """

    client: Any
    seconds: float = 20.0
    none_left: Callable[[], None] = lambda: None

    @property
    def workers(self) -> int:
        """How many there are now."""
        return max(1, len(self.client.nthreads()))

    def run(
        self, work: BatchWork[Job], waiting: deque[Batch[Job]]
    ) -> Iterator[tuple[Batch[Job], BatchDone]]:
        """Do all that waits; see `centrum.measure.batches.Engine`.

        Raises
        ------
        CentrumError
            The scheduler is gone, or a worker has other versions or cannot write.
        """
        with _connected():
            self._warm_up(work)
        for batch, told in self._sent(work, waiting):
            if isinstance(told, Exception):
                raise told
            yield batch, told

    def _sent(
        self, work: BatchWork[Job], waiting: deque[Batch[Job]]
    ) -> Iterator[tuple[Batch[Job], BatchDone | Exception]]:
        from distributed import as_completed

        under_way: dict[Any, Batch[Job]] = {}
        done = as_completed(loop=self.client.loop)
        workers, until = 0, 0.0
        while waiting or under_way:
            with _connected():
                if time.monotonic() > until:
                    workers, until = self.workers, time.monotonic() + LOOK
                room = 2 * workers - len(under_way)
                for batch in [waiting.popleft() for _ in range(min(room, len(waiting)))]:
                    future = self.client.submit(_told, work, batch, pure=False)
                    under_way[future] = batch
                    done.add(future)
                self._wait(done)
                future = next(done)
                batch = under_way.pop(future)
                told = _outcome(work, future, batch)
            yield batch, told

    def _wait(self, done: Any) -> None:
        """Until a batch is done."""
        until = time.monotonic() + LOOK
        while not done.has_ready():
            time.sleep(OFTEN)
            if time.monotonic() > until:
                until = time.monotonic() + LOOK
                if not self.client.nthreads():
                    self.none_left()

    def _warm_up(self, work: BatchWork[Job]) -> None:
        """Compile once on every machine what its workers then find in numba's cache."""
        first = {urlsplit(address).hostname: address for address in self.client.nthreads()}
        # On others where the worker has gone meanwhile: nobody waits for it.
        own = {"pure": False, "allow_other_workers": True}
        made = [self.client.submit(work.warm_up, workers=[a], **own) for a in first.values()]
        self.client.gather(made, errors="skip")  # a worker that cannot says so with its batch


def _told(work: BatchWork[Job], batch: Batch[Job]) -> BatchDone | Exception:
    """What a worker tells of a batch: no record, and errors as values, which no log repeats."""
    try:
        return replace(work(batch), records={})
    except (CentrumError, OSError) as error:
        return error


def _outcome(work: BatchWork[Job], future: Any, batch: Batch[Job]) -> BatchDone | Exception:
    from distributed import KilledWorker

    try:
        told: BatchDone | Exception = future.result()
    except KilledWorker:
        return work.ended(batch, _killed())
    return told


def _killed() -> CentrumError:
    return CentrumError(
        "Several workers that worked on it were ended.",
        remedy="Give workers more memory and a longer walltime; else export its files again, or "
        "leave it out.",
        code="worker-ended",
    )


@contextmanager
def _connected() -> Iterator[None]:
    """Say in our own words that the scheduler is gone."""
    from distributed import CancelledError
    from distributed.comm import CommClosedError

    try:
        yield
    except (CancelledError, CommClosedError, TimeoutError) as error:
        raise CentrumError(
            "The connection to the scheduler was lost. What was finished is kept.",
            remedy="Start a scheduler, and run the same command again.",
            code="no-scheduler",
        ) from error


@contextmanager
def dask_engine(address: str) -> Iterator[DaskEngine]:
    """The workers of the scheduler at an address, such as tls://10.0.0.5:8786.

    Certificates are those of dask's own configuration (`distributed.comm.tls`).

    Raises
    ------
    ProtocolError
        The address leads beyond this machine and is not encrypted.
    CentrumError
        Nobody answers there, there is no worker, or one has several threads.
    """
    refuse_open(address)
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        raise CentrumError(
            f"No scheduler answers at {address}.",
            remedy="Is it running (`dask scheduler`)? For tls:// certificates are wanted in dask's "
            "configuration, distributed.comm.tls.",
            code="no-scheduler",
        ) from error
    with client:
        _expect_workers(client)
        yield DaskEngine(client)


def refuse_open(address: str) -> None:
    """Refuse a connection on which others could read: names of files go over it.

    >>> refuse_open("tls://10.0.0.5:8786"), refuse_open("tcp://127.0.0.1:8786")
    (None, None)
    """
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme == "tls" or (parts.scheme == "tcp" and is_loopback(parts.hostname or "")):
        return
    raise ProtocolError(
        f"--dask: the connection to {address} would not be encrypted, and names of files go over "
        "it.",
        remedy="Start scheduler and workers with tls:// addresses and certificates; tcp:// is for "
        "this machine alone (127.0.0.1).",
        code="not-encrypted",
    )


def _expect_workers(client: Any) -> None:
    """Raise unless there are workers, of one thread each."""
    try:
        client.wait_for_workers(1, timeout=WAIT)
    except TimeoutError as error:
        raise CentrumError(
            f"The scheduler has had no worker for {WAIT} seconds.",
            remedy="Start some: `dask worker ADDRESS --nthreads 1 --nworkers N`.",
            code="no-workers",
        ) from error
    if several := [n for n in client.nthreads().values() if n > 1]:
        raise CentrumError(
            f"A worker has {several[0]} threads: expected one, since cases are measured by "
            "processes.",
            remedy="Start workers with --nthreads 1 and as many --nworkers as there are cores.",
            code="threads",
        )


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise DataError(
            "Clusters are reached by dask.distributed, which is not installed.",
            remedy="Install it: pip install 'centrum[dask]'.",
            code="missing-extra",
        ) from error
    return distributed


# SLURM


class SlurmProfile(Settings):
    """What to ask a SLURM cluster for.

    Attributes
    ----------
    jobs : how many are asked for
    workers : processes of a job, of one core each
    memory_gb : of each process
    walltime_minutes : after which SLURM ends a job; workers take no batch shortly before
    queue, account : as SLURM calls them
    interface : network over which workers reach the scheduler, such as ib0
    directives : further lines `#SBATCH ...`
    prologue : lines of shell that a job runs first, such as `module load python`
    python : that of the workers; this one when missing
    """

    jobs: Annotated[int, Field(ge=1)]
    workers: Annotated[int, Field(ge=1)] = 1
    memory_gb: Annotated[float, Field(gt=0)] = 4
    walltime_minutes: Annotated[int, Field(ge=10)] = 240
    queue: str | None = None
    account: str | None = None
    interface: str | None = None
    directives: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()
    python: str | None = None


def read_slurm_profile(path: Path) -> SlurmProfile:
    """Read what to ask for.

    Raises
    ------
    ProtocolError
        The file cannot be read, or asks for something unknown.
    """
    choices = read_yaml(path, ProtocolError)
    given = choices if isinstance(choices, dict) else {}
    try:
        return SlurmProfile.model_validate(given)
    except ValidationError as error:
        told = "; ".join(fault.message for fault in faults_of(error, SlurmProfile, given))
        raise ProtocolError(
            f"{path.name}: {told}",
            remedy=f"It has the keys {', '.join(SlurmProfile.model_fields)}.",
            code="slurm-profile",
            file=path,
        ) from None


@contextmanager
def slurm_engine(path: Path, certificates: Path) -> Iterator[DaskEngine]:
    """Workers that SLURM starts, and ends with this process; the scheduler is in this process.

    Everything is encrypted with certificates of this one run, which lie in the private folder
    `certificates` meanwhile. Raises as `read_slurm_profile` and `dask_engine`.
    """
    profile, distributed = read_slurm_profile(path), _distributed()
    cluster_of_jobs, asked = _jobqueue().SLURMCluster, list[_SlurmAnswer]()
    security = _written(distributed.Security.temporary(), certificates)
    with cluster_of_jobs(
        **slurm_options(profile),
        job_cls=_job_class(asked),
        security=security,
        scheduler_options={"dashboard_address": OWN_PAGES} | _site_scheduler(),
        silence_logs=logging.CRITICAL,  # what goes wrong is told in our own words
    ) as cluster:
        cluster.scale(jobs=profile.jobs)
        # Who stops a client that was given the cluster stops asking midway, and jobs stay behind.
        while len(asked) < profile.jobs:
            time.sleep(0.05)
        address = cluster.scheduler_address
        with distributed.Client(address, security=security, set_as_default=False) as client:
            _wait_for_a_worker(client, asked)
            yield DaskEngine(client, none_left=partial(_refuse_ended, asked))


def _site_scheduler() -> dict[str, Any]:
    """What dask's configuration of this site says of the scheduler, such as its port."""
    import dask

    return dask.config.get("jobqueue.slurm.scheduler-options", None) or {}


@dataclass(frozen=True)
class _SlurmAnswer:
    """What SLURM has answered to the wish for a job: its number, or why there is none."""

    job: str = ""
    refusal: str = ""


def _written(security: Any, folder: Path) -> Any:
    """The same certificates as files of a folder, where jobs find them."""
    written = copy(security)
    for party in ("scheduler", "worker", "client"):
        for key, text in security.get_tls_config_for_role(party).items():
            name = f"tls_{key}" if key == "ca_file" else f"tls_{party}_{key}"
            if text:
                path = folder / f"{name}.pem"
                path.write_text(text, encoding="utf-8", newline="\n")
                setattr(written, name, str(path))
    return written


def _jobqueue() -> Any:
    """The library that asks SLURM; Ctrl-C does after its import what it did before."""
    before = signal.getsignal(signal.SIGINT)
    import dask_jobqueue

    signal.signal(signal.SIGINT, before)
    return dask_jobqueue


def _job_class(asked: list[_SlurmAnswer]) -> Any:
    """Jobs that add to a list what SLURM has answered."""
    from dask_jobqueue.slurm import SLURMJob
    from distributed.core import Status

    class ToldJob(SLURMJob):
        """A job whose certificates may lie in a folder with a space in its name."""

        job_id: str | None = None

        def __init__(self, *args: Any, security: Any = None, **more: Any) -> None:
            super().__init__(*args, security=_for_a_shell(security), **more)

        async def start(self) -> None:
            try:
                await super().start()
                asked.append(_SlurmAnswer(job=str(self.job_id)))
            except (OSError, RuntimeError, ValueError) as error:
                asked.append(_SlurmAnswer(refusal=_last_words(error)))
                self.status = Status.running  # for dask, which waits for its worker

    return ToldJob


def _for_a_shell(security: Any) -> Any:
    """The same certificates; a job's script has the names of their files as words."""
    quoted = copy(security)
    for name in ("tls_ca_file", "tls_worker_cert", "tls_worker_key"):
        if path := getattr(security, name, None):
            setattr(quoted, name, shlex.quote(path))
    return quoted


def _last_words(error: Exception) -> str:
    """The last line of an error, which is what `sbatch` says.

    >>> _last_words(RuntimeError("stderr:\\nsbatch: error: invalid partition specified: x\\n\\n"))
    'sbatch: error: invalid partition specified: x'
    """
    return str(error).strip().rpartition("\n")[2]


def _wait_for_a_worker(client: Any, asked: Sequence[_SlurmAnswer]) -> None:
    """Wait as long as the queue takes.

    Raises
    ------
    CentrumError
        SLURM has refused all jobs, or they have ended and none has become a worker.
    """
    while not client.nthreads():
        _refuse_without_jobs(asked)
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=LOOK)


def _refuse_without_jobs(asked: Sequence[_SlurmAnswer]) -> None:
    if not (taken := [each.job for each in asked if each.job]):
        raise CentrumError(
            f"SLURM takes no job ({asked[0].refusal}).",
            remedy="Change the profile, or run the command where `sbatch` is.",
            code="no-jobs",
        )
    if _have_ended(taken):
        raise CentrumError(
            "The jobs of SLURM have ended before one of them became a worker.",
            remedy="Read what they wrote, slurm-*.out in this folder. Every node must see the "
            "folder of the study and have the same Python.",
            code="no-workers",
        )


def _refuse_ended(asked: Sequence[_SlurmAnswer]) -> None:
    if _have_ended([each.job for each in asked if each.job]):
        raise CentrumError(
            "The jobs of SLURM have ended, and not all cases are measured. What was finished is "
            "kept.",
            remedy="Give the same command again, with more jobs or a longer walltime_minutes.",
            code="no-workers",
        )


def _have_ended(jobs: Sequence[str]) -> bool:
    """Whether SLURM knows none of these jobs as waiting or running; not if it does not answer."""
    words = ["squeue", "--noheader", "--format=%i", f"--jobs={','.join(jobs)}"]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    forgotten = "Invalid job id" in told.stderr
    return forgotten or (told.returncode == 0 and not told.stdout.strip())


def slurm_options(profile: SlurmProfile) -> dict[str, Any]:
    """A profile as dask-jobqueue takes it.

    Workers stop by themselves before the walltime: a job that SLURM ends is blamed on the batch.

    >>> slurm_options(SlurmProfile(jobs=1, walltime_minutes=60))["worker_extra_args"][:4]
    ['--lifetime', '54m', '--lifetime-stagger', '3m']
    """
    minutes = profile.walltime_minutes
    spare = max(4, minutes // 10)
    given = {"python": profile.python} if profile.python else {}
    return {
        "queue": profile.queue,
        "account": profile.account,
        "cores": profile.workers,
        "processes": profile.workers,
        "memory": f"{profile.memory_gb * profile.workers:g}GB",
        "walltime": f"{minutes // 60:02d}:{minutes % 60:02d}:00",
        "interface": profile.interface,
        "job_extra_directives": list(profile.directives),
        "job_script_prologue": [
            *(f"export {k}={v}" for k, v in NO_PROFILE.items()),
            *profile.prologue,
        ],
        "worker_extra_args": [
            "--lifetime",
            f"{minutes - spare}m",
            "--lifetime-stagger",
            f"{spare // 2}m",
            "--no-dashboard",
            "--dashboard-address",
            OWN_PAGES,
        ],
        **given,
    }
