"""How much height a vertebral body has lost, and in which shape.

Genant et al., J Bone Miner Res 8 (1993) 1137: loss of anterior, middle or posterior height below
20 % is no fracture, to 25 % grade 1, to 40 % grade 2, from 40 % grade 3. A loss is relative to a
height that is expected, and a grade means little without saying where that comes from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from centrum.arrays import Floats
from centrum.cohort.levels import Level
from centrum.morphometry.body import Morphometry
from centrum.morphometry.dent import (
    CENTRAL,
    Dent,
    filled,
    half_about,
    held,
    held_at,
    nodes,
    side_loss,
)
from centrum.morphometry.normal import (
    ANTERIOR_TO_POSTERIOR,
    MIDDLE_TO_POSTERIOR,
    Size,
    normal_profile,
    normal_size,
)
from centrum.morphometry.profile import PROFILE, STEP, THREE
from centrum.records import as_json, fields_of
from centrum.text import percent

GRADES = (0.20, 0.25, 0.40)
"""Loss of height from which a body has grade 1, 2 and 3."""

CRUSH_SHARE = 2 / 3
"""A body is crushed when its posterior wall lost this share of the greatest loss, a choice of
ours; Genant's figures show all of the wall lowered."""

SIDE_LOSS = GRADES[1]
"""Loss to one side from which that is said; healthy bodies reach grade 1 there."""

Heights = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Genant:
    """Grade and type of a vertebral fracture, from heights and what they are compared with.

    Attributes
    ----------
    grade : 0 to 3, from the heights along the whole depth, without nodes
    kind : "wedge", "biconcave" or "crush", "" for grade 0
    greatest_loss : share of the height that is missing where most is, held over 12 % of the depth
    loss_at : where that is, in shares of the depth from the front
    loss_width : along the depth about that place with at least half of that loss, mm
    loss_area : of all height that is missing between 12 and 88 % of the depth, mm2
    side_loss : the greatest loss of the mean height to the left and to the right of the middle
    nodes : Schmorl nodes, filled before the grade was taken
    heights_grade : 0 to 3, from the three heights alone
    loss : share of the anterior, middle and posterior height that is missing
    expected : the three heights without a fracture, mm
    reference : where the expected heights come from
    notes : what to keep in mind when reading the grade
    """

    grade: int
    kind: str
    greatest_loss: float
    loss_at: float
    loss_width: float
    loss_area: float
    side_loss: tuple[float, float]
    nodes: tuple[Dent, ...]
    heights_grade: int
    loss: Heights
    expected: Heights
    reference: str
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """What took the height: "compression", "node", both, or "" for neither."""
        found = ("compression",) * bool(self.grade) + ("node",) * bool(self.nodes)
        return " and ".join(found)


@as_json.register
def _(found: Genant) -> dict[str, Any]:
    return {**fields_of(found), "verdict": found.verdict}


def genant(body: Morphometry, normal_neighbours: Sequence[Morphometry] = ()) -> Genant:
    """Grade a body against its neighbours, else healthy bodies of its level, else its own back.

    The neighbours' mean is scaled by the ratio of healthy bodies of the two levels, where both are
    known. Healthy bodies of the level are scaled by the depth of the body, which a fracture hardly
    changes.

    Parameters
    ----------
    normal_neighbours : adjacent bodies that are known to be whole
    """
    wanted, reference, notes = _expected(body, normal_neighbours)
    heights = wanted[[*THREE]]
    three = 1 - np.array(body.heights) / heights
    pits = nodes(body.profile, wanted, body.depth)
    missing = filled(wanted - body.profile.heights, pits)
    loss = missing / wanted
    greatest, at = held(loss), held_at(loss)
    grade = grade_of(greatest)
    sides = side_loss(body.profile, wanted)
    return Genant(
        grade=grade,
        kind=kind_of(loss) if grade else "",
        greatest_loss=greatest,
        loss_at=at,
        loss_width=float(np.count_nonzero(half_about(loss, at)) * STEP * body.depth),
        loss_area=float(np.maximum(missing, 0).sum() * STEP * body.depth),
        side_loss=sides,
        nodes=pits,
        heights_grade=grade_of(three.max()),
        loss=_triple(three),
        expected=_triple(heights),
        reference=reference,
        notes=(
            *notes,
            *map(_node_note, pits),
            *_disagreement(greatest, at, three),
            *_to_the_side(grade, sides),
        ),
    )


def grade_of(loss: float) -> int:
    """Genant's grade of a loss of height.

    >>> [grade_of(loss) for loss in (0.19, 0.2, 0.25, 0.4)]
    [0, 1, 2, 3]
    """
    return int(np.searchsorted(GRADES, loss, side="right"))


def has_grade(level: Level | None) -> bool:
    """Whether Genant's grades mean anything at a level; C1, C2 and the sacrum have other shapes.

    >>> [has_grade(Level.parse(name)) for name in ("C2", "C3", "L5", "S1")]
    [False, True, True, False]
    """
    return level is None or Level("C", 2) < level < Level("S", 1)


def kind_of(loss: Floats) -> str:
    """The shape that goes with losses of height at the places of `PROFILE`, shape (n,).

    >>> from centrum.morphometry.profile import PLACES
    >>> [kind_of(np.interp(PROFILE, PLACES, loss)) for loss in ((0.4, 0.25, 0.1), (0.2, 0.4, 0.2))]
    ['wedge', 'biconcave']
    >>> kind_of(np.interp(PROFILE, PLACES, (0.4, 0.4, 0.3)))
    'crush'
    """
    if loss[-1] >= CRUSH_SHARE * held(loss):
        return "crush"
    central = np.abs(PROFILE - np.mean(CENTRAL)) <= np.ptp(CENTRAL) / 2
    return "biconcave" if loss[central].max() > loss[0] else "wedge"


def _expected(
    body: Morphometry, neighbours: Sequence[Morphometry]
) -> tuple[Floats, str, tuple[str, ...]]:
    """Heights without a fracture at the places of `PROFILE`, where from, and notes on them."""
    normal = normal_size(body.level)
    if neighbours:
        names = ", ".join(neighbour.title for neighbour in neighbours)
        return _by_neighbours(normal, neighbours), f"neighbours {names}", ()
    if normal and body.level:
        wanted = normal_profile(normal.heights) * body.depth / normal.depth
        note = "healthy bodies of one depth differ by about 8 %: grade 1 is uncertain"
        return wanted, f"healthy {body.level.name} of the same depth", (note,)
    ratios = (ANTERIOR_TO_POSTERIOR, MIDDLE_TO_POSTERIOR, 1.0)
    note = "a crushed body cannot be told without neighbours or normal sizes of its level"
    return normal_profile(ratios) * body.posterior, "own posterior height", (note,)


def _by_neighbours(normal: Size | None, neighbours: Sequence[Morphometry]) -> Floats:
    scaled = [one.profile.heights * _ratio(normal, normal_size(one.level)) for one in neighbours]
    return np.asarray(np.mean(scaled, axis=0))


def _ratio(normal: Size | None, other: Size | None) -> Floats | float:
    """Of healthy bodies of two levels along the depth, 1 where either is not known."""
    if normal is None or other is None:
        return 1.0
    return normal_profile(normal.heights) / normal_profile(other.heights)


def _node_note(pit: Dent) -> str:
    return (
        f"Schmorl node of the {pit.plate} end plate at {percent(pit.at, 0)} of the depth, "
        f"{pit.depth:.1f} mm deep and {pit.width:.1f} mm wide: not graded"
    )


def _disagreement(greatest: float, at: float, three: Floats) -> Iterator[str]:
    """Where the whole depth and the three heights give different grades."""
    grade, by_three = grade_of(greatest), grade_of(three.max())
    if grade != by_three:
        yield (
            f"grade {by_three} by the three heights ({percent(max(0.0, three.max()), 0)}), grade "
            f"{grade} by the whole depth ({percent(max(0.0, greatest), 0)}, most at "
            f"{percent(at, 0)} of it)"
        )


def _to_the_side(grade: int, sides: tuple[float, float]) -> Iterator[str]:
    for side, loss in zip(("left", "right"), sides, strict=True):
        if loss >= SIDE_LOSS and grade_of(loss) > grade:
            yield f"the {side} side lost {percent(loss, 0)}, which would be grade {grade_of(loss)}"


def _triple(heights: Floats) -> Heights:
    anterior, middle, posterior = (float(height) for height in heights)
    return anterior, middle, posterior
