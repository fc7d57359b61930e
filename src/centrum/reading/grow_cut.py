"""GrowCut in one slice: each pixel goes to the stroke that reaches it through the least contrast.

A cell conquers its neighbour with its own strength times 1 - |difference| / (greatest difference).
What is left when no cell wins any more is the path of greatest strength from the strokes, that is
the shortest path over -log of these factors, which is computed here.

Sources: Vezhnevets and Konouchine, GraphiCon 2005; Zhu et al., An effective interactive medical
image segmentation method using fast GrowCut, MICCAI workshop 2014.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_fill_holes
from scipy.sparse.csgraph import dijkstra

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.reading.paths import pixel_graph

MARGIN_PX = 2
"""The strokes bound what is decided: nothing further out than this becomes part of the body."""

FAINTEST = 1e-6
"""Least factor of strength; over the greatest contrast of all it would be 0."""


def grow_cut(image: Floats, spacing: Sequence[float], inside: Flags, outside: Flags) -> Flags:
    """The pixels that strokes inside a body win against strokes outside it.

    Parameters
    ----------
    image : (rows, columns), intensities of one slice
    spacing : mm between rows and between columns
    inside, outside : pixels of the strokes, (rows, columns), sharing none

    Returns
    -------
    (rows, columns), without holes; a tie goes outside.

    Raises
    ------
    DataError
        A kind of stroke is missing, or a pixel belongs to both.

    >>> image = np.zeros((9, 9))
    >>> image[2:7, 2:7] = 10
    >>> inside, outside = np.zeros((2, 9, 9), bool)
    >>> inside[4, 4] = outside[0] = outside[-1] = True
    >>> bool((grow_cut(image, (1, 1), inside, outside) == (image > 0)).all())
    True
    """
    _check(inside, outside)
    window = _window(inside | outside)
    seen = np.asarray(image, dtype=float)[window]
    contrast = float(np.ptp(seen)) or 1.0

    def lost(a: Floats, b: Floats, mm: float) -> Floats:
        return -np.log(np.maximum(1 - np.abs(a - b) / contrast, FAINTEST))

    graph = pixel_graph(seen, spacing, lost)
    own, other = (
        dijkstra(graph, indices=np.flatnonzero(strokes[window]), min_only=True).reshape(seen.shape)
        for strokes in (inside, outside)
    )
    won = np.zeros(image.shape, dtype=bool)
    won[window] = binary_fill_holes(own < other) & ~outside[window]
    return won


def _check(inside: Flags, outside: Flags) -> None:
    if not (inside.any() and outside.any()) or np.any(inside & outside):
        raise DataError(
            "GrowCut needs a stroke inside the body and one outside it, which share no pixel.",
            remedy="Draw one stroke in the marrow and one around the body.",
            code="grow-cut-strokes",
        )


def _window(strokes: Flags) -> tuple[slice, slice]:
    spans = []
    for axis in range(2):
        hit = np.flatnonzero(strokes.any(axis=1 - axis))
        spans.append(slice(max(int(hit[0]) - MARGIN_PX, 0), int(hit[-1]) + 1 + MARGIN_PX))
    return spans[0], spans[1]
