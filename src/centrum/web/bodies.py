"""What a request may say: forms that are checked before the desk reads them, and described by them.

How large a slice is, and whether runs lie inside it, the desk knows: it refuses the rest.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from centrum.commands.read import (
    LONGEST_COMMENT,
    LONGEST_SECONDS,
    MOST_CLICKS,
    MOST_POINTS,
    QualityFlag,
    Tool,
)

MOST_RUNS = 1 << 15
"""Numbers in the runs of a slice: as many as 64 KB hold."""

LARGEST_NUMBER = 1 << 30
"""Pixels of a slice, and far beyond any."""

Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="of the write, by the client")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="of a slice's runs")]
Whole = Annotated[int, Field(strict=True, ge=0, le=LARGEST_NUMBER)]
Coordinate = Annotated[
    float, Field(strict=True, ge=-1, le=LARGEST_NUMBER, allow_inf_nan=False, description="pixels")
]
Seconds = Annotated[float, Field(strict=True, ge=0, le=LONGEST_SECONDS, allow_inf_nan=False)]
Words = Annotated[str, Field(max_length=LONGEST_COMMENT)]
Point = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]


class Body(BaseModel):
    """What is sent: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PolygonsBody(Body):
    """Polygons of a slice, even-odd, in pixels."""

    kind: Literal["polygons"]
    polygons: Annotated[list[list[Point]], Field(max_length=MOST_POINTS)]

    @field_validator("polygons")
    @classmethod
    def _few_points(cls, polygons: list[list[list[float]]]) -> list[list[list[float]]]:
        if sum(map(len, polygons)) > MOST_POINTS:
            raise ValueError(f"a slice has at most {MOST_POINTS} points")
        return polygons


class RunsBody(Body):
    """Painted pixels of a slice: start, length, start, length, and so on."""

    kind: Literal["runs"]
    runs: Annotated[list[Whole], Field(max_length=MOST_RUNS)]


class NobodyBody(Body):
    """Reviewed: no vertebral body on this slice."""

    kind: Literal["nobody"]


ContentBody = Annotated[PolygonsBody | RunsBody | NobodyBody, Field(discriminator="kind")]


class EditBody(Body):
    """One edit of one slice."""

    id: Id
    tool: Tool
    content: ContentBody | None
    after: Digest
    seconds: Seconds


class WireBody(Body):
    """Clicks between which a line follows the dark rim."""

    tool: Literal["livewire"]
    points: Annotated[list[Point], Field(max_length=MOST_CLICKS)]
    closed: bool


class GrowBody(Body):
    """Strokes inside a body and outside it, as runs."""

    tool: Literal["growcut"]
    inside: Annotated[list[Whole], Field(max_length=MOST_RUNS)]
    outside: Annotated[list[Whole], Field(max_length=MOST_RUNS)]


class FromBody(Body):
    """Between which slices is to be filled; all drawn ones when missing."""

    slices: Annotated[list[Whole], Field(max_length=4096)] | None = None


class FillBody(Body):
    """A preview that is accepted: the digest of each filled slice."""

    id: Id
    digests: Annotated[dict[Annotated[str, Field(pattern="^[0-9]{1,5}$")], Digest],
                       Field(min_length=1, max_length=4096)]  # fmt: skip
    from_: Annotated[list[Whole] | None, Field(alias="from", max_length=4096)] = None
    seconds: Seconds = 0.0


class StepBody(Body):
    """Undo, redo, submit, or show the proposal."""

    id: Id
    seconds: Seconds = 0.0


class LevelBody(Body):
    """Where the vertebra is that is to be drawn."""

    id: Id
    slice: Whole
    x: Coordinate
    y: Coordinate
    seconds: Seconds = 0.0


class QualityBody(Body):
    """What is wrong with the images."""

    id: Id
    flags: Annotated[list[QualityFlag], Field(max_length=4)]
    comment: Words
    seconds: Seconds = 0.0


class ReopenBody(Body):
    """Why a signed case is opened again."""

    id: Id
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_COMMENT)]
    seconds: Seconds = 0.0


class EnterBody(Body):
    """A one-time link's secret, or a name with its PIN."""

    link: Annotated[str, Field(max_length=128)] | None = None
    reader: Annotated[str, Field(max_length=128)] | None = None
    pin: Annotated[str, Field(max_length=128)] | None = None


class DecideBody(Body):
    """Whose outline a consensus is: a reader's, or the union or intersection of two."""

    take: Annotated[str, Field(min_length=1, max_length=96)]
    reason: Words
    sign: bool = True
