"""A process that is killed while it writes edits: what it acknowledged is there."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from centrum.reading.desk import Desk
from tests.reading.hands import small_study

WRITER = """
import os, random, sys
from pathlib import Path
from centrum.reading.desk import Desk
from tests.reading.hands import Hand, square

def write(seed):
    chance = random.Random(seed)
    with Desk(Path(sys.argv[1])) as desk:
        hand = Hand.at(desk, place=chance.randrange(3))
        if hand.view["state"]["level"] is None:
            hand.level()
        while True:
            k, size = chance.randrange(7), chance.randint(3, 9)
            digest = hand.polygon(k, square(2, 2, size))["digest"]
            print("saved", hand.token, hand.revision, k, digest, flush=True)

for line in sys.stdin:
    child = os.fork()
    if not child:
        write(int(line))
    print("writer", child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""
"""A process for each number that it is told, which writes edits until it is killed."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, which saves imports")
@pytest.mark.parametrize("times", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_every_acknowledged_edit_is_there_after_kills(tmp_path: Path, times: int) -> None:
    study = small_study(tmp_path / "study")
    command = [sys.executable, "-c", WRITER, str(study)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as writers:
        chance = random.Random(1)
        saved = [each for k in range(times) for each in killed(writers, k, chance.randint(0, 9))]
        writers.stdin.close()  # type: ignore[union-attr]
    assert writers.returncode == 0
    assert len(saved) > times
    with Desk(study) as desk:
        shelf = desk._shelves["reader1", "first"]
        for token, revision, k, digest in saved:
            history = shelf.case(token)
            assert history is not None
            assert history.states[int(revision)].slices[int(k)].digest == digest


def killed(writers: subprocess.Popen, seed: int, after: int) -> list[list[str]]:
    """What a writer said it had saved, killed at any moment after so many edits."""
    assert writers.stdin is not None
    assert writers.stdout is not None
    writers.stdin.write(f"{seed}\n")
    writers.stdin.flush()
    saved: list[list[str]] = []
    process = None
    for line in writers.stdout:
        kind, *words = line.split()
        if kind == "ended":
            return saved
        if kind == "writer":
            process = int(words[0])
        elif len(words) == 4:
            saved.append(words)
        if process is not None and len(saved) > after:
            time.sleep(random.Random(seed).uniform(0, 0.01))
            os.kill(process, signal.SIGKILL)
            after = 10**9
    raise AssertionError("the writers ended")
