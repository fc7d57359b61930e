"""What a cluster costs beside the measuring: cases whose measuring is a sleep of 20 ms.

Everything else is real: a scheduler of dask.distributed, worker processes of one thread each,
shards of 1316 values a case, and the index. Times are of the wall; workers have started before.
The work is what the naps took by the workers' clocks, which on a busy machine is more than 20 ms;
the overhead is all else that workers' time went to.

    python benchmarks/scale.py             # 1e3, 1e4 and 1e5 cases; writes results/scale.json
    python benchmarks/scale.py --cases 1000 --workers 4 --dry
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from centrum.commands.cluster import dask_engine
from centrum.measure.batches import Batch, BatchWork, measure_batches
from centrum.measure.shards import INDEX, Shards
from centrum.provenance import digest

SLEEP = 0.02
FEATURES = 1316
RESULTS = Path(__file__).parent / "results" / "scale.json"


@dataclass(frozen=True)
class Nap:
    """A case that is measured by sleeping."""

    case: str

    def key(self) -> str:
        """As long as that of a case."""
        return digest(self.case)


def nap(job: Nap) -> dict[str, Any]:
    """A record of numbers that do not repeat, as large as a real one, and how long it took."""
    begin = time.perf_counter()
    time.sleep(SLEEP)
    values = np.random.default_rng(int(job.case)).normal(size=FEATURES).tolist()
    return {"values": {"reader": values}, "errors": [], "seconds": time.perf_counter() - begin}


def seconds_of(file: Path) -> float:
    """What the measuring of a shard's cases took by the clock of the worker."""
    more = pq.read_table(file, columns=["more"])["more"].to_pylist()
    return sum(json.loads(text)["seconds"] for text in more)


def start(folder: Path, workers: int) -> tuple[list[subprocess.Popen], str]:
    """A scheduler and its workers, and the address."""
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parent / "src")])
    told = folder / "scheduler.json"

    def dask(*words: str) -> subprocess.Popen:
        with (folder / f"{words[0]}.log").open("w") as log:
            return subprocess.Popen([sys.executable, "-m", "dask", *words], stdout=log, stderr=log,
                                    env=os.environ | {"PYTHONPATH": paths})  # fmt: skip

    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                     "--scheduler-file", str(told))  # fmt: skip
    while not told.is_file() or not told.stat().st_size:
        time.sleep(0.1)
    address = json.loads(told.read_text())["address"]
    worker = dask("worker", address, "--nthreads", "1", "--nworkers", str(workers),
                  "--no-dashboard", "--memory-limit", "0",
                  "--local-directory", str(folder))  # fmt: skip
    return [worker, scheduler], address


def measured(address: str, folder: Path, cases: int, workers: int) -> dict[str, float]:
    """Times of so many cases, and of asking for them again."""
    jobs = tuple(Nap(str(k)) for k in range(cases))
    batch, shards = Batch(jobs, tuple(job.key() for job in jobs)), Shards(folder)
    with dask_engine(address) as engine:
        engine.client.wait_for_workers(workers)
        # So that every worker has imported what it needs.
        engine.client.gather([
            engine.client.submit(nap, Nap("0"), workers=[each], pure=False)
            for each in engine.client.nthreads()
        ])  # fmt: skip
        begin = time.perf_counter()
        told: list[float] = []
        work = BatchWork(shards, make=nap)
        measure_batches(work, batch, engine, lambda _: told.append(time.perf_counter()))
        done = time.perf_counter()
    shards.compact()
    compacted = time.perf_counter()
    assert len(shards.measured(batch.keys)) == cases
    asked = time.perf_counter()
    files = list(folder.glob("??/*.parquet"))
    work_seconds = sum(map(seconds_of, files))
    return {
        "cases": cases,
        "seconds": done - begin,
        "first_batch_seconds": told[0] - begin,
        "work_seconds": work_seconds,
        "overhead": (done - begin) * workers / work_seconds - 1,
        "ms_per_case_and_worker": 1000 * (done - begin) * workers / cases,
        "index_seconds": compacted - done,
        "ask_seconds": asked - compacted,
        "shards": len(files),
        "bytes_per_case": sum(file.stat().st_size for file in files) / cases,
        "index_bytes_per_case": (folder / INDEX).stat().st_size / cases,
    }


def processor_ms(cases: int = 2000, size: int = 200) -> float:
    """Processor time that keeping a case takes beside measuring it, in batches, in this process."""

    def spent(batches: list[Batch], made: Callable[[Batch], object]) -> float:
        begin = time.process_time()
        for batch in batches:
            made(batch)
        return time.process_time() - begin

    jobs = [tuple(Nap(str(k + j)) for j in range(size)) for k in range(0, cases, size)]
    batches = [Batch(each, tuple(job.key() for job in each)) for each in jobs]
    with tempfile.TemporaryDirectory() as folder:
        kept = spent(batches, BatchWork(Shards(Path(folder)), make=nap))
    return 1000 * (kept - spent(batches, lambda batch: [nap(job) for job in batch.jobs])) / cases


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--dry", action="store_true")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        processes, address = start(Path(folder), given.workers)
        try:
            for cases in given.cases:
                rows.append(measured(address, Path(folder) / str(cases), cases, given.workers))
                print(json.dumps(rows[-1]), flush=True)
        finally:
            for process in processes:
                process.terminate()
                process.wait()
    if not given.dry:
        told = {
            "workers": given.workers,
            "processors": os.cpu_count(),
            "load": os.getloadavg()[0],
            "processor_ms_per_case": processor_ms(),
        }
        RESULTS.write_text(json.dumps({"machine": told, "runs": rows}, indent=1) + "\n")


if __name__ == "__main__":
    sys.modules.setdefault("scale", sys.modules["__main__"])
    Nap.__module__ = nap.__module__ = "scale"
    main()
