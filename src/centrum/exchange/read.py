"""Read a table of features, whichever program made it."""

from collections.abc import Callable, Collection
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from centrum.cohort.columns import is_known_head
from centrum.cohort.findings import listed, refusal
from centrum.cohort.sheet import Sheet, read_sheet
from centrum.cohort.text_file import LARGEST_TEXT
from centrum.errors import ManifestError
from centrum.exchange import generic, lifex, mirp, pyradiomics, slicer
from centrum.exchange.foreign_table import ForeignTable
from centrum.exchange.large import NotPlainError, is_large_text, read_large


class Format(Protocol):
    """What the module of a format offers."""

    WANTED: str
    recognises: Callable[..., bool]
    read: Callable[..., ForeignTable]


def _format(module: ModuleType) -> Format:
    return cast(Format, module)


FORMATS: dict[str, Format] = {
    "slicer": _format(slicer),
    "mirp": _format(mirp),
    "lifex": _format(lifex),
    "pyradiomics": _format(pyradiomics),
    "generic": _format(generic),
}
"""The formats by name; the first one that recognises a table reads it, and the last one any."""


def knows(head: str) -> bool:
    """Whether a head is one that tables of cases or of features have.

    >>> knows("ID"), knows("original_glcm_Contrast"), knows("Feature Name"), knows("Report")
    (True, True, True, False)
    """
    parts = slicer.is_part(head)
    return (
        parts or is_known_head(head) or any(f.is_feature(head) for f in (pyradiomics, mirp, lifex))
    )


def read_table(
    path: Path | str,
    *,
    format: str = "auto",
    id_column: str | None = None,
    keep: Collection[str] = (),
    wanted: Collection[str] | None = None,
    columns: Path | None = None,
) -> ForeignTable:
    """Read a table of features: CSV, TSV, XLSX, ODS, gzipped text, or PyRadiomics' lines of text.

    Delimiter, encoding and decimal commas are found out. The numbers of a very large text table
    go to a file, where one is given; see `centrum.exchange.large` for what it has to be.

    Parameters
    ----------
    path : the file
    format : a name of `FORMATS`, or "auto"
    id_column : head of the column that names the cases; by default one that is called so
    keep : columns of a generic table that look like running numbers, ids, dates or constants,
        and are features all the same
    wanted : of a very large table only these features; all of them when missing
    columns : where its numbers go

    Raises
    ------
    ManifestError
        The file is missing, damaged or of another format; cases have no ids or share one; there
        is no feature; heads are repeated; or cells that should be numbers are not, with row (as
        a spreadsheet numbers it), column and text of each.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "features.csv")
    ...     _ = path.write_text("ID;wavelet.LLH_glcm_Contrast\\nP1;3,14\\n")
    ...     table = read_table(path)
    >>> table.format, table.values
    ('pyradiomics',       wavelet-LLH_glcm_Contrast
    case
    P1                         3.14)
    """
    path = Path(path)
    if columns is not None and is_large_text(path):
        try:
            return _read_large(path, columns, format, id_column, keep, wanted)
        except NotPlainError:
            if path.stat().st_size > LARGEST_TEXT:
                raise
    if format not in ("auto", *FORMATS):
        raise ManifestError(
            f"There is no format {format!r} of tables.",
            remedy=f"Known are auto, {', '.join(FORMATS)}.",
            code="unknown-format",
        )
    if pyradiomics.is_listing(path):
        return _read_listing(path, format, id_column)
    sheet = read_sheet(path, knows=knows)
    if sheet.problems:
        raise refusal(sheet.name, sheet.problems)
    found = next(name for name, form in FORMATS.items() if form.recognises(sheet))
    if format != "auto" and not FORMATS[format].recognises(sheet, asked=True):
        raise _refusal(path, format, sheet, found)
    chosen = found if format == "auto" else format
    if keep and chosen != "generic":
        raise ManifestError(
            f"{path.name}: columns to keep ({listed(sorted(keep))}) are for generic tables; in one "
            f"of {chosen} features are known by their names.",
            remedy="Leave `keep` out, or ask for the format generic.",
            code="keep-not-generic",
            file=path,
        )
    return generic.read(sheet, id_column, keep) if keep else FORMATS[chosen].read(sheet, id_column)


def _read_large(
    path: Path,
    columns: Path,
    format: str,
    id_column: str | None,
    keep: Collection[str],
    wanted: Collection[str] | None,
) -> ForeignTable:
    def read(first: Path) -> tuple[Sheet, ForeignTable]:
        table = read_table(first, format=format, id_column=id_column, keep=keep)
        return read_sheet(first, knows=knows), table

    return read_large(path, read, columns, keep=keep, wanted=wanted)


def _read_listing(path: Path, format: str, id_column: str | None) -> ForeignTable:
    if format in ("auto", "pyradiomics"):
        return pyradiomics.read_listing(path, id_column)
    raise ManifestError(
        f"{path.name}: not a table of the format {format!r}: its lines are those that "
        "PyRadiomics writes with --format txt.",
        remedy="Leave the format out.",
        code="other-format",
        file=path,
    )


def _refusal(path: Path, format: str, sheet: Sheet, found: str) -> ManifestError:
    return ManifestError(
        f"{path.name}: not a table of the format {format!r}: expected {FORMATS[format].WANTED}; "
        f"found the columns {listed([head for head in sheet.header if head], 8)}. "
        f"It looks like {found!r}.",
        remedy=f"Ask for {found}, or leave the format out.",
        code="other-format",
        file=path,
    )
