"""No name, date, identifier or file name goes out: planted everywhere, looked for in all output.

Names are planted in folders, files, headers, sidecars, segments and the manifest; then a study is
begun, checked, run, written up, and its model scores and is validated. `tests.markers` opens what
is written.
"""

import csv
import json
import os
import re
import sys
import unicodedata
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from typer.testing import CliRunner

from centrum.cli import app
from centrum.cohort.pseudonyms import KEY, codes
from centrum.commands import begin, score as scoring, study as verbs
from centrum.commands.check import check_study
from centrum.commands.manuscript import write_manuscript
from centrum.commands.validate import validate_model
from centrum.frozen.model import read_model
from centrum.frozen.score import Patient
from centrum.study.study import IDENTIFYING, open_study
from centrum.study.tables import read_study_tables
from tests.markers import found_in
from tests.pictures import rendered
from tests.studies import PROTOCOL, SPACING, ellipsoid, image_of, intensities, write_rows

pytestmark = pytest.mark.usefixtures("rendered")

N = 26
SURNAME, FORENAME = "Grünwäldchen", "Xaverînus"
BORN, SEEN = "1948-03-12", "2019-11-27"
ACCESSION, RECORD, UID = "QX7715902", 48151623, "1.2.826.0.1.3680043.8.498.4815162342"
DATES = ("1948-03-12", "12.03.1948", "19480312", "2019-11-27", "27.11.2019", "20191127", "43796")
MARKERS = (SURNAME, FORENAME, ACCESSION, str(RECORD), UID, "MarkerOfHeader", "MarkerOfFile", *DATES)

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def name_of(k: int) -> str:
    """Each patient's own: in both Unicode forms, in upper and in lower case."""
    name = f"{SURNAME}{LETTERS[k] * 2} {FORENAME}"
    form = unicodedata.normalize("NFD" if k % 2 else "NFC", name)
    return [form, form, form.upper(), form.lower()][k % 4]


def write_images(folder: Path, k: int, kind: str) -> dict[str, str]:
    """Image and masks of a patient in a folder of the name; their columns of the manifest."""
    place = folder / f"{name_of(k)} {BORN}"
    place.mkdir(parents=True)
    rng = np.random.default_rng(k)
    image = image_of(intensities(rng, k % 2 == 0))
    image.SetMetaData("PatientName", name_of(k))
    image.SetMetaData("Description", f"MarkerOfHeader {BORN} {ACCESSION}")
    found = {"image": _write_image(image, place, k, kind)}
    for reader, grow in (("senior", 0.0), ("resident", 0.3)):
        mask = image_of(ellipsoid(np.random.default_rng([1, k]), grow))
        mask.SetMetaData("Segment0_ID", "Segment_1")
        mask.SetMetaData("Segment0_Name", f"MarkerOfHeader {SURNAME}")
        mask.SetMetaData("Segment0_LabelValue", "1")
        mask.SetMetaData("Segment0_Layer", "0")
        path = place / f"MarkerOfFile_{reader}.seg.nrrd"
        sitk.WriteImage(mask, str(path))
        found[f"mask:{reader}"] = str(path)
    return {head: os.path.relpath(path, folder) for head, path in found.items()}


def _write_image(image: sitk.Image, place: Path, k: int, kind: str) -> str:
    path = place / f"MarkerOfFile {SEEN}.{kind}"
    if kind == "dicom":
        return str(_write_series(image, place / "MarkerOfFile", k))
    sitk.WriteImage(image, str(path))
    if kind == "nii.gz":
        told = {"PatientName": name_of(k), "PatientBirthDate": BORN, "RepetitionTime": 2.5,
                "SeriesDescription": f"MarkerOfHeader {name_of(k)}", "EchoTime": 0.104,
                "AccessionNumber": ACCESSION, "AcquisitionDateTime": SEEN}  # fmt: skip
        (place / f"MarkerOfFile {SEEN}.json").write_text(json.dumps(told))
    return str(path)


def _write_series(image: sitk.Image, folder: Path, k: int) -> Path:
    folder.mkdir()
    array = sitk.GetArrayFromImage(image).astype("<u2")
    for z, pixels in enumerate(array):
        header = Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = MRImageStorage
        header.SOPInstanceUID = generate_uid(entropy_srcs=[str(k), str(z)])
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        header.SpecificCharacterSet = "ISO_IR 192"
        header.PatientName, header.PatientID = name_of(k).replace(" ", "^"), str(RECORD)
        header.PatientBirthDate, header.StudyDate = "19480312", "20191127"
        header.AccessionNumber, header.StudyInstanceUID = ACCESSION, UID
        header.SeriesDescription = f"MarkerOfHeader {SURNAME}"
        header.SeriesInstanceUID, header.Modality = f"{UID}.{k}", "MR"
        header.Rows, header.Columns = pixels.shape
        header.PixelSpacing = [SPACING[1], SPACING[0]]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.ImagePositionPatient = [0, 0, z * SPACING[2]]
        header.SliceThickness, header.EchoTime, header.RepetitionTime = 4, 104, 2778
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated = header.BitsStored = 16
        header.HighBit, header.PixelRepresentation = 15, 0
        header.PixelData = pixels.tobytes()
        header.save_as(folder / f"MarkerOfFile-{z}.dcm", enforce_file_format=True)
    return folder


def row_of(folder: Path, k: int) -> dict[str, object]:
    """A row of the manifest with columns that must not go out, and a few that may."""
    images = write_images(folder / "archive", k, ["nrrd", "nii.gz", "dicom", "nrrd"][k % 4])
    return {
        "case": f"{name_of(k)}_{k}",
        "patient": f"{name_of(k)}, {BORN}",
        "level": ["T12", "L1", "L3"][k % 3],
        "outcome": "malignant" if k % 2 == 0 else "osteoporotic",
        "centre": "AB"[k // 13],
        "age": 60 + k % 13,
        "sex": "MF"[k % 3 == 0],
        "Name": name_of(k),
        "Geburtsdatum": "12.03.1948",
        "seen": "20191127",
        "date of exam": 43796 + k % 2,
        "Accession": f"{ACCESSION}{k}",
        "MRN": RECORD + k,
        "Study UID": f"{UID}.{k}",
        "row": k + 1,
        "remark": f"spoken to {name_of(k)} on {SEEN}",
        "Name of drug": ["denosumab", "zoledronate"][k % 2],
        "PSA": round(0.7 + k / 3, 2),
        **{head: f"archive/{path}" for head, path in images.items()},
    }


QUICK = PROTOCOL.replace(
    "extraction:\n", "extraction:\n  families: [statistics, morphology]\n"
).replace("permutations: 3, splits: 1}", "permutations: 0, splits: 0}\n  ablation: false")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Patients named everywhere; of three, files are missing, damaged, or ask for a segment."""
    folder = tmp_path_factory.mktemp("planted") / f"{SURNAME}-study"
    folder.mkdir()
    rows = [row_of(folder, k) for k in range(N)]
    (folder / str(rows[0]["image"])).unlink()
    damaged = folder / str(rows[3]["mask:senior"])
    damaged.write_bytes(damaged.read_bytes()[:-400])
    rows[5]["mask:senior"] = f"{rows[5]['mask:senior']}#{SURNAME}"
    write_rows(folder, rows)  # type: ignore[arg-type]
    (folder / "study.yaml").write_text(QUICK)
    return folder


@pytest.fixture(scope="module")
def finished(study: Path) -> Path:
    """The study, run and written up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("centrum.report.style.TIFF_DPI", 50)  # pixels are not read
        with rendered():
            verbs.run(open_study(study))
            write_manuscript(open_study(study))
    return study


def known_date(row: dict[str, object]) -> bool:
    return any(str(value) in DATES for value in row.values())


def test_results_hold_no_marker(finished: Path) -> None:
    assert (finished / "results" / "report.html").is_file()
    assert found_in(finished / "results", MARKERS) == []


def test_the_search_finds_the_markers_where_they_were_planted(study: Path) -> None:
    there = {marker for _, marker in found_in(study / "archive", MARKERS)}
    assert {"grunwaldchen", "markerofheader", "markeroffile", "19480312", "20191127"} <= there


def test_failures_say_what_is_wrong_without_a_name(finished: Path) -> None:
    failures = verbs.load_extraction(open_study(finished)).failures
    assert [f.case for f in failures] == ["P001", "P004", "P006"]
    assert failures[0].message.startswith("There is no file '[image]' in '[...]'.")
    assert "[mask of senior]" in failures[1].message
    assert "'[...]' (label 1" in failures[2].message


def test_columns_that_describe_are_told_of_and_no_others(finished: Path) -> None:
    table = verbs.load_extraction(open_study(finished)).table
    assert list(table.obs.columns) == [
        "patient", "level", "region", "outcome", "centre", "age", "sex", "Name of drug", "PSA",
    ]  # fmt: skip
    assert codes({*table.obs["patient"], *table.cases}) == {*table.obs["patient"], *table.cases}


def test_check_names_the_files_and_the_columns_left_out(finished: Path) -> None:
    found = check_study(finished)
    assert found.failures[0].case == f"{name_of(0)}_0"
    assert "MarkerOfFile" in found.failures[0].message
    left_out = [f for f in found.findings if f.code == IDENTIFYING]
    assert {head for f in left_out for head in re.findall(r"'(.*?)'", f.message)} == {
        "Name", "Geburtsdatum", "seen", "date of exam", "Accession", "MRN", "Study UID", "row",
        "remark",
    }  # fmt: skip
    assert all("describe" in f.remedy for f in left_out)


def test_the_key_tells_whose_a_pseudonym_is(finished: Path) -> None:
    with (finished / KEY).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {"what": "case", "name": f"{name_of(0)}_0", "pseudonym": "P001"} in rows
    assert len(rows) == 2 * N
    if sys.platform != "win32":
        assert (finished / KEY).stat().st_mode & 0o777 == 0o600


def test_scored_pages_hold_no_marker(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CENTRUM_AUDIT", str(tmp_path / "audit.jsonl"))
    model = read_model(finished / "results" / "model.json")
    cases = scoring.read_new_cases(finished, model)
    scored = scoring.score_cohort(model, cases, tmp_path / "many")
    assert [s.case for s in scored if s.refused] == ["P001", "P004", "P006"]
    row = next(csv.DictReader((finished / "cases.csv").open(encoding="utf-8")))
    missing = Patient("patient", str(finished / row["image"]), str(finished / row["mask:senior"]))
    scoring.score_one(model, missing, tmp_path / "one")
    assert found_in(tmp_path, MARKERS) == []
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["result"] for line in lines[:-1]] == [s.status for s in scored]
    assert {line["action"] for line in lines} == {"score"}
    assert {line["model"] for line in lines} == {model.to_dict()["sha256"][:16]}


def test_a_validation_holds_no_marker(finished: Path, tmp_path: Path) -> None:
    model = read_model(finished / "results" / "model.json")
    found = validate_model(model, finished, tmp_path / "validation")
    assert "MarkerOfFile" in found.refused["P001"], "the console names the file"
    assert found_in(tmp_path, MARKERS) == []


def test_tables_named_by_patients_are_matched_and_not_named(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "of-tables"
    (folder / "tables").mkdir(parents=True)
    rows = list(csv.DictReader((finished / "cases.csv").open(encoding="utf-8")))
    rng = np.random.default_rng(3)
    for k, row in enumerate(rows[1:]):
        numbers = {f"original_firstorder_{f}": rng.normal() for f in ("Mean", "Energy", "Range")}
        frame = pd.DataFrame([{"ID": f"MarkerOfFile{k}", **numbers}])
        frame.to_csv(folder / "tables" / f"{row['case']}.csv", index=False)
    write_rows(folder, [{h: v for h, v in row.items() if ":" not in h} for row in rows])
    source = "tables: [{file: tables/*.csv, reader: senior}]\n"
    (folder / "study.yaml").write_text("preset: vcf-t2w\nname: Tables\n" + source)
    opened = open_study(folder)
    assert len(read_study_tables(opened).table.obs) == N - 1
    verbs.extract(opened)
    assert found_in(folder / "results", MARKERS) == []


@pytest.fixture
def exams(tmp_path: Path) -> Path:
    """A folder of images with names in it, as `init` finds them."""
    folder = tmp_path / "exams"
    for k in range(3):
        place = folder / name_of(k)
        place.mkdir(parents=True)
        image = image_of(intensities(np.random.default_rng(k), malignant=False))
        sitk.WriteImage(image, str(place / "image.nrrd"))
        mask = image_of(ellipsoid(np.random.default_rng(k)))
        sitk.WriteImage(mask, str(place / "mask_R1.nrrd"))
    return folder


def ids_of(study: Path) -> list[str]:
    with (study / "cases.csv").open(encoding="utf-8") as stream:
        return [row[column] for row in csv.DictReader(stream) for column in ("case", "patient")]


def test_init_gives_pseudonyms_and_keeps_the_key(exams: Path, tmp_path: Path) -> None:
    lines = begin.init(exams, tmp_path / "study")
    assert ids_of(tmp_path / "study") == ["P001", "P001", "P002", "P002", "P003", "P003"]
    assert KEY in lines[-1]
    if sys.platform != "win32":
        assert (tmp_path / "study" / KEY).stat().st_mode & 0o777 == 0o600
    (tmp_path / "study" / "cases.csv").unlink()
    begin.init(exams, tmp_path / "study")
    assert len((tmp_path / "study" / KEY).read_text().splitlines()) == 1 + 6


def test_init_keeps_names_where_it_is_told_to(exams: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    with redirect_stdout(StringIO()):
        done = CliRunner().invoke(app, ["init", str(exams), str(study), "--keep-names"])
    assert done.exit_code == 0, done.output
    assert {unicodedata.normalize("NFC", name) for name in ids_of(study)} == {
        unicodedata.normalize("NFC", name_of(k)) for k in range(3)
    }
    assert not (study / KEY).exists()
    assert "keep_names: true" in (study / "study.yaml").read_text()
