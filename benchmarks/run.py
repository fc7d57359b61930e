"""Time the main steps on this machine: CPU and wall seconds, median of several runs.

Compiled kernels are warmed first; how long compiling takes is a row of its own.

    python benchmarks/run.py            # everything
    python benchmarks/run.py extract    # rows whose name holds the word
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from centrum.agreement import icc, overlap
from centrum.evaluate import CutOff, evaluate
from centrum.features.settings import ExtractionSettings
from centrum.measure.extract import extract
from centrum.modelling.lasso import lasso_path
from centrum.modelling.pipeline import StudyClassifier
from centrum.simulate import PhantomSettings, draw_readers, plan_cohort, render, simulate_case

RUNS = 5


def timed(work: Callable[[], object], runs: int = RUNS) -> tuple[float, float]:
    """Median CPU (children included) and wall seconds after one run that does not count."""
    work()
    cpu, wall = [], []
    for _ in range(runs):
        before, start = cpu_seconds(), time.perf_counter()
        work()
        wall.append(time.perf_counter() - start)
        cpu.append(cpu_seconds() - before)
    return median(cpu), median(wall)


def cpu_seconds() -> float:
    """User and system time of this process and its children so far."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def python(code: str, **environment: str) -> Callable[[], object]:
    command = [sys.executable, "-c", code]
    return lambda: subprocess.run(
        command, check=True, capture_output=True, env=os.environ | environment
    )


def compiling() -> None:
    """Import and use the kernels with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        python(
            "import numpy as np\n"
            "from centrum.kernels.cooccurrence import count_pairs\n"
            "from centrum.modelling.lasso import lasso_path\n"
            "count_pairs(np.ones((2, 3, 4), np.int32), np.array([[0, 0, 1]]), 1, by_slice=False)\n"
            "x = np.random.default_rng(0).normal(size=(30, 4))\n"
            "lasso_path(x, (x[:, 0] > 0).astype(float))\n",
            NUMBA_CACHE_DIR=cache,
        )()


def rows() -> dict[str, Callable[[], object]]:
    settings = PhantomSettings()
    patient = next(p for p in plan_cohort(settings) if p.level.name == "L1")
    image, truth = render(patient, settings)
    readers = draw_readers(truth, np.random.default_rng(1))
    senior, resident = readers["senior"], readers["resident"]
    rng = np.random.default_rng(2)
    ratings = rng.normal(size=(100, 2000, 1)) + 0.4 * rng.normal(size=(100, 2000, 2))
    study = rng.normal(size=(70, 107, 1)) + 0.2 * rng.normal(size=(70, 107, 2))
    y = (study[:, 0, 0] + study[:, 1, 0] + rng.normal(size=70) > 0).astype(int)
    classifier = StudyClassifier()
    folder = Path(tempfile.mkdtemp())
    both = ("2.5D_merged", "3D_averaged")

    def extraction(**choices: object) -> Callable[[], object]:
        chosen = ExtractionSettings.model_validate(choices)
        return lambda: extract(image, senior, chosen)

    spacing = image.geometry.array_spacing
    return {
        "import centrum": python("import centrum"),
        "centrum --help": python("from centrum.cli import app; app(['--help'])"),
        "compile all kernels, empty cache": compiling,
        "simulate one case, write it": lambda: simulate_case(patient, settings, folder),
        f"extract, {senior.n_voxels} voxels: morphology": extraction(families=["morphology"]),
        "extract: statistics and histogram": extraction(families=["statistics", "histogram"]),
        "extract: co-occurrence, 2.5D and 3D": extraction(families=["glcm"], aggregations=both),
        "extract: all 81 features of vcf-t2w": extraction(),
        "overlap of two masks": lambda: overlap(senior.array, resident.array, spacing),
        "ICC, 100 cases x 2000 features": lambda: icc(ratings),
        "LASSO path, 70 x 107": lambda: lasso_path(study[:, :, 0], y.astype(float)),
        "study model, 70 x 107 x 2 readers": lambda: classifier.fit(study, y),
        "evaluation, 1000 resamples": lambda: evaluate(
            study[:, 0, 0], y, None, CutOff(0, "given", ""), name="bench", seed=1
        ),
    }


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    print(f"{'':44} {'CPU s':>9} {'wall s':>9}   median of {RUNS}")
    for name, work in rows().items():
        if wanted in name:
            cpu, wall = timed(work, runs=2 if "compile" in name else RUNS)
            print(f"{name:44} {cpu:9.4f} {wall:9.4f}", flush=True)


if __name__ == "__main__":
    main()
