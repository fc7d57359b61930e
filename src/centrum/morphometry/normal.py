"""Sizes of healthy vertebral bodies."""

from dataclasses import dataclass

import numpy as np

from centrum.arrays import Floats
from centrum.cohort.levels import Level
from centrum.morphometry.profile import PLACES, PROFILE


@dataclass(frozen=True)
class Size:
    """Mean size of a body in the mid-sagittal plane, mm: three heights, and depth."""

    anterior: float
    middle: float
    posterior: float
    depth: float

    @property
    def heights(self) -> tuple[float, float, float]:
        """Anterior, middle and posterior height, mm."""
        return self.anterior, self.middle, self.posterior


NORMAL = {
    "T11": Size(23.9, 24.2, 26.4, 30.8),
    "T12": Size(26.7, 25.6, 27.6, 30.5),
    "L1": Size(28.5, 26.8, 28.9, 31.6),
    "L2": Size(29.6, 26.7, 29.4, 32.9),
    "L3": Size(30.2, 26.5, 29.3, 33.2),
    "L4": Size(29.9, 26.6, 29.1, 33.2),
    "L5": Size(28.9, 27.9, 27.0, 33.1),
}
"""Typical of 56 bodies of eight healthy adults, from masks of sagittal T2-weighted exams: a start,
not the norm of a population."""

MIDDLE_TO_POSTERIOR, MIDDLE_TO_POSTERIOR_SD = 0.93, 0.09
"""Of all 56 bodies: healthy end plates are concave."""

ANTERIOR_TO_POSTERIOR = 1.0
"""Of all 56 bodies; 0.91 at T11, 1.07 at L5."""


SHAPE = {
    0.12: 1.000, 0.20: 1.015, 0.30: 1.025, 0.40: 1.016, 0.50: 1.000,
    0.60: 0.974, 0.70: 0.967, 0.80: 0.987, 0.88: 1.000,
}  # fmt: skip
"""Height along the depth divided by the parabola through the three heights, mean of all 56 bodies:
healthy end plates are deepest behind their middle. SD up to 0.043."""


def normal_profile(heights: tuple[float, float, float]) -> Floats:
    """Heights at the places of `PROFILE` of a healthy body with these three heights, mm.

    >>> normal_profile((28.0, 26.0, 28.0))[[0, 38, 58, 76]].round(1).tolist()
    [28.0, 26.0, 25.7, 28.0]
    """
    parabola = np.polyval(np.polyfit(PLACES, heights, 2), PROFILE)
    return np.asarray(parabola * np.interp(PROFILE, [*SHAPE], [*SHAPE.values()]))


def normal_size(level: Level | None) -> Size | None:
    """Size of a healthy body, None where none was measured.

    >>> normal_size(Level.parse("L5"))
    Size(anterior=28.9, middle=27.9, posterior=27.0, depth=33.1)
    >>> normal_size(Level.parse("C5")) is None
    True
    """
    return NORMAL.get(level.name) if level else None
