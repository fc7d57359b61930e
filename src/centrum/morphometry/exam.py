"""The vertebral bodies of a mask file, and their morphometry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from centrum.cohort.levels import Level
from centrum.errors import DataError
from centrum.io import read_image, read_masks
from centrum.morphometry.body import Morphometry, level_of
from centrum.morphometry.genant import Genant
from centrum.morphometry.spine import measure_spine
from centrum.volume import Mask, Volume

COLUMNS = (
    ("body", ""),
    ("anterior", "mm"),
    ("middle", "mm"),
    ("posterior", "mm"),
    ("depth", "mm"),
    ("wedge", "°"),
    ("wall", "mm"),
    ("Genant (loss)", ""),
)
"""Heads of the printed table, and units."""


def table_row(body: Morphometry, found: Genant | None) -> list[str]:
    """What is printed of a body, in the order of `COLUMNS`."""
    numbers = (*body.heights, body.depth, body.wedge_angle, body.wall_convexity)
    # Adding zero makes a rounded -0.0 positive.
    rounded = [f"{round(number, 1) + 0.0:.1f}" for number in numbers]
    return [body.title, *rounded, "cut by the image" if body.cut else genant_text(found)]


def genant_text(found: Genant | None) -> str:
    """Grade, type and greatest loss in a few characters.

    >>> genant_text(Genant(2, "wedge", (0.31, 0.2, 0.05), (28, 27, 29), "neighbours T12, L2"))
    '2 wedge (31 %)'
    >>> genant_text(None)
    '–'
    """
    if found is None:
        return "–"
    kind = f" {found.kind}" if found.kind else ""
    return f"{found.grade}{kind} ({100 * max(0.0, *found.loss):.0f} %)"


@dataclass(frozen=True, eq=False)
class Exam:
    """The bodies of one exam, measured and graded from head to foot.

    Attributes
    ----------
    image : what they were drawn on; the union of the masks where no image was given
    masks : by name
    bodies : measures, and grade where the level has one
    """

    image: Volume
    masks: dict[str, Mask]
    bodies: tuple[tuple[Morphometry, Genant | None], ...]

    @property
    def simulated(self) -> bool:
        """Whether a file says that its patient is simulated."""
        histories = (self.image.history, *(mask.history for mask in self.masks.values()))
        return any(step.parameters.get("simulated") for steps in histories for step in steps)

    def to_dict(self) -> list[dict[str, Any]]:
        """JSON-ready: one record per body."""
        marked = {"simulated": True} if self.simulated else {}
        return [
            {**body.to_dict(), "genant": found.to_dict() if found else None, **marked}
            for body, found in self.bodies
        ]


def measure_exam(
    mask: str | Path,
    image: str | Path | None = None,
    *,
    level: str | None = None,
    fractured: Sequence[str] = (),
    orientation: str | None = None,
) -> Exam:
    """Measure the segments of a mask file that are named as vertebrae, else its only segment.

    Parameters
    ----------
    mask : as `centrum.io.read_masks` takes it; plain labels are VerSe codes (20 is L1)
    image : whose grid the masks must fit; not needed to measure
    level : the vertebra, for a file with one body
    fractured : names of bodies that are no reference for others
    orientation : where the array axes run in files that do not say it, such as "PIR"

    Raises
    ------
    ImageError, GeometryError
        A file cannot be read, or the grids differ.
    DataError
        The file holds several segments and none is named as a vertebra, `level` is given for
        several bodies, or a body cannot be measured.
    """
    volume = read_image(image, orientation=orientation) if image is not None else None
    grid = volume.geometry if volume else None
    masks = _bodies(read_masks(mask, grid, orientation=orientation), Path(mask).name)
    if level is not None:
        masks = _named(masks, level)
    bodies = measure_spine(masks, fractured)
    return Exam(volume or _union(masks), {one.name: one for one in masks}, bodies)


def _bodies(masks: Sequence[Mask], file: str) -> list[Mask]:
    chosen = [mask for mask in masks if level_of(mask.name)] if len(masks) > 1 else list(masks)
    if not chosen:
        names = ", ".join(repr(mask.name) for mask in masks) or "none"
        raise DataError(
            f"{file}: segments named as vertebrae (L1, Th12, or VerSe codes) are wanted, or one "
            f"alone; found {names}. Choose one as FILE#SEGMENT and give its level."
        )
    return chosen


def _named(masks: Sequence[Mask], level: str) -> list[Mask]:
    if len(masks) != 1:
        names = ", ".join(mask.name for mask in masks)
        raise DataError(f"A level is given for one body, but there are {len(masks)}: {names}.")
    return [replace(masks[0], name=Level.parse(level).name)]


def _union(masks: Sequence[Mask]) -> Volume:
    array = np.any([mask.array for mask in masks], axis=0)
    return Volume(array.astype(np.uint8), masks[0].geometry, masks[0].history)
