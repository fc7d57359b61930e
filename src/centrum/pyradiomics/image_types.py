"""Image types: the image itself, and what PyRadiomics' filters make of it."""

import logging
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from centrum.arrays import Array
from centrum.errors import CentrumError
from centrum.filters import Filter, View
from centrum.filters.pyradiomics_gradient import GradientMagnitude
from centrum.filters.pyradiomics_lbp2d import LocalBinaryPattern2D
from centrum.filters.pyradiomics_lbp3d import LocalBinaryPattern3D
from centrum.filters.pyradiomics_log import SMALLEST, RecursiveLaplacian
from centrum.filters.pyradiomics_pointwise import Exponential, Logarithm, Square, SquareRoot
from centrum.filters.pyradiomics_wavelet import OneAxisWavelet, PeriodicWavelet
from centrum.filters.view import Box
from centrum.pyradiomics.errors import InputError
from centrum.pyradiomics.settings import Settings, axis_left_out, read
from centrum.volume import Volume

logger = logging.getLogger("radiomics.imageoperations")

Make = Callable[[Volume, int, Settings], Filter | None]
"""The filter for an image of 2 or 3 dimensions and some settings; None: it cannot be made."""


def _log(volume: Volume, dimension: int, settings: Settings) -> Filter | None:
    size = np.array(volume.geometry.size[:dimension])
    spacing = np.array(volume.geometry.spacing[:dimension])
    if size.min() < SMALLEST:
        logger.warning("Image too small to apply LoG filter, size: %s", size)
        return None
    fitting = []
    for sigma in read(settings, "sigma") or ():
        if sigma <= 0:
            logger.warning("applyLoG: sigma must be greater than 0.0: %g", sigma)
        elif (size < np.ceil(sigma / spacing) + 1).any():
            logger.warning(
                "applyLoG: the image must have more than sigma / spacing voxels along each axis; "
                "sigma %g, spacing %s, size %s",
                sigma,
                spacing,
                size,
            )
        else:
            fitting.append(sigma)
    in_slices = "2D" if dimension == 2 else "3D"
    return RecursiveLaplacian(sigma=tuple(fitting), dimension=in_slices) if fitting else None


def _wavelet(volume: Volume, dimension: int, settings: Settings) -> Filter:
    left_out = axis_left_out(settings, dimension) is not None
    kind = OneAxisWavelet if dimension == 2 and left_out else PeriodicWavelet
    return kind(
        wavelet=read(settings, "wavelet"),
        level=read(settings, "level"),
        start_level=read(settings, "start_level"),
        dimension="2D" if dimension == 2 or left_out else "3D",
    )


def _gradient(volume: Volume, dimension: int, settings: Settings) -> Filter:
    return GradientMagnitude(gradientUseSpacing=read(settings, "gradientUseSpacing"))


def _lbp2d(volume: Volume, dimension: int, settings: Settings) -> Filter:
    if dimension == 3 and not read(settings, "force2D"):
        logger.warning("LBP2D works in slices, and features are extracted in 3D: enable force2D")
    return LocalBinaryPattern2D(
        lbp2DRadius=read(settings, "lbp2DRadius"),
        lbp2DSamples=read(settings, "lbp2DSamples"),
        lbp2DMethod=read(settings, "lbp2DMethod"),
    )


def _lbp3d(volume: Volume, dimension: int, settings: Settings) -> Filter | None:
    if dimension != 3:
        logger.warning("LBP 3D needs a 3-D image, found %d dimensions", dimension)
        return None
    if read(settings, "force2D"):
        logger.warning("LBP3D works in space, and features are extracted in slices (force2D)")
    return LocalBinaryPattern3D(
        lbp3DLevels=read(settings, "lbp3DLevels"),
        lbp3DIcosphereRadius=read(settings, "lbp3DIcosphereRadius"),
        lbp3DIcosphereSubdivision=read(settings, "lbp3DIcosphereSubdivision"),
    )


IMAGE_TYPES: dict[str, Make] = {
    "Exponential": lambda *_: Exponential(),
    "Gradient": _gradient,
    "LBP2D": _lbp2d,
    "LBP3D": _lbp3d,
    "LoG": _log,
    "Logarithm": lambda *_: Logarithm(),
    "Original": lambda *_: None,
    "Square": lambda *_: Square(),
    "SquareRoot": lambda *_: SquareRoot(),
    "Wavelet": _wavelet,
}
"""What makes the filter of each type of image; none for the image itself."""

FILTER_SETTINGS = frozenset(
    {
        "sigma",
        "wavelet",
        "level",
        "start_level",
        "gradientUseSpacing",
        "lbp2DRadius",
        "lbp2DSamples",
        "lbp2DMethod",
        "lbp3DLevels",
        "lbp3DIcosphereRadius",
        "lbp3DIcosphereSubdivision",
    }
)
"""Settings that matter to the making of an image and not to its measurement."""


def _slice_axis(image_type: str, settings: Settings, dimension: int) -> int:
    """The axis across the slices that filters see; of a 2-D image only wavelets heed `force2D`."""
    if dimension == 3:
        return int(read(settings, "force2Ddimension"))
    return (axis_left_out(settings, dimension) or 0) if image_type == "Wavelet" else 0


def images(
    image_type: str, volume: Volume, box: Box, dimension: int, settings: Settings
) -> Iterator[tuple[str, Array]]:
    """Images of a type in a box, with the names that stand in the names of features.

    Their numbers are those of the whole image.

    Parameters
    ----------
    dimension : 2 or 3, of the image as it was given
    """
    if image_type == "Original":
        yield "original", volume.array[box]
        return
    axis = _slice_axis(image_type, settings, dimension)
    array = volume.array
    if dimension == 2 and image_type == "LBP2D":
        # PyRadiomics writes into a copy of the image in three dimensions only.
        array = array.astype(float)
    view = View(array, box, volume.geometry.array_spacing, axis)
    try:
        made = IMAGE_TYPES[image_type](volume, dimension, settings)
        if made is not None:
            yield from zip(made.names, made.responses(view), strict=True)
    except (CentrumError, ValueError) as error:
        raise InputError(f"{image_type}: {error}") from error


@cache
def warn_of_cropping() -> None:
    """Once: filters of a cropped image miss what lies beyond."""
    logger.warning(
        "preCrop: filters see the cropped image only, as in PyRadiomics. Features of LoG change by "
        "up to 150 %% with padDistance = 10. Speed does not need it here: only what matters to "
        "the region is computed anyway."
    )
