"""From SimpleITK images and a label to a `Volume` and a `Mask`, checked as PyRadiomics checks them.

A two-dimensional image is a volume of one slice of 1 mm.
"""

import os
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import SimpleITK as sitk

from centrum.arrays import Array
from centrum.errors import DataError, ProtocolError
from centrum.geometry import Geometry
from centrum.prepare.intensity import within_range
from centrum.provenance import Step
from centrum.pyradiomics.errors import GridMismatch, InputError, UnreadableFile
from centrum.pyradiomics.settings import Settings, read
from centrum.volume import Mask, Volume, bounding_box

BOUNDS_TOLERANCE = 1e-3
"""Voxels by which a region may reach over the edge of the image before a mask is refused."""


def open_image(source: object, what: str) -> sitk.Image:
    """The image itself, or the one in the file at that path."""
    if isinstance(source, sitk.Image):
        return source
    if isinstance(source, str | os.PathLike) and os.path.isfile(source):
        try:
            return sitk.ReadImage(os.fspath(source))
        except RuntimeError as error:
            name = os.path.basename(source)
            raise UnreadableFile(
                f"{what}: {name!r} is no image that SimpleITK reads; export it again."
            ) from error
    raise InputError(f"{what}: expected a SimpleITK image or the path of a file, found {source!r}.")


def scalar_labels(mask: sitk.Image, channel: int) -> sitk.Image:
    """The mask itself, or one channel of a mask with several overlapping layers."""
    if "vector" not in mask.GetPixelIDTypeAsString():
        return mask
    n = mask.GetNumberOfComponentsPerPixel()
    if not 0 <= channel < n:
        raise InputError(f"The mask has the channels 0 to {n - 1}: label_channel is {channel}.")
    return sitk.VectorIndexSelectionCast(mask, channel)


def geometry_of(image: sitk.Image) -> Geometry:
    """The grid of a 2-D or 3-D image.

    >>> geometry_of(sitk.Image(4, 3, sitk.sitkUInt8)).size
    (4, 3, 1)
    """
    n = image.GetDimension()
    if n not in (2, 3):
        raise InputError(f"Expected a 2-D or 3-D image, found {n} dimensions.")
    axes = np.eye(3)
    axes[:n, :n] = np.reshape(image.GetDirection(), (n, n))
    (nx, ny, *nz), (sx, sy, *sz), (x, y, *z) = (
        image.GetSize(),
        image.GetSpacing(),
        image.GetOrigin(),
    )
    return Geometry(
        (nx, ny, *(nz or [1])), (sx, sy, *(sz or [1.0])), (x, y, *(z or [0.0])), tuple(axes.flat)
    )


def voxels_of(image: sitk.Image) -> Array:
    """The voxels [z, y, x] without a copy: keep `image` while they are used."""
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise InputError(f"Expected one number per voxel, found {image.GetPixelIDTypeAsString()}.")
    array = sitk.GetArrayViewFromImage(image)
    return array if array.ndim == 3 else array[None]


def volume_of(image: sitk.Image) -> Volume:
    """The image as a volume on its grid; keep `image` while it is used."""
    return Volume(voxels_of(image), geometry_of(image))


def mask_of(labels: sitk.Image, label: int) -> Mask:
    """The voxels of a label map that have this label.

    Raises
    ------
    InputError
        There is none.
    """
    values = voxels_of(labels)
    if not np.issubdtype(values.dtype, np.integer):
        values = values.astype(np.uint32)
    inside = values == label
    if not inside.any():
        present = np.unique(values[values != 0]).tolist()
        if not present:
            raise InputError("No labels found in this mask (nothing is segmented).")
        raise InputError(f"Label ({label}) not present in mask. Choose from {present}.")
    return Mask(inside, geometry_of(labels), f"label {label}")


def as_image(array: Array, geometry: Geometry, dimension: int = 3) -> sitk.Image:
    """A SimpleITK image with as many dimensions as the one it came from."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    return image if dimension == 3 else image[:, :, 0]


@dataclass(frozen=True, eq=False)
class MaskedImage:
    """An image and the region in it that is measured, on one grid."""

    volume: Volume
    mask: Mask

    @cached_property
    def box(self) -> tuple[slice, slice, slice]:
        """Slices (z, y, x) of the voxels from the first to the last of the region."""
        return bounding_box(self.mask.array)

    @property
    def extent(self) -> tuple[int, ...]:
        """Voxels of the box along (z, y, x)."""
        return tuple(b.stop - b.start for b in self.box)

    def cropped(self, box: tuple[slice, slice, slice]) -> "MaskedImage":
        """The part of both in a box of (z, y, x)."""
        z, y, x = box
        size = (x.stop - x.start, y.stop - y.start, z.stop - z.start)
        grid = self.volume.geometry.crop((x.start, y.start, z.start), size)
        return MaskedImage(
            Volume(self.volume.array[box], grid, self.volume.history),
            Mask(self.mask.array[box], grid, self.mask.name, self.mask.history),
        )


def grown(box: tuple[slice, ...], shape: tuple[int, ...], pad: int) -> tuple[slice, slice, slice]:
    """A box with `pad` voxels more on every side, as far as the image reaches.

    >>> grown((slice(1, 2), slice(4, 8), slice(0, 9)), (9, 9, 9), 2)
    (slice(0, 4, None), slice(2, 9, None), slice(0, 9, None))
    """
    z, y, x = (
        slice(max(b.start - pad, 0), min(b.stop + pad, n)) for b, n in zip(box, shape, strict=True)
    )
    return z, y, x


def same_space(image: Geometry, mask: Geometry, tolerance: float | None) -> bool:
    """Whether two grids are one in ITK's sense.

    Origins and spacings may differ by `tolerance` times the first spacing, direction cosines by
    `tolerance`; None takes SimpleITK's tolerances.
    """
    filters = sitk.ProcessObject
    in_space = tolerance or filters.GetGlobalDefaultCoordinateTolerance()
    in_direction = tolerance or filters.GetGlobalDefaultDirectionTolerance()
    return (
        image.size == mask.size
        and _near(image.origin, mask.origin, in_space * image.spacing[0])
        and _near(image.spacing, mask.spacing, in_space * image.spacing[0])
        and _near(image.direction, mask.direction, in_direction)
    )


def _near(a: tuple[float, ...], b: tuple[float, ...], tolerance: float) -> bool:
    return max(abs(p - q) for p, q in zip(a, b, strict=True)) <= tolerance


def joined(volume: Volume, mask: Mask, settings: Settings) -> tuple[MaskedImage, bool]:
    """Image and mask on the image's grid, and whether the mask had to be corrected for it.

    Raises
    ------
    GridMismatch
        Their grids differ by more than `geometryTolerance` and `correctMask` is off.
    """
    tolerance = read(settings, "geometryTolerance")
    if same_space(volume.geometry, mask.geometry, tolerance and float(tolerance)):
        return MaskedImage(volume, replace(mask, geometry=volume.geometry)), False
    if not read(settings, "correctMask"):
        raise GridMismatch(
            "Image/Mask geometry mismatch. Raise geometryTolerance or enable correctMask.\n"
            f"image:\n{volume.geometry.describe()}\nmask:\n{mask.geometry.describe()}"
        )
    return MaskedImage(volume, _corrected(volume, mask)), True


def check_within(volume: Volume, mask: Mask) -> None:
    """Refuse a region that reaches out of the image."""
    z, y, x = bounding_box(mask.array)
    ends = np.array([(b.start - 0.5, b.stop - 0.5) for b in (x, y, z)]).T
    bounds = volume.geometry.index(mask.geometry.position(ends))
    last = np.array(volume.geometry.size) - 0.5
    if bounds.min() < -0.5 - BOUNDS_TOLERANCE or (bounds > last + BOUNDS_TOLERANCE).any():
        raise InputError(
            f"Bounding box of ROI is larger than image space: it reaches from "
            f"{bounds.min(axis=0).tolist()} to {bounds.max(axis=0).tolist()} voxels (x, y, z) "
            f"of an image of {volume.geometry.size}."
        )


def _corrected(volume: Volume, mask: Mask) -> Mask:
    """The mask on the grid of the image, by nearest neighbour."""
    check_within(volume, mask)
    reference = sitk.Image(volume.geometry.size, sitk.sitkUInt8)
    reference.SetOrigin(volume.geometry.origin)
    reference.SetSpacing(volume.geometry.spacing)
    reference.SetDirection(volume.geometry.direction)
    labels = as_image(mask.array.astype(np.uint8), mask.geometry)
    moved = sitk.Resample(labels, reference, sitk.Transform(), sitk.sitkNearestNeighbor)
    inside = sitk.GetArrayFromImage(moved) == 1
    if not inside.any():
        raise InputError(f"On the grid of the image nothing is left of {mask.name}.")
    return Mask(inside, volume.geometry, mask.name, (*mask.history, Step("correctMask", {})))


def check_size(region: MaskedImage, settings: Settings) -> None:
    """Refuse regions with fewer axes or voxels than wanted.

    Raises
    ------
    InputError
        See `minimumROIDimensions` and `minimumROISize`.
    """
    found = sum(n > 1 for n in region.extent)
    wanted = read(settings, "minimumROIDimensions")
    if found == 0:
        raise InputError(
            "mask only contains 1 segmented voxel: features of a single voxel have no meaning."
        )
    if found < wanted:
        raise InputError(
            f"mask has too few dimensions (found {found}, minimumROIDimensions is {wanted})."
        )
    smallest = read(settings, "minimumROISize")
    if smallest is not None and region.mask.n_voxels <= smallest:
        raise InputError(
            f"Size of the ROI is too small ({region.mask.n_voxels} voxels, more than "
            f"minimumROISize = {smallest} are required)."
        )


def resegmented(region: MaskedImage, settings: Settings) -> MaskedImage:
    """The region without the intensities outside `resegmentRange`.

    Raises
    ------
    InputError
        The range or mode is impossible, or fewer than two voxels are left.
    """
    inside = np.zeros_like(region.mask.array)
    part = region.mask.array[region.box]
    try:
        inside[region.box][part] = within_range(
            region.volume.array[region.box][part],
            [float(limit) for limit in settings["resegmentRange"]],
            read(settings, "resegmentMode"),
        )
    except (DataError, ProtocolError) as error:
        raise InputError(f"Resegmentation failed. {error}") from error
    kept = int(np.count_nonzero(inside))
    if kept < 2:
        raise InputError(
            f"Resegmentation excluded too many voxels of {region.mask.name} (retained {kept})."
        )
    step = Step("resegment", {"range": list(settings["resegmentRange"]), "kept": kept})
    return MaskedImage(region.volume, region.mask.with_array(inside, step))
