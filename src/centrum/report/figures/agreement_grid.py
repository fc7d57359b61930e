"""How well the readers agree, family by family and image by image."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from centrum.arrays import Floats
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, SMALL_PT, STYLE, new_figure

DARK = 0.55
"""Below this share of the colour scale text is white."""

ROW_CM = 0.52

NAME_WIDTH = 26
"""Characters of the name of an image on one line."""


@STYLE
def draw_agreement_grid(
    icc: ArrayLike,
    kept: ArrayLike,
    families: Sequence[str],
    images: Sequence[str],
    form: str,
    mark: str = "",
) -> Figure:
    """A row for each image, a column for each family: median ICC, features kept of all.

    All are of the same features; `form` such as "ICC(A,1)". What an image lacks is left white.
    """
    values, passed = np.asarray(icc, dtype=float), np.asarray(kept, dtype=bool)
    rows, columns = list(dict.fromkeys(images)), list(dict.fromkeys(families))
    figure = new_figure(PAGE_CM, 3.4 + ROW_CM * len(rows), mark)
    axes = figure.subplots()
    medians = np.full((len(rows), len(columns)), np.nan)
    texts: dict[tuple[int, int], str] = {}
    of_image, of_family = np.asarray(images), np.asarray(families)
    for i, image in enumerate(rows):
        for j, family in enumerate(columns):
            here = (of_image == image) & (of_family == family)
            if here.any():
                medians[i, j] = np.nanmedian(values[here]) if np.isfinite(values[here]).any() else 0
                texts[i, j] = f"{passed[here].sum()}/{here.sum()}"
    _draw(axes, medians, texts)
    axes.set_xticks(range(len(columns)), [wrapped(c, NAME_WIDTH) for c in columns], rotation=90)
    axes.set_yticks(range(len(rows)), [wrapped(row, NAME_WIDTH) for row in rows])
    axes.set(xlabel="Family of features", ylabel="Image")
    bar = figure.colorbar(axes.images[0], ax=axes, pad=0.02, aspect=max(8, 2 * len(rows)))
    bar.set_label(f"Median {form}")
    bar.outline.set_visible(False)
    return figure


def _draw(axes: Axes, medians: Floats, texts: dict[tuple[int, int], str]) -> None:
    colours = colormaps["cividis"]
    lowest = max(0.0, np.floor(10 * np.nanmin(medians)) / 10)
    axes.imshow(np.clip(medians, lowest, 1), colours, vmin=lowest, vmax=1, aspect="auto")
    for (i, j), text in texts.items():
        bright = medians[i, j] - lowest > DARK * (1 - lowest)
        axes.text(
            j,
            i,
            text,
            ha="center",
            va="center",
            size=SMALL_PT,
            color="black" if bright else "white",
        )
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0, labelsize=SMALL_PT)
    axes.spines[:].set_visible(False)
