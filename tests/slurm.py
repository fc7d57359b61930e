"""SLURM for the tests: `sbatch`, `squeue` and `scancel` that start, count and end processes here.

A job has the environment and the folder of whoever asks for it, as SLURM gives them by default. It
stands for no real SLURM, which has queues, nodes and limits.
"""

import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clusters import lives

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"

SBATCH = """
number = str(os.getpid())
script = jobs / f"{number}.sh"
script.write_bytes(Path(sys.argv[1]).read_bytes())
with open(jobs / f"{number}.out", "wb") as out:
    job = subprocess.Popen(
        ["bash", script], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
    )
(jobs / f"{number}.pid").write_text(str(job.pid))
print(f"Submitted batch job {number}")
"""

SQUEUE = """
[asked] = [word for word in sys.argv if word.startswith("--jobs=")]
for number in asked.removeprefix("--jobs=").split(","):
    with suppress(ProcessLookupError):
        os.kill(int((jobs / f"{number}.pid").read_text()), 0)
        print(number)
"""

SCANCEL = """
with suppress(ProcessLookupError):
    os.killpg(int((jobs / f"{sys.argv[1]}.pid").read_text()), signal.SIGKILL)
(jobs / f"{sys.argv[1]}.cancelled").touch()
"""

HEAD = """#!{python}
import os, signal, subprocess, sys
from contextlib import suppress
from pathlib import Path
jobs = Path({jobs!r})
"""


@dataclass
class Slurm:
    """Its commands, in a folder that the environment leads to, and what it knows of jobs."""

    commands: Path
    jobs: Path

    def put(self, name: str, text: str) -> None:
        """Make a command of this name, in the place of another one."""
        path = self.commands / name
        path.write_text(HEAD.format(python=sys.executable, jobs=str(self.jobs)) + text)
        path.chmod(0o700)

    @property
    def asked(self) -> list[str]:
        """Numbers of all jobs that were asked for."""
        return sorted(path.stem for path in self.jobs.glob("*.pid"))

    @property
    def cancelled(self) -> list[str]:
        """Numbers of those that were cancelled."""
        return sorted(path.stem for path in self.jobs.glob("*.cancelled"))

    def processes(self) -> list[int]:
        return [int(text) for path in self.jobs.glob("*.pid") if (text := path.read_text())]

    def alive(self) -> list[int]:
        """Jobs that are there."""
        return [process for process in self.processes() if lives(process)]

    def written(self) -> str:
        """What all jobs wrote."""
        return "".join(path.read_text() for path in sorted(self.jobs.glob("*.out")))

    def end(self) -> None:
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)


def a_slurm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """Commands that are found first until the end of the test."""
    slurm = Slurm(folder / "bin", folder / "jobs")
    slurm.commands.mkdir(parents=True)
    slurm.jobs.mkdir()
    for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", SCANCEL)):
        slurm.put(name, text)
    monkeypatch.setenv("PATH", f"{slurm.commands}{os.pathsep}{os.environ['PATH']}")
    return slurm
