"""Files that hold what is wanted are read whatever they are called; stand-ins are named."""

import gzip
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.cohort import check_files, read_manifest
from centrum.cohort.discover import discover
from centrum.errors import CentrumError, ImageError, ManifestError
from centrum.geometry import Geometry
from centrum.io import (
    list_segments,
    list_series,
    read_image,
    read_mask,
    source_digest,
    split_source,
)
from tests.io.test_orientation import nifti_with

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
ANNEX = b"/annex/objects/MD5E-s2--b5ed.nii.gz\n"
APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(60)


@pytest.fixture
def array(grid: Geometry) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 9, grid.shape).astype(np.int16)


def reads(path: Path, array: np.ndarray, grid: Geometry) -> None:
    found = read_image(path)
    np.testing.assert_array_equal(found.array, array)
    assert found.geometry.distance(grid) < 1e-4
    assert found.history[0].parameters["sha256"] == source_digest(path)
    assert {s.name for s in list_segments(path)} == {str(k) for k in range(1, 9)}


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ", "a", "a.img"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_content_of_a_nifti_decides(write, grid, array, name, packed, scaled) -> None:
    path = write("x.nii", array, grid)
    if scaled:
        nifti_with(path, slice(112, 120), np.array([2, 0], "<f4"))
    content = path.read_bytes()
    path = path.with_name(name)
    path.write_bytes(gzip.compress(content) if packed else content)
    if scaled:
        np.testing.assert_array_equal(read_image(path).array, 2 * array)
    else:
        reads(path, array, grid)


def pair(write, array: np.ndarray, grid: Geometry) -> tuple[Path, Path]:
    header = write("p.hdr", array, grid)
    return header, header.with_suffix(".img")


def test_other_formats_are_not_compressed_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.nrrd"
    sitk.WriteImage(sitk.Image(3, 3, 3, sitk.sitkInt16), path)
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(ImageError, match="NRRD, compressed as a whole"):
        read_image(path)


@pytest.mark.parametrize("given", [0, 1])
@pytest.mark.parametrize("ends", [(".hdr", ".img"), (".hdr", ".img.gz"), (".hdr.gz", ".img.gz"),
                                  (".HDR", ".IMG")])  # fmt: skip
def test_a_pair_of_header_and_voxels(write, grid, array, given: int, ends) -> None:
    files = []
    for path, end in zip(pair(write, array, grid), ends, strict=True):
        content = path.read_bytes()
        path.unlink()
        files.append(path.with_name(f"p{end}"))
        files[-1].write_bytes(gzip.compress(content) if end.endswith("gz") else content)
    reads(files[given], array, grid)


def test_the_digest_of_a_pair_is_that_of_both(write, grid, array) -> None:
    header, voxels = pair(write, array, grid)
    before = source_digest(header)
    voxels.write_bytes(voxels.read_bytes()[:-1] + b"\x07")
    assert source_digest(header) != before
    voxels.write_bytes(voxels.read_bytes()[:-1])
    with pytest.raises(ImageError, match=r"p\.img is truncated"):
        read_image(header)
    voxels.unlink()
    with pytest.raises(ImageError, match=r"the \.img file with its voxels") as caught:
        read_image(header)
    assert caught.value.code == "missing-file"


def test_analyze_has_no_orientation(write, grid, array) -> None:
    header, _ = pair(write, array, grid)
    nifti_with(header, slice(344, 348), np.zeros(4, "u1"))
    with pytest.raises(ImageError, match="Analyze") as caught:
        read_image(header)
    assert caught.value.code == "no-orientation"


# MetaImage


@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
@pytest.mark.parametrize("compress", [False, True])
def test_metaimage(write, grid, array, name: str, compress: bool) -> None:
    path = write(name, array, grid, compress=compress)
    reads(path, array, grid)
    np.testing.assert_array_equal(read_mask(f"{path}#3", grid).array, array == 3)
    voxels = next((p for p in path.parent.glob("*raw")), path)
    whole, before = voxels.read_bytes(), source_digest(path)
    voxels.write_bytes(whole[:-2] + b"\x07\x07")
    assert source_digest(path) != before
    voxels.write_bytes(whole[:-2])
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert caught.value.code == "damaged-file"


def test_a_metaimage_says_axes_and_spacing_or_is_refused(write, grid, array) -> None:
    path = write("a.mha", array, grid)
    whole = path.read_bytes()
    path.write_bytes(b"".join(
        line for line in whole.splitlines(keepends=True) if not line.startswith(b"TransformMatrix")
    ))  # fmt: skip
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert caught.value.code == "no-orientation"
    path.write_bytes(whole.replace(b"ElementSpacing", b"ElementSpicing"))
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert caught.value.code == "no-spacing"


# What stands for a file


@pytest.mark.parametrize(
    ("content", "code", "remedy"),
    [
        (LFS, "lfs-pointer", "git lfs pull"),
        (ANNEX, "annex-pointer", "git annex get"),
        (APPLE_DOUBLE, "apple-double", r"'\._'"),
    ],
)
def test_stand_ins_are_named(tmp_path: Path, content: bytes, code: str, remedy: str) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=remedy) as caught:
        read_image(path)
    assert (caught.value.code, caught.value.file) == (code, "a.nii.gz")


def test_a_dangling_link_is_named(tmp_path: Path, write_series, stack) -> None:
    (tmp_path / "a.nii.gz").symlink_to("/annex/objects/none")
    for read in (read_image, list_segments, source_digest):
        with pytest.raises(ImageError, match="a link to content that is not there") as caught:
            read(tmp_path / "a.nii.gz")
        assert caught.value.code == "missing-content"
        assert "datalad get" in caught.value.remedy
    folder = write_series(stack)
    (folder / "1.2.3-05.dcm").symlink_to("/annex/objects/none")
    with pytest.raises(ImageError, match=r"1\.2\.3-05\.dcm is a link to content"):
        read_image(folder)


def test_apple_double_files_beside_slices_are_passed_over(write_series, stack) -> None:
    folder = write_series(stack)
    digest = source_digest(folder)
    for path in list(folder.iterdir()):
        path.with_name(f"._{path.name}").write_bytes(APPLE_DOUBLE)
    found = read_image(folder)
    assert found.geometry.size[2] == 5
    assert found.history[0].parameters["ignored_files"] == 5
    assert len(list_series(folder)) == 1
    assert source_digest(folder) == digest


# Names in either Unicode form


def test_no_folder_is_listed_for_names_that_have_one_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mask.nrrd"
    path.touch()
    monkeypatch.setattr(Path, "iterdir", None)
    assert split_source(f"{path}#L1") == (path, "L1")
    assert split_source(tmp_path / "none.nrrd") == (tmp_path / "none.nrrd", None)


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
def test_names_are_found_in_either_form(tmp_path: Path, grid, array, on_disk: str) -> None:
    asked = {"NFC": "NFD", "NFD": "NFC"}[on_disk]
    name = "Übung/Jürgen #1/größe.nrrd"
    path = tmp_path / unicodedata.normalize(on_disk, name)
    path.parent.mkdir(parents=True)
    image = sitk.GetImageFromArray(array)
    sitk.WriteImage(image, str(path))
    wanted = f"{tmp_path}/{unicodedata.normalize(asked, name)}"
    assert split_source(wanted) == (path, None)
    assert split_source(f"{wanted}#3") == (path, "3")
    np.testing.assert_array_equal(read_image(wanted).array, array)
    assert source_digest(wanted) == source_digest(path)
    manifest = tmp_path / "cases.csv"
    manifest.write_text(f"case,outcome,image,mask\nA,malignant,{wanted},{wanted}#3\n", "utf-8")
    check_files(read_manifest(manifest))


def test_images_and_masks_of_one_name_in_two_forms_are_one_case(tmp_path: Path, array) -> None:
    for folder, form, suffix in (("images", "NFD", ""), ("masks", "NFC", "_R1")):
        (tmp_path / folder).mkdir()
        name = unicodedata.normalize(form, f"Pü3{suffix}.nii.gz")
        sitk.WriteImage(sitk.GetImageFromArray((array > 4) * 1), str(tmp_path / folder / name))
    (case,) = discover(tmp_path).cases
    assert case.id == unicodedata.normalize("NFC", "Pü3")


def test_a_dangling_link_ends_neither_init_nor_check(tmp_path: Path, array) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for name in ("images/P4", "images/P5", "masks/P4_R1", "masks/P5_R1", "masks/P6_R1"):
        labels = sitk.GetImageFromArray((array > 4).astype(np.uint8))
        sitk.WriteImage(labels, str(tmp_path / f"{name}.nii.gz"))
    (tmp_path / "images/P6.nii.gz").symlink_to("/annex/objects/none")
    found = discover(tmp_path)
    assert [case.id for case in found.cases] == ["P4", "P5"]
    assert any("images/P6.nii.gz is a link to content" in note for note in found.notes)
    manifest = tmp_path / "cases.csv"
    manifest.write_text(
        "case,outcome,image,mask\nA,malignant,images/P6.nii.gz,masks/P6_R1.nii.gz\n"
    )
    with pytest.raises(ManifestError, match=r"'P6\.nii\.gz' is a link to content .* datalad get"):
        check_files(read_manifest(manifest))


def test_every_refusal_of_a_file_has_code_file_and_remedy(
    tmp_path: Path, write_series, stack
) -> None:
    """Of those that a reader raises about a file that is there."""
    empty = tmp_path / "empty.nrrd"
    empty.write_bytes(b"")
    folder = write_series(stack, positions=[0, 4.4, 8.8, 17.6, 22])
    for source in (empty, tmp_path / "none.nii", folder):
        with pytest.raises(CentrumError) as caught:
            read_image(source)
        assert caught.value.code not in ("unreadable-image", "bad-input")
        assert caught.value.file
        assert str(caught.value).endswith(caught.value.remedy)
        assert caught.value.remedy
