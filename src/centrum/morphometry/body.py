"""Sizes and shape of one vertebral body, from its mask alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from centrum.arrays import Floats
from centrum.cohort.label_map import named_level
from centrum.cohort.levels import Level
from centrum.errors import DataError
from centrum.morphometry.profile import PLACES, THREE, WALL_SHARE, HeightProfile, measure_profile
from centrum.morphometry.sagittal import BodyOutline, Frame, Slab, body_frame
from centrum.records import as_json
from centrum.text import OneLine
from centrum.volume import Mask

WALL_ENDS, WALL_MIDDLE = (0.75, 0.85), 0.25
"""Parts of the posterior wall between which its bulge is taken, in shares of half its height."""


@dataclass(frozen=True, eq=False, repr=False)
class Morphometry(OneLine):
    """Six-point morphometry of a vertebral body in its mid-sagittal plane.

    Attributes
    ----------
    name : of the mask
    level : the vertebra, None where the name of the mask does not say
    anterior, middle, posterior : heights at 12, 50 and 88 % of the depth, mm
    depth : from the anterior to the posterior wall, mean over 80 % of the height, mm
    wedge_angle : between the end plates, degrees; positive when the front is lower
    superior_concavity, inferior_concavity : how far the middle of an end plate lies inside the
        line from its anterior to its posterior point, mm
    wall_convexity : how far the middle quarter of the posterior wall bulges back from the line
        between its points at 10 and 90 % of the posterior height, mm; negative when hollow
    lean : of the axis forwards from the direction of the patient's head, degrees
    slices : sagittal slices that took part
    cut : whether the region reaches the edge of the image within a sagittal slice
    profile : heights along the whole depth, in the middle and to the sides
    points : LPS positions in mm, shape (2, 3, 3): upper and lower; anterior, middle, posterior
    frame : the directions of the body
    """

    name: str
    level: Level | None
    anterior: float
    middle: float
    posterior: float
    depth: float
    wedge_angle: float
    superior_concavity: float
    inferior_concavity: float
    wall_convexity: float
    lean: float
    slices: int
    cut: bool
    profile: HeightProfile = field(repr=False)
    points: Floats = field(repr=False)
    frame: Frame = field(repr=False)

    @property
    def title(self) -> str:
        """The level where it is known, else the name of the mask."""
        return self.level.name if self.level else self.name

    @property
    def heights(self) -> tuple[float, float, float]:
        """Anterior, middle and posterior height, mm."""
        return self.anterior, self.middle, self.posterior

    @property
    def anterior_to_posterior(self) -> float:
        """Ratio of the heights; below 1 for a wedge that is open at the back."""
        return self.anterior / self.posterior

    @property
    def middle_to_posterior(self) -> float:
        """Ratio of the heights; 0.93 +- 0.09 in healthy bodies, whose end plates are concave."""
        return self.middle / self.posterior

    @property
    def lowest(self) -> float:
        """Least height between 12 and 88 % of the depth, mm."""
        return self.profile.lowest

    @property
    def lowest_at(self) -> float:
        """Where that is, in shares of the depth from the front."""
        return self.profile.lowest_at

    @property
    def biconcavity(self) -> float:
        """Share by which the middle height falls short of the mean of the other two."""
        return 1 - 2 * self.middle / (self.anterior + self.posterior)


@as_json.register
def _(body: Morphometry) -> dict[str, Any]:
    """mm and degrees; without the frame."""
    left_out = ("level", "points", "frame")
    derived = ("lowest", "lowest_at", "anterior_to_posterior", "middle_to_posterior", "biconcavity")
    return {
        **{name: value for name, value in vars(body).items() if name not in left_out},
        "level": body.level.name if body.level else None,
        **{name: getattr(body, name) for name in derived},
        "profile": as_json(body.profile),
        "points_lps_mm": as_json(body.points),
    }


def measure_body(mask: Mask, towards_head: Floats | None = None) -> Morphometry:
    """Measure one body in the sagittal slices nearest to its middle.

    Parameters
    ----------
    towards_head : LPS direction, shape (3,), along the neighbours; without it the axis is looked
        for within 45 degrees of the patient's head

    Raises
    ------
    DataError
        The region is empty, too small, or in pieces.

    >>> from centrum.geometry import Geometry
    >>> body = Mask(np.zeros((40, 44, 9), bool), Geometry((9, 44, 40), (4.4, 1, 1)), "L1")
    >>> body.array[5:32, 5:39, 1:8] = True
    >>> found = measure_body(body)
    >>> [round(height, 2) for height in found.heights], round(found.depth, 2), found.slices
    ([27.0, 27.0, 27.0], 34.0, 1)
    """
    slab = Slab(mask)
    frame = body_frame(slab, towards_head)
    outline = slab.outline(frame)
    front, back = outline.walls(WALL_SHARE)
    depth = front - back
    profile = measure_profile(mask, slab, frame, outline)
    places = front - depth * np.array(PLACES)
    upper, lower = profile.top[[*THREE]], profile.bottom[[*THREE]]
    anterior, middle, posterior = (float(height) for height in upper - lower)
    wall = _wall_convexity(outline, float(lower[2]), float(upper[2]))
    _check_whole(mask.name, *profile.heights, wall)
    return Morphometry(
        name=mask.name,
        level=level_of(mask.name),
        anterior=anterior,
        middle=middle,
        posterior=posterior,
        depth=depth,
        wedge_angle=_wedge_angle(places, upper, lower),
        superior_concavity=float((upper[0] + upper[2]) / 2 - upper[1]),
        inferior_concavity=float(lower[1] - (lower[0] + lower[2]) / 2),
        wall_convexity=wall,
        lean=float(-np.degrees(frame.angle(np.array([0.0, 0.0, 1.0])))),
        slices=slab.slices,
        cut=_is_cut(slab),
        profile=profile,
        points=np.stack([frame.point(places, edge) for edge in (upper, lower)]),
        frame=frame,
    )


def _check_whole(name: str, *measured: float) -> None:
    if not np.all(np.isfinite(measured)):
        raise DataError(
            f"The region {name!r} has gaps in its middle slices where heights are taken. Check "
            "the mask, or keep its largest piece and fill its holes."
        )


def level_of(name: str) -> Level | None:
    """The vertebra that the name of a segment says, None if it says none.

    >>> level_of("L1 body"), level_of("lesion"), level_of("20")
    (Level(letter='L', number=1), None, None)
    """
    return named_level(name, None)


def _wedge_angle(front: Floats, upper: Floats, lower: Floats) -> float:
    """Degrees between the end plates, from their anterior and posterior points."""
    run = front[0] - front[2]
    top, bottom = (np.arctan((edge[2] - edge[0]) / run) for edge in (upper, lower))
    return float(np.degrees(top - bottom))


def _wall_convexity(outline: BodyOutline, low: float, high: float) -> float:
    """Mean place of the two ends of the posterior wall before that of its middle."""
    level = np.abs(outline.at - (low + high) / 2) / ((high - low) / 2)
    ends, middle = (level >= WALL_ENDS[0]) & (level <= WALL_ENDS[1]), level <= WALL_MIDDLE
    return float(np.nanmean(outline.back[ends]) - np.nanmean(outline.back[middle]))


def _is_cut(slab: Slab) -> bool:
    edges: Sequence[bool] = [
        span.start == 0 or span.stop == size
        for span, size in zip(slab.box, slab.geometry.shape, strict=True)
    ]
    return any(np.delete(edges, slab.axis))
