"""Features made elsewhere beside those of the images: joined by case, modelled, scored."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from centrum.cli import app
from centrum.commands import score as scoring, study as verbs
from centrum.commands.check import check_cases
from centrum.commands.validate import validate_model
from centrum.errors import DataError, ProtocolError
from centrum.protocol import parse_protocol
from centrum.study.stage_keys import extract_key
from centrum.study.study import open_study
from tests.studies import PROTOCOL, READERS, make_study

FAMILIES = ["morphology", "statistics", "ngtdm"]
"""What is measured; the features of the last come from a table in half of the tests."""


def written(folder: Path, **changes: object) -> Path:
    """A study of these families, with further changes of its protocol."""
    make_study(folder)
    own = yaml.safe_load(PROTOCOL)
    own["extraction"] |= {"families": FAMILIES}
    (folder / "study.yaml").write_text(yaml.safe_dump(own | changes))
    return folder


def with_families(folder: Path, *families: str) -> None:
    own = yaml.safe_load((folder / "study.yaml").read_text())
    own["extraction"] |= {"families": list(families)}
    (folder / "study.yaml").write_text(yaml.safe_dump(own))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of images alone, fitted; not to be changed."""
    folder = written(tmp_path_factory.mktemp("whole") / "study")
    verbs.extract(open_study(folder))
    verbs.fit(open_study(folder))
    return folder


def texture(whole: Path, reader: str) -> pd.DataFrame:
    """The last family's features of a reader, by case."""
    frame = pd.read_csv(whole / "results" / "features.csv")
    own = frame[frame["reader"] == reader].set_index("case")
    return own[[name for name in own if "_ngtdm_" in name]]


@pytest.fixture(scope="module")
def rated(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same study, the last family of which comes from a table per reader; fitted."""
    sources = [{"name": "texture", "file": f"{r}.csv", "reader": r} for r in READERS]
    folder = written(tmp_path_factory.mktemp("rated") / "study", sources=sources)
    with_families(folder, *FAMILIES[:2])
    for reader in READERS:
        texture(whole, reader).to_csv(folder / f"{reader}.csv")
    verbs.extract(open_study(folder))
    verbs.fit(open_study(folder))
    return folder


def scores(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "results" / "scores.csv", index_col="case")


def test_a_source_is_as_good_as_what_is_measured(whole: Path, rated: Path) -> None:
    """The same numbers by another door: the same model, to the last digit."""
    columns = ["score", "out_of_fold", "score:resident"]
    np.testing.assert_array_equal(scores(rated)[columns], scores(whole)[columns])
    agreed = [verbs.agree(open_study(folder)) for folder in (rated, whole)]
    np.testing.assert_array_equal(*(frame.drop(columns="kept") for frame in agreed))


def test_features_of_a_source_are_called_after_it(rated: Path) -> None:
    table = verbs.load_extraction(open_study(rated)).table
    own = [f for f in table.features if f.sequence == "texture"]
    assert len(own) == 5
    assert {f.family for f in own} == {"ngtdm"}
    assert all(name.startswith("texture_original_ngtdm_") for name in table.names[-5:])
    assert table.elsewhere == ("texture",)
    assert table.unread == ()
    read = [step.parameters for step in table.history if step.name == "read table"]
    assert [(step["source"], step["reader"], step["matched"]) for step in read] == [
        ("texture", reader, 30) for reader in READERS
    ]


def run(*words: object) -> Any:
    return CliRunner().invoke(app, list(map(str, words)))


def deep(folder: Path, n: int = 30, seed: int = 1) -> pd.DataFrame:
    """Six numbers of each case, two of which tell the outcome."""
    rng = np.random.default_rng(seed)
    cases = pd.read_csv(folder / "cases.csv", index_col="case")
    values = rng.normal(size=(len(cases), 6))
    values[:, :2] += 1.5 * (cases["outcome"] == "malignant").to_numpy()[:, None]
    return pd.DataFrame(values, cases.index, [f"e{k}" for k in range(6)])


SOURCE = {"name": "deep", "file": "deep.csv"}


@pytest.fixture(scope="module")
def unread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with a source that is no reader's own, frozen; not to be changed."""
    folder = written(tmp_path_factory.mktemp("unread") / "study", sources=[SOURCE])
    with_families(folder, "statistics")
    deep(folder).to_csv(folder / "deep.csv")
    study = open_study(folder)
    verbs.extract(study)
    verbs.fit(study)
    verbs.evaluate(study)
    verbs.freeze(study)
    return folder


def test_agreement_is_not_asked_of_what_no_reader_made(unread: Path) -> None:
    table = verbs.load_extraction(open_study(unread)).table
    own = table.values[:, [name.startswith("deep_") for name in table.names]]
    np.testing.assert_array_equal(own[:, :, 0], own[:, :, 1])
    np.testing.assert_array_equal(own[:, :, 0], deep(unread))
    agreement = verbs.agree(open_study(unread))
    assert len(agreement) == len(table.features) - 6
    assert not [name for name in agreement.index if name.startswith("deep")]
    assert any(n.startswith("deep_e") for n in verbs.load_model(open_study(unread)).features)


def test_a_frozen_model_scores_with_the_table_beside_the_manifest(
    unread: Path, tmp_path: Path
) -> None:
    model = scoring.read_model(unread / "results" / "model.json")
    found = scoring.score_cohort(model, scoring.read_new_cases(unread, model), tmp_path)
    np.testing.assert_allclose(
        [score.score for score in found], scores(unread)["score"], rtol=0, atol=1e-12
    )
    (unread / "deep.csv").rename(unread / "moved.csv")
    try:
        cases = scoring.read_new_cases(unread, model)
        with pytest.raises(DataError, match=r"deep.csv is not there.*--source deep=FILE"):
            scoring.patients_of(model, cases)
        given = {"deep": str(unread / "moved.csv")}
        patients = scoring.patients_of(model, cases, None, given)
        assert patients[3].elsewhere.keys() <= {f"deep_e{k}" for k in range(6)}
        assert set(patients[3].elsewhere.values()) <= set(deep(unread).loc["P003"])
    finally:
        (unread / "moved.csv").rename(unread / "deep.csv")


def test_a_case_without_a_row_is_refused_and_the_others_are_scored(
    unread: Path, tmp_path: Path
) -> None:
    model = scoring.read_model(unread / "results" / "model.json")
    deep(unread).drop("P004").to_csv(tmp_path / "deep.csv")
    cases = scoring.read_new_cases(unread, model)
    found = scoring.score_cohort(model, cases, tmp_path / "out",
                                 sources={"deep": str(tmp_path / "deep.csv")})  # fmt: skip
    assert [score.case for score in found if score.refused] == ["P004"]
    (why,) = (f.message for s in found for f in s.flags if f.severity == "refuse")
    assert "no row of this case in the table of the source 'deep'" in why


def test_one_patient_by_the_command_line(unread: Path, tmp_path: Path) -> None:
    """By the case's own row, however many the table has."""
    one, both = tmp_path / "one.csv", unread / "deep.csv"
    deep(unread).loc[["P002"]].to_csv(one)
    image, mask = unread / "images/P002.nrrd", unread / "masks/P002_senior.nrrd"
    command = ["score", unread / "results/model.json", "--image", image, "--mask", mask, "--json",
               "--known", "age=70", "--known", "sex=F", "--out", tmp_path / "out"]  # fmt: skip
    for table in (one, both):
        done = run(*command, "--source", f"deep={table}", "--case", "P002")
        assert done.exit_code == 0, done.output
        (record,) = json.loads(done.stdout)
        assert record["score"] == pytest.approx(scores(unread).loc["P002", "score"], abs=1e-12)


@pytest.mark.parametrize(("case", "found"), [("patient", "'P002'"), ("P003", "'P002'")])
def test_a_row_of_another_case_is_not_taken(
    unread: Path, tmp_path: Path, case: str, found: str
) -> None:
    deep(unread).loc[["P002"]].to_csv(tmp_path / "one.csv")
    model = scoring.read_model(unread / "results" / "model.json")
    one = scoring.Patient(case, str(unread / "images/P002.nrrd"), "mask.nrrd")
    told = f"source 'deep' has no row of the case '{case}'. Its rows are of {found}. .*--case"
    with pytest.raises(DataError, match=told):
        scoring.score_one(model, one, tmp_path / "out",
                          sources={"deep": str(tmp_path / "one.csv")})  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_a_table_of_other_cases_stops_a_cohort(unread: Path, tmp_path: Path) -> None:
    deep(unread).rename(index=lambda case: f"Q{case[1:]}").to_csv(tmp_path / "other.csv")
    model = scoring.read_model(unread / "results" / "model.json")
    told = r"no row of any of the 30 cases: 'P000', .*, \.\.\.\. Its rows are of 'Q000', "
    with pytest.raises(DataError, match=told):
        scoring.patients_of(model, scoring.read_new_cases(unread, model), None,
                            {"deep": str(tmp_path / "other.csv")})  # fmt: skip


def one_file_each(folder: Path, into: Path) -> None:
    """A file of a single row for each case, which calls it otherwise than its name does."""
    into.mkdir()
    for case, row in deep(folder).iterrows():
        row.to_frame().T.set_axis(["Segment"]).rename_axis("case").to_csv(into / f"{case}.csv")


def test_one_file_per_case_is_read_as_in_the_study(unread: Path, tmp_path: Path) -> None:
    """The same numbers, whether the protocol names the pattern or the command gives it."""
    folder = shutil.copytree(unread, tmp_path / "study")
    (folder / "deep.csv").unlink()
    one_file_each(folder, folder / "deep")
    own = yaml.safe_load((folder / "study.yaml").read_text())
    own["sources"] = [SOURCE | {"file": "deep/*.csv"}]
    (folder / "study.yaml").write_text(yaml.safe_dump(own))
    for verb in (verbs.extract, verbs.fit, verbs.evaluate, verbs.freeze):
        verb(open_study(folder))
    model = scoring.read_model(folder / "results" / "model.json")
    cases = scoring.read_new_cases(folder, model)
    wanted = {f"deep_{name}": value for name, value in deep(folder).loc["P003"].items()}
    for given in ({}, {"deep": f"{folder}/deep/*.csv"}):
        (third,) = (p for p in scoring.patients_of(model, cases, None, given) if p.case == "P003")
        assert third.elsewhere
        assert third.elsewhere.items() <= wanted.items()
    files = (str(folder / file) for file in ("images/P003.nrrd", "masks/P003_senior.nrrd"))
    alone = scoring.Patient("P003", *files, known={"age": 70, "sex": "F"})
    found, _ = scoring.score_one(model, alone, tmp_path / "out",
                                 sources={"deep": f"{folder}/deep/P003*"})  # fmt: skip
    assert found.score == pytest.approx(scores(folder).loc["P003", "score"], abs=1e-12)


@pytest.mark.parametrize(
    ("file", "told"),
    [("none.csv", "table none.csv is not there"), ("no*.csv", r"pattern no\*.csv fits no file"),
     ("", "table out is a folder")],
)  # fmt: skip
def test_a_table_that_cannot_be_found(unread: Path, tmp_path: Path, file: str, told: str) -> None:
    model = scoring.read_model(unread / "results" / "model.json")
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=f"{told}.*--source 'deep=FOLDER/"):
        scoring.score_one(model, scoring.Patient("P002", "image.nrrd", "mask.nrrd"), tmp_path,
                          sources={"deep": str(tmp_path / "out" / file)})  # fmt: skip


def test_a_model_is_validated_with_the_source(unread: Path, tmp_path: Path) -> None:
    model = scoring.read_model(unread / "results" / "model.json")
    elsewhere = tmp_path / "elsewhere"
    make_study(elsewhere, seed=5)
    deep(elsewhere, seed=7).to_csv(elsewhere / "deep.csv")
    found = validate_model(model, elsewhere, tmp_path / "out")
    assert not found.refused
    assert len(found.predictions()) == 30


@pytest.mark.parametrize("fusion", ["late", "stacked"])
def test_sources_have_models_of_their_own(unread: Path, tmp_path: Path, fusion: str) -> None:
    folder = shutil.copytree(unread, tmp_path / "study")
    own = yaml.safe_load((folder / "study.yaml").read_text())
    own["model"] |= {"fusion": fusion}
    (folder / "study.yaml").write_text(yaml.safe_dump(own))
    verbs.fit(open_study(folder))
    record = json.loads((folder / "results" / "fit.json").read_text())
    assert {step.partition(":")[0] for step in record["seen"]} >= {"radiomics", "deep"}


def test_a_changed_table_makes_the_study_old(unread: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(unread, tmp_path / "study")
    before = extract_key(open_study(folder))
    frame = deep(folder)
    frame.iloc[0, 0] += 1e-9
    frame.to_csv(folder / "deep.csv")
    assert extract_key(open_study(folder)) != before


def test_cases_without_a_row_are_told_and_left_out(unread: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(unread, tmp_path / "study")
    frame = deep(folder).drop("P001")
    frame.loc["P002", "e3"] = np.nan
    frame.to_csv(folder / "deep.csv")
    found = verbs.extract(open_study(folder))
    assert [(f.case, f.code) for f in found.failures] == [
        ("P001", "no-row"), ("P002", "missing-features")]  # fmt: skip
    assert len(found.table.cases) == len(found.acquisition) == 28
    assert "P001" not in set(found.overlap["case"])


def test_a_check_reads_the_tables_of_sources(unread: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(unread, tmp_path / "study")
    deep(folder).drop("P001").to_csv(folder / "deep.csv")
    failures, findings = check_cases(open_study(folder))
    assert [(f.case, f.code) for f in failures] == [("P001", "no-row")]
    assert any("29 of 29 ids of the source 'deep' match" in f.message for f in findings)


def test_what_no_reader_has_read_has_no_value(unread: Path, tmp_path: Path) -> None:
    """A source does not make a reader's case one that was read."""
    folder = shutil.copytree(unread, tmp_path / "study")
    (folder / "masks" / "P005_resident.nrrd").unlink()
    table = verbs.extract(open_study(folder)).table
    assert not table.read[5, 1]
    assert table.read.sum() == 59


def test_perturbing_leaves_a_source_as_it_is(unread: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(unread, tmp_path / "study")
    own = yaml.safe_load((folder / "study.yaml").read_text())
    own["robustness"] = {"repeats": 2, "kinds": ["noise"]}
    (folder / "study.yaml").write_text(yaml.safe_dump(own))
    study = open_study(folder)
    verbs.extract(study)
    found = verbs.perturb(study)
    assert not [name for name in found.features.index if str(name).startswith("deep")]
    table = verbs.load_table(study, perturbed=True)
    own_columns = [name.startswith("deep_") for name in table.names]
    np.testing.assert_array_equal(
        table.perturbed[:, own_columns, 1], table.values[:, own_columns, 0]
    )
    others = [not chosen for chosen in own_columns]
    assert (table.perturbed[:, others, 1] != table.values[:, others, 0]).any()


def test_a_whole_study_with_a_source(unread: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(unread, tmp_path / "study")
    assert check_cases(open_study(folder))[0] == ()
    assert any(
        "read 1 table of further sources" in line for line in verbs.outlook(open_study(folder))
    )
    _, page = verbs.run(open_study(folder))
    assert "deep" in page.read_text()


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ([{"name": "clinical", "file": "a.csv"}], "which another has"),
        ([SOURCE, SOURCE], "2 tables 'deep'"),
        ([SOURCE, SOURCE | {"reader": "senior"}], "2 tables 'deep'"),
        ([{"name": "a b", "file": "a.csv"}], "sources.0.name"),
    ],
)
def test_names_of_sources(sources: list[dict[str, str]], told: str) -> None:
    text = PROTOCOL + yaml.safe_dump({"sources": sources})
    with pytest.raises(ProtocolError, match=told):
        parse_protocol(text, "study.yaml")


@pytest.mark.parametrize(
    ("reader", "code"), [("nobody", "unknown-reader"), ("resident", "no-table")]
)
def test_readers_of_sources_are_those_of_the_study(
    unread: Path, tmp_path: Path, reader: str, code: str
) -> None:
    folder = shutil.copytree(unread, tmp_path / "study")
    own = yaml.safe_load((folder / "study.yaml").read_text())
    own["sources"] = [SOURCE | {"reader": reader}]
    (folder / "study.yaml").write_text(yaml.safe_dump(own))
    with pytest.raises(DataError) as caught:
        verbs.extract(open_study(folder))
    assert caught.value.code == code
