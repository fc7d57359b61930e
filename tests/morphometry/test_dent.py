"""Where height is missing: shapes with their grade, their type, and node against compression."""

from functools import cache
from itertools import permutations, product

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion

from centrum.morphometry import Genant, Morphometry, genant, measure_body
from centrum.morphometry.dent import held
from centrum.morphometry.profile import PROFILE
from centrum.records import as_json
from centrum.volume import Mask
from tests.morphometry.shapes import (
    HEIGHT,
    HOLLOW,
    Surface,
    crush,
    pit,
    rearranged,
    sunk,
    trough,
    vertebral_body,
    wedge,
    whole,
)

SPACINGS = ((0.6, 0.6, 4.4), (1.0, 1.0, 1.0), (0.9, 0.9, 3.3))
LEANS = (-20, 0, 25)


def broken(above: Surface = whole, below: Surface = whole, **place) -> Mask:
    return vertebral_body(**HOLLOW, above=above, below=below, **place)


@cache
def healthy(spacing: tuple[float, float, float] = (0.6, 0.6, 4.4)) -> Morphometry:
    return measure_body(broken(spacing=spacing))


def judged(mask: Mask) -> tuple[Morphometry, Genant]:
    """A body and its grade against a healthy one of its size."""
    body = measure_body(mask)
    return body, genant(body, [healthy()])


SHAPES = {
    # name: above, below; grade, kind, verdict, greatest loss, where the body is lowest
    "whole": (whole, whole, 0, "", "", 0.0, None),
    "dent off the centre": (trough(0.36, 0.31, 0.3), whole, 2, "biconcave", "compression",
                            0.35, 0.31),
    "dent off the centre, in few slices": (pit(9.5, 0.3, 11), whole, 2, "biconcave", "compression",
                                           0.33, 0.3),
    "trough at the centre": (trough(0.33, 0.5, 0.3), whole, 2, "biconcave", "compression",
                             0.33, 0.5),
    "oblique trough": (trough(0.33, 0.45, 0.25, 0.02), whole, 2, "biconcave", "compression",
                       0.31, 0.45),
    "wedge": (wedge(0.32), whole, 2, "wedge", "compression", 0.32, None),
    "biconcave": (sunk(0.19), sunk(0.12), 2, "biconcave", "compression", 0.34, None),
    "one end plate sunk": (sunk(0.3), whole, 2, "biconcave", "compression", 0.33, None),
    "crush": (crush(0.3), crush(0.15), 3, "crush", "compression", 0.49, None),
    "node": (pit(7.5, 0.51, 9), whole, 0, "", "node", 0.0, 0.51),
    "wide node": (whole, pit(7.5, 0.49, 13, 2.0), 0, "", "node", 0.02, 0.49),
    "wedge with a node": (wedge(0.32), pit(6, 0.52, 8), 2, "wedge", "compression and node",
                          0.32, None),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_at_any_lean_and_spacing(name: str) -> None:
    above, below, grade, kind, verdict, loss, lowest = SHAPES[name]
    for spacing in SPACINGS:
        for lean in LEANS:
            body = measure_body(broken(above, below, lean=lean, spacing=spacing))
            found = genant(body, [healthy(spacing)])
            case = (spacing, lean, found.greatest_loss, found.notes)
            assert (found.grade, found.kind, found.verdict) == (grade, kind, verdict), case
            assert found.greatest_loss == pytest.approx(loss, abs=0.05), case
            if lowest is not None:
                assert body.lowest_at == pytest.approx(lowest, abs=0.06), case


def test_what_three_lines_miss_is_named() -> None:
    """16 of 26 mm at 31 % of the depth, and a node on the middle line."""
    body, found = judged(broken(trough(0.32, 0.31, 0.3)))
    assert body.lowest == pytest.approx(16, abs=1)
    assert (found.heights_grade, found.grade) == (0, 2)
    assert found.notes[-1].startswith("grade 0 by the three heights (")
    assert "grade 2 by the whole depth (3" in found.notes[-1]
    _, pitted = judged(broken(pit(7.5, 0.51, 9)))
    assert (pitted.heights_grade, pitted.grade) == (2, 0)
    assert pitted.notes[0].startswith("Schmorl node of the upper end plate at 5")
    assert "grade 2 by the three heights" in pitted.notes[1]
    _, lost = judged(broken(wedge(0.32)))
    assert (lost.heights_grade, lost.grade, lost.notes) == (2, 2, ())


def test_sizes_of_a_dent() -> None:
    """A bell of mm deep and wide has 1.064 times the area of a rectangle of its depth and width."""
    fine = (0.4, 0.4, 1.0)
    body = measure_body(broken(pit(7.5, 0.51, 9), spacing=fine))
    found = genant(body, [healthy(fine)])
    (node,) = found.nodes
    assert node.depth == pytest.approx(7.5, abs=0.5)
    assert node.width == pytest.approx(9, abs=0.8)
    assert node.area == pytest.approx(1.064 * 7.5 * 9, rel=0.1)
    assert (node.plate, node.at) == ("upper", pytest.approx(0.51, abs=0.02))
    _, sunken = judged(broken(crush(0.3)))
    assert sunken.loss_area == pytest.approx(0.3 * HEIGHT * 0.77 * 34, rel=0.06)
    assert sunken.loss_width == pytest.approx(0.77 * 34, rel=0.03)
    _, trenched = judged(broken(trough(0.36, 0.4, 0.3)))
    assert trenched.loss_width == pytest.approx(0.3 * 34, abs=1)


@pytest.mark.parametrize("name", ["node", "dent off the centre"])
def test_the_order_of_voxels_does_not_matter(name: str) -> None:
    above, below, *_ = SHAPES[name]
    whole_one = [healthy((0.9, 0.9, 3))]
    mask = broken(above, below, lean=12, spacing=(0.9, 0.9, 3))
    expected = genant(measure_body(mask), whole_one)
    for order in permutations(range(3)):
        for flips in product((1, -1), repeat=3):
            found = genant(measure_body(rearranged(mask, order, flips)), whole_one)
            assert (found.grade, found.verdict) == (expected.grade, expected.verdict)
            assert found.greatest_loss == pytest.approx(expected.greatest_loss, abs=1e-6)
            np.testing.assert_allclose(found.side_loss, expected.side_loss, atol=1e-6)


@pytest.mark.parametrize("name", ["whole", "node", "dent off the centre", "wedge", "crush"])
def test_noise_of_the_contour_changes_no_grade(name: str) -> None:
    """A third of the voxels at the outline are wrong, inside it or outside."""
    above, below, grade, _, verdict, *_ = SHAPES[name]
    spacing = (0.8, 0.8, 3.3)
    for seed in range(4):
        mask = broken(above, below, spacing=spacing)
        rng = np.random.default_rng(seed)
        edge = binary_dilation(mask.array) ^ binary_erosion(mask.array)
        array = mask.array ^ (edge & (rng.random(edge.shape) < 1 / 3))
        found = genant(measure_body(Mask(array, mask.geometry, "L1")), [healthy(spacing)])
        assert (found.grade, found.verdict) == (grade, verdict), (seed, found.greatest_loss)


def test_a_notch_of_the_contour_is_no_loss() -> None:
    _, found = judged(broken(lambda share, left: np.where(np.abs(share - 0.4) < 0.04, 9, 0)))
    assert found.grade == 0
    assert held(np.where(np.abs(PROFILE - 0.4) < 0.08, 0.3, 0.0)) == 0.3


def test_a_body_that_is_low_on_one_side_says_so() -> None:
    def step(share: np.ndarray, left: np.ndarray) -> np.ndarray:
        return np.where(left > -1, 0.35 * HEIGHT, 0) + 0 * share

    _, found = judged(broken(step))
    assert found.grade == 0
    left, right = found.side_loss
    assert left > 0.25
    assert right < 0.05
    assert found.notes[-1].startswith("the left side lost ")


def test_a_dent_in_both_end_plates_is_no_node() -> None:
    _, found = judged(broken(pit(5, 0.5, 9), pit(5, 0.5, 9)))
    assert (found.grade, found.verdict) == (2, "compression")


def test_a_region_of_few_slices_has_no_node() -> None:
    """How far a dent runs to the sides is then unknown."""
    mask = broken(pit(7.5, 0.51, 9), spacing=(0.6, 0.6, 4.4))
    slices = np.flatnonzero(mask.array.any(axis=(1, 2)))
    array = mask.array.copy()
    array[[k for k in slices if abs(k - slices.mean()) > 1.1]] = False
    found = genant(measure_body(Mask(array, mask.geometry, "L1")), [healthy()])
    assert found.verdict == "compression"
    assert np.isfinite(found.greatest_loss)


def test_the_result_is_json() -> None:
    body, found = judged(broken(pit(7.5, 0.51, 9)))
    record = as_json(found)
    assert record["verdict"] == "node"
    assert record["nodes"][0]["plate"] == "upper"
    assert "line" not in record["nodes"][0]
    profile = as_json(body)["profile"]
    assert len(profile["height_mm"]) == len(profile["depth_percent"]) == len(PROFILE)
    assert min(profile["height_mm"]) == body.lowest == as_json(body)["lowest"]
    assert np.shape(profile["height_aside_mm"]) == (len(profile["aside_mm"]), len(PROFILE))
