"""What of a manifest may be written: columns that describe, codes, and no rule with a name."""

from pathlib import Path

import pytest

from centrum.errors import CentrumError, DataError, ProtocolError
from centrum.modelling.designs import PLACE_IN_TIME
from centrum.records import as_json
from centrum.study.study import IDENTIFYING, Study, open_study, study_parts
from centrum.validation.foresight import foresee
from tests.studies import write_rows

N = 12


def study(folder: Path, protocol: str = "", **columns: list) -> Study:
    """A study of which nothing is read but protocol and manifest."""
    rows = [
        {
            "case": f"Roth {'abcdefghijkl'[k]} {k}",
            "patient": f"Roth {'abcdefghijkl'[k]}",
            "outcome": ["malignant", "osteoporotic"][k % 2],
            "image": f"{k}.nrrd",
            "mask": f"{k}-mask.nrrd",
            **{head: values[k % len(values)] for head, values in columns.items()},
        }
        for k in range(N)
    ]
    write_rows(folder, rows)
    (folder / "study.yaml").write_text(f"preset: vcf-t2w\n{protocol}")
    return open_study(folder)


def test_ids_of_patients_are_pseudonyms(tmp_path: Path) -> None:
    obs = study(tmp_path).obs()
    assert obs["patient"].tolist() == [f"P{k + 1:03d}" for k in range(N)]
    assert not [name for name in obs.index if "Roth" in name]


def test_names_are_kept_where_the_protocol_says_so(tmp_path: Path) -> None:
    opened = study(tmp_path, "keep_names: true")
    assert opened.obs()["patient"].tolist()[0] == "Roth a"
    assert opened.cohort.identities == ()


def test_a_column_is_left_out_unless_it_is_forced_in(tmp_path: Path) -> None:
    columns = {"Name": [f"n{k}" for k in range(N)], "drug": ["a", "b"]}
    assert list(study(tmp_path, **columns).obs().columns[-2:]) == ["sex", "drug"]
    forced = study(tmp_path, "describe: [name]", **columns)
    assert list(forced.obs().columns[-2:]) == ["Name", "drug"]
    assert forced.history[-1].name != "leave out columns"


def test_a_centre_of_every_patients_own_is_left_out(tmp_path: Path) -> None:
    assert "centre" not in study(tmp_path, centre=[f"Dr. {k}" for k in range(N)]).obs()
    assert "centre" in study(tmp_path, centre=["Heidelberg", "Mainz"]).obs()


def test_describe_names_columns_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"`describe` names the column 'drugs'.* It has"):
        study(tmp_path, "describe: [drugs]").obs()


@pytest.mark.parametrize(
    "protocol",
    ["model: {covariates: [MRN]}", "evaluation: {reader_calls: [MRN]}",
     "model: {harmonisation: {method: combat, batch: MRN}}",
     "split: {design: leave_one_centre_out, by: MRN}"],
)  # fmt: skip
def test_a_model_of_an_identifier_is_refused(tmp_path: Path, protocol: str) -> None:
    opened = study(tmp_path, protocol, MRN=[str(48151 + 7 * k) for k in range(N)])
    with pytest.raises(DataError, match="may identify the patients") as raised:
        opened.obs()
    assert raised.value.code == IDENTIFYING
    assert any(f.code == IDENTIFYING and f.severity == "error" for f in foresee(opened))


def test_rules_read_every_column(tmp_path: Path) -> None:
    rule = "eligibility: [{name: seen, require: mrn > 48180}]"
    opened = study(tmp_path, rule, MRN=[str(48151 + 7 * k) for k in range(N)])
    assert len(opened.cohort) == N - 5
    assert "MRN" not in opened.obs()


def test_a_rule_that_names_a_patient_is_refused(tmp_path: Path) -> None:
    rule = "eligibility: [{name: withdrew, exclude: patient == 'Roth b'}]"
    with pytest.raises(ProtocolError, match="Call it 'P002', its pseudonym"):
        study(tmp_path, rule)
    coded = "eligibility: [{name: withdrew, exclude: patient == 'P002'}]"
    assert len(study(tmp_path, coded).cohort) == N - 1


@pytest.mark.parametrize("test_from", [None, "2019-07-01"])
def test_a_temporal_split_writes_the_order_and_no_date(
    tmp_path: Path, test_from: str | None
) -> None:
    dates = [f"2019-{k + 1:02d}-15" for k in range(N)]
    limit = f", test_from: '{test_from}'" if test_from else ""
    opened = study(tmp_path, f"split: {{design: temporal{limit}}}", date=dates)
    obs = opened.obs()
    assert "date" not in obs
    assert obs[PLACE_IN_TIME].diff().dropna().eq(1).all()
    (part,) = study_parts(opened.protocol, obs)
    (same,) = study_parts(opened.protocol, opened.cohort.to_frame())
    assert part.test.tolist() == same.test.tolist()
    assert "-15" not in part.name


def test_notes_that_are_written_hold_no_name(tmp_path: Path) -> None:
    opened = study(tmp_path, **{"mask:R2": ["", *(f"x{k}" for k in range(1, N))]})
    written = str(as_json(opened.history))
    assert "(case P001)" in written
    assert "Roth" not in written


def test_a_key_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    opened = study(tmp_path)
    (tmp_path / "identities.csv").mkdir()
    with pytest.raises(CentrumError, match="nobody knows whose"):
        opened.keep_key()
