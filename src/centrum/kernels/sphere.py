"""Means over a sphere around voxels, from running sums along the rows of the image."""

import numpy as np

from centrum.arrays import Flags, Floats, Ints
from centrum.kernels.cache import kernel, part


@kernel
def _run(image: Floats, pad: int, running: Floats) -> None:
    """Running sums along the rows: 0 up to the first voxel, constant behind the last."""
    for z in range(image.shape[0]):
        for y in range(image.shape[1]):
            row, sums = image[z, y], running[z, y]
            total = 0.0
            for k in range(sums.size):
                if 0 <= k - pad - 1 < row.size:
                    total += row[k - pad - 1]
                sums[k] = total


@part
def _add_differences(sums: Floats, running: Floats, start: int, half: int) -> None:
    """Add the sums of windows of 2 half + 1; that of sums[0] is centred on running[start]."""
    after = running[start + half + 1 : start + half + 1 + sums.size]
    before = running[start - half : start - half + sums.size]
    for k in range(sums.size):
        sums[k] += after[k] - before[k]


@kernel
def _sphere_means(running: Floats, inside: Floats, kept: Flags, rows: Ints, means: Floats) -> None:
    """`running` (z, y, pad + nx + 1 + pad) and `inside`, the same of an image of ones."""
    depth, height, width = kept.shape
    pad = (inside.size - width - 1) // 2
    n = 0
    for z in range(depth):
        for y in range(height):
            row = kept[z, y]
            first, last = 0, width
            while first < width and not row[first]:
                first += 1
            if first == width:
                continue
            while not row[last - 1]:
                last -= 1
            clipped = first < pad or last > width - pad
            sums, counts = np.zeros(last - first), np.zeros(last - first)
            whole = 0
            for r in range(rows.shape[0]):
                there_z, there_y, half = z + rows[r, 0], y + rows[r, 1], rows[r, 2]
                if 0 <= there_z < depth and 0 <= there_y < height:
                    _add_differences(sums, running[there_z, there_y], pad + first, half)
                    if clipped:
                        _add_differences(counts, inside, pad + first, half)
                    else:
                        whole += 2 * half + 1
            for k in range(first, last):
                if row[k]:
                    means[n] = sums[k - first] / (counts[k - first] + whole)
                    n += 1


def sphere_rows(radius: float, spacing: tuple[float, float, float]) -> Ints:
    """The sphere as rows along x: step along z, along y, and half the row's length, (n, 3).

    Parameters
    ----------
    radius : mm
    spacing : mm between voxel centres along (z, y, x)

    >>> sphere_rows(1.0, (2.0, 1.0, 1.0)).tolist()
    [[0, -1, 0], [0, 0, 1], [0, 1, 0]]
    """
    tall, wide = (int(radius / step) for step in spacing[:2])
    z, y = np.mgrid[-tall : tall + 1, -wide : wide + 1]
    left = radius**2 - (z * spacing[0]) ** 2 - (y * spacing[1]) ** 2
    half = np.floor(np.sqrt(np.maximum(left, 0)) / spacing[2])
    return np.stack((z, y, half), axis=-1)[left >= 0].astype(np.int64)


def sphere_means(image: Floats, kept: Flags, rows: Ints) -> Floats:
    """Mean of the image over a sphere around each kept voxel, (n,).

    What of a sphere lies outside the image does not count.

    Parameters
    ----------
    image : (z, y, x) finite intensities
    kept : (z, y, x) the voxels to stand in the centre
    rows : `sphere_rows`

    >>> line = np.array([[[3.0, 6.0, 12.0]]])
    >>> sphere_means(line, line > 5, sphere_rows(1.0, (1.0, 1.0, 1.0))).tolist()
    [7.0, 9.0]
    """
    pad = int(rows[:, 2].max())
    depth, height, width = image.shape
    running = np.empty((depth, height, width + 1 + 2 * pad))
    _run(np.ascontiguousarray(image, dtype=float), pad, running)
    inside = np.clip(np.arange(running.shape[2], dtype=float) - pad, 0, width)
    means = np.empty(int(np.count_nonzero(kept)))
    _sphere_means(running, inside, np.ascontiguousarray(kept), rows, means)
    return means
