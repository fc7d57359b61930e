"""Where an image lies is the file's to say, or the user's; never assumed. Units are plausible."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.errors import CentrumError, GeometryError, ImageError
from centrum.geometry import (
    ORIENTATIONS,
    Geometry,
    direction_of,
    plane_of,
)
from centrum.io import (
    inspect_image,
    list_segments,
    read_image,
    read_mask,
    read_masks,
    stated_orientation,
)
from tests.io.test_read_image import nifti_with

SPACELESS = {
    "scanner": lambda header: header.replace(b"left-posterior-superior", b"scanner-xyz"),
    "right-handed": lambda header: header.replace(b"left-posterior-superior", b"3D-right-handed"),
    "space dimension": lambda header: header.replace(
        b"space: left-posterior-superior", b"space dimension: 3"
    ),
    "spacings": lambda header: b"\n".join(
        b"spacings: 0.6 0.7 4.4" if line.startswith(b"space directions") else line
        for line in header.split(b"\n")
        if not line.startswith((b"space:", b"space origin"))
    ),
}


def orientation_of(geometry: Geometry) -> str:
    """Where the axes x, y and z run to, each by the nearest direction of the patient."""
    rows = np.abs(geometry.axes).argmax(axis=0)
    ends = ("RL", "AP", "IS")
    return "".join(ends[row][int(geometry.axes[row, k] > 0)] for k, row in enumerate(rows))


@pytest.fixture
def array(grid: Geometry) -> np.ndarray:
    return np.arange(np.prod(grid.shape), dtype=np.int16).reshape(grid.shape)


def without_codes(path: Path) -> Path:
    nifti_with(path, slice(252, 256), np.zeros(2, "<i2"))
    return path


def with_header(path: Path, change) -> Path:
    header, voxels = path.read_bytes().split(b"\n\n", 1)
    path.write_bytes(change(header) + b"\n\n" + voxels)
    return path


def test_codes_and_directions() -> None:
    assert len(ORIENTATIONS) == 48
    for code in ORIENTATIONS:
        assert orientation_of(Geometry((2, 2, 2), (1, 1, 1), direction=direction_of(code))) == code
    sagittal = Geometry((256, 256, 15), (1, 1, 4), direction=direction_of("PIR"))
    assert plane_of(sagittal) == "sagittal"
    with pytest.raises(GeometryError, match="'XYZ' is no orientation"):
        direction_of("XYZ")


def test_a_nifti_without_form_codes_is_refused_unless_stated(write, grid, array) -> None:
    path = without_codes(write("a.nii", array, grid))
    with pytest.raises(ImageError, match="does not say how its axes lie") as caught:
        read_image(path)
    assert (caught.value.code, caught.value.file) == ("no-orientation", "a.nii")
    assert "images.orientation" in caught.value.remedy
    found = read_image(path, orientation="PIR")
    assert orientation_of(found.geometry) == "PIR"
    np.testing.assert_allclose(found.geometry.spacing, grid.spacing, rtol=1e-6)
    assert found.history[0].parameters["orientation_from"] == "nothing"
    assert stated_orientation(found) == "PIR"
    assert [f.code for f in inspect_image(found, "sagittal", "a.nii")] == ["stated-orientation"]


@pytest.mark.parametrize("kind", SPACELESS)
def test_an_nrrd_outside_the_patient_is_refused_unless_stated(write, grid, array, kind) -> None:
    path = with_header(write("a.nrrd", array, grid), SPACELESS[kind])
    with pytest.raises(ImageError, match="does not say how its axes lie") as caught:
        read_image(path)
    assert caught.value.code == "no-orientation"
    found = read_image(path, orientation="ASL")
    assert orientation_of(found.geometry) == "ASL"
    np.testing.assert_allclose(found.geometry.spacing, grid.spacing)
    np.testing.assert_array_equal(found.array, array)


def test_an_nrrd_without_spacing_is_refused(write, grid, array) -> None:
    def bare(header: bytes) -> bytes:
        lines = header.split(b"\n")
        return b"\n".join(line for line in lines if not line.startswith(b"space"))

    with pytest.raises(ImageError, match="neither `space directions` nor") as caught:
        read_image(with_header(write("a.nrrd", array, grid), bare), orientation="PIR")
    assert caught.value.code == "no-spacing"


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1, 1)),
        ("Right-Anterior-Superior", (-1, -1, 1)),
        ("LAS", (1, -1, 1)),
        ("RAS", (-1, -1, 1)),
    ],
)
def test_anatomical_spaces_of_nrrd(write, array, space: str, signs: tuple[int, ...]) -> None:
    grid = Geometry((9, 8, 5), (0.6, 0.7, 4.4), (11.5, -20.25, 33.0))
    path = write("a.nrrd", array, grid)
    with_header(path, lambda h: h.replace(b"left-posterior-superior", space.encode()))
    found = read_image(path, orientation="PIR").geometry
    np.testing.assert_allclose(found.axes, np.diag(signs))
    np.testing.assert_allclose(found.origin, np.multiply(signs, grid.origin))
    assert "orientation_stated" not in read_image(path, orientation="PIR").history[0].parameters


def test_a_mask_without_orientation_lies_on_its_image_where_that_is_stated(write, grid) -> None:
    labels = np.zeros(grid.shape, np.uint8)
    labels[1:4, 2:6, 3:7] = 1
    path = without_codes(write("m.nii", labels, grid))
    assert list_segments(path)[0].voxels == 48
    with pytest.raises(ImageError) as caught:
        read_mask(path, grid)
    assert caught.value.code == "no-orientation"
    assert orientation_of(grid) == "PIR"
    mask = read_mask(path, grid, orientation="PIR")
    np.testing.assert_array_equal(mask.array, labels == 1)
    assert mask.geometry == grid
    assert stated_orientation(mask) == "PIR"
    np.testing.assert_array_equal(
        read_mask(path, grid, orientation="AIR").array, labels[:, :, ::-1] == 1
    )
    assert len(read_masks(path, orientation="PIR")) == 1


def test_a_mask_without_orientation_and_of_another_size_is_no_crop(write, grid) -> None:
    smaller = grid.crop((0, 0, 0), (7, 8, 5))
    path = without_codes(write("m.nii", np.ones(smaller.shape, np.uint8), smaller))
    with pytest.raises(GeometryError, match=r"m\.nii does not say where it lies") as caught:
        read_mask(path, grid, orientation="PIR", on_mismatch="resample")
    assert caught.value.code == "no-orientation"


# Units


@pytest.mark.parametrize("forms", [False, True])
@pytest.mark.parametrize("length", [0, np.nan, np.inf])
def test_a_nifti_without_spacing_is_refused(write, grid, array, length, forms: bool) -> None:
    path = write("a.nii", array, grid)
    nifti_with(path, slice(88, 92), np.array([length], "<f4"))
    if not forms:
        without_codes(path)
    with pytest.raises(ImageError, match=r"a\.nii gives no size of its voxels") as caught:
        read_image(path, orientation="PIR")
    assert caught.value.code == "no-spacing"


def nifti_in(path: Path, unit: int, factor: float) -> Path:
    """The file with lengths multiplied by `factor` in another unit of `xyzt_units`."""
    whole = path.read_bytes()
    for start, stop in ((80, 92), (268, 280), (280, 328)):
        numbers = np.frombuffer(whole[start:stop], "<f4") * np.float32(factor)
        nifti_with(path, slice(start, stop), numbers)
    nifti_with(path, slice(123, 124), np.array([unit], "u1"))
    return path


@pytest.mark.parametrize(("unit", "factor"), [(0, 1), (1, 1e-3), (2, 1), (3, 1e3)])
def test_honest_units_of_nifti(write, grid, array, unit: int, factor: float) -> None:
    found = read_image(nifti_in(write("a.nii", array, grid), unit, factor)).geometry
    assert found.distance(grid) < 1e-3


@pytest.mark.parametrize(("unit", "factor"), [(1, 1), (3, 1), (2, 1e-3), (2, 1e3), (2, 10)])
def test_wrong_units_of_nifti_are_refused(write, grid, array, unit: int, factor: float) -> None:
    path = nifti_in(write("a.nii", array, grid), unit, factor)
    with pytest.raises(ImageError, match="has voxels of") as caught:
        read_image(path)
    assert caught.value.code == "impossible-spacing"
    assert "metres" in caught.value.remedy


@pytest.mark.parametrize("unit", ["mm", "cm"])
def test_units_of_nrrd(write, grid, array, unit: str) -> None:
    units = f'\nspace units: "{unit}" "{unit}" "{unit}"'.encode()
    path = with_header(write("a.nrrd", array, grid), lambda header: header + units)
    if unit == "mm":
        assert read_image(path).geometry.distance(grid) < 1e-6
        return
    with pytest.raises(ImageError, match="expected millimetres") as caught:
        read_image(path)
    assert caught.value.code == "other-unit"


def test_impossible_spacing_of_every_reader(write, write_series, stack) -> None:
    grid = Geometry((9, 8, 5), (600, 700, 4400))
    image = write("a.nrrd", np.ones(grid.shape, np.uint8), grid)
    folder = write_series(stack, changes=lambda k: {"PixelSpacing": [0.0007, 0.0006]})
    for read in (lambda: read_image(image), lambda: read_mask(image, grid),
                 lambda: read_image(folder)):  # fmt: skip
        with pytest.raises(CentrumError) as caught:
            read()
        assert caught.value.code == "impossible-spacing"


def test_real_exams_are_read(reference: Path) -> None:
    for path in (reference / "spine_mri").rglob("*.nii.gz"):
        assert min(read_image(path).geometry.spacing) >= 1 or "sct" in str(path)
    for folder in {p.parent for p in (reference / "dicom").rglob("*") if p.is_file()}:
        if folder.name == "mr":
            assert sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
            read_image(folder)
