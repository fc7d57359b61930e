"""Performance by sex, age, level, centre and the like."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from scipy import stats

from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.discrimination import auc, delong_interval, delong_variance
from centrum.evaluate.scored import Scored
from centrum.evaluate.thresholds import Confusion

FEWEST = 5
"""Cases of each outcome below which no performance is given."""

MOST_LEVELS = 12
"""A text with more different values is no grouping."""


@dataclass(frozen=True)
class Subgroup:
    """Performance on the cases of one value of a column.

    Attributes
    ----------
    variable, level : such as "sex" and "F", or "age" and "up to 71"
    n, n_patients, n_positive : sizes
    auc, auc_interval : DeLong's, by patient
    sensitivity, specificity : at the cut-off, with their intervals
    heterogeneity : p of H0: the AUC is the same in all levels of the variable
    reason : "" or why nothing but the sizes is given
    """

    variable: str
    level: str
    n: int
    n_patients: int
    n_positive: int
    auc: float
    auc_interval: Interval
    sensitivity: float
    sensitivity_interval: Interval
    specificity: float
    specificity_interval: Interval
    heterogeneity: float
    reason: str


def subgroup_table(
    scored: Scored,
    called: NDArray[np.bool_],
    columns: pd.DataFrame,
    variables: Sequence[str],
    confidence: float = 0.95,
) -> tuple[Subgroup, ...]:
    """Rows for every value of the variables; numbers are cut at their median.

    Parameters
    ----------
    scored : scores, outcomes and patients
    called : (cases,) whether the decision was positive
    columns : (cases) what is known about them
    variables : columns to go by; those that are missing, or the same in all cases, are left out

    >>> scored = Scored.of(np.arange(40.0), np.arange(40) % 3 > 0)
    >>> rows = subgroup_table(scored, np.arange(40) > 20, pd.DataFrame({"age": range(40)}), ["age"])
    >>> [(row.level, row.n, row.n_positive) for row in rows]
    [('up to 19.5', 20, 13), ('above 19.5', 20, 13)]
    """
    rows: list[Subgroup] = []
    for name in variables:
        labels = _labels(columns[name]) if name in columns else None
        if labels is None:
            continue
        p = _heterogeneity(scored, labels)
        for level in _levels(labels):
            own = labels == level
            rows.append(_row(scored, called, own, name, level, p, confidence))
    return tuple(rows)


def _labels(values: pd.Series) -> NDArray | None:
    """The group of each case, "" where it is not known; None when there are no two groups."""
    known = values.dropna()
    if is_numeric_dtype(values) and known.nunique() > 2:
        middle = float(known.median())
        text = np.where(values > middle, f"above {middle:g}", f"up to {middle:g}")
    else:
        text = values.astype(str).to_numpy(dtype=object)
    labels = np.where(values.isna(), "", text).astype(object)
    return labels if 2 <= np.unique(labels[labels != ""].astype(str)).size <= MOST_LEVELS else None


def _levels(labels: NDArray) -> list[str]:
    """The groups in their order; "up to" comes before "above"."""
    names = np.unique(labels[labels != ""].astype(str)).tolist()
    return sorted(names, key=lambda name: (name.startswith("above "), name))


def _row(
    scored: Scored,
    called: NDArray[np.bool_],
    own: NDArray[np.bool_],
    variable: str,
    level: str,
    heterogeneity: float,
    confidence: float,
) -> Subgroup:
    positive, patients = scored.positive[own], np.unique(scored.patients[own]).size
    sizes = (int(own.sum()), patients, int(positive.sum()))
    if min(positive.sum(), (~positive).sum()) < FEWEST:
        nan, none = float("nan"), Interval(np.nan, np.nan)
        reason = f"fewer than {FEWEST} cases of an outcome"
        return Subgroup(
            variable, level, *sizes, nan, none, nan, none, nan, none, heterogeneity, reason
        )
    part = _part(scored, own)
    confusion = Confusion.of(Scored(called[own].astype(float), positive, part.patients), 0.5)
    values, intervals = confusion.measures(), confusion.intervals(confidence)
    return Subgroup(
        variable,
        level,
        *sizes,
        auc(part),
        delong_interval(part, confidence),
        values["sensitivity"],
        intervals["sensitivity"],
        values["specificity"],
        intervals["specificity"],
        heterogeneity,
        "",
    )


def _part(scored: Scored, own: NDArray[np.bool_]) -> Scored:
    return Scored.of(scored.scores[own], scored.positive[own], scored.patients[own])


def _heterogeneity(scored: Scored, labels: NDArray) -> float:
    """Cochran's Q of the levels' AUCs; nan with fewer than two levels that have one.

    Levels are taken as independent, which patients with cases in several levels are not quite.
    """
    found = []
    for level in _levels(labels):
        own = labels == level
        positive = scored.positive[own]
        if min(positive.sum(), (~positive).sum()) >= FEWEST:
            part = _part(scored, own)
            found.append((auc(part), delong_variance(part)))
    usable = [(a, v) for a, v in found if v > 0]
    if len(usable) < 2:
        return float("nan")
    areas, variances = np.array(usable).T
    weights = 1 / variances
    mean = weights @ areas / weights.sum()
    return float(stats.chi2.sf(weights @ (areas - mean) ** 2, len(areas) - 1))
