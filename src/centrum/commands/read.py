"""The verb `read`: the room is opened, and its lead sees how far everybody is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from centrum.cohort.case import Cohort
from centrum.cohort.pseudonyms import KEY, pseudonymised, write_key
from centrum.cohort.readings import CONSENSUS, READINGS, QualityFlag as QualityFlag
from centrum.errors import DataError
from centrum.execution import Progress, silent
from centrum.reading.burned_in import find_burned_in
from centrum.reading.desk import Desk as Desk
from centrum.reading.forms import (
    LONGEST_COMMENT as LONGEST_COMMENT,
    LONGEST_SECONDS as LONGEST_SECONDS,
)
from centrum.reading.journal import JOURNAL, Line, read_journal
from centrum.reading.looked_at import confirm_images, looked_at, note_looked_at
from centrum.reading.pins import Pins as Pins
from centrum.reading.refusals import (
    DigestDiffers as DigestDiffers,
    SlicesUnread as SlicesUnread,
    StaleRevision as StaleRevision,
    TooManyAttempts as TooManyAttempts,
    UnknownTicket as UnknownTicket,
)
from centrum.reading.room import (
    LEAD as LEAD,
    ROOM,
    Room,
    RoomSettings,
    open_room,
    read_settings,
    write_settings,
)
from centrum.reading.strokes import MOST_POINTS as MOST_POINTS, Tool as Tool
from centrum.reading.suggestion import MOST_CLICKS as MOST_CLICKS
from centrum.reading.ticket import Ticket, TicketBook
from centrum.reading.training import phantom_names
from centrum.text import counted, listed

FOLDER_ONLY = 0o700


EXTRA = ("fastapi", "uvicorn", "cryptography")
"""Packages of the extra `read`."""


@dataclass(frozen=True)
class RoomChoices:
    """How a room is opened.

    Attributes
    ----------
    reader : whose link alone is told
    readers : who reads, at the first time
    port : of this machine, the usual one when missing
    open : whether a browser is started
    host, network, certificate, key : as of `centrum.web.serve.Network`
    """

    reader: str | None = None
    readers: tuple[str, ...] = ()
    port: int | None = None
    open: bool = False
    host: str = "127.0.0.1"
    network: bool = False
    certificate: Path | None = None
    key: Path | None = None


def refuse_without_extra() -> None:
    """Say what to install.

    Raises
    ------
    DataError
        A package of the extra is missing ("missing-extra").
    """
    if missing := [name for name in EXTRA if find_spec(name) is None]:
        raise DataError(
            f"The reading room needs what is not installed: {listed(missing)}.",
            remedy="Install it: pip install 'centrum[read]'.",
            code="missing-extra",
        )


def begun_desk(
    study: Path, readers: Sequence[str] = (), progress: Progress = silent, *, looked: bool = False
) -> tuple[Desk, tuple[str, ...]]:
    """The desk of a study, whose room is made where it is missing; and what is to be told.

    Images that were not looked at before are looked at for letters that may be burned in, unless
    that was done elsewhere (`looked`).

    Raises
    ------
    DataError
        Letters are feared in images that nobody has confirmed ("letters-feared").
    CentrumError
        As of `begin_room` and `Desk`.
    """
    told = begin_room(study, readers)
    if not looked:
        told = (*told, *refuse_letters(open_room(study), progress))
    desk = Desk(study)
    return desk, (*told, *desk.notes)


def refuse_letters(room: Room, progress: Progress = silent) -> tuple[str, ...]:
    """Look at images that are new for letters; what is to be told of them.

    Raises
    ------
    DataError
        There may be letters in images that the study's lead has not confirmed ("letters-feared").
    """
    codes, known = _codes(room.study, room), looked_at(room)
    new = [case for case, code in codes.items() if code not in known.looked]
    found = {codes[case]: why for case, why in find_burned_in(room, new, progress)}
    if found:
        note_looked_at(room, found)
    feared = looked_at(room).feared
    said = {"stated": "header", "corner": "corner"}
    if named := [f"{c} ({said[feared[c]]})" for c in codes.values() if c in feared]:
        raise DataError(
            f"Letters may be burned into the images of {listed(named)}.",
            remedy="Look at them. Take images with names out of the manifest, or mend them; if "
            "readers may see them: centrum read STUDY --confirm-images YOUR-NAME, which is kept.",
            code="letters-feared",
        )
    told = "No letters were found in the corners of the images; look at some of them yourself."
    return (told,) if found else ()


def confirmed_line(study: Path, name: str) -> str:
    """Keep who has looked at the images in which letters are feared; what is to be told.

    Raises
    ------
    DataError
        As of `confirm_images`.
    """
    cases = confirm_images(existing_room(study), name)
    return f"Kept in {READINGS}/{LEAD}: {name} has looked at the images of {listed(cases)}."


def begin_room(study: Path, readers: Sequence[str] = ()) -> tuple[str, ...]:
    """Make `readings/room.yaml` where it is missing; what is to be told.

    Raises
    ------
    DataError
        Readers are named although the room is there ("room-exists"), or one has a name that is
        none ("bad-room").
    """
    path = study / READINGS / ROOM
    if path.exists():
        if readers and tuple(readers) != read_settings(study).readers:
            raise DataError(
                f"{READINGS}/{ROOM} names the readers already.",
                remedy="Add further ones there; readers who have begun stay.",
                code="room-exists",
            )
        return ()
    settings = _chosen(readers)
    path.parent.mkdir(mode=FOLDER_ONLY, parents=True, exist_ok=True)
    write_settings(study, settings)
    return (
        f"Made {READINGS}/{ROOM}: readers {listed(settings.readers)}, and the usual choices. "
        "Look at it before the first stroke, which freezes it.",
    )


def _chosen(readers: Sequence[str]) -> RoomSettings:
    from pydantic import ValidationError

    try:
        return RoomSettings(readers=tuple(readers)) if readers else RoomSettings()
    except ValidationError as error:
        said = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise DataError(f"--readers: {said}.", remedy="Choose others.", code="bad-room") from None


def set_pin(study: Path, name: str, pin: str) -> None:
    """Give a reader, or the lead, a PIN.

    Raises
    ------
    DataError
        There is nobody of that name ("no-reader"), or the PIN is too short ("bad-pin").
    """
    names = (*read_settings(study).readers, LEAD)
    if name not in names:
        raise DataError(
            f"There is no reader {name}; there are {listed(names)}.",
            remedy="Name one of them.",
            code="no-reader",
        )
    Pins(study).set(name, pin)


# How far everybody is


@dataclass(frozen=True)
class SessionProgress:
    """How far a reader is in a session.

    Attributes
    ----------
    new, begun, signed : cases
    minutes : active time of each signed case
    """

    reader: str
    session: str
    new: int
    begun: int
    signed: int
    minutes: tuple[float, ...]

    @property
    def minutes_per_case(self) -> float | None:
        """The median of signed cases; None while there is none."""
        return median(self.minutes) if self.minutes else None


def progress(study: Path) -> tuple[SessionProgress, ...]:
    """How far all readers are, also while the room is open.

    Raises
    ------
    DataError
        A journal's chain is broken ("broken-chain"), or there is no room yet ("no-readings").
    """
    room = existing_room(study)
    book = tickets_of(room)
    return tuple(
        _progress_of(room, reader, session, book.of(reader, session))
        for reader in room.settings.readers
        for session in room.settings.sessions
    )


def existing_room(study: Path) -> Room:
    """The room of a study that was opened before.

    Raises
    ------
    DataError
        It was not ("no-readings").
    """
    if not (study / READINGS / ROOM).exists():
        raise DataError(
            f"{study.name} has no {READINGS} yet.",
            remedy="Open the room first: centrum read STUDY.",
            code="no-readings",
        )
    return open_room(study)


def tickets_of(room: Room) -> TicketBook:
    """The tickets of a room."""
    return TicketBook(room, phantom_names(room.settings.training.cases))


def _progress_of(
    room: Room, reader: str, session: str, tickets: Sequence[Ticket]
) -> SessionProgress:
    path = room.session_folder(reader, session) / JOURNAL
    found: dict[str, _Read] = {}
    for line in read_journal(path) if path.exists() else ():
        found[line.token] = _read_so_far(found.get(line.token, _Read()), line)
    known = [found[ticket.token] for ticket in tickets if ticket.token in found]
    minutes = tuple(each.seconds / 60 for each in known if each.signed)
    new, begun = len(tickets) - len(known), len(known) - len(minutes)
    return SessionProgress(reader, session, new, begun, len(minutes), minutes)


@dataclass(frozen=True)
class _Read:
    signed: bool = False
    seconds: float = 0.0


def _read_so_far(before: _Read, line: Line) -> _Read:
    signed = {"submit": True, "reopen": False}.get(line.kind, before.signed)
    return _Read(signed, max(before.seconds, line.seconds))


def progress_lines(found: Sequence[SessionProgress]) -> Iterator[str]:
    """A table: reader, session, cases by state, minutes per case."""
    width = max(len("reader"), *(len(each.reader) for each in found))
    wide = max(len("session"), *(len(each.session) for each in found))
    yield f"{'reader':{width}}  {'session':{wide}}  {'new':>5} {'begun':>5} {'signed':>6}  minutes"
    for each in found:
        per_case = each.minutes_per_case
        minutes = "–" if per_case is None else f"{per_case:.1f}"
        counts = f"{each.new:>5} {each.begun:>5} {each.signed:>6}"
        yield f"{each.reader:{width}}  {each.session:{wide}}  {counts}  {minutes:>7}"
    signed = sum(each.signed for each in found)
    yield f"{counted(signed, 'case')} signed; minutes: median of the active time per signed case."


def progress_json(found: Sequence[SessionProgress]) -> list[dict[str, Any]]:
    """The same for scripts; the minutes of each case apart."""
    return [
        {"reader": each.reader, "session": each.session, "new": each.new, "begun": each.begun,
         "signed": each.signed, "minutes_per_case": each.minutes_per_case,
         "minutes": [round(m, 3) for m in each.minutes]}
        for each in found
    ]  # fmt: skip


# Whose case a token is, as it may be written


def _codes(study: Path, room: Room) -> dict[str, str]:
    """Codes of the cases, by id; those of names are kept in the key beside the manifest."""
    cohort = pseudonymised(Cohort(tuple(room.cases.values())), study / KEY)
    write_key(cohort.identities, study / KEY)
    return dict(zip(room.cases, (case.id for case in cohort.cases), strict=True))


def cases_by_token(study: Path) -> dict[str, dict[str, str]]:
    """Case (its code), reader and session by token, of all tickets but those of the practice.

    A consensus is a reading by `CONSENSUS`. Names that are no codes get pseudonyms, whose key is
    kept beside the manifest.
    """
    room = existing_room(study)
    codes, book = _codes(study, room), tickets_of(room)
    return {
        ticket.token: {"case": codes[ticket.case], "reader": reader, "session": session}
        for reader in (*room.settings.readers, CONSENSUS)
        for session in room.settings.sessions
        for ticket in book.of(reader, session)
        if ticket.case in codes
    }
