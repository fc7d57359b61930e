"""Vertebral bodies proposed from the label maps of other programs, for a reader to approve.

Either the program says which voxels are bodies, in a file beside, or the bodies are cut out of
whole vertebrae at the spinal canal. Neither is a reader's drawing, and whatever reads them says so.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path

import numpy as np

from centrum.arrays import Flags
from centrum.cohort.anatomy import deeper_than_a_body, place_of
from centrum.cohort.label_map import Label, LabelMap, label_map_of
from centrum.cohort.levels import Level
from centrum.cohort.schemes import SCHEMES, Scheme
from centrum.errors import DataError
from centrum.geometry import Geometry
from centrum.io import Segmentation, place_mask, read_labels
from centrum.io.segments import PROPOSED
from centrum.morphometry.exam import ATLAS
from centrum.prepare.in_front_of_canal import CanalWall
from centrum.text import percent
from centrum.volume import Mask

LEAST_ROWS = 0.9
"""Share of a vertebra's rows that the canal must pass."""

LEAST_BEHIND = 0.05
"""Share of a whole vertebra that lies behind the canal at least; in MR of C5 to C7 it is 0.2."""


@dataclass(frozen=True, eq=False)
class ProposedBody:
    """One vertebral body that is proposed.

    Attributes
    ----------
    level : the vertebra
    label : its number in the map
    whole : the vertebra as the map has it
    body : what is proposed, named as its level
    """

    level: Level
    label: int
    whole: Mask
    body: Mask


@dataclass(frozen=True, eq=False)
class Proposal:
    """The bodies that are proposed from one label map.

    Attributes
    ----------
    scheme : in which its numbers were read
    bodies : from head to foot
    canal : at which they were cut; None where the program told bodies apart
    notes : what was left out, and what to look at
    """

    scheme: Scheme
    bodies: tuple[ProposedBody, ...]
    canal: Mask | None
    notes: tuple[str, ...] = ()

    @property
    def provenance(self) -> str:
        """What the written file says of every segment."""
        return f"{PROPOSED}{self.scheme.name}"


def propose_bodies(
    file: Path,
    grid: Geometry,
    scheme: Scheme | None = None,
    parts: Path | None = None,
    orientation: str | None = None,
) -> Proposal:
    """The bodies of a label map of whole vertebrae, on the grid of its image.

    Without `parts` they are what lies in front of the anterior wall of the canal, row by row
    (`centrum.prepare.in_front_of_canal`); with it, what that file calls body.

    Parameters
    ----------
    file : the label map
    grid : of its image
    scheme : of the map's numbers; not needed where the file has a table of its own
    parts : the program's other file, in which bodies are told from arches
    orientation : where the array axes run in files that do not say it

    Raises
    ------
    ImageError, GeometryError
        A file cannot be read, or is not on the grid of the image.
    DataError
        Nothing says what the numbers mean, they contradict the anatomy, there is no canal ("cord"
        and "no-canal") and no parts, or not one body is found.
    """
    read = read_labels(file, orientation, grid)
    found = label_map_of(read, file.name, scheme)
    found.check()
    said = _scheme_of(found)
    wholes = [(each, _placed(read, [each], grid)) for each in _vertebrae(found)]
    if parts is None:
        canal = _canal(read, found, said, grid)
        proposed = [*_proposed(wholes, partial(_in_front, CanalWall.of(canal)))]
    else:
        canal, told = None, _bodies_of(parts, said, grid, orientation)
        proposed = [*_proposed(wholes, lambda whole: whole.array & told)]
    bodies = tuple(each for each in proposed if isinstance(each, ProposedBody))
    notes = tuple(each for each in proposed if isinstance(each, str))
    if why := found.unusual_size():
        notes = (f"the sizes are not those of the levels: {why}", *notes)
    if not bodies:
        raise DataError(
            f"{file.name}: there is no body to propose. {' '.join(f'{note}.' for note in notes)}",
            remedy="Look at the label map and at its scheme.",
            code="no-body",
            file=file,
        )
    return Proposal(said, bodies, canal, notes)


def _scheme_of(found: LabelMap) -> Scheme:
    numbered = found.tabled or any(each.number is not None for each in found.labels)
    if found.scheme is None or not numbered:
        why = found.hint() if numbered else "its segments are named, as no program's label map is"
        raise DataError(
            f"{found.file}: {why}.",
            remedy="Name the scheme: --labels.",
            code="level-needs-scheme",
            file=found.file,
        )
    return found.scheme


def _vertebrae(found: LabelMap) -> list[Label]:
    """From head to foot; of two labels of one level the first."""
    by_level = {each.level: each for each in reversed(found.labels) if each.level and each.place}
    return [by_level[level] for level in sorted(by_level)]


def _placed(read: Segmentation, labels: list[Label], grid: Geometry) -> Mask:
    """The union of labels on the grid of the image."""
    masks = [read.mask(each.segment) for each in labels]
    array: Flags = reduce(np.logical_or, (mask.array for mask in masks))
    return place_mask(Mask(array, masks[0].geometry, labels[0].segment.name), grid)


def _canal(read: Segmentation, found: LabelMap, scheme: Scheme, grid: Geometry) -> Mask:
    """The canal with the cord in it."""
    canal, cord = (
        [each for each in found.labels if each.place and what in each.beside.casefold()]
        for what in ("canal", "cord")
    )
    if not canal:
        raise _no_canal(found, scheme, cord)
    return _placed(read, [*canal, *cord], grid)


def _no_canal(found: LabelMap, scheme: Scheme, cord: list[Label]) -> DataError:
    """Why a map cannot be cut; `cord` are its labels of the cord."""
    known = scheme.labels_of("canal")
    wanted = (
        f"expected the spinal canal, label {known[0]} of {scheme.name}, which the map does not hold"
        if known
        else f"{scheme.name} has no label of the spinal canal, at whose wall bodies are cut"
    )
    instead = (
        f"; the cord (label {cord[0].segment.label}) is no canal: it lies behind the wall by the "
        "width of the fluid, and ends at L1 or L2"
        if cord
        else ""
    )
    beside = f"Give {SCHEMES[scheme.parts].title} beside, as --parts. " if scheme.parts else ""
    others = [each.name for each in SCHEMES.values() if each.levels and each.labels_of("canal")]
    return DataError(
        f"{found.file}: {wanted}{instead}.",
        remedy=f"{beside}Label maps with a canal are those of {', '.join(others)}.",
        code="cord" if cord else "no-canal",
        file=found.file,
    )


def _proposed(
    wholes: Iterable[tuple[Label, Mask]], body_in: Callable[[Mask], Flags | str]
) -> Iterator[ProposedBody | str]:
    """Bodies from head to foot, and what is to be said of them."""
    for label, whole in wholes:
        level, found = label.level, body_in(whole)
        assert level is not None  # they are vertebrae
        if level == ATLAS:
            yield "C1 is left out: it has no body"
        elif isinstance(found, str):
            yield f"{level} is left out: {found}"
        elif doubt := _doubt(body := Mask(found, whole.geometry, level.name)):
            yield f"{level} is left out: {doubt}"
        else:
            if deeper_than_a_body(place := place_of(body), level):
                yield f"{level}: {place.depth:.0f} mm from front to back are many for its level"
            if 1 - body.n_voxels / whole.n_voxels < LEAST_BEHIND:
                yield f"{level}: nearly all of it is body; does the map hold bodies already?"
            yield ProposedBody(level, label.segment.label, whole, body)


def _doubt(body: Mask) -> str:
    if not body.n_voxels:
        return "none of it is body"
    place = place_of(body)
    if deeper_than_a_body(place, None):
        return f"it would reach {place.depth:.0f} mm from front to back, more than a body does"
    return ""


def _in_front(wall: CanalWall, whole: Mask) -> Flags | str:
    passed = wall.passes(whole.array)
    if passed < LEAST_ROWS:
        return f"the canal passes {percent(passed, 0)} of its rows"
    return wall.in_front(whole.array)


def _bodies_of(file: Path, scheme: Scheme, grid: Geometry, orientation: str | None) -> Flags:
    """What the file of parts that belongs to a scheme calls body."""
    if not scheme.parts:
        belong = [each.name for each in SCHEMES.values() if each.parts]
        raise DataError(
            f"{file.name}: no file of parts belongs to label maps of {scheme.name}.",
            remedy=f"Those of {', '.join(belong)} have one.",
            code="no-parts",
            file=file,
        )
    of_parts = SCHEMES[scheme.parts]
    numbers = of_parts.labels_of("body", "bodies")
    read = read_labels(file, orientation, grid)
    found = [each for each in label_map_of(read, file.name).labels if each.place]
    strange = [n for each in found if not of_parts.structure(n := each.segment.label)]
    bodies = [each for each in found if each.segment.label in numbers]
    if not bodies or len(strange) > len(found) / 2:
        held = ", ".join(str(each.segment.label) for each in found) or "nothing"
        raise DataError(
            f"{file.name}: expected parts as of {of_parts.title}, with bodies as "
            f"{' and '.join(map(str, numbers))}; found the labels {held}.",
            remedy="Give the other file of the same run.",
            code="no-parts",
            file=file,
        )
    return _placed(read, bodies, grid).array
