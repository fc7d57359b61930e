"""Performance by sex, age, level, centre and the like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy import stats

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.calibration import calibration
from centrum.evaluate.clustered import clustered_interval
from centrum.evaluate.discrimination import auc, auc_interval, delong_variance
from centrum.evaluate.logistic import Coefficient
from centrum.evaluate.scored import Scored

FEWEST = 5
"""Cases of each outcome below which no performance is given."""

MOST_LEVELS = 12
"""A text with more different values is no grouping."""

NO_BINS: Mapping[str, Sequence[float]] = MappingProxyType({})


@dataclass(frozen=True)
class Subgroup:
    """Performance on the cases of one value of a column; nan where it is not given.

    Attributes
    ----------
    variable, level : such as "sex" and "F", or "age" and "up to 71"
    n, n_patients, n_positive : sizes
    auc, auc_interval : as everywhere (`auc_interval`); no interval if an outcome is in a
        single patient
    sensitivity, specificity : of the decisions, with Wilson's intervals; by patient where
        patients have several cases (`clustered_interval`)
    heterogeneity : p of H0: the AUC is the same in all levels of the variable
    reason : "" or why nothing but the sizes is given
    brier : mean squared error of the probabilities
    chi_square, df : of the test of heterogeneity, Cochran's Q
    expected_observed, in_the_large, slope : calibration of the probabilities, as `Calibration`
        has them; nan where there are none, or too few cases
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
    brier: float
    chi_square: float
    df: int
    expected_observed: float
    in_the_large: Coefficient
    slope: Coefficient


@dataclass(frozen=True)
class Heterogeneity:
    """Cochran's Q of the AUCs of `df` + 1 levels, and its p; nan with fewer than two."""

    chi_square: float
    df: int
    p: float


def subgroup_table(
    scored: Scored,
    called: Flags,
    columns: pd.DataFrame,
    variables: Sequence[str],
    confidence: float = 0.95,
    *,
    probabilities: Floats | None = None,
    bins: Mapping[str, Sequence[float]] = NO_BINS,
) -> tuple[Subgroup, ...]:
    """Rows for every value of the variables; numbers are cut at their median.

    Categories keep their order, other values are sorted; cases without a value are in no row.

    Parameters
    ----------
    scored : scores, outcomes and patients
    called : (cases,) whether the decision was positive
    columns : (cases) what is known about them
    variables : columns to go by; those that are missing, or the same in all cases, or have more
        than `MOST_LEVELS` values, are left out
    probabilities : (cases,) of the positive outcome, for the Brier score
    bins : where else to cut numbers, rising; a case at an edge belongs to the lower bin

    Raises
    ------
    DataError
        Arrays of another length; `bins` of a column that holds no numbers, or not rising.

    >>> scored = Scored.of(np.arange(40.0), np.arange(40) % 3 > 0)
    >>> rows = subgroup_table(scored, np.arange(40) > 20, pd.DataFrame({"age": range(40)}), ["age"])
    >>> [(row.level, row.n, row.n_positive) for row in rows]
    [('up to 19.5', 20, 13), ('above 19.5', 20, 13)]
    """
    p = np.full(len(scored.scores), np.nan) if probabilities is None else np.asarray(probabilities)
    _check_lengths(scored, called, columns, p)
    rows: list[Subgroup] = []
    for name in variables:
        groups = _grouping(columns[name], bins.get(name, ())) if name in columns else None
        if groups is None:
            continue
        members = {str(level): groups == level for level in groups.categories}
        test = auc_heterogeneity(
            [_part(scored, own) for own in members.values() if _enough(scored, own)]
        )
        rows += [
            _row(scored, called, p, own, name, level, test, confidence)
            for level, own in members.items()
        ]
    return tuple(rows)


def auc_heterogeneity(parts: Sequence[Scored]) -> Heterogeneity:
    """Whether the AUC is the same in all parts, by its inverse variance.

    Parts are taken as independent, which those that share patients are not quite. A part whose
    AUC has no variance (0 or 1, or an outcome in a single patient) has no weight and is left
    out. Source: Cochran, Biometrics 1954;10:101.

    >>> half = Scored.of([1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1])
    >>> auc_heterogeneity([half, half])
    Heterogeneity(chi_square=0.0, df=1, p=1.0)
    """
    found = [(auc(part), delong_variance(part)) for part in parts]
    usable = [(area, variance) for area, variance in found if variance > 0]
    if len(usable) < 2:
        return Heterogeneity(np.nan, 0, np.nan)
    areas, variances = np.array(usable).T
    mean = np.average(areas, weights=1 / variances)
    statistic = float(np.sum((areas - mean) ** 2 / variances))
    df = len(usable) - 1
    return Heterogeneity(statistic, df, float(stats.chi2.sf(statistic, df)))


def _check_lengths(
    scored: Scored, called: Flags, columns: pd.DataFrame, probabilities: Floats
) -> None:
    found = [len(scored.scores), len(called), len(columns), len(probabilities)]
    if len(set(found)) > 1:
        raise DataError(
            "Subgroups need a decision, a row of columns and a probability for each of "
            f"{found[0]} scores, found {found[1]}, {found[2]} and {found[3]}."
        )


def _grouping(values: pd.Series, edges: Sequence[float]) -> "pd.Categorical[str] | None":
    """The group of each case; None when there are not two, or too many."""
    numeric = is_numeric_dtype(values)
    if len(edges) and not (numeric and list(edges) == sorted(set(edges))):
        raise DataError(
            f"Bins need numbers and rising edges; the column {values.name!r} is of type "
            f"{values.dtype}, the edges are {list(edges)}."
        )
    if numeric and (len(edges) or values.nunique() > 2):
        groups = _cut(values.to_numpy(float, na_value=np.nan), edges)
    else:
        text = values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype(str)
        groups = pd.Categorical(text.mask(values.isna() | (text == "")))
    groups = groups.remove_unused_categories()
    return groups if 2 <= len(groups.categories) <= MOST_LEVELS else None


def _cut(values: Floats, edges: Sequence[float]) -> "pd.Categorical[str]":
    """Numbers in bins, by default below and above the median."""
    if not len(edges):
        middle, most = np.nanmedian(values), np.nanmax(values)
        edges = [middle if middle < most else np.nanmax(values[values < most])]
    inner = [f"above {a:g} to {b:g}" for a, b in pairwise(edges)]
    labels = [f"up to {edges[0]:g}", *inner, f"above {edges[-1]:g}"]
    codes = np.searchsorted(edges, values, side="left").astype(int)
    codes[np.isnan(values)] = -1
    return pd.Categorical.from_codes(codes, pd.Index(labels), ordered=True)


def _part(scored: Scored, own: Flags) -> Scored:
    return Scored.of(scored.scores[own], scored.positive[own], scored.patients[own])


def _enough(scored: Scored, own: Flags) -> bool:
    positive = scored.positive[own]
    return bool(min(positive.sum(), (~positive).sum()) >= FEWEST)


def _row(
    scored: Scored,
    called: Flags,
    probabilities: Floats,
    own: Flags,
    variable: str,
    level: str,
    test: Heterogeneity,
    confidence: float,
) -> Subgroup:
    positive = scored.positive[own].astype(float)
    area, sensitivity, specificity = _NOTHING, _NOTHING, _NOTHING
    brier, reason = float("nan"), f"fewer than {FEWEST} cases of an outcome"
    expected, level_of, slope = NOT_CALIBRATED
    if _enough(scored, own):
        expected, level_of, slope = _calibrated(scored, probabilities, own, confidence)
        area, sensitivity, specificity = _performance(_part(scored, own), called[own], confidence)
        brier, reason = float(np.mean((probabilities[own] - positive) ** 2)), ""
    return Subgroup(
        variable,
        level,
        int(own.sum()),
        np.unique(scored.patients[own]).size,
        int(positive.sum()),
        *area,
        *sensitivity,
        *specificity,
        heterogeneity=test.p,
        reason=reason,
        brier=brier,
        chi_square=test.chi_square,
        df=test.df,
        expected_observed=expected,
        in_the_large=level_of,
        slope=slope,
    )


_NOTHING = (float("nan"), Interval(np.nan, np.nan))

_NO_COEFFICIENT = Coefficient(np.nan, np.nan, Interval(np.nan, np.nan))

NOT_CALIBRATED = (float("nan"), _NO_COEFFICIENT, _NO_COEFFICIENT)


def _calibrated(
    scored: Scored, probabilities: Floats, own: Flags, confidence: float
) -> tuple[float, Coefficient, Coefficient]:
    """Expected over observed, calibration in the large and slope of the probabilities."""
    if np.isnan(probabilities[own]).any():
        return NOT_CALIBRATED
    likely = Scored.of(probabilities[own], scored.positive[own], scored.patients[own])
    found = calibration(likely, confidence=confidence)
    return found.expected_observed, found.in_the_large, found.slope


def _performance(
    part: Scored, called: Flags, confidence: float
) -> tuple[tuple[float, Interval], ...]:
    """AUC, sensitivity and specificity, each with its interval."""
    decisions = (
        share_right(part, called == truth, part.positive == truth, confidence)
        for truth in (True, False)
    )
    return ((auc(part), auc_interval(part, confidence)), *decisions)


def share_right(
    part: Scored, right: Flags, among: Flags, confidence: float
) -> tuple[float, Interval]:
    """Share of the cases of an outcome that were called rightly."""
    hits, numbers = (part.patient_sums(v.astype(float)) for v in (right & among, among))
    return float(hits.sum() / numbers.sum()), clustered_interval(hits, numbers, confidence)
