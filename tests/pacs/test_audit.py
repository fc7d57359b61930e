"""The audit log: one line each, private, rotated, and never silent about its own faults."""

import json
import stat
from pathlib import Path

import pytest

from centrum.pacs import audit


def test_lines_are_added_and_private(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "audit.jsonl"
    for result in ("complete", "failed: unreachable"):
        audit.note(path, "fetch", {"series": audit.short_digest("1.2.3"), "result": result})
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["result"] for line in lines] == ["complete", "failed: unreachable"]
    assert set(lines[0]) == {"time", "action", "series", "result"}
    assert lines[0]["time"].endswith("+00:00")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_old_lines_are_kept_beside_new_ones_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "LARGEST", 200)
    monkeypatch.setattr(audit, "KEPT", 2)
    path = tmp_path / "audit.jsonl"
    for k in range(20):
        audit.note(path, "send", {"n": k})
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert all(file.stat().st_size <= 200 for file in files)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    last = [json.loads(line)["n"] for f in reversed(files) for line in f.read_text().splitlines()]
    assert last == list(range(20 - len(last), 20))


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(OSError, match="directory"):
        audit.note(tmp_path / "audit.jsonl", "send", {})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit._AuditFile, "shouldRollover", lambda *_: False)
    with pytest.raises(OSError, match="No space"):
        audit.note(Path("/dev/full"), "send", {})


def test_the_environment_names_one_file_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(audit.AUDIT, raising=False)
    assert audit.audit_file() is None
    assert audit.audit_file(tmp_path / "own") == tmp_path / "own"
    monkeypatch.setenv(audit.AUDIT, str(tmp_path / "all"))
    assert audit.audit_file(tmp_path / "own") == audit.audit_file() == tmp_path / "all"
