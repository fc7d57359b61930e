"""How far features stay the same when image and region are perturbed."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from centrum.arrays import Floats
from centrum.report.colours import BLACK, BLUE
from centrum.report.figures.strip import draw_strip
from centrum.report.style import PAGE_CM, SMALL_PT, STYLE, letter, new_figure


@STYLE
def draw_robustness(
    icc: Mapping[str, ArrayLike],
    families: Sequence[str],
    kept: ArrayLike,
    threshold: float,
    form: str,
    mark: str = "",
) -> Figure:
    """A panel for each kind of perturbation, a row for each family of features.

    `icc` holds the values of all features by kind, `families` and `kept` are those of the
    features; `form` such as "ICC(1,1)".
    """
    of = np.asarray(families)
    names = list(dict.fromkeys(families))
    figure = new_figure(PAGE_CM, 2.6 + 0.6 * len(names), mark)
    panels = np.atleast_1d(figure.subplots(1, len(icc), sharey=True))
    values = {kind: np.asarray(found, dtype=float) for kind, found in icc.items()}
    lowest = min(threshold, *(np.nanmin(found, initial=1) for found in values.values()))
    for panel, (kind, found) in zip(panels, values.items(), strict=True):
        _by_family(panel, found, of, names)
        panel.set_xlim(lowest - 0.05, 1.02)
        panel.axvline(threshold, color=BLACK, lw=1, ls="--", zorder=0)
        panel.set_xlabel(form)
        panel.xaxis.set_major_locator(MaxNLocator(4 if len(icc) > 1 else 8))
        letter(panel, chr(ord("a") + list(icc).index(kind)) if len(icc) > 1 else "", kind)
    passed = np.asarray(kept, dtype=bool)
    counts = [
        (np.count_nonzero(passed[of == name]), np.count_nonzero(of == name)) for name in names
    ]
    labels = [f"{name} ({k} of {n})" for name, (k, n) in zip(names, counts, strict=True)]
    panels[0].set_yticks(range(len(names)), labels, size=SMALL_PT)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    for panel in panels:
        panel.tick_params(axis="y", length=0)
    return figure


def _by_family(axes: Axes, icc: Floats, of: NDArray, names: Sequence[str]) -> None:
    groups = [icc[(of == name) & np.isfinite(icc)] for name in names]
    draw_strip(axes, groups, np.arange(float(len(names))), BLUE, "o")
