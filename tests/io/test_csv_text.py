"""CSV files: no text is a formula, numbers stay numbers, and every id comes back as it was."""

import ast
import csv
import io
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, strategies as st

from centrum.cohort.case import Identity
from centrum.cohort.manifest import read_manifest
from centrum.cohort.pseudonyms import read_key, write_key
from centrum.cohort.sheet import read_sheet
from centrum.io.csv_text import csv_text, frame_csv, read_frame, records_csv
from centrum.text import one_line
from tests.conftest import ROOT

texts = st.text(alphabet=st.one_of(st.sampled_from("=+-@'\"\t\r\n,;1.e "), st.characters(
    exclude_categories=["Cs"])), max_size=12)  # fmt: skip
ids = texts.map(one_line).filter(bool)


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet program would calculate a cell."""
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return cell[:1] in tuple("=+-@\t\r") and cell not in "+-"
    return False


@given(texts)
@example("-2+3+cmd|' /C calc'!A0")
@example("'=1")
@example("a\rb")
@example("a\r\nb")
def test_no_text_is_a_formula(text: str) -> None:
    (cells,) = csv.reader(io.StringIO(csv_text([["a", text]]), newline=""))
    assert not is_formula(cells[1])


def test_numbers_stay_numbers() -> None:
    cells = [-1.5, -3, np.float64(-0.25), "-1.5", "+4", "-1,5", "-1e-05", "-", None, True]
    shown = '-1.5,-3,-0.25,-1.5,+4,"-1,5",-1e-05,-,,True\n'
    assert csv_text([cells]) == shown
    frame = pd.DataFrame({"a": [-1.5, np.nan], "b": ["-x", None], "=c": [-1, 2]})
    assert frame_csv(frame) == "a,b,'=c\n-1.5,'-x,-1\n,,2\n"


@given(st.lists(ids, min_size=1, max_size=4, unique=True))
@example(["=1+1", "'=1+1", "''=1+1", "-A", "'A", "-1.5", "'-1.5"])
@example(["None", "null", "NA", "nan", "1001", "007"])
def test_ids_come_back_as_they_were(names: list[str]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as place:
        frame = pd.DataFrame({"case": names, "x": np.arange(len(names)) - 1.5})
        path = Path(place, "a.csv")
        path.write_bytes(frame_csv(frame).encode())
        again = read_frame(path, dtype={"case": str}, index_col="case")
        assert list(again.index) == names
        assert list(again["x"]) == list(frame["x"])
        path.write_bytes(
            records_csv([{"case": n, "age": 1} for n in names], ["case", "age"]).encode()
        )
        assert list(read_sheet(path).column(0).values()) == names
        known = [Identity("case", name, f"P{k}") for k, name in enumerate(names)]
        write_key(known, Path(place, "key.csv"))
        assert list(read_key(Path(place, "key.csv"))) == known


def test_a_manifest_with_ids_like_formulas(tmp_path: Path) -> None:
    rows = [{"case": "=P1", "patient": "-A", "outcome": "malignant", "image": "a", "mask": "b",
             "=size": "@1"}]  # fmt: skip
    path = tmp_path / "cases.csv"
    path.write_text(records_csv(rows, rows[0]), encoding="utf-8")
    (case,) = read_manifest(path).cases
    assert (case.id, case.patient, case.covariates) == ("=P1", "-A", {"=size": "@1"})


@cache
def _calls() -> list[tuple[str, str]]:
    """What modules of the package, other than that of CSV, call, and where."""
    return [
        (getattr(node.func, "attr", ""), f"{path.name}:{node.lineno}")
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and path.name != "csv_text.py"
    ]


@pytest.mark.parametrize("name", ["to_csv", "read_csv", "writer", "DictWriter", "to_excel"])
def test_one_module_writes_and_reads_csv(name: str) -> None:
    assert [where for called, where in _calls() if called == name] == [], "use centrum.io.csv_text"
