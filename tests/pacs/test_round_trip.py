"""A real archive: sent, found, fetched, in both languages; killed in the middle."""

import json
import socket
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from centrum.commands import pacs
from centrum.errors import ArchiveError, describe
from centrum.io import read_image, read_mask
from centrum.pacs.audit import short_digest
from tests.io.seg_files import LABELMAP_STORAGE
from tests.pacs import objects
from tests.pacs.conftest import write_profile
from tests.pacs.orthanc import MISSING, Orthanc, needed

ALL = {"first": date(1900, 1, 1)}
N = objects.SLICES + 2


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    return objects.saved(objects.exam(), tmp_path / "exam")


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in sorted(folder.rglob("*")) if p.is_file()}  # fmt: skip


def told(folder: Path) -> list[str]:
    """What a folder says of the patient, in any byte of it and in any name."""
    files = contents(folder)
    whole = b"".join(name.encode() + content for name, content in files.items())
    assert files
    return [secret for secret in objects.SECRETS if secret.lower().encode() in whole.lower()]


def audit(profile: Path) -> list[dict]:
    return [json.loads(line) for line in (profile.parent / "audit.jsonl").read_text().splitlines()]


def test_sent_found_and_fetched_as_it_was(profile: Path, exam: Path, tmp_path: Path) -> None:
    first = pacs.send(profile, [exam])
    assert (len(first.sent), first.held, first.complete) == (N, [], True)
    again = pacs.send(profile, [exam])
    assert (again.sent, len(again.held), again.complete) == ([], N, True)

    found = pacs.find(profile, **ALL, out=tmp_path / "found.csv")
    assert {s.uid: s.instances for s in found} == dict(zip(objects.SERIES, (6, 1, 1), strict=True))
    fetched = pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "kept", keep_identifiers=True)
    assert all(f.complete for f in fetched)
    kept = [pydicom.dcmread(path) for path in (tmp_path / "kept").rglob("*.dcm")]
    sent = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, exam.iterdir())}
    assert {d.SOPInstanceUID: d for d in kept} == sent

    lines = audit(profile)
    assert [line["action"] for line in lines] == ["send"] * 6 + ["find"] + ["fetch"] * 3
    assert {line["series"] for line in lines[:3]} == set(map(short_digest, objects.SERIES))
    assert told(profile.parent) == []


def test_a_folder_of_images_says_nothing_of_the_patient(
    profile: Path, exam: Path, tmp_path: Path
) -> None:
    pacs.send(profile, [exam])
    pacs.find(profile, **ALL, out=tmp_path / "found.csv")
    folder = tmp_path / "mri"
    assert set(told(exam)) == set(objects.SECRETS)
    fetched = pacs.fetch(profile, tmp_path / "found.csv", folder)
    assert all(f.complete and f.patient == "P0001" for f in fetched)
    assert told(folder) == []
    assert objects.PATIENT in (profile.parent / "identities.jsonl").read_text()

    places = {f.series.uid: folder / f.folder for f in fetched}
    image = read_image(places[objects.MR])
    assert image.geometry.same_grid(objects.GRID)
    np.testing.assert_array_equal(image.array, objects.pixels())
    for series in (objects.SEG, objects.RTSTRUCT):
        (file,) = places[series].iterdir()
        mask = read_mask(f"{file}#L1", image)
        np.testing.assert_array_equal(mask.array, objects.region())

    before = contents(folder)
    again = pacs.fetch(profile, tmp_path / "found.csv", folder)
    assert [(f.new, f.kept) for f in again] == [(0, f.new) for f in fetched]
    pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "elsewhere")
    assert contents(folder) == before == contents(tmp_path / "elsewhere")


def test_an_archive_that_moves(orthanc: Orthanc, exam: Path, tmp_path: Path) -> None:
    """Where the profile says so the archive connects to us, and is held to what was asked for."""
    profile = write_profile(tmp_path / "private", orthanc, "dimse")
    pacs.send(profile, [exam])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    orthanc.sends_to(port)
    text = profile.read_text().replace("tls: false", f"tls: false, move: {{port: {port}}}")
    profile.write_text(text, encoding="utf-8")
    pacs.find(profile, **ALL, out=tmp_path / "found.csv")
    fetched = pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri")
    assert sorted((f.new, f.complete) for f in fetched) == [(1, True), (1, True), (6, True)]
    assert told(tmp_path / "mri") == []
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port))

    profile.write_text(text + "limits: {bytes: 5000}\n", encoding="utf-8")
    with pytest.raises(ArchiveError, match="more bytes than are to be fetched"):
        pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "elsewhere")


def test_a_dry_run_and_chosen_series(orthanc: Orthanc, exam: Path, tmp_path: Path) -> None:
    profile = write_profile(tmp_path / "private", orthanc, "web")
    pacs.send(profile, [exam])
    pacs.find(profile, **ALL, out=tmp_path / "found.csv")
    seg = short_digest(objects.SEG)
    told = pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri", dry_run=True)
    assert told == pacs.Outlook(3, N, 0)
    assert not (tmp_path / "mri").exists()
    (one,) = pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri", series=[seg])
    assert (one.new, one.series.uid) == (1, objects.SEG)
    with pytest.raises(ArchiveError, match="no series 12ab"):
        pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri", series=["12ab"])


def test_compressed_images_come_as_they_were_drawn(profile: Path, tmp_path: Path) -> None:
    images = objects.mri()
    for image in images:
        image.compress(RLELossless, generate_instance_uid=False)
    assert pacs.send(profile, [objects.saved(images, tmp_path / "exam")]).complete
    pacs.find(profile, **ALL, out=tmp_path / "found.csv")
    (fetched,) = pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri")
    assert (fetched.new, fetched.complete) == (objects.SLICES, True)
    files = [pydicom.dcmread(path) for path in (tmp_path / "mri").rglob("*.dcm")]
    found = [image.pixel_array for image in sorted(files, key=lambda d: d.InstanceNumber)]
    np.testing.assert_array_equal(found, objects.pixels())


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_sent(
    profile: Path, tmp_path: Path
) -> None:
    folder = objects.saved(objects.mri(), tmp_path / "exam")
    (broken, *_) = sorted(folder.iterdir())
    broken.write_bytes(broken.read_bytes()[:-20])
    outcome = pacs.send(profile, [folder])
    assert (list(outcome.refused), len(outcome.sent)) == ([broken], objects.SLICES - 1)
    assert "truncated or damaged" in outcome.refused[broken]


def test_kinds_that_an_archive_does_not_take_are_told(orthanc: Orthanc, tmp_path: Path) -> None:
    """Orthanc 1.10 does not know label maps over DIMSE; those who keep to it still learn it."""
    profile = write_profile(tmp_path / "private", orthanc, "dimse")
    labels = objects.seg()
    labels.SOPClassUID = LABELMAP_STORAGE
    alone = pacs.send(profile, [objects.saved([labels], tmp_path / "labels")])
    assert (alone.sent, len(alone.left)) == ([], 1)
    assert "takes none of these kinds" in alone.problem
    beside = pacs.send(profile, [objects.saved([labels, *objects.mri()], tmp_path / "both")])
    assert (len(beside.sent), beside.left) == (objects.SLICES, [])
    assert list(beside.refused.values()) == [
        "the archive takes no objects of this kind and encoding"
    ]


def test_an_archive_that_dies_in_the_middle(profile: Path, orthanc: Orthanc, exam: Path) -> None:
    def die(what: str, done: int, total: int) -> None:
        if done == 3:
            orthanc.kill()

    try:
        broken = pacs.send(profile, [exam], progress=die)
    finally:
        orthanc.start()
    assert (len(broken.sent), len(broken.left)) == (3, N - 3)
    lines = list(pacs.sent_lines(broken))
    assert lines[:2] == ["3 files sent, 0 were there already.",
                         f"Not sent: 5 files, from {broken.left[0].name} on."]  # fmt: skip
    assert "The archive does not answer" in lines[2]
    assert "run the same command again" in lines[2]
    resumed = pacs.send(profile, [exam])
    assert (len(resumed.sent), len(resumed.held), resumed.complete) == (N - 3, 3, True)
    results = [line["result"] for line in audit(profile)]
    assert results == ["incomplete"] * 3 + ["complete"] * 3


def test_a_fetch_that_breaks_off_goes_on_from_there(
    profile: Path, orthanc: Orthanc, exam: Path, tmp_path: Path
) -> None:
    pacs.send(profile, [exam])
    pacs.find(profile, **ALL, modality="MR", out=tmp_path / "found.csv")

    def die(what: str, done: int, total: int) -> None:
        if done == 2:
            orthanc.kill()

    folder = tmp_path / "mri"
    try:
        with pytest.raises(ArchiveError) as broken:
            pacs.fetch(profile, tmp_path / "found.csv", folder, progress=die)
    finally:
        orthanc.start()
    assert broken.value.code == "unreachable"
    assert "what arrived is kept" in describe(broken.value)
    there = contents(folder)
    assert 2 <= len(there) < objects.SLICES
    assert all(name.endswith(".dcm") for name in there)
    (resumed,) = pacs.fetch(profile, tmp_path / "found.csv", folder)
    assert (resumed.kept, resumed.new) == (len(there), objects.SLICES - len(there))
    assert contents(folder).items() >= there.items()


def test_what_is_found_is_what_was_asked_for(profile: Path, exam: Path, tmp_path: Path) -> None:
    other = objects.mri(f"{objects.ROOT}.31", "OTHER-1", f"{objects.ROOT}.11")
    for image in other:
        image.StudyDate, image.SeriesDescription = "20230102", "t1_tse_tra"
    pacs.send(profile, [exam, objects.saved(other, tmp_path / "other")])

    def uids(**asked: object) -> list[str]:
        return [s.uid for s in pacs.find(profile, **asked)]

    others = [f"{objects.ROOT}.31"]
    assert len(uids(**ALL)) == 4
    assert uids(last=date(2023, 1, 2)) == others
    assert uids(first=date(2023, 1, 3), modality="MR") == [objects.MR]
    assert uids(**ALL, description="T1*") == others
    ids = tmp_path / "ids.txt"
    ids.write_text("OTHER-1\n\n", encoding="utf-8")
    assert uids(patients=ids) == others
    assert uids(patients=ids, first=date(2024, 1, 1)) == []


@pytest.mark.parametrize("why", objects.REFUSED)
def test_what_may_show_a_name_is_refused_and_the_rest_is_fetched(
    orthanc: Orthanc, tmp_path: Path, why: str
) -> None:
    profile = write_profile(tmp_path / "private", orthanc, "web")
    images = objects.mri()
    objects.REFUSED[why](images[2])
    assert pacs.send(profile, [objects.saved(images, tmp_path / "exam")]).complete
    pacs.find(profile, **ALL, out=tmp_path / "found.csv")
    (fetched,) = pacs.fetch(profile, tmp_path / "found.csv", tmp_path / "mri")
    assert (fetched.new, fetched.missing, fetched.complete) == (objects.SLICES - 1, 0, False)
    (reason,) = fetched.refused
    assert why in reason
    assert f"  refused: 1 instance: {reason}" in pacs.fetched_lines([fetched])
    assert told(tmp_path / "mri") == []


def test_a_wrong_password_or_title_is_told(orthanc: Orthanc, tmp_path: Path) -> None:
    web = write_profile(tmp_path / "web", orthanc, "web")
    (web.parent / "credentials.yaml").write_text("username: centrum\npassword: hunter2\n")
    dimse = write_profile(tmp_path / "dimse", orthanc, "dimse")
    dimse.write_text(dimse.read_text().replace("ORTHANC", "OTHER"))
    for profile in (web, dimse):
        with pytest.raises(ArchiveError, match="The archive refuses us") as refused:
            pacs.find(profile, **ALL)
        assert "hunter2" not in describe(refused.value)


def test_tests_without_an_archive_skip_but_fail_in_continuous_integration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.pacs.orthanc.can_be_started", lambda: False)
    for value, ending in (("1", pytest.fail.Exception), ("", pytest.skip.Exception)):
        monkeypatch.setenv("CI", value)
        with pytest.raises(ending, match=MISSING[:20]):
            needed()
