"""What one voxel gets equals what arrays get, and images are what they were."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.cohort.levels import Level
from centrum.simulate import anatomy, plan_cohort, render, shapes
from centrum.simulate.acquisition import CENTRES, build_grid, image_grid
from centrum.simulate.compartments import rolled
from centrum.simulate.fracture import NO_FRACTURE
from centrum.simulate.spine import SpinalCurve, build_spine
from tests.simulate.former import COHORT, block_means, recorded

MM = st.floats(-30, 30)
WIDTH = st.floats(0.1, 9)


@given(a=MM, b=MM, width=WIDTH)
def test_one_voxel_and_arrays_agree(a: float, b: float, width: float) -> None:
    x, y = np.array([a]), np.array([b])
    assert shapes.covered(a, width) == pytest.approx(shapes.cover(x.copy(), width)[0])
    assert shapes.rounded_maximum(a, b, width) == pytest.approx(shapes.smooth_max(x, y, width)[0])
    half = (width, 4.0)
    assert shapes.elliptic(a, b, *half) == pytest.approx(shapes.ellipse(x, y, half)[0])
    block = x.copy()
    shapes.paint(block, np.array([0.3]), b)
    assert shapes.mixed(a, 0.3, b) == pytest.approx(block[0])


def test_a_rimmed_shape_is_a_rim_and_a_core_painted_on_each_other() -> None:
    rng = np.random.default_rng(1)
    tissue, core = rng.random((2, 5, 6, 9)).astype(np.float32)
    distance = rng.normal(0, 2, (2, 3, 4)).astype(np.float32)
    expected, core = tissue.copy(), core[:2, :3, :4].copy()
    planes = np.array([1, 4])
    view = expected[planes, 2:5, 3:7]
    shapes.paint(view, shapes.cover(distance - 0.5, 0.9), 0.1)
    shapes.paint(view, shapes.cover(distance + 0.6, 0.7), core)
    expected[planes, 2:5, 3:7] = view
    shapes.paint_rimmed(tissue, (planes, 2, 3), distance, (0.5, 0.9, 0.1), (-0.6, 0.7), core)
    np.testing.assert_allclose(tissue, expected, atol=1e-6)


@given(shift=st.lists(st.integers(0, 20), min_size=3, max_size=3))
def test_rows_are_rolled_round_the_end(shift: list[int]) -> None:
    plane = np.arange(21.0).reshape(3, 7)
    expected = [np.roll(row, k) for row, k in zip(plane, shift, strict=True)]
    np.testing.assert_array_equal(rolled(plane, np.array(shift)), expected)


@pytest.mark.parametrize("level", ["C5", "T8", "L3", "S1"])
def test_an_arch_is_painted_wherever_it_reaches(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out as too far off has no share of any voxel, even just inside the limit."""

    def smooth(_: object, axes: tuple[np.ndarray, ...], length_mm: float) -> np.ndarray:
        return np.zeros([len(axis) for axis in axes], np.float32)

    monkeypatch.setattr(anatomy, "gaussian_field", smooth)
    at = Level.parse(level)
    region = "lumbar" if level == "S1" else at.region
    grid = build_grid(image_grid(CENTRES["A"].protocols[region], (110.0, 144.0), 0.0))
    spine = build_spine(
        Level.parse("L5") if level == "S1" else at, NO_FRACTURE, np.random.default_rng(2)
    )
    vertebra = next(each for each in spine if each.level == at)
    curve = SpinalCurve.through(spine, grid.down, grid.back)

    def painted() -> np.ndarray:
        tissue = np.zeros([len(axis) for axis in grid.axes], np.float32)
        anatomy.paint_arch(tissue, grid, vertebra, curve, 1.0, 0.3)
        return tissue

    near = painted()
    monkeypatch.setattr(anatomy, "RIM_REACH", 1e3)
    assert near.any()
    np.testing.assert_array_equal(near, painted())


@pytest.mark.parametrize("case", recorded())
def test_images_are_what_they_were(case: str) -> None:
    """Of five patients, among them one of each region; other orders of sums move single voxels."""
    patient = next(each for each in plan_cohort(COHORT) if each.id == case)
    image, _ = render(patient, COHORT)
    np.testing.assert_allclose(block_means(image.array), recorded()[case], atol=0.02)
