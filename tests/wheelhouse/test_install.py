"""A small wheelhouse is installed, without an index; an altered one is not."""

import ensurepip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools.wheelhouse.seal import requirements, sums

from tests.wheelhouse.wheels import write_wheel

INSTALL = Path(__file__).resolve().parents[2] / "tools/wheelhouse/folder/install.py"
PIP = [*Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")]
PIP += [*Path("/usr/share/python-wheels").glob("pip-*.whl")]
with_pip = pytest.mark.skipif(not PIP, reason="this Python keeps no wheel of pip")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "wheelhouse"
    wheels = folder / "wheels"
    shutil.copytree(INSTALL.parent, folder)
    write_wheel(folder / "wheels", "centrum", needs=["one"])
    write_wheel(folder / "wheels", "one")
    (folder / "requirements.txt").write_text(requirements(wheels, []))
    version = "{}.{}".format(*sys.version_info)
    (folder / "target.json").write_text(json.dumps({"python": version, "platform": "here"}))
    if PIP:
        shutil.copy(PIP[0], wheels)
    seal(folder)
    return folder


def seal(folder: Path) -> None:
    (folder / "SHA256SUMS").unlink(missing_ok=True)
    (folder / "SHA256SUMS").write_text(sums(folder))


def install(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, folder / "install.py", folder.parent / "environment"]
    return subprocess.run(command, capture_output=True, text=True)


@with_pip
def test_a_wheelhouse_is_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the user's settings would have pip do otherwise."""
    monkeypatch.setenv("PIP_TARGET", str(folder.parent / "elsewhere"))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    done = install(folder)
    assert (done.returncode, done.stderr) == (0, "")
    python = Path(done.stdout.removeprefix("Installed: ").strip()).with_name("python")
    code = "import centrum, one; print(centrum.NAME, one.__file__)"
    found = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.startswith(f"centrum {folder.parent / 'environment'}")


@with_pip
def test_a_wheel_of_another_hash_is_refused_by_pip_too(folder: Path) -> None:
    """Where somebody renews SHA256SUMS, requirements.txt still knows the wheel."""
    write_wheel(folder / "wheels", "one", needs=["pip"])
    seal(folder)
    done = install(folder)
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert "Not installed. These wheels are for Python" in done.stderr
    assert not (folder.parent / "environment").exists()


def test_files_that_are_not_those_of_the_sums_are_named(folder: Path) -> None:
    (folder / "requirements.txt").write_text("other")
    (folder / "wheels" / "one-1.0-py3-none-any.whl").unlink()
    done = install(folder)
    assert done.returncode == 1
    assert "requirements.txt, wheels/one-1.0-py3-none-any.whl" in done.stderr
    assert "install.py" not in done.stderr
    assert not (folder.parent / "environment").exists()


def test_another_python_is_told_which_is_wanted(folder: Path) -> None:
    (folder / "target.json").write_text(json.dumps({"python": "3.99", "platform": "win_amd64"}))
    assert install(folder).stderr == "These wheels are for Python 3.99 on win_amd64.\n"


def test_a_folder_that_is_there_is_left_alone(folder: Path) -> None:
    (folder.parent / "environment").mkdir()
    assert "is there already: name a new folder" in install(folder).stderr
