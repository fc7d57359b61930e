"""Seconds from typing `centrum score` to the page of one patient, as whole processes.

    make demo
    python benchmarks/scoring.py                    # of the demo's frozen model
    python benchmarks/scoring.py my-study           # of another study that has been run

The first process fills the cache of compiled kernels and does not count; the goal is 1.5 s.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from centrum.study.study import open_study

REPEATS = 9


def scored(study: Path, out: Path) -> float:
    """Wall seconds of one process."""
    job = open_study(study).jobs()[0]
    mask = next(iter(job.masks.values()))
    words = ("score", study / "results" / "model.json", "--image", job.image, "--mask", mask)
    start = time.perf_counter()
    subprocess.run(
        [Path(sys.executable).with_name("centrum"), *map(str, words), "--out", str(out)],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start


def main() -> None:
    """Print the fastest, the median and the slowest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="?", type=Path, default=Path("demo"))
    study = parser.parse_args().study
    with tempfile.TemporaryDirectory() as out:
        scored(study, Path(out))
        seconds = [scored(study, Path(out)) for _ in range(REPEATS)]
    print(f"{min(seconds):.2f} {statistics.median(seconds):.2f} {max(seconds):.2f} s "
          f"(fastest, median, slowest of {REPEATS})")  # fmt: skip


if __name__ == "__main__":
    main()
