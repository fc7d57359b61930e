"""A large text table is read in blocks, as it is read whole."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from centrum.errors import ManifestError
from centrum.exchange import ForeignTable, large, read_table
from centrum.exchange.foreign_table import ColumnFrame, column_of

N = 40


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text table is large, its first rows are few, and blocks are short."""
    monkeypatch.setattr(large, "LARGE_TEXT", 0)
    monkeypatch.setattr(large, "FIRST", 1000)
    monkeypatch.setattr(large, "BLOCK", 600)


def table(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "case": [f"P{k:03d}" for k in range(N)],
        "outcome": rng.choice(["benign", "malignant"], N),
        "age": rng.integers(40, 90, N),
        "No.": np.arange(1, N + 1),
        "first": rng.normal(size=N),
        "whole": rng.integers(0, 1000, N),
        "second": rng.normal(size=N) * 1e-9,
        "later": np.where(np.arange(N) < 25, 3, rng.integers(0, 9, N)),
        "same": 3,
        "two": rng.integers(0, 2, N),
    })  # fmt: skip
    return frame.mask(
        rng.random(frame.shape) < np.where([t.kind == "f" for t in frame.dtypes], 0.2, 0)
    )


def written(path: Path, frame: pd.DataFrame, **options: object) -> Path:
    frame.to_csv(path, index=False, **options)
    return path


def both(path: Path) -> tuple[ForeignTable, ForeignTable]:
    """As it is read in blocks, and whole."""
    found = read_table(path, columns=path.parent / "columns.f64")
    assert isinstance(found.values, ColumnFrame)
    return found, read_table(path)


def assert_alike(found: ForeignTable, whole: ForeignTable) -> None:
    assert list(found.values.columns) == list(whole.values.columns)
    assert list(found.values.index) == list(whole.values.index)
    np.testing.assert_array_equal(np.asarray(found.values.numbers), whole.values.to_numpy())
    pd.testing.assert_frame_equal(found.known, whole.known)
    assert found.format == whole.format
    assert dict(found.no_features) == dict(whole.no_features)


@given(st.integers(0, 10**6), st.sampled_from([",", ";", "\t"]))
@settings(deadline=None, max_examples=4)
def test_blocks_give_what_the_whole_gives(
    tmp_path_factory: pytest.TempPathFactory, seed: int, delimiter: str
) -> None:
    path = written(tmp_path_factory.mktemp("any") / "a.csv", table(seed), sep=delimiter)
    found, whole = both(path)
    assert_alike(found, whole)
    assert set(whole.no_features) == {"No.", "same"}, "the same at first is not the same"


def test_names_of_other_programs(tmp_path: Path) -> None:
    frame = table().rename(columns={"first": "wavelet.LLH_glcm_Contrast", "case": "ID"})
    found, whole = both(written(tmp_path / "a.csv", frame.drop(columns=["two", "whole"])))
    assert_alike(found, whole)
    assert found.format == "pyradiomics"
    assert found.values.columns[0] == "wavelet-LLH_glcm_Contrast"


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", table())
    place = tmp_path / "columns.f64"
    found = read_table(path, wanted=["second", "of nobody"], columns=place)
    assert list(found.values.columns) == ["second"]
    assert place.stat().st_size <= 8 * (N + 1)
    np.testing.assert_array_equal(column_of(found.values, "second"), table()["second"])


def test_kept_columns_are_features(tmp_path: Path) -> None:
    found = read_table(
        written(tmp_path / "a.csv", table()), keep=["No."], columns=tmp_path / "columns.f64"
    )
    assert "No." in found.values.columns
    assert set(found.no_features) == {"same"}


def test_missing_and_infinite_values(tmp_path: Path) -> None:
    frame = table().astype({"first": object})
    words = ["NA", "nan", "NaN", "n/a", "#N/A", ".", "-", "", "null"]
    frame.loc[: len(words) - 1, "first"] = words
    frame.loc[30, "first"] = "inf"
    found, whole = both(written(tmp_path / "a.csv", frame))
    assert_alike(found, whole)
    assert "1 cell undefined, and read as missing" in found.notes


def turned(frame: pd.DataFrame) -> pd.DataFrame:
    names = [f"original_glcm_{name}" for name in frame.columns[4:]]
    values = frame.iloc[:, 4:].set_axis(names, axis=1).set_axis(frame["case"]).T
    return values.rename_axis("feature").reset_index()


def commas(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(first=frame["first"].map(lambda v: str(v).replace(".", ",")))


@pytest.mark.parametrize("change", [turned, commas])
def test_what_is_not_plain_is_read_whole(change: Callable, tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", change(table()), sep=";")
    found = read_table(path, columns=tmp_path / "columns.f64")
    assert isinstance(found.values, pd.DataFrame)
    pd.testing.assert_frame_equal(found.values, read_table(path).values)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (turned, "rows that are no cases"),
        (commas, r"'\S+,\d+' in row \d+, column 'first', for a number"),
        (lambda f: f.assign(first=f["first"].astype(str).where(f.index != 33, "x1")),
         "'x1' in row 35, column 'first'"),
    ],
)  # fmt: skip
def test_what_is_too_large_to_be_read_whole_is_told(
    change: Callable, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.csv", change(table()), sep=";")
    monkeypatch.setattr("centrum.exchange.read.LARGEST_TEXT", 10)
    with pytest.raises(ManifestError, match=told) as caught:
        read_table(path, columns=tmp_path / "columns.f64")
    assert caught.value.code == "not-plain"
    assert "decimal point" in caught.value.remedy


def test_a_row_of_more_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.csv", table())
    path.write_text(path.read_text() + "P999,benign,50,41,1,2,3,4,5,6,secret\n")
    monkeypatch.setattr("centrum.exchange.read.LARGEST_TEXT", 10)
    with pytest.raises(ManifestError, match="a row of 11 cells, where 10 are expected") as caught:
        read_table(path, columns=tmp_path / "columns.f64")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("id_", ["P002", ""])
def test_ids_are_checked_in_all_rows(id_: str, tmp_path: Path) -> None:
    frame = table()
    frame.loc[35, "case"] = id_
    with pytest.raises(ManifestError, match=r"\b37\b") as caught:
        read_table(written(tmp_path / "a.csv", frame), columns=tmp_path / "columns.f64")
    assert caught.value.code == "bad-case-ids"
