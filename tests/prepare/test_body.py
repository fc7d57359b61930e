"""What of an image is body, whatever gain, offset and noise."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from centrum.errors import DataError
from centrum.geometry import Geometry
from centrum.io import list_segments, read_image, read_mask
from centrum.prepare.body import BLOCK_MM, air_level, averaged, enlarged, find_body, shrinking
from centrum.provenance import Step
from centrum.volume import Volume
from tests.prepare.scenes import GRID, coil, scene, trunk


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.parametrize("noise", [0.5, 6, 12])
def test_the_trunk_is_found(noise: float) -> None:
    assert dice(find_body(scene(field=coil(), noise=noise)).inside, trunk()) > 0.96


def test_dark_bone_and_gas_within_are_body() -> None:
    tissue = np.full(GRID.shape, 300.0)
    tissue[4:8, 30:46, 30:40] = 0
    assert find_body(scene(tissue)).inside[4:8, 30:46, 30:40].all()


def test_without_air_nearly_everything_is_body() -> None:
    noise = np.random.default_rng(0).normal(300, 20, GRID.shape)
    assert find_body(Volume(noise, GRID)).share > 0.95


@settings(max_examples=25)
@given(st.floats(0.01, 1000), st.floats(-500, 500))
def test_gain_and_offset_do_not_matter(gain: float, offset: float) -> None:
    image = scene()
    changed = image.with_array(gain * image.array + offset, Step("changed"))
    assert dice(find_body(changed).inside, find_body(image).inside) > 0.9999
    assert air_level(changed) == pytest.approx(gain * air_level(image) + offset, abs=1e-6 * gain)


def test_nan_is_as_dark_as_air() -> None:
    array = scene().array.copy()
    array[:, :4] = np.nan
    assert dice(find_body(Volume(array, GRID)).inside, trunk()) > 0.96


def test_a_constant_image_has_no_body() -> None:
    for value in (7.0, np.nan):
        with pytest.raises(DataError, match=r"no body|finite"):
            find_body(Volume(np.full(GRID.shape, value), GRID))


@given(st.tuples(*[st.integers(1, 9)] * 3), st.tuples(*[st.integers(1, 4)] * 3))
def test_blocks_cover_the_image(shape: tuple[int, ...], factors: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 250, shape).astype(np.uint8)
    blocks = averaged(array, factors)
    ends = [(0, -n % f) for n, f in zip(shape, factors, strict=True)]
    z, y, x = np.array(factors)
    whole = np.pad(array, ends, mode="edge").astype(float)
    split = whole.reshape(
        *(n for k, f in zip(whole.shape, factors, strict=True) for n in (k // f, f))
    )
    np.testing.assert_allclose(blocks, split.mean(axis=(1, 3, 5)), rtol=1e-12)
    places = np.indices(shape)
    own = blocks[places[0] // z, places[1] // y, places[2] // x]
    np.testing.assert_array_equal(enlarged(blocks, factors, shape), own)


def test_a_block_of_exactly_the_wanted_side_is_one() -> None:
    """Five times 0.7 is 3.5, and in binary a little more."""
    assert shrinking((0.7, 0.5, 3.5), 3.5) == (5, 7, 1)


RAMP = np.arange(101.0)
"""A row of voxels too large to be averaged, of which percentiles are what they say."""


def test_air_is_the_first_percentile_and_body_begins_at_six_hundredths_of_the_way_to_the_last() -> (
    None
):
    image = Volume(RAMP[None, None], Geometry((101, 1, 1), (4.0, 4.0, 4.0)))
    assert air_level(image) == pytest.approx(1)
    body = find_body(image)
    assert body.threshold == pytest.approx(1 + 0.06 * 98)
    assert body.inside[0, 0].tolist() == (RAMP > 6.88).tolist()


def test_blocks_are_of_three_and_a_half_millimetres() -> None:
    """Two voxels of 1.5 mm: means of 0.5 to 99.5, of which one percent is 0.5 + 0.01 x 99."""
    ramp = np.arange(100.0)[None, None]
    assert air_level(Volume(ramp, Geometry((100, 1, 1), (1.5, 4, 4)))) == pytest.approx(0.5 + 0.98)


def test_the_largest_of_several_pieces_is_the_body() -> None:
    array = np.full((1, 20, 60), 30.0)
    for k, (first, last) in enumerate(((2, 6), (20, 40), (54, 58))):
        array[:, 5:15, first:last] = 100 + 50 * k
    body = find_body(Volume(array, Geometry((60, 20, 1), (4.0, 4.0, 4.0))))
    assert np.flatnonzero(body.inside[0, 10]).tolist() == [*range(20, 40)]


def test_holes_are_filled_within_slices_of_the_stack() -> None:
    """A tunnel along the thick axis is a hole in each slice; one along rows is none."""
    array = np.full((5, 20, 20), 200.0)
    array[:, :, :3] = array[:, :, -3:] = array[:, :3] = array[:, -3:] = 30
    through = array.copy()
    through[:, 7:13, 7:13] = 30
    grid = Geometry((20, 20, 5), (4.0, 4.0, 6.0))
    np.testing.assert_array_equal(
        find_body(Volume(through, grid)).inside, find_body(Volume(array, grid)).inside
    )
    through = array.copy()
    through[2, 7:13, 3:] = 30
    assert not find_body(Volume(through, grid)).inside[2, 10, 12:].any()


def test_blocks_are_never_longer_than_wanted() -> None:
    for spacing in ((4.4, 0.6, 0.6), (1.0, 1.0, 1.0), (0.55, 0.625, 3.3)):
        sides = np.multiply(shrinking(spacing, BLOCK_MM), spacing)
        assert all(s <= BLOCK_MM or f == o for s, f, o in zip(sides, sides, spacing, strict=True))


def test_vertebrae_are_body_and_the_air_behind_the_back_is_not(reference) -> None:
    """Real exams of 8 bits, in which air is 21 to 37."""
    for folder in sorted((reference / "spine_mri").glob("chu2015_*"))[::3]:
        image = read_image(folder / "T2w.nii.gz")
        body = find_body(image)
        path = folder / "seg-vb.nii.gz"
        for segment in list_segments(path):
            mask = read_mask(f"{path}#{segment.name}", image.geometry)
            assert body.inside[mask.array].all()
        assert 0.7 < body.share < 0.9
        most_common = np.bincount(image.array.ravel()).argmax()
        assert air_level(image) == pytest.approx(most_common, abs=1)


@pytest.mark.parametrize(("gap", "closed"), [(2, True), (3, False)])
def test_a_gap_of_twice_the_closing_distance_is_closed_and_no_wider_one(
    gap: int, closed: bool
) -> None:
    """Voxels of 5 mm, which are blocks of their own: a neighbour lies at `CLOSE_MM` exactly."""
    array = np.full((5, 20, 21), 30.0)
    array[:, 5:15, 2 : 17 + gap] = 200
    array[:, :, 8 : 8 + gap] = 30
    inside = find_body(Volume(array, Geometry((21, 20, 5), (5.0, 5.0, 5.0)))).inside
    assert inside[2, 10, 8 : 8 + gap].all() == closed
    assert inside[2, 10, 8 : 8 + gap].any() == closed
