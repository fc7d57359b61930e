"""What a filter looks at: the whole image, and the box in which its response is wanted.

A filter works on the box and as many voxels around it as it reaches, and gives the numbers
that it would give on the whole image: beyond the image's own edges the voxels are those of the
boundary condition (IBSI 2, section 2.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from centrum.arrays import Array, Floats, Ints
from centrum.errors import ProtocolError

Boundary = Literal["zero", "nearest", "periodic", "mirror"]
"""What lies beyond the image: zeros (IBSI 2 Z3VE: constant value padding with 0), the last voxel
(SIJG), the other side of the image (Z7YO), or the image's reflection, its last voxel twice
(ZDTV)."""

Reach = tuple[int | None, int | None, int | None]
"""Voxels (z, y, x) on either side on which a response depends; None: the whole axis."""

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class View:
    """An image, and the box of it that is wanted.

    Attributes
    ----------
    array : the whole image, [z, y, x]
    box : slices (z, y, x) of the part in which the response is wanted
    spacing : mm between voxels along (z, y, x)
    slice_axis : axis across the slices, in which two-dimensional filters work

    >>> last = (slice(0, 1), slice(0, 1), slice(2, 3))
    >>> row = View(np.array([[[1.0, 2.0, 3.0]]]), last, (4.0, 1.0, 1.0))
    >>> row.around((0, 0, 2), "mirror").tolist(), row.around((0, 0, 2), "periodic").tolist()
    ([[[1.0, 2.0, 3.0, 3.0, 2.0]]], [[[1.0, 2.0, 3.0, 1.0, 2.0]]])
    """

    array: Array
    box: Box
    spacing: tuple[float, float, float]
    slice_axis: int = 0

    @classmethod
    def whole(
        cls, array: Array, spacing: tuple[float, float, float], slice_axis: int = 0
    ) -> "View":
        """The view whose box is the image."""
        z, y, x = (slice(0, n) for n in array.shape)
        return cls(array, (z, y, x), spacing, slice_axis)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels (z, y, x) of the box."""
        z, y, x = (b.stop - b.start for b in self.box)
        return z, y, x

    def across_slices(self) -> "View":
        """The same with the slices along the first axis, the others in their order."""
        order = (self.slice_axis, *(a for a in range(3) if a != self.slice_axis))
        z, y, x = (self.box[a] for a in order)
        dz, dy, dx = (self.spacing[a] for a in order)
        return View(np.transpose(self.array, order), (z, y, x), (dz, dy, dx), 0)

    def around(self, reach: Sequence[int | tuple[int, int] | None], boundary: Boundary) -> Floats:
        """The box and `reach` voxels around it along (z, y, x), or as many before and after it.

        None takes the whole axis, unextended.
        """
        wanted = [
            _indices(b, n, r) for b, n, r in zip(self.box, self.array.shape, reach, strict=True)
        ]
        return extended(self.array, wanted, boundary)


def _indices(box: slice, length: int, reach: int | tuple[int, int] | None) -> range:
    if reach is None:
        return range(length)
    before, after = (reach, reach) if isinstance(reach, int) else reach
    return range(box.start - before, box.stop + after)


def extended(array: Array, wanted: Sequence[range], boundary: Boundary) -> Floats:
    """Voxels at the indices `wanted` along (z, y, x), which may lie beyond the image."""
    inside = [
        range(max(w.start, 0), min(w.stop, n)) for w, n in zip(wanted, array.shape, strict=True)
    ]
    core = array[tuple(slice(i.start, i.stop) for i in inside)]
    if all(i == w for i, w in zip(inside, wanted, strict=True)):
        return np.ascontiguousarray(core, dtype=float)
    if boundary == "zero":
        pads = [(i.start - w.start, w.stop - i.stop) for i, w in zip(inside, wanted, strict=True)]
        return np.pad(core.astype(float, order="C"), pads)
    places = [
        source(np.arange(w.start, w.stop), n, boundary)
        for w, n in zip(wanted, array.shape, strict=True)
    ]
    array = array[tuple(slice(at.min(), at.max() + 1) for at in places)]
    for axis, at in enumerate(places):
        array = np.take(array, at - at.min(), axis=axis)
    return np.ascontiguousarray(array, dtype=float)


def source(index: Ints, length: int, boundary: Boundary) -> Ints:
    """The voxel of an axis of `length` whose value stands at each index, inside it or beyond.

    >>> source(np.arange(-2, 5), 3, "mirror").tolist()
    [1, 0, 0, 1, 2, 2, 1]
    """
    if boundary == "nearest":
        return np.clip(index, 0, length - 1)
    if boundary == "periodic":
        return index % length
    if boundary == "mirror":
        folded = index % (2 * length)
        return np.minimum(folded, 2 * length - 1 - folded)
    raise ProtocolError(f"There is no voxel beyond the image with the boundary {boundary!r}.")
