"""Steps on intensities before features: normalisation and re-segmentation."""

import numpy as np
from numpy.typing import NDArray

from centrum.errors import DataError
from centrum.provenance import Step
from centrum.volume import Mask, Volume


def normalise_image(volume: Volume, scale: float) -> Volume:
    """z-score over the whole image (SD with n - 1) times `scale`, PyRadiomics' `normalize`.

    Raises
    ------
    DataError
        The image is constant.
    """
    x = volume.array.astype(float)
    deviation = x.std(ddof=1)
    if deviation == 0:
        raise DataError(f"A constant image (all {x.flat[0]:g}) cannot be normalised.")
    step = Step("normalise_image", {"scale": scale, "mean": x.mean(), "sd": deviation})
    return volume.with_array((x - x.mean()) / deviation * scale, step)


def resegment(
    volume: Volume,
    mask: Mask,
    *,
    lower: float | None = None,
    upper: float | None = None,
    sigma: float | None = None,
) -> Mask:
    """The voxels of a mask whose intensity lies in [lower, upper] and within mean +- sigma SD.

    Both limits are inclusive (IBSI 2.5). Mean and SD are those of the whole region.

    Raises
    ------
    DataError
        Nothing is left.
    """
    x = volume.array[mask.array]
    kept = np.ones(x.shape, dtype=bool)
    if lower is not None:
        kept &= x >= lower
    if upper is not None:
        kept &= x <= upper
    if sigma is not None:
        kept &= np.abs(x - x.mean()) <= sigma * x.std()
    if not kept.any():
        raise DataError(
            f"Re-segmentation to [{lower}, {upper}], {sigma} SD leaves none of the "
            f"{x.size} voxels with intensities {x.min():g} to {x.max():g}; widen the range."
        )
    step = Step(
        "resegment", {"lower": lower, "upper": upper, "sigma": sigma, "kept": int(kept.sum())}
    )
    return mask.with_array(_place(kept, mask.array), step)


def _place(kept: NDArray[np.bool_], region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    out = np.zeros_like(region)
    out[region] = kept
    return out
