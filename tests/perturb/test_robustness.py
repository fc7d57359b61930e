"""The stage that measures under perturbation, on whole small studies."""

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from scipy import ndimage

from centrum import cli
from centrum.agreement import icc
from centrum.commands import perturb as perturbing, results as left, study as verbs
from centrum.errors import CentrumError, DataError, ProtocolError
from centrum.features.settings import ExtractionSettings, Interpolation
from centrum.geometry import Geometry
from centrum.measure.extract import extract
from centrum.measure.perturbed import margin
from centrum.perturb import Perturbable, RobustnessSettings, plan_perturbations
from centrum.perturb.robustness import robustness
from centrum.protocol import load_preset, parse_protocol
from centrum.study.study import open_study
from centrum.table import FeatureTable
from centrum.volume import Mask, Volume
from tests.pictures import drawn
from tests.studies import PROTOCOL, SIZE, image_of, make_study, read_rows, write_rows

ROBUST = PROTOCOL + "robustness: {repeats: 3, icc: {threshold: 0.3}}\n"
N = 24


def single_reader(folder: Path, n: int = N, protocol: str = ROBUST) -> Path:
    make_study(folder, n=n, protocol=protocol)
    rows = read_rows(folder)
    for row in rows:
        del row["mask:resident"]
    write_rows(folder, rows)
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one reader that has been run; not to be changed."""
    folder = single_reader(tmp_path_factory.mktemp("robust") / "study")
    with drawn():
        verbs.run(open_study(folder))
    return folder


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished study, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "study"))


def through_fit(folder: Path, workers: int = 1) -> None:
    """All stages but the report, which takes the longest."""
    study = open_study(folder)
    verbs.extract(study, workers=workers)
    if study.protocol.robustness:
        perturbing.perturb(study, workers=workers)
    verbs.fit(study)


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes by path, without shards: the clock decides which cases are in one."""
    files = (p for p in folder.rglob("*") if p.is_file() and "shards" not in p.parts)
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_a_single_reader_keeps_robust_features(finished: Path) -> None:
    results = finished / "results"
    table = FeatureTable.load(results, perturbed=True)
    assert table.perturbed.shape == (N, len(table.features), 3)
    assert table.perturbations == ("together 1", "together 2", "together 3")
    assert np.isfinite(table.perturbed).all()
    frame = pd.read_csv(results / "robustness.csv")
    assert list(frame.columns) == ["feature", "icc", "lower", "upper", "n", "kept"]
    layers = np.concatenate([table.values[:, :, :1], table.perturbed], axis=2)
    np.testing.assert_allclose(frame["icc"], icc(layers, "1,1").value, rtol=1e-12)
    assert 0 < frame["kept"].sum() < len(frame)
    model = left.load_model(open_study(finished))
    assert model.funnel["agreement"] == len(table.features)
    assert 0 < model.funnel["robustness"] < len(table.features)


class _Measured(Exception):
    """Cases would be measured."""


def test_a_layer_that_is_too_large_is_refused_before_anything_is_measured(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_study(study)
    numbers = N * len(FeatureTable.load(opened.results).features) * 3
    monkeypatch.setattr(perturbing, "_measure_perturbed", Mock(side_effect=_Measured))
    monkeypatch.setattr("centrum.modelling.on_disk.IN_MEMORY", numbers)
    with pytest.raises(_Measured):
        perturbing.perturb(opened)
    monkeypatch.setattr("centrum.modelling.on_disk.IN_MEMORY", numbers - 1)
    with pytest.raises(DataError, match=f"The perturbed layer .*{N} x .* x 3 numbers") as caught:
        perturbing.perturb(opened)
    assert caught.value.code == "too-large"


def test_its_interval_is_by_patient(finished: Path) -> None:
    """As if each patient had two of the cases."""
    table = FeatureTable.load(finished / "results", perturbed=True)
    settings = open_study(finished).protocol.robustness
    layers = np.concatenate([table.values[:, :, :1], table.perturbed], axis=2)
    owners = np.arange(N) // 2
    found = robustness(replace(table, obs=table.obs.assign(patient=owners)), settings)
    wanted = icc(layers, settings.icc.form, patients=owners).lower
    np.testing.assert_array_equal(found["lower"], wanted)
    assert not np.allclose(wanted, icc(layers, settings.icc.form).lower, equal_nan=True)


def test_the_report_says_how_many_are_robust(finished: Path) -> None:
    page = (finished / "results" / "report.html").read_text()
    kept = pd.read_csv(finished / "results" / "robustness.csv")["kept"].sum()
    assert re.search(rf"{kept}\s+of\s+\d+\s+features\s+are\s+robust", page)
    assert "Robust to perturbation" in page
    assert (finished / "results" / "figures" / "robustness.svg").is_file()


def test_what_was_done_is_on_record(finished: Path) -> None:
    done = pd.read_csv(finished / "results" / "perturbations.csv", dtype={"case": str})
    assert len(done) == 3 * N
    plan = plan_perturbations(RobustnessSettings(repeats=3), "P002")
    own = done[done["case"] == "P002"]
    assert own["seed"].tolist() == [p.seed for p in plan]
    np.testing.assert_allclose(own["volume"], [p.volume for p in plan])
    assert (own["noise_sd"] > 20).all()
    assert own["noise_sd"].nunique() == 1


def test_the_same_study_gives_the_same_bytes(finished: Path, study: Path) -> None:
    """Also when it lies elsewhere and is measured by two processes."""
    shutil.rmtree(study / "results")
    through_fit(study, workers=2)
    first, second = contents(finished / "results"), contents(study / "results")
    del second["stages.json"]
    assert {n.split("/")[0] for n in second} >= {"store", "robustness.csv", "fit.json"}
    assert [name for name in second if first[name] != second[name]] == []


def test_measured_cases_come_from_the_store(study: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (study / "results" / "store").rglob("*.json")}
    for name in ("robustness.csv", "robustness_values.parquet"):
        (study / "results" / name).unlink()
    perturbing.perturb(open_study(study))
    after = {p: p.stat().st_mtime_ns for p in (study / "results" / "store").rglob("*.json")}
    assert after == before
    assert f"{3 * N} of them in the store" in perturbing.perturb_outlook(open_study(study))


@pytest.mark.parametrize(
    ("old", "new", "measured", "fitted"),
    [
        ("threshold: 0.3", "threshold: 0.4", False, True),
        ("repeats: 3", "repeats: 2", True, True),
        ("repeats: 3", "repeats: 3, seed: 1", True, True),
        ("name: Ellipsoids", "name: Other", False, False),
    ],
)
def test_only_what_a_change_touches_is_done_again(
    study: Path, old: str, new: str, measured: bool, fitted: bool
) -> None:
    results = study / "results"
    before = {
        "store": len(list((results / "store").rglob("*.json"))),
        "model": (results / "fit.json").stat().st_mtime_ns,
        "scores": json.loads((results / "stages.json").read_text())["fit"]["key"],
    }
    path = study / "study.yaml"
    path.write_text(path.read_text().replace(old, new))
    through_fit(study)
    grown = len(list((results / "store").rglob("*.json"))) - before["store"]
    assert grown == (N if measured else 0)
    key = json.loads((results / "stages.json").read_text())["fit"]["key"]
    assert (key != before["scores"]) == fitted


def test_without_the_block_nothing_is_different(study: Path, tmp_path: Path) -> None:
    """A study that was perturbed before, and one that never was: the same bytes."""
    path = study / "study.yaml"
    path.write_text(PROTOCOL)
    through_fit(study)
    plain = single_reader(tmp_path / "plain" / "study", protocol=PROTOCOL)
    through_fit(plain)
    expected = {n: b for n, b in contents(plain / "results").items() if "store" not in n}
    found = contents(study / "results")
    del expected["stages.json"]
    assert [name for name in expected if found[name] != expected[name]] == []
    assert "robustness" not in left.load_model(open_study(study)).funnel


def test_kinds_apart_get_an_icc_each(tmp_path: Path) -> None:
    block = "robustness: {together: false, repeats: 2, kinds: [noise, rotation]}\n"
    folder = single_reader(tmp_path / "study", 8, PROTOCOL + block)
    verbs.extract(open_study(folder))
    found = perturbing.perturb(open_study(folder))
    assert (found.cases, found.perturbations) == (8, 4)
    table = FeatureTable.load(folder / "results", perturbed=True)
    turned = np.concatenate([table.values[:, :, :1], table.perturbed[:, :, 2:]], axis=2)
    expected = icc(turned, "1,1").value
    np.testing.assert_allclose(found.features["icc_rotation"], expected, rtol=1e-12)
    shape = [name for name in table.names if "morphology_mesh_volume" in name]
    assert found.features.loc[shape, "icc_noise"].tolist() == [1.0]


def test_a_bad_case_does_not_stop_the_others(tmp_path: Path) -> None:
    """A region of three voxels cannot shrink, or is too small to measure again."""
    block = "robustness: {kinds: [volume], repeats: 8, volume: 0.3}\n"
    folder = single_reader(tmp_path / "study", 8, PROTOCOL + block)
    small = np.zeros(SIZE[::-1], np.uint8)
    small[3, 10:12, 10:12] = 1
    small[3, 11, 12] = 1
    sitk.WriteImage(image_of(small), folder / "masks/P003_senior.nrrd")
    path = folder / "study.yaml"
    path.write_text(path.read_text() + "\n")
    extraction = verbs.extract(open_study(folder))
    found = perturbing.perturb(open_study(folder))
    table = FeatureTable.load(folder / "results", perturbed=True)
    assert np.isfinite(table.perturbed[table.cases.index("P005")]).all()
    if "P003" in extraction.table.cases:
        assert found.features["n"].min() < 8
    assert len(table.cases) == 8 - len(extraction.failures)


def test_a_case_that_cannot_be_read_any_more_is_named(study: Path) -> None:
    """Within a run; afterwards what `extract` left is old, too."""
    opened = open_study(study)
    assert opened.sources, "which are hashed now"
    shutil.rmtree(study / "results" / "store")
    (study / "masks" / "P003_senior.nrrd").unlink()
    found = perturbing.perturb(opened)
    assert [failure.case for failure in found.failures] == ["P003"]
    assert "[mask of senior]" in found.failures[0].message
    assert set(found.features["n"]) == {N - 1}
    verbs.fit(opened)
    with pytest.raises(CentrumError, match="What `extract` left is older"):
        perturbing.perturb(open_study(study))


class TestOrder:
    """What is missing is said, with the command that makes it."""

    def test_no_block(self, tmp_path: Path) -> None:
        folder = single_reader(tmp_path / "study", 4, PROTOCOL)
        for stage in (perturbing.perturb, perturbing.perturb_outlook):
            with pytest.raises(ProtocolError, match=r"no block `robustness`.*robustness: \{\}"):
                stage(open_study(folder))

    def test_perturb_before_extract(self, tmp_path: Path) -> None:
        with pytest.raises(CentrumError, match=r"features\.parquet is not there yet"):
            perturbing.perturb(open_study(single_reader(tmp_path / "study", 4)))

    def test_features_that_the_protocol_does_not_give(self, study: Path) -> None:
        table = FeatureTable.load(study / "results")
        first, *others = table.features
        other = replace(table, features=(replace(first, image="T1w"), *others))
        stages = open_study(study).stages
        stages.done("extract", stages.read()["extract"].key, other.save(study / "results"))
        with pytest.raises(ProtocolError, match=r"1 features of the table, such as .* are not"):
            perturbing.perturb(open_study(study))

    def test_fit_before_perturb_or_with_an_old_layer(self, study: Path) -> None:
        path = study / "study.yaml"
        path.write_text(path.read_text().replace("repeats: 3", "repeats: 4"))
        with pytest.raises(CentrumError, match="`centrum perturb STUDY` makes it again"):
            verbs.fit(open_study(study))


def test_two_readers_agree_and_are_robust(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", n=N, protocol=ROBUST)
    through_fit(folder)
    model = left.load_model(open_study(folder))
    table = FeatureTable.load(folder / "results", perturbed=True)
    assert table.readings.shape[2] == 5
    counts = list(model.funnel.values())
    assert list(model.funnel)[:2] == ["agreement", "robustness"]
    assert counts == sorted(counts, reverse=True)


def test_command(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["centrum", "perturb", str(study), *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 0
        return capsys.readouterr().out

    assert f"{3 * N} measurements ({N} cases x 3 perturbations)" in said("--dry-run")
    assert re.search(
        rf"\d+ of \d+ features have an ICC\(1,1\) above 0\.3 over 3 perturbations of {N} cases",
        said("--workers", "1"),
    )
    record = json.loads(said("--workers", "1", "--json"))
    assert set(record["features"][0]) == {"feature", "icc", "lower", "upper", "n", "kept"}


def test_the_block_in_a_protocol() -> None:
    assert parse_protocol("name: x", "study.yaml").robustness is None
    assert parse_protocol("name: x\nrobustness: {}", "s").robustness == RobustnessSettings()
    with pytest.raises(ProtocolError, match=r"robustness\.repeats"):
        parse_protocol("name: x\nrobustness: {repeats: 0}", "s")


def test_the_surroundings_are_perturbed_as_far_as_something_looks() -> None:
    grid = Geometry((64, 64, 9), (0.5, 0.5, 4.0))
    assert margin(grid, ExtractionSettings(plane="axial")) == (0, 0, 0)
    finer = ExtractionSettings(plane="axial", interpolation=Interpolation(spacing=(0.4, 0.4, None)))
    assert margin(grid, finer) == (0, 1, 1)
    wide = {"filters": [{"filter": "mean", "support": 81}]}
    assert margin(grid, ExtractionSettings.model_validate(wide)) == (20, 160, 160)
    preset = load_preset("vcf-t2w").extraction.model_copy(update={"plane": "axial"})
    across, *in_plane = margin(grid, preset)
    assert (across, min(in_plane) > 10) == (0, True)
    assert margin(grid, load_preset("vcf-t2w-2024").extraction) == (np.inf, np.inf, np.inf)


LOOKING_FAR: dict[str, dict[str, Any]] = {
    "log": {"filters": [{"filter": "log", "sigma": 8}]},
    "log in slices": {"filters": [{"filter": "log", "sigma": 8, "dimension": "2D"}]},
    "mean": {"filters": [{"filter": "mean", "support": 81}]},
    "mean that wraps": {"filters": [{"filter": "mean", "support": 9, "boundary": "periodic"}]},
    "simoncelli": {"filters": [{"filter": "simoncelli", "levels": [4]}]},
    "riesz": {"filters": [{"filter": "riesz-simoncelli", "order": [1, 0], "dimension": "2D"}]},
    "gabor": {"filters": [{"filter": "gabor", "sigma": 6, "wavelength": 4, "dimension": "2D"}]},
    "wavelet": {"filters": [{"filter": "wavelet", "wavelet": "coif1", "levels": [3]}]},
    "laws": {"filters": [{"filter": "laws", "kernels": "L5E5S5", "energy": 20}]},
    "spline": {"interpolation": {"isotropic": 1.3, "image": "cubic"}},
    "spline and mean": {
        "interpolation": {"in_plane": 0.9, "image": "cubic"},
        "filters": [{"filter": "mean", "support": 31, "dimension": "2D"}],
    },
    "peaks": {"families": ["local_intensity"]},
    "PyRadiomics' LoG": {"dialect": "pyradiomics", "filters": [{"filter": "LoG", "sigma": [5]}]},
    "PyRadiomics' wavelet": {"dialect": "pyradiomics", "filters": [{"filter": "Wavelet"}]},
    "PyRadiomics' squares": {"dialect": "pyradiomics", "filters": [{"filter": "Square"}]},
    "PyRadiomics' splines": {
        "dialect": "pyradiomics",
        "interpolation": {"spacing": [1, 1, 2], "image": "cubic", "mask": "nearest"},
    },
    "PyRadiomics' z-scores": {"dialect": "pyradiomics", "normalise_scale": 100},
}


@pytest.mark.parametrize("name", LOOKING_FAR)
def test_it_is_as_if_the_whole_image_were_perturbed(name: str) -> None:
    """Of whatever looks around the region, however far."""
    block = {"families": ["statistics"], "plane": "axial"} | LOOKING_FAR[name]
    chosen = ExtractionSettings.model_validate(block)
    grid = Geometry((150, 140, 24), (0.7, 0.8, 2.0))
    rng = np.random.default_rng(3)
    smooth = ndimage.gaussian_filter(rng.normal(0, 900, grid.shape), (1, 3, 3))
    volume = Volume(smooth + rng.normal(500, 8, grid.shape), grid)
    region = Mask(np.zeros(grid.shape, bool), grid)
    region.array[9:14, 58:82, 60:85] = True
    settings = RobustnessSettings(kinds=("noise", "translation", "rotation", "volume", "contour"))
    perturbation = plan_perturbations(settings, "P001")[0]
    values = [
        extract(*Perturbable(volume, region, 0, mm).perturbed(perturbation), chosen)
        for mm in (margin(grid, chosen), np.inf)
    ]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-9)
