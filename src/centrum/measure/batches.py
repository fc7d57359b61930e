"""Cases measured in batches, each kept as one shard by whoever measured it.

What goes to a worker is a batch of jobs, what comes back is the name of a shard and counts: which
engine carries them, processes of this machine or a cluster, decides nothing.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from centrum.errors import CentrumError, DataError
from centrum.execution import map_jobs
from centrum.measure.case import (
    MeasurementJob,
    Record,
    errors_as_written,
    measure_anew,
    not_measured,
)
from centrum.measure.shards import Shards, own_software
from centrum.provenance import changed_meanwhile

Job = TypeVar("Job", bound=MeasurementJob)

MOST = 200
"""Cases of a batch at most."""

ROUNDS = 4
"""Batches for each worker at least, so that all end at about the same time."""

LEAST = 0.2
"""Seconds of work below which a batch is not made smaller so that all end at the same time."""

FIRST = 2
"""Cases of the batches by which the others are timed: the first one also loads the kernels."""


@dataclass(frozen=True)
class Batch(Generic[Job]):
    """Cases that are measured one after the other and kept together, and their keys."""

    jobs: tuple[Job, ...] = field(repr=False)  # a cluster writes it into its log
    keys: tuple[str, ...] = field(repr=False)

    def __getitem__(self, cases: slice) -> "Batch[Job]":
        """Those of the cases."""
        return Batch(self.jobs[cases], self.keys[cases])

    def singly(self) -> Iterator["Batch[Job]"]:
        """Each case as a batch of its own."""
        return (Batch((job,), (key,)) for job, key in zip(self.jobs, self.keys, strict=True))


@dataclass(frozen=True)
class BatchDone:
    """What is told of a batch: which shard holds it, how many cases, how many of them with errors.

    `seconds` is the time that its last case took. `records` are those with errors, in full, by
    case: they stay on the machine. A batch that ended its process has no shard.
    """

    shard: str
    cases: int
    failed: int = 0
    seconds: float = 0.0
    records: dict[str, Record] = field(default_factory=dict)


def _nothing() -> None:
    """Nothing is to be compiled."""


@dataclass(frozen=True)
class BatchWork(Generic[Job]):
    """How a batch is measured and kept.

    Attributes
    ----------
    shards : where to
    protocol : digest of the choices by which is measured
    make : the record of a case
    failed : the record of a case that ended in an error
    warm_up : compiles what measuring calls, once on every machine
    software : the versions of whoever asks; another worker is refused
    """

    shards: Shards
    protocol: str = ""
    make: Callable[[Job], Record] = measure_anew
    failed: Callable[[Job, Exception], Record] = not_measured
    warm_up: Callable[[], object] = _nothing
    software: str = field(default_factory=own_software)

    def __call__(self, batch: Batch[Job]) -> BatchDone:
        """Measure a batch and keep it.

        Raises
        ------
        DataError
            This worker has other versions than whoever asks; code "other-version".
        OSError, StorageError
            The disk is full, or shards cannot be kept in their place.
        StorageDown
            Images cannot be fetched any more, which is nobody's case.
        """
        refuse_other_software(self.software)
        records, seconds = [], 0.0
        for job, key in zip(batch.jobs, batch.keys, strict=True):
            begin = time.perf_counter()
            records.append(self._measured(job, key))
            seconds = time.perf_counter() - begin
        return replace(self.keep(batch, records), seconds=seconds)

    def keep(self, batch: Batch[Job], records: Sequence[Record]) -> BatchDone:
        """Write the records of a batch, those with errors as they may be written."""
        rows = list(zip(batch.jobs, batch.keys, records, strict=True))
        bad = {job.case: record for job, _, record in rows if record["errors"]}
        written = {k: errors_as_written(j, r) if r["errors"] else r for j, k, r in rows}
        name = self.shards.write(written, self.protocol)
        return BatchDone(name, len(batch.jobs), len(bad), records=bad)

    def ended(self, batch: Batch[Job], error: CentrumError) -> BatchDone:
        """Keep what is known of a batch that ended its process: the case, where it is one."""
        if len(batch.jobs) > 1:
            return BatchDone("", len(batch.jobs))
        return self.keep(batch, [self.failed(job, error) for job in batch.jobs])

    def _measured(self, job: Job, key: str) -> Record:
        """The record of a job that had this key, which is computed again when it is measured."""
        try:
            record = self.make(job)
            if not record["errors"] and job.key() != key:
                raise changed_meanwhile("A file of the case")
            return record
        except Exception as error:
            try:
                return self.failed(job, error)
            except Exception as stops:
                stops.add_note(f"while measuring case {job.case}")
                raise


def refuse_other_software(wanted: str) -> None:
    """Refuse to measure for others with other versions than theirs."""
    if wanted != (own := own_software()):
        raise DataError(
            f"A worker has other versions than the study that it measures for: expected {wanted}; "
            f"found {own}.",
            remedy="Install the same versions on every machine.",
            code="other-version",
        )


class Engine(Protocol):
    """What carries batches to workers and gives back what is told of each, as it is done."""

    @property
    def workers(self) -> int:
        """How many there are, at least one."""

    @property
    def seconds(self) -> float:
        """How much work a batch should be: what a killed worker loses at most."""

    def run(
        self, work: BatchWork[Job], waiting: deque[Batch[Job]]
    ) -> Iterator[tuple[Batch[Job], BatchDone]]:
        """Do all that waits, also what is added meanwhile.

        At most twice as many are on their way as there are workers.
        """


@dataclass(frozen=True)
class LocalEngine:
    """Processes of this machine, or this process alone where `workers` is 1."""

    workers: int
    seconds: float = 5.0

    def run(
        self, work: BatchWork[Job], waiting: deque[Batch[Job]]
    ) -> Iterator[tuple[Batch[Job], BatchDone]]:
        """As `map_jobs`; a batch that ends its process is told as such."""
        return map_jobs(work, waiting, self.workers, work.warm_up, ended=work.ended)


def measure_batches(
    work: BatchWork[Job], batch: Batch[Job], engine: Engine, progress: Callable[[int], object]
) -> dict[str, Record]:
    """Measure many cases as batches of a fitting size; full records of those with errors, by case.

    The first batches are small and timed. One that ended its process is done again case by case.
    `progress` is called with how many cases are done.
    """
    done, bad = 0, dict[str, Record]()
    begin = FIRST * engine.workers
    first, rest = batch[:begin], batch[begin:]
    waiting = deque(cut(first, -(-len(first.jobs) // engine.workers)))
    for each, told in engine.run(work, waiting):
        if rest.jobs:
            waiting.extend(tapered(rest, engine, told.seconds))
            rest = Batch((), ())
        if not told.shard:
            waiting.extend(each.singly())
            continue
        done += told.cases
        bad |= told.records
        progress(done)
    return bad


def batch_size(cases: int, engine: Engine, seconds: float) -> int:
    """Cases of a batch, where one takes so many seconds.

    >>> engine = LocalEngine(2)
    >>> [batch_size(cases, engine, 0.05) for cases in (1000, 100, 3)], batch_size(9, engine, 60)
    ([100, 13, 1], 1)
    """
    fitting = int(engine.seconds / max(seconds, 1e-9))
    share = -(-cases // (ROUNDS * engine.workers))
    return max(1, min(fitting, share, MOST))


def tapered(batch: Batch[Job], engine: Engine, seconds: float) -> Iterator[Batch[Job]]:
    """Batches that become smaller towards the end, so that no worker waits long for the last one.

    Each is a share of what is left, as `batch_size` has it. Source: guided self-scheduling of
    Polychronopoulos and Kuck, IEEE Trans Comput 1987;36:1425.

    >>> engine, cases = LocalEngine(2), Batch((None,) * 50, ("",) * 50)
    >>> [len(batch.jobs) for batch in tapered(cases, engine, 0.25)]
    [7, 6, 5, 4, 4, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    """
    cases, begin, among = len(batch.jobs), 0, ROUNDS * engine.workers
    largest = batch_size(cases, engine, seconds)
    smallest = min(largest, math.ceil(LEAST / max(seconds, 1e-9)))
    while begin < cases:
        size = min(largest, max(smallest, -(-(cases - begin) // among)))
        yield batch[begin : begin + size]
        begin += size


def cut(batch: Batch[Job], size: int) -> Iterator[Batch[Job]]:
    """Batches of at most so many cases."""
    for k in range(0, len(batch.jobs), size):
        yield batch[k : k + size]
