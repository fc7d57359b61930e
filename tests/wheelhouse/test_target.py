"""For which Python and platform: markers and tags, against what pip and packaging say."""

import doctest
import platform
import sys
from types import ModuleType

import pytest
from packaging.markers import Marker
from packaging.tags import sys_tags
from tools.wheelhouse import gather, target
from tools.wheelhouse.target import PLATFORM, Target


@pytest.mark.parametrize(
    ("tag", "marker"),
    [
        ("win_amd64", "sys_platform == 'win32' and platform_system == 'Windows'"),
        ("win_amd64", "os_name == 'nt' and platform_machine == 'AMD64'"),
        ("win_arm64", "platform_machine == 'ARM64'"),
        ("macosx_14_0_arm64", "sys_platform == 'darwin' and platform_machine == 'arm64'"),
        ("macosx_11_0_x86_64", "platform_system == 'Darwin' and platform_machine == 'x86_64'"),
        ("manylinux_2_28_aarch64", "sys_platform == 'linux' and platform_machine == 'aarch64'"),
        ("manylinux2014_x86_64", "platform_system == 'Linux' and os_name == 'posix'"),
    ],
)
def test_markers_are_judged_for_the_platform(tag: str, marker: str) -> None:
    assert Marker(marker).evaluate(Target(platform=tag).environment())


def test_markers_are_judged_for_the_python() -> None:
    environment = Target(python="3.13").environment()
    assert Marker("python_version >= '3.13' and python_full_version >= '3.13'").evaluate(
        environment
    )
    assert Marker(f"sys_platform == '{sys.platform}'").evaluate(environment)


@pytest.mark.parametrize("tag", ["linux_x86_64", "win-amd64", "win32", "plan9_amd64", ""])
def test_other_words_are_no_platform(tag: str) -> None:
    assert PLATFORM.fullmatch(tag) is None


def test_what_runs_here_needs_no_options() -> None:
    assert Target().options() == []
    assert Target().in_full()["python"] == ".".join(platform.python_version_tuple()[:2])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_tags_of_glibc_are_those_that_an_interpreter_takes() -> None:
    """Of the newest glibc, for which packaging lists all older ones, too."""
    known = {tag.platform for tag in sys_tags() if tag.platform.startswith("manylinux")}
    minor = platform.libc_ver()[1].split(".")[1]
    found = Target(platform=f"manylinux_2_{minor}_{platform.machine()}").tags()
    assert known - {*found} <= {f"manylinux{n}_{platform.machine()}" for n in ("1", "2010")}


def test_older_glibc_takes_no_newer_wheels() -> None:
    assert Target(platform="manylinux_2_12_x86_64").tags() == [
        f"manylinux_2_{minor}_x86_64" for minor in range(12, 4, -1)
    ]
    assert Target("3.12", "win_amd64").options() == [
        *("--python-version", "3.12"),
        *("--platform", "win_amd64"),
    ]


@pytest.mark.parametrize("module", [gather, target])
def test_examples(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0
