"""Intraclass correlation between readers, all six forms, for many features at once.

The forms answer different questions; the three notations in use are

========  ================  =============  ==============================================
`IccForm` McGraw and Wong   Shrout-Fleiss  Question
========  ================  =============  ==============================================
"1,1"     ICC(1)            ICC(1,1)       readers differ per case; one reading is used
"1,k"     ICC(k)            ICC(1,k)       readers differ per case; their mean is used
"C,1"     ICC(C,1)          ICC(3,1)       consistency: a constant reader bias is forgiven
"C,k"     ICC(C,k)          ICC(3,k)       consistency of the mean of the readers
"A,1"     ICC(A,1)          ICC(2,1)       absolute agreement: a reader bias counts
"A,k"     ICC(A,k)          ICC(2,k)       absolute agreement of the mean of the readers
========  ================  =============  ==============================================

Sources: Shrout and Fleiss, Psychological Bulletin 1979;86:420-428. McGraw and Wong,
Psychological Methods 1996;1:30-46 (with the corrections of 1996;1:390).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrum.arrays import Columns, Flags, Floats, Ints, Table, column_blocks, table_of
from centrum.errors import DataError
from centrum.text import OneLine

Variant = Literal["irr", "psych"]

ROUNDING = 16 * np.finfo(float).eps
"""Differences below this share of a feature's largest magnitude are rounding, not variance."""


class IccForm(StrEnum):
    """Model and unit of an ICC, named after McGraw and Wong (see the module's table)."""

    ONE_WAY_SINGLE = "1,1"
    ONE_WAY_AVERAGE = "1,k"
    CONSISTENCY_SINGLE = "C,1"
    CONSISTENCY_AVERAGE = "C,k"
    AGREEMENT_SINGLE = "A,1"
    AGREEMENT_AVERAGE = "A,k"

    @property
    def single(self) -> bool:
        """Whether the form rates one reading rather than the mean of all readers."""
        return self.value.endswith("1")


_SPELLINGS = {"1": "1,1", "k": "1,k", "2,1": "A,1", "2,k": "A,k", "3,1": "C,1", "3,k": "C,k"}


def parse_form(text: str) -> IccForm:
    """The form that a usual spelling names.

    Accepts McGraw-Wong ("ICC(A,1)", "A,1"), Shrout-Fleiss ("ICC(2,1)", "2,1") and the
    bare "ICC(1)" and "ICC(k)" of the one-way forms.

    Raises
    ------
    DataError
        The spelling names no form.

    >>> parse_form("ICC(2,1)"), parse_form("icc(C, k)")
    (<IccForm.AGREEMENT_SINGLE: 'A,1'>, <IccForm.CONSISTENCY_AVERAGE: 'C,k'>)
    """
    core = text.upper().removeprefix("ICC").strip("() ").replace(" ", "").replace("K", "k")
    try:
        return IccForm(_SPELLINGS.get(core, core))
    except ValueError:
        known = ", ".join(f"ICC({form})" for form in IccForm)
        raise DataError(
            f"An ICC form is one of {known}, or ICC(1,1) to ICC(3,k), found '{text}'."
        ) from None


@dataclass(frozen=True, eq=False, repr=False)
class ICC(OneLine):
    """Agreement of the readers on each feature; every array has the shape (features,).

    Attributes
    ----------
    value : the coefficient; negative values are kept
    f, df1, df2, p : F test of H0: ICC = 0 against ICC > 0
    lower, upper : confidence interval at level `confidence`
    n_subjects : cases that every reader rated, on which the feature was judged
    n_dropped : cases left out because a reader's value is missing or not finite
    n_readers, form, variant, confidence : what was asked for
    """

    value: Floats
    f: Floats
    df1: Floats
    df2: Floats
    p: Floats
    lower: Floats
    upper: Floats
    n_subjects: Ints
    n_dropped: Ints
    n_readers: int
    form: IccForm
    variant: Variant
    confidence: float


def icc(
    ratings: ArrayLike | Columns,
    form: str = IccForm.AGREEMENT_SINGLE,
    *,
    confidence: float = 0.95,
    variant: Variant = "irr",
    patients: ArrayLike | None = None,
) -> ICC:
    """Intraclass correlation of each feature between readers.

    Parameters
    ----------
    ratings : shape (subjects, features, readers), as `FeatureTable.values`
    form : any spelling that `parse_form` knows
    confidence : level of the two-sided interval
    variant : whose limits ICC(A,k) has; all else is the same. R's "irr" (default) computes
        Satterthwaite's degrees of freedom from k ICC(A,k); "psych" steps the limits of
        ICC(A,1) up by Spearman-Brown, which is McGraw and Wong's text.
    patients : (subjects,) whose the subjects are; each is another patient's when missing

    Where patients have several subjects these are not independent: interval and p are then those
    of the jackknife over patients, on Fisher's scale, with the t distribution of one degree of
    freedom less than patients (Arvesen and Schmitz, Biometrics 1970;26:677-686, who show that the
    scale is needed). That takes the readers as they are; of the agreement forms, which are about
    other readers too, the interval is never narrower than that of independent subjects. The
    coefficient, over subjects, and F are the same; df1 and df2 are nan.

    The F test of the two-way forms has (n-1)(k-1) degrees of freedom in the denominator, as in
    McGraw and Wong's table 8, psych, pingouin and SPSS. (irr tests the agreement forms with
    Satterthwaite's degrees of freedom, which are those of their interval.)

    A case with a missing reader is left out of the features that it concerns. A feature
    with fewer than two complete cases is nan. Ratings identical between readers give 1
    with F infinite, p 0 and the interval [1, 1]. A feature that is constant over cases
    and readers is nan: without any variance agreement has no meaning.

    Raises
    ------
    DataError
        Not three axes, fewer than two readers, or no feature with two complete cases.

    >>> six_by_four = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8],
    ...                [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> found = icc(np.array(six_by_four)[:, None, :], "ICC(2,1)")
    >>> [round(float(v[0]), 3) for v in (found.value, found.lower, found.upper)]
    [0.29, 0.019, 0.761]
    """
    x, asked = table_of(ratings), parse_form(form)
    _check_axes(x)
    owners = np.arange(len(x)) if patients is None else np.asarray(patients)
    if owners.shape != (len(x),):
        raise DataError(f"ICC needs the patient of each of {len(x)} subjects, found {owners.size}.")
    blocks = [
        _by_pattern(np.asarray(x[:, own]), asked, confidence, variant, owners)
        for own in column_blocks(x)
    ]
    found, n_subjects = (np.concatenate(parts, axis=-1) for parts in zip(*blocks, strict=True))
    _check_cases(x, n_subjects)
    return ICC(
        **dict(zip(_STATISTICS, found, strict=True)),
        n_subjects=n_subjects,
        n_dropped=len(x) - n_subjects,
        n_readers=x.shape[2],
        form=asked,
        variant=variant,
        confidence=confidence,
    )


_STATISTICS = ("value", "f", "df1", "df2", "p", "lower", "upper")


def _by_pattern(
    x: Floats, form: IccForm, confidence: float, variant: Variant, patients: NDArray
) -> tuple[Floats, Ints]:
    """`_STATISTICS` of each feature, (statistics, features), and how many cases are complete."""
    complete = np.asarray(np.isfinite(x).all(axis=2))
    found = np.full((len(_STATISTICS), x.shape[1]), np.nan)
    for features in _equal_columns(complete):
        rows = complete[:, features[0]]
        if rows.sum() < 2:
            continue
        results = _statistics(x[rows][:, features], form, confidence, variant, patients[rows])
        for own, values in zip(found, results, strict=True):
            own[features] = values
    return found, complete.sum(axis=0)


def _equal_columns(flags: Flags) -> list[list[int]]:
    """The columns of flags (rows, columns), those that are equal together.

    >>> _equal_columns(np.array([[True, True, True], [False, True, False]]))
    [[0, 2], [1]]
    """
    groups: dict[bytes, list[int]] = {}
    for column, packed in enumerate(np.packbits(flags, axis=0).T):
        groups.setdefault(packed.tobytes(), []).append(column)
    return list(groups.values())


def _check_axes(x: Table) -> None:
    if x.ndim != 3 or x.shape[2] < 2:
        raise DataError(
            "ICC needs ratings of the shape (subjects, features, readers) by at least 2 "
            f"readers, found the shape {x.shape}."
        )


def _check_cases(x: Table, n_subjects: Ints) -> None:
    most = n_subjects.max(initial=0)
    if most < 2:
        raise DataError(
            f"ICC needs at least 2 cases rated by all {x.shape[2]} readers, found {most} "
            f"of {len(x)}; add the missing readings or leave a reader out."
        )


@dataclass(frozen=True)
class _Anova:
    """Mean squares of n subjects by k readers, each of shape (features,).

    Of several sets of subjects n is (sets, 1), and mean squares (sets, features).
    """

    n: int | Ints
    k: int
    subjects: Floats
    within: Floats
    readers: Floats
    error: Floats


def _anova(x: Floats) -> _Anova:
    n, _, k = x.shape
    z = x - x[:1, :, :1]
    by_subject, by_reader = z.mean(axis=2, keepdims=True), z.mean(axis=0, keepdims=True)
    error = z - by_subject - by_reader + z.mean(axis=(0, 2), keepdims=True)
    squares = (
        k * by_subject[:, :, 0].var(axis=0, ddof=1),
        z.var(axis=2, ddof=1).mean(axis=0),
        n * by_reader[0].var(axis=1, ddof=1),
        (error**2).sum(axis=(0, 2)) / ((n - 1) * (k - 1)),
    )
    noise = (ROUNDING * np.abs(x).max(axis=(0, 2))) ** 2
    return _Anova(n, k, *(np.where(ms > noise, ms, 0.0) for ms in squares))


def _without_each(x: Floats, owner: Ints) -> _Anova:
    """Without the subjects of one patient at a time, (patients, features)."""
    k = x.shape[2]
    z = x - x.mean(axis=(0, 2), keepdims=True)
    mean = z.mean(axis=2)
    parts = (mean, mean**2, (z**2).sum(axis=2), *np.moveaxis(z, 2, 0))
    first, second, squares, *readers = (part.sum(axis=0) - _sums(part, owner) for part in parts)
    n = len(x) - np.bincount(owner)[:, None]
    within = squares - k * second
    between = sum(total**2 for total in readers) / n - k * first**2 / n
    error = within - between
    return _Anova(
        n,
        k,
        subjects=k * (second - first**2 / n) / (n - 1),
        within=within / (n * (k - 1)),
        readers=between / (k - 1),
        error=error / ((n - 1) * (k - 1)),
    )


def _sums(values: Floats, owner: Ints) -> Floats:
    """Sums of values (subjects, features) over the subjects of each patient."""
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    return np.asarray(np.add.reduceat(values[order], starts, axis=0))


def _fisher(value: Floats, form: IccForm, k: int) -> Floats:
    """Half the log of F, if the readers have no bias: nearly normal."""
    odds = (1 + (k - 1) * value) if form.single else np.ones_like(value)
    return np.asarray(np.log(odds / (1 - value)) / 2)


def _from_fisher(z: Floats, form: IccForm, k: int) -> Floats:
    f = np.exp(2 * z)
    return np.asarray((f - 1) / (f + (k - 1) * form.single))


def _by_patient(
    x: Floats, form: IccForm, value: Floats, owner: Ints, confidence: float
) -> tuple[Floats, Floats, Floats]:
    """Lower, upper and p by the jackknife over patients; identical ratings agree for sure."""
    from scipy.stats import t

    k, m = x.shape[2], int(owner.max()) + 1
    left_out = _fisher(_coefficient(_without_each(x, owner), form, 1.0), form, k)
    deviation = left_out - left_out.mean(axis=0)
    error = np.sqrt((m - 1) / m * (deviation**2).sum(axis=0))
    centre, half = _fisher(value, form, k), t.ppf((1 + confidence) / 2, m - 1) * error
    lower, upper = (_from_fisher(centre + side * half, form, k) for side in (-1, 1))
    same = value == 1
    p = np.where(same, 0.0, t.sf(centre / error, m - 1))
    return np.where(same, 1.0, lower), np.where(same, 1.0, upper), p


def _coefficient(a: _Anova, form: IccForm, b: float | Floats) -> Floats:
    """The ICC if F were divided by `b`: 1 gives the estimate, F quantiles the limits."""
    n, k = a.n, a.k
    error = b * (a.within if form.startswith("1") else a.error)
    signal = a.subjects - error
    if form.startswith("A"):
        bias = b * a.readers - error
        return signal / (a.subjects + (k * bias / n + (k - 1) * error if form.single else bias / n))
    return signal / (a.subjects + (k - 1) * error * form.single)


def _satterthwaite(a: _Anova, value: Floats) -> Floats:
    """Degrees of freedom of the denominator of the agreement forms."""
    df_error = (a.n - 1) * (a.k - 1)
    readers = a.k * value * a.readers
    error = (a.n * (1 - value) + a.k * value * (a.n - 1)) * a.error
    df = (readers + error) ** 2 / (readers**2 / (a.k - 1) + error**2 / df_error)
    return np.where(np.isfinite(df), df, df_error)


def _limits(a: _Anova, form: IccForm, df2: ArrayLike, confidence: float) -> tuple[Floats, Floats]:
    from scipy.stats import f as f_distribution

    tail = (1 + confidence) / 2
    df1 = a.n - 1
    lower = _coefficient(a, form, f_distribution.ppf(tail, df1, df2))
    upper = _coefficient(a, form, 1 / f_distribution.ppf(tail, df2, df1))
    return lower, upper


def _statistics(
    x: Floats, form: IccForm, confidence: float, variant: Variant, patients: NDArray
) -> tuple[ArrayLike, ...]:
    """Value, F, df1, df2, p, lower and upper of complete ratings."""
    from scipy.stats import f as f_distribution

    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a = _anova(x)
        one_way = form.startswith("1")
        value = _coefficient(a, form, 1.0)
        f = a.subjects / (a.within if one_way else a.error)
        df2: ArrayLike = a.n * (a.k - 1) if one_way else (a.n - 1) * (a.k - 1)
        if not form.startswith("A"):
            lower, upper = _limits(a, form, df2, confidence)
        elif variant == "irr":
            lower, upper = _limits(a, form, _satterthwaite(a, value), confidence)
        else:
            lower, upper = _agreement_limits(a, form, confidence)
        p = f_distribution.sf(f, a.n - 1, df2)
        owner = np.unique(patients, return_inverse=True)[1]
        if owner.max() + 1 < len(x):
            below, above, p = _by_patient(x, form, value, owner, confidence)
            if form.startswith("A"):
                below, above = np.fmin(below, lower), np.fmax(above, upper)
            return value, f, np.nan, np.nan, p, below, above
    return value, f, a.n - 1, df2, p, lower, upper


def _agreement_limits(a: _Anova, form: IccForm, confidence: float) -> tuple[Floats, Floats]:
    """McGraw and Wong's limits of ICC(A,1), stepped up by Spearman-Brown for ICC(A,k)."""
    single = IccForm.AGREEMENT_SINGLE
    df2 = _satterthwaite(a, _coefficient(a, single, 1.0))
    lower, upper = _limits(a, single, df2, confidence)
    if form.single:
        return lower, upper
    return a.k * lower / (1 + (a.k - 1) * lower), a.k * upper / (1 + (a.k - 1) * upper)
