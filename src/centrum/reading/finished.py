"""Readings that are signed, by case: what closing, comparing and adjudicating go by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np

from centrum.arrays import Flags
from centrum.cohort.case import Case, Cohort, Identity
from centrum.cohort.pseudonyms import KEY, pseudonymised, write_key
from centrum.cohort.readings import (
    CONSENSUS,
    READINGS,
    ReadingPair,
    ReadingPlace,
    ReadingRecord,
    SlicePair,
    read_signed,
    signed_path,
)
from centrum.errors import CentrumError, DataError
from centrum.geometry import reading_order
from centrum.io.open import read_masks
from centrum.protocol import read_protocol
from centrum.reading.journal import JOURNAL
from centrum.reading.room import ROOM, Room, RoomSettings, open_room
from centrum.reading.ticket import TicketBook
from centrum.study.study import PROTOCOL
from centrum.volume import bounding_box, content_digest, turned


@dataclass(frozen=True, eq=False)
class SignedCase:
    """A case that a reader has signed.

    Attributes
    ----------
    case : without outcome
    place : where it lies
    column : what the manifest calls the reader: of a second session "reader1-second"
    record : what is known of it
    """

    case: Case
    place: ReadingPlace
    column: str
    record: ReadingRecord

    @property
    def outlined(self) -> bool:
        """Whether there is a mask; a case that is not measurable may have none."""
        return bool(self.record.digest)


@dataclass(frozen=True, eq=False)
class FinishedRoom:
    """All that was signed in a room.

    Attributes
    ----------
    room : the choices, and the cases
    columns : readers and sessions that have begun, by their names in the manifest, in order
    signed : by case, in the order of the manifest, and within it of the columns
    unsigned : ids of the cases that are not, by column; a consensus is never incomplete
    identities : whose the codes are that are shown in the place of ids
    """

    room: Room
    columns: tuple[str, ...]
    signed: Mapping[str, tuple[SignedCase, ...]]
    unsigned: Mapping[str, tuple[str, ...]]
    identities: tuple[Identity, ...] = field(default=(), repr=False)

    def name(self, case: str) -> str:
        """What is shown in the place of a case's id."""
        return self._codes.get(case, case)

    @cached_property
    def _codes(self) -> dict[str, str]:
        return {each.name: each.pseudonym for each in self.identities if each.what == "case"}

    def keep_key(self) -> None:
        """Write whose the codes are, beside the manifest; nothing where ids are codes."""
        write_key(self.identities, self.room.study / KEY)

    def pairs(self) -> Iterator[tuple[SignedCase, SignedCase]]:
        """Two readings of a case by two readers, or by one reader twice; no consensus."""
        for own in self.signed.values():
            for a, b in combinations(own, 2):
                if CONSENSUS not in (a.column, b.column) and _comparable(a.place, b.place):
                    yield a, b


def _comparable(a: ReadingPlace, b: ReadingPlace) -> bool:
    """Two readers in one session, or one reader in two."""
    return (a.session == b.session) != (a.reader == b.reader)


def finished_room(study: Path | str) -> FinishedRoom:
    """What was signed in the room of a study.

    A later session counts once a case was opened in it.

    Raises
    ------
    CentrumError
        There is no room ("no-room"), or its files cannot be read.
    """
    study = Path(study)
    if not (study / READINGS / ROOM).exists():
        raise DataError(
            f"{study.name or study} has no reading room.",
            remedy="`centrum read STUDY` opens one.",
            code="no-room",
        )
    room = open_room(study)
    book, places = TicketBook(room), list(_places(room))
    columns = {place: column_name(*place, room.settings) for place in places}
    records = {place: read_signed(study, *place) for place in places}
    signed: dict[str, list[SignedCase]] = {case: [] for case in room.cases}
    unsigned = {}
    for (reader, session), column in columns.items():
        tickets = {t.case: t.token for t in book.of(reader, session) if t.case in room.cases}
        known = records[reader, session]
        for case, own in signed.items():
            token = tickets.get(case, "")
            if token in known:
                place = ReadingPlace(reader=reader, session=session, token=token)
                own.append(SignedCase(room.cases[case], place, column, known[token]))
        left = [case for case in signed if tickets.get(case, "") not in known]
        unsigned[column] = () if column == CONSENSUS else tuple(left)
    rows = {case: tuple(own) for case, own in signed.items()}
    return FinishedRoom(room, tuple(columns.values()), rows, unsigned, _identities(room))


def _identities(room: Room) -> tuple[Identity, ...]:
    """Codes for ids that are names, the same as in all that the study writes."""
    if read_protocol(room.study / PROTOCOL).keep_names:
        return ()
    return pseudonymised(Cohort(tuple(room.cases.values())), room.study / KEY).identities


def column_name(reader: str, session: str, settings: RoomSettings) -> str:
    """What the manifest calls a reader in a session.

    >>> settings = RoomSettings(sessions=("first", "second"))
    >>> [column_name("reader1", session, settings) for session in settings.sessions]
    ['reader1', 'reader1-second']
    """
    return reader if session == settings.sessions[0] else f"{reader}-{session}"


def _places(room: Room) -> Iterator[tuple[str, str]]:
    """Reader and session of the first session, of those that have begun, and of the consensus."""
    first, *later = room.settings.sessions
    begun = [s for s in later if any(_has_begun(room, r, s) for r in room.settings.readers)]
    for session in (first, *begun):
        yield from ((reader, session) for reader in room.settings.readers)
    if signed_path(room.study, CONSENSUS, first).exists():
        yield CONSENSUS, first


def _has_begun(room: Room, reader: str, session: str) -> bool:
    journal = room.session_folder(reader, session) / JOURNAL
    return journal.is_file() and journal.stat().st_size > 0


# Masks


@dataclass(frozen=True, eq=False)
class DrawnSlices:
    """A signed mask as it was drawn.

    Attributes
    ----------
    array : [slice, row, column]
    spacing : mm between slices, rows and columns
    """

    array: Flags
    spacing: tuple[float, float, float]


def drawn_slices(study: Path, signed: SignedCase) -> DrawnSlices | None:
    """The outlines of a signed case; None where there is none.

    Raises
    ------
    CentrumError
        The mask cannot be read, or is not the one that was signed (code "mask-changed").
    """
    if not signed.outlined:
        return None
    try:
        return _drawn_slices(study, signed)
    except CentrumError as error:
        error.add_note(f"row {signed.case.row} of the manifest, {signed.column}")
        raise


def _drawn_slices(study: Path, signed: SignedCase) -> DrawnSlices:
    (mask, *_) = read_masks(study / signed.place.source)
    if content_digest(mask) != signed.record.digest:
        raise DataError(
            "The mask is not the one that was signed.",
            remedy="Put it back from a backup of `readings`, or reopen the case and sign it again.",
            code="mask-changed",
        )
    upright = turned(mask, reading_order(mask.geometry))
    return DrawnSlices(upright.array, upright.geometry.array_spacing)


def pair_of(study: Path, a: SignedCase, b: SignedCase) -> ReadingPair:
    """How two readings of a case agree, slice by slice, and where they placed the level."""
    drawn = [found for each in (a, b) if (found := drawn_slices(study, each))]
    slices = slice_pairs(a, b, *drawn) if len(drawn) == 2 else ()
    return ReadingPair(
        reader_a=a.column,
        reader_b=b.column,
        token_a=a.place.token,
        token_b=b.place.token,
        intra=a.place.reader == b.place.reader,
        slices=tuple(slices),
        level_mm=_apart(a.record, b.record, drawn[0].spacing[1]) if drawn else None,
        height_mm=min(map(_height, drawn), default=None),
    )


def slice_pairs(
    a: SignedCase, b: SignedCase, drawn_a: DrawnSlices, drawn_b: DrawnSlices
) -> Iterator[SlicePair]:
    """The slices on which at least one has an outline."""
    for k, (plane_a, plane_b) in enumerate(zip(drawn_a.array, drawn_b.array, strict=True)):
        if plane_a.any() or plane_b.any():
            yield SlicePair(
                slice=k,
                a=a.record.provenance[k],
                b=b.record.provenance[k],
                pixels_a=int(np.count_nonzero(plane_a)),
                pixels_b=int(np.count_nonzero(plane_b)),
                common=int(np.count_nonzero(plane_a & plane_b)),
            )


def _apart(a: ReadingRecord, b: ReadingRecord, row_mm: float) -> float | None:
    """Distance of the marks of the level along the rows, mm; depth tells no level."""
    if a.level is None or b.level is None:
        return None
    return abs(a.level.y - b.level.y) * row_mm


def _height(drawn: DrawnSlices) -> float:
    _, rows, _ = bounding_box(drawn.array)
    return (rows.stop - rows.start) * drawn.spacing[1]
