"""Clusters of pixels that are near and alike (SLIC), slice by slice.

Source: Achanta et al., IEEE Trans Pattern Anal Mach Intell 2012;34:2274-2282.
"""

import numpy as np

from centrum.arrays import Floats, Ints
from centrum.kernels.cache import kernel


@kernel
def _assign(
    plane: Floats,
    centres: Floats,
    shape: Ints,
    best: Floats,
    labels: Ints,
) -> None:
    """Each pixel to the nearest of the nine centres of the cells around it."""
    n_rows, n_columns = plane.shape
    down, along = shape[0] / n_rows, shape[1] / n_columns
    best[:] = np.inf
    for k in range(len(centres)):
        row, column = k // shape[1], k % shape[1]
        left = max(column - 1, 0) * n_columns // shape[1]
        right = min(column + 2, shape[1]) * n_columns // shape[1]
        middle, intensity = centres[k, 1] - left, centres[k, 2]
        for i in range(
            max(row - 1, 0) * n_rows // shape[0], min(row + 2, shape[0]) * n_rows // shape[0]
        ):
            u = ((i - centres[k, 0]) * down) ** 2
            x, nearest, own = plane[i, left:right], best[i, left:right], labels[i, left:right]
            for j in range(x.size):
                v, w = (j - middle) * along, x[j] - intensity
                distance = u + v * v + w * w
                nearer = distance < nearest[j]
                nearest[j] = distance if nearer else nearest[j]
                own[j] = k if nearer else own[j]


@kernel
def _move(plane: Floats, labels: Ints, centres: Floats) -> None:
    """Each centre to the mean of its pixels; one without pixels stays."""
    sums = np.zeros((len(centres), 4))
    for i in range(plane.shape[0]):
        for j in range(plane.shape[1]):
            own = sums[labels[i, j]]
            own[0] += i
            own[1] += j
            own[2] += plane[i, j]
            own[3] += 1
    for k in range(len(centres)):
        if sums[k, 3] > 0:
            centres[k] = sums[k, :3] / sums[k, 3]


def superpixels(planes: Floats, cells: tuple[int, int], rounds: int = 5) -> Ints:
    """Label of each pixel of (slices, rows, columns), 0 to slices x cells - 1.

    The distance of a pixel from a centre is sqrt(position^2 + intensity^2), positions in
    intervals of the grid of `cells` (rows, columns) that the centres start on, intensities as
    they are given.

    >>> plane = np.zeros((1, 4, 8))
    >>> plane[..., 5:] = 3
    >>> superpixels(plane, (1, 2))[0, 0]
    array([0, 0, 0, 0, 0, 1, 1, 1])
    """
    shape = np.array(cells, dtype=np.int64)
    labels = np.zeros(planes.shape, dtype=np.int64)
    best = np.empty(planes.shape[1:])
    middles = [
        (np.arange(n) + 0.5) * size / n - 0.5
        for n, size in zip(cells, planes.shape[1:], strict=True)
    ]
    grid = np.stack([m.ravel() for m in np.meshgrid(*middles, indexing="ij")], axis=1)
    for number, plane in enumerate(np.ascontiguousarray(planes, dtype=float)):
        rows, columns = np.rint(grid).astype(int).T
        centres = np.column_stack([grid, plane[rows, columns]])
        for _ in range(rounds):
            _assign(plane, centres, shape, best, labels[number])
            _move(plane, labels[number], centres)
        labels[number] += number * len(grid)
    return labels
