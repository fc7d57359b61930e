"""A made exam: an ellipsoid of tissue in air, as a coil on its back would see it."""

import numpy as np
from numpy.typing import NDArray

from centrum.geometry import Geometry
from centrum.volume import Volume

GRID = Geometry((72, 80, 12), (1.5, 1.5, 4.4))


def trunk(radius: float = 0.8) -> NDArray[np.bool_]:
    """The voxels of the ellipsoid, half the view across."""
    z, y, x = (np.linspace(-1, 1, n)[index] for n, index in _axes())
    return (z / 1.6) ** 2 + y**2 + x**2 < radius**2


def coil(strength: float = 1.0) -> NDArray[np.float64]:
    """A smooth field: brighter behind (high x) and below, by a factor of e**strength."""
    z, y, x = (np.linspace(-0.5, 0.5, n)[index] for n, index in _axes())
    return np.exp(strength * (0.8 * x + 0.2 * y**2 + 0.1 * z))


def scene(
    tissue: NDArray | float = 300.0, field: NDArray | float = 1.0, noise: float = 6.0, seed: int = 0
) -> Volume:
    """The tissue in the trunk under a field, with Rician noise."""
    signal = np.where(trunk(), tissue, 0.0) * field
    real, imaginary = np.random.default_rng(seed).normal(0, noise, (2, *GRID.shape))
    return Volume(np.hypot(signal + real, imaginary), GRID)


def _axes() -> list[tuple[int, tuple]]:
    z, y, x = GRID.shape
    return [(z, np.s_[:, None, None]), (y, np.s_[None, :, None]), (x, np.s_[None, None, :])]
