"""What is known of an acquisition, from wherever; and what a model makes of it."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.frozen.domain import Distribution, Domain, feature_flags
from centrum.frozen.schema import validated
from centrum.geometry import Geometry
from centrum.io import read_image
from centrum.measure.acquisition import (
    acquisition_facts,
    from_manifest,
    region_facts,
    with_manifest,
)
from centrum.provenance import Step
from centrum.records import as_json
from centrum.volume import Mask, Volume

GRID = Geometry((8, 9, 4), (0.5, 0.7, 4.4))
SIDECAR = {
    "Modality": "MR",
    "RepetitionTime": 2.5,
    "EchoTime": 0.121,
    "MagneticFieldStrength": 1.5,
    "Manufacturer": "GE",
    "ManufacturersModelName": "HDxt",
    "PatientName": "Meyer",
}


def test_a_sidecar_is_read_in_milliseconds_and_nothing_else_of_it(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((4, 9, 8), np.int16)), tmp_path / "a.nii.gz")
    (tmp_path / "a.json").write_text(json.dumps(SIDECAR))
    volume = read_image(tmp_path / "a.nii.gz")
    found = acquisition_facts(volume)
    assert found["repetition_time_ms"] == pytest.approx(2500)
    assert found["echo_time_ms"] == pytest.approx(121)
    assert (found["field_strength_t"], found["manufacturer"], found["model"]) == (1.5, "GE", "HDxt")
    assert "Meyer" not in str(volume.history)


def test_the_header_counts_before_the_manifest() -> None:
    read = Step("read", {"acquisition": {"repetition_time_ms": 3000.0, "modality": "MR"}})
    facts = acquisition_facts(Volume(np.zeros(GRID.shape), GRID, (read,)))
    known = with_manifest(facts, {"TR_ms": 2500.0, "te_ms": 90.0, "vendor": "GE", "age": 70.0})
    assert (known["repetition_time_ms"], known["echo_time_ms"]) == (3000.0, 90.0)
    assert known["manufacturer"] == "GE"
    assert "age" not in known


def test_the_grid_says_plane_and_spacing() -> None:
    facts = acquisition_facts(Volume(np.zeros(GRID.shape), GRID))
    assert facts == {"pixel_mm": pytest.approx(0.6), "slice_step_mm": 4.4, "plane": "axial"}
    even = Geometry((4, 4, 4), (1.0, 1.0, 1.0))
    assert acquisition_facts(Volume(np.zeros(even.shape), even))["plane"] == "isotropic"


def test_hounsfield_units_are_told_from_magnitudes() -> None:
    array = np.full(GRID.shape, 40.0)
    assert "modality" not in acquisition_facts(Volume(array, GRID))
    array[0] = -1000
    assert acquisition_facts(Volume(array, GRID))["modality"] == "CT"


@pytest.mark.parametrize(
    ("value", "voxels", "ct"), [(-201, 2, True), (-200, 2, False), (-1000, 1, False)]
)
def test_more_than_one_voxel_of_a_hundred_below_200_is_air(
    value: float, voxels: int, ct: bool
) -> None:
    grid = Geometry((10, 10, 1), (1.0, 1.0, 4.0))
    array = np.zeros(grid.shape)
    array.flat[:voxels] = value
    assert ("modality" in acquisition_facts(Volume(array, grid))) == ct


def test_a_header_that_tells_a_modality_is_not_contradicted() -> None:
    array = np.full(GRID.shape, -1000.0)
    read = Step("read", {"acquisition": {"modality": "MR"}})
    assert acquisition_facts(Volume(array, GRID, (read,)))["modality"] == "MR"


def test_columns_are_facts_by_any_of_their_names_where_they_hold_one() -> None:
    found = from_manifest({"TR": float("nan"), "te_ms": 90.0, "Model": "HDxt", "tumour": "lung"})
    assert found.facts == {"echo_time_ms": 90.0, "model": "HDxt"}


def test_slices_of_a_region_are_those_of_the_plane() -> None:
    array = np.zeros(GRID.shape, bool)
    array[1:3, 2:6, 3] = True
    found = [region_facts(Mask(array, GRID), plane)["slices"] for plane in
             ("axial", "coronal", "sagittal")]  # fmt: skip
    assert found == [2, 4, 1]


def test_a_region_is_counted() -> None:
    array = np.zeros(GRID.shape, bool)
    array[1:3, 2:4, 3:6] = True
    found = region_facts(Mask(array, GRID), "axial")
    assert found == {"voxels": 12, "slices": 2, "volume_mm3": pytest.approx(12 * 0.5 * 0.7 * 4.4)}


# Against the training cases

TRAINED = Domain.of(
    [{"pixel_mm": 0.55, "echo_time_ms": 100.0, "manufacturer": "GE"},
     {"pixel_mm": 0.60, "echo_time_ms": 120.0, "manufacturer": "Siemens"}],
    [{"voxels": 900, "slices": 8, "volume_mm3": 9000.0},
     {"voxels": 3000, "slices": 10, "volume_mm3": 30000.0}],
)  # fmt: skip
ALIKE = {"pixel_mm": 0.58, "echo_time_ms": 110.0, "manufacturer": "GE"}


@pytest.mark.parametrize(
    ("facts", "volume", "codes"),
    [
        ({}, 20000.0, []),
        ({"echo_time_ms": 125.9}, 20000.0, []),
        ({"echo_time_ms": 126.1}, 20000.0, ["acquisition"]),
        ({"pixel_mm": 0.52}, 20000.0, ["acquisition"]),
        ({"manufacturer": "Philips"}, 20000.0, ["acquisition"]),
        ({"modality": "PT"}, 20000.0, ["modality"]),
        ({}, 6700.0, ["region-small"]),
        ({}, 37600.0, ["region-large"]),
    ],
)
def test_what_is_unlike_is_flagged(facts: dict, volume: float, codes: list[str]) -> None:
    found = TRAINED.flags(ALIKE | facts, {"volume_mm3": volume})
    assert [flag.code for flag in found] == codes
    assert validated(Domain, json.loads(json.dumps(as_json(TRAINED))), "The domain") == TRAINED


def test_what_is_not_known_is_a_note() -> None:
    (flag,) = TRAINED.flags({"pixel_mm": 0.58}, {"volume_mm3": 20000.0})
    assert flag.severity == "note"
    assert "echo time, manufacturer" in flag.message


@pytest.mark.parametrize(
    ("values", "severity"),
    [([0.5] * 40, None), ([1.2] + [0.5] * 39, "note"), ([1.9] + [0.5] * 39, "warning"),
     ([1.1] * 4 + [0.5] * 36, "note"), ([1.1] * 5 + [0.5] * 35, "warning")],
)  # fmt: skip
def test_features_outside_are_a_note_or_a_warning(values: list, severity: str | None) -> None:
    x = np.linspace(0, 1, 30)
    one = Distribution.of("f", x, np.arange(30) % 2 == 0)
    assert one.sd < 0.4
    found = feature_flags([one] * 40, np.array(values))
    assert [flag.severity for flag in found] == ([severity] if severity else [])
