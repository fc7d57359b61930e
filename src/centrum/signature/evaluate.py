"""The scores of a published signature, under every meaning that its names may have.

>>> table = pd.DataFrame({"original_glcm_Id": [0.2, 0.4], "original_ngtdm_Busyness": [1.0, 5.0]})
>>> signature = Signature("x", "y", ("Id", "Busyness"), (2.0, 1.0), 0.5, (0.2, 3.0), (0.1, 2.0))
>>> (reading,) = evaluate_signature(signature, table)
>>> reading.names, reading.scores.round(9).tolist()
(('original_glcm_Id', 'original_ngtdm_Busyness'), [-0.5, 5.5])
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
import pandas as pd

from centrum.arrays import Floats
from centrum.errors import DataError, SignatureError
from centrum.signature.images import bindings, logs_of, same_sigma
from centrum.signature.names import is_full
from centrum.signature.signature import Signature
from centrum.signature.source_table import SourceTable, consistent, r_name, tables_of
from centrum.text import OneLine

PUBLISHED = "published means and SDs"
WITHIN = "z-scores within this cohort"

CAUTION = (
    "The means and SDs of the features were not published. Each feature is z-scored within these "
    "cases, which is not the published score: its values, and any cut-off, hold for these cases "
    "alone, and change with them."
)


@dataclass(frozen=True, eq=False, repr=False)
class Reading(OneLine):
    """One meaning of a signature's names, and the scores that follow.

    Attributes
    ----------
    names : full names of the features, (k,), as the table spells them where it has them
    tables : what the authors' table may have been; () where every name was certain
    missing : names that the table lacks
    problem : why there are no scores; "" where there are
    scores : (cases,) in the order of the table's rows; None where there are none
    standardised : `PUBLISHED` or `WITHIN`
    caution : what follows from that; "" with published means and SDs
    reasoning : lines for people
    """

    names: tuple[str, ...]
    tables: tuple[SourceTable, ...]
    missing: tuple[str, ...]
    reasoning: tuple[str, ...]
    standardised: str
    caution: str
    problem: str = ""
    scores: Floats | None = field(default=None, repr=False)

    @property
    def usable(self) -> bool:
        """Whether there are scores."""
        return self.scores is not None


def evaluate_signature(
    signature: Signature, values: pd.DataFrame, tables: Sequence[SourceTable] | None = None
) -> tuple[Reading, ...]:
    """Score cases by a published signature, under every reading of its names.

    A reading is what one table of the authors' (its images, the order of its classes) makes of
    all names; equal readings are one. Columns of `values` and full names are taken as they are.

    Parameters
    ----------
    values : a row per case, with a column per feature under PyRadiomics' full names
    tables : the tables that the authors may have had; by default those of `signature.images`, or
        `tables_of()` where that is not published

    Returns
    -------
    tuple of Reading
        The smallest table first; those without scores say why.

    Raises
    ------
    SignatureError
        No single table explains all names.
    DataError
        Two columns have one name; or the columns are there and no reading can be scored,
        because a feature is constant or has missing values.
    """
    columns = _FeatureColumns(values)
    given = None if signature.images is None else [signature.images]
    meanings = _meanings(signature, columns, tables_of(given) if tables is None else tables)
    readings = tuple(_scored(signature, values, reading) for reading in meanings)
    there = [reading for reading in readings if not reading.missing]
    if there and not any(reading.usable for reading in there):
        raise DataError(f"The signature {signature.name!r} cannot be scored: {there[0].problem}")
    return readings


class _FeatureColumns:
    """Columns of a table, found also where sigma or signs are spelled in another way."""

    def __init__(self, values: pd.DataFrame) -> None:
        self.names = tuple(map(str, values.columns))
        if len(set(self.names)) != len(self.names):
            twice = values.columns[values.columns.duplicated()]
            raise DataError(f"The table has two columns {twice[0]!r}; give each its own name.")
        self._alike = {_spelling(name): name for name in self.names} | {n: n for n in self.names}

    def find(self, name: str) -> str | None:
        """The column that a name is of."""
        return self._alike.get(name) or self._alike.get(_spelling(name))


def _spelling(name: str) -> str:
    return r_name(same_sigma(name))


def _meanings(
    signature: Signature, columns: _FeatureColumns, tables: Sequence[SourceTable]
) -> list[Reading]:
    certain = {
        name: columns.find(name) or name
        for name in signature.features
        if columns.find(name) or is_full(name)
    }
    printed = [name for name in signature.features if name not in certain]
    if not printed:
        return [_reading(signature, columns, [certain[n] for n in signature.features], [])]
    found: dict[tuple[str, ...], list[SourceTable]] = {}
    for table in _common(signature, printed, tables):
        full = [certain.get(name) or str(table.find(name)) for name in signature.features]
        for names in bindings(full, logs_of(columns.names)):
            found.setdefault(names, []).append(table)
    return [_reading(signature, columns, names, by) for names, by in found.items()]


def _common(
    signature: Signature, printed: Sequence[str], tables: Sequence[SourceTable]
) -> tuple[SourceTable, ...]:
    """Tables that explain all printed names."""
    if found := consistent(printed, tables):
        return found
    raise SignatureError(
        f"No setting explains all names of the signature {signature.name!r}. Tried: "
        f"{', '.join(_settings(tables))}. {_conflict(printed, tables)} Check the names, or give "
        "the images that were measured."
    )


def _conflict(printed: Sequence[str], tables: Sequence[SourceTable]) -> str:
    """Why there is no common table."""
    meanings = {name: {table.find(name) for table in tables} - {None} for name in printed}
    if unknown := [name for name, found in meanings.items() if not found]:
        return f"In none of them: {', '.join(unknown)}."
    n = prod(map(len, meanings.values()))
    fits = {name: _settings([t for t in tables if t.find(name)]) for name in printed}
    told = "; ".join(
        f"{name} fits {', '.join(where)}"
        for name, where in fits.items()
        if len(where) < len(_settings(tables))
    )
    return (
        f"{told}. What single names may mean is not combined ({n} ways): all names of a signature "
        "came from one table, and none has such a combination."
    )


def _settings(tables: Sequence[SourceTable]) -> list[str]:
    return list(dict.fromkeys(str(table.images) for table in tables))


def _reading(
    signature: Signature,
    columns: _FeatureColumns,
    names: Sequence[str],
    tables: Sequence[SourceTable],
) -> Reading:
    spelled = tuple(columns.find(name) or name for name in names)
    missing = tuple(name for name in spelled if not columns.find(name))
    return Reading(
        names=spelled,
        tables=tuple(tables),
        missing=missing,
        reasoning=tuple(_reasoning(signature, spelled, tables)),
        standardised=WITHIN if signature.means is None else PUBLISHED,
        caution=CAUTION if signature.means is None else "",
        problem=_lacking(missing) if missing else "",
    )


def _lacking(names: Sequence[str]) -> str:
    return f"The table lacks {', '.join(names)}. Measure these in the dialect pyradiomics."


def _reasoning(
    signature: Signature, names: Sequence[str], tables: Sequence[SourceTable]
) -> Iterator[str]:
    by_images: dict[str, list[str]] = {}
    for table in tables:
        by_images.setdefault(str(table.images), []).append(table.order.name)
    for images, orders in by_images.items():
        yield f"The authors' table may have been of {images} ({'; '.join(orders)})."
    if logs_of(names) and any(table.images.unknown for table in tables):
        yield "The sigmas of LoG images are not published: some of this table are put in, rising."
    for printed, name in zip(signature.features, names, strict=True):
        if printed == name and is_full(name):
            yield f"{printed} is a full name."
        elif printed == name:
            yield (
                f"{printed} is a column of this table, taken as it stands: right only where both "
                "tables were numbered alike."
            )
        else:
            yield f"{printed} is {name}."


def _scored(signature: Signature, values: pd.DataFrame, reading: Reading) -> Reading:
    if reading.missing:
        return reading
    try:
        return replace(reading, scores=_scores(signature, values, reading.names))
    except DataError as error:
        return replace(reading, problem=str(error))


def _scores(signature: Signature, values: pd.DataFrame, names: Sequence[str]) -> Floats:
    """intercept + z @ coefficients, (cases,)."""
    x = _numbers(values, names)
    if signature.means is None or signature.sds is None:
        z = _within(x, names)
    else:
        z = (x - np.array(signature.means)) / np.array(signature.sds)
    scores: Floats = signature.intercept + z @ np.array(signature.coefficients)
    return scores


def _numbers(values: pd.DataFrame, names: Sequence[str]) -> Floats:
    """Values of the features, (cases, features)."""
    chosen = values[list(names)].apply(pd.to_numeric, errors="coerce")
    x: Floats = chosen.to_numpy(float)
    bad = ~np.isfinite(x)
    if bad.any():
        counts = {n: int(k) for n, k in zip(names, bad.sum(axis=0), strict=True) if k}
        told = ", ".join(f"{name} ({k} of {len(x)})" for name, k in counts.items())
        raise DataError(
            f"Every case needs a finite number of every feature; cases without one: {told}. "
            "Leave these cases out, or measure them again."
        )
    return x


def _within(x: Floats, names: Sequence[str]) -> Floats:
    """z-scores by the mean and SD (n - 1) of these cases."""
    if len(x) < 2:
        raise DataError(
            f"z-scores within a cohort need 2 cases or more, found {len(x)}: a signature without "
            "published means and SDs cannot score a single case."
        )
    constant = [n for n, spread in zip(names, np.ptp(x, axis=0), strict=True) if spread == 0]
    if constant:
        raise DataError(
            f"{', '.join(constant)} has one value in all {len(x)} cases, and no z-score. Check the "
            "discretisation and the filter, or score by published means and SDs."
        )
    z: Floats = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    return z
