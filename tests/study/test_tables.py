"""Studies of tables: the same model as from images, and what is wrong with a table."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from centrum.commands import check, study as verbs
from centrum.commands.tables import export_tables, import_tables
from centrum.errors import DataError, ManifestError, ProtocolError
from centrum.protocol import TableSource
from centrum.records import as_json
from centrum.study.study import Study, open_study
from centrum.study.tables import read_study_tables, table_files
from tests.studies import PROTOCOL, make_study

pytestmark = pytest.mark.usefixtures("drawn")

FILTERED = PROTOCOL.replace("  filters: []", "  filters: [{filter: log, sigma: 1, dimension: 2D}]")
PYRADIOMICS = PROTOCOL.replace(
    "extraction:",
    "extraction:\n  dialect: pyradiomics\n  families: [morphology, statistics, glcm, ngtdm]\n"
    "  aggregations: [3D_averaged]\n  resegmentation: {}",
)


@pytest.fixture(scope="module", params=["ibsi", "pyradiomics"])
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of images, fitted; not to be changed."""
    text = FILTERED if request.param == "ibsi" else PYRADIOMICS
    folder = make_study(tmp_path_factory.mktemp("images") / "study", protocol=text)
    study = open_study(folder)
    verbs.extract(study)
    verbs.fit(study)
    return folder


def of_tables(finished: Path, folder: Path, format: str) -> Study:
    """The same study begun from its exported tables, with the same choices."""
    tables = export_tables(verbs.load_extraction(open_study(finished)).table,
                           folder / "exported", format)  # fmt: skip
    import_tables(tables, folder / "study", readers=("senior", "resident"),
                  cases=finished / "cases.csv")  # fmt: skip
    own = yaml.safe_load((folder / "study" / "study.yaml").read_text())
    same = yaml.safe_load((finished / "study.yaml").read_text())
    (folder / "study" / "study.yaml").write_text(yaml.safe_dump(same | {"tables": own["tables"]}))
    return open_study(folder / "study")


@pytest.mark.parametrize("format", ["slicer", "pyradiomics"])
def test_tables_give_the_same_model_as_images(finished: Path, tmp_path: Path, format: str) -> None:
    study = of_tables(finished, tmp_path, format)
    verbs.extract(study)
    verbs.fit(study)
    records = [json.loads((f / "results" / "fit.json").read_text())
               for f in (finished, study.folder)]  # fmt: skip
    assert records[0]["scorer"] == records[1]["scorer"], "not the same to the last digit"
    assert records[0]["model"]["features"] == records[1]["model"]["features"]
    table = verbs.load_extraction(study).table
    assert {f.family for f in table.features} >= {"morphology", "glcm"}
    assert "other" not in {f.family for f in table.features}


def test_a_whole_study_of_tables(finished: Path, tmp_path: Path) -> None:
    study = of_tables(finished, tmp_path, "slicer")
    assert check.check_cases(study)[0] == ()
    assert any("read 2 tables" in line for line in verbs.outlook(study))
    _, page = verbs.run(study)
    assert page.is_file()
    model = verbs.freeze(study)
    assert model.of_tables
    for name, found in verbs.evaluate_scores(study).by_set.items():
        assert model.performance[name]["auc"]["interval"] == as_json(found.auc.interval)
    assert "tables" in json.loads((page.parent / "model.json").read_text())["provenance"]["digests"]


# One reader, other programs


def table_of(n: int = 30, features: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    outcome = np.arange(n) % 2
    values = rng.normal(size=(n, features)) + outcome[:, None]
    frame = pd.DataFrame(values, columns=[f"f{k}" for k in range(features)])
    frame.insert(0, "Target", outcome)
    frame.insert(0, "ID", [f"c{k}" for k in range(n)])
    return frame


def test_a_generic_table_with_its_outcome(tmp_path: Path) -> None:
    path = tmp_path / "radiomics.csv"
    table_of().to_csv(path, index=False)
    with pytest.raises(ProtocolError, match=r"the table has 0, 1 .* --positive 1 --negative 0"):
        import_tables([path], tmp_path / "study")
    lines = import_tables([path], tmp_path / "study", outcomes=("1", "0"))
    assert "generic, 30 cases x 6 features, reader reader1" in lines[0]
    study = open_study(tmp_path / "study")
    found = read_study_tables(study)
    assert found.table.values.shape == (30, 6, 1)
    assert found.table.names == tuple(f"f{k}" for k in range(6))
    with pytest.raises(ManifestError, match="nothing is overwritten"):
        import_tables([path], tmp_path / "study", outcomes=("1", "0"))


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "radiomics.csv"
    table_of().to_csv(path, index=False)
    import_tables([path], tmp_path / "study", outcomes=("1", "0"), dry_run=True)
    assert not (tmp_path / "study").exists()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of one generic table."""
    path = tmp_path / "radiomics.csv"
    table_of().to_csv(path, index=False)
    import_tables([path], tmp_path / "study", outcomes=("1", "0"))
    return tmp_path / "study"


def rewrite(study: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(study / "tables" / "reader1.csv", index=False)


def test_gaps_and_missing_rows_are_failures(study: Path) -> None:
    frame = table_of()
    frame.loc[3, "f2"] = np.nan
    rewrite(study, frame.drop(index=5))
    found = read_study_tables(open_study(study))
    assert [f.case for f in found.failures] == ["c3", "c5"]
    assert "1 features that other cases have are missing (f2)" in found.failures[0].message
    assert "no row of it in the table of reader" in found.failures[1].message
    assert len(found.table.cases) == 28
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text + "\nmodel: {imputation: {method: median}}\n")
    filled = read_study_tables(open_study(study))
    assert [f.case for f in filled.failures] == ["c5"]
    assert np.isnan(filled.table.values).sum() == 1


def test_rows_of_nobody_are_told(study: Path) -> None:
    frame = table_of(32)
    rewrite(study, frame)
    found = read_study_tables(open_study(study))
    assert [f.message for f in found.findings if f.code == "rows-left-out"] == [
        "2 rows belong to no eligible case of the manifest: 'c30', 'c31'"
    ]


def test_how_many_rows_matched_is_told_and_kept(study: Path) -> None:
    rewrite(study, table_of(32))
    found = read_study_tables(open_study(study))
    (told,) = [f.message for f in found.findings if f.code == "join"]
    assert told == (
        "30 of 32 ids of the table of reader 'reader1' match, and of 30 ids of the manifest"
    )
    (step,) = [s.parameters for s in found.table.history if s.name == "read table"]
    assert (step["rows"], step["matched"]) == (32, 30)


def padded(folder: Path, n: int) -> tuple[Path, Path]:
    """Two readers' tables: the second one lost the leading zeros of its ids."""
    frame = table_of(n).drop(columns="Target")
    outcome = ["malignant" if k % 2 else "osteoporotic" for k in range(n)]
    first = frame.assign(ID=[f"{k:03d}" for k in range(n)], outcome=outcome)
    first.to_csv(folder / "a.csv", index=False)
    frame.assign(ID=range(n)).to_csv(folder / "b.csv", index=False)
    return folder / "a.csv", folder / "b.csv"


@pytest.mark.parametrize(("n", "matched"), [(24, 0), (150, 50)])
def test_ids_that_lost_their_zeros_are_refused(tmp_path: Path, n: int, matched: int) -> None:
    tables = padded(tmp_path, n)
    with pytest.raises(DataError, match=rf"{matched} of {n} ids of b\.csv match") as caught:
        import_tables(tables, tmp_path / "study")
    assert "'0' in b.csv looks like '000', '1' in b.csv looks like '001'" in str(caught.value)
    assert caught.value.code == "unmatched-rows"
    assert not (tmp_path / "study").exists()


def test_fewer_matches_can_be_allowed(tmp_path: Path) -> None:
    lines = import_tables(padded(tmp_path, 150), tmp_path / "study", min_share=0.3)
    assert "50 of 150 ids of b.csv match, and of 150 ids of a.csv" in lines
    study = open_study(tmp_path / "study")
    assert study.protocol.join.min_share == 0.3
    found = read_study_tables(study).findings
    assert [f.reader for f in found if f.code == "similar-ids"] == ["reader2"]
    (told,) = [f.message for f in found if f.code == "join"]
    assert "150 of 150 ids of the table of reader 'reader1' match" in told
    assert "50 of 150 ids of the table of reader 'reader2' match" in told


def test_a_reader_may_have_read_a_part_only(tmp_path: Path) -> None:
    tables = padded(tmp_path, 24)
    pd.read_csv(tables[0], dtype=str).head(8).to_csv(tables[1], index=False)
    import_tables(tables, tmp_path / "study")
    found = read_study_tables(open_study(tmp_path / "study"))
    assert np.isfinite(found.table.values[:, :, 1]).all(axis=1).sum() == 8


def test_a_running_number_is_left_out_of_a_study(tmp_path: Path) -> None:
    path = tmp_path / "radiomics.csv"
    table_of().assign(**{"No.": range(1, 31)}).to_csv(path, index=False)
    lines = import_tables([path], tmp_path / "study", outcomes=("1", "0"))
    assert "no features, and left out: 'No.' (a running number)" in lines[0]
    found = read_study_tables(open_study(tmp_path / "study"))
    assert "No." not in found.table.names
    (finding,) = [f for f in found.findings if f.code == "not-a-feature"]
    assert finding.remedy in finding.message
    import_tables([path], tmp_path / "kept", outcomes=("1", "0"), keep=["No."])
    assert "No." in read_study_tables(open_study(tmp_path / "kept")).table.names


def test_a_table_that_is_gone_is_named(study: Path) -> None:
    (study / "tables" / "reader1.csv").unlink()
    with pytest.raises(DataError, match=r"tables/reader1.csv', the table of reader 'reader1'"):
        read_study_tables(open_study(study))


def test_one_file_per_case_is_called_as_its_file(study: Path) -> None:
    shutil.rmtree(study / "tables")
    (study / "tables").mkdir()
    for case, row in table_of().set_index("ID").drop(columns="Target").iterrows():
        lines = [f"original,glcm,{name},{value!r}" for name, value in row.items()]
        head = "Image type,Feature Class,Feature Name,Segment_1"
        (study / "tables" / f"{case}.csv").write_text("\n".join([head, *lines]) + "\n")
    text = (study / "study.yaml").read_text().replace("tables/reader1.csv", "tables/*.csv")
    (study / "study.yaml").write_text(text)
    found = read_study_tables(open_study(study))
    assert found.table.cases == tuple(f"c{k}" for k in range(30))
    np.testing.assert_array_equal(found.table.values[:, :, 0], table_of().iloc[:, 2:].to_numpy())


def test_robustness_needs_images(study: Path) -> None:
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text + "\nrobustness: {}\n")
    with pytest.raises(ProtocolError, match="perturbs images"):
        open_study(study)


def test_a_column_of_the_manifest_called_as_a_feature_stops_before_anything_is_read(
    study: Path,
) -> None:
    manifest = study / "cases.csv"
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join([f"{lines[0]},f1", *(f"{line},2.5" for line in lines[1:])]))
    for read in (read_study_tables, check.check_cases):
        with pytest.raises(
            ManifestError, match="has a column 'f1', which is also the name of a feature"
        ):
            read(open_study(study))


def test_a_feature_called_as_a_column_of_results(study: Path) -> None:
    rewrite(study, table_of().rename(columns={"f1": "reader"}))
    with pytest.raises(DataError, match="has the name of a column of the results, 'reader'"):
        read_study_tables(open_study(study))


def test_nobody_is_no_case_of_a_table(study: Path) -> None:
    rewrite(study, table_of().replace({"ID": {"c3": "None"}}))
    with pytest.raises(ManifestError, match="there are rows without a case id: 5"):
        read_study_tables(open_study(study))


def test_patterns_that_cannot_be_are_tables_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for pattern in ("/abs/*.csv", "**/x**", "[[[", "a" * 300, "a\0*", "folder.csv", "*", ""):
        with pytest.raises(DataError) as caught:
            table_files(tmp_path, TableSource(file=pattern, reader="R"))
        assert caught.value.code == "no-table"
