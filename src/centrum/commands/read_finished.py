"""The verb `read` once cases are signed: close the room, compare readings, adjudicate."""

from collections.abc import Iterable
from pathlib import Path

from centrum.cohort.readings import CONSENSUS as CONSENSUS
from centrum.errors import DataError
from centrum.reading.adjudicate import Adjudicated, adjudicate
from centrum.reading.close import close_room as close_room
from centrum.reading.compare_page import write_comparison as write_comparison
from centrum.reading.lead import (
    compared_pair as compared_pair,
    compared_pairs as compared_pairs,
    compared_pixels as compared_pixels,
    decide_pair as decide_pair,
)


def adjudicate_cases(study: Path, decisions: Iterable[str], reason: str) -> Adjudicated:
    """Decide cases, each as CASE=READER; see `centrum.reading.adjudicate.adjudicate`.

    Raises
    ------
    DataError
        A decision is none ("bad-decision"), or as of `adjudicate`.
    """
    chosen = dict(map(_decision, decisions))
    return adjudicate(study, chosen, reason)


def _decision(text: str) -> tuple[str, str]:
    """Case and reader; a case may hold an equals sign, a reader cannot.

    >>> _decision("P001=reader1")
    ('P001', 'reader1')
    """
    case, _, reader = text.rpartition("=")
    if not case or not reader:
        raise DataError(
            f"A decision is CASE=READER, found {text!r}.",
            remedy="Write such as --adjudicate P001=reader1.",
            code="bad-decision",
        )
    return case.strip(), reader.strip()
