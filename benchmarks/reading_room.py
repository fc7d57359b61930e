"""A soak of the reading room: two readers draw and sign all cases over HTTP against one server.

Memory of the server over time, whether every acknowledged edit is on the disk, and how long a
stroke takes beside a bare write with fsync of a line as long to the same disk: meanwhile,
when the disk is as busy, and afterwards.

    python benchmarks/reading_room.py           # 2 readers x 500 cases x 12 slices; writes
                                                # results/reading_room.json
    python benchmarks/reading_room.py --cases 40            # quicker, and writes nothing
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any
from unittest.mock import patch

import httpx2
import numpy as np
import SimpleITK as sitk
import yaml
from speed import save

from centrum.commands.read import begun_desk
from centrum.reading.journal import read_journal
from centrum.reading.raster import fill_polygons, runs_of, slice_digest
from centrum.web.serve import serve

READERS = ("reader1", "reader2")
SLICES, ROWS, COLUMNS = 12, 64, 64
POINTS = 12
"""Of each polygon."""

WHOLE = 500
"""Cases of the soak whose results are kept."""

LINE = 775
"""Bytes of the line of a stroke."""

fsync = os.fsync
"""Before it is timed."""

PAUSE = 0.1
"""Seconds between bare writes."""

SAMPLED = 20
"""Times at which the server's memory is read."""


def make_study(folder: Path, cases: int) -> Path:
    """Small images of noise, and a room without practice."""
    (folder / "images").mkdir(parents=True)
    (folder / "readings").mkdir()
    for k in range(cases):
        noise = np.random.default_rng(k).integers(0, 900, (SLICES, ROWS, COLUMNS)).astype(np.int16)
        image = sitk.GetImageFromArray(noise)
        image.SetSpacing((0.9, 0.9, 4.4))
        image.SetDirection((0, 0, -1, 1, 0, 0, 0, -1, 0))
        sitk.WriteImage(image, folder / f"images/{k}.nrrd")
    rows = [f"P{k:04},A{k:04},L1,images/{k}.nrrd" for k in range(cases)]
    (folder / "cases.csv").write_text("\n".join(["case,patient,level,image", *rows]))
    (folder / "study.yaml").write_text("preset: vcf-t2w\nimages: {weighting: null}\n")
    room = {"readers": list(READERS), "training": {"cases": 0}}
    (folder / "readings/room.yaml").write_text(yaml.safe_dump(room))
    return folder


def _serve(study: Path, said: Any) -> None:
    desk, _ = begun_desk(study)
    with desk:
        serve(desk, port=0, say=said.send, opened=lambda _: said.send(""))


@dataclass
class Hand:
    """A reader who draws every slice of every case."""

    origin: str
    secret: str
    seconds: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    acknowledged: dict[tuple[str, int], str] = field(default_factory=dict)

    def read_all(self) -> None:
        """From the first case to the last."""
        with httpx2.Client(base_url=self.origin, trust_env=False, timeout=60) as client:
            self.client = client
            self._send("POST", "/enter", {"link": self.secret})
            for entry in client.get("/api/worklist").json():
                self._read(entry["token"])

    def _send(self, method: str, path: str, body: Any, revision: int | None = None) -> Any:
        headers = {"origin": self.origin}
        if revision is not None:
            headers["if-match"] = f'"{revision}"'
        answer = self.client.request(method, path, json=body, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def _read(self, token: str) -> None:
        began = time.perf_counter()
        state = self.client.get(f"/api/t/{token}").json()["state"]
        pixels = self.client.get(f"/api/t/{token}/pixels").content
        self.opened.append(time.perf_counter() - began)
        assert len(pixels) == 2 * SLICES * ROWS * COLUMNS
        body: dict[str, Any] = {"id": token_hex(16), "slice": 5, "x": 30, "y": 30}
        revision = self._send("PUT", f"/api/t/{token}/level", body, state["revision"])["revision"]
        for k in range(SLICES):
            revision = self._draw(token, k, revision)
        self._send("POST", f"/api/t/{token}/submit", {"id": token_hex(16)}, revision)

    def _draw(self, token: str, k: int, revision: int) -> int:
        body = stroke(k)
        began = time.perf_counter()
        saved = self._send("PUT", f"/api/t/{token}/slice/{k}", body, revision)
        self.seconds.append(time.perf_counter() - began)
        assert saved["digest"] == body["after"]
        self.acknowledged[token, k] = body["after"]
        return int(saved["revision"])


def stroke(k: int) -> dict[str, Any]:
    """A polygon on slice `k`, as it is sent."""
    polygon = circle(k)
    runs = runs_of(fill_polygons([polygon], (ROWS, COLUMNS)))
    content = {"kind": "polygons", "polygons": [[list(point) for point in polygon]]}
    return {"id": token_hex(16), "tool": "polygon", "content": content,
            "after": slice_digest(runs, (ROWS, COLUMNS)), "seconds": float(k)}  # fmt: skip


def circle(k: int) -> list[tuple[float, float]]:
    """A polygon of a body's size."""
    angles = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    x, y = 30 + (12 + k % 3) * np.cos(angles), 31 + 9 * np.sin(angles)
    return [(float(a), float(b)) for a, b in np.round(np.stack([x, y], axis=1), 2)]


def memory(process: int) -> float:
    """Resident MB of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def processor(process: int) -> float:
    """Seconds of processor that a process has used."""
    used = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def bare_write(folder: Path, sync: Callable[[int], None] = os.fsync) -> float:
    """Seconds of appending a line with fsync."""
    with (folder / "bare.jsonl").open("ab", 0) as stream:
        began = time.perf_counter()
        stream.write(b"x" * LINE)
        sync(stream.fileno())
        return time.perf_counter() - began


def without_http(folder: Path, n: int = 600) -> dict[str, float]:
    """ms of the same stroke at a desk in this process: in the median, of that fsync, of processor.

    A bare line is written between two strokes, so that both meet the same disk.
    """
    desk, _ = begun_desk(make_study(folder / "alone", 1))
    synced: list[float] = []
    took: list[float] = []
    bare: list[float] = []

    def timed(file: int) -> None:
        began = time.perf_counter()
        fsync(file)
        synced.append(time.perf_counter() - began)

    with desk, patch("centrum.reading.journal.os.fsync", timed):
        (work,) = desk.worklist(READERS[0])
        about = READERS[0], work["token"]
        revision = desk.open(*about)["state"]["revision"]
        level = {"id": token_hex(16), "slice": 5, "x": 30, "y": 30}
        revision = desk.level(*about, level, revision)["revision"]
        synced.clear()
        used = time.process_time()
        for k in range(n):
            began = time.perf_counter()
            revision = desk.edit(*about, k % SLICES, stroke(k), revision)["revision"]
            took.append(time.perf_counter() - began)
            bare.append(bare_write(folder, fsync))
        used = time.process_time() - used
    found = {"stroke": took, "fsync": synced, "bare": bare}
    return {**{name: quantiles(np.array(s))["50"] for name, s in found.items()},
            "processor": round(1000 * used / n, 2)}  # fmt: skip


def lost(study: Path, hands: Sequence[Hand]) -> int:
    """Acknowledged edits that the journals do not have last of their slice."""
    kept: dict[tuple[str, int], str] = {}
    for reader in READERS:
        for line in read_journal(study / "readings" / reader / "first" / "journal.jsonl"):
            if line.kind == "edit":
                kept[line.token, line.slices[0]] = line.after[0]
    told = {key: digest for hand in hands for key, digest in hand.acknowledged.items()}
    return sum(kept.get(key) != digest for key, digest in told.items())


def _links(said: Any) -> dict[str, tuple[str, str]]:
    found = {}
    while line := said.recv():
        if "#enter=" in line:
            name, link = line.split()
            found[name] = tuple(link.split("/#enter="))
    return found


def soak(folder: Path, cases: int) -> dict[str, Any]:
    """Draw everything, and measure."""
    study = make_study(folder / "study", cases)
    said, says = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("fork").Process(target=_serve, args=(study, says))
    server.start()
    says.close()
    try:
        links = _links(said)
        hands = [Hand(*links[name]) for name in READERS]
        threads = [threading.Thread(target=hand.read_all) for hand in hands]
        began, megabytes, used = time.perf_counter(), [], processor(server.pid or 0)
        meanwhile: list[float] = []
        for thread in threads:
            thread.start()
        total = cases * len(READERS)
        while any(thread.is_alive() for thread in threads):
            done = sum(len(hand.opened) for hand in hands)
            if done >= total * (len(megabytes) + 1) / SAMPLED:
                megabytes.append(memory(server.pid or 0))
            meanwhile.append(bare_write(folder))
            time.sleep(PAUSE)
        wall = time.perf_counter() - began
        used = processor(server.pid or 0) - used
    finally:
        server.terminate()
        server.join()
    afterwards = [bare_write(folder) for _ in range(min(2000, SLICES * cases))]
    puts = np.array([s for hand in hands for s in hand.seconds])
    return {
        "cases": total, "edits": puts.size, "lost": lost(study, hands),
        "wall_s": wall, "processor_s": used,
        "put_ms": quantiles(puts), "meanwhile_ms": quantiles(np.array(meanwhile)),
        "bare_ms": quantiles(np.array(afterwards)),
        "open_ms": quantiles(np.array([s for hand in hands for s in hand.opened])),
        "memory_mb": [round(m, 1) for m in megabytes],
        "journal_mb": sum(p.stat().st_size for p in study.rglob("journal.jsonl")) / 1e6,
    }  # fmt: skip


def quantiles(seconds: np.ndarray) -> dict[str, float]:
    """Median and 95th percentile in ms."""
    return {q: round(1000 * float(np.quantile(seconds, float(q) / 100)), 2) for q in ("50", "95")}


def lines(found: dict[str, Any]) -> list[str]:
    """The table."""
    rows = (
        ("put_ms", "a stroke (PUT)"),
        ("meanwhile_ms", "write + fsync then"),
        ("bare_ms", "write + fsync after"),
        ("open_ms", "open a case"),
    )
    head = f"{'':20} {'median':>9} {'95 %':>9}"
    table = [f"{name:20} {found[k]['50']:>6} ms {found[k]['95']:>6} ms" for k, name in rows]
    memory_mb, alone = found["memory_mb"] or [0.0], found["without_http_ms"]
    return [
        f"{found['cases']} cases, {found['edits']} edits in {found['wall_s']:.0f} s, of which the "
        f"server used {found['processor_s']:.0f} s of processor; "
        f"{found['lost']} acknowledged edits lost; "
        f"journals {found['journal_mb']:.1f} MB",
        head, *table,
        f"a stroke alone, without HTTP: {alone['stroke']} ms, of which fsync {alone['fsync']} ms; "
        f"a bare line between strokes {alone['bare']} ms; processor {alone['processor']} ms",
        f"memory of the server: {memory_mb[0]} MB after the first twentieth, "
        f"{memory_mb[len(memory_mb) // 2]} MB half-way, {memory_mb[-1]} MB at the end",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=WHOLE)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before = os.getloadavg()[0]
        found = soak(Path(folder), chosen.cases)
        found["without_http_ms"] = without_http(Path(folder))
        found |= {"cores": os.cpu_count(), "load": [before, os.getloadavg()[0]]}
    if chosen.cases == WHOLE:
        save("reading_room", found)
    print(json.dumps(found, indent=1) if chosen.json else "\n".join(lines(found)))
    sys.exit(found["lost"] > 0)


if __name__ == "__main__":
    main()
