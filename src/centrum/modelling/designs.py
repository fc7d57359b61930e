"""Designs of validation: which cases train and which test, part by part.

Whole patients go to one side. Source of the terms: Moons et al., TRIPOD, Ann Intern Med
2015;162:W1; nested cross-validation: Varma and Simon, BMC Bioinformatics 2006;7:91.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from centrum.errors import DataError
from centrum.modelling.settings import Split
from centrum.modelling.split import (
    Indices,
    folds_by_patient,
    owners_of,
    stratified_split,
    train_and_held_out,
)
from centrum.text import spelled

PLACE_IN_TIME = "place in time"
"""Column that stands for the dates of a temporal design where dates must not be written."""

SPLITS, FOLD_REPEATS = 20, 10
"""How often a design is repeated unless the protocol says so."""


@dataclass(frozen=True, eq=False)
class Part:
    """One training and one test side.

    Attributes
    ----------
    name : such as "repeat 2, fold 4" or "centre B"
    repeat : 0, 1, ...; within one repeat no case is tested twice
    train, test : positions of cases
    """

    name: str
    repeat: int
    train: Indices
    test: Indices


def plan_parts(
    split: Split, outcome: ArrayLike, patients: ArrayLike | None, columns: pd.DataFrame
) -> tuple[Part, ...]:
    """The parts of a design.

    Parameters
    ----------
    split : the design
    outcome : (cases,) two labels
    patients : (cases,) whose case it is
    columns : (cases) what is known about them, for designs that go by a column

    Raises
    ------
    DataError
        Too few patients of an outcome, a column that is missing or not filled, a patient who
        would be on both sides, or a training side with one outcome.

    >>> outcome = np.repeat([0, 1], 10)
    >>> columns = pd.DataFrame({"centre": list("AB") * 10})
    >>> parts = plan_parts(Split(design="leave_one_centre_out"), outcome, None, columns)
    >>> [(part.name, part.train.size, part.test.size) for part in parts]
    [('centre A', 10, 10), ('centre B', 10, 10)]
    >>> len(plan_parts(Split(design="nested_cv", folds=5, repeats=2), outcome, None, columns))
    10
    """
    labels = np.asarray(outcome)
    owners = owners_of(labels, patients)
    parts = tuple(_DESIGNS[split.design](split, labels, owners, columns))
    for part in parts:
        _check(part, labels, owners)
    return parts


def final_rows(split: Split, parts: tuple[Part, ...]) -> tuple[Indices, Indices]:
    """Rows that the final model is fitted on, and those that are left to test it.

    A design of one part keeps its training side; of several the final model is fitted on all
    cases, and the parts say how such a model does.
    """
    if split.single_part:
        return parts[0].train, parts[0].test
    everyone = np.sort(np.concatenate([parts[0].train, parts[0].test]))
    return everyone, everyone[:0]


def _single(
    split: Split, outcome: NDArray, patients: NDArray, columns: pd.DataFrame
) -> Iterator[Part]:
    train, test = stratified_split(outcome, patients, split.train_fraction, split.seed)
    yield Part("split", 0, train, test)


def _repeated_split(
    split: Split, outcome: NDArray, patients: NDArray, columns: pd.DataFrame
) -> Iterator[Part]:
    for i in range(split.repeats or SPLITS):
        sides = stratified_split(outcome, patients, split.train_fraction, split.seed + i)
        yield Part(f"split {i + 1}", i, *sides)


def _repeated_k_fold(
    split: Split, outcome: NDArray, patients: NDArray, columns: pd.DataFrame
) -> Iterator[Part]:
    for i in range(split.repeats or FOLD_REPEATS):
        fold = folds_by_patient(outcome, patients, split.folds, split.seed + i)
        for k, (train, test) in enumerate(train_and_held_out(fold)):
            yield Part(f"repeat {i + 1}, fold {k + 1}", i, train, test)


def _leave_one_centre_out(
    split: Split, outcome: NDArray, patients: NDArray, columns: pd.DataFrame
) -> Iterator[Part]:
    values = _filled(columns, split)
    centres = np.unique(values)
    if centres.size < 2:
        raise DataError(
            f"Leaving one {split.column} out needs two or more, found only {centres.tolist()}. "
            "Choose another design, or fill in the column."
        )
    for centre in centres:
        here = values == centre
        yield Part(f"{split.column} {centre}", 0, np.flatnonzero(~here), np.flatnonzero(here))


def _external(
    split: Split, outcome: NDArray, patients: NDArray, columns: pd.DataFrame
) -> Iterator[Part]:
    values = _filled(columns, split)
    if unknown := sorted(set(split.test_values) - set(values)):
        raise DataError(
            f"`split.test_values` names {', '.join(unknown)}, which the column {split.column!r} "
            f"does not hold; it holds {', '.join(np.unique(values)[:10])}."
        )
    there = np.isin(values, split.test_values)
    name = f"{split.column} {', '.join(split.test_values)}"
    yield Part(name, 0, np.flatnonzero(~there), np.flatnonzero(there))


def place_in_time(columns: pd.DataFrame, split: Split) -> pd.Series:
    """The cases' dates as whole numbers in their order, which tell no date.

    With `test_from` they count from the first date to be tested: a case before it is negative.

    Raises
    ------
    DataError
        The column is missing or not filled, or holds no dates.

    >>> columns = pd.DataFrame({"date": ["2020-05-01", "2019-02-07", "2021-01-31"]})
    >>> place_in_time(columns, Split(design="temporal", test_from="2020")).tolist()
    [0, -1, 1]
    """
    dates = _dates(_filled(columns, split), split)
    place = dates.rank(method="dense").astype(int) - 1
    if split.test_from is None:
        return place.set_axis(columns.index)
    since = _dates(np.array([split.test_from]), split)[0]
    if not (dates >= since).any():
        raise DataError(
            f"No patient was first seen on or after {split.test_from}; the last date in the "
            f"column {split.column!r} is {dates.max():%Y-%m-%d}."
        )
    return (place - place[dates >= since].min()).set_axis(columns.index)


def _temporal(
    split: Split, outcome: NDArray, patients: NDArray, columns: pd.DataFrame
) -> Iterator[Part]:
    place = columns[PLACE_IN_TIME] if PLACE_IN_TIME in columns else place_in_time(columns, split)
    first = pd.Series(place.to_numpy()).groupby(patients).transform("min")
    if split.test_from is not None:
        late, name = first >= 0, f"from {split.test_from}"
    else:
        by_patient = first.groupby(patients).first().sort_values(kind="stable")
        at = min(round(split.train_fraction * len(by_patient)), len(by_patient) - 1)
        late, name = first >= by_patient.iloc[at], "the latest patients"
    here = late.to_numpy()
    yield Part(name, 0, np.flatnonzero(~here), np.flatnonzero(here))


_DESIGNS: Mapping[str, Callable[[Split, NDArray, NDArray, pd.DataFrame], Iterator[Part]]] = {
    "single": _single,
    "repeated_split": _repeated_split,
    "repeated_k_fold": _repeated_k_fold,
    "nested_cv": _repeated_k_fold,
    "leave_one_centre_out": _leave_one_centre_out,
    "temporal": _temporal,
    "external": _external,
}


def _filled(columns: pd.DataFrame, split: Split) -> NDArray:
    """The column that the design goes by, as texts."""
    if split.column not in columns:
        raise DataError(
            f"The design {split.design} goes by the column {split.column!r}, which the manifest "
            f"does not have; it has {', '.join(map(str, columns.columns))}. Name another in "
            "`split.by`."
        )
    values = columns[split.column]
    if values.isna().any():
        raise DataError(
            f"The design {split.design} needs the column {split.column!r} of every case; "
            f"{values.isna().sum()} of {len(values)} are empty. Fill them in or exclude the cases."
        )
    return np.array([spelled(value) for value in values])


def _dates(values: NDArray, split: Split) -> pd.Series:
    try:
        return pd.Series(pd.to_datetime(values, format="ISO8601"))
    except ValueError as error:
        raise DataError(
            f"The design temporal needs dates as YYYY-MM-DD or YYYY in the column "
            f"{split.column!r}: {error}"
        ) from error


def _check(part: Part, outcome: NDArray, patients: NDArray) -> None:
    both = np.intersect1d(patients[part.train], patients[part.test])
    if both.size:
        raise DataError(
            f"{both.size} patient(s) would be on both sides of the part {part.name!r}: their "
            "cases have different values of the column. Give each patient one value."
        )
    if np.unique(outcome[part.train]).size < 2 or part.test.size == 0:
        raise DataError(
            f"The part {part.name!r} has {part.train.size} training cases with the outcomes "
            f"{np.unique(outcome[part.train]).tolist()} and {part.test.size} test cases; both "
            "outcomes are needed to train, and a case to test. Choose another design."
        )
