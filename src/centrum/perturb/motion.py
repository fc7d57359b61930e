"""A patient who lies a little otherwise: shift and turn within the slices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats, Ints
from centrum.kernels.plane import weigh_in_plane

HALF = 0.5 - 1e-9
"""Share of the region from which a voxel belongs to it; a half is a half in spite of rounding."""


@dataclass(frozen=True)
class Motion:
    """Turn about a centre, then shift, in the plane of the slices.

    Attributes
    ----------
    turn : degrees, from the row axis towards the column axis
    shift : (rows, columns) in voxels
    centre : (row, column) in voxels, that the turn leaves where it is
    spacing : mm between rows and between columns
    """

    turn: float
    shift: tuple[float, float]
    centre: tuple[float, float]
    spacing: tuple[float, float]

    def forth(self, rows: Floats, columns: Floats) -> tuple[Floats, Floats]:
        """Where what is at (rows, columns) goes."""
        u, v = self._turned(rows - self.centre[0], columns - self.centre[1], self.turn)
        return u + self.centre[0] + self.shift[0], v + self.centre[1] + self.shift[1]

    def back(self, rows: Floats, columns: Floats) -> tuple[Floats, Floats]:
        """Where what arrives at (rows, columns) comes from.

        >>> quarter = Motion(90, (1.0, 0.0), (0.0, 0.0), (1.0, 1.0))
        >>> u, v = quarter.back(*quarter.forth(np.array([3.0]), np.array([5.0])))
        >>> np.round([u, v]).ravel().tolist()
        [3.0, 5.0]
        """
        rows, columns = rows - self.centre[0] - self.shift[0], columns - self.centre[1]
        u, v = self._turned(rows, columns - self.shift[1], -self.turn)
        return u + self.centre[0], v + self.centre[1]

    def _turned(self, rows: Floats, columns: Floats, degrees: float) -> tuple[Floats, Floats]:
        down, along = rows * self.spacing[0], columns * self.spacing[1]
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return (
            (cos * down - sin * along) / self.spacing[0],
            (sin * down + cos * along) / self.spacing[1],
        )


def spline_coefficients(x: Floats) -> Floats:
    """Coefficients of the cubic B-spline through x (rows, columns, ...) in the first two axes."""
    from scipy.ndimage import spline_filter1d

    for axis in (0, 1):
        x = spline_filter1d(x, 3, axis=axis, mode="mirror")
    return x


def sample_cubic(coefficients: Floats, rows: Floats, columns: Floats) -> Floats:
    """Values (n, slices) at n positions, from coefficients (rows, columns, slices).

    Mirrored at the edge.
    """
    n_rows, n_columns = coefficients.shape[:2]
    first, row_weights = _cubic(rows)
    left, column_weights = _cubic(columns)
    first, left = mirrored(first, n_rows), mirrored(left, n_columns)
    return weigh_in_plane(coefficients, first, row_weights, left, column_weights)


def mirrored(positions: NDArray, size: int) -> NDArray:
    """Positions on an axis of `size` voxels, those beyond 0 and size - 1 reflected there.

    >>> mirrored(np.array([-1.5, 0.0, 3.0, 4.0]), 4).tolist()
    [1.5, 0.0, 3.0, 2.0]
    """
    period = max(2 * (size - 1), 1)
    positions = np.abs(positions) % period
    return np.asarray(np.minimum(positions, period - positions) if size > 1 else 0 * positions)


def share(x: Floats, rows: Floats, columns: Floats) -> Floats:
    """Linear interpolation (n, slices) of x (rows, columns, slices), 0 beyond the edge."""
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    taps = []
    for positions, size in ((rows, x.shape[0]), (columns, x.shape[1])):
        below = np.floor(positions)
        part = positions - below
        indices = below[:, None].astype(np.int64) + np.arange(1, 3)
        taps += [np.clip(indices, 0, size + 1), np.stack([1 - part, part], axis=1)]
    return weigh_in_plane(padded, *taps)


def _cubic(positions: Floats) -> tuple[Ints, Floats]:
    """Indices (n, 4) of the cubic B-splines that reach the positions, and their values."""
    below = np.floor(positions)
    t = positions - below
    weights = ((1 - t) ** 3, 4 + 3 * t**2 * (t - 2), 4 + 3 * (1 - t) ** 2 * (-1 - t), t**3)
    return below[:, None].astype(np.int64) + np.arange(-1, 3), np.stack(weights, axis=1) / 6
