"""`centrum pacs` as it is typed, against a small archive of this test."""

import json
import stat
from pathlib import Path

import pytest
from pydicom.config import disable_value_validation
from pydicom.uid import MRImageStorage
from typer.testing import CliRunner, Result

from centrum.cli import CASES_FAILED, OK, app
from centrum.commands import pacs
from centrum.errors import ArchiveError, CentrumError
from centrum.pacs.audit import short_digest
from centrum.pacs.selection import COLUMNS
from tests.pacs import objects
from tests.pacs.test_hostile import dicom_json, image, liar, parts, web_profile

STUDY = dicom_json(StudyInstanceUID=objects.STUDY, PatientID=objects.PATIENT, StudyDate=objects.DAY)
SERIES = dicom_json(SeriesInstanceUID=objects.MR, Modality="MR", SeriesDescription="t2 sag",
                    NumberOfSeriesRelatedInstances=2)  # fmt: skip
INSTANCES = [
    dicom_json(SOPInstanceUID=f"{objects.MR}.{k}", SOPClassUID=MRImageStorage) for k in (1, 2)
]


def answers(path: str, whole: str) -> object:
    found = {"studies": [STUDY], "series": [SERIES], "instances": INSTANCES}
    *_, last = path.split("/")
    if last in found:
        return found[last] if "offset=0" in whole else []
    return parts(image(last)) if last.endswith(".1") else parts(b"no DICOM")


def run(*words: object, **options: object) -> Result:
    return CliRunner().invoke(app, ["pacs", *map(str, words)], **options)


@pytest.fixture
def ids(tmp_path: Path) -> Path:
    path = tmp_path / "ids.txt"
    path.write_text(f"{objects.PATIENT}\n\n{objects.PATIENT}\n", encoding="utf-8")
    return path


def test_found_and_fetched(tmp_path: Path, ids: Path) -> None:
    table, name = tmp_path / "found.csv", short_digest(objects.MR)
    with liar(answers) as server:
        profile = web_profile(tmp_path, server.port)
        found = run("find", profile, "--patients", ids, "--out", table)
        assert found.exit_code == OK
        head, row, end, _ = found.stdout.splitlines()
        assert row.split() == [name, "1", "MR", "2", "t2", "sag"]
        assert head.index("description") == row.index("t2")
        assert end == "1 series of 1 patient."
        assert not any(s in found.output for s in (objects.PATIENT, objects.DAY, objects.ROOT))
        assert stat.S_IMODE(table.stat().st_mode) == 0o600
        told = run("find", profile, "--from", "2024-05-17", "--identifiers").stdout
        assert all(s in told for s in (objects.PATIENT, objects.DAY, objects.MR))
        rows = json.loads(run("find", profile, "--patients", ids, "--json").stdout)
        assert rows == [{"series": name, "modality": "MR", "description": "t2 sag", "instances": 2}]

        dry = run("fetch", profile, table, tmp_path / "mri", "--dry-run")
        assert dry.stdout == "2 instances of 1 series would be fetched, 0 of which are there.\n"
        fetched = run("fetch", profile, table, tmp_path / "mri", "--series", name)
        assert fetched.exit_code == CASES_FAILED
        lines = fetched.stdout.splitlines()
        assert lines[0].endswith("  P0001  MR: 1 new, 0 there")
        assert lines[1].startswith("  refused: 1 instance: An object of the archive is truncated")
        assert len(list((tmp_path / "mri").rglob("*.dcm"))) == 1
        again = run("fetch", profile, table, tmp_path / "mri", "--json")
        (row,) = json.loads(again.stdout)
        assert (row["new"], row["kept"], row["missing"]) == (0, 1, 0)


def test_patients_are_typed_or_come_from_another_program(tmp_path: Path) -> None:
    with liar(answers) as server:
        profile = web_profile(tmp_path, server.port)
        found = run("find", profile, "--patients", "-", input=f"{objects.PATIENT}\n")
        assert "1 series of 1 patient." in found.stdout
        assert "PatientID=" + objects.PATIENT in server.asked[0]


@pytest.mark.parametrize(
    ("text", "why"), [("\n \n", "is empty"), ("47*\n", "find other patients"), ("?\n", "other")]
)
def test_lists_that_would_find_everybody_are_refused(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ArchiveError, match=why):
        pacs.find(web_profile(tmp_path, 9), patients=tmp_path / "ids.txt")


def test_a_search_without_bounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="through the whole archive"):
        pacs.find(web_profile(tmp_path, 9), modality="MR")


def test_the_key_does_not_lie_among_the_images(tmp_path: Path, ids: Path) -> None:
    with liar(answers) as server:
        profile = web_profile(tmp_path, server.port)
        pacs.find(profile, patients=ids, out=tmp_path / "found.csv")
        with pytest.raises(ArchiveError, match=r"identities\.jsonl, which .* among the images"):
            pacs.fetch(profile, tmp_path / "found.csv", tmp_path)
        (tmp_path / "mri").mkdir()
        (tmp_path / "found.csv").rename(tmp_path / "mri" / "found.csv")
        with pytest.raises(ArchiveError, match=r"found\.csv, which .* among the images"):
            pacs.fetch(profile, tmp_path / "mri" / "found.csv", tmp_path / "mri")


def test_what_is_no_dicom_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    for path in (tmp_path / "notes.txt", tmp_path / "nothing.dcm"):
        with pytest.raises(CentrumError, match="is no DICOM file"):
            pacs.send(web_profile(tmp_path, 9), [path])


def test_a_file_without_a_uid_is_not_sent(tmp_path: Path) -> None:
    found = objects.mri()[0]
    with disable_value_validation():
        found.StudyInstanceUID = "../../x"
        (tmp_path / "a.dcm").write_bytes(objects.encoded(found))
        with pytest.raises(ArchiveError, match=r"a\.dcm has no UID where one is wanted"):
            pacs.send(web_profile(tmp_path, 9), [tmp_path])


def test_two_files_of_one_uid_must_be_one(tmp_path: Path) -> None:
    one, other = objects.mri()[0], objects.mri()[1]
    other.SOPInstanceUID = one.SOPInstanceUID
    for name, found in (("a.dcm", one), ("b.dcm", one), ("c.dcm", other)):
        (tmp_path / name).write_bytes(objects.encoded(found))
    profile = web_profile(tmp_path, 9)
    twice = pacs.send(profile, [tmp_path / "a.dcm", tmp_path / "b.dcm"])
    assert [path.name for path in twice.left] == ["a.dcm"]
    assert "does not answer" in twice.problem
    with pytest.raises(ArchiveError, match="differ"):
        pacs.send(profile, [tmp_path])
    assert run("send", profile, tmp_path / "a.dcm").exit_code == CASES_FAILED


def test_what_a_table_of_series_must_be(tmp_path: Path) -> None:
    path = tmp_path / "found.csv"
    for text in ("", "a,b\n1,2\n"):
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        with pytest.raises(ArchiveError, match="a table of series has the columns"):
            pacs.fetch(web_profile(tmp_path, 9), path, tmp_path / "mri")
    path.write_text(f"{','.join(COLUMNS)}\n../x,1.2,,,,,\n", encoding="utf-8")
    with pytest.raises(ArchiveError, match="no UID"):
        pacs.fetch(web_profile(tmp_path, 9), path, tmp_path / "mri")
