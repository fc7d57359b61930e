"""How much height a vertebral body has lost, and in which shape.

Genant et al., J Bone Miner Res 8 (1993) 1137: loss of anterior, middle or posterior height below
20 % is no fracture, to 25 % grade 1, to 40 % grade 2, from 40 % grade 3. A loss is relative to a
height that is expected, and a grade means little without saying where that comes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from centrum.cohort.levels import Level
from centrum.morphometry.body import Morphometry
from centrum.morphometry.normal import (
    ANTERIOR_TO_POSTERIOR,
    MIDDLE_TO_POSTERIOR,
    Size,
    normal_size,
)

GRADES = (0.20, 0.25, 0.40)
"""Loss of height from which a body has grade 1, 2 and 3."""

CRUSH_SHARE = 2 / 3
"""A body is crushed when its posterior wall lost this share of the greatest loss, a choice of
ours; Genant's figures show all of the wall lowered."""

Heights = tuple[float, float, float]


@dataclass(frozen=True)
class Genant:
    """Grade and type of a vertebral fracture, from heights and what they are compared with.

    Attributes
    ----------
    grade : 0 to 3
    kind : "wedge", "biconcave" or "crush", "" for grade 0
    loss : share of the anterior, middle and posterior height that is missing
    expected : the heights without a fracture, mm
    reference : where the expected heights come from
    notes : what to keep in mind when reading the grade
    """

    grade: int
    kind: str
    loss: Heights
    expected: Heights
    reference: str
    notes: tuple[str, ...] = ()


def genant(body: Morphometry, normal_neighbours: Sequence[Morphometry] = ()) -> Genant:
    """Grade a body against its neighbours, else healthy bodies of its level, else its own back.

    The neighbours' mean is scaled by the ratio of healthy bodies of the two levels, where both are
    known. Healthy bodies of the level are scaled by the depth of the body, which a fracture hardly
    changes.

    Parameters
    ----------
    normal_neighbours : adjacent bodies that are known to be whole
    """
    expected, reference, notes = _expected(body, normal_neighbours)
    loss = [float(1 - found / wanted) for found, wanted in zip(body.heights, expected, strict=True)]
    grade = int(np.searchsorted(GRADES, max(loss), side="right"))
    return Genant(
        grade=grade,
        kind=kind_of(loss) if grade else "",
        loss=(loss[0], loss[1], loss[2]),
        expected=expected,
        reference=reference,
        notes=notes,
    )


def has_grade(level: Level | None) -> bool:
    """Whether Genant's grades mean anything at a level; C1, C2 and the sacrum have other shapes.

    >>> [has_grade(Level.parse(name)) for name in ("C2", "C3", "L5", "S1")]
    [False, True, True, False]
    """
    return level is None or Level("C", 2) < level < Level("S", 1)


def kind_of(loss: Sequence[float]) -> str:
    """The shape that goes with a loss of anterior, middle and posterior height.

    >>> [kind_of(loss) for loss in ((0.4, 0.25, 0.1), (0.2, 0.4, 0.2), (0.4, 0.4, 0.3))]
    ['wedge', 'biconcave', 'crush']
    """
    anterior, middle, posterior = loss
    if posterior >= CRUSH_SHARE * max(loss):
        return "crush"
    return "biconcave" if middle > anterior else "wedge"


def _expected(
    body: Morphometry, neighbours: Sequence[Morphometry]
) -> tuple[Heights, str, tuple[str, ...]]:
    normal = normal_size(body.level)
    if neighbours:
        names = ", ".join(neighbour.title for neighbour in neighbours)
        return _by_neighbours(normal, neighbours), f"neighbours {names}", ()
    if normal and body.level:
        wanted = _triple(np.array(normal.heights) * body.depth / normal.depth)
        note = "healthy bodies of one depth differ by about 8 %: grade 1 is uncertain"
        return wanted, f"healthy {body.level.name} of the same depth", (note,)
    ratios = np.array([ANTERIOR_TO_POSTERIOR, MIDDLE_TO_POSTERIOR, 1.0])
    note = "a crushed body cannot be told without neighbours or normal sizes of its level"
    return _triple(ratios * body.posterior), "own posterior height", (note,)


def _by_neighbours(normal: Size | None, neighbours: Sequence[Morphometry]) -> Heights:
    scaled = []
    for neighbour in neighbours:
        other = normal_size(neighbour.level)
        ratio = np.divide(normal.heights, other.heights) if normal and other else 1.0
        scaled.append(np.array(neighbour.heights) * ratio)
    return _triple(np.mean(scaled, axis=0))


def _triple(heights: Any) -> Heights:
    anterior, middle, posterior = (float(height) for height in heights)
    return anterior, middle, posterior
