"""Thirty cases with one of each fault: one screen, exit code 1, and a row for each fault.

Then twenty in which libraries fail or end their process: the others are measured.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from centrum.cli import CASES_FAILED, app
from centrum.commands import study as verbs
from centrum.commands.check import check_cases
from centrum.execution import run_job
from centrum.measure import case as measuring, images
from centrum.measure.images import mask_of
from centrum.measure.perturbed import PerturbedJob, measure_perturbed, not_perturbed
from centrum.perturb import RobustnessSettings
from centrum.prepare.settings import Preparation
from centrum.protocol import Images, parse_protocol
from centrum.study.study import open_study
from centrum.volume import Mask
from tests import hostile
from tests.studies import SPACING, image_of, make_study, read_rows, write_rows

CAUSES = 34
"""Faults that are planted, some with two causes."""

LINES_PER_CAUSE = 3


def image(folder: Path, case: str) -> Path:
    return folder / f"images/{case}.nrrd"


def mask(folder: Path, case: str) -> Path:
    return folder / f"masks/{case}_senior.nrrd"


def rewrite(path: Path, change: Callable[[np.ndarray], np.ndarray], spacing=SPACING) -> None:
    out = image_of(change(sitk.GetArrayFromImage(sitk.ReadImage(path))))
    out.SetSpacing(spacing)
    sitk.WriteImage(out, path)


def no_image(folder: Path) -> None:
    image(folder, "P000").unlink()


def dangling_link(folder: Path) -> None:
    image(folder, "P001").unlink()
    os.symlink("/annex/objects/none", image(folder, "P001"))


def truncated_image(folder: Path) -> None:
    path = image(folder, "P002")
    path.write_bytes(path.read_bytes()[:900])


def constant_image(folder: Path) -> None:
    rewrite(image(folder, "P003"), lambda a: np.full_like(a, 400))


def values_that_are_no_numbers(folder: Path) -> None:
    rewrite(image(folder, "P004"), lambda a: np.where(a > 400, np.nan, a))


def spacing_in_metres(folder: Path) -> None:
    for path in (image(folder, "P005"), mask(folder, "P005")):
        rewrite(path, lambda a: a, tuple(step / 1000 for step in SPACING))


def empty_mask(folder: Path) -> None:
    rewrite(mask(folder, "P006"), np.zeros_like)


def two_voxels(folder: Path) -> None:
    rewrite(
        mask(folder, "P007"),
        lambda a: np.isin(np.arange(a.size).reshape(a.shape), (2197, 2198)) * a,
    )


def mask_of_another_grid(folder: Path) -> None:
    rewrite(mask(folder, "P008"), lambda a: a, (0.7, 0.6, 4.4))


def mask_of_several_labels(folder: Path) -> None:
    rewrite(mask(folder, "P009"), lambda a: a * (1 + (np.indices(a.shape)[2] > 12)).astype(a.dtype))


def copied_image(folder: Path) -> None:
    for path in (image, mask):
        shutil.copy(path(folder, "P010"), path(folder, "P011"))


def exchanged_masks(folder: Path) -> None:
    rewrite(mask(folder, "P012"), lambda a: np.roll(a, 13, axis=2) * (np.indices(a.shape)[2] > 20))


def other_reader_missing(folder: Path) -> None:
    (folder / "masks/P013_resident.nrrd").unlink()


def bad_rows(folder: Path) -> None:
    rows = read_rows(folder)
    rows[14]["outcome"] = "malignnt"
    rows[15]["outcome"] = ""
    rows[16]["age"] = "old"
    rows[17]["age"] = "170"
    rows[18]["sex"] = "x"
    rows[19]["level"] = "L9"
    rows[20]["case"] = rows[21]["case"]
    rows[22].update({"mask:senior": "", "mask:resident": ""})
    rows[23]["image"] = ""
    rows[24]["mask:senior"] = rows[25]["mask:senior"]
    rows[26]["patient"] = rows[27]["patient"]
    rows[28]["image"] = "images/none.nrrd"
    write_rows(folder, rows)


def bad_protocol(folder: Path) -> None:
    path = folder / "study.yaml"
    path.write_text(
        path.read_text().replace("classifier: logistic", "classifier: logistics")
        + "splitt: {seed: 1}\nimages: {reader: professor}\n"
    )


FAULTS = (
    no_image, dangling_link, truncated_image, constant_image, values_that_are_no_numbers,
    spacing_in_metres, empty_mask, two_voxels, mask_of_another_grid, mask_of_several_labels,
    copied_image, exchanged_masks, other_reader_missing, bad_rows, bad_protocol,
)  # fmt: skip


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_study(tmp_path_factory.mktemp("broken") / "study", n=30)
    for spoil in FAULTS:
        spoil(folder)
    return folder


FOUND = {
    "P000": "missing-file", "P001": "missing-content", "P002": "damaged-file",
    "P003": "constant-roi", "P004": "non-finite-roi", "P005": "impossible-spacing",
    "P006": "empty-mask", "P007": "tiny-mask", "P008": "other-grid", "P009": "choose-segment",
    "P012": "no-overlap", "P013": "missing-file",
    "P014": "unknown-outcome", "P015": "empty-cell", "P016": "not-a-number", "P017": "bad-age",
    "P018": "bad-sex", "P019": "unknown-level", "P022": "no-mask", "P023": "no-image",
    "P025": "shared-mask", "P026": "mixed-outcomes", "P028": "missing-file",
}  # fmt: skip
"""A code of an error that each case must have; the others are about the study."""

WARNED = {"P010": "same-image", "P011": "same-image"}


def check(folder: Path, *options: str, width: int = 120) -> tuple[int, str]:
    done = CliRunner(env={"COLUMNS": str(width)}).invoke(
        app, ["check", str(folder), "--workers", "1", *options]
    )
    return done.exit_code, done.stdout


def test_every_fault_has_a_row_with_code_case_file_and_remedy(broken: Path) -> None:
    code, text = check(broken, "--json")
    assert code == CASES_FAILED
    found = json.loads(text)
    assert found["cases"] == 29
    rows = found["problems"]
    assert all(row["code"] and row["case"] and row["remedy"] and row["message"] for row in rows)
    assert all(row["file"] for row in rows if row["case"] != "all")
    assert all((broken / row["file"]).parent.is_dir() for row in rows if row["file"])
    errors = {(row["case"], row["code"]) for row in rows if row["severity"] == "error"}
    assert {case for case, _ in errors} - {"all"} == set(FOUND)
    assert FOUND.items() <= errors
    warned = {(row["case"], row["code"]) for row in rows if row["severity"] == "warning"}
    assert WARNED.items() <= warned
    about = {code for case, code in errors if case == "all"}
    of_study = {"unknown-key", "bad-value", "repeated-case", "no-reader", "too-few-patients"}
    assert about == of_study
    told = [(row["case"], row["message"]) for row in rows]
    assert len(told) == len(set(told))


def test_the_screen_is_read_from_top_to_bottom(broken: Path) -> None:
    code, text = check(broken)
    lines = text.splitlines()
    assert code == CASES_FAILED
    titles = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles == [
        "These stop `centrum run`:",
        "These cases cannot be measured and are left out:",
        "These regions cannot be used:",
        "Look at these:",
        "Notes:",
    ]
    assert max(map(len, lines)) <= 120
    causes = [line for line in lines if line.startswith("  ") and line[2] != " "]
    assert len(causes) <= CAUSES + 6
    assert len(lines) <= LINES_PER_CAUSE * len(causes)
    assert "patient-" not in text
    assert lines[-1] == "7 of 29 cases can be measured."


N = 20


@pytest.fixture(scope="module")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty cases of which all were measured once, so that the tests are quick."""
    folder = make_study(tmp_path_factory.mktemp("twenty") / "study", n=N)
    verbs.extract(open_study(folder))
    return folder


def extracted(folder: Path, workers: int) -> tuple[int, dict]:
    """Exit code and what is printed of `extract`."""
    words = ["extract", str(folder), "--workers", str(workers), "--json"]
    done = CliRunner().invoke(app, words)
    return done.exit_code, json.loads(done.stdout)


def spoil(folder: Path, cases: Iterable[str]) -> None:
    """Change the images of cases a little, so that they are not taken from the store."""
    for k, case in enumerate(cases):
        rewrite(image(folder, case), lambda a, k=k: a + k + 1)


def written(folder: Path) -> str:
    """Everything that a study leaves, as text."""
    files = (p for p in (folder / "results").rglob("*") if p.is_file())
    return "".join(p.read_bytes().decode(errors="replace") for p in files)


@pytest.mark.parametrize("case", hostile.FAULTS)
def test_nineteen_are_measured_and_one_is_named(
    twenty: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(twenty, [case])
    monkeypatch.setattr(hostile, "FAULTS", {case: hostile.FAULTS[case]})
    monkeypatch.setattr(hostile, "ENDINGS", {})
    monkeypatch.setattr("centrum.study.measuring.measure_anew", hostile.measure_anew)
    code, found = extracted(twenty, workers=1)
    assert code == CASES_FAILED
    assert found["cases"] == N - 1
    [failure] = found["failures"]
    assert failure["case"] == case
    assert failure["code"] == "unexpected"
    assert failure["file"] == ("T2w.nrrd" if case == "P010" else f"{case}.nrrd")
    kind = {"P001": "TypeError", "P004": "RecursionError", "P007": "MemoryError", "P010": "OSError"}
    assert kind[case] in failure["message"]
    assert "/home" not in failure["message"] or case == "P001"
    assert hostile.NAME not in written(twenty)


def test_processes_that_end_do_not_keep_others_from_being_measured(
    twenty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = {**hostile.FAULTS, **hostile.ENDINGS}
    spoil(twenty, bad)
    monkeypatch.setattr("centrum.study.measuring.measure_anew", hostile.measure_anew)
    code, found = extracted(twenty, workers=2)
    assert code == CASES_FAILED
    assert found["cases"] == N - len(bad)
    failures = {failure["case"]: failure for failure in found["failures"]}
    assert failures.keys() == bad.keys()
    settings = {"P013": "signal SIGSEGV", "P016": "signal SIGKILL", "P018": "exit code 7"}
    for case, text in settings.items():
        assert failures[case]["code"] == "worker-ended"
        assert text in failures[case]["message"]
        assert failures[case]["file"] == f"{case}.nrrd"


NO_NAMES = ("y" * 300 + "/a.nrrd", "x" * 5000, "P017.nrrd/x", "P017.nrrd#/" * 99)


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_no_system_takes_is_one_case(twenty: Path, name: str) -> None:
    rows = read_rows(twenty)
    changed = {"image": f"images/{name}"}
    write_rows(twenty, [row | (changed if row["case"] == "P017" else {}) for row in rows])
    code, found = extracted(twenty, workers=1)
    write_rows(twenty, rows)
    assert code == CASES_FAILED
    assert found["cases"] == N - 1
    assert [f["case"] for f in found["failures"]] == ["P017"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_an_image_is_one_case(twenty: Path) -> None:
    path = image(twenty, "P019")
    path.rename(path.with_suffix(".kept"))
    os.mkfifo(path)
    code, found = extracted(twenty, workers=1)
    path.with_suffix(".kept").replace(path)
    assert code == CASES_FAILED
    assert found["cases"] == N - 1
    assert [(f["case"], f["code"]) for f in found["failures"]] == [("P019", "not-a-file")]


def test_a_fault_in_one_readers_mask_leaves_the_other_reader(
    twenty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = open_study(twenty).jobs()[0]
    whole = measuring.measure(job)

    def of_one(source: str, *others: object) -> Mask:
        return hostile.deep_nesting() if "resident" in source else mask_of(source, *others)

    monkeypatch.setattr(images, "mask_of", of_one)
    record = measuring.measure(replace(job, store=None))
    assert record["values"] == {"senior": whole["values"]["senior"]}
    assert [(e["reader"], e["code"]) for e in record["errors"]] == [("resident", "unexpected")]
    assert record["history"].keys() == record["content"]["masks"].keys() == {"senior"}


@pytest.mark.parametrize("check", hostile.CHECKS)
def test_a_check_that_only_advises_fails_no_case(
    twenty: Path, check: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = open_study(twenty).jobs()[0]
    whole = measuring.measure(job)
    name = "advice.about_filters" if check == "about_filters" else f"case.{check}"
    monkeypatch.setattr(f"centrum.measure.{name}", hostile.deep_nesting)
    record = measuring.measure(replace(job, store=None))
    assert record["values"] == whole["values"]
    assert not record["errors"]
    notes = {f["severity"] for f in record["findings"] if f["code"] == "not-checked"}
    assert notes == {"note"}


def test_a_check_between_cases_that_fails_is_a_note(
    twenty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("centrum.study.extraction.content_findings", hostile.deep_nesting)
    study = open_study(twenty)
    failures, findings = check_cases(study)
    assert not failures
    assert {f.case for f in findings if f.code == "not-checked"} == {
        c.id for c in study.cohort.cases
    }


def test_a_case_that_fails_under_perturbations_is_named(
    twenty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = replace(open_study(twenty).jobs()[0], images=Images(max_memory_gb=3))
    monkeypatch.setattr(images, "image_of", hostile.text_in_a_header)
    record = run_job(measure_perturbed, PerturbedJob(job, RobustnessSettings()), not_perturbed)
    assert not record["values"]
    assert "TypeError" in record["errors"][""]
    assert hostile.NAME not in record["errors"][""]


def test_a_case_without_landmarks_stops_nothing(
    twenty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Preparation(normalisation={"method": "nyul"})
    job = replace(open_study(twenty).jobs()[0], preparation=settings)
    monkeypatch.setattr(measuring, "image_of", hostile.text_in_a_header)
    assert run_job(measuring.measure_landmarks, job, measuring.no_landmarks) is None


def test_a_full_disk_is_nobodys_case(twenty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "image.nrrd")
    job = replace(open_study(twenty).jobs()[0], store=None)
    with (
        patch.object(images, "image_of", side_effect=full),
        pytest.raises(OSError, match="No space"),
    ):
        measuring.measure(job)


def test_a_view_of_nothing_but_a_small_body_is_normalised(tmp_path: Path) -> None:
    """Zeroes around a cut-out organ: no body can be found, which is needed for a warning only."""
    array = np.zeros((5, 60, 60))
    array[1:4, 30:34, 30:34] = np.random.default_rng(0).normal(400, 40, (3, 4, 4))
    region = np.zeros(array.shape, dtype=np.uint8)
    region[1:4, 30:34, 30:34] = 1
    sitk.WriteImage(image_of(array), tmp_path / "image.nrrd")
    sitk.WriteImage(image_of(region), tmp_path / "mask.nrrd")
    protocol = parse_protocol(
        "preset: vcf-t2w\nname: Cut\nextraction: {filters: [], interpolation: null, "
        "families: [statistics]}\n"
        "preparation: {normalisation: {method: z_score, over: image}}",
        "study.yaml",
    )
    job = measuring.MeasurementJob(
        "P000", str(tmp_path / "image.nrrd"), {"a": str(tmp_path / "mask.nrrd")},
        protocol.images, protocol.extraction, None, protocol.preparation,
    )  # fmt: skip
    record = measuring.measure(job)
    assert not record["errors"]
    assert record["values"]["a"]
    assert "not-checked" in {f["code"] for f in record["findings"]}
