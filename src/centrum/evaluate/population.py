"""Table 1: who was studied, by group, with a test of each difference."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from centrum.arrays import Floats, Ints
from centrum.errors import DataError
from centrum.evaluate.hypothesis_tests import (
    MIN_LILLIEFORS,
    Significance,
    chi_square,
    fisher_exact,
    least_expected,
    lilliefors,
    mann_whitney,
    t_test,
)
from centrum.evaluate.standardised import standardised_difference, standardised_shares
from centrum.text import TO, fixed, percent

PER_PATIENT = ("age", "sex")
"""Variables of the patient, counted once in a group and once overall."""

NORMALITY_ALPHA = 0.05
"""A numeric variable is described by its median when normality is rejected at this level."""

SMALL_EXPECTED = 5
"""Fisher's exact test replaces chi-square when an expected count is below this (Cochran)."""

EXACT_LEVELS, EXACT_CASES = 4, 120
"""Fisher's exact test is feasible with this many levels or this many cases; else chi-square."""

MISSING = "missing"
"""The `level` of rows that count missing values."""


@dataclass(frozen=True)
class Count:
    """n of the `total` with a known value.

    >>> Count(26, 51).text
    '26 (51.0 %)'
    """

    n: int
    total: int

    @property
    def text(self) -> str:
        """Number and percentage."""
        return f"{self.n} ({percent(self.n / self.total, 1)})" if self.total else "0"


@dataclass(frozen=True)
class MeanSpread:
    """Mean, sample standard deviation and range of n values.

    >>> MeanSpread(51, 69.38, 10.52, 46, 90).text, MeanSpread(9, -0.2, 0.1, -0.4, -0.1).text
    ('69.4 ± 10.5 [46–90]', '−0.200 ± 0.100 [−0.400 to −0.100]')
    """

    n: int
    mean: float
    sd: float
    minimum: float
    maximum: float

    @property
    def text(self) -> str:
        """Mean ± SD [minimum–maximum]."""
        mean, sd = (_rounded(v, self.sd) for v in (self.mean, self.sd))
        low, high = (_rounded(v, self.sd) for v in (self.minimum, self.maximum))
        return f"{mean} ± {sd} [{_short(low)}{_between(self.minimum)}{_short(high)}]"


@dataclass(frozen=True)
class Quartiles:
    """Median and quartiles (R's type 7) of n values.

    >>> Quartiles(51, 1.4932, 0.7671, 2.3).text
    '1.49 (0.77–2.30)'
    """

    n: int
    median: float
    lower: float
    upper: float

    @property
    def text(self) -> str:
        """Median (lower quartile–upper quartile)."""
        values = self.median, self.lower, self.upper
        median, low, high = (_rounded(v, self.upper - self.lower) for v in values)
        return f"{median} ({low}{_between(self.lower)}{high})"


Cell = Count | MeanSpread | Quartiles

_STATISTIC = {
    Count: "n (%)",
    MeanSpread: "mean ± SD [range]",
    Quartiles: "median (IQR)",
}


def _rounded(value: float, spread: float) -> str:
    """`value` with as many decimals as show three digits of `spread`."""
    if not np.isfinite(value):
        return "–"
    known = np.isfinite(spread) and spread > 0
    decimals = int(np.clip(2 - np.floor(np.log10(spread)), 0, 9)) if known else 2
    return fixed(value, decimals)


def _between(low: float) -> str:
    return TO if low < 0 else "–"


def _short(number: str) -> str:
    whole, _, decimals = number.partition(".")
    return number if decimals.strip("0") else whole


@dataclass(frozen=True)
class PopulationRow:
    """One line of table 1.

    Attributes
    ----------
    variable : column of the cohort's table
    level : category, "missing" for a count of missing values, "" for a numeric summary
    statistic : what the cells show
    groups : cell per group, in the order of the table's columns
    overall : cell of all groups together
    significance : test between two groups; on the first row of a variable, else None
    difference : standardised, between two groups, on the same row; else None
    """

    variable: str
    level: str
    statistic: str
    groups: Mapping[str, Cell]
    overall: Cell
    significance: Significance | None = None
    difference: float | None = None

    def record(self) -> dict[str, object]:
        """One flat line for a CSV: texts, then the numbers behind them.

        >>> row = PopulationRow("sex", "F", "n (%)", {"OPF": Count(30, 49)}, Count(50, 100))
        >>> row.record()["OPF"], row.record()["OPF n"]
        ('30 (61.2 %)', 30)
        """
        cells = {**self.groups, "overall": self.overall}
        found = asdict(self.significance) if self.significance else {}
        numbers = {
            f"{group} {name}": value
            for group, cell in cells.items()
            for name, value in asdict(cell).items()
        }
        return {
            "variable": self.variable,
            "level": self.level,
            "statistic": self.statistic,
            **{group: cell.text for group, cell in cells.items()},
            "test": found.get("test", ""),
            "test statistic": found.get("statistic"),
            "p": found.get("p"),
            "standardised difference": self.difference,
            **numbers,
        }


def table1(
    obs: pd.DataFrame,
    by: str = "outcome",
    variables: Sequence[str] | None = None,
    per_patient: Collection[str] = PER_PATIENT,
) -> list[PopulationRow]:
    """Count cases (and patients) by group, then describe each variable.

    Numeric with more than two values: mean ± SD [range] and Welch's t test, or median
    (IQR) and Mann-Whitney when Lilliefors' test rejects normality in a group or cannot be
    done. Other variables: n (%) per level and chi-square, or Fisher's exact test when an
    expected count is below 5. Tests are made between two groups, and only there; they take
    cases as independent. Categories of which each occurs in one group alone are not tested: the
    groups decide them, as malignancy decides the kind of tumour, or they decide the groups.
    Missing values are left out and counted in a row of their own.

    Parameters
    ----------
    obs : one row per case, as `FeatureTable.obs`; the column `patient` tells patients apart
    by : column of the groups; ordered categories keep their order
    variables : columns to describe; by default all but `by` and `patient`
    per_patient : variables counted once per patient: in each group in which the patient has a
        case, and once overall; the patient's first known value is taken

    Raises
    ------
    DataError
        A column is missing, or a case has no group.

    >>> cohort = pd.DataFrame({"outcome": [0, 0, 1, 1], "sex": ["F", "M", "F", "F"]})
    >>> [(row.level, row.groups["1"].text) for row in table1(cohort)]
    [('', '2 (50.0 %)'), ('F', '2 (100.0 %)'), ('M', '0 (0.0 %)')]
    """
    chosen = (
        [c for c in obs.columns if c not in (by, "patient")] if variables is None else variables
    )
    absent = [name for name in (by, *chosen) if name not in obs.columns]
    if absent:
        raise DataError(f"Table 1 needs the columns {absent}, found {list(obs.columns)}.")
    if obs[by].isna().any():
        raise DataError(
            f"Table 1 needs a group for each case, column '{by}' is empty in "
            f"{obs[by].isna().sum()} of {len(obs)}; fill it in or leave the cases out."
        )
    rows = _sizes(obs, by)
    for name in chosen:
        within = everyone = obs
        if name in per_patient and "patient" in obs.columns:
            known = obs.assign(**{name: obs.groupby("patient")[name].transform("first")})
            within, everyone = (known.drop_duplicates(k) for k in (["patient", by], ["patient"]))
        rows += _describe(within[name], within[by], everyone[name])
    return rows


def _sizes(obs: pd.DataFrame, by: str) -> list[PopulationRow]:
    """Cases per group; patients too when the table knows them, each once overall."""
    owners = {"cases": pd.Index(range(len(obs)))}
    if "patient" in obs.columns:
        owners["patients"] = pd.Index(obs["patient"])
    return [
        _row(name, "", _shares(owner, obs[by]), Count(owner.nunique(), owner.nunique()))
        for name, owner in owners.items()
    ]


def _shares(owner: pd.Index, by: pd.Series) -> dict[str, Cell]:
    """How many of all owners have a case in each group."""
    total = owner.nunique()
    return {str(g): Count(owner[(by == g).to_numpy()].nunique(), total) for g in _levels(by)}


def _describe(values: pd.Series, by: pd.Series, everyone: pd.Series) -> list[PopulationRow]:
    """The rows of one variable, the missing ones last; `everyone` is who counts overall."""
    known, found = values.notna(), everyone.dropna()
    groups = {str(g): values[known & (by == g)] for g in _levels(by)}
    numeric = is_numeric_dtype(values) and not is_bool_dtype(values) and values.nunique() > 2
    rows = _numeric(found, groups) if numeric else _categorical(found, groups)
    if known.all():
        return rows
    cells = {str(g): _count(~known[by == g]) for g in _levels(by)}
    return [*rows, _row(str(values.name), MISSING, cells, _count(everyone.isna()))]


def _levels(values: pd.Series) -> list[object]:
    """Categories in their order, other values sorted."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return list(values.cat.remove_unused_categories().cat.categories)
    return sorted(values.unique())


def _count(hits: pd.Series) -> Count:
    return Count(int(hits.sum()), len(hits))


def _row(
    variable: str,
    level: str,
    groups: Mapping[str, Cell],
    overall: Cell,
    significance: Significance | None = None,
    difference: float | None = None,
) -> PopulationRow:
    statistic = _STATISTIC[type(overall)]
    return PopulationRow(variable, level, statistic, groups, overall, significance, difference)


def _numeric(values: pd.Series, groups: dict[str, pd.Series]) -> list[PopulationRow]:
    samples = {name: group.to_numpy(dtype=float) for name, group in groups.items()}
    normal = all(_looks_normal(sample) for sample in samples.values())
    summary = mean_spread if normal else _quartiles
    cells = {name: summary(sample) for name, sample in samples.items()}
    significance = difference = None
    if len(samples) == 2 and all(len(sample) for sample in samples.values()):
        a, b = samples.values()
        significance = t_test(a, b) if normal else mann_whitney(a, b)
        difference = standardised_difference(a, b)
    overall = summary(values.to_numpy(dtype=float))
    return [_row(str(values.name), "", cells, overall, significance, difference)]


def _looks_normal(x: Floats) -> bool:
    if len(x) < MIN_LILLIEFORS or np.ptp(x) == 0:
        return False
    return lilliefors(x).p >= NORMALITY_ALPHA


def mean_spread(x: Floats) -> MeanSpread:
    """Of one value or more; the SD of one is nan.

    >>> mean_spread(np.array([70.0])).text
    '70.00 ± – [70–70]'
    """
    sd = x.std(ddof=1) if len(x) > 1 else np.nan
    return MeanSpread(len(x), *(float(v) for v in (x.mean(), sd, x.min(), x.max())))


def _quartiles(x: Floats) -> Cell:
    if len(x) == 0:
        return Quartiles(0, np.nan, np.nan, np.nan)
    return Quartiles(len(x), *(float(q) for q in np.quantile(x, [0.5, 0.25, 0.75])))


def _categorical(values: pd.Series, groups: dict[str, pd.Series]) -> list[PopulationRow]:
    levels = _levels(values)
    counts = np.array([[int((g == level).sum()) for level in levels] for g in groups.values()])
    rows: list[PopulationRow] = []
    for level in levels:
        cells = {name: _count(group == level) for name, group in groups.items()}
        first = (None, None) if rows or not _comparable(counts) else _compared(counts)
        overall = _count(values == level)
        rows.append(_row(str(values.name), str(level), cells, overall, *first))
    return rows


def _comparable(counts: Ints) -> bool:
    """Whether there are two groups with a case each, and two levels."""
    groups, levels = ((counts > 0).any(axis=axis).sum() for axis in (1, 0))
    return len(counts) == 2 and bool(groups == 2 and levels >= 2)


def _compared(counts: Ints) -> tuple[Significance | None, float]:
    return _independence(counts), standardised_shares(counts)


def _independence(counts: Ints) -> Significance | None:
    """Chi-square or Fisher between two groups; None where each level occurs in one group alone."""
    if ((counts > 0).sum(axis=0) < 2).all():
        return None
    feasible = counts.shape[1] <= EXACT_LEVELS or counts.sum() <= EXACT_CASES
    if feasible and least_expected(counts) < SMALL_EXPECTED:
        return fisher_exact(counts)
    return chi_square(counts)
