"""How hard the phantom is to tell apart, what its second centre costs, and what harmonising wins.

    python benchmarks/difficulty.py   # writes docs/reference/phantom-difficulty.md
    python benchmarks/difficulty.py --cohorts 3 --pairs 2 --page difficulty.md

Cohorts of 100 simulated patients, some 70 seconds each. Their features are kept in
build/difficulty, so that a run that was stopped goes on.
"""

import argparse
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from centrum.commands import begin, study as verbs
from centrum.execution import default_workers
from centrum.modelling.auc import auc
from centrum.modelling.combat import to_reference
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.resampling import repeated_split_auc
from centrum.protocol import load_preset
from centrum.provenance import __version__
from centrum.simulate import PhantomSettings
from centrum.study.study import open_study
from centrum.table import FeatureTable

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "phantom-difficulty.md"
KEPT = ROOT / "build" / "difficulty"

PRESETS = ("vcf-t2w", "vcf-t2w-2024")
MEASURED = PRESETS[0]
"""The preset whose features are measured, for the models of both."""

REPEATS = 10
"""7:3 splits of each cohort."""

SEED = 1


def measured(settings: PhantomSettings) -> FeatureTable:
    """The features of a cohort, from an earlier run if there was one."""
    name = f"{settings.centre}-{settings.cue:g}-{settings.seed}-{__version__}"
    folder = KEPT / name
    if not (folder / "features.json").is_file():
        with TemporaryDirectory() as made:
            study = Path(made) / name
            workers = default_workers()
            begin.simulate(study, settings, preset=MEASURED, workers=workers)
            table = verbs.extract(open_study(study), workers=workers).table
        folder.mkdir(parents=True, exist_ok=True)
        table.save(folder)
    return FeatureTable.load(folder)


def positive(table: FeatureTable) -> np.ndarray:
    return (table.obs["outcome"] == "malignant").to_numpy(dtype=int)


def classifier(preset: str, table: FeatureTable) -> StudyClassifier:
    return StudyClassifier(load_preset(preset).model, SEED, table.names, calibrate=False)


def inside(table: FeatureTable, preset: str) -> float:
    """Mean test AUC over splits of a cohort."""
    areas = repeated_split_auc(
        classifier(preset, table), table.values, positive(table),
        table.obs["patient"].to_numpy(), repeats=REPEATS, seed=SEED,
    )  # fmt: skip
    return float(areas.mean())


def elsewhere(tables: tuple[FeatureTable, FeatureTable, FeatureTable], preset: str) -> list[float]:
    """AUC of a cohort's model in other patients: at centre A, at centre B, B harmonised."""
    training, at_a, at_b = tables
    model = classifier(preset, training).fit(training.values, positive(training))
    scored = (
        (at_a.values, at_a),
        (at_b.values, at_b),
        (harmonised(at_b.values, training.values), at_b),
    )
    return [
        float(auc(positive(table) == 1, model.decision_function(values)))
        for values, table in scored
    ]


def harmonised(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Each reader's features (cases, features, readers) moved to the training cases' by ComBat."""
    readers = range(values.shape[2])
    moved = (
        to_reference(values[..., k], reference[..., k].mean(axis=0), reference[..., k].std(axis=0))
        for k in readers
    )
    return np.stack(list(moved), axis=2)


def spread(function: partial, jobs: list) -> list:
    with ProcessPoolExecutor(default_workers()) as pool:
        return list(pool.map(function, jobs))


def difficulty(cohorts: Mapping[float, int]) -> Iterator[str]:
    """Rows of the table of cues."""
    for cue, count in cohorts.items():
        tables = [measured(PhantomSettings(cue=cue, seed=seed)) for seed in range(1, count + 1)]
        for preset in PRESETS:
            areas = np.array(spread(partial(inside, preset=preset), tables))
            yield (
                f"| {cue:g} | `{preset}` | {count} | {areas.mean():.3f} | {areas.std(ddof=1):.3f} "
                f"| {areas.min():.3f} to {areas.max():.3f} |"
            )


def other_centre(pairs: int) -> Iterator[str]:
    """Rows of the table of centres."""
    seeds = range(1, pairs + 1)
    triples = [
        tuple(
            measured(PhantomSettings(seed=seed + k, centre=centre))
            for k, centre in ((0, "A"), (1, "A"), (1, "B"))
        )
        for seed in seeds
    ]
    for preset in PRESETS:
        areas = np.array(spread(partial(elsewhere, preset=preset), triples))
        for seed, row in zip((*map(str, seeds), "mean"), (*areas, areas.mean(axis=0)), strict=True):
            at_a, at_b, moved = row
            yield (
                f"| `{preset}` | {seed} | {at_a:.3f} | {at_b:.3f} | {at_a - at_b:+.3f} "
                f"| {moved:.3f} | {moved - at_b:+.3f} |"
            )


def page(cohorts: Mapping[float, int], pairs: int) -> str:
    """The page, in Markdown."""
    lines = [
        "# Difficulty of the phantom",
        "",
        "Written by `python benchmarks/difficulty.py`. **All of these are results on simulated "
        "patients**, cohorts",
        f"of 100 as `centrum simulate` makes them, with the features of `{MEASURED}`.",
        "",
        f"Mean test AUC over {REPEATS} random 7:3 splits of each cohort; mean, SD and range over "
        "the cohorts:",
        "",
        "| cue | model of | cohorts | mean AUC | SD | range |",
        "|--:|---|--:|--:|--:|---|",
        *difficulty(cohorts),
        "",
        "Trained on a whole cohort of centre A, tested on the 100 patients of another one (cue "
        "0.7), who are",
        "imaged at centre A and once more at centre B. Harmonised: ComBat moved the features of "
        "centre B to the",
        "training cases' location and scale, all 100 together and without their outcomes.",
        "",
        "| model of | training cohort | AUC at A | AUC at B | cost of B | harmonised | won back |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *other_centre(pairs),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Difficulty of the phantom cohorts.")
    parser.add_argument("--cohorts", type=int, default=20, help="of the default cue")
    parser.add_argument("--ends", type=int, default=4, help="cohorts of cue 0 and of cue 1")
    parser.add_argument("--pairs", type=int, default=5, help="training cohorts for centre B")
    parser.add_argument("--page", type=Path, default=PAGE)
    chosen = parser.parse_args()
    counts = {0.7: chosen.cohorts, 0.0: chosen.ends, 1.0: chosen.ends}
    chosen.page.write_text(page(counts, chosen.pairs), encoding="utf-8")
    print(chosen.page)


if __name__ == "__main__":
    main()
