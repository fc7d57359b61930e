"""An image or a mask: voxels on a grid, and how they came to be."""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.arrays import Flags
from centrum.errors import GeometryError
from centrum.geometry import TOWARDS, Geometry, orientation_of
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
    >>> bounding_box(a[:, ::-1].T)
    (slice(1, 4, None), slice(1, 2, None), slice(1, 2, None))
    """
    # As the voxels lie in memory: of a view of a turned array it costs no more than of the array.
    order = tuple(sorted(range(3), key=lambda axis: -abs(array.strides[axis])))
    backwards = tuple(k for k in range(3) if array.strides[order[k]] < 0)
    stored = Turn(order, backwards).of(array)
    footprint = np.bitwise_or.reduce(stored.view(np.uint8), axis=0)
    b = _extent(footprint.any(axis=1), margin)
    c = _extent(footprint.any(axis=0), margin)
    box = [_extent(stored[:, b, c].any(axis=(1, 2)), margin), b, c]
    for k in backwards:
        box[k] = slice(stored.shape[k] - box[k].stop, stored.shape[k] - box[k].start)
    z, y, x = (box[order.index(axis)] for axis in range(3))
    return z, y, x


def _extent(hits: ArrayLike, margin: int) -> slice:
    found = np.flatnonzero(hits)
    if found.size == 0:
        raise GeometryError("An empty mask has no bounding box.")
    return slice(max(int(found[0]) - margin, 0), min(int(found[-1]) + 1 + margin, np.size(hits)))


@dataclass(frozen=True)
class Turn:
    """Another order and direction of the axes of an array [z, y, x]; the voxels stay in place.

    Attributes
    ----------
    order : which axis becomes the first, the second and the third
    turned : which of these then run the other way

    >>> turn = Turn((2, 0, 1), (0,))
    >>> array = np.arange(12).reshape(2, 3, 2)
    >>> turn.of(array).shape, bool((turn.undone(turn.of(array)) == array).all())
    ((2, 2, 3), True)
    """

    order: tuple[int, ...]
    turned: tuple[int, ...]

    @classmethod
    def between(cls, old: Geometry, orientation: str) -> "Turn":
        """To axes that run along `orientation`, as `geometry.orientation_of` says it."""
        now, wanted = orientation_of(old)[::-1], orientation[::-1]
        lines = [TOWARDS[letter][0] for letter in now]
        order = tuple(lines.index(TOWARDS[letter][0]) for letter in wanted)
        return cls(order, tuple(k for k in range(3) if now[order[k]] != wanted[k]))

    def of(self, array: NDArray[Any]) -> NDArray[Any]:
        """A view of the array."""
        return np.flip(array.transpose(self.order), self.turned)

    def undone(self, array: NDArray[Any]) -> NDArray[Any]:
        """A view of a turned array as it was stored."""
        return np.flip(array, self.turned).transpose(np.argsort(self.order))

    def grid(self, old: Geometry) -> Geometry:
        """The grid of a turned array."""
        return _turned_grid(self, old)


@lru_cache(maxsize=8)
def _turned_grid(turn: Turn, old: Geometry) -> Geometry:
    """Kept, as the images and masks of a case lie on one grid."""
    axes = [2 - k for k in reversed(turn.order)]
    signs = np.array([-1.0 if 2 - k in turn.turned else 1.0 for k in range(3)])
    first = np.zeros(3)
    first[axes] = [old.size[a] - 1 if s < 0 else 0 for a, s in zip(axes, signs, strict=True)]
    sizes = [(old.size[a], old.spacing[a]) for a in axes]
    (nx, dx), (ny, dy), (nz, dz) = sizes
    x, y, z = old.position(first).tolist()
    direction = tuple((old.axes[:, axes] * signs + 0.0).ravel().tolist())
    return Geometry((nx, ny, nz), (dx, dy, dz), (x, y, z), direction)


Content = TypeVar("Content", Volume, Mask)


def turned(content: Content, orientation: str) -> Content:
    """The content with its array axes along `orientation`, such as "LPS", as near as they are.

    Each voxel keeps its value and its place, the history its steps. What depends on the order of
    voxels (a tie, the phase of a block, the letters of a wavelet) depends on the patient then.

    >>> image = Volume(np.array([[[1, 2, 3]]]), Geometry((3, 1, 1), (1, 1, 4)))
    >>> other = turned(image, "RAS")
    >>> other.array.tolist(), other.geometry.origin
    ([[[3, 2, 1]]], (2.0, 0.0, 0.0))
    """
    seen = turned_view(content, orientation)
    return replace(seen, array=np.ascontiguousarray(seen.array))


def turned_view(content: Content, orientation: str) -> Content:
    """As `turned`, without copying: for those who read a part of the array.

    >>> image = Volume(np.array([[[1, 2, 3]]]), Geometry((3, 1, 1), (1, 1, 4)))
    >>> np.shares_memory(turned_view(image, "RAS").array, image.array)
    True
    """
    if orientation_of(content.geometry) == orientation:
        return content
    turn = Turn.between(content.geometry, orientation)
    return replace(content, array=turn.of(content.array), geometry=turn.grid(content.geometry))


def filled(region: Flags, axis: int | None = None) -> Flags:
    """The region with what it encloses, in its slices across an axis or in 3D.

    >>> ring = np.array([[[1, 1, 1], [1, 0, 1], [1, 1, 1]]], bool)
    >>> filled(ring).sum(), filled(ring, axis=0).sum()
    (np.int64(8), np.int64(9))
    """
    from scipy.ndimage import binary_fill_holes, generate_binary_structure

    faces = generate_binary_structure(3, 1)
    if axis is not None:
        faces &= np.indices(faces.shape)[axis] == 1
    return np.asarray(binary_fill_holes(region, faces))


def content_digest(content: Volume | Mask) -> str:
    """SHA-256 of the voxels as they lie in the patient: right to left, front to back, feet to head.

    Voxels that are stored in another order of axes, or as other numbers, have the same digest.

    >>> grid = Geometry((3, 2, 2), (1, 1, 1))
    >>> turned = Geometry((3, 2, 2), (1, 1, 1), (0, 0, 1), (1, 0, 0, 0, 1, 0, 0, 0, -1))
    >>> array = np.arange(12).reshape(2, 2, 3)
    >>> content_digest(Volume(array, grid)) == content_digest(Volume(array[::-1] + 0.0, turned))
    True
    """
    upright = Turn.between(content.geometry, "LPS").of(content.array)
    if upright.dtype == bool:
        numbers = np.packbits(upright)
    else:
        numbers = np.ascontiguousarray(upright, dtype="<f4")
    found = hashlib.sha256(f"{upright.shape}".encode())
    found.update(numbers.data)
    return found.hexdigest()
