"""`centrum measure`: features of regions without a study, as a protocol or PyRadiomics has them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import yaml
from typer.testing import CliRunner

from centrum.cli import CASES_FAILED, app
from centrum.commands.measure import (
    RegionJob,
    RegionToMeasure,
    measure_regions,
    read_batch,
    read_settings,
)
from centrum.errors import CentrumError, DataError, ManifestError, ProtocolError
from centrum.protocol import parse_protocol
from centrum.pyradiomics.featureextractor import RadiomicsFeatureExtractor
from tests.studies import PROTOCOL, make_study

PARAMETERS = {
    "setting": {"binWidth": 0.2, "additionalInfo": False},
    "imageType": {"Original": {}},
    "featureClass": {"firstorder": ["Mean", "Entropy"], "glcm": ["Contrast"]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images with a mask of two labels each, both kinds of settings, and a table of regions."""
    place = tmp_path_factory.mktemp("regions")
    for k in range(2):
        noise = np.random.default_rng(k).normal(size=(6, 16, 16)).astype(np.float32)
        labels = np.zeros(noise.shape, np.uint8)
        labels[1:5, 3:9, 3:12], labels[1:5, 10:14, 3:12] = 1, 2
        for name, array in ((f"image{k}.nrrd", noise), (f"mask{k}.nrrd", labels)):
            sitk.WriteImage(sitk.GetImageFromArray(array), str(place / name))
    (place / "Params.yaml").write_text(yaml.safe_dump(PARAMETERS))
    rows = ["ID,Image,Mask,Label", "a,image0.nrrd,mask0.nrrd,1", "b,image1.nrrd,mask1.nrrd,2"]
    (place / "batch.csv").write_text("\n".join(rows))
    return place


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["measure", *map(str, words), "--workers", "1"])
    return done.exit_code, done.stdout


def by_pyradiomics(folder: Path, k: int, label: int) -> dict[str, float]:
    extractor = RadiomicsFeatureExtractor(PARAMETERS)
    files = (str(folder / f"{what}{k}.nrrd") for what in ("image", "mask"))
    return {name: float(value) for name, value in extractor.execute(*files, label=label).items()}


@pytest.mark.parametrize("named", [["--label", "2"], []])
def test_one_region_by_parameters_of_pyradiomics(folder: Path, named: list[str]) -> None:
    mask = folder / "mask0.nrrd"
    code, text = run(folder / "image0.nrrd", mask if named else f"{mask}#2",
                     "--settings", folder / "Params.yaml", "--json", *named)  # fmt: skip
    assert code == 0
    [row] = json.loads(text)
    assert row == {"case": "region", **by_pyradiomics(folder, 0, 2)}


@pytest.mark.parametrize(
    ("ending", "read"), [("csv", pd.read_csv), ("json", pd.read_json), ("parquet", pd.read_parquet)]
)
def test_a_table_of_regions_in_every_format(folder: Path, tmp_path: Path, ending, read) -> None:
    out = tmp_path / f"features.{ending}"
    code, text = run(folder / "batch.csv", "--settings", folder / "Params.yaml", "--out", out)
    assert code == 0
    assert "2 of 2 regions x 3 features" in text
    table = read(out).set_index("case")
    for case, k, label in (("a", 0, 1), ("b", 1, 2)):
        assert table.loc[case].to_dict() == pytest.approx(by_pyradiomics(folder, k, label))
    assert sorted(p.name for p in tmp_path.iterdir()) == [out.name]


def test_a_protocol_measures_as_its_study_does(tmp_path: Path) -> None:
    from centrum.study.extraction import measure_study
    from centrum.study.study import open_study

    study = open_study(make_study(tmp_path / "study", 4))
    table = measure_study(study, 1, lambda *_: None).table
    case = study.cohort.cases[0]
    region = RegionToMeasure(case.id, case.images[study.sequences[0]], case.masks[table.readers[0]])
    measured = measure_regions([region], read_settings(tmp_path / "study" / "study.yaml"))
    own = measured.table.loc[case.id, list(table.names)]
    np.testing.assert_array_equal(own.to_numpy(float), table.values[0, :, 0])
    assert measured.units["original_statistics_mean"] == "I"
    assert parse_protocol(PROTOCOL, "study.yaml").extraction.families


def test_one_bad_region_does_not_stop_the_others_and_what_is_kept_is_not_made_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = folder / "bad.csv"
    batch.write_text((folder / "batch.csv").read_text() + "\nc,gone.nrrd,mask0.nrrd,1")
    out, settings = tmp_path / "f.csv", ("--settings", folder / "Params.yaml")
    code, text = run(batch, *settings, "--out", out)
    assert (code, "2 of 3 regions" in text) == (CASES_FAILED, True)
    assert list(pd.read_csv(out)["case"]) == ["a", "b"]
    made = []
    real = RadiomicsFeatureExtractor.execute
    monkeypatch.setattr(
        RadiomicsFeatureExtractor, "execute", lambda *a, **k: made.append(a) or real(*a, **k)
    )
    run(batch, *settings, "--out", out)
    assert len(made) == 1  # the missing image alone is tried again


def test_the_lines_of_one_region_have_units(folder: Path, tmp_path: Path) -> None:
    protocol = tmp_path / "p.yaml"
    protocol.write_text(PROTOCOL)
    code, text = run(folder / "image0.nrrd", f"{folder / 'mask0.nrrd'}#1", "--settings", protocol)
    assert code == 0
    assert any(line.startswith("original_statistics_mean  ") for line in text.splitlines())


def test_a_region_is_named_once() -> None:
    with pytest.raises(DataError, match="found both '2' and the label 1"):
        RegionToMeasure("a", "i.nrrd", "m.nrrd#2", 1)


def test_the_key_of_a_region_holds_all_that_is_read(folder: Path) -> None:
    """Another label, mask or image, other parameters, and not what the row is called."""
    image, mask, other = (str(folder / f"{name}.nrrd") for name in ("image0", "mask0", "image1"))
    region = RegionToMeasure("a", image, mask, 1)
    coarser = {**PARAMETERS, "setting": {"binWidth": 0.5}}
    jobs = [
        RegionJob(region, PARAMETERS),
        RegionJob(replace(region, label=2), PARAMETERS),
        RegionJob(replace(region, image=other), PARAMETERS),
        RegionJob(replace(region, mask=other), PARAMETERS),
        RegionJob(replace(region, mask=f"{mask}#2", label=None), PARAMETERS),
        RegionJob(region, coarser),
        RegionJob(region, parse_protocol(PROTOCOL, "study.yaml")),
    ]
    assert len({job.key() for job in jobs}) == len(jobs)
    assert RegionJob(replace(region, case="b"), PARAMETERS).key() == jobs[0].key()


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("case,picture\na,b", "a column 'image' was expected, found case, picture"),
        ("case,image,mask\na,,m.nrrd", "row 2, column 'image': a file was expected"),
        ("case,image,mask,label\na,i.nrrd,m.nrrd,one", "a whole number was expected, found 'one'"),
        ("case,image,mask\na,i.nrrd,m.nrrd\na,i.nrrd,n.nrrd", "'a' stands in 2 rows"),
    ],
)
def test_what_is_wrong_with_a_table_of_regions(tmp_path: Path, table: str, told: str) -> None:
    (tmp_path / "batch.csv").write_text(table)
    with pytest.raises(ManifestError, match=told):
        read_batch(tmp_path / "batch.csv")


def test_rows_without_a_case_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "batch.csv").write_text("Image,Mask\ni.nrrd,m.nrrd\nj.nrrd,n.nrrd")
    regions = read_batch(tmp_path / "batch.csv")
    assert [(r.case, Path(r.image).name, r.label) for r in regions] == [
        ("1", "i.nrrd", None), ("2", "j.nrrd", None),
    ]  # fmt: skip


def test_what_a_cohort_teaches_is_not_measured_of_one_region(tmp_path: Path) -> None:
    learnt = "preset: vcf-t2w\npreparation: {normalisation: {method: nyul, over: image}}\n"
    (tmp_path / "p.yaml").write_text(learnt)
    with pytest.raises(ProtocolError, match="learnt from the training patients"):
        read_settings(tmp_path / "p.yaml")


def test_an_unknown_setting_of_pyradiomics_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("setting: {binwidth: 5}")
    with pytest.raises(CentrumError, match="did you mean 'binWidth'"):
        read_settings(tmp_path / "p.yaml")


def test_a_dry_run_writes_nothing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.csv"
    code, text = run(folder / "batch.csv", "--out", out, "--dry-run")
    assert (code, out.exists()) == (0, False)
    assert "2 regions would be measured" in text
    code, _ = run(folder / "batch.csv", "--out", tmp_path / "f.docx")
    assert code != 0
