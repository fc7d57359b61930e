"""What a study does with images that do not say where they lie, or lie otherwise than it says."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.geometry import Geometry, direction_of
from centrum.io import read_image, read_mask
from centrum.measure.case import MeasurementJob, Record, measure
from centrum.morphometry import measure_exam
from centrum.prepare.settings import Preparation
from centrum.protocol import Protocol, parse_protocol
from tests.io.test_read_image import nifti_with
from tests.storage import to_image

GRID = Geometry((30, 28, 9), (0.6, 0.6, 4.4), (12, -30, 44), direction_of("PIR"))

PROTOCOL = """
name: Small
extraction:
  families: [statistics, glcm]
  aggregations: [2.5D_merged]
  interpolation: {in_plane: 0.8}
  discretisation: {method: fixed_bin_number, bins: 8}
"""


WHOLE = parse_protocol(
    "preset: vcf-t2w\nextraction: {interpolation: {in_plane: 0.8}}\n", "study.yaml"
)
BODY = Preparation(bias_field={}, normalisation={"method": "z_score", "over": "body"})
"""Everything that looks around the region: N4, the body's mean, cubic splines, filters."""


def write(path: Path, array: np.ndarray, grid: Geometry = GRID, *, forms: bool = True) -> str:
    sitk.WriteImage(to_image(array, grid), str(path))
    if not forms:
        nifti_with(path, slice(252, 256), np.zeros(2, "<i2"))
    return str(path)


def exam(folder: Path, grid: Geometry = GRID, *, image: bool = True, mask: bool = True) -> dict:
    """Sources of an image and a mask; True where the file says how it lies."""
    rng = np.random.default_rng(3)
    noise = rng.normal(300, 40, grid.shape).astype(np.float32)
    body = np.zeros(grid.shape, np.uint8)
    body[2:7, 6:20, 8:22] = 1
    return {
        "image": write(folder / "i.nii", noise, grid, forms=image),
        "masks": {"R1": write(folder / "m.nii", body, grid, forms=mask)},
    }


def protocol(more: str = "") -> Protocol:
    return parse_protocol(PROTOCOL + more, "study.yaml")


def record_of(sources: dict, settings: Protocol, **more) -> Record:
    job = MeasurementJob(
        "P1", images=settings.images, extraction=settings.extraction, store=None, **sources, **more
    )
    return measure(job)


def codes(record: Record) -> list[str]:
    return [finding["code"] for finding in record["findings"]]


@pytest.mark.parametrize(("image", "mask"), [(False, True), (True, False), (False, False)])
def test_stated_orientation_gives_the_numbers_of_the_exam(tmp_path: Path, image, mask) -> None:
    expected = record_of(exam(tmp_path), protocol())
    assert expected["values"]["R1"]
    assert codes(expected) == []
    silent = exam(tmp_path, image=image, mask=mask)
    (error,) = record_of(silent, protocol())["errors"]
    assert (error["code"], error["file"]) == ("no-orientation", "m.nii" if image else "i.nii")
    found = record_of(silent, protocol("images: {orientation: pir}\n"))
    if image or not mask:
        assert found["values"] == expected["values"]
        assert codes(found) == ["stated-orientation"] * ((not image) + (not mask))
    else:  # the mask lies somewhere, its image does not say where
        assert found["errors"][0]["code"] == "other-grid"


def test_a_further_sequence_that_does_not_say_its_place_lies_on_the_first(tmp_path: Path) -> None:
    sources, settings = exam(tmp_path), protocol("images: {orientation: PIR}\n")
    noise = np.random.default_rng(4).normal(100, 10, GRID.shape).astype(np.float32)
    further = {"T1w": write(tmp_path / "t1.nii", noise)}
    expected = record_of(sources, settings, further=further)
    write(tmp_path / "t1.nii", noise, forms=False)
    found = record_of(sources, settings, further=further)
    assert found["values"] == expected["values"]
    smaller = GRID.crop((0, 0, 0), (29, 28, 9))
    write(tmp_path / "t1.nii", noise[:, :, :29], smaller, forms=False)
    (error,) = record_of(sources, settings, further=further)["errors"]
    assert error["code"] == "no-orientation"


def test_slices_of_another_plane_are_a_warning(tmp_path: Path) -> None:
    axial = Geometry(GRID.size, GRID.spacing)
    record = record_of(exam(tmp_path, axial), protocol())
    assert record["values"]["R1"]
    (finding,) = record["findings"]
    assert (finding["severity"], finding["code"]) == ("warning", "other-plane")
    assert (finding["file"], finding["reader"]) == ("[image]", "all")
    assert "extraction.plane" in finding["remedy"]
    assert codes(record_of(exam(tmp_path, axial), protocol("  plane: axial\n"))) == []
    even = Geometry(GRID.size, (1, 1, 1.1))
    assert codes(record_of(exam(tmp_path, even), protocol())) == []


@pytest.mark.parametrize("dialect", ["ibsi", "pyradiomics"])
def test_a_grid_beyond_the_memory_is_refused_before_it_is_made(tmp_path: Path, dialect) -> None:
    text = PROTOCOL.replace("in_plane: 0.8", "isotropic: 0.02, mask: nearest")
    if dialect == "pyradiomics":
        text = text.replace("2.5D_merged", "3D_averaged") + "  dialect: pyradiomics\n"
    (error,) = record_of(exam(tmp_path), parse_protocol(text, "study.yaml"))["errors"]
    assert error["code"] == "too-large"
    assert "images.max_memory_gb" in error["remedy"]
    assert "GB" in error["message"]


def test_morphometry_takes_the_orientation_too(tmp_path: Path) -> None:
    sources = exam(tmp_path)
    ((expected, _),) = measure_exam(sources["masks"]["R1"], level="L1").bodies
    silent = exam(tmp_path, image=False, mask=False)
    found = measure_exam(silent["masks"]["R1"], silent["image"], level="L1", orientation="PIR")
    ((body, _),) = found.bodies
    np.testing.assert_allclose(body.heights, expected.heights)


def test_what_is_no_orientation_is_refused_by_the_protocol() -> None:
    with pytest.raises(Exception, match="three letters"):
        protocol("images: {orientation: sagittal}\n")


# Voxels without a value


@pytest.mark.parametrize("where", ["outside", "inside", "near"])
def test_a_background_without_values(tmp_path: Path, where: str) -> None:
    """Nothing there is as a background of zeros; inside the region it is an error."""
    sources, records = exam(tmp_path), []
    image = read_image(sources["image"])
    region = read_mask(sources["masks"]["R1"], image.geometry).array
    around = np.zeros_like(region)
    around[1:8, 4:24, 4:26] = True
    for nothing in (np.nan, 0.0):
        array = image.array.copy()
        array[~(region if where == "near" else around)] = nothing
        if where == "inside":
            array[4, 10, 10] = np.nan
        write(tmp_path / "i.nii", array)
        records.append(record_of(sources, WHOLE, preparation=BODY))
    cut, zero = records
    if where == "inside":
        assert [e["code"] for e in cut["errors"]] == ["non-finite-roi"]
        return
    np.testing.assert_allclose(cut["values"]["R1"], zero["values"]["R1"], rtol=1e-12)
    assert len(cut["values"]["R1"]) > 200
    assert set(codes(cut)) - set(codes(zero)) == {"non-finite-image"}
    steps = [step["name"] for step in cut["history"]["R1"]]
    assert steps[:2] == ["read", "fill_missing"]


def test_features_of_the_region_alone_are_those_of_the_whole_image(tmp_path: Path) -> None:
    """Without interpolation, filters and normalisation nothing looks outside the region."""
    sources = exam(tmp_path)
    settings = parse_protocol(
        "name: Plain\nextraction: {families: [statistics, glcm]}\n", "study.yaml"
    )
    expected = record_of(sources, settings)["values"]
    image = read_image(sources["image"])
    region = read_mask(sources["masks"]["R1"], image.geometry).array
    write(tmp_path / "i.nii", np.where(region, image.array, np.float32(np.nan)))
    assert record_of(sources, settings)["values"] == expected


def test_a_resampled_sequence_without_values_in_the_region_is_an_error(tmp_path: Path) -> None:
    settings = protocol("images: {on_sequence_mismatch: resample}\n")
    other = Geometry((40, 40, 9), (0.5, 0.5, 4.4), GRID.origin, GRID.direction)
    noise = np.random.default_rng(4).normal(100, 10, other.shape).astype(np.float32)
    noise[:, :2] = np.nan
    further = {"T1w": write(tmp_path / "t1.nii", noise, other)}
    assert record_of(exam(tmp_path), settings, further=further)["values"]["R1"]
    noise[4, 15, 15] = np.nan
    write(tmp_path / "t1.nii", noise, other)
    (error,) = record_of(exam(tmp_path), settings, further=further)["errors"]
    assert error["code"] == "non-finite-roi"
    assert "in sequence T1w" in error["message"]
