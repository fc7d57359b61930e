"""Perturbations do what they say, and nothing else."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from centrum.errors import DataError
from centrum.features.settings import ExtractionSettings
from centrum.geometry import Geometry, direction_of
from centrum.measure.extract import extract
from centrum.perturb import (
    Perturbable,
    Perturbation,
    RobustnessSettings,
    apply,
    plan_perturbations,
)
from centrum.perturb.noise import noise_sd
from centrum.perturb.robustness import perturbations
from centrum.volume import Mask, Volume

GRID = Geometry((64, 56, 9), (0.6, 0.7, 4.4))
EVERYTHING = Perturbation(
    "all", noise=1, translation=(0, 0.3, -0.4), rotation=5, volume=-0.08, supervoxel_mm=2.5,
    jitter_mm=0.4, seed=11,
)  # fmt: skip


def body(grid: Geometry = GRID) -> Mask:
    z, y, x = np.indices(grid.shape)
    n_z, n_y, n_x = grid.shape
    inside = (np.abs(z - n_z // 2) < 3) & (
        ((x - n_x / 2) / (0.3 * n_x)) ** 4 + ((y - n_y / 2) / (0.28 * n_y)) ** 4 < 1
    )
    return Mask(inside, grid, "L1")


def image(seed: int = 0, grid: Geometry = GRID) -> Volume:
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(0, 400, grid.shape), (0.5, 2, 2))
    return Volume(np.rint(smooth + rng.normal(300, 8, grid.shape)).astype(np.int16), grid)


def test_no_perturbation_changes_nothing() -> None:
    volume, mask = image(), body()
    same, region = apply(volume, mask, Perturbation("none"))
    np.testing.assert_array_equal(same.array, volume.array)
    np.testing.assert_array_equal(region.array, mask.array)
    assert same.geometry == volume.geometry


@pytest.mark.parametrize("shift", [(0, 3, 0), (0, 0, -4), (0, -2, 5), (1, 0, 0), (-1, 2, 1)])
def test_whole_voxels_move_image_and_region_together(shift: tuple[int, int, int]) -> None:
    volume, mask = image(), body()
    moved, region = apply(volume, mask, Perturbation("shift", translation=shift), margin_mm=0)
    np.testing.assert_array_equal(region.array, np.roll(mask.array, shift, (0, 1, 2)))
    np.testing.assert_array_equal(moved.array[region.array], volume.array[mask.array])
    chosen = ExtractionSettings(families=("morphology", "statistics", "glcm", "gldzm"))
    before, after = extract(volume, mask, chosen), extract(moved, region, chosen)
    np.testing.assert_allclose(after, before, rtol=1e-9)


@pytest.mark.parametrize(("axis", "plane"), [(0, "axial"), (1, "coronal"), (2, "sagittal")])
def test_a_quarter_turn_is_a_quarter_turn(axis: int, plane: str) -> None:
    """About the middle of a square box, where every voxel lands on a voxel.

    From where rows run to towards where columns do: in planes along the patient rows run down.
    """
    rng = np.random.default_rng(3)
    spacing = np.insert([0.6, 0.6], axis, 4.4)[::-1]
    shape = np.insert([41, 41], axis, 5)
    grid = Geometry(tuple(shape[::-1]), tuple(spacing))
    x = np.moveaxis(rng.normal(size=(5, 41, 41)), 0, axis)
    inside = np.zeros((5, 41, 41), bool)
    inside[1:4, 10:31, 10:31] = rng.random((3, 21, 21)) < 0.7
    inside[2, [10, 30], [10, 30]] = True
    inside = np.moveaxis(inside, 0, axis)
    turned, region = apply(
        Volume(x, grid), Mask(inside, grid), Perturbation("turn", rotation=90), plane, 0
    )
    quarters, axes = -1 if plane == "axial" else 1, np.delete([2, 1, 0], 2 - axis)
    np.testing.assert_array_equal(region.array, np.rot90(inside, quarters, axes))
    expected = np.rot90(x, quarters, axes)[region.array]
    np.testing.assert_allclose(turned.array[region.array], expected, atol=1e-9)


@pytest.mark.parametrize("orientation", ["LPS", "PIR", "SAR"])
def test_a_shift_is_in_mm_of_the_patient(orientation: str) -> None:
    """A slope is lowered everywhere by its rise along the shift, on whichever grid."""
    shift, slope = Perturbation("shift", translation=(0.2, 0.3, -0.45)), np.array([3.0, -5.0, 2.0])
    found = []
    here = Geometry((30, 30, 30), (0.6, 0.7, 1.4), (-9, -10, -11))
    there = Geometry((30, 30, 30), (1.1, 0.9, 1.0), direction=direction_of(orientation))
    originals = []
    for grid in (here, there):
        places = grid.position(np.indices(grid.shape)[::-1].reshape(3, -1).T)
        inside = np.zeros(grid.shape, bool)
        inside[12:18, 12:18, 12:18] = True
        image = Volume((places @ slope).reshape(grid.shape), grid)
        originals.append(Perturbable(image, Mask(inside, grid), "axial"))
    for original in originals:
        moved, _ = original.perturbed(original.as_on(originals[0], shift))
        found.append((moved.array - original.volume.array)[original.mask.array])
    mm = np.array([-0.45 * 0.6, 0.3 * 0.7, 0.2 * 1.4])
    np.testing.assert_allclose(np.concatenate(found), -(slope @ mm), atol=1e-4)


def test_a_turn_is_in_mm_and_keeps_the_volume() -> None:
    volume, mask = image(), body()
    mask.array[:, :, 20:44] = False
    mask.array[3:6, 8:48, 29:35] = True
    turned, region = apply(volume, mask, Perturbation("turn", rotation=30))
    assert region.n_voxels == pytest.approx(mask.n_voxels, rel=0.02)
    axes = [principal_axis(m) for m in (mask, region)]
    angle = np.degrees(np.arctan2(*axes[1][::-1]) - np.arctan2(*axes[0][::-1])) % 180
    assert min(angle, 180 - angle) == pytest.approx(30, abs=0.5)
    means = [v.array[m.array].mean() for v, m in ((volume, mask), (turned, region))]
    assert means[1] == pytest.approx(means[0], rel=0.005)


def principal_axis(mask: Mask) -> np.ndarray:
    points = np.argwhere(mask.array)[:, 1:] * mask.geometry.array_spacing[1:]
    return np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][0]


@settings(max_examples=15, deadline=None)
@given(st.floats(-0.3, 0.3), st.integers(0, 1000), st.sampled_from([0.0, 0.5]))
def test_volume_changes_by_the_fraction_to_the_voxel(
    fraction: float, seed: int, jitter: float
) -> None:
    mask = body()
    chosen = Perturbation("volume", volume=fraction, jitter_mm=jitter, seed=seed)
    region = apply(image(), mask, chosen)[1]
    assert abs(region.n_voxels - (1 + fraction) * mask.n_voxels) <= (0.5 if fraction else 1e9)
    if not jitter:
        smaller, larger = sorted((mask, region), key=lambda m: m.n_voxels)
        assert not np.any(smaller.array & ~larger.array)
        layers = ndimage.binary_dilation(smaller.array, iterations=5)
        assert not np.any(larger.array & ~layers)


def test_growth_takes_the_nearest_voxels_in_mm() -> None:
    """Spacing 0.6 x 0.7: the rows' neighbours are further than the columns'."""
    grid = Geometry((21, 21, 3), (0.5, 1.0, 4.0))
    inside = np.zeros(grid.shape, bool)
    inside[1, 5:16, 5:16] = True
    region = apply(image(grid=grid), Mask(inside, grid), Perturbation("v", volume=22 / 121))[1]
    assert region.array[1, 5:16, [4, 16]].all()
    assert region.n_voxels == 143


def test_jitter_keeps_the_volume_on_average_and_moves_the_contour() -> None:
    volume, mask = image(), body()
    original = Perturbable(volume, mask)
    sizes, dice = [], []
    for seed in range(20):
        region = original.perturbed(Perturbation("j", jitter_mm=0.5, seed=seed))[1]
        sizes.append(region.n_voxels)
        both = np.count_nonzero(region.array & mask.array)
        dice.append(2 * both / (region.n_voxels + mask.n_voxels))
    assert np.mean(sizes) == pytest.approx(mask.n_voxels, rel=0.02)
    assert 0.93 < np.mean(dice) < 0.99


def test_supervoxels_are_whole() -> None:
    volume, mask = image(), body()
    original = Perturbable(volume, mask)
    region = original.perturbed(Perturbation("s", supervoxel_mm=2.5, seed=1))[1]
    labels = original.contour._supervoxels(2.5)
    inside = region.array[original.box]
    assert not set(labels[inside]) & set(labels[~inside])
    assert not np.array_equal(region.array, mask.array)
    both = np.count_nonzero(region.array & mask.array)
    assert 2 * both / (region.n_voxels + mask.n_voxels) > 0.85


def test_supervoxels_follow_an_edge_of_the_image() -> None:
    """Where the region ends at a strong edge, its contour hardly moves."""
    mask = body()
    x = np.where(mask.array, 500.0, 100.0) + np.random.default_rng(0).normal(0, 5, GRID.shape)
    chosen = Perturbation("s", supervoxel_mm=2.5, seed=1)
    edge = apply(Volume(x, GRID), mask, chosen)[1]
    vague = apply(image(), mask, chosen)[1]
    wrong = [np.count_nonzero(m.array ^ mask.array) for m in (edge, vague)]
    assert wrong[0] < 0.1 * wrong[1]


@pytest.mark.parametrize("sd", [1.0, 12.0, 80.0])
def test_noise_is_estimated_beside_smooth_tissue(sd: float) -> None:
    rng = np.random.default_rng(1)
    y, x = np.indices((9, 90, 100))[1:]
    tissue = 300 + 2 * x + 60 * np.sin(y / 15) + 40 * np.cos((x + y) / 12)
    noisy = tissue + rng.normal(0, sd, tissue.shape)
    assert noise_sd(noisy) == pytest.approx(sd, rel=0.05)
    assert noise_sd(np.full((2, 20, 20), 7.0)) == pytest.approx(0, abs=1e-12)


def test_edges_add_a_little_to_the_noise() -> None:
    """A circle of 200 times the noise, whose edge an eighth of the details meet."""
    y, x = np.indices((9, 90, 100))[1:]
    disc = 200 * ((x - 50) ** 2 + (y - 45) ** 2 < 900)
    found = noise_sd(disc + np.random.default_rng(1).normal(0, 1, disc.shape))
    assert 1 < found < 1.15


def test_added_noise_has_the_sd_of_the_image() -> None:
    volume, mask = image(), body()
    original = Perturbable(volume, mask)
    assert original.noise_sd == pytest.approx(8, rel=0.1)
    noisy, region = original.perturbed(Perturbation("n", noise=2, seed=3))
    added = (noisy.array - volume.array)[region.array]
    assert added.std() == pytest.approx(2 * original.noise_sd, rel=0.05)
    assert added.mean() == pytest.approx(0, abs=1)


def test_only_the_margin_around_the_region_is_touched() -> None:
    volume, mask = image(), body()
    perturbed, region = apply(volume, mask, EVERYTHING, margin_mm=0)
    changed = perturbed.array != volume.array
    box = ndimage.find_objects(region.array.astype(int))[0]
    assert changed[region.array].mean() > 0.9
    assert changed.any(axis=(1, 2)).sum() == region.array.any(axis=(1, 2)).sum()
    assert 0.8 < changed.sum() / changed[box].size < 1.5


def test_the_same_seed_gives_the_same_whatever_came_before() -> None:
    volume, mask = image(), body()
    used = Perturbable(volume, mask)
    used.perturbed(Perturbation("other", rotation=3, supervoxel_mm=2, noise=1, seed=4))
    first, region = used.perturbed(EVERYTHING)
    again, same = apply(volume, mask, EVERYTHING)
    np.testing.assert_array_equal(first.array, again.array)
    np.testing.assert_array_equal(region.array, same.array)
    other, _ = used.perturbed(Perturbation(**(vars(EVERYTHING) | {"seed": 12})))
    assert not np.array_equal(first.array, other.array)
    assert first.history[-1].parameters["seed"] == 11


@pytest.mark.parametrize(
    "chosen",
    [
        EVERYTHING,
        Perturbation("turn", rotation=50, seed=1),
        Perturbation("across", translation=(0.4, -0.3, 0.2), rotation=-6, noise=1, seed=2),
        Perturbation("far", translation=(-1.3, 12.5, -9)),
        Perturbation("still", noise=1, volume=-0.1, seed=3),
    ],
    ids=lambda p: p.name,
)
def test_within_the_margin_it_is_as_if_the_whole_were_perturbed(chosen: Perturbation) -> None:
    """The noise too."""
    volume, mask = image(), body()
    whole, same = apply(volume, mask, chosen, margin_mm=np.inf)
    for margin in ((0.0, 0.0, 0.0), (9.0, 9.0, 9.0), (0.0, 5.0, 20.0)):
        near, region = apply(volume, mask, chosen, margin_mm=margin)
        np.testing.assert_array_equal(region.array, same.array)
        at = grown(region, margin)
        np.testing.assert_allclose(near.array[at], whole.array[at], rtol=1e-6, atol=1e-4)


def grown(region: Mask, mm: tuple[float, float, float]) -> tuple[slice, ...]:
    """The box of a region and so many mm (z, y, x) around, within the image."""
    box = ndimage.find_objects(region.array.astype(int))[0]
    steps = [int(m / s) for m, s in zip(mm, region.geometry.array_spacing, strict=True)]
    return tuple(slice(max(b.start - n, 0), b.stop + n) for b, n in zip(box, steps, strict=True))


def test_an_infinite_margin_is_the_whole_image() -> None:
    volume, mask = image(), body()
    chosen = Perturbation("n", noise=1, seed=3, translation=(0, 0.3, 0.4))
    perturbed, _ = apply(volume, mask, chosen, margin_mm=np.inf)
    assert (perturbed.array != volume.array).mean() > 0.99


def test_a_region_at_the_edge_of_the_image_and_voxels_that_are_not_finite() -> None:
    inside = np.zeros(GRID.shape, bool)
    inside[0:3, 0:20, 0:25] = True
    x = image().array.astype(float)
    x[5:] = np.nan
    perturbed, region = apply(Volume(x, GRID), Mask(inside, GRID), EVERYTHING)
    assert region.array.any()
    assert np.isfinite(perturbed.array[region.array]).all()


@pytest.mark.parametrize("shift", [(0, -9, 0), (0, 0, -30.5), (0, 99, 99), (-4, 0, 0), (20, 0, 0)])
def test_a_region_that_leaves_the_image_is_lost(shift: tuple[float, float, float]) -> None:
    inside = np.zeros(GRID.shape, bool)
    inside[0:3, 0:5, 0:6] = True
    with pytest.raises(DataError, match="'out' leaves no voxel of 'ROI'"):
        apply(image(), Mask(inside, GRID), Perturbation("out", translation=shift))


def test_an_empty_or_lost_region_is_refused() -> None:
    inside = np.zeros(GRID.shape, bool)
    with pytest.raises(DataError, match="nothing to perturb"):
        apply(image(), Mask(inside, GRID), Perturbation("x"))
    inside[4, 20, 20] = True
    with pytest.raises(DataError, match="'turn away' leaves no voxel of 'ROI'"):
        apply(image(), Mask(inside, GRID), Perturbation("turn away", volume=-0.9))


class TestPlan:
    def test_each_case_draws_its_own(self) -> None:
        choices = RobustnessSettings(repeats=3)
        one, two = (plan_perturbations(choices, case) for case in ("P001", "P002"))
        assert [p.name for p in one] == [p.name for p in two]
        assert not {p.seed for p in one} & {p.seed for p in two}
        other = plan_perturbations(choices.model_copy(update={"seed": 1}), "P001")
        assert other[0].translation != one[0].translation

    def test_sizes_stay_within_the_largest(self) -> None:
        kinds = ("noise", "translation", "rotation", "volume", "contour")
        choices = RobustnessSettings(kinds=kinds, repeats=200, contour="jitter")
        plan = plan_perturbations(choices, "P001")
        assert max(abs(p.rotation) for p in plan) == pytest.approx(6, rel=0.05)
        assert max(abs(p.volume) for p in plan) == pytest.approx(0.1, rel=0.05)
        assert max(abs(p.translation[1]) for p in plan) == pytest.approx(0.5, rel=0.05)
        assert {p.translation[0] for p in plan} == {0}
        assert {(p.noise, p.jitter_mm, p.supervoxel_mm) for p in plan} == {(1, 0.5, 0)}

    def test_apart_has_one_kind_each_and_more_kinds_change_no_draw(self) -> None:
        few = RobustnessSettings(kinds=("volume",), together=False, repeats=2)
        more = few.model_copy(update={"kinds": ("rotation", "volume")})
        plan = plan_perturbations(more, "P001")
        assert [p.name for p in plan] == ["rotation 1", "rotation 2", "volume 1", "volume 2"]
        assert all((p.rotation != 0) + (p.volume != 0) == 1 for p in plan)
        assert plan[2:] == plan_perturbations(few, "P001")


def test_columns_are_in_the_order_of_what_was_done_whoever_kept_the_record() -> None:
    """A store gives the keys of a record in the order of the alphabet."""
    plan = [asdict(step) for step in plan_perturbations(RobustnessSettings(repeats=2), "P1")]
    record = {"values": {}, "errors": {}, "plan": plan, "noise_sd": 1.0}
    kept = json.loads(json.dumps(record, sort_keys=True))
    fresh, resumed = (perturbations({"P1": each}) for each in (record, kept))
    pd.testing.assert_frame_equal(fresh, resumed)
    assert list(fresh)[:4] == ["case", "perturbation", "kind", "noise"]
