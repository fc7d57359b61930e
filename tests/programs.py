"""Programs of others that judge or print what is written; in CI tests do not go without them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = {
    "dciodvfy": "Debian's dicom3tools",
    "dsrdump": "Debian's dcmtk",
    "pdftotext": "Debian's poppler-utils",
    "segimage2itkimage": "dcmqi of the package index",
    "soffice": "Debian's libreoffice-writer-nogui",
    "tid1500reader": "dcmqi of the package index",
}

LONGEST_S = 300
"""How long a program may take before its test fails."""


def run(name: str, *words: str | Path) -> str:
    """What a program says of a file, on either stream."""
    own = Path(sys.executable).with_name(name)
    path = str(own) if own.is_file() else shutil.which(name)
    if path is None:
        missing = f"needs {name}, of {PACKAGES[name]}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    done = subprocess.run(
        [path, *map(str, words)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=LONGEST_S,
    )
    assert done.returncode == 0 or name == "dciodvfy", done.stderr
    return done.stdout + done.stderr


def faults(path: Path) -> list[str]:
    """What dciodvfy calls an error."""
    return [line for line in run("dciodvfy", path).splitlines() if line.startswith("Error")]
