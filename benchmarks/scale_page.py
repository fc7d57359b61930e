"""Write docs/reference/scale.md and its figure from benchmarks/results.

python benchmarks/scale_page.py
"""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

from centrum.measure.batches import Batch, LocalEngine, tapered

mpl.use("svg")
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs" / "reference"

CASES, WORKERS, SECONDS = 1_000_000, 200, 2.0
"""What is planned, and how long a case of 1316 features takes one worker."""

BATCH = 20.0
"""Seconds of a batch on a cluster."""

Found = dict[str, Any]


def results(name: str) -> Found:
    """What a benchmark has written."""
    found: Found = json.loads((HERE / "results" / f"{name}.json").read_text())
    return found


def figure(runs: list[Found], path: Path) -> None:
    """What a case costs beside its measuring, by how many there are."""
    plt.rcParams["svg.hashsalt"] = "scale"
    cases = [run["cases"] for run in runs]
    drawn, panels = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    for axes, values, label in (
        (panels[0], [run["ms_per_case_and_worker"] for run in runs],
         "time of a worker per case (ms)"),
        (panels[1], [run["processor_ms_per_case"] for run in runs],
         "processor time beside it (ms per case)"),
    ):  # fmt: skip
        axes.plot(cases, values, "o-", color="#0072B2", markersize=4, linewidth=1.2)
        axes.set(xscale="log", xlabel="cases", ylabel=label)
        axes.set_ylim(0, 1.15 * max(values))
        axes.grid(which="major", color="#DDDDDD", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    least = [1000 * run["work_seconds"] / run["cases"] for run in runs]
    panels[0].plot(cases, least, "--", color="#999999", linewidth=1.0)
    panels[0].annotate("the sleep itself", (cases[-1], least[-1]), (0, -12),
                       textcoords="offset points", ha="right", color="#666666")  # fmt: skip
    drawn.savefig(path, metadata={"Date": None})
    plt.close(drawn)


def costs(found: Found) -> list[str]:
    """The runs as a table, and what is done beside measuring."""
    machine, runs = found["machine"], found["runs"]
    rows = [
        f"| {r['cases']} | {r['seconds']:.1f} | {r['work_seconds'] / machine['workers']:.1f} | "
        f"{100 * r['overhead']:.1f} | {100 * r['before_first']:.1f} | "
        f"{100 * r['between_batches']:.1f} | {100 * r['after_last']:.1f} | "
        f"{r['processor_ms_per_case']:.2f} | {r['index_seconds']:.2f} | {r['ask_seconds']:.2f} | "
        f"{r['shards']} | {r['load']:.0f} |"
        for r in runs
    ]
    return [
        "## What a case costs beside its measuring",
        f"Cases whose measuring is a sleep of {1000 * machine['sleep_seconds']:.0f} ms, with "
        f"records of 1316 values, through a scheduler of Dask and {machine['workers']} workers of "
        f"one thread on {machine['processors']} processors (the load is that at the end of "
        "a run). The work is what the naps took by the workers' clocks. The overhead "
        "is all else that the workers' time went to, in percent of the work: before the first "
        "case, between batches (a shard is written, the next batch comes), and after the last case "
        "of a worker. Processor time is that of all processes without the naps' own.",
        "![What a case costs](scale.svg)",
        "| cases | seconds | of them work | overhead % | before | between | after | processor ms "
        "per case | index s | ask s | shards | load |\n" + 12 * "|---" + "|\n" + "\n".join(rows),
        "In one process, without a cluster, a case takes this much processor time: "
        + ", ".join(f"{what} {ms:.3f} ms" for what, ms in found["processor_ms"].items())
        + ". `write` makes a shard, `compact` the index, `ask` looks for what is measured, `read` "
        "and `settle` are what the command does once all are measured.",
    ]


def killed(found: Found) -> list[str]:
    """What was killed, and what was done again."""
    return [
        "## Killed on the way",
        f"`centrum extract STUDY --dask ADDRESS` on {found['cases']} cases (files of a "
        f"few kilobytes, two readers, 18 features) with {found['workers']} workers. Every "
        f"{found['seconds_between_kills']:.0f} seconds one was killed (kill -9) and another one "
        "started; when half of the cases were kept the scheduler was killed, everything started "
        "again, and the same command given once more.",
        f"| | |\n|---|---|\n| cases | {found['cases']} |\n| seconds | {found['seconds']:.0f} |\n"
        f"| workers killed | {found['kills']} |\n| schedulers killed | {found['scheduler_kills']} "
        f"|\n| exit codes of the command | {', '.join(map(str, found['exit_codes']))} |\n"
        f"| cases begun | {found['begun']} |\n| of them again | {found['begun_again']} |\n"
        f"| under way when a process was killed | "
        f"{', '.join(map(str, found['under_way_at_kills']))} (a batch has at most "
        f"{found['largest_batch']}) |\n"
        f"| means that equal numpy's on the image | {found['means_checked']} (relative difference "
        f"at most {found['largest_relative_difference_of_a_mean']:.2g}) |\n"
        f"| records that equal one made again | {found['measured_again_and_equal']} |\n"
        f"| load at the end | {found['load']:.0f} |",
        "Every case is in exactly one shard at the end. No process had more under way than a "
        "batch, and nothing else was done again: the benchmark fails otherwise.",
    ]


def plan(found: Found) -> list[str]:
    """A million cases on 200 workers, by the constants above."""
    last, ms = found["runs"][-1], found["processor_ms"]
    engine, cases = LocalEngine(WORKERS, BATCH), (None,) * CASES
    batches = sum(1 for _ in tapered(Batch(cases, ("",) * CASES), engine, SECONDS))
    hours = CASES * SECONDS / WORKERS / 3600
    shard, index = last["bytes_per_case"] * CASES / 1e9, last["index_bytes_per_case"] * CASES / 1e6
    reading = CASES * ms["read"] / 1000
    settling = CASES * ms["settle"] / 1000
    asking = CASES * (last["index_seconds"] + last["ask_seconds"]) / last["cases"]
    own = CASES * last["processor_ms_per_case"] / 1000
    million, workers = f"{CASES:,}".replace(",", " "), f"{WORKERS} workers"
    return [
        "## A plan for a million cases",
        f"{million} cases of {SECONDS:g} s on {workers}, by the constants of the largest run. This "
        "was not run.",
        "| what | arithmetic | result |\n|---|---|---|\n"
        f"| measuring | {million} x {SECONDS:g} s / {WORKERS} | {hours:.1f} hours |\n"
        f"| batches | {BATCH:g} s of work each, smaller ones at the end | {batches} |\n"
        f"| batches a second | {batches} / {hours:.1f} h | {batches / hours / 3600:.0f} |\n"
        f"| processor time beside measuring | {million} x {last['processor_ms_per_case']:.2f} ms "
        f"| {own / 3600:.1f} hours, on all machines together |\n"
        f"| shards | {million} x {last['bytes_per_case'] / 1000:.1f} KB | {shard:.0f} GB |\n"
        f"| index | {million} x {last['index_bytes_per_case']:.0f} bytes | {index:.0f} MB |\n"
        f"| making the index and asking it | {million} x {1e6 * asking / CASES:.0f} µs | "
        f"{asking:.0f} s |\n"
        f"| reading all records, one process | {million} x {ms['read']:.2f} ms | "
        f"{reading / 60:.0f} min |\n"
        f"| settling the shards, one process | {million} x {ms['settle']:.2f} ms | "
        f"{settling / 60:.0f} min |",
        "What the plan has to mind, in this order:",
        "1. **Digests of the files.** Whoever gives the command reads every image and mask once to "
        "know which cases are measured: a million exams of 10 MB are 10 TB, which one machine "
        "reads at 1 GB/s in 2.8 hours before the first batch goes out, and each worker once more. "
        "Give shares instead (`--shard I/N`): then each machine reads its own part, and the "
        "one that gathers all of it once.",
        "2. **The disk of the one that makes the table.** Records wait there while it is made, "
        "some 25 KB for a case of 1316 features and two readers; the table takes another 21 KB.",
        f"3. **Files in one folder.** {batches} shards lie in 256 folders until they settle; "
        "looking for new ones is a listing of each.",
        "4. **The scheduler** has "
        f"{batches / hours / 3600:.0f} batches a second and never more than {2 * WORKERS} under "
        "way; Dask carries some hundreds a second.",
    ]


def main() -> None:
    """Write page and figure."""
    scale = results("scale")
    figure(scale["runs"], DOCS / "scale.svg")
    parts = [
        "# Scale",
        "Written by `make scale` from one run on one machine; see "
        "[how to measure on a cluster](../how-to/measure-on-a-cluster.md).",
        *costs(scale),
        *killed(results("killed")),
        *plan(scale),
    ]
    (DOCS / "scale.md").write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
