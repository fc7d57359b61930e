"""What a study of many cases costs: each verb in a process of its own, with its peak of memory.

The table is made up: 40 hidden numbers of each case make every feature, noise is added, a second
reader measures with more noise, and the outcome follows five of the hidden numbers. It says
nothing of medicine. Seconds are of the processor, of the process and its children; memory is the
largest resident set, pages of mapped files included. Writes results/large_tables.json and
docs/reference/large-tables.md.

    python benchmarks/large_tables.py                       # 1e3, 1e4 and 1e5 cases; hours
    python benchmarks/large_tables.py --cases 1000 --dry
    python benchmarks/large_tables.py --page                # the page alone, from the results
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any

import numpy as np
import pandas as pd
import yaml

FEATURES = 1316
READERS = ("one", "two")
HIDDEN, TELLING, AT_ONCE = 40, 5, 2000
RESULTS = Path(__file__).parent / "results" / "large_tables.json"
NAMES = "original_firstorder_{}"

EVALUATION = {
    "n_resamples": 1000,
    "cutoff_folds": 2,
    "ablation": False,
    "leak_audit": {"permutations": 0, "splits": 0},
}
"""What is asked of all sizes: the fits that a design needs, and nothing that repeats them."""


def made_up(cases: int, features: int, seed: int):
    """Blocks of values (cases, features, readers) and whether each case is positive."""
    fixed = np.random.default_rng(1)
    loads = fixed.normal(size=(HIDDEN, features)) * (fixed.random((HIDDEN, features)) < 0.15)
    spread = fixed.uniform(0.3, 1.5, features)
    telling = fixed.choice([-0.5, 0.5], TELLING)
    rng = np.random.default_rng(seed)
    for begin in range(0, cases, AT_ONCE):
        n = min(AT_ONCE, cases - begin)
        hidden = rng.normal(size=(n, HIDDEN))
        truth = hidden @ loads + rng.normal(size=(n, features)) * spread
        second = truth + 0.3 * rng.normal(size=truth.shape)
        odds = hidden[:, :TELLING] @ telling
        yield np.stack([truth, second], axis=2), rng.random(n) < 1 / (1 + np.exp(-odds))


def write_cases(folder: Path, positive: np.ndarray, prefix: str) -> None:
    """cases.csv: every second patient has two cases."""
    n = positive.size
    rng = np.random.default_rng(2)
    owners = np.arange(n) - (np.arange(n) % 3 == 2)
    frame = pd.DataFrame({
        "case": [f"{prefix}{k:06d}" for k in range(n)],
        "patient": [f"{prefix}{k:06d}" for k in owners],
        "outcome": np.where(positive, "malignant", "osteoporotic"),
        "age": rng.integers(50, 90, n),
        "sex": rng.choice(["F", "M"], n),
    })  # fmt: skip
    frame.to_csv(folder / "cases.csv", index=False)


def write_protocol(folder: Path, files: dict[str, str], **blocks: Any) -> None:
    """study.yaml: the preset `vcf-t2w`, and tables in the place of images."""
    tables = [{"reader": reader, "file": file} for reader, file in files.items()]
    told = {"preset": "vcf-t2w", "name": "Made-up table", "tables": tables,
            "outcome": {"mixed_patients": True}, **blocks}  # fmt: skip
    (folder / "study.yaml").write_text(yaml.safe_dump(told))


def make_study(folder: Path, cases: int, features: int, evaluation: dict[str, Any]) -> None:
    """A study whose table has been extracted: of the tables named in it only the heads exist."""
    from centrum.arrays import Columns
    from centrum.commands.results import done
    from centrum.commands.study import open_study
    from centrum.features.recognise import recognise
    from centrum.study.extraction import OVERLAP_COLUMNS, Extraction, save_extraction
    from centrum.table import FeatureTable

    folder.mkdir(parents=True)
    values = np.memmap(folder / "made", np.float64, "w+", shape=(features, len(READERS), cases))
    outcomes, begin = [], 0
    for block, positive in made_up(cases, features, seed=3):
        values[:, :, begin : begin + len(block)] = block.transpose(1, 2, 0)
        outcomes.append(positive)
        begin += len(block)
    write_cases(folder, np.concatenate(outcomes), "P")
    write_protocol(folder, {r: f"{r}.csv" for r in READERS}, evaluation=evaluation)
    for reader in READERS:
        (folder / f"{reader}.csv").write_text("case\n")
    study = open_study(folder)
    table = FeatureTable(
        Columns.of(folder / "made", values.shape),
        study.obs(),
        tuple(recognise(f"x{k}") for k in range(features)),
        study.readers,
    )
    extraction = Extraction(
        table, (), (), pd.DataFrame(columns=OVERLAP_COLUMNS), simulated=False,
        acquisition=pd.DataFrame(index=table.obs.index),
    )  # fmt: skip
    done(study, "extract", save_extraction(study, extraction))
    (folder / "made").unlink()


def make_other_centre(folder: Path, cases: int, features: int) -> None:
    """A study of one table of other patients, as CSV of six digits."""
    folder.mkdir(parents=True)
    heads = [f"x{k}" for k in range(features)]
    outcomes, begin = [], 0
    with (folder / "table.csv").open("w") as stream:
        for values, positive in made_up(cases, features, seed=4):
            index = pd.Index([f"Q{k:06d}" for k in range(begin, begin + len(values))], name="case")
            frame = pd.DataFrame(values[:, :, 0], index, heads)
            frame.to_csv(stream, header=begin == 0, float_format="%.6g")
            outcomes.append(positive)
            begin += len(values)
    write_cases(folder, np.concatenate(outcomes), "Q")
    write_protocol(folder, {"one": "table.csv"})


def verb(name: str, folder: Path) -> None:
    """Do one verb, as the command line does."""
    from centrum.commands import study as verbs
    from centrum.commands.validate import read_model, validate_model

    if name == "score":
        model = read_model(folder / "study" / "results" / "model.json")
        validate_model(model, folder / "elsewhere", folder / "scored")
    else:
        getattr(verbs, name)(verbs.open_study(folder / "study"))


VERBS = ("agree", "fit", "internal", "evaluate", "freeze", "report", "score")


def spent() -> dict[str, float]:
    """Processor seconds and most resident memory (MB) of this process and its children."""
    both = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    seconds = sum(used.ru_utime + used.ru_stime for used in both)
    return {"cpu": round(seconds, 1), "mb": round(max(used.ru_maxrss for used in both) / 1024)}


def apart(*words: str) -> dict[str, float]:
    """What a step costs in a process of its own; one thread."""
    one = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "NUMBA")}
    done = subprocess.run([sys.executable, __file__, *words], env=os.environ | one, check=False,
                          capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"ended {done.returncode}"])[-1]}
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(
    cases: int, features: int, steps: tuple[str, ...], place: str | None
) -> dict[str, Any]:
    """Each step on a study of so many cases."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        row: dict[str, Any] = {"cases": cases, "features": features, "steps": {}}
        for step in ("make", *steps):
            row["steps"][step] = apart("--step", step, name, str(cases), str(features))
            print(cases, features, step, json.dumps(row["steps"][step]), flush=True)
        files = Path(name, "study", "results").rglob("*")
        row["results_mb"] = round(sum(f.stat().st_size for f in files if f.is_file()) / 1e6)
        return row


def one_step(step: str, folder: Path, cases: int, features: int) -> None:
    """What a process of `apart` does."""
    if step == "make":
        make_study(folder / "study", cases, features, EVALUATION)
    elif step == "make-elsewhere":
        make_other_centre(folder / "elsewhere", cases, features)
    else:
        verb(step, folder)
    print(json.dumps(spent()))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--features", type=int, default=FEATURES)
    parser.add_argument("--steps", nargs="*", default=[*VERBS[:-1], "make-elsewhere", VERBS[-1]])
    parser.add_argument("--folder")
    parser.add_argument("--step", nargs=4)
    parser.add_argument("--dry", action="store_true")
    given = parser.parse_args()
    if given.step:
        step, folder, cases, features = given.step
        one_step(step, Path(folder), int(cases), int(features))
        return
    for cases in given.cases:
        measured(cases, given.features, tuple(given.steps), given.folder)


if __name__ == "__main__":
    main()
