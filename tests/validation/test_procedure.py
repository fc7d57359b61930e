"""Studies under every design: whole, resumed, private, and told by the report."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from centrum.commands import results as left, study as verbs
from centrum.errors import DataError, ProtocolError
from centrum.evaluate import Scored
from centrum.evaluate.thresholds import cost_cutoff
from centrum.modelling.auc import auc
from centrum.modelling.permute import shuffle_by_patient
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.split import stratified_split
from centrum.protocol import EvaluationSettings, load_preset, parse_protocol
from centrum.study.study import open_study
from centrum.table import FeatureTable
from centrum.validation.decision import choose_cutoff
from centrum.validation.fits import FITS, READ, fit_rows, used_features
from centrum.validation.matrix import covariate_values, study_matrix
from centrum.validation.procedure import (
    InternalValidation,
    Permutation,
    sparse_protocol,
)
from tests.studies import PROTOCOL, make_study, read_rows, write_rows

pytestmark = pytest.mark.usefixtures("drawn")

FEW_FAMILIES = PROTOCOL.replace(
    "extraction:", "extraction:\n  families: [morphology, statistics, glcm]"
)


def change(folder: Path, **blocks: object) -> None:
    """Merge blocks into study.yaml."""
    path = folder / "study.yaml"
    known = yaml.safe_load(path.read_text())
    for name, block in blocks.items():
        old = known.get(name)
        known[name] = (
            {**old, **block} if isinstance(old, dict) and isinstance(block, dict) else block
        )
    path.write_text(yaml.safe_dump(known))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that has been measured, with centres, dates and a reader's diagnosis."""
    folder = make_study(tmp_path_factory.mktemp("assess") / "study", 36, protocol=FEW_FAMILIES)
    rows = read_rows(folder)
    for k, row in enumerate(rows):
        row["centre"] = "AB"[k // 2 % 2]
        row["date"] = f"2020-{1 + k // 3:02d}-01"
        wrong = k % 5 == 0
        called = (row["outcome"] == "malignant") != wrong
        row["diagnosis R1"] = "malignant" if called else "osteoporotic"
    write_rows(folder, rows)
    study = open_study(folder)
    verbs.extract(study)
    verbs.agree(study)
    return folder


@pytest.fixture
def study_folder(measured: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(measured, tmp_path / "study"))


DESIGNS = {
    "repeated_split": ({"design": "repeated_split", "repeats": 3}, 3),
    "nested_cv": ({"design": "nested_cv", "folds": 3, "repeats": 2}, 6),
    "leave_one_centre_out": ({"design": "leave_one_centre_out"}, 2),
    "temporal": ({"design": "temporal"}, 1),
    "external": ({"design": "external", "test_values": ["B"]}, 1),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_every_design_runs_to_its_report(
    name: str, study_folder: Path, request: pytest.FixtureRequest
) -> None:
    split, n_parts = DESIGNS[name]
    if name == "nested_cv":  # whose report has the figures of all the others
        request.getfixturevalue("rendered")
    change(study_folder, split=split, evaluation={"leak_audit": {"permutations": 1, "splits": 0}})
    study = open_study(study_folder)
    _, page = verbs.run(study)
    found = left.load_internal_validation(study)
    assert len(found.parts) == n_parts
    for record in found.parts:
        assert record["error"] == ""
        assert record["auc"] > 0.6
        assert all(tested == 0 for _, tested in record["seen"].values())
        assert {"agreement", "scale", "classifier"} <= set(record["seen"])
    assert all(side["patients"] == 0 for side in found.rows["parts"])
    test = verbs.evaluate_scores(study).by_set["test"]
    tested = {k for record in found.parts for k in record["case"]}
    assert test.n == len(tested)
    mean = verbs.evaluate_scores(study).over_parts.get("AUC")
    kept = verbs.freeze(study).performance.get("over_parts")
    assert (mean is None, kept is None) == (n_parts == 1, n_parts == 1)
    if mean is not None:
        assert (kept["value"], kept["interval"]["lower"]) == (mean.mean, mean.interval.lower)
    text = page.read_text()
    assert "Leak audit" in text
    said = re.search(r"allow for their overlap, are in table S\d+\.", text)
    assert bool(said) == ('id="table-parts"' in text) == (n_parts > 1)
    assert not any(row["patient"] in text for row in read_rows(study_folder))


def test_predictions_are_kept_per_case(study_folder: Path) -> None:
    change(study_folder, split={"design": "nested_cv", "folds": 3, "repeats": 2},
           evaluation={"leak_audit": {"permutations": 0, "splits": 0}})  # fmt: skip
    study = open_study(study_folder)
    verbs.fit(study)
    verbs.internal(study)
    verbs.evaluate(study)
    kept = pd.read_csv(study.results / "predictions.csv")
    assert len(kept) == 72
    assert (kept.groupby("case")["repeat"].nunique() == 2).all()
    assert kept["probability"].between(0, 1).all()
    assert set(kept["set"]) <= {"positive", "negative", "uncertain", "neither"}
    pooled = left.load_internal_validation(study).pooled(36)
    mean = kept.groupby("case")["probability"].mean()
    np.testing.assert_allclose(pooled["probability"], mean, atol=1e-12)
    sets = kept.groupby("case")["set"].agg(lambda found: found.mode().tolist())
    for case, usual in zip(sets.index, sets, strict=True):
        row = int(case.removeprefix("P"))
        assert pooled["set"][row] == (usual[0] if len(usual) == 1 else "uncertain")
    judged = verbs.evaluate_scores(study)
    assert judged.sets == tuple(pooled["set"]), "sets of models that had seen the cases"
    assert {key: (e.name, e.apparent) for key, e in judged.by_set.items()} == {
        "train": ("train", True),
        "out_of_fold": ("out_of_fold", False),
        "test": ("pooled", False),
    }


def part_of(case: list[int], called: list[int], resident: list[float | None]) -> dict:
    """The record of a part, as far as it is pooled."""
    probability = [0.2 + 0.6 * each for each in called]
    named = ["positive" if each else "negative" for each in called]
    read = dict.fromkeys(READ, resident)
    own = {"case": case, "probability": probability, "called": called, "set": named}
    return {"error": "", **own, "readers": {"resident": read}}


def test_parts_are_pooled_over_those_that_tested_a_case() -> None:
    """Case 0 was tested once, 1 twice, 2 three times and 3 never."""
    parts = [
        part_of([0, 1, 2], [1, 0, 1], [0.5, 0.4, None]),
        part_of([1, 2], [1, 0], [0.8, None]),
        part_of([2], [1], [None]),
        {"error": "no outcome", "case": []},
    ]
    whole = InternalValidation(parts, {}, None, [], [], {}, {})
    found = whole.pooled(4)
    assert found["times"].tolist() == [1, 2, 3, 0]
    np.testing.assert_allclose(found["called"], [1, 1 / 2, 2 / 3, 0])
    np.testing.assert_allclose(found["probability"], [0.8, 0.5, (0.8 + 0.2 + 0.8) / 3, 0])
    assert found["set"].tolist() == ["positive", "uncertain", "positive", ""]
    np.testing.assert_allclose(found["called:resident"], [0.5, 0.6, np.nan, np.nan])
    none_fitted = replace(whole, parts=[parts[-1] | {"name": "1"}])
    with pytest.raises(DataError, match=r"None of the 1 parts .* no outcome"):
        none_fitted.pooled(4)


def test_permutations_that_do_as_well_count_whatever_the_rounding() -> None:
    """The smallest P is that of the true outcome alone (Phipson and Smyth 2010)."""
    assert Permutation(0.7, (0.7, 0.6, 0.5), 0).p == 2 / 4
    assert Permutation(0.1 + 0.2, (0.3, 0.2, 0.1), 0).p == 2 / 4
    assert Permutation(0.9, tuple([0.5] * 19), 0).p == 1 / 20


def test_a_killed_run_goes_on(study_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was fitted is not fitted again, and the end is the same bytes."""
    change(study_folder, split={"design": "nested_cv", "folds": 3, "repeats": 1})
    study = open_study(study_folder)
    verbs.fit(study)
    verbs.internal(study)
    whole = (study.results / "assessment.json").read_bytes()
    entries = sorted((study.results / FITS).rglob("*.json"))
    for entry in entries[::2]:
        entry.unlink()
    (study.results / "assessment.json").unlink()
    fitted = []
    from centrum.validation import fits

    real = fits.fit_rows
    monkeypatch.setattr(fits, "fit_rows", lambda *a, **k: fitted.append(1) or real(*a, **k))
    verbs.internal(study)
    assert (study.results / "assessment.json").read_bytes() == whole
    assert 0 < len(fitted) < len(entries)


def test_two_processes_give_the_same_bytes(study_folder: Path) -> None:
    change(study_folder, split={"design": "repeated_split", "repeats": 2})
    study = open_study(study_folder)
    verbs.fit(study)
    verbs.internal(study, workers=1)
    alone = (study.results / "assessment.json").read_bytes()
    import shutil

    shutil.rmtree(study.results / FITS)
    (study.results / "assessment.json").unlink()
    verbs.internal(study, workers=2)
    assert (study.results / "assessment.json").read_bytes() == alone


class TestSources:
    def test_covariates_and_ablation(self, study_folder: Path) -> None:
        change(study_folder, model={"covariates": ["age", "sex"]},
               evaluation={"leak_audit": {"permutations": 0, "splits": 0}})  # fmt: skip
        study = open_study(study_folder)
        verbs.run(study)
        found = left.load_internal_validation(study)
        assert set(found.ablation) == {"volume", "clinical", "radiomics"}
        (clinical,), (volume,) = found.ablation["clinical"], found.ablation["volume"]
        assert set(clinical["features"]) == {"age", "sex=F"}
        assert len(volume["features"]) == 1
        assert abs(clinical["auc"] - 0.5) < 0.5

    @pytest.mark.parametrize("fusion", ["late", "stacked"])
    def test_fusion_of_images_and_covariates(self, fusion: str, study_folder: Path) -> None:
        change(study_folder, model={"covariates": ["age", "sex"], "fusion": fusion},
               evaluation={"leak_audit": {"permutations": 0, "splits": 0}})  # fmt: skip
        study = open_study(study_folder)
        _, page = verbs.run(study)
        (record,) = left.load_internal_validation(study).parts
        assert {"clinical: classifier", "radiomics: classifier"} <= set(record["seen"])
        assert {"age", "sex=F"} <= set(record["features"])
        assert "sex=F" in page.read_text()

    def test_missing_ages_are_filled_only_if_wanted(self, study_folder: Path) -> None:
        rows = read_rows(study_folder)
        rows[3]["age"] = ""
        write_rows(study_folder, rows)
        verbs.extract(open_study(study_folder))
        change(study_folder, model={"covariates": ["age"]})
        with pytest.raises(DataError, match="age"):
            verbs.fit(open_study(study_folder))
        change(study_folder, model={"imputation": {"method": "median"}})
        verbs.fit(open_study(study_folder))

    def test_a_covariate_that_is_not_there(self, study_folder: Path) -> None:
        change(study_folder, model={"covariates": ["psa"]})
        with pytest.raises(DataError, match=r"names the column 'psa', .* there are .*age"):
            verbs.fit(open_study(study_folder))

    def test_texts_become_indicators(self) -> None:
        obs = pd.DataFrame({"kind": ["a", "b", "c", "a", None]})
        values, names = covariate_values(obs, ["kind"])
        assert names == (("kind=a", "kind=b", "kind=c"),)
        np.testing.assert_array_equal(values[:4], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]])
        assert np.isnan(values[4]).all()


class TestSparseModel:
    def test_same_patients_and_everything_refitted(self, study_folder: Path) -> None:
        change(study_folder, split={"design": "nested_cv", "folds": 3, "repeats": 1},
               evaluation={"leak_audit": {"permutations": 0, "splits": 0}})  # fmt: skip
        study = open_study(study_folder)
        verbs.fit(study)
        found = verbs.internal(study)
        assert len(found.sparse) == 3
        for few, own in zip(found.sparse, found.parts, strict=True):
            assert [few[k] for k in ("name", "case", "positive")] == [
                own[k] for k in ("name", "case", "positive")
            ]
            assert all(tested == 0 for _, tested in few["seen"].values())
            assert {"agreement", "scale", "classifier"} <= set(few["seen"])
            assert 1 <= len(few["features"]) <= 10
        matrix = study_matrix(FeatureTable.load(study.results), study.protocol)
        everyone = np.arange(36)
        alone = fit_rows(sparse_protocol(study.protocol), matrix, everyone, nested=False)
        assert found.sparse_features == used_features(alone.model)

    def test_chosen_it_is_the_model_and_is_not_fitted_again(self, study_folder: Path) -> None:
        quiet = {"leak_audit": {"permutations": 0, "splits": 0}}
        change(study_folder, evaluation=quiet)
        study = open_study(study_folder)
        verbs.fit(study)
        beside = verbs.internal(study)
        assert beside.sparse_features == beside.sparse[0]["features"]
        few = study.protocol.model.sparse
        change(study_folder, model=few.model_dump(mode="json"))
        kept = sorted((study.results / FITS).rglob("*.json"))
        study = open_study(study_folder)
        verbs.fit(study)
        chosen = verbs.internal(study)
        assert not chosen.sparse
        assert chosen.parts[0]["score"] == beside.sparse[0]["score"]
        assert set(kept) >= {p for p in (study.results / FITS).rglob("*.json") if "part" in p.name}

    def test_it_learns_nothing_from_permuted_outcomes(self, tmp_path: Path) -> None:
        """100 features without information, of 60 patients, on 40 permuted outcomes."""
        rng = np.random.default_rng(5)
        X = rng.normal(size=(60, 100, 1))
        areas = []
        settings = load_preset("vcf-t2w").model.sparse
        for seed in range(40):
            y = shuffle_by_patient(np.arange(60) % 2, np.arange(60), seed)
            train, test = stratified_split(y, np.arange(60), 0.7, seed)
            model = StudyClassifier(settings, seed, calibrate=False).fit(X[train], y[train])
            assert len(model.selected_) <= 10
            areas.append(auc(y[test] == 1, model.decision_function(X[test])))
        error = np.std(areas, ddof=1) / np.sqrt(len(areas))
        assert abs(np.mean(areas) - 0.5) < 3 * error


def test_harmonisation_of_a_study(study_folder: Path) -> None:
    change(study_folder, model={"harmonisation": {"method": "combat"}},
           split={"design": "leave_one_centre_out"},
           evaluation={"leak_audit": {"permutations": 0, "splits": 0}})  # fmt: skip
    study = open_study(study_folder)
    verbs.run(study)
    for record in left.load_internal_validation(study).parts:
        assert record["seen"]["harmonisation"][1] == 0


def test_search_in_a_study(study_folder: Path) -> None:
    search = {
        "selectors": ["lasso", "none"], "classifiers": ["ridge", "rbf_svm"],
        "n_features": [1, 2], "folds": 3, "ensemble": 2,
    }  # fmt: skip
    quiet = {"leak_audit": {"permutations": 0, "splits": 0}}
    change(study_folder, search=search, evaluation=quiet)
    study = open_study(study_folder)
    _, page = verbs.run(study)
    record = json.loads((study.results / "fit.json").read_text())
    assert sum(row["chosen"] for row in record["search"]) == 2
    assert 'id="figure-search"' in page.read_text()
    assert left.load_model(study).classifier.startswith("mean of 2 models")


def test_a_reader_beside_the_model(study_folder: Path) -> None:
    change(study_folder, evaluation={"reader_calls": ["diagnosis R1"]})
    study = open_study(study_folder)
    verbs.fit(study)
    judged = verbs.evaluate_scores(study)
    (reader,) = judged.readers
    said = [row for row in read_rows(study_folder) if row["case"] in judged.tested]
    malignant = [row for row in said if row["outcome"] == "malignant"]
    right = np.mean([row["diagnosis R1"] == "malignant" for row in malignant])
    assert reader.sensitivity == pytest.approx(right)
    change(study_folder, evaluation={"reader_calls": ["nobody"]})
    with pytest.raises(DataError, match="'nobody'"):
        verbs.evaluate_scores(open_study(study_folder))


def test_optimism_in_a_study(study_folder: Path) -> None:
    change(study_folder, evaluation={"optimism_resamples": 3,
                                     "leak_audit": {"permutations": 0, "splits": 0}})  # fmt: skip
    study = open_study(study_folder)
    _, page = verbs.run(study)
    assert len(left.load_internal_validation(study).resamples) == 3
    assert "Harrell" in page.read_text()


def test_one_part_that_cannot_be_fitted_does_not_stop_the_others(study_folder: Path) -> None:
    """Without centre C two malignant patients are left, too few for three folds."""
    rows = read_rows(study_folder)
    malignant = [row for row in rows if row["outcome"] == "malignant"]
    for row in malignant[2:]:
        row["centre"] = "C"
    write_rows(study_folder, rows)
    change(study_folder, split={"design": "leave_one_centre_out"},
           evaluation={"leak_audit": {"permutations": 0, "splits": 0}})  # fmt: skip
    study = open_study(study_folder)
    verbs.extract(study)
    _, page = verbs.run(study)
    errors = {r["name"]: r["error"] for r in left.load_internal_validation(study).parts}
    assert "Ask for fewer folds" in errors.pop("centre C")
    assert set(errors.values()) == {""}
    assert "centre C could not be fitted" in page.read_text()


def test_permutations_that_do_just_as_well_count() -> None:
    """In spite of rounding: .1 + .2 is not .3."""
    assert Permutation(0.9, (0.5, 0.9, 0.95), 0).p == 0.75
    assert Permutation(0.1 + 0.2, (0.3, 0.2, 0.1), 0).p == 0.5
    assert Permutation(0.3, (0.3 - 1e-6, 0.2, 0.1), 0).p == 0.25


def test_the_cost_rule_reads_the_prevalence_of_the_evaluation() -> None:
    scored = Scored.of([1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1])
    for share in (0.02, 0.9):
        settings = EvaluationSettings(prevalence=share, cutoff={"rule": "cost"})
        chosen = choose_cutoff(scored, settings, "these")
        assert chosen == cost_cutoff(scored, "these", prevalence=share)
    assert cost_cutoff(scored, "", prevalence=0.02).value > 5 > 2 > chosen.value


@pytest.mark.parametrize("rule", ["closest_topleft", "sensitivity", "specificity", "cost"])
def test_cut_off_rules_in_a_study(rule: str, study_folder: Path) -> None:
    change(study_folder, evaluation={"cutoff": {"rule": rule, "target": 0.9}})
    study = open_study(study_folder)
    verbs.fit(study)
    judged = verbs.evaluate_scores(study)
    out_of_fold = judged.by_set["out_of_fold"].measures
    if rule in ("sensitivity", "specificity"):
        assert out_of_fold[rule].value >= 0.9
    assert not judged.by_set["test"].optimistic


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({"split": {"design": "temporal", "by": "scan day"}}, "'scan day', which the manifest"),
        ({"model": {"covariates": ["psa"]}}, "'psa', which the manifest does not have"),
        ({"model": {"harmonisation": {"method": "combat", "batch": "scanner"}}}, "'scanner'"),
    ],
)
def test_what_the_manifest_lacks_is_said_before_anything_is_measured(
    blocks: dict, message: str, study_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(study_folder, **blocks)
    monkeypatch.setattr(verbs, "extract", lambda *a, **k: pytest.fail("measured"))
    with pytest.raises(DataError, match=message):
        verbs.run(open_study(study_folder))


def test_landmarks_and_many_parts_are_refused() -> None:
    text = (
        "preset: vcf-t2w\npreparation: {normalisation: {method: nyul}}\n"
        "split: {design: nested_cv}\n"
    )
    with pytest.raises(ProtocolError, match="landmarks of a Nyul scale"):
        parse_protocol(text, "study.yaml")


def test_the_matrix_holds_sources_and_readings(study_folder: Path) -> None:
    change(study_folder, model={"covariates": ["age"]})
    study = open_study(study_folder)
    table = FeatureTable.load(study.results)
    matrix = study_matrix(table, study.protocol)
    assert matrix.X.shape == (36, len(table.names) + 1, 2)
    np.testing.assert_array_equal(matrix.X[:, -1, 0], matrix.X[:, -1, 1])
    one = replace(matrix, compared=(1,)).of_reading(1)
    np.testing.assert_array_equal(one.X, matrix.X[:, :, 1:])
    assert (one.readers, one.compared) == (table.readers[1:], None), "nobody to compare with"
    alone = matrix.of_sources(["clinical"])
    assert alone.names == ("age",)
    assert alone.sources == {"clinical": (0,)}


def test_what_cannot_be_refitted_is_told_and_the_rest_kept(
    study_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leak, a permutation or a resample that fails is counted, not fatal."""
    from centrum.validation import procedure

    def fails(*_: object, **__: object) -> float:
        raise DataError("No feature is left.")

    monkeypatch.setattr(procedure, "LEAKS", {**procedure.LEAKS, "copies_on_both_sides": fails})
    monkeypatch.setattr(procedure, "draw_patients", fails)
    change(study_folder, evaluation={"optimism_resamples": 2,
                                     "leak_audit": {"permutations": 1, "splits": 1}})  # fmt: skip
    study = open_study(study_folder)
    _, page = verbs.run(study)
    found = left.load_internal_validation(study)
    assert found.resamples == ()
    true, shuffled = found.leaks
    assert true["errors"] == shuffled["errors"] == {"copies_on_both_sides": "No feature is left."}
    assert {*procedure.COMBINED_LEAKS} <= {*true}
    assert shuffled["combined_on_test"] > shuffled["combined"]
    text = page.read_text()
    assert "Not shown, combined model" not in text
    assert "Not shown, second readings or copies" in text
    assert "features selected on all cases before the split" in text
