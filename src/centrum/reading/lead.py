"""What the study's lead sees of cases that two have signed, and decides, as JSON.

Nothing in it says whose image it is: a case is a pair of tokens.
"""

from pathlib import Path
from typing import NamedTuple, TypedDict

from centrum.cohort.readings import CONSENSUS, SliceProvenance
from centrum.errors import DataError
from centrum.reading.adjudicate import decide, refuse_unread, taken_outline
from centrum.reading.desk import Desk, TakenOutline
from centrum.reading.finished import FinishedRoom, SignedCase, drawn_slices, finished_room, pair_of
from centrum.reading.raster import Runs, runs_of
from centrum.reading.refusals import UnknownTicket
from centrum.reading.shelf import Few
from centrum.reading.views import StateView

KEPT_PAIRS = 4096
"""Agreements that are kept, some hundred bytes each."""


class _Agreement(NamedTuple):
    dice: float
    slices: int
    other_level: bool


_KEPT = Few[tuple[str, ...], _Agreement](KEPT_PAIRS)


class PairSummary(TypedDict):
    """Two readings of a case, as the list has them; `decided` is None without a consensus."""

    a: str
    b: str
    readers: list[str]
    intra: bool
    dice: float
    slices: int
    other_level: bool
    decided: str | None


class SliceView(TypedDict):
    """A slice as both have outlined it: pixels, provenance, and how far they agree."""

    slice: int
    a: Runs
    b: Runs
    provenance: list[SliceProvenance | None]
    dice: float


class PairView(PairSummary):
    """Two readings of a case with the outlines of every slice that either has one on."""

    shape: list[int]
    spacing: list[float]
    outlines: list[SliceView]


class Decided(TypedDict):
    """A consensus: its token, and its state."""

    token: str
    state: StateView


def compared_pairs(desk: Desk) -> list[PairSummary]:
    """All that two readers, or one twice, have signed and outlined; the least agreement first."""
    finished = finished_room(desk.room.study)
    found = [_summary(finished, a, b) for a, b in finished.pairs() if a.outlined and b.outlined]
    return sorted(found, key=lambda pair: (pair["dice"], pair["a"]))


def compared_pair(desk: Desk, token_a: str, token_b: str) -> PairView:
    """Two readings of one case.

    Raises
    ------
    UnknownTicket
        These are no two finished readings of one case.
    """
    finished, a, b = _pair(desk, token_a, token_b)
    first, second = drawn_slices(finished.room.study, a), drawn_slices(finished.room.study, b)
    if first is None or second is None:
        raise UnknownTicket
    outlines: list[SliceView] = [
        {
            "slice": found.slice,
            "a": runs_of(first.array[found.slice]),
            "b": runs_of(second.array[found.slice]),
            "provenance": [found.a, found.b],
            "dice": found.dice,
        }
        for found in pair_of(finished.room.study, a, b).slices
    ]
    return {
        **_summary(finished, a, b),
        "shape": list(first.array.shape),
        "spacing": list(first.spacing),
        "outlines": outlines,
    }


def compared_pixels(desk: Desk, token_a: str, token_b: str) -> bytes:
    """The image of such a case, as `Desk.pixels`."""
    _, a, _ = _pair(desk, token_a, token_b)
    return desk.pixels(a.place.reader, token_a)


def decide_pair(
    desk: Desk, token_a: str, token_b: str, take: str, reason: str, *, sign: bool
) -> Decided:
    """Decide the consensus of a case; unsigned, it is what the lead goes on drawing.

    `take` is a reader, "union" or "intersection". Errors as of `adjudicate`, and `UnknownTicket`.
    """
    if not reason.strip():
        raise DataError("Say why.", code="no-reason")
    finished, a, _ = _pair(desk, token_a, token_b)
    outline = _outline(finished, a.case.id, take)
    if sign:
        refuse_unread("", outline)
    token, state = decide(desk, a.case.id, outline, reason.strip(), sign=sign)
    return {"token": token, "state": state}


def _outline(finished: FinishedRoom, case: str, take: str) -> TakenOutline:
    """As `taken_outline`, with errors that do not name the case."""
    try:
        return taken_outline(finished, case, take)
    except DataError as error:
        raise DataError(
            "This outline cannot be the consensus: not all have signed the case, or there is none.",
            remedy="Take another one.",
            code=error.code,
        ) from error


def _pair(desk: Desk, token_a: str, token_b: str) -> tuple[FinishedRoom, SignedCase, SignedCase]:
    finished = finished_room(desk.room.study)
    for a, b in finished.pairs():
        tokens = a.place.token, b.place.token
        if tokens == (token_a, token_b) and a.outlined and b.outlined:
            return finished, a, b
    raise UnknownTicket


def _summary(finished: FinishedRoom, a: SignedCase, b: SignedCase) -> PairSummary:
    found = _agreement(finished.room.study, a, b)
    own = {signed.column: signed for signed in finished.signed[a.case.id]}
    consensus = own.get(CONSENSUS)
    return {
        "a": a.place.token,
        "b": b.place.token,
        "readers": [a.column, b.column],
        "intra": a.place.reader == b.place.reader,
        "dice": found.dice,
        "slices": found.slices,
        "other_level": found.other_level,
        "decided": consensus.record.taken_from if consensus else None,
    }


def _agreement(study: Path, a: SignedCase, b: SignedCase) -> _Agreement:
    """How two readings agree; computed once, until one is signed anew."""
    key = [text for each in (a, b) for text in (each.place.source, each.record.signed_utc)]
    return _KEPT.kept((str(study), *key), lambda: _compared(study, a, b))


def _compared(study: Path, a: SignedCase, b: SignedCase) -> _Agreement:
    pair = pair_of(study, a, b)
    common = sum(found.common for found in pair.slices)
    pixels = sum(found.pixels_a + found.pixels_b for found in pair.slices)
    return _Agreement(2 * common / pixels, len(pair.slices), pair.other_level)
