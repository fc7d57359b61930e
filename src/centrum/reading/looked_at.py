"""The lead's journal: which images were looked at for letters, and who lets readers see them.

It lies beside the readers' (`readings/lead/journal.jsonl`) and is made as theirs are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from centrum.errors import DataError
from centrum.reading.journal import JOURNAL, Act, Journal, Line, read_journal
from centrum.reading.room import LEAD, Room

LONGEST_NAME = 80


@dataclass(frozen=True)
class LookedAt:
    """What the lead's journal says of the images of cases, which have their codes.

    Attributes
    ----------
    looked : cases whose images were looked at by the program
    feared : of these, in which there may be letters, and why, as long as nobody has confirmed them
    """

    looked: frozenset[str] = frozenset()
    feared: Mapping[str, str] = field(default_factory=dict)

    def after(self, line: Line) -> "LookedAt":
        """What is known after one more line."""
        cases = line.payload["cases"]
        if line.kind == "confirmed":
            left = {case: why for case, why in self.feared.items() if case not in cases}
            return LookedAt(self.looked, left)
        new = {case: why for case, why in cases.items() if why}
        return LookedAt(self.looked.union(cases), {**self.feared, **new})


def looked_at(room: Room) -> LookedAt:
    """What is known of the images of a room.

    Raises
    ------
    DataError
        The chain of the journal is broken ("broken-chain").
    """
    known, path = LookedAt(), _folder(room) / JOURNAL
    for line in read_journal(path) if path.exists() else ():
        known = known.after(line)
    return known


def note_looked_at(room: Room, found: Mapping[str, str]) -> None:
    """Keep what was found in images of cases: why letters are feared, "" for nothing."""
    _add(room, "looked", {"cases": dict(found)})


def confirm_images(room: Room, name: str) -> tuple[str, ...]:
    """Keep who has looked at the images in which letters are feared, and lets readers see them.

    Raises
    ------
    DataError
        The name is none ("bad-name"), or there is nothing to confirm ("nothing-feared").
    """
    name = name.strip()
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        raise DataError(
            f"Who has looked is a name of at most {LONGEST_NAME} letters.",
            remedy="Give your own: --confirm-images NAME.",
            code="bad-name",
        )
    cases = tuple(looked_at(room).feared)
    if not cases:
        raise DataError(
            "There is no image in which letters are feared and not confirmed.",
            remedy="Open the room: centrum read STUDY.",
            code="nothing-feared",
        )
    _add(room, "confirmed", {"by": name, "cases": list(cases)})
    return cases


def _add(room: Room, kind: Act, payload: Mapping[str, object]) -> None:
    with Journal(_folder(room)) as journal:
        journal.append(Line("", "", kind, room.settings.frozen_digest, payload=payload))


def _folder(room: Room) -> Path:
    return room.folder / LEAD
