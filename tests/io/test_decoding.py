"""Voxels that are decoded here are those that SimpleITK reads; damage is found."""

import contextlib
import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from centrum.errors import ImageError
from centrum.geometry import Geometry
from centrum.io import list_segments, read_image, read_mask, source_digest
from centrum.io.gzipped import DAMAGE, Surplus, decompress, open_stream
from centrum.provenance import file_digest

KINDS = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")


def noise(grid: Geometry, kind: str) -> NDArray:
    return np.random.default_rng(4).integers(0, 120, grid.shape).astype(kind)


def same_as_simpleitk(path: Path) -> None:
    image, found = sitk.ReadImage(str(path)), read_image(path)
    expected = sitk.GetArrayFromImage(image)
    assert found.array.dtype == expected.dtype
    assert found.array.dtype.isnative
    assert found.array.flags.writeable
    np.testing.assert_array_equal(found.array, expected.reshape(found.array.shape))
    assert found.geometry.spacing == image.GetSpacing()[:3]
    assert found.geometry.origin == image.GetOrigin()[:3]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("name", ["a.nrrd", "a.nii", "a.nii.gz", "a.nhdr"])
def test_every_type_of_number(write, grid: Geometry, name: str, compress: bool, kind: str) -> None:
    same_as_simpleitk(write(name, noise(grid, kind), grid, compress=compress))


@pytest.mark.parametrize("kind", KINDS[2:])
def test_big_endian_nrrd(write, grid: Geometry, kind: str) -> None:
    path = write("a.nrrd", noise(grid, kind), grid)
    header, voxels = path.read_bytes().split(b"\n\n", 1)
    swapped = np.frombuffer(voxels, kind).byteswap().tobytes()
    path.write_bytes(header.replace(b"endian: little", b"endian: big") + b"\n\n" + swapped)
    same_as_simpleitk(path)
    np.testing.assert_array_equal(read_image(path).array, noise(grid, kind))


@pytest.mark.parametrize(("kind", "number"), [("i2", 4), ("f4", 16), ("u2", 512), ("f8", 64)])
def test_big_endian_nifti(tmp_path: Path, grid: Geometry, kind: str, number: int) -> None:
    array = noise(grid, kind)
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(big_endian_nifti(array, number)))
    np.testing.assert_array_equal(read_image(path, orientation="LPS").array, array)


def big_endian_nifti(array: NDArray, datatype: int) -> bytes:
    header = bytearray(352)
    z, y, x = array.shape
    header[0:4] = np.array(348, ">i4").tobytes()
    header[40:56] = np.array([3, x, y, z, 1, 1, 1, 1], ">i2").tobytes()
    header[70:74] = np.array([datatype, 8 * array.itemsize], ">i2").tobytes()
    header[76:108] = np.array([1, 0.5, 0.5, 4, 1, 1, 1, 1], ">f4").tobytes()
    header[108:112] = np.array(352, ">f4").tobytes()
    header[123] = 2
    header[344:348] = b"n+1\0"
    return bytes(header) + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("extension", [16, 1024])
def test_voxels_behind_a_header_extension(tmp_path: Path, grid: Geometry, extension: int) -> None:
    plain = big_endian_nifti(noise(grid, "i2"), 4)
    header = bytearray(plain[:352])
    header[108:112] = np.array(352 + extension, ">f4").tobytes()
    header[348] = 1
    note = np.array([extension, 6], ">i4").tobytes().ljust(extension, b" ")
    (tmp_path / "a.nii").write_bytes(bytes(header) + note + plain[352:])
    found = read_image(tmp_path / "a.nii", orientation="LPS").array
    np.testing.assert_array_equal(found, noise(grid, "i2"))


def test_text_encoding_is_left_to_simpleitk(tmp_path: Path, grid: Geometry) -> None:
    array = noise(grid, "i2")
    sizes = " ".join(map(str, grid.size))
    lines = (
        "NRRD0004", "type: short", "dimension: 3", "space: left-posterior-superior",
        f"sizes: {sizes}", "space directions: (1,0,0) (0,1,0) (0,0,1)", "encoding: ascii",
        "space origin: (0,0,0)", "", " ".join(map(str, array.ravel())), "",
    )  # fmt: skip
    (tmp_path / "a.nrrd").write_text("\n".join(lines))
    same_as_simpleitk(tmp_path / "a.nrrd")


def test_real_files(reference: Path) -> None:
    folders = [reference / "pyradiomics", reference / "spine_mri" / "sct_cspine"]
    found = [p for f in folders for p in f.iterdir() if p.name.endswith((".nrrd", ".nii.gz"))]
    assert len(found) > 15
    for path in found:
        same_as_simpleitk(path)


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii.gz"])
def test_digest_is_that_of_the_file(write, grid: Geometry, name: str) -> None:
    path = write(name, noise(grid, "i2"), grid, compress=True)
    assert read_image(path).history[0].parameters["sha256"] == file_digest(path)
    assert source_digest(path) == file_digest(path)


@pytest.mark.parametrize("kind", ["u1", "i2", "u4", "f4"])
def test_labels_of_every_type(write, grid: Geometry, kind: str) -> None:
    array = np.zeros(grid.shape, kind)
    array[1:3, 2:5, 3:6], array[4, 4, 4] = 20, 7
    path = write("m.nii.gz", array, grid)
    assert [(s.name, s.voxels) for s in list_segments(path)] == [("7", 1), ("20", 18)]
    np.testing.assert_array_equal(read_mask(f"{path}#20", grid).array, array == 20)


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.integers(0, 9))
def test_members_and_padding(parts: list[bytes], padding: int) -> None:
    data = b"".join(gzip.compress(p) for p in parts) + bytes(padding)
    whole = b"".join(parts)
    assert decompress(data, len(whole)) == whole
    if whole:
        with pytest.raises(Surplus):
            decompress(data, len(whole) - 1)


@given(st.binary(min_size=20, max_size=400), st.data())
def test_any_damage_is_found_or_harmless(content: bytes, data: st.DataObject) -> None:
    whole = gzip.compress(content, mtime=0)
    at = data.draw(st.integers(10, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(*DAMAGE):
        assert decompress(bytes(damaged), 400) == content
    with pytest.raises(DAMAGE):
        decompress(whole[:at], 400)


def test_garbage_behind_the_data_is_refused(write, grid: Geometry) -> None:
    path = write("a.nii.gz", noise(grid, "i2"), grid)
    path.write_bytes(path.read_bytes() + b"garbage")
    with pytest.raises(ImageError, match="truncated or damaged"):
        read_image(path)


def test_stream_of_plain_and_compressed(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"vertebra")
    (tmp_path / "packed").write_bytes(gzip.compress(b"vertebra"))
    for name in ("plain", "packed"):
        with open_stream(tmp_path / name) as stream:
            assert stream.read(4) == b"vert"
