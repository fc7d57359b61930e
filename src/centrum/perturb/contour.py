"""Another outline of the same region: larger, smaller, or drawn by another hand."""

from functools import cached_property

import numpy as np

from centrum.arrays import Flags, Floats, Ints
from centrum.kernels.gaussian_field import gaussian_field
from centrum.kernels.superpixels import superpixels
from centrum.perturb.plan import Perturbation

SURELY_IN, SURELY_OUT = 0.9, 0.2
"""A supervoxel of which at least / less than this share lies in the region is in / out."""

TIE_MM = 1e-3
"""SD of the field that decides between voxels at the same distance, so that growth begins on
stretches of the contour and not at single voxels."""

FIELD, SUPERVOXELS = 1, 2
"""Streams of randomness that one seed gives."""

Region = Flags


def signed_distance(inside: Region, spacing: tuple[float, ...]) -> Floats:
    """Distance of voxel centres to the outline in mm, negative inside.

    The outline is half a voxel, of the smallest edge, from the centres beside it. The edge of
    the array is no outline.

    >>> signed_distance(np.array([[[False, True, True, False]]]), (4, 1, 1))[0, 0].tolist()
    [0.5, -0.5, -0.5, 0.5]
    """
    from scipy.ndimage import distance_transform_edt

    if inside.all():
        return np.full(inside.shape, -np.inf)
    half = min(spacing) / 2
    outward = distance_transform_edt(~inside, sampling=spacing)
    inward = distance_transform_edt(inside, sampling=spacing)
    return np.asarray(np.where(inside, half - inward, outward - half))


class Contour:
    """A region in a box with room around it, and the image there, by slices.

    Parameters
    ----------
    inside : (slices, rows, columns) the region; some voxel of the box is outside
    planes : (slices, rows, columns) intensities
    spacing : mm along the three axes
    """

    def __init__(self, inside: Region, planes: Floats, spacing: tuple[float, ...]) -> None:
        self.inside = inside
        self.planes = planes
        self.spacing = spacing
        self._clusters: dict[float, Ints] = {}

    def perturbed(self, settings: Perturbation) -> Region:
        """The region of another volume, its contour moved, then randomised by supervoxels."""
        region = self.inside
        if settings.volume or settings.jitter_mm:
            region = self._redrawn(settings)
        if settings.supervoxel_mm:
            region = self._by_supervoxels(region, settings)
        return region

    @cached_property
    def distance(self) -> Floats:
        """Signed distance to the outline in mm."""
        return signed_distance(self.inside, self.spacing)

    def _redrawn(self, settings: Perturbation) -> Region:
        """Moved by a random field; of the wanted volume to the voxel, if one is wanted."""
        axes = [np.arange(n) * mm for n, mm in zip(self.inside.shape, self.spacing, strict=True)]
        rng = np.random.default_rng([settings.seed, FIELD])
        field = gaussian_field(rng, axes, settings.correlation_mm)
        level = self.distance - (settings.jitter_mm or TIE_MM) * field
        if not settings.volume:
            return np.asarray(level < 0)
        voxels = round((1 + settings.volume) * np.count_nonzero(self.inside))
        return smallest(level, voxels)

    def _by_supervoxels(self, region: Region, settings: Perturbation) -> Region:
        """Supervoxels across the contour are in with the probability of their share inside."""
        labels = self._supervoxels(settings.supervoxel_mm)
        sizes = np.bincount(labels.ravel())
        share = np.bincount(labels[region], minlength=sizes.size) / np.maximum(sizes, 1)
        chance = np.where(share >= SURELY_IN, 1.0, np.where(share < SURELY_OUT, 0.0, share))
        drawn = np.random.default_rng([settings.seed, SUPERVOXELS]).random(sizes.size) < chance
        if not drawn.any():
            drawn[np.argmax(share)] = True
        return np.asarray(drawn[labels])

    def _supervoxels(self, mm: float) -> Ints:
        """Label of each voxel; a supervoxel lies in one slice.

        One SD of the intensities in the box counts as much as one edge of a supervoxel.
        """
        if mm not in self._clusters:
            shape, edges = self.inside.shape[1:], self.spacing[1:]
            rows, columns = (max(round(n * e / mm), 1) for n, e in zip(shape, edges, strict=True))
            scale = self.planes.std() or 1.0
            self._clusters[mm] = superpixels(self.planes / scale, (rows, columns))
        return self._clusters[mm]


def smallest(level: Floats, n: int) -> Region:
    """The n voxels of the smallest level; at equal ones, the first in array order.

    >>> smallest(np.array([3.0, 1.0, 2.0, 1.0]), 2)
    array([False,  True, False,  True])
    """
    n = min(n, level.size)
    chosen = np.zeros(level.size, dtype=bool)
    if n > 0:
        fence = np.partition(level.ravel(), n - 1)[n - 1]
        below, at = np.flatnonzero(level < fence), np.flatnonzero(level == fence)
        chosen[below] = True
        chosen[at[: n - below.size]] = True
    return chosen.reshape(level.shape)
