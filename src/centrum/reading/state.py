"""The state of one reader's case: what its lines in the journal amount to, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from centrum.arrays import Flags
from centrum.cohort.readings import LevelMark, SliceProvenance
from centrum.reading.journal import Line
from centrum.reading.raster import PlaneShape, Runs, mask_of, slice_digest
from centrum.reading.strokes import Content

FROM: dict[str, SliceProvenance] = {"fill": "filled", "proposal": "proposed"}
"""Provenance of what comes from elsewhere, until a hand touches it."""

CORRECTED: dict[SliceProvenance | None, SliceProvenance] = {
    "filled": "filled_corrected",
    "filled_corrected": "filled_corrected",
    "proposed": "proposed_corrected",
    "proposed_corrected": "proposed_corrected",
}


@dataclass(frozen=True)
class Outline:
    """A slice: its content, where that comes from, and the digest of its pixels."""

    content: Content | None
    provenance: SliceProvenance | None
    digest: str

    @property
    def is_untouched(self) -> bool:
        """Whether neither a hand nor a word is on it: a fill may draw it."""
        return self.provenance in (None, "filled")

    def as_json(self) -> dict[str, Any]:
        """As the page takes it."""
        content = self.content.as_json() if self.content else None
        return {"content": content, "provenance": self.provenance, "digest": self.digest}


@dataclass(frozen=True)
class Change:
    """What one line did to slices, so that it can be taken back."""

    line: int
    before: Mapping[int, Outline]
    after: Mapping[int, Outline]


@dataclass(frozen=True)
class CaseState:
    """One reader's case.

    Attributes
    ----------
    shape : rows and columns of a slice
    slices : all of them, in the order in which they are read
    level : where the reader placed the level
    flags, comment : on the quality
    signed : number of the line that signed it, 0 while nobody has
    signed_utc : when
    mask_digest : of the mask that was signed, "" without voxels
    result : of a practice that was signed, how near it is to the truth
    seconds : active time
    strokes : how often each tool was used, "fill" and "proposal" among them
    taken : of a consensus, what it was taken from, and the digests of the slices then
    done, undone : what undo takes back and redo brings back, the last one next
    """

    shape: PlaneShape
    slices: tuple[Outline, ...]
    level: LevelMark | None = None
    flags: tuple[str, ...] = ()
    comment: str = ""
    signed: int = 0
    signed_utc: str = ""
    mask_digest: str = ""
    result: Mapping[str, float] | None = None
    seconds: float = 0.0
    strokes: Mapping[str, int] | None = None
    taken: tuple[str, tuple[str, ...]] | None = None
    done: tuple[Change, ...] = ()
    undone: tuple[Change, ...] = ()

    def pixels(self, k: int) -> Runs:
        """The pixels of a slice."""
        content = self.slices[k].content
        return content.pixels(self.shape) if content else ()

    def mask(self) -> Flags:
        """All slices, [slice, row, column]."""
        return np.stack([mask_of(self.pixels(k), self.shape) for k in range(len(self.slices))])

    @property
    def taken_from(self) -> str:
        """Of a consensus, whose outline it is; "" once a hand has changed it."""
        if self.taken is None:
            return ""
        name, digests = self.taken
        return name if tuple(outline.digest for outline in self.slices) == digests else ""

    @property
    def unread(self) -> tuple[int, ...]:
        """Slices with neither an outline nor a word."""
        return tuple(k for k, outline in enumerate(self.slices) if outline.provenance is None)


def begun(line: Line) -> CaseState:
    """The state of a case that was just opened."""
    slices, rows, columns = line.payload["shape"]
    empty = Outline(None, None, slice_digest((), (rows, columns)))
    return CaseState((rows, columns), (empty,) * slices, strokes={})


def replay(lines: Iterable[Line]) -> CaseState | None:
    """The state after all lines of a case, None before the first."""
    state = None
    for line in lines:
        state = apply(state, line)
    return state


def apply(state: CaseState | None, line: Line) -> CaseState:
    """The state after one more line."""
    if state is None:
        return begun(line)
    return replace(_BY_KIND[line.kind](state, line), seconds=max(state.seconds, line.seconds))


def outline_by_hand(old: Outline, content: Content | None, digest: str) -> Outline:
    """A slice after an edit by hand."""
    if content is None:
        return Outline(None, None, digest)
    by_hand = CORRECTED.get(old.provenance, "drawn")
    return Outline(content, "nobody" if content.kind == "nobody" else by_hand, digest)


def _edit(state: CaseState, line: Line) -> CaseState:
    (k,), (digest,) = line.slices, line.after
    content = content_from(line.payload["content"])
    outline = outline_by_hand(state.slices[k], content, digest)
    return _changed(state, line, {k: outline}, line.tool)


def _from_elsewhere(state: CaseState, line: Line) -> CaseState:
    """An accepted fill or a proposal: pixels of many slices at once."""
    after = {}
    for k, digest in zip(line.slices, line.after, strict=True):
        runs = tuple(line.payload["runs"][str(k)])
        after[k] = Outline(Content("runs", runs=runs), FROM[line.kind], digest)
    return _changed(state, line, after, line.kind)


def _proposal(state: CaseState, line: Line) -> CaseState:
    """An outline of another program, or of other readers, whose provenances it keeps."""
    if "from" not in line.payload:
        return _from_elsewhere(state, line)
    after = {
        k: _taken(provenance, tuple(line.payload["runs"][str(k)]), digest)
        for k, digest, provenance in zip(
            line.slices, line.after, line.payload["provenance"], strict=True
        )
    }
    state = replace(state, taken=(line.payload["from"], line.after))
    return _changed(state, line, after, line.kind)


def _taken(provenance: SliceProvenance | None, runs: Runs, digest: str) -> Outline:
    if provenance is None:
        return Outline(None, None, digest)
    content = Content("nobody") if provenance == "nobody" else Content("runs", runs=runs)
    return Outline(content, provenance, digest)


def _changed(state: CaseState, line: Line, after: Mapping[int, Outline], tool: str) -> CaseState:
    change = Change(line.number, {k: state.slices[k] for k in after}, after)
    strokes = dict(state.strokes or {})
    strokes[tool] = strokes.get(tool, 0) + 1
    state = replace(state, done=(*state.done, change), undone=(), strokes=strokes)
    return _with(state, after)


def _undo(state: CaseState, line: Line) -> CaseState:
    change = state.done[-1]
    state = replace(state, done=state.done[:-1], undone=(*state.undone, change))
    return _with(state, change.before)


def _redo(state: CaseState, line: Line) -> CaseState:
    change = state.undone[-1]
    state = replace(state, done=(*state.done, change), undone=state.undone[:-1])
    return _with(state, change.after)


def _with(state: CaseState, outlines: Mapping[int, Outline]) -> CaseState:
    slices = tuple(outlines.get(k, outline) for k, outline in enumerate(state.slices))
    return replace(state, slices=slices)


def _level(state: CaseState, line: Line) -> CaseState:
    mark = {name: line.payload[name] for name in ("slice", "x", "y")}
    return replace(state, level=LevelMark(**mark))


def _quality(state: CaseState, line: Line) -> CaseState:
    return replace(state, flags=tuple(line.payload["flags"]), comment=line.payload["comment"])


def _submit(state: CaseState, line: Line) -> CaseState:
    found, result = line.payload["digest"], line.payload.get("result")
    return replace(state, signed=line.number, signed_utc=line.utc, mask_digest=found, result=result)


def _reopen(state: CaseState, line: Line) -> CaseState:
    return replace(state, signed=0, signed_utc="", mask_digest="", result=None)


_BY_KIND = {
    "edit": _edit,
    "fill": _from_elsewhere,
    "proposal": _proposal,
    "undo": _undo,
    "redo": _redo,
    "level": _level,
    "quality": _quality,
    "submit": _submit,
    "reopen": _reopen,
}


def content_from(kept: Mapping[str, Any] | None) -> Content | None:
    """The content of a slice as a line keeps it."""
    if kept is None:
        return None
    polygons = tuple(tuple((x, y) for x, y in each) for each in kept.get("polygons", ()))
    return Content(kept["kind"], polygons, tuple(kept.get("runs", ())))
