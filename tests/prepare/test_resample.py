"""Interpolation to another grid, as the IBSI and as PyRadiomics define it."""

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, strategies as st
from scipy.ndimage import map_coordinates

from centrum.errors import DataError, GeometryError
from centrum.features.settings import Discretisation, ExtractionSettings
from centrum.geometry import Geometry
from centrum.measure.extract import extract, plan
from centrum.prepare import resample
from centrum.prepare.resample import (
    INTERPOLATORS,
    _itk_resampled,
    interpolate,
    interpolated_size,
    onto_grid,
    resample_pyradiomics,
    resampled_size,
)
from centrum.volume import Mask, Volume, bounding_box

TURNED = (0.0, 0.6, 0.8, 1.0, 0.0, 0.0, 0.0, 0.8, -0.6)
"""A sagittal stack, tilted."""


def case(seed: int = 0, shape: tuple[int, int, int] = (12, 31, 27)) -> tuple[Volume, Mask]:
    rng = np.random.default_rng(seed)
    grid = Geometry(shape[::-1], (0.7, 0.9, 3.3), (10.0, -20.0, 5.0), TURNED)
    inside = np.zeros(shape, dtype=bool)
    inside[4:9, 9:22, 8:20] = rng.random((5, 13, 12)) < 0.9
    return Volume(rng.normal(100, 30, shape), grid), Mask(inside, grid)


def placed(part: Geometry, whole: Geometry) -> tuple[slice, slice, slice]:
    """Where the grid `part` lies in the array of the grid `whole`."""
    start = np.rint(whole.index(part.origin)).astype(int)
    assert whole.crop(tuple(start), part.size).same_grid(part, 1e-9)
    z, y, x = (slice(a, a + n) for a, n in zip(start[::-1], part.shape, strict=True))
    return z, y, x


@pytest.mark.parametrize(
    ("method", "order", "chosen", "beyond"),
    [
        ("linear", 1, {}, "nearest"),
        ("cubic", 3, {}, "mirror"),
        ("cubic", 3, {"boundary": "nearest"}, "nearest"),
    ],
)
def test_equals_scipy(method: str, order: int, chosen: dict[str, str], beyond: str) -> None:
    volume, mask = case()
    new, _ = interpolate(volume, mask, (1.1, 1.1, 2.0), image=method, margin=None, **chosen)
    at = volume.geometry.index(
        new.geometry.position(np.indices(new.array.shape)[::-1].reshape(3, -1).T)
    )
    wide, pad = volume.array, 0
    if beyond == "nearest":
        wide, pad = np.pad(wide, 40, mode="edge"), 40
    expected = map_coordinates(wide, at[:, ::-1].T + pad, order=order, mode=beyond)
    np.testing.assert_allclose(new.array.ravel(), expected, rtol=1e-11)


def test_the_spline_is_that_of_itk() -> None:
    """Up to the edges, where ITK mirrors too."""
    volume, mask = case()
    new, _ = interpolate(volume, mask, (0.31, 0.42, 1.9), image="cubic", margin=None)
    found = _itk_resampled(volume.array, volume.geometry, new.geometry, "sitkBSpline")
    np.testing.assert_allclose(new.array, found, rtol=1e-7)


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        ("mirror", [0.9375, 0.9375, 5.0625, 5.0625]),
        ("nearest", [-0.582693, 1.294111, 4.705889, 6.582693]),
    ],
)
def test_two_voxels_by_hand(boundary: Any, expected: list[float]) -> None:
    """Mirrored, (4 a + 2 b) / 6 = 0 and (2 a + 4 b) / 6 = 6 give the coefficients -6 and 12, and
    the curve is even about both voxels. As a step, the coefficients are 6 + A z^k and -A z^k on
    either side, z = sqrt(3) - 2 and A = 3 (sqrt(3) - 1), and it swings beyond both."""
    grid = Geometry((2, 1, 1), (1, 1, 1))
    whole = Mask(np.ones(grid.shape, bool), grid)
    steps = Volume(np.array([[[0.0, 6.0]]]), grid)
    made, _ = interpolate(steps, whole, (0.5, None, None), image="cubic", boundary=boundary)
    np.testing.assert_allclose(made.array.ravel(), expected, atol=1e-6)


@pytest.mark.parametrize("boundary", ["mirror", "nearest"])
def test_a_region_at_the_edge_has_the_voxels_of_the_whole(boundary: Any) -> None:
    volume, _ = case(1, (40, 61, 57))
    corner = np.zeros(volume.array.shape, bool)
    corner[:3, -4:, :5] = True
    chosen = {"image": "cubic", "boundary": boundary}
    whole, _ = interpolate(
        volume, Mask(corner, volume.geometry), (0.5, 0.7, 2.0), **chosen, margin=None
    )
    near, _ = interpolate(volume, Mask(corner, volume.geometry), (0.5, 0.7, 2.0), **chosen)
    box = placed(near.geometry, whole.geometry)
    np.testing.assert_allclose(near.array, whole.array[box], rtol=1e-12)


@given(
    st.integers(1, 600),
    st.floats(0.1, 8, allow_subnormal=False),
    st.floats(0.1, 8, allow_subnormal=False),
)
def test_both_grids_have_one_centre(n: int, old: float, new: float) -> None:
    grid = Geometry((n, 2, 1), (old, 1, 1), (3.0, 2.0, 1.0), TURNED)
    whole = Mask(np.ones(grid.shape, bool), grid)
    made, _ = interpolate(Volume(whole.array, grid), whole, (new, None, None), margin=None)
    middle = made.geometry.position((np.array(made.geometry.size) - 1) / 2)
    np.testing.assert_allclose(middle, grid.position([(n - 1) / 2, 0.5, 0]), atol=1e-6)
    assert (made.geometry.size[0] - 1) * new < n * old <= made.geometry.size[0] * new + 2e-4 * new


@pytest.mark.parametrize("old", [0.5, 0.5 + 1e-8, np.float64(np.float32(0.977))])
def test_noise_in_a_header_adds_no_voxel(old: float) -> None:
    grid = Geometry((512, 1, 1), (old, 1, 1))
    whole = Mask(np.ones(grid.shape, bool), grid)
    made, _ = interpolate(Volume(whole.array, grid), whole, (round(old, 3) * 2, None, None))
    assert made.geometry.size == (256, 1, 1)


@pytest.mark.parametrize("method", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("spacing", [(1.5, 1.5, 1.5), (0.4, 0.5, None), (None, 2.0, 6.0)])
def test_the_part_around_the_region_is_that_of_the_whole(
    method: str, spacing: tuple[float | None, ...]
) -> None:
    volume, mask = case(1, (40, 61, 57))
    whole, all_inside = interpolate(volume, mask, spacing, image=method, margin=None)
    near, inside = interpolate(volume, mask, spacing, image=method, margin=2.0)
    box = placed(near.geometry, whole.geometry)
    np.testing.assert_array_equal(inside.array, all_inside.array[box])
    assert inside.n_voxels == all_inside.n_voxels
    np.testing.assert_allclose(near.array, whole.array[box], rtol=0 if method != "cubic" else 1e-13)


def test_the_margin_is_in_millimetres() -> None:
    volume, mask = case()
    tight, _ = interpolate(volume, mask, (1.0, 1.0, None))
    wide, inside = interpolate(volume, mask, (1.0, 1.0, None), margin=6.2)
    growth = np.array(wide.array.shape) - tight.array.shape
    assert growth.tolist() == [2 * 2, 2 * 7, min(2 * 7, wide.array.shape[2] - tight.array.shape[2])]
    box = bounding_box(inside.array)
    np.testing.assert_array_equal(wide.array[box], tight.array)
    reach, _ = interpolate(volume, mask, (1.0, 1.0, None), margin=1000)
    whole, _ = interpolate(volume, mask, (1.0, 1.0, None), margin=None)
    assert reach.geometry == whole.geometry


def test_a_kept_axis_keeps_its_voxels() -> None:
    volume, mask = case()
    same, inside = interpolate(volume, mask, (None, None, None), image="cubic", margin=None)
    np.testing.assert_array_equal(same.array, volume.array)
    np.testing.assert_array_equal(inside.array, mask.array)
    assert same.geometry.same_grid(volume.geometry, 1e-9)
    again, _ = interpolate(volume, mask, volume.geometry.spacing, image="cubic", margin=None)
    np.testing.assert_array_equal(again.array, volume.array)


def test_half_of_the_region_is_inside() -> None:
    """Two old voxels make one new voxel: one of them in the region is a share of 0.5."""
    grid = Geometry((6, 1, 1), (1, 1, 1))
    inside = np.array([[[False, True, True, True, False, False]]])
    volume = Volume(np.arange(6.0).reshape(1, 1, 6), grid)
    shares = {0.5: [True, True], 0.51: [True]}
    for partial_volume, expected in shares.items():
        _, made = interpolate(
            volume, Mask(inside, grid), (2, None, None), partial_volume=partial_volume
        )
        assert made.array.ravel().tolist() == expected


def test_halves_are_rounded_away_from_zero() -> None:
    grid = Geometry((4, 1, 1), (1, 1, 1))
    volume = Volume(np.array([[[-3.0, -2.0, 2.0, 3.0]]]), grid)
    whole = Mask(np.ones(grid.shape, bool), grid)
    made, _ = interpolate(volume, whole, (2, None, None), round_intensities=True)
    assert made.array.ravel().tolist() == [-3.0, 3.0]
    assert made.history[-1].parameters["rounded"]


@given(st.floats(-50, 50, allow_subnormal=False), st.sampled_from(["nearest", "linear", "cubic"]))
def test_a_constant_stays_and_a_shift_passes_through(shift: float, method: str) -> None:
    volume, mask = case()
    flat = Volume(np.full(volume.array.shape, shift), volume.geometry)
    made, _ = interpolate(flat, mask, (1.3, 0.4, 1.0), image=method)
    np.testing.assert_allclose(made.array, shift, rtol=1e-12)


def test_a_slope_stays_a_slope() -> None:
    volume, mask = case()
    slope = volume.geometry.position(np.indices(volume.array.shape)[::-1].reshape(3, -1).T)[:, 0]
    ramp = Volume(slope.reshape(volume.array.shape), volume.geometry)
    made, _ = interpolate(ramp, mask, (0.4, 0.5, 3.0), image="linear")
    at = made.geometry.position(np.indices(made.array.shape)[::-1].reshape(3, -1).T)[:, 0]
    np.testing.assert_allclose(made.array.ravel(), at, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["int16", ">i2", "uint8", "float32", ">f8", "int64"])
def test_numbers_of_every_kind(dtype: str) -> None:
    volume, mask = case()
    stored = Volume(volume.array.astype(dtype), volume.geometry)
    native = Volume(stored.array.astype(float), volume.geometry)
    made, _ = interpolate(stored, mask, (1, 1, 2), image="cubic")
    expected, _ = interpolate(native, mask, (1, 1, 2), image="cubic")
    np.testing.assert_array_equal(made.array, expected.array)
    assert made.array.dtype == float
    resampled, _ = resample_pyradiomics(stored, mask, (1, 1, 2))
    assert resampled.array.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize("spacing", [(0, 1, 1), (-1, None, None), (float("nan"), 1, 1)])
def test_impossible_spacings_are_refused(spacing: tuple[float | None, ...]) -> None:
    volume, mask = case()
    with pytest.raises(DataError, match="positive spacing"):
        interpolate(volume, mask, spacing)
    if None not in spacing and min(spacing) != 0:
        with pytest.raises(DataError, match="three spacings"):
            resample_pyradiomics(volume, mask, spacing)


def test_a_region_that_vanishes_is_refused() -> None:
    volume, mask = case()
    thin = np.zeros_like(mask.array)
    thin[6, 14, 11] = True
    region = Mask(thin, mask.geometry, "L3")
    with pytest.raises(DataError, match=r"no voxel\s+holds 0.5 of 'L3' \(1 voxels before"):
        interpolate(volume, region, (4, 4, 20))
    with pytest.raises(DataError, match="empty"):
        interpolate(volume, Mask(~mask.array & mask.array, mask.geometry), (1, 1, 1))


def test_other_grids_are_refused() -> None:
    volume, mask = case()
    moved = Mask(mask.array, Geometry(mask.geometry.size, mask.geometry.spacing))
    with pytest.raises(GeometryError, match="not on the same grid"):
        interpolate(volume, moved, (1, 1, 1))


def test_pyradiomics_takes_the_grid_of_the_region() -> None:
    volume, mask = case()
    cropped = Mask(mask.array[1:], mask.geometry.crop((0, 0, 1), _size_without_a_slice(mask)))
    made, inside = resample_pyradiomics(volume, cropped, (1, 1, 1), pad=0)
    whole, _ = resample_pyradiomics(volume, mask, (1, 1, 1), pad=0)
    first = np.array(made.geometry.origin) - whole.geometry.origin
    assert made.geometry.shape == inside.array.shape
    assert not np.allclose(first, np.rint(first))


def _size_without_a_slice(mask: Mask) -> tuple[int, int, int]:
    x, y, z = mask.geometry.size
    return x, y, z - 1


def test_the_history_names_the_step() -> None:
    volume, mask = case()
    made, inside = interpolate(volume, mask, (1, 1, None), image="cubic", partial_volume=0.4)
    assert made.history[-1].parameters == {
        "spacing": [1, 1, 3.3], "method": "cubic", "boundary": "mirror", "rounded": False
    }  # fmt: skip
    assert inside.history[-1].parameters["partial_volume"] == 0.4


def row(values: list[float], spacing: float = 1.0) -> Volume:
    return Volume(np.array([[values]], float), Geometry((len(values), 1, 1), (spacing, 1, 1)))


def part_of_row(length: int, first: int, last: int) -> Mask:
    inside = np.zeros((1, 1, length), bool)
    inside[..., first : last + 1] = True
    return Mask(inside, Geometry((length, 1, 1), (1, 1, 1)))


@pytest.mark.parametrize(("margin", "voxels"), [(0.0, 12), (1.0, 16), (1.2, 18), (None, 40)])
def test_the_size_is_told_of_a_region_and_one_old_voxel_on_either_side(
    margin: float | None, voxels: int
) -> None:
    """Of old voxels 8 to 11 the new ones from 7 to 12, and as many mm again of the image."""
    region = part_of_row(20, 8, 11)
    assert interpolated_size(region, (0.5, None, None), margin) == voxels
    if margin == 0:
        assert interpolated_size(region, (0.5, None, None)) == voxels


def test_what_is_made_by_default() -> None:
    """No more of the image than the region, half of a voxel decides, and nothing is rounded."""
    made, inside = interpolate(row([0.0, 1.0, 2.0, 3.0]), part_of_row(4, 1, 2), (0.5, None, None))
    assert made.array.ravel().tolist() == [0.75, 1.25, 1.75, 2.25]
    assert inside.array.all()


def test_the_nearest_voxel_at_the_edges_is_the_outermost() -> None:
    values = [0.0, 10.0, 20.0, 30.0]
    made, _ = interpolate(row(values), part_of_row(4, 0, 3), (0.5, None, None), image="nearest")
    assert made.array.ravel().tolist() == np.repeat(values, 2).tolist()


def test_an_empty_region_has_no_size() -> None:
    empty = Mask(np.zeros((1, 1, 4), bool), Geometry((4, 1, 1), (1, 1, 1)))
    for refuse in (
        lambda: interpolated_size(empty, (1, 1, 1)),
        lambda: resampled_size(empty, (1, 1, 1)),
        lambda: resample_pyradiomics(row([0.0] * 4), empty, (1, 1, 1)),
    ):
        with pytest.raises(DataError, match="is empty"):
            refuse()


def test_half_a_voxel_beyond_the_last_centre_the_image_goes_on() -> None:
    grid = Geometry((3, 1, 1), (2.2, 1, 1), (-0.4, 0, 0))
    assert onto_grid(row([7.0, 7.0, 7.0, 9.0, 9.0]), grid).array.ravel().tolist() == [
        7, 7, 9,
    ]  # fmt: skip
    beyond = Geometry((2, 1, 1), (5.2, 1, 1), (-0.6, 0, 0))
    assert np.isnan(onto_grid(row([7.0] * 5), beyond).array).all()


# PyRadiomics


@pytest.mark.parametrize(
    ("first", "last", "pad", "start", "size"),
    [
        (6, 9, 1, 1, 6),
        (6, 10, 1, 1, 7),
        (0, 3, 1, 0, 4),
        (16, 19, 1, 6, 4),
        (30, 33, None, 9, 14),
    ],
)
def test_the_grid_of_pyradiomics_by_hand(
    first: int, last: int, pad: int | None, start: int, size: int
) -> None:
    """`resampleImage`: from floor((first - 0.5) / 2 - pad), not below 0, to ceil((last + 0.5) / 2
    + pad), not beyond the image; the first corner stays, 0.5 old voxels before the new centre."""
    length = 20 if last < 20 else 64
    region = part_of_row(length, first, last)
    given = {} if pad is None else {"pad": pad}
    made, inside = resample_pyradiomics(row([1.0] * length), region, (2, 0, 0), **given)
    assert made.geometry.size == (size, 1, 1)
    assert made.geometry.origin[0] == pytest.approx(0.5 + 2 * start)
    assert resampled_size(region, (2, 0, 0), **given) == size
    assert [step.name for step in inside.history] == ["resample_pyradiomics"]


def test_one_column_of_a_region_keeps_its_spacing_where_the_size_is_told() -> None:
    grid = Geometry((64, 20, 1), (1, 1, 1))
    inside = np.zeros(grid.shape, bool)
    inside[0, 6:11, 30] = True
    region = Mask(inside, grid)
    made, _ = resample_pyradiomics(Volume(inside.astype(float), grid), region, (2, 2, 0), pad=1)
    assert made.geometry.size == (5, 7, 1)
    assert resampled_size(region, (2, 2, 0), pad=1) == made.array.size


def test_as_many_voxels_as_are_allowed_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "MOST_VOXELS", 7)
    given = row([1.0] * 20), part_of_row(20, 6, 10), (2, 0, 0)
    assert resample_pyradiomics(*given, pad=1)[0].array.size == 7
    monkeypatch.setattr(resample, "MOST_VOXELS", 6)
    with pytest.raises(DataError, match="7 voxels, more than 6"):
        resample_pyradiomics(*given, pad=1)


@pytest.mark.parametrize("dimension", [2, 3])
def test_one_slice_of_two_dimensions_is_resampled_as_such(
    monkeypatch: pytest.MonkeyPatch, dimension: int
) -> None:
    """Image and region, by ITK, which rounds otherwise there."""
    asked = []

    def resampled(*given: Any, dimension: int) -> np.ndarray:
        asked.append(dimension)
        return _itk_resampled(*given, dimension=dimension)

    monkeypatch.setattr(resample, "_itk_resampled", resampled)
    grid = Geometry((8, 8, 1), (1, 1, 1))
    flat = Volume(np.indices(grid.shape)[1].astype(float), grid)
    whole = Mask(np.ones(grid.shape, bool), grid)
    resample_pyradiomics(flat, whole, (2, 2, 0), dimension=dimension)
    assert asked == [dimension] * 2


@pytest.mark.parametrize("name", INTERPOLATORS)
def test_every_interpolator_runs(name: str) -> None:
    volume, mask = case()
    stored = Volume(volume.array.astype(np.int16), volume.geometry)
    made, inside = resample_pyradiomics(stored, mask, (1, 1, 0), name)
    assert made.geometry == inside.geometry
    assert made.array.std() > 0


def test_an_unknown_interpolator_is_refused() -> None:
    with pytest.raises(DataError, match="no interpolator 'cubic'; choose one of sitkNearest"):
        resample_pyradiomics(*case(), (1, 1, 1), "cubic")


def test_own_spacing_only_crops() -> None:
    volume, mask = case()
    made, inside = resample_pyradiomics(volume, mask, (0.7, 0, 3.3), pad=2)
    np.testing.assert_array_equal(made.array, volume.array[bounding_box(mask.array, 2)])
    assert inside.n_voxels == mask.n_voxels
    assert made.geometry == inside.geometry


def test_a_single_slice_keeps_its_axis() -> None:
    volume, mask = case()
    flat = np.zeros_like(mask.array)
    flat[6] = mask.array[6]
    made, _ = resample_pyradiomics(volume, Mask(flat, mask.geometry), (2, 2, 2), pad=1)
    assert made.geometry.spacing == (2, 2, 3.3)


def read(path: Path) -> tuple[np.ndarray, Geometry]:
    image = sitk.ReadImage(path)
    grid = Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    return sitk.GetArrayFromImage(image), grid


PEER = os.environ.get("CENTRUM_PYRADIOMICS", "")
"""Python of an environment that has PyRadiomics."""

ASK_PEER = """
import sys, json, SimpleITK as sitk, logging
logging.disable(logging.CRITICAL)
from radiomics.imageoperations import resampleImage
image, mask, out, chosen = sys.argv[1:]
made = resampleImage(sitk.ReadImage(image), sitk.Cast(sitk.ReadImage(mask), sitk.sitkUInt32),
                     **json.loads(chosen))
for name, result in zip(("image", "mask"), made):
    sitk.WriteImage(result, "%s/%s.mha" % (out, name))
"""


def stored(volume: Volume, folder: Path, name: str) -> Path:
    image = sitk.GetImageFromArray(volume.array)
    image.SetSpacing(volume.geometry.spacing)
    image.SetOrigin(volume.geometry.origin)
    image.SetDirection(volume.geometry.direction)
    sitk.WriteImage(image, folder / f"{name}.mha")
    return folder / f"{name}.mha"


def assert_as_the_peer(volume: Volume, mask: Mask, folder: Path, **chosen: object) -> None:
    """Voxels of PyRadiomics' own `resampleImage` bit for bit, its grid to 1e-9 mm."""
    paths = [
        stored(volume, folder, "image"),
        stored(Volume(mask.array.astype(np.uint8), mask.geometry), folder, "mask"),
    ]
    (folder / "out").mkdir()
    command = [PEER, "-c", ASK_PEER, *map(str, paths), str(folder / "out"), json.dumps(chosen)]
    subprocess.run(command, check=True, capture_output=True)
    image, grid = read(folder / "out" / "image.mha")
    label, _ = read(folder / "out" / "mask.mha")
    made, inside = resample_pyradiomics(
        volume,
        mask,
        chosen["resampledPixelSpacing"],
        chosen.get("interpolator", "sitkBSpline"),
        chosen.get("padDistance", 5),
    )
    assert made.geometry.same_grid(grid, 1e-9)
    assert made.array.dtype == image.dtype
    np.testing.assert_array_equal(made.array, image)
    np.testing.assert_array_equal(inside.array, label == 1)


needs_peer = pytest.mark.skipif(
    not PEER, reason="set CENTRUM_PYRADIOMICS to a Python that has PyRadiomics"
)
CASES = ("brain1", "brain2", "breast1", "lung1", "lung2")


@needs_peer
@pytest.mark.parametrize(
    "chosen",
    [
        {"resampledPixelSpacing": [2, 2, 2], "padDistance": 5},
        {"resampledPixelSpacing": [0.9, 0.8, 0], "padDistance": 1000, "interpolator": "sitkLinear"},
    ],
    ids=["3D", "in plane"],
)
@pytest.mark.parametrize("name", CASES)
def test_voxels_of_pyradiomics(
    reference: Path, tmp_path: Path, name: str, chosen: dict[str, object]
) -> None:
    array, grid = read(reference / "pyradiomics" / f"{name}_image.nrrd")
    label, _ = read(reference / "pyradiomics" / f"{name}_label.nrrd")
    assert_as_the_peer(Volume(array, grid), Mask(label == 1, grid), tmp_path, **chosen)


@needs_peer
@pytest.mark.parametrize("dtype", ["int16", "float64"])
def test_oblique_spine_as_pyradiomics(reference: Path, tmp_path: Path, dtype: str) -> None:
    """A sagittal exam, tilted about all three axes, whose region is a vertebral body."""
    folder = reference / "spine_mri" / "tptbox_cspine"
    array, grid = read(folder / "T2w.nii.gz")
    label, _ = read(folder / "seg-vb.nii.gz")
    tilt = sitk.Euler3DTransform((0, 0, 0), 0.2, -0.1, 0.3).GetMatrix()
    turned = np.array(tilt).reshape(3, 3) @ grid.axes
    oblique = Geometry(grid.size, grid.spacing, grid.origin, tuple(turned.ravel()))
    for_peer = {"resampledPixelSpacing": [1, 0, 3.3], "interpolator": "sitkBSpline"}
    volume = Volume(array.astype(dtype), oblique)
    assert_as_the_peer(volume, Mask(label == 6, oblique), tmp_path, **for_peer)


BINS = Discretisation(method="fixed_bin_size", width=25)


@pytest.mark.parametrize("name", CASES)
def test_pyradiomics_baseline(reference: Path, name: str) -> None:
    folder = reference / "pyradiomics"
    array, grid = read(folder / f"{name}_image.nrrd")
    label, _ = read(folder / f"{name}_label.nrrd")
    made = resample_pyradiomics(Volume(array, grid), Mask(label == 1, grid), (2, 2, 2))
    choices = ExtractionSettings(
        dialect="pyradiomics",
        aggregations=("3D_averaged",),
        discretisation=BINS,
        families=("morphology", "statistics", "glcm"),
    )
    values = extract(*made, choices)
    ours = {f.spell("pyradiomics"): v for f, v in zip(plan(choices), values, strict=True)}
    with (folder / "baseline_values_tidy.csv").open() as stream:
        rows = [r for r in csv.DictReader(stream) if r["test_case"] == name]
    compared = 0
    for row in rows:
        spelt = f"original_{row['feature_class']}_{row['feature']}"
        if row["configuration"] == "resampling" and spelt in ours:
            assert ours[spelt] == pytest.approx(float(row["value"]), rel=1e-6), spelt
            compared += 1
    assert compared >= 24


def test_another_grid_shows_the_same_place_and_nan_beyond_the_image() -> None:
    old = Geometry((20, 18, 9), (0.6, 0.6, 4.4), (3, -7, 11), TURNED)
    index = np.stack(np.indices(old.shape)[::-1], axis=-1)
    x, y, z = np.moveaxis(old.position(index), -1, 0)
    volume = Volume(2 * x - y + 0.5 * z, old)
    new = Geometry((12, 10, 8), (0.9, 0.8, 3.1), tuple(old.position((1, 2, 1.3))), TURNED)
    found = onto_grid(volume, new)
    x, y, z = np.moveaxis(new.position(np.stack(np.indices(new.shape)[::-1], axis=-1)), -1, 0)
    np.testing.assert_allclose(found.array, 2 * x - y + 0.5 * z, atol=1e-9)
    assert found.history[-1].parameters["interpolation"] == "linear"
    shifted = Geometry(old.size, old.spacing, tuple(old.position((0, 0, 5))), TURNED)
    assert np.isnan(onto_grid(volume, shifted).array).any(axis=(1, 2)).tolist() == [
        False, False, False, False, True, True, True, True, True,
    ]  # fmt: skip
