"""An image or a mask: voxels on a grid, and how they came to be."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.arrays import Flags
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

    array: Flags
    geometry: Geometry
    name: str = "ROI"
    history: History = ()

    def __post_init__(self) -> None:
        _check_shape(self.array, self.geometry)
        if self.array.dtype != np.bool_:
            raise GeometryError(f"A mask holds booleans, found {self.array.dtype}.")

    def with_array(self, array: Flags, step: Step) -> "Mask":
        """The same grid with another region; `step` says what was done."""
        return replace(self, array=array, history=(*self.history, step))

    @property
    def n_voxels(self) -> int:
        """Number of voxels in the region."""
        return int(np.count_nonzero(self.array))


def bounding_box(array: Flags, margin: int = 0) -> tuple[slice, slice, slice]:
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


def content_digest(content: Volume | Mask) -> str:
    """SHA-256 of the voxels as they lie in the patient: left to right, front to back, feet to head.

    Voxels that are stored in another order of axes, or as other numbers, have the same digest.

    >>> grid = Geometry((3, 2, 2), (1, 1, 1))
    >>> turned = Geometry((3, 2, 2), (1, 1, 1), (0, 0, 1), (1, 0, 0, 0, 1, 0, 0, 0, -1))
    >>> array = np.arange(12).reshape(2, 2, 3)
    >>> content_digest(Volume(array, grid)) == content_digest(Volume(array[::-1] + 0.0, turned))
    True
    """
    upright = _upright(content.array, content.geometry)
    numbers = np.ascontiguousarray(upright, dtype="<f4" if upright.dtype != bool else bool)
    found = hashlib.sha256(f"{upright.shape}".encode())
    found.update(numbers.data)
    return found.hexdigest()


def _upright(array: NDArray, geometry: Geometry) -> NDArray:
    """The array with its axes along z, y, x of the patient, as near as they are."""
    axes = geometry.axes[:, ::-1]
    order = [int(np.argmax(np.abs(axes[k]))) for k in (2, 1, 0)]
    if len(set(order)) < len(order):
        return array
    turned = tuple(k for k, axis in enumerate(order) if axes[2 - k, axis] < 0)
    return np.flip(array.transpose(order), turned)
