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
    array = np.random.default_rng(0).random(shape)
    blocks = averaged(array, factors)
    assert blocks.shape == tuple(-(-n // f) for n, f in zip(shape, factors, strict=True))
    z, y, x = factors
    whole = array[:z, :y, :x]
    if whole.shape == factors:
        assert blocks[0, 0, 0] == pytest.approx(whole.mean())
    assert enlarged(blocks, factors, shape).shape == shape


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
