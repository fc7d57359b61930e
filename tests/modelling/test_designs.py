"""Designs: whole patients, every case where the design says, and clear refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from centrum.errors import DataError
from centrum.modelling.designs import PLACE_IN_TIME, final_rows, plan_parts
from centrum.modelling.settings import Split

N = 60
PATIENTS = np.arange(N) * 2 // 3
OUTCOME = (PATIENTS % 2).astype(int)
COLUMNS = pd.DataFrame(
    {
        "centre": np.array(["A", "B", "C"])[PATIENTS % 3],
        "date": pd.Series(pd.date_range("2020-01-01", periods=N, freq="W").strftime("%Y-%m-%d")),
        "year": 2015.0 + PATIENTS // 5,
        "empty": [None] * N,
    }
)

SPLITS = [
    Split(),
    Split(design="repeated_split", repeats=4),
    Split(design="repeated_k_fold", folds=4, repeats=2),
    Split(design="nested_cv", folds=3, repeats=2),
    Split(design="leave_one_centre_out"),
    Split(design="temporal"),
    Split(design="temporal", by="year", test_from="2020"),
    Split(design="external", test_values=("C",)),
]


@pytest.mark.parametrize("split", SPLITS, ids=lambda s: f"{s.design} {s.by or ''}")
def test_no_patient_is_on_both_sides(split: Split) -> None:
    for part in plan_parts(split, OUTCOME, PATIENTS, COLUMNS):
        assert not set(PATIENTS[part.train]) & set(PATIENTS[part.test])
        assert sorted([*part.train, *part.test]) == list(range(N))
        assert np.unique(OUTCOME[part.train]).size == 2


@pytest.mark.parametrize(
    ("split", "n"),
    [(SPLITS[0], 1), (SPLITS[1], 4), (SPLITS[2], 8), (SPLITS[3], 6), (SPLITS[4], 3),
     (Split(design="repeated_split"), 20), (Split(design="nested_cv"), 50)],
)  # fmt: skip
def test_number_of_parts(split: Split, n: int) -> None:
    assert len(plan_parts(split, OUTCOME, PATIENTS, COLUMNS)) == n


@given(st.integers(0, 10**6), st.integers(2, 6))
def test_folds_test_each_case_once_per_repeat(seed: int, folds: int) -> None:
    split = Split(design="nested_cv", folds=folds, repeats=3, seed=seed)
    parts = plan_parts(split, OUTCOME, PATIENTS, COLUMNS)
    for repeat in range(3):
        tested = np.concatenate([p.test for p in parts if p.repeat == repeat])
        assert sorted(tested) == list(range(N))
    first = [p.test.tolist() for p in parts if p.repeat == 0]
    assert first != [p.test.tolist() for p in parts if p.repeat == 1]


def test_same_seed_same_parts() -> None:
    split = SPLITS[2]
    for a, b in zip(*(plan_parts(split, OUTCOME, PATIENTS, COLUMNS) for _ in "12"), strict=True):
        np.testing.assert_array_equal(a.test, b.test)


def test_each_centre_in_turn() -> None:
    parts = plan_parts(Split(design="leave_one_centre_out"), OUTCOME, PATIENTS, COLUMNS)
    for part, centre in zip(parts, "ABC", strict=True):
        assert part.name == f"centre {centre}"
        assert set(COLUMNS["centre"].iloc[part.test]) == {centre}


def test_centres_of_seven_digits_stay_apart() -> None:
    sites = COLUMNS.assign(centre=COLUMNS["centre"].map({"A": 1e6 + 1, "B": 1e6 + 2, "C": 1e6 + 3}))
    parts = plan_parts(Split(design="leave_one_centre_out"), OUTCOME, PATIENTS, sites)
    assert [part.name for part in parts] == ["centre 1000001", "centre 1000002", "centre 1000003"]


class TestTemporal:
    def test_the_last_patients_are_tested(self) -> None:
        (part,) = plan_parts(Split(design="temporal"), OUTCOME, PATIENTS, COLUMNS)
        assert COLUMNS["date"].iloc[part.train].max() < COLUMNS["date"].iloc[part.test].min()
        share = np.unique(PATIENTS[part.train]).size / np.unique(PATIENTS).size
        assert share == pytest.approx(0.7, abs=0.02)

    @pytest.mark.parametrize(("share", "tested"), [(0.5, 4), (0.4, 4), (0.8, 1), (0.34, 4)])
    def test_patients_of_one_day_stay_together(self, share: float, tested: int) -> None:
        """Those who were first seen on the day of the first tested patient are tested, too."""
        days = ["2020-01-01", "2020-01-01", "2020-02-01", "2020-02-01", "2020-02-01", "2020-03-01"]
        columns = pd.DataFrame({"date": days})
        split = Split(design="temporal", train_fraction=share)
        (part,) = plan_parts(split, np.array([0, 1, 1, 0, 1, 0]), np.array([*"abcdef"]), columns)
        assert len(part.test) == tested

    def test_from_a_date(self) -> None:
        split = Split(design="temporal", test_from="2020-10-01")
        (part,) = plan_parts(split, OUTCOME, PATIENTS, COLUMNS)
        first = COLUMNS.groupby(PATIENTS)["date"].min()
        assert set(PATIENTS[part.test]) == set(first.index[first >= "2020-10-01"])

    def test_dates_that_became_numbers(self) -> None:
        split = Split(design="temporal", test_from="2020-10-01")
        numbers = COLUMNS.assign(date=COLUMNS["date"].str.replace("-", "").astype(float))
        (part,) = plan_parts(split, OUTCOME, PATIENTS, numbers)
        (same,) = plan_parts(split, OUTCOME, PATIENTS, COLUMNS)
        assert part.test.tolist() == same.test.tolist()

    def test_refusals(self) -> None:
        with pytest.raises(DataError, match=r"last date .* 2021-02-21"):
            plan(design="temporal", test_from="2030-01-01")
        bad = COLUMNS.assign(date="spring")
        with pytest.raises(DataError, match="YYYY-MM-DD"):
            plan_parts(Split(design="temporal"), OUTCOME, PATIENTS, bad)


class TestRefusals:
    def test_a_column_that_is_missing_or_empty(self) -> None:
        with pytest.raises(DataError, match="goes by the column 'scanner'"):
            plan(design="leave_one_centre_out", by="scanner")
        with pytest.raises(DataError, match="60 of 60 are empty"):
            plan(design="leave_one_centre_out", by="empty")

    def test_a_patient_of_two_centres(self) -> None:
        moved = COLUMNS.copy()
        moved.loc[0, "centre"] = "C"
        assert PATIENTS[0] == PATIENTS[1]
        with pytest.raises(DataError, match=r"1 patient\(s\) would be on both sides"):
            plan_parts(Split(design="leave_one_centre_out"), OUTCOME, PATIENTS, moved)

    def test_one_outcome_to_train_on(self) -> None:
        columns = pd.DataFrame({"centre": np.where(OUTCOME == 1, "A", "B")})
        with pytest.raises(DataError, match="both outcomes are needed"):
            plan_parts(Split(design="leave_one_centre_out"), OUTCOME, PATIENTS, columns)

    def test_values_that_are_not_there(self) -> None:
        with pytest.raises(DataError, match="it holds A, B, C"):
            plan(design="external", test_values=("D",))
        with pytest.raises(ValidationError, match="needs `test_values`"):
            Split(design="external")


def plan(**how: object) -> tuple:
    return plan_parts(Split(**how), OUTCOME, PATIENTS, COLUMNS)


def test_final_rows() -> None:
    for split in SPLITS:
        parts = plan_parts(split, OUTCOME, PATIENTS, COLUMNS)
        train, test = final_rows(split, parts)
        if split.single_part:
            np.testing.assert_array_equal(train, parts[0].train)
            np.testing.assert_array_equal(test, parts[0].test)
        else:
            assert train.tolist() == list(range(N))
            assert test.size == 0


def test_repeats_are_splits_of_the_next_seeds() -> None:
    """Named from 1 on, and numbered from 0."""
    split = Split(design="repeated_split", repeats=3, seed=40, train_fraction=0.6)
    parts = plan_parts(split, OUTCOME, PATIENTS, COLUMNS)
    assert [(p.name, p.repeat) for p in parts] == [("split 1", 0), ("split 2", 1), ("split 3", 2)]
    for k, part in enumerate(parts):
        (alone,) = plan(seed=40 + k, train_fraction=0.6)
        assert (alone.name, alone.repeat) == ("split", 0)
        np.testing.assert_array_equal(part.train, alone.train)
        np.testing.assert_array_equal(part.test, alone.test)


def test_folds_are_named_by_repeat_and_number() -> None:
    parts = plan(design="repeated_k_fold", folds=2, repeats=2, seed=6)
    names = ["repeat 1, fold 1", "repeat 1, fold 2", "repeat 2, fold 1", "repeat 2, fold 2"]
    assert [part.name for part in parts] == names
    assert [part.repeat for part in parts] == [0, 0, 1, 1]
    second = plan(design="repeated_k_fold", folds=2, repeats=1, seed=7)
    np.testing.assert_array_equal(parts[2].test, second[0].test)


def test_a_side_of_several_values_is_named_by_them() -> None:
    (part,) = plan(design="external", test_values=("C", "A"))
    assert (part.name, part.repeat) == ("centre C, A", 0)
    assert set(COLUMNS["centre"].iloc[part.test]) == {"A", "C"}
    (late,) = plan(design="temporal", test_from="2020-10-01")
    assert late.name == "from 2020-10-01"
    assert plan(design="temporal")[0].name == "the latest patients"


def test_all_patients_but_one_train_at_most() -> None:
    columns = pd.DataFrame({"date": [f"2020-01-{k:02d}" for k in range(1, 7)]})
    split = Split(design="temporal", train_fraction=0.99)
    (part,) = plan_parts(split, np.array([0, 1, 0, 1, 0, 1]), None, columns)
    assert part.test.tolist() == [5]


def test_places_that_are_known_are_taken_instead_of_dates() -> None:
    """As where dates must not be written: the column of dates is not looked at."""
    places = COLUMNS.drop(columns="date").assign(**{PLACE_IN_TIME: np.arange(N) - 50})
    split = Split(design="temporal", test_from="2020")
    (part,) = plan_parts(split, OUTCOME, PATIENTS, places)
    first = pd.Series(np.arange(N) - 50).groupby(PATIENTS).min()
    assert set(PATIENTS[part.test]) == set(first.index[first >= 0])


def test_one_centre_cannot_be_left_out() -> None:
    alone = COLUMNS.assign(centre="A")
    with pytest.raises(DataError, match=r"found only \['A'\]"):
        plan_parts(Split(design="leave_one_centre_out"), OUTCOME, PATIENTS, alone)
    two = COLUMNS.assign(centre=np.where(PATIENTS < 20, "A", "B"))
    assert len(plan_parts(Split(design="leave_one_centre_out"), OUTCOME, PATIENTS, two)) == 2
