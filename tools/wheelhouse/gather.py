"""The wheels that the project needs, in the versions of constraints.txt.

What is needed is read from the wheels themselves, so that markers are judged for the Python and
the platform that they are gathered for.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename

from tools.wheelhouse.target import Target

PROJECT = canonicalize_name("centrum")

CONTRIBUTORS = {"dev", "docs"}
"""Extras that nobody needs who only uses the program."""


def locked_versions(text: str) -> dict[NormalizedName, str]:
    """The version of each package that constraints.txt pins.

    >>> locked_versions("# tested together\\nPyYAML==6.0.3\\n")
    {'pyyaml': '6.0.3'}
    """
    lines = (line.partition("==") for line in text.splitlines() if "==" in line)
    return {canonicalize_name(name): version for name, _, version in lines}


def wheels_of(folder: Path) -> dict[NormalizedName, Path]:
    return {parse_wheel_filename(path.name)[0]: path for path in sorted(folder.glob("*.whl"))}


def metadata_of(wheel: Path) -> RawMetadata:
    with ZipFile(wheel) as packed:
        names = packed.namelist()
        (name,) = (n for n in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
        return parse_email(packed.read(name))[0]


def extras_for_use(wheel: Path) -> list[str]:
    return [e for e in metadata_of(wheel).get("provides_extra", []) if e not in CONTRIBUTORS]


def needs_of(wheel: Path, extra: str, where: dict[str, str]) -> set[tuple[NormalizedName, str]]:
    """Packages that a wheel with one of its extras needs, each alone ("") and with its extras."""
    lines = map(Requirement, metadata_of(wheel).get("requires_dist", []))
    needed = [r for r in lines if not r.marker or r.marker.evaluate(where | {"extra": extra})]
    return {(canonicalize_name(r.name), e) for r in needed for e in ("", *r.extras)}


def gather(
    folder: Path, extras: Iterable[str], locked: dict[NormalizedName, str], target: Target
) -> None:
    """Download what the project's wheel in the folder needs, level by level."""
    asked = {(PROJECT, extra) for extra in ("", *extras)}
    done: set[tuple[NormalizedName, str]] = set()
    while new := asked - done:
        download(folder, {name for name, _ in new} - {*wheels_of(folder)}, locked, target)
        wheels = wheels_of(folder)
        for name, extra in new:
            asked |= needs_of(wheels[name], extra, target.environment())
        done |= new


def download(
    folder: Path, names: set[NormalizedName], locked: dict[NormalizedName, str], target: Target
) -> None:
    """Raises SystemExit for a package that is not locked, CalledProcessError for one not found."""
    if missing := sorted(names - {*locked}):
        sys.exit(f"constraints.txt lacks {', '.join(missing)}: renew it as CONTRIBUTING.md says.")
    if names:
        pins = [f"{name}=={locked[name]}" for name in sorted(names)]
        options = ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), *target.options()]
        pip("download", *options, *pins)


def build_project(folder: Path) -> Path:
    """The wheel of the last commit, dated by it, so that it has the same bytes each time."""
    os.environ["SOURCE_DATE_EPOCH"] = _git("log", "-1", "--format=%ct")
    with TemporaryDirectory() as scratch:
        source = Path(scratch, "centrum.tar.gz")
        _git("archive", "--prefix", "centrum/", "--output", source, "HEAD")
        pip("wheel", "--no-deps", "--wheel-dir", folder, source)
    return wheels_of(folder)[PROJECT]


def _git(*words: str | Path) -> str:
    done = subprocess.run(["git", *words], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def pip(*words: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    subprocess.run(command, check=True)
