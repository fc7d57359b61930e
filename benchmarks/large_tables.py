"""What a study of many cases costs: each verb in a process of its own, with its peak of memory.

The table is made up: 40 hidden numbers of each case make every feature, noise is added, a second
reader measures with more noise, and the outcome follows five of the hidden numbers. It says
nothing of medicine. Seconds are of the processor, of the process and its children; memory is the
largest resident set, pages of mapped files included. Writes results/large_tables.json and
docs/reference/large-tables.md.

    python benchmarks/large_tables.py                       # 1e3, 1e4 and 1e5 cases; hours
    python benchmarks/large_tables.py --cases 1000 --dry
    python benchmarks/large_tables.py --what scored gathered
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

The preset `vcf-t2w` (elastic net, 5 folds, 100 penalties), one split of 70 % to 30 %, cut-offs by
2 folds, 1000 resamples, without ablation, permuted outcomes and leaks switched on. Each of these
repeats the fit: multiply. So do more folds for the cut-off and designs of several parts. With
`--workers` every process holds a fit of its own.

`fit` is three fits of the model, two of them on half of the training cases; `internal` is six, five
of them on four fifths. A fit of the model is six paths of penalties: one on its cases, and one
without each of five folds.

## What is gone over in blocks

Agreement, the filters of constant and of correlated features, the screen, imputation by median or
mean, ComBat, `balance: repeat` or `class_weight`, the z-score, and the elastic net or LASSO.

Of a text table of more than 32 MB (`centrum validate`, a study of `tables`) rows are read in
blocks, and their numbers go to a file. It has to be plain: one row for each case below one row of
headings, and decimal points. What else a table may be is read of up to 8 million cells. A frozen
model reads only the columns that it needs.

`centrum gather`, and `extract` of very many cases, keep records on disk.

## What needs all of it at once

These need the table that reaches them, and two to four times as much beside: `imputation: knn`,
`balance: smote`, the selectors `mrmr`, `relieff` and `stability`, recursive elimination, other
classifiers, a perturbed layer (`robustness`), and the leak `copies_on_both_sides`. Beyond
{in_memory:g} million numbers they are refused, with what to choose instead. This is {resident:g}
GB, which a process should need at most, of {copies} tables of 8 bytes a number: the table as it was
read, its training cases, these scaled, and what the step makes of them. It does not depend on the
memory that there is, so that the same study is refused on every machine or on none.

`centrum import` reads text cell by cell, some 150 bytes each, and refuses more than 8 million
cells."""

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
    """A study of one table of other patients, as CSV of six digits; rows repeat after `AT_ONCE`."""
    folder.mkdir(parents=True)
    heads = [f"x{k}" for k in range(features)]
    values, positive = next(made_up(min(cases, AT_ONCE), features, seed=4))
    rows = [",".join(f"{v:.6g}" for v in row) for row in values[:, :, 0]]
    with (folder / "table.csv").open("w") as stream:
        stream.write(",".join(["case", *heads]) + "\n")
        for k in range(cases):
            stream.write(f"Q{k:06d},{rows[k % len(rows)]}\n")
    write_cases(folder, np.resize(positive, cases), "Q")
    write_protocol(folder, {"one": "table.csv"})


def make_shards(folder: Path, cases: int, features: int) -> None:
    """Shards of measured cases of two readers, each with what a record of images holds beside."""
    from centrum.measure.shards import SETTLED, Shards

    rng = np.random.default_rng(6)
    beside = {
        "errors": [],
        "findings": [],
        "history": {r: [{"name": f"step {k}", "parameters": {"spacing": [0.7, 0.7, 4.0]}}
                        for k in range(12)] for r in READERS},
        "acquisition": {f"fact {k}": float(k) for k in range(20)},
        "overlap": [{"reader_a": READERS[0], "reader_b": READERS[1], "dice": 0.9}],
    }  # fmt: skip
    keys = [f"{k:064x}" for k in rng.permutation(cases)]
    for begin in range(0, cases, SETTLED):
        some = keys[begin : begin + SETTLED]
        values = rng.normal(size=(len(some), len(READERS), features)).tolist()
        Shards(folder / "shards").write({
            key: {**beside, "values": dict(zip(READERS, own, strict=True))}
            for key, own in zip(some, values, strict=True)
        })  # fmt: skip


def gather(folder: Path, cases: int) -> None:
    """Make the index, read all records and go over them, and lay them out anew."""
    from centrum.measure.records_on_disk import RecordsOnDisk
    from centrum.measure.shards import Shards

    shards, kept = Shards(folder / "shards"), RecordsOnDisk(folder)
    shards.compact()
    shards.records([f"{k:064x}" for k in range(cases)], failed=True, into=kept)
    assert sum(len(record["values"]) for record in kept.values()) == len(READERS) * cases
    shards.settle(kept)


def verb(name: str, folder: Path) -> None:
    """Do one verb, as the command line does."""
    from centrum.commands import study as verbs
    from centrum.commands.validate import read_model, validate_model

    if name == "score":
        model = read_model(folder / "study" / "results" / "model.json")
        validate_model(model, folder / "elsewhere", folder / "scored")
    else:
        getattr(verbs, name)(verbs.open_study(folder / "study"))


MOST, MODELLED = 100_000, 1000

VERBS = ("agree", "fit", "internal", "evaluate", "explain", "freeze", "report", "score")


def one_path(folder: Path) -> None:
    """All steps of the model and one path of penalties, on the training cases of `fit`."""
    from contextlib import suppress

    from centrum.commands import study as verbs
    from centrum.modelling.lasso import LogisticLassoCV
    from centrum.study.study import training_rows
    from centrum.validation.fits import build_model
    from centrum.validation.matrix import study_matrix

    class PathDone(Exception):
        """No folds."""

    def no_folds(*_: object) -> None:
        raise PathDone

    LogisticLassoCV._cross_validate = no_folds  # type: ignore[assignment]
    study = verbs.open_study(folder / "study")
    table = verbs.load_table(study, **study.protocol.layers)
    matrix, (train, _) = (
        study_matrix(table, study.protocol),
        training_rows(study.protocol, table.obs),
    )
    with suppress(PathDone):
        model = build_model(study.protocol, matrix)
        model.fit(matrix.X[train], matrix.positive[train], matrix.patients[train])


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
    cases: int, features: int, steps: tuple[str, ...], place: str | None, others: int | None = None
) -> dict[str, Any]:
    """Each step on a study of so many cases; patients of the other centre may be more."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        row: dict[str, Any] = {"cases": cases, "features": features, "steps": {}}
        for step in steps:
            n = cases if others is None or step != "make-elsewhere" else others
            row["steps"][step] = apart("--step", step, name, str(n), str(features))
            print(n, features, step, json.dumps(row["steps"][step]), flush=True)
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
    """What the elastic net of all cases costs, from the file of columns on."""
    from centrum.modelling.lasso import LassoPath, LogisticLassoCV
    from centrum.modelling.permute import shuffle_by_patient
    from centrum.modelling.z_score import ClippedZScore
    from centrum.protocol import load_preset

    settings, paths = load_preset("vcf-t2w").model, list[dict[str, float]]()

    class Timed(LogisticLassoCV):
        def _path(self, *given: Any) -> LassoPath:
            found = super()._path(*given)
            paths.append(spent())
            return found

    def net(labels: NDArray) -> dict[str, float]:
        Timed(**dict(settings.lasso)).fit(z, labels)
        return spent()

    net_of_few = np.random.default_rng(0).normal(size=(60, 4))
    Timed(**dict(settings.lasso)).fit(net_of_few, np.arange(60) % 2)  # compiled
    X, y = write_values(folder / "made", cases, features)
    written = spent()
    z = ClippedZScore(settings.clip).fit(X[:, :, 0]).transform(X[:, :, 0])
    scaled = spent()
    paths.clear()
    fitted = net(y)
    path = paths[0]
    permuted = net(shuffle_by_patient(y.astype(int), seed=1))
    return {
        "z-score": _since(written, scaled),
        "path": _since(scaled, path),
        "path and folds": _since(scaled, fitted),
        "the same of a permuted outcome": _since(fitted, permuted),
    }


def _since(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Seconds between, and most memory by then."""
    return {"mb": after["mb"], "cpu": round(after["cpu"] - before["cpu"], 1)}


def net_on_disk(cases: int, place: str | None) -> dict[str, Any]:
    """The same in a process of its own."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        return apart("--step", "fit-on-disk", name, str(cases), str(FEATURES))


def page(found: dict[str, Any]) -> str:
    """docs/reference/large-tables.md."""
    from centrum.modelling.on_disk import COPIES, IN_MEMORY, RESIDENT

    head = [
        "# Large tables",
        f"Written by `python benchmarks/large_tables.py` on {found['machine']}. {MADE_UP}",
        TEXT.format(in_memory=IN_MEMORY / 1e6, resident=RESIDENT / 1e9, copies=COPIES),
    ]
    made = (
        (_runs, "runs"),
        (_scored, "scored"),
        (_gathered, "gathered"),
        (_on_disk, "on_disk"),
        (_wide, "wide"),
    )
    sections = (part for write, key in made if found.get(key) for part in write(found[key]))
    return "\n\n".join([*head, *sections]) + "\n"


def _runs(runs: list[dict[str, Any]]) -> Iterator[str]:
    from report import table

    steps = list(dict.fromkeys(step for run in runs for step in run["steps"]))
    heads = [f"{run['cases']:,} x {run['features']:,}".replace(",", " ") for run in runs]
    told = {
        "make": "write the table",
        "make-elsewhere": "write the other table (CSV)",
        "one-path": "all steps and one path of `fit`",
    }

    def rows(key: str) -> Iterator[list[str]]:
        for step in steps:
            cells = (run["steps"].get(step, {}).get(key) for run in runs)
            yield [told.get(step, step), *("" if c is None else f"{c:g}" for c in cells)]

    yield "## Most resident memory, MB, by cases x features (of two readers)"
    yield (
        "An empty cell was not measured. The processors were shared with others, which adds to the "
        "seconds."
    )
    yield table(["", *heads], rows("mb"))
    yield "## CPU seconds"
    yield table(["", *heads], rows("cpu"))
    yield from (run["note"] for run in runs if "note" in run)


def _scored(steps: dict[str, dict[str, float]]) -> Iterator[str]:
    spent = steps["score"]
    yield f"## A CSV of {MOST} x {FEATURES} scored"
    yield (
        f"`centrum validate` of a model of {MODELLED} cases on a study of one table, "
        f"{MOST} rows as text: {spent['mb']:g} MB, {spent['cpu']:g} CPU seconds, all statistics "
        f"included. Its rows repeat after {AT_ONCE}; every case has an id of its own."
    )


def _gathered(runs: list[dict[str, float]]) -> Iterator[str]:
    from report import table

    yield "## Measured cases gathered"
    yield (
        f"Shards of {FEATURES} values of two readers and 3 KB of JSON for each case: the index is "
        "made, all records are read and gone over, and laid out anew."
    )
    rows = ([f"{run['cases']:g}", f"{run['mb']:g}", f"{run['cpu']:g}"] for run in runs)
    yield table(["cases", "MB", "CPU seconds"], rows)


def _on_disk(runs: list[dict[str, Any]]) -> Iterator[str]:
    from report import table

    yield "## The elastic net of a table on disk"
    yield (
        f"{FEATURES} features of one reader and all cases, as far as the chosen penalty: a path of "
        "100 penalties, and one without each of 5 folds. A permuted outcome is one of those that a "
        "study asks for by `leak_audit: {permutations: 200}`. Memory is the largest so far."
    )
    heads = [f"{unit}, {run['cases']:g} cases" for run in runs for unit in ("CPU seconds", "MB")]
    rows = (
        [name, *(f"{run['parts'][name][key]:g}" for run in runs for key in ("cpu", "mb"))]
        for name in runs[0]["parts"]
    )
    yield table(["", *heads], rows)


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
    elif step == "make-shards":
        make_shards(folder, cases, features)
    elif step == "one-path":
        one_path(folder)
    elif step == "gather":
        gather(folder, cases)
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
    parser.add_argument(
        "--steps", nargs="*", default=[*VERBS[:-1], "one-path", "make-elsewhere", VERBS[-1]]
    )
    parser.add_argument("--folder")
    parser.add_argument("--step", nargs=4)
    what = ["runs", "wide", "on-disk", "scored", "gathered"]
    parser.add_argument("--what", nargs="*", default=what)
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
        steps = ("make", *given.steps)
        rows = [measured(n, given.features, steps, given.folder) for n in given.cases]
        again = [(row["cases"], row["features"]) for row in rows]
        kept = [r for r in found["runs"] if (r["cases"], r["features"]) not in again]
        found["runs"] = sorted([*kept, *rows], key=lambda row: (-row["features"], row["cases"]))
    if "wide" in given.what:
        found["wide"] = apart("--step", "wide", ".", "0", "0")
    if "on-disk" in given.what:
        found["on_disk"] = [
            {"cases": n, "parts": net_on_disk(n, given.folder)} for n in given.cases
        ]
    if "scored" in given.what:
        steps = ("make", *VERBS[:-2], "make-elsewhere", "score")
        found["scored"] = measured(MODELLED, FEATURES, steps, given.folder, MOST)["steps"]
    if "gathered" in given.what:
        steps = ("make-shards", "gather")
        found["gathered"] = [
            {"cases": n, **measured(n, FEATURES, steps, given.folder)["steps"]["gather"]}
            for n in given.cases
        ]
    found["machine"] = machine()["processor"] or "one machine"
    if not given.dry:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        (DOCS / "large-tables.md").write_text(page(found))


if __name__ == "__main__":
    main()
