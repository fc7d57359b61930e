"""Time the reading room's desk: edits with fsync beside bare writes, and memory over many cases.

Every edit is written, synced and read back; beside each stands a bare write of as many bytes with
fsync to a file in the same folder.

    python benchmarks/room.py [--cases 500]     # writes results/room.json
"""

import argparse
import os
import resource
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from speed import save

from centrum.geometry import Geometry, direction_of
from centrum.io.write import write_image
from centrum.reading.desk import Desk
from centrum.reading.raster import fill_polygons, runs_of, slice_digest
from centrum.volume import Volume

SHAPE = (15, 256, 256)
SPACING = (0.7, 0.7, 4.4)
IMAGES = 20
DRAWN = range(2, 14)
POINTS = 14


def study(folder: Path, cases: int) -> Path:
    """Cases that share a few images, as bodies of one patient do."""
    grid = Geometry(SHAPE[::-1], SPACING, direction=direction_of("PIR"))
    (folder / "readings").mkdir()
    (folder / "readings/room.yaml").write_text("training: {cases: 0}\nreaders: [reader1]\n")
    (folder / "study.yaml").write_text("preset: vcf-t2w\n")
    for k in range(IMAGES):
        array = np.random.default_rng(k).integers(0, 900, SHAPE).astype(np.int16)
        write_image(Volume(array, grid), folder / f"{k}.nrrd")
    rows = [f"C{k},P{k % IMAGES},L1,{k % IMAGES}.nrrd" for k in range(cases)]
    (folder / "cases.csv").write_text("\n".join(["case,patient,level,image", *rows, ""]))
    return folder


def outline(chance: np.random.Generator) -> list[list[float]]:
    """As many points as a hand sets around a body."""
    turns = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    radii = chance.uniform(28, 36, POINTS)
    points = 128 + radii[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.round(points, 2).tolist()


def memory_mb() -> float:
    """Resident now."""
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * resource.getpagesize() / 2**20


def bare_write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, content)
    os.fsync(handle)
    os.close(handle)


def read_case(desk: Desk, token: str, chance: np.random.Generator, bare: Path) -> list[tuple]:
    """Open a case and draw its slices; seconds of each edit and of a bare write beside it."""
    view = desk.open("reader1", token)
    name = secrets.token_hex
    sent = {"id": name(16), "slice": 7, "x": 128, "y": 128}
    revision = desk.level("reader1", token, sent, view["state"]["revision"])["revision"]
    desk.pixels("reader1", token)
    times = []
    for k in DRAWN:
        points = outline(chance)
        after = slice_digest(runs_of(fill_polygons([points], SHAPE[1:])), SHAPE[1:])
        content = {"kind": "polygons", "polygons": [points]}
        edit = {"id": name(16), "tool": "polygon", "content": content, "after": after,
                "seconds": 2.0 * k}  # fmt: skip
        start = time.perf_counter()
        revision = desk.edit("reader1", token, k, edit, revision)["revision"]
        middle = time.perf_counter()
        bare_write(bare, b"x" * 1100)
        times.append((middle - start, time.perf_counter() - middle))
    return times


def measure(folder: Path, cases: int) -> dict[str, Any]:
    times: list[tuple] = []
    memory = {}
    chance = np.random.default_rng(0)
    with Desk(study(folder, cases)) as desk:
        for n, work in enumerate(desk.worklist("reader1"), start=1):
            times += read_case(desk, work["token"], chance, folder / "bare")
            if n % max(1, cases // 10) == 0:
                memory[n] = round(memory_mb(), 1)
        start = time.perf_counter()
        desk.worklist("reader1")
        worklist = time.perf_counter() - start
    start = time.perf_counter()
    Desk(folder).close()
    reopened = time.perf_counter() - start
    ms = 1000 * np.array(times)
    journal = folder / "readings/reader1/first/journal.jsonl"
    return {
        "edits": len(ms),
        "edit_ms": {"median": np.median(ms[:, 0]), "p95": np.percentile(ms[:, 0], 95)},
        "bare_write_ms": {"median": np.median(ms[:, 1]), "p95": np.percentile(ms[:, 1], 95)},
        "memory_mb_by_cases": memory,
        "worklist_s": worklist,
        "reopened_s": reopened,
        "journal_bytes_per_edit": journal.stat().st_size / len(ms),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), cases)
    for name, value in found.items():
        print(f"{name:24} {value}")
    save("room", found)


if __name__ == "__main__":
    main()
