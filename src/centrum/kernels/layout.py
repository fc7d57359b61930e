"""Where the voxels of a region lie in one flat array, so that kernels run over long rows.

Blocks of voxels (a whole region, its slices, or the neighbourhoods of many voxels) lie one
after another, with zeros between rows, slices and blocks: a neighbour is a constant number
of places away, and the neighbour of a voxel at the edge is a zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags, Ints

SPAN_GAP = 16
"""Voxels less than this many places apart share a span: longer rows, some zeros."""

SPAN_LENGTH = 4096
"""Longest span; what the kernels keep of one fits into the first-level cache."""

Positions = Ints


@dataclass(frozen=True, eq=False)
class RegionLayout:
    """Places of the voxels of a region in a flat array.

    Attributes
    ----------
    shape : (blocks, z, y, x) of the array that is laid out
    pad : zeros between rows, slices and blocks
    strides : places from a voxel to the next along (z, y, x)
    size : length of the flat array
    positions : (n,) places of the region's voxels, ascending: their order in the array
    first : (blocks + 1,) where in `positions` each block begins
    starts, ends : (spans,) stretches of the flat array that hold all positions
    span_block : (spans,) the block of each stretch

    >>> region = RegionLayout.of(np.ones((1, 2, 2, 3), bool), pad=1)
    >>> region.strides, region.positions.size, region.starts.size
    ((12, 4, 1), 12, 1)
    """

    shape: tuple[int, ...]
    pad: int
    strides: tuple[int, int, int]
    size: int
    positions: Positions
    first: Positions
    starts: Positions
    ends: Positions
    span_block: Positions

    @classmethod
    def of(cls, inside: Flags, pad: int) -> "RegionLayout":
        """Lay out `inside` (blocks, z, y, x) for neighbours up to `pad` voxels away."""
        flat, (guard, block_stride, z_stride, y_stride) = _padded(inside, pad)
        positions = np.flatnonzero(flat)
        borders = guard + block_stride * np.arange(len(inside) + 1)
        first = np.searchsorted(positions, borders)
        starts, ends = _spans(positions, first)
        span_block = np.searchsorted(borders, starts, side="right") - 1
        strides = (z_stride, y_stride, 1)
        return cls(
            inside.shape, pad, strides, flat.size, positions, first, starts, ends, span_block
        )

    @property
    def blocks(self) -> int:
        return self.shape[0]

    @property
    def counts(self) -> Ints:
        """Number of voxels in each block, (blocks,)."""
        return np.diff(self.first)

    def flat(self, values: NDArray) -> NDArray:
        """The flat array with `values` (n,) of the region's voxels and zeros elsewhere."""
        out = np.zeros(self.size, dtype=values.dtype)
        out[self.positions] = values
        return out

    def whole(self, array: NDArray) -> NDArray:
        """The flat array of a whole `array` (blocks, z, y, x) that is 0 outside the region."""
        return _padded(array, self.pad)[0]

    def steps(self, offsets: Sequence[Sequence[int]] | NDArray) -> Positions:
        """Places from a voxel to its neighbours at `offsets` (k, 3) along (z, y, x)."""
        return np.ascontiguousarray(np.asarray(offsets) @ np.array(self.strides), dtype=np.int64)


def _padded(array: NDArray, pad: int) -> tuple[NDArray, tuple[int, int, int, int]]:
    """`array` (blocks, z, y, x) among zeros, flat; the places before it, and from one block,
    slice and row to the next."""
    blocks, depth, height, width = array.shape
    y_stride = width + pad
    z_stride = (height + pad) * y_stride
    block_stride = (depth + pad) * z_stride
    guard = pad * (z_stride + y_stride + 1)
    flat = np.zeros(2 * guard + blocks * block_stride, dtype=array.dtype)
    body = flat[guard : guard + blocks * block_stride]
    rows = body.reshape(blocks, depth + pad, height + pad, y_stride)
    rows[:, :depth, :height, :width] = array
    return flat, (guard, block_stride, z_stride, y_stride)


def _spans(positions: Positions, first: Positions) -> tuple[Positions, Positions]:
    cut = np.diff(positions) > SPAN_GAP
    inner = first[1:-1]
    cut[inner[(inner > 0) & (inner < positions.size)] - 1] = True
    after = np.flatnonzero(cut)
    starts = positions[np.concatenate(([0], after + 1))]
    ends = positions[np.concatenate((after, [positions.size - 1]))] + 1
    pieces = -(-(ends - starts) // SPAN_LENGTH)
    if pieces.max() == 1:
        return starts, ends
    part = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    cut_starts = np.repeat(starts, pieces) + part * SPAN_LENGTH
    return cut_starts, np.minimum(cut_starts + SPAN_LENGTH, np.repeat(ends, pieces))
