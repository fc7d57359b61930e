"""Install centrum from this folder into a new virtual environment, without network.

    python3 install.py /opt/centrum

Every file is checked against SHA256SUMS first, and pip checks every wheel against requirements.txt.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent


def differing(folder: Path) -> "list[str]":
    """Files that are missing or are not those of SHA256SUMS."""
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    wanted = (line.split("  ", 1) for line in lines)
    return [name for digest, name in wanted if digest_of(folder / name) != digest]


def digest_of(path: Path) -> str:
    found = hashlib.sha256()
    if path.is_file():
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    return found.hexdigest()


def install(folder: Path, environment: Path) -> "Path | None":
    """The program, or None if pip fails; it reads none of its settings, and no index."""
    builder = venv.EnvBuilder(symlinks=os.name != "nt")
    builder.create(environment)
    python = Path(builder.ensure_directories(environment).env_exe)
    (pip,) = (folder / "wheels").glob("pip-*.whl")
    words = ["install", "--quiet", "--no-index", "--find-links", str(folder / "wheels")]
    words += ["--only-binary", ":all:", "--require-hashes", "-r", str(folder / "requirements.txt")]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    settings |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    failed = subprocess.call([python, "-I", pip / "pip", *words], env=settings)
    return None if failed else python.with_name("centrum")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    environment = Path(sys.argv[1])
    if environment.exists():
        sys.exit(f"{environment} is there already: name a new folder.")
    wanted = json.loads((HERE / "target.json").read_text())
    made_for = "These wheels are for Python {python} on {platform}.".format(**wanted)
    if wanted["python"] != "{}.{}".format(*sys.version_info):
        sys.exit(made_for)
    if wrong := differing(HERE):
        sys.exit(
            f"Copy the folder again, these are not the files of SHA256SUMS: {', '.join(wrong)}"
        )
    if program := install(HERE, environment):
        print(f"Installed: {program}")
    else:
        shutil.rmtree(environment)
        sys.exit(f"Not installed. {made_for}")


if __name__ == "__main__":
    main()
