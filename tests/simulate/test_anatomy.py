"""Shapes of the parts of a vertebra."""

import numpy as np
import pytest

from centrum.cohort.levels import Level
from centrum.simulate.acquisition import CENTRES, build_grid, image_grid
from centrum.simulate.anatomy import paint_arch
from centrum.simulate.fracture import NO_FRACTURE
from centrum.simulate.spine import SpinalCurve, build_spine

BESIDE_MM = 5.5
"""From the midline: past the spinous process and not yet at the pedicles."""


@pytest.mark.parametrize("level", ["C5", "T8", "L3"])
def test_laminae_are_lower_than_their_vertebra(level: str) -> None:
    """There are gaps between them, through which the canal is reached."""
    at = Level.parse(level)
    grid = build_grid(image_grid(CENTRES["A"].protocols[at.region], (110.0, 144.0), 0.0))
    spine = build_spine(at, NO_FRACTURE, np.random.default_rng(2))
    vertebra = next(each for each in spine if each.level == at)
    curve = SpinalCurve.through(spine, grid.down, grid.back)
    tissue = np.zeros([len(axis) for axis in grid.axes], np.float32)
    paint_arch(tissue, grid, vertebra, curve, 1.0, 0.0)
    plane = tissue[np.abs(grid.left - vertebra.left - BESIDE_MM).argmin()]
    rows = grid.down[(plane > 0.5).any(axis=1)]
    assert 4 < np.ptp(rows) < vertebra.reach
