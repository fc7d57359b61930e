"""Models side by side on real radiomics tables: the same parts, everything refitted in each.

    python benchmarks/real_tables.py models             # in nested folds, then on splits
    python benchmarks/real_tables.py centres            # Hosny: each centre left out
    python benchmarks/real_tables_page.py               # docs/reference/real-tables.md, its figures

Results are kept in benchmarks/results/real-tables.json, one table at a time, so that a run that
was stopped goes on.
"""

import argparse
import json
import os
from collections.abc import Sequence
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from centrum.modelling.auc import auc
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import SearchClassifier
from centrum.modelling.settings import ModelSettings, SearchSettings
from centrum.modelling.split import folds_by_patient, stratified_split, train_and_held_out
from centrum.protocol import load_preset

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path(os.environ.get("CENTRUM_REFERENCE", ROOT.parent / "shared" / "reference"))
RESULTS = ROOT / "benchmarks" / "results" / "real-tables.json"

PRESET, RECIPE = "vcf-t2w", "vcf-t2w-2024"

BASELINE = {
    "WORC-Lipo": (0.862, 0.873), "Arita2018": (0.784, 0.811), "Song2020": (0.950, 0.974),
    "Deng2023": (0.865, 0.866), "Sasaki2019": (0.509, 0.611), "ISPY1": (0.530, 0.604),
    "Brancato2023": (0.637, 0.779), "Hosny2018A": (0.555, 0.617),
}  # fmt: skip
"""Leak-free baseline, and the optimistic best of 616 configurations (radMLBench)."""

CENTRES = ("Hosny2018A", "Hosny2018B", "Hosny2018C")

SEED = 1
"""Of the models' own folds, forests and balancing."""

FOLDS, REPEATS, SPLITS = 10, 3, 20

CANDIDATES = ("default", "sparse", "ridge", "elastic net, a tenth", "filtered ridge")
"""Models that can be the default."""

NO_CANDIDATES = ("2024 recipe", "random forest", "search")
"""Models that are looked at, in the first repeat of the folds alone."""

SPLITS_OF_SEARCH = 5
"""A search takes fifty times as long as the other models: the first splits."""

Split = tuple[np.ndarray, np.ndarray]
Result = dict[str, list[float]]


def read(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features (cases, features, 1) and outcome of a table."""
    table = pd.read_csv(REFERENCE / "modelling" / "tables" / f"{name}.csv.gz")
    X = table.drop(columns=["ID", "Target"]).to_numpy(float)
    return X[:, :, None], table["Target"].to_numpy()


def splits(y: np.ndarray, number: int = SPLITS) -> list[Split]:
    """Stratified 7:3 splits with the seeds 0, 1, ..."""
    return [stratified_split(y, None, 0.7, seed) for seed in range(number)]


def folds(y: np.ndarray) -> list[Split]:
    """Ten stratified folds, dealt anew with the seeds 0, 1, ..."""
    dealt = (folds_by_patient(y, None, FOLDS, seed) for seed in range(REPEATS))
    return list(chain.from_iterable(map(train_and_held_out, dealt)))


DESIGNS = {"folds": folds, "splits": splits}


def models() -> dict[str, BaseEstimator]:
    """Unfitted models by name."""
    default, recipe = (load_preset(name).model for name in (PRESET, RECIPE))
    plain = changed(default, clip=None, correlation=None)
    tenth = default.lasso.model_copy(update={"l1_ratio": 0.1})
    chosen = {
        "default": default,
        "sparse": default.sparse,
        "ridge": changed(plain, classifier="ridge"),
        "elastic net, a tenth": changed(default, lasso=tenth),
        "2024 recipe": recipe,
        "random forest": changed(plain, classifier="random_forest"),
        "filtered ridge": changed(default, classifier="ridge"),
    }
    found: dict[str, BaseEstimator] = {
        name: StudyClassifier(settings, SEED, calibrate=False) for name, settings in chosen.items()
    }
    return found | {"search": SearchClassifier(SearchSettings(), default, SEED, calibrate=False)}


def changed(settings: ModelSettings, **changes: object) -> ModelSettings:
    """Settings with other choices."""
    return settings.model_copy(update=changes)


def test_results(
    model: BaseEstimator, X: np.ndarray, y: np.ndarray, parts: Sequence[Split]
) -> Result:
    """Test AUC and number of features of every part, everything refitted in each."""
    found: Result = {"auc": [], "features": []}
    for train, test in parts:
        fitted = clone(model).fit(X[train], y[train])
        found["auc"].append(float(auc(y[test] == 1, fitted.decision_function(X[test]))))
        found["features"].append(len(fitted.selected_))
    return found


def run_models() -> None:
    """Every model, design and table in turn; those that were done are not done again."""
    unfitted = models()
    for (design, mode), name in product(product(DESIGNS, unfitted), BASELINE):
        if name in load().get(design, {}).get(mode, {}):
            continue
        X, y = read(name)
        parts = DESIGNS[design](y)[: number_of_parts(design, mode)]
        found = test_results(unfitted[mode], X, y, parts)
        save(design, mode, name, found)
        print(f"{design:7} {mode:22} {name:14} {np.mean(found['auc']):.3f}", flush=True)


def number_of_parts(design: str, mode: str) -> int | None:
    """How many of the parts of a design a model is fitted to; all where None."""
    if design == "folds":
        return FOLDS if mode in NO_CANDIDATES else None
    return SPLITS_OF_SEARCH if mode == "search" else None


def run_centres() -> None:
    """Each Hosny centre tested by a model of the other two, with and without ComBat.

    With ComBat the tested centre has its own batch, learnt from its features without outcomes
    only if `unseen` allows: here it is left as it is, as a new centre's first patient would be.
    """
    read_all = [read(name) for name in CENTRES]
    X = np.concatenate([x for x, _ in read_all])
    y = np.concatenate([t for _, t in read_all])
    centre = np.repeat(CENTRES, [len(t) for _, t in read_all])
    settings = load_preset(PRESET).model
    combat = settings.harmonisation.model_copy(update={"method": "combat"})
    for mode, chosen in (("plain", settings), ("ComBat", changed(settings, harmonisation=combat))):
        for name in CENTRES:
            train, test = np.flatnonzero(centre != name), np.flatnonzero(centre == name)
            model = StudyClassifier(chosen, 1).fit(X[train], y[train], batch=centre[train])
            scores = model.decision_function(X[test], batch=centre[test])
            save("centres", mode, name, {"auc": [float(auc(y[test] == 1, scores))]})
        pooled = []
        for train, test in splits(y, 5):
            model = StudyClassifier(chosen, 1).fit(X[train], y[train], batch=centre[train])
            scores = model.decision_function(X[test], batch=centre[test])
            pooled.append(float(auc(y[test] == 1, scores)))
        save("centres", mode, "all centres mixed", {"auc": pooled})
        print(mode, load()["centres"][mode], flush=True)


def load() -> dict[str, dict[str, dict[str, Result]]]:
    """What was measured: design -> model -> table -> AUC and number of features of each part."""
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    return found


def save(design: str, mode: str, name: str, found: Result) -> None:
    """Keep the results of a table."""
    known = load()
    rounded = {what: [round(value, 4) for value in values] for what, values in found.items()}
    known.setdefault(design, {}).setdefault(mode, {})[name] = rounded
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["models", "centres"])
    run = {"models": run_models, "centres": run_centres}
    run[parser.parse_args().what]()


if __name__ == "__main__":
    main()
