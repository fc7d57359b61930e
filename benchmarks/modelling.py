"""Time the modelling: the LASSO beside R's glmnet, in turns, and the steps around it.

CPU seconds (user and system) on one core, warm, median of several runs; a quick work is
repeated within its run, so that the run is no shorter than the clock. Both sides get the same
numbers and the same ten folds. Without Rscript and its package glmnet the R columns are left
out. Writes results/modelling.json and docs/reference/modelling-speed.md.

    python benchmarks/modelling.py
    python benchmarks/modelling.py --case WORC --rounds 5 --dry
"""

import argparse
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self, get_args

import numpy as np
import pandas as pd
from cases import REFERENCE, ROOT
from numpy.typing import NDArray
from run import cpu_seconds
from scipy.special import expit
from speed import machine, save, stay_on_one_core
from threadpoolctl import threadpool_limits

from centrum.agreement import icc
from centrum.evaluate import Scored, evaluate, youden_cutoff
from centrum.modelling.correlation_filter import CorrelationFilter
from centrum.modelling.lasso import LogisticLassoCV, lasso_path
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.resampling import design_auc, out_of_fold_scores
from centrum.modelling.rfe import RecursiveElimination
from centrum.modelling.settings import CorrelationRule, Split
from centrum.modelling.split import stratified_split
from centrum.protocol import load_preset
from report import DOCS, table

FOLDER = ROOT / "build" / "bench-modelling"
SHORTEST = 0.1
"""Seconds of CPU that a run takes at least."""

ALPHAS = (1.0, 0.5)
THRESHOLDS = (1e-7, 1e-12)
"""R's default, and centrum's."""
WORK = {"path": "path", "cv": "path and 10 folds"}


@dataclass(frozen=True)
class Data:
    """A table of features and its outcome."""

    name: str
    X: NDArray[np.float64]
    y: NDArray[np.float64]

    def write(self) -> None:
        """As plain doubles, column after column, for R."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.X.ravel(order="F").tofile(FOLDER / f"{self.name}.x")
        self.y.tofile(FOLDER / f"{self.name}.y")


def simulated(cases: int, features: int) -> Data:
    """Independent features; the first ten carry the outcome."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(cases, features))
    y = (rng.random(cases) < expit(X[:, :10].sum(axis=1) / 2)).astype(float)
    return Data("simulated", X, y)


def lipoma() -> Data | None:
    """The radiomics table WORC-Lipo, if the reference material is there."""
    path = REFERENCE / "modelling" / "tables" / "WORC-Lipo.csv.gz"
    if not path.is_file():
        print(f"{path}: not found, left out (set CENTRUM_REFERENCE)")
        return None
    read = pd.read_csv(path)
    features = read.drop(columns=["ID", "Target"])
    varying = features.loc[:, features.nunique() > 1]
    return Data("WORC-Lipo", varying.to_numpy(float), read["Target"].to_numpy(float))


class Glmnet:
    """A running R that times glmnet; ends with the `with` block."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["Rscript", str(Path(__file__).with_name("glmnet.R")), str(FOLDER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def available() -> bool:
        """Whether R and its package are installed; says what is missing."""
        check = ["Rscript", "-e", "library(glmnet)"]
        if not shutil.which("Rscript") or subprocess.run(check, capture_output=True).returncode:
            print("R with its package glmnet: not found, left out")
            return False
        return True

    def ask(self, *words: object) -> str:
        """The reply to one request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(*words, file=self._process.stdin, flush=True)
        reply = self._process.stdout.readline().strip()
        if not reply:
            raise RuntimeError(f"R ended with code {self._process.wait()} on {words}")
        return reply

    def timer(self, work: str, alpha: float, threshold: float) -> Callable[[int], float]:
        """Seconds per run, given how many times to run."""
        return lambda repeats: float(self.ask(work, alpha, threshold, repeats))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def timer(work: Callable[[], object]) -> Callable[[int], float]:
    """Seconds of CPU per run, given how many times to run."""

    def run(repeats: int) -> float:
        start = cpu_seconds()
        for _ in range(repeats):
            work()
        return (cpu_seconds() - start) / repeats

    return run


def centrum_timer(work: str, data: Data, alpha: float, threshold: float) -> Callable[[int], float]:
    if work == "path":
        return timer(lambda: lasso_path(data.X, data.y, l1_ratio=alpha, threshold=threshold))
    fold = np.arange(data.y.size) % 10
    lasso = LogisticLassoCV(folds=fold, l1_ratio=alpha, threshold=threshold)
    return timer(lambda: lasso.fit(data.X, data.y))


def in_turns(timers: dict[str, Callable[[int], float]], rounds: int) -> dict[str, float]:
    """Median seconds of each, one run after the other in every round."""
    repeats = {
        name: max(1, int(np.ceil(SHORTEST / max(run(1), 1e-4)))) for name, run in timers.items()
    }
    found: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(rounds):
        for name, run in timers.items():
            found[name].append(run(repeats[name]))
    return {name: median(seconds) for name, seconds in found.items()}


def lassos(data: Data, r: Glmnet | None, rounds: int) -> Iterator[dict[str, Any]]:
    """A row for each work, share of the absolute penalty and threshold."""
    if r:
        data.write()
        r.ask("load", data.name)
    for work in WORK:
        for alpha in ALPHAS:
            for threshold in THRESHOLDS:
                timers = {"centrum": centrum_timer(work, data, alpha, threshold)}
                if r:
                    timers["glmnet"] = r.timer(work, alpha, threshold)
                row = {
                    "data": f"{data.name}, {data.y.size} x {data.X.shape[1]}",
                    "work": work,
                    "alpha": alpha,
                    "threshold": threshold,
                    **in_turns(timers, rounds),
                }
                print(row, flush=True)
                yield row


def steps() -> dict[str, Callable[[], object]]:
    """The steps around the LASSO, of which no R package is at hand."""
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(100, 1000)) + rng.normal(size=(100, 1))
    ratings = rng.normal(size=(100, 2000, 1)) + 0.4 * rng.normal(size=(100, 2000, 2))
    few = rng.normal(size=(70, 40))
    outcome = few[:, 0] + few[:, 1] + rng.normal(size=70) > 0
    return {
        **{
            f"correlation filter {rule}, 100 x 1000": partial(
                CorrelationFilter(0.9, rule).fit, wide
            )
            for rule in get_args(CorrelationRule)
        },
        "ICC(2,1) of two readers, 100 x 2000": lambda: icc(ratings),
        "recursive elimination, linear SVM, 70 x 40": lambda: RecursiveElimination().fit(
            few, outcome
        ),
        "recursive elimination, logistic, 70 x 40": lambda: RecursiveElimination(
            estimator="logistic"
        ).fit(few, outcome),
    }


def cohort() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """100 cases, 1000 features by two readers, some of which carry the outcome."""
    rng = np.random.default_rng(3)
    sources = rng.normal(size=(100, 30))
    X = sources @ rng.normal(size=(30, 1000)) + rng.normal(size=(100, 1000))
    y = (sources[:, 0] + sources[:, 1] + rng.normal(size=100) > 0).astype(np.int64)
    return np.stack([X, X + 0.3 * rng.normal(size=X.shape)], axis=2), y


def whole_study(preset: str) -> None:
    """One split, the model with its nested out-of-fold scores, cut-off, 1000 bootstraps."""
    X, y = cohort()
    train, test = stratified_split(y, None, 0.7, 1)
    model = StudyClassifier(load_preset(preset).model, 1)
    scores = out_of_fold_scores(model, X[train], y[train], folds=5, seed=1)
    fitted = model.fit(X[train], y[train]).decision_function(X[test])
    cutoff = youden_cutoff(Scored.of(scores, y[train]), "training, out of fold")
    evaluate(fitted, y[test], None, cutoff, name="test", seed=1, n_resamples=1000)


def nested(preset: str) -> None:
    """Nested 5 x 5 cross-validation, 10 repeats."""
    X, y = cohort()
    split = Split(design="nested_cv", folds=5, repeats=10)
    model = StudyClassifier(load_preset(preset).model, 1)
    design_auc(model, X, y, None, split, pd.DataFrame(index=range(100)))


def procedures(rounds: int) -> dict[str, float]:
    """CPU seconds of whole procedures on 100 cases x 1000 features x 2 readers."""
    found = {}
    for preset in ("vcf-t2w-2024", "vcf-t2w"):
        once = partial(whole_study, preset)
        once()
        name = f"{preset}: one split, cut-off out of fold, 1000 bootstrap samples"
        found[name] = median(timer(once)(1) for _ in range(rounds))
        name = f"{preset}: nested 5 x 5, 10 repeats (once)"
        found[name] = timer(partial(nested, preset))(1)
    return found


def page(found: dict[str, Any]) -> str:
    """The page of the documentation."""
    beside = f"beside {found['r']} " if found["r"] else "(R was not found) "
    sections = [
        "# Speed of the modelling",
        f"Written by `python benchmarks/modelling.py` {beside}on one core of "
        f"{machine()['processor'] or 'this machine'}: CPU seconds (user and system), warm, median "
        f"of {found['rounds']} runs, both sides in turns on the same numbers and the same folds. "
        "The simulated table has independent features, ten of which carry the outcome; that of "
        "lipomas is a radiomics table, whose features resemble each other.",
        "## LASSO and elastic net",
        "`thresh` is glmnet's rule of convergence: 1e-7 is the default of R, 1e-12 that of "
        "centrum. On the table of lipomas R's own selection at 1e-7 differs from that at 1e-12 at "
        "nearly every second penalty.",
        _lasso_table(found["lasso"]),
        "## Other steps",
        table(
            ["", "CPU seconds"],
            ([name, f"{seconds:.4f}"] for name, seconds in found["steps"].items()),
        ),
        "## Whole procedures",
        "100 cases x 1000 features x 2 readers, on one core.",
        table(
            ["", "CPU seconds"],
            ([name, f"{seconds:.2f}"] for name, seconds in found["procedures"].items()),
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _lasso_table(rows: list[dict[str, Any]]) -> str:
    return table(
        ["table, work", "alpha", "thresh", "centrum", "glmnet", "times faster"],
        (
            [
                f"{row['data']}: {WORK[row['work']]}",
                f"{row['alpha']:g}",
                f"{row['threshold']:.0e}",
                f"{row['centrum']:.4f}",
                f"{row['glmnet']:.4f}" if "glmnet" in row else "",
                f"{row['glmnet'] / row['centrum']:.1f}" if "glmnet" in row else "",
            ]
            for row in rows
        ),
    )


def measure(wanted: str, rounds: int) -> dict[str, Any]:
    """Everything on the page."""
    chosen = [d for d in (lipoma(), simulated(500, 2000)) if d and wanted in d.name]
    with ExitStack() as stack:
        r = stack.enter_context(Glmnet()) if Glmnet.available() else None
        version = r.ask("version") if r else ""
        rows = [row for data in chosen for row in lassos(data, r, rounds)]
    other = in_turns({name: timer(work) for name, work in steps().items()}, rounds)
    whole = procedures(rounds)
    return {"rounds": rounds, "r": version, "lasso": rows, "steps": other, "procedures": whole}


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the modelling, the LASSO beside R's glmnet.")
    parser.add_argument("--case", default="", help="tables whose name holds this word")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    chosen = parser.parse_args()
    stay_on_one_core()
    with threadpool_limits(1):
        found = measure(chosen.case, chosen.rounds)
    print(page(found))
    if not chosen.dry:
        save("modelling", found)
        (DOCS / "modelling-speed.md").write_text(page(found))


if __name__ == "__main__":
    main()
