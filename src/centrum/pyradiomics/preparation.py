"""From an image and a mask to the regions that are measured, in PyRadiomics' order of steps.

normalise, resample (or crop), bring the mask to the image's grid, check it, re-segment.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import SimpleITK as sitk

from centrum.errors import DataError
from centrum.prepare.intensity import normalise_image
from centrum.prepare.resample import resample_pyradiomics
from centrum.pyradiomics import generalinfo
from centrum.pyradiomics.errors import InputError
from centrum.pyradiomics.regions import (
    MaskedImage,
    check_size,
    check_within,
    grown,
    joined,
    mask_of,
    resegmented,
    volume_of,
)
from centrum.pyradiomics.settings import INTERPOLATORS, Settings, read
from centrum.volume import Mask, Volume

Diagnostics = OrderedDict[str, Any]

logger = logging.getLogger("radiomics.imageoperations")


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is measured.

    Attributes
    ----------
    region : the image and the region of intensity and texture features, not cropped
    shape_region : that of shape features: not re-segmented unless `resegmentShape`
    """

    region: MaskedImage
    shape_region: MaskedImage


def prepare(
    image: sitk.Image, labels: sitk.Image, settings: Settings, notes: Diagnostics | None
) -> Prepared:
    """The regions in `image` that `labels` mark; adds to the diagnostics if they are asked for.

    Raises
    ------
    InputError
        Image and mask cannot be measured together (see `regions`).
    """
    n = image.GetDimension()
    volume, mask = load(image, labels, settings, notes)
    region, corrected = joined(volume, mask, settings)
    check_size(region, settings)
    if corrected and notes is not None:
        notes.update(generalinfo.region_elements("corrected", region, n))
    if read(settings, "resegmentRange") is None:
        return Prepared(region, region)
    kept = resegmented(region, settings)
    check_size(kept, settings)
    if notes is not None:
        notes.update(generalinfo.region_elements("resegmented", kept, n))
    return Prepared(kept, kept if read(settings, "resegmentShape") else _within(region, kept))


def _within(region: MaskedImage, kept: MaskedImage) -> MaskedImage:
    """The region in the box of what re-segmentation kept: PyRadiomics crops shapes to that."""
    return region.cropped(kept.box)


def load(
    image: sitk.Image, labels: sitk.Image, settings: Settings, notes: Diagnostics | None
) -> tuple[Volume, Mask]:
    """Image and mask, normalised and resampled or cropped; not yet on one grid if neither."""
    volume, mask = volume_of(image), mask_of(labels, read(settings, "label"))
    n = image.GetDimension()
    if notes is not None:
        notes.update(generalinfo.original_image(image))
        notes.update(generalinfo.original_mask(labels, mask))
    if read(settings, "normalize"):
        volume = normalised(volume, settings)
    if is_resampled(settings):
        volume, mask = resampled(volume, mask, settings, n)
        if notes is not None:
            spacing = volume.geometry.spacing[:n]
            notes.update(generalinfo.image_elements("interpolated", spacing, volume.array))
            notes.update(generalinfo.region_elements("interpolated", MaskedImage(volume, mask), n))
    elif read(settings, "preCrop"):
        region, _ = joined(volume, mask, settings)
        check_size(region, settings)
        region = region.cropped(
            grown(region.box, volume.array.shape, read(settings, "padDistance"))
        )
        volume, mask = region.volume, region.mask
    return volume, mask


def is_resampled(settings: Settings) -> bool:
    """Whether the settings ask for resampling; PyRadiomics needs an interpolator for it."""
    return settings.get("interpolator") is not None and bool(settings.get("resampledPixelSpacing"))


def normalised(volume: Volume, settings: Settings) -> Volume:
    """The image as `normalize`, `normalizeScale` and `removeOutliers` make it."""
    outliers = read(settings, "removeOutliers")
    scale = float(read(settings, "normalizeScale"))
    try:
        return normalise_image(volume, scale, None if outliers is None else float(outliers))
    except DataError as error:
        raise InputError(str(error)) from error


def resampled(
    volume: Volume, mask: Mask, settings: Settings, dimension: int = 3
) -> tuple[Volume, Mask]:
    """Image and mask at `resampledPixelSpacing`, cropped to the region and `padDistance`.

    The new grid is that of the mask, which may lie on another grid than the image.
    """
    spacing = [float(s or 0) for s in settings["resampledPixelSpacing"]]
    if len(spacing) != dimension:
        raise InputError(
            f"resampledPixelSpacing wants {dimension} numbers (mm along x, y, z), found {spacing}."
        )
    check_within(volume, mask)
    spacing += [0.0] * (3 - dimension)
    pad = int(read(settings, "padDistance"))
    try:
        return resample_pyradiomics(
            volume, mask, spacing, interpolator_name(settings), pad, dimension
        )
    except DataError as error:
        raise InputError(str(error)) from error


def interpolator_name(settings: Settings) -> str:
    """SimpleITK's name of `interpolator`, given by name, documented number or constant.

    >>> interpolator_name({"interpolator": 3}), interpolator_name({"interpolator": sitk.sitkLinear})
    ('sitkBSpline', 'sitkLinear')
    """
    given = settings.get("interpolator", "sitkBSpline")
    by_constant = {getattr(sitk, name): name for name in INTERPOLATORS}
    by_number = dict(enumerate(INTERPOLATORS, start=1))
    name = given if isinstance(given, str) else (by_constant | by_number).get(given)
    if name not in INTERPOLATORS:
        logger.warning('interpolator "%s" not recognized, using sitkBSpline', given)
        return "sitkBSpline"
    return str(name)
