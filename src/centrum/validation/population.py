"""Who was studied: by outcome, and training beside test."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from centrum.cohort import Level
from centrum.evaluate import PopulationRow, table1
from centrum.evaluate.population import MISSING
from centrum.evaluate.standardised import by_chance
from centrum.modelling.designs import PLACE_IN_TIME
from centrum.text import OneLine

SIDES = {"train": "training", "test": "test"}
"""Part of a case in `scores.csv` -> what the side is called."""


@dataclass(frozen=True, eq=False, repr=False)
class Sides(OneLine):
    """Training cases beside test cases.

    Attributes
    ----------
    by_outcome : side -> its cases by outcome
    cases : rows of what is known about them, by side
    features : rows of the features of the model, by side
    n_train, n_test : sizes
    """

    by_outcome: Mapping[str, tuple[PopulationRow, ...]]
    cases: tuple[PopulationRow, ...]
    features: tuple[PopulationRow, ...]
    n_train: int
    n_test: int

    @property
    def differing(self) -> tuple[str, ...]:
        """Variables that differ by more than random sides do once in twenty."""
        return tuple(
            row.variable
            for row in (*self.cases, *self.features)
            if row.difference is not None and row.difference > self.chance(row.variable)
        )

    @property
    def compared(self) -> int:
        """Variables whose sides could be compared."""
        rows = (*self.cases, *self.features)
        return sum(row.difference is not None and row.difference == row.difference for row in rows)

    def chance(self, variable: str) -> float:
        """What the difference of a variable exceeds once in twenty random splits."""
        rows = [row for row in (*self.cases, *self.features) if row.variable == variable]
        levels = sum(row.level != MISSING for row in rows)
        return by_chance(self.n_train, self.n_test, max(levels, 2))


def population(obs: pd.DataFrame, outcomes: tuple[str, str]) -> tuple[PopulationRow, ...]:
    """What is known about cases, by outcome; `outcomes` are in the order of the columns."""
    groups = pd.Categorical(obs["outcome"], outcomes, ordered=True)
    return _rows(obs.assign(outcome=groups), "outcome")


def sides(
    obs: pd.DataFrame, part: pd.Series, features: pd.DataFrame, outcomes: tuple[str, str]
) -> Sides:
    """Training beside test.

    Parameters
    ----------
    obs : what is known about the cases
    part : of each case, "train" or "test"
    features : (cases) of the model
    outcomes : in the order of the columns
    """
    side = pd.Categorical(part.map(SIDES), list(SIDES.values()), ordered=True)
    own = {name: (part == key).to_numpy() for key, name in SIDES.items()}
    values = features.assign(patient=obs["patient"], side=side)
    return Sides(
        by_outcome={name: population(obs[there], outcomes) for name, there in own.items()},
        cases=_rows(obs.assign(side=side), "side"),
        features=tuple(table1(values, "side", list(features.columns))[2:]),
        n_train=int(own["training"].sum()),
        n_test=int(own["test"].sum()),
    )


def _rows(obs: pd.DataFrame, by: str) -> tuple[PopulationRow, ...]:
    known = obs.drop(columns=PLACE_IN_TIME, errors="ignore").dropna(axis="columns", how="all")
    if "level" in known:
        names = sorted(known["level"].dropna().unique(), key=Level.parse)
        known["level"] = pd.Categorical(known["level"], names, ordered=True)
    return tuple(table1(known, by))
