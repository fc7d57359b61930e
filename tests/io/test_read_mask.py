"""Masks: segments by name and label, layers, crops, and the grid of the image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from centrum.errors import CentrumError, GeometryError, ImageError
from centrum.geometry import Geometry
from centrum.io import list_segments, place_mask, read_image, read_mask, read_masks
from centrum.volume import Mask


def slicer_keys(*segments: tuple[str, int, int]) -> dict[str, str]:
    """Header keys of 3D Slicer for segments (name, label, layer)."""
    keys = {"Segmentation_SourceRepresentation": "Binary labelmap"}
    for n, (name, label, layer) in enumerate(segments):
        keys |= {f"Segment{n}_ID": f"Segment_{n}", f"Segment{n}_Name": name}
        keys |= {f"Segment{n}_LabelValue": str(label), f"Segment{n}_Layer": str(layer)}
    return keys


def box(grid: Geometry, x: Sequence[int], y: Sequence[int], z: Sequence[int]) -> NDArray[np.bool_]:
    array = np.zeros(grid.shape, bool)
    array[z[0] : z[1], y[0] : y[1], x[0] : x[1]] = True
    return array


@pytest.fixture
def body(grid: Geometry) -> NDArray[np.bool_]:
    """An asymmetric region, so that a flip or a shift shows."""
    return box(grid, (2, 6), (3, 7), (1, 4)) | box(grid, (6, 8), (3, 4), (1, 2))


@pytest.fixture
def disc(grid: Geometry) -> NDArray[np.bool_]:
    """A region that overlaps `body`."""
    return box(grid, (1, 4), (2, 5), (2, 5))


def test_all_segments_at_once(write, grid: Geometry, body, disc) -> None:
    keys = slicer_keys(("L1", 1, 0), ("disc", 1, 1), ("nothing", 2, 1))
    path = write("s.seg.nrrd", np.stack([body, disc], axis=-1).astype(np.uint8), grid, keys)
    one, other = read_masks(path)
    assert (one.name, other.name, one.geometry) == ("L1", "disc", grid)
    np.testing.assert_array_equal(one.array, body)
    np.testing.assert_array_equal(other.array, disc)
    assert [mask.name for mask in read_masks(f"{path}#disc", grid)] == ["disc"]
    with pytest.raises(GeometryError):
        read_masks(path, grid.crop((1, 1, 1), (4, 4, 2)))


def test_segments_by_name_and_label(write, grid: Geometry, body, disc) -> None:
    labels = np.where(body, 3, np.where(disc, 7, 0)).astype(np.uint8)
    path = write("s.seg.nrrd", labels, grid, slicer_keys(("L1 Körper", 3, 0), ("Disc #2", 7, 0)))
    assert [(s.name, s.label, s.layer, s.voxels) for s in list_segments(path)] == [
        ("L1 Körper", 3, 0, np.count_nonzero(labels == 3)),
        ("Disc #2", 7, 0, np.count_nonzero(labels == 7)),
    ]
    for part, label in (("L1 Körper", 3), ("3", 3), ("Disc #2", 7), ("7", 7)):
        mask = read_mask(f"{path}#{part}", grid)
        np.testing.assert_array_equal(mask.array, labels == label)
        assert mask.geometry == grid
    assert mask.name == "Disc #2"
    assert mask.history[0].parameters["label"] == 7
    with pytest.raises(ImageError, match=r"(?s)as none is chosen, found 2.*'L1 Körper' \(label 3"):
        read_mask(path, grid)
    with pytest.raises(ImageError, match=r"(?s)expected exactly one .* 'L2', found 0.*'Disc #2'"):
        read_mask(f"{path}#L2", grid)


def test_name_goes_before_label_and_must_be_unique(write, grid: Geometry, body, disc) -> None:
    labels = np.where(body, 1, np.where(disc, 2, 0)).astype(np.uint8)
    path = write("a.seg.nrrd", labels, grid, slicer_keys(("2", 1, 0), ("other", 2, 0)))
    np.testing.assert_array_equal(read_mask(f"{path}#2", grid).array, body)
    path = write("b.seg.nrrd", labels, grid, slicer_keys(("L1", 1, 0), ("L1", 2, 0)))
    with pytest.raises(
        ImageError, match="exactly one segment with the name or label 'L1', found 2"
    ):
        read_mask(f"{path}#L1", grid)


def test_overlapping_layers(write, grid: Geometry, body, disc) -> None:
    layers = np.stack([body, disc], axis=-1).astype(np.uint8)
    path = write("s.seg.nrrd", layers, grid, slicer_keys(("body", 1, 0), ("disc", 1, 1)))
    np.testing.assert_array_equal(read_mask(f"{path}#body", grid).array, body)
    np.testing.assert_array_equal(read_mask(f"{path}#disc", grid).array, disc)
    with pytest.raises(ImageError, match="exactly one segment with the name or label '1', found 2"):
        read_mask(f"{path}#1", grid)


def test_one_layer_per_segment_of_old_versions(write, grid: Geometry, body, disc) -> None:
    layers = np.stack([body, disc], axis=-1).astype(np.uint8)
    path = write("s.seg.nrrd", layers, grid, {"Segment0_Name": "body", "Segment1_Name": "disc"})
    np.testing.assert_array_equal(read_mask(f"{path}#disc", grid).array, disc)


@pytest.mark.parametrize("first", [True, False], ids=["3D Slicer", "list axis last"])
def test_list_axis_of_the_file(tmp_path: Path, grid: Geometry, body, disc, first: bool) -> None:
    steps = grid.axes.T * np.array(grid.spacing)[:, None]
    vectors = [f"({v[0]},{v[1]},{v[2]})" for v in steps]
    place = 0 if first else 3
    sizes, kinds = ["9", "8", "5"], ["domain"] * 3
    for words, word in ((sizes, "2"), (vectors, "none"), (kinds, "list")):
        words.insert(place, word)
    header = (
        "NRRD0004\ntype: uint8\ndimension: 4\nspace: left-posterior-superior\n"
        f"sizes: {' '.join(sizes)}\nspace directions: {' '.join(vectors)}\n"
        f"kinds: {' '.join(kinds)}\nencoding: raw\nspace origin: (11.5,-20.25,33)\n"
        "Segment0_Name:=body\nSegment0_Layer:=0\nSegment1_Name:=disc\nSegment1_Layer:=1\n\n"
    )
    layers = np.stack([body, disc], axis=-1 if first else 0).astype(np.uint8)
    path = tmp_path / "s.seg.nrrd"
    path.write_bytes(header.encode() + layers.tobytes())
    np.testing.assert_array_equal(read_mask(f"{path}#body", grid).array, body)
    np.testing.assert_array_equal(read_mask(f"{path}#disc", grid).array, disc)


def test_announced_layer_that_is_not_there(write, grid: Geometry, body) -> None:
    path = write("s.seg.nrrd", body.astype(np.uint8), grid, slicer_keys(("body", 1, 2)))
    with pytest.raises(ImageError, match="'body' in layer 2, but holds 1 layers"):
        list_segments(path)


def test_segments_of_real_files(reference: Path) -> None:
    folder = reference / "dicom" / "dcmqi_ct_seg"
    image = read_image(folder / "ct-3slice").geometry
    assert [(s.label, s.voxels) for s in list_segments(folder / "liver_spine_seg.nrrd")] == [
        (1, 107098),
        (2, 12439),
    ]
    assert read_mask(folder / "spine_seg.nrrd", image).n_voxels == 12439
    assert read_mask(f"{folder / 'liver_spine_seg.nrrd'}#2", image).n_voxels == 12439
    small = read_image(folder / "23x38x3" / "image").geometry
    assert read_mask(folder / "23x38x3" / "nrrd" / "label.nrrd", small).n_voxels == 322
    overlaps = [read_mask(f"{folder / f'partial_overlaps-{k}.nrrd'}#{k}", image) for k in (2, 3)]
    assert [m.n_voxels for m in overlaps] == [11888, 10743]
    with pytest.raises(GeometryError, match="not on the grid"):
        read_mask(folder / "spine_seg.nrrd", small)


def test_nifti_mask_lands_on_the_dicom_series(reference: Path) -> None:
    image = read_image(reference / "dicom" / "derived_tptbox_sagittal_t2" / "mr")
    source = reference / "spine_mri" / "tptbox_cspine" / "seg-vb.nii.gz"
    voxels = [read_mask(f"{source}#{label}", image.geometry).n_voxels for label in (5, 6, 7)]
    assert voxels == [2474, 10860, 9438]


def test_plain_label_image(write, grid: Geometry, body) -> None:
    path = write("one.nii.gz", body.astype(np.int16) * 20, grid)
    mask = read_mask(path, grid)
    assert mask.name == "20"
    np.testing.assert_array_equal(mask.array, body)
    np.testing.assert_array_equal(read_mask(f"{path}#20", grid).array, body)
    floats = write("float.nii.gz", body.astype(np.float32) * 2, grid)
    np.testing.assert_array_equal(read_mask(floats, grid).array, body)


@pytest.mark.parametrize("value", [0.5, -1, np.nan, 1e12])
def test_values_that_are_no_labels(write, grid: Geometry, value: float) -> None:
    array = np.zeros(grid.shape, np.float32)
    array[1, 1, 1] = value
    with pytest.raises(ImageError, match="values that are no labels"):
        read_mask(write("m.nrrd", array, grid), grid)


def test_fractional_labelmap_is_refused(write, grid: Geometry, body) -> None:
    keys = slicer_keys(("body", 1, 0)) | {
        "Segmentation_SourceRepresentation": "Fractional labelmap"
    }
    with pytest.raises(ImageError, match="'Fractional labelmap': expected a binary labelmap"):
        read_mask(write("s.seg.nrrd", body.astype(np.uint8), grid, keys), grid)


def test_empty_masks(write, grid: Geometry) -> None:
    nothing = np.zeros(grid.shape, np.uint8)
    with pytest.raises(ImageError, match="every voxel is background"):
        read_mask(write("plain.nrrd", nothing, grid), grid)
    named = write("named.seg.nrrd", nothing, grid, slicer_keys(("body", 1, 0)))
    assert read_mask(named, grid).n_voxels == 0
    one_voxel = np.zeros((1, 1, 1), np.uint8)
    stand_in = write(
        "e.seg.nrrd", one_voxel, Geometry((1, 1, 1), (1, 1, 1)), slicer_keys(("body", 1, 0))
    )
    mask = read_mask(stand_in, grid)
    assert (mask.n_voxels, mask.geometry) == (0, grid)


def test_cropped_extent_is_placed_by_geometry(write, grid: Geometry, body) -> None:
    part = grid.crop((1, 2, 1), (7, 6, 3))
    path = write("s.seg.nrrd", body[1:4, 2:8, 1:8].astype(np.uint8), part)
    mask = read_mask(path, grid)
    np.testing.assert_array_equal(mask.array, body)
    assert mask.geometry == grid
    assert mask.history[-1].name == "place"
    assert mask.history[-1].parameters == {"start": [1, 2, 1], "axes_turned": False}


def test_larger_extent_is_placed_unless_voxels_fall_outside(write, grid: Geometry, body) -> None:
    larger = grid.crop((-2, -1, -1), (12, 10, 7))
    array = np.zeros(larger.shape, np.uint8)
    array[1:6, 1:9, 2:11] = body
    path = write("in.seg.nrrd", array, larger)
    np.testing.assert_array_equal(read_mask(path, grid).array, body)
    array[0, 3, 3:6] = 1
    outside = write("out.seg.nrrd", array, larger)
    total = np.count_nonzero(body) + 3
    for rule in ("refuse", "resample"):
        with pytest.raises(GeometryError, match=f"3 of its {total} voxels lie outside") as caught:
            read_mask(outside, grid, on_mismatch=rule)
        assert "while reading out.seg.nrrd" in caught.value.__notes__


def test_tolerance_of_the_grid(write, grid: Geometry, body) -> None:
    x, y, z = grid.origin
    moved = Geometry(grid.size, grid.spacing, (x + 0.05, y, z), grid.direction)
    path = write("m.nrrd", body.astype(np.uint8), moved)
    with pytest.raises(GeometryError, match=r"tolerance 0\.01 mm"):
        read_mask(path, grid)
    np.testing.assert_array_equal(read_mask(path, grid, tolerance_mm=0.1).array, body)


def test_refusal_prints_both_geometries(write, grid: Geometry) -> None:
    other = Geometry((4, 4, 4), (1, 1, 1))
    path = write("m.nrrd", np.ones((4, 4, 4), np.uint8), other)
    with pytest.raises(GeometryError) as caught:
        read_mask(path, grid)
    rows = str(caught.value).splitlines()
    assert rows[1].split() == ["image", "mask"]
    for row, left, right in zip(
        rows[2:6], grid.describe().splitlines(), other.describe().splitlines(), strict=True
    ):
        assert row.startswith(left)
        assert row.endswith(right)


def test_resampling_is_nearest_neighbour_and_recorded(write, grid: Geometry, body) -> None:
    """A third of the voxel size, centred in the same places: each image voxel has its own value."""
    third = Geometry(
        tuple(3 * n for n in grid.size),
        tuple(s / 3 for s in grid.spacing),
        tuple(grid.position((-1 / 3, -1 / 3, -1 / 3))),
        grid.direction,
    )
    fine = np.kron(body, np.ones((3, 3, 3), bool))
    path = write("m.nrrd", fine.astype(np.uint8), third)
    with pytest.raises(GeometryError, match="let the mask be resampled"):
        read_mask(path, grid)
    mask = read_mask(path, grid, on_mismatch="resample")
    np.testing.assert_array_equal(mask.array, body)
    assert mask.history[-1].name == "resample"
    assert mask.history[-1].parameters["interpolation"] == "nearest"


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("side", [-1, 1])
def test_half_a_voxel_beyond_the_image_is_in_it(grid: Geometry, axis: int, side: int) -> None:
    """The image ends with its outermost voxels, not at their centres."""
    edge = np.zeros(grid.shape, bool)
    edge[tuple(slice(-1, None) if k == axis else slice(None) for k in (2, 1, 0))] = True
    edge = edge if side > 0 else np.flip(edge, 2 - axis)

    def moved(by: float) -> Mask:
        origin = tuple(grid.position(np.eye(3)[axis] * side * by))
        return Mask(edge, Geometry(grid.size, grid.spacing, origin, grid.direction), "body")

    placed = place_mask(moved(0.4), grid, on_mismatch="resample")
    np.testing.assert_array_equal(placed.array, edge)
    place_mask(moved(0.5), grid, on_mismatch="resample")
    n = np.count_nonzero(edge)
    with pytest.raises(GeometryError, match=f"{n} of its {n} voxels lie outside"):
        place_mask(moved(0.6), grid, on_mismatch="resample")


@given(
    signs=st.tuples(*[st.sampled_from([1, -1])] * 3),
    tilt=st.sampled_from([0.0, 0.2, -0.3]),
    shift=st.tuples(*[st.sampled_from([0.0, 0.5]) | st.floats(-0.5, 0.5)] * 3),
    spacing=st.tuples(*[st.sampled_from([1.0, 2.0, 3.0]) | st.floats(0.5, 3)] * 3),
    seed=st.integers(0, 99),
)
def test_every_voxel_of_the_image_asks_the_nearest_of_the_mask(
    signs: tuple[int, int, int],
    tilt: float,
    shift: tuple[float, ...],
    spacing: tuple[float, ...],
    seed: int,
) -> None:
    """Also at the ends of the region: the whole image is asked, one voxel after the other."""
    size = (25, 24, 16)
    ends = zip(signs, (-8, -8, -3), size, strict=True)
    first = tuple(low if sign > 0 else low + n - 1 for sign, low, n in ends)
    image = Geometry(size, (1, 1, 1), first, tuple(np.diag(signs).ravel()))
    axes = (np.cos(tilt), -np.sin(tilt), 0, np.sin(tilt), np.cos(tilt), 0, 0, 0, 1)
    grid = Geometry((4, 4, 4), spacing, tuple(np.array(shift) - 1), axes)
    array = np.random.default_rng(seed).random(grid.shape) < 0.6
    array[0, 0, 0] = array[-1, -1, -1] = True
    mask = Mask(array, grid)
    x, y, z = np.meshgrid(*map(np.arange, image.size), indexing="ij")
    at = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    nearest = grid.nearest(grid.index(image.position(at)))
    there = np.all((nearest >= 0) & (nearest < grid.size), axis=1)
    wanted = np.zeros(image.shape, bool)
    wanted[tuple(at[there].T[::-1])] = array[tuple(nearest[there].T[::-1])]
    placed = place_mask(mask, image, on_mismatch="resample")
    np.testing.assert_array_equal(placed.array, wanted)


def test_unknown_rule_is_refused(write, grid: Geometry, body) -> None:
    path = write("m.nrrd", body.astype(np.uint8), grid)
    with pytest.raises(ValueError, match="on_mismatch"):
        read_mask(path, grid, on_mismatch="guess")


@given(
    order=st.permutations([0, 1, 2]),
    signs=st.tuples(*[st.sampled_from([1, -1])] * 3),
    start=st.tuples(*[st.integers(0, 2)] * 3),
)
@settings(deadline=None)
def test_turned_and_cropped_axes_are_placed_without_loss(
    order: list[int], signs: tuple[int, int, int], start: tuple[int, int, int]
) -> None:
    """Any order and direction of the axes of any crop gives back the same places."""
    tilt = np.deg2rad(20)
    axes = (np.cos(tilt), -np.sin(tilt), 0, np.sin(tilt), np.cos(tilt), 0, 0, 0, 1)
    image = Geometry((9, 8, 7), (0.6, 0.7, 4.4), (5, 6, 7), axes)
    region = np.random.default_rng(0).random((5, 6, 7)) < 0.4
    part = image.crop(start, (7, 6, 5))
    steps = [part.axes[:, k] * s for k, s in zip(order, signs, strict=True)]
    corner = np.zeros(3)
    for k, s in zip(order, signs, strict=True):
        corner[k] = part.size[k] - 1 if s < 0 else 0
    turned = Geometry(
        tuple(part.size[k] for k in order),
        tuple(part.spacing[k] for k in order),
        tuple(part.position(corner)),
        tuple(np.column_stack(steps).flat),
    )
    xyz = region.transpose(2, 1, 0).transpose(order)
    xyz = xyz[tuple(slice(None, None, s) for s in signs)]
    placed = place_mask(Mask(xyz.transpose(2, 1, 0), turned), image)
    wanted = np.zeros(image.shape, bool)
    x, y, z = start
    wanted[z : z + 5, y : y + 6, x : x + 7] = region
    np.testing.assert_array_equal(placed.array, wanted)


def test_missing_file_and_damaged_file(write, tmp_path: Path, grid: Geometry, body) -> None:
    with pytest.raises(ImageError, match="There is no file"):
        read_mask(tmp_path / "nowhere.seg.nrrd#L1", grid)
    path = write("s.seg.nrrd", body.astype(np.uint8), grid, compress=True)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CentrumError, match=r"s\.seg\.nrrd is truncated or damaged"):
        read_mask(path, grid)
