"""Other systems than the one at hand: no call without its branch, no text without its encoding."""

import ast
import io
import ntpath
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from centrum import cli
from centrum.cohort.case import Identity
from centrum.cohort.discover import discover
from centrum.cohort.pseudonyms import about_key, read_key, write_key
from centrum.execution import default_workers
from centrum.io.paths import seen_from
from centrum.text import file_stem
from tests.conftest import ROOT
from tests.studies import make_study

POSIX_ONLY = {
    "fork", "getuid", "geteuid", "getgid", "getgroups", "chown", "fchown", "fchmod", "mkfifo",
    "mknod", "sched_getaffinity", "sched_setaffinity", "killpg", "getpgid", "setpgid", "setsid",
    "nice", "statvfs", "sysconf", "getloadavg", "wait", "waitid", "chroot", "fchdir", "pread",
    "pwrite", "uname", "O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK",
}  # fmt: skip
"""Of the module `os`, what Windows has not."""

POSIX_MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "curses"}

BINARY = {"Image", "os", "gzip", "igzip", "zipfile", "webbrowser", "desk"}
"""Modules and things whose `open` is of no text."""


def _nodes() -> Iterator[tuple[str, str, ast.AST]]:
    """Name and text of every module of the package, and each node of its tree."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            yield path.name, text, node


def _opened(node: ast.Call) -> str | None:
    """The mode in which a call opens a text; None where it opens none."""
    called, owned = node.func, getattr(node.func, "value", None)
    owner = getattr(owned, "id", getattr(owned, "attr", ""))
    name = getattr(called, "attr", getattr(called, "id", ""))
    if isinstance(called, ast.Attribute) and name in ("read_text", "write_text"):
        return name[0]
    if name not in ("open", "fdopen") or (owner in BINARY and name == "open"):
        return None
    given = [*node.args, *(k.value for k in node.keywords if k.arg == "mode")]
    words = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    mode = next((word for word in words if set(word) <= set("rwaxbt+")), "r")
    return None if "b" in mode else mode


def test_every_text_names_its_encoding_and_is_written_with_the_same_ends_of_lines() -> None:
    wrong = []
    for module, _, node in _nodes():
        if isinstance(node, ast.Call) and (mode := _opened(node)) is not None:
            given = {keyword.arg for keyword in node.keywords}
            if "encoding" not in given or (mode[0] != "r" and "newline" not in given):
                wrong.append(f"{module}:{node.lineno}")
    assert not wrong, "Windows reads and writes these in its own code page, or with its own ends"


def test_what_only_posix_has_is_asked_for() -> None:
    wrong = []
    for module, text, node in _nodes():
        called = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if called.removeprefix("os.") in POSIX_ONLY:
            name = called.removeprefix("os.")
            wrong += [f"{module}: {called}"] * (f'hasattr(os, "{name}")' not in text)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            given_up = "except ImportError:" in text
            wrong += [f"{module}: {name}" for name in names & POSIX_MODULES if not given_up]
    assert not wrong


def test_processors_where_a_process_cannot_be_bound_to_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert default_workers() == 5


def test_the_key_of_pseudonyms_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from centrum.cohort import Cohort

    path, who = tmp_path / "identities.csv", (Identity("patient", "Anna", "P001"),)
    write_key(who, path)
    assert path.stat().st_mode & 0o077 == 0
    assert read_key(path) == who
    told = {}
    for system in ("linux", "win32"):
        monkeypatch.setattr(sys, "platform", system)
        told[system] = about_key(Cohort((), identities=who))
    assert "only you can read" in told["linux"]
    assert "has the rights of its folder" in told["win32"]


@pytest.mark.parametrize(
    "name", ["CON", "nul", "com1", "LPT9", "com¹", "aux.txt", "CONIN$", "a.", "a ", "a:b", "a?",
             'a"b', "<a>", "a|b", "a*", "a\\b", "x" * 300, ""],
)  # fmt: skip
def test_no_file_is_called_what_windows_forbids(name: str) -> None:
    stem = file_stem(name)
    assert stem != name
    assert not set(stem) & set('<>:"/\\|?*')
    assert len(stem.encode()) <= 96
    assert stem == stem.strip(" .")
    assert "-" in stem, "two such names might have one file"


def _no_way(path: object, start: object) -> str:
    raise ValueError("path is on mount 'D:', start on mount 'C:'")


def test_images_on_another_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="mount"):
        ntpath.relpath("D:\\images\\a.nrrd", "C:\\study")
    folder = make_study(tmp_path / "study", n=2)
    found = discover(folder)
    monkeypatch.setattr(os.path, "relpath", _no_way)
    assert seen_from(folder, folder / "a.nrrd") == (folder / "a.nrrd").as_posix()
    found.write(tmp_path / "cases.csv")
    assert (folder / "images").as_posix() in (tmp_path / "cases.csv").read_text(encoding="utf-8")


def test_a_console_that_lacks_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_study(tmp_path / "images", n=2)
    for path in list((tmp_path / "images" / "images").iterdir()):
        path.rename(path.with_name(f"病例{path.name}"))
    for path in list((tmp_path / "images" / "masks").iterdir()):
        path.rename(path.with_name(f"病例{path.name}"))
    screen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(screen, encoding="cp1252"))
    monkeypatch.setattr(sys, "argv", ["centrum", "init", str(tmp_path / "images"), "--dry-run"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    sys.stdout.flush()
    assert end.value.code in (0, None), screen.getvalue()
