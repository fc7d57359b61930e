"""A reader's session: its journal, and the cases in it as their lines tell.

States are made of lines when they are asked for; those of a few cases are kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from centrum.errors import DataError
from centrum.reading.journal import Journal, Line
from centrum.reading.state import CaseState, apply

KEPT_CASES = 6

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


class Few(Generic[Key, Kept]):
    """The last few things that were made, by key.

    >>> few = Few[str, int](1)
    >>> few.kept("a", lambda: 1), few.kept("a", lambda: 2), few.kept("b", lambda: 3)
    (1, 1, 3)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    def kept(self, key: Key, make: Callable[[], Kept]) -> Kept:
        """What is kept under the key, made first where it is not."""
        if key not in self._kept:
            made = make()
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def __len__(self) -> int:
        return len(self._kept)


class Done(NamedTuple):
    """What was done under a name that the page gave: the revision after it, and what it was."""

    revision: int
    kind: str
    slices: tuple[int, ...]
    after: tuple[str, ...]


@dataclass
class CaseHistory:
    """A case with its state after each of its lines; the first, from opening it, is revision 0.

    `spacing` is mm between slices, rows and columns; `done` has what was sent, by its id.
    """

    states: list[CaseState] = field(default_factory=list)
    spacing: tuple[float, ...] = ()
    done: dict[str, Done] = field(default_factory=dict)

    @property
    def state(self) -> CaseState:
        """The newest."""
        return self.states[-1]

    @property
    def revision(self) -> int:
        """Its number."""
        return len(self.states) - 1

    def add(self, line: Line) -> None:
        """The state after one more line."""
        if not self.states:
            self.spacing = tuple(line.payload["spacing"])
        self.states.append(apply(self.state if self.states else None, line))
        if name := line.payload.get("id"):
            self.done[name] = Done(self.revision, line.kind, line.slices, line.after)


class WorkSummary(NamedTuple):
    """What the worklist says of a case: slices of which something is said, all, active time."""

    signed: bool
    done: int
    slices: int
    seconds: float
    result: dict[str, float] | None


class Shelf:
    """The journal of one reader's session, open for writing, and its cases.

    Raises
    ------
    DataError
        As of `Journal`; or it was begun with other choices in `room.yaml` ("room-changed").
    """

    def __init__(self, folder: Path, room: str) -> None:
        self.journal = Journal(folder)
        self._cases = Few[str, CaseHistory](KEPT_CASES)
        self._summaries: dict[str, WorkSummary] = {}
        if self.journal.rooms - {room}:
            self.journal.close()
            raise DataError(
                "readings/room.yaml is not as it was when the first case was opened: cases of one "
                "study are read under one set of choices.",
                remedy="Put back what it said; readers and sessions may be added.",
                code="room-changed",
            )

    def case(self, token: str) -> CaseHistory | None:
        """A case, None before it was opened."""
        found = self._cases.kept(token, lambda: self._replayed(token))
        return found if found.states else None

    def _replayed(self, token: str) -> CaseHistory:
        history = CaseHistory()
        for line in self.journal.lines_of(token):
            history.add(line)
        return history

    def add(self, line: Line) -> CaseHistory:
        """Write a line; its case with the state after it."""
        history = self._cases.kept(line.token, lambda: self._replayed(line.token))
        history.add(self.journal.append(line))
        self._summaries.pop(line.token, None)
        return history

    def summary(self, token: str) -> WorkSummary | None:
        """What the worklist says of a case, None before it was opened."""
        if token not in self._summaries and token in self.journal.tokens:
            self._summaries[token] = _summary(self._replayed(token).state)
        return self._summaries.get(token)


def _summary(state: CaseState) -> WorkSummary:
    total = len(state.slices)
    result = dict(state.result) if state.result else None
    done = total - len(state.unread)
    return WorkSummary(bool(state.signed), done, total, state.seconds, result)
