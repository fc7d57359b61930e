"""What surrounds the bones: canal, cord, nerves, muscle, fat, skin, vessels, organs, air."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from centrum.arrays import Flags
from centrum.kernels.gaussian_field import FieldPlanes, gaussian_field
from centrum.simulate.acquisition import VoxelGrid
from centrum.simulate.anatomy import arch_of
from centrum.simulate.compartments import (
    REGIONS,
    Canal,
    CanalSizes,
    Colours,
    Front,
    Span,
    TexturePlane,
    paint_cord,
    paint_foramen,
    paint_ligament,
    paint_midline,
    paint_muscle,
    paint_organs,
    paint_sac,
    paint_skin,
    paint_vessel,
    rolled,
)
from centrum.simulate.shapes import cover, ellipse
from centrum.simulate.signal import MARROW, TISSUES, Sequence
from centrum.simulate.spine import SpinalCurve, Vertebra


def palette(sequence: Sequence) -> Colours:
    """The signals of the soft tissues under a sequence."""
    muscle, fat, csf, cord, cortex = (
        TISSUES[name].signal(sequence) for name in ("muscle", "fat", "csf", "cord", "cortex")
    )
    return Colours(muscle, fat, csf, cord, MARROW["elderly"].signal(sequence), cortex)


PLANES = 2
"""Planes of the build that share their soft tissue, which changes slowly from side to side."""


@dataclass(frozen=True, eq=False)
class TextureFields:
    """Random fields, mean 0 and SD 1, indexed [left, down, back], a plane for PLANES of the build.

    Attributes
    ----------
    grain : fine, of all soft tissue
    streaks : long along the back, of fat between muscle fibres
    roots : thin and long, of nerve roots and of flow in CSF
    blobs : broad, of organs and of the outline of compartments
    straight, oblique : by how many columns roots and streaks are moved in each row
    """

    grain: FieldPlanes
    streaks: FieldPlanes
    roots: FieldPlanes
    blobs: FieldPlanes
    straight: NDArray
    oblique: NDArray

    @classmethod
    def over(cls, grid: VoxelGrid, curve: SpinalCurve, rng: np.random.Generator) -> "TextureFields":
        """Draw the four fields; long ones run along the curve of the spine."""
        lengths = {
            "grain": (2.0, 1.6, 1.6),
            "streaks": (4.0, 12.0, 1.9),
            "roots": (1.6, 22.0, 1.0),
            "blobs": (9.0, 9.0, 7.0),
        }
        axes = (grid.left[::PLANES], grid.down, grid.back)
        fields = {k: FieldPlanes.drawn(rng, axes, v) for k, v in lengths.items()}
        straight = np.abs(curve.across).argmin(axis=1)
        oblique = straight + (FIBRE_SLOPE * np.arange(len(grid.down))).astype(int)
        return cls(**fields, straight=straight, oblique=oblique)

    def plane(self, k: int) -> TexturePlane:
        """The fields on the k-th plane."""
        return TexturePlane(
            self.grain.plane(k),
            rolled(self.streaks.plane(k), self.oblique),
            rolled(self.roots.plane(k), self.straight),
            self.blobs.plane(k),
        )

    def behind(self, k: int, first: int) -> TexturePlane:
        """The fields of the k-th plane from a column on, without those of the canal."""
        streaks = rolled(self.streaks.plane(k), self.oblique)[:, first:]
        grain, blobs = self.grain.plane(k, first), self.blobs.plane(k, first)
        return TexturePlane(grain, np.ascontiguousarray(streaks), grain, blobs)


@dataclass(frozen=True, eq=False)
class Habitus:
    """Soft tissue of one patient.

    Attributes
    ----------
    skin, fascia : position (back, mm) of the skin and of the deep side of its fat, by row
    fatty : how much fat is in the muscles, 0 to 1
    conus : where the cord ends, mm along the curve; below are roots
    cord_half : half depth and half width of the cord, mm
    cord_back : how far behind the middle of the canal the cord lies, mm
    sac_half : half depth and half width of the dural sac, mm
    region : of the spine
    levels : middle of the bodies along the curve, mm
    gaps : middle of the discs along the curve, mm
    canal_end : where the sac ends, mm along the curve
    """

    skin: NDArray
    fascia: NDArray
    fatty: float
    conus: float
    cord_half: tuple[float, float]
    cord_back: float
    sac_half: tuple[float, float]
    region: str
    levels: NDArray
    gaps: NDArray
    canal_end: float


FIBRE_SLOPE = 0.22
"""Muscle fibres run back by this much per mm down, chosen."""

SKIN_DEPTH = {"cervical": 58.0, "thoracic": 64.0, "lumbar": 71.0}
"""From the middle of the bodies to the deep side of the fat under the skin, mm, chosen."""


def habitus(
    spine: list[Vertebra], region: str, grid: VoxelGrid, rng: np.random.Generator
) -> Habitus:
    """Soft tissue that fits the spine."""
    centres = np.array([[v.down, v.back] for v in spine])
    steps = np.hypot(*np.diff(centres, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    levels = along - np.interp(0.0, centres[:, 0], along)
    names = [v.level.name for v in spine]
    line = np.interp(grid.down, centres[:, 0], centres[:, 1])
    line = gaussian_filter1d(line, 110, mode="nearest")
    wave = _smooth_line(grid.down, 55.0, rng)
    fascia = line + SKIN_DEPTH[region] + rng.normal(0, 4) + 1.5 * wave
    fat = rng.uniform(7, 24) * (0.6 if region == "cervical" else 1.0)
    thickness = fat * (1 + 0.08 * wave + 0.2 * grid.down / np.ptp(grid.down))
    conus = "L1" in names and region != "cervical"
    arch = arch_of(min(spine, key=lambda v: abs(v.down)))
    return Habitus(
        skin=fascia + thickness,
        fascia=fascia,
        fatty=rng.uniform(0.25, 0.9),
        conus=float(levels[names.index("L1")]) + rng.normal(0, 12) if conus else _conus(names),
        cord_half=(3.4, 5.0) if region != "cervical" else (3.4, 6.2),
        cord_back={"cervical": 0.3, "thoracic": -0.4, "lumbar": 0.9}[region] + rng.normal(0, 0.5),
        sac_half=(arch.canal / 2 - rng.uniform(1.2, 2.2), 9.5),
        region=region,
        levels=levels,
        gaps=(levels[1:] + levels[:-1]) / 2,
        canal_end=float(levels[names.index("S2")]) if "S2" in names else 1e3,
    )


def _conus(names: list[str]) -> float:
    """The cord ends out of sight: above the first vertebra, or below the last."""
    return -1e3 if names[0].startswith("L") else 1e3


def _smooth_line(positions: NDArray, length_mm: float, rng: np.random.Generator) -> NDArray:
    """A random function along a line, mean 0 and SD 1."""
    single = np.zeros(1)
    return np.asarray(gaussian_field(rng, (single, positions, single), length_mm)[0, :, 0])


def soft_tissue(
    curve: SpinalCurve, body: Habitus, colours: Colours, grid: VoxelGrid, textures: TextureFields
) -> NDArray:
    """Paint all that is neither bone nor disc nor behind the fascia, plane by plane."""
    tissue = np.empty([len(axis) for axis in grid.axes], np.float32)
    front, zones = _front(curve, body), TissueZones.of(curve)
    canal = _canal(curve.columns(slice(*zones.canal.span)), body)
    for k, left in enumerate(grid.left[::PLANES]):
        slab = tissue[PLANES * k : PLANES * (k + 1)]
        fields = textures.plane(k)
        paint_muscle(slab[0], left, front, fields, colours, body.fatty)
        _paint_front(slab[0], left, zones.front, front, fields, colours, body.region)
        if zones.behind.aside(left)[0] <= 7:
            paint_midline(slab[0], left, zones.behind.span, front, fields, colours)
        _paint_canal(slab[0], left, zones.canal, canal, fields, colours, body)
        slab[1:] = slab[0]
    return tissue


@dataclass(frozen=True)
class Zone:
    """Columns of all planes, and between what distances to the left the curve runs there, mm."""

    span: Span
    low: float
    high: float

    @classmethod
    def where(cls, wanted: Flags, curve: SpinalCurve) -> "Zone":
        """The columns in which any element is true."""
        hit = np.flatnonzero(wanted.any(axis=0))
        start, stop = int(hit[0]), int(hit[-1]) + 1
        middle = curve.left[:, start:stop]
        return cls((start, stop), float(middle.min()), float(middle.max()))

    def aside(self, left: float) -> tuple[float, float]:
        """Least and greatest distance of a plane from the midline of the spine, mm."""
        nearest = max(self.low - left, left - self.high, 0.0)
        return nearest, max(self.high - left, left - self.low)


@dataclass(frozen=True)
class TissueZones:
    """Where there may be what lies before the bodies, in the canal and between the spines."""

    front: Zone
    canal: Zone
    behind: Zone

    @classmethod
    def of(cls, curve: SpinalCurve) -> "TissueZones":
        """The zones about a spine."""
        behind = curve.across - curve.half_depth
        wanted = (curve.across + curve.half_depth < 8, np.abs(behind - 13) < 17, behind > 9)
        return cls(*(Zone.where(each, curve) for each in wanted))


def _nearest_gap(curve: SpinalCurve, gaps: NDArray) -> NDArray:
    """Signed mm along the curve to the nearest disc, negative above it."""
    edges = (gaps[1:] + gaps[:-1]) / 2
    return (curve.along - gaps[np.searchsorted(edges, curve.along)]).astype(np.float32)


def _front(curve: SpinalCurve, body: Habitus) -> Front:
    return Front(
        left=curve.left,
        half_width=curve.half_width,
        before=-curve.across - curve.half_depth,
        behind=curve.across - curve.half_depth,
        above_fork=cover(curve.along - float(body.levels[-1]), 8.0),
    )


def _canal(curve: SpinalCurve, body: Habitus) -> Canal:
    to_gap, behind = _nearest_gap(curve, body.gaps), curve.across - curve.half_depth
    narrowed = 1.1 * np.exp(-((to_gap / 4.0) ** 2))
    sac_behind = curve.across - (curve.half_depth + body.sac_half[0] + 1.8) - 0.5 * narrowed
    taper = np.clip((body.conus - curve.along) / 28, 0, 1) ** 0.6
    wedge = ellipse(sac_behind - body.sac_half[0] - 0.8, to_gap - 2.0, FAT_WEDGE[body.region])
    planes = (
        curve.left,
        behind,
        to_gap,
        ellipse(behind - 5.5, to_gap + 2, (9.5, 13.0)),
        sac_behind,
        narrowed,
        wedge,
        cover(curve.along - body.canal_end, 6.0),
        np.clip((curve.along - body.conus + 45) / 60, 0, 1),
        np.maximum(taper, 0.02),
    )
    return Canal(*map(np.ascontiguousarray, planes))


def _paint_front(
    image: NDArray,
    left: float,
    zone: Zone,
    front: Front,
    fields: TexturePlane,
    colours: Colours,
    region: str,
) -> None:
    """What lies before the bodies: organs, great vessels and the ligament."""
    paint_organs(image, left, zone.span, front, fields, colours, REGIONS.index(region))
    for vessel in VESSELS if region != "cervical" else ():
        if zone.aside(left - vessel[0])[0] <= vessel[2] + 5:
            paint_vessel(image, left, zone.span, front, fields, colours.muscle, vessel)
    paint_ligament(image, left, zone.span, front, fields, colours)


def _paint_canal(
    image: NDArray,
    left: float,
    zone: Zone,
    canal: Canal,
    fields: TexturePlane,
    colours: Colours,
    body: Habitus,
) -> None:
    """Foramina; epidural fat, dura, CSF, and the cord or the roots of the cauda equina."""
    nearest, furthest = zone.aside(left)
    if furthest >= 7 and nearest <= 25:
        paint_foramen(image, left, zone.span, canal, fields, colours)
    if nearest <= 12:
        sizes = CanalSizes(*body.sac_half, *body.cord_half, body.cord_back)
        paint_sac(image, left, zone.span, canal, fields, colours, sizes)
        paint_cord(image, left, zone.span, canal, fields, colours, sizes)


VESSELS = ((9.0, 13.0, 9.0), (-13.0, 11.0, 8.0))
"""Aorta on the left, vena cava on the right: mm to the left, mm before the bodies, radius."""

FAT_WEDGE = {"cervical": (1.4, 4.5), "thoracic": (2.4, 9.0), "lumbar": (4.2, 9.5)}
"""Half depth and half height of the fat behind the sac between the laminae, mm."""


def paint_back(
    tissue: NDArray, body: Habitus, colours: Colours, grid: VoxelGrid, textures: TextureFields
) -> None:
    """Fascia, fat under the skin, skin, and the air behind it."""
    first = int(np.searchsorted(grid.back, body.fascia.min() - 10))
    back = grid.back[first:].astype(np.float32)
    fascia, skin = body.fascia.astype(np.float32), body.skin.astype(np.float32)
    for k, start in enumerate(range(0, len(tissue), PLANES) if back.size else ()):
        slab = tissue[start : start + PLANES, :, first:]
        paint_skin(slab, fascia, skin, back, textures.behind(k, first), colours)
