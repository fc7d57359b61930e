"""What a study's score rests on: contributions, groups and effects of made-up tables."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from centrum.evaluate.bootstrap import Interval
from centrum.execution import silent
from centrum.features.feature_id import FeatureId
from centrum.frozen import explanation as module
from centrum.frozen.explanation import (
    MOST_RESAMPLED,
    Importance,
    StudyExplanation,
    explain_study,
    resamples_patients,
)
from centrum.frozen.export import scorer_of
from centrum.frozen.scorer import Scorer
from centrum.modelling.designs import Part
from centrum.protocol import Protocol
from centrum.records import as_json, from_json
from centrum.table import FeatureTable
from centrum.validation.fits import Source, fitted_model
from centrum.validation.matrix import Matrix, study_matrix
from centrum.validation.procedure import parts_of

NAMES = ("copy 1", "copy 2", "other", "noise 1", "noise 2")
NESTED = {"design": "nested_cv", "folds": 3, "repeats": 2}


def table(n: int = 90) -> FeatureTable:
    """Two copies of a telling feature, another that tells something, and noise."""
    rng = np.random.default_rng(0)
    patients = np.arange(n) - np.arange(n) % 3 // 2  # every third has two cases
    positive = patients % 2 == 0
    values = rng.normal(size=(n, 5))
    values[:, 0] += 3 * positive
    values[:, 1] = values[:, 0]
    values[:, 2] += positive
    values = 50 + 10 * values
    cases = [f"P{k:03d}" for k in range(n)]
    obs = pd.DataFrame(
        {"patient": [f"patient-{k}" for k in patients],
         "outcome": np.where(positive, "malignant", "osteoporotic")},
        index=pd.Index(cases, name="case"),
    )  # fmt: skip
    features = tuple(FeatureId("", "", "", "", "", label=name) for name in NAMES)
    return FeatureTable(values[:, :, None], obs, features, ("reader",))


def protocol(classifier: str = "ridge", **split: object) -> Protocol:
    return Protocol.model_validate(
        {
            "name": "Made up",
            "model": {
                "classifier": classifier, "correlation": None, "select": {"method": "none"},
                "rfe": {"estimator": "none"}, "n_features": None, "clip": None,
                "balance": "none",
            },
            "split": split or {"design": "single"},
            "evaluation": {"n_resamples": 100, "seed": 3},
        }
    )  # fmt: skip


def explained(
    chosen: Protocol, folder: Path, made: FeatureTable | None = None
) -> tuple[StudyExplanation, Scorer, Matrix, tuple[Part, ...]]:
    made = made or table()
    made.save(folder)
    matrix = study_matrix(made, chosen)
    parts = parts_of(chosen, matrix)
    rows = parts[0].train if len(parts) == 1 else np.arange(len(matrix.positive))
    scorer = scorer_of(fitted_model(chosen, matrix, rows), matrix.names, "centre")
    source = Source.of(folder, chosen)
    return explain_study(chosen, source, matrix, scorer, parts, 1, silent), scorer, matrix, parts


def of(found: StudyExplanation, *names: str, alone: bool = False) -> Importance:
    (one,) = [g for g in found.groups if set(g.features) == set(names) and g.alone == alone]
    return one


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("classifier", ["ridge", "rbf_svm", "random_forest"])
def test_of_two_copies_the_group_matters_and_each_alone_does_not(
    classifier: str, tmp_path: Path
) -> None:
    found, _, _, _ = explained(protocol(classifier), tmp_path)
    copies = of(found, "copy 1", "copy 2")
    assert copies.interval.lower > 0
    assert copies.interval.lower < copies.drop < copies.interval.upper
    assert copies.group == 1
    assert found.groups[0] is copies
    for name in ("copy 1", "copy 2"):
        alone = of(found, name, alone=True)
        assert alone.group == 1
        assert alone.drop == alone.interval.lower == alone.interval.upper == 0
    assert abs(of(found, "noise 1").drop) < copies.drop / 3
    assert len(found.groups) == 6


@pytest.mark.parametrize("single", [True, False])
def test_of_many_patients_delongs_interval_is_that_of_the_bootstrap(
    single: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within five standard errors that a limit of 500 samples has, 0.03 of the width each."""
    chosen, made = protocol(), table(2400)
    evaluation = chosen.evaluation.model_copy(update={"n_resamples": 500})
    chosen = chosen.model_copy(update={"evaluation": evaluation})
    if single:
        made.obs["patient"] = [f"patient-{case}" for case in made.obs.index]
    drawn, *_ = explained(chosen, tmp_path / "drawn", made)
    monkeypatch.setattr(module, "MOST_RESAMPLED", 100)
    found, *_ = explained(chosen, tmp_path / "found", made)
    for one, other in zip(drawn.groups, found.groups, strict=True):
        assert (one.features, one.drop) == (other.features, other.drop)
        width = one.interval.upper - one.interval.lower
        assert other.interval.lower == pytest.approx(one.interval.lower, abs=0.15 * width + 1e-9)
        assert other.interval.upper == pytest.approx(one.interval.upper, abs=0.15 * width + 1e-9)
    assert of(found, "copy 1", alone=True).interval == Interval(0, 0)


@pytest.mark.parametrize("n", [MOST_RESAMPLED, MOST_RESAMPLED + 1])
def test_samples_are_drawn_of_as_many_patients_as_is_said(n: int) -> None:
    assert resamples_patients(n) == (n == MOST_RESAMPLED)


def test_contributions_are_those_of_the_test_cases(tmp_path: Path) -> None:
    found, scorer, matrix, (part,) = explained(protocol(), tmp_path)
    assert found.cases == tuple(f"P{k:03d}" for k in part.test)
    at = [matrix.names.index(name) for name in scorer.features]
    parts = scorer.explain(matrix.X[part.test][:, at, 0]).parts
    own = [scorer.features.index(name) for name in found.features]
    np.testing.assert_allclose(found.contributions, parts[:, own])
    np.testing.assert_allclose(found.sizes, np.abs(parts[:, own]).mean(axis=0))
    assert (np.diff(found.sizes) <= 0).all()
    z = scorer.z_scores(matrix.X[part.test][:, at, 0])
    np.testing.assert_allclose(found.z, z[:, own])
    assert found.parts == 1
    assert found.failed == ""


def test_local_effects_are_of_the_leading_features_as_measured(tmp_path: Path) -> None:
    found, scorer, matrix, _ = explained(protocol(), tmp_path)
    assert [effect.feature for effect in found.effects] == list(found.features[:3])
    (branch,) = scorer.branches
    for effect in found.effects:
        values = matrix.X[:, matrix.names.index(effect.feature), 0]
        np.testing.assert_array_equal(effect.values, values)
        k = scorer.features.index(effect.feature)
        slope = branch.members[0].classifier.weights[k] / branch.sd[k]
        np.testing.assert_allclose(np.diff(effect.effect) / np.diff(effect.grid), slope)


@pytest.mark.usefixtures("few_trees")
def test_a_forest_is_explained_on_the_scale_of_its_votes(tmp_path: Path) -> None:
    found, scorer, matrix, (part,) = explained(protocol("random_forest"), tmp_path)
    assert found.scale == "vote"
    for effect in found.effects:
        assert np.abs(effect.effect).max() < 1
    at = [matrix.names.index(name) for name in scorer.features]
    whole = scorer.explain(matrix.X[part.test][:, at, 0])
    total = whole.base + found.contributions.sum(axis=1)
    np.testing.assert_allclose(total, whole.total, atol=1e-9)


def test_every_part_is_explained_by_a_model_that_had_not_seen_its_cases(tmp_path: Path) -> None:
    chosen = protocol(**NESTED)
    found, _, matrix, parts = explained(chosen, tmp_path)
    assert found.parts == len(parts) == 6
    first = [p for p in parts if p.repeat == 0]
    assert found.cases == tuple(f"P{k:03d}" for p in first for k in p.test)
    assert len(set(found.cases)) == 90
    done = 0
    for part in first:
        scorer = scorer_of(fitted_model(chosen, matrix, part.train), matrix.names, "centre")
        at = [matrix.names.index(name) for name in scorer.features]
        wanted = scorer.explain(matrix.X[part.test][:, at, 0]).parts
        rows = slice(done, done := done + part.test.size)
        own = [found.features.index(name) for name in scorer.features]
        np.testing.assert_allclose(found.contributions[rows][:, own], wanted)
    copies = of(found, "copy 1", "copy 2")
    assert copies.interval.lower > 0
    assert copies.read == 1
    for name in ("copy 1", "copy 2"):
        assert of(found, name, alone=True).drop == pytest.approx(0, abs=1e-12)


def test_a_model_that_does_not_read_a_group_loses_nothing() -> None:
    record = {"name": "", "repeat": 0, "error": "", "size": {"a": 1.0}, "scale": "score"}
    records = [
        record | {"drops": {"0": 0.4}, "alone": {"a": 0.4}},
        record | {"drops": {}, "alone": {}},
        record | {"drops": {"0": None}, "alone": {}},
        {"name": "", "repeat": 0, "error": "no"},
    ]
    part = Part("", 0, np.arange(20), np.arange(10))
    (found,) = module._over_parts(records, ["a"], np.array([0]), [part] * 4, protocol(**NESTED))
    assert found.drop == pytest.approx(0.2)
    assert found.read == pytest.approx(2 / 3)
    assert found.interval.lower < 0 < found.interval.upper


def test_parts_are_explained_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = protocol(**NESTED)
    found, *_ = explained(chosen, tmp_path)
    fits: list[int] = []

    def fitted(*given: object) -> None:
        fits.append(1)
        raise AssertionError

    matrix = study_matrix(table(), chosen)
    scorer = scorer_of(fitted_model(chosen, matrix, np.arange(90)), matrix.names, "centre")
    monkeypatch.setattr(module, "fitted_model", fitted)
    source = Source.of(tmp_path, chosen)
    again = explain_study(chosen, source, matrix, scorer, parts_of(chosen, matrix), 1, silent)
    assert not fits
    assert as_json(again) == as_json(found)
    other = chosen.evaluation.model_copy(
        update={"explanation": chosen.evaluation.explanation.model_copy(
            update={"permutations": 3})}
    )  # fmt: skip
    job = module.ExplainJob(source, chosen, parts_of(chosen, matrix)[0], (0,))
    keys = {
        job.key(),
        replace(job, protocol=chosen.model_copy(update={"evaluation": other})).key(),
        replace(job, labels=None).key(),
        replace(job, part=parts_of(chosen, matrix)[1]).key(),
    }
    assert len(keys) == 4


def test_a_table_of_too_many_features_is_explained_without_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_GROUPED", 4)
    found, *_ = explained(protocol(**NESTED), tmp_path)
    assert found.groups == ()
    assert found.contributions.shape == (90, 5)


def test_missing_values_and_a_part_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = protocol(**NESTED)
    chosen = chosen.model_copy(
        update={"model": chosen.model.model_copy(
            update={"imputation": chosen.model.imputation.model_copy(
                update={"method": "median"})})}
    )  # fmt: skip
    made = table()
    gaps = made.values.copy()
    gaps[::7, 0] = np.nan
    real, calls = module.fitted_model, iter(range(99))

    def sometimes(*given: object) -> object:
        if next(calls) == 1:
            raise module.DataError("No such thing.")
        return real(*given)

    monkeypatch.setattr(module, "fitted_model", sometimes)
    found, *_ = explained(chosen, tmp_path, replace(made, values=gaps))
    assert found.parts == 5
    assert found.failed == "1 of 6, the first because: No such thing."
    assert np.isfinite(found.contributions).all()
    for effect in found.effects:
        assert np.isfinite(effect.values).all()


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    found, *_ = explained(protocol(), tmp_path)
    assert as_json(from_json(StudyExplanation, as_json(found))) == as_json(found)
