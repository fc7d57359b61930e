"""Proposed vertebral bodies on sagittal slices, to be approved or corrected."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from centrum.morphometry.proposed import Proposal
from centrum.report.colours import GREEN, ORANGE, PALE, SKY
from centrum.report.figures.roi import WINDOW
from centrum.report.slices import Upright
from centrum.report.style import PAGE_CM, SMALL_PT, STYLE, new_figure
from centrum.volume import Volume

ASIDE = (-0.25, 0.0, 0.25)
"""Slices that are shown, in widths of the bodies from their middle towards the patient's left."""

MARGIN_MM = 15.0
"""What is shown around the vertebrae."""

MAX_CM = 22.0

STROKE = (withStroke(linewidth=2, foreground="black"),)


@STYLE
def draw_proposal(volume: Volume, proposal: Proposal) -> Figure:
    """Three sagittal slices with the outlines of bodies, whole vertebrae and canal.

    Parameters
    ----------
    volume : the image, on the grid of the proposal
    """
    upright = Upright.of(volume.geometry)
    regions = _Regions(proposal)
    places = _shown(regions.bodies, upright)
    rows, columns = _view(regions.wholes, upright)
    mm = np.array(upright.spacing)
    tall, wide = np.array([span.stop - span.start for span in (rows, columns)]) * mm
    height = float(np.clip(tall / wide * PAGE_CM / len(places), 5.0, MAX_CM)) + 1.6
    text = f"{proposal.provenance}: proposed by centrum and drawn by no reader. Look at each body."
    figure = new_figure(PAGE_CM, height, text)
    panels = figure.subplots(1, len(places), squeeze=False)[0]
    for axes, (title, k) in zip(panels, places.items(), strict=True):
        _slice(axes, upright.plane(volume.array, k)[rows, columns], upright.spacing)
        for array, colour, style in regions.lines:
            _outline(axes, upright.plane(array, k)[rows, columns], upright.spacing, colour, style)
        _names(axes, proposal, upright, k, (rows.start, columns.start))
        axes.set_title(title)
    handles = [Line2D([], [], color=c, ls=s, label=t) for t, c, s in regions.legend]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


class _Regions:
    """The unions that are outlined."""

    def __init__(self, proposal: Proposal) -> None:
        self.bodies = np.any([each.body.array for each in proposal.bodies], axis=0)
        self.wholes = np.any([each.whole.array for each in proposal.bodies], axis=0)
        canal = proposal.canal
        self.legend = [("proposed body", ORANGE, "-"), ("whole vertebra", PALE, ":")]
        self.lines = [(self.wholes, PALE, ":")]
        self.lines += [
            (each.body.array, (ORANGE, SKY)[k % 2], "-") for k, each in enumerate(proposal.bodies)
        ]
        if canal is not None:
            self.legend.append(("canal", GREEN, "--"))
            self.lines.append((canal.array, GREEN, "--"))


def _shown(bodies: NDArray, upright: Upright) -> dict[str, int]:
    """Slices by title, from the patient's right to the left; each once."""
    filled = np.flatnonzero(bodies.any(axis=tuple(k for k in range(3) if k != upright.axis)))
    leftwards = 1 if upright.geometry.axes[0, 2 - upright.axis] > 0 else -1
    middle, width = (filled[0] + filled[-1]) / 2, np.ptp(filled) + 1
    step = upright.geometry.array_spacing[upright.axis]
    chosen = {round(middle + leftwards * share * width): share for share in ASIDE}
    return {_title((k - middle) * step * leftwards): k for k in chosen}


def _title(aside: float) -> str:
    if abs(aside) < 0.5:
        return "middle"
    return f"{abs(aside):.0f} mm to the patient's {'left' if aside > 0 else 'right'}"


def _view(wholes: NDArray, upright: Upright) -> tuple[slice, slice]:
    """Rows and columns around the vertebrae."""
    flat = upright.plane(np.asarray(wholes.any(axis=upright.axis, keepdims=True)), 0)
    spans = []
    for axis, mm in enumerate(upright.spacing):
        hit, margin = np.flatnonzero(flat.any(axis=1 - axis)), round(MARGIN_MM / mm)
        spans.append(slice(max(hit[0] - margin, 0), min(hit[-1] + margin + 1, flat.shape[axis])))
    return spans[0], spans[1]


def _slice(axes: Axes, image: NDArray, spacing: tuple[float, float]) -> None:
    low, high = np.percentile(image, WINDOW)
    rows, columns = image.shape
    axes.imshow(
        image, cmap="gray", vmin=low, vmax=max(high, low + 1e-9), interpolation="bilinear",
        extent=(0, columns * spacing[1], rows * spacing[0], 0),
    )  # fmt: skip
    axes.set_axis_off()


def _outline(
    axes: Axes, region: NDArray, spacing: tuple[float, float], colour: str, style: str
) -> None:
    if not region.any():
        return
    y, x = ((np.arange(n) + 0.5) * mm for n, mm in zip(region.shape, spacing, strict=True))
    axes.contour(x, y, region, [0.5], colors=colour, linewidths=0.9, linestyles=style)


def _names(
    axes: Axes, proposal: Proposal, upright: Upright, k: int, first: tuple[int, int]
) -> None:
    for each in proposal.bodies:
        region = upright.plane(each.body.array, k)
        if region.any():
            row, column = (np.argwhere(region).mean(axis=0) - first + 0.5) * upright.spacing
            text = axes.text(column, row, each.level.name, ha="center", va="center", size=SMALL_PT)
            text.set(color="white", path_effects=STROKE)
