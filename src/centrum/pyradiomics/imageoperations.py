"""PyRadiomics' functions on images and masks that scripts call by themselves.

They take and give SimpleITK images, and settings as keywords.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import SimpleITK as sitk

from centrum.arrays import Array, Floats, Ints
from centrum.prepare import discretise
from centrum.pyradiomics import preparation, regions
from centrum.pyradiomics.image_types import images
from centrum.pyradiomics.regions import MaskedImage, as_image, mask_of, volume_of
from centrum.pyradiomics.settings import Settings, read
from centrum.volume import Mask, Volume

__all__ = [
    "binImage",
    "checkMask",
    "cropToTumorMask",
    "getBinEdges",
    "getExponentialImage",
    "getGradientImage",
    "getLBP2DImage",
    "getLBP3DImage",
    "getLoGImage",
    "getLogarithmImage",
    "getMask",
    "getOriginalImage",
    "getSquareImage",
    "getSquareRootImage",
    "getWaveletImage",
    "normalizeImage",
    "resampleImage",
    "resegmentMask",
]


def getMask(mask: sitk.Image, **kwargs: Any) -> sitk.Image:
    """The labels as 32-bit integers, of the channel `label_channel`; refuses an absent `label`.

    >>> labels = sitk.Image(3, 3, 3, sitk.sitkUInt8); labels[1, 1, 1] = 2
    >>> getMask(labels, label=2).GetPixelIDTypeAsString()
    '32-bit unsigned integer'
    """
    labels = regions.scalar_labels(mask, read(kwargs, "label_channel"))
    mask_of(labels, read(kwargs, "label"))
    return sitk.Cast(labels, sitk.sitkUInt32)


def checkMask(
    imageNode: sitk.Image, maskNode: sitk.Image, **kwargs: Any
) -> tuple[Ints, sitk.Image | None]:
    """Bounding box (first and last voxel along x, y, z in turn), and the mask if corrected.

    Raises
    ------
    InputError
        See `regions.joined` and `regions.check_size`; a ValueError.
    """
    mask = mask_of(maskNode, read(kwargs, "label"))
    region, corrected = regions.joined(volume_of(imageNode), mask, kwargs)
    regions.check_size(region, kwargs)
    box = list(reversed(region.box))[: imageNode.GetDimension()]
    bounds = np.array([(b.start, b.stop - 1) for b in box]).ravel()
    return bounds, _labels(region.mask, kwargs, imageNode) if corrected else None


def cropToTumorMask(
    imageNode: sitk.Image, maskNode: sitk.Image, boundingBox: Array, **kwargs: Any
) -> tuple[sitk.Image, sitk.Image]:
    """Both cropped to the box of `checkMask`, grown by `padDistance` (default 0)."""
    pad = int(kwargs.get("padDistance", 0))
    size = maskNode.GetSize()
    first = [max(int(low) - pad, 0) for low in boundingBox[0::2]]
    last = [min(int(high) + pad + 1, n) for high, n in zip(boundingBox[1::2], size, strict=True)]
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    return imageNode[box], maskNode[box]


def normalizeImage(image: sitk.Image, **kwargs: Any) -> sitk.Image:
    """z-score of the whole image, clipped to `removeOutliers`, times `normalizeScale`."""
    return _image(preparation.normalised(volume_of(image), kwargs), image)


def resampleImage(
    imageNode: sitk.Image, maskNode: sitk.Image, **kwargs: Any
) -> tuple[sitk.Image, sitk.Image]:
    """Both at `resampledPixelSpacing`; the mask keeps only `label`."""
    mask = mask_of(maskNode, read(kwargs, "label"))
    n = imageNode.GetDimension()
    volume, inside = preparation.resampled(volume_of(imageNode), mask, kwargs, n)
    return _image(volume, imageNode), _labels(inside, kwargs, imageNode)


def resegmentMask(imageNode: sitk.Image, maskNode: sitk.Image, **kwargs: Any) -> sitk.Image:
    """The mask without the voxels whose intensity is outside `resegmentRange`."""
    volume, mask = volume_of(imageNode), mask_of(maskNode, read(kwargs, "label"))
    kept = regions.resegmented(
        MaskedImage(volume, Mask(mask.array, volume.geometry, mask.name)), kwargs
    )
    return _labels(kept.mask, kwargs, imageNode)


def getBinEdges(parameterValues: Array, **kwargs: Any) -> Floats:
    """Edges of the bins of `binWidth` or `binCount`, the last one above the maximum.

    >>> getBinEdges(np.array([54, 166]), binWidth=25).tolist()
    [50.0, 75.0, 100.0, 125.0, 150.0, 175.0, 200.0]
    """
    bins, width = read(kwargs, "binCount"), float(read(kwargs, "binWidth"))
    x = np.asarray(parameterValues)
    return (
        discretise.pyradiomics_width_edges(x, width)
        if bins is None
        else discretise.pyradiomics_number_edges(x, int(bins))
    )


def binImage(
    parameterMatrix: Array, parameterMatrixCoordinates: Any = None, **kwargs: Any
) -> tuple[Ints, Floats]:
    """Grey levels from 1 of the voxels at the coordinates, 0 elsewhere; and the bin edges."""
    where = slice(None) if parameterMatrixCoordinates is None else parameterMatrixCoordinates
    edges = getBinEdges(parameterMatrix[where], **kwargs)
    levels = np.zeros(parameterMatrix.shape, dtype=np.int64)
    levels[where] = np.digitize(parameterMatrix[where], edges)
    return levels, edges


Derived = Iterator[tuple[sitk.Image, str, dict[str, Any]]]
"""Images on the whole grid, their names, and the settings that were given."""


def _images_of(image_type: str) -> Callable[..., Derived]:
    """The function that makes the images of a type."""

    def made(inputImage: sitk.Image, inputMask: sitk.Image, **kwargs: Any) -> Derived:
        volume, n = volume_of(inputImage), inputImage.GetDimension()
        z, y, x = (slice(0, size) for size in volume.array.shape)
        for name, array in images(image_type, volume, (z, y, x), n, kwargs):
            yield as_image(array, volume.geometry, n), name, kwargs

    made.__name__ = made.__qualname__ = f"get{image_type}Image"
    made.__doc__ = f"The images of the type {image_type}, one at a time; see `image_types`."
    return made


getExponentialImage = _images_of("Exponential")
getGradientImage = _images_of("Gradient")
getLBP2DImage = _images_of("LBP2D")
getLBP3DImage = _images_of("LBP3D")
getLoGImage = _images_of("LoG")
getLogarithmImage = _images_of("Logarithm")
getOriginalImage = _images_of("Original")
getSquareImage = _images_of("Square")
getSquareRootImage = _images_of("SquareRoot")
getWaveletImage = _images_of("Wavelet")


def _image(volume: Volume, like: sitk.Image) -> sitk.Image:
    return as_image(volume.array, volume.geometry, like.GetDimension())


def _labels(mask: Mask, settings: Settings, like: sitk.Image) -> sitk.Image:
    values = mask.array.astype(np.uint32) * np.uint32(read(settings, "label"))
    return as_image(values, mask.geometry, like.GetDimension())
