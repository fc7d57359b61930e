"""Whole procedures on outcomes dealt out anew: nothing may be learnt, under any design.

    python benchmarks/permuted.py       # writes docs/reference/permuted-outcomes.md

`make test-slow` runs the same and fails when a mean is further from 0.5 than `ERRORS` of its
standard errors.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from centrum.modelling.leaks import LEAKS, TITLES, SplitStudy
from centrum.modelling.permute import shuffle_by_patient
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.resampling import design_auc
from centrum.modelling.search import SearchClassifier
from centrum.modelling.settings import SearchSettings, Split
from centrum.modelling.split import stratified_split
from centrum.protocol import load_preset

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "permuted-outcomes.md"

PERMUTATIONS = 100

ERRORS = 3
"""Standard errors of the mean over permutations."""

PRESETS = ("vcf-t2w", "vcf-t2w-2024")

DESIGNS = {
    "single": Split(),
    "repeated_split": Split(design="repeated_split", repeats=3),
    "repeated_k_fold": Split(design="repeated_k_fold", folds=4, repeats=2),
    "nested_cv": Split(design="nested_cv", folds=5, repeats=1),
    "leave_one_centre_out": Split(design="leave_one_centre_out"),
    "temporal": Split(design="temporal"),
    "external": Split(design="external", test_values=("C",)),
}
"""Every advertised design, small enough to be repeated."""

QUICK_SEARCH = SearchSettings(
    selectors=("lasso", "mrmr", "none"), classifiers=("ridge", "rbf_svm", "naive_bayes"),
    n_features=(4, 16), ensemble=3,
)  # fmt: skip

Cell = tuple[str, str]


def cohort() -> tuple[np.ndarray, np.ndarray, np.ndarray, pd.DataFrame]:
    """240 cases of 200 patients, 120 features by two readers that resemble each other, three
    centres that differ in all features, dates; outcomes unrelated to any of it."""
    rng = np.random.default_rng(7)
    patients = np.r_[np.arange(200), rng.choice(200, 40, replace=False)]
    sources = rng.normal(size=(200, 15))[patients] + 0.3 * rng.normal(size=(240, 15))
    X = sources @ rng.normal(size=(15, 120)) + rng.normal(size=(240, 120))
    centre = np.array(["A", "B", "C"])[rng.integers(0, 3, 200)][patients]
    X += (centre == "B")[:, None] * rng.normal(size=120)
    readings = np.stack([X, X + 0.5 * rng.normal(size=X.shape)], axis=2)
    y = rng.permutation(np.arange(200) % 2)[patients]
    days = pd.date_range("2019-01-01", periods=200).strftime("%Y-%m-%d").to_numpy()
    columns = pd.DataFrame({"centre": centre, "date": days[patients]})
    return readings, y, patients, columns


def model_of(name: str) -> BaseEstimator:
    """The model of a preset; of "search" a search with the default's other steps."""
    if name == "search":
        return SearchClassifier(QUICK_SEARCH, load_preset(PRESETS[0]).model, 1)
    return StudyClassifier(load_preset(name).model, 1)


def cells() -> Iterator[Cell]:
    """Every design with every preset, and the search and ComBat under one design."""
    for preset in PRESETS:
        for design in DESIGNS:
            yield preset, design
    yield "search", "single"


def permuted(cell: Cell) -> list[float]:
    """Mean test AUC of the design under each permutation."""
    model, design = cell
    X, y, patients, columns = cohort()
    return [
        design_auc(model_of(model), X, y, patients, DESIGNS[design], columns, permutation=seed)
        for seed in range(PERMUTATIONS)
    ]


def leaked(leak: str) -> list[float]:
    """AUC that the leak would have claimed under each permutation, with the 2024 recipe."""
    X, y, patients, _ = cohort()
    settings = load_preset("vcf-t2w-2024").model
    found = []
    for seed in range(PERMUTATIONS):
        target = shuffle_by_patient(y, patients, seed)
        train, test = stratified_split(target, patients, 0.7, seed)
        names = tuple(f"x{k}" for k in range(X.shape[1]))
        scene = SplitStudy(
            StudyClassifier(settings, 1), X, target, patients, None, names, train, test,
            settings, seed,
        )  # fmt: skip
        found.append(LEAKS[leak](scene))
    return found


def errors(areas: list[float]) -> float:
    """How many standard errors the mean lies from 0.5, above it if positive."""
    return float((np.mean(areas) - 0.5) / (np.std(areas, ddof=1) / np.sqrt(len(areas))))


def spread(function: Callable[[object], list[float]], jobs: list) -> dict:
    """Job -> result, over two processes."""
    with ProcessPoolExecutor(2) as pool:
        return dict(zip(jobs, pool.map(function, jobs), strict=True))


def main() -> None:
    found = spread(permuted, list(cells()))
    switched_on = spread(leaked, list(LEAKS))
    lines = [
        "# Permuted outcomes",
        "",
        f"Written by `python benchmarks/permuted.py`. {PERMUTATIONS} permutations of the outcome "
        "among the",
        "patients of a made-up cohort (240 cases of 200 patients, 120 features, two readers, three",
        "centres); the whole procedure refitted in each. Mean of the test AUC, its standard "
        "deviation",
        "over the permutations, and how many standard errors the mean lies from 0.5. Nothing can",
        f"be learnt: more than {ERRORS} are a fault.",
        "",
        "| model | design | mean AUC | SD | standard errors |",
        "|---|---|--:|--:|--:|",
    ]
    for (model, design), areas in found.items():
        lines.append(
            f"| {model} | {design} | {np.mean(areas):.3f} | {np.std(areas, ddof=1):.3f} "
            f"| {errors(areas):+.1f} |"
        )
    lines += [
        "",
        "With each classic leak switched on, the recipe of 2024 claims on the same outcomes:",
        "",
        "| leak | mean AUC | SD |",
        "|---|--:|--:|",
    ]
    for leak, areas in switched_on.items():
        lines.append(f"| {TITLES[leak]} | {np.mean(areas):.3f} | {np.std(areas, ddof=1):.3f} |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    worst = max(abs(errors(areas)) for areas in found.values())
    print(f"{PAGE.name}: the furthest mean lies {worst:.1f} standard errors from 0.5")
    sys.exit(worst > ERRORS)


if __name__ == "__main__":
    main()
