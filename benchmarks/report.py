"""Write docs/reference/speed.md and its figure from benchmarks/results.

python benchmarks/report.py
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from coldstart import FIRST_GOAL, LATER_GOAL
from filtered import GOALS as FILTERED_GOALS
from speed import GOALS, RESULTS, Goals, goals, memory_goal

from kernels import FLOORS

mpl.use("svg")
from matplotlib import pyplot as plt

DOCS = RESULTS.parents[1] / "docs" / "reference"

COLOURS = {
    "MIRP": "#999999",
    "PyRadiomics": "#D55E00",
    "pictologics": "#E69F00",
    "centrum, IBSI": "#56B4E9",
    "centrum, 107": "#0072B2",
}

Rows = list[dict[str, Any]]


def results(name: str) -> dict[str, Any]:
    """What a benchmark has written."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def figure(rows: Rows, path: Path) -> None:
    """CPU time against voxels, both logarithmic, a line for each tool."""
    plt.rcParams["svg.hashsalt"] = "speed"
    drawn, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for tool, colour in COLOURS.items():
        points = sorted((r["voxels"], r["tools"][tool]["cpu"]) for r in rows if _ran(r, tool))
        if not points:
            continue
        axes.plot(*zip(*points, strict=True), "o-", color=colour, markersize=4, linewidth=1.2)
        axes.annotate(
            tool, points[-1], (6, 0), textcoords="offset points", va="center", color=colour
        )
    axes.set(xscale="log", yscale="log", xlabel="voxels in the region", ylabel="CPU seconds")
    axes.set_xlim(6e3, 1.4e7)
    axes.grid(which="major", color="#DDDDDD", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    drawn.savefig(path, metadata={"Date": None})
    plt.close(drawn)


def _ran(row: dict[str, Any], tool: str) -> bool:
    return "cpu" in row["tools"].get(tool, {})


def page() -> str:
    """The whole page."""
    speed = results("speed")
    rows, filtered = speed["cases"], results("filtered")["cases"]
    sections = [
        "# Speed",
        "Written from the runs of `make bench-peers`, each on one core of "
        f"{speed['machine']['processor'] or 'this machine'}; every tool warm, in its own "
        "environment, in turns, on the same images and masks with 32 bins. CPU seconds are "
        "medians; reading is not part of them. `PyRadiomics` is 3.0.1 built from source, without "
        "diagnostics; `pictologics` is 0.9.0, its standard configuration without resampling; "
        "`MIRP` reads its files in every call. `centrum, 107` are PyRadiomics' features, "
        "`centrum, IBSI` all families but spatial, local intensity and enclosing, nearly "
        "pictologics' standard: that has the four features of `enclosing` too, from a box along "
        "the principal axes (decision 7).",
        "![CPU time against voxels](speed.svg)",
        "## Whole extractions",
        _times(rows),
        _goals(rows),
        "Of each goal that is missed, the milliseconds that were found, those that the goal "
        "leaves, and those that the kernels need by themselves; the border distance and the "
        "convex hull are the IBSI's alone. The rest is what does not grow with the region: "
        "Python between the kernels.",
        _missed(rows, results("kernels")["cases"]),
        "## With filters",
        "The image and thirteen response maps of it: LoG of 1 to 5 mm and eight bands of a "
        "wavelet, 1316 features in PyRadiomics. With `preCrop` PyRadiomics filters the image "
        "cropped to five voxels around the region, which changes its numbers; pictologics has its "
        "own LoG and wavelets.",
        _times(filtered),
        _goals(filtered, FILTERED_GOALS),
        "Most resident memory, MB above the program and the loaded image:",
        _memory(filtered),
        "## Memory",
        "Most resident memory during an extraction, above the program and the loaded image, MB; "
        f"the goal is 200 MB and ten times the cropped region. {_linear(rows)}",
        _memory(rows),
        "## Kernels",
        "Nanoseconds of CPU per voxel of the region, beside what plain C was measured to need.",
        _kernels(results("kernels")["cases"]),
        "Milliseconds of each family in an extraction; the first to need what several share, such "
        "as the comparison of neighbours, pays for it. What does not grow with the region is "
        "what small regions spend their time on.",
        *(_families(what, rows) for what, rows in results("kernels")["families"].items()),
        "## Cold start",
        "CPU seconds from the start of a process to the features of the vertebral body: first "
        f"with no kernel compiled (goal {FIRST_GOAL:g}), later with all in the cache (goal "
        f"{LATER_GOAL:g}). Worker processes find the kernels compiled by the parent.",
        _cold(results("coldstart")["tools"]),
        "## Throughput",
        _throughput(results("throughput")),
        "## Reading",
        "CPU milliseconds for the files of the vertebral body, compressed. centrum verifies the "
        "checksum and takes the digest on the way.",
        _reading(results("reading")["files"]),
    ]
    return "\n\n".join(sections) + "\n"


def table(header: list[str], rows: Iterator[list[str]]) -> str:
    """A Markdown table, numbers to the right.

    >>> print(table(["a", "b"], iter([["x", "1"]])))
    | a | b |
    |---|--:|
    | x | 1 |
    """
    rule = ["---", *["--:"] * (len(header) - 1)]
    lines = [header, *rows]
    shown = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([shown[0], "|" + "|".join(rule) + "|", *shown[1:]])


def _tools(rows: Rows) -> list[str]:
    names = [name for row in rows for name in row["tools"] if _ran(row, name)]
    return list(dict.fromkeys(names))


def _times(rows: Rows) -> str:
    tools = _tools(rows)
    count = {
        name: max(r["tools"][name]["features"] for r in rows if _ran(r, name)) for name in tools
    }
    return table(
        ["CPU seconds (features)", "voxels", *(f"{t} ({count[t]})" for t in tools)],
        ([r["case"], f"{r['voxels']}", *(_seconds(r, tool) for tool in tools)] for r in rows),
    )


def _seconds(row: dict[str, Any], tool: str) -> str:
    return f"{row['tools'][tool]['cpu']:.4f}" if _ran(row, tool) else ""


def _goals(rows: Rows, wished: Goals = GOALS) -> str:
    header = [f"{ours.name} against {peer.name} (goal)" for ours, peer, _ in wished]
    return table(
        ["times faster", *header],
        (
            [
                r["case"],
                *(_reached(goal) for goal in goals(r, wished)),
            ]
            for r in rows
        ),
    )


def _reached(goal: dict[str, Any]) -> str:
    return f"{goal['ratio']:.1f} ({goal['wanted']:g}){'' if goal['met'] else ' missed'}"


def _missed(rows: Rows, kernels: dict[str, dict[str, float]]) -> str:
    """Of each goal that is missed, the time that it leaves and the time of each kernel."""
    missed = [(row, goal) for row in rows for goal in goals(row) if not goal["met"]]
    stages = [stage for stage in next(iter(kernels.values())) if stage not in SHARED]
    return table(
        ["CPU ms", "found", "goal", "kernels", *stages],
        (_floors(row, goal, [kernels[row["case"]][s] for s in stages]) for row, goal in missed),
    )


SHARED = ("equality of 13 neighbours",)
"""What the time of another kernel holds already: GLSZM compares the neighbours, too."""


def _floors(row: dict[str, Any], goal: dict[str, Any], stages: list[float]) -> list[str]:
    """A line of `_missed`; `stages` are nanoseconds per voxel."""
    found, peer = (row["tools"][goal[tool]]["cpu"] * 1e3 for tool in ("ours", "peer"))
    spent = [ns * row["voxels"] * 1e-6 for ns in stages]
    times = [found, peer / goal["wanted"], sum(spent), *spent]
    return [f"{row['case']}, {goal['ours']}", *(f"{ms:.2f}" for ms in times)]


def _memory(rows: Rows) -> str:
    tools = _tools(rows)
    return table(
        ["MB", "goal", *tools],
        (
            [
                r["case"],
                f"{memory_goal(r) / 1e6:.0f}",
                *(f"{r['tools'][t]['above'] / 1e6:.0f}" if _ran(r, t) else "" for t in tools),
            ]
            for r in rows
        ),
    )


def _linear(rows: Rows) -> str:
    """How CPU time grows from the ball of 1e5 to that of 1e6 voxels."""
    by_name = {row["case"]: row for row in rows}
    small, large = by_name["ball 1e5"], by_name["ball 1e6"]
    voxels = large["voxels"] / small["voxels"]
    growth = [
        f"{tool} {large['tools'][tool]['cpu'] / small['tools'][tool]['cpu']:.1f}"
        for tool in _tools(rows)
        if _ran(small, tool) and _ran(large, tool)
    ]
    return (
        f"From 1e5 to 1e6 voxels, {voxels:.1f} times as many, time grows by: {', '.join(growth)}."
    )


def _kernels(cases: dict[str, dict[str, float]]) -> str:
    stages = list(next(iter(cases.values())))
    return table(
        ["ns per voxel", "plain C", *cases],
        (
            [
                stage,
                f"{FLOORS[stage]:.1f}" if stage in FLOORS else "",
                *(f"{row[stage]:.1f}" for row in cases.values()),
            ]
            for stage in stages
        ),
    )


def _families(what: str, cases: dict[str, dict[str, float]]) -> str:
    return table(
        [f"ms, {what}", *cases],
        (
            [family, *(f"{row[family] * 1e3:.2f}" for row in cases.values())]
            for family in next(iter(cases.values()))
        ),
    )


def _cold(tools: dict[str, dict[str, float | None]]) -> str:
    return table(
        ["CPU seconds", "first", "later"],
        (
            [name, "" if row["first"] is None else f"{row['first']:.1f}", f"{row['later']:.2f}"]
            for name, row in tools.items()
        ),
    )


def _throughput(found: dict[str, Any]) -> str:
    regions = found["patients"] * found["readers"]
    said = (
        f"{found['patients']} patients with {found['readers']} readers, from compressed files to "
        "the store: all families with spatial and local intensity, and the preset vcf-t2w with its "
        "filters; starting the processes counts. CPU seconds are those of one process."
    )
    return (
        said
        + "\n\n"
        + table(
            [
                "protocol",
                "features",
                "processes",
                "regions per second",
                "wall seconds",
                "CPU seconds",
                "CPU ms per region",
                "once started, per second",
            ],
            (
                [
                    run["protocol"],
                    str(run["features"]),
                    str(run["workers"]),
                    f"{run['per_second']:.1f}",
                    f"{run['wall']:.2f}",
                    *(
                        ("", "")
                        if run["cpu"] is None
                        else (f"{run['cpu']:.2f}", f"{run['cpu'] / regions * 1e3:.1f}")
                    ),
                    f"{run['steady']:.1f}",
                ]
                for run in found["runs"]
            ),
        )
    )


def _reading(files: dict[str, dict[str, float]]) -> str:
    ways = [key for key in next(iter(files.values())) if key != "bytes"]
    return table(
        ["CPU milliseconds", *ways],
        ([name, *(f"{row[way] * 1e3:.1f}" for way in ways)] for name, row in files.items()),
    )


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    (DOCS / "speed.md").write_text(page())
    figure(results("speed")["cases"], DOCS / "speed.svg")
    print("wrote docs/reference/speed.md and speed.svg")


if __name__ == "__main__":
    main()
