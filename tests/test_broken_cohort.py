"""Thirty cases with one of each fault: one screen, exit code 1, and a row for each fault."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from centrum.cli import CASES_FAILED, app
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
