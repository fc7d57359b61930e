"""Vertebrae and discs: their outlines, and how they are painted on the build."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from centrum.kernels.gaussian_field import gaussian_field
from centrum.simulate.acquisition import VoxelGrid
from centrum.simulate.fracture import Fracture, end_plate_drop, opposite_drop, wall_shift
from centrum.simulate.shapes import (
    Place,
    compiled,
    cover,
    ellipse,
    limited,
    paint,
    paint_rimmed,
    rounded_box,
    rounded_maximum,
    smooth_max,
)
from centrum.simulate.signal import GRADES, TISSUES, Sequence
from centrum.simulate.spine import SpinalCurve, Vertebra

CORTEX_MM = (0.75, 0.55)
"""How far the dark rim reaches inwards (cortex) and outwards (ligament, end plate cartilage)."""


@dataclass(frozen=True, eq=False)
class BuildBox:
    """A box of the build: where it lies in the array, and the positions in it.

    Attributes
    ----------
    where : slices of the build array
    left, down, back : positions in mm, shaped to broadcast over the box
    """

    where: tuple[slice, slice, slice]
    left: NDArray
    down: NDArray
    back: NDArray

    @classmethod
    def around(
        cls, grid: VoxelGrid, centre: tuple[float, float, float], half: tuple[float, float, float]
    ) -> "BuildBox | None":
        """The box of the given half sizes about a point; None when it misses the build."""
        found = [
            np.flatnonzero(np.abs(axis - middle) <= reach)
            for axis, middle, reach in zip(grid.axes, centre, half, strict=True)
        ]
        if not all(len(inside) for inside in found):
            return None
        z, y, x = (slice(int(inside[0]), int(inside[-1]) + 1) for inside in found)
        where = (z, y, x)
        left, down, back = (
            axis[part].astype(np.float32) for axis, part in zip(grid.axes, where, strict=True)
        )
        return cls(where, left[:, None, None], down[None, :, None], back[None, None, :])

    @property
    def axes(self) -> tuple[NDArray, NDArray, NDArray]:
        """Positions along the three axes."""
        return self.left[:, 0, 0], self.down[0, :, 0], self.back[0, 0, :]


class EndPlates(NamedTuple):
    """End plates of a body on a block, each (planes, rows, columns).

    Attributes
    ----------
    top, bottom : their heights above the centre, mm
    radius : from 0 in the middle of the end plates to 1 at their edge and beyond
    """

    top: NDArray
    bottom: NDArray
    radius: NDArray


@dataclass(frozen=True, eq=False)
class VertebralBody:
    """The outline of a vertebral body on a block.

    Attributes
    ----------
    distance : signed distance to the outline in mm, negative inside
    plates : end plates and footprint
    upside : whether the upper end plate is the broken one, or none is
    towards_back, up, aside : coordinates in the frame of the body, mm
    """

    distance: NDArray
    plates: EndPlates
    upside: bool
    towards_back: NDArray
    up: NDArray
    aside: NDArray

    @property
    def below(self) -> NDArray:
        """Distance from the broken (else the upper) end plate into the body, mm."""
        return self.plates.top - self.up if self.upside else self.up - self.plates.bottom

    @property
    def height(self) -> NDArray:
        """Of the body at each place, mm."""
        return 2 * np.maximum((self.plates.top - self.plates.bottom) / 2, 1.0)

    @property
    def rim(self) -> NDArray:
        """0 in the middle of the end plates, 1 at their edge."""
        return _rim(self.plates.radius)


@dataclass(frozen=True)
class BodyIrregularities:
    """Irregularities of one body, mm unless said otherwise.

    Attributes
    ----------
    waist : how far the front and sides are drawn in at mid height
    hollow : how far the posterior wall is drawn in at mid height
    lip : length of the osteophytes at the front
    share : share of the concavity that the upper end plate has
    roughness : SD of the surface
    """

    waist: float
    hollow: float
    lip: float
    share: float
    roughness: float

    @classmethod
    def of(cls, vertebra: Vertebra) -> "BodyIrregularities":
        """The irregularities that the vertebra's seed stands for."""
        rng = np.random.default_rng(vertebra.seed)
        return cls(
            waist=rng.uniform(1.0, 1.6),
            hollow=float(np.clip(rng.normal(0.6, 0.3), 0.1, 1.2)),
            lip=rng.gamma(1.5, 0.6),
            share=rng.uniform(0.35, 0.55),
            roughness=rng.uniform(0.25, 0.45),
        )


def body(vertebra: Vertebra, block: BuildBox) -> VertebralBody:
    """Outline of the vertebral body, fracture included."""
    outline = BodyIrregularities.of(vertebra)
    back, up = vertebra.local(block.down, block.back)
    aside = block.left - vertebra.left
    x, lateral = 2 * back / vertebra.depth, 2 * np.abs(aside) / vertebra.width
    radius = _footprint(x, lateral)
    plates = _end_plates(vertebra, outline, x, radius)
    rough, wall = _roughness(vertebra, block, outline), Wall.of(vertebra, outline)
    distance = _body_distance(back[0], up[0], aside[:, 0, 0], plates, rough, wall)
    return VertebralBody(distance, plates, vertebra.fracture.superior, back, up, aside)


def _footprint(x: NDArray, lateral: NDArray) -> NDArray:
    """Radius in the plane of the end plate, 1 on a rounded rectangle with a flat back."""
    front = np.where(x < 0, np.abs(x), 0.98 * np.abs(x))
    return np.cbrt(front**3 + lateral**3)


def _rim(radius: NDArray) -> NDArray:
    return np.minimum(radius, 1.15)


def _end_plates(
    vertebra: Vertebra, outline: BodyIrregularities, x: NDArray, radius: NDArray
) -> EndPlates:
    """Heights of the upper and lower end plate above the centre."""
    anterior, middle, posterior = vertebra.heights
    cup = float(np.clip((anterior + posterior) / 2 - middle, 0.06 * middle, 0.16 * middle))
    plates = _whole_plates(x[0], radius, (anterior, posterior), cup, outline.share)
    return _broken(plates, vertebra.fracture, x) if vertebra.fracture.loss else plates


@compiled
def _whole_plates(
    x: NDArray, radius: NDArray, heights: tuple[float, float], cup: float, share: float
) -> EndPlates:
    """Concave end plates, deepest behind the middle: by `cup`, of which `share` is above."""
    anterior, posterior = heights
    top, bottom = np.empty_like(radius), np.empty_like(radius)
    for z in range(len(radius)):
        for y in range(len(x)):
            along, from_middle = x[y], radius[z, y]
            above, below = top[z, y], bottom[z, y]
            for k in range(along.size):
                rim, slope = min(from_middle[k], 1.0), min(max(along[k], -1.1), 1.1)
                dish = cup * (1 - rim * rim) * (1 + 0.3 * min(max(along[k], -1.0), 1.0))
                edge = (anterior + posterior + (posterior - anterior) * slope) / 4
                above[k], below[k] = edge - share * dish, (1 - share) * dish - edge
    return EndPlates(top, bottom, radius)


def _broken(plates: EndPlates, fracture: Fracture, x: NDArray) -> EndPlates:
    """What a fracture leaves of end plates, moved so that the body stays in its place."""
    top, bottom, radius = plates
    rim = _rim(radius)
    broken = end_plate_drop(fracture, x, rim) * (top - bottom)
    other = opposite_drop(fracture, rim) * (top - bottom)
    above, below = (broken, other) if fracture.superior else (other, broken)
    shift = (above.mean() - below.mean()) / 2
    return EndPlates(top - above + shift, bottom + below + shift, radius)


class Wall(NamedTuple):
    """Shape of the wall of a body all round, mm unless said otherwise.

    Attributes
    ----------
    depth, width : of the body
    waist, hollow, lip : of its irregularities
    open : 1 where the posterior wall keeps its hollow, 0 where a bulge takes it
    spread : share by which a broken body is wider
    turned : 1 where the upper end plate is broken, -1 where the lower one is
    bulge, corner : how far the posterior wall and its corner were pushed back
    """

    depth: float
    width: float
    waist: float
    hollow: float
    lip: float
    open: float
    spread: float
    turned: float
    bulge: float
    corner: float

    @classmethod
    def of(cls, vertebra: Vertebra, outline: BodyIrregularities) -> "Wall":
        """The wall of a vertebra."""
        fracture = vertebra.fracture
        return cls(
            vertebra.depth,
            vertebra.width,
            outline.waist,
            outline.hollow,
            outline.lip,
            0.0 if fracture.bulge_mm else 1.0,
            0.05 * fracture.loss / 0.33,
            1.0 if fracture.superior else -1.0,
            float(fracture.bulge_mm),
            float(fracture.corner_mm),
        )


@compiled
def _body_distance(
    back: NDArray, up: NDArray, aside: NDArray, plates: EndPlates, roughness: NDArray, wall: Wall
) -> NDArray:
    """Distance to the outline: the wall all round and both end plates, joined by round edges."""
    distance = np.empty_like(plates.top)
    for z in range(len(aside)):
        for y in range(len(back)):
            row, x, height = distance[z, y], back[y], up[y]
            top, bottom, radius = plates.top[z, y], plates.bottom[z, y], plates.radius[z, y]
            rough = roughness[z, y]
            for k in range(row.size):
                half = max((top[k] - bottom[k]) / 2, 1.0)
                level = (height[k] - (top[k] + bottom[k]) / 2) / half
                side = _side(x[k], aside[z], radius[k], level, wall) + rough[k]
                flat = max(height[k] - top[k], bottom[k] - height[k]) + 0.7 * rough[k]
                row[k] = rounded_maximum(side, flat, 2.5)
    return distance


@compiled
def _side(back: float, aside: float, radius: float, level: float, wall: Wall) -> float:
    """Distance to the wall all round: waist, hollow back, lips, bulge or pushed-out corner."""
    ray = np.sqrt(back * back + aside * aside)
    x, lateral = 2 * back / wall.depth, 2 * aside / wall.width
    behind = limited((x - 0.4) / 0.4)
    drawn_in = wall.waist + (wall.hollow - wall.waist) * behind
    drawn_in *= 1 - (1 - wall.open) * behind
    corner = limited(1 - abs(abs(level) - 1) / 0.3)
    lip = wall.lip * corner * corner * limited((-x - 0.3) / 0.5)
    shift = wall_shift(wall.bulge, wall.corner, wall.turned * level, x, lateral)
    side = ray - ray / max(radius, 0.05) + drawn_in * limited(1 - level * level)
    return side - lip - wall.spread * ray - shift


def _roughness(vertebra: Vertebra, block: BuildBox, outline: BodyIrregularities) -> NDArray:
    broken = vertebra.fracture.loss > 0
    rng = np.random.default_rng([vertebra.seed, 1])
    return (outline.roughness + 0.3 * broken) * gaussian_field(rng, block.axes, 6.0)


def body_block(grid: VoxelGrid, vertebra: Vertebra) -> BuildBox | None:
    """The box that holds a body with all that may stick out of it."""
    tall = max(vertebra.heights) / 2 + 4
    deep = vertebra.depth / 2 + 6
    lean = abs(np.sin(vertebra.tilt))
    half = (vertebra.width / 2 + 4, tall + deep * lean, deep + tall * lean)
    return BuildBox.around(grid, (vertebra.left, vertebra.down, vertebra.back), half)


def paint_body(
    tissue: NDArray, block: BuildBox, shape: VertebralBody, marrow: NDArray, cortex: float
) -> None:
    """Put a body of the given marrow signal, its dark rim and its vein on the build."""
    z, y, x = block.where
    inwards, outwards = CORTEX_MM
    place = (np.arange(z.start, z.stop), y.start, x.start)
    paint_rimmed(tissue, place, shape.distance, (outwards, 0.9, cortex), (-inwards, 0.7), marrow)


def vein(shape: VertebralBody, vertebra: Vertebra) -> NDArray:
    """Share of the basivertebral vein: a wedge in the middle of the posterior wall."""
    from_wall = vertebra.depth / 2 - shape.towards_back
    rng = np.random.default_rng([vertebra.seed, 2])
    length, height = rng.uniform(5, 12), rng.uniform(1.2, 2.2)
    taper = height * (1 - from_wall / length)
    funnel = np.abs(shape.up - rng.normal(0, 0.8)) - taper
    return cover(np.maximum(funnel, np.abs(shape.aside) - 2.5), 1.5) * rng.uniform(0.3, 0.9)


def paint_disc(
    tissue: NDArray, grid: VoxelGrid, upper: Vertebra, lower: Vertebra, sequence: Sequence
) -> None:
    """Fill the gap between two bodies: annulus, nucleus and the cleft in the nucleus."""
    rng = np.random.default_rng([upper.seed, 3])
    gap, drop = upper.disc, _drops(upper, lower)
    centre = _between(upper, lower, drop)
    tilt = (upper.tilt + lower.tilt) / 2
    depth, width = (upper.depth + lower.depth) / 2, (upper.width + lower.width) / 2
    half = (width / 2 + 3, gap + sum(drop) + 6 + depth / 2 * abs(np.sin(tilt)), depth / 2 + 6)
    block = BuildBox.around(grid, centre, half)
    if block is None:
        return
    dv, dy = block.down - centre[1], block.back - centre[2]
    cos, sin = math.cos(tilt), math.sin(tilt)
    back, up = dy * cos - dv * sin, -dv * cos - dy * sin
    aside = block.left - centre[0]
    bulge = rng.uniform(0.3, 1.8)
    footprint = _footprint(2 * back / (depth + 2 * bulge), 2 * np.abs(aside) / (width + bulge))
    ray = np.sqrt(back**2 + aside**2)
    side = ray - ray / np.maximum(footprint, 0.05)
    round_edge = smooth_max(side, np.abs(up) - (gap / 2 + sum(drop) / 2 + 4), 3.0)
    paint(tissue[block.where], cover(round_edge, 0.8), TISSUES["annulus"].signal(sequence) * 0.8)
    _paint_nucleus(tissue, block, (back, up, aside), (depth, gap + sum(drop), width), sequence, rng)


def _drops(upper: Vertebra, lower: Vertebra) -> tuple[float, float]:
    """By how much the middle of the end plates around a disc fell: above it, below it."""

    def fell(vertebra: Vertebra, is_top: bool) -> float:
        fracture = vertebra.fracture
        if fracture.loss == 0 or fracture.kind == "crush":
            return 0.0
        broken = fracture.superior == is_top
        share = {"wedge": 0.25 * broken, "biconcave": 0.65 if broken else 0.4}[fracture.kind]
        return share * fracture.loss * vertebra.heights[1] * 0.8

    return fell(upper, False), fell(lower, True)


def _between(
    upper: Vertebra, lower: Vertebra, drop: tuple[float, float]
) -> tuple[float, float, float]:
    """Middle of the disc: halfway between the end plates that face each other."""
    above = upper.point(0.0, -upper.reach / 2 + drop[0])
    below = lower.point(0.0, lower.reach / 2 - drop[1])
    down, back = (float(a + b) / 2 for a, b in zip(above, below, strict=True))
    return (upper.left + lower.left) / 2, down, back


def _paint_nucleus(
    tissue: NDArray,
    block: BuildBox,
    place: tuple[NDArray, NDArray, NDArray],
    size: tuple[float, float, float],
    sequence: Sequence,
    rng: np.random.Generator,
) -> None:
    back, up, aside = place
    depth, gap, width = size
    grade = int(rng.choice(3, p=(0.15, 0.45, 0.40)))
    signal = TISSUES[GRADES[grade]].signal(sequence) * rng.uniform(0.8, 1.1)
    half = (depth * rng.uniform(0.28, 0.35), gap * rng.uniform(0.46, 0.58), width * 0.36)
    x = (back + 0.03 * depth) / half[0]
    z, y = up / half[1], aside / half[2]
    inside = np.sqrt(x**2 * np.abs(x) + z**2 + y**2 * np.abs(y)) - 1
    grain = gaussian_field(rng, block.axes, 2.5)
    paint(
        tissue[block.where],
        cover(inside * half[1] + 0.4 * grain, 1.6 + 0.3 * grade),
        signal * (1 + 0.10 * grain - 0.35 * np.exp(-((z / 0.22) ** 2)) * (np.abs(x) < 0.8)),
    )


@dataclass(frozen=True)
class Arch:
    """Posterior elements of a region, mm: half sizes of the parts seen from the side.

    Attributes
    ----------
    canal : depth of the canal
    pedicle : inner and outer distance from the midline, half height
    spinous : length, half height and tilt downwards (degrees) of the spinous process
    facet : distance from the midline, half depth and half height of the joint pillars
    """

    canal: float
    pedicle: tuple[float, float, float]
    spinous: tuple[float, float, float]
    facet: tuple[float, float, float]


ARCHES = {
    "cervical": Arch(13.5, (10.0, 15.0, 3.2), (18.0, 3.2, 24.0), (17.0, 4.5, 7.0)),
    "thoracic": Arch(15.0, (8.5, 14.0, 6.0), (26.0, 4.6, 38.0), (13.0, 4.0, 8.5)),
    "lumbar": Arch(16.5, (9.5, 17.0, 6.8), (27.0, 9.5, 8.0), (17.5, 5.5, 10.0)),
    "sacral": Arch(13.0, (12.0, 22.0, 7.0), (12.0, 5.0, 35.0), (20.0, 5.0, 9.0)),
}
"""Chosen from the usual anatomy; T10 to T12 pass from the thoracic to the lumbar shape."""


def arch_of(vertebra: Vertebra) -> Arch:
    """The posterior elements of a vertebra."""
    late = vertebra.level.letter == "T" and vertebra.level.number >= 11
    return ARCHES["lumbar" if late else vertebra.level.region]


def paint_arch(
    tissue: NDArray,
    grid: VoxelGrid,
    vertebra: Vertebra,
    curve: SpinalCurve,
    marrow: float,
    cortex: float,
) -> None:
    """Pedicles, lamina, facet joints and spinous process with their dark cortex."""
    arch = arch_of(vertebra)
    behind = vertebra.depth / 2
    length = arch.canal + arch.spinous[0] + 10
    down, back = vertebra.point(behind + length / 2 - 5, -8)
    lean = 8 + length * abs(math.sin(vertebra.tilt)) / 2
    half = (arch.facet[0] + 7, vertebra.reach / 2 + lean + 4, length / 2 + 6)
    block = BuildBox.around(grid, (vertebra.left, down, back), half)
    if block is None:
        return
    rng = np.random.default_rng([vertebra.seed, 4])
    droop, tall = rng.normal(0, 4), rng.uniform(0.8, 1.05)
    texture = 1 + 0.14 * gaussian_field(rng, block.axes, 4.0)
    rough = 1.1 * gaussian_field(rng, block.axes, 6.0)
    bright = marrow * rng.uniform(0.85, 1.15) * texture
    a, up = vertebra.local(block.down, block.back)
    aside = np.abs(block.left - vertebra.left)
    frame = ArchFrame(arch, vertebra.reach, vertebra.tilt, a - behind, up, aside, rough)
    plane = block.where[1:]
    canal = arch.canal + 0.6 - (curve.across[plane] - curve.half_depth[plane])[None]
    parts = [_pedicle(frame), _behind(_spinous(frame, droop, tall), canal)]
    if vertebra.level.region != "sacral":
        parts += [_behind(_lamina(frame), canal), _facets(frame)]
    rim, core = (0.5, 1.2, 2.5 * cortex), (-0.8, 1.8)
    for distance, near in parts:
        paint_rimmed(
            tissue, near.within(block.where), distance + near.of(rough), rim, core, near.of(bright)
        )


@dataclass(frozen=True, eq=False)
class Near:
    """The part of a block that one part of an arch can reach.

    Attributes
    ----------
    planes, rows, columns : of the block
    side : distance to the side of the part in each of these planes, mm, shaped to broadcast
    """

    planes: NDArray
    rows: slice
    columns: slice
    side: NDArray

    def seen(self, plane: NDArray) -> NDArray:
        """What the block has in all planes alike (1, rows, columns), here."""
        return plane[:, self.rows, self.columns]

    def of(self, field: NDArray) -> NDArray:
        """What the block has, here."""
        return field[self.planes, self.rows, self.columns]

    def within(self, where: tuple[slice, slice, slice]) -> Place:
        """The planes, the first row and the first column in the array that the block is of."""
        z, y, x = (part.start for part in where)
        return self.planes + z, y + self.rows.start, x + self.columns.start


Part = tuple[NDArray, Near]
"""Distance to a part of an arch, mm, and where it is near."""


@dataclass(frozen=True, eq=False)
class ArchFrame:
    """Positions about an arch, mm, on a block.

    Attributes
    ----------
    arch : its sizes
    tall : height of the vertebra
    tilt : radians by which the vertebra leans forward on its way up
    behind, up : behind the body and up its axis, shaped to broadcast over the block
    aside : from the midline
    rough : by how much surfaces lie further out
    """

    arch: Arch
    tall: float
    tilt: float
    behind: NDArray
    up: NDArray
    aside: NDArray
    rough: NDArray

    def near(self, least: NDArray, inner: float, outer: float) -> Near:
        """Where a part may be painted that is no nearer than `least`, seen from the side."""
        planes = np.flatnonzero(
            (self.aside[:, 0, 0] > inner - 3) & (self.aside[:, 0, 0] < outer + 3)
        )
        aside = self.aside[planes]
        hit = least[0] < RIM_REACH - self.rough.min()
        rows, columns = (_stretch(hit.any(axis=axis)) for axis in (1, 0))
        return Near(planes, rows, columns, np.maximum(inner - aside, aside - outer))


RIM_REACH = 1.1
"""Distance in mm up to which the rim of a smooth part of an arch is painted."""


def _stretch(hit: NDArray) -> slice:
    """From the first to the last that is true; an empty one where none is."""
    found = np.flatnonzero(hit)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def _behind(part: Part, canal: NDArray) -> Part:
    """Keep a part out of the canal, which follows the curve of the spine."""
    return smooth_max(part[0], part[1].seen(canal), 2.0), part[1]


def _pedicle(frame: ArchFrame) -> Part:
    inner, outer, half = frame.arch.pedicle
    box = rounded_box(frame.behind - 4.0, frame.up - 0.20 * frame.tall, (9.0, half), 4.0)
    near = frame.near(box, inner, outer)
    return smooth_max(near.seen(box), near.side, 3.0), near


def _lamina(frame: ArchFrame) -> Part:
    half, outer = 1.2 * frame.arch.pedicle[2], frame.arch.facet[0]
    u, w = frame.up + 0.16 * frame.tall, frame.behind - frame.arch.canal - 5.5
    slanted = w + (0.35 + 1.2 * max(math.sin(frame.tilt), 0)) * u
    sweep = 0.11 * (outer + 3)  # the middle lies behind by up to twice this in the outermost plane
    least = np.maximum(np.abs(slanted + sweep) - sweep - 2.6, np.abs(u) - half)
    near = frame.near(least, -1.0, outer)
    leaning = near.seen(slanted) + 0.22 * frame.aside[near.planes]
    box = rounded_box(leaning, near.seen(u), (2.6, half), 2.4)
    return smooth_max(box, near.side, 3.0), near


def _spinous(frame: ArchFrame, droop_deg: float, tall: float) -> Part:
    length, half, tilt = frame.arch.spinous
    angle = math.radians(tilt + droop_deg)
    cos, sin = math.cos(angle), math.sin(angle)
    dx, dz = frame.behind - frame.arch.canal - 4, frame.up + 0.22 * frame.tall
    along = dx * cos - dz * sin - length / 2
    above = dx * sin + dz * cos + 0.10 * along
    higher = tall * (1 + 0.5 * np.clip(along / length, -0.6, 0.5))
    box = rounded_box(along, above / higher, (length / 2, half), min(half * 0.9, 6.5))
    near = frame.near(box, -1.0, 3.8)
    thinner = 2.2 * np.clip(above / half, -1, 1) ** 2 + 1.2 * np.clip(along / length, 0, 1)
    return smooth_max(near.seen(box), near.side + near.seen(thinner), 3.0), near


def _facets(frame: ArchFrame) -> Part:
    where, deep, tall = frame.arch.facet
    x, up = frame.behind - frame.arch.canal, frame.up
    pillar = [
        ellipse(x + shift + 0.25 * (up - centre), up - centre, (deep, tall))
        for shift, centre in ((3.0, 0.45 * frame.tall), (-3.0, -0.62 * frame.tall))
    ]
    both = np.minimum(*pillar)
    near = frame.near(both, where - 5.0, where + 5.0)
    return smooth_max(near.seen(both), near.side, 3.0), near
