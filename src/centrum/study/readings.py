"""How the regions of a study were drawn, where that was in its own reading room.

The manifest of a closed room names masks in `readings/`; beside each lies what is known of its
outlines: how every slice came about, active time, quality.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np

from centrum.cohort.readings import (
    CONSENSUS,
    FLAGS,
    SLICES_MADE,
    ClosedRoom,
    QualityFlag,
    ReadingPair,
    ReadingRecord,
    SliceProvenance,
    SlicesMade,
    counted_provenance,
    places_of,
    read_closed,
    read_signed,
)
from centrum.errors import DataError
from centrum.provenance import digest
from centrum.study.study import Study
from centrum.text import OneLine


@dataclass(frozen=True)
class CaseReading:
    """What one reader did in one case.

    Attributes
    ----------
    case : its id
    reader : name of the column in the manifest
    token : of the reading
    record : what was signed
    """

    case: str
    reader: str
    token: str
    record: ReadingRecord


@dataclass(frozen=True)
class ReaderSummary:
    """All readings of one reader.

    Attributes
    ----------
    reader : name of the column in the manifest
    cases : that were read
    slices : number of slices by provenance
    minutes : of active time per case: median, least and most
    flags : number of cases by flag
    """

    reader: str
    cases: int
    slices: Mapping[SliceProvenance, int]
    minutes: tuple[float, float, float]
    flags: Mapping[QualityFlag, int]

    @property
    def outlined(self) -> int:
        """Slices with an outline."""
        return sum(n for name, n in self.slices.items() if name != "nobody")


@dataclass(frozen=True)
class MadeSummary:
    """Agreement of two readings on slices whose outlines came about alike.

    Attributes
    ----------
    reader_a, reader_b : names of the columns in the manifest
    intra : whether one reader read twice
    made : how the outlines came about
    cases, slices : how many there are
    dice, lowest : median and lowest Dice coefficient of the slices
    """

    reader_a: str
    reader_b: str
    intra: bool
    made: SlicesMade
    cases: int
    slices: int
    dice: float
    lowest: float


@dataclass(frozen=True, eq=False, repr=False)
class StudyReadings(OneLine):
    """The readings of the eligible cases of a study.

    Attributes
    ----------
    closed : choices of the room, and agreement, as closing left them
    readings : in the order of the manifest
    pairs : case and its two readings
    """

    closed: ClosedRoom
    readings: tuple[CaseReading, ...]
    pairs: tuple[tuple[str, ReadingPair], ...]

    @property
    def readers(self) -> tuple[str, ...]:
        """Names of the columns of those who read, without the consensus."""
        return tuple(name for name in self._columns if name != CONSENSUS)

    @property
    def _columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(reading.reader for reading in self.readings))

    def by_reader(self) -> tuple[ReaderSummary, ...]:
        """A summary of each reader, without the consensus."""
        return tuple(map(self._summary, self.readers))

    def _summary(self, reader: str) -> ReaderSummary:
        records = [reading.record for reading in self.readings if reading.reader == reader]
        minutes = np.array([record.seconds for record in records]) / 60
        flags = Counter(flag for record in records for flag in record.quality)
        return ReaderSummary(
            reader=reader,
            cases=len(records),
            slices=counted_provenance(records),
            minutes=(float(np.median(minutes)), float(minutes.min()), float(minutes.max())),
            flags={flag: flags[flag] for flag in FLAGS},
        )

    def by_made(self) -> tuple[MadeSummary, ...]:
        """Agreement by how the outlines came about, of every two readings."""
        by_names = attrgetter("reader_a", "reader_b", "intra")
        pairs = sorted((pair for _, pair in self.pairs), key=by_names)
        return tuple(
            found
            for names, own in groupby(pairs, by_names)
            for found in _made_summaries(names, list(own))
        )

    def other_levels(self) -> tuple[str, ...]:
        """Cases in which the marks of the level lie half a body apart or more."""
        return tuple(dict.fromkeys(case for case, pair in self.pairs if pair.other_level))

    def consensus(self) -> dict[str, str]:
        """By case, the reader whose outline the consensus is, or what it is made of.

        "" is an outline that was drawn anew; a case without a consensus is not there.
        """
        return {r.case: r.record.taken_from for r in self.readings if r.reader == CONSENSUS}

    def taken_from(self) -> dict[str, int]:
        """Of the consensus, whose outline it is in how many cases; empty without one."""
        return dict(sorted(Counter(self.consensus().values()).items()))


def _made_summaries(
    names: tuple[str, str, bool], pairs: list[ReadingPair]
) -> Iterator[MadeSummary]:
    for made in SLICES_MADE:
        dice = [[s.dice for s in pair.slices if s.made == made] for pair in pairs]
        every = [value for own in dice for value in own]
        if every:
            yield MadeSummary(
                *names, made, sum(map(bool, dice)), len(every), float(np.median(every)), min(every)
            )


def readings_of(study: Study) -> StudyReadings | None:
    """The readings behind the masks of a study; None where its masks come from elsewhere.

    Raises
    ------
    DataError
        A case was opened or signed again after the room had been closed; code "closed-before".
    """
    closed = read_closed(study.folder)
    readings = tuple(_readings(study, closed)) if closed else ()
    if not closed or not readings:
        return None
    cases = {reading.token: reading.case for reading in readings}
    pairs = tuple(
        (cases[pair.token_a], pair)
        for pair in closed.pairs
        if {pair.token_a, pair.token_b} <= {*cases}
    )
    return StudyReadings(closed, readings, pairs)


def _readings(study: Study, closed: ClosedRoom) -> Iterator[CaseReading]:
    signed: dict[tuple[str, str], dict[str, ReadingRecord]] = {}
    for case in study.cohort.cases:
        for reader, place in places_of(case.masks).items():
            at = place.reader, place.session
            known = signed.setdefault(at, {}) or read_signed(study.folder, *at)
            signed[at] = known
            record = known.get(place.token)
            if record is None or closed.digests.get(place.source) != record.digest:
                raise DataError(
                    f"Case {case.id}: {reader} opened or signed it again after the room had been "
                    "closed.",
                    remedy="Run `centrum read --close` again.",
                    code="closed-before",
                )
            yield CaseReading(case.id, reader, place.token, record)


def readings_digest(study: Study) -> str:
    """Of all that `readings_of` reads; "" where masks come from elsewhere."""
    found = readings_of(study)
    if found is None:
        return ""
    records = [(r.case, r.reader, r.record.model_dump(mode="json")) for r in found.readings]
    return digest([found.closed.model_dump(mode="json"), records])
