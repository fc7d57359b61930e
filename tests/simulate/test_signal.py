"""Signal of the phantom's tissues."""

import numpy as np
import pytest

from centrum.simulate.acquisition import CENTRES
from centrum.simulate.signal import (
    MARROW,
    TISSUES,
    Fluid,
    Marrow,
    Sequence,
    Tissue,
)

THORACIC = CENTRES["A"].protocols["thoracic"].sequence


def test_spin_echo_by_hand() -> None:
    # 0.8 (1 - exp(-2500/950)) exp(-121/42) = 0.8 x 0.92804 x 0.05608
    signal = Tissue(0.8, 950, 42).signal(Sequence(2500, 121))
    assert signal == pytest.approx(0.041636, rel=1e-4)


def test_two_compartments_by_hand() -> None:
    # water (1 - exp(-2.5)) exp(-1.25) = 0.918 x 0.28650 = 0.26299,
    # fat 0.9 (1 - exp(-2500/270)) exp(-100/115) = 0.9 x 0.99990 x 0.41914 = 0.37719
    marrow = Marrow(0.5, 1000, 80, 0.1).signal(Sequence(2500, 100))
    assert marrow == pytest.approx(0.9 * (0.26299 + 0.37719) / 2, rel=1e-4)


def test_fast_recovery_brightens_fluid_only() -> None:
    sequence = Sequence(2500, 121)
    plain, fluid = Tissue(1, 4200, 1800), Fluid(1, 4200, 1800)
    assert fluid.signal(sequence) / plain.signal(sequence) == pytest.approx(1.35)


@pytest.mark.parametrize(
    ("tissue", "wanted"),
    [
        (MARROW["oedema"], 1.25),
        (MARROW["impaction"], 0.28),
        (MARROW["lytic"], 1.17),
        (MARROW["sclerotic"], 0.47),
        (MARROW["myeloma"], 1.06),
        (MARROW["lymphoma"], 0.94),
        (TISSUES["nucleus II"], 1.6),
        (TISSUES["nucleus III"], 1.05),
        (TISSUES["nucleus IV"], 0.48),
        (TISSUES["annulus"], 0.34),
        (TISSUES["csf"], 2.9),
        (TISSUES["cord"], 1.05),
        (TISSUES["muscle"], 0.31),
        (TISSUES["fat"], 1.7),
    ],
)
def test_relative_to_marrow(tissue: Tissue | Marrow, wanted: float) -> None:
    """Within 10 % of the published-parameter table, or .05 for the dark tissues."""
    relative = tissue.signal(THORACIC) / MARROW["elderly"].signal(THORACIC)
    assert relative == pytest.approx(wanted, rel=0.10, abs=0.05)


def test_spread_of_normal_marrow() -> None:
    sequence = THORACIC
    spread = MARROW["elderly"].signal_at(np.array([0.46, 0.66]), sequence)
    assert (spread / MARROW["elderly"].signal(sequence)).round(2).tolist() == [0.88, 1.12]
