"""The store keeps whole entries or none."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centrum.store import Store, write_atomically

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
