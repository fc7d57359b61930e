"""The score computed by hand from what is printed is the model's score."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from centrum.features.feature_id import FeatureId
from centrum.frozen.export import scorer_of
from centrum.frozen.scorer import Scorer
from centrum.modelling.calibrators import CALIBRATORS, calibrator_from
from centrum.modelling.fusion import FusionClassifier
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import SearchClassifier
from centrum.modelling.settings import ImputationSettings, SearchSettings
from centrum.report.blocks import Block, Table
from centrum.report.formula import decision_table, harmonisation_table, score_table
from centrum.report.numbering import assemble
from centrum.report.results import StudyResults
from centrum.table import FeatureTable
from centrum.validation.model import model_of
from tests.frozen.test_scorer import COMBAT, NAMES, QUICK, cohort

Rows = list[dict[str, str]]


def printed(table: Table) -> Rows:
    """What the page shows."""
    heads = [column.name for column in table.columns]
    return [
        {h: c.replace("−", "-") for h, c in zip(heads, row, strict=True)} for row in table.shown()
    ]


def in_file(table: Table) -> Rows:
    """What the CSV beside it holds."""
    return list(csv.DictReader(io.StringIO(table.csv())))


def fitted(kind: str, change: dict[str, Any]) -> tuple[Any, NDArray, NDArray, NDArray, Any]:
    """Model, values, outcome, centres, settings; centres that differ much, some values missing."""
    fills = change.get("imputation", QUICK.imputation).method != "none"
    X, y, patients, centre = cohort(gaps=0.04 if fills else 0.0)
    centre = np.array(["1234567" if c == "A" else "1234568" for c in centre])
    X = X * np.geomspace(1e-7, 1e7, len(NAMES))[:, None]
    settings = QUICK.model_copy(update=change)
    if kind == "fusion":
        sources = {"T1w": range(12), "clinical": range(12, 25)}
        model: Any = FusionClassifier(sources, settings, 1, NAMES)
    elif kind == "search":
        search = SearchSettings(
            n_features=(3,), folds=3, ensemble=1, classifiers=("logistic", "linear_svm")
        )
        model = SearchClassifier(search, settings, 1, NAMES)
    else:
        model = StudyClassifier(settings, 1, NAMES, covariates=(("f0",),))
    return model.fit(X, y, patients, centre), X[:, :, 0], y, centre, settings


def results_of(
    results: StudyResults,
    model: Any,
    X: NDArray,
    y: NDArray,
    centre: NDArray,
    settings: Any,
    method: str,
) -> tuple[StudyResults, NDArray]:
    scorer = scorer_of(model, NAMES, "centre")
    read = X[:, [NAMES.index(n) for n in scorer.features]]
    scores = scorer.score(read, centre.tolist())
    shown = NAMES[:20]  # the others are covariates, which no table of features has
    features = tuple(FeatureId("", "", "", "", "", label=n) for n in shown)
    obs = pd.DataFrame(index=pd.Index([f"c{k}" for k in range(len(X))], name="case"))
    calibrator = CALIBRATORS[method]().fit(scores, y)
    decision = replace(results.evaluation.decision, calibrator=calibrator)
    found = replace(
        results,
        model=model_of(model, settings, "malignant", "osteoporotic", len(X)),
        scorer=scorer,
        table=FeatureTable(X[:, :20, None], obs, features, ("reader",)),
        scores=pd.DataFrame({"score": scores}),
        evaluation=replace(results.evaluation, decision=decision),
    )
    return found, scores


def by_hand(
    results: StudyResults, X: NDArray, centre: NDArray, read: Callable[[Table], Rows]
) -> NDArray:
    """Every case's score, from the rows of the tables alone."""
    intercept, *rows = read(score_table(results))
    moved = {
        (r["Column name"], r["Centre"]): (float(r["Location"]), float(r["Scale"]))
        for table in harmonisation_table(results)
        for r in read(table)
    }
    clip = results.model.clip or np.inf
    found = np.full(len(X), float(intercept["Coefficient per SD"]))
    for k, case in enumerate(X):
        for row in rows:
            name, value = row["Column name"], case[NAMES.index(row["Column name"])]
            value = float(row["If missing"]) if np.isnan(value) else value
            usual = (float(row["Mean"]), float(row["SD"]))
            location, scale = moved.get((name, centre[k]), usual)
            z = np.clip((value - location) / scale, -clip, clip)
            found[k] += float(row["Coefficient per SD"]) * z
    return found


MODELS = [
    ("one", {}, "platt"),
    ("one", {"clip": 2.0, "classifier": "linear_svm"}, "isotonic"),
    ("one", {"harmonisation": COMBAT}, "venn_abers"),
    ("one", {"harmonisation": COMBAT.model_copy(update={"reference": "1234568"})}, "platt"),
    ("one", {"harmonisation": COMBAT, "imputation": ImputationSettings(method="median"),
             "clip": 2.0}, "isotonic"),
    ("one", {"classifier": "elastic_net", "imputation": ImputationSettings(method="mean")},
     "platt"),
    ("fusion", {"harmonisation": COMBAT, "fusion": "stacked"}, "platt"),
    ("fusion", {"fusion": "late", "clip": 3.0}, "platt"),
    ("search", {"harmonisation": COMBAT}, "platt"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "method"), MODELS)
def test_the_printed_formula_gives_the_score(
    results: StudyResults, kind: str, change: dict[str, Any], method: str
) -> None:
    model, X, y, centre, settings = fitted(kind, change)
    found, scores = results_of(results, model, X, y, centre, settings, method)
    assert found.model.linear
    largest = np.abs(found.model.coefficients).max()
    assert np.abs(by_hand(found, X, centre, in_file) - scores).max() < 1e-9 * largest
    shown = by_hand(found, X, centre, printed)
    assert np.abs(shown - scores).max() < 1e-4 * largest
    rows = printed(decision_table(found))
    cutoff = float(rows[0]["Score"])
    called = scores >= found.evaluation.decision.cutoff.value
    np.testing.assert_array_equal(shown >= cutoff, called)
    wanted = found.evaluation.decision.calibrator.predict_proba(scores)
    np.testing.assert_allclose(likely(rows[1:], method, scores), wanted, atol=1e-4)
    tables = (score_table(found), *harmonisation_table(found), decision_table(found))
    (block,) = assemble([Block("Model", "model", tables=tables)]).blocks
    notes = " ".join(note for table in block.tables for note in table.notes)
    assert ("in Table S1, and" in notes) == ("harmonisation" in change)
    assert ("of Table 1 hold" in notes) == ("harmonisation" in change)
    if moved := harmonisation_table(found):
        assert "f0" not in {row["Column name"] for row in in_file(moved[0])} or kind != "one"
    assert ("harmonisation" in [t.key for t in harmonisation_table(found)]) == (
        "harmonisation" in change
    )


def likely(rows: Rows, method: str, scores: NDArray) -> NDArray:
    if method == "platt":
        a, b = (float(row["Value"]) for row in rows)
        return 1 / (1 + np.exp(-(a + b * scores)))
    at = [float(row["Score"]) for row in rows]
    if method == "isotonic":
        return np.interp(scores, at, [float(row["Value"]) for row in rows])
    numbers = {
        "method": method, "scores": at,
        "positives": [float(row["Positive cases"]) for row in rows],
        "cases": [float(row["Cases"]) for row in rows],
    }  # fmt: skip
    # Between printed levels: a score is its own level, which printing moves by a millionth.
    nearest = np.array(at)[np.abs(scores[:, None] - np.array(at)).argmin(axis=1)]
    return calibrator_from(numbers).predict_proba(nearest)


def test_neighbours_cannot_be_printed_and_are_said(results: StudyResults) -> None:
    change = {"imputation": ImputationSettings(method="knn")}
    model, X, y, centre, settings = fitted("one", change)
    found, scores = results_of(results, model, X, y, centre, settings, "platt")
    table = score_table(found)
    assert "holds for cases without missing values" in table.notes[0]
    at = [NAMES.index(n) for n in found.model.features]
    whole = np.isfinite(X[:, at]).all(axis=1)
    shown = by_hand(found, X[whole], centre[whole], printed)
    largest = np.abs(found.model.coefficients).max()
    assert np.abs(shown - scores[whole]).max() < 1e-4 * largest


def test_a_centre_that_is_not_listed_is_read_as_the_note_says(results: StudyResults) -> None:
    model, X, y, centre, settings = fitted("one", {"harmonisation": COMBAT})
    found, _ = results_of(results, model, X, y, centre, settings, "platt")
    assert "A case of another centre is not harmonised" in harmonisation_table(found)[0].notes[0]
    scorer: Scorer = found.scorer
    elsewhere = np.repeat("elsewhere", len(X))
    read = X[:, [NAMES.index(n) for n in scorer.features]]
    wanted = scorer.score(read, elsewhere.tolist())
    shown = by_hand(found, X, elsewhere, printed)
    assert np.abs(shown - wanted).max() < 1e-4 * np.abs(found.model.coefficients).max()
