"""Small regions of grey levels for the kernels, and steps between their voxels."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

Index = tuple[int, ...]

LEVELS = arrays(
    np.uint16,
    st.tuples(*(st.integers(1, 5),) * 4),
    elements=st.integers(0, 3),
).filter(lambda a: a.any())
"""(blocks, z, y, x) grey levels 1 .. 3 with holes."""


def voxels(levels: np.ndarray) -> Iterator[Index]:
    """Indices of the voxels in the region."""
    return (i for i in product(*map(range, levels.shape)) if levels[i])


def neighbour(levels: np.ndarray, index: Index, step: np.ndarray, times: int = 1) -> int:
    """Level of the voxel `step` (z, y, x) away in the same block, 0 outside the region."""
    other = (index[0], *(i + times * s for i, s in zip(index[1:], step, strict=True)))
    inside = all(0 <= o < size for o, size in zip(other, levels.shape, strict=True))
    return int(levels[other]) if inside else 0
