"""Batches: every case once, kept as soon as its batch is done, whatever goes wrong with others."""

import heapq
import os
import signal
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings, strategies as st

from centrum.errors import DataError
from centrum.measure.batches import (
    MOST,
    ROUNDS,
    Batch,
    BatchDone,
    BatchWork,
    LocalEngine,
    batch_size,
    cut,
    measure_batches,
    tapered,
)
from centrum.measure.shards import Shards


@dataclass(frozen=True)
class Job:
    """Stands for a case; its name says what becomes of it."""

    case: str
    version: str = ""
    roles: ClassVar = {"Anna.nrrd": "[image]"}
    words: ClassVar = frozenset[str]()

    def key(self) -> str:
        return f"key of {self.case}{self.version}"


def make(job: Job) -> dict:
    if job.case.startswith("dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    if job.case.startswith("fails"):
        raise ValueError("at Anna.nrrd")
    return {"values": {"senior": [float(len(job.case))]}, "errors": []}


def failed(job: Job, error: Exception) -> dict:
    told = {"message": f"{type(error).__name__}: {error}", "file": "Anna.nrrd"}
    return {"values": {}, "errors": [told]}


def work(folder: Path, **changes: object) -> BatchWork:
    return BatchWork(Shards(folder), "choices", make, failed, **changes)


def batch(*cases: str) -> Batch:
    jobs = tuple(map(Job, cases))
    return Batch(jobs, tuple(job.key() for job in jobs))


def measured(folder: Path, workers: int, *cases: str) -> tuple[dict[str, dict], list[int]]:
    counts: list[int] = []
    bad = measure_batches(work(folder), batch(*cases), LocalEngine(workers), counts.append)
    return bad, counts


@pytest.mark.parametrize("workers", [1, 2])
def test_every_case_is_kept_and_counted(tmp_path: Path, workers: int) -> None:
    cases = [f"P{k:03d}" for k in range(30)]
    bad, counts = measured(tmp_path, workers, *cases)
    assert bad == {}
    assert counts[-1] == 30
    assert counts == sorted(counts)
    assert Shards(tmp_path).measured({f"key of {case}" for case in cases}) == {
        f"key of {case}" for case in cases
    }


def test_an_error_is_a_row_without_names_and_told_in_full(tmp_path: Path) -> None:
    bad, _ = measured(tmp_path, 1, "a", "fails", "b")
    assert bad["fails"]["errors"][0]["message"] == "ValueError: at Anna.nrrd"
    kept = Shards(tmp_path).records(["key of fails", "key of a"], failed=True)
    assert kept["key of fails"]["errors"][0] == {
        "message": "ValueError: at [image]", "file": "[image]",
    }  # fmt: skip
    assert Shards(tmp_path).measured(kept) == {"key of a"}


def test_who_ends_the_process_is_found_among_its_batch(tmp_path: Path) -> None:
    """The others of the batch are measured again, and each kept."""
    cases = ["dies first", *(f"P{k:02d}" for k in range(20)), "dies late"]
    bad, counts = measured(tmp_path, 2, *cases)
    assert bad.keys() == {"dies first", "dies late"}
    assert "ended by the signal SIGKILL" in bad["dies late"]["errors"][0]["message"]
    assert counts[-1] == len(cases)
    keys = {f"key of {case}" for case in cases}
    assert keys - Shards(tmp_path).measured(keys) == {"key of dies first", "key of dies late"}


def test_a_file_that_changes_meanwhile_is_an_error_of_its_case(tmp_path: Path) -> None:
    job = Job("a", " as it is now")
    done = work(tmp_path)(Batch((job,), ("key of a as it was",)))
    assert done.failed == 1
    assert "changed while it was read" in done.records["a"]["errors"][0]["message"]


def test_a_worker_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected centrum 0\.1; found centrum") as caught:
        work(tmp_path, software="centrum 0.1")(batch("a"))
    assert caught.value.code == "other-version"
    assert not list(tmp_path.iterdir())


def test_a_full_disk_stops_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("centrum.measure.shard_places.write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        measured(tmp_path, 1, "a", "b")


class Slow:
    """An engine that does nothing and tells how long the first case took."""

    def __init__(self, workers: int, seconds: float, takes: float) -> None:
        self.workers, self.seconds, self.takes = workers, seconds, takes
        self.sizes: list[int] = []

    def run(self, _: BatchWork, waiting: deque[Batch]) -> Iterator[tuple[Batch, BatchDone]]:
        while waiting:
            one = waiting.popleft()
            self.sizes.append(len(one.jobs))
            yield one, BatchDone("shard", len(one.jobs), seconds=self.takes)


@settings(max_examples=100)
@given(
    cases=st.integers(1, 3000), workers=st.integers(1, 40), takes=st.floats(0, 100),
    seconds=st.floats(1, 30),
)  # fmt: skip
def test_batches_are_of_a_fitting_size(
    cases: int, workers: int, takes: float, seconds: float
) -> None:
    engine = Slow(workers, seconds, takes)
    measure_batches(BatchWork(Shards(Path())), batch(*map(str, range(cases))), engine, int)
    assert sum(engine.sizes) == cases, "each case once"
    assert max(engine.sizes) <= MOST
    first = min(cases, 2 * workers)
    begun = [n for k, n in enumerate(engine.sizes) if sum(engine.sizes[:k]) < first]
    assert max(begun) <= 2
    later = engine.sizes[len(begun) :]
    if later and max(later) > 1:
        assert max(later) * takes <= seconds, "no more work than was asked for"
        assert len(later) >= min(cases - first, ROUNDS * workers) / 2, "enough for all workers"


@pytest.mark.parametrize("cases", [1_000, 10_000, 100_000])
def test_no_worker_waits_long_for_the_last_batch(cases: int) -> None:
    """Sixteen workers and cases of 20 ms: what they wait at the end, each taking the next batch."""
    engine, ends = LocalEngine(16, seconds=20), [0] * 16
    sizes = [len(each.jobs) for each in tapered(batch(*map(str, range(cases))), engine, 0.02)]
    assert sum(sizes) == cases
    for size in sizes:
        heapq.heapreplace(ends, ends[0] + size)
    assert max(ends) - min(ends) <= 10, "0.2 s"
    assert len(sizes) <= cases / MOST + 16 * 20, "and not for the price of many small ones"


def test_long_cases_are_alone_and_short_ones_together() -> None:
    engine = LocalEngine(4, seconds=10)
    assert batch_size(10_000, engine, 20.0) == 1
    assert batch_size(10_000, engine, 0.5) == 20
    assert batch_size(10_000, engine, 0.0) == MOST
    assert batch_size(32, engine, 0.0) == 2


@pytest.mark.parametrize(
    ("cases", "workers", "seconds", "size"),
    [
        (10_000, 2, 0.001, 200),  # no more than the most
        (1000, 1, 0.05, 100),  # five seconds of work
        (100, 2, 0.05, 13),  # a share of four for each of two
        (8, 2, 0.0, 1),
        (9, 2, 0.0, 2),
        (1000, 2, 5.0, 1),
        (1000, 2, 60.0, 1),  # never none
    ],
)
def test_a_batch_is_as_large_as_its_work_its_share_and_the_most(
    cases: int, workers: int, seconds: float, size: int
) -> None:
    assert batch_size(cases, LocalEngine(workers), seconds) == size


def test_batches_taper_to_a_least_amount_of_work() -> None:
    """All cases in their order; none smaller than 0.2 s of work, but for what is left over."""
    cases = Batch(tuple(range(90)), tuple(map(str, range(90))))
    made = [*tapered(cases, LocalEngine(2), 0.05)]
    assert [job for each in made for job in each.jobs] == list(range(90))
    assert [key for each in made for key in each.keys] == [str(k) for k in range(90)]
    sizes = [len(each.jobs) for each in made]
    assert sizes[0] == 12
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes[:-1]) == 4
    assert not [*tapered(cases[:0], LocalEngine(2), 0.05)]


def test_batches_are_cut_to_a_size_and_taken_apart() -> None:
    cases = Batch((1, 2, 3, 4, 5), ("a", "b", "c", "d", "e"))
    assert [each.jobs for each in cut(cases, 2)] == [(1, 2), (3, 4), (5,)]
    assert [each.jobs for each in cut(cases, 5)] == [cases.jobs]
    assert [(each.jobs, each.keys) for each in cases[3:].singly()] == [
        ((4,), ("d",)),
        ((5,), ("e",)),
    ]
