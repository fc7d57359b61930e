"""NIfTI and NRRD images: same voxels, same place; what is damaged is refused."""

import gzip
import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from centrum.errors import CentrumError, ImageError
from centrum.geometry import Geometry
from centrum.io import read_image, source_digest
from tests.storage import to_image

FORMATS = ("image.nrrd", "image.nii", "image.nii.gz")


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    """Any grid: a random rotation from a unit quaternion, either handedness."""
    quaternion = np.array(draw(st.tuples(*[st.floats(-1, 1)] * 4)))
    norm = np.linalg.norm(quaternion)
    a, b, c, d = quaternion / norm if norm > 0.1 else (1.0, 0.0, 0.0, 0.0)
    x = (a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c))
    y = (2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b))
    z = np.cross(x, y) * draw(st.sampled_from([1, -1]))
    size = draw(st.tuples(*[st.integers(1, 6)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.2, 6)] * 3))
    origin = draw(st.tuples(*[st.floats(-400, 400)] * 3))
    return Geometry(size, spacing, origin, tuple(np.column_stack([x, y, z]).flat))


@given(geometry=geometries(), name=st.sampled_from(FORMATS), kind=st.sampled_from("hBfd"))
@settings(max_examples=60, deadline=None)
def test_round_trip(geometry: Geometry, name: str, kind: str) -> None:
    array = np.random.default_rng(0).integers(0, 200, geometry.shape).astype(kind)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        sitk.WriteImage(to_image(array, geometry), str(path))
        back = read_image(path)
    assert back.geometry.distance(geometry) < 1e-4
    assert back.array.dtype == array.dtype
    np.testing.assert_array_equal(back.array, array)


def test_history_and_digest(write, grid: Geometry) -> None:
    path = write("a.nrrd", np.ones(grid.shape), grid)
    step = read_image(path).history[0]
    assert step.name == "read"
    assert step.parameters == {"format": "NRRD", "sha256": source_digest(path)}
    moved = path.rename(path.with_name("b.nrrd"))
    assert source_digest(moved) == step.parameters["sha256"]


def test_real_exams(reference: Path) -> None:
    found = read_image(reference / "spine_mri" / "tptbox_cspine" / "T2w.nii.gz")
    assert found.array.shape == (67, 52, 68)
    assert found.array.dtype == np.uint16
    assert (found.array.min(), found.array.max()) == (0, 387)
    assert len(list((reference / "spine_mri").glob("chu*/T2w.nii.gz"))) == 8
    for path in (reference / "spine_mri").glob("chu*/T2w.nii.gz"):
        assert read_image(path).geometry.spacing == (1, 1, 1)


def test_detached_header_reads_and_its_digest_covers_the_voxels(tmp_path: Path, grid) -> None:
    array = np.arange(np.prod(grid.shape), dtype=np.int16).reshape(grid.shape)
    sitk.WriteImage(to_image(array, grid), str(tmp_path / "a.nhdr"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.nhdr").array, array)
    before = source_digest(tmp_path / "a.nhdr")
    voxels = tmp_path / "a.raw"
    voxels.write_bytes(voxels.read_bytes()[:-2] + b"\x07\x07")
    assert source_digest(tmp_path / "a.nhdr") != before
    voxels.unlink()
    with pytest.raises(ImageError, match=r"a\.nhdr"):
        read_image(tmp_path / "a.nhdr")


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii", "a.nii.gz"])
@pytest.mark.parametrize("compress", [False, True])
def test_truncated(write, grid: Geometry, name: str, compress: bool, capfd) -> None:
    array = np.random.default_rng(0).integers(1, 1000, grid.shape).astype(np.int16)
    path = write(name, array, grid, compress=compress)
    whole = path.read_bytes()
    for length in (0, 1, 3, 100, 347, len(whole) // 2, len(whole) - 10, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError, match=name):
            read_image(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii.gz"])
def test_changed_compressed_voxels(write, grid: Geometry, name: str) -> None:
    array = np.random.default_rng(0).integers(1, 1000, grid.shape).astype(np.int16)
    path = write(name, array, grid, compress=True)
    content = bytearray(path.read_bytes())
    content[-40] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(ImageError, match=f"{name} is truncated or damaged"):
        read_image(path)


def test_gzip_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(b"no image at all" * 30))
    with pytest.raises(ImageError, match="neither NIfTI nor NRRD nor DICOM"):
        read_image(tmp_path / "a.nii.gz")


def test_missing_file_and_part_of_an_image(write, tmp_path: Path, grid: Geometry) -> None:
    with pytest.raises(ImageError, match=r"There is no file .*nowhere\.nrrd"):
        read_image(tmp_path / "nowhere.nrrd")
    path = write("a.nrrd", np.ones(grid.shape), grid)
    with pytest.raises(ImageError, match="'#L1' chooses"):
        read_image(f"{path}#L1")


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz"])
def test_wrong_number_of_axes_or_components(tmp_path: Path, suffix: str) -> None:
    flat = tmp_path / f"flat{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((4, 5), np.int16)), str(flat))
    with pytest.raises(ImageError, match="2-D image: expected a volume"):
        read_image(flat)
    times = tmp_path / f"times{suffix}"
    four = np.ones((2, 3, 4, 5), np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(four, isVector=False), str(times))
    with pytest.raises(ImageError, match="4-D with 2 volumes"):
        read_image(times)
    one = tmp_path / f"one{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(four[:1], isVector=False), str(one))
    assert read_image(one, orientation="LPS").array.shape == (3, 4, 5)
    colour = tmp_path / f"colour{suffix}"
    rgb = sitk.GetImageFromArray(np.ones((3, 4, 5, 3), np.uint8), isVector=True)
    sitk.WriteImage(rgb, str(colour))
    with pytest.raises(ImageError, match="3 components per voxel"):
        read_image(colour)


def test_sheared_axes_are_refused(write, grid: Geometry) -> None:
    path = write("a.nrrd", np.ones((2, 2, 2), np.uint8), Geometry((2, 2, 2), (1, 1, 4)))
    text = path.read_bytes().replace(b"(0,0,4)", b"(0,1,4)")
    path.write_bytes(text)
    with pytest.raises(CentrumError, match="orthonormal") as caught:
        read_image(path)
    assert "while reading a.nrrd" in caught.value.__notes__


def nifti_with(path: Path, field: slice, values: NDArray) -> None:
    """Overwrite bytes of the header of a NIfTI-1 file."""
    content = bytearray(path.read_bytes())
    content[field] = values.tobytes()
    path.write_bytes(bytes(content))


def test_forms_that_disagree_are_refused(write, grid: Geometry) -> None:
    path = write("a.nii", np.ones(grid.shape, np.int16), grid)
    whole = path.read_bytes()
    codes = np.frombuffer(whole[252:256], "<i2")
    assert (codes > 0).all()
    offset = np.frombuffer(whole[268:280], "<f4")
    nifti_with(path, slice(268, 280), offset + np.float32(0.05))
    assert read_image(path).geometry.distance(grid) < 0.1
    nifti_with(path, slice(268, 280), offset + np.float32(5))
    with pytest.raises(ImageError, match=r"places a corner 8\.66 mm away"):
        read_image(path)
    nifti_with(path, slice(252, 254), np.zeros(1, "<i2"))
    step = read_image(path).history[0]
    assert step.parameters["orientation_from"] == ["sform"]


AXIS_ALIGNED = [
    np.array(matrix).reshape(3, 3)
    for columns in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
    if np.linalg.det(matrix := np.eye(3)[:, columns] * signs) > 0
]


@pytest.mark.parametrize("extent", [256, 320, 400])
def test_all_axis_aligned_directions(write, extent: float) -> None:
    assert len(AXIS_ALIGNED) == 24
    for matrix in AXIS_ALIGNED:
        grid = Geometry((32, 32, 15), (extent / 32, extent / 32, 4.4), (9, -7, 3), matrix.flat)
        path = write("a.nii", np.ones(grid.shape, np.uint8), grid)
        assert read_image(path).geometry.distance(grid) < 1e-3
        for form in (252, 254):
            whole = path.read_bytes()
            nifti_with(path, slice(form, form + 2), np.zeros(1, "<i2"))
            assert read_image(path).geometry.distance(grid) < 1e-3
            path.write_bytes(whole)
        offset = np.frombuffer(whole[268:280], "<f4")
        nifti_with(path, slice(268, 280), offset + np.array([0, 0.2, 0], "<f4"))
        with pytest.raises(ImageError, match=r"its qform places a corner 0\.2 mm"):
            read_image(path)


def as_nibabel(array: NDArray, affine: NDArray) -> bytes:
    """A NIfTI-1 file with both forms in single precision; the quaternion is the eigenvector of
    Bar-Itzhack's matrix, turned so that a >= 0 (Journal of Guidance 2000;23:1085)."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    turn = affine[:3, :3] / lengths
    handedness = np.sign(np.linalg.det(turn))
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = turn * (1, 1, handedness)
    bar_itzhack = np.array(
        [
            [xx - yy - zz, 0, 0, 0],
            [xy + yx, yy - xx - zz, 0, 0],
            [xz + zx, yz + zy, zz - xx - yy, 0],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    b, c, d, a = np.linalg.eigh(bar_itzhack / 3)[1][:, -1]
    quaternion = np.array([b, c, d]) * (-1 if a < 0 else 1)
    header = bytearray(352)
    header[0:4] = np.array(348, "<i4").tobytes()
    header[40:56] = np.array([3, *array.shape[::-1], 1, 1, 1, 1], "<i2").tobytes()
    header[70:74] = np.array([4, 16], "<i2").tobytes()
    header[76:108] = np.array([handedness, *lengths, 1, 1, 1, 1], "<f4").tobytes()
    header[108:112] = np.array(352, "<f4").tobytes()
    header[123] = 2
    header[252:256] = np.array([1, 1], "<i2").tobytes()
    header[256:280] = np.array([*quaternion, *affine[:3, 3]], "<f4").tobytes()
    header[280:328] = affine[:3].astype("<f4").tobytes()
    header[344:348] = b"n+1\0"
    return bytes(header) + array.astype("<i2").tobytes()


SAGITTAL_STACKS = [
    np.array(rows)
    for rows in itertools.product(((0, 0, -4.4), (0, 0, 4.4)), ((10, 0, 0), (-10, 0, 0)),
                                  ((0, 10, 0), (0, -10, 0)))
]  # fmt: skip


@pytest.mark.parametrize("degrees", [0, 1e-3, 0.01, 0.02, 0.05, 1.0])
def test_sagittal_stacks_of_nibabel(tmp_path: Path, degrees: float) -> None:
    array, angle = np.zeros((15, 32, 32), np.int16), np.radians(degrees)
    tilt = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    for axes in SAGITTAL_STACKS:
        for turn in (tilt, tilt[::-1, ::-1], tilt[[1, 0, 2]][:, [1, 0, 2]]):
            affine = np.eye(4)
            affine[:3, :3], affine[:3, 3] = turn @ axes, (31.4, -159.2, 127.7)
            (tmp_path / "a.nii").write_bytes(as_nibabel(array, affine))
            found = read_image(tmp_path / "a.nii").geometry
            corner = np.diag([-1, -1, 1]) @ (affine @ (31, 31, 14, 1))[:3]
            np.testing.assert_allclose(found.position((31, 31, 14)), corner, atol=1e-3)


def test_sform_with_another_spacing_is_refused(write, grid: Geometry) -> None:
    path = write("a.nii", np.ones(grid.shape, np.int16), grid)
    nifti_with(path, slice(252, 254), np.zeros(1, "<i2"))
    pixdim = np.frombuffer(path.read_bytes()[76:108], "<f4").copy()
    pixdim[3] = 4.8
    nifti_with(path, slice(76, 108), pixdim)
    with pytest.raises(ImageError, match="its sform places a corner"):
        read_image(path)


def test_scale_factors_are_applied(write, grid: Geometry) -> None:
    path = write("a.nii", np.full(grid.shape, 3, np.int16), grid)
    nifti_with(path, slice(112, 120), np.array([0.5, 1.0], "<f4"))
    assert (read_image(path).array == 2.5).all()
