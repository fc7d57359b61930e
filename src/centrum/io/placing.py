"""Put a mask on the grid of its image: by where its voxels lie, never by array index."""

from itertools import product, zip_longest
from pathlib import Path

import numpy as np

from centrum.arrays import Flags, Ints
from centrum.errors import GeometryError
from centrum.geometry import GRID_TOLERANCE_MM, Geometry, direction_of
from centrum.io.guard import WrongCall
from centrum.provenance import Step
from centrum.volume import Mask, bounding_box

MISMATCH_RULES = ("refuse", "resample")
"""What may be done with a mask on another grid than the image's."""


def place_mask(
    mask: Mask,
    image_geometry: Geometry,
    *,
    tolerance_mm: float = GRID_TOLERANCE_MM,
    on_mismatch: str = "refuse",
) -> Mask:
    """The mask on the grid of the image.

    A mask that covers a part of the grid (3D Slicer crops to the segments' extent), or
    stores its axes in another order or direction (dcm2niix flips rows), is placed without
    loss as long as its voxel centres are voxel centres of the image within `tolerance_mm`.
    Any other grid is refused, or resampled by nearest neighbour when `on_mismatch` is
    "resample": of two voxels of the mask that are as near, the one further to the patient's left,
    back or head counts. What was done is the last step of the history.

    Raises
    ------
    GeometryError
        The grids differ and `on_mismatch` is "refuse" (both are printed), or voxels of the
        mask lie outside the image.

    >>> image = Geometry((4, 4, 2), (1, 1, 5))
    >>> cropped = Mask(np.ones((1, 2, 2), bool), image.crop((2, 1, 1), (2, 2, 1)))
    >>> np.argwhere(place_mask(cropped, image).array).tolist()
    [[1, 1, 2], [1, 1, 3], [1, 2, 2], [1, 2, 3]]
    """
    if on_mismatch not in MISMATCH_RULES:
        raise WrongCall(f"on_mismatch must be one of {MISMATCH_RULES}, found {on_mismatch!r}")
    if mask.geometry.same_grid(image_geometry, tolerance_mm):
        return Mask(mask.array, image_geometry, mask.name, mask.history)
    turned = _turn_axes(mask, image_geometry)
    start = _voxel_offset(turned.geometry, image_geometry)
    if image_geometry.crop(start, turned.geometry.size).same_grid(turned.geometry, tolerance_mm):
        array = _embed(turned, start, image_geometry)
        same_axes = turned.geometry.direction == mask.geometry.direction
        step = Step("place", {"start": list(start), "axes_turned": not same_axes})
    elif on_mismatch == "resample":
        array = _resample(mask, image_geometry)
        step = Step("resample", {"interpolation": "nearest", "from": _as_lines(mask.geometry)})
    else:
        raise GeometryError(
            _mismatch_message(mask, image_geometry, tolerance_mm),
            remedy="Export the segmentation with this image as its reference, or let the mask be "
            "resampled (nearest neighbour).",
            code="other-grid",
        )
    return Mask(array, image_geometry, mask.name, (*mask.history, step))


def laid_on(image: Geometry, grid: Geometry, orientation: str, path: Path) -> Geometry:
    """The grid of a file that says nothing of its place, voxel for voxel on its image.

    Its axes run along those axes of the image that are nearest to `orientation`.

    Raises
    ------
    GeometryError
        The file's size and spacing differ from the image's along these axes.

    >>> image = Geometry((4, 3, 2), (1, 1, 5), (7, 8, 9))
    >>> laid_on(image, Geometry((4, 3, 2), (1, 1, 5)), "LAS", Path("m.nii")).origin
    (7.0, 10.0, 9.0)
    """
    cosines = image.axes.T @ np.array(direction_of(orientation)).reshape(3, 3)
    order = np.abs(cosines).argmax(axis=0)
    signs = np.sign(cosines[order, [0, 1, 2]])
    size, spacing = np.array(image.size)[order], np.array(image.spacing)[order]
    matches = np.array_equal(grid.size, size) and np.allclose(grid.spacing, spacing, rtol=1e-3)
    if sorted(order) != [0, 1, 2] or not matches:
        raise GeometryError(
            f"{path.name} does not say where it lies, and with axes towards {orientation} its "
            "size and spacing differ from those of its image:\n"
            f"{side_by_side('image', image.describe(), path.name, grid.describe())}",
            remedy="Export it with this image as its reference.",
            code="no-orientation",
            file=path,
        )
    first = np.zeros(3)
    first[order] = np.where(signs < 0, size - 1, 0)
    x, y, z = image.position(first).tolist()
    axes = image.axes[:, order] * signs
    return Geometry(grid.size, tuple(spacing), (x, y, z), tuple(axes.flat))


def side_by_side(left_title: str, left: str, right_title: str, right: str) -> str:
    """Two texts of several lines in two columns under their titles.

    >>> print(side_by_side("image", "4 x 4", "mask", "2 x 2"))
    image  mask
    4 x 4  2 x 2
    """
    rows_left = [left_title, *left.splitlines()]
    rows_right = [right_title, *right.splitlines()]
    width = max(len(row) for row in rows_left)
    rows = zip_longest(rows_left, rows_right, fillvalue="")
    return "\n".join(f"{a:<{width}}  {b}".rstrip() for a, b in rows)


def _turn_axes(mask: Mask, image: Geometry) -> Mask:
    """The same voxels with array axes ordered and directed like those of `image`.

    Column k of `cosines` says which mask axis runs along image axis k, and which way.
    """
    g = mask.geometry
    cosines = g.axes.T @ image.axes
    x, y, z = (int(k) for k in np.abs(cosines).argmax(axis=0))
    if {x, y, z} != {0, 1, 2}:
        return mask
    order = [x, y, z]
    signs = np.sign(cosines[order, [0, 1, 2]])
    first = np.zeros(3)
    first[order] = [g.size[k] - 1 if sign < 0 else 0 for k, sign in zip(order, signs, strict=True)]
    turned = Geometry(
        (g.size[x], g.size[y], g.size[z]),
        (g.spacing[x], g.spacing[y], g.spacing[z]),
        tuple(g.position(first)),
        tuple((g.axes[:, order] * signs).flat),
    )
    flips = tuple(slice(None, None, int(sign)) for sign in signs[::-1])
    array = mask.array.transpose(2 - z, 2 - y, 2 - x)[flips]
    return Mask(array, turned, mask.name, mask.history)


def _voxel_offset(part: Geometry, whole: Geometry) -> tuple[int, int, int]:
    """Voxel (x, y, z) of `whole` that is nearest to the first voxel of `part`."""
    x, y, z = whole.nearest(whole.index([part.origin]))[0].tolist()
    return x, y, z


def _embed(mask: Mask, start: tuple[int, int, int], image: Geometry) -> Flags:
    zyx = np.argwhere(mask.array) + np.array(start[::-1])
    inside = np.all((zyx >= 0) & (zyx < image.shape), axis=1)
    _refuse_outside(mask.name, int(np.count_nonzero(~inside)), len(zyx))
    array = np.zeros(image.shape, dtype=bool)
    array[tuple(zyx.T)] = True
    return array


def _resample(mask: Mask, image: Geometry) -> Flags:
    """Which voxels of the image have their nearest voxel of the mask's grid in the mask."""
    inside = image.holds(image.index(mask.geometry.position(np.argwhere(mask.array)[:, ::-1])))
    _refuse_outside(mask.name, int(np.count_nonzero(~inside)), len(inside))
    array = np.zeros(image.shape, dtype=bool)
    x, y, z = (np.arange(*ends) for ends in _ends(mask, image))
    for k in z:
        xyz = np.stack(np.meshgrid(x, y, [k]), axis=-1).reshape(-1, 3)
        _resample_slice(mask, image, xyz, array)
    return array


def _resample_slice(mask: Mask, image: Geometry, xyz: Ints, array: Flags) -> None:
    """The mask at some voxels of the image, written into the array of all."""
    nearest = mask.geometry.nearest(mask.geometry.index(image.position(xyz)))
    there = mask.geometry.holds(nearest)
    array[tuple(xyz[there].T[::-1])] = mask.array[tuple(nearest[there].T[::-1])]


def _ends(mask: Mask, image: Geometry) -> list[list[int]]:
    """First and last but one voxel along x, y and z of the image's part that the mask reaches."""
    sides = [(s.start - 0.5, s.stop - 0.5) for s in reversed(bounding_box(mask.array))]
    corners = image.index(mask.geometry.position(list(product(*sides))))
    first = np.maximum(np.floor(corners.min(axis=0)), 0)
    stop = np.minimum(np.ceil(corners.max(axis=0)) + 1, image.size)
    return np.stack([first, stop], axis=1).astype(int).tolist()


def _refuse_outside(name: str, outside: int, total: int) -> None:
    if outside:
        raise GeometryError(
            f"Mask '{name}': {outside} of its {total} voxels lie outside the image.",
            remedy="Check that the mask was drawn on this image and not on a larger field of view.",
            code="mask-outside",
        )


def _mismatch_message(mask: Mask, image: Geometry, tolerance_mm: float) -> str:
    table = side_by_side("image", image.describe(), "mask", mask.geometry.describe())
    return (
        f"Mask '{mask.name}' is not on the grid of the image (tolerance {tolerance_mm} mm):\n"
        f"{table}\n"
    )


def _as_lines(geometry: Geometry) -> list[str]:
    return geometry.describe().splitlines()
