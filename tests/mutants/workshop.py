"""A copy of the project in which mistakes are made one at a time, and the processes that test it.

Each test is run once on the copy as it is, and the lines that it runs are kept: on a mistake only
those are run that run its statement. A process is parted for every run, so that no mistake outlives
it. One has loaded all that is tested: there a function gets the code with the mistake. Where that
would not do (module level, defaults, what is called during imports) the mistake is written into
the copy, and a process that has loaded only what others wrote imports it.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import pairwise, zip_longest
from pathlib import Path
from subprocess import PIPE, Popen
from types import CodeType, FrameType, FunctionType, MappingProxyType
from typing import IO, Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("modelling", "evaluate", "validation", "frozen", "cohort", "measure", "io", "prepare")
NOTICED, UNNOTICED, HANGS, NOT_RUN = "noticed", "unnoticed", "hangs", "not run"
ELSEWHERE = "elsewhere"
"""A mistake that no function alone can be given."""

NOT_HERE, BROKEN = 99, 98
"""How a process ends that cannot make a mistake, and one in which no test is at fault."""

LOADED = ("numpy", "scipy.stats", "scipy.ndimage", "scipy.optimize", "pandas", "numba", "SimpleITK",
          "sklearn.linear_model", "sklearn.ensemble", "sklearn.svm", "sklearn.model_selection",
          "pyarrow.parquet", "pydantic", "pydicom", "highdicom", "matplotlib.pyplot", "pywt",
          "PIL.Image", "typer", "rich.console", "jinja2", "docx", "openpyxl", "yaml", "isal.igzip",
          "hypothesis.extra.numpy")  # fmt: skip
OPTIONS = ["-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "--basetemp=temporary/t"]
OF_THE_SOURCE = "tests/test_structure.py"
"""Tests of how the source is written."""

PATIENCE = 3
"""So many times as long may tests take that are run on a mistake, or it counts as noticed."""

MOST_ALONE = 60
"""Seconds of CPU of a test that is run by itself."""

SLACK = 5
"""Seconds that tests may take longer in any case: one may be the first to need a thing."""

LOADING = 15
"""Seconds that a process may take to import what it tests."""


MOST_CALLS = 30
"""Calls of a function by one test of which the lines are kept; further ones run the same."""


@dataclass(frozen=True)
class Test:
    """A test on the copy as it is.

    Attributes
    ----------
    name : as pytest calls it
    seconds : of CPU, without what several tests share
    shared : seconds of the fixtures that are made once for several
    passed : or it is not asked
    lines : that it runs, in modules of the packages ("io/nrrd.py"): bit k of a number is line k
    texts : of these modules as they read then, shortened
    """

    name: str
    seconds: float
    shared: Mapping[str, float]
    passed: bool
    lines: Mapping[str, int]
    texts: Mapping[str, str] = field(default_factory=dict)

    __test__ = False  # for pytest

    @property
    def file(self) -> str:
        return self.name.partition("::")[0]

    def runs(self, module: str, first: int, last: int) -> bool:
        """Whether it runs anything of these lines."""
        return bool(self.lines.get(module, 0) >> first & (1 << last - first + 1) - 1)

    def as_json(self, texts: Mapping[str, str] = MappingProxyType({})) -> str:
        own = {module: texts[module] for module in self.lines if module in texts}
        told = asdict(self) | {"lines": {k: f"{v:x}" for k, v in self.lines.items()}}
        return json.dumps(told | {"texts": own})

    @classmethod
    def from_json(cls, line: str) -> "Test":
        told = json.loads(line)
        return cls(**told | {"lines": {k: int(v, 16) for k, v in told["lines"].items()}})


def cheapest(tests: Iterable[Test], seconds: float) -> list[Test]:
    """Tests that take so much CPU together at most, the cheapest first; what they share once.

    Each function has its turn before any has a second one, with other parameters.
    """
    functions = defaultdict[str, list[Test]](list)
    for test in sorted(tests, key=lambda test: cost([test])):
        functions[test.name.partition("[")[0]].append(test)
    chosen, made = list[Test](), dict[str, float]()

    def costs(test: Test) -> float:
        return test.seconds + sum(s for key, s in test.shared.items() if key not in made)

    for turn in zip_longest(*functions.values()):
        left = [test for test in turn if test]
        while left and costs(best := min(left, key=costs)) <= seconds:
            seconds -= costs(best)
            chosen.append(best)
            made |= best.shared
            left.remove(best)
    return chosen


def cost(tests: Iterable[Test]) -> float:
    """Seconds of CPU of tests together."""
    shared = dict[str, float]()
    for test in (tests := list(tests)):
        shared |= test.shared
    return sum(test.seconds for test in tests) + sum(shared.values())


@dataclass(frozen=True)
class Wanted:
    """What a process is asked to run.

    Attributes
    ----------
    seconds : of CPU that the tests may take
    names : of tests, in this order
    measured : file whose tests are measured instead
    module, function, source : what is to be exchanged before, and how the module reads then
    """

    seconds: float
    names: Sequence[str] = ()
    measured: str = ""
    module: str = ""
    function: str = ""
    source: str = ""


class Workshop:
    """A copy of the project, and the processes that test it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("src", "tests", "docs", "benchmarks"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*"))
        for name in ("pyproject.toml", "README.md", "Makefile", "constraints.txt"):
            shutil.copy2(ROOT / name, folder / name)
        (folder / "temporary").mkdir()
        beside = {
            "CENTRUM_REFERENCE": str(ROOT.parent / "shared" / "reference"),
            "CENTRUM_EMULATOR": str(ROOT / "build/emulator/bin/python"),
        }
        path = os.pathsep.join([str(folder / "src"), str(folder)])
        own = {"PYTHONPATH": path, "TMPDIR": str(folder / "temporary"), "CENTRUM_EXAMPLES": "once"}
        command = [sys.executable, "-m", "tests.mutants", "--serve"]
        self._loaded, self._fresh = (
            Popen(
                [*command, kind], cwd=folder, env=beside | os.environ | own, stdin=PIPE,
                stdout=PIPE, text=True,
            )
            for kind in ("loaded", "fresh")
        )  # fmt: skip

    def close(self) -> None:
        """End the processes."""
        for process in (self._loaded, self._fresh):
            process.communicate()

    def measured(self, file: str, most: float) -> list[Test]:
        """The tests of a file, run on the copy as it is: those of the first `most` seconds."""
        kept = self.folder / "measured.jsonl"
        kept.unlink(missing_ok=True)
        _ask(self._loaded, Wanted(most, measured=file))
        lines = kept.read_text().splitlines() if kept.exists() else []
        return [Test.from_json(line) for line in lines]

    @cache  # noqa: B019
    def passes(self, test: str) -> bool:
        """Whether a test passes alone, on the copy as it is."""
        return _ask(self._loaded, Wanted(MOST_ALONE, [test]))[0] == UNNOTICED

    def run_on(
        self, module: str, function: str, source: str, tests: Sequence[Test]
    ) -> tuple[str, str, float]:
        """What tests say of a module that reads otherwise, which of them, and the CPU they took."""
        names = [test.name for test in tests]
        seconds = PATIENCE * cost(tests) + SLACK
        if function:
            wanted = Wanted(seconds, names, module=module, function=function, source=source)
            result, by, took = _ask(self._loaded, wanted)
            if result != ELSEWHERE:
                return result, by, took
        path = self.folder / module
        original = path.with_suffix(".original")
        path.rename(original)  # not ROOT's, which somebody may be working at
        try:
            path.write_text(source, "utf-8")
            return _ask(self._fresh, Wanted(seconds + LOADING, names))
        finally:
            original.replace(path)


def _ask(process: "Popen[str]", wanted: Wanted) -> tuple[str, str, float]:
    assert process.stdin
    assert process.stdout
    print(json.dumps(asdict(wanted)), file=process.stdin, flush=True)
    result, by, took = json.loads(process.stdout.readline())
    return result, by, took


def files_of_tests(root: Path) -> list[str]:
    """Tests and examples of the packages, and then those of the commands and of whole studies."""
    modules = [p for name in PACKAGES for p in sorted((root / "src/centrum" / name).rglob("*.py"))]
    paths = [path for path in modules if ">>> " in path.read_text("utf-8")]
    for folder in (*PACKAGES, "study", "morphometry", "perturb", "commands"):
        paths += sorted((root / "tests" / folder).rglob("test_*.py"))
    paths += sorted((root / "tests").glob("test_*.py"))
    return [name for path in paths if (name := str(path.relative_to(root))) != OF_THE_SOURCE]


def serve(kind: str) -> None:
    """Run tests as asked on standard input, each time in a process parted from this one."""
    once = settings(settings.get_profile("default"), derandomize=True, database=None, deadline=None)
    phases = (Phase.explicit, Phase.generate)  # the smallest example is of no interest here
    settings.register_profile("once", once, max_examples=50, phases=phases)
    asked, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    for name in LOADED:
        importlib.import_module(name)
    if kind == "fresh":
        _answer(asked, answers, _test)
        return
    loaded = Loaded()
    pytest.main([*OPTIONS, *files_of_tests(Path.cwd())], [Collected(asked, answers, loaded)])


Run = Callable[[Wanted, Path], int]
"""Runs tests in this process and notes the one that is running; 0, or what is wrong."""


def _answer(asked: IO[str], answers: IO[str], run: Run) -> None:
    for line in asked:
        wanted = Wanted(**json.loads(line))
        print(json.dumps(_parted(wanted, run)), file=answers, flush=True)


def _parted(wanted: Wanted, run: Run) -> tuple[str, str, float]:
    by = Path("by.txt")
    by.write_text("")
    child = os.fork()
    if child == 0:
        os.setsid()
        limit = int(wanted.seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        signal.alarm(300 + 20 * limit)
        sys.dont_write_bytecode = not wanted.measured
        code = BROKEN
        try:
            code = run(wanted, by)
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what it has left behind
    took = used.ru_utime + used.ru_stime
    if os.WIFSIGNALED(status):
        return HANGS, by.read_text(), took
    code = os.WEXITSTATUS(status)
    assert code != BROKEN, wanted
    result = {0: UNNOTICED, 5: UNNOTICED, NOT_HERE: ELSEWHERE}.get(code, NOTICED)
    return result, by.read_text(), took


def _test(wanted: Wanted, by: Path) -> int:
    files = dict.fromkeys(name.partition("::")[0] for name in wanted.names)
    return pytest.main([*OPTIONS, "-x", *files], [Choosing(wanted.names, by)])


class Collected:
    """All tests, collected once."""

    def __init__(self, asked: IO[str], answers: IO[str], loaded: "Loaded") -> None:
        self._asked, self._answers, self._loaded = asked, answers, loaded

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        assert not session.testsfailed, "some tests cannot be collected"
        self._items = {item.nodeid: item for item in session.items}
        self._loaded.look()
        _answer(self._asked, self._answers, self._run)
        return True

    def _run(self, wanted: Wanted, by: Path) -> int:
        if wanted.function and not self._loaded.exchange(wanted):
            return NOT_HERE
        if wanted.measured:
            return self._measure(wanted.measured)
        items = [self._items[name] for name in wanted.names if name in self._items]
        for item, following in pairwise([*items, None]):
            assert item
            by.write_text(item.nodeid)
            if any(report.failed for report in runtestprotocol(item, False, following)):
                return 1
        return 0

    def _measure(self, file: str) -> int:
        own = [item for name, item in self._items.items() if name.partition("::")[0] == file]
        measuring = Measuring(Path("measured.jsonl"))
        for item, following in pairwise([*own, None]):
            assert item
            item.config.pluginmanager.register(measuring, "measuring")
            measuring.measure(item, following)
            item.config.pluginmanager.unregister(measuring)
        return 0


class Loaded:
    """Modules under test, and the functions in them."""

    def __init__(self) -> None:
        """Import all modules; what is called then has left its mark."""
        self._called = set[str | None]()
        sys.settrace(self._trace)
        for path in sorted(Path("src/centrum").rglob("[!_]*.py")):
            dotted = ".".join(path.relative_to("src").with_suffix("").parts)
            with contextlib.suppress(Exception):  # which its tests then tell
                importlib.import_module(dotted)
        sys.settrace(None)
        self._functions = defaultdict[tuple[str, str, int], list[FunctionType]](list)

    def look(self) -> None:
        """Find the functions that there are by now."""
        for each in gc.get_objects():
            if isinstance(each, FunctionType) and SOURCE in each.__code__.co_filename:
                self._functions[_named(each.__code__)].append(each)
        gc.freeze()

    def exchange(self, wanted: Wanted) -> bool:
        """Give a function the code of a source; whether that is all there is to it."""
        path = str(Path(wanted.module).absolute())
        place = f"{wanted.module.removeprefix('src/centrum/')}:{wanted.function}"
        if place in self._called:
            return False
        exchanged = False
        for code in _codes(compile(wanted.source, path, "exec"), wanted.function):
            for function in self._functions.get(_named(code), ()):
                if function.__code__ != code and (
                    function.__code__.co_freevars == code.co_freevars
                ):
                    function.__code__ = code
                    exchanged = True
        return exchanged

    def _trace(self, frame: FrameType, event: str, argument: object) -> None:
        self._called.add(_place(frame.f_code))


def _named(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType, function: str) -> Iterator[CodeType]:
    """All that are called so in a module or class."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            if each.co_qualname == function:
                yield each
            else:
                yield from _codes(each, function)


class Choosing:
    """Tests of a list, in its order; the first that fails is told."""

    def __init__(self, names: Sequence[str], by: Path) -> None:
        self._order = {name: k for k, name in enumerate(names)}
        self._by = by

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order),
            key=lambda item: self._order[item.nodeid],
        )

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._by.write_text(nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._by.write_text(report.nodeid)


class Measuring:
    """Seconds and lines of each test, written down as soon as it has run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = dict[CodeType, Callable[..., Any]]()
        self._lines = defaultdict[str, set[int]](set)
        self._made = dict[str, tuple[str, float, dict[str, set[int]]]]()
        self._elsewhere = 0.0

    def measure(self, item: pytest.Item, following: pytest.Item | None) -> None:
        """Run a test, and write down what it took."""
        self._forget()
        self._elsewhere = 0.0
        begun = time.process_time()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        reports = runtestprotocol(item, False, following)
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        seconds = time.process_time() - begun - self._elsewhere
        shared, lines = dict[str, float](), self._lines
        for name in set(getattr(item, "fixturenames", ())) & self._made.keys():
            within, took, made = self._made[name]
            shared[f"{within}::{name}"] = took
            lines = _joined(lines, made)
        bits = {module: sum(1 << k for k in own) for module, own in lines.items()}
        passed = all(report.passed for report in reports)
        with self._path.open("a") as out:
            print(Test(item.nodeid, seconds, shared, passed, bits).as_json(), file=out)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """What is made once is run by all tests that have it."""
        if fixturedef.scope == "function":
            return (yield)
        before, elsewhere, begun = self._lines, self._elsewhere, time.process_time()
        self._forget()
        result = yield
        took = time.process_time() - begun - (self._elsewhere - elsewhere)
        self._elsewhere += took
        self._made[fixturedef.argname] = fixturedef.baseid, took, self._lines
        lines = _joined(before, self._lines)
        self._forget()
        self._lines = lines
        return result

    def _forget(self) -> None:
        self._lines, self._seen = defaultdict(set), {}

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        code = frame.f_code
        module = _module(code.co_filename)
        if not module:
            return None
        if code not in self._seen:
            self._seen[code] = _lines_into(self._lines[module])
        return self._seen[code](frame, event, argument)


def _lines_into(lines: set[int]) -> Callable[..., Any]:
    """A function that keeps the lines of the first calls."""
    calls = 0

    def note(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal calls
        lines.add(frame.f_lineno)
        if event == "call":
            calls += 1
        return note if calls <= MOST_CALLS else None

    return note


def _joined(a: Mapping[str, set[int]], b: Mapping[str, set[int]]) -> defaultdict[str, set[int]]:
    return defaultdict(set, {k: a.get(k, set()) | b.get(k, set()) for k in a.keys() | b.keys()})


SOURCE = f"{os.sep}src{os.sep}centrum{os.sep}"


@cache
def _module(path: str) -> str:
    """Of one of the packages, as "io/nrrd.py"; nothing of other files."""
    _, inside, name = path.rpartition(SOURCE)
    return name if inside and name.partition(os.sep)[0] in PACKAGES else ""


def _place(code: CodeType) -> str | None:
    """Of a function: its module in the package, and the outermost function that it is in."""
    name = _module(code.co_filename)
    return f"{name}:{code.co_qualname.partition('.<locals>')[0]}" if name else None
