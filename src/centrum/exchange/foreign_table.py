"""What was read from another program's table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from centrum.arrays import Columns, Floats
from centrum.cohort.findings import listed
from centrum.text import OneLine


@dataclass(frozen=True, eq=False)
class ColumnFrame:
    """A frame whose numbers stay on disk.

    Attributes
    ----------
    index, columns : as of a frame
    numbers : (rows, columns)
    """

    index: pd.Index
    columns: pd.Index
    numbers: Columns

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns."""
        return len(self.index), len(self.columns)

    def called(self, name: Callable[[str], str]) -> "ColumnFrame":
        """The same with other names of rows."""
        return replace(self, index=self.index.map(name))


Frame = pd.DataFrame | ColumnFrame


def column_of(frame: Frame, name: str) -> Floats:
    """One column of numbers, (rows,)."""
    if isinstance(frame, ColumnFrame):
        return np.asarray(frame.numbers[:, [frame.columns.get_loc(name)]])[:, 0]
    return frame[name].to_numpy(dtype=np.float64)


@dataclass(frozen=True, eq=False, repr=False)
class ForeignTable(OneLine):
    """Features of cases, and what else their table says about them.

    Attributes
    ----------
    values : (cases, features) float64, nan where missing; index `case`: unique ids as text in
        the order of the file; columns: unique names of features. Those of a very large text
        table stay on disk
    known : the columns that are no features (outcome, patient, age ...), same index, as read:
        a column of numbers as numbers, the others as text with None where missing; case ids
        and names of files are not among them
    format : "pyradiomics", "slicer", "mirp", "lifex" or "generic"
    notes : what was understood, assumed or left out
    no_features : columns of numbers that were left out, and what they are instead

    >>> index = pd.Index(["P1"], name="case")
    >>> values = pd.DataFrame({"original_glcm_Contrast": [0.7]}, index)
    >>> ForeignTable(values, pd.DataFrame(index=index), "pyradiomics", ()).format
    'pyradiomics'
    """

    values: Frame
    known: pd.DataFrame
    format: str
    notes: tuple[str, ...]
    no_features: Mapping[str, str] = field(default_factory=dict)


def told_no_features(columns: Mapping[str, str]) -> str:
    """What was left out of a table; "" if nothing was.

    >>> told_no_features({"No.": "a running number"})
    "no features, and left out: 'No.' (a running number)"
    """
    told = listed([f"{head!r} ({why})" for head, why in columns.items()], 12)
    return f"no features, and left out: {told}" if columns else ""
