"""Tickets: opaque tokens in the place of cases. This is the only module that knows both."""

import hashlib
import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from centrum.cohort.case import Case
from centrum.errors import DataError
from centrum.io.structured import read_json
from centrum.reading.room import TRAINING, Room
from centrum.store import write_atomically

TICKETS = "tickets.json"

TOKEN_BYTES = 16

OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Ticket:
    """What a token stands for.

    Attributes
    ----------
    token : 128 random bits, hexadecimal
    case : id in the manifest, of a practice the name of the phantom
    reader, session : who reads it when
    place : in the reader's order, from 1
    from_scratch : whether no proposal may be shown
    image, geometry : digests of the image's file and of its grid, once it was opened
    """

    token: str
    case: str
    reader: str
    session: str
    place: int
    from_scratch: bool = False
    image: str = ""
    geometry: str = ""

    @property
    def training(self) -> bool:
        """Whether it is a practice."""
        return self.session == TRAINING


_TICKETS = TypeAdapter(dict[str, Ticket])


class TicketBook:
    """All tickets of a room, kept in `readings/tickets.json`, which only the owner may read.

    Cases that have no ticket yet get one, behind those that have, where `phantoms` names those of
    the practice; without it nothing is dealt and nothing written.
    """

    def __init__(self, room: Room, phantoms: Sequence[str] | None = None) -> None:
        self._path = room.folder / TICKETS
        self._lock = threading.Lock()
        self._tickets = self._read()
        if phantoms is not None:
            new = _new_tickets(room, phantoms, [*self._tickets.values()])
            self._keep({ticket.token: ticket for ticket in new})

    def get(self, token: str) -> Ticket | None:
        """The ticket of a token, None where there is none."""
        return self._tickets.get(token)

    def of(self, reader: str, session: str) -> list[Ticket]:
        """A reader's tickets in their order."""
        own = [t for t in self._tickets.values() if (t.reader, t.session) == (reader, session)]
        return sorted(own, key=lambda ticket: ticket.place)

    def of_case(self, case: str) -> list[Ticket]:
        """The tickets of a case of the study."""
        return [t for t in self._tickets.values() if t.case == case and not t.training]

    def issue(self, case: str, reader: str, session: str) -> Ticket:
        """The ticket of a case for a reader beside those of the room, made where there is none."""
        with self._lock:
            there = self.of(reader, session)
            found = next((ticket for ticket in there if ticket.case == case), None)
            if found is None:
                token, known = secrets.token_hex(TOKEN_BYTES), next(iter(self.of_case(case)), None)
                seen = (known.image, known.geometry) if known else ("", "")
                found = Ticket(token, case, reader, session, len(there) + 1, True, *seen)
                self._keep({token: found})
            return found

    def note_image(self, case: str, image: str, geometry: str) -> None:
        """Keep the digests of what was opened in all tickets of its case."""
        with self._lock:
            noted = [replace(t, image=image, geometry=geometry) for t in self.of_case(case)]
            self._keep({t.token: t for t in noted if t != self._tickets[t.token]})

    def _read(self) -> dict[str, Ticket]:
        if not self._path.exists():
            return {}
        try:
            kept = read_json(self._path, DataError)
            return _TICKETS.validate_python({k: {**v, "token": k} for k, v in kept.items()})
        except (ValidationError, TypeError, AttributeError) as error:
            raise DataError(
                f"{TICKETS} is not as it was written.",
                remedy="Put it back from a backup of `readings`.",
                code="bad-tickets",
                file=self._path,
            ) from error

    def _keep(self, changed: Mapping[str, Ticket]) -> None:
        """Write tickets, beside those that another process has written since."""
        if not changed:
            return
        self._tickets = {**self._read(), **self._tickets, **changed}
        kept = {token: asdict(ticket) for token, ticket in self._tickets.items()}
        for fields in kept.values():
            del fields["token"]
        write_private(self._path, json.dumps(kept, indent=0, sort_keys=True).encode())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    write_atomically(path, content, mode=OWNER_ONLY)


def _new_tickets(room: Room, phantoms: Sequence[str], there: Iterable[Ticket]) -> Iterator[Ticket]:
    """Tickets for cases of readers and sessions that have none."""
    known = list(there)
    last = Counter[tuple[str, str]]()
    for ticket in known:
        key = ticket.reader, ticket.session
        last[key] = max(last[key], ticket.place)
    have = {(ticket.reader, ticket.session, ticket.case) for ticket in known}
    scratch = _from_scratch(room)
    for reader in room.settings.readers:
        for session in (TRAINING, *room.settings.sessions):
            ids = phantoms if session == TRAINING else _order(room, reader, session)
            place = last[reader, session]
            for case in (case for case in ids if (reader, session, case) not in have):
                place += 1
                token = secrets.token_hex(TOKEN_BYTES)
                yield Ticket(token, case, reader, session, place, case in scratch)


def _order(room: Room, reader: str, session: str) -> list[str]:
    return reading_sequence(room.cases.values(), room.settings.seed, reader, session)


def reading_sequence(cases: Iterable[Case], seed: int, reader: str, session: str) -> list[str]:
    """The ids of cases in the order in which a reader sees them.

    It hangs on seed, reader, session and ids alone. Cases of one patient are not neighbours where
    that is possible.
    """
    drawn = sorted(cases, key=lambda case: _lot(seed, reader, session, case.id))
    left = Counter(case.patient for case in drawn)
    order: list[Case] = []
    while drawn:
        last = order[-1].patient if order else None
        pressing, count = max(left.items(), key=lambda item: item[1])
        pressed = 2 * count > len(drawn) and pressing != last
        wanted = (c for c in drawn if (c.patient == pressing if pressed else c.patient != last))
        case = next(wanted, drawn[0])
        drawn.remove(case)
        left[case.patient] -= 1
        order.append(case)
    return [case.id for case in order]


def _lot(*parts: object) -> str:
    """A number drawn for these, the same each time."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _from_scratch(room: Room) -> frozenset[str]:
    """The cases that every reader draws without a proposal: the same ones, so that they compare."""
    chosen = room.settings.assistance.proposals
    if chosen is None:
        return frozenset(room.cases)
    ranked = sorted(room.cases, key=lambda case: _lot(room.settings.seed, "scratch", case))
    return frozenset(ranked[: ceil(chosen.scratch_share * len(ranked))])
