"""Which voxels show the patient, and how dark air is.

Both are read off the image averaged over about `BLOCK_MM`, which removes the noise of air,
and from two percentiles of it, so that neither gain nor offset of the image matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from centrum.arrays import Array, Flags, Floats
from centrum.errors import DataError
from centrum.geometry import orientation_of, reading_order
from centrum.volume import Mask, Volume, filled, turned

BLOCK_MM = 3.5
"""Side of the blocks that are averaged; an axis of thicker slices is left as it is."""

DARKEST, BRIGHTEST = 1.0, 99.0
"""Percentiles of the averaged image that stand for air and for fat or fluid."""

BODY_FRACTION = 0.06
"""Share of the way from air to fat above which a block is body. On T2w muscle lies at .1 to .2
of the way, the noise floor of a signal-to-noise ratio of 15 at .04."""

CLOSE_MM = 5.0
"""Gaps up to twice as wide (cortex, vessels, gas) are closed."""


@dataclass(frozen=True, eq=False)
class BodyMask:
    """What of an image shows the patient.

    Attributes
    ----------
    inside : bool [z, y, x]
    threshold : intensity above which a voxel is more than noise
    """

    inside: Flags
    threshold: float

    @property
    def share(self) -> float:
        """Share of the view that is body; the rest is air."""
        return float(self.inside.mean())


def find_body(volume: Volume) -> BodyMask:
    """The voxels that show the patient: air around is out, dark spots within are in.

    Blocks brighter than air by `BODY_FRACTION` of the range are closed by `CLOSE_MM`; the
    largest piece is kept, and what it encloses within a slice (`geometry.stack_plane`) is filled.
    Without air in view nearly everything is body. The border is exact to about a block. Blocks and
    slices are those of the patient, in whichever order the axes are stored.

    Raises
    ------
    DataError
        The image is constant.

    >>> from centrum.geometry import Geometry
    >>> array = np.full((3, 20, 20), 30.0)
    >>> array[:, 5:15, 5:15] = 200
    >>> array[1, 9, 9] = 30
    >>> find_body(Volume(array, Geometry((20, 20, 3), (2.5, 2.5, 5.0)))).share
    0.25
    """
    from scipy import ndimage

    read = turned(volume, reading_order(volume.geometry))
    blocks, factors = _averaged(read)
    dark, bright = np.percentile(blocks, [DARKEST, BRIGHTEST])
    if not dark < bright:
        raise DataError(
            f"The image shows no body: its intensities go from {blocks.min():g} to "
            f"{blocks.max():g}, and nearly all are the same."
        )
    threshold = float(dark + BODY_FRACTION * (bright - dark))
    spacing = [f * s for f, s in zip(factors, read.geometry.array_spacing, strict=True)]
    pieces, _ = ndimage.label(_closed(blocks > threshold, spacing))
    largest = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    inside = Mask(enlarged(filled(largest, axis=0), factors, read.array.shape), read.geometry)
    return BodyMask(turned(inside, orientation_of(volume.geometry)).array, threshold)


def air_level(volume: Volume) -> float:
    """The darkest level in view, percentile `DARKEST` of the averaged image.

    That of air where there is air in view, of cortex or vessels where there is none.
    """
    blocks, _ = _averaged(turned(volume, reading_order(volume.geometry)))
    return float(np.percentile(blocks, DARKEST))


def shrinking(spacing: Sequence[float], block_mm: float) -> tuple[int, ...]:
    """Voxels to average along each axis so that none becomes longer than `block_mm`.

    >>> shrinking((4.4, 0.6, 0.6), 3.5)
    (1, 5, 5)
    """
    return tuple(max(int(block_mm / s + 1e-6), 1) for s in spacing)


def averaged(array: Array, factors: Sequence[int]) -> Floats:
    """Means of blocks of `factors` voxels; the last voxels go on where a block is not full.

    >>> averaged(np.array([[[1.0, 3.0, 5.0]]]), (1, 1, 2)).tolist()
    [[[2.0, 5.0]]]
    """
    out = array
    for axis, factor in enumerate(factors):
        if factor > 1:
            out = _means(out, axis, factor)
    return out.astype(float)


def _means(array: Array, axis: int, factor: int) -> Floats:
    """Means of so many neighbours along an axis."""
    before, (n, *after) = array.shape[:axis], array.shape[axis:]
    whole = array[(slice(None),) * axis + (slice(n - n % factor),)]
    means = whole.reshape(*before, -1, factor, *after).mean(axis=axis + 1, dtype=float)
    if not n % factor:
        return means
    rest = np.arange(n - n % factor, n - n % factor + factor).clip(max=n - 1)
    last = array.take(rest, axis=axis).mean(axis=axis, keepdims=True, dtype=float)
    return np.concatenate([means, last], axis=axis)


def enlarged(blocks: Array, factors: Sequence[int], shape: tuple[int, ...]) -> Array:
    """Every block repeated for its voxels: the grid that `averaged` made the blocks of."""
    for axis, factor in enumerate(factors):
        blocks = np.repeat(blocks, factor, axis=axis) if factor > 1 else blocks
    return np.ascontiguousarray(blocks[tuple(slice(n) for n in shape)])


def _averaged(volume: Volume) -> tuple[Floats, tuple[int, ...]]:
    """Block means, not finite voxels as dark as the darkest finite one."""
    array = volume.array
    if not np.isfinite(array).all():
        known = array[np.isfinite(array)]
        if not known.size:
            raise DataError("No voxel of the image is finite. Export it again.")
        array = np.where(np.isfinite(array), array, known.min())
    factors = shrinking(volume.geometry.array_spacing, BLOCK_MM)
    return averaged(array, factors), factors


def _closed(region: Flags, spacing: Sequence[float]) -> Flags:
    """Dilated and eroded by `CLOSE_MM`; beyond the view it goes on as at its border."""
    from scipy import ndimage

    pad = [int(np.ceil(2 * CLOSE_MM / s)) for s in spacing]
    padded = np.pad(region, [(n, n) for n in pad], mode="edge")
    ball = _ball(spacing)
    closed = ~ndimage.binary_dilation(~ndimage.binary_dilation(padded, ball), ball)
    inner = tuple(slice(n, n + size) for n, size in zip(pad, region.shape, strict=True))
    return np.asarray(closed[inner] | region)


def _ball(spacing: Sequence[float]) -> Flags:
    """Neighbours whose centres lie within `CLOSE_MM`."""
    reach = [int(CLOSE_MM / s) for s in spacing]
    away = (np.arange(-n, n + 1) * s for n, s in zip(reach, spacing, strict=True))
    return np.asarray(sum(d**2 for d in np.ix_(*away)) <= CLOSE_MM**2)
