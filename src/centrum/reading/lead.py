"""What the study's lead sees of cases that two have signed, and decides, as JSON.

Nothing in it says whose image it is: a case is a pair of tokens.
"""

from math import isnan
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from centrum.agreement.overlap import overlap, slice_overlap
from centrum.cohort.readings import CONSENSUS, QualityFlag, SlicePair, SliceProvenance
from centrum.errors import DataError
from centrum.reading.adjudicate import (
    MADE_OF_TWO,
    decide,
    first_readings,
    refuse_unread,
    taken_outline,
)
from centrum.reading.compare import outlines_of
from centrum.reading.desk import Desk, TakenOutline
from centrum.reading.finished import (
    DrawnSlices,
    FinishedRoom,
    SignedCase,
    finished_room,
    pair_of,
)
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
    """Two readings of a case, as the list has them.

    `numbers` are those of the case on the worklists of both. `decided` is None without a signed
    consensus, `drawing` the token of one that is not signed.
    """

    a: str
    b: str
    readers: list[str]
    numbers: list[int]
    level: str
    intra: bool
    dice: float
    slices: int
    other_level: bool
    flags: list[list[QualityFlag]]
    decided: str | None
    drawing: str | None


class SliceView(TypedDict):
    """A slice as both have outlined it: pixels, provenance, and how far they agree.

    `area_difference_mm2` is that of B minus that of A; distances are None where one has no outline.
    """

    slice: int
    a: Runs
    b: Runs
    provenance: list[SliceProvenance | None]
    dice: float
    area_difference_mm2: float
    mean_surface_distance_mm: float | None
    hausdorff95_mm: float | None


class PairView(PairSummary):
    """Two readings of a case with the outlines of every slice that either has one on.

    `marks` is where each has placed the level, `takes` what the consensus can be decided to be,
    nothing as long as not all have signed; the rest is as of a case that is opened.
    """

    shape: list[int]
    spacing: list[float]
    windows: list[dict[str, object]]
    scale: dict[str, float]
    orientation: dict[str, str]
    marks: list[dict[str, float] | None]
    level_mm: float | None
    mean_surface_distance_mm: float
    takes: list[str]
    outlines: list[SliceView]


class Decided(TypedDict):
    """A consensus: its token, and its state."""

    token: str
    state: StateView


def compared_pairs(desk: Desk) -> list[PairSummary]:
    """All that two readers, or one twice, have signed and outlined; the least agreement first."""
    finished = finished_room(desk.room.study)
    pairs = [(a, b) for a, b in finished.pairs() if a.outlined and b.outlined]
    listed = _Listed.of(desk, finished)
    found = [_summary(listed, finished, a, b) for a, b in pairs]
    return sorted(found, key=lambda pair: (pair["dice"], pair["a"]))


def compared_pair(desk: Desk, token_a: str, token_b: str) -> PairView:
    """Two readings of one case.

    Raises
    ------
    UnknownTicket
        These are no two finished readings of one case.
    """
    finished, a, b = _pair(desk, token_a, token_b)
    first, second = outlines_of(finished.room.study, a, b)
    pair, whole = (
        pair_of(finished.room.study, a, b),
        overlap(first.array, second.array, first.spacing),
    )
    seen = desk.open(a.place.reader, token_a)
    return {
        **_summary(_Listed.of(desk, finished), finished, a, b),
        "shape": list(first.array.shape),
        "spacing": list(first.spacing),
        "windows": seen["windows"],
        "scale": seen["scale"],
        "orientation": seen["orientation"],
        "marks": [_mark(each) for each in (a, b)],
        "level_mm": pair.level_mm,
        "mean_surface_distance_mm": whole.mean_surface_distance_mm,
        "takes": _takes(finished, a, b),
        "outlines": [_slice_view(found, first, second) for found in pair.slices],
    }


def _mark(signed: SignedCase) -> dict[str, Any] | None:
    return signed.record.level.model_dump() if signed.record.level else None


def _takes(finished: FinishedRoom, a: SignedCase, b: SignedCase) -> list[str]:
    """What `decide_pair` takes of them; union and intersection are of the first two readers."""
    try:
        readings = first_readings(finished, a.case.id)
    except DataError:
        return []
    if a not in readings or b not in readings:
        return []
    return [a.column, b.column, *(MADE_OF_TWO if readings[:2] == (a, b) else ())]


def _slice_view(found: SlicePair, a: DrawnSlices, b: DrawnSlices) -> SliceView:
    planes = a.array[found.slice], b.array[found.slice]
    agreed = slice_overlap(*planes, a.spacing[1:])
    return {
        "slice": found.slice,
        "a": runs_of(planes[0]),
        "b": runs_of(planes[1]),
        "provenance": [found.a, found.b],
        "dice": found.dice,
        "area_difference_mm2": agreed.volume_difference_mm3,
        "mean_surface_distance_mm": _known(agreed.mean_surface_distance_mm),
        "hausdorff95_mm": _known(agreed.hausdorff95_mm),
    }


def _known(mm: float) -> float | None:
    """A distance; JSON has no nan."""
    return None if isnan(mm) else mm


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


class _Listed(NamedTuple):
    """What the desk knows of all cases: numbers by token, and tokens of what is being drawn."""

    numbers: dict[str, int]
    drawing: dict[str, str]

    @classmethod
    def of(cls, desk: Desk, finished: FinishedRoom) -> "_Listed":
        signed = [each for own in finished.signed.values() for each in own]
        places = {(each.place.reader, each.place.session) for each in signed}
        numbers = {token: n for place in places for token, n in desk.numbers(*place).items()}
        return cls(numbers, desk.unsigned())


def _summary(listed: _Listed, finished: FinishedRoom, a: SignedCase, b: SignedCase) -> PairSummary:
    found = _agreement(finished.room.study, a, b)
    own = {signed.column: signed for signed in finished.signed[a.case.id]}
    consensus = own.get(CONSENSUS)
    return {
        "a": a.place.token,
        "b": b.place.token,
        "readers": [a.column, b.column],
        "numbers": [listed.numbers[each.place.token] for each in (a, b)],
        "level": a.case.level.name if a.case.level else "",
        "intra": a.place.reader == b.place.reader,
        "dice": found.dice,
        "slices": found.slices,
        "other_level": found.other_level,
        "flags": [list(each.record.quality) for each in (a, b)],
        "decided": consensus.record.taken_from if consensus else None,
        "drawing": listed.drawing.get(a.case.id),
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
