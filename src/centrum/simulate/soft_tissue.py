"""What surrounds the bones: canal, cord, nerves, muscle, fat, skin, vessels, organs, air."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from centrum.arrays import Flags
from centrum.kernels.gaussian_field import gaussian_field
from centrum.simulate.acquisition import VoxelGrid
from centrum.simulate.anatomy import arch_of
from centrum.simulate.shapes import cover, ellipse, paint
from centrum.simulate.signal import MARROW, TISSUES, Sequence
from centrum.simulate.spine import SpinalCurve, Vertebra


@dataclass(frozen=True)
class Palette:
    """Signals of the soft tissues, and of marrow for scale."""

    muscle: float
    fat: float
    csf: float
    cord: float
    marrow: float
    dark: float

    @classmethod
    def of(cls, sequence: Sequence) -> "Palette":
        """The signals under a sequence."""
        muscle, fat, csf, cord, cortex = (
            TISSUES[name].signal(sequence) for name in ("muscle", "fat", "csf", "cord", "cortex")
        )
        return cls(muscle, fat, csf, cord, MARROW["elderly"].signal(sequence), cortex)


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
    """

    grain: NDArray
    streaks: NDArray
    roots: NDArray
    blobs: NDArray

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
        fields = {k: gaussian_field(rng, axes, v) for k, v in lengths.items()}
        rows, columns = np.ogrid[: len(grid.down), : len(grid.back)]
        origin = np.abs(curve.across).argmin(axis=1)
        oblique = FIBRE_SLOPE * np.arange(len(grid.down))
        shifts = {"roots": origin, "streaks": origin + oblique.astype(int)}
        for name, shift in shifts.items():
            along = (columns - shift[:, None]) % len(grid.back)
            fields[name] = fields[name][:, rows, along]
        return cls(**fields)


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


@dataclass(frozen=True, eq=False)
class Plane:
    """One sagittal plane of the build."""

    curve: SpinalCurve
    body: Habitus
    colours: Palette
    left: float
    grain: NDArray
    streaks: NDArray
    roots: NDArray
    blobs: NDArray

    @property
    def aside(self) -> NDArray:
        """Distance from the midline of the spine, mm, 2-D."""
        return np.abs(self.left - self.curve.left)

    def columns(self, span: slice) -> "Plane":
        """The part of the plane between two distances from the front."""
        fields = (self.grain, self.streaks, self.roots, self.blobs)
        parts = (field[:, span] for field in fields)
        return Plane(self.curve.columns(span), self.body, self.colours, self.left, *parts)


def soft_tissue(
    curve: SpinalCurve, body: Habitus, colours: Palette, grid: VoxelGrid, textures: TextureFields
) -> NDArray:
    """Paint all that is neither bone nor disc nor behind the fascia, plane by plane."""
    tissue = np.empty([len(axis) for axis in grid.axes], np.float32)
    to_gap = _nearest_gap(curve, body.gaps)
    front = _span(curve.across + curve.half_depth < 8)
    canal = _span(np.abs(curve.across - curve.half_depth - 13) < 17)
    behind = _span(curve.across - curve.half_depth > 9)
    for k, left in enumerate(grid.left[::PLANES]):
        fields = (textures.grain[k], textures.streaks[k], textures.roots[k], textures.blobs[k])
        plane = Plane(curve, body, colours, float(left), *fields)
        image = _muscle(plane)
        _paint_front(image[:, front], plane.columns(front))
        _paint_midline(image[:, behind], plane.columns(behind))
        _paint_foramen(image[:, canal], plane.columns(canal), to_gap[:, canal])
        _paint_canal(image[:, canal], plane.columns(canal), to_gap[:, canal])
        tissue[PLANES * k : PLANES * (k + 1)] = image
    return tissue


def _span(wanted: Flags) -> slice:
    """The columns in which any element is true."""
    hit = np.flatnonzero(wanted.any(axis=0))
    return slice(int(hit[0]), int(hit[-1]) + 1)


def _nearest_gap(curve: SpinalCurve, gaps: NDArray) -> NDArray:
    """Signed mm along the curve to the nearest disc, negative above it."""
    edges = (gaps[1:] + gaps[:-1]) / 2
    return (curve.along - gaps[np.searchsorted(edges, curve.along)]).astype(np.float32)


def _muscle(plane: Plane) -> NDArray:
    """Muscle with streaks of fat, more of them near the bones."""
    colours, body = plane.colours, plane.body
    image = colours.muscle * (1.05 + 0.12 * plane.grain + 0.10 * plane.blobs)
    near_bone = np.clip(1.3 - plane.aside / 22, 0, 1)
    amount = 0.6 * plane.streaks + 0.15 * plane.grain + 0.6 * plane.blobs
    amount += 1.3 * body.fatty + 0.6 * near_bone - 1.7
    paint(image, 0.75 * np.clip(amount, 0, 1), colours.fat * (0.85 + 0.08 * plane.grain))
    return image


def _paint_front(image: NDArray, plane: Plane) -> None:
    """What lies before the bodies: fat, great vessels, and organs or lung or airway."""
    colours, curve, region = plane.colours, plane.curve, plane.body.region
    before = -curve.across - curve.half_depth
    aside = plane.aside
    lateral = np.clip((aside - curve.half_width - 2) / 4, 0, 1) * (before < 0)
    organs = colours.marrow * np.clip(0.85 + 0.28 * plane.blobs + 0.08 * plane.grain, 0.12, None)
    fatty = np.clip(0.5 * plane.blobs + 0.5 * plane.streaks - 0.1, 0, 1)
    paint(organs, 0.8 * fatty, 0.85 * colours.fat)
    front = cover(3.0 + 1.2 * plane.blobs - before, 2.0)
    if region == "thoracic":
        lung = cover(7.0 - aside - 0.5 * before + 3 * plane.blobs, 4.0)
        paint(organs, lung, 0.10 * colours.marrow * (1 + 0.3 * plane.grain))
        paint(
            image,
            cover(curve.across - curve.half_depth - 4 - 2 * plane.blobs, 2.0)
            * cover(curve.half_width + 3 - aside, 2.0),
            0.12 * colours.marrow,
        )
        front = np.maximum(front, lateral)
    if region == "cervical":
        organs *= 0.75
        airway = cover(np.maximum(np.abs(before - 13 + plane.blobs) - 6.5, aside - 7), 2.0)
        paint(organs, airway, colours.dark)
    else:
        bubbles = plane.blobs + 0.12 * plane.grain + 0.2 * plane.streaks
        paint(organs, cover(1.4 - bubbles, 0.4) * (before > 24), colours.dark)
    paint(image, front, organs)
    _paint_vessels(image, plane, before)
    fat_line = np.exp(-(((before - 2.2 - 0.6 * plane.blobs) / 1.0) ** 2)) * (aside < 20)
    paint(image, 0.75 * np.clip(0.8 + 0.6 * plane.streaks, 0, 1) * fat_line, colours.fat)
    ligament = np.exp(-(((before - 0.3) / 0.9) ** 2)) * (aside < 16)
    paint(image, 0.85 * ligament, colours.dark)


def _paint_vessels(image: NDArray, plane: Plane, before: NDArray) -> None:
    """Aorta on the left, vena cava on the right: flow takes the signal away."""
    if plane.body.region == "cervical":
        return
    shift = plane.left - plane.curve.left
    flow = plane.colours.muscle * (0.35 + 0.15 * plane.grain)
    wall = 0.8 * plane.blobs
    for middle, depth, radius in ((9.0, 13.0, 9.0), (-13.0, 11.0, 8.0)):
        if np.abs(shift - middle).min() > radius + 5:
            continue
        lumen = np.hypot(before - depth + wall, shift - middle) - radius
        above_fork = cover(plane.curve.along - float(plane.body.levels[-1]), 8.0)
        paint(image, cover(lumen - 1.2, 1.5) * above_fork, 0.75 * plane.colours.muscle)
        paint(image, cover(lumen, 1.5) * above_fork, flow)


def _paint_midline(image: NDArray, plane: Plane) -> None:
    """Interspinous ligaments with fat."""
    colours, curve, aside = plane.colours, plane.curve, plane.aside
    if aside.min() > 7:
        return
    near = np.clip((7 - aside) / 3, 0, 1)
    behind = cover(curve.half_depth + 14 - curve.across, 3.0)
    fat = np.clip(0.36 + 0.22 * plane.streaks + 0.10 * plane.grain + 0.15 * plane.blobs, 0, 1)
    mixed = colours.muscle + fat * (0.85 * colours.fat - colours.muscle)
    paint(image, near * behind * np.clip(0.9 + 0.3 * plane.blobs, 0, 1), mixed)


def _paint_foramen(image: NDArray, plane: Plane, to_gap: NDArray) -> None:
    """Fat between the pedicles, with the nerve root in its upper part and vessels."""
    colours, curve, aside = plane.colours, plane.curve, plane.aside
    if aside.max() < 7 or aside.min() > 25:
        return
    behind = curve.across - curve.half_depth
    lateral = cover(np.maximum(9 - aside, aside - 23 - plane.blobs), 3.0)
    window = ellipse(behind - 5.5, to_gap + 2, (9.5, 13.0)) + 0.8 * plane.blobs
    paint(image, 0.9 * lateral * cover(window, 1.5), colours.fat * (0.9 + 0.1 * plane.grain))
    root = ellipse(behind - 4.0 - 0.2 * (aside - 14), to_gap + 6.0, (2.4, 2.9))
    paint(image, lateral * cover(root, 0.8), 1.25 * colours.muscle)
    vessel = cover(1.25 - plane.streaks, 0.5) * cover(window + 1, 1.5)
    paint(image, 0.7 * lateral * vessel, 0.4 * colours.muscle)


def _paint_canal(image: NDArray, plane: Plane, to_gap: NDArray) -> None:
    """Epidural fat, dura, CSF, and the cord or the roots of the cauda equina."""
    colours, curve, body = plane.colours, plane.curve, plane.body
    aside = plane.aside
    if aside.min() > 12:
        return
    depth, width = body.sac_half
    ends = cover(curve.along - body.canal_end, 6.0)
    middle = curve.half_depth + depth + 1.8
    narrowed = 1.1 * np.exp(-((to_gap / 4.0) ** 2))
    behind = curve.across - middle - 0.5 * narrowed
    canal = ellipse(behind - 1.0, aside, (depth + 2.6, width + 2.5))
    paint(image, cover(canal, 1.2), 0.7 * colours.muscle)
    _paint_epidural_fat(image, plane, behind - depth, aside, to_gap)
    sac = ellipse(behind, aside, (depth, width)) + 0.5 * narrowed + 0.15 * plane.blobs
    paint(image, ends * cover(sac - 0.9, 0.8), colours.dark)
    flow = 1 - 0.05 * np.abs(plane.roots) - 0.04 * plane.grain
    paint(image, ends * cover(sac, 0.7), colours.csf * flow)
    _paint_cord(image, plane, behind, aside, cover(sac + 0.6, 0.8))


def _paint_epidural_fat(
    image: NDArray, plane: Plane, behind_sac: NDArray, aside: NDArray, to_gap: NDArray
) -> None:
    """Bright wedges behind the sac between the laminae, and some fat before it at S1."""
    half = {"cervical": (1.4, 4.5), "thoracic": (2.4, 9.0), "lumbar": (4.2, 9.5)}
    deep, tall = half[plane.body.region]
    wedge = ellipse(behind_sac - 0.8, to_gap - 2.0, (deep, tall))
    wedge = np.maximum(wedge, aside - 6.5)
    paint(image, cover(wedge, 1.2), plane.colours.fat * (1.0 + 0.06 * plane.grain))


def _paint_cord(
    image: NDArray, plane: Plane, behind: NDArray, aside: NDArray, within: NDArray
) -> None:
    colours, curve, body = plane.colours, plane.curve, plane.body
    taper = np.clip((body.conus - curve.along) / 28, 0, 1) ** 0.6
    deep, wide = (half * np.maximum(taper, 0.02) for half in body.cord_half)
    behind = behind - body.cord_back
    cord = (np.sqrt((behind / deep) ** 2 + (aside / wide) ** 2) - 1) * deep
    below = np.clip((curve.along - body.conus + 45) / 60, 0, 1)
    dorsal = np.clip((behind + 1.5 - 2.5 * (1 - below)) / 4, 0, 1) + 0.25
    roots = np.clip(0.7 * plane.roots + 0.35, 0, 1)
    share = 0.75 * roots * dorsal * below * np.clip((9 - aside) / 3, 0, 1)
    paint(image, within * share, colours.cord)
    paint(image, within * cover(cord, 0.9), colours.cord * (1 + 0.05 * plane.roots))


def paint_back(
    tissue: NDArray, body: Habitus, colours: Palette, grid: VoxelGrid, textures: TextureFields
) -> None:
    """Fascia, fat under the skin with its septa, skin, and the air behind it."""
    first = int(np.searchsorted(grid.back, body.fascia.min() - 10))
    view, back = tissue[..., first:], grid.back[first:].astype(np.float32)
    fascia, skin = (line[:, None].astype(np.float32) - back for line in (body.fascia, body.skin))
    near = np.clip(1 - fascia / 9, 0, 1) * (fascia > 0)
    sheath, below = np.exp(-((fascia / 1.1) ** 2)), cover(fascia + 1.0, 1.0)
    dermis, air = cover(skin - 2.0, 0.8), cover(skin, 0.8)
    for k, slab in enumerate(np.split(view, range(PLANES, len(view), PLANES))):
        grain, streaks, blobs = (
            field[k][:, first:] for field in (textures.grain, textures.streaks, textures.blobs)
        )
        paint(slab, near * np.clip(0.5 * streaks, 0, 0.7), 0.8 * colours.fat)
        paint(slab, sheath, colours.dark)
        septa = np.exp(-(((streaks + 0.6 * blobs) / 0.10) ** 2))
        fat = colours.fat * (1.02 + 0.04 * grain + 0.05 * blobs - 0.30 * septa)
        paint(slab, below, fat)
        paint(slab, dermis, 0.9 * colours.muscle)
        paint(slab, air, 0.0)
