"""Feature maps over the vertebra, of one case or of several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from centrum.arrays import Floats
from centrum.report.figures.roi import RoiPanel, draw_panel, draw_readers
from centrum.report.labels import wrapped
from centrum.report.style import COLUMN_CM, PAGE_CM, SMALL_PT, STYLE, new_figure

COLOURS = "viridis"
"""Perceptually uniform, and told apart by colour-blind readers."""

RANGE = (2, 98)
"""Percentiles of the values shown, over all cases, at the ends of the colours."""

LABEL_WIDTH, HEADING_WIDTH = 54, 105
"""Characters that fit below the colours of one map, and above a row of maps."""

BAR_ASPECT = {"bottom": 25, "right": 10}
"""Length over width of the colours at a side."""

TITLE_WIDTH = 20
"""Characters of a title that fit above one of several cases."""

FINE = 0.7
"""Width of outlines on a small picture."""

HEADING_CM, READERS_CM, TITLES_CM = 0.5, 0.6, 1.3
"""Height of the heading of a row, of the names of the readers, and of the titles of cases."""

OVER_PICTURE = 0.5
"""Above the picture, which matplotlib draws at 0, and below the outlines."""


@dataclass(frozen=True, eq=False)
class MapPanel:
    """The values of a feature on one slice, and where they lie on the picture of a case.

    Attributes
    ----------
    values : (rows, columns), NaN where there is none
    extent : left, right, bottom and top in mm from the upper left corner of the picture
    """

    values: Floats
    extent: tuple[float, float, float, float]


@dataclass(frozen=True)
class MapLabel:
    """What is mapped: name and unit of the feature, and the size of the windows."""

    name: str
    unit: str
    window: str


@dataclass(frozen=True, eq=False)
class MapPicture:
    """A case: its picture with the outlines of the readers, and a map for each feature."""

    picture: RoiPanel
    maps: tuple[MapPanel, ...]


@dataclass(frozen=True, eq=False)
class MapBlock:
    """Cases with maps of the features of one region."""

    cases: Sequence[MapPicture]
    labels: Sequence[MapLabel]

    @property
    def pictures(self) -> list[RoiPanel]:
        """What is shown of the cases."""
        return [case.picture for case in self.cases]


@STYLE
def draw_map(case: MapPicture, label: MapLabel, mark: str = "") -> Figure:
    """A case and the map of its first feature beside each other, in a column of a printed page."""
    figure = new_figure(COLUMN_CM, COLUMN_CM / 2 + 3.6, mark)
    left, right = figure.subplots(1, 2)
    draw_panel(left, case.picture, line=FINE)
    _draw_feature([right], [case], 0, scale := _scale([case.maps[0]]))
    bar = _draw_colours(figure, [left, right], scale, "bottom")
    name = f"{label.name} [{label.unit}], window {label.window}"
    bar.set_label(wrapped(name, LABEL_WIDTH, lines=3), size=SMALL_PT)
    draw_readers(figure, [case.picture], 2)
    return figure


@STYLE
def draw_maps(blocks: Sequence[MapBlock], mark: str = "") -> Figure:
    """A column per case, its picture above its maps; to the right of a row its colours.

    Regions stand below each other, each with pictures of its own.
    """
    rows, columns = sum(len(b.labels) + 1 for b in blocks), len(blocks[0].cases)
    side = PAGE_CM / (columns + 0.6)
    height = (side + HEADING_CM) * rows + READERS_CM + TITLES_CM * len(blocks)
    figure = new_figure(PAGE_CM, height, mark)
    grid = iter(figure.subplots(rows, columns, squeeze=False))
    for block in blocks:
        _draw_block(figure, block, [next(grid) for _ in (*block.labels, "pictures")])
    draw_readers(figure, [picture for block in blocks for picture in block.pictures])
    return figure


def _draw_block(figure: Figure, block: MapBlock, grid: Sequence[Sequence[Axes]]) -> None:
    """The pictures of a region in the first row, a feature in each further one."""
    for axes, picture in zip(grid[0], block.pictures, strict=True):
        draw_panel(axes, picture, width=TITLE_WIDTH, line=FINE)
    for k, label in enumerate(block.labels):
        row = list(grid[k + 1])
        scale = _scale([case.maps[k] for case in block.cases])
        _draw_feature(row, block.cases, k, scale)
        bar = _draw_colours(figure, row, scale, "right")
        bar.set_label(label.unit, size=SMALL_PT)
        _head(row[0], f"{label.name}; window {label.window}")


def _head(first: Axes, text: str) -> None:
    """A heading above a row, whose length does not widen the first panel, as that of a title."""
    heading = wrapped(text, HEADING_WIDTH)
    first.set_title("\n".join(" " for _ in heading.splitlines()), size=SMALL_PT)
    first.annotate(
        heading, (0, 1), (0, 3), "axes fraction", "offset points", size=SMALL_PT, va="bottom"
    ).set_in_layout(False)


def _draw_feature(
    row: Sequence[Axes], cases: Sequence[MapPicture], k: int, scale: Normalize
) -> None:
    """The k-th map of every case over its picture."""
    for axes, case in zip(row, cases, strict=True):
        draw_panel(axes, replace(case.picture, title=()), bar=False, line=FINE)
        limits, panel = axes.axis(), case.maps[k]
        axes.imshow(
            panel.values, cmap=COLOURS, norm=scale, interpolation="nearest",
            extent=panel.extent, zorder=OVER_PICTURE,
        )  # fmt: skip
        axes.axis(limits)


def _draw_colours(figure: Figure, beside: list[Axes], scale: Normalize, where: str) -> Colorbar:
    """What the colours of maps stand for, at one side of them."""
    colours = ScalarMappable(scale, COLOURS)
    bar = figure.colorbar(
        colours, ax=beside, location=where, extend="both", shrink=0.8, aspect=BAR_ASPECT[where]
    )
    bar.ax.tick_params(labelsize=SMALL_PT)
    bar.locator = MaxNLocator(3)
    return bar


def _scale(maps: Sequence[MapPanel]) -> Normalize:
    """From the low to the high values of all maps; of equal ones around them."""
    values = np.concatenate([panel.values[np.isfinite(panel.values)] for panel in maps])
    low, high = np.percentile(values, RANGE) if values.size else (0.0, 1.0)
    margin = 0.0 if high > low else abs(low) / 2 or 0.5
    return Normalize(low - margin, high + margin)
