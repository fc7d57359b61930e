"""`python -m tests.fuzz`: mutants of every reader's files, each read in a process of its own."""

import argparse
import faulthandler
import json
import lzma
import mmap
import os
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom

from tests.fuzz.targets import TARGETS, Target

MUTANTS = 2000
"""Of each reader, unless N says otherwise."""

SECONDS = 20
"""A mutant that computes for longer hangs."""

WAITING = 3
"""So many times as long may a mutant take by the clock: other programs want the processors, too."""

MEMORY = 3 << 30
"""Bytes that a mutant may ask for, beside what the program takes anyway."""

HUNG = (signal.SIGALRM, signal.SIGPROF)

BATCH = 100
"""Mutants that one process reads; they share nothing but that."""

SMALL = 4096
"""Larger files than this are kept compressed."""

CORPUS = Path(__file__).with_name("corpus")
NOTE = "found.txt"
"""A line for each kind and place that was found in a reader."""
READING, COMPARING = 0, 1
Files = dict[str, bytes]


@dataclass(frozen=True)
class Batch:
    """Mutants `start` to `stop` of a reader."""

    target: str
    start: int
    stop: int


@dataclass
class Found:
    """What is wrong with a mutant: the kind and the place of it."""

    index: int
    kind: str
    where: str
    text: str = ""


@dataclass
class Tally:
    """What became of a reader's mutants."""

    done: int = 0
    seconds: float = 0.0
    found: list[Found] = field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """What is read: mutants of the seeds, or files that were kept.

    Attributes
    ----------
    place : folder of what is made meanwhile
    files : of each reader: its seeds, or what was kept
    seed : of the mutants; None where the files are read as they are
    """

    place: Path
    files: Mapping[str, list[Files]]
    seed: int | None = None

    def mutant(self, target: Target, index: int) -> Files:
        """The mutant of a number; the same whenever it is asked for."""
        own = self.files[target.name]
        if self.seed is None:
            return own[index]
        rng = Random(f"{self.seed}/{target.name}/{index}")
        return target.mutant(rng, rng.choice(own))


def read_mutant(target: Target, files: Files, phase: Callable[[int], None]) -> tuple[str, str, str]:
    """Kind, place and text of what is wrong; ("", "", "") where nothing is."""
    folder = Path(tempfile.mkdtemp(prefix="m"))
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        path = target.path(folder, files)
        phase(READING)
        target.read(path)
        phase(COMPARING)
        if differs := target.differs(path):
            return "difference", "SimpleITK", differs
    except BaseException as error:
        return type(error).__name__, place_of(error), str(error)[:200]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return "", "", ""


def place_of(error: BaseException) -> str:
    """Module and line of the project at which an exception escaped."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}centrum{os.sep}" in frame.filename]
    if not own:
        return "outside"
    last = own[-1]
    name = last.filename.rpartition(f"{os.sep}centrum{os.sep}")[2].replace(os.sep, "_")
    return f"{name}_{last.lineno}"


def in_process(run: Run, batch: Batch, board: mmap.mmap, out: Path) -> int:
    """Start a process that reads a batch, and writes what it finds as lines of JSON."""
    pid = os.fork()
    if pid:
        return pid
    try:
        _confined(out)
        _read_batch(run, batch, board, out)
    except BaseException as error:
        out.write_text(json.dumps([0, "fuzzer", repr(error)]), encoding="utf-8")
    finally:
        os._exit(0)
    return 0


def _confined(out: Path) -> None:
    """Bound memory, end hanging work, keep C++ quiet, and leave nothing behind."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in HUNG:
        signal.signal(number, signal.SIG_DFL)
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    os.chdir(out.parent)
    tempfile.tempdir = str(out.with_suffix(""))
    Path(tempfile.tempdir).mkdir(exist_ok=True)


def _read_batch(run: Run, batch: Batch, board: mmap.mmap, out: Path) -> None:
    target = TARGETS[batch.target]
    for index in range(batch.start, batch.stop):
        board[:8] = struct.pack("ii", index, READING)
        files = run.mutant(target, index)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.alarm(WAITING * SECONDS)
        found = read_mutant(target, files, lambda p: board.__setitem__(4, p))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        if found[0]:
            with out.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps([index, *found]) + "\n")
    board[:8] = struct.pack("ii", batch.stop, READING)


def finished(
    batch: Batch, status: int, board: mmap.mmap, out: Path
) -> tuple[list[Found], Batch | None]:
    """What a batch's process found, and what is left of the batch if it died."""
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    found = [Found(*json.loads(line)) for line in lines]
    if broken := [f.where for f in found if f.kind == "fuzzer"]:
        raise RuntimeError(f"the fuzzer itself fails on {batch}: {broken[0]}")
    index, phase = struct.unpack("ii", board[:8])
    if index >= batch.stop:
        return found, None
    if phase == READING:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        kind = "hang" if number in HUNG else f"sig{number}"
        found.append(Found(index, kind, "outside"))
    return found, Batch(batch.target, index + 1, batch.stop) if index + 1 < batch.stop else None


def fuzz(
    run: Run, counts: Mapping[str, int], workers: int, until: float = float("inf")
) -> dict[str, Tally]:
    """Read so many mutants of each reader; what each of them did."""
    todo = _batches(counts)
    tallies = {name: Tally() for name in counts}
    running: dict[int, tuple[Batch, mmap.mmap, Path, float]] = {}
    while running or (todo and time.monotonic() < until):
        while todo and len(running) < workers and time.monotonic() < until:
            batch = todo.pop()
            board, out = mmap.mmap(-1, 8), run.place / f"{batch.target}-{batch.start}.jsonl"
            running[in_process(run, batch, board, out)] = (batch, board, out, time.monotonic())
        pid, status = os.wait()
        batch, board, out, began = running.pop(pid)
        found, left = finished(batch, status, board, out)
        out.unlink(missing_ok=True)
        shutil.rmtree(out.with_suffix(""), ignore_errors=True)
        tally = tallies[batch.target]
        tally.found += found
        tally.done += (left.start if left else batch.stop) - batch.start
        tally.seconds += time.monotonic() - began
        todo += [left] if left else []
    return tallies


def _batches(counts: Mapping[str, int]) -> list[Batch]:
    """Batches of all readers in turn, the first one last."""
    starts = range(0, max(counts.values(), default=0), BATCH)
    return [
        Batch(name, k, min(k + BATCH, n)) for k in starts for name, n in counts.items() if k < n
    ][::-1]


def keep(run: Run, target: Target, found: Found) -> Path:
    """Put a mutant into the corpus, compressed if it is large; where it lies then."""
    files = run.mutant(target, found.index)
    folder = CORPUS / target.name / f"{found.kind}-{found.where}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if len(content) > SMALL:
            name, content = f"{name}.xz", lzma.compress(content)
        (folder / name).write_bytes(content)
    with (CORPUS / target.name / NOTE).open("a", encoding="utf-8") as stream:
        stream.write(f"{found.kind} at {found.where}, seed {run.seed}, number {found.index}\n")
    return folder


def kept(corpus: Path) -> dict[str, list[tuple[str, Files]]]:
    """What was kept of each reader: names and files.

    An entry is a folder of files, or one file whose name begins with that of its reader and "-".
    """
    found: dict[str, list[tuple[str, Files]]] = {}
    for path in sorted(p for p in corpus.glob("*/*") if p.is_dir()):
        files = dict(map(_unpacked, sorted(path.iterdir())))
        found.setdefault(path.parent.name, []).append((path.name, files))
    for path in sorted(p for p in corpus.iterdir() if p.is_file() and "-" in p.name):
        target = TARGETS[path.name.partition("-")[0]]
        ending = next((e for e in target.endings if path.name.endswith(e)), path.suffix)
        name = ending if ending in ("cases.csv",) else f"a{ending}"
        found.setdefault(target.name, []).append((path.name, {name: path.read_bytes()}))
    return found


def _unpacked(path: Path) -> tuple[str, bytes]:
    content = path.read_bytes()
    return (path.stem, lzma.decompress(content)) if path.suffix == ".xz" else (path.name, content)


def replay(corpus: Path, place: Path, workers: int = 1) -> list[str]:
    """Read what was kept; a line for each that is still wrong."""
    entries = kept(corpus)
    run = Run(place, {name: [files for _, files in own] for name, own in entries.items()})
    tallies = fuzz(run, {name: len(own) for name, own in entries.items()}, workers)
    return [
        f"{name}/{entries[name][f.index][0]}: {f.kind} at {f.where}: {f.text}"
        for name, tally in tallies.items()
        for f in tally.found
    ]


def make_seeds(names: list[str], place: Path) -> dict[str, list[Files]]:
    """The files that mutants are made of; in a process of its own, which may use threads."""
    folder = place / "seeds"
    pid = os.fork()
    if not pid:
        code = 1
        try:
            for name in names:
                _save_seeds(TARGETS[name], folder / name)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    if os.waitpid(pid, 0)[1]:
        sys.exit("the seeds could not be made")
    return {name: _saved_seeds(folder / name) for name in names}


def _save_seeds(target: Target, folder: Path) -> None:
    work = folder / "work"
    work.mkdir(parents=True)
    for k, files in enumerate(target.seeds(work)):
        (folder / f"{k:02d}").mkdir()
        for name, content in files.items():
            (folder / f"{k:02d}" / name).write_bytes(content)
    shutil.rmtree(work)


def _saved_seeds(folder: Path) -> list[Files]:
    return [{f.name: f.read_bytes() for f in sorted(k.iterdir())} for k in sorted(folder.iterdir())]


def told(tallies: Mapping[str, Tally], run: Run) -> Iterator[str]:
    """A line for each reader, and one for every kind and place that was found."""
    yield f"{'reader':12s} mutants  uncaught  killed  hung  differ  seconds"
    for name, tally in tallies.items():
        kinds = Counter(_sort(f.kind) for f in tally.found)
        counts = [kinds[k] for k in ("uncaught", "killed", "hung", "difference")]
        yield (
            f"{name:12s} {tally.done:7d} {counts[0]:9d} {counts[1]:7d} {counts[2]:5d} "
            f"{counts[3]:7d} {tally.seconds:8.0f}"
        )
    for name, tally in tallies.items():
        places: dict[tuple[str, str], list[Found]] = {}
        for found in tally.found:
            places.setdefault((found.kind, found.where), []).append(found)
        for (kind, where), every in sorted(places.items(), key=lambda item: -len(item[1])):
            first = min(every, key=lambda f: f.index)
            folder = keep(run, TARGETS[name], first)
            yield (
                f"{name}: {len(every)} x {kind} at {where}: {first.text[:90]!r} (number "
                f"{first.index}), kept in {folder.relative_to(CORPUS.parent)}"
            )


def _sort(kind: str) -> str:
    if kind in ("difference", "hang"):
        return {"hang": "hung"}.get(kind, kind)
    return "killed" if kind.startswith("sig") else "uncaught"


def main() -> int:
    """Fuzz; exit code 1 if anything was found or not all was done."""
    ask = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    ask.add_argument("-n", type=int, default=MUTANTS, help="mutants of each reader")
    ask.add_argument("--seed", type=int, help="drawn, and printed, when missing")
    ask.add_argument("--target", choices=sorted(TARGETS), action="append", help="default: all")
    ask.add_argument("--workers", type=int, default=2)
    ask.add_argument("--minutes", type=float, default=float("inf"), help="stop then")
    ask.add_argument("--replay", type=Path, help="read what a folder keeps instead")
    given = ask.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz") as place:
        if given.replay:
            return _replayed(given.replay, Path(place), given.workers)
        return _fuzzed(given, Path(place))


def _replayed(corpus: Path, place: Path, workers: int) -> int:
    wrong = replay(corpus, place, workers)
    print(*wrong, f"{len(wrong)} wrong of what {corpus.name} keeps", sep="\n")
    return 1 if wrong else 0


def _fuzzed(given: argparse.Namespace, place: Path) -> int:
    names = given.target or list(TARGETS)
    seed = SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    print(f"seed {seed}, {given.n} mutants of each of {len(names)} readers", flush=True)
    run = Run(place, make_seeds(names, place), seed)
    tallies = fuzz(run, dict.fromkeys(names, given.n), given.workers,
                   time.monotonic() + 60 * given.minutes)  # fmt: skip
    print(*told(tallies, run), sep="\n")
    whole = all(tally.done >= given.n and not tally.found for tally in tallies.values())
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
