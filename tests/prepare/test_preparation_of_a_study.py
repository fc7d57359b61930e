"""Preparation within a study: what is learnt from whom, reference tissue, what stays the same."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.commands import check, study as verbs
from centrum.measure.case import measure
from centrum.prepare.settings import Preparation
from centrum.study.landmarks import known_preparation
from centrum.study.study import Study, open_study, training_rows
from tests.prepare.scenes import GRID, trunk
from tests.studies import SIZE, image_of, make_study, read_rows, write_rows

QUICK = """\
name: Quick
extraction:
  families: [statistics]
"""
NYUL = QUICK + "preparation: {normalisation: {method: nyul}}\n"


def learnt(folder: Path) -> dict:
    verbs.extract(open_study(folder))
    return json.loads((folder / "results" / "landmarks.json").read_text())


def sides(study: Study) -> tuple[list[str], list[str]]:
    """Cases to train on and to test on, as the model has them."""
    train, test = training_rows(study.protocol, study.cohort.to_frame())
    cases = [case.id for case in study.cohort.cases]
    return [cases[k] for k in train], [cases[k] for k in test]


def reshape_intensities(folder: Path, case: str) -> None:
    """Another distribution, not only another gain, which landmarks would not see."""
    path = folder / f"images/{case}.nrrd"
    array = sitk.GetArrayFromImage(sitk.ReadImage(path))
    sitk.WriteImage(image_of((array**3 / 400**2).astype(np.float32)), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study", n=12, protocol=NYUL)


def test_a_test_patient_does_not_change_the_landmarks(folder: Path) -> None:
    before = learnt(folder)
    train, test = sides(open_study(folder))
    assert before["cases"] == train
    for case in test:
        reshape_intensities(folder, case)
    assert learnt(folder) == before
    reshape_intensities(folder, train[0])
    assert learnt(folder)["landmarks"] != before["landmarks"]


def test_the_model_trains_on_the_patients_of_the_landmarks(tmp_path: Path) -> None:
    """Also when cases fail, before or while features are measured."""
    folder = make_study(tmp_path / "study", n=30, protocol=NYUL)
    train, _ = sides(open_study(folder))
    unreadable, without_body = train[:2]
    path = folder / f"images/{unreadable}.nrrd"
    path.write_bytes(path.read_bytes()[:-500])
    # One bright voxel in a constant view: it can be read, but has no landmarks.
    array = np.full(SIZE[::-1], 400, np.float32)
    array[3, 12, 12] = 900
    sitk.WriteImage(image_of(array), folder / f"images/{without_body}.nrrd")
    found = verbs.extract(open_study(folder))
    assert {f.case for f in found.failures} == {unreadable, without_body}
    record = json.loads((folder / "results" / "landmarks.json").read_text())
    study = open_study(folder)
    rows, _ = training_rows(study.protocol, found.table.obs)
    assert record["cases"] == [found.table.cases[k] for k in rows]


def test_an_image_counts_once(folder: Path) -> None:
    """Two fractures of a patient on one image."""
    train, _ = sides(open_study(folder))
    rows = read_rows(folder)
    first = next(row for row in rows if row["case"] == train[0])
    masks = {f"mask:{r}": f"masks/P100_{r}.nrrd" for r in ("senior", "resident")}
    for column, copy in masks.items():
        shutil.copy(folder / first[column], folder / copy)
    rows.append(first | masks | {"case": "P100", "level": "L4"})
    write_rows(folder, rows)
    record = learnt(folder)
    again = set(sides(open_study(folder))[0])
    assert {train[0], "P100"} <= again
    assert set(record["cases"]) == again - {"P100"}


def test_landmarks_are_kept_and_known_again(folder: Path) -> None:
    record = learnt(folder)
    study = open_study(folder)
    (step,) = [s for s in verbs.load_extraction(study).table.history if s.name == "prepare"]
    assert step.parameters["normalisation"]["landmarks"] == record["landmarks"]
    scale = known_preparation(study).normalisation
    assert scale.landmarks == pytest.approx(record["landmarks"])
    assert "0 cases to do, 12 in the store" in "\n".join(verbs.outlook(study))
    percentiles, ends = record["preparation"]["normalisation"]["percentiles"], (0, 100)
    assert len(record["landmarks"]) == len(percentiles)
    assert (record["landmarks"][0], record["landmarks"][-1]) == ends
    (folder / "study.yaml").write_text(NYUL + "split: {seed: 5}\n")
    assert known_preparation(open_study(folder)).normalisation.landmarks is None


def test_landmarks_of_another_study_are_applied_and_not_learnt(folder: Path) -> None:
    first = verbs.extract(open_study(folder)).table.values
    record = json.loads((folder / "results" / "landmarks.json").read_text())
    given = f"landmarks: {list(record['landmarks'])}"
    protocol = NYUL.replace("method: nyul", "method: nyul, " + given)
    (folder / "results" / "landmarks.json").unlink()
    (folder / "study.yaml").write_text(protocol)
    np.testing.assert_array_equal(verbs.extract(open_study(folder)).table.values, first)
    assert not (folder / "results" / "landmarks.json").exists()


def test_without_preparation_nothing_changes(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", n=4, protocol=QUICK)
    study = open_study(folder)
    verbs.extract(study)
    before = (folder / "results" / "features.csv").read_bytes()
    keys = [job.key() for job in study.jobs()]
    text = "preparation: {bias_field: null, normalisation: {method: none}}\n"
    (folder / "study.yaml").write_text(QUICK + text)
    again = open_study(folder)
    verbs.extract(again)
    assert [job.key() for job in again.jobs()] == keys
    assert (folder / "results" / "features.csv").read_bytes() == before
    steps = [s["name"] for s in measure(study.jobs()[0])["history"]["senior"]]
    assert steps == ["read", "read"]


def test_any_choice_of_preparation_is_part_of_the_key(tmp_path: Path) -> None:
    study = open_study(make_study(tmp_path / "study", n=2, protocol=QUICK))
    scales = [
        {"method": "none"},
        {"method": "z_score"},
        {"method": "z_score", "over": "image"},
        {"method": "nyul", "percentiles": (1, 99), "landmarks": (0, 1)},
        {"method": "nyul", "percentiles": (1, 99), "landmarks": (0, 2)},
    ]
    settings = [Preparation(normalisation=scale) for scale in scales]
    assert len({study.jobs(preparation=p)[0].key() for p in settings}) == len(settings)


# Reference tissue


def with_reference(folder: Path, label: int = 2) -> None:
    """A second segment in every mask file: the first columns of the view."""
    rows = read_rows(folder)
    for path in (folder / "masks").iterdir():
        array = sitk.GetArrayFromImage(sitk.ReadImage(path))
        array[:, :, :3] = label
        sitk.WriteImage(image_of(array), path)
    for row in rows:
        for reader in ("senior", "resident"):
            row[f"mask:{reader}"] += "#1"
    write_rows(folder, rows)


def reference_study(tmp_path: Path, **change: str) -> Path:
    settings = {"segments": "['7', '2']"} | change
    text = ", ".join(f"{k}: {v}" for k, v in settings.items())
    folder = make_study(
        tmp_path / "study",
        n=4,
        protocol=QUICK
        + (f"preparation: {{normalisation: {{method: reference_tissue, {text}}}}}\n"),
    )
    with_reference(folder)
    return folder


def test_values_are_relative_to_the_readers_reference(tmp_path: Path) -> None:
    folder = reference_study(tmp_path)
    table = verbs.extract(open_study(folder)).table
    mean = [k for k, f in enumerate(table.features) if f.code == "Q4LE"]
    for row, case in enumerate(table.cases):
        image = sitk.GetArrayFromImage(sitk.ReadImage(folder / f"images/{case}.nrrd"))
        for column, reader in enumerate(table.readers):
            mask = sitk.GetArrayFromImage(sitk.ReadImage(folder / f"masks/{case}_{reader}.nrrd"))
            expected = 100 * image[mask == 1].mean(dtype=float) / image[mask == 2].mean(dtype=float)
            assert table.values[row, mean[0], column] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segments": "[L3]"}, r"(?s)Wanted one of 'L3'.*'2' \(label 2, layer 0, 504 voxels\)"),
        ({"min_voxels": "600"}, "with at least 600 voxels"),
        ({"segments": "['1']"}, "is the measured region itself"),
    ],
)
def test_a_missing_reference_is_told_before_features_are_measured(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    failures, _ = check.check_cases(open_study(reference_study(tmp_path, **change)))
    assert len(failures) == 4
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(failures[0].message)


# Warnings


def test_a_view_of_air_is_warned_of_once_per_case(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", n=2, protocol=QUICK)
    rng = np.random.default_rng(0)
    for case in ("P000", "P001"):
        tissue = np.where(trunk(0.6), 300, 0) + np.abs(rng.normal(0, 6, GRID.shape))
        image = sitk.GetImageFromArray(tissue.astype(np.float32))
        image.SetSpacing(GRID.spacing)
        sitk.WriteImage(image, folder / f"images/{case}.nrrd")
        region = sitk.GetImageFromArray(trunk(0.3).astype(np.uint8))
        region.SetSpacing(GRID.spacing)
        for reader in ("senior", "resident"):
            sitk.WriteImage(region, folder / f"masks/{case}_{reader}.nrrd")

    def warned(text: str) -> list[tuple[str, str]]:
        (folder / "study.yaml").write_text(QUICK + text)
        findings = verbs.extract(open_study(folder)).findings
        return [(f.case, f.reader) for f in findings if f.code == "mostly-air"]

    over_image = "preparation: {normalisation: {method: z_score, over: image}}\n"
    assert warned(over_image) == [("P000", "all"), ("P001", "all")]
    assert warned(over_image.replace("image", "body")) == []
    scaled = QUICK + "  normalise_scale: 100\n"
    (folder / "study.yaml").write_text(scaled)
    found = verbs.extract(open_study(folder)).findings
    assert sum(f.code == "mostly-air" for f in found) == 2
