"""The difficulty of the phantom cohort, seen by the real engine, and that nothing leaks."""

from pathlib import Path

import numpy as np
import pytest

from centrum.commands import begin, study as verbs
from centrum.modelling.auc import auc
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.resampling import repeated_split_auc
from centrum.protocol import load_preset
from centrum.simulate import PhantomSettings
from centrum.study.study import open_study
from centrum.table import FeatureTable

PRESETS = ("vcf-t2w", "vcf-t2w-2024")
REPEATS = 20

SHUFFLES = 120
"""An AUC under shuffled labels has an SD of .21 in 28 patients: the mean of so many has .019."""

SMALL = PhantomSettings(n_malignant=14, n_osteoporotic=14, field_mm=(110.0, 110.0))
"""Patients take seconds each; `make test-slow` judges all 100 of `centrum demo`."""


def measured(folder: Path, settings: PhantomSettings, preset: str = "vcf-t2w") -> FeatureTable:
    begin.simulate(folder, settings, preset=preset)
    return verbs.extract(open_study(folder)).table


def malignant(table: FeatureTable) -> np.ndarray:
    """Outcomes, 1 for malignant."""
    return (table.obs["outcome"] == "malignant").to_numpy(dtype=int)


def areas(table: FeatureTable, preset: str, *, shuffle: bool = False) -> np.ndarray:
    """Test AUCs of repeated 7:3 splits, each with a fresh fit of the preset's model."""
    classifier = StudyClassifier(load_preset(preset).model, 1, table.names, calibrate=False)
    patients = table.obs["patient"].to_numpy()
    return repeated_split_auc(
        classifier,
        table.values,
        malignant(table),
        patients,
        repeats=SHUFFLES if shuffle else REPEATS,
        seed=1,
        shuffle=shuffle,
    )


@pytest.fixture(
    scope="module",
    params=[SMALL, pytest.param(PhantomSettings(), marks=pytest.mark.slow)],
    ids=["28 patients", "100 patients"],
)
def default_cohort(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> FeatureTable:
    """Patients as `centrum demo` makes them."""
    return measured(tmp_path_factory.mktemp("phantom") / "study", request.param)


def test_the_default_cohort_is_neither_easy_nor_hopeless(default_cohort: FeatureTable) -> None:
    assert 0.75 <= areas(default_cohort, "vcf-t2w").mean() <= 0.95


def test_shuffled_labels_cannot_be_learnt(default_cohort: FeatureTable) -> None:
    assert areas(default_cohort, "vcf-t2w", shuffle=True).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.slow
def test_the_published_recipe_on_the_default_cohort(tmp_path: Path) -> None:
    table = measured(tmp_path / "study", PhantomSettings(), "vcf-t2w-2024")
    assert 0.70 <= areas(table, "vcf-t2w-2024").mean() <= 0.95
    shuffled = areas(table, "vcf-t2w-2024", shuffle=True)
    assert shuffled.mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("cue", "low", "high"), [(0.0, 0.50, 0.78), (1.0, 0.80, 0.99)])
def test_the_cue_moves_the_difficulty(tmp_path: Path, cue: float, low: float, high: float) -> None:
    table = measured(tmp_path / "study", PhantomSettings(cue=cue))
    assert low <= areas(table, "vcf-t2w").mean() <= high


@pytest.mark.slow
def test_a_null_cohort_has_nothing_to_learn(tmp_path: Path) -> None:
    table = measured(tmp_path / "study", PhantomSettings(null=True, seed=2))
    # One cohort's labels can lie well or badly by chance: wider than over fresh labels.
    assert areas(table, "vcf-t2w").mean() == pytest.approx(0.5, abs=0.12)


@pytest.mark.slow
def test_another_centre_costs_something(tmp_path: Path) -> None:
    """Two cohorts, each imaged at both centres and scored by a model of other patients of A.

    benchmarks/difficulty.py has five pairs, and what harmonising wins back.
    """
    training = measured(tmp_path / "training", PhantomSettings(seed=3))
    model = StudyClassifier(load_preset("vcf-t2w").model, 1, training.names, calibrate=False)
    model.fit(training.values, malignant(training))

    def scored(seed: int, centre: str) -> float:
        folder = tmp_path / f"{centre}{seed}"
        table = measured(folder, PhantomSettings(seed=seed, centre=centre))
        return float(auc(malignant(table) == 1, model.decision_function(table.values)))

    here, there = (np.mean([scored(seed, centre) for seed in (4, 5)]) for centre in "AB")
    assert 0.75 <= here <= 0.95
    assert 0.0 < here - there < 0.15
