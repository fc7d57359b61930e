"""An image or a mask: voxels on a grid, and how they came to be."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.errors import GeometryError
from centrum.geometry import Geometry
from centrum.provenance import History, Step


def _check_shape(array: NDArray, geometry: Geometry) -> None:
    if array.shape != geometry.shape:
        raise GeometryError(
            f"An array on this grid has the shape {geometry.shape} (z, y, x), found {array.shape}."
        )


@dataclass(frozen=True, eq=False)
class Volume:
    """Intensities on a grid.

    Attributes
    ----------
    array : numbers, indexed [z, y, x], shape `geometry.shape`; not to be written to
    geometry : the grid
    history : the steps that made it, oldest first

    >>> v = Volume(np.zeros((2, 3, 4)), Geometry((4, 3, 2), (1, 1, 1)))
    >>> v.with_array(v.array + 1, Step("shift", {"by": 1})).history[-1].name
    'shift'
    """

    array: NDArray
    geometry: Geometry
    history: History = ()

    def __post_init__(self) -> None:
        _check_shape(self.array, self.geometry)

    def with_array(self, array: NDArray, step: Step) -> "Volume":
        """The same grid with other intensities; `step` says what was done."""
        return replace(self, array=array, history=(*self.history, step))


@dataclass(frozen=True, eq=False)
class Mask:
    """A region of interest on a grid.

    Attributes
    ----------
    array : bool, indexed [z, y, x], shape `geometry.shape`; not to be written to
    geometry : the grid
    name : what was segmented, such as "L1"
    history : the steps that made it, oldest first
    """

    array: NDArray[np.bool_]
    geometry: Geometry
    name: str = "ROI"
    history: History = ()

    def __post_init__(self) -> None:
        _check_shape(self.array, self.geometry)
        if self.array.dtype != np.bool_:
            raise GeometryError(f"A mask holds booleans, found {self.array.dtype}.")

    def with_array(self, array: NDArray[np.bool_], step: Step) -> "Mask":
        """The same grid with another region; `step` says what was done."""
        return replace(self, array=array, history=(*self.history, step))

    @property
    def n_voxels(self) -> int:
        """Number of voxels in the region."""
        return int(np.count_nonzero(self.array))


def bounding_box(array: NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice, slice]:
    """Slices (z, y, x) of the smallest box that holds all true voxels, grown by `margin`.

    >>> a = np.zeros((3, 4, 5), bool)
    >>> a[1, 2, 1:4] = True
    >>> bounding_box(a)
    (slice(1, 2, None), slice(2, 3, None), slice(1, 4, None))
    """
    footprint = np.bitwise_or.reduce(array.view(np.uint8), axis=0)
    y = _extent(footprint.any(axis=1), margin)
    x = _extent(footprint.any(axis=0), margin)
    z = _extent(array[:, y, x].any(axis=(1, 2)), margin)
    return z, y, x


def _extent(hits: ArrayLike, margin: int) -> slice:
    found = np.flatnonzero(hits)
    if found.size == 0:
        raise GeometryError("An empty mask has no bounding box.")
    return slice(max(int(found[0]) - margin, 0), min(int(found[-1]) + 1 + margin, np.size(hits)))
