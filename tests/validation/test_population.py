"""Training beside test, from numbers that are known."""

import numpy as np
import pandas as pd
import pytest

from centrum.evaluate.population import MISSING, Count
from centrum.evaluate.standardised import by_chance
from centrum.validation.population import population, sides

OUTCOMES = ("malignant", "osteoporotic")


@pytest.fixture
def obs() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 60
    return pd.DataFrame(
        {
            "patient": [f"P{k // 2}" for k in range(n)],
            "outcome": np.where(np.arange(n) % 3 == 0, *OUTCOMES),
            "age": np.repeat(rng.normal(70, 9, n // 2).round(), 2),
            "level": np.where(np.arange(n) % 2 == 0, "L1", "T12"),
            "centre": np.where(np.arange(n) < 40, "A", "B"),
        }
    )


@pytest.fixture
def part(obs: pd.DataFrame) -> pd.Series:
    return pd.Series(np.where(np.arange(60) < 40, "train", "test"), obs.index)


def test_each_side_is_described_by_outcome(obs: pd.DataFrame, part: pd.Series) -> None:
    found = sides(obs, part, pd.DataFrame(index=obs.index), OUTCOMES)
    assert (found.n_train, found.n_test) == (40, 20)
    assert found.by_outcome["test"] == population(obs[part == "test"], OUTCOMES)
    first = found.by_outcome["training"][0]
    assert (first.variable, first.groups["malignant"]) == ("cases", Count(14, 40))
    assert list(first.groups) == list(OUTCOMES)


def test_sides_stand_beside_each_other(obs: pd.DataFrame, part: pd.Series) -> None:
    x = pd.DataFrame({"moved": np.where(part == "train", 0.0, 3.0)}, obs.index)
    x["moved"] += np.random.default_rng(1).normal(size=60)
    x["same"] = np.random.default_rng(2).normal(size=60)
    found = sides(obs, part, x, OUTCOMES)
    rows = {(row.variable, row.level): row for row in found.cases}
    assert list(rows["cases", ""].groups) == ["training", "test"]
    assert rows["patients", ""].groups["test"] == Count(10, 30)
    assert rows["age", ""].groups["training"].n == 20, "once per patient"
    assert rows["outcome", "malignant"].groups["test"] == Count(6, 20)
    assert rows["outcome", "malignant"].significance.p > 0.5
    assert rows["centre", "A"].significance is None, "the split is by centre"
    assert [row.variable for row in found.features] == ["moved", "same"]
    assert found.differing == ("centre", "moved")
    assert found.compared == 6, "outcome, age, level, centre and two features"


def test_chance_grows_with_the_categories(obs: pd.DataFrame, part: pd.Series) -> None:
    obs["region"] = pd.Series(list("abcd") * 15)
    found = sides(obs, part, pd.DataFrame(index=obs.index), OUTCOMES)
    assert found.chance("age") == by_chance(40, 20)
    assert found.chance("region") == by_chance(40, 20, 4) > found.chance("level")


def test_rows_keep_the_order_of_outcomes_and_of_the_spine(
    obs: pd.DataFrame, part: pd.Series
) -> None:
    """Not that of the alphabet; a column of which nothing is known, and times of dates, are none.

    A gap is a row of its own.
    """
    known = obs.assign(**{"note": None, "place in time": range(60)})
    known.loc[3, "centre"] = None
    rows = population(known, OUTCOMES[::-1])
    assert list(rows[0].groups) == list(OUTCOMES[::-1])
    assert [row.level for row in rows if row.variable == "level"] == ["T12", "L1"]
    assert {row.variable for row in rows} == {"cases", "patients", "age", "level", "centre"}
    assert [row.level for row in rows if row.variable == "centre"] == ["A", "B", MISSING]
    found = sides(known, part, pd.DataFrame(index=obs.index), OUTCOMES[::-1])
    outcomes = [row.level for row in found.cases if row.variable == "outcome"]
    assert sorted(outcomes) == sorted(OUTCOMES)


def test_a_cohort_may_say_nothing_of_levels(obs: pd.DataFrame) -> None:
    rows = population(obs.drop(columns="level"), OUTCOMES)
    assert {row.variable for row in rows} == {"cases", "patients", "age", "centre"}
