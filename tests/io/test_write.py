"""What is written comes back: through this reader and through SimpleITK, voxel for voxel."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from centrum.errors import DataError, GeometryError
from centrum.geometry import ORIENTATIONS, Geometry, direction_of
from centrum.io import list_segments, read_image, read_mask, read_masks
from centrum.io.write import layers_of, write_image, write_masks
from centrum.volume import Mask, Volume

TILTED = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])
"""A rotation about no axis of the patient."""


@st.composite
def grids(draw: st.DrawFn) -> Geometry:
    """Non-cubic, with axes in any order and direction, tilted or not."""
    axes = np.array(direction_of(draw(st.sampled_from(ORIENTATIONS)))).reshape(3, 3)
    if draw(st.booleans()):
        axes = TILTED @ axes
    lengths = st.floats(0.2, 6).map(lambda mm: round(mm, 3))
    return Geometry(
        draw(st.tuples(*[st.integers(2, 6)] * 3)),
        draw(st.tuples(lengths, lengths, lengths)),
        draw(st.tuples(*[st.floats(-300, 300).map(lambda mm: round(mm, 3))] * 3)),
        tuple(axes.ravel().tolist()),
    )


def regions(grid: Geometry, seed: int, n: int, *, apart: bool) -> list[Mask]:
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, n + 1, grid.shape)
    flags = [labels == k + 1 if apart else chance.random(grid.shape) < 0.4 for k in range(n)]
    return [Mask(region, grid, f"Th{k + 7} \u00e9") for k, region in enumerate(flags)]


def by_simpleitk(path: Path) -> tuple[NDArray, sitk.Image]:
    image = sitk.ReadImage(str(path))
    return sitk.GetArrayFromImage(image), image


@given(grid=grids(), seed=st.integers(0, 99), ending=st.sampled_from((".nii.gz", ".nii")))
def test_labels_of_a_nifti_file(tmp_path_factory, grid: Geometry, seed: int, ending: str) -> None:
    masks = regions(grid, seed, 3, apart=True)
    path = write_masks(masks, tmp_path_factory.mktemp("w") / f"m{ending}")
    stored, image = by_simpleitk(path)
    np.testing.assert_array_equal(stored, sum(k * m.array for k, m in enumerate(masks, start=1)))
    np.testing.assert_allclose(image.GetOrigin(), grid.origin, atol=1e-4)
    np.testing.assert_allclose(image.GetSpacing(), grid.spacing, rtol=1e-6)
    np.testing.assert_allclose(image.GetDirection(), grid.direction, atol=2e-4)
    for k, mask in enumerate(masks, start=1):
        if mask.n_voxels:
            np.testing.assert_array_equal(read_mask(f"{path}#{k}", grid).array, mask.array)


@given(
    grid=grids(), seed=st.integers(0, 99), apart=st.booleans(), cropped=st.booleans(),
    n=st.integers(1, 4),
)  # fmt: skip
def test_segments_of_3d_slicer(
    tmp_path_factory, grid: Geometry, seed: int, apart: bool, cropped: bool, n: int
) -> None:
    masks = regions(grid, seed, n, apart=apart)
    path = write_masks(masks, tmp_path_factory.mktemp("w") / "m.seg.nrrd", cropped=cropped)
    stored, image = by_simpleitk(path)
    stored = stored if stored.ndim == 4 else stored[..., None]
    offset = image.GetMetaData("Segmentation_ReferenceImageExtentOffset").split()
    x, y, z = map(int, offset)
    for k, mask in enumerate(masks):
        label = int(image.GetMetaData(f"Segment{k}_LabelValue"))
        layer = int(image.GetMetaData(f"Segment{k}_Layer"))
        found = np.zeros(grid.shape, bool)
        depth, height, width = stored.shape[:3]
        found[z : z + depth, y : y + height, x : x + width] = stored[..., layer] == label
        np.testing.assert_array_equal(found, mask.array)
        if mask.n_voxels:
            extent = [int(v) for v in image.GetMetaData(f"Segment{k}_Extent").split()]
            where = np.argwhere(stored[..., layer] == label)[:, ::-1]
            assert extent == [v for a in range(3) for v in (where[:, a].min(), where[:, a].max())]
    names = {mask.name: mask for mask in masks}
    for read in read_masks(path, grid):
        np.testing.assert_array_equal(read.array, names.pop(read.name).array)
    assert not any(mask.n_voxels for mask in names.values())


def test_colours_tell_segments_apart(tmp_path: Path, grid: Geometry) -> None:
    masks = regions(grid, 1, 6, apart=True)
    header = sitk.ReadImage(str(write_masks(masks, tmp_path / "m.seg.nrrd")))
    colours = np.array(
        [[float(c) for c in header.GetMetaData(f"Segment{k}_Color").split()] for k in range(6)]
    )
    assert header.GetMetaData("Segment0_Color") == "0.945098 0.839216 0.568627"
    away = np.abs(colours[:, None] - colours[None]).max(axis=2)
    assert away[~np.eye(6, dtype=bool)].min() > 0.08


@given(grid=grids(), kind=st.sampled_from(("u1", "i2", "f4", "f8")), seed=st.integers(0, 9))
def test_an_image(tmp_path_factory, grid: Geometry, kind: str, seed: int) -> None:
    array = np.random.default_rng(seed).integers(0, 200, grid.shape).astype(kind)
    path = write_image(Volume(array, grid), tmp_path_factory.mktemp("w") / "i.nrrd", {"a": "b"})
    read = read_image(path)
    assert read.array.dtype == array.dtype
    np.testing.assert_array_equal(read.array, array)
    assert read.geometry.distance(grid) < 1e-9
    assert sitk.ReadImage(str(path)).GetMetaData("a") == "b"


def test_a_reader_who_drew_nothing(tmp_path: Path, grid: Geometry) -> None:
    nothing = Mask(np.zeros(grid.shape, bool), grid, "L1")
    path = write_masks([nothing], tmp_path / "m.seg.nrrd", cropped=True)
    assert sitk.ReadImage(str(path)).GetSize() == grid.size
    assert [(s.name, s.voxels) for s in list_segments(path)] == [("L1", 0)]
    assert sitk.ReadImage(str(path)).GetMetaData("Segment0_Extent") == "0 -1 0 -1 0 -1"


def test_layers_are_as_few_as_segments_allow() -> None:
    rows = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 0]], bool)
    assert layers_of(list(rows)) == [0, 1, 0, 1]


def test_many_labels_take_more_than_a_byte(tmp_path: Path) -> None:
    grid = Geometry((300, 1, 1), (1, 1, 1))
    masks = [Mask(np.arange(300).reshape(grid.shape) == k, grid, str(k)) for k in range(300)]
    stored, _ = by_simpleitk(write_masks(masks, tmp_path / "m.nii"))
    np.testing.assert_array_equal(stored.ravel(), np.arange(1, 301))


def test_what_cannot_be_written_is_refused(tmp_path: Path, grid: Geometry) -> None:
    masks = regions(grid, 3, 2, apart=False)
    with pytest.raises(DataError, match=r"'Th8 é' shares voxels .* as \.seg\.nrrd") as caught:
        write_masks(masks, tmp_path / "m.nii.gz")
    assert caught.value.code == "overlapping-masks"
    with pytest.raises(DataError, match=r"written as \.seg\.nrrd, \.nii\.gz, \.nii, found 'm.mha'"):
        write_masks(masks, tmp_path / "m.mha")
    other = Geometry(grid.size, grid.spacing, (0, 0, 0), grid.direction)
    moved = Mask(masks[1].array, other, "L9")
    with pytest.raises(GeometryError, match=r"that of 'L9' is not that of 'Th7"):
        write_masks([masks[0], moved], tmp_path / "m.seg.nrrd")
    (tmp_path / "m.nii").mkdir()
    with pytest.raises(DataError, match=r"m\.nii could not be written"):
        write_masks(masks[:1], tmp_path / "m.nii")
