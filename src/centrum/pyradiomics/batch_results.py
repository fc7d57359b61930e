"""What was found of cases as text, CSV or JSON, as PyRadiomics' script writes them."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from centrum.io.csv_text import records_csv
from centrum.pyradiomics.batch import FILES, Values


def _write_txt(rows: Sequence[Values], columns: Sequence[str], out: TextIO) -> None:
    """A line per value."""
    for number, values in enumerate(rows, start=1):
        out.writelines(f"Case-{number}_{name}: {value}\n" for name, value in values.items())


def _write_csv(rows: Sequence[Values], columns: Sequence[str], out: TextIO) -> None:
    """A row of names and a row per case; what a case lacks is empty."""
    out.write(records_csv(rows, columns))


def _write_json(rows: Sequence[Values], columns: Sequence[str], out: TextIO) -> None:
    """One list with an object per case."""
    json.dump(rows, out, default=_plain, indent=2)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


FORMATS: dict[str, Callable[[Sequence[Values], Sequence[str], TextIO], None]] = {
    "csv": _write_csv,
    "json": _write_json,
    "txt": _write_txt,
}

PATHS: dict[str, Callable[[str, Path], str]] = {
    "absolute": lambda path, start: os.path.abspath(path),
    "relative": lambda path, start: os.path.relpath(path, start),
    "basename": lambda path, start: os.path.basename(path),
}
"""How the paths of images and masks are written; relative ones begin at the folder `start`."""


@dataclass(frozen=True)
class Form:
    """How results are written; see `command_options`."""

    format: str = "txt"
    format_path: str = "absolute"
    start: Path = Path()
    unix_path: bool = False
    skip_nans: bool = False

    def write(self, rows: Sequence[Values], out: TextIO) -> None:
        """Write the results of all cases.

        >>> import sys
        >>> rows = [{"Image": "/data/i.nrrd", "Mask": "/data/m.nrrd", "Mean": np.array(2.5)}]
        >>> Form("csv", "basename").write(rows, sys.stdout)
        Image,Mask,Mean
        i.nrrd,m.nrrd,2.5
        """
        further = {name for values in rows for name in values} - rows[0].keys()
        columns = [*rows[0], *sorted(further)]
        FORMATS[self.format]([self._formed(values) for values in rows], columns, out)

    def _formed(self, values: Values) -> Values:
        paths = {name: self._path(values[name]) for name in FILES}
        return {
            name: value
            for name, value in {**values, **paths}.items()
            if not (self.skip_nans and _is_nan(value))
        }

    def _path(self, path: str) -> str:
        written = PATHS[self.format_path](path, self.start)
        return written.replace(os.path.sep, "/") if self.unix_path else written


def _is_nan(value: Any) -> bool:
    """Of a number or an array without axes; one that was read from a file is a text.

    >>> _is_nan(np.array(np.nan)), _is_nan(1.0), _is_nan("nan"), _is_nan((np.nan, 1.0))
    (True, False, True, False)
    """
    return str(value) == "nan"
