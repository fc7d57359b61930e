"""Several sequences of a case: one grid, the same place on another, or refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.commands import study as verbs
from centrum.errors import ProtocolError
from centrum.io import read_image, read_mask
from centrum.measure.case import MeasurementJob, measure
from centrum.measure.extract import extract, plan
from centrum.measure.perturbed import PerturbedJob, measure_perturbed
from centrum.measure.sequences import choose_sequences, without_shape
from centrum.perturb import RobustnessSettings
from centrum.prepare.resample import onto_grid
from centrum.protocol import Images, parse_protocol
from centrum.report.labels import labels_within
from centrum.study.study import Study, open_study
from centrum.table import FeatureTable
from tests.studies import make_study, read_rows, write_rows

PROTOCOL = """\
preset: vcf-t2w
name: Two sequences
images: {sequences: [T2w, T1w]}
preparation: {normalisation: {method: none}}
extraction:
  plane: axial
  families: [morphology, statistics, histogram]
  filters: []
  interpolation: null
  discretisation: {method: fixed_bin_number, bins: 8}
"""

Change = Callable[[sitk.Image], sitk.Image]


def two_sequences(folder: Path, change: Change, n: int = 4) -> Path:
    """A study whose T1w images are the T2w ones, brightened, and changed by `change`."""
    make_study(folder, n=n, protocol=PROTOCOL)
    rows = []
    for row in read_rows(folder):
        image = row.pop("image")
        bright = sitk.ReadImage(folder / image) * 2 + 10
        other = image.replace(".nrrd", "_T1w.nrrd")
        sitk.WriteImage(change(bright), folder / other)
        rows.append(row | {"image:T2w": image, "image:T1w": other})
    write_rows(folder, rows)
    return folder


def same(image: sitk.Image) -> sitk.Image:
    return image


def turned(image: sitk.Image) -> sitk.Image:
    """The same voxels in space, rows from the other side and slices first.

    (Filters that are not symmetric see the difference.)
    """
    return sitk.PermuteAxes(image[:, ::-1], [2, 0, 1])


def finer(image: sitk.Image) -> sitk.Image:
    """Twice as many columns, beginning a quarter of a voxel earlier."""
    size, spacing = list(image.GetSize()), list(image.GetSpacing())
    size[0], spacing[0] = 2 * size[0], spacing[0] / 2
    origin = np.subtract(image.GetOrigin(), (spacing[0] / 2, 0, 0))
    return sitk.Resample(
        image, size, sitk.Transform(), sitk.sitkLinear, origin, spacing, image.GetDirection()
    )


def smaller(image: sitk.Image) -> sitk.Image:
    """Without the last slices, which the region reaches, and a shift that no voxel has."""
    part = image[:, :, :4]
    part.SetOrigin(np.add(part.GetOrigin(), (0.2, 0, 0)))
    return part


@pytest.fixture
def make(tmp_path: Path) -> Callable[[Change], Study]:
    return lambda change: open_study(two_sequences(tmp_path / change.__name__, change))


def resampled(job: MeasurementJob) -> MeasurementJob:
    images = job.images.model_copy(update={"on_sequence_mismatch": "resample"})
    return replace(job, images=images)


def test_features_of_the_further_sequence_have_no_shape(make: Callable[[Change], Study]) -> None:
    study = make(same)
    assert study.sequences == ("T2w", "T1w")
    families = {(f.sequence, f.family) for f in study.features}
    assert families == {
        ("T2w", "morphology"), ("T2w", "statistics"), ("T2w", "histogram"),
        ("T1w", "statistics"), ("T1w", "histogram"),
    }  # fmt: skip
    names = [f.spell("ibsi") for f in study.features]
    assert len(set(names)) == len(names)
    assert names[0].startswith("T2w_original_morphology_")
    features = dict(zip(names, study.features, strict=True))
    labels = labels_within(features, study.protocol.extraction)
    assert labels[names[-1]].endswith(" (T1w)")


def test_values_are_those_of_each_image(make: Callable[[Change], Study]) -> None:
    job = make(same).jobs()[0]
    record, further = measure(job), without_shape(job.extraction)
    volume, other = read_image(job.image), read_image(job.further["T1w"])
    for reader, source in job.masks.items():
        mask = read_mask(source, volume.geometry)
        expected = [*extract(volume, mask, job.extraction), *extract(other, mask, further)]
        np.testing.assert_allclose(record["values"][reader], expected)
        steps = [step["name"] for step in record["history"][reader]]
        assert steps == ["read", "read", "sequence", "read", "read"]


def test_the_same_voxels_stored_otherwise_give_the_same(make: Callable[[Change], Study]) -> None:
    usual, other = (measure(make(change).jobs()[0]) for change in (same, turned))
    assert other["errors"] == []
    for reader, values in usual["values"].items():
        np.testing.assert_allclose(other["values"][reader], values, rtol=1e-9)


def test_a_further_region_is_its_own_in_an_image_stored_otherwise(
    make: Callable[[Change], Study],
) -> None:
    """There masks are read once more: each from its own file."""
    usual, other = (make(change).jobs()[0] for change in (same, turned))
    senior, resident = usual.masks.values()
    further: dict[str, Any] = {
        "masks": {"senior": senior}, "regions": {"senior:arch": resident}, "region_names": ("arch",)
    }  # fmt: skip
    first, again = (measure(replace(job, **further)) for job in (usual, other))
    np.testing.assert_allclose(first["values"]["senior"], again["values"]["senior"], rtol=1e-9)


def test_another_grid_is_refused_unless_resampling_is_asked_for(
    make: Callable[[Change], Study],
) -> None:
    job = make(finer).jobs()[0]
    refused = measure(job)
    assert refused["values"] == {}
    assert "in sequence T1w" in refused["errors"][0]["message"]
    assert "images.on_sequence_mismatch: resample" in refused["errors"][0]["message"]
    record = measure(resampled(job))
    volume, other = read_image(job.image), read_image(job.further["T1w"])
    mask = read_mask(job.masks["senior"], volume.geometry)
    expected = extract(onto_grid(other, volume.geometry), mask, without_shape(job.extraction))
    first = len(plan(job.extraction))
    np.testing.assert_allclose(record["values"]["senior"][first:], expected)
    assert "resample" in [step["name"] for step in record["history"]["senior"]]
    assert resampled(job).key() != job.key()


def test_a_region_beyond_the_further_image_is_an_error(make: Callable[[Change], Study]) -> None:
    record = measure(resampled(make(smaller).jobs()[0]))
    assert record["values"] == {}
    assert "NaN or infinite" in record["errors"][0]["message"]
    assert "in sequence T1w" in record["errors"][0]["message"]


def test_a_case_without_the_image_fails_and_says_why(make: Callable[[Change], Study]) -> None:
    study = make(same)
    job = replace(study.jobs()[0], further={"T1w": ""})
    errors = measure(job)["errors"]
    (error,) = errors
    assert (error["reader"], error["code"]) == (None, "no-image")
    assert error["message"].startswith("The manifest names no image.")
    assert error["message"].endswith("(in sequence T1w)")


def test_the_table_of_a_study_holds_both(make: Callable[[Change], Study]) -> None:
    study = make(same)
    verbs.extract(study)
    table = FeatureTable.load(study.results)
    assert {f.sequence for f in table.features} == {"T2w", "T1w"}
    names = [f.spell("ibsi") for f in table.features]
    one, other = (names.index(f"{name}_original_statistics_mean") for name in ("T2w", "T1w"))
    np.testing.assert_allclose(table.values[:, other], 2 * table.values[:, one] + 10)
    assert "sequence T2w and T1w" in verbs.outlook(study)[1]


def test_perturbation_measures_all_sequences(make: Callable[[Change], Study]) -> None:
    study = make(same)
    record = measure_perturbed(PerturbedJob(study.jobs()[0], RobustnessSettings()))
    assert record["errors"] == {}
    assert {len(values) for values in record["values"].values()} == {len(study.features)}


MOVED = RobustnessSettings(kinds=("translation", "rotation"), through_plane=True, repeats=3)


def test_the_patient_moves_alike_in_all_sequences(make: Callable[[Change], Study]) -> None:
    """T1w is twice T2w and 10, on axes of its own: the same motion changes it twice as much."""
    study = make(turned)
    named = [(f.sequence, f.family, f.feature) for f in study.features]
    one, other = (named.index((name, "statistics", "mean")) for name in ("T2w", "T1w"))
    record = measure_perturbed(PerturbedJob(study.jobs()[0], MOVED))
    assert len(record["values"]) == 3
    for values in record["values"].values():
        assert values[other] == pytest.approx(2 * values[one] + 10, rel=1e-7)


@pytest.mark.parametrize(
    ("images", "columns", "wanted"),
    [
        ({}, ("scan",), ("scan",)),
        ({"weighting": "T2w"}, ("scan",), ("scan",)),
        ({"weighting": "T2w"}, ("T1w", "T2_sag"), ("T2_sag",)),
        ({"sequence": "T1w"}, ("T2w", "T1w"), ("T1w",)),
        ({"weighting": "T1w", "sequences": ("T2w", "T1w")}, ("T1w", "T2w"), ("T2w", "T1w")),
        ({"weighting": "T1w", "sequences": ("T2w", "scan")}, ("scan", "T2w"), ("T2w", "scan")),
    ],
)
def test_the_columns_that_are_meant(
    images: dict[str, Any], columns: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    assert choose_sequences(Images(**images), columns) == wanted


@pytest.mark.parametrize(
    ("images", "columns", "message"),
    [
        ({}, (), "has no image column"),
        ({"weighting": "T2w"}, ("T1w",), r"is of T2w .* column 'T1w' is named after another"),
        (
            {"weighting": "T2w", "sequences": ("T1w", "STIR")},
            ("T1w", "STIR"),
            "'T1w' and 'STIR' is",
        ),
        ({}, ("T1w", "T2w"), r"names no weighting: .*\{sequence: T1w\}"),
        ({"weighting": "STIR"}, ("T1w", "T2w"), r"none of them is named for STIR .*ence: T1w\}"),
        ({"weighting": "T2w"}, ("a", "T2_a", "T2_b"), r"T2_a, T2_b are named for T2w .*ce: T2_a\}"),
    ],
)
def test_columns_of_which_none_is_meant(
    images: dict[str, Any], columns: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ProtocolError, match=message):
        choose_sequences(Images(**images), columns)


def test_one_sequence_has_plain_names(tmp_path: Path) -> None:
    folder = two_sequences(tmp_path / "study", same)
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text.replace("[T2w, T1w]", "[T1w], weighting: T1w"))
    study = open_study(folder)
    assert study.jobs()[0].further == {}
    assert study.features == plan(study.protocol.extraction)
    (folder / "study.yaml").write_text(text.replace("[T2w, T1w]", "[T2w, STIR]"))
    with pytest.raises(ProtocolError, match=r"image sequence 'STIR'; the manifest has T2w, T1w"):
        open_study(folder).jobs()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ("{sequence: T2w, sequences: [T2w, T1w]}", "either `sequence` or `sequences`"),
        ("{sequences: [T2w, T2w]}", "named twice"),
        ("{sequences: [T2w, T1w]}\npreparation: {normalisation: {method: nyul}}", "Nyul scale"),
    ],
)
def test_contradictions_are_refused(images: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        parse_protocol(f"preset: vcf-t2w\nimages: {images}", "study.yaml")
