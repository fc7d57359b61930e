"""Make a folder from which centrum is installed without network.

python -m tools.wheelhouse build/wheelhouse --bill-tool build/bill-tool/bin/python
python -m tools.wheelhouse ... --python-version 3.12 --platform win_amd64
"""

import argparse
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from tools.wheelhouse.bill import write_bill
from tools.wheelhouse.gather import build_project, extras_for_use, gather, locked_versions, pip
from tools.wheelhouse.seal import digest, requirements, sums
from tools.wheelhouse.target import PLATFORM, PYTHON, Target

INSTALLER = "pip==26.3"
"""Not every Python comes with one."""


def make(folder: Path, target: Target, extras: list[str] | None, bill_tool: Path) -> None:
    shutil.copytree(Path(__file__).with_name("folder"), folder)
    wheels = folder / "wheels"
    project = build_project(wheels)
    extras = extras_for_use(project) if extras is None else extras
    gather(wheels, extras, locked_versions(Path("constraints.txt").read_text()), target)
    (folder / "requirements.txt").write_text(requirements(wheels, extras))
    pip("download", "--no-deps", "--dest", wheels, INSTALLER)
    write_bill(folder / "sbom.cdx.json", wheels, bill_tool)
    (folder / "target.json").write_text(json.dumps(target.in_full()) + "\n")
    (folder / "SHA256SUMS").write_text(sums(folder))


def _like(pattern: re.Pattern[str], examples: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text and not pattern.fullmatch(text):
            raise argparse.ArgumentTypeError(f"{text!r} is not like {examples}")
        return text

    return check


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="must not be there yet")
    parser.add_argument("--python-version", type=_like(PYTHON, "3.12"), default="")
    platform = _like(PLATFORM, "manylinux_2_28_x86_64, macosx_14_0_arm64 or win_amd64")
    parser.add_argument("--platform", type=platform, default="")
    parser.add_argument("--extras", help="by commas; if not given, all that users may want")
    parser.add_argument("--bill-tool", type=Path, required=True, help="Python with cyclonedx-bom")
    chosen = parser.parse_args()
    extras = None if chosen.extras is None else [e for e in chosen.extras.split(",") if e]
    make(chosen.folder, Target(chosen.python_version, chosen.platform), extras, chosen.bill_tool)
    print(f"{chosen.folder} is made; SHA-256 of its SHA256SUMS:")
    print(digest(chosen.folder / "SHA256SUMS"))


if __name__ == "__main__":
    main()
