"""The regions of interest of all readers on one slice of some cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from centrum.arrays import Flags
from centrum.report.colours import READERS, REGIONS
from centrum.report.labels import wrapped
from centrum.report.style import DASHES, PAGE_CM, SMALL_PT, STYLE, new_figure

COLUMNS = 3
NAME_WIDTH = 36
"""Characters of a reader's name that fit into a column."""

TITLE_WIDTH = 38
"""Characters of a title that fit above a panel."""

BAR_MM = 20.0
WINDOW = (2, 98)
"""Percentiles of the shown neighbourhood that become black and white."""

OUTLINE = (withStroke(linewidth=2, foreground="black"),)


@dataclass(frozen=True, eq=False)
class RoiPanel:
    """One slice of one case, superior up and anterior left.

    Attributes
    ----------
    image : (rows, columns) intensities
    masks : (rows, columns) region by reader
    spacing : mm between rows and between columns
    title : lines above the panel
    regions : (rows, columns) further regions by name, in the same order on every panel
    readers : of the whole study, whose order decides their colours; those of `masks` where missing
    """

    image: NDArray
    masks: Mapping[str, Flags]
    spacing: tuple[float, float]
    title: tuple[str, ...]
    regions: Mapping[str, Flags] = field(default_factory=dict)
    readers: tuple[str, ...] = ()

    @property
    def places(self) -> dict[str, int]:
        """Place among the readers of the study of each who drew here."""
        readers = self.readers or tuple(self.masks)
        return {reader: readers.index(reader) for reader in self.masks}


@STYLE
def draw_rois(panels: Sequence[RoiPanel], mark: str = "") -> Figure:
    """A grid of slices with a contour per reader and further region, and a scale bar."""
    rows = -(-len(panels) // COLUMNS)
    figure = new_figure(PAGE_CM, 1.0 + 6.8 * rows, mark)
    grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes, panel in zip(grid, panels, strict=False):
        draw_panel(axes, panel)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    draw_readers(figure, panels)
    return figure


def draw_readers(figure: Figure, panels: Sequence[RoiPanel], columns: int = COLUMNS) -> None:
    """Which outline is whose, and of which further region, above the panels."""
    places = {k: reader for panel in panels for reader, k in panel.places.items()}
    readers = [places[k] for k in sorted(places)]
    regions = list(dict.fromkeys(name for panel in panels for name in panel.regions))
    handles = [
        *(Line2D([], [], color=_colour(k), ls=DASHES[k % 4], lw=2) for k in sorted(places)),
        *(Line2D([], [], color=_region_colour(k), lw=2) for k in range(len(regions))),
    ]
    names = [wrapped(name, NAME_WIDTH) for name in (*readers, *(f"region {r}" for r in regions))]
    figure.legend(handles, names, loc="outside upper left", ncols=columns)


def _colour(k: int) -> str:
    return READERS[k % len(READERS)]


def _region_colour(k: int) -> str:
    return REGIONS[k % len(REGIONS)]


def draw_panel(
    axes: Axes, panel: RoiPanel, *, width: int = TITLE_WIDTH, bar: bool = True, line: float = 1.1
) -> None:
    """One slice with the contours of its regions and perhaps a scale bar, on axes of its own.

    Lines of the title have at most `width` characters; outlines are `line` points wide.
    """
    rows, columns = panel.image.shape
    high, wide = rows * panel.spacing[0], columns * panel.spacing[1]
    black, white = np.percentile(panel.image, WINDOW)
    axes.imshow(
        panel.image, cmap="gray", vmin=black, vmax=max(white, black + 1e-9),
        interpolation="bilinear", extent=(0, wide, high, 0),
    )  # fmt: skip
    x = (np.arange(columns) + 0.5) * panel.spacing[1]
    y = (np.arange(rows) + 0.5) * panel.spacing[0]
    outlines = [
        *((r, _region_colour(k), DASHES[0]) for k, r in enumerate(panel.regions.values())),
        *((panel.masks[r], _colour(k), DASHES[k % 4]) for r, k in panel.places.items()),
    ]
    for region, colour, dashes in outlines:
        if region.any() and not region.all():
            axes.contour(x, y, region, [0.5], colors=colour, linewidths=line, linestyles=dashes)
    axes.set_axis_off()
    axes.set_title(
        "\n".join(wrapped(line, width) for line in panel.title),
        size=SMALL_PT, weight="normal",
    )  # fmt: skip
    if bar:
        _scale_bar(axes, wide, high)


def _scale_bar(axes: Axes, width: float, height: float) -> None:
    bar = BAR_MM if width > 2 * BAR_MM else BAR_MM / 4
    right, y = 0.96 * width, 0.95 * height
    axes.plot([right - bar, right], [y, y], color="white", lw=2, path_effects=OUTLINE)
    axes.text(
        right, y - 0.02 * height, f"{bar:g} mm", color="white", size=SMALL_PT,
        ha="right", va="bottom", path_effects=OUTLINE,
    )  # fmt: skip
