"""Sites that keep their images: what travels, what is refused, and the study of all."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import yaml
from hypothesis import given, settings, strategies as st
from scipy.stats import rankdata
from typer.testing import CliRunner

from centrum.cli import app
from centrum.commands import sites as verbs, study as of_study
from centrum.commands.sites import export_site, gather_sites, read_site
from centrum.errors import CentrumError, DataError, ManifestError, ProtocolError
from centrum.study.study import open_study
from centrum.table import Comparisons, FeatureTable
from tests.smallest import IMAGES, image_study
from tests.studies import PROTOCOL, make_study, read_rows, write_rows

SITES = ("berlin", "bern")


def at_a_site(folder: Path, seed: int, n: int = 16) -> Path:
    """A study of a site, measured; those of other seeds have other images."""
    make_study(folder, n=n, seed=seed)
    rows = read_rows(folder)
    write_rows(folder, [row | {"centre": "of our own", "tumour_marker": k % 5 + 0.5} for k, row in
                        enumerate(rows)])  # fmt: skip
    of_study.extract(open_study(folder))
    return folder


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two sites with the same names of patients; not to be changed."""
    folder = tmp_path_factory.mktemp("studies")
    return {name: at_a_site(folder / f"{name}-study", k) for k, name in enumerate(SITES)}


@pytest.fixture
def sites(studies: dict[str, Path], tmp_path: Path) -> list[Path]:
    """What came from them."""
    for name, study in studies.items():
        export_site(open_study(study), tmp_path / name)
    return [tmp_path / name for name in studies]


def test_what_travels_has_no_image_and_no_name_of_a_file(sites: list[Path]) -> None:
    for site in sites:
        assert {p.name for p in site.iterdir()} == {
            "features.parquet", "features.json", "acquisition.csv", "record.json",
            "signature.json",
        }  # fmt: skip
        for path in site.iterdir():
            content = path.read_bytes()
            assert b".nrrd" not in content, path.name
            assert str(site.parent).encode() not in content


def test_the_gathered_table_is_those_of_the_sites(
    sites: list[Path], studies: dict[str, Path], tmp_path: Path
) -> None:
    gather_sites(sites, tmp_path / "all")
    found = of_study.extract(open_study(tmp_path / "all"))
    assert not found.failures
    own = [FeatureTable.load(study / "results") for study in studies.values()]
    assert found.table.readers == own[0].readers
    assert found.table.cases == tuple(
        f"{name}-{case}" for name, table in zip(SITES, own, strict=True) for case in table.cases
    )
    assert set(found.table.names) == set(own[0].names)
    for reader in range(2):
        for k, name in enumerate(found.table.names):
            expected = [t.values[:, t.names.index(name), reader] for t in own]
            np.testing.assert_array_equal(found.table.values[:, k, reader], np.hstack(expected))
    obs = found.table.obs
    assert obs["centre"].tolist() == ["berlin"] * 16 + ["bern"] * 16
    assert obs["patient"].nunique() == 32, "patients of two sites are never one"
    assert obs["outcome"].tolist() == [o for t in own for o in t.obs["outcome"]]
    assert obs["tumour_marker"].tolist() == [k % 5 + 0.5 for k in range(16)] * 2


def test_who_is_not_compared_at_the_sites_is_not_in_the_gathered_study(
    sites: list[Path], tmp_path: Path
) -> None:
    chosen = Comparisons(("resident",), (("resident", "again"),))
    found = [read_site(site) for site in sites]
    tables = [replace(site.table, comparisons=chosen) for site in found]
    decided = [replace(site, table=table) for site, table in zip(found, tables, strict=True)]
    assert tables[0].modelled == ("senior", "resident")
    verbs._write_study(decided, tables[0].names, tables[0].modelled, tmp_path / "all")
    study = open_study(tmp_path / "all")
    assert [table.compared for table in study.protocol.tables] == [False, True]
    assert study.comparisons == Comparisons(("resident",))
    assert of_study.extract(study).table.compared == ("resident",)
    assert of_study.agree(study).empty


def test_each_centre_is_left_out_in_turn(sites: list[Path], tmp_path: Path) -> None:
    gather_sites(sites, tmp_path / "all")
    study = open_study(tmp_path / "all")
    assert study.protocol.split.design == "leave_one_centre_out"
    for verb in (of_study.extract, of_study.fit, of_study.internal, of_study.evaluate):
        verb(study)
    predictions = pd.read_csv(tmp_path / "all/results/predictions.csv")
    parts = predictions.groupby("part")["case"].agg(lambda cases: {c.split("-")[0] for c in cases})
    assert sorted(map(tuple, parts)) == [("berlin",), ("bern",)]


def test_only_sites_that_were_measured_alike(sites: list[Path], tmp_path: Path) -> None:
    other = make_study(tmp_path / "other", n=6, protocol=PROTOCOL.replace("bins: 8", "bins: 9"))
    of_study.extract(open_study(other))
    export_site(open_study(other), tmp_path / "basel")
    with pytest.raises(DataError, match=r"choices .*berlin: .*basel: ") as caught:
        gather_sites([*sites, tmp_path / "basel"], tmp_path / "all")
    assert caught.value.code == "other-protocol"
    assert not (tmp_path / "all").exists()


def test_what_models_choose_may_differ_between_sites(sites: list[Path], tmp_path: Path) -> None:
    """How to measure is one; how to model is said by the first, and can be changed afterwards."""
    protocol = PROTOCOL.replace("maximum: 4", "maximum: 3")
    other = make_study(tmp_path / "other", n=6, protocol=protocol)
    of_study.extract(open_study(other))
    export_site(open_study(other), tmp_path / "basel")
    gather_sites([*sites, tmp_path / "basel"], tmp_path / "all")
    assert open_study(tmp_path / "all").protocol.model.n_features.maximum == 4


@pytest.mark.parametrize("package", ["centrum", "numpy"])
def test_only_sites_of_one_version(
    studies: dict[str, Path], sites: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    package: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(verbs, "own_software", lambda: f"{package} 0.1")
    export_site(open_study(studies["bern"]), sites[1])
    with pytest.raises(DataError, match=rf"versions: berlin: centrum .*; bern: {package} 0\.1"):
        gather_sites(sites, tmp_path / "all")


@pytest.mark.parametrize("name", ["features.parquet", "features.json", "acquisition.csv"])
def test_what_was_changed_on_the_way_is_refused(
    sites: list[Path], tmp_path: Path, name: str
) -> None:
    path = sites[1] / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match=f"bern: {name} is not as it was") as caught:
        gather_sites(sites, tmp_path / "all")
    assert caught.value.code == "changed-site"


@pytest.mark.parametrize("changed", [{"software": "centrum 9"}, {"files": {}}, {}])
def test_a_record_that_is_not_as_it_was_signed_is_refused(
    sites: list[Path], tmp_path: Path, changed: dict
) -> None:
    """Whoever changes a table can write its digest anew, but not sign it; {} is other spaces."""
    path = sites[1] / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(DataError, match=r"bern: record\.json is not as it was") as caught:
        gather_sites(sites, tmp_path / "all")
    assert caught.value.code == "bad-signature"
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize("written", ["", "{}", "[1]", '{"public_key": "00", "signature": "00"}'])
def test_what_is_no_signature_is_refused(sites: list[Path], tmp_path: Path, written: str) -> None:
    (sites[1] / "signature.json").write_text(written)
    with pytest.raises(DataError, match=r"bern: record\.json is not") as caught:
        gather_sites(sites, tmp_path / "all")
    assert caught.value.code == "bad-signature"


def test_the_signature_of_another_site_does_not_count(sites: list[Path], tmp_path: Path) -> None:
    shutil.copy(sites[0] / "signature.json", sites[1])
    with pytest.raises(DataError, match=r"bern: record\.json is not"):
        gather_sites(sites, tmp_path / "all")


@pytest.mark.parametrize("gone", ["record.json", "signature.json", "features.parquet"])
def test_a_folder_that_lacks_something_is_no_site(
    sites: list[Path], tmp_path: Path, gone: str
) -> None:
    (sites[1] / gone).unlink()
    with pytest.raises(DataError, match=f"bern lacks {gone}") as caught:
        gather_sites(sites, tmp_path / "all")
    assert caught.value.code == "no-site"


def test_who_signed_is_told_and_kept(
    sites: list[Path], studies: dict[str, Path], tmp_path: Path
) -> None:
    """Each study has a key of its own, which stays there for its owner alone and is used again."""
    told = "\n".join(gather_sites(sites, tmp_path / "all"))
    kept = json.loads((tmp_path / "all/sites.json").read_text())["sites"]
    by = [kept[name]["signed_by"] for name in SITES]
    assert len(set(by)) == 2
    for name, study, fingerprint in zip(SITES, studies.values(), by, strict=True):
        assert f"{name} {fingerprint}" in told
        assert (study / "readings/signing.key").stat().st_mode & 0o077 == 0
        export_site(open_study(study), tmp_path / "again")
        assert verbs.signed_by(tmp_path / "again") == fingerprint


def test_sites_of_one_name(sites: list[Path], tmp_path: Path) -> None:
    shutil.copytree(sites[0], tmp_path / "again/berlin")
    with pytest.raises(DataError, match="folders of one name"):
        gather_sites([sites[0], tmp_path / "again/berlin"], tmp_path / "all")


def test_a_study_is_not_overwritten(sites: list[Path], tmp_path: Path) -> None:
    gather_sites(sites, tmp_path / "all")
    with pytest.raises(ManifestError, match="already"):
        gather_sites(sites, tmp_path / "all")


def test_a_site_that_is_not_measured_has_nothing_to_send(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", n=4)
    with pytest.raises(CentrumError, match="is not there yet"):
        export_site(open_study(study), tmp_path / "site")


def test_what_is_learnt_of_a_site_does_not_travel(tmp_path: Path) -> None:
    study = image_study(tmp_path / "study")
    text = IMAGES + "preparation: {normalisation: {method: nyul}}\n"
    (study / "study.yaml").write_text(text)
    with pytest.raises(ProtocolError, match="learnt from all training patients"):
        export_site(open_study(study), tmp_path / "site")


def brighter(folder: Path) -> None:
    """Another scanner: the same bodies, twice as bright, in thinner slices."""
    for path in sorted((folder / "images").iterdir()):
        image = sitk.ReadImage(path)
        image = sitk.Cast(image * 2, image.GetPixelID())
        sitk.WriteImage(image, path)


def test_another_scanner_is_told(studies: dict[str, Path], tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(studies["bern"], moved, ignore=shutil.ignore_patterns("results"))
    brighter(moved)
    write_rows(moved, [row | {"field_strength_t": 3.0} for row in read_rows(moved)])
    here = tmp_path / "here"
    shutil.copytree(studies["berlin"], here, ignore=shutil.ignore_patterns("results"))
    write_rows(here, [row | {"field_strength_t": 1.5} for row in read_rows(here)])
    for folder, name in ((here, "berlin"), (moved, "bern")):
        of_study.extract(open_study(folder))
        export_site(open_study(folder), tmp_path / name)
    told = "\n".join(gather_sites([tmp_path / name for name in SITES], tmp_path / "all"))
    assert "Cases: berlin 16, bern 16." in told
    assert "Drift of field_strength_t: berlin 1.5; bern 3.0 (medians)." in told
    drift = json.loads((tmp_path / "all/sites.json").read_text())["drift"]["features"]
    [mean] = [e for name, e in drift.items() if name.endswith("original_statistics_mean")]
    assert mean > 0.7
    volume = drift["original_morphology_voxel_volume"]
    assert volume < 0.3, "bodies are as large"
    assert "original_statistics" in told.split("most of all")[1].splitlines()[0]


def test_sites_alike_have_little_drift(sites: list[Path], tmp_path: Path) -> None:
    told = gather_sites(sites, tmp_path / "all")
    [line] = [line for line in told if line.startswith("Drift of features")]
    moved = int(line.split(": ")[1].split()[0])
    assert moved <= 16, "a tenth by chance"
    assert any(line.startswith("Outcomes: berlin malignant: 8") for line in told)


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=6), min_size=2, max_size=4))
def test_drift_is_the_share_of_ranks_between_sites(groups: list[list[int]]) -> None:
    """Against eta squared of the ranks, computed from sums of squares (H = (n - 1) eta^2)."""
    found = verbs.epsilon_squared([pd.Series(group, dtype=float) for group in groups])
    ranks = rankdata(np.concatenate(groups))
    total = ((ranks - ranks.mean()) ** 2).sum()
    if total == 0:
        assert found is None
        return
    parts = np.split(ranks, np.cumsum([len(group) for group in groups])[:-1])
    between = sum(len(part) * (part.mean() - ranks.mean()) ** 2 for part in parts)
    assert found == pytest.approx(between / total, abs=1e-12)


def test_by_the_command_line(studies: dict[str, Path], tmp_path: Path) -> None:
    def run(*words: object) -> str:
        done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    for name, study in studies.items():
        said = run("export", study, "--format", "site", "--out", tmp_path / name)
        assert verbs.signed_by(tmp_path / name) in said
    told = run("gather", *(tmp_path / n for n in SITES), "--into", tmp_path / "all")
    assert "centrum run" in told
    assert yaml.safe_load((tmp_path / "all/study.yaml").read_text())["tables"][0] == {
        "file": "tables/senior.csv", "reader": "senior", "format": "generic",
        "keep": yaml.safe_load((tmp_path / "all/study.yaml").read_text())["tables"][0]["keep"],
    }  # fmt: skip
    with pytest.raises(ProtocolError, match="--into"):
        run("gather", *(tmp_path / n for n in SITES))
