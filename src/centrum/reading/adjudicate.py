"""Adjudication: of a case that two have signed, the lead decides what the consensus is.

A consensus is a reading of its own, with a journal; its reader is called `CONSENSUS`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from centrum.arrays import Flags
from centrum.cohort.readings import CONSENSUS, SliceProvenance
from centrum.errors import DataError
from centrum.reading.desk import Desk, TakenOutline, new_id
from centrum.reading.finished import FinishedRoom, SignedCase, drawn_slices, finished_room
from centrum.reading.views import StateView
from centrum.text import counted, listed

MADE_OF_TWO: Mapping[str, Callable[[Flags, Flags], Flags]] = {
    "union": lambda a, b: a | b,
    "intersection": lambda a, b: a & b,
}
"""What an outline can be made of, beside those of the readers."""


@dataclass(frozen=True)
class Adjudicated:
    """What was decided: by case, whose outline it is; `anew` of those that were not so before."""

    taken: Mapping[str, str]
    anew: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """What was decided, to print."""
        for case, name in self.taken.items():
            yield f"{case}: {name}{'' if case in self.anew else ' (as before)'}"
        yield (
            f"{counted(len(self.anew), 'case')} decided anew. `centrum read --close` names the "
            f"masks in the column mask:{CONSENSUS}."
        )


def adjudicate(study: Path | str, decisions: Mapping[str, str], reason: str) -> Adjudicated:
    """Sign the consensus of cases: by id or code, the reader, "union" or "intersection".

    All decisions are looked at before the first is written. What is decided already, and so, stays.

    Raises
    ------
    DataError
        There is no reason ("no-reason"), no such case ("no-case") or outline ("no-outline"), not
        all readers have signed it ("not-both-signed"), or the room is open ("journal-open").
    """
    reason = reason.strip()
    if not reason:
        raise DataError(
            "An adjudication needs its reason.", remedy="Add --reason TEXT.", code="no-reason"
        )
    finished = finished_room(study)
    chosen = {_case_id(finished, case): name for case, name in decisions.items()}
    outlines = {case: taken_outline(finished, case, name) for case, name in chosen.items()}
    for case, outline in outlines.items():
        refuse_unread(finished.name(case), outline)
    anew = [case for case, name in chosen.items() if not _stands(finished, case, name)]
    with Desk(study) as desk:
        for case in anew:
            decide(desk, case, outlines[case], reason)
    taken = {finished.name(case): name for case, name in chosen.items()}
    return Adjudicated(taken, tuple(map(finished.name, anew)))


def refuse_unread(name: str, taken: TakenOutline) -> None:
    """A case that is flagged as not measurable may have slices of which nothing is said.

    Raises
    ------
    DataError
        It has; code "slices-unread".
    """
    unread = [k + 1 for k, provenance in enumerate(taken.provenance) if provenance is None]
    if unread:
        told = f"Case {name}: of" if name else "Of"
        raise DataError(
            f"{told} slices {listed(list(map(str, unread)))} nothing is said there.",
            remedy="Take another outline, or let it be finished.",
            code="slices-unread",
        )


def _case_id(finished: FinishedRoom, named: str) -> str:
    for case in finished.signed:
        if named in (case, finished.name(case)):
            return case
    raise DataError(f"There is no case {named!r}.", code="no-case", remedy="Look for its spelling.")


def _stands(finished: FinishedRoom, case: str, name: str) -> bool:
    """Whether the consensus is that, and neither it nor the readings were signed anew since."""
    own = {s.column: s for s in finished.signed[case]}
    consensus = own.get(CONSENSUS)
    if consensus is None or consensus.record.taken_from != name:
        return False
    first, second = first_readings(finished, case)
    sources = [own[name]] if name in own else [first, second]
    return all(s.record.signed_utc <= consensus.record.signed_utc for s in sources)


def decide(
    desk: Desk, case: str, taken: TakenOutline, reason: str, *, sign: bool = True
) -> tuple[str, StateView]:
    """Lay an outline down as the consensus of a case, and sign it; the token, and the state.

    Without `sign` it is what the lead begins to draw with.
    """
    token = desk.consensus(case)
    if desk.open(CONSENSUS, token)["state"]["signed"]:
        desk.reopen(CONSENSUS, token, {"id": new_id(), "reason": reason})
    state = desk.take(token, taken, reason)
    if sign:
        state = desk.submit(CONSENSUS, token, {"id": new_id()}, state["revision"])
    return token, state


def taken_outline(finished: FinishedRoom, case: str, name: str) -> TakenOutline:
    """The outline of a reader, or what is made of those of the first two.

    Raises
    ------
    DataError
        Not all have signed the case ("not-both-signed"), or there is no such outline
        ("no-outline").
    """
    readings = first_readings(finished, case)
    if name in MADE_OF_TWO:
        return _made_of_two(finished, name, readings[0], readings[1])
    chosen = next((signed for signed in readings if signed.column == name), None)
    drawn = drawn_slices(finished.room.study, chosen) if chosen else None
    if chosen is None or drawn is None:
        there = [s.column for s in readings if s.outlined]
        raise DataError(
            f"Case {finished.name(case)} has no outline of {name!r}.",
            remedy=f"Take that of {listed([*there, *MADE_OF_TWO], 'or')}.",
            code="no-outline",
        )
    return TakenOutline(name, drawn.array, chosen.record.provenance, chosen.record.level)


def first_readings(finished: FinishedRoom, case: str) -> tuple[SignedCase, ...]:
    """The readings of the first session, once all readers have signed the case.

    Raises
    ------
    DataError
        They have not; code "not-both-signed".
    """
    first = finished.room.settings.sessions[0]
    own = tuple(
        s for s in finished.signed[case] if s.place.session == first and s.column != CONSENSUS
    )
    if len(own) < max(2, len(finished.room.settings.readers)):
        raise DataError(
            f"Case {finished.name(case)}: a consensus is decided on when all readers have signed.",
            remedy="Wait until they have finished it.",
            code="not-both-signed",
        )
    return own


def _made_of_two(finished: FinishedRoom, name: str, a: SignedCase, b: SignedCase) -> TakenOutline:
    first, second = drawn_slices(finished.room.study, a), drawn_slices(finished.room.study, b)
    if first is None or second is None:
        raise DataError(
            f"Case {finished.name(a.case.id)}: of one of the readers there is no outline.",
            remedy="Take that of the other.",
            code="no-outline",
        )
    made = MADE_OF_TWO[name](first.array, second.array)
    provenance = _provenance(made, a.record.provenance, b.record.provenance)
    return TakenOutline(name, made, provenance, a.record.level or b.record.level)


def _provenance(
    made: Flags, a: Sequence[SliceProvenance | None], b: Sequence[SliceProvenance | None]
) -> tuple[SliceProvenance | None, ...]:
    """Pixels of two hands are proposed; where none are left, and both looked, there is no body."""
    return tuple(
        "proposed" if plane.any() else "nobody" if of_a and of_b else None
        for plane, of_a, of_b in zip(made, a, b, strict=True)
    )
