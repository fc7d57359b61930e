"""Signal of tissues on a fast-spin-echo T2-weighted image.

A tissue gives S = PD (1 - exp(-TR / T1)) exp(-TE / T2). Marrow is two compartments, water
and fat, in the room that bone leaves:
S = (1 - B) ((1 - FF) S(water) + FF S(fat)), with the bone fraction B and the fat fraction FF.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FAST_RECOVERY_GAIN = 1.35
"""Fast-recovery FSE drives slow-relaxing fluid back to the axis: CSF is brighter by this."""


@dataclass(frozen=True)
class Sequence:
    """Repetition and echo time in ms."""

    tr_ms: float
    te_ms: float


@dataclass(frozen=True)
class Tissue:
    """Proton density relative to water, T1 and T2 in ms."""

    pd: float
    t1: float
    t2: float

    def signal(self, sequence: Sequence) -> float:
        """Signal, 1 for fully recovered and undecayed water.

        >>> round(Tissue(1.0, 1000.0, 100.0).signal(Sequence(1000.0, 100.0)), 4)
        0.2325
        """
        recovered = 1 - np.exp(-sequence.tr_ms / self.t1)
        return float(self.pd * recovered * np.exp(-sequence.te_ms / self.t2))


@dataclass(frozen=True)
class Fluid(Tissue):
    """Tissue that fast recovery makes brighter."""

    def signal(self, sequence: Sequence) -> float:
        """Signal with the gain of fast recovery."""
        return FAST_RECOVERY_GAIN * super().signal(sequence)


@dataclass(frozen=True)
class Marrow:
    """Fat fraction, T1 and T2 (ms) of the water, and the fraction that is bone."""

    fat_fraction: float
    t1: float
    t2: float
    bone: float

    def signal(self, sequence: Sequence) -> float:
        """Signal at the tissue's own fat fraction."""
        return float(self.signal_at(np.asarray(self.fat_fraction), sequence))

    def signal_at(self, fat_fraction: NDArray, sequence: Sequence) -> NDArray:
        """Signal at the given fat fractions, limited to 0 to 0.95."""
        water, fat = Tissue(1.0, self.t1, self.t2).signal(sequence), MARROW_FAT.signal(sequence)
        share = np.clip(fat_fraction, 0, 0.95)
        return (1 - self.bone) * (water + share * (fat - water))

    def mix(self, other: "Marrow", share: float) -> "Marrow":
        """Parameters on the way from this tissue (share 0) to the other (share 1)."""
        pairs = {
            name: (1 - share) * getattr(self, name) + share * getattr(other, name)
            for name in ("fat_fraction", "t1", "t2", "bone")
        }
        return replace(self, **pairs)


# Relaxation times at 1.5 T, chosen within what is published so that the signal relative to
# elderly marrow agrees with the exams; docs/concepts/phantom-cohort.md has the table.
MARROW_FAT = Tissue(0.90, 270, 115)
MARROW = {
    "elderly": Marrow(0.56, 950, 42, 0.10),
    "oedema": Marrow(0.27, 1300, 88, 0.10),
    "impaction": Marrow(0.20, 900, 28, 0.35),
    "lytic": Marrow(0.05, 1150, 84, 0.08),
    "sclerotic": Marrow(0.05, 1100, 50, 0.22),
    "myeloma": Marrow(0.20, 1150, 72, 0.08),
    "lymphoma": Marrow(0.05, 1100, 70, 0.08),
}
TISSUES = {
    "nucleus II": Tissue(0.85, 1200, 129),
    "nucleus III": Tissue(0.85, 1200, 84),
    "nucleus IV": Tissue(0.85, 1200, 51),
    "annulus": Tissue(0.75, 1000, 45),
    "csf": Fluid(1.0, 4200, 1800),
    "cleft": Fluid(1.0, 3000, 450),
    "cord": Tissue(0.80, 950, 85),
    "muscle": Tissue(0.80, 950, 42),
    "fat": Tissue(0.90, 270, 115),
    "cortex": Tissue(0.10, 400, 30),
}
GRADES = ("nucleus II", "nucleus III", "nucleus IV")
"""Tissues of the nucleus by Pfirrmann grade (Pfirrmann et al., Spine 2001;26:1873)."""
