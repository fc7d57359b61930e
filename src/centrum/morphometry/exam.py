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
from centrum.errors import CentrumError, DataError, describe
from centrum.geometry import GRID_TOLERANCE_MM
from centrum.io import read_each, read_image, split_source
from centrum.io.segments import Segment, select
from centrum.morphometry.body import Morphometry, level_of
from centrum.morphometry.genant import Genant
from centrum.morphometry.spine import measure_each
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
    failures : name of a body that could not be read or measured, and why
    """

    image: Volume
    masks: dict[str, Mask]
    bodies: tuple[tuple[Morphometry, Genant | None], ...]
    notes: tuple[str, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether a file says that its patient is simulated."""
        histories = (self.image.history, *(mask.history for mask in self.masks.values()))
        return any(step.parameters.get("simulated") for steps in histories for step in steps)


@as_json.register
def _(exam: Exam) -> list[dict[str, Any]]:
    """One record per body; of one that failed its name and the error."""
    marked = {"simulated": True} if exam.simulated else {}
    failed = [{"name": name, "error": why, **marked} for name, why in exam.failures]
    bodies = exam.bodies
    return [{**as_json(b), "genant": as_json(found), **marked} for b, found in bodies] + failed


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

    One that cannot be read or measured does not stop the others, unless it is the only one or a
    `level` is given for it.

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
        `level` is given for several bodies, or no body can be measured.
    """
    volume = fill_missing(read_image(image, orientation=orientation)) if image else None
    path, part = split_source(mask)
    scheme = find_scheme(labels) if labels is not None else None
    found = read_label_map(path, scheme, orientation, volume.geometry if volume else None)
    found.check(by_size=True)
    wanted = _bodies(_of_part(found, part, path), found)
    read = read_each(
        mask,
        volume,
        wanted=[each.segment for each in wanted],
        orientation=orientation,
        tolerance_mm=tolerance_mm,
        on_mismatch=on_mismatch,
    )
    masks, failures = _sorted_out(read, wanted)
    if failures and (level is not None or not masks):
        raise next(iter(failures.values()))
    if level is not None:
        masks = _named(masks, level)
    _check_bodies(masks, found)
    bodies, others = measure_each(masks, [each for each in fractured if each not in failures])
    failures |= others
    if not bodies:
        raise next(iter(failures.values()))
    named = {one.name: one for one in masks if one.name not in failures}
    notes = (*_origins(masks), *(() if part else _notes(found)))
    told = tuple((name, describe(error)) for name, error in failures.items())
    return Exam(volume or _union(masks), named, bodies, notes, told)


def _of_part(found: LabelMap, part: str | None, path: Path) -> list[Label]:
    """The labels that have voxels or contours, or the one that is chosen of them."""
    segments = tuple(each.segment for each in found.labels)
    chosen = segments if part is None else (select(segments, part, path),)
    return [each for each in found.labels if each.segment in chosen and not each.is_empty]


def _bodies(labels: Sequence[Label], found: LabelMap) -> list[Label]:
    """The labels of bodies."""
    chosen = [each for each in labels if each.level and each.level != ATLAS]
    if chosen or (len(labels) == 1 and _may_be_a_body(labels[0])):
        return chosen or list(labels)
    if found.numbers:
        raise DataError(
            f"{found.file}: {found.hint()}.",
            remedy=f"{NAME_THE_SCHEME} Or choose one as FILE#NUMBER and give its level.",
            code="level-needs-scheme",
            file=found.file,
        )
    names = ", ".join(repr(each.segment.name) for each in labels) or "none"
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


def _sorted_out(
    read: Sequence[tuple[Segment, Mask | CentrumError]], labels: Sequence[Label]
) -> tuple[list[Mask], dict[str, CentrumError]]:
    """Masks, and by name why a body has none; one that a number named is called by its level."""
    names = {each.segment: _name(each) for each in labels}
    masks = [replace(mask, name=names[s]) for s, mask in read if isinstance(mask, Mask)]
    return masks, {names[s]: error for s, error in read if isinstance(error, CentrumError)}


def _name(label: Label) -> str:
    name = label.segment.name
    return label.level.name if label.level and number_in(name) is not None else name


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
