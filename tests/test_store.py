"""The store keeps whole entries or none."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given, settings, strategies as st

from centrum.errors import DataError
from centrum.store import Store, _machine, _replace, take_leftovers, tidy, write_atomically

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=30)
@given(value=json_values)
def test_what_is_put_comes_back(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    store.put("ab" * 32, {"value": value})
    assert store.get("ab" * 32) == {"value": value}


@pytest.mark.parametrize("keep", [0, 1, 20, -1])
def test_a_damaged_entry_counts_as_absent(tmp_path: Path, keep: int) -> None:
    store = Store(tmp_path)
    store.put("abc", {"x": [1.5, 2.5]})
    whole = store.path("abc").read_bytes()
    store.path("abc").write_bytes(whole[:keep])
    assert store.get("abc") is None


def test_a_changed_number_counts_as_absent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("abc", {"x": 1.5})
    path = store.path("abc")
    path.write_text(path.read_text().replace("1.5", "2.5"))
    assert store.get("abc") is None


def test_a_full_disk_leaves_the_store_whole(tmp_path: Path) -> None:
    """A process that may not write more than 4096 bytes to a file stands for a full disk."""
    store = Store(tmp_path)
    store.put("abc", {"x": "old"})
    script = f"""
        import resource, signal
        from pathlib import Path
        from centrum.store import Store
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        store = Store(Path({str(tmp_path)!r}))
        for key in ("abc", "abd"):
            try:
                store.put(key, {{"x": "new" * 10000}})
            except OSError:
                print("refused")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["refused", "refused"]
    assert store.get("abc") == {"x": "old"}
    assert store.get("abd") is None
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["abc.json"]


def test_files_are_readable_as_others_are(tmp_path: Path) -> None:
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.write_bytes(b"x")
    write_atomically(ours, b"x")
    assert ours.stat().st_mode == plain.stat().st_mode


def leave(path: Path, hours: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    then = time.time() - 3600 * hours
    os.utime(path, (then, then))
    return path


def ended_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_what_killed_writes_left_is_taken_away(tmp_path: Path) -> None:
    ended, here = f"{_machine()}-{ended_process()}", f"{_machine()}-{os.getpid()}"
    away = f"{'0' * 6}-{ended_process()}"
    left = [
        leave(tmp_path / f".x.csv.{ended}.ab12_xyz.writing", 0),
        leave(tmp_path / f"store/ab/.k.json.{away}.ab12_xyz.writing", 2),
        leave(tmp_path / f"fits/ab/.k.json.{here}.ab12_xyz.writing", 2),
        leave(tmp_path / "fits/.k.json.abcdefgh", 2),
    ]
    kept = [
        leave(tmp_path / f".x.csv.{here}.ab12_xyz.writing", 0.5),
        leave(tmp_path / f".x.csv.{away}.ab12_xyz.writing", 0.5),
        leave(tmp_path / "fits/.k.json.abcdefgi", 0.5),
        leave(tmp_path / ".begun.json", 9),
        leave(tmp_path / "x.csv.ab12_xyz.writing", 9),
    ]
    tidy(tmp_path)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)


def test_files_of_others_beside_a_manifest_stay(tmp_path: Path) -> None:
    mine = leave(tmp_path / ".word.template", 9)
    left = leave(tmp_path / f".cases.csv.{_machine()}-{ended_process()}.ab12_xyz.writing", 0)
    take_leftovers(tmp_path, os.listdir(tmp_path))
    assert mine.exists()
    assert not left.exists()


def test_a_killed_write_leaves_what_is_taken_away(tmp_path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from centrum import store
        store.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        store.write_atomically(Path({str(tmp_path)!r}, "\u00fc" * 100), b"x")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    tidy(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("where", ["tables", "store/ab"])
def test_a_link_that_leads_out_of_results_is_refused(tmp_path: Path, where: str) -> None:
    outside, link = tmp_path / "outside", tmp_path / "disk" / where
    victim = leave(outside / ".x.csv.ab12_xyz", 2)
    link.parent.mkdir(parents=True)
    link.symlink_to(outside, target_is_directory=True)
    with pytest.raises(DataError, match=f"^{where} in disk is a link that leads out") as error:
        tidy(tmp_path / "disk")
    assert error.value.code == "leads-out"
    assert victim.exists()


def test_results_may_be_a_link_and_hold_links_within(tmp_path: Path) -> None:
    (tmp_path / "disk/store").mkdir(parents=True)
    (tmp_path / "disk/old").symlink_to(tmp_path / "disk/store")
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    left = leave(tmp_path / "disk/store/.x.csv.ab12_xyz", 2)
    tidy(tmp_path / "results")
    assert not left.exists()
    tidy(tmp_path / "none")
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    with pytest.raises(DataError, match="results is a link to a place that is not there") as error:
        tidy(tmp_path / "results")
    assert error.value.code == "leads-nowhere"


@pytest.mark.parametrize(("system", "tries"), [("nt", 3), ("posix", 1)])
def test_a_file_that_another_program_reads_is_replaced_when_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, tries: int
) -> None:
    errors = [PermissionError(13, "used by another process")] * (tries - 1)
    replaced = Mock(side_effect=[*errors, None])
    monkeypatch.setattr("centrum.store.os.replace", replaced)
    monkeypatch.setattr("centrum.store.os.name", system)
    monkeypatch.setattr("centrum.store.time.sleep", lambda _: None)
    _replace("temporary", tmp_path / "x")
    assert replaced.call_count == tries
    replaced.side_effect = PermissionError(13, "used by another process")
    with pytest.raises(PermissionError):
        _replace("temporary", tmp_path / "x")


@pytest.mark.parametrize("content", [b"null", b"3", b"[1]", b'{"value": 1}', b"[" * 9000, b"\xff"])
def test_an_entry_of_another_kind_counts_as_absent(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    store.put("abc", {"x": 1.5})
    store.path("abc").write_bytes(content)
    assert store.get("abc") is None
    assert store.kept("abc", lambda: {"x": 2}) == {"x": 2}


def test_an_entry_in_the_place_of_another_counts_as_absent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("abc", {"x": 1.5})
    store.path("abc").rename(store.path("abd"))
    assert store.get("abd") is None
