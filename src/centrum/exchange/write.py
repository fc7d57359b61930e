"""Write a table of features the way PyRadiomics or 3D Slicer does."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from centrum.cohort.cells import is_missing
from centrum.cohort.findings import listed
from centrum.cohort.text_file import DELIMITERS
from centrum.errors import DataError
from centrum.exchange.ids import plain
from centrum.exchange.pyradiomics import is_diagnostic, is_feature, original_name
from centrum.exchange.slicer import PARTS
from centrum.io.csv_text import csv_text
from centrum.store import write_atomically

Name = tuple[str, str, str]
"""Image type, class and name of a feature."""

ENDINGS = {".csv": ",", ".tsv": "\t"}
"""Delimiters by the ending of the file."""


def write_table(
    frame: pd.DataFrame,
    names: Sequence[Name],
    path: Path,
    format: Literal["pyradiomics", "slicer"],
) -> None:
    """Write features so that `read_table` gives the same values, bit for bit.

    Parameters
    ----------
    frame : float64; index: case ids; columns: full names of features
    names : image type, class and name of each column; joined by "_" they are its name
    path : ends in .csv or .tsv
    format : "pyradiomics" has one row per case and a column `Case` before the features,
        "slicer" one row per feature and one column per case

    Raises
    ------
    DataError
        The table would not be read back as it is.

    >>> from tempfile import TemporaryDirectory
    >>> frame = pd.DataFrame({"original_glcm_Contrast": [0.7]}, ["P1"])
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "features.csv")
    ...     write_table(frame, [("original", "glcm", "Contrast")], path, "slicer")
    ...     print(path.read_text())
    Image type,Feature Class,Feature Name,P1
    original,glcm,Contrast,0.7
    """
    if format not in ("pyradiomics", "slicer"):
        raise DataError(f"Tables are written as pyradiomics or slicer, found {format!r}.")
    if path.suffix.lower() not in ENDINGS:
        raise DataError(f"{path.name}: a table is written as {' or '.join(ENDINGS)}.")
    _check(frame, names)
    rows = _pyradiomics(frame) if format == "pyradiomics" else _slicer(frame, names)
    write_atomically(path, csv_text(rows, ENDINGS[path.suffix.lower()]).encode())


def _pyradiomics(frame: pd.DataFrame) -> Iterable[Sequence[str]]:
    names = list(frame.columns)
    _refuse("columns that are no features to PyRadiomics", (n for n in names if not is_feature(n)))
    changed = (name for name in names if original_name(name) != name)
    _refuse("names of features in R's spelling", changed)
    yield ["Case", *frame.columns]
    for case, values in zip(frame.index, frame.to_numpy(), strict=True):
        yield [case, *map(_digits, values)]


def _slicer(frame: pd.DataFrame, names: Sequence[Name]) -> Iterable[Sequence[str]]:
    taken = {*map(plain, PARTS), "label"}
    _refuse("case ids that are heads of 3D Slicer", (c for c in frame.index if plain(c) in taken))
    yield [*PARTS, *frame.index]
    for name, values in zip(names, frame.to_numpy().T, strict=True):
        yield [*name, *map(_digits, values)]


def _digits(value: float) -> str:
    return repr(float(value))


def _check(frame: pd.DataFrame, names: Sequence[Name]) -> None:
    if frame.empty:
        raise DataError(f"A table has cases and features, found the shape {frame.shape}.")
    if list(map("_".join, names)) != list(frame.columns):
        raise DataError("The parts of the names, joined by '_', are not the names of the columns.")
    texts = [*frame.index, *(part for name in names for part in name)]
    _refuse("ids or names that do not survive in a text table", (t for t in texts if not _safe(t)))
    _refuse("case ids that mean 'missing'", (case for case in frame.index if is_missing(case)))
    _refuse("repeated case ids", frame.index[frame.index.duplicated()])
    _refuse("repeated names", frame.columns[frame.columns.duplicated()])
    _refuse("columns that are not float64", frame.columns[frame.dtypes != "float64"])
    _refuse("columns of diagnostics", (name for name in frame.columns if is_diagnostic(name)))


def _safe(text: object) -> bool:
    """Whether a text is left as it is by quoting, stripping and a guess of the delimiter."""
    return (
        isinstance(text, str)
        and text != ""
        and text.isprintable()
        and text.strip() == text
        and not set(text) & {*DELIMITERS, '"'}
    )


def _refuse(what: str, found: Iterable[object]) -> None:
    words = [repr(word) for word in found]
    if words:
        raise DataError(f"Cannot write {what}: {listed(words)}.")
