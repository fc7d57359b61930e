"""Division by the smooth field that surface coils lay over an image (N4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from centrum.arrays import Array, Flags, Floats
from centrum.errors import DataError
from centrum.geometry import Geometry, orientation_of, reading_order
from centrum.prepare.body import BodyMask, averaged, shrinking
from centrum.prepare.settings import BiasField
from centrum.provenance import Step
from centrum.volume import Mask, Volume, turned

LEAST_LIT = 0.5
"""A block takes part when at least this share of its voxels does."""


LEAST_BLOCKS = 4
"""Along every axis: a cubic spline goes through no fewer, and N4 takes no axis of one."""


def correct_bias_field(volume: Volume, settings: BiasField, body: BodyMask) -> Volume:
    """The image divided by its field of shading.

    N4 (Tustison et al., IEEE Trans Med Imaging 29, 2010) fits a B-spline to log intensity, on
    block means; the field is evaluated at every voxel. Its geometric mean over the voxels that
    it is fitted to is 1, so that the general level stays. Voxels as dark as air take no part,
    wherever they lie; an offset of the image must be subtracted before. One thread, and blocks of
    the patient in whichever order the axes are stored: the same input gives the same bytes.

    Raises
    ------
    DataError
        No voxel is brighter than air and 0.
    """
    lit = volume.array > max(body.threshold, 0.0)
    usable = lit & body.inside if settings.mask == "body" else lit
    if not usable.any():
        raise DataError(
            "N4 divides, so that it needs positive intensities, and found none in the body. "
            "Correct the bias field before intensities are normalised."
        )
    order = reading_order(volume.geometry)
    read, where = turned(volume, order), turned(Mask(usable, volume.geometry), order)
    log_field = _as_stored(_log_field(read, settings, where.array), read.geometry, volume.geometry)
    log_field -= log_field[usable].mean()
    field = np.exp(log_field)
    found = {"field": [float(field[usable].min()), float(field[usable].max())]}
    step = Step("n4_bias_field", settings.model_dump(mode="json") | found)
    return volume.with_array(volume.array / field, step)


def _as_stored(array: Floats, read: Geometry, stored: Geometry) -> Floats:
    return turned(Volume(array, read), orientation_of(stored)).array


def _log_field(volume: Volume, settings: BiasField, usable: Flags) -> Floats:
    """Log of the field, [z, y, x], fitted to means of the usable voxels of each block."""
    import SimpleITK as sitk

    spacing = volume.geometry.array_spacing
    factors = shrinking(spacing, settings.shrink_factor * min(spacing))
    weight = averaged(usable, factors)
    total = averaged(np.where(usable, volume.array, 0), factors)
    means = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    means, weight = _at_least(LEAST_BLOCKS, means), _at_least(LEAST_BLOCKS, weight)
    image = _itk_image(means, spacing, factors, sitk.sitkFloat32)
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(settings.iterations)
    n4.SetConvergenceThreshold(settings.convergence)
    with _one_thread():
        n4.Execute(image, _itk_image(weight >= LEAST_LIT, spacing, factors, sitk.sitkUInt8))
        field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)).astype(float)
    return _at_every_voxel(field, factors, volume.array.shape)


@contextmanager
def _one_thread() -> Iterator[None]:
    """ITK with one thread, in the filters within a filter too: sums depend on their number."""
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _at_every_voxel(field: Floats, factors: tuple[int, ...], shape: tuple[int, ...]) -> Floats:
    """The field given at the centres of blocks, at the voxels in them: a cubic spline."""
    from scipy.interpolate import make_interp_spline

    for axis, (factor, length) in enumerate(zip(factors, shape, strict=True)):
        if factor == 1:
            field = field.take(range(length), axis=axis)
            continue
        centres = (np.arange(length) - (factor - 1) / 2) / factor
        blocks = np.arange(field.shape[axis])
        spline = make_interp_spline(blocks, field, k=3, axis=axis)
        field = spline(np.clip(centres, -0.5, len(blocks) - 0.5))
    return np.ascontiguousarray(field)


def _at_least(n: int, blocks: Floats) -> Floats:
    """Blocks with the last ones repeated along axes that are shorter than `n`."""
    return np.pad(blocks, [(0, max(n - size, 0)) for size in blocks.shape], mode="edge")


def _itk_image(
    array: Array, spacing: tuple[float, ...], factors: tuple[int, ...], kind: int
) -> Any:
    """Blocks of voxels as an image of ITK whose first voxel begins at 0."""
    import SimpleITK as sitk

    image = sitk.Cast(sitk.GetImageFromArray(array.astype(np.float32)), kind)
    sides = [s * f for s, f in zip(spacing, factors, strict=True)][::-1]
    image.SetSpacing(sides)
    image.SetOrigin([side / 2 for side in sides])
    return image
