"""All vertebral bodies of one exam: each finds its axis and its reference in the others."""

from collections.abc import Iterator, Sequence

import numpy as np

from centrum.arrays import Floats
from centrum.cohort.anatomy import SpinalColumn, place_of
from centrum.errors import CentrumError, DataError, GeometryError
from centrum.morphometry.body import Morphometry, level_of, measure_body
from centrum.morphometry.genant import Genant, genant, has_grade
from centrum.volume import Mask, bounding_box

NEAR_MM = 90.0
"""Bodies whose centres are further apart are no neighbours: one level may be missing, not two."""


Graded = tuple[Morphometry, Genant | None]


def measure_spine(masks: Sequence[Mask], fractured: Sequence[str] = ()) -> tuple[Graded, ...]:
    """Measure and grade the bodies of one exam, from head to foot.

    Those that get a grade or have a node, are cut by the edge of the image, or are named, are no
    reference for others: the nearest whole body on either side is. C1, C2, the sacrum and bodies
    that are cut get no grade.

    Parameters
    ----------
    masks : one per body, on one grid
    fractured : names of bodies that are known not to be whole

    Raises
    ------
    DataError
        There is no mask, a mask is empty or too small, a name is not among them or is there
        twice, or the levels that the names say contradict the anatomy.
    GeometryError
        The masks are on different grids.
    """
    bodies, failures = measure_each(masks, fractured)
    for error in failures.values():
        raise error
    return bodies


def measure_each(
    masks: Sequence[Mask], fractured: Sequence[str] = ()
) -> tuple[tuple[Graded, ...], dict[str, CentrumError]]:
    """As `measure_spine`; a body that cannot be measured does not stop the others.

    Returns
    -------
    tuple
        The bodies, and by the name of its mask why one is not among them. It still shows its
        neighbours where the head is, and is no reference for them.
    """
    failures: dict[str, CentrumError] = {
        mask.name: DataError(f"The mask {mask.name!r} is empty: there is no body to measure.")
        for mask in masks
        if not mask.array.any()
    }
    _check(masks, [mask for mask in masks if mask.name not in failures], fractured)
    bodies = []
    for mask, upwards in _from_head_to_foot([m for m in masks if m.name not in failures]):
        try:
            bodies.append(measure_body(mask, upwards))
        except CentrumError as error:
            failures[mask.name] = error
    return _compared(bodies, fractured), failures


def _from_head_to_foot(masks: Sequence[Mask]) -> Iterator[tuple[Mask, Floats | None]]:
    """The masks in their order, each with the direction towards the head."""
    centres = [_centre(mask) for mask in masks]
    order = np.argsort([-centre[2] for centre in centres])
    column = [centres[k] for k in order]
    for place, k in enumerate(order):
        yield masks[k], _towards_head(column, place)


def _compared(bodies: Sequence[Morphometry], fractured: Sequence[str]) -> tuple[Graded, ...]:
    """Each with its grade, which tells those that are whole, and then against these alone."""
    whole = [has_grade(b.level) and not (b.cut or b.name in fractured) for b in bodies]
    first = _graded(bodies, whole)
    whole = [w and not (found and found.verdict) for w, found in zip(whole, first, strict=True)]
    return tuple(zip(bodies, _graded(bodies, whole), strict=True))


def _graded(bodies: Sequence[Morphometry], whole: Sequence[bool]) -> list[Genant | None]:
    return [
        genant(body, _nearest(bodies, whole, k)) if has_grade(body.level) and not body.cut else None
        for k, body in enumerate(bodies)
    ]


def _check(masks: Sequence[Mask], filled: Sequence[Mask], fractured: Sequence[str]) -> None:
    if not masks:
        raise DataError("There is no mask of a vertebral body to measure.")
    for mask in masks:
        if not mask.geometry.same_grid(masks[0].geometry):
            raise GeometryError(f"Masks {masks[0].name!r} and {mask.name!r} are on other grids.")
    known = {level: place_of(mask) for mask in filled if (level := level_of(mask.name))}
    column = SpinalColumn(known)
    if why := column.contradiction() or column.unusual_size():
        raise DataError(
            f"The levels contradict the anatomy: {why}.",
            remedy="Check the names of the segments, and which way up the file is.",
            code="levels-contradict-anatomy",
        )
    if unknown := set(fractured) - {mask.name for mask in masks}:
        names = ", ".join(mask.name for mask in masks)
        raise DataError(f"There is no body named {', '.join(sorted(unknown))}; there are {names}.")


def _centre(mask: Mask) -> Floats:
    box = bounding_box(mask.array)
    index = np.argwhere(mask.array[box]).mean(axis=0) + [span.start for span in box]
    return mask.geometry.position(index[::-1])


def _towards_head(column: Sequence[Floats], place: int) -> Floats | None:
    """Along the line through the nearest bodies above and below, or through one and the body."""
    here = column[place]
    above, below = (
        column[k] if 0 <= k < len(column) and np.linalg.norm(column[k] - here) < NEAR_MM else here
        for k in (place - 1, place + 1)
    )
    return above - below if np.any(above != below) else None


def _nearest(bodies: Sequence[Morphometry], whole: Sequence[bool], place: int) -> list[Morphometry]:
    """The nearest whole body above and the nearest below, where they are near enough."""
    found = []
    for side in (range(place - 1, -1, -1), range(place + 1, len(bodies))):
        k = next((k for k in side if whole[k]), None)
        apart = bodies[k].frame.centre - bodies[place].frame.centre if k is not None else np.inf
        if k is not None and np.linalg.norm(apart) < NEAR_MM:
            found.append(bodies[k])
    return found
