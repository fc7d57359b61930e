"""Readings of a study as they are reported, made without a room."""

from collections.abc import Iterable

from centrum.cohort.readings import (
    CONSENSUS,
    ClosedRoom,
    ReadingPair,
    ReadingRecord,
    SlicePair,
    SliceProvenance,
)
from centrum.study.readings import CaseReading, StudyReadings

OUTLINED: tuple[SliceProvenance | None, ...] = (
    "nobody", "drawn", "filled", "filled_corrected", "drawn", None,
)  # fmt: skip


def record(seconds: float = 120, **known) -> ReadingRecord:
    return ReadingRecord(**{"digest": "ab", "seconds": seconds, "provenance": OUTLINED, **known})


def pair(case: str, *dice: tuple[SliceProvenance, SliceProvenance, int], **known) -> ReadingPair:
    """Slices of 100 pixels each by provenances and common pixels, of which 0 is one outline."""
    slices = tuple(
        SlicePair(slice=k, a=a, b=b, pixels_a=100, pixels_b=100 if n else 0, common=n)
        for k, (a, b, n) in enumerate(dice)
    )
    names = {"reader_a": "senior", "reader_b": "resident"}
    tokens = {"token_a": f"{case}-senior", "token_b": f"{case}-resident"}
    return ReadingPair(**{**names, **tokens, "slices": slices, **known})


def room_of(
    cases: Iterable[str],
    *,
    consensus: dict[str, str] | None = None,
    pairs: tuple[tuple[str, ReadingPair], ...] = (),
    **closed,
) -> StudyReadings:
    """Readings of two readers, the first of which took 2, 3, 4 ... minutes, the other one."""
    cases, decided = list(cases), consensus or {}
    readings = [
        CaseReading(case, reader, f"{case}-{reader}", record(60 * (k + 2 if first else 1)))
        for k, case in enumerate(cases)
        for reader, first in (("senior", True), ("resident", False))
    ]
    readings += [
        CaseReading(case, CONSENSUS, f"{case}-c", record(5, taken_from=name))
        for case, name in decided.items()
    ]
    choices = {"convention": "marrow_edge", "order_seed": 7, **closed}
    return StudyReadings(ClosedRoom(**choices), tuple(readings), pairs)
