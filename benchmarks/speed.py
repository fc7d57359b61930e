"""Time whole extractions beside the peers: same image, same mask, same bins, one core, warm.

Every tool has one process in its own environment (`make peers-build`). In each round the
tools take turns, so that whatever else the machine does falls on all of them alike. Reading
is not part of it (`reading.py`); MIRP alone reads its files in every call.

    python benchmarks/speed.py                      # all cases, writes results/speed.json
    python benchmarks/speed.py --case vertebral --rounds 2 --dry
"""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cases import WARM, Case, cases, made
from peers.processes import Process, Tool, ToolError
from tools import CENTRUM_107, CENTRUM_IBSI, MIRP, PICTOLOGICS, PYRADIOMICS, TOOLS

RESULTS = Path(__file__).resolve().parent / "results"

Goals = tuple[tuple[Tool, Tool, Callable[[dict[str, Any]], float]], ...]
"""(ours, peer, how many times faster ours is to be on a case): like is compared with like."""

SMALL = 40_000
"""Voxels of a vertebral body at most: what does not grow with the region weighs most there."""


def against_pyradiomics(row: dict[str, Any]) -> float:
    """A ball of few voxels has so little surface and texture that PyRadiomics is quick itself."""
    return 60.0 if row["case"] in ("ball 1e4", "ball 1e5") else 100.0


def against_pictologics(row: dict[str, Any]) -> float:
    """More where a region is small."""
    return 3.0 if row["voxels"] <= SMALL else 2.0


GOALS: Goals = (
    (CENTRUM_107, PYRADIOMICS, against_pyradiomics),
    (CENTRUM_IBSI, PICTOLOGICS, against_pictologics),
)

BASE_MEMORY = 200e6
MEMORY_PER_CROP = 10
"""Goal: peak memory under 200 MB and ten times the cropped region, image and mask."""

SLOW = 2.0
"""A run of more CPU seconds than this is made `SLOW_RUNS` times only."""
SLOW_RUNS = 2
MIRP_LIMIT = 50_000
"""Above so many voxels MIRP is left out unless it is asked for by name."""


def measure(case: Case, tools: list[Tool], rounds: int) -> dict[str, Any]:
    """Everything that is reported about a case, tool by tool."""
    voxels, box = case.region()
    running = [t for t in tools if t is not MIRP or voxels <= MIRP_LIMIT or len(tools) == 1]
    rows = dict(_timed(case, running, rounds))
    for tool in running:
        if "failed" not in rows[tool.name]:
            rows[tool.name] |= peak_memory(case, tool)
    crop = int(box[0]) * box[1] * box[2]
    return {"case": case.name, "voxels": voxels, "box": box, "crop_voxels": crop, "tools": rows}


def _timed(case: Case, tools: list[Tool], rounds: int) -> Iterator[tuple[str, dict[str, Any]]]:
    with ExitStack() as stack:
        processes = [stack.enter_context(tool.start()) for tool in tools]
        runs: dict[str, list[dict[str, float]]] = {}
        failed = {p.tool.name: why for p in processes if (why := _prepare(p, case))}
        working = [p for p in processes if p.tool.name not in failed]
        for _ in range(rounds):
            for process in working:
                _turn(process, runs.setdefault(process.tool.name, []))
    for tool in tools:
        yield (
            tool.name,
            _summary(runs[tool.name]) if tool.name in runs else {"failed": failed[tool.name]},
        )


def _prepare(process: Process, case: Case) -> str:
    """Load and run once, so that everything is compiled; what went wrong, or ""."""
    try:
        process.load(case.task())
        process.ask("run")
    except ToolError as error:
        return str(error)
    return ""


def _turn(process: Process, runs: list[dict[str, float]]) -> None:
    """One run; several of a quick tool, so that its turn is no shorter than the clock."""
    if runs and runs[0]["cpu"] > SLOW and len(runs) >= SLOW_RUNS:
        return
    runs.append(process.ask("run"))
    for _ in range(min(9, int(0.05 / max(runs[-1]["cpu"], 1e-4)))):
        runs.append(process.ask("run"))


def _summary(runs: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "cpu": statistics.median(r["cpu"] for r in runs),
        "cpu_least": min(r["cpu"] for r in runs),
        "wall": statistics.median(r["wall"] for r in runs),
        "features": int(runs[0]["features"]),
        "runs": len(runs),
    }


def peak_memory(case: Case, tool: Tool) -> dict[str, float]:
    """Bytes in a fresh process that has computed on a tiny case: before, and the most.

    `above` is what the extraction needed on top of the program and the loaded image.
    """
    with tool.start() as process:
        process.load(made("warm", WARM).task())
        process.ask("run")
        process.load(case.task())
        found = process.ask("peak")
    return {"above": found["peak"] - found["before"], "peak": found["peak"]}


def goals(row: dict[str, Any], wished: Goals = GOALS) -> Iterator[dict[str, Any]]:
    """Each goal with what was reached on a case, where both tools ran."""
    for ours, peer, wish in wished:
        a, b = row["tools"].get(ours.name, {}), row["tools"].get(peer.name, {})
        if "cpu" in a and "cpu" in b:
            ratio, wanted = b["cpu"] / a["cpu"], wish(row)
            yield {
                "ours": ours.name,
                "peer": peer.name,
                "ratio": ratio,
                "wanted": wanted,
                "met": ratio >= wanted,
            }


def memory_goal(row: dict[str, Any]) -> float:
    """The bytes that an extraction may need: intensities of eight bytes, mask of one."""
    return float(BASE_MEMORY + MEMORY_PER_CROP * 9 * row["crop_voxels"])


def show(row: dict[str, Any], wished: Goals = GOALS) -> None:
    """Print a case."""
    print(f"\n{row['case']}: {row['voxels']} voxels in a box of {row['crop_voxels']}")
    print(f"  {'':24} {'CPU s':>9} {'wall s':>9} {'ns/voxel':>9} {'MB above':>9} {'features':>9}")
    for name, found in row["tools"].items():
        if "failed" in found:
            print(f"  {name:24} failed: {found['failed'][:90]}")
            continue
        per_voxel = found["cpu"] / row["voxels"] * 1e9
        print(
            f"  {name:24} {found['cpu']:9.4f} {found['wall']:9.4f} {per_voxel:9.0f} "
            f"{found['above'] / 1e6:9.1f} {found['features']:9d}"
        )
    for goal in goals(row, wished):
        verdict = "met" if goal["met"] else "MISSED"
        print(
            f"  {goal['ours']} is {goal['ratio']:.1f} x {goal['peer']} "
            f"(goal {goal['wanted']:g}): {verdict}"
        )


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = ""
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
    return {"processor": model or platform.processor(), "system": platform.system()}


def stay_on_one_core() -> None:
    """This process and its children; where the system has no such call, threads are limited."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def save(name: str, content: dict[str, Any]) -> None:
    """Write results/NAME.json, with the machine."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **content}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")


def usable_tools(word: str, tools: Sequence[Tool] = TOOLS) -> list[Tool]:
    """The tools whose name holds the word; says which peers have not been built."""
    chosen = [tool for tool in tools if word.lower() in tool.name.lower()]
    for tool in chosen:
        if tool.python is None:
            print(f"{tool.name}: not built, skipped (make peers-build)")
    return [tool for tool in chosen if tool.python is not None]


def compare(
    name: str, about: str, tools: Sequence[Tool], wished: Goals, wanted: Sequence[str] = ()
) -> None:
    """The command line of a comparison, which writes results/NAME.json.

    `wanted` are the cases of it; all if none is named.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--case", default="", help="cases whose name holds this word")
    parser.add_argument("--tool", default="", help="tools whose name holds this word")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    chosen = parser.parse_args()
    stay_on_one_core()
    usable, rows = usable_tools(chosen.tool, tools), []
    for case in cases(chosen.case):
        if wanted and case.name not in wanted:
            continue
        rows.append(measure(case, usable, chosen.rounds))
        show(rows[-1], wished)
    if not chosen.dry:
        save(name, {"rounds": chosen.rounds, "cases": rows})


def main() -> None:
    compare("speed", "Time extractions beside the peers.", TOOLS, GOALS)


if __name__ == "__main__":
    main()
