"""How images are stored: as SimpleITK writes them, and with array axes in every order."""

from dataclasses import replace
from itertools import permutations, product
from typing import TypeVar

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.geometry import Geometry
from centrum.volume import Mask, Volume

Content = TypeVar("Content", Volume, Mask)
Storage = tuple[tuple[int, ...], tuple[int, ...]]
"""Which array axis becomes the first, second and third, and (-1) which of these are turned."""

STORAGES: list[Storage] = list(product(permutations(range(3)), product((1, -1), repeat=3)))

TELLING: list[Storage] = [
    ((0, 1, 2), (-1, -1, -1)),
    ((2, 1, 0), (1, 1, 1)),
    ((1, 2, 0), (1, -1, 1)),
]
"""All axes turned, two exchanged, all exchanged."""


def label(storage: Storage) -> str:
    return "".join(f"{'+' if s > 0 else '-'}{'zyx'[k]}" for k, s in zip(*storage, strict=True))


def stored(content: Content, storage: Storage) -> Content:
    """The content with its axes so, in the same place of the patient."""
    order, signs = storage
    flips = tuple(slice(None, None, s) for s in signs)
    array = np.ascontiguousarray(content.array.transpose(order)[flips])
    return replace(content, array=array, geometry=stored_grid(content.geometry, storage))


def stored_grid(grid: Geometry, storage: Storage) -> Geometry:
    """The grid of what is `stored`; axes x, y and z are those of the array from behind."""
    axes = [2 - k for k in storage[0]][::-1]
    signs = np.array(storage[1])[::-1]
    first = np.zeros(3)
    first[axes] = [grid.size[k] - 1 if s < 0 else 0 for k, s in zip(axes, signs, strict=True)]
    return Geometry(
        tuple(grid.size[k] for k in axes),
        tuple(grid.spacing[k] for k in axes),
        tuple(grid.position(first)),
        tuple((grid.axes[:, axes] * signs + 0.0).ravel()),
    )


def back(array: np.ndarray, storage: Storage) -> np.ndarray:
    """An array on the stored grid, as it lies on the grid that was given."""
    order, signs = storage
    return array[tuple(slice(None, None, s) for s in signs)].transpose(np.argsort(order))


every_storage = pytest.mark.parametrize("storage", STORAGES, ids=label)
telling_storages = pytest.mark.parametrize("storage", TELLING, ids=label)
other_storages = pytest.mark.parametrize(
    "storage", [s for s in STORAGES if s not in TELLING], ids=label
)


def to_image(array: NDArray, geometry: Geometry) -> sitk.Image:
    """An array [z, y, x] on its grid as a SimpleITK image (booleans as uint8)."""
    image = sitk.GetImageFromArray(array.astype(np.uint8) if array.dtype == bool else array)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    return image
