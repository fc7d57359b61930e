"""Every voxel has a place, its neighbours lie a constant step away, and spans cover all."""

import numpy as np
from hypothesis import given, strategies as st

from centrum.kernels import layout as module
from centrum.kernels.layout import RegionLayout
from centrum.kernels.neighbours import DIRECTIONS
from tests.kernels.regions import LEVELS, neighbour, voxels


@given(LEVELS, st.integers(1, 3))
def test_steps_lead_to_neighbours_of_the_same_block(levels: np.ndarray, pad: int) -> None:
    layout = RegionLayout.of(levels > 0, pad)
    flat = layout.flat(levels[levels > 0])
    for offsets in (DIRECTIONS * pad, -DIRECTIONS * pad):
        around = flat[layout.positions[:, None] + layout.steps(offsets)]
        expected = [[neighbour(levels, i, step) for step in offsets] for i in voxels(levels)]
        np.testing.assert_array_equal(around, expected)


@given(LEVELS)
def test_spans_hold_every_voxel_once_and_one_block(levels: np.ndarray) -> None:
    layout = RegionLayout.of(levels > 0, pad=1)
    covered = np.concatenate(
        [np.arange(a, b) for a, b in zip(layout.starts, layout.ends, strict=True)]
    )
    assert len(np.unique(covered)) == len(covered)
    assert np.isin(layout.positions, covered).all()
    block = np.repeat(np.arange(layout.blocks), layout.counts)
    span = np.searchsorted(layout.starts, layout.positions, side="right") - 1
    np.testing.assert_array_equal(layout.span_block[span], block)


def test_long_rows_are_cut() -> None:
    layout = RegionLayout.of(np.ones((1, 1, 1, 3 * module.SPAN_LENGTH + 5), bool), pad=1)
    lengths = (layout.ends - layout.starts).tolist()
    assert lengths == [module.SPAN_LENGTH] * 3 + [5]
