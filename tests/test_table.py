"""The feature table: shapes, selection, and what is written comes back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import centrum.table
from centrum import arrays
from centrum.arrays import Columns
from centrum.errors import DataError
from centrum.features.settings import ExtractionSettings
from centrum.measure.extract import plan
from centrum.provenance import Step
from centrum.table import FeatureTable

FEATURES = plan(ExtractionSettings(families=("statistics",)))


def table(n: int = 5) -> FeatureTable:
    values = np.random.default_rng(1).normal(size=(n, len(FEATURES), 2))
    values[1, :, 1] = np.nan
    obs = pd.DataFrame(
        {
            "patient": [f"p{k}" for k in range(n)],
            "outcome": ["malignant", "osteoporotic"] * (n // 2) + ["malignant"] * (n % 2),
            "age": [70.0, np.nan, 81.0, 66.5, 59.0][:n],
        },
        index=pd.Index([f"c{k}" for k in range(n)], name="case"),
    )
    return FeatureTable(values, obs, FEATURES, ("senior", "resident"), "ibsi", (Step("made"),))


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    before = table()
    before.save(tmp_path)
    after = FeatureTable.load(tmp_path)
    np.testing.assert_array_equal(after.values, before.values)
    pd.testing.assert_frame_equal(after.obs, before.obs, check_dtype=False)
    assert (after.features, after.readers, after.history) == (
        before.features,
        before.readers,
        before.history,
    )


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    first = table().save(tmp_path / "a")
    second = table().save(tmp_path / "b")
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]


def test_csv_holds_one_row_per_case_and_reader(tmp_path: Path) -> None:
    table().save(tmp_path)
    frame = pd.read_csv(tmp_path / "features.csv")
    assert list(frame["case"][:4]) == ["c0", "c0", "c1", "c1"]
    assert list(frame["reader"][:2]) == ["senior", "resident"]
    assert frame["original_statistics_mean"][0] == table().values[0, 0, 0]


def test_shapes_that_do_not_fit_are_refused() -> None:
    good = table()
    with pytest.raises(DataError, match=r"\(cases, features, readers\)"):
        FeatureTable(good.values[:, :3], good.obs, good.features, good.readers)


def perturbed_table() -> FeatureTable:
    plain = table()
    layer = np.random.default_rng(2).normal(size=(5, len(FEATURES), 3))
    layer[2, :, 1] = np.nan
    return replace(plain, perturbed=layer, perturbations=("noise 1", "noise 2", "volume 1"))


def test_the_perturbed_layer_comes_back(tmp_path: Path) -> None:
    before = perturbed_table()
    files = before.save(tmp_path)
    assert files[-1].name == "robustness_values.parquet"
    after = FeatureTable.load(tmp_path, perturbed=True)
    np.testing.assert_array_equal(after.perturbed, before.perturbed)
    assert after.perturbations == before.perturbations
    assert after.readings.shape == (5, len(FEATURES), 5)
    np.testing.assert_array_equal(after.readings[:, :, 2:], before.perturbed)
    plain = FeatureTable.load(tmp_path)
    assert plain.perturbed is None
    np.testing.assert_array_equal(plain.readings, before.values)


def test_the_perturbed_layer_changes_no_other_file(tmp_path: Path) -> None:
    plain = table().save(tmp_path / "a")
    assert [f.read_bytes() for f in plain] == [
        f.read_bytes() for f in perturbed_table().save(tmp_path / "b")[:-1]
    ]


def test_a_layer_of_other_cases_or_of_another_shape_is_refused() -> None:
    whole = perturbed_table()
    frame = whole.perturbed_frame()
    with pytest.raises(DataError, match="4 cases"):
        table().with_perturbed(frame[frame["case"] != "c1"])
    with pytest.raises(DataError, match=r"\(cases, features, perturbations\)"):
        replace(whole, perturbations=("one",))


def test_columns_of_many_numbers_are_gone_over_in_smaller_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """120 numbers are one block; 126 are blocks of at most a quarter of 120."""
    monkeypatch.setattr(arrays, "AT_ONCE", 120)
    assert [*arrays.column_blocks(np.empty((6, 10, 2)))] == [slice(0, 10)]
    blocks = [*arrays.column_blocks(np.empty((6, 21)))]
    assert blocks == [slice(0, 5), slice(5, 10), slice(10, 15), slice(15, 20), slice(20, 21)]
    assert [*arrays.column_blocks(np.empty((200, 2)))] == [slice(0, 1), slice(1, 2)]
    assert [*arrays.row_blocks(np.empty((21, 6)))] == [slice(0, 20), slice(20, 21)]


def test_a_large_table_is_written_and_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its Parquet file has what that of a table in memory has; texts keep their kind."""
    small = replace(table(), obs=table().obs.assign(centre=[np.nan, np.nan, np.nan, "A", "B"]))
    small.save(tmp_path / "small")
    monkeypatch.setattr(centrum.table, "LARGE", 10)
    monkeypatch.setattr(arrays, "AT_ONCE", 2 * len(FEATURES))
    files = small.save(tmp_path / "large")
    assert [file.name for file in files] == ["features.parquet", "features.json"]
    frames = [pd.read_parquet(tmp_path / name / "features.parquet") for name in ("small", "large")]
    pd.testing.assert_frame_equal(*frames)
    after = FeatureTable.load(tmp_path / "large")
    assert isinstance(after.values, Columns)
    np.testing.assert_array_equal(np.asarray(after.values), small.values)
    np.testing.assert_array_equal(after.read, small.read)
    pd.testing.assert_frame_equal(after.obs, small.obs, check_dtype=False)


def test_columns_of_another_table_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(centrum.table, "LARGE", 10)
    for factor in (1.0, 2.0):
        replace(table(), values=factor * table().values).save(tmp_path)
        loaded = FeatureTable.load(tmp_path)
    np.testing.assert_array_equal(np.asarray(loaded.values), 2.0 * table().values)
    assert len(list((tmp_path / "columns").iterdir())) == 1
