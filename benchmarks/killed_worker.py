"""Has workers of dask write down which case they begin, and when: a preload of `killed.py`."""

import os
import time
from pathlib import Path
from typing import Any

from centrum.measure import case

BEGUN = "CENTRUM_BENCHMARK_BEGUN"
"""Variable of the environment that names the folder of what was begun."""


def dask_setup(_: object) -> None:
    """Have each case noted before it is measured; dask calls it as a worker starts."""
    measure, log = case.measure_anew, Path(os.environ[BEGUN], str(os.getpid()))

    def noted(job: case.MeasurementJob) -> dict[str, Any]:
        with log.open("a") as stream:
            stream.write(f"{time.time_ns()} {job.case}\n")
        return measure(job)

    case.measure_anew = noted
