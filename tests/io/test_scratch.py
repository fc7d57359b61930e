"""Objects are fetched whole, once, and no more of them than there is room for.

Against moto, an emulator of S3: see `tests.object_storage`.
"""

import errno
import os
import shutil
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import quote, unquote

import numpy as np
import pytest

from centrum.errors import NO_SPACE, ImageError, ProtocolError, StorageDown, StorageError
from centrum.io import objects, read_image, scratch, source_digest, split_source
from centrum.io.scratch import fetched, scratch_bytes, scratch_folder
from tests.conftest import ROOT
from tests.object_storage import Bucket, Door, Emulator
from tests.pacs.bodies import Exam
from tests.smallest import write


@pytest.fixture
def door(bucket: Bucket, emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
    """Everything goes through it."""
    with Door(emulator) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.address)
        objects._store.cache_clear()
        yield found


def own() -> Path:
    return Path(os.environ["CENTRUM_SCRATCH"])


def staged() -> list[str]:
    """Names of the files that are staged, however far they are."""
    return sorted(path.name for path in own().rglob("*") if path.parent.parent == own())


def bytes_staged() -> int:
    return sum(path.stat().st_size for path in own().rglob("*") if path.is_file())


def content_of(source: str) -> bytes:
    return Path(fetched(source)).read_bytes()


def begun(script: str) -> "subprocess.Popen[str]":
    """Another process of this machine."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], env=env,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip


def test_a_path_is_as_it_is() -> None:
    assert fetched("images/P001.nrrd#L1") == "images/P001.nrrd#L1"
    assert fetched(Path("P001.nrrd")) == Path("P001.nrrd")


def test_an_object_is_fetched_and_keeps_its_name_and_its_part(bucket: Bucket) -> None:
    url = bucket.put("a/Müller 7%.seg.nrrd", b"content")
    path, part = split_source(fetched(f"{url}#L1 body"))
    assert (path.read_bytes(), path.name, part) == (b"content", "Müller 7%.seg.nrrd", "L1 body")
    assert path.is_relative_to(own())


def test_images_lie_in_a_folder_of_their_own_that_nobody_else_may_look_into(bucket: Bucket) -> None:
    fetched(bucket.put("a.nrrd", b"1"))
    assert own().stat().st_mode & 0o077 == 0


def test_a_folder_of_somebody_else_is_refused(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(StorageDown, match="belongs to another user") as caught:
        fetched(bucket.put("a.nrrd", b"1"))
    assert caught.value.code == "no-scratch"


def test_an_object_is_transferred_once(bucket: Bucket, door: Door) -> None:
    url = bucket.put("a.nrrd", b"content")
    for _ in range(3):
        assert content_of(url) == b"content"
    scratch._hold_last(0)
    assert content_of(url) == b"content"
    assert door.asked.count("GET a.nrrd") == 1


def test_an_object_of_several_parts_comes_whole(
    bucket: Bucket, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PART", 1000)
    content = os.urandom(4500)
    assert content_of(bucket.put("a.nrrd", content)) == content
    assert door.asked.count("GET a.nrrd") == 5


@pytest.mark.parametrize("content", [b"", b"x"])
def test_the_smallest_objects(bucket: Bucket, content: bytes) -> None:
    assert content_of(bucket.put("a.nrrd", content)) == content


def test_processes_of_a_machine_transfer_an_object_once(bucket: Bucket, door: Door) -> None:
    """Four of them want it at the same time, and it takes a second."""
    url = bucket.put("a.nrrd", os.urandom(300_000))
    script = f"""
        import time
        from centrum.io import objects, scratch
        true = objects._get
        objects._get = lambda *wanted: (time.sleep(1), true(*wanted))[1]
        input()
        print(scratch.fetched({url!r}))
    """
    run = [begun(script) for _ in range(4)]
    time.sleep(3)  # until all wait for their line
    for process in run:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    assert len({process.communicate(timeout=120)[0] for process in run}) == 1
    assert [process.returncode for process in run] == [0] * 4
    assert door.asked.count("GET a.nrrd") == 1


def test_what_another_process_fetches_while_it_is_waited_for_is_taken(
    bucket: Bucket, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have seen that it is not there; the other one is let fetch it first."""
    url, true = bucket.put("a.nrrd", b"content"), scratch._locked

    def late(path: Path, *, alone: bool = False):
        if alone and path.name != "room.lock":
            other = begun(f"from centrum.io.scratch import fetched; fetched({url!r})")
            other.communicate(timeout=60)
            assert other.returncode == 0
        return true(path, alone=alone)

    monkeypatch.setattr(scratch, "_locked", late)
    assert content_of(url) == b"content"
    assert door.asked.count("GET a.nrrd") == 1


def test_a_new_content_is_fetched_anew(bucket: Bucket) -> None:
    url = bucket.put("a.nrrd", b"old")
    before = content_of(url), source_digest(url)
    bucket.put("a.nrrd", b"new")
    assert content_of(url) == b"new"
    assert before[0] == b"old"
    assert source_digest(url) != before[1]


def test_the_digest_is_of_the_content_and_not_of_the_name(bucket: Bucket, door: Door) -> None:
    one, same = bucket.put("a/1.nrrd", b"same"), bucket.put("b/2.nrrd", b"same")
    assert source_digest(one) == source_digest(same) != source_digest(bucket.put("3", b"other"))
    assert not [asked for asked in door.asked if asked.startswith("GET")], "nothing is fetched"


def test_what_belongs_to_a_file_comes_with_it_and_counts(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path / "x.nii.gz", np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    (tmp_path / "x.json").write_text('{"RepetitionTime": 2.5}')
    bucket.put_folder(tmp_path, "exam")
    url = bucket.url("exam/x.nii.gz")
    here, there = read_image(tmp_path / "x.nii.gz"), read_image(url)
    assert there.history == here.history, "with the facts of the sidecar"
    before = source_digest(url)
    bucket.put("exam/x.json", b'{"RepetitionTime": 3.5}')
    assert source_digest(url) != before


@pytest.mark.parametrize("ending", ["/", ""])
def test_a_dicom_series_is_all_objects_below_a_place(
    bucket: Bucket, one: Exam, ending: str
) -> None:
    bucket.put_folder(one.folder, "exams/A17")
    bucket.put("exams/A18/other.dcm", b"of another exam")
    bucket.emulator.ask("PUT", f"/{bucket.name}/exams/A17/")  # as some programs make a folder
    there = read_image(bucket.url(f"exams/A17{ending}"))
    here = read_image(one.folder)
    assert np.array_equal(there.array, here.array)
    assert there.geometry == here.geometry
    before = source_digest(bucket.url("exams/A17"))
    bucket.put("exams/A17/more.dcm", b"more")
    assert source_digest(bucket.url("exams/A17")) != before


def test_objects_lie_in_the_folders_of_their_keys(bucket: Bucket) -> None:
    """However deep they are below the place that is fetched."""
    contents = {"top.bin": b"1", "a/one.bin": b"2", "a/b/c/deep.bin": b"3"}
    for key, content in contents.items():
        url = bucket.put(f"exams/7/{key}", content)
    place = Path(fetched(url.partition("/7/")[0] + "/7"))
    found = {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*.bin")}
    assert found == contents


def test_more_objects_than_an_exam_has_are_refused(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "MOST_OBJECTS", 2)
    for k in range(3):
        bucket.put(f"all/{k}.dcm", b"1")
    with pytest.raises(StorageError, match="More than 2 objects") as caught:
        fetched(bucket.url("all/"))
    assert caught.value.code == "too-many-objects"


@pytest.mark.parametrize("key", ["a/../../../b.dcm", "a/./b.dcm", "a\\..\\b.dcm"])
def test_no_key_leads_out_of_the_folder(bucket: Bucket, emulator: Emulator, key: str) -> None:
    """Whoever may write into the bucket may write such keys."""
    emulator.ask("PUT", f"/{bucket.name}/exam/{quote(key)}".replace("../", "%2E%2E/"), b"evil")
    assert key in unquote(emulator.ask("GET", f"/{bucket.name}?list-type=2").decode())
    with pytest.raises(StorageError):
        fetched(bucket.url("exam/"))
    assert staged() == []


# What goes wrong on the way


def test_a_transfer_that_is_cut_goes_on(bucket: Bucket, door: Door) -> None:
    content = os.urandom(100_000)
    url = bucket.put("a.nrrd", content)
    door.cuts = 3
    assert content_of(url) == content
    assert door.cuts == 0


def test_a_transfer_that_is_always_cut_leaves_nothing(bucket: Bucket, door: Door) -> None:
    url = bucket.put("a/Anna.nrrd", os.urandom(100_000))
    door.cuts = 1000
    with pytest.raises(StorageError, match=r"Anna.nrrd was cut off each time") as caught:
        fetched(url)
    assert caught.value.code == "transfer-cut"
    assert not isinstance(caught.value, StorageDown), "other objects may come"
    assert staged() == []
    door.cuts = 0
    assert len(content_of(url)) == 100_000


def test_half_a_transfer_of_a_process_that_was_killed_never_counts(
    bucket: Bucket, door: Door
) -> None:
    content = os.urandom(3_000_000)
    url = bucket.put("a.nrrd", content)
    script = f"""
        import time
        from centrum.io import objects, scratch
        objects.PART = 100_000
        true = objects._get
        def slow(*wanted):
            time.sleep(0.1)
            return true(*wanted)
        objects._get = slow
        scratch.fetched({url!r})
    """
    process = begun(script)
    end = time.monotonic() + 60
    while bytes_staged() < 300_000 and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.wait()
    [half] = own().glob("*.writing")
    assert 0 < (half / "a.nrrd").stat().st_size < len(content)
    assert content_of(url) == content
    assert not list(own().glob("*.writing"))


def test_an_object_that_is_changed_while_it_is_fetched(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = bucket.put("a.nrrd", b"old content")
    true = objects.transfer

    def changed(stored):
        bucket.put("a.nrrd", b"new content")
        return true(stored)

    monkeypatch.setattr(scratch, "transfer", changed)
    with pytest.raises(StorageError, match="changed while it was fetched") as caught:
        fetched(url)
    assert caught.value.code == "changed-meanwhile"
    assert staged() == []


def test_an_object_that_goes_while_it_is_fetched(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, true = bucket.put("a.nrrd", b"content"), objects.transfer

    def gone(stored):
        objects.remove(stored.url)
        return true(stored)

    monkeypatch.setattr(scratch, "transfer", gone)
    with pytest.raises(StorageError) as caught:
        fetched(url)
    assert caught.value.code == "missing-object"


def test_an_object_that_is_no_image_is_told_by_its_name(bucket: Bucket) -> None:
    with pytest.raises(ImageError, match=r"T2w.nrrd \(7 bytes\) is neither") as caught:
        read_image(bucket.put("Anna/T2w.nrrd", b"content"))
    assert caught.value.file == "T2w.nrrd"


# Room


def gigabytes(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    monkeypatch.setenv("CENTRUM_SCRATCH_GB", str(n / 1e9))


def test_what_is_longest_unused_goes(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    gigabytes(monkeypatch, 350)
    urls = [bucket.put(f"{k}.nrrd", os.urandom(100)) for k in range(4)]
    for k, url in enumerate([*urls[:3], urls[0]]):
        fetched(url)
        scratch._hold_last(0)
        for lock in own().glob("*.lock"):  # clocks of file systems are coarse
            if lock.stat().st_mtime > 1e9:
                os.utime(lock, (k, k))
    fetched(urls[3])
    assert staged() == ["0.nrrd", "2.nrrd", "3.nrrd"]


def test_there_is_never_more_than_the_room(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes and a few threads fetch what is ten times as much."""
    monkeypatch.setattr(scratch, "HELD", 2)
    gigabytes(monkeypatch, 50_000)
    urls = [bucket.put(f"{k}.nrrd", os.urandom(5000)) for k in range(100)]
    script = f"""
        from centrum.io import scratch
        scratch.HELD = 2
        for url in {urls[50:]!r}:
            scratch.fetched(url)
    """
    other = begun(script)
    fetched(urls[0])
    most = 0
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(fetched, url) for url in urls]
        while other.poll() is None or not all(each.done() for each in running):
            places = filter(scratch._is_staged, own().iterdir())
            most = max(most, sum({scratch._lock_of(p): scratch._bytes(p) for p in places}.values()))
    assert other.returncode == 0
    assert not any(each.exception() for each in running)
    assert 40_000 < most <= 50_000


def test_what_another_process_reads_stays(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    gigabytes(monkeypatch, 150)
    held, wanted = bucket.put("held.nrrd", bytes(100)), bucket.put("wanted.nrrd", bytes(range(100)))
    script = f"""
        from centrum.io.scratch import fetched
        print(fetched({held!r}), flush=True)
        input()
    """
    other = begun(script)
    assert other.stdout
    path = Path(other.stdout.readline().strip())
    with pytest.raises(StorageDown, match=r"no room for wanted.nrrd") as caught:
        fetched(wanted)
    assert caught.value.code == "scratch-full"
    assert path.read_bytes() == bytes(100)
    other.communicate("\n")
    assert content_of(wanted) == bytes(range(100)), "it has ended, and holds nothing any more"
    assert not path.exists()


def test_an_object_for_which_there_is_no_room_at_all_is_its_case_s_error(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    gigabytes(monkeypatch, 99)
    with pytest.raises(StorageError, match="CENTRUM_SCRATCH_GB allows") as caught:
        fetched(bucket.put("a.nrrd", bytes(100)))
    assert caught.value.code == "scratch-too-small"
    assert not isinstance(caught.value, StorageDown)


def test_a_disk_that_is_full_before(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    url, true = bucket.put("a.nrrd", bytes(100)), shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: true(path)._replace(free=99))
    with pytest.raises(StorageDown, match=r"no room for a\.nrrd in ") as caught:
        fetched(url)
    assert str(own()) in caught.value.message


@pytest.mark.parametrize("number", NO_SPACE)
def test_a_disk_that_is_full_meanwhile(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    url = bucket.put("a.nrrd", bytes(100))

    def full(stored):
        yield b"a part"
        raise OSError(number, "full")

    monkeypatch.setattr(scratch, "transfer", full)
    with pytest.raises(StorageDown) as caught:
        fetched(url)
    assert caught.value.code == "scratch-full"
    assert staged() == []


@pytest.mark.parametrize("text", ["0", "-1", "much", "nan", "inf"])
def test_a_size_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CENTRUM_SCRATCH_GB", text)
    with pytest.raises(ProtocolError, match="CENTRUM_SCRATCH_GB"):
        scratch_bytes()


def test_on_windows_objects_are_refused(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(StorageDown, match="Windows has no locks for it"):
        fetched(bucket.put("a.nrrd", b"1"))


def test_a_folder_without_locks_is_refused(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    none = Mock(side_effect=OSError(errno.ENOLCK, "No locks available"))
    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(StorageDown, match="No locks available") as caught:
        fetched(bucket.put("a.nrrd", b"1"))
    assert caught.value.code == "no-scratch"


def test_a_user_without_a_name_has_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in containers that run under any number."""
    monkeypatch.delenv("CENTRUM_SCRATCH", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 1000660000)
    assert scratch_folder().name == "centrum-1000660000"
