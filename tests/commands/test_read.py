"""`read` without a server: the first use, progress, packs, backups, signed archives."""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import SimpleITK as sitk

from centrum.cli import BAD_INPUT, OK
from centrum.commands import read as verbs
from centrum.commands.read_archive import CONTENTS, SIGNATURE, ReadingsFile, backup, export, verify
from centrum.commands.read_pack import is_pack, laid_out, pack, unpack
from centrum.errors import CentrumError, DataError
from centrum.io import read_image, read_mask
from centrum.provenance import canonical_json
from centrum.reading.desk import Desk
from centrum.reading.journal import read_journal
from tests.reading.hands import Hand as DeskHand
from tests.reading.test_images import with_proposals
from tests.test_cli import centrum
from tests.web.rooms import CANARIES, Served, fresh, make_study, served

JOURNAL = "journal.jsonl"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of four cases of which one reader has signed two and begun one."""
    study = make_study(tmp_path_factory.mktemp("made") / "study")
    with served(study) as room:
        read_some(room)
    return study


def read_some(room: Served) -> None:
    anna = room.hand("anna")
    first, second, third, _ = anna.tokens()
    anna.sign(first)
    anna.sign(second)
    anna.open(third)
    anna.draw(third, 1)


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


def code(call: Callable[[], object]) -> str:
    with pytest.raises(CentrumError) as raised:
        call()
    told = str(raised.value)
    assert not [canary for canary in CANARIES if canary in told], told
    return raised.value.code


# The first use


def test_the_first_use_makes_the_room_and_says_so(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", cases=1)
    room = study / "readings" / "room.yaml"
    shutil.rmtree(study / "readings")
    (told,) = verbs.begin_room(study, ("zoe", "max"))
    assert "readers zoe and max" in told
    assert verbs.read_settings(study).readers == ("zoe", "max")
    assert (study / "readings").stat().st_mode & 0o077 == 0
    text = room.read_text()
    assert verbs.begin_room(study) == ()
    assert verbs.begin_room(study, ("zoe", "max")) == ()
    assert room.read_text() == text
    assert code(lambda: verbs.begin_room(study, ("zoe",))) == "room-exists"


def test_two_readers_unless_others_are_named(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", cases=1)
    shutil.rmtree(study / "readings")
    verbs.begin_room(study)
    assert verbs.read_settings(study).readers == ("reader1", "reader2")


def fear(monkeypatch: pytest.MonkeyPatch, *feared: str) -> list[str]:
    """Letters are feared in the images of these cases; the cases that were looked at."""
    looked: list[str] = []

    def find(_: object, cases: list[str], __: object) -> list[tuple[str, str]]:
        looked.extend(cases)
        return [(case, "corner" if case in feared else "") for case in cases]

    monkeypatch.setattr(verbs, "find_burned_in", find)
    return looked


def open_and_close(study: Path) -> tuple[str, ...]:
    desk, told = verbs.begun_desk(study)
    desk.close()
    return told


def test_images_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study(tmp_path / "study", cases=2)
    looked = fear(monkeypatch)
    (told,) = open_and_close(study)
    assert told.startswith("No letters were found")
    assert open_and_close(study) == ()
    assert looked == [f"Kanarienvogel {k}" for k in (0, 1)]


def test_images_in_which_letters_are_feared_open_once_the_lead_has_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looked, when and at which images stands in a journal as the readers' are."""
    study = make_study(tmp_path / "study", cases=2)
    fear(monkeypatch, "Kanarienvogel 1")
    for _ in range(2):
        with pytest.raises(DataError, match=r"images of \S+ \(corner\)\.") as refused:
            open_and_close(study)
        assert refused.value.code == "letters-feared"
        assert "Kanarienvogel" not in str(refused.value)
    assert code(lambda: pack(study, "anna", tmp_path / "anna.zip")) == "letters-feared"
    for name in ("", " ", "x" * 81, "a\nb"):
        assert code(lambda name=name: verbs.confirmed_line(study, name)) == "bad-name"
    done = centrum("read", study, "--confirm-images", "Dr. Ada Lead")
    assert done.returncode == OK
    assert "Dr. Ada Lead has looked" in done.stdout
    open_and_close(study)
    assert code(lambda: verbs.confirmed_line(study, "Ada")) == "nothing-feared"
    key = (study / "identities.csv").read_text().splitlines()
    (feared,) = [line.rpartition(",")[2] for line in key if "Kanarienvogel 1," in f"{line},"]
    looked, confirmed = read_journal(study / "readings/lead/journal.jsonl")
    assert looked.kind == "looked"
    assert looked.payload["cases"][feared] == "corner"
    assert confirmed.payload == {"by": "Dr. Ada Lead", "cases": [feared]}
    assert confirmed.utc > looked.utc
    assert "Kanarienvogel" not in (study / "readings/lead/journal.jsonl").read_text()


@pytest.mark.parametrize("names", [("lead",), ("Lead", "b"), ("a", "A"), ("../x",), ("consensus",)])
def test_names_that_no_reader_can_have(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert code(lambda: verbs.begin_room(tmp_path, names)) == "bad-room"
    assert not (tmp_path / "readings").exists()


def test_a_lead_among_the_readers_of_a_room_is_refused(study: Path) -> None:
    path = study / "readings" / "room.yaml"
    path.write_text(path.read_text().replace("ben", "lead"))
    assert code(lambda: verbs.begun_desk(study)) == "bad-room"


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "find_spec", lambda name: None if name == "uvicorn" else name)
    with pytest.raises(DataError, match=r"uvicorn.*pip install 'centrum\[read\]'"):
        verbs.refuse_without_extra()


def test_a_pin_on_the_command_line(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("468013\n"))
    assert centrum("read", study, "--set-pin", "anna").returncode == OK
    assert verbs.Pins(study).check("anna", "468013")
    monkeypatch.setattr("sys.stdin", io.StringIO("4680\n"))
    assert centrum("read", study, "--set-pin", "anna").returncode == BAD_INPUT
    monkeypatch.setattr("sys.stdin", io.StringIO("468013\n"))
    done = centrum("read", study, "--set-pin", "zoe")
    assert done.returncode == BAD_INPUT
    assert "anna, ben and lead" in done.stderr
    assert (study / "readings/pins.json").stat().st_mode & 0o077 == 0


def test_one_thing_at_a_time(study: Path, tmp_path: Path) -> None:
    done = centrum("read", study, "--progress", "--backup", tmp_path / "b.zip")
    assert done.returncode == BAD_INPUT
    assert not (tmp_path / "b.zip").exists()


# Progress


def test_progress(study: Path) -> None:
    anna, ben = verbs.progress(study)
    assert (anna.reader, anna.session) == ("anna", "first")
    assert (anna.new, anna.begun, anna.signed) == (1, 1, 2)
    assert (ben.new, ben.begun, ben.signed, ben.minutes_per_case) == (4, 0, 0, None)
    assert anna.minutes == (1.5 / 60, 1.5 / 60)
    table = centrum("read", study, "--progress").stdout.splitlines()
    assert table[1].split() == ["anna", "first", "1", "1", "2", "0.0"]
    rows = json.loads(centrum("read", study, "--progress", "--json").stdout)
    assert rows[0]["signed"] == 2
    assert rows[0]["minutes_per_case"] == pytest.approx(0.025)


def test_progress_beside_an_open_room(study: Path) -> None:
    with served(study) as room:
        anna = room.hand("anna")
        token = anna.tokens()[0]
        anna.open(token)
        anna.write(token, "POST", "reopen", {"reason": "again"})
        found = verbs.progress(study)[0]
        assert (found.new, found.begun, found.signed) == (1, 2, 1)


def test_progress_of_no_room(tmp_path: Path) -> None:
    assert code(lambda: verbs.progress(tmp_path)) == "no-readings"


# Backups


def test_a_backup_brings_everything_back(study: Path, tmp_path: Path) -> None:
    verbs.Pins(study).set("anna", "468013")
    file = tmp_path / "kept" / "backup.zip"
    backup(study, file)
    assert file.stat().st_mode & 0o077 == 0
    before = {p.relative_to(study): p.read_bytes() for p in _files(study / "readings")}
    shutil.rmtree(study / "readings")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(study)
    (study / CONTENTS).unlink()
    assert {p.relative_to(study): p.read_bytes() for p in _files(study / "readings")} == before
    assert verbs.progress(study)[0].signed == 2
    assert code(lambda: backup(study, file)) == "file-exists"


def _files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(".lock")]


def test_a_backup_that_fails_leaves_nothing(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: object) -> None:
        raise DataError("damaged")

    monkeypatch.setattr(ReadingsFile, "check", damaged)
    with pytest.raises(DataError, match="damaged"):
        backup(study, study / "b.zip")
    assert not (study / "b.zip").exists()


def test_a_backup_follows_no_link_out(study: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden")
    (study / "readings" / "link.txt").symlink_to(secret)
    backup(study, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert "readings/link.txt" not in archive.namelist()


# Signed archives


def test_an_export_is_as_it_was_signed(study: Path, tmp_path: Path) -> None:
    file = tmp_path / "readings.zip"
    done = centrum("read", study, "--export", file)
    assert done.returncode == OK, done.stderr
    lines = sum(1 for _ in read_journal(study / "readings/anna/first" / JOURNAL))
    found = verify(file, study)
    assert (found.lines, found.is_own) == (lines, True)
    assert found.fingerprint in done.stdout
    assert verify(file).is_own is None
    assert (study / "readings/signing.key").stat().st_mode & 0o077 == 0
    assert "Signed by this study" in centrum("read", study, "--verify", file).stdout


def test_an_export_holds_no_name_and_no_secret(study: Path, tmp_path: Path) -> None:
    verbs.Pins(study).set("anna", "468013")
    (study / "readings/anna/first/abc.seg.dcm").write_bytes(b"DICM Zeisig")
    for path in (study / "cases.csv", study / "readings/tickets.json"):
        for k, name in enumerate(("Roth Anna", "Zeisig Jo", "Noll", "Kühn 4")):
            path.write_text(path.read_text().replace(f"Kanarienvogel {k}", name))
    file = tmp_path / "readings.zip"
    export(study, file, verbs.cases_by_token(study))
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        everything = b"".join(archive.read(name) for name in names)
        cases = json.loads(archive.read("cases.json"))
    for canary in (*CANARIES, "Roth", "Noll", "hn 4"):
        assert canary.encode() not in everything
    assert not [n for n in names if n.endswith((".dcm", ".key", ".crt", ".lock"))]
    assert {"pins.json", "tickets.json"}.isdisjoint(names)
    assert len(cases) == 8
    key = (study / "identities.csv").read_text(encoding="utf-8")
    assert all(each["case"] in key for each in cases.values())
    assert "Roth Anna" in key


def _changed(file: Path, name: str, content: bytes | None, *more: str) -> Path:
    """A copy of an archive with another file in it, or without it."""
    made = file.with_name(f"changed-{file.name}")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for each in old.namelist():
            if each != name:
                new.writestr(each, old.read(each))
        if content is not None:
            new.writestr(name, content)
        for each in more:
            new.writestr(each, b"x")
    return made


def _inside(file: Path, ending: str) -> tuple[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        name = next(n for n in archive.namelist() if n.endswith(ending))
        return name, archive.read(name)


def test_an_export_that_was_changed_is_refused(study: Path, tmp_path: Path) -> None:
    file = tmp_path / "readings.zip"
    export(study, file, verbs.cases_by_token(study))
    for ending in (".seg.nrrd", JOURNAL, "signed.json", "room.yaml", "cases.json"):
        name, content = _inside(file, ending)
        assert code(lambda: verify(_changed(file, name, content + b" "))) == "bad-archive"  # noqa: B023
        assert code(lambda: verify(_changed(file, name, None))) == "bad-archive"  # noqa: B023
    _, contents = _inside(file, CONTENTS)
    assert code(lambda: verify(_changed(file, CONTENTS, contents + b" "))) == "bad-signature"
    assert code(lambda: verify(_changed(file, "", None, "more.txt"))) == "bad-archive"
    assert code(lambda: verify(_changed(file, SIGNATURE, None))) == "bad-archive"
    (tmp_path / "other").mkdir()
    other = shutil.copytree(study, tmp_path / "other" / "study")
    (other / "readings/signing.key").unlink()
    export(other, tmp_path / "theirs.zip", {})
    assert verify(tmp_path / "theirs.zip", study).is_own is False
    _, signature = _inside(tmp_path / "theirs.zip", SIGNATURE)
    assert code(lambda: verify(_changed(file, SIGNATURE, signature))) == "bad-signature"
    file.write_bytes(file.read_bytes()[:-40])
    assert code(lambda: verify(file)) == "bad-archive"


def test_readings_with_a_broken_chain_are_not_signed(study: Path, tmp_path: Path) -> None:
    path = study / "readings/anna/first" / JOURNAL
    path.write_bytes(path.read_bytes().replace(b'"seconds":1.5', b'"seconds":2.5', 1))
    assert code(lambda: export(study, tmp_path / "x.zip", {})) == "broken-chain"
    assert not (tmp_path / "x.zip").exists()


# Packs


@pytest.fixture
def packed(study: Path, tmp_path: Path) -> Path:
    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "anna.zip"
    assert pack(study, "anna", file) == 4
    return file


def test_a_pack_names_nobody(packed: Path) -> None:
    assert packed.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
        everything = "\n".join(names).encode() + b"".join(map(archive.read, names))
    for canary in (*CANARIES, "ben", "mrn"):
        assert canary.encode() not in everything, canary
    folder = laid_out(packed)
    head = (folder / "cases.csv").read_text().splitlines()[0]
    assert head == "case,patient,level,image"
    assert laid_out(packed) == folder


def test_a_pack_is_read_elsewhere_and_taken_back(study: Path, packed: Path, tmp_path: Path) -> None:
    there = laid_out(packed)
    assert is_pack(there)
    with served(there) as room:
        anna = room.hand("anna")
        states = [e["state"] for e in anna.client.get("/api/worklist").json()]
        assert states == ["signed", "signed", "begun", "new"]
        _, _, third, fourth = anna.tokens()
        anna.sign(third)
        anna.sign(fourth)
        pixels = anna.client.get(f"/api/t/{fourth}/pixels").content
        assert len(anna.client.get("/api/worklist").json()) == 4
    with served(study) as room:
        anna = room.hand("anna")
        assert anna.client.get(f"/api/t/{fourth}/pixels").content == pixels
        assert anna.open(fourth, False)["state"]["level"] is None


def test_what_is_taken_back_is_what_was_read(study: Path, packed: Path, tmp_path: Path) -> None:
    there = laid_out(packed)
    with served(there) as room:
        anna = room.hand("anna")
        for token in anna.tokens()[2:]:
            anna.sign(token)
    back = tmp_path / "back.zip"
    backup(there, back)
    done = centrum("read", study, "--unpack", back)
    assert done.returncode == OK, done.stderr
    assert "4 cases signed" in done.stdout
    assert verbs.progress(study)[0].signed == 4
    own, theirs = (f / "readings/anna/first" for f in (study, there))
    assert (own / JOURNAL).read_bytes() == (theirs / JOURNAL).read_bytes()
    assert (own / "signed.json").read_bytes() == (theirs / "signed.json").read_bytes()
    assert len(list(own.glob("*.seg.nrrd"))) == 4
    for mask in own.glob("*.seg.nrrd"):
        a, b = (sitk.ReadImage(f / mask.name) for f in (own, theirs))
        assert (sitk.GetArrayFromImage(a) == sitk.GetArrayFromImage(b)).all()
        assert a.GetOrigin() == b.GetOrigin()
        assert a.GetDirection() == b.GetDirection()
    again = unpack(study, there)
    assert again.lines == 0
    with served(study) as room:
        assert {e["state"] for e in room.hand("anna").client.get("/api/worklist").json()} == {
            "signed"
        }


def _given_back(study: Path, packed: Path) -> Path:
    there = laid_out(packed)
    with served(there) as room:
        anna = room.hand("anna")
        anna.sign(anna.tokens()[3])
    return there


def test_what_does_not_belong_is_refused(study: Path, packed: Path, tmp_path: Path) -> None:
    there = _given_back(study, packed)
    journal = there / "readings/anna/first" / JOURNAL
    before = {p: p.read_bytes() for p in _files(study / "readings")}
    whole = journal.read_bytes()

    def refused(change: Callable[[Path], None]) -> str:
        place = tmp_path / "changed"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(there, place)
        change(place)
        found = code(lambda: unpack(study, place))
        assert {p: p.read_bytes() for p in _files(study / "readings")} == before
        return found

    def write(content: bytes) -> Callable[[Path], None]:
        def change(place: Path) -> None:
            (place / "readings/anna/first" / JOURNAL).write_bytes(content)

        return change

    def moved(name: str) -> Callable[[Path], None]:
        return lambda place: (place / "readings/anna").rename(place / "readings" / name) and None

    def other_masks(place: Path) -> None:
        masks = sorted((place / "readings/anna/first").glob("*.seg.nrrd"))
        image = sitk.ReadImage(masks[0])
        image[1, 1, 1] = 1
        sitk.WriteImage(image, masks[0])

    def no_masks(place: Path) -> None:
        for mask in (place / "readings/anna/first").glob("*.seg.nrrd"):
            mask.unlink()

    lines = whole.splitlines(keepends=True)
    assert refused(write(whole.replace(b'"seconds":1.5', b'"seconds":9.5', 1))) == "broken-chain"
    assert refused(write(b"".join(lines[:3]))) == "diverged"
    assert refused(write(b"".join(lines[1:]))) == "broken-chain"
    assert refused(moved("ben")) == "does-not-belong"
    assert refused(moved("zoe")) == "does-not-belong"
    assert refused(other_masks) == "mask-differs"
    assert refused(no_masks) == "mask-differs"
    assert refused(lambda place: shutil.rmtree(place / "readings")) == "does-not-belong"
    room = study / "readings/room.yaml"
    room.write_text(room.read_text().replace("seed: 7", "seed: 9"))
    before = {p: p.read_bytes() for p in _files(study / "readings")}
    assert refused(lambda place: None) == "room-changed"


def test_a_reader_who_went_on_in_both_places_is_told(study: Path, packed: Path) -> None:
    there = _given_back(study, packed)
    with served(study) as room:
        anna = room.hand("anna")
        token = anna.tokens()[2]
        anna.open(token)
        anna.draw(token, 3)
    assert code(lambda: unpack(study, there)) == "diverged"


FORGED: dict[str, Callable[[dict], object]] = {
    "opened twice": lambda line: line.update(kind="open"),
    "a slice that is not there": lambda line: line.update(slices=[99]),
    "no slice": lambda line: line.update(slices=[]),
    "no content": lambda line: line["payload"].pop("content"),
    "content of no kind": lambda line: line["payload"].update(content={"kind": "x"}),
    "runs beyond the slice": lambda line: line["payload"].update(
        content={"kind": "runs", "runs": [10**6, 5]}
    ),
    "other pixels than their digest": lambda line: line["payload"].update(
        content={"kind": "runs", "runs": [3, 5]}
    ),
    "a line of the lead": lambda line: line.update(kind="looked"),
}


def forge(journal: Path, change: Callable[[dict], object]) -> None:
    """Change the last edit of a journal, and write the chain anew after it."""
    lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
    at = max(k for k, line in enumerate(lines) if line["kind"] == "edit")
    change(lines[at])
    written: list[bytes] = []
    for line in lines:
        if written:
            line["previous"] = hashlib.sha256(written[-1]).hexdigest()
        written.append(canonical_json(line).encode())
    journal.write_bytes(b"".join(line + b"\n" for line in written))


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_lines_that_no_desk_has_written_are_refused(
    study: Path, packed: Path, change: Callable[[dict], object]
) -> None:
    """Also in a case that is not signed, which would be opened with them ever after."""
    there = laid_out(packed)
    with served(there) as room:
        anna = room.hand("anna")
        fourth = anna.tokens()[3]
        anna.open(fourth)
        anna.draw(fourth, 2)
    before = {p: p.read_bytes() for p in _files(study / "readings")}
    forge(there / "readings/anna/first" / JOURNAL, change)
    assert code(lambda: unpack(study, there)) == "does-not-belong"
    assert {p: p.read_bytes() for p in _files(study / "readings")} == before


def test_nothing_is_taken_back_into_an_open_room(study: Path, packed: Path) -> None:
    there = _given_back(study, packed)
    with served(study):
        assert code(lambda: unpack(study, there)) == "journal-open"


def test_another_image_is_refused(study: Path, packed: Path) -> None:
    there = _given_back(study, packed)
    for path in (study / "kanarifolder").iterdir():
        image = sitk.ReadImage(path)
        sitk.WriteImage(image + 1, path)
    assert code(lambda: unpack(study, there)) == "image-changed"


def test_what_cannot_be_packed(study: Path, tmp_path: Path) -> None:
    assert code(lambda: pack(study, "zoe", tmp_path / "z.zip")) == "no-reader"
    assert not (tmp_path / "z.zip").exists()


@pytest.mark.parametrize("head", ["proposal", "mask:senior"])
def test_proposals_go_along_and_what_was_made_of_them_comes_back(tmp_path: Path, head: str) -> None:
    """Cases that are drawn from nothing have none in the pack either."""
    study = with_proposals(tmp_path / "study", head, share=0.4, n=4)
    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "pack.zip"
    done = centrum("read", study, "--pack", "reader1", file)
    assert done.returncode == OK, done.stderr
    assert "NOT ENCRYPTED" in done.stdout
    there = laid_out(file)
    assert len(list((there / "proposals").iterdir())) == 2
    with Desk(there) as desk:
        hands = [DeskHand(desk, "reader1", w["token"]).open() for w in desk.worklist("reader1")]
        proposed = [hand for hand in hands if hand.view["proposal"]]
        assert len(proposed) == 2
        for hand in proposed:
            hand.level()
            desk.use_proposal("reader1", hand.token, {"id": fresh()}, hand.revision)
            hand.open()
            for k, outline in enumerate(hand.state["slices"]):
                if outline["provenance"] is None:
                    hand.nobody(k)
            hand.submit()
    assert unpack(study, there).signed == 2
    with Desk(study) as desk:
        for hand in proposed:
            case = desk._book.get(hand.token).case  # type: ignore[union-attr]
            image = read_image(study / f"images/{case}.nrrd")
            signed = study / f"readings/reader1/first/{hand.token}.seg.nrrd"
            wanted = read_mask(study / f"masks/{case}_senior.nrrd", image).array
            assert (read_mask(signed, image).array == wanted).all()


def _zip(file: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "../../evil.txt",
        "/evil.txt",
        "readings/../../evil.txt",
        "C:/evil.txt",
        "a\\b",
        "a//b",
        ".",
    ],
)
def test_an_archive_leads_out_of_no_folder(tmp_path: Path, name: str) -> None:
    import hashlib

    files = {name: b"x", "pack.json": b"x"}
    digest = hashlib.sha256(b"x").hexdigest()
    told = {"format": "centrum pack 1", "utc": "", "files": dict.fromkeys(files, digest)}
    place = tmp_path / "one" / "two"
    place.mkdir(parents=True)
    file = _zip(place / "evil.zip", **files, **{CONTENTS: json.dumps(told).encode()})
    with pytest.raises(DataError, match="names a file outside of itself"):
        laid_out(file)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["evil.zip"]


@pytest.mark.parametrize(
    "contents", [b"", b"[]", b"{}", b"[" * 9999, b'{"format":"x","files":{},"utc":""}', b"\xff"]
)
def test_an_archive_of_another_kind_is_refused(tmp_path: Path, contents: bytes) -> None:
    file = _zip(tmp_path / "other.zip", **{CONTENTS: contents})
    assert code(lambda: laid_out(file)) == "bad-archive"
    assert code(lambda: verify(file)) == "bad-archive"
    (tmp_path / "text.zip").write_text("no archive")
    assert code(lambda: verify(tmp_path / "text.zip")) == "bad-archive"


def test_a_folder_in_the_way_stays(study: Path, packed: Path) -> None:
    packed.with_suffix("").mkdir()
    assert code(lambda: laid_out(packed)) == "file-exists"
