"""The file that tells whose pseudonyms are: private, growing, the same each time."""

import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom.uid import UID

from centrum.cohort.pseudonyms import codes
from centrum.errors import ArchiveError
from centrum.pacs.identities import EARLIEST, LATEST, Identities, KnownStudy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "private" / "identities.jsonl"


def test_two_runs_give_the_same_and_two_files_do_not(path: Path, tmp_path: Path) -> None:
    first, again, other = Identities(path), Identities(path), Identities(tmp_path / "other")
    names = [first.pseudonym(patient) for patient in ("4711", "4712", "4711")]
    assert (
        names
        == ["P0001", "P0002", "P0001"]
        == [again.pseudonym(p) for p in ("4711", "4712", "4711")]
    )
    assert codes(names) == set(names)
    for one in (first.uid("1.2.3"), first.shift("4711"), first.reader("Roth")):
        assert one in (again.uid("1.2.3"), again.shift("4711"), again.reader("Roth"))
    assert first.uid("1.2.3") != other.uid("1.2.3")
    assert first.uid("1.2.3") != first.uid("1.2.4")
    assert UID(first.uid("1.2.3")).is_valid


def test_dates_move_into_the_past_and_each_patient_by_himself(path: Path) -> None:
    shifts = [Identities(path).shift(str(k)) for k in range(200)]
    assert len(set(shifts)) > 150
    assert timedelta(days=-LATEST) <= min(shifts) <= max(shifts) <= timedelta(days=-EARLIEST)


def test_only_its_owner_reads_it(path: Path) -> None:
    Identities(path).pseudonym("4711")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    path.chmod(0o640)
    with pytest.raises(ArchiveError, match="not private"):
        Identities(path)


def test_those_who_write_at_once_give_nobody_the_code_of_another(path: Path) -> None:
    def fetch(k: int) -> dict[str, str]:
        own = Identities(path)
        return {str(n): own.pseudonym(str(n)) for n in range(k % 5, 12)}

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fetch, range(16)))
    known = {patient: code for each in found for patient, code in each.items()}
    assert all(each.items() <= known.items() for each in found)
    assert len(set(known.values())) == 12


@pytest.mark.parametrize(
    "text", ["", "{}\n", '{"secret": "12"}\n', '{"secret": "' + 64 * "x" + '"}\n', "no json\n",
             *('{"secret": "' + 64 * "a" + '"}\n' + line + "\n" for line in (
                 '{"patient": "1"}', '{"uids": [1]}', '{"uids": "1.2"}',
                 '{"study": "1.2", "of": "1"}', '{"study": "1.2", "of": "1", "entries": []}',
                 '{"uids": ["1.2"], "secret": "1"}'))],
)  # fmt: skip
def test_a_file_that_was_changed_is_refused(text: str, path: Path) -> None:
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ArchiveError):
        Identities(path)


def test_what_is_needed_for_the_way_back_is_kept_once_and_by_others_too(path: Path) -> None:
    first, other = Identities(path), Identities(path)
    study = KnownStudy("4711", {"00100020": {"vr": "LO", "Value": ["4711"]}})
    for _ in range(2):
        first.keep({"1.2.3", "1.2.4"})
        first.keep_study("1.2.9", study)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3
    other.keep({"1.2.4", "1.2.5"})
    assert set(first.originals().values()) == {"1.2.3", "1.2.4", "1.2.5"}
    assert first.originals()[first.uid("1.2.5")] == "1.2.5"
    assert (other.study("1.2.9"), other.study("1.2.8")) == (study, None)
    assert other.pseudonym("4711") == "P0001"
    assert Identities(path).originals() == first.originals()
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(ArchiveError, match="something else was found"):
        first.study("1.2.9")


def test_the_file_is_lines_for_people(path: Path) -> None:
    Identities(path).pseudonym("4711")
    secret, patient = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert re.fullmatch("[0-9a-f]{64}", secret["secret"])
    assert patient == {"patient": "4711", "pseudonym": "P0001"}
