"""Whole images on a common scale of intensity: MR intensity has no unit.

Each function looks at some voxels, maps all of them by one rising function, and records what
it found. None knows another image; what is learnt from many is in `nyul`.
"""

import numpy as np

from centrum.arrays import Array, Flags
from centrum.errors import DataError
from centrum.prepare.body import air_level
from centrum.prepare.settings import Percentiles, ReferenceTissue, ZScore
from centrum.provenance import Step
from centrum.volume import Mask, Volume

Looked = Flags | None
"""Voxels that are looked at, [z, y, x]; None is all of them."""


def subtract_air(volume: Volume) -> Volume:
    """The image minus its darkest level (`body.air_level`), so that air is about 0.

    >>> from centrum.geometry import Geometry
    >>> image = Volume(np.array([[[30, 30, 90]]]), Geometry((3, 1, 1), (3, 3, 3)))
    >>> subtract_air(image).array.tolist()
    [[[0.0, 0.0, 60.0]]]
    """
    level = air_level(volume)
    return volume.with_array(volume.array - level, Step("subtract_air", {"level": level}))


def z_score(volume: Volume, settings: ZScore, inside: Looked = None) -> Volume:
    """(x - mean) / SD (with n) times `scale`, of the voxels looked at.

    Raises
    ------
    DataError
        These voxels have one intensity.

    >>> from centrum.geometry import Geometry
    >>> image = Volume(np.array([[[10, 20, 30, 20]]]), Geometry((4, 1, 1), (1, 1, 1)))
    >>> z_score(image, ZScore(over="image", scale=10)).array.round(1).tolist()
    [[[-14.1, 0.0, 14.1, 0.0]]]
    """
    x = looked_at(volume, inside)
    mean = x.mean(keepdims=True)
    sd = float(x.std(mean=mean))
    _check_spread(x, sd > 0)
    found = {"mean": float(mean[0]), "sd": sd}
    array = volume.array - found["mean"]
    array *= settings.scale / sd
    return volume.with_array(array, Step("z_score", settings.model_dump(mode="json") | found))


def percentile_scale(volume: Volume, settings: Percentiles, inside: Looked = None) -> Volume:
    """Two percentiles of the voxels looked at go to the ends of the range.

    Raises
    ------
    DataError
        Both percentiles are one intensity.

    >>> from centrum.geometry import Geometry
    >>> image = Volume(np.array([[[10, 20, 30, 90]]]), Geometry((4, 1, 1), (1, 1, 1)))
    >>> settings = Percentiles(over="image", lower=0, upper=75, range=(0, 70))
    >>> percentile_scale(image, settings).array.tolist()
    [[[0.0, 20.0, 40.0, 70.0]]]
    """
    x = looked_at(volume, inside)
    low, high = np.percentile(x, [settings.lower, settings.upper])
    _check_spread(x, low < high)
    start, end = settings.range
    array = start + (volume.array - low) * ((end - start) / (high - low))
    if settings.clip:
        np.clip(array, start, end, out=array)
    found = {"found": [float(low), float(high)]}
    return volume.with_array(
        array, Step("percentile_scale", settings.model_dump(mode="json") | found)
    )


def relate_to_tissue(volume: Volume, tissue: Mask, settings: ReferenceTissue) -> Volume:
    """The image over the mean (or median) of a reference tissue, times `scale`.

    Raises
    ------
    DataError
        The tissue has too few voxels, or its level is not above 0.

    >>> from centrum.geometry import Geometry
    >>> grid = Geometry((3, 1, 1), (1, 1, 1))
    >>> tissue = Mask(np.array([[[True, True, False]]]), grid, "L3")
    >>> image = Volume(np.array([[[40.0, 60.0, 75.0]]]), grid)
    >>> relate_to_tissue(image, tissue, ReferenceTissue(min_voxels=2)).array.tolist()
    [[[80.0, 120.0, 150.0]]]
    """
    x = np.sort(volume.array[tissue.array])  # so that the sum does not depend on an order
    if x.size < settings.min_voxels:
        raise DataError(
            f"The reference tissue {tissue.name!r} has {x.size} voxels, at least "
            f"{settings.min_voxels} are needed. Draw more of it, or lower min_voxels."
        )
    level = float(np.mean(x) if settings.statistic == "mean" else np.median(x))
    if not level > 0:
        raise DataError(
            f"The {settings.statistic} of the reference tissue {tissue.name!r} is {level:g}; a "
            "ratio needs one above 0. Check that the segment lies on this image."
        )
    found = {"segment": tissue.name, "voxels": x.size, "level": level}
    step = Step("relate_to_tissue", settings.model_dump(mode="json") | found)
    return volume.with_array(volume.array * (settings.scale / level), step)


def looked_at(volume: Volume, inside: Looked) -> Array:
    """Finite intensities of the voxels looked at, (n,).

    Raises
    ------
    DataError
        There are none.
    """
    x = volume.array.ravel() if inside is None else volume.array[inside]
    finite = np.isfinite(x)
    x = x if finite.all() else x[finite]
    if not x.size:
        raise DataError("No finite voxel to normalise by. Export the image again.")
    return x


def _check_spread(x: Array, spread: bool) -> None:
    if not spread:
        raise DataError(
            f"The image cannot be normalised: its {x.size} voxels looked at go from {x.min():g} "
            f"to {x.max():g}, and (nearly) all are the same."
        )
