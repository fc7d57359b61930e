"""CPU seconds from the start of a process to the features of one vertebral body.

`first` begins with an empty cache of compiled kernels, as on a fresh install; `later` finds it
filled. Interpreter, imports, reading uncompressed files and features count, the end of the
process does not.

    python benchmarks/coldstart.py              # writes results/coldstart.json
    python benchmarks/coldstart.py --peers-first    # also the peers' first: minutes
"""

import argparse
import os
import statistics
import tempfile
from typing import Any

from cases import Case, cases
from filtered import OURS as CENTRUM_1316
from peers.processes import Tool
from speed import save, stay_on_one_core, usable_tools
from tools import CENTRUM_107, CENTRUM_ALL, CENTRUM_IBSI, DROP_IN, MIRP, PICTOLOGICS, PYRADIOMICS

OURS = (CENTRUM_107, CENTRUM_1316, CENTRUM_IBSI, CENTRUM_ALL, DROP_IN)
PEERS = (PYRADIOMICS, PICTOLOGICS, MIRP)

FIRST_GOAL = 8.0
LATER_GOAL = 0.7
REPEATS = 5


def start_to_features(tool: Tool, case: Case) -> float:
    """CPU seconds, user and system, from the start of a process to its features."""
    with tool.start() as process:
        process.load(case.task())
        return float(process.ask("run")["since_start"])


def first(tool: Tool, case: Case) -> float:
    """With an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NUMBA_CACHE_DIR"] = cache
        try:
            return start_to_features(tool, case)
        finally:
            del os.environ["NUMBA_CACHE_DIR"]


def later(tool: Tool, case: Case) -> float:
    """Median, once the cache is filled."""
    start_to_features(tool, case)
    return statistics.median(start_to_features(tool, case) for _ in range(REPEATS))


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU seconds from start to features.")
    parser.add_argument("--peers-first", action="store_true", help="also the peers' first start")
    parser.add_argument("--tool", default="", help="tools whose name holds this word")
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    chosen = parser.parse_args()
    stay_on_one_core()
    (case,) = cases("vertebral body")
    rows: dict[str, Any] = {}
    print(f"{'CPU seconds, ' + case.name:28} {'first':>8} {'later':>8}")
    for tool in usable_tools(chosen.tool, (*OURS, *PEERS)):
        cold = first(tool, case) if tool in OURS or chosen.peers_first else None
        rows[tool.name] = {"first": cold, "later": later(tool, case)}
        shown = "" if cold is None else f"{cold:.2f}"
        print(f"  {tool.name:26} {shown:>8} {rows[tool.name]['later']:8.2f}", flush=True)
    print(f"  {'goal':26} {FIRST_GOAL:8.2f} {LATER_GOAL:8.2f}")
    if not chosen.dry:
        save("coldstart", {"tools": rows, "goals": {"first": FIRST_GOAL, "later": LATER_GOAL}})


if __name__ == "__main__":
    main()
