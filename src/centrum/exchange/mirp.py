"""Tables of MIRP (`extract_features`, written by pandas).

One row per image and mask, `;` or `,` between cells. `sample_name` and columns `image_*` (files,
modality, voxel size, settings, perturbations) come first. Features begin with their family:
`morph_`, `loc_`, `ivh_`, `stat_`, `ih_`, `cm_`, `rlm_`, `szm_`, `dzm_`, `ngt_`, `ngl_`; their
names go on with distance, aggregation and discretisation, as `cm_joint_max_d1_3d_v_mrg_fbn_n32`.
Those of a filtered image have the filter before the family
(`wavelet_db1_level_1_lll_stat_mean`, `log_s2.0_...`). `diag_*` describe image and mask at the
steps of the processing. A sample with several masks, settings or perturbations has several rows,
and then `sample_name` alone does not name a case.
"""

import re

from centrum.cohort.sheet import Sheet
from centrum.exchange.assemble import assemble
from centrum.exchange.foreign_table import ForeignTable
from centrum.exchange.grid import upright
from centrum.exchange.ids import choose, usual
from centrum.text import counted

WANTED = "the column 'sample_name' or 'image_settings_id', and columns such as 'stat_mean'"

HEADS = ("sample_name", "image_settings_id")
"""Columns that only this program writes."""

FILES = re.compile(r"image(_mask)?_(file_name|directory)")
"""Columns with paths, which may name patients."""

ENOUGH = 3
"""Families that no other program's table would hold together."""

_FAMILIES = {"morph", "loc", "ivh", "stat", "ih", "cm", "rlm", "szm", "dzm", "ngt", "ngl"}
_FEATURE = re.compile(rf"(?:^|^(?!image_).+_)(?:{'|'.join(sorted(_FAMILIES))})_[a-z0-9]")
_DIAGNOSTIC = re.compile(r"(?:^|_)diag_")


def is_feature(head: str) -> bool:
    """Whether a column holds a feature.

    >>> is_feature("ivh_v10"), is_feature("log_s2.0_cm_corr_d1_3d_avg_fbn_n16")
    (True, True)
    >>> is_feature("image_voxel_size_x"), is_feature("diag_init_img_dim_x")
    (False, False)
    """
    return bool(_FEATURE.match(head)) and not _DIAGNOSTIC.search(head)


def recognises(sheet: Sheet, *, asked: bool = False) -> bool:
    """Whether there are features, and columns of the program's own or enough families.

    `asked` for the format, features suffice.
    """
    families = {head.partition("_")[0] for head in sheet.header if is_feature(head)}
    own = asked or not set(HEADS).isdisjoint(sheet.header)
    return bool(families) if own else len(families & _FAMILIES) >= ENOUGH


def read(sheet: Sheet, id_column: str | None = None) -> ForeignTable:
    """Read a sheet with one row per image and mask."""
    grid = upright(sheet)
    features = {j: head for j, head in enumerate(grid.heads) if is_feature(head)}
    diagnostics = [j for j, head in enumerate(grid.heads) if _DIAGNOSTIC.search(head)]
    files = [j for j, head in enumerate(grid.heads) if FILES.fullmatch(head)]
    cases = choose(grid, usual(grid), id_column)
    count = counted(len(diagnostics), "column")
    noted = grid.noting(f"{count} diag_* left out" if diagnostics else "")
    return assemble(noted, "mirp", cases, features, [*diagnostics, *files])
