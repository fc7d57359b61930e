"""Wheels that hold a module of one line, for any platform."""

from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile


def write_wheel(
    folder: Path, name: str, *, needs: Iterable[str] = (), extras: Iterable[str] = ()
) -> Path:
    """Version 1.0, which needs these (lines of Requires-Dist)."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {need}" for need in needs]
    return write_described(folder, name, "1.0", "\n".join(lines) + "\n")


def write_described(folder: Path, name: str, version: str, metadata: str) -> Path:
    folder.mkdir(exist_ok=True)
    module = name.replace("-", "_")
    path, described = (
        folder / f"{module}-{version}-py3-none-any.whl",
        f"{module}-{version}.dist-info",
    )
    files = {
        f"{module}.py": f"NAME = {name!r}\n",
        f"{described}/METADATA": metadata,
        f"{described}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{described}/RECORD"])
    with ZipFile(path, "w") as packed:
        for file, text in (files | {f"{described}/RECORD": record}).items():
            packed.writestr(file, text)
    return path
