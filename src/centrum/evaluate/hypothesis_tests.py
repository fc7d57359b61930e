"""Tests of significance for tables of patients and features; scipy does what it can.

All tests are two-sided and take every value as independent.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from centrum.arrays import Floats, Ints
from centrum.errors import DataError
from centrum.evaluate.freeman_halton import freeman_halton_p

MIN_LILLIEFORS = 5
"""Smallest sample that the published approximation of Lilliefors' p covers."""

EXACT_BELOW = 50
"""Mann-Whitney p is exact when both groups are smaller and no values tie, as in R."""


@dataclass(frozen=True)
class Significance:
    """What a test found.

    Attributes
    ----------
    test : its name as a table shows it
    statistic : t, U, D, F, chi-square; nan for a test without one
    p : two-sided p value
    df : degrees of freedom; nan for a test without them
    """

    test: str
    statistic: float
    p: float
    df: float = float("nan")


def lilliefors(values: ArrayLike) -> Significance:
    """Kolmogorov-Smirnov test of normality with mean and SD taken from the sample.

    p by Dallal and Wilkinson, American Statistician 1986;40:294-296, and above 0.1 by the
    modified statistic of Stephens, JASA 1974;69:730-737, as R's nortest does.

    Raises
    ------
    DataError
        Fewer than five values, or all of them equal.

    >>> lilliefors([1, 2, 3, 4, 100]).p < 0.01
    True
    """
    x = _sample(values, MIN_LILLIEFORS, "Lilliefors' test")
    d = _distance_from_normal(x)
    return Significance("Lilliefors", d, _lilliefors_p(d, len(x)))


def _sample(values: ArrayLike, least: int, test: str) -> Floats:
    x = np.asarray(values, dtype=float)
    if len(x) < least or np.ptp(x) == 0 or not np.isfinite(x).all():
        raise DataError(
            f"{test} needs at least {least} finite values that are not all equal, found "
            f"{np.isfinite(x).sum()} finite of {len(x)} and {len(np.unique(x))} different."
        )
    return x


def _distance_from_normal(x: Floats) -> float:
    return float(stats.kstest((x - x.mean()) / x.std(ddof=1), "norm").statistic)


_STEPHENS = (
    (0.302, (1.0,)),
    (0.5, (2.76773, -19.828315, 80.709644, -138.55152, 81.218052)),
    (np.inf, (-4.901232, 40.662806, -97.490286, 94.029866, -32.355711)),
)
"""p above 0.1: upper end of each range of the modified statistic, polynomial coefficients.

A further range begins at 0.9, where p is below 0.1 up to ten million values.
"""


def _lilliefors_p(d: float, n: int) -> float:
    m = min(n, 100)
    scaled = d * (n / m) ** 0.49
    p = np.exp(
        -7.01256 * scaled**2 * (m + 2.78019)
        + 2.99587 * scaled * np.sqrt(m + 2.78019)
        - 0.122119
        + 0.974598 / np.sqrt(m)
        + 1.67997 / m
    )
    if p <= 0.1:
        return float(p)
    modified = (np.sqrt(n) - 0.01 + 0.85 / np.sqrt(n)) * d
    coefficients = next(found for end, found in _STEPHENS if modified <= end)
    return float(np.polynomial.polynomial.polyval(modified, coefficients))


def t_test(a: ArrayLike, b: ArrayLike, *, equal_variances: bool = False) -> Significance:
    """Difference of two means: Welch's t test, or Student's with `equal_variances`.

    >>> t_test([1, 2, 3], [2, 3, 4]).test
    'Welch t'
    """
    name = "Student t" if equal_variances else "Welch t"
    found = stats.ttest_ind(*_two(a, b, name), equal_var=equal_variances)
    return Significance(name, float(found.statistic), float(found.pvalue), float(found.df))


def mann_whitney(
    a: ArrayLike, b: ArrayLike, *, continuity: bool = False, exact: bool | None = None
) -> Significance:
    """Difference in location of two samples; the statistic is U of the first.

    `exact` None follows R: exact when both samples have under 50 values and none tie.
    Otherwise the normal approximation with tied ranks, without continuity correction as in
    SPSS, or with it as R and scipy have by default.

    >>> mann_whitney([1, 2, 3], [4, 5, 6])
    Significance(test='Mann-Whitney', statistic=0.0, p=0.1, df=nan)
    """
    x, y = _two(a, b, "Mann-Whitney", least=1)
    if exact is None:
        untied = len(np.unique(np.concatenate([x, y]))) == len(x) + len(y)
        exact = untied and max(len(x), len(y)) < EXACT_BELOW
    method = "exact" if exact else "asymptotic"
    found = stats.mannwhitneyu(x, y, use_continuity=continuity, method=method)
    return Significance("Mann-Whitney", float(found.statistic), float(found.pvalue))


def levene(
    a: ArrayLike, b: ArrayLike, *, center: Literal["mean", "median"] = "mean"
) -> Significance:
    """Difference of two variances; centred on the mean as in SPSS, or Brown-Forsythe's median.

    >>> round(levene([1, 2, 3, 4], [0, 5, 10, 15]).p, 3)
    0.035
    """
    name = "Levene" if center == "mean" else "Brown-Forsythe"
    found = stats.levene(*_two(a, b, name), center=center)
    return Significance(name, float(found.statistic), float(found.pvalue))


def _two(a: ArrayLike, b: ArrayLike, test: str, least: int = 2) -> tuple[Floats, Floats]:
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if min(len(x), len(y)) < least or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError(
            f"{test} needs at least {least} finite values in each group, found "
            f"{np.isfinite(x).sum()} finite of {len(x)} and {np.isfinite(y).sum()} of {len(y)}."
        )
    return x, y


def chi_square(table: ArrayLike, *, yates: bool = False) -> Significance:
    """Pearson's test that rows and columns are independent; `yates` corrects a 2 x 2 table.

    >>> round(chi_square([[27, 22], [26, 25]]).p, 4)
    0.6797
    """
    found = stats.chi2_contingency(_counts(table), correction=yates)
    return Significance("Chi-square", float(found.statistic), float(found.pvalue), float(found.dof))


def least_expected(table: ArrayLike) -> float:
    """Smallest count that independence of rows and columns would lead one to expect.

    >>> least_expected([[45, 4], [47, 4]])
    3.92
    """
    return float(stats.contingency.expected_freq(_counts(table)).min())


def fisher_exact(table: ArrayLike) -> Significance:
    """Fisher's exact test of a 2 x 2 table, or Freeman and Halton's of a larger one.

    The statistic is the sample odds ratio for 2 x 2 and nan otherwise.

    Raises
    ------
    DataError
        There are more tables with these margins than can be gone through.

    >>> round(fisher_exact([[19, 13, 17], [20, 17, 14]]).p, 6)
    0.675189
    """
    counts = _counts(table)
    if counts.shape == (2, 2):
        found = stats.fisher_exact(counts)
        return Significance("Fisher exact", float(found.statistic), float(found.pvalue))
    return Significance("Fisher exact", float("nan"), freeman_halton_p(counts))


def _counts(table: ArrayLike) -> Ints:
    """The table without empty rows and columns."""
    counts = np.asarray(table, dtype=np.int64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        raise DataError(
            "A test of independence needs two rows and two columns with counts, found "
            f"{counts.shape[0]} and {counts.shape[1]}."
        )
    return counts
