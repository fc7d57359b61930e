"""The sequence that a study is of: which column is measured, and what its images say."""

import json
from pathlib import Path

import pytest
import SimpleITK as sitk

from centrum.commands import check, study as verbs
from centrum.commands.score import patients_of, read_new_cases
from centrum.commands.signature import evaluate_readings, find_signature
from centrum.errors import ProtocolError, SignatureError
from centrum.execution import silent
from centrum.frozen.domain import Flag
from centrum.frozen.score import Patient, score_patient
from centrum.measure.sequences import choose_sequences
from centrum.protocol import Images, parse_protocol
from centrum.study.extraction import measure_all
from centrum.study.sequence_check import measured_sequences
from centrum.study.study import open_study
from tests.studies import PROTOCOL, frozen_study, make_study, read_rows, write_rows

T1_TIMES = {"RepetitionTime": 0.55, "EchoTime": 0.011}
T2_TIMES = {"RepetitionTime": 2.5, "EchoTime": 0.105}


def named(folder: Path, head: str = "image", **columns: str) -> Path:
    """The study with its image column called otherwise, and further columns."""
    rows = [
        {(head if name == "image" else name): value for name, value in row.items()} | columns
        for row in read_rows(folder)
    ]
    write_rows(folder, rows)
    return folder


def as_nifti(folder: Path, sidecar: dict | None = None, stem: str = "{case}") -> Path:
    """The study with its images as NIfTI, and a sidecar beside each."""
    rows = read_rows(folder)
    for row in rows:
        image = sitk.ReadImage(folder / row["image"])
        row["image"] = f"images/{stem.format(case=row['case'])}.nii.gz"
        (folder / row["image"]).parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, folder / row["image"])
        if sidecar is not None:
            beside = folder / row["image"].replace(".nii.gz", ".json")
            beside.write_text(json.dumps(sidecar))
    write_rows(folder, rows)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study", n=4)


@pytest.mark.parametrize("columns", [("T1w", "T2w"), ("T2w", "T1w"), ("STIR", "T2_tse_sag", "T1")])
def test_the_claim_chooses_the_column_and_its_place_does_not(columns: tuple[str, ...]) -> None:
    (chosen,) = choose_sequences(Images(weighting="T2w"), columns)
    assert chosen in ("T2w", "T2_tse_sag")


@pytest.mark.parametrize(
    ("images", "columns", "told"),
    [
        ({"weighting": "T2w"}, ("T1w", "STIR"), r"T1w, STIR, and none of them is named for T2w"),
        ({"weighting": "T2w"}, ("T2_tse", "T2_sag"), "T2_tse, T2_sag are named for T2w"),
        ({}, ("T1w", "T2w"), "the protocol names no weighting"),
        ({"weighting": "T2w"}, ("T1w",), "column 'T1w' is named after another sequence"),
        ({"weighting": "T2w", "sequence": "T1w"}, ("T1w", "T2w"), "named after another sequence"),
        ({"weighting": "T2w", "sequence": "PD"}, ("T1w", "T2w"), "names the image sequence 'PD'"),
    ],
)
def test_what_does_not_tell_which_is_refused_with_what_to_write(
    images: dict, columns: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ProtocolError, match=told) as refused:
        choose_sequences(Images(**images), columns)
    assert refused.value.code == "which-sequence"
    assert "images" in refused.value.remedy


def test_a_name_that_contradicts_the_claim_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"`name` says T2w and images\.weighting T1w"):
        parse_protocol("name: Fractures on T2w MRI\nimages: {weighting: T1w}", "study.yaml")


def test_times_of_another_sequence_refuse_the_case(folder: Path) -> None:
    study = open_study(as_nifti(folder, T1_TIMES))
    failures, _ = check.check_cases(study)
    assert {failure.code for failure in failures} == {"other-sequence"}
    assert len(failures) == 4
    assert "Repetition time 550 ms and echo time 11 ms are those of T1w." in failures[0].message
    assert failures[0].remedy


def test_times_that_confirm_the_claim_leave_nothing_to_say(folder: Path) -> None:
    study = open_study(as_nifti(folder, T2_TIMES))
    failures, findings = check.check_cases(study)
    assert not failures
    assert not {f.code for f in findings} & {"sequence-not-verified", "named-otherwise"}


def test_times_count_before_names_and_names_before_silence(folder: Path) -> None:
    described = {"SeriesDescription": "t1_tse_sag Meyer"}
    failures, findings = check.check_cases(open_study(as_nifti(folder, T2_TIMES | described)))
    assert not failures
    assert "named-otherwise" in {finding.code for finding in findings}
    failures, _ = check.check_cases(open_study(as_nifti(folder, described)))
    assert {failure.code for failure in failures} == {"other-sequence"}
    assert "The description of the series says T1w." in failures[0].message
    assert "Meyer" not in failures[0].message


@pytest.mark.parametrize("stem", ["sub-{case}_T1w", "T1_tse/{case}", "{case}_T1"])
def test_a_file_that_is_called_otherwise_is_refused(folder: Path, stem: str) -> None:
    failures, _ = check.check_cases(open_study(as_nifti(folder, stem=stem)))
    assert {failure.code for failure in failures} == {"other-sequence"}


def test_a_vertebra_or_time_point_in_a_file_name_is_no_sequence(folder: Path) -> None:
    as_nifti(folder, stem="{case}_T1")
    write_rows(folder, [row | {"level": "T1"} for row in read_rows(folder)])
    assert not check.check_cases(open_study(folder))[0]
    write_rows(folder, [row | {"level": "L1"} for row in read_rows(folder)])
    assert not check.check_cases(open_study(named(folder, "image:T2w")))[0]


def test_silence_is_said_in_findings_report_and_methods(folder: Path) -> None:
    study = open_study(folder)
    failures, findings = check.check_cases(study)
    assert not failures
    notes = [finding for finding in findings if finding.code == "sequence-not-verified"]
    assert len(notes) == 4
    (sequence,) = verbs.extract(study).sequences
    assert (sequence.claimed, sequence.cases, sequence.unverified) == ("T2w", 4, 4)


def test_columns_of_the_manifest_tell_times_too(folder: Path) -> None:
    failures, _ = check.check_cases(open_study(named(folder, tr_ms="600", te_ms="12")))
    assert {failure.code for failure in failures} == {"other-sequence"}


def test_one_case_of_another_sequence_is_that_cases_error(folder: Path) -> None:
    rows = read_rows(folder)
    rows = [row | {"tr_ms": "2500", "te_ms": "90" if k else "15"} for k, row in enumerate(rows)]
    rows[0]["tr_ms"] = "500"
    write_rows(folder, rows)
    found = verbs.extract(open_study(folder))
    assert [failure.case for failure in found.failures] == ["P000"]
    assert found.sequences[0].by_times == 3
    assert set(found.acquisition["weighting"]) == {"T2w"}


def test_a_new_patient_is_held_against_the_sequence_of_the_model(tmp_path: Path) -> None:
    folder = frozen_study(tmp_path / "study", tr_ms="2500", te_ms="90")
    model = verbs.freeze(open_study(folder))
    assert model.protocol.images.weighting == "T2w"
    assert model.domain.texts["weighting"] == ("T2w",)
    row = read_rows(folder)[0]
    image, mask = str(folder / row["image"]), str(folder / row["mask:senior"])

    def flags(**known: float) -> tuple[Flag, ...]:
        return score_patient(model, Patient("new", image, mask, known=known)).flags

    assert "other-sequence" in {
        f.code for f in flags(tr_ms=550.0, te_ms=11.0) if f.severity == "refuse"
    }
    assert "sequence-not-verified" in {f.code for f in flags()}
    assert not {f.code for f in flags(tr_ms=2500.0, te_ms=90.0)} & {
        "other-sequence",
        "sequence-not-verified",
    }
    rows = [
        {**row, "image:T1w": row["image"], "image:T2w": row["image"]} for row in read_rows(folder)
    ]
    write_rows(folder, [{k: v for k, v in row.items() if k != "image"} for row in rows])
    patients = patients_of(model, read_new_cases(folder, model))
    assert patients[0].image.endswith(row["image"])


def test_each_sequence_is_held_against_its_own_claim_whatever_its_letter(folder: Path) -> None:
    """The store sorts names; the claims are in the order of the protocol."""
    rows = [
        {**row, **{f"image:{n}": f"{n}/{row['case']}.nii.gz" for n in ("T2w", "T1w", "STIR")}}
        for row in read_rows(folder)
    ]
    for name, sidecar in {
        "T2w": T2_TIMES,
        "T1w": T1_TIMES,
        "STIR": {"RepetitionTime": 4, "EchoTime": 0.06, "InversionTime": 0.15},
    }.items():
        for row in rows:
            place = folder / row[f"image:{name}"]
            place.parent.mkdir(exist_ok=True)
            image = sitk.ReadImage(folder / row["image"])
            sitk.WriteImage(
                sitk.Cast(image, sitk.sitkFloat32) + float(len(name) + ord(name[1])), place
            )
            place.with_name(f"{row['case']}.json").write_text(json.dumps(sidecar))
    write_rows(folder, [{k: v for k, v in row.items() if k != "image"} for row in rows])
    (folder / "study.yaml").write_text(PROTOCOL + "images: {sequences: [T2w, T1w, STIR]}\n")
    study = open_study(folder)
    for _ in ("measured", "from the store"):
        assert not check.check_cases(study)[0]
    records = measure_all(study, 1, silent, features=False)
    found = measured_sequences(study, records, study.cohort.to_frame().index)
    assert [(s.claimed, s.by_times) for s in found] == [("T2w", 4), ("T1w", 4), ("STIR", 4)]


def test_a_published_score_is_of_one_sequence(folder: Path) -> None:
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text + "images: {weighting: T1w}\n")
    study = open_study(folder)
    verbs.extract(study)
    with pytest.raises(SignatureError, match=r"is of T2w, the study of T1w \(images\.weighting\)"):
        evaluate_readings(study, find_signature("vcf-t2w-2024"))
