"""What a study of many cases costs: each verb in a process of its own, with its peak of memory.

The table is made up: 40 hidden numbers of each case make every feature, noise is added, a second
reader measures with more noise, and the outcome follows five of the hidden numbers. It says
nothing of medicine. Seconds are of the processor, of the process and its children; memory is the
largest resident set, pages of mapped files included. Writes results/large_tables.json and
docs/reference/large-tables.md.

    python benchmarks/large_tables.py                       # 1e3, 1e4 and 1e5 cases; hours
    python benchmarks/large_tables.py --cases 1000 --dry
    python benchmarks/large_tables.py --what                # the page alone, from the results
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

if TYPE_CHECKING:
    from centrum.arrays import Columns

FEATURES = 1316
READERS = ("one", "two")
HIDDEN, TELLING, AT_ONCE = 40, 5, 2000
RESULTS = Path(__file__).parent / "results" / "large_tables.json"
NAMES = "original_firstorder_{}"

MADE_UP = (
    "The tables are made up: 40 hidden numbers of each case make every feature, noise is added, a "
    "second reader measures with more of it, and the outcome follows five of the hidden numbers. "
    "Each verb runs in a process of its own, on one thread; memory is its largest resident set, "
    "read files included, seconds are of the processor."
)

TEXT = """\
A table of more than 20 million numbers stays on disk as columns
([decision 33](../decisions/0033-large-tables-stay-on-disk.md)): `results/columns/`, as large as the
table in memory would be. Beside it there is no `features.csv`.

## What is asked of each verb, where one is in the tables below

The preset `vcf-t2w` (elastic net, 5 folds, 100 penalties), one split, cut-offs by 2 folds, 1000
resamples, without ablation, permuted outcomes and leaks switched on. Each of these repeats the
fit: multiply. So do more folds for the cut-off and designs of several parts. With `--workers`
every process holds a fit of its own.

## What reads all of it into memory

These are not bounded, and take two to four times the table that reaches them: `imputation`,
`harmonisation`, `balance: smote`, the selectors `mrmr`, `relieff` and `stability`, recursive
elimination of very many features, a perturbed layer (`robustness`), and the leak
`copies_on_both_sides`. `centrum import`, `validate` and a study of `tables` read text of other
programs cell by cell, some 150 bytes each. `centrum gather` keeps values on disk, and of every case
what else was noted of it in memory."""

EVALUATION = {
    "n_resamples": 1000,
    "cutoff_folds": 2,
    "ablation": False,
    "leak_audit": {"permutations": 0, "splits": 0},
}
"""What is asked of all sizes: the fits that a design needs, and nothing that repeats them."""


def made_up(
    cases: int, features: int, seed: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
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


def write_values(path: Path, cases: int, features: int) -> tuple["Columns", NDArray[np.bool_]]:
    """A made-up table in a file of columns, and the outcomes."""
    from centrum.arrays import Columns

    shape, begin, outcomes = (features, len(READERS), cases), 0, []
    with path.open("wb") as stream:
        for block, positive in made_up(cases, features, seed=3):
            for k, column in enumerate(block.reshape(len(block), -1).T):
                stream.seek(8 * (k * cases + begin))
                stream.write(column.tobytes())
            outcomes.append(positive)
            begin += len(block)
    return Columns.of(path, shape), np.concatenate(outcomes)


def make_study(folder: Path, cases: int, features: int, evaluation: dict[str, Any]) -> None:
    """A study whose table has been extracted: of the tables named in it only the heads exist."""
    from centrum.commands.results import done
    from centrum.commands.study import open_study
    from centrum.features.recognise import recognise
    from centrum.study.extraction import OVERLAP_COLUMNS, Extraction, save_extraction
    from centrum.table import FeatureTable

    folder.mkdir(parents=True)
    values, positive = write_values(folder / "made", cases, features)
    write_cases(folder, positive, "P")
    write_protocol(folder, {r: f"{r}.csv" for r in READERS}, evaluation=evaluation)
    for reader in READERS:
        (folder / f"{reader}.csv").write_text("case\n")
    study = open_study(folder)
    table = FeatureTable(
        values,
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


FEW, MOST = 4, 100_000

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


def wide(cases: int = 1000, features: int = 5000, permutations: int = 2) -> dict[str, float]:
    """CPU seconds of the parts of a fit with more features than cases, and of permuted outcomes."""
    from centrum.agreement import icc
    from centrum.modelling.correlation_filter import absolute_correlation
    from centrum.modelling.lasso import LogisticLassoCV, lasso_path
    from centrum.modelling.permute import shuffle_by_patient
    from centrum.modelling.pipeline import StudyClassifier
    from centrum.protocol import load_preset

    blocks = list(made_up(cases, features, seed=5))
    X, y = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    settings = load_preset("vcf-t2w").model
    model = StudyClassifier(settings, calibrate=False)
    model.fit(X[:60], y[:60])
    z = np.clip((X[:, :, 0] - X[:, :, 0].mean(axis=0)) / X[:, :, 0].std(axis=0), -2, 2)
    net = {"l1_ratio": settings.lasso.l1_ratio, "threshold": settings.lasso.threshold}

    def seconds(work: Callable[[], object]) -> float:
        begin = time.process_time()
        work()
        return round(time.process_time() - begin, 2)

    def permuted() -> None:
        for seed in range(permutations):
            model.fit(X, shuffle_by_patient(y, seed=seed))

    return {
        "cases": cases, "features": features, "permutations": permutations,
        "agreement": seconds(lambda: icc(X)),
        "correlation": seconds(lambda: absolute_correlation(z)),
        "path": seconds(lambda: lasso_path(z, y.astype(float), **net)),
        "path and folds": seconds(lambda: LogisticLassoCV(settings.lasso.folds, **net).fit(z, y)),
        "whole fit": seconds(lambda: model.fit(X, y)),
        "permuted outcomes": seconds(permuted),
        **{k: v for k, v in spent().items() if k == "mb"},
    }  # fmt: skip


def fit_on_disk(folder: Path, cases: int, features: int) -> dict[str, dict[str, float]]:
    """z-scores of all cases and a path that ends after `FEW` penalties: what a fit holds."""
    from centrum.modelling.lasso import lasso_path
    from centrum.modelling.z_score import ClippedZScore

    X, y = write_values(folder / "made", cases, features)
    told = {"written": spent()}
    step = ClippedZScore(2.0).fit(X[:, :, 0])
    told["z-score"] = spent()
    z = step.transform(X[:, :, 0])
    path = lasso_path(z, y.astype(float), l1_ratio=0.5, n_lambdas=FEW, threshold=1e-7)
    told[f"path of {FEW} penalties to {path.df[-1]} features"] = spent()
    path.linear_predictor(z, path.lambdas)
    told["scores along the path"] = spent()
    return told


def page(found: dict[str, Any]) -> str:
    """docs/reference/large-tables.md."""
    head = [
        "# Large tables",
        f"Written by `python benchmarks/large_tables.py` on {found['machine']}. {MADE_UP}",
        TEXT,
    ]
    made = (_runs, "runs"), (_on_disk, "on_disk"), (_wide, "wide")
    sections = (part for write, key in made if found.get(key) for part in write(found[key]))
    return "\n\n".join([*head, *sections]) + "\n"


def _runs(runs: list[dict[str, Any]]) -> Iterator[str]:
    from report import table

    steps = list(dict.fromkeys(step for run in runs for step in run["steps"]))
    heads = [f"{run['cases']:,} x {run['features']:,}".replace(",", " ") for run in runs]
    told = {"make": "write the table", "make-elsewhere": "write the other table (CSV)"}

    def rows(key: str) -> Iterator[list[str]]:
        for step in steps:
            cells = (run["steps"].get(step, {}).get(key) for run in runs)
            yield [told.get(step, step), *("" if c is None else f"{c:g}" for c in cells)]

    yield "## Most resident memory, MB, by cases x features (of two readers)"
    yield table(["", *heads], rows("mb"))
    yield "## CPU seconds"
    yield table(["", *heads], rows("cpu"))


def _on_disk(steps: dict[str, dict[str, float]]) -> Iterator[str]:
    from report import table

    yield f"## A fit of {MOST} x {FEATURES} on disk"
    yield (
        f"All cases, and a path that ends after {FEW} of 100 penalties: what it holds at most, and "
        "not how long a fit takes. Memory is the largest so far; seconds are of all up to there."
    )
    rows = ([name, f"{v['mb']:g}", f"{v['cpu']:g}"] for name, v in steps.items())
    yield table(["", "MB", "CPU seconds"], rows)


def _wide(parts: dict[str, float]) -> Iterator[str]:
    from report import table

    minutes = 200 / parts["permutations"] * parts["permuted outcomes"] / 60
    yield f"## More features than cases: {parts['cases']} x {parts['features']}"
    yield (
        f"`permuted outcomes` are {parts['permutations']} fits: 200 would take {minutes:.0f} "
        f"minutes of one core. Most resident memory {parts['mb']} MB."
    )
    rows = ([name, f"{v:g}"] for name, v in parts.items() if isinstance(v, float))
    yield table(["", "CPU seconds"], rows)


def one_step(step: str, folder: Path, cases: int, features: int) -> None:
    """What a process of `apart` does."""
    if step == "fit-on-disk":
        print(json.dumps(fit_on_disk(folder, cases, features)))
        return
    if step == "make":
        make_study(folder / "study", cases, features, EVALUATION)
    elif step == "wide":
        print(json.dumps(wide()))
        return
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
    parser.add_argument("--what", nargs="*", default=["runs", "wide", "on-disk"])
    parser.add_argument("--dry", action="store_true")
    given = parser.parse_args()
    if given.step:
        step, folder, cases, features = given.step
        one_step(step, Path(folder), int(cases), int(features))
        return
    from speed import machine

    from report import DOCS

    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"runs": []}
    if "runs" in given.what:
        rows = [measured(n, given.features, tuple(given.steps), given.folder) for n in given.cases]
        again = [(row["cases"], row["features"]) for row in rows]
        kept = [r for r in found["runs"] if (r["cases"], r["features"]) not in again]
        found["runs"] = sorted([*kept, *rows], key=lambda row: (-row["features"], row["cases"]))
    if "wide" in given.what:
        found["wide"] = apart("--step", "wide", ".", "0", "0")
    if "on-disk" in given.what:
        with tempfile.TemporaryDirectory(dir=given.folder) as name:
            found["on_disk"] = apart("--step", "fit-on-disk", name, str(MOST), str(FEATURES))
    found["machine"] = machine()["processor"] or "one machine"
    if not given.dry:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        (DOCS / "large-tables.md").write_text(page(found))


if __name__ == "__main__":
    main()
