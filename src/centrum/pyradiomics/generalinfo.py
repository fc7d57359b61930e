"""The `diagnostics_*` entries: versions, configuration, and what was measured on which grid."""

import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import SimpleITK as sitk

from centrum.arrays import Array, Flags
from centrum.pyradiomics.regions import MaskedImage
from centrum.pyradiomics.version import __version__
from centrum.volume import Mask, bounding_box

Entries = Iterator[tuple[str, Any]]

ALL_NEIGHBOURS = np.ones((3, 3, 3), dtype=int)


def static() -> Entries:
    """Versions of this package and of what its numbers rest on."""
    yield "diagnostics_Versions_PyRadiomics", __version__
    yield "diagnostics_Versions_Numpy", np.__version__
    yield "diagnostics_Versions_SimpleITK", sitk.Version().VersionString()
    yield "diagnostics_Versions_PyWavelet", _version_of("PyWavelets")
    yield "diagnostics_Versions_Python", "{}.{}.{}".format(*sys.version_info[:3])


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def configuration(settings: dict[str, Any], image_types: dict[str, Any]) -> Entries:
    """The settings and image types of this extraction."""
    yield "diagnostics_Configuration_Settings", settings
    yield "diagnostics_Configuration_EnabledImageTypes", image_types


def digest(array: Array) -> str:
    """SHA-1 of the voxels, equal to SimpleITK's `sitk.Hash` and faster.

    >>> image = sitk.Image([3, 2], sitk.sitkInt16) + 7
    >>> digest(sitk.GetArrayViewFromImage(image)) == sitk.Hash(image)
    True
    """
    return hashlib.sha1(np.ascontiguousarray(array).data).hexdigest()


def original_image(image: sitk.Image) -> Entries:
    """The image as it was given."""
    array = sitk.GetArrayViewFromImage(image)
    yield "diagnostics_Image-original_Hash", digest(array)
    yield "diagnostics_Image-original_Dimensionality", f"{image.GetDimension()}D"
    yield from image_elements("original", image.GetSpacing(), array)


def image_elements(prefix: str, spacing: tuple[float, ...], array: Array) -> Entries:
    """Grid and range of an image; `array` is indexed [z, y, x].

    `spacing` has as many axes as the image as it was given.
    """
    start = f"diagnostics_Image-{prefix}_"
    yield f"{start}Spacing", spacing
    yield f"{start}Size", array.shape[::-1][: len(spacing)]
    yield f"{start}Mean", np.mean(array, dtype=float)
    yield f"{start}Minimum", np.float64(np.min(array))
    yield f"{start}Maximum", np.float64(np.max(array))


def original_mask(labels: sitk.Image, mask: Mask) -> Entries:
    """The mask as it was given; the hash is that of its labels as 32-bit integers."""
    array = sitk.GetArrayViewFromImage(labels)
    yield "diagnostics_Mask-original_Hash", digest(array.astype(np.uint32))
    yield from mask_elements("original", mask, labels.GetDimension())


def region_elements(prefix: str, region: MaskedImage, dimension: int) -> Entries:
    """The mask and the intensities in it."""
    yield from mask_elements(prefix, region.mask, dimension)
    x = region.volume.array[region.box][region.mask.array[region.box]].astype(float)
    yield f"diagnostics_Mask-{prefix}_Mean", np.mean(x)
    yield f"diagnostics_Mask-{prefix}_Minimum", np.min(x)
    yield f"diagnostics_Mask-{prefix}_Maximum", np.max(x)


def mask_elements(prefix: str, mask: Mask, dimension: int) -> Entries:
    """Place and size of the region; `dimension` is that of the image it was given with."""
    start = f"diagnostics_Mask-{prefix}_"
    box = bounding_box(mask.array)
    inside = mask.array[box]
    first, size = np.array([(b.start, b.stop - b.start) for b in reversed(box)]).T
    centre = np.mean(np.argwhere(inside)[:, ::-1] + first, axis=0)
    yield f"{start}Spacing", mask.geometry.spacing[:dimension]
    yield f"{start}Size", mask.geometry.size[:dimension]
    yield f"{start}BoundingBox", (*first[:dimension].tolist(), *size[:dimension].tolist())
    yield f"{start}VoxelNum", int(np.count_nonzero(inside))
    yield f"{start}VolumeNum", _pieces(inside)
    yield f"{start}CenterOfMassIndex", tuple(centre[:dimension].tolist())
    yield f"{start}CenterOfMass", tuple(mask.geometry.position(centre)[:dimension].tolist())


def _pieces(inside: Flags) -> int:
    """Number of parts that do not touch, not even by a corner."""
    from scipy.ndimage import label

    return int(label(inside, ALL_NEIGHBOURS)[1])
