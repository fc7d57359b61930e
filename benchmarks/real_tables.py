"""Honest AUC of the default model and of the search on real radiomics tables.

    python benchmarks/real_tables.py default            # 20 stratified 7:3 splits
    python benchmarks/real_tables.py search             # 10-fold nested cross-validation
    python benchmarks/real_tables.py centres            # Hosny: each centre left out
    python benchmarks/real_tables.py page               # docs/reference/real-tables.md

Results are kept in benchmarks/results/real-tables.json, one table at a time, so that a run that
was stopped goes on.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

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
PAGE = ROOT / "docs" / "reference" / "real-tables.md"

PRESET = "vcf-t2w"

BASELINE = {
    "WORC-Lipo": (0.862, 0.873), "Arita2018": (0.784, 0.811), "Song2020": (0.950, 0.974),
    "Deng2023": (0.865, 0.866), "Sasaki2019": (0.509, 0.611), "ISPY1": (0.530, 0.604),
    "Brancato2023": (0.637, 0.779), "Hosny2018A": (0.555, 0.617),
}  # fmt: skip
"""Leak-free baseline, and the optimistic best of 616 configurations (radMLBench)."""

CENTRES = ("Hosny2018A", "Hosny2018B", "Hosny2018C")

Split = tuple[np.ndarray, np.ndarray]


def read(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features (cases, features, 1) and outcome of a table."""
    table = pd.read_csv(REFERENCE / "modelling" / "tables" / f"{name}.csv.gz")
    X = table.drop(columns=["ID", "Target"]).to_numpy(float)
    return X[:, :, None], table["Target"].to_numpy()


def splits(y: np.ndarray, number: int = 20) -> Iterator[Split]:
    """Stratified 7:3 splits with the seeds 0, 1, ..."""
    return (stratified_split(y, None, 0.7, seed) for seed in range(number))


def folds(y: np.ndarray) -> Iterator[Split]:
    """Ten stratified folds."""
    return train_and_held_out(folds_by_patient(y, None, 10, seed=0))


def areas(
    model: BaseEstimator, X: np.ndarray, y: np.ndarray, parts: Iterator[Split]
) -> list[float]:
    """Test AUC of every part, everything refitted in each."""
    found = []
    for train, test in parts:
        fitted = clone(model).fit(X[train], y[train])
        found.append(float(auc(y[test] == 1, fitted.decision_function(X[test]))))
    return found


def models() -> dict[str, tuple[BaseEstimator, bool]]:
    """Mode -> unfitted model, and whether it is judged by folds rather than splits."""
    settings = load_preset(PRESET).model
    return {
        "default": (StudyClassifier(settings, 1), False),
        "default-folds": (StudyClassifier(settings, 1), True),
        "search": (SearchClassifier(SearchSettings(), settings, 1), True),
        "winner": (SearchClassifier(SearchSettings(ensemble=1), settings, 1), True),
    }


def run(mode: str) -> None:
    """Every table in turn; those that were done are not done again."""
    model, by_folds = models()[mode]
    for name in BASELINE:
        known = load()
        if name in known.setdefault(mode, {}):
            continue
        X, y = read(name)
        found = areas(model, X, y, folds(y) if by_folds else splits(y))
        save(mode, name, found)
        print(f"{mode:14} {name:14} {np.mean(found):.3f} ± {np.std(found, ddof=1):.3f}", flush=True)


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
    for mode, chosen in (("plain", settings), ("ComBat", with_combat(settings, combat))):
        for name in CENTRES:
            train, test = np.flatnonzero(centre != name), np.flatnonzero(centre == name)
            model = StudyClassifier(chosen, 1).fit(X[train], y[train], batch=centre[train])
            scores = model.decision_function(X[test], batch=centre[test])
            save(f"centres {mode}", name, [float(auc(y[test] == 1, scores))])
        pooled = []
        for train, test in splits(y, 5):
            model = StudyClassifier(chosen, 1).fit(X[train], y[train], batch=centre[train])
            scores = model.decision_function(X[test], batch=centre[test])
            pooled.append(float(auc(y[test] == 1, scores)))
        save(f"centres {mode}", "all centres mixed", pooled)
        print(mode, load()[f"centres {mode}"], flush=True)


def with_combat(settings: ModelSettings, combat: object) -> ModelSettings:
    """The model with harmonisation switched on."""
    return settings.model_copy(update={"harmonisation": combat})


def load() -> dict[str, dict[str, list[float]]]:
    """What was measured: mode -> table -> AUCs."""
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}


def save(mode: str, name: str, found: list[float]) -> None:
    """Keep the AUCs of a table."""
    known = load()
    known.setdefault(mode, {})[name] = [round(value, 4) for value in found]
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")


def text(values: list[float] | None) -> str:
    """Mean and SD."""
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


def page() -> str:
    """The page of results."""
    known = load()
    heads = {
        "default": "default, 20 splits 7:3", "default-folds": "default, 10 folds",
        "winner": "search, winner, 10 folds", "search": "search, mean of 10, 10 folds",
    }  # fmt: skip
    heads = {mode: head for mode, head in heads.items() if mode in known}
    lines = [
        "# Real radiomics tables",
        "",
        "Written by `python benchmarks/real_tables.py`. Test AUC (mean ± SD over the parts), every",
        f"step refitted in each part. Default: the model of the preset `{PRESET}`; search: "
        "`search: {}`.",
        "Baseline: a leak-free LASSO; best: the optimistic best of 616 configurations of the",
        "benchmark radMLBench, chosen on the very folds that it is judged on.",
        "",
        f"| table | baseline | {' | '.join(heads.values())} | optimistic best |",
        "|---|--:" + "|--:" * (len(heads) + 1) + "|",
    ]
    means: dict[str, list[float]] = {mode: [] for mode in heads}
    for name, (baseline, best) in BASELINE.items():
        cells = [text(known[mode].get(name)) for mode in heads]
        for mode in heads:
            if name in known[mode]:
                means[mode].append(float(np.mean(known[mode][name])))
        lines.append(f"| {name} | {baseline:.3f} | {' | '.join(cells)} | {best:.3f} |")
    average = [f"{np.mean(means[mode]):.4f}" if means[mode] else "" for mode in heads]
    low, high = np.mean(list(BASELINE.values()), axis=0)
    lines.append(f"| **mean** | **{low:.4f}** | {' | '.join(average)} | **{high:.4f}** |")
    if "centres plain" in known:
        lines += [
            "",
            "## Three centres (Hosny 2018 A, B, C)",
            "",
            "Each centre tested by a model of the other two; below, all three mixed in 5",
            "stratified 7:3 splits. ComBat is learnt on training cases without outcomes; a centre",
            "that was not trained on stays as it is.",
            "",
            "| tested | plain | ComBat |",
            "|---|--:|--:|",
        ]
        for name in known["centres plain"]:
            pair = [text(known[f"centres {mode}"].get(name)) for mode in ("plain", "ComBat")]
            lines.append(f"| {name} | {pair[0]} | {pair[1]} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=[*models(), "centres", "page"])
    chosen = parser.parse_args().what
    if chosen == "page":
        PAGE.write_text(page(), encoding="utf-8")
    elif chosen == "centres":
        run_centres()
    else:
        run(chosen)


if __name__ == "__main__":
    main()
