"""The stage `morphometry`: from the masks of a study to its table, its model and its report."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from centrum.agreement import icc
from centrum.cli import CASES_FAILED, app
from centrum.commands import study as verbs
from centrum.commands.bodies import MORPHOMETRY_AGREEMENT, _agreement, load_bodies, morphometry
from centrum.errors import CentrumError, ProtocolError
from centrum.frozen.model import read_model
from centrum.frozen.score import Patient, score_patient
from centrum.measure import morphometry as measured
from centrum.morphometry import genant, measure_body
from centrum.morphometry.measures import OF_BODY, OF_GRADE
from centrum.protocol import parse_protocol
from centrum.study.study import open_study
from centrum.table import MORPHOMETRY
from centrum.volume import Mask
from tests.morphometry.shapes import HOLLOW, crush, trough, vertebral_body, wedge
from tests.smallest import MODEL, about
from tests.studies import write_rows

N = 24
TOO_SMALL = "P23"

PROTOCOL = (
    MODEL.replace("ablation: false", "ablation: true")
    + """\
images: {reader: senior}
extraction:
  families: [statistics]
  interpolation: null
  discretisation: {method: fixed_bin_number, bins: 8}
morphometry: {}
"""
)
COVARIATES = """\
  covariates: [age, 'morphometry:greatest_loss', 'morphometry:kind']
  fusion: late
"""


def body_of(k: int, reader: str) -> Mask:
    """Crushed or wedged by how much the case says; the resident draws a little more."""
    loss = 0.1 + 0.012 * k + 0.01 * (reader == "resident")
    shape = (crush, wedge, lambda x: trough(x, 0.4, 0.4))[k % 3]
    level = str(about(k)["level"])
    return vertebral_body(**HOLLOW, above=shape(loss), name=level, spacing=(1.2, 1.2, 4.4))


def write(path: Path, array: np.ndarray, like: Mask) -> str:
    image, grid = sitk.GetImageFromArray(array), like.geometry
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    sitk.WriteImage(image, str(path), useCompression=True)
    return path.name


def make(folder: Path) -> Path:
    """A study of bodies; the resident has not drawn the last but one, and the last is a speck."""
    folder.mkdir(parents=True)
    rng, rows = np.random.default_rng(0), []
    for k in range(N):
        row = about(k)
        senior, resident = (body_of(k, reader) for reader in ("senior", "resident"))
        if row["case"] == TOO_SMALL:
            senior.array[:] = resident.array[:] = False
            for mask in (senior, resident):
                mask.array[6:9, 40:43, 40:43] = True
        image = rng.normal(300 + 40 * (k % 2), 40, senior.array.shape).astype(np.float32)
        row["image"] = write(folder / f"{k}.nii.gz", image, senior)
        row["mask:senior"] = write(folder / f"{k}-s.nii.gz", senior.array.astype(np.uint8), senior)
        row["mask:resident"] = ""
        if k != N - 2:
            name = folder / f"{k}-r.nii.gz"
            row["mask:resident"] = write(name, resident.array.astype(np.uint8), resident)
        rows.append(row)
    write_rows(folder, rows)
    (folder / "study.yaml").write_text(PROTOCOL)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make(tmp_path_factory.mktemp("bodies") / "study")
    verbs.extract(open_study(study))
    morphometry(open_study(study))
    return study


@pytest.fixture
def study(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "study"))


def table_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "results" / MORPHOMETRY, na_filter=False, dtype=str)


def test_the_table_holds_what_the_masks_measure(folder: Path) -> None:
    table = table_of(folder)
    assert len(table) == 2 * N - 1
    for k, reader in ((3, "senior"), (4, "resident")):
        body = measure_body(body_of(k, reader))
        graded = genant(body)
        (row,) = table[(table["case"] == f"P{k:02d}") & (table["reader"] == reader)].to_dict(
            "records"
        )
        assert float(row["posterior"]) == pytest.approx(body.posterior)
        assert float(row["greatest_loss"]) == pytest.approx(graded.greatest_loss)
        assert (float(row["grade"]), row["kind"]) == (graded.grade, graded.kind or "none")
        assert row["reference"] == f"healthy {body.level} of the same depth"


def test_one_bad_case_does_not_stop_a_cohort(folder: Path) -> None:
    bodies = load_bodies(open_study(folder))
    assert [f.case for f in bodies.failures] == [TOO_SMALL, TOO_SMALL]
    assert "expected a vertebral body of at least 5 mm" in bodies.failures[0].message
    assert ".nii" not in (folder / "results" / MORPHOMETRY).read_text()
    done = CliRunner().invoke(app, ["morphometry", str(folder)])
    assert done.exit_code == CASES_FAILED, done.output
    assert f"{2 * N - 3} bodies measured" in done.output
    records = json.loads(CliRunner().invoke(app, ["morphometry", str(folder), "--json"]).stdout)
    assert len(records) == 2 * N - 1
    refused = CliRunner().invoke(app, ["morphometry", str(folder), "--level", "L1"])
    assert "in study.yaml" in refused.output


def test_readers_are_compared(folder: Path) -> None:
    found = pd.read_csv(folder / "results" / MORPHOMETRY_AGREEMENT, index_col="measure")
    assert found.loc["greatest_loss", "n"] == N - 2
    assert 0.9 < found.loc["greatest_loss", "icc"] < 1


def test_the_interval_of_their_agreement_is_by_patient(folder: Path) -> None:
    """Made-up measures of twelve bodies of four patients."""
    names, cases = [*OF_BODY, *OF_GRADE], [f"c{k}" for k in range(12)]
    own = np.random.default_rng(1).normal(size=(12, len(names), 1))
    values = own + np.random.default_rng(2).normal(0, 0.3, (12, len(names), 2))
    parts = [pd.DataFrame(values[:, :, k], columns=names).assign(case=cases, reader=reader)
             for k, reader in enumerate("ab")]  # fmt: skip
    owners = pd.DataFrame({"patient": np.arange(12) // 3}, index=cases)
    study = SimpleNamespace(
        comparisons=None, readers=("a", "b"), protocol=open_study(folder).protocol,
        cohort=SimpleNamespace(to_frame=lambda: owners),
    )  # fmt: skip
    found = _agreement(study, pd.concat(parts))
    wanted = icc(values, study.protocol.model.agreement.form, patients=owners["patient"])
    np.testing.assert_array_equal(found["lower"], wanted.lower)
    assert not np.allclose(wanted.lower, icc(values, "A,1").lower)


def test_it_resumes_from_the_store(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (study / "results" / MORPHOMETRY).read_bytes()

    def refuse(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(measured, "_body", refuse)
    morphometry(open_study(study))
    assert (study / "results" / MORPHOMETRY).read_bytes() == before


def test_a_study_without_the_block_has_no_such_stage(study: Path) -> None:
    text = PROTOCOL.replace("morphometry: {}\n", "")
    (study / "study.yaml").write_text(text)
    with pytest.raises(ProtocolError, match="no block `morphometry`"):
        morphometry(open_study(study))


def test_measures_are_covariates(study: Path) -> None:
    (study / "study.yaml").write_text(PROTOCOL.replace("model:\n", "model:\n" + COVARIATES))
    manifest = pd.read_csv(study / "cases.csv", dtype=str, keep_default_na=False)
    manifest[manifest["case"] != TOO_SMALL].to_csv(study / "cases.csv", index=False)
    _, page = verbs.run(open_study(study))
    known = json.loads((study / "results" / "assessment.json").read_text())["ablation"]
    assert [*known] == ["clinical", "morphometry", "clinical + morphometry", "radiomics"]
    features = {name for part in known["morphometry"] for name in part["features"]}
    assert features <= {
        "morphometry:greatest_loss", *(f"morphometry:kind={k}" for k in
                                       ("none", "wedge", "crush", "biconcave"))
    }  # fmt: skip
    assert "morphometry:greatest_loss" in features
    text = page.read_text(encoding="utf-8")
    assert "Heights and shape of the vertebral bodies" in text
    assert "Greatest loss of height (share)" in text
    odds = pd.read_csv(study / "results" / "tables" / "odds-ratios.csv")["Variable"]
    assert {"Age (years)", "Greatest loss of height (share)", "Wedge angle (°)",
            "Convexity of the posterior wall (mm)", "Score"} <= set(odds)  # fmt: skip
    model = read_model(study / "results" / "model.json")
    assert "morphometry:greatest_loss" in {c.column for c in model.covariates}
    case = manifest.iloc[0]
    files = (str(study / case[head]) for head in ("image", "mask:senior"))
    patient = Patient(case["case"], *files, known={"age": 60, "level": case["level"]})
    scores = pd.read_csv(study / "results" / "scores.csv", index_col="case")
    assert score_patient(model, patient).score == pytest.approx(scores.loc[case["case"], "score"])
    again, _ = verbs.run(open_study(study))
    assert again.failures == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {covariates: ['morphometry:greatest_loss']}", "add a line `morphometry: {}`"),
        (
            "model: {covariates: ['morphometry:height']}\nmorphometry: {}",
            "is not measured; there are morphometry:anterior",
        ),
        (
            "evaluation: {odds_ratios: ['morphometry:height']}",
            "odds_ratios names 'morphometry:height'",
        ),
        ("images: {region: whole_vertebra}\nmorphometry: {}", "images.region says whole_vertebra"),
        ("tables: [{file: a.csv}]\nmorphometry: {}", "a study of `tables` has none"),
    ],
)
def test_a_protocol_that_cannot_be_followed_is_refused(text: str, message: str) -> None:
    with pytest.raises(CentrumError, match=message):
        parse_protocol(f"name: x\n{text}\n", "study.yaml")
