"""What the fuzzer found is mended, and the fuzzer finds what it should."""

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.conftest import ROOT
from tests.fuzz import __main__ as fuzzer
from tests.fuzz.targets import TARGETS, Target


def replayed(corpus: Path) -> str:
    """What a process of its own says of everything that a folder keeps."""
    command = [sys.executable, "-m", "tests.fuzz", "--replay", str(corpus), "--workers", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_nothing_in_the_corpus_is_wrong_any_more() -> None:
    assert replayed(fuzzer.CORPUS) == ""


def test_nothing_in_the_reference_is_wrong(reference: Path) -> None:
    corpus = reference.parent / "cases" / "fuzz"
    if not corpus.is_dir():
        pytest.skip(f"no files made by mutation at {corpus}")
    assert replayed(corpus) == ""


def _read(path: Path) -> None:
    """A reader with a fault of each kind."""
    word = path.read_bytes()
    if word == b"raise":
        raise KeyError("a field")
    if word == b"crash":
        os.abort()
    if word == b"hang":
        time.sleep(60)
    if word == b"take":
        bytearray(16 << 30)


def test_each_kind_of_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = (b"fine", b"raise", b"crash", b"hang", b"take", b"differ", b"fine", b"raise")
    target = Target("x", ("a",), lambda p: iter(()), (), _read,
                    lambda p: "other voxels" * (p.read_bytes() == b"differ"))  # fmt: skip
    monkeypatch.setitem(TARGETS, "x", target)
    monkeypatch.setattr(fuzzer, "SECONDS", 1)
    run = fuzzer.Run(tmp_path, {"x": [{"a": word} for word in words]})
    tally = fuzzer.fuzz(run, {"x": len(words)}, workers=2)["x"]
    found = {(f.index, f.kind) for f in tally.found}
    assert found == {(1, "KeyError"), (2, "sig6"), (3, "hang"), (4, "MemoryError"),
                     (5, "difference"), (7, "KeyError")}  # fmt: skip
    assert tally.done == len(words)


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"model_json"}))
def test_mutants_are_told_by_their_seed_and_number(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    seeds = [list(target.seeds(tmp_path)) for _ in range(2)]
    assert seeds[0] == seeds[1], "the files that mutants are made of are not the same each time"
    made = [[target.mutant(Random(f"7/{k}"), seeds[0][0]) for k in range(20)] for _ in range(2)]
    assert made[0] == made[1]
    assert sum(files != seeds[0][0] for files in made[0]) > 10
