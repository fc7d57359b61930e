"""What a reader's page is told, as JSON. Nothing in it says whose image it is."""

from typing import Any, TypedDict

from centrum.reading.state import CaseState


class StateView(TypedDict):
    """The state of a case."""

    revision: int
    signed: bool
    level: dict[str, float] | None
    slices: list[dict[str, Any]]
    undo: bool
    redo: bool
    quality: dict[str, Any]
    seconds: float


class SavedView(TypedDict):
    """The answer to an edit of one slice."""

    revision: int
    digest: str
    undo: bool
    redo: bool
    provenance: str | None


class CaseView(TypedDict):
    """A case that was opened; pixels come apart.

    `scale` and `windows` are of the image that is drawn on, `further` has those of other sequences.
    """

    token: str
    level: str
    training: bool
    shape: list[int]
    spacing: list[float]
    windows: list[dict[str, object]]
    scale: dict[str, float]
    orientation: dict[str, str]
    instructions: dict[str, str]
    assistance: dict[str, Any]
    confirm_level: bool
    shown: dict[str, Any]
    sequences: list[str]
    proposal: bool
    state: StateView


class WorkView(TypedDict):
    """A case of the worklist.

    `level` is the one that is asked for; `seconds` is active time.
    """

    token: str
    place: int
    state: str
    slices: int | None
    done: int
    level: str
    seconds: float
    training: bool
    passed: bool | None


def state_view(state: CaseState, revision: int) -> StateView:
    """A state as the page takes it."""
    return {
        "revision": revision,
        "signed": bool(state.signed),
        "level": state.level.model_dump() if state.level else None,
        "slices": [outline.as_json() for outline in state.slices],
        "undo": bool(state.done),
        "redo": bool(state.undone),
        "quality": {"flags": list(state.flags), "comment": state.comment},
        "seconds": state.seconds,
    }


def saved_view(state: CaseState, revision: int, k: int) -> SavedView:
    """The answer to an edit of slice `k`."""
    outline = state.slices[k]
    return {
        "revision": revision,
        "digest": outline.digest,
        "undo": bool(state.done),
        "redo": bool(state.undone),
        "provenance": outline.provenance,
    }
