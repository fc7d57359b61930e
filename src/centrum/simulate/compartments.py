"""How each soft tissue is painted on a sagittal plane, row by row: compiled.

Distances and shares are worked out in double precision from numbers in single, voxel by voxel, so
that none of the steps in between is kept. A row is a loop without branches wherever it can be.
"""

from math import exp
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from centrum.simulate.shapes import compiled, covered, elliptic, limited, mixed

Span = tuple[int, int]
"""Columns from the first to before the last."""

FAR = 20.0
"""Squares of a distance in widths from which exp(-square), below 1e-8, counts as 0."""

REGIONS = ("cervical", "thoracic", "lumbar")
CERVICAL, THORACIC, LUMBAR = range(3)


class Colours(NamedTuple):
    """Signals of the soft tissues, and of marrow for scale."""

    muscle: float
    fat: float
    csf: float
    cord: float
    marrow: float
    dark: float


class TexturePlane(NamedTuple):
    """Random fields on a plane; what each is for says `TextureFields`."""

    grain: NDArray
    streaks: NDArray
    roots: NDArray
    blobs: NDArray


class Front(NamedTuple):
    """What planes share of the tissue before the bodies, and of that beside them.

    Attributes
    ----------
    left, half_width : of the curve of the spine, mm
    before, behind : mm before the front and behind the back of the bodies
    above_fork : share of the vessels above their fork
    """

    left: NDArray
    half_width: NDArray
    before: NDArray
    behind: NDArray
    above_fork: NDArray


class Canal(NamedTuple):
    """What planes share of the canal and the foramina.

    Attributes
    ----------
    left : of the curve of the spine, mm
    behind, to_gap : mm behind the bodies, and down from the middle of the nearest disc
    window : distance to the opening between the pedicles, mm
    sac_behind : mm behind the middle of the dural sac
    narrowed : how far a disc pushes the sac in, mm
    wedge : distance to the fat between the laminae, seen from the side, mm
    above_end : share above the end of the sac
    below_conus : 0 where there is the cord alone, 1 where there are roots alone
    taper : size of the cord, relative
    """

    left: NDArray
    behind: NDArray
    to_gap: NDArray
    window: NDArray
    sac_behind: NDArray
    narrowed: NDArray
    wedge: NDArray
    above_end: NDArray
    below_conus: NDArray
    taper: NDArray


class CanalSizes(NamedTuple):
    """Half depth and half width of sac and cord, and how far back the cord lies in it, mm."""

    sac_deep: float
    sac_wide: float
    cord_deep: float
    cord_wide: float
    cord_back: float


@compiled
def paint_muscle(
    image: NDArray,
    left: float,
    front: Front,
    textures: TexturePlane,
    colours: Colours,
    fatty: float,
) -> None:
    """Muscle with streaks of fat, more of them near the bones."""
    for y in range(image.shape[0]):
        row, middle = image[y], front.left[y]
        grain, streaks, blobs = textures.grain[y], textures.streaks[y], textures.blobs[y]
        for k in range(row.size):
            near_bone = limited(1.3 - abs(left - middle[k]) / 22)
            amount = 0.6 * streaks[k] + 0.15 * grain[k] + 0.6 * blobs[k]
            amount += 1.3 * fatty + 0.6 * near_bone - 1.7
            muscle = colours.muscle * (1.05 + 0.12 * grain[k] + 0.10 * blobs[k])
            fat = colours.fat * (0.85 + 0.08 * grain[k])
            row[k] = mixed(muscle, 0.75 * limited(amount), fat)


@compiled
def _organ(grain: float, streaks: float, blobs: float, colours: Colours) -> float:
    organ = colours.marrow * max(0.85 + 0.28 * blobs + 0.08 * grain, 0.12)
    fatty = limited(0.5 * blobs + 0.5 * streaks - 0.1)
    return mixed(organ, 0.8 * fatty, 0.85 * colours.fat)


@compiled
def _with_airway(organ: float, before: float, aside: float, blobs: float, dark: float) -> float:
    airway = max(abs(before - 13 + blobs) - 6.5, aside - 7)
    return mixed(0.75 * organ, covered(airway, 2.0), dark)


@compiled
def _with_lung(
    organ: float, before: float, aside: float, grain: float, blobs: float, marrow: float
) -> float:
    lung = covered(7.0 - aside - 0.5 * before + 3 * blobs, 4.0)
    return mixed(organ, lung, 0.10 * marrow * (1 + 0.3 * grain))


@compiled
def _with_gas(
    organ: float, before: float, grain: float, streaks: float, blobs: float, dark: float
) -> float:
    bubbles = blobs + 0.12 * grain + 0.2 * streaks
    share = covered(1.4 - bubbles, 0.4) if before > 24 else 0.0
    return mixed(organ, share, dark)


@compiled
def paint_organs(
    image: NDArray,
    left: float,
    span: Span,
    front: Front,
    textures: TexturePlane,
    colours: Colours,
    region: int,
) -> None:
    """What lies before the bodies: fat, and organs or lung or airway; lung beside them, too."""
    start, stop = span
    for y in range(image.shape[0]):
        row, middle = image[y, start:stop], front.left[y, start:stop]
        before, wide = front.before[y, start:stop], front.half_width[y, start:stop]
        behind, grain = front.behind[y, start:stop], textures.grain[y, start:stop]
        streaks, blobs = textures.streaks[y, start:stop], textures.blobs[y, start:stop]
        for k in range(row.size):
            aside, ahead = abs(left - middle[k]), before[k]
            share = covered(3.0 + 1.2 * blobs[k] - ahead, 2.0)
            organ = _organ(grain[k], streaks[k], blobs[k], colours)
            if region == CERVICAL:
                organ = _with_airway(organ, ahead, aside, blobs[k], colours.dark)
            else:
                if region == THORACIC:
                    organ = _with_lung(organ, ahead, aside, grain[k], blobs[k], colours.marrow)
                    beside = covered(behind[k] - 4 - 2 * blobs[k], 2.0)
                    beside *= covered(wide[k] + 3 - aside, 2.0)
                    row[k] = mixed(row[k], beside, 0.12 * colours.marrow)
                    lateral = limited((aside - wide[k] - 2) / 4) if ahead < 0 else 0.0
                    share = max(share, lateral)
                organ = _with_gas(organ, ahead, grain[k], streaks[k], blobs[k], colours.dark)
            row[k] = mixed(row[k], share, organ)


@compiled
def paint_vessel(
    image: NDArray,
    left: float,
    span: Span,
    front: Front,
    textures: TexturePlane,
    muscle: float,
    size: tuple[float, float, float],
) -> None:
    """A great vessel, whose flow takes the signal away: where it is (left, before), and radius."""
    (start, stop), (middle, depth, radius) = span, size
    for y in range(image.shape[0]):
        row, axis = image[y, start:stop], front.left[y, start:stop]
        before, above_fork = front.before[y, start:stop], front.above_fork[y, start:stop]
        grain, blobs = textures.grain[y, start:stop], textures.blobs[y, start:stop]
        for k in range(row.size):
            across, along = before[k] - depth + 0.8 * blobs[k], left - axis[k] - middle
            lumen = np.sqrt(across * across + along * along) - radius
            wall = mixed(row[k], covered(lumen - 1.2, 1.5) * above_fork[k], 0.75 * muscle)
            flow = muscle * (0.35 + 0.15 * grain[k])
            row[k] = mixed(wall, covered(lumen, 1.5) * above_fork[k], flow)


@compiled
def paint_ligament(
    image: NDArray, left: float, span: Span, front: Front, textures: TexturePlane, colours: Colours
) -> None:
    """The ligament before the bodies, and a line of fat before that."""
    for y in range(image.shape[0]):
        for k in range(span[0], span[1]):
            aside, before = abs(left - front.left[y, k]), front.before[y, k]
            if aside >= 20 or abs(before) > 12:
                continue
            fat_line = _bell(before - 2.2 - 0.6 * textures.blobs[y, k])
            share = 0.75 * limited(0.8 + 0.6 * textures.streaks[y, k]) * fat_line
            image[y, k] = mixed(image[y, k], share, colours.fat)
            if aside < 16:
                ligament = 0.85 * _bell((before - 0.3) / 0.9)
                image[y, k] = mixed(image[y, k], ligament, colours.dark)


@compiled
def _bell(x: float) -> float:
    return exp(-x * x) if x * x < FAR else 0.0


@compiled
def paint_midline(
    image: NDArray, left: float, span: Span, front: Front, textures: TexturePlane, colours: Colours
) -> None:
    """Interspinous ligaments with fat."""
    start, stop = span
    for y in range(image.shape[0]):
        row, middle = image[y, start:stop], front.left[y, start:stop]
        behind, grain = front.behind[y, start:stop], textures.grain[y, start:stop]
        streaks, blobs = textures.streaks[y, start:stop], textures.blobs[y, start:stop]
        for k in range(row.size):
            near = limited((7 - abs(left - middle[k])) / 3)
            share = near * covered(14 - behind[k], 3.0) * limited(0.9 + 0.3 * blobs[k])
            fat = limited(0.36 + 0.22 * streaks[k] + 0.10 * grain[k] + 0.15 * blobs[k])
            row[k] = mixed(row[k], share, mixed(colours.muscle, fat, 0.85 * colours.fat))


@compiled
def paint_foramen(
    image: NDArray, left: float, span: Span, canal: Canal, textures: TexturePlane, colours: Colours
) -> None:
    """Fat between the pedicles, with the nerve root in its upper part and vessels."""
    start, stop = span
    for y in range(image.shape[0]):
        row, middle, window = image[y, start:stop], canal.left[y], canal.window[y]
        behind, to_gap = canal.behind[y], canal.to_gap[y]
        grain, streaks = textures.grain[y, start:stop], textures.streaks[y, start:stop]
        blobs = textures.blobs[y, start:stop]
        for k in range(row.size):
            aside, opening = abs(left - middle[k]), window[k] + 0.8 * blobs[k]
            lateral = covered(max(9 - aside, aside - 23 - blobs[k]), 3.0)
            fat = colours.fat * (0.9 + 0.1 * grain[k])
            new = mixed(row[k], 0.9 * lateral * covered(opening, 1.5), fat)
            root = elliptic(behind[k] - 4.0 - 0.2 * (aside - 14), to_gap[k] + 6.0, 2.4, 2.9)
            new = mixed(new, lateral * covered(root, 0.8), 1.25 * colours.muscle)
            vessel = covered(1.25 - streaks[k], 0.5) * covered(opening + 1, 1.5)
            row[k] = mixed(new, 0.7 * lateral * vessel, 0.4 * colours.muscle)


@compiled
def paint_sac(
    image: NDArray,
    left: float,
    span: Span,
    canal: Canal,
    textures: TexturePlane,
    colours: Colours,
    sizes: CanalSizes,
) -> None:
    """Epidural tissue with wedges of fat behind the sac, dura and CSF."""
    start, stop = span
    for y in range(image.shape[0]):
        row, middle, behind = image[y, start:stop], canal.left[y], canal.sac_behind[y]
        wedge, narrowed, above_end = canal.wedge[y], canal.narrowed[y], canal.above_end[y]
        grain, roots = textures.grain[y, start:stop], textures.roots[y, start:stop]
        blobs = textures.blobs[y, start:stop]
        for k in range(row.size):
            aside = abs(left - middle[k])
            wide = elliptic(behind[k] - 1.0, aside, sizes.sac_deep + 2.6, sizes.sac_wide + 2.5)
            new = mixed(row[k], covered(wide, 1.2), 0.7 * colours.muscle)
            fat = colours.fat * (1.0 + 0.06 * grain[k])
            new = mixed(new, covered(max(wedge[k], aside - 6.5), 1.2), fat)
            sac = elliptic(behind[k], aside, sizes.sac_deep, sizes.sac_wide)
            sac += 0.5 * narrowed[k] + 0.15 * blobs[k]
            new = mixed(new, above_end[k] * covered(sac - 0.9, 0.8), colours.dark)
            flow = 1 - 0.05 * abs(roots[k]) - 0.04 * grain[k]
            row[k] = mixed(new, above_end[k] * covered(sac, 0.7), colours.csf * flow)


@compiled
def paint_cord(
    image: NDArray,
    left: float,
    span: Span,
    canal: Canal,
    textures: TexturePlane,
    colours: Colours,
    sizes: CanalSizes,
) -> None:
    """The cord, or the roots of the cauda equina."""
    start, stop = span
    for y in range(image.shape[0]):
        row, middle, behind = image[y, start:stop], canal.left[y], canal.sac_behind[y]
        narrowed, below, taper = canal.narrowed[y], canal.below_conus[y], canal.taper[y]
        roots, blobs = textures.roots[y, start:stop], textures.blobs[y, start:stop]
        for k in range(row.size):
            aside, back = abs(left - middle[k]), behind[k] - sizes.cord_back
            sac = elliptic(behind[k], aside, sizes.sac_deep, sizes.sac_wide)
            within = covered(sac + 0.5 * narrowed[k] + 0.15 * blobs[k] + 0.6, 0.8)
            dorsal = limited((back + 1.5 - 2.5 * (1 - below[k])) / 4) + 0.25
            share = 0.75 * limited(0.7 * roots[k] + 0.35) * dorsal * below[k]
            share *= limited((9 - aside) / 3)
            new = mixed(row[k], within * share, colours.cord)
            deep, wide = sizes.cord_deep * taper[k], sizes.cord_wide * taper[k]
            a, b = back / deep, aside / wide
            cord = (np.sqrt(a * a + b * b) - 1) * deep
            bright = colours.cord * (1 + 0.05 * roots[k])
            row[k] = mixed(new, within * covered(cord, 0.9), bright)


@compiled
def rolled(plane: NDArray, shift: NDArray) -> NDArray:
    """Each row moved to the right by its own number of columns, not negative, round the end.

    >>> rolled(np.array([[1, 2, 3], [4, 5, 6]]), np.array([0, 1]))
    array([[1, 2, 3],
           [6, 4, 5]])
    """
    moved = np.empty_like(plane)
    for y in range(len(plane)):
        start = shift[y] % plane.shape[1]
        moved[y, start:] = plane[y, : plane.shape[1] - start]
        moved[y, :start] = plane[y, plane.shape[1] - start :]
    return moved


@compiled
def paint_skin(
    slab: NDArray,
    fascia: NDArray,
    skin: NDArray,
    back: NDArray,
    textures: TexturePlane,
    colours: Colours,
) -> None:
    """Fascia, fat under the skin with its septa, skin, and the air behind it.

    `slab` (planes, rows, columns) has the same on all its planes; `fascia` and `skin` are mm to
    the front of each row, `back` is the position of each column.
    """
    for y in range(slab.shape[1]):
        for k in range(back.size):
            deep, surface = fascia[y] - back[k], skin[y] - back[k]
            if deep > 12:
                continue
            for z in range(len(slab)):
                if z > 0 and deep < -1.5:  # fat or skin or air alone, which planes share
                    slab[z, y, k] = slab[0, y, k]
                elif surface < -0.4:
                    slab[z, y, k] = 0
                else:
                    fields = textures.grain[y, k], textures.streaks[y, k], textures.blobs[y, k]
                    slab[z, y, k] = _subcutaneous(slab[z, y, k], deep, surface, fields, colours)


@compiled
def _subcutaneous(
    old: float,
    fascia: float,
    skin: float,
    fields: tuple[float, float, float],
    colours: Colours,
) -> float:
    grain, streaks, blobs = fields
    near = limited(1 - fascia / 9) if fascia > 0 else 0.0
    new = mixed(old, near * min(max(0.5 * streaks, 0.0), 0.7), 0.8 * colours.fat)
    new = mixed(new, _bell(fascia / 1.1), colours.dark)
    septa = _bell((streaks + 0.6 * blobs) / 0.10)
    fat = colours.fat * (1.02 + 0.04 * grain + 0.05 * blobs - 0.30 * septa)
    new = mixed(new, covered(fascia + 1.0, 1.0), fat)
    new = mixed(new, covered(skin - 2.0, 0.8), 0.9 * colours.muscle)
    return mixed(new, covered(skin, 0.8), 0.0)
