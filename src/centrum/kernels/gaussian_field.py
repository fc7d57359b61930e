"""Gaussian random fields, spread from white noise on a coarse grid."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

REACH = 4.0
"""Of the kernel, in standard deviations; what lies further off weighs below .0004."""


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
    lengths = np.broadcast_to(np.asarray(length_mm, float), (3,))
    kernels = [_kernel(np.asarray(axis), x) for axis, x in zip(axes, lengths, strict=True)]
    noise = rng.standard_normal([weights.shape[1] for weights in kernels], dtype=np.float32)
    first, second, third = kernels
    planes = _spread(*_band(second), np.matmul(noise, third.T))
    return _spread(*_band(first), planes.reshape(1, len(planes), -1)).reshape(
        len(first), *planes.shape[1:]
    )


def _kernel(axis: NDArray, length: float) -> NDArray:
    """Weights that spread coarse white noise over an axis; the variance is 1 everywhere."""
    sigma = length / np.sqrt(2)
    extent = np.ptp(axis)
    step = max(sigma, extent / max(len(axis) - 1, 1))
    margin = int(np.ceil(3 * sigma / step))
    grid = axis.min() + step * np.arange(-margin, np.ceil(extent / step) + margin + 1)
    distance = np.abs(axis[:, None] - grid[None, :]) / sigma
    weights = np.exp(-0.5 * distance**2) * (distance <= REACH)
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)


def _band(weights: NDArray) -> tuple[NDArray, NDArray]:
    """Where each row of weights begins to be more than 0, and the weights from there."""
    begins = (weights > 0).argmax(axis=1)
    width = int((weights > 0).sum(axis=1).max())
    begins = np.minimum(begins, weights.shape[1] - width)
    return begins, np.take_along_axis(weights, begins[:, None] + np.arange(width), axis=1)


CHUNK = 2048
"""Numbers of a row that are summed at a time: they stay in the processor's cache."""


@njit(cache=True, nogil=True)
def _spread(begins: NDArray, weights: NDArray, coarse: NDArray) -> NDArray:
    """Weighted sums of the rows of each plane of `coarse`."""
    planes, _, columns = coarse.shape
    fine = np.zeros((planes, len(begins), columns), dtype=coarse.dtype)
    for plane in range(planes):
        for start in range(0, columns, CHUNK):
            for row in range(len(begins)):
                total = fine[plane, row, start : start + CHUNK]
                for k in range(weights.shape[1]):
                    weight = weights[row, k]
                    part = coarse[plane, begins[row] + k, start : start + CHUNK]
                    for column in range(total.size):
                        total[column] += weight * part[column]
    return fine
