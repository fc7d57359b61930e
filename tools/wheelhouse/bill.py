"""The bill of materials of a wheelhouse: CycloneDX, as JSON.

cyclonedx-py describes an environment, which is made here of the wheels' metadata alone: that works
for wheels of any platform. What it does not know is added: hashes, and which is the program.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from packaging.utils import NormalizedName, canonicalize_name

from tools.wheelhouse.gather import PROJECT, wheels_of
from tools.wheelhouse.seal import digest

VERSION = "1.6"
VALIDATE = Path(__file__).with_name("validate_bill.py")
NOT_INSTALLED = {"pip"}
"""Installs the others, and is left out itself."""


def write_bill(path: Path, wheels: Path, tool: Path) -> None:
    """`tool` is a Python that has cyclonedx-bom."""
    described = json.loads(describe(wheels, tool))
    hashes = {name: digest(wheel) for name, wheel in wheels_of(wheels).items()}
    path.write_text(json.dumps(complete(described, hashes), indent=1) + "\n", encoding="utf-8")
    subprocess.run([tool, VALIDATE, path, VERSION], check=True)


def describe(wheels: Path, tool: Path) -> str:
    """What cyclonedx-py says of an environment that has the metadata of the wheels."""
    with TemporaryDirectory() as scratch:
        venv.create(scratch)
        (site,) = Path(scratch).glob("lib/python*/site-packages")
        for wheel in wheels_of(wheels).values():
            with ZipFile(wheel) as packed:
                names = packed.namelist()
                packed.extractall(site, [n for n in names if ".dist-info/" in n])
        options = ["--output-reproducible", "--spec-version", VERSION, f"{scratch}/bin/python"]
        command = [str(tool), "-m", "cyclonedx_py", "environment", *options]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def complete(bill: dict[str, Any], hashes: dict[NormalizedName, str]) -> dict[str, Any]:
    """With the hash of each wheel, the project as what is described, and no addresses.

    Raises SystemExit where wheels and components are not the same packages.
    """
    components = {canonicalize_name(part["name"]): part for part in bill.pop("components")}
    if odd := components.keys() ^ hashes.keys():
        sys.exit(f"bill of materials and wheels differ in {', '.join(sorted(odd))}")
    for name, part in components.items():
        part["hashes"] = [{"alg": "SHA-256", "content": hashes[name]}]
        part["scope"] = "excluded" if name in NOT_INSTALLED else "required"
    bill["metadata"]["component"] = components.pop(PROJECT) | {"type": "application"}
    return _without_addresses(bill | {"components": [*components.values()]})


def _without_addresses(value: Any) -> Any:
    """Of homepages, trackers and package indices: what installs from a folder needs none."""
    if isinstance(value, dict):
        return {k: _without_addresses(v) for k, v in value.items() if k != "externalReferences"}
    return [*map(_without_addresses, value)] if isinstance(value, list) else value
