"""What was read from another program's table."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, eq=False)
class ForeignTable:
    """Features of cases, and what else their table says about them.

    Attributes
    ----------
    values : (cases, features) float64, nan where missing; index `case`: unique ids as text in
        the order of the file; columns: unique names of features
    known : the columns that are no features (outcome, patient, age ...), same index, as read:
        a column of numbers as numbers, the others as text with None where missing; case ids
        and names of files are not among them
    format : "pyradiomics", "slicer", "mirp", "lifex" or "generic"
    notes : what was understood, assumed or left out

    >>> index = pd.Index(["P1"], name="case")
    >>> values = pd.DataFrame({"original_glcm_Contrast": [0.7]}, index)
    >>> ForeignTable(values, pd.DataFrame(index=index), "pyradiomics", ()).format
    'pyradiomics'
    """

    values: pd.DataFrame
    known: pd.DataFrame
    format: str
    notes: tuple[str, ...]
