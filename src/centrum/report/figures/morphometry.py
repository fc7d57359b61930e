"""The six points of every vertebral body of an exam, with what was measured beside them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from centrum.arrays import Floats
from centrum.morphometry import Genant, Morphometry
from centrum.morphometry.exam import COLUMNS, table_row
from centrum.morphometry.sagittal import Slab
from centrum.report.colours import GREY, ORANGE, SKY, VERMILION
from centrum.report.slices import Upright
from centrum.report.style import PAGE_CM, SMALL_PT, STYLE, new_figure
from centrum.volume import Mask, Volume

MARGIN_MM = (12.0, 22.0)
"""What is shown above and below the bodies, and before and behind them."""

IMAGE_SHARE = 0.34
"""Of the width of the page; the rest is the table."""

MAX_CM = 22.0

ROW_MM = 5.0
"""Height of a row of the table on the page."""

PLACES = (0.0, 0.165, 0.265, 0.38, 0.47, 0.53, 0.615, 0.70, 0.76, 0.78)
"""Of the columns along a row: the left side of the first and the last, the right one of others."""

OUTLINE = (withStroke(linewidth=2, foreground="black"),)

Bodies = Sequence[tuple[Morphometry, Genant | None]]


@STYLE
def draw_morphometry(
    volume: Volume, masks: Mapping[str, Mask], bodies: Bodies, mark: str = ""
) -> Figure:
    """The sagittal slice at the middle of the bodies, their points and heights, and a table.

    Parameters
    ----------
    masks : by name of the body; each outline is that of the body's own middle slice
    bodies : from head to foot
    """
    upright = Upright.of(volume.geometry)
    points = np.concatenate([body.points.reshape(-1, 3) for body, _ in bodies])
    spacing = np.array(upright.spacing)
    places = (upright.places(points) + 0.5) * spacing
    k = int(np.median([_middle(body, upright) for body, _ in bodies]))
    image = upright.plane(volume.array, k)
    low = np.maximum(places.min(axis=0) - MARGIN_MM, 0)
    high = np.minimum(places.max(axis=0) + MARGIN_MM, spacing * image.shape)
    height_cm = _height_cm(high - low, len(bodies))
    figure = new_figure(PAGE_CM, height_cm, _references(bodies, mark))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(IMAGE_SHARE, 1 - IMAGE_SHARE))
    _show(left, image, upright.spacing)
    for body, found in bodies:
        _draw_body(left, body, found, masks[body.name], upright)
    left.set_xlim(low[1], high[1])
    left.set_ylim(high[0], low[0])
    left.set_axis_off()
    _draw_table(right, bodies, upright, (low[0], high[0]), height_cm)
    return figure


def _height_cm(shown: Floats, rows: int) -> float:
    """Tall enough for the picture at its width, and for the table."""
    picture = shown[0] / shown[1] * IMAGE_SHARE * PAGE_CM
    return float(np.clip(picture, (rows + 3) * ROW_MM / 10, MAX_CM)) + 0.8


def _references(bodies: Bodies, mark: str) -> str:
    """What the grades are relative to, below the figure."""
    known = [f"{body.title}: {found.reference}" for body, found in bodies if found]
    grades = f"Loss of height relative to {'; '.join(known)}." if known else ""
    return " ".join(part for part in (grades, mark) if part)


def _middle(body: Morphometry, upright: Upright) -> float:
    """The slice in which a body was measured, as a fraction."""
    return float(upright.geometry.index(body.frame.centre)[2 - upright.axis])


def _show(axes: Axes, image: NDArray, spacing: tuple[float, float]) -> None:
    rows, columns = image.shape
    low, high = np.percentile(image, (2, 99))
    axes.imshow(
        image, cmap="gray", vmin=low, vmax=max(high, low + 1e-9), interpolation="bilinear",
        extent=(0, columns * spacing[1], rows * spacing[0], 0),
    )  # fmt: skip


def _draw_body(
    axes: Axes, body: Morphometry, found: Genant | None, mask: Mask, upright: Upright
) -> None:
    colour = VERMILION if found and found.grade else SKY
    slices = np.flatnonzero(Slab(mask).in_slices)
    region = upright.plane(mask.array, int(slices[len(slices) // 2]))
    y, x = ((np.arange(n) + 0.5) * mm for n, mm in zip(region.shape, upright.spacing, strict=True))
    axes.contour(x, y, region, [0.5], colors=colour, linewidths=0.8)
    places = (upright.places(body.points.reshape(-1, 3)) + 0.5) * upright.spacing
    for upper, lower in zip(places[:3], places[3:], strict=True):
        ends = np.array([upper, lower])
        axes.plot(
            ends[:, 1], ends[:, 0], color=ORANGE, lw=0.8, marker="o", ms=2, path_effects=OUTLINE
        )


def _draw_table(
    axes: Axes, bodies: Bodies, upright: Upright, span: tuple[float, float], height_cm: float
) -> None:
    axes.set_xlim(0, 1)
    axes.set_axis_off()
    step = (span[1] - span[0]) * ROW_MM / 10 / height_cm
    centres = np.array([body.frame.centre for body, _ in bodies])
    rows = _spread(upright.places(centres)[:, 0] * upright.spacing[0], step)
    for back, words in zip((2, 1.2), zip(*COLUMNS, strict=True), strict=True):
        _row(axes, rows[0] - back * step, words, color=GREY)
    for place, (body, found) in zip(rows, bodies, strict=True):
        _row(axes, place, table_row(body, found), color=VERMILION if found and found.grade else "k")


def _spread(places: Floats, step: float) -> Floats:
    """Places at least `step` apart, moved down where they are not."""
    out = places.copy()
    for k in range(1, len(out)):
        out[k] = max(out[k], out[k - 1] + step)
    return out


def _row(axes: Axes, place: float, cells: Sequence[str], color: str) -> None:
    sides = ["left", *["right"] * (len(cells) - 2), "left"]
    for x, side, text in zip(PLACES, sides, cells, strict=True):
        axes.text(x, place, text, ha=side, va="center", size=SMALL_PT, color=color)
