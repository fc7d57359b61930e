"""Whether levels fit where their regions lie in the patient, and how large they are.

Only what no anatomy allows is a contradiction: a fractured body is lower than a whole one of its
level, never larger, so that there is no smallest size.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import dist
from statistics import median

import numpy as np

from centrum.cohort.levels import Level
from centrum.cohort.schemes import SPINE
from centrum.volume import Mask, bounding_box


@dataclass(frozen=True)
class Bounds:
    """What the regions of a part of the spine do not exceed, bodies or whole vertebrae.

    Attributes
    ----------
    first, last : levels of the part
    pitch : median distance of the centres of neighbouring levels, mm
    volume : median of the regions, mL
    """

    first: Level
    last: Level
    pitch: float
    volume: float


SLENDER = (
    Bounds(Level("C", 1), Level("C", 7), 26.0, 25.0),
    Bounds(Level("T", 1), Level("T", 6), 32.0, 40.0),
)
"""Cervical bodies are 13 to 15 mm high, with a disc of 5 mm, and a whole cervical vertebra has less
than 20 mL; of T6 it is 25 mm and 25 mL. Of 56 bodies T11 to L5 of healthy adults the centres are
30 to 41 mm apart and the bodies have 20 to 43 mL."""

DEEPEST_BODY = {"cervical": 32.0, "thoracic": 55.0, "lumbar": 60.0, "sacral": 60.0}
"""No body reaches further from front to back, mm, leaning as they do: 56 bodies T11 to L5 reach 33
to 44 mm. A whole vertebra reaches to the tip of its spinous process: 45 mm at C3, 75 mm and more in
the lumbar spine."""


LEAST_PASSED = 0.5
"""Share of the vertebrae that a canal passes, which may have been drawn in a part of the view."""

LEAST_ROOM = 10.0
"""From one vertebra to the next, mm: no disc and no crushed body leave less for long."""

STURDY = (Level("T", 11), Level("L", 6), 20.0)
"""First and last level, and least median distance of neighbours, mm; it is 23 mm in a child of five
years. With fewer than `MANY` neighbours a single crushed body would decide."""

MANY = 3

LARGEST, TALLEST = 150.0, 85.0
"""The lowest vertebra has no more mL, nor mm from the tip of its upper to that of its lower
processes: the largest have 110 mL and 75 mm. A sacrum has 200 mL and 100 mm. Two vertebrae that
have grown together higher up may have as much."""

BESIDE_COLUMN = (20.0, 60.0)
"""Nearer than this to a vertebra, sideways or to front and back, and above or below it, is the
place of another one, mm. The great vessels lie 40 mm before it, the muscles 35 mm beside it; above
cervical vertebrae are skull and brain."""


@dataclass(frozen=True)
class RegionPlace:
    """Where a region lies, and its size.

    Attributes
    ----------
    centre : LPS position of its centre, mm
    volume : mL
    depth : from its foremost to its hindmost voxel, mm
    span : heights of the centres of its lowest and its highest voxel, mm
    """

    centre: tuple[float, float, float]
    volume: float
    depth: float
    span: tuple[float, float]

    @property
    def height(self) -> float:
        """Position towards the head, mm."""
        return self.centre[2]


def place_of(mask: Mask) -> RegionPlace:
    """Place and size of a region that has voxels.

    >>> from centrum.geometry import Geometry
    >>> grid = Geometry((4, 20, 30), (5, 2, 2))
    >>> place_of(Mask(np.ones(grid.shape, bool), grid))
    RegionPlace(centre=(7.5, 19.0, 29.0), volume=48.0, depth=40.0, span=(0.0, 58.0))
    """
    box, grid = bounding_box(mask.array), mask.geometry
    index = np.argwhere(mask.array[box]) + [span.start for span in box]
    places = grid.position(index[:, ::-1])
    x, y, z = map(float, places.mean(axis=0))
    voxel = float(np.abs(grid.axes[1]) @ grid.spacing)
    depth = float(np.ptp(places[:, 1])) + voxel
    span = float(places[:, 2].min()), float(places[:, 2].max())
    return RegionPlace((x, y, z), len(index) * grid.voxel_volume / 1000, depth, span)


def deeper_than_a_body(place: RegionPlace, level: Level | None) -> bool:
    """Whether a region reaches further back than any body of its part of the spine."""
    deepest = DEEPEST_BODY[level.region] if level else max(DEEPEST_BODY.values())
    return place.depth > deepest


@dataclass(frozen=True)
class SpinalColumn:
    """The regions of one label map that levels were given to, and what lies beside them.

    Attributes
    ----------
    bodies : by level
    discs : by the level above
    sacrum : what must lie below all of them
    canal : parts of what must pass them, the cord in it among them
    partial : by name, vertebrae that the edge of the image cuts, which must not lie between others
    organs : by name, what has its place outside the spine
    """

    bodies: Mapping[Level, RegionPlace]
    discs: Mapping[Level, RegionPlace] = field(default_factory=dict)
    sacrum: tuple[RegionPlace, ...] = ()
    canal: tuple[RegionPlace, ...] = ()
    partial: Mapping[str, RegionPlace] = field(default_factory=dict)
    organs: Mapping[str, RegionPlace] = field(default_factory=dict)

    def contradiction(self) -> str:
        """What no spine has, whatever its size, in a clause; "" if there is nothing.

        >>> low, high = (RegionPlace((0, 0, z), 5, 20, (z, z)) for z in (0, 20))
        >>> SpinalColumn({Level("L", 1): low, Level("T", 12): high}).contradiction()
        ''
        >>> SpinalColumn({Level("L", 1): high, Level("T", 12): low}).contradiction()
        'L1 lies above T12'
        """
        order = (self._order, self._room, self._discs, self._order_of_discs)
        beside = (self._sacrum, self._canal, self._partial, self._organs)
        return next((told for rule in (*order, *beside) for told in rule()), "")

    def unusual_size(self) -> str:
        """Where vertebrae have sizes of another part of the spine, in a clause; "" if nowhere.

        Then numbers are another program's, levels counted from elsewhere, or voxels not as large
        as the file says.
        """
        return next(self._sizes(), "")

    def _order(self) -> Iterator[str]:
        for upper, lower in pairwise(sorted(self.bodies)):
            if self.bodies[lower].height > self.bodies[upper].height:
                yield f"{lower} lies above {upper}"

    def _room(self) -> Iterator[str]:
        for upper, lower in pairwise(sorted(self.bodies)):
            between = _between(upper, lower)
            apart = dist(self.bodies[upper].centre, self.bodies[lower].centre)
            if between and apart < LEAST_ROOM * (between + 1):
                yield (
                    f"{upper} and {lower} would lie {apart:.0f} mm apart, with {between} "
                    f"{'vertebra' if between == 1 else 'vertebrae'} between them"
                )

    def _order_of_discs(self) -> Iterator[str]:
        for upper, lower in pairwise(sorted(self.discs)):
            if self.discs[lower].height > self.discs[upper].height:
                yield f"the disc below {lower} lies above that below {upper}"

    def _discs(self) -> Iterator[str]:
        for level, disc in self.discs.items():
            for other, body in self.bodies.items():
                if other <= level and body.height < disc.height:
                    yield f"the disc below {level} lies above {other}"
                elif level < other and body.height > disc.height:
                    yield f"the disc below {level} lies below {other}"

    def _sacrum(self) -> Iterator[str]:
        for sacrum in self.sacrum:
            for level, body in self.bodies.items():
                if body.height < sacrum.height:
                    yield f"the sacrum lies above {level}"

    def _canal(self) -> Iterator[str]:
        if not self.canal:
            return
        low, high = (pick(z for part in self.canal for z in part.span) for pick in (min, max))
        passed = sum(low <= body.height <= high for body in self.bodies.values())
        if passed < len(self.bodies) * LEAST_PASSED:
            yield f"the canal passes {passed} of {len(self.bodies)} vertebrae"

    def _partial(self) -> Iterator[str]:
        heights = [body.height for body in self.bodies.values()]
        for name, place in self.partial.items():
            if heights and min(heights) < place.height < max(heights):
                yield f"{name} lies between vertebrae that are wholly visible"

    def _organs(self) -> Iterator[str]:
        aside, along = BESIDE_COLUMN
        for name, organ in self.organs.items():
            for level, body in self.bodies.items():
                across = dist(organ.centre[:2], body.centre[:2])
                above = organ.height - body.height
                head = level.letter == "C" and above > 0
                if across < aside and LEAST_ROOM / 2 < abs(above) < along and not head:
                    yield f"{name} stands in the column, next to {level}"

    def _sizes(self) -> Iterator[str]:
        for bounds in SLENDER:
            named = [level for level in sorted(self.bodies) if bounds.first <= level <= bounds.last]
            told = " to ".join(dict.fromkeys(level.name for level in (*named[:1], *named[-1:])))
            volume = _median(self.bodies[level].volume for level in named)
            pitch = _median(self._pitches(named))
            if volume > bounds.volume:
                yield (
                    f"{told} would have {volume:.0f} mL, where even whole vertebrae of this part "
                    f"of the spine have less than {bounds.volume:g} mL"
                )
            elif pitch > bounds.pitch:
                yield (
                    f"{told} would lie {pitch:.0f} mm apart, where vertebrae of this part of the "
                    f"spine lie less than {bounds.pitch:g} mm apart"
                )

        for level in sorted(self.bodies)[-1:]:
            body = self.bodies[level]
            tall = body.span[1] - body.span[0]
            if body.volume > LARGEST or tall > TALLEST:
                yield (
                    f"{level} would have {body.volume:.0f} mL and {tall:.0f} mm from head to foot, "
                    f"where no vertebra has more than {LARGEST:g} mL or {TALLEST:g} mm"
                )
        first, last, least = STURDY
        sturdy = [level for level in sorted(self.bodies) if first <= level <= last]
        pitches = [*self._pitches(sturdy)]
        if len(pitches) >= MANY and _median(pitches) < least:
            yield (
                f"{sturdy[0]} to {sturdy[-1]} would lie {_median(pitches):.0f} mm apart, where "
                f"vertebrae of this part of the spine lie more than {least:g} mm apart"
            )

    def _pitches(self, named: list[Level]) -> Iterator[float]:
        for upper, lower in pairwise(named):
            if lower.number == upper.number + 1:
                yield dist(self.bodies[upper].centre, self.bodies[lower].centre)


def _between(upper: Level, lower: Level) -> int:
    """How many vertebrae a usual spine has between two, which may be of two regions.

    >>> _between(Level("T", 11), Level("L", 2)), _between(Level("L", 5), Level("S", 1))
    (2, 0)
    """
    return sum(upper < level < lower for level in map(Level.parse, SPINE))


def _median(numbers: Iterable[float]) -> float:
    return median([*numbers] or [0.0])
