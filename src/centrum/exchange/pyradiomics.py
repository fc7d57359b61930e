"""Tables of PyRadiomics: its command line, its batch scripts, and what R makes of their names.

The program writes

- `--format csv`: one row per case. The columns of the input table come first (`Image`, `Mask` and
  whatever the user had there), then `diagnostics_*` (versions, settings, hashes, sizes; texts,
  tuples, dictionaries), then features such as `original_firstorder_10Percentile` or
  `log-sigma-2-0-mm-3D_glcm_Contrast`: image type, class, name. Cases whose features differ leave
  cells empty; `--skip-nans` does so too. PyRadiomics 1 had `general_info_*` for diagnostics.
- `--format txt`: one line per case and value, `Case-1_original_shape_Elongation: 0.7`; printed
  arrays run on over the next lines.
- `pandas.Series(result).to_csv()`, and the program's own baselines: one row per feature, and
  one column per case. With one case that column is headed `0` or `value`, or there is no header.

Studies put the name of a sequence before a name (`T2_original_...`) or behind it.

R's `make.names` writes `wavelet.LLH_` for `wavelet-LLH_`, `log.sigma.2.0.mm.3D_` for
`log-sigma-2-0-mm-3D_` and `X10Percentile` for a bare `10Percentile`; those are read back. Both R
and pandas number repeated names (`Contrast.1`); these are kept, as nothing says which they were.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path, PureWindowsPath
from typing import get_args

from centrum.cohort.sheet import Sheet
from centrum.cohort.text_file import read_bytes
from centrum.errors import ManifestError
from centrum.exchange.assemble import assemble
from centrum.exchange.foreign_table import ForeignTable
from centrum.exchange.grid import CellGrid, stacked, turned, upright
from centrum.exchange.ids import IdCandidate, choose, usual
from centrum.features.registry import catalogue
from centrum.features.settings import FamilyName
from centrum.text import counted

WANTED = "columns such as 'original_glcm_Contrast' or 'diagnostics_Versions_PyRadiomics'"

NO_CASE = ("", "0", "value", "values")
"""Heads of the column of a single case that do not name it."""

_DIAGNOSTICS = re.compile(r"(?:^|_)(?:diagnostics|general_info)_")
_R_PERCENTILE = re.compile(r"^X(?=\d+Percentile(?:\.\d+)?$)")
_R_IMAGE = re.compile(
    r"(?:wavelet\d*\.[LH]+|log\.sigma(?:\.\d+)+\.mm\.[23]D|lbp\.(?:2D|3D\.(?:m\d+|k)))(?=_)"
)
_LINE = re.compile(r"(Case-\d+)_(\S[^:]*): ?(.*)", re.IGNORECASE)
_ENDINGS = re.compile(
    r"(?:\.seg)?\.(?:nrrd|nhdr|mha|mhd|dcm|tiff?|hdr|img|nii)(?:\.gz)?$", re.IGNORECASE
)


@cache
def _class_pattern() -> re.Pattern[str]:
    entries = (entry.pyradiomics for entry in catalogue().values() if entry.pyradiomics)
    classes = dict.fromkeys(name.partition("_")[0] for name in entries)
    return re.compile(rf"(?:^|_)(?:{'|'.join(classes)})_[A-Z0-9]")


_FAMILY = rf"_(?:{'|'.join(get_args(FamilyName))})_."


def is_diagnostic(name: str) -> bool:
    """Whether a column says how features were computed."""
    return bool(_DIAGNOSTICS.search(name))


def is_feature(name: str) -> bool:
    """Whether a column holds a feature, in PyRadiomics' spelling or in that of the IBSI.

    >>> is_feature("T2_original_shape_Elongation"), is_feature("original_ivh_v10_FBN32")
    (True, True)
    >>> is_feature("tumour_shape_irregular"), is_feature("diagnostics_Mask-original_VoxelNum")
    (False, False)
    """
    known = _class_pattern().search(name) or re.search(_FAMILY, name)
    return bool(known) and not is_diagnostic(name)


def original_name(name: str) -> str:
    """A name as PyRadiomics wrote it before R changed it.

    >>> original_name("wavelet.LLH_glcm_Contrast"), original_name("X10Percentile.3")
    ('wavelet-LLH_glcm_Contrast', '10Percentile.3')
    >>> original_name("log.sigma.2.0.mm.3D_glszm_ZoneEntropy.1")
    'log-sigma-2-0-mm-3D_glszm_ZoneEntropy.1'
    """
    if is_feature(name):
        return _R_IMAGE.sub(lambda found: found[0].replace(".", "-"), name)
    return _R_PERCENTILE.sub("", name)


def renamed(names: Sequence[str]) -> str:
    """A note on names that `original_name` changes; "" if there is none."""
    changed = [name for name in names if original_name(name) != name]
    if not changed:
        return ""
    example = f"{changed[0]} read as {original_name(changed[0])}"
    return example if len(changed) == 1 else f"{example}, and {len(changed) - 1} more so"


def recognises(sheet: Sheet, *, asked: bool = False) -> bool:
    """Whether a sheet is one of PyRadiomics; `asked` for it, names of the IBSI suffice."""
    ours = is_feature if asked else _is_its_own
    return is_turned(sheet) or any(is_diagnostic(name) or ours(name) for name in sheet.header)


def _is_its_own(name: str) -> bool:
    """Other programs write names such as "T1_glcm_contrast", too."""
    return is_feature(name) and bool(
        _class_pattern().search(name) or re.search(rf"(?:^|_)original{_FAMILY}", name)
    )


def is_turned(sheet: Sheet) -> bool:
    """Whether features are in rows."""
    across = any(is_feature(name) or is_diagnostic(name) for name in sheet.header[1:])
    return not across and any(map(is_feature, sheet.column(0).values()))


def read(sheet: Sheet, id_column: str | None = None) -> ForeignTable:
    """Read a sheet with features in columns or in rows."""
    grid = _turned(sheet) if is_turned(sheet) else upright(sheet)
    return _read_grid(grid, id_column)


def is_listing(path: Path) -> bool:
    """Whether a file is the output of `--format txt`."""
    return bool(re.match(rb"(?:\xef\xbb\xbf)?\s*Case-\d+_", read_bytes(path)))


def read_listing(path: Path, id_column: str | None = None) -> ForeignTable:
    """Read the output of `--format txt`.

    Raises
    ------
    ManifestError
        A line below a feature is not of the form `Case-1_name: value`, or the file is not UTF-8.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"{path.name} is not text in UTF-8.",
            remedy="Save it with the encoding UTF-8.",
            code="unknown-encoding",
            file=path,
        ) from error
    return _read_grid(stacked(path.name, _entries(path.name, text)), id_column)


def _entries(file: str, text: str) -> Iterator[tuple[str, str, int, str]]:
    printed = False
    for row, line in enumerate(text.splitlines(), start=1):
        found = _LINE.fullmatch(line.strip())
        if found:
            printed = is_diagnostic(found[2])
            yield found[1], found[2], row, found[3].strip()
        elif line.strip() and not printed:
            raise ManifestError(
                f"{file}: row {row}: expected a line such as 'Case-1_original_shape_Elongation: "
                f"0.7', found {line.strip()[:60]!r}.",
                remedy="Remove the line, or write the table again.",
                code="bad-line",
                file=file,
            )


def _turned(sheet: Sheet) -> CellGrid:
    """The header is one more feature where the file has none."""
    first = sheet.header[0]
    if is_feature(first) or is_diagnostic(first):
        heads = ("", *("" for _ in sheet.header[1:]))
        sheet = Sheet(sheet.name, heads, ((1, sheet.header), *sheet.rows), {}, sheet.notes)
    names = [(i, cells[0]) for i, (_, cells) in enumerate(sheet.rows)]
    cases = list(enumerate(sheet.header))[1:]
    if len(cases) == 1 and cases[0][1].casefold() in NO_CASE:
        stem = sheet.name.partition(".")[0]
        grid = turned(sheet, names, [(1, stem)])
        return grid.noting("the file names no case: its own name is the case id")
    return turned(sheet, names, cases)


def _read_grid(grid: CellGrid, id_column: str | None) -> ForeignTable:
    features = {j: original_name(head) for j, head in enumerate(grid.heads) if is_feature(head)}
    diagnostics = [j for j, head in enumerate(grid.heads) if is_diagnostic(head)]
    cases = choose(grid, _candidates(grid), id_column)
    count = counted(len(diagnostics), "row" if grid.ids else "column")
    noted = grid.noting(
        f"{count} diagnostics_* left out" if diagnostics else "",
        renamed([grid.heads[j] for j in features]),
    )
    return assemble(noted, "pyradiomics", cases, features, diagnostics)


def _candidates(grid: CellGrid) -> list[IdCandidate]:
    """Case-1 of a listing says less than a column; the names of images come last."""
    images = [
        IdCandidate(tuple(map(_stem, grid.column(j))), "the names of the images")
        for j, head in enumerate(grid.heads)
        if head == "Image"
    ]
    numbered = grid.ids and all(_LINE.match(f"{name}_x:") for name in grid.ids)
    if not numbered:
        return usual(grid, *images)
    columns = [candidate for candidate in usual(grid) if candidate.index is not None]
    return [*columns, *images, IdCandidate(grid.ids, "the lines")]


def _stem(path: str) -> str:
    return _ENDINGS.sub("", PureWindowsPath(path).name)
