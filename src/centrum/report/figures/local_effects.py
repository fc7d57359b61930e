"""Accumulated local effects: how the score depends on each of a few features."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from centrum.report.colours import BLUE, GREY
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, STYLE, letter, new_figure
from centrum.validation.local_effects import LocalEffect

ACROSS = 3
"""Panels beside each other."""

NO_UNIT = ("–", "1")
"""Of what has none."""


@STYLE
def draw_local_effects(
    effects: Sequence[LocalEffect], labels: Sequence[str], units: Sequence[str], scale: str,
    mark: str = "",
) -> Figure:  # fmt: skip
    """A panel for each feature, over its values as measured; ticks below are the cases."""
    across = min(len(effects), ACROSS)
    down = -(-len(effects) // across)
    figure = new_figure(PAGE_CM, 0.8 + 5.4 * down, mark)
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for k, (axes, effect) in enumerate(zip(panels, effects, strict=False)):
        axes.axhline(0, color=GREY, lw=0.5, ls=":")
        axes.plot(effect.grid, effect.effect, "-o", color=BLUE, ms=2.5)
        axes.plot(effect.values, [0.02] * len(effect.values), "|", color=GREY, ms=5, mew=0.5,
                  transform=axes.get_xaxis_transform())  # fmt: skip
        letter(axes, chr(ord("a") + k))
        unit = "" if units[k] in NO_UNIT else f" ({units[k]})"
        axes.set_xlabel(wrapped(f"{labels[k]}{unit}", 30, lines=3))
        axes.locator_params(axis="x", nbins=5)
        if k % across == 0:
            axes.set_ylabel(wrapped(f"Effect on the {scale}", 24))
    for axes in panels[len(effects) :]:
        axes.remove()
    return figure
