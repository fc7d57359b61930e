"""Which wheels are gathered: from an index of small wheels, and of all that is installed here."""

import tomllib
from importlib.metadata import Distribution, distributions
from pathlib import Path
from shutil import copy

import pytest
from packaging.utils import canonicalize_name
from tools.wheelhouse import gather as module
from tools.wheelhouse.gather import (
    PROJECT,
    download,
    extras_for_use,
    gather,
    locked_versions,
    wheels_of,
)
from tools.wheelhouse.target import Target

from tests.wheelhouse.wheels import write_described, write_wheel

ROOT = Path(__file__).resolve().parents[2]
NAMES = ONE, TWO, *_ = [canonicalize_name(n) for n in ("one", "two_more", "deep", "shell", "net")]
LOCKED = dict.fromkeys(NAMES, "1.0")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all that pip finds."""
    folder = tmp_path / "index"
    write_wheel(folder, "one", needs=["Two_More[fast]>=1"])
    write_wheel(folder, "two-more", needs=["deep; extra == 'fast'", "one"], extras=["fast"])
    write_wheel(folder, "deep", needs=["shell; platform_system == 'Windows'"])
    for name in ("shell", "net", "pytest"):
        write_wheel(folder, name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    needs = ["one", "net; extra == 'dicom'", "pytest; extra == 'dev'"]
    write_wheel(folder, "centrum", needs=needs, extras=["dicom", "dev", "docs"])
    return folder


def test_needs_are_followed_through_extras_and_circles(
    index: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copied(*words: object) -> None:
        for name in (str(word).partition("==")[0] for word in words if "==" in str(word)):
            copy(wheels_of(index)[canonicalize_name(name)], wheels)

    monkeypatch.setattr(module, "pip", copied)
    gather(wheels, [], LOCKED, Target(platform="manylinux_2_28_x86_64"))
    assert {*wheels_of(wheels)} == {"centrum", "one", "two-more", "deep"}


def test_pip_gathers_for_another_platform(index: Path, wheels: Path) -> None:
    gather(wheels, ["dicom"], LOCKED, Target("3.12", "win_amd64"))
    assert {*wheels_of(wheels)} == {"centrum", "one", "two-more", "deep", "shell", "net"}


def test_extras_of_contributors_are_not_for_use(wheels: Path) -> None:
    assert extras_for_use(wheels_of(wheels)[PROJECT]) == ["dicom"]


def test_what_is_not_locked_is_refused(wheels: Path) -> None:
    with pytest.raises(SystemExit, match=r"constraints\.txt lacks two-more: renew it"):
        download(wheels, {ONE, TWO}, {ONE: "1.0"}, Target())


def _described(distribution: Distribution) -> str:
    return distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""


@pytest.mark.parametrize(
    "platform", ["", "win_amd64", "macosx_14_0_arm64", "manylinux_2_28_x86_64"]
)
def test_the_lock_has_all_that_a_user_needs(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the packages installed here need; of one that is locked but not here, no more."""
    locked = locked_versions((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    here = {canonicalize_name(d.name): _described(d) for d in distributions()}

    def lay(*words: object) -> None:
        for name, version in (str(word).split("==") for word in words if "==" in str(word)):
            write_described(tmp_path, name, version, here.get(name, f"Name: {name}\n"))

    monkeypatch.setattr(module, "pip", lay)
    gather(tmp_path, write_project(tmp_path), locked, Target("", platform))
    found = {*wheels_of(tmp_path)}
    assert {"numpy", "llvmlite", "markupsafe"} <= found
    assert not found & {"pytest", "mkdocs", "ruff"}


def write_project(folder: Path) -> list[str]:
    """As pyproject.toml has it; returns the extras for use."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needs = [f"{n}; extra == '{extra}'" for extra, needed in extras.items() for n in needed]
    wheel = write_wheel(folder, PROJECT, needs=project["dependencies"] + needs, extras=extras)
    return extras_for_use(wheel)
