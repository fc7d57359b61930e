"""`python -m tests.mutants`: a sample of deliberate mistakes, and the share that tests notice.

Of each package so many places are drawn, written otherwise one at a time, and the tests that are
related to the module are run: those that mirror it first, then all others that import it. What was
found is kept as a line of JSON, and not looked for again as long as module and tests are the same.
"""

import argparse
import ast
import contextlib
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from random import Random
from subprocess import PIPE, Popen

from scipy.stats import binomtest

from tests.mutants.mistakes import Mistake, mistakes

PACKAGES = ("modelling", "evaluate", "validation", "frozen", "cohort", "measure", "io", "prepare")
SAMPLE = 150
"""Mistakes of each package."""

MOST_SECONDS = 45
"""CPU of the tests of a module; those that come last are left out."""

PATIENCE = 3
"""So many times as long may tests take that are run on a mistake, or it counts as noticed."""

HEAVY = ("numpy", "scipy.stats", "pandas", "sklearn.linear_model", "numba", "SimpleITK",
         "hypothesis", "pytest", "pyarrow.parquet", "pydantic", "pydicom")  # fmt: skip
"""What a process loads once, before it is parted for each mistake."""

ROOT = Path(__file__).parents[2]
NOTICED, UNNOTICED, HANGS = "noticed", "unnoticed", "hangs"
NOT_OF_ONE_MODULE = {"tests/test_structure.py", "tests/test_keys.py"}
"""Tests of how the source is written, and of the whole."""


@dataclass(frozen=True)
class Mutant:
    """A mistake in a module, and what is run on it."""

    package: str
    module: str
    mistake: Mistake
    tests: tuple[str, ...]
    seconds: float

    def key(self) -> str:
        """Of the module, the place and the tests."""
        files = [self.module, *self.tests]
        contents = [(ROOT / name).read_text(encoding="utf-8") for name in files]
        said = [str(self.mistake), self.mistake.start, *contents]
        return sha256(json.dumps(said).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Found:
    """What became of a mistake."""

    key: str
    package: str
    module: str
    line: int
    what: str
    result: str
    seconds: float


def related(module: str) -> list[str]:
    """Test files of a module: what mirrors it, then what imports it.

    >>> related("src/centrum/modelling/split.py")[0]
    'tests/modelling/test_split.py'
    """
    path = Path(module).relative_to("src/centrum")
    mirror, dotted = f"tests/{path.parent}/test_{path.name}", ".".join(path.with_suffix("").parts)
    importing = [name for name, names in _imports().items() if f"centrum.{dotted}" in names]
    near = f"tests/{path.parent}/"
    order = sorted(importing, key=lambda name: (name != mirror, not name.startswith(near), name))
    return [mirror] * (mirror in _imports() and mirror not in order) + order


@cache
def _imports() -> dict[str, set[str]]:
    """The modules that each test file imports."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    named = {str(path.relative_to(ROOT)): path for path in files}
    return {
        name: set(_imported(path)) for name, path in named.items() if name not in NOT_OF_ONE_MODULE
    }


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


class Workshop:
    """A copy of the project in which mistakes are made one at a time, and a process that tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("src", "tests", "docs", "benchmarks"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*"))
        for name in ("pyproject.toml", "README.md", "Makefile", "constraints.txt"):
            shutil.copy2(ROOT / name, folder / name)
        reference = ROOT.parent / "shared" / "reference"
        path = os.pathsep.join([str(folder / "src"), str(folder)])
        given = {"CENTRUM_REFERENCE": str(reference)} | os.environ | {"PYTHONPATH": path}
        command = [sys.executable, "-B", "-m", "tests.mutants", "--serve"]
        self._process = Popen(command, cwd=folder, env=given, stdin=PIPE, stdout=PIPE, text=True)

    def run(self, tests: Sequence[str], seconds: float) -> tuple[str, float]:
        """What tests say of the copy as it is, and the seconds that they took."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([tests, seconds]), file=self._process.stdin, flush=True)
        result, took = json.loads(self._process.stdout.readline())
        return result, took

    def run_on(self, mutant: Mutant) -> tuple[str, float]:
        """The same of a mistake, which is taken back."""
        path, original = self.folder / mutant.module, ROOT / mutant.module
        path.write_text(mutant.mistake.made_in(original.read_text("utf-8")), "utf-8")
        try:
            return self.run(mutant.tests, mutant.seconds)
        finally:
            shutil.copy2(original, path)


def serve() -> None:
    """Run tests as asked on standard input, each time in a process parted from this one."""
    for name in HEAVY:
        importlib.import_module(name)
    answers = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    for line in sys.stdin:
        tests, seconds = json.loads(line)
        print(json.dumps(_parted(tests, seconds)), file=answers, flush=True)


def _parted(tests: Sequence[str], seconds: float) -> tuple[str, float]:
    child = os.fork()
    if child == 0:
        _test(tests, seconds)
    _, status, used = os.wait4(child, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what it has left behind
    took = used.ru_utime + used.ru_stime
    if os.WIFSIGNALED(status):
        return HANGS, took
    return (UNNOTICED if os.WEXITSTATUS(status) in (0, 5) else NOTICED), took


def _test(tests: Sequence[str], seconds: float) -> None:
    """Run tests in this process, which ends."""
    os.setsid()
    limit = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    signal.alarm(20 * limit)
    import pytest

    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    os._exit(pytest.main([*options, *tests]))


@dataclass(frozen=True)
class Chosen:
    """The tests of a module that are run on its mistakes, and the seconds that they take."""

    files: tuple[str, ...]
    seconds: float


def chosen_for(module: str, workshop: Workshop, kept: Path) -> Chosen:
    """Those of the related tests that pass, as many as there is time for."""
    times = json.loads(kept.read_text()) if kept.exists() else {}
    files, total = [], 0.0
    for name in related(module):
        key = f"{name} {sha256((ROOT / name).read_bytes()).hexdigest()[:12]}"
        if key not in times:
            times[key] = workshop.run([name], 10 * MOST_SECONDS)
            kept.write_text(json.dumps(times, indent=1))
        result, seconds = times[key]
        if result == UNNOTICED and total + seconds <= MOST_SECONDS:
            files.append(name)
            total += seconds
    return Chosen(tuple(files), total)


def sample(package: str, number: int, seed: int) -> list[tuple[str, Mistake]]:
    """Modules and mistakes drawn from all of a package."""
    folder = ROOT / "src/centrum" / package
    paths = sorted(path for path in folder.rglob("*.py"))
    places = [
        (str(path.relative_to(ROOT)), mistake)
        for path in paths
        for mistake in mistakes(path.read_text(encoding="utf-8"))
    ]
    return Random(f"{seed} {package}").sample(places, min(number, len(places)))


def table(found: Sequence[Found]) -> str:
    """Share of mistakes noticed by package, with its interval (Wilson), and those that were not.

    >>> one = Found("k", "io", "src/centrum/io/a.py", 3, "number: `1` -> `2`", NOTICED, 1.0)
    >>> print(table([one]).splitlines()[2])
    | io | 1 | 1 | 100 % | 21 to 100 % |
    """
    lines = ["| Package | Mistakes | Noticed | Share | 95 % interval |", "|---|---|---|---|---|"]
    for package in dict.fromkeys(each.package for each in found):
        results = [each.result != UNNOTICED for each in found if each.package == package]
        n, noticed = len(results), sum(results)
        low, high = binomtest(noticed, n).proportion_ci(method="wilson")
        share, limits = f"{noticed / n:.0%}", f"{100 * low:.0f} to {high:.0%}"
        said = (package, n, noticed, share.replace("%", " %"), limits.replace("%", " %"))
        lines.append(f"| {' | '.join(map(str, said))} |")
    missed = [each for each in found if each.result == UNNOTICED]
    return "\n".join([*lines, "", *(f"- {e.module}:{e.line}: {e.what}" for e in missed)])


def run(packages: Sequence[str], number: int, seed: int, minutes: float, jobs: int) -> list[Found]:
    """Make every mistake of the samples that is not known yet, until the time is over."""
    out = ROOT / "build/mutants"
    out.mkdir(parents=True, exist_ok=True)
    path, end = out / "found.jsonl", time.monotonic() + 60 * minutes
    known = {e["key"]: Found(**e) for e in map(json.loads, path.open())} if path.exists() else {}
    free = SimpleQueue[Workshop]()
    for k in range(jobs):
        free.put(Workshop(out / f"workshop-{k}"))

    def judge(package: str, module: str, mistake: Mistake) -> Found | None:
        if time.monotonic() > end:
            return None
        workshop = free.get()
        try:
            tests = chosen_for(module, workshop, out / f"seconds-{workshop.folder.name[-1]}.json")
            mutant = Mutant(package, module, mistake, tests.files, PATIENCE * tests.seconds + 5)
            key = mutant.key()
            if key not in known:
                result, took = workshop.run_on(mutant)
                known[key] = Found(key, package, module, mistake.line, str(mistake), result, took)
                with path.open("a") as file:
                    print(json.dumps(asdict(known[key])), file=file)
                print(f"{result:9} {took:6.1f} s {module}:{mistake.line} {mistake}", flush=True)
            return known[key]
        finally:
            free.put(workshop)

    wanted = [(p, *each) for p in packages for each in sample(p, number, seed)]
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(lambda each: judge(*each), wanted))
    return [each for each in found if each]


def main() -> None:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("packages", nargs="*", default=PACKAGES, help=" ".join(PACKAGES))
    parser.add_argument("-n", type=int, default=SAMPLE, help="mistakes of each package")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=90, help="begin none later")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve()
        return
    found = run(given.packages, given.n, given.seed, given.minutes, given.jobs)
    print("", table(found), sep="\n")


if __name__ == "__main__":
    main()
