"""The verbs on whole small studies: results, resuming, redoing, bad input."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock, patch

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import SimpleITK as sitk
from pydantic import ValidationError

from centrum.agreement import icc
from centrum.commands import begin, check, results as left, study as verbs
from centrum.errors import CentrumError, DataError, ManifestError, describe
from centrum.measure.shards import Shards
from centrum.modelling.settings import AgreementSettings
from centrum.records import as_json, from_json
from centrum.simulate import PhantomSettings, simulate_cohort
from centrum.study import measuring
from centrum.study.study import open_study
from centrum.table import FeatureTable
from centrum.validation.model import Model
from tests.phantom import SMALL
from tests.studies import PROTOCOL, SIZE, SPACING, image_of, make_study, read_rows, write_rows

N = 30


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that has been run; not to be changed."""
    folder = make_study(tmp_path_factory.mktemp("finished") / "study")
    verbs.run(open_study(folder), workers=1)
    return folder


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished study, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "study"))


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes by path; what a killed process was writing (a hidden file) does not count."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_a_run_leaves_everything(finished: Path) -> None:
    results = finished / "results"
    table = FeatureTable.load(results)
    assert table.values.shape == (N, 159, 2)
    assert np.isfinite(table.values).all()
    assert (results / "report.html").stat().st_size > 10_000
    scores = pd.read_csv(results / "scores.csv", index_col="case")
    assert (scores["part"] == "train").sum() == 20
    assert scores.loc[scores["part"] == "test", "out_of_fold"].isna().all()
    _, evaluations = verbs.evaluate(open_study(finished))
    assert evaluations["test"].auc.value > 0.8


def test_scores_are_the_model_on_the_table(finished: Path) -> None:
    """intercept + sum coefficient x (value - mean) / sd, by hand from fit.json."""
    model = left.load_model(open_study(finished))
    frame = pd.read_csv(finished / "results" / "features.csv")
    primary = frame[frame["reader"] == "senior"].set_index("case")
    scaled = (primary[list(model.features)] - model.means) / model.sds
    scores = pd.read_csv(finished / "results" / "scores.csv", index_col="case")["score"]
    np.testing.assert_allclose(scaled @ model.coefficients + model.intercept, scores, rtol=1e-9)
    assert as_json(from_json(Model, as_json(model))) == as_json(model)


def test_the_interval_of_agreement_is_by_patient(finished: Path) -> None:
    """As if each patient had three of the cases."""
    table = FeatureTable.load(finished / "results")
    owners, rule = np.arange(N) // 3, AgreementSettings()
    table = replace(table, obs=table.obs.assign(patient=owners))
    found = verbs._agreement(table, table.readers, rule)
    wanted = icc(table.values, rule.form, patients=owners)
    np.testing.assert_array_equal(
        found[["lower", "upper"]], np.column_stack((wanted.lower, wanted.upper))
    )
    assert not np.allclose(wanted.lower, icc(table.values, rule.form).lower, equal_nan=True)


@pytest.mark.parametrize("off", [1e-6, np.nan])
def test_numbers_that_score_otherwise_than_the_model_are_not_kept(
    study: Path, monkeypatch: pytest.MonkeyPatch, off: float
) -> None:
    (study / "results" / "fit.json").unlink()
    made = verbs.scorer_of
    monkeypatch.setattr(
        verbs, "scorer_of", lambda *given: replace(s := made(*given), offset=s.offset + off)
    )
    with pytest.raises((DataError, ValidationError), match=r"cannot be frozen|finite"):
        verbs.fit(open_study(study))


def test_the_same_study_gives_the_same_bytes(finished: Path, study: Path) -> None:
    """Also when it lies elsewhere and is measured by two processes."""
    shutil.rmtree(study / "results")
    verbs.extract(open_study(study), workers=2)
    verbs.run(open_study(study))
    first, second = contents(finished / "results"), contents(study / "results")
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_a_killed_run_goes_on_where_it_was(
    finished: Path, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(study / "results")
    command = [sys.executable, "-c", f"from centrum.cli import main; import sys; "
               f"sys.argv = ['centrum', 'run', {str(study)!r}]; main()"]  # fmt: skip
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    store = study / "results" / "shards"
    deadline = time.monotonic() + 60
    while len(list(store.glob("??/*.parquet"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # A worker in a session of its own may still be writing: wait until nothing changes.
    before = {}
    while before != (now := {p: p.stat().st_mtime_ns for p in store.glob("??/*.parquet")}):
        before = now
        time.sleep(0.3)
    assert len(before) >= 3
    kept = sum(pq.read_metadata(p).num_rows for p in before)
    measured = []
    make = measuring.measure_anew
    monkeypatch.setattr(measuring, "measure_anew", lambda job: measured.append(job) or make(job))
    verbs.run(open_study(study), workers=1)
    assert len(measured) == len(open_study(study).cohort) - kept, "a case was measured twice"
    assert contents(study / "results") == contents(finished / "results")


def test_a_run_killed_before_its_shards_were_settled_ends_with_the_same_files(
    finished: Path, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(Shards, "settle", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            verbs.run(open_study(study), workers=1)
    verbs.run(open_study(study), workers=1)
    assert contents(study / "results") == contents(finished / "results")


def stage_times(folder: Path) -> dict[str, int]:
    names = {
        "extract": "features.parquet", "agree": "agreement.csv", "fit": "fit.json",
        "internal": "assessment.json", "evaluate": "evaluation.json",
        "explain": "explanation.json", "freeze": "model.json", "report": "report.html",
    }  # fmt: skip
    times = {k: (folder / "results" / v).stat().st_mtime_ns for k, v in names.items()}
    entries = (folder / "results" / "shards").rglob("*.parquet")
    return times | {"store": max(p.stat().st_mtime_ns for p in entries)}


FITTED = {"fit", "internal", "evaluate", "explain", "freeze", "report"}
"""Stages that another model touches."""


@pytest.mark.parametrize(
    ("old", "new", "redone"),
    [
        ("name: Ellipsoids", "name: Other", {"freeze", "report"}),
        ("n_resamples: 200", "n_resamples: 300", {"evaluate", "explain", "freeze", "report"}),
        ("name: Ellipsoids", "name: Ellipsoids\nsplit: {seed: 5}", FITTED),
        ("bins: 8", "bins: 9", {"store", "extract", "agree", *FITTED}),
        ("name: Ellipsoids", "name: Ellipsoids", set()),
    ],
)
def test_a_run_redoes_only_what_a_change_touches(
    study: Path, old: str, new: str, redone: set[str]
) -> None:
    path = study / "study.yaml"
    before = stage_times(study)
    path.write_text(path.read_text().replace(old, new))
    verbs.run(open_study(study), workers=1)
    after = stage_times(study)
    assert {k for k in after if after[k] != before[k]} == redone


def test_a_deleted_result_is_made_again(study: Path, finished: Path) -> None:
    (study / "results" / "model.json").unlink()
    verbs.run(open_study(study), workers=1)
    assert contents(study / "results") == contents(finished / "results")


# Bad cases: each is named, and does not stop the others


def mask_path(folder: Path, case: str = "P003", reader: str = "senior") -> Path:
    return folder / f"masks/{case}_{reader}.nrrd"


def no_mask_voxels(folder: Path) -> None:
    sitk.WriteImage(image_of(np.zeros(SIZE[::-1], np.uint8)), mask_path(folder))


def one_voxel(folder: Path) -> None:
    array = np.zeros(SIZE[::-1], np.uint8)
    array[3, 12, 12] = 1
    sitk.WriteImage(image_of(array), mask_path(folder))


def another_grid(folder: Path) -> None:
    image = sitk.ReadImage(mask_path(folder))
    image.SetOrigin((0, 0, 2.2))
    sitk.WriteImage(image, mask_path(folder))


def constant_region(folder: Path) -> None:
    array = np.full(SIZE[::-1], 400, np.float32)
    array[0, 0, 0] = 0
    sitk.WriteImage(image_of(array), folder / "images/P003.nrrd")


def nan_voxels(folder: Path) -> None:
    array = sitk.GetArrayFromImage(sitk.ReadImage(folder / "images/P003.nrrd"))
    array[3, 12, 12:14] = np.nan
    sitk.WriteImage(image_of(array), folder / "images/P003.nrrd")


def truncated_image(folder: Path) -> None:
    path = folder / "images/P003.nrrd"
    path.write_bytes(path.read_bytes()[:-500])


def missing_image(folder: Path) -> None:
    (folder / "images/P003.nrrd").unlink()


def missing_mask(folder: Path) -> None:
    mask_path(folder).unlink()


def no_primary_reader(folder: Path) -> None:
    rows = read_rows(folder)
    rows[3]["mask:senior"] = ""
    write_rows(folder, rows)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_mask_voxels, "mask is empty"),
        (one_voxel, "1 voxel"),
        (another_grid, r"(?s)origin.*2\.200"),
        (constant_region, "All 551 voxels .* value 400"),
        (nan_voxels, "2 .*finite"),
        (truncated_image, "P003.nrrd"),
        (missing_image, "P003.nrrd"),
        (missing_mask, "P003_senior.nrrd"),
        (no_primary_reader, "primary reader 'senior'"),
    ],
)
def test_a_bad_case_is_named_and_the_rest_is_kept(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = make_study(tmp_path / "study", n=6)
    spoil(folder)
    found = verbs.extract(open_study(folder), workers=1)
    assert [failure.case for failure in found.failures] == ["P003"]
    assert re.search(message, found.failures[0].message)
    assert "patient-3" not in found.failures[0].message
    assert found.table.cases == ("P000", "P001", "P002", "P004", "P005")
    (again,) = verbs.load_extraction(open_study(folder)).failures
    assert (again.case, again.code) == ("P003", found.failures[0].code)
    assert "P003" not in again.message, "files are named on the console alone"


def test_a_missing_second_reader_keeps_the_case(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", n=6)
    mask_path(folder, reader="resident").unlink()
    found = verbs.extract(open_study(folder), workers=1)
    assert not found.failures
    assert [(f.case, f.reader) for f in found.findings if f.severity == "error"] == [
        ("P003", "resident")
    ]
    assert np.isnan(found.table.values[3, :, 1]).all()
    assert np.isfinite(found.table.values[:, :, 0]).all()
    agreement = verbs.agree(open_study(folder))
    assert set(agreement["n"]) == {5}


def test_a_mask_of_another_grid_is_resampled_when_the_protocol_says_so(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", n=4)
    fine = sitk.Image([52, 48, 7], sitk.sitkUInt8)
    fine.SetSpacing((SPACING[0] / 2, SPACING[1] / 2, SPACING[2]))
    fine.SetOrigin((-SPACING[0] / 4, -SPACING[1] / 4, 0))
    coarse = sitk.ReadImage(mask_path(folder))
    sitk.WriteImage(
        sitk.Resample(coarse, fine, sitk.Transform(), sitk.sitkNearestNeighbor), mask_path(folder)
    )
    refused = verbs.extract(open_study(folder), workers=1)
    assert [f.case for f in refused.failures] == ["P003"]
    protocol = folder / "study.yaml"
    protocol.write_text(protocol.read_text() + "images: {on_grid_mismatch: resample}\n")
    accepted = verbs.extract(open_study(folder), workers=1)
    assert not accepted.failures
    whole = make_study(tmp_path / "whole", n=4)
    expected = verbs.extract(open_study(whole), workers=1)
    np.testing.assert_array_equal(accepted.table.values, expected.table.values)


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", n=4)
    shutil.rmtree(folder / "images")
    with pytest.raises(DataError, match="None of the 4 cases"):
        verbs.extract(open_study(folder), workers=1)


def test_check_finds_the_same_without_measuring(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", n=4)
    truncated_image(folder)
    failures, _ = check.check_cases(open_study(folder), workers=1)
    assert [failure.case for failure in failures] == ["P003"]
    assert not (folder / "results" / "features.csv").exists()


# Bad studies


def change_rows(folder: Path, change: Callable[[list[dict]], None]) -> None:
    rows = read_rows(folder)
    change(rows)
    write_rows(folder, rows)


def test_one_class_only(study: Path) -> None:
    change_rows(study, lambda rows: [row.update(outcome="malignant") for row in rows])
    with pytest.raises(CentrumError, match=r"(?i)outcome|class"):
        verbs.run(open_study(study), workers=1)


def test_fewer_patients_than_folds(study: Path) -> None:
    path = study / "study.yaml"
    path.write_text(path.read_text().replace("folds: 3", "folds: 12"))
    with pytest.raises(DataError, match=r"12 folds.*patients of both outcomes"):
        verbs.run(open_study(study), workers=1)


def test_a_case_twice(study: Path) -> None:
    change_rows(study, lambda rows: rows[1].update(case="P000"))
    with pytest.raises(ManifestError, match="'P000' is used in"):
        open_study(study)


def test_an_unknown_reader(study: Path) -> None:
    path = study / "study.yaml"
    path.write_text(path.read_text() + "images: {reader: professor}\n")
    with pytest.raises(DataError, match="'professor'; the manifest has senior, resident"):
        verbs.run(open_study(study), workers=1)


def test_a_stage_without_the_one_before(tmp_path: Path) -> None:
    study = open_study(make_study(tmp_path / "study", n=4))
    for stage in (verbs.agree, verbs.fit, verbs.evaluate, verbs.explain, verbs.freeze):
        with pytest.raises(CentrumError, match="is not there yet") as caught:
            stage(study)
        assert caught.value.code == "not-made"
        assert "`centrum extract STUDY` makes it" in str(caught.value) or stage != verbs.fit
    with pytest.raises(CentrumError, match=r"features\.parquet is not there yet"):
        verbs.report(study)


def test_a_report_of_stale_results_is_refused(study: Path) -> None:
    path = study / "study.yaml"
    path.write_text(path.read_text().replace("classifier: logistic", "classifier: ridge"))
    with pytest.raises(CentrumError, match=r"What `fit` left is older .* `centrum run STUDY`"):
        verbs.report(open_study(study))
    change_rows(study, lambda rows: rows[0].update(age="71"))
    with pytest.raises(CentrumError, match="What `extract` left is older"):
        verbs.report(open_study(study))


def test_a_failed_run_marks_the_report_that_it_leaves(study: Path) -> None:
    page = study / "results" / "report.html"
    before = page.read_text()
    change_rows(study, lambda rows: [row.update(outcome="malignant") for row in rows])
    for _ in range(2):
        with pytest.raises(CentrumError) as caught:
            verbs.run(open_study(study), workers=1)
    assert "report.html is that of an earlier run" in describe(caught.value)
    after = page.read_text()
    assert after.count('role="alert"><strong>Old.</strong>') == before.count('role="alert">') + 1
    assert re.sub("<!-- old -->.*?<!-- /old -->", "", after) == before


# Beginning


def test_init_then_run(tmp_path: Path) -> None:
    made = make_study(tmp_path / "made", n=12)
    images = tmp_path / "images"
    images.mkdir()
    shutil.move(made / "images", images / "images")
    shutil.move(made / "masks", images / "masks")
    lines = begin.init(images, tmp_path / "study")
    assert "12 cases" in lines[0]
    rows = read_rows(tmp_path / "study")
    for k, row in enumerate(rows):
        row["outcome"] = ["malignant", "osteoporotic"][k % 2]
    write_rows(tmp_path / "study", rows)
    found = verbs.extract(open_study(tmp_path / "study"), workers=1)
    assert not found.failures
    with pytest.raises(ManifestError, match="exists and is not overwritten"):
        begin.init(images, tmp_path / "study")


def test_a_manifest_that_nobody_touched_does_not_block_the_next_try(tmp_path: Path) -> None:
    images = make_study(tmp_path / "made", n=4)
    (images / "cases.csv").unlink()
    study = tmp_path / "study"
    begin.init(images, study, mask="masks/{case}_senior.nrrd")
    begin.init(images, study)
    assert "mask:resident" in read_rows(study)[0]
    (study / "study.yaml").write_text("# changed\n" + (study / "study.yaml").read_text())
    begin.init(images, study, labels="verse", region="whole_vertebra")
    assert (study / "study.yaml").read_text().startswith("# changed")
    (study / "cases.csv").rename(study / "cases.xlsx")
    with pytest.raises(ManifestError, match=r"cases\.xlsx exists and is not overwritten"):
        begin.init(images, study)


def test_outlook_says_what_is_done(study: Path) -> None:
    assert f"0 cases to do, {N} in the store" in "\n".join(verbs.outlook(open_study(study)))
    shutil.rmtree(study / "results")
    assert f"{N} cases to do" in "\n".join(verbs.outlook(open_study(study)))


def test_outcomes_may_be_numbers(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study")
    change_rows(
        folder, lambda rows: [r.update(outcome=str(int(r["outcome"][0] == "m"))) for r in rows]
    )
    path = folder / "study.yaml"
    path.write_text(path.read_text() + "outcome: {positive: '1', negative: '0'}\n")
    verbs.run(open_study(folder))
    _, found = verbs.evaluate(open_study(folder))
    assert found["test"].n_positive == 5


def test_eligibility_is_counted_in_the_flow(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", n=45)
    path = folder / "study.yaml"
    path.write_text(path.read_text() + "eligibility: [{name: not L3, exclude: level == 'L3'}]\n")
    study = open_study(folder)
    assert (study.flow.start.cases, study.flow.end.cases, len(study.cohort)) == (45, 30, 30)
    verbs.run(study)
    page = (folder / "results" / "report.html").read_text()
    assert "not L3" in page


def test_simulated_images_are_marked_wherever_they_are_copied_to(
    phantom: Path, tmp_path: Path
) -> None:
    """The header says so, also when phantom.json was left behind."""
    folder = tmp_path / "study"
    begin.init(phantom, folder)
    change_rows(folder, lambda rows: [r.update(outcome="malignant") for r in rows])
    assert verbs.extract(open_study(folder)).simulated
    assert verbs.load_extraction(open_study(folder)).simulated
    plain = make_study(tmp_path / "plain", n=4)
    assert not verbs.extract(open_study(plain)).simulated


def test_a_phantom_cohort_begun_anew_is_never_taken_for_patients(
    phantom: Path, tmp_path: Path
) -> None:
    """Stopped half way, it has no manifest, so that nothing can be run on it unmarked."""
    shutil.copytree(phantom, tmp_path, dirs_exist_ok=True)

    def stopped(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    with patch("centrum.simulate.write.simulate_case", stopped), pytest.raises(KeyboardInterrupt):
        simulate_cohort(PhantomSettings(**SMALL, cue=0.1), tmp_path)
    assert not (tmp_path / "cases.csv").exists()
    begin.simulate(tmp_path, PhantomSettings(**SMALL, cue=0.1))
    assert open_study(tmp_path).simulated


def test_features_that_no_region_has_are_left_out(tmp_path: Path) -> None:
    """A region of one slice has no ellipsoid of its size; scattered voxels have no texture."""
    study = make_study(tmp_path / "study", n=4)
    for mask in sorted((study / "masks").iterdir()):
        image = sitk.ReadImage(mask)
        array = sitk.GetArrayFromImage(image)
        array[[0, 1, 2, 4, 5, 6]] = 0
        if mask.name.startswith("P003_senior"):
            array[:] = 0
            array[3, 6:20:3, 8:20:3] = 1
        one_slice = sitk.GetImageFromArray(array)
        one_slice.CopyInformation(image)
        sitk.WriteImage(one_slice, mask)
    (study / "study.yaml").write_text(PROTOCOL + "eligibility: []\n")
    found = verbs.extract(open_study(study))
    assert found.undefined == ("original_morphology_volume_density_aee",)
    assert found.table.values.shape == (3, 158, 2)
    assert np.isfinite(found.table.values).all()
    (failure,) = found.failures
    assert failure.case == "P003"
    assert "cannot be computed here" in failure.message
    assert verbs.load_extraction(open_study(study)).undefined == found.undefined
