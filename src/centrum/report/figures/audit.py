"""What leaks would have claimed, and what permuted outcomes give."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from centrum.arrays import Floats
from centrum.report.colours import BLACK, BLUE, GREY, VERMILION
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, STYLE, letter, new_figure
from centrum.text import fixed


@STYLE
def draw_audit(
    shuffled: Sequence[float],
    observed: float,
    leaks: Mapping[str, tuple[Floats, Floats]],
    mark: str = "",
) -> Figure:
    """(a) AUCs under permuted outcomes; (b) each leak on true and on permuted outcomes."""
    figure = new_figure(PAGE_CM, 2.6 + 1.05 * max(len(leaks), 4), mark)
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    letter(left, "a", "Outcomes permuted")
    if len(shuffled):
        left.hist(shuffled, bins=np.linspace(0, 1, 21), color=GREY, label="permuted outcomes")
        left.axvline(float(np.mean(shuffled)), color=BLACK, ls=":", label="their mean")
    if np.isfinite(observed):
        left.axvline(observed, color=VERMILION, label=f"true outcomes: {fixed(observed, 2)}")
    left.set(xlim=(0, 1), xlabel="AUC", ylabel="Permutations")
    if left.get_legend_handles_labels()[0]:
        left.legend(loc="upper left", bbox_to_anchor=(0, -0.22))
    letter(right, "b", "Leaks switched on")
    for k, (true, random) in enumerate(reversed(list(leaks.values()))):
        for values, colour, shift, kind in (
            (true, VERMILION, 0.14, "true outcomes"), (random, BLUE, -0.14, "permuted outcomes"),
        ):  # fmt: skip
            y = np.full(len(values), k + shift)
            right.plot(values, y, "o", color=colour, ms=2.5, alpha=0.5, mew=0)
            label = kind if k == 0 else ""
            right.plot(np.mean(values), k + shift, "|", color=colour, ms=13, mew=2, label=label)
    right.set_yticks(range(len(leaks)), [wrapped(name, 30, 3) for name in reversed(list(leaks))])
    right.axvline(0.5, color=GREY, lw=0.6, ls=":")
    right.set(xlim=(0, 1.02), xlabel="AUC that would have been claimed")
    if leaks:
        right.legend(loc="upper left", bbox_to_anchor=(0, -0.22), ncols=2)
    return figure
