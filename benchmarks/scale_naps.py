"""Cases that are measured by sleeping: what the workers of `scale.py` import."""

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from centrum.provenance import digest

SLEEP = 0.02
FEATURES = 1316


@dataclass(frozen=True)
class Nap:
    """A case that is measured by sleeping."""

    case: str

    def key(self) -> str:
        """As long as that of a case."""
        return digest(self.case)


def nap(job: Nap) -> dict[str, Any]:
    """A record of numbers that do not repeat, as large as a real one, and who made it when."""
    begin, cpu = time.time(), time.thread_time()
    time.sleep(SLEEP)
    values = np.random.default_rng(int(job.case)).normal(size=FEATURES).tolist()
    clock = {"begin": begin, "end": time.time(), "cpu": time.thread_time() - cpu}
    return {"values": {"reader": values}, "errors": [], "process": os.getpid(), **clock}
