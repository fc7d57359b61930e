"""Which schemes a label map cannot tell apart: found by reading a spine of each as of each other.

The spine is a straight one of usual sizes, written with all that a scheme has: vertebrae, discs,
sacrum, canal. Where order, discs, canal, sacrum and sizes contradict no other scheme, nothing but
the user's word says which one it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from centrum.cohort.anatomy import RegionPlace
from centrum.cohort.label_map import Label, LabelMap
from centrum.cohort.levels import Level
from centrum.cohort.schemes import SCHEMES, SPINE, Scheme
from centrum.io import Segment

VIEWS = {
    "cervical": ("C2", "T3"),
    "thoracic": ("T3", "T11"),
    "lumbar": ("T11", "L5"),
}
"""First and last vertebra in view; a lumbar view has the sacrum too."""

SIZES = {"C": (18.0, 14.0), "T": (27.0, 30.0), "L": (37.0, 65.0)}
"""Distance to the next vertebra (mm) and volume with posterior elements (mL), by region."""

UPPER_THORACIC = (22.0, 22.0)
"""The same of T1 to T6, which are smaller."""


@dataclass(frozen=True)
class Confusable:
    """A label map of one scheme that another one fits, with other levels.

    Attributes
    ----------
    true, read : of the map, and the other one
    view : part of the spine
    alone : whether that needs a map without discs, sacrum and canal
    level, read_as : a vertebra, and what it would be taken for
    """

    true: Scheme
    read: Scheme
    view: str
    alone: bool
    level: Level
    read_as: str


@cache
def confusable() -> tuple[Confusable, ...]:
    """All pairs of schemes of which a map of the first can be read as one of the second.

    Of a pair and view the map with all that its scheme has, else the one of vertebrae alone.
    """
    return tuple(
        found
        for true in SCHEMES.values()
        for view in VIEWS
        for read in SCHEMES.values()
        if true.levels and read.levels and true is not read
        if (found := _confused(true, read, view) or _confused(true, read, view, alone=True))
    )


def not_told_from(scheme: Scheme) -> tuple[Scheme, ...]:
    """Other schemes that would fit some label map of a scheme, with the same levels or others.

    >>> [other.name for other in not_told_from(SCHEMES["mrspineseg"])]
    ['totalsegmentator-vertebrae-mr', 'spider']
    """
    alike = {other.name for other in of_same_numbers(scheme)}
    alike |= {found.read.name for found in confusable() if found.true is scheme}
    return tuple(other for name, other in SCHEMES.items() if name in alike)


def of_same_numbers(scheme: Scheme) -> tuple[Scheme, ...]:
    """Other schemes in which all vertebrae of a usual spine have the same numbers."""
    own = _usual(scheme)
    others = (other for other in SCHEMES.values() if other is not scheme and other.levels)
    return tuple(other for other in others if own and own.items() <= _usual(other).items())


def _usual(scheme: Scheme) -> dict[int, Level]:
    return {n: level for n, level in scheme.levels.items() if level.name in SPINE}


def _confused(true: Scheme, read: Scheme, view: str, *, alone: bool = False) -> Confusable | None:
    """Whether a map can be read so, and the first vertebra that is then another."""
    found = spine_of(true, view, alone=alone)
    if found is None or found.against(read):
        return None
    for label in found.labels:
        number = label.segment.label
        if label.level and read.structure(number) != label.level.name:
            return Confusable(true, read, view, alone, label.level, read.structure(number))
    return None


def spine_of(scheme: Scheme, view: str, *, alone: bool = False) -> LabelMap | None:
    """A spine as a map of a scheme; None where the scheme lacks one of the vertebrae.

    `alone` leaves out discs, sacrum and canal.
    """
    first, last = VIEWS[view]
    levels = [Level.parse(name) for name in SPINE[SPINE.index(first) : SPINE.index(last) + 1]]
    numbers = {level: number for number, level in scheme.levels.items()}
    if not numbers.keys() >= {*levels}:
        return None
    labels = [*_labels(scheme, levels, numbers)]
    if alone:
        labels = [each for each in labels if each.level]
    return LabelMap(f"{scheme.name}.nii.gz", scheme, tuple(labels))


def _labels(scheme: Scheme, levels: list[Level], numbers: Mapping[Level, int]) -> Iterator[Label]:
    """From head to foot, from height 0 downwards."""
    discs = {level: number for number, level in scheme.discs.items()}
    height = 0.0
    for level in levels:
        pitch, volume = _size(level)
        height -= pitch / 2
        yield _made(numbers[level], level, "", (height, pitch * 0.7), volume)
        height -= pitch / 2
        if level in discs:
            yield _made(discs[level], None, f"disc {level}", (height, 6.0), 8.0)
    for number in scheme.labels_of("sacrum")[:1] if levels[-1].letter == "L" else ():
        yield _made(number, None, "sacrum", (height - 45.0, 90.0), 200.0)
    for number in scheme.labels_of("canal")[:1]:
        yield _made(number, None, "canal", (height / 2, -height), 30.0)


def _size(level: Level) -> tuple[float, float]:
    upper = level.letter == "T" and level.number <= 6
    return UPPER_THORACIC if upper else SIZES[level.letter]


def _made(
    number: int, level: Level | None, beside: str, place: tuple[float, float], volume: float
) -> Label:
    """A label at a height with an extent towards head and foot, mm."""
    height, tall = place
    span = height - tall / 2, height + tall / 2
    segment = Segment(str(number), number, 0, 1)
    return Label(segment, level, beside, RegionPlace((0.0, 0.0, height), volume, 50.0, span))
