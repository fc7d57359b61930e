"""The live wire: between two clicks the outline follows the dark rim of the cortex.

Source: Mortensen and Barrett, Intelligent scissors for image composition, SIGGRAPH 1995, with the
strength of a dark line in the place of that of an edge.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter
from scipy.sparse.csgraph import dijkstra

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.reading.paths import pixel_graph

RIM_SIGMA_MM = 0.8
"""SD of the Gaussian through which the rim is seen: cortex and chemical shift are 1-2 mm wide."""

STRONG = 95.0
"""Percentile of the strength of dark lines around the clicks that counts as a full one."""

CHEAPEST = 0.05
"""Cost of a mm along a full rim, of one without any rim 1: a detour of 20 mm beats a mm across."""

MARGIN_MM = 15.0
"""The wire stays so near to the box around its two clicks."""

SMOOTH_PX = 0.5
"""Points that lie no further from the line between their neighbours are left out."""


def live_wire(
    image: Floats, spacing: Sequence[float], clicks: ArrayLike, *, closed: bool = True
) -> Floats:
    """The outline through clicks, between which it follows the dark rim.

    Parameters
    ----------
    image : (rows, columns), intensities of one slice
    spacing : mm between rows and between columns
    clicks : (n, 2), x and y in pixels, n > 1
    closed : whether the last is joined to the first

    Returns
    -------
    (m, 2), x and y in pixels, all clicks among them in their order.

    Raises
    ------
    DataError
        Fewer than two clicks, or one beyond the slice.

    >>> ring = np.full((40, 40), 100.0)
    >>> i, j = np.indices(ring.shape)
    >>> ring[np.abs(np.hypot(i - 20, j - 20) - 10) < 1] = 0
    >>> wire = live_wire(ring, (1, 1), [(10, 20), (30, 20)])
    >>> bool(np.abs(np.hypot(*(wire - 20).T) - 10).max() < 1.5)
    True
    """
    points = np.asarray(clicks, dtype=float).reshape(-1, 2)
    _check(points, image.shape)
    rim = dark_lines(image, spacing)
    ends = np.concatenate([points[1:], points[:1]] if closed else [points[1:]])
    parts = [_between(rim, spacing, *pair) for pair in zip(points, ends, strict=False)]
    line = np.concatenate([points[:1], *(part[1:] for part in parts)])
    return line[:-1] if closed else line


def _check(points: Floats, shape: tuple[int, ...]) -> None:
    limits = np.array(shape[::-1]) - 0.5
    if len(points) < 2 or not np.all((points >= -0.5) & (points <= limits)):
        raise DataError(
            f"A live wire needs two clicks or more within the slice of {shape[1]} x {shape[0]} "
            f"pixels, found {len(points)}.",
            remedy="Click on the rim of the body, at least twice.",
            code="live-wire-clicks",
        )


def dark_lines(image: Floats, spacing: Sequence[float]) -> Floats:
    """How strongly a dark line runs through each pixel, (rows, columns), intensity / mm2.

    The larger principal curvature of the image seen through a Gaussian of `RIM_SIGMA_MM`, 0 where
    it is negative.
    """
    sigma = [RIM_SIGMA_MM / mm for mm in spacing]
    seen = np.asarray(image, dtype=float)
    rows, columns, mixed = (
        gaussian_filter(seen, sigma, order, mode="nearest") for order in ((2, 0), (0, 2), (1, 1))
    )
    rows, columns = rows / spacing[0] ** 2, columns / spacing[1] ** 2
    mixed = mixed / (spacing[0] * spacing[1])
    mean, half = (rows + columns) / 2, (rows - columns) / 2
    return np.maximum(mean + np.hypot(half, mixed), 0)


def _between(rim: Floats, spacing: Sequence[float], start: Floats, end: Floats) -> Floats:
    """From one click to the next, both with it."""
    window = _window(start, end, rim.shape, spacing)
    corner = np.array([window[1].start, window[0].start])
    part = rim[window]
    strong = np.percentile(part, STRONG)
    cost = 1 - (1 - CHEAPEST) * np.clip(part / strong, 0, 1) if strong > 0 else np.ones_like(part)
    graph = pixel_graph(cost, spacing, lambda a, b, mm: (a + b) / 2 * mm)
    first, last = (_pixel(click - corner, part.shape) for click in (start, end))
    _, before = dijkstra(graph, indices=first, return_predecessors=True)
    way = [last]
    while way[-1] != first:
        way.append(int(before[way[-1]]))
    rows, columns = np.unravel_index(way[::-1], part.shape)
    inner = np.stack([columns, rows], axis=1)[1:-1] + corner
    return simplified(np.concatenate([start[None], inner, end[None]]))


def _window(
    start: Floats, end: Floats, shape: tuple[int, ...], spacing: Sequence[float]
) -> tuple[slice, slice]:
    low, high = np.minimum(start, end)[::-1], np.maximum(start, end)[::-1]
    margin = [MARGIN_MM / mm for mm in spacing]
    first = [max(int(low[k] - margin[k]), 0) for k in range(2)]
    stop = [min(int(high[k] + margin[k]) + 2, shape[k]) for k in range(2)]
    return slice(first[0], stop[0]), slice(first[1], stop[1])


def _pixel(point: Floats, shape: tuple[int, ...]) -> int:
    """The number of the pixel nearest to a point (x, y)."""
    row, column = (int(np.clip(round(point[1 - k]), 0, shape[k] - 1)) for k in range(2))
    return row * shape[1] + column


def simplified(line: Floats, most: float = SMOOTH_PX) -> Floats:
    """A line with fewer points, from which those left out are no further than `most` pixels.

    Source: Douglas and Peucker, Cartographica 1973;10:112-122.

    >>> simplified(np.array([(0, 0), (1, 0.1), (2, 0), (2, 5)])).tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 5.0]]
    """
    line = np.asarray(line, dtype=float)
    if len(line) < 3:
        return line
    along = line[-1] - line[0]
    offset = line - line[0]
    length = float(np.hypot(*along))
    away = (
        np.abs(offset[:, 0] * along[1] - offset[:, 1] * along[0]) / length
        if length
        else (np.hypot(*offset.T))
    )
    furthest = int(np.argmax(away))
    if away[furthest] <= most:
        return line[[0, -1]]
    before = simplified(line[: furthest + 1], most)
    return np.concatenate([before[:-1], simplified(line[furthest:], most)])
