"""What was read from another program's table."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from centrum.cohort.findings import listed
from centrum.text import OneLine


@dataclass(frozen=True, eq=False, repr=False)
class ForeignTable(OneLine):
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
    no_features : columns of numbers that were left out, and what they are instead

    >>> index = pd.Index(["P1"], name="case")
    >>> values = pd.DataFrame({"original_glcm_Contrast": [0.7]}, index)
    >>> ForeignTable(values, pd.DataFrame(index=index), "pyradiomics", ()).format
    'pyradiomics'
    """

    values: pd.DataFrame
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
