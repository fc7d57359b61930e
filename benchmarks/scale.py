"""What a cluster costs beside the measuring: cases whose measuring is a sleep of 20 ms.

Everything else is real: a scheduler of dask.distributed, worker processes of one thread each,
shards of 1316 values a case, and the index. Times are of the wall; workers have started and
measured something before. The work is what the naps took by the workers' clocks, which on a busy
machine is more than 20 ms; the overhead is all else that workers' time went to, told by parts.
Processor time is that of scheduler, workers and this process, without the naps'.

    PYTHONPATH=. python benchmarks/scale.py     # 1e3 to 1e5 cases; writes results/scale.json
    python benchmarks/scale.py --cases 1000 --workers 4 --dry
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow.parquet as pq
from scale_naps import SLEEP, Nap, nap
from tests.clusters import Cluster, a_cluster

from centrum.commands.cluster import NO_PROFILE, DaskEngine, dask_engine
from centrum.measure.batches import Batch, BatchWork, measure_batches
from centrum.measure.shards import INDEX, Shards

RESULTS = Path(__file__).parent / "results" / "scale.json"


def naps_of(files: list[Path]) -> pd.DataFrame:
    """Who measured the cases of shards, and when, by the workers' clocks."""
    tables = [pq.read_table(file, columns=["more"])["more"].to_pylist() for file in files]
    return pd.DataFrame([
        {**json.loads(text), "file": file.name}
        for file, texts in zip(files, tables, strict=True)
        for text in texts
    ])  # fmt: skip


def spent(naps: pd.DataFrame, begin: float, end: float, workers: int) -> dict[str, float]:
    """Where workers' time went, in parts of the work: all of them are the overhead.

    Before the first case of a worker and after its last one, between cases of a batch, and between
    batches, where a shard is written and the next batch comes.
    """
    naps = naps.sort_values(["process", "begin"])
    by = naps.groupby("process")
    same = by["file"].shift() == naps["file"]
    pauses = naps["begin"] - by["end"].shift()  # none before the first
    work = (naps["end"] - naps["begin"]).sum()
    idle = (workers - by.ngroups) * (end - begin)
    return {
        "work_seconds": work,
        "overhead": (end - begin) * workers / work - 1,
        "before_first": ((by["begin"].min() - begin).sum() + idle) / work,
        "between_cases": pauses[same].sum() / work,
        "between_batches": pauses[~same].sum() / work,
        "after_last": (end - by["end"].max()).sum() / work,
    }


def processor_seconds(cluster: Cluster) -> float:
    """Of this process, the scheduler and the workers."""
    times = [psutil.Process(each).cpu_times() for each in (os.getpid(), *cluster.processes)]
    return sum(each.user + each.system for each in times)


def measure(engine: DaskEngine, shards: Shards, names: range) -> Batch:
    """Have so many cases measured."""
    jobs = tuple(Nap(str(k)) for k in names)
    batch = Batch(jobs, tuple(job.key() for job in jobs))
    measure_batches(BatchWork(shards, make=nap), batch, engine, int)
    return batch


def measured(
    cluster: Cluster, engine: DaskEngine, folder: Path, cases: int, workers: int
) -> dict[str, float]:
    """Times of so many cases, and of asking for them again."""
    shards = Shards(folder)
    cpu, begin, clock = processor_seconds(cluster), time.perf_counter(), time.time()
    batch = measure(engine, shards, range(cases))
    done, ended = time.perf_counter(), time.time()
    cpu = processor_seconds(cluster) - cpu
    shards.compact()
    compacted = time.perf_counter()
    assert len(shards.measured(batch.keys)) == cases
    asked = time.perf_counter()
    files = list(folder.glob("??/*.parquet"))
    naps = naps_of(files)
    assert len(naps) == cases, "each case once"
    return {
        "cases": cases,
        "seconds": done - begin,
        **spent(naps, clock, ended, workers),
        "ms_per_case_and_worker": 1000 * (done - begin) * workers / cases,
        "processor_ms_per_case": 1000 * (cpu - naps["cpu"].sum()) / cases,
        "index_seconds": compacted - done,
        "ask_seconds": asked - compacted,
        "shards": len(files),
        "bytes_per_case": sum(file.stat().st_size for file in files) / cases,
        "index_bytes_per_case": (folder / INDEX).stat().st_size / cases,
        "load": os.getloadavg()[0],
    }


def kept_ms(cases: int = 4000, size: int = 200) -> dict[str, float]:
    """Processor time per case, in this process alone, of what is done beside measuring."""
    jobs = [tuple(Nap(str(k + j)) for j in range(size)) for k in range(0, cases, size)]
    batches = [Batch(each, tuple(job.key() for job in each)) for each in jobs]
    keys, found = [key for batch in batches for key in batch.keys], dict[str, float]()
    made = [(batch, [nap(job) for job in batch.jobs]) for batch in batches]

    def timed(what: str, work: Callable[[], Any]) -> Any:
        begin = time.process_time()
        result = work()
        found[what] = 1000 * (time.process_time() - begin) / cases
        return result

    with tempfile.TemporaryDirectory() as folder:
        shards = Shards(Path(folder))
        keep = BatchWork(shards, make=nap).keep
        timed("write", lambda: [keep(*each) for each in made])
        timed("compact", shards.compact)
        timed("ask", lambda: shards.measured(keys))
        records = timed("read", lambda: shards.records(keys, failed=True))
        timed("settle", lambda: shards.settle(records))
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    some = [1_000, 3_000, 10_000, 30_000, 100_000]
    parser.add_argument("--cases", type=int, nargs="*", default=some)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--dry", action="store_true")
    given = parser.parse_args()
    os.environ |= NO_PROFILE
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        a_cluster(Path(folder, "cluster"), given.workers) as cluster,
        dask_engine(cluster.address) as engine,
    ):
        engine.client.wait_for_workers(given.workers)
        measure(engine, Shards(Path(folder, "before")), range(8 * given.workers))
        for cases in given.cases:
            own = Path(folder, str(cases))
            rows.append(measured(cluster, engine, own, cases, given.workers))
            print(json.dumps(rows[-1]), flush=True)
            shutil.rmtree(own)
    if not given.dry:
        told = {"workers": given.workers, "processors": os.cpu_count(), "sleep_seconds": SLEEP}
        found = {"machine": told, "processor_ms": kept_ms(), "runs": rows}
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
