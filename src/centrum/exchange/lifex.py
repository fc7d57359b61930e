"""Tables of LIFEx, CSV or XLSX.

One row per region. `INFO_*` (patient, series, name of the region, dates), `PARAMS_*` and
`CHECK_*` come first. Features begin with their group in capitals: up to version 6
`CONVENTIONAL_HUmean`, `DISCRETIZED_HISTO_Entropy_log10`, `SHAPE_Volume(mL)`, `GLCM_`, `GLRLM_`,
`NGLDM_`, `GLZLM_`; from version 7 with IBSI code and unit, `MORPHOLOGICAL_Volume(IBSI:RNU0)[mm3]`,
`INTENSITY-BASED_MeanIntensity(IBSI:Q4LE)[HU]`, `GLCM_Contrast(IBSI:ACUI)`, and `NGTDM_`, `GLSZM_`.
Some of those, as the centroid, hold coordinates and are no numbers. Some files have a second row
of heads, such as units, below the first.

`INFO_PatientName` and `INFO_PatientID` are the DICOM tags. The name of the region says which case
a row is only where every row has one of its own.
"""

import re

from centrum.cohort.findings import listed
from centrum.cohort.sheet import Sheet
from centrum.exchange.assemble import assemble
from centrum.exchange.foreign_table import ForeignTable
from centrum.exchange.grid import CellGrid, filled, upright
from centrum.exchange.ids import IdCandidate, by_heads, choose, usual
from centrum.exchange.values import to_number

WANTED = "columns such as 'INFO_NameOfRoi' and 'GLCM_Contrast(IBSI:ACUI)'"

_FEATURE = re.compile(
    r"(?:CONVENTIONAL|DISCRETIZED|SHAPE|MORPHOLOGICAL|(?:LOCAL_)?INTENSITY[-_.](?:BASED|HISTOGRAM)"
    r"|HISTOGRAM|GLCM|GLRLM|NGLDM|NGTDM|GLZLM|GLSZM)[-_.]"
)
_OWN = re.compile(r"INFO_|PARAMS_|CONVENTIONAL_|DISCRETIZED_|MORPHOLOGICAL_|.*\(IBSI:")
_IS_NAME = "it names patients: put pseudonyms in a column 'case' instead"


def is_feature(head: str) -> bool:
    """Whether a column holds a feature.

    >>> is_feature("INTENSITY-BASED_MeanIntensity(IBSI:Q4LE)[HU]"), is_feature("INFO_NameOfRoi")
    (True, False)
    """
    return bool(_FEATURE.match(head))


def recognises(sheet: Sheet, *, asked: bool = False) -> bool:
    """Whether the header has features beside columns of its own; `asked`, features suffice."""
    own = asked or any(map(_OWN.match, sheet.header))
    return own and any(map(is_feature, sheet.header))


def read(sheet: Sheet, id_column: str | None = None) -> ForeignTable:
    """Read a sheet with one row per region."""
    grid = _without_second_header(upright(sheet))
    columns = [j for j, head in enumerate(grid.heads) if is_feature(head)]
    texts = [j for j in columns if _is_text(grid.column(j))]
    features = {j: grid.heads[j] for j in columns if j not in texts}
    noted = grid.noting(
        f"columns that hold no numbers left out: {listed([grid.heads[j] for j in texts], 12)}"
        if texts
        else ""
    )
    return assemble(noted, "lifex", choose(grid, _candidates(grid), id_column), features, texts)


def _is_text(cells: tuple[str, ...]) -> bool:
    known = filled(cells)
    return bool(known) and all(to_number(text) is None for text in known)


def _without_second_header(grid: CellGrid) -> CellGrid:
    """A first row without any number among its features is a header, if others have some."""
    first = [grid.cells[0][j] for j, head in enumerate(grid.heads) if is_feature(head)]
    if len(grid.cells) < 2 or not _is_text(tuple(first)):
        return grid
    shorter = CellGrid(grid.file, grid.heads, grid.cells[1:], grid.rows[1:], notes=grid.notes)
    return shorter.noting(f"row {grid.rows[0, 0]} read as a second header")


def _candidates(grid: CellGrid) -> list[IdCandidate]:
    regions = by_heads(grid, ["infonameofroi", "inforoiname"])
    patients = by_heads(grid, ["infopatientid", "infopatientname"], warning=_IS_NAME)
    return usual(grid, *regions, *patients)
