"""Outlines between drawn slices: signed distances to two outlines, weighted by where a slice lies.

Nothing is drawn beyond the first and the last drawn slice, and none through a slice that was looked
at and has no outline.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from centrum.arrays import Flags, Floats
from centrum.volume import bounding_box

TIE_MM = 1e-9
"""Sums that differ by less are equal: pixels half-way are inside, whatever the order of summation.

Left out they make bodies too small: filled between every second slice, 24 real bodies keep .946 of
their volume without them, and .968 with them.
"""


def between(below: Flags, above: Flags, share: float, spacing: Sequence[float]) -> Flags:
    """The outline at `share` of the way from one slice to another, shape (rows, columns).

    A pixel is inside where the weighted sum of its signed distances (mm, negative inside) is at
    most 0. `spacing` is mm between rows and columns. What lies beyond the image is outside. Only
    the pixels around both outlines are looked at: further out both distances are positive.

    >>> small, large = np.zeros((2, 5, 5), bool)
    >>> small[2, 2] = large[0:5, 0:5] = True
    >>> between(small, large, 0.5, (1, 1)).astype(int)[2].tolist()
    [0, 1, 1, 1, 0]
    """
    found = np.zeros_like(below)
    if not (below.any() and above.any()):
        return found
    box = bounding_box((below | above)[None])[1:]
    far = (1 - share) * signed_distance(below[box], spacing)
    found[box] = far + share * signed_distance(above[box], spacing) <= TIE_MM
    return found


def signed_distance(inside: Flags, spacing: Sequence[float]) -> Floats:
    """mm from each pixel to the nearest one on the other side, negative inside.

    What lies beyond the array counts as outside.
    """
    from scipy.ndimage import distance_transform_edt

    padded = np.pad(inside, 1)
    outwards = distance_transform_edt(~padded, sampling=spacing)
    inwards = distance_transform_edt(padded, sampling=spacing)
    return np.asarray((outwards - inwards)[1:-1, 1:-1])


def fill_between(
    drawn: Mapping[int, Flags], reviewed: Iterable[int], spacing: Sequence[float]
) -> Iterator[tuple[int, Flags]]:
    """Slices between neighbouring drawn ones, each with its outline.

    Parameters
    ----------
    drawn : outline by number of its slice
    reviewed : slices of which something is said, drawn or "no body": nothing is drawn on them, and
        none between two of `drawn` that have another of them between
    """
    said = sorted({*drawn, *reviewed})
    for first, last in pairwise(said):
        if first in drawn and last in drawn:
            for k in range(first + 1, last):
                share = (k - first) / (last - first)
                yield k, between(drawn[first], drawn[last], share, spacing)
