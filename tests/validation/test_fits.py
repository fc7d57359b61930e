"""The unfitted model of a protocol knows what the protocol and the table say."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from centrum.errors import DataError
from centrum.modelling.designs import Part
from centrum.modelling.fusion import FusionClassifier
from centrum.modelling.permute import shuffle_by_patient
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.search import SearchClassifier
from centrum.modelling.settings import ImputationSettings
from centrum.protocol import Protocol
from centrum.validation import fits
from centrum.validation.fits import (
    FitJob,
    Source,
    build_model,
    fit_rows,
    fitted_model,
    reader_scores,
    refit,
    refit_all,
    unseen_levels,
    used_features,
)
from centrum.validation.matrix import Matrix

SEVERAL = {"T1w": (0, 1), "T2w": (2, 3)}
ROBUST = {"icc": {"threshold": 0.8}}


def matrix(**changed: Any) -> Any:
    names = ["a", "b", "c", "d"]
    own = {"names": names, "covariates": (), "n_readers": 2, "compared": None, "sources": SEVERAL}
    return SimpleNamespace(**own | changed)


@pytest.mark.parametrize(
    ("given", "sources", "kind"),
    [
        ({"model": {"fusion": "early"}}, SEVERAL, StudyClassifier),
        ({"model": {"fusion": "late"}}, {"T2w": (0, 1, 2, 3)}, StudyClassifier),
        ({"model": {"fusion": "late"}}, SEVERAL, FusionClassifier),
        ({"model": {"fusion": "stacked"}}, SEVERAL, FusionClassifier),
        ({"search": {}}, SEVERAL, SearchClassifier),
    ],
)
def test_a_model_knows_its_table(given: dict[str, Any], sources: Any, kind: type) -> None:
    protocol = Protocol(name="Test", split={"seed": 7}, **given)
    model = build_model(protocol, matrix(sources=sources))
    assert type(model) is kind
    assert (model.seed, model.feature_names) == (7, ["a", "b", "c", "d"])
    assert model.settings == protocol.model
    assert not model.calibrate, "probabilities are learnt with all else"
    assert model.compared is model.robustness is model.n_readers is None
    assert build_model(protocol, matrix(sources=sources, compared=(1, 2))).compared == (1, 2)


def test_robustness_is_judged_by_readings_behind_the_readers() -> None:
    protocol = Protocol(name="Test", robustness=ROBUST, model={"fusion": "early"})
    model = build_model(protocol, matrix())
    assert protocol.robustness is not None
    assert (model.robustness, model.n_readers) == (protocol.robustness.icc, 2)


# Fits of a small table

N = 40
PLAIN = {
    "agreement": {"threshold": -1},
    "select": {"method": "mrmr"},
    "rfe": {"estimator": "none"},
    "n_features": None,
    "classifier": "logistic",
    "balance": "none",
}


@pytest.fixture(scope="module")
def small() -> Matrix:
    """Forty cases of thirty patients; a level of a text that the last case alone has."""
    rng = np.random.default_rng(23)
    patients = np.r_[np.arange(30), np.arange(10)]
    positive = (patients % 2).astype(np.int64)
    X = rng.normal(size=(N, 6)) + 0.9 * positive[:, None]
    X[:, 3:] = np.eye(3)[[*([0, 1] * 19), 0, 2]]
    names = ("a", "b", "age", "kind=A", "kind=B", "kind=C")
    columns = pd.DataFrame(index=[f"C{k}" for k in range(N)])
    return Matrix(
        X[:, :, None], names, {"radiomics": (0, 1), "clinical": (2, 3, 4, 5)}, positive, patients,
        None, ("senior",), columns, (("age",), ("kind=A", "kind=B", "kind=C")),
    )  # fmt: skip


def protocol(**chosen: Any) -> Protocol:
    return Protocol(name="Test", model=PLAIN | {"fusion": "early"}, **chosen)


def job(small: Matrix, train: Any, test: Any, **more: Any) -> FitJob:
    source = SimpleNamespace(load=lambda _: small)
    part = Part("split 2", 1, np.asarray(train), np.asarray(test))
    return FitJob.of(source, protocol(**more.pop("chosen", {})), part, **more)


TRAIN, TEST = np.arange(10, 30), np.r_[30:40, 0:10]


def test_a_record_tells_of_the_test_cases_and_of_what_was_fitted(small: Matrix) -> None:
    found = refit(job(small, TRAIN, TEST))
    assert (found["name"], found["repeat"], found["error"]) == ("split 2", 1, "")
    assert (found["n_train"], found["n_test"]) == (20, 20)
    assert (found["case"], found["train"]) == (TEST.tolist(), TRAIN.tolist())
    assert found["positive"] == small.positive[TEST].tolist()
    scores = np.array(found["score"])
    assert found["called"] == (scores >= found["cutoff"]).astype(int).tolist()
    assert found["auc"] == pytest.approx(roc_auc_score(small.positive[TEST], scores))
    assert (np.argsort(found["probability"]) == np.argsort(scores)).all()
    assert found["unseen"] == {"kind=C": 1}, "numbers have no levels"
    assert (found["readers"], found["search"]) == ({}, [])
    assert found["seen"]["classifier"] == [20, 0]
    assert {"a", "b", "age"} <= {*found["features"]}
    fitted = fit_rows(protocol(), small, TRAIN, nested=False)
    assert found["out_of_fold"] == fitted.out_of_fold.tolist(), "of the inner models"
    weights = zip(fitted.model.selected_, fitted.model.coef_, strict=True)
    assert found["features"] == dict(weights)
    bayes = protocol().model.model_copy(update={"classifier": "naive_bayes"})
    unweighted = fitted_model(protocol().model_copy(update={"model": bayes}), small, TRAIN)
    assert used_features(unweighted) == dict.fromkeys(unweighted.selected_)


def test_levels_are_of_texts_and_an_area_needs_one_case_of_each_outcome(small: Matrix) -> None:
    X = np.zeros((N, 3, 1))
    X[TEST, 0], X[TRAIN, 1], X[TEST, 2] = 1, 1, 1
    two = replace(small, X=X, names=("smokes", "sex=F", "sex=M"),
                  covariates=(("smokes",), ("sex=F", "sex=M")))  # fmt: skip
    assert unseen_levels(two, TRAIN, TEST) == {"sex=M": 20}, "a number of 0 and 1 has no levels"
    one = np.flatnonzero(small.positive)[:1]
    test = np.r_[one, np.flatnonzero(small.positive == 0)[:3]]
    found = refit(job(small, np.setdiff1d(np.arange(N), test), test))
    assert found["auc"] == roc_auc_score(small.positive[test], found["score"])


def test_patients_of_the_test_side_that_a_step_has_seen_are_counted(small: Matrix) -> None:
    found = refit(job(small, np.arange(26), np.r_[26:36]))
    assert found["seen"]["classifier"] == [26, 6], "cases 30 to 35 are of patients 0 to 5"


def test_a_test_side_of_one_outcome_has_no_area(small: Matrix) -> None:
    positive = np.flatnonzero(small.positive)
    rest = np.setdiff1d(np.arange(N), positive[:4])
    assert refit(job(small, rest, positive[:4]))["auc"] is None
    negative = np.flatnonzero(small.positive == 0)
    rest = np.setdiff1d(np.arange(N), negative[:4])
    assert refit(job(small, rest, negative[:4]))["auc"] is None


def test_permuted_outcomes_have_an_area_alone(small: Matrix) -> None:
    """Of the outcomes that the seed gives; they are to be planned for, or a side has one alone."""
    found = refit(job(small, TRAIN, TEST, shuffle=3))
    assert {*found} == {"name", "repeat", "n_train", "n_test", "error", "case", "auc"}
    shuffled = shuffle_by_patient(small.positive, small.patients, 3)
    told = refit(job(small.with_outcome(shuffled), TRAIN, TEST))
    assert found["auc"] == pytest.approx(told["auc"])
    assert found["auc"] != refit(job(small, TRAIN, TEST, shuffle=4))["auc"]
    alone = np.flatnonzero(shuffled == 1)[:3]
    rest = np.setdiff1d(np.arange(N), alone)
    assert refit(job(small, rest, alone, shuffle=3))["auc"] is None


def test_what_cannot_be_fitted_is_told_with_the_sizes(small: Matrix) -> None:
    found = refit(job(small, np.flatnonzero(small.positive), [0, 2, 4]))
    assert "Only binary classification" in found["error"] or "outcome" in found["error"]
    assert (found["n_train"], found["n_test"], found["case"], found["auc"]) == (20, 3, [], None)


def test_nested_scores_are_of_the_folds_and_the_seed_of_the_evaluation(small: Matrix) -> None:
    def nested(**evaluation: int) -> list[float]:
        chosen = protocol(evaluation=evaluation)
        return fit_rows(chosen, small, TRAIN, nested=True).out_of_fold.tolist()

    usual = nested(cutoff_folds=4, seed=2)
    assert usual == nested(cutoff_folds=4, seed=2)
    assert usual != nested(cutoff_folds=3, seed=2)
    assert usual != nested(cutoff_folds=4, seed=5)
    inner = fit_rows(protocol(evaluation={"cutoff_folds": 4}), small, TRAIN, nested=False)
    seen = small.X[TRAIN], small.positive[TRAIN], small.patients[TRAIN]
    np.testing.assert_array_equal(inner.out_of_fold, inner.model.inner_scores(*seen))


def read_by_three(small: Matrix) -> Matrix:
    """A second reader, who lacks a value of case 31, and a third, who drew the first 30 alone."""
    X = np.repeat(small.X, 3, axis=2)
    X[:, 0, 1:] += 0.3
    X[31, 0, 1] = np.nan
    X[30:, :2, 2] = np.nan
    return replace(small, X=X, readers=("senior", "resident", "third"))


@pytest.mark.parametrize("method", ["none", "mean"])
def test_scores_by_another_reader_are_of_the_cases_that_he_drew(small: Matrix, method: str) -> None:
    """Without imputation of all whose features are whole; covariates are the first reader's."""
    several, rows = read_by_three(small), np.arange(28, 36)
    chosen = protocol()
    imputed = chosen.model.model_copy(update={"imputation": ImputationSettings(method=method)})
    chosen = chosen.model_copy(update={"model": imputed})
    model = fitted_model(chosen, small, TRAIN)
    found = reader_scores(chosen, model, several, rows)
    assert [*found] == ["resident", "third"]
    resident = [True] * 3 + [method == "mean"] + [True] * 4
    np.testing.assert_array_equal(np.isfinite(found["resident"]), resident)
    np.testing.assert_array_equal(np.isfinite(found["third"]), [True] * 2 + [False] * 6)
    theirs = several.X[rows, :, 1][resident]
    np.testing.assert_allclose(
        found["resident"][resident], model.decision_function(theirs[:, :, None])
    )
    nobody = reader_scores(chosen, model, several, np.arange(30, 34))
    assert np.isnan(nobody["third"]).all()
    told = refit(job(several, TRAIN, TEST))["readers"]
    assert [*told] == ["resident", "third"]
    assert [value is None for value in told["third"]["called"]] == [True] * 10 + [False] * 10


def test_a_job_is_known_by_all_that_decides_its_predictions(tmp_path: Path) -> None:
    source = Source(tmp_path, "0" * 64)

    def of(source: Source = source, shuffle: int | None = None, name: str = "a", last: int = 4,
           end: int = 6, **chosen: Any) -> str:  # fmt: skip
        part = Part(name, 1, np.arange(last), np.arange(4, end))
        return FitJob.of(source, protocol(**chosen), part, shuffle).key()

    usual = of()
    assert usual == of(name="b") == of(evaluation={"confidence": 0.9})
    others = [
        of(shuffle=1), of(last=3), of(end=5), of(evaluation={"conformal_error": 0.2}),
        of(split={"seed": 9}), of(replace(source, features=(0, 1))),
        of(replace(source, sources=("clinical",))), of(replace(source, table="1" * 64)),
        of(outcome={"positive": "myeloma"}), of(robustness=ROBUST), of(search={"folds": 3}),
    ]  # fmt: skip
    assert len({usual, *others}) == len(others) + 1


def test_a_worker_reads_the_sources_or_features_of_its_job(
    small: Matrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fits, "_read", lambda *_, **__: None)
    monkeypatch.setattr(fits, "study_matrix", lambda *_: small)
    source = Source(tmp_path, "")
    assert source.load(protocol()) is small
    clinical = replace(source, sources=("clinical",)).load(protocol())
    assert clinical.names == ("age", "kind=A", "kind=B", "kind=C")
    assert clinical.sources == {"clinical": (0, 1, 2, 3)}
    two = replace(source, features=(2, 1)).load(protocol())
    assert two.names == ("age", "b")
    assert two.sources == {"radiomics": (1,), "clinical": (0,)}
    np.testing.assert_array_equal(two.X, small.X[:, [2, 1]])


def test_a_record_has_the_name_of_its_part_in_this_design(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: dict[str, Any] = {}

    def run(*_: object, **how: object) -> list[dict[str, Any]]:
        given.update(how)
        return [{"name": "old", "repeat": 9, "auc": 1}]

    monkeypatch.setattr(fits, "run_jobs", run)
    part = Part("centre A", 2, np.arange(3), np.arange(2))
    one = FitJob.of(Source(tmp_path, ""), protocol(), part)
    (found,) = refit_all(Source(tmp_path, ""), [one], 1, lambda *_: None, "parts")
    assert found == {"name": "centre A", "repeat": 2, "auc": 1}
    assert given["kept"].store.folder == tmp_path / "fits"
    assert given["kept"].key(one) == one.key()
    assert given["failed"](one, DataError("No.")) == one.without("No.")
    assert one.without("why") == {
        "name": "centre A", "repeat": 2, "n_train": 3, "n_test": 2, "error": "why", "case": [],
        "auc": None,
    }  # fmt: skip
    assert (one.train.dtype, one.test.dtype) == (np.int32, np.int32)
