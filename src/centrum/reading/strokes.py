"""What a reader does to one slice: an edit, checked when it comes in.

JSON forms of the content of a slice: `{"kind": "polygons", "polygons": [[[x, y], ...], ...]}`,
`{"kind": "runs", "runs": [start, length, ...]}`, `{"kind": "nobody"}`, or null for a slice that is
untouched or cleared.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from centrum.reading.forms import (
    bad_form,
    fields_in,
    read_id,
    read_integers,
    read_number,
    read_seconds,
)
from centrum.reading.raster import (
    PlaneShape,
    Polygon,
    Runs,
    check_runs,
    fill_polygons,
    runs_of,
    slice_digest,
)

Kind = Literal["polygons", "runs", "nobody"]

Tool = Literal[
    "polygon", "freehand", "brush", "eraser", "nobody", "clear", "livewire", "growcut", "correct"
]

_OUTLINES: tuple[Kind, ...] = ("polygons", "runs")

TOOLS: dict[Tool, tuple[Kind | None, ...]] = {
    "polygon": ("polygons",),
    "freehand": _OUTLINES,
    "brush": ("runs",),
    "eraser": ("runs",),
    "nobody": ("nobody",),
    "clear": (None,),
    "livewire": _OUTLINES,
    "growcut": _OUTLINES,
    "correct": _OUTLINES,
}
"""What each tool can leave on a slice."""

MOST_POINTS = 2000
"""Of all polygons of a slice."""

_DIGEST = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Content:
    """What lies on a slice.

    Attributes
    ----------
    kind : "polygons", "runs" or "nobody": looked at, and no body on it
    polygons : points (x, y) in pixels; together, by the even-odd rule
    runs : pixels, as `raster.runs_of`
    """

    kind: Kind
    polygons: tuple[Polygon, ...] = ()
    runs: Runs = ()

    def as_json(self) -> dict[str, Any]:
        """As it is sent and kept."""
        if self.kind == "nobody":
            return {"kind": self.kind}
        return {"kind": self.kind, self.kind: getattr(self, self.kind)}

    def pixels(self, shape: PlaneShape) -> Runs:
        """The pixels that it covers."""
        if self.kind == "polygons":
            return runs_of(fill_polygons(self.polygons, shape))
        return self.runs


@dataclass(frozen=True)
class Edit:
    """One edit of one slice by hand.

    Attributes
    ----------
    id : 32 hexadecimal digits of the page, by which an edit that is sent twice is done once
    tool : what made it
    content : what lies on the slice now, None for nothing
    runs : the pixels of `content`
    after : digest of them
    seconds : active time since the case was opened
    """

    id: str
    tool: Tool
    content: Content | None
    runs: Runs
    after: str
    seconds: float


def read_edit(value: object, shape: PlaneShape) -> Edit:
    """An edit from its JSON, for a slice of this shape.

    Raises
    ------
    DataError
        A field is missing, unknown, of another type or beyond its limits; code "bad-edit", of runs
        "bad-runs". The text repeats nothing of what was sent.

    >>> read_edit({"id": "0" * 32, "tool": "nobody", "content": {"kind": "nobody"},
    ...            "after": slice_digest((), (4, 4)), "seconds": 2}, (4, 4)).content
    Content(kind='nobody', polygons=(), runs=())
    """
    found = fields_in(value, ("id", "tool", "content", "after", "seconds"))
    tool, after = found["tool"], found["after"]
    if not isinstance(tool, str) or tool not in TOOLS:
        raise bad_form(f"a tool of {', '.join(TOOLS)}")
    if not isinstance(after, str) or not _DIGEST.fullmatch(after):
        raise bad_form("`after` as 16 hexadecimal digits")
    content = read_content(found["content"], shape)
    if (content and content.kind) not in TOOLS[tool]:
        raise bad_form("content that its tool can make")
    runs = content.pixels(shape) if content else ()
    return Edit(
        id=read_id(found["id"]),
        tool=tool,
        content=content,
        runs=runs,
        after=after,
        seconds=read_seconds(found["seconds"]),
    )


def read_content(value: object, shape: PlaneShape) -> Content | None:
    """The content of a slice from its JSON; errors as of `read_edit`."""
    if value is None:
        return None
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "nobody":
        fields_in(value, ("kind",))
        return Content("nobody")
    if kind == "runs":
        return Content("runs", runs=read_runs(fields_in(value, ("kind", "runs"))["runs"], shape))
    if kind == "polygons":
        polygons = fields_in(value, ("kind", "polygons"))["polygons"]
        return Content("polygons", polygons=read_polygons(polygons, shape))
    raise bad_form("a content whose kind is polygons, runs or nobody")


def read_runs(value: object, shape: PlaneShape) -> Runs:
    """Runs of a slice of this shape, as `raster.check_runs` wants them."""
    runs = read_integers(value)
    check_runs(runs, shape)
    return runs


def read_polygons(value: object, shape: PlaneShape, most: int = MOST_POINTS) -> tuple[Polygon, ...]:
    """Lists of points [x, y] in a slice of this shape, at most so many points in all."""
    if not isinstance(value, list) or not all(isinstance(each, list) for each in value):
        raise bad_form("polygons as lists of points")
    if sum(map(len, value)) > most or len(value) > most:
        raise bad_form(f"at most {most} points in a slice")
    return tuple(tuple(_read_point(point, shape) for point in each) for each in value)


def _read_point(value: object, shape: PlaneShape) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise bad_form("points as [x, y]")
    x, y = map(read_number, value)
    if not (-1 <= x <= shape[1] and -1 <= y <= shape[0]):
        raise bad_form("points within the slice, or at most a pixel beyond it")
    return x, y


def digest_of(content: Content | None, shape: PlaneShape) -> str:
    """The digest of the pixels of a content."""
    return slice_digest(content.pixels(shape) if content else (), shape)
