"""`python -m tests.mutants`: a sample of deliberate mistakes, and the share that tests notice.

Of each package so many places are drawn, written otherwise one at a time, and the tests are run
that call the function of the mistake. What was found is kept as a line of JSON, and not looked for
again as long as the module and the test that noticed it (or all tests, if none did) read the same.
"""

import argparse
import ast
import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from itertools import islice, zip_longest
from pathlib import Path
from queue import SimpleQueue

from tests.mutants import page
from tests.mutants.mistakes import Mistake, is_python, mistakes
from tests.mutants.page import Found
from tests.mutants.workshop import (
    NOT_RUN,
    NOTICED,
    PACKAGES,
    ROOT,
    UNNOTICED,
    Test,
    Workshop,
    cheapest,
    cost,
    files_of_tests,
    serve,
)

SAMPLE = 150
"""Mistakes of each package."""

MOST_SECONDS = 20
"""CPU of the tests that are run on a mistake."""

MOST_OF_FILE = 40
"""CPU of the tests of a file that are run to see which lines they run."""

MEASURING = 1 / 3
"""Share of the time that may be spent on seeing which lines the tests run."""

SRC = ROOT / "src/centrum"
OUT = ROOT / "build/mutants"


@dataclass(frozen=True)
class Mutant:
    """A mistake in a module, whose text it was made for; its place tells apart those alike."""

    package: str
    module: str
    text: str
    mistake: Mistake
    place: str

    def key(self) -> str:
        return _hash(self.text, self.place)

    def source(self) -> str:
        """The module with the mistake."""
        return self.mistake.made_in(self.text)


def _hash(*texts: str) -> str:
    return sha256(json.dumps(texts).encode()).hexdigest()[:16]


@cache
def mutants(package: str) -> list[Mutant]:
    """All mistakes of a package."""
    return [
        mutant
        for path in sorted((ROOT / "src/centrum" / package).rglob("*.py"))
        for mutant in _of_module(package, str(path.relative_to(ROOT)))
    ]


def _of_module(package: str, module: str) -> list[Mutant]:
    alike, text = Counter[str](), (ROOT / module).read_text("utf-8")
    found = []
    for mistake in mistakes(text):
        place = f"{mistake.function} {mistake}".strip()
        alike[place] += 1
        number = f" ({alike[place]})" if alike[place] > 1 else ""
        found.append(Mutant(package, module, text, mistake, place + number))
    return found


def sample(package: str, number: int, seed: int) -> list[Mutant]:
    """The first mistakes of a package in an order of its own for every seed.

    A larger sample begins with the smaller one; a change of one function leaves those of others.
    """
    order = sorted(mutants(package), key=lambda m: _hash(str(seed), m.module, m.place))
    return list(islice((mutant for mutant in order if is_python(mutant.source())), number))


class Tests:
    """All tests, and the lines that each of them runs; kept for every file as it reads."""

    __test__ = False  # for pytest

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds
        self._of = defaultdict[str, list[Test]](list)
        self._texts = {
            str(path.relative_to(SRC)): _hash(path.read_text("utf-8")) for path in SRC.rglob("*.py")
        }
        folder.mkdir(exist_ok=True, parents=True)

    def measure(self, workshop: Workshop, end: float) -> None:
        """Run the files that read otherwise than when they were run, until the time is over."""
        for file in files_of_tests(workshop.folder):
            text = (workshop.folder / file).read_text("utf-8")
            kept = self._folder / f"{_hash(file, text)}.jsonl"
            if not kept.exists() and time.monotonic() < end:
                begun = time.monotonic()
                tests = workshop.measured(file, MOST_OF_FILE)
                kept.write_text("".join(f"{test.as_json(self._texts)}\n" for test in tests))
                took = time.monotonic() - begun
                print(f"{file}: {len(tests)} tests, {took:.0f} s", flush=True)
            if kept.exists():
                self._add(kept)

    def _add(self, path: Path) -> None:
        for line in path.open():
            test = Test.from_json(line)
            if test.passed:
                for module in test.lines:
                    self._of[module].append(test)

    def running(self, mutant: Mutant) -> list[Test]:
        """Those that run the statement of a mistake; its module, where only imports run it."""
        module = mutant.module.removeprefix("src/centrum/")
        text, function = self._texts[module], mutant.mistake.function
        return [
            test
            for test in self._of[module]
            if function
            and (test.texts[module] != text or test.runs(module, *mutant.mistake.statement))
        ] or self._of[module]

    def chosen(self, mutant: Mutant) -> Iterator[list[Test]]:
        """In groups, the nearest first, while there is time; one at least."""
        running, seconds = self.running(mutant), self._seconds
        path = Path(mutant.module).relative_to("src/centrum")
        near = (mutant.module, f"tests/{path.parent}/test_{path.stem}")
        left, one = running, sorted(running, key=lambda test: cost([test]))[:1]
        for places, most in ((near, 0.5), (f"tests/{path.parts[0]}/", 0.8), ("", 1.0)):
            group = cheapest((t for t in left if t.name.startswith(places)), most * seconds)
            left = [test for test in left if not test.name.startswith(places)]
            seconds -= cost(group)
            if group:
                one = []
                yield group
        if one:
            yield one


@cache
def _said(path: Path) -> dict[str, str]:
    """Texts of the functions of a file by their names."""
    text = path.read_text("utf-8")
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(text, node) or "" for node in nodes}


@cache
def _text_of(test: str, root: Path) -> str:
    """What a test reads like; all of its file where it is no function there."""
    file, _, name = test.partition("::")
    path = root / file
    if not path.is_file():
        return ""
    short = name.partition("[")[0].rpartition("::")[2]
    return _said(path).get(short) or path.read_text("utf-8")


class Bench:
    """Where mistakes are made, and what was found so far."""

    def __init__(self, jobs: int, end: float, seconds: float, path: Path) -> None:
        self._end, self._path = end, path
        self._known = {found.key: found for found in kept(path)}
        self._tests = Tests(OUT / "tests", seconds)
        self._free = SimpleQueue[Workshop]()
        workshops = [Workshop(OUT / f"workshop-{k}") for k in range(jobs)]
        self._root = workshops[0].folder
        for workshop in workshops:
            self._free.put(workshop)

    def measure(self, end: float) -> None:
        """See which lines the tests run, until the time is over."""
        workshop = self._free.get()
        self._tests.measure(workshop, end)
        self._free.put(workshop)

    def judge(self, mutant: Mutant) -> Found | None:
        """What becomes of a mistake; None when the time is over."""
        known = self._known.get(mutant.key())
        if known and self._holds(known, mutant):
            return known
        if time.monotonic() > self._end:
            return None
        workshop = self._free.get()
        try:
            result, by, took = NOT_RUN, "", 0.0
            for tests in self._tests.chosen(mutant):
                function, source = mutant.mistake.function, mutant.source()
                sound = tests
                while sound:
                    result, by, seconds = workshop.run_on(mutant.module, function, source, sound)
                    took += seconds
                    if result != NOTICED or workshop.passes(by):
                        break
                    sound = [test for test in sound if test.name != by]
                    result = UNNOTICED
                if result != UNNOTICED:
                    break
        finally:
            self._free.put(workshop)
        return self._keep(mutant, result, by, took)

    def _holds(self, known: Found, mutant: Mutant) -> bool:
        """Whether the tests still read as they did, or what they say is of no interest."""
        if known.unnoticed and page.changes_nothing(known):
            return True
        return known.tests == (
            self._all_of(mutant) if known.unnoticed else _hash(_text_of(known.by, self._root))
        )

    def _all_of(self, mutant: Mutant) -> str:
        """Of all tests that run the statement of a mistake."""
        names = {test.name for test in self._tests.running(mutant)}
        return _hash(*sorted(f"{name}\n{_text_of(name, self._root)}" for name in names))

    def _keep(self, mutant: Mutant, result: str, by: str, seconds: float) -> Found:
        unnoticed = result in (UNNOTICED, NOT_RUN)
        tests = self._all_of(mutant) if unnoticed else _hash(_text_of(by, self._root))
        line, key = mutant.mistake.line, mutant.key()
        found = Found(
            key, mutant.package, mutant.module, line, mutant.place, result, by, tests, seconds
        )
        with self._path.open("a") as file:
            print(json.dumps(asdict(found)), file=file)
        print(f"{result:9} {seconds:5.1f} s {mutant.module}:{line} {mutant.place}", flush=True)
        return found


def kept(path: Path) -> list[Found]:
    """What was found, in the order in which it was."""
    return [Found(**json.loads(line)) for line in path.open()] if path.exists() else []


def round_robin(packages: Sequence[str], number: int, seed: int) -> list[Mutant]:
    """The samples of packages, one of each after the other."""
    samples = [sample(package, number, seed) for package in packages]
    return [mutant for each in zip_longest(*samples) for mutant in each if mutant]


def main() -> None:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("packages", nargs="*", default=PACKAGES, help=" ".join(PACKAGES))
    parser.add_argument("-n", type=int, default=SAMPLE, help="mistakes of each package")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=90, help="begin none later")
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="CPU of its tests")
    parser.add_argument("--measuring", type=float, default=MEASURING, help="share of the time")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--page", action="store_true", help=f"{page.PAGE.name}, of what is kept")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return
    OUT.mkdir(parents=True, exist_ok=True)
    if given.page:
        there = {(m.module, m.place) for package in PACKAGES for m in mutants(package)}
        samples = {int(p.stem.partition("-")[2]): kept(p) for p in OUT.glob("found-*.jsonl")}
        page.write(samples, there, given.seconds)
        return
    path = OUT / f"found-{given.seed}.jsonl"
    begun = time.monotonic()
    end = begun + 60 * given.minutes
    wanted = round_robin(given.packages, given.n, given.seed)
    bench = Bench(given.jobs, end, given.seconds, path)
    bench.measure(begun + 60 * given.minutes * given.measuring)
    with ThreadPoolExecutor(given.jobs) as pool:
        found = [each for each in pool.map(bench.judge, wanted) if each]
    print("", page.table(found), "", page.unnoticed(found, {}), sep="\n")


if __name__ == "__main__":
    main()
