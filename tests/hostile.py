"""Measuring where chosen cases go wrong in ways that no file of ours provokes.

Worker processes import this module; its functions take the place of those that they call.
"""

import errno
import os
import signal
from collections.abc import Callable
from unittest.mock import patch

from centrum.frozen.score import Patient, Score
from centrum.measure import case as measuring, images
from centrum.measure.case import MeasurementJob, Record

NAME = "Anna Roth"
"""Text of a header, which no file that is written may hold."""


def text_in_a_header(*_: object) -> None:
    raise TypeError(f"could not convert {NAME} of /home/{NAME}/T2w.nrrd")


def deep_nesting(*_: object) -> None:
    raise RecursionError("maximum recursion depth exceeded")


def want_of_memory(*_: object) -> None:
    raise MemoryError


def a_disk_that_fails(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error", f"/home/{NAME}/T2w.nrrd")


def a_fault_of_a_library(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def killed_for_want_of_memory(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def a_library_that_exits(*_: object) -> None:
    os._exit(7)


FAULTS: dict[str, Callable[..., None]] = {
    "P001": text_in_a_header,
    "P004": deep_nesting,
    "P007": want_of_memory,
    "P010": a_disk_that_fails,
}
"""What goes wrong when the image of a case is read."""

ENDINGS: dict[str, Callable[..., None]] = {
    "P013": a_fault_of_a_library,
    "P016": killed_for_want_of_memory,
    "P018": a_library_that_exits,
}
"""How the process ends in which a case is read."""

CHECKS = ("inspect_image", "acquisition_facts", "region_facts", "about_filters", "overlap")
"""What decides no number of a case."""


def score(given: object, patient: Patient) -> tuple[Score, None]:
    """In the place of `centrum.commands.score._score`."""
    ENDINGS.get(patient.case, lambda: None)()
    return Score(patient.case, "scored", ()), None


def measure_anew(job: MeasurementJob) -> Record:
    """The record of a case of which reading the image can go wrong."""
    fault = {**FAULTS, **ENDINGS}.get(job.case)
    if fault is None:
        return measuring.measure_anew(job)
    with patch.object(images, "image_of", fault):
        return measuring.measure_anew(job)
