"""Make the environments of the peers that `make peers` and `make bench-peers` compare with.

Each peer gets an environment of its own in .peers/, with the Python it needs: an interpreter
that is given (`--python`), on the path, or among pyenv's. What cannot be built is reported
with its reason; the others are built all the same. The exit code is 1 if PyRadiomics, which
`make peers` cannot do without, is not there in the end.

    python benchmarks/peers/build.py
    python benchmarks/peers/build.py pyradiomics --python /opt/python3.9/bin/python3.9
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PEERS = ROOT / ".peers"
SOURCES = PEERS / "sources"


@dataclass(frozen=True)
class Peer:
    """A package, the Python versions it runs with (best first), and whether it is compiled.

    `source` names the source distribution that is unpacked and built here, after everything
    in the list of versions is installed; "" where the list holds the package itself.
    """

    name: str
    pythons: tuple[str, ...]
    source: str = ""

    @property
    def requirements(self) -> Path:
        """The versions, one name==version a line."""
        return HERE / f"{self.name}.txt"

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return PEERS / self.name / "bin" / "python"


PYRADIOMICS = Peer("pyradiomics", ("3.9", "3.10"), source="pyradiomics==3.0.1")
PICTOLOGICS = Peer("pictologics", ("3.12", "3.13", "3.14"))
MIRP = Peer("mirp", ("3.12", "3.13"))

PEERS_BY_NAME = {peer.name: peer for peer in (PYRADIOMICS, PICTOLOGICS, MIRP)}


class CannotBuildError(Exception):
    """Why a peer could not be built."""


def available(name: str) -> Path | None:
    """The interpreter of a peer's environment, or None if it has not been built."""
    python = PEERS_BY_NAME[name].python
    return python if (PEERS / name / ".installed").is_file() and python.is_file() else None


def examples() -> Path | None:
    """PyRadiomics' example parameter files, from its source distribution."""
    found = sorted(SOURCES.glob("pyradiomics-*/examples/exampleSettings"))
    return found[-1] if found else None


def find_python(versions: tuple[str, ...], given: str | None = None) -> str:
    """An interpreter of one of these versions, the first version that there is."""
    if given is not None:
        return given
    for version in versions:
        for found in (shutil.which(f"python{version}"), _pyenv_python(version)):
            if found and _is_version(found, version):
                return found
    raise CannotBuildError(
        f"needs Python {' or '.join(versions)}, and none is on the path or among pyenv's "
        "versions; install one, or name it with --python"
    )


def _is_version(interpreter: str, version: str) -> bool:
    """Whether it starts; pyenv leaves commands on the path that only say where to look."""
    done = subprocess.run([interpreter, "--version"], capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.startswith(f"Python {version}.")


def _pyenv_python(version: str) -> str | None:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [
        path
        for path in (root / "versions").glob(f"{version}.*/bin/python")
        if re.fullmatch(r"[\d.]+", path.parents[1].name)
    ]
    latest = max(found, key=lambda p: [int(n) for n in p.parents[1].name.split(".")], default=None)
    return str(latest) if latest else None


def build(peer: Peer, given: str | None = None) -> None:
    """Make the environment, unless it is there with these versions."""
    stamp, wanted = PEERS / peer.name / ".installed", peer.requirements.read_text() + peer.source
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    interpreter = find_python(peer.pythons, given)
    shutil.rmtree(PEERS / peer.name, ignore_errors=True)
    print(f"{peer.name}: building with {interpreter}", flush=True)
    _run(interpreter, "-m", "venv", str(PEERS / peer.name))
    _pip(peer, "install", "-r", str(peer.requirements))
    if peer.source:
        _pip(peer, "install", "--no-build-isolation", "--no-deps", str(_unpacked(peer)))
    _run(str(peer.python), "-c", f"import {_module(peer)}")
    stamp.write_text(wanted)


def _module(peer: Peer) -> str:
    return "radiomics" if peer is PYRADIOMICS else peer.name


def _unpacked(peer: Peer) -> Path:
    """The source distribution as a folder; its examples are used too."""
    name = peer.source.partition("==")[0]
    options = ("--no-deps", "--no-build-isolation", "--no-binary", name, "-d", str(SOURCES))
    _pip(peer, "download", *options, peer.source)
    (archive,) = SOURCES.glob(peer.source.replace("==", "-") + ".tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(SOURCES, filter="data")
    return archive.with_name(archive.name.removesuffix(".tar.gz"))


def _pip(peer: Peer, *arguments: str) -> None:
    _run(str(peer.python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip()][-12:]
        raise CannotBuildError("\n  ".join([f"failed: {' '.join(command)}", *last]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", nargs="*", default=[], help=f"of {', '.join(PEERS_BY_NAME)}")
    parser.add_argument("--python", help="interpreter to build with, for one peer")
    chosen = parser.parse_args()
    for name in chosen.peers or PEERS_BY_NAME:
        try:
            build(PEERS_BY_NAME[name], chosen.python)
            print(f"{name}: ready in {PEERS.name}/{name}")
        except CannotBuildError as error:
            print(f"{name}: NOT BUILT, skipped in all comparisons\n  {error}", file=sys.stderr)
    return 0 if available("pyradiomics") else 1


if __name__ == "__main__":
    sys.exit(main())
