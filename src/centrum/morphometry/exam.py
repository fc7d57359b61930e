"""The vertebral bodies of a mask file, and their morphometry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from centrum.cohort.anatomy import deeper_than_a_body, place_of
from centrum.cohort.label_map import BESIDE, Label, LabelMap, number_in, read_label_map
from centrum.cohort.levels import NAME_THE_SCHEME, Level
from centrum.cohort.schemes import find_scheme
from centrum.errors import DataError
from centrum.geometry import GRID_TOLERANCE_MM
from centrum.io import read_image, read_masks, split_source
from centrum.morphometry.body import Morphometry, level_of
from centrum.morphometry.genant import Genant
from centrum.morphometry.spine import measure_spine
from centrum.prepare.image import fill_missing
from centrum.records import as_json
from centrum.text import OneLine, percent
from centrum.volume import Mask, Volume

ATLAS = Level("C", 1)
"""It has no body."""

COLUMNS = (
    ("body", ""),
    ("anterior", "mm"),
    ("middle", "mm"),
    ("posterior", "mm"),
    ("lowest", "mm"),
    ("at", "%"),
    ("depth", "mm"),
    ("wedge", "°"),
    ("wall", "mm"),
    ("Genant (loss)", ""),
)
"""Heads of the printed table, and units."""


def table_row(body: Morphometry, found: Genant | None) -> list[str]:
    """What is printed of a body, in the order of `COLUMNS`."""
    heights = map(_rounded, (*body.heights, body.lowest))
    others = map(_rounded, (body.depth, body.wedge_angle, body.wall_convexity))
    place = f"{100 * body.lowest_at:.0f}"
    grade = "cut by the image" if body.cut else genant_text(found)
    return [body.title, *heights, place, *others, grade]


def _rounded(number: float) -> str:
    # Adding zero makes a rounded -0.0 positive.
    return f"{round(number, 1) + 0.0:.1f}"


def genant_text(found: Genant | None) -> str:
    """Grade, type and greatest loss in a few characters; a node where nothing else is.

    >>> genant_text(None)
    '–'
    """
    if found is None:
        return "–"
    kind = f" {found.kind}" if found.kind else ""
    node = ", node" if found.verdict == "node" else ""
    return f"{found.grade}{kind} ({percent(max(0.0, found.greatest_loss), 0)}){node}"


@dataclass(frozen=True, eq=False, repr=False)
class Exam(OneLine):
    """The bodies of one exam, measured and graded from head to foot.

    Attributes
    ----------
    image : what they were drawn on; the union of the masks where no image was given
    masks : by name
    bodies : measures, and grade where the level has one
    notes : what was assumed, and what was left out
    """

    image: Volume
    masks: dict[str, Mask]
    bodies: tuple[tuple[Morphometry, Genant | None], ...]
    notes: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether a file says that its patient is simulated."""
        histories = (self.image.history, *(mask.history for mask in self.masks.values()))
        return any(step.parameters.get("simulated") for steps in histories for step in steps)


@as_json.register
def _(exam: Exam) -> list[dict[str, Any]]:
    """One record per body."""
    marked = {"simulated": True} if exam.simulated else {}
    return [{**as_json(body), "genant": as_json(found), **marked} for body, found in exam.bodies]


def measure_exam(
    mask: str | Path,
    image: str | Path | None = None,
    *,
    level: str | None = None,
    labels: str | None = None,
    fractured: Sequence[str] = (),
    orientation: str | None = None,
    tolerance_mm: float = GRID_TOLERANCE_MM,
    on_mismatch: str = "refuse",
) -> Exam:
    """Measure the regions of a mask file that are named as vertebrae, else its only region.

    Parameters
    ----------
    mask : as `centrum.io.read_masks` takes it
    image : whose grid the masks must fit; not needed to measure, but it tells a body that its
        edge cuts from a mask that was cropped to its region
    level : the vertebra, for a file with one body
    labels : the scheme in which numbers of a label map name levels
    fractured : names of bodies that are no reference for others
    orientation : where the array axes run in files that do not say it, such as "PIR"
    tolerance_mm, on_mismatch : of the grids of masks and image; see `centrum.io.read_mask`

    Raises
    ------
    ImageError, GeometryError
        A file cannot be read, or the grids differ.
    ProtocolError
        There is no such scheme, or it names no levels.
    DataError
        The file holds several regions and none is named as a vertebra, numbers stand without a
        scheme, the levels contradict the anatomy, whole vertebrae stand where bodies are wanted,
        `level` is given for several bodies, or a body cannot be measured.
    """
    volume = fill_missing(read_image(image, orientation=orientation)) if image else None
    path, part = split_source(mask)
    scheme = find_scheme(labels) if labels is not None else None
    found = read_label_map(path, scheme, orientation, volume.geometry if volume else None)
    found.check(by_size=True)
    read = read_masks(
        mask, volume, orientation=orientation, tolerance_mm=tolerance_mm, on_mismatch=on_mismatch
    )
    masks = _bodies(read, found)
    if level is not None:
        masks = _named(masks, level)
    _check_bodies(masks, found)
    bodies = measure_spine(masks, fractured)
    named = {one.name: one for one in masks}
    notes = (*_origins(masks), *(() if part else _notes(found)))
    return Exam(volume or _union(masks), named, bodies, notes)


def _bodies(masks: Sequence[Mask], found: LabelMap) -> list[Mask]:
    """The masks of bodies, those that a number named under the name of their level."""
    known = {(each.segment.name, each.segment.label): each for each in found.labels}
    labels = [known[mask.name, _label(mask)] for mask in masks]
    named = [(mask, label.level) for mask, label in zip(masks, labels, strict=True)]
    chosen = [_called(mask, level) for mask, level in named if level and level != ATLAS]
    if chosen or (len(masks) == 1 and _may_be_a_body(labels[0])):
        return chosen or list(masks)
    if found.numbers:
        raise DataError(
            f"{found.file}: {found.hint()}.",
            remedy=f"{NAME_THE_SCHEME} Or choose one as FILE#NUMBER and give its level.",
            code="level-needs-scheme",
            file=found.file,
        )
    names = ", ".join(repr(mask.name) for mask in masks) or "none"
    raise DataError(
        f"{found.file}: expected segments named as vertebrae (L1, Th12), or a single one; found "
        f"{names}.",
        remedy="Choose one as FILE#SEGMENT and give its level.",
        code="no-vertebra",
        file=found.file,
    )


def _may_be_a_body(label: Label) -> bool:
    """Whether nothing says that a region without a level is something else."""
    return label.level != ATLAS and not label.beside and not BESIDE.search(label.segment.name)


def _label(mask: Mask) -> int:
    """The number of the label that a mask was read from."""
    return next(int(s.parameters["label"]) for s in mask.history if "label" in s.parameters)


def _called(mask: Mask, level: Level) -> Mask:
    return replace(mask, name=level.name) if number_in(mask.name) is not None else mask


def _named(masks: Sequence[Mask], level: str) -> list[Mask]:
    if len(masks) != 1:
        names = ", ".join(mask.name for mask in masks)
        raise DataError(f"A level is given for one body, but there are {len(masks)}: {names}.")
    named, wanted = level_of(masks[0].name), Level.parse(level)
    if named and named != wanted:
        raise DataError(
            f"The region {masks[0].name!r} is {named} by its label, and {wanted} is given.",
            remedy="Leave the level out, or choose another region.",
            code="level-contradicts-label",
        )
    return [replace(masks[0], name=wanted.name)]


def _check_bodies(masks: Sequence[Mask], found: LabelMap) -> None:
    """Refuse whole vertebrae, which have no anterior and posterior height."""
    deep = [m.name for m in masks if deeper_than_a_body(place_of(m), level_of(m.name))]
    if deep:
        raise DataError(
            f"{found.file}: further back than any vertebral body reaches {', '.join(deep)}: whole "
            "vertebrae, posterior elements included.",
            remedy="Give masks of the bodies alone.",
            code="whole-vertebra",
            file=found.file,
        )


def _origins(masks: Sequence[Mask]) -> Iterator[str]:
    """Which of the bodies no reader has drawn."""
    proposed = [m.name for m in masks if any("proposal" in s.parameters for s in m.history)]
    if proposed:
        yield f"proposed by centrum and drawn by no reader: {', '.join(proposed)}"


def _notes(found: LabelMap) -> Iterator[str]:
    """What was assumed, and which labels were not measured."""
    if left_out := found.left_out():
        yield f"left out, no vertebrae: {left_out}"
    if found.numbers:
        yield found.hint()
    if found.scheme and found.scheme.whole:
        yield (
            f"{found.scheme.name} numbers whole vertebrae; none of these reaches further back than "
            "a body, and they are taken as bodies"
        )
    others = [each for each in found.regions if each.level in (None, ATLAS)]
    if others and len(found.regions) > 1:
        names = ", ".join(each.segment.name for each in others)
        yield f"left out, no level with a body: {names}"


def _union(masks: Sequence[Mask]) -> Volume:
    array = np.any([mask.array for mask in masks], axis=0)
    return Volume(array.astype(np.uint8), masks[0].geometry, masks[0].history)
