"""Hashes of what a wheelhouse holds."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from packaging.utils import parse_wheel_filename

from tools.wheelhouse.gather import PROJECT, wheels_of


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def requirements(wheels: Path, extras: Sequence[str]) -> str:
    """The wheels as pip's requirements, each with the one hash that it may have."""
    lines = []
    for name, path in wheels_of(wheels).items():
        version = parse_wheel_filename(path.name)[1]
        chosen = f"[{','.join(extras)}]" if name == PROJECT and extras else ""
        lines.append(f"{name}{chosen}=={version} --hash=sha256:{digest(path)}\n")
    return "".join(lines)


def sums(folder: Path) -> str:
    """What `sha256sum --check` reads, of all files of the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(f"{digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
