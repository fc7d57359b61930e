"""CSV as the package writes it: a spreadsheet program shows its texts, and calculates nothing.

A text that Excel or LibreOffice would take for a formula gets an apostrophe in front, which the
readers of tables take away again. Numbers are written as they are.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""How a text begins that becomes a formula, or has become one that is marked already.

Source: OWASP, "CSV Injection"."""

_HARMLESS = re.compile(r"[-+]|[-+]?(\d+([.,]\d*)?|[.,]\d+)(e[-+]?\d+)?|[-+]inf", re.IGNORECASE)
"""A sign alone or a number."""


_BREAK = re.compile(r"\r\n?")


def marked(text: str) -> str:
    """A text that no spreadsheet program takes for a formula.

    >>> [marked(text) for text in ("=1+1", "-Anna", "-1.5", "'=x", "P001")]
    ["'=1+1", "'-Anna", '-1.5', "''=x", 'P001']
    """
    return f"'{text}" if _FORMULA.match(text) and not _HARMLESS.fullmatch(text) else text


def unmarked(text: str) -> str:
    """The text that `marked` was given.

    >>> [unmarked(text) for text in ("'=1+1", "''=x", "-1.5", "'Anna'")]
    ['=1+1', "'=x", '-1.5', "'Anna'"]
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def csv_text(rows: Iterable[Sequence[Any]], delimiter: str = ",") -> str:
    """Rows of texts, numbers and None, as `csv.writer` writes them, with texts `marked`.

    >>> csv_text([["case", "score"], ["=P1", -1.5]])
    "case,score\\n'=P1,-1.5\\n"
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def records_csv(records: Sequence[Mapping[str, Any]], heads: Iterable[str]) -> str:
    """Records under heads; what a record lacks is an empty cell."""
    heads = list(heads)
    return csv_text([heads, *([record.get(head, "") for head in heads] for record in records)])


def frame_csv(frame: "pd.DataFrame") -> str:
    """A frame without its index, as pandas writes it, with texts `marked`."""
    return str(_mapped(frame, _cell).to_csv(index=False, lineterminator="\n"))


def read_frame(path: str | PathLike[str], **options: Any) -> "pd.DataFrame":
    """What `frame_csv` wrote, as `pandas.read_csv` reads it with these options.

    Only an empty cell is missing: somebody may be called None.
    """
    import pandas as pd

    options = {"keep_default_na": False, "na_values": [""], "encoding": "utf-8", **options}
    frame = _mapped(pd.read_csv(path, **options), _meant)
    return frame.rename(index=_meant)


def _mapped(frame: "pd.DataFrame", change: Any) -> "pd.DataFrame":
    """Every text of a frame, and every head, changed; columns of numbers stay as they are."""
    changed = frame.rename(columns=change)
    for k, kind in enumerate(frame.dtypes):
        if kind.kind not in "biufcmM":
            changed.isetitem(k, frame.iloc[:, k].map(change, na_action="ignore").array)
    return changed


def _cell(value: Any) -> Any:
    """A text marked, its line breaks those that the `csv` module puts in quotation marks."""
    return marked(_BREAK.sub("\n", value)) if isinstance(value, str) else value


def _meant(value: Any) -> Any:
    return unmarked(value) if isinstance(value, str) else value
