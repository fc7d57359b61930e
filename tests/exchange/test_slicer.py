"""Tables of 3D Slicer, transposed and with the columns of every version."""

import numpy as np
import pytest

from tests.exchange.conftest import Read, Refuse

TABLE = """\
Image type,Feature Class,Feature Name,P1_L1,P1_L2
diagnostics,Versions,PyRadiomics,v3.0.1,v3.0.1
diagnostics,Mask-original,BoundingBox,"(1, 2, 3, 4, 5, 6)","(1, 2, 3, 4, 5, 6)"
original,shape,Elongation,0.7,0.8
original,ngtdm,Contrast,1,2
wavelet-LLH,glcm,Contrast,1.5e-07,
"""
NAMES = ["original_shape_Elongation", "original_ngtdm_Contrast", "wavelet-LLH_glcm_Contrast"]
VALUES = [[0.7, 1, 1.5e-7], [0.8, 2, np.nan]]


def _reordered(lines: str) -> str:
    """Class, name and image type in another order, names of columns in capitals."""
    head, *rows = [line.split(",", 3) for line in lines.splitlines()]
    heads = [head[2].upper(), head[0].title(), head[1].lower(), head[3]]
    moved = [heads, *([row[2], row[0], row[1], row[3]] for row in rows)]
    return "\n".join(",".join(row) for row in moved)


@pytest.mark.parametrize("change", ["none", "order", "tabs"])
def test_the_table_of_the_extension(read: Read, change: str) -> None:
    lines = _reordered(TABLE) if change == "order" else TABLE
    if change == "tabs":
        lines = lines.replace('"', "").replace(", ", ";").replace(",", "\t")
    table = read(lines, "table.tsv" if change == "tabs" else "table.csv")
    assert table.format == "slicer"
    assert list(table.values) == NAMES
    assert list(table.values.index) == ["P1_L1", "P1_L2"]
    np.testing.assert_array_equal(table.values, VALUES)
    assert table.known.shape == (2, 0)
    assert "2 rows of diagnostics left out" in table.notes


def test_the_table_of_the_first_versions(read: Read) -> None:
    table = read(
        "Label,Image type,Feature Class,Feature Name,Value\n"
        "L1,general,info,VoxelNum,4\nL1,original,glcm,Contrast,1\nL1,original,shape,Volume,2\n"
        "L2,original,shape,Volume,4\nL2,original,glcm,Contrast,3\n"
    )
    assert list(table.values.index) == ["L1", "L2"]
    assert list(table.values) == ["original_glcm_Contrast", "original_shape_Volume"]
    np.testing.assert_array_equal(table.values, [[1, 2], [3, 4]])


def test_the_numbers_of_rows_that_pandas_writes(read: Read) -> None:
    lines = [f"{n - 1 if n else ''},{line}" for n, line in enumerate(TABLE.splitlines())]
    assert list(read("\n".join(lines)).values.index) == ["P1_L1", "P1_L2"]


def test_what_is_refused(refuse: Refuse) -> None:
    assert "row 4, column 'P1_L2': expected a number, found 'big'" in refuse(
        TABLE.replace("0.8", "big")
    )
    assert "'P1_L1' (4, 5)" in refuse(TABLE.replace("P1_L2", "P1_L1"))
    assert "'original_shape_Elongation' (4, 5)" in refuse(
        TABLE.replace("ngtdm,Contrast", "shape,Elongation")
    )
    assert "row 5: expected Image type, Feature Class, Feature Name" in refuse(
        TABLE.replace("original,ngtdm", "original,")
    )
    assert "column 4 has no case id" in refuse(TABLE.replace("P1_L1", ""))
    heads = "Image type,Feature Class,Feature Name\noriginal,glcm,Contrast\n"
    assert "no column for a segment" in refuse(heads)
    assert "Rename the columns instead" in refuse(TABLE, id_column="ID")
