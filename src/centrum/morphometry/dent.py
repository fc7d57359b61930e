"""What is missing from the height of a body: how much, where, how broad; node or compression.

A Schmorl node is a pit of the end plate, no loss of height of the body. It is told from a
compression by five properties, all of which it must have: deep, narrow, central, in one end plate,
and in few slices. In doubt a dent counts as compression.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from centrum.arrays import Flags, Floats
from centrum.morphometry.profile import PROFILE, STEP, HeightProfile
from centrum.records import as_json, fields_of

HELD = 0.12
"""A loss counts as far as it is held over this share of the depth, four to five pixels of 0.9 mm:
less is a notch of a contour. In healthy bodies the outline alone dips by up to 21 % of the height
expected from the neighbours, held over 12 % of the depth by up to 17 %."""

NODE_DEPTH_MM = 2.5
"""A node is deeper than this below its rim, a choice of ours: end plates are drawn to about a
pixel, and healthy ones are uneven by 1 to 2 mm."""

CENTRAL = (1 / 3, 2 / 3)
"""A node is deepest in the middle third of the depth, as are 64 % of 511 nodes of 240 spines (Dar
et al., Eur Spine J 19 (2010) 670). Broken end plates are deepest before it, between 20 and 40 % of
the depth in 45 % and further in front in 20 % (Wang et al., Chin Med J 133 (2020) 2696)."""

NODE_WIDTH = 0.5
"""A node takes less than this share of the depth of the body at half its own depth, our choice: a
node of 10 mm takes 30 %, an end plate that sinks from rim to rim as a parabola 71 %."""

NODE_PLATE = 2 / 3
"""Share of a node that one end plate makes up at least, twice as much as the other: our choice."""

NODE_ACROSS = 0.6
"""Share of the slabs across the body that a node takes less of, at half its depth. A pit as wide as
from front to back, 10 mm, takes 30 %; a compression runs to the sides, and as a dish that sinks
from rim to rim takes 89 %: our choice lies between."""

MAX_NODES = 4
"""More are not looked for in one body: two end plates, and two nodes in each."""


@dataclass(frozen=True, eq=False)
class Dent:
    """Where most height is missing, and how much, between the rims on either side.

    Attributes
    ----------
    at : the deepest place, in shares of the depth from the front
    depth : below the line between the rims, mm
    width : at half of that depth, along the depth of the body, mm
    share : the same of the depth of the body
    area : below the line between the rims, mm2
    plate : which end plate makes up most of it, "upper" or "lower"
    plate_share : of the depth of the dent that this end plate makes up
    across : share of the slabs across the body in which it is at least half as deep
    line : heights that the line between the rims leaves missing, mm, shape (n,)
    """

    at: float
    depth: float
    width: float
    share: float
    area: float
    plate: str
    plate_share: float
    across: float
    line: Floats = field(repr=False)

    @property
    def is_node(self) -> bool:
        """Whether it has all properties of a Schmorl node."""
        return (
            self.depth > NODE_DEPTH_MM
            and CENTRAL[0] <= self.at <= CENTRAL[1]
            and self.share < NODE_WIDTH
            and self.plate_share > NODE_PLATE
            and self.across < NODE_ACROSS
        )


@as_json.register
def _(dent: Dent) -> dict[str, Any]:
    return {name: value for name, value in fields_of(dent).items() if name != "line"}


def held(loss: Floats) -> float:
    """The greatest loss that is held over `HELD` of the depth; beyond the ends it goes on.

    >>> notch = np.where(np.abs(PROFILE - 0.4) < 0.03, 0.3, 0.1)
    >>> round(held(notch), 2), round(held(np.where(PROFILE < 0.2, 0.3, 0.1)), 2)
    (0.1, 0.3)
    """
    return float(_opened(loss).max())


def held_at(loss: Floats) -> float:
    """Where most is lost within the stretch that holds it, in shares of the depth from the front.

    >>> round(held_at(0.3 - np.abs(PROFILE - 0.31)), 2)
    0.31
    """
    opened = _opened(loss)
    return float(PROFILE[np.argmax(np.where(opened == opened.max(), loss, -np.inf))])


def half_about(loss: Floats, at: float) -> Flags:
    """The stretch about a place in which at least half of its loss is lost, shape (n,)."""
    place = int(np.argmin(np.abs(PROFILE - at)))
    return _about(loss >= loss[place] / 2, place)


def _opened(loss: Floats) -> Floats:
    from scipy.ndimage import grey_opening

    n = round(HELD / STEP)
    return np.asarray(grey_opening(np.pad(loss, n, mode="edge"), n)[n:-n])


def nodes(profile: HeightProfile, expected: Floats, depth: float) -> tuple[Dent, ...]:
    """The nodes of a body, the deepest first: each is looked for with those before it filled.

    Parameters
    ----------
    expected : heights without a fracture at the places of `PROFILE`, mm
    depth : of the body, mm
    """
    found: list[Dent] = []
    missing = expected - profile.heights
    while len(found) < MAX_NODES:
        one = dent(profile, expected, depth, filled(missing, found))
        if not one.is_node:
            break
        found.append(one)
    return tuple(found)


def filled(missing: Floats, pits: Sequence[Dent]) -> Floats:
    """Heights that are missing when nodes are filled to the lines between their rims, mm."""
    return np.min([missing, *(pit.line for pit in pits)], axis=0)


def side_loss(profile: HeightProfile, expected: Floats) -> tuple[float, float]:
    """The greatest loss of the mean height to the left and to the right, nan where not known.

    The mean is over the slabs beside the middle one, where most of those of a side have a height.
    """
    loss = 1 - profile.sides / expected
    return _mean_loss(loss[profile.aside > 0]), _mean_loss(loss[profile.aside < 0])


def _mean_loss(loss: Floats) -> float:
    known = np.isfinite(loss).sum(axis=0) > len(loss) / 2
    return held(np.nanmean(loss[:, known], axis=0)) if known.any() else np.nan


def dent(profile: HeightProfile, expected: Floats, depth: float, missing: Floats) -> Dent:
    """The dent about the place where the greatest share of the height is missing.

    Parameters
    ----------
    expected : heights without a fracture at the places of `PROFILE`, mm
    depth : of the body, mm
    missing : heights that are missing there, mm
    """
    first, last = _rims(missing, expected)
    line = _chord(missing, first, last)
    below = missing - line
    deepest = int(np.argmax(below))
    half = _about(below >= below[deepest] / 2, deepest)
    plate, plate_share = _plate(profile, expected, (first, deepest, last))
    return Dent(
        at=float(PROFILE[deepest]),
        depth=float(below[deepest]),
        width=float(np.count_nonzero(half) * STEP * depth),
        share=float(np.count_nonzero(half) * STEP),
        area=float(below.sum() * STEP * depth),
        plate=plate,
        plate_share=plate_share,
        across=_across(expected - profile.sides, half),
        line=line,
    )


def _rims(missing: Floats, expected: Floats) -> tuple[int, int]:
    """Where least is missing before and behind the place of the greatest loss."""
    peak = int(np.argmax(missing / expected))
    before, behind = missing[: peak + 1], missing[peak:]
    return int(peak - np.argmin(before[::-1])), int(peak + np.argmin(behind))


def _chord(values: Floats, first: int, last: int) -> Floats:
    """The line between two places, and the values themselves outside."""
    out = values.copy()
    out[first : last + 1] = np.linspace(values[first], values[last], last + 1 - first)
    return out


def _about(flags: Flags, place: int) -> Flags:
    """The stretch of set flags that holds a place."""
    gaps = np.flatnonzero(~flags)
    before, behind = gaps[gaps < place], gaps[gaps > place]
    index = np.arange(len(flags))
    low = before[-1] if before.size else -1
    high = behind[0] if behind.size else len(flags)
    return np.asarray((index > low) & (index < high))


def _plate(
    profile: HeightProfile, expected: Floats, places: tuple[int, int, int]
) -> tuple[str, float]:
    """Which end plate makes up most of a dent, and its share; normal hollows do not count."""
    first, deepest, last = places
    hollow = (_chord(expected, first, last) - expected)[deepest] / 2
    upper = (_chord(profile.top, first, last) - profile.top)[deepest] - hollow
    lower = (profile.bottom - _chord(profile.bottom, first, last))[deepest] - hollow
    sizes = np.maximum([upper, lower], 0)
    share = sizes.max() / sizes.sum() if sizes.any() else 0.5
    return ("upper", "lower")[int(np.argmax(sizes))], float(share)


def _across(missing: Floats, half: Flags) -> float:
    """Share of the slabs across the body in which a dent is at least half as deep as in the middle.

    It is followed from slab to slab, for it may run obliquely, and is contiguous about the middle.
    The share is 1 where it runs out at a side of the body: a node ends within.

    Parameters
    ----------
    missing : heights that are missing in each slab, mm, shape (k, n)
    half : places of the dent in the middle slab, shape (n,)
    """
    middle, wide = len(missing) // 2, int(np.count_nonzero(half))
    depths = np.full(len(missing), np.nan)
    for slabs in (range(middle, len(missing)), range(middle, -1, -1)):
        place = int(np.flatnonzero(half).mean())
        for k in slabs:
            depths[k], place = _followed(missing[k], place, wide)
    known = np.isfinite(depths)
    stretch = _about(~(depths < depths[middle] / 2), middle)[known]
    return 1.0 if stretch.size == 0 or stretch[0] or stretch[-1] else float(stretch.mean())


def _followed(missing: Floats, place: int, wide: int) -> tuple[float, int]:
    """Depth of a dent in a slab, mm, from rims its width away, and its place near a given one."""
    known = np.flatnonzero(np.isfinite(missing))
    near = known[np.abs(known - place) <= wide / 2]
    if near.size == 0:
        return np.nan, place
    first, last = np.clip([near - wide, near + wide], known[0], known[-1])
    share = (near - first) / np.maximum(last - first, 1)
    depths = missing[near] - (1 - share) * missing[first] - share * missing[last]
    deepest = int(np.argmax(depths))
    return float(depths[deepest]), int(near[deepest])
