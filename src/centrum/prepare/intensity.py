"""Steps on intensities before features: normalisation and re-segmentation."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from centrum.arrays import Array, Flags
from centrum.errors import DataError, ProtocolError
from centrum.kernels.tally import Tally
from centrum.provenance import Step
from centrum.volume import Volume

Kept = Flags

RangeMode = Literal["absolute", "relative", "sigma"]


def normalise_image(volume: Volume, scale: float, outliers: float | None = None) -> Volume:
    """z-score over the whole image (SD with n - 1) times `scale`, PyRadiomics' `normalize`.

    `outliers` (removeOutliers) clips the z-scores to +- that many SD before the scaling.

    Raises
    ------
    DataError
        The image is constant.

    >>> from centrum.geometry import Geometry
    >>> image = Volume(np.array([[[1.0, 2.0, 3.0]]]), Geometry((3, 1, 1), (1, 1, 1)))
    >>> normalise_image(image, 100, outliers=0.5).array.tolist()
    [[[-50.0, 0.0, 50.0]]]
    """
    x = volume.array.astype(float, order="C")
    mean, deviation = x.mean(), x.std(ddof=1) if x.size > 1 else 0.0
    if deviation == 0:
        raise DataError(f"A constant image (all {x.flat[0]:g}) cannot be normalised.")
    x -= mean
    x /= deviation
    if outliers is not None:
        np.clip(x, -outliers, outliers, out=x)
    x *= scale
    parameters = {"scale": scale, "outliers": outliers, "mean": mean, "sd": deviation}
    return volume.with_array(x, Step("normalise_image", parameters))


def within_limits(
    x: Array,
    *,
    lower: float | None = None,
    upper: float | None = None,
    sigma: float | None = None,
) -> Kept:
    """Which intensities of a region, (n,), lie in [lower, upper] and within mean +- sigma SD.

    Both limits are inclusive (IBSI 2.5). Mean and SD (with n) are those of the whole region, so
    that range and outlier filter do not depend on their order.

    Raises
    ------
    DataError
        Nothing is left.

    >>> within_limits(np.array([-1.0, 0.0, 5.0]), lower=0).tolist()
    [False, True, True]
    """
    kept = np.ones(x.shape, dtype=bool)
    if lower is not None:
        kept &= x >= lower
    if upper is not None:
        kept &= x <= upper
    if sigma is not None:
        tally = Tally.of(x)
        kept &= np.abs(x - tally.mean) <= sigma * tally.moments.second**0.5
    _check_left(x, kept, f"Re-segmentation to [{lower}, {upper}], {sigma} SD")
    return kept


def within_range(x: Array, limits: Sequence[float], mode: RangeMode = "absolute") -> Kept:
    """Which intensities of a region, (n,), PyRadiomics' `resegmentRange` keeps.

    One limit is a lower one, two are both inclusive. They are intensities (absolute), fractions
    of the maximum (relative) or numbers of SD (with n) from the mean (sigma). Mean and SD have
    the precision of `x`: pass single precision if the image has it.

    Raises
    ------
    ProtocolError
        There are not one or two limits, or the mode is unknown.
    DataError
        Nothing is left.

    >>> within_range(np.array([1.0, 5.0, 10.0]), [0.5], "relative").tolist()
    [False, True, True]
    """
    if len(limits) not in (1, 2):
        raise ProtocolError(f"resegmentRange takes one or two limits, found {list(limits)}.")
    bounds = _bounds(x, sorted(limits), mode)
    kept = x >= bounds[0]
    if len(bounds) == 2:
        kept &= x <= bounds[1]
    _check_left(x, kept, f"resegmentRange {list(limits)} ({mode})")
    return kept


def _bounds(x: Array, limits: list[float], mode: RangeMode) -> list[float]:
    if mode == "absolute":
        return limits
    if mode == "relative":
        highest = float(x.max())
        return [highest * limit for limit in limits]
    if mode == "sigma":
        mean, deviation = float(x.mean()), float(x.std())
        return [mean + deviation * limit for limit in limits]
    raise ProtocolError(f"resegmentMode is one of absolute, relative, sigma, found {mode!r}.")


def _check_left(x: Array, kept: Kept, what: str) -> None:
    if not kept.any():
        raise DataError(
            f"{what} leaves none of the {x.size} voxels with intensities {x.min():g} to "
            f"{x.max():g}; widen the range."
        )
