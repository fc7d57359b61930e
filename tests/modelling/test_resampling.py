"""A model fitted again and again: on which cases, with which outcomes, and what is told of it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import roc_auc_score

from centrum.modelling.permute import shuffle_by_patient
from centrum.modelling.resampling import design_auc, out_of_fold_scores, repeated_split_auc
from centrum.modelling.settings import Split

N = 60
PATIENTS = np.repeat(np.arange(N // 2), 2)
Y = np.where(PATIENTS % 3 == 0, "malignant", "benign")
ROWS = np.arange(N, dtype=float)
CENTRE = np.where(PATIENTS < 18, "A", "B")
X = np.column_stack([ROWS, np.random.default_rng(5).normal(size=N) + (Y == "malignant")])

Fit = dict[str, Any]


class Witness(BaseEstimator):
    """Scores by the second feature; tells which rows, by the first, it was fitted on and scored."""

    def __init__(self, told: list[Fit]) -> None:
        self.told = told

    def __sklearn_clone__(self) -> "Witness":
        return Witness(self.told)

    def fit(self, X: NDArray, y: NDArray, groups: NDArray, batch: NDArray | None = None):
        self.classes_ = np.unique(y)
        rows = X[:, 0].astype(int)
        self.told.append({"train": rows, "y": y, "groups": groups, "batch": batch})
        return self

    def decision_function(self, X: NDArray, batch: NDArray | None = None) -> NDArray:
        self.told[-1] |= {"test": X[:, 0].astype(int), "tested": batch}
        return X[:, 1]


def check(told: list[Fit], batches: bool) -> None:
    """Patients are on one side, and all that belongs to a case comes with it."""
    for fit in told:
        assert set(PATIENTS[fit["train"]]).isdisjoint(PATIENTS[fit["test"]])
        np.testing.assert_array_equal(fit["groups"], PATIENTS[fit["train"]])
        for rows, batch in ((fit["train"], fit["batch"]), (fit["test"], fit["tested"])):
            if batches:
                np.testing.assert_array_equal(batch, CENTRE[rows])
            else:
                assert batch is None


@pytest.mark.parametrize("batch", [None, CENTRE])
def test_every_case_is_scored_once_by_a_model_without_its_patient(batch: NDArray | None) -> None:
    told: list[Fit] = []
    scores = out_of_fold_scores(Witness(told), X, Y, PATIENTS, batch, folds=5, seed=2)
    np.testing.assert_array_equal(scores, X[:, 1])
    check(told, batch is not None)
    assert len(told) == 5
    tested = np.concatenate([fit["test"] for fit in told])
    assert sorted(tested) == list(range(N))
    for fit in told:
        assert {*fit["train"], *fit["test"]} == {*range(N)}
        np.testing.assert_array_equal(fit["y"], Y[fit["train"]])
    other: list[Fit] = []
    out_of_fold_scores(Witness(other), X, Y, PATIENTS, folds=5, seed=3)
    assert {frozenset(f["test"]) for f in told} != {frozenset(f["test"]) for f in other}


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch", [None, CENTRE])
def test_splits_differ_and_have_the_area_of_their_test_side(
    shuffle: bool, batch: NDArray | None
) -> None:
    told: list[Fit] = []
    areas = repeated_split_auc(
        Witness(told), X, Y, PATIENTS, batch=batch, repeats=4, train_fraction=0.6, seed=7,
        shuffle=shuffle,
    )  # fmt: skip
    check(told, batch is not None)
    assert len({frozenset(fit["test"]) for fit in told}) == len(told) == len(areas) == 4
    for k, (fit, area) in enumerate(zip(told, areas, strict=True)):
        target = shuffle_by_patient(Y, PATIENTS, 7 + k) if shuffle else Y
        np.testing.assert_array_equal(fit["y"], target[fit["train"]])
        test = fit["test"]
        assert len(test) == pytest.approx(0.4 * N, abs=2)
        assert area == pytest.approx(roc_auc_score(target[test] == "malignant", X[test, 1]))


@pytest.mark.parametrize("permutation", [None, 3])
@pytest.mark.parametrize("batch", [None, CENTRE])
def test_a_design_has_the_mean_area_of_its_parts(
    permutation: int | None, batch: NDArray | None
) -> None:
    told: list[Fit] = []
    split = Split(design="leave_one_centre_out")
    columns = pd.DataFrame({"centre": CENTRE})
    area = design_auc(
        Witness(told), X, Y, PATIENTS, split, columns, batch=batch, permutation=permutation
    )
    check(told, batch is not None)
    target = Y if permutation is None else shuffle_by_patient(Y, PATIENTS, permutation)
    sides = [fit["test"] for fit in told]
    assert [set(CENTRE[test]) for test in sides] == [{"A"}, {"B"}]
    wanted = [roc_auc_score(target[test] == "malignant", X[test, 1]) for test in sides]
    assert area == pytest.approx(np.mean(wanted))
    for fit in told:
        np.testing.assert_array_equal(fit["y"], target[fit["train"]])


def test_a_part_with_one_outcome_has_no_area() -> None:
    """Of the centre C all cases are benign, of D all are malignant."""
    split = Split(design="leave_one_centre_out")
    centre = np.where(PATIENTS < 9, np.where(Y == "benign", "C", "D"), CENTRE)
    told: list[Fit] = []
    area = design_auc(Witness(told), X, Y, PATIENTS, split, pd.DataFrame({"centre": centre}))
    both = [fit["test"] for fit in told if "test" in fit]
    assert [set(centre[test]) for test in both] == [{"A"}, {"B"}]
    wanted = [roc_auc_score(Y[test] == "malignant", X[test, 1]) for test in both]
    assert area == pytest.approx(np.mean(wanted))
    halves = np.char.add(Y, np.where(PATIENTS < 15, "1", "2"))
    columns = pd.DataFrame({"centre": halves})
    assert np.isnan(design_auc(Witness([]), X, Y, PATIENTS, split, columns))
