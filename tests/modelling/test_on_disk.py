"""Steps of a model on columns that stay on disk: the same numbers, or a refusal."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from centrum import arrays
from centrum.arrays import Columns, write_columns
from centrum.errors import DataError
from centrum.modelling.combat import ComBat, to_reference
from centrum.modelling.imputation import ColumnImputer
from centrum.modelling.levels import ReferenceLevels
from centrum.modelling.on_disk import refuse_too_large
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.settings import ModelSettings

N, P = 60, 17


@pytest.fixture
def whole() -> NDArray:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(N, P)) * rng.uniform(0.1, 9, P)
    return values + (np.arange(N) % 3)[:, None] * rng.normal(size=P)


@pytest.fixture(autouse=True)
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four columns of all cases at a time."""
    monkeypatch.setattr(arrays, "AT_ONCE", 4 * N)


BATCH = np.array(["A", "B", "C"])[np.arange(N) % 3]


def on_disk(values: NDArray, folder: Path) -> Columns:
    path = folder / "values.f64"
    with path.open("wb") as stream:
        write_columns(stream, values.T[:, None])
    return Columns.of(path, (values.shape[1], 1, len(values)))[:, :, 0]


@pytest.mark.parametrize("strategy", ["median", "mean"])
def test_gaps_are_filled_as_in_memory(strategy: str, whole: NDArray, tmp_path: Path) -> None:
    whole[np.random.default_rng(0).random(whole.shape) < 0.2] = np.nan
    whole[:, 5] = np.nan  # nobody knows it
    step = ColumnImputer(strategy=strategy, keep_empty_features=True)
    there = step.fit(on_disk(whole, tmp_path)).transform(on_disk(whole, tmp_path))
    here = step.fit(whole).transform(whole)
    assert isinstance(there, Columns)
    np.testing.assert_allclose(np.asarray(there), here, rtol=1e-14)
    some = [7, 7, 3], [9, 5]
    np.testing.assert_allclose(
        np.asarray(there[some[0]][:, some[1]]), here[some[0]][:, some[1]], rtol=1e-14
    )


@pytest.mark.parametrize("options", [{}, {"reference": "B"}, {"parametric": False}])
def test_batches_are_harmonised_as_in_memory(
    options: dict, whole: NDArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"f{k}" for k in range(P)]
    step = ComBat(**options, untouched=("f3",)).fit(
        on_disk(whole, tmp_path), batch=BATCH, names=names
    )
    there = step.transform(on_disk(whole, tmp_path), batch=BATCH)
    monkeypatch.setattr(arrays, "AT_ONCE", 10**6)
    here = ComBat(**options, untouched=("f3",)).fit(whole, batch=BATCH, names=names)
    expected = here.transform(whole, batch=BATCH)
    assert isinstance(there, Columns)
    np.testing.assert_allclose(np.asarray(there), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(expected[:, 3], whole[:, 3])
    rows, columns = np.array([50, 2, 2, 31]), [11, 3, 0]
    np.testing.assert_allclose(
        np.asarray(there[rows, columns]), expected[rows][:, columns], rtol=1e-9, atol=1e-12
    )


def test_what_combat_cannot_take_is_found_in_any_block(whole: NDArray, tmp_path: Path) -> None:
    whole[8, P - 1] = np.nan
    with pytest.raises(DataError, match=f"1 feature.* x{P - 1}"):
        ComBat().fit(on_disk(whole, tmp_path), batch=BATCH)


def test_cases_are_moved_to_a_reference_as_in_memory(
    whole: NDArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole[:, 6] = 2.0
    mean, sd = np.linspace(-1, 1, P), np.linspace(0, 3, P)  # the first varies there in no case
    there = to_reference(on_disk(whole, tmp_path), mean, sd)
    monkeypatch.setattr(arrays, "AT_ONCE", 10**6)
    expected = to_reference(whole, mean, sd)
    np.testing.assert_allclose(np.asarray(there), expected, rtol=1e-10)
    np.testing.assert_array_equal(expected[:, [0, 6]], whole[:, [0, 6]])
    np.testing.assert_allclose(np.asarray(there[[4, 1], [8, 0]]), expected[[4, 1]][:, [8, 0]])


def test_levels_are_chosen_without_reading_the_rest(whole: NDArray, tmp_path: Path) -> None:
    whole[:, 2], whole[:, 3] = np.arange(N) % 3 == 0, np.arange(N) % 3 > 0
    names = ["sex=F" if k == 2 else "sex=M" if k == 3 else f"f{k}" for k in range(P)]
    step = ReferenceLevels((("sex=F", "sex=M"),)).fit(on_disk(whole, tmp_path), names=names)
    assert np.flatnonzero(~step.get_support()).tolist() == [3], "the more frequent one"
    assert isinstance(step.transform(on_disk(whole, tmp_path)), Columns)


REFUSED = {
    "imputation": ({"imputation": {"method": "knn"}}, "median"),
    "balance": ({"balance": "smote"}, "class_weight"),
    "select": ({"select": {"method": "mrmr"}}, "lasso"),
    "classifier": ({"select": {"method": "none"}, "classifier": "rbf_svm"}, "elastic_net"),
}


@pytest.mark.parametrize("step", REFUSED)
def test_what_needs_all_of_a_large_table_is_refused_and_told(
    step: str, whole: NDArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, instead = REFUSED[step]
    plain = {"screen": None, "correlation": None, "n_features": None, "rfe": {"estimator": "none"},
             "balance": "none"}  # fmt: skip
    model = StudyClassifier(ModelSettings.model_validate(plain | chosen), calibrate=False)
    one = on_disk(whole, tmp_path)
    X, y = Columns.of(one.path, one.stored), np.arange(N) % 2
    model.fit(X, y)
    monkeypatch.setattr("centrum.modelling.on_disk.IN_MEMORY", N * P - 1)
    with pytest.raises(DataError, match=f"'{step}'.* 60 x 17 numbers") as caught:
        model.fit(X, y)
    assert caught.value.code == "too-large"
    assert instead in caught.value.remedy


def test_a_table_of_as_many_numbers_as_are_read_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centrum.modelling.on_disk.IN_MEMORY", 6)
    refuse_too_large("A step", (2, 3), "")
    with pytest.raises(DataError, match="7 x 1 numbers"):
        refuse_too_large("A step", (7, 1), "")
