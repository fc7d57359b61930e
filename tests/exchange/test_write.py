"""What is written is read back bit for bit; what would not be is refused."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from centrum.cohort.cells import is_missing
from centrum.errors import DataError
from centrum.exchange import read_table, write_table
from centrum.features.registry import catalogue

IMAGES = ["original", "log-sigma-2-0-mm-3D", "wavelet-LLH", "T1w_original", "lbp-3D-m1"]
OURS = [
    tuple(entry.pyradiomics.split("_", 1)) for entry in catalogue().values() if entry.pyradiomics
]
NAMES = [(image, *name) for image in IMAGES for name in sorted(set(OURS))]
IBSI = [(i, family, f"{name}_FBN32") for i in IMAGES for family, name in catalogue()]

# Letters that files and guesses could trip over; delimiters and quotes are refused.
ids = st.text("aZ09äß漢_-.#'^ ()[]=+", min_size=1, max_size=8).filter(
    lambda text: text.strip() == text and not is_missing(text)
)


@st.composite
def tables(draw: Any, pool: list) -> tuple[pd.DataFrame, list]:
    """A frame of features and the parts of their names."""
    names = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=6, unique_by="_".join))
    cases = draw(st.lists(ids, min_size=1, max_size=5, unique=True))
    numbers = st.lists(st.floats(allow_infinity=False), min_size=len(names), max_size=len(names))
    values = draw(st.lists(numbers, min_size=len(cases), max_size=len(cases)))
    index = pd.Index(cases, name="case", dtype=object)
    return pd.DataFrame(values, index, ["_".join(n) for n in names], dtype=float), names


def _same_bits(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    """Signed zeros differ; one nan is as good as another."""
    a, b = (frame.to_numpy(copy=True) for frame in (one, two))
    for values in (a, b):
        values[np.isnan(values)] = np.nan
    return a.shape == b.shape and a.tobytes() == b.tobytes()


quick = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(table=tables(NAMES), form=st.sampled_from(["pyradiomics", "slicer"]), end=st.booleans())
def test_what_is_written_is_read(tmp_path: Path, table: Any, form: Any, end: bool) -> None:
    frame, names = table
    path = tmp_path / ("t.tsv" if end else "t.csv")
    write_table(frame, names, path, form)
    for asked in ("auto", form):
        found = read_table(path, format=asked)
        assert found.format == form
        assert list(found.values.index) == list(frame.index)
        assert list(found.values.columns) == list(frame.columns)
        assert _same_bits(found.values, frame)
        assert found.known.shape == (len(frame), 0)


@quick
@given(table=tables(IBSI), form=st.sampled_from(["pyradiomics", "slicer"]))
def test_names_of_the_ibsi_are_read_if_the_format_is_told(
    tmp_path: Path, table: Any, form: Any
) -> None:
    frame, names = table
    write_table(frame, names, tmp_path / "t.csv", form)
    found = read_table(tmp_path / "t.csv", format=form)
    pd.testing.assert_frame_equal(found.values, frame, check_exact=True)


FRAME = pd.DataFrame({"original_glcm_Idm": [0.1]}, ["P1"])
NAME = ("original", "glcm", "Idm")


def test_the_layout_is_that_of_the_programs(tmp_path: Path) -> None:
    write_table(FRAME, [NAME], tmp_path / "a.csv", "pyradiomics")
    write_table(FRAME, [NAME], tmp_path / "b.tsv", "slicer")
    assert (tmp_path / "a.csv").read_bytes() == b"Case,original_glcm_Idm\nP1,0.1\n"
    lines = list(csv.reader((tmp_path / "b.tsv").open(), delimiter="\t"))
    assert lines == [["Image type", "Feature Class", "Feature Name", "P1"], [*NAME, "0.1"]]


def _frame(case: object = "P1", name: str = "original_glcm_Idm", dtype: str = "float64") -> Any:
    return pd.DataFrame({name: [1]}, [case]).astype(dtype)


@pytest.mark.parametrize(
    ("frame", "names", "path", "form", "message"),
    [
        (FRAME, [NAME], "a.xlsx", "slicer", "written as .csv or .tsv"),
        (FRAME, [NAME], "a.csv", "mirp", "found 'mirp'"),
        (FRAME, [("original", "glcm", "Id")], "a.csv", "slicer", "are not the names"),
        (FRAME.iloc[:0], [NAME], "a.csv", "slicer", r"the shape \(0, 1\)"),
        (_frame("a;b"), [NAME], "a.csv", "slicer", "do not survive .*: 'a;b'"),
        (_frame(" P1"), [NAME], "a.csv", "slicer", "do not survive"),
        (_frame(1), [NAME], "a.csv", "slicer", "do not survive .*: 1"),
        (_frame("NA"), [NAME], "a.csv", "slicer", "mean 'missing': 'NA'"),
        (_frame("label"), [NAME], "a.csv", "slicer", "heads of 3D Slicer: 'label'"),
        (_frame(dtype="int64"), [NAME], "a.csv", "slicer", "not float64"),
        (pd.concat([FRAME, FRAME]), [NAME], "a.csv", "slicer", "repeated case ids: 'P1'"),
        (pd.concat([FRAME, FRAME], axis=1), [NAME, NAME], "a.csv", "slicer", "repeated names"),
        (_frame(name="a_b_c"), [("a", "b", "c")], "a.csv", "pyradiomics", "no features"),
        (
            _frame(name="wavelet.LLH_glcm_Idm"),
            [("wavelet.LLH", "glcm", "Idm")],
            "a.csv",
            "pyradiomics",
            "in R's spelling",
        ),
        (
            _frame(name="diagnostics_Mask_Size"),
            [("diagnostics", "Mask", "Size")],
            "a.csv",
            "slicer",
            "diagnostics",
        ),
    ],
)
def test_what_is_refused(
    tmp_path: Path, frame: Any, names: Any, path: str, form: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        write_table(frame, names, tmp_path / path, form)
    assert not list(tmp_path.iterdir())
