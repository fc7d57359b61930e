"""Locally weighted regression, as R's lowess without robust iterations.

scipy has none and statsmodels would come for this alone. Source: Cleveland, J Am Stat Assoc
1979;74:829, with the interpolation between near points of R's stats::lowess.
"""

import numpy as np

from centrum.arrays import Floats

SPAN = 2 / 3
"""Share of the points in every local fit, R's default."""

NEAR = 0.01
"""Points within this share of the range from one that was fitted are interpolated."""


def lowess(x: Floats, y: Floats) -> Floats:
    """Smoothed y at each of x (points,), which need not be sorted.

    >>> x = np.linspace(0, 1, 20)
    >>> bool(np.allclose(lowess(x, 2 * x + 1), 2 * x + 1))
    True
    """
    order = np.argsort(x, kind="stable")
    smooth = np.empty_like(x)
    smooth[order] = _sorted_lowess(x[order], y[order])
    return smooth


def _sorted_lowess(x: Floats, y: Floats) -> Floats:
    n = x.size
    size = min(max(int(SPAN * n + 1e-7), 2), n)
    step = NEAR * np.ptp(x)
    smooth = np.empty(n)
    last, i, left = -1, 0, 0
    while True:
        while left + size < n and x[i] - x[left] > x[left + size] - x[i]:
            left += 1
        smooth[i] = _local_line(x, y, x[i], slice(left, left + size))
        if last >= 0 and i > last + 1:
            between = np.arange(last + 1, i)
            share = (x[between] - x[last]) / (x[i] - x[last])
            smooth[between] = share * smooth[i] + (1 - share) * smooth[last]
        equal = int(np.searchsorted(x, x[i], side="right"))
        smooth[i:equal] = smooth[i]
        last = equal - 1
        if last >= n - 1:
            return smooth
        beyond = int(np.searchsorted(x, x[last] + step, side="right"))
        i = max(last + 1, beyond - 1)


def _local_line(x: Floats, y: Floats, at: float, near: slice) -> float:
    """The line through the points of a window, weighted by nearness, read off at one x."""
    reach = max(at - x[near][0], x[near][-1] - at)
    # R looks on, past the window, at points that tie with its far end.
    inside = slice(near.start, int(np.searchsorted(x, at + 0.999 * reach, side="right")))
    near = slice(inside.start, max(inside.stop, near.stop))
    distance = np.abs(x[near] - at)
    weight = np.where(distance <= 0.001 * reach, 1.0, (1 - (distance / (reach or 1)) ** 3) ** 3)
    weight = np.where(distance <= 0.999 * reach, weight, 0.0)
    if reach == 0:
        weight = np.ones_like(distance)
    weight = weight / weight.sum()
    centre = weight @ x[near]
    spread = weight @ (x[near] - centre) ** 2
    if reach > 0 and np.sqrt(spread) > 0.001 * np.ptp(x):
        weight = weight * ((at - centre) * (x[near] - centre) / spread + 1)
    return float(weight @ y[near])
