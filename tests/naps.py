"""Cases whose measuring is a sleep: what workers of a test import beside what they measure with."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from centrum.measure.batches import Batch


@dataclass(frozen=True)
class Nap:
    """A case whose measuring is a sleep; where it was measured stands in a file."""

    case: str
    folder: Path
    seconds: float = 0.05
    roles: ClassVar = dict[str, str]()
    words: ClassVar = frozenset[str]()

    def key(self) -> str:
        return f"key of {self.case}"


def nap(job: Nap) -> dict:
    with (job.folder / f"by-{os.getpid()}").open("a") as stream:
        stream.write(f"{job.case}\n")
    time.sleep(job.seconds)
    return {"values": {"senior": [1.0]}, "errors": []}


def no_nap(job: Nap, error: Exception) -> dict:
    return {"values": {}, "errors": [{"message": str(error)}]}


def fails(job: Nap) -> dict:
    raise ValueError(job.case)


def naps(folder: Path, n: int, **how: float) -> Batch:
    jobs = tuple(Nap(f"P{k:03d}", folder, **how) for k in range(n))
    return Batch(jobs, tuple(job.key() for job in jobs))


def taken(folder: Path) -> list[str]:
    """Cases in the order in which each process began them."""
    return [case for file in folder.glob("by-*") for case in file.read_text().split()]
