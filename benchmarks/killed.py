"""Many small cases measured over Dask while workers are killed, and once the scheduler.

The study is the tests' own (files of a few kilobytes, two readers, 18 features); `centrum extract
--dask` measures it, as a user has it, with two workers. Every ten seconds one of them is killed,
and the scheduler when half of the cases are kept; then everything is started again, and the same
command. Each worker writes down which case it begins, and when. Afterwards every case's mean is
compared with its image, and the record of some cases with one that is made here.

    PYTHONPATH=. python benchmarks/killed.py    # 20 000 cases; writes results/killed.json
    python benchmarks/killed.py --cases 300 --every 5 --dry
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from killed_worker import BEGUN
from tests.clusters import Cluster, a_cluster, end
from tests.smallest import image_study

from centrum.io import read_image, read_mask
from centrum.measure.batches import MOST
from centrum.measure.case import MeasurementJob, measure_anew
from centrum.study.measuring import shards_of
from centrum.study.study import Study, open_study

RESULTS = Path(__file__).parent / "results" / "killed.json"
PRELOAD = str(Path(__file__).with_name("killed_worker.py"))
WORKERS = 2
TRIES = 5


class Begin(NamedTuple):
    """A process begins a case."""

    process: int
    case: str


@dataclass
class Run:
    """A study that is measured, and what was killed meanwhile."""

    folder: Path
    every: float
    killed: list[int] = field(default_factory=list)
    lost_the_scheduler: list[int] = field(default_factory=list)
    rows: dict[Path, int] = field(default_factory=dict)

    @property
    def study(self) -> Path:
        return self.folder / "study"

    def measure(self, cases: int) -> Iterator[int]:
        """Run the command until it ends well, which must not take long; gives its exit codes."""
        for _ in range(TRIES):
            with a_cluster(self.folder / "cluster", 0) as cluster:
                code = self._command(cluster, cases)
            yield code
            if code == 0:
                return

    def _command(self, cluster: Cluster, cases: int) -> int:
        [scheduler] = cluster.processes
        workers = [cluster.work("--preload", PRELOAD) for _ in range(WORKERS)]
        words = ["extract", str(self.study), "--dask", cluster.address]
        script = "from centrum.cli import main; main()"
        with (self.folder / "command.log").open("a") as log:
            main = subprocess.Popen([sys.executable, "-c", script, *words], stdout=log, stderr=log)
        last = time.monotonic()
        while main.poll() is None:
            time.sleep(0.2)
            if not self.lost_the_scheduler and 2 * self.kept() >= cases:
                self.lost_the_scheduler = workers
                end(scheduler)
            elif not self.begun() or self.kept() >= cases:
                last = time.monotonic()
            elif time.monotonic() - last > self.every:
                last = time.monotonic()
                self.killed.append(workers.pop(0))
                end(self.killed[-1])
                workers.append(cluster.work("--preload", PRELOAD))
        return main.returncode

    def kept(self) -> int:
        """Cases in shards."""
        for path in (self.study / "results/shards").glob("??/[!.]*.parquet"):
            if path not in self.rows:
                with suppress(OSError):  # it was settled meanwhile
                    self.rows[path] = pq.read_metadata(path).num_rows
        return sum(self.rows.values())

    def begun(self) -> list[Begin]:
        """Which process began which case, in the order of time."""
        logs = Path(os.environ[BEGUN]).iterdir()
        lines = ((int(log.name), *line.split()) for log in logs for line in log.open())
        return [Begin(process, case) for _, process, case in sorted(
            (int(moment), process, case) for process, moment, case in lines
        )]  # fmt: skip


def lost_of(run: Run, begun: list[Begin]) -> dict[int, int]:
    """How many of the cases that a process began another one began after it: none of its own.

    Raises
    ------
    AssertionError
        A process that was not ended had measured for nothing, or one had more under way than a
        batch.
    """
    last = {each.case: k for k, each in enumerate(begun)}
    lost = dict.fromkeys((*run.killed, *run.lost_the_scheduler), 0)
    for k, each in enumerate(begun):
        if last[each.case] != k:
            assert each.process in lost, "a process that was not ended measured for nothing"
            lost[each.process] += 1
    assert all(number <= MOST for number in lost.values()), lost
    return lost


def check_means(study: Study, jobs: Sequence[MeasurementJob], records: dict[str, Any]) -> float:
    """The largest relative difference of a mean from its image's, by numpy alone."""
    place = [f.feature for f in study.features].index("mean")
    worst = 0.0
    for job in jobs:
        volume = read_image(job.image)
        for reader, source in job.masks.items():
            inside = read_mask(source, volume.geometry).array
            expected = volume.array[inside].mean(dtype=float)
            found = records[job.case]["values"][reader][place]
            worst = max(worst, abs(found / expected - 1))
    return worst


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--every", type=float, default=10, help="seconds between two kills")
    parser.add_argument("--sample", type=int, default=200, help="cases measured again here")
    parser.add_argument("--dry", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), given.every)
        os.environ[BEGUN] = str(run.folder / "begun")
        Path(os.environ[BEGUN]).mkdir()
        begin = time.perf_counter()
        image_study(run.study, given.cases)
        made = time.perf_counter()
        print(f"{given.cases} cases made in {made - begin:.0f} s", flush=True)
        codes = list(run.measure(given.cases))
        done = time.perf_counter()
        print(f"measured in {done - made:.0f} s, exit codes {codes}", flush=True)
        study = open_study(run.study)
        jobs = study.jobs()
        keys = {job.case: job.key() for job in jobs}
        kept = shards_of(study).records(keys.values())
        records = {case: kept[key] for case, key in keys.items()}
        begun = run.begun()
        assert {each.case for each in begun} == {*keys}
        lost = lost_of(run, begun)
        worst = check_means(study, jobs, records)
        assert worst < 1e-12, worst
        for job in random.Random(0).sample(jobs, min(given.sample, len(jobs))):
            assert json.loads(json.dumps(measure_anew(job))) == records[job.case], job.case
        index = pq.read_table(run.study / "results/shards/index.parquet")
        assert sorted(index["key"].to_pylist()) == sorted(keys.values()), "each case in one shard"
    found = {
        "cases": given.cases,
        "workers": WORKERS,
        "kills": len(run.killed),
        "scheduler_kills": int(bool(run.lost_the_scheduler)),
        "exit_codes": codes,
        "seconds": done - made,
        "seconds_between_kills": given.every,
        "begun": len(begun),
        "begun_again": len(begun) - given.cases,
        "under_way_at_kills": sorted(lost.values()),
        "largest_batch": MOST,
        "measured_again_and_equal": min(given.sample, len(jobs)),
        "means_checked": 2 * len(jobs),
        "largest_relative_difference_of_a_mean": worst,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(found, indent=1))
    if not given.dry:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
