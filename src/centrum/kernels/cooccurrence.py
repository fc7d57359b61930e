"""Count pairs of grey levels at given offsets."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def _count(
    levels: NDArray, offsets: NDArray, first: int, rows_per_slice: int, row: int, counts: NDArray
) -> None:
    n_slices = counts.shape[1]
    for d in range(offsets.size):
        for s in range(n_slices):
            target = counts[d, s]
            for r in range(rows_per_slice):
                start = first + (s * rows_per_slice + r) * row
                a = levels[start : start + row]
                b = levels[start + offsets[d] : start + offsets[d] + row]
                for k in range(row):
                    if a[k] > 0 and b[k] > 0:
                        target[a[k] - 1, b[k] - 1] += 1


def count_pairs(
    levels: NDArray[np.int32],
    offsets: NDArray[np.int64],
    n_levels: int,
    *,
    by_slice: bool,
) -> NDArray[np.int64]:
    """Number of voxel pairs with level i at a voxel and level j at voxel + offset.

    Parameters
    ----------
    levels : (z, y, x) grey levels from 1; 0 lies outside the region
    offsets : (n_offsets, 3) steps in voxels along (z, y, x)
    n_levels : largest grey level Ng
    by_slice : whether to count every slice (z) apart; the offsets then stay within z

    Returns
    -------
    counts : (n_offsets, n_slices or 1, Ng, Ng), not symmetric

    >>> line = np.array([[[1, 1, 2]]], dtype=np.int32)
    >>> count_pairs(line, np.array([[0, 0, 1]]), 2, by_slice=False)[0, 0].tolist()
    [[1, 1], [0, 0]]
    """
    pad = int(np.abs(offsets).max())
    padded = np.ascontiguousarray(np.pad(levels, pad), dtype=np.int32)
    depth, height, row = padded.shape
    strides = np.array([height * row, row, 1])
    flat_offsets = np.ascontiguousarray(offsets @ strides, dtype=np.int64)
    # A guard on both ends keeps the shifted row of the first and last rows inside the array.
    guard = int(np.abs(flat_offsets).max())
    flat = np.pad(padded.ravel(), guard)
    n_slices = levels.shape[0] if by_slice else 1
    first = guard + (pad * height * row if by_slice else 0)
    rows = height if by_slice else depth * height
    counts = np.zeros((len(offsets), n_slices, n_levels, n_levels), dtype=np.int64)
    _count(flat, flat_offsets, first, rows, row, counts)
    return counts
