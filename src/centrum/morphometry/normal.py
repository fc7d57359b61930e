"""Sizes of healthy vertebral bodies."""

from dataclasses import dataclass

from centrum.cohort.levels import Level


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


def normal_size(level: Level | None) -> Size | None:
    """Size of a healthy body, None where none was measured.

    >>> normal_size(Level.parse("L5"))
    Size(anterior=28.9, middle=27.9, posterior=27.0, depth=33.1)
    >>> normal_size(Level.parse("C5")) is None
    True
    """
    return NORMAL.get(level.name) if level else None
