"""The Python and the platform that wheels are gathered for."""

import re
import sys
import sysconfig
from dataclasses import dataclass
from typing import cast

from packaging.markers import default_environment

SYSTEMS = {
    "manylinux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macosx": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "win": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
"""What markers of requirements say of a platform, by the beginning of its tag."""

PLATFORM = re.compile(rf"({'|'.join(SYSTEMS)})\w*_(x86_64|aarch64|arm64|amd64)")
PYTHON = re.compile(r"3\.\d+")


@dataclass(frozen=True)
class Target:
    """A version of Python such as 3.12 and a platform's tag; "" is what runs here.

    >>> Target("3.12", "win_amd64").environment()["platform_machine"]
    'AMD64'
    """

    python: str = ""
    platform: str = ""

    def environment(self) -> dict[str, str]:
        """What markers of requirements are judged by; pip would judge them by what runs here."""
        found = cast(dict[str, str], default_environment())
        if self.python:
            found |= {"python_version": self.python, "python_full_version": f"{self.python}.0"}
        if match := PLATFORM.fullmatch(self.platform):
            system, machine = match.groups()
            found |= SYSTEMS[system]
            found["platform_machine"] = machine.upper() if system == "win" else machine
        return found

    def options(self) -> list[str]:
        """Of `pip download`."""
        python = ["--python-version", self.python] if self.python else []
        return python + [word for tag in self.tags() for word in ("--platform", tag)]

    def tags(self) -> list[str]:
        """The platform, and older ones whose wheels run there: of glibc's, pip knows none.

        >>> Target(platform="manylinux_2_18_x86_64").tags()[:3]
        ['manylinux2014_x86_64', 'manylinux_2_18_x86_64', 'manylinux_2_17_x86_64']
        """
        found = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", self.platform)
        if not found:
            return [self.platform] if self.platform else []
        newest, machine = int(found[1]), found[2]
        named = [f"manylinux2014_{machine}"] if newest >= 17 else []
        return named + [f"manylinux_2_{minor}_{machine}" for minor in range(newest, 4, -1)]

    def in_full(self) -> dict[str, str]:
        """Both, what runs here by its name."""
        running = "{}.{}".format(*sys.version_info)
        platform = self.platform or sysconfig.get_platform()
        return {"python": self.python or running, "platform": platform}
