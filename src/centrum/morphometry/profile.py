"""The height of a vertebral body along its whole depth, in the middle and to the sides."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.morphometry.sagittal import SLAB_MM, BodyOutline, Frame, Slab
from centrum.records import as_json
from centrum.volume import Mask

PLACES = (0.12, 0.50, 0.88)
"""Where the anterior, middle and posterior height are taken, in shares of the depth from the
front: inside the rounded corners. The profile runs from the first to the last: in healthy bodies
the corners take 2 % of the height at 8 and 92 % of the depth and 12 to 15 % at 2 and 98 %, and
beyond the outer heights there is nothing to expect a height from."""

PROFILE = np.linspace(PLACES[0], PLACES[-1], 77)
"""Shares of the depth at which the profile is given: each per cent."""

STEP = float(PROFILE[1] - PROFILE[0])
"""Between places of the profile, in shares of the depth."""

THREE = tuple(round((place - PLACES[0]) / STEP) for place in PLACES)
"""Where the three heights stand in the profile."""

HALF_WIDTH = 0.02
"""Each height is the mean over this share of the depth on either side."""

WALL_SHARE = 0.8
"""Depth is measured over this share of the height, so that lips at the corners do not count."""

BESIDE = 0.8
"""Share of the width, about its middle, in which heights are taken: further out the body is round,
and a voxel there is part body."""


@dataclass(frozen=True, eq=False)
class HeightProfile:
    """Heights of a body at each place of `PROFILE`, n of them from the front to the back.

    Attributes
    ----------
    top, bottom : end plates in the mid-sagittal slab along the axis, mm, shape (n,)
    aside : how far to the patient's left of the middle the slabs lie, mm, shape (k,)
    sides : heights in these slabs, mm, shape (k, n); nan where the body there ends
    """

    top: Floats
    bottom: Floats
    aside: Floats
    sides: Floats

    @cached_property
    def heights(self) -> Floats:
        """In the mid-sagittal slab, mm, shape (n,)."""
        return self.top - self.bottom

    @property
    def lowest(self) -> float:
        """Least height in the mid-sagittal slab, mm."""
        return float(self.heights.min())

    @property
    def lowest_at(self) -> float:
        """Where that is, in shares of the depth from the front."""
        return float(PROFILE[self.heights.argmin()])


@as_json.register
def _(profile: HeightProfile) -> dict[str, Any]:
    return {
        "depth_percent": as_json(np.round(100 * PROFILE)),
        "height_mm": as_json(profile.heights),
        "aside_mm": as_json(profile.aside),
        "height_aside_mm": as_json(profile.sides),
    }


def measure_profile(mask: Mask, slab: Slab, frame: Frame, outline: BodyOutline) -> HeightProfile:
    """The profile of a body whose mid-sagittal slab, frame and outline are known."""
    ends = outline.walls(WALL_SHARE)
    top, bottom = _plates(outline, ends)
    aside = _stations(slab.width)
    sides = np.array([_beside(mask, float(mm), frame, ends) for mm in aside])
    return HeightProfile(top, bottom, aside, sides)


def _plates(outline: BodyOutline, ends: tuple[float, float]) -> tuple[Floats, Floats]:
    front, back = ends
    places = front - (front - back) * PROFILE
    half = HALF_WIDTH * (front - back)
    top, bottom = np.array([outline.plates(at, half) for at in places]).T
    return top, bottom


def _stations(width: float) -> Floats:
    """Middles of the slabs that fit into the part of the width that counts, mm from the middle."""
    n = max(int((BESIDE * width - SLAB_MM) / 2 // SLAB_MM), 0)
    return np.asarray(np.arange(-n, n + 1) * SLAB_MM, dtype=float)


def _beside(mask: Mask, aside: float, frame: Frame, ends: tuple[float, float]) -> Floats:
    """Heights in a slab at the places of the middle one, nan outside its own profile.

    Outside is further than half a step: equal ends, told apart by rounding alone, are inside.
    """
    try:
        outline = Slab(mask, aside).outline(frame)
    except DataError:  # the region has no body there
        return np.full(PROFILE.shape, np.nan)
    top, bottom = _plates(outline, ends)
    (front, back), own = ends, outline.walls(WALL_SHARE)
    share = (own[0] - front + (front - back) * PROFILE) / (own[0] - own[1])
    within = (share > PROFILE[0] - STEP / 2) & (share < PROFILE[-1] + STEP / 2)
    return np.where(within, top - bottom, np.nan)
