"""Gaussian random fields, spread from white noise on a coarse grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrum.kernels.banded import Band, banded_product

REACH = 4.0
"""Of the kernel, in standard deviations; what lies further off weighs below .0004."""


@dataclass(frozen=True, eq=False)
class FieldPlanes:
    """A random field that is made plane by plane: whole, it would not stay in the caches.

    Attributes
    ----------
    lines : (planes, rows of the coarse grid, columns)
    band : spreads the coarse rows
    """

    lines: NDArray
    band: Band

    @classmethod
    def drawn(
        cls,
        rng: np.random.Generator,
        axes: Sequence[NDArray],
        length_mm: float | Sequence[float],
    ) -> "FieldPlanes":
        """The field of `gaussian_field`."""
        lengths = np.broadcast_to(np.asarray(length_mm, float), (3,))
        kernels = [_kernel(np.asarray(axis), x) for axis, x in zip(axes, lengths, strict=True)]
        coarse = [weights.shape[1] for weights in kernels]
        noise = rng.standard_normal(coarse, dtype=np.float32)
        first, second, third = kernels
        planes = banded_product(first, noise.reshape(len(noise), -1))
        lines = np.matmul(planes.reshape(-1, coarse[2]), third.T)
        return cls(lines.reshape(len(first), coarse[1], -1), Band.of(second))

    def plane(self, k: int, first_column: int = 0) -> NDArray:
        """The k-th plane (rows, columns) from one of its columns on."""
        return self.band.product(self.lines[k, :, first_column:])

    def whole(self) -> NDArray:
        """All planes (planes, rows, columns)."""
        return self.band.product(self.lines)


def gaussian_field(
    rng: np.random.Generator,
    axes: Sequence[NDArray],
    length_mm: float | Sequence[float],
) -> NDArray:
    """Random field of mean 0 and SD 1 with correlation exp(-r^2 / 2 length^2).

    Parameters
    ----------
    rng : source of randomness
    axes : evenly spaced positions in mm along each of the three axes
    length_mm : correlation length, one for all axes or one per axis

    >>> axes = [np.arange(40.0)] * 3
    >>> field = gaussian_field(np.random.default_rng(1), axes, 3.0)
    >>> field.shape, bool(abs(field.std() - 1) < 0.25)
    ((40, 40, 40), True)
    """
    return FieldPlanes.drawn(rng, axes, length_mm).whole()


def _kernel(axis: NDArray, length: float) -> NDArray:
    """Weights that spread coarse white noise over an axis; the variance is 1 everywhere."""
    sigma = length / np.sqrt(2)
    extent = np.ptp(axis)
    step = max(sigma, extent / max(len(axis) - 1, 1))
    margin = int(np.ceil(3 * sigma / step))
    grid = axis.min() + step * np.arange(-margin, np.ceil(extent / step) + margin + 1)
    distance = np.abs(axis[:, None] - grid[None, :]) / sigma
    weights = np.zeros_like(distance)
    np.exp(-0.5 * distance**2, where=distance <= REACH, out=weights)
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)
