"""What a model is fitted on: which numbers, of which sources, and what stands for a text."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from centrum.errors import DataError
from centrum.protocol import parse_protocol
from centrum.validation.matrix import (
    Matrix,
    batches,
    covariate_values,
    study_matrix,
    volume_position,
)

CASES = pd.Index(["c1", "c2", "c3"], name="case")


def matrix(**changed: Any) -> Matrix:
    """Three cases, two sequences and a covariate, two readers; numbers are their own positions."""
    X = np.arange(3 * 5 * 2, dtype=float).reshape(3, 5, 2)
    own = {
        "X": X,
        "names": ("a", "b", "c", "d", "age"),
        "sources": {"T1w": (0, 2), "T2w": (1, 3), "clinical": (4,)},
        "positive": np.array([1, 0, 1]),
        "patients": np.array(["p", "q", "q"]),
        "batch": None,
        "readers": ("senior", "resident"),
        "columns": pd.DataFrame(index=CASES),
    }
    return Matrix(**own | changed)


def test_features_of_some_sources_keep_their_names() -> None:
    whole = matrix()
    found = whole.of_sources(["clinical", "T2w"])
    assert found.names == ("age", "b", "d")
    assert found.sources == {"clinical": (0,), "T2w": (1, 2)}
    np.testing.assert_array_equal(found.X, whole.X[:, [4, 1, 3]])
    some = whole.of_features((3, 0), ("T1w", "T2w", "clinical"))
    assert some.sources == {"T1w": (1,), "T2w": (0,), "clinical": ()}


def test_a_case_is_measured_by_its_image_features() -> None:
    """Covariates are known without an image; of a reading that is partly known, not the whole."""
    X = matrix().X.copy()
    X[0, :4, 1], X[1, 2, 1], X[2, 4] = np.nan, np.nan, np.nan
    found = matrix(X=X)
    assert found.measured(1, whole=False).tolist() == [False, True, True]
    assert found.measured(1, whole=True).tolist() == [False, False, True]
    assert found.measured(0, whole=True).all()


def test_a_text_of_one_level_makes_no_column_and_of_two_makes_two() -> None:
    obs = pd.DataFrame({"age": [70, 80, 60], "one": ["x", "x", None], "two": ["b", None, "a"]})
    values, names = covariate_values(obs, ["age", "one", "two", "age"])
    assert names == (("age",), ("two=a", "two=b")), "each once"
    np.testing.assert_array_equal(values, [[70, 0, 1], [80, np.nan, np.nan], [60, 1, 0]])
    assert covariate_values(obs, [])[0].shape == (3, 0)


def test_a_column_that_is_empty_is_none_and_the_others_are_named() -> None:
    obs = pd.DataFrame({"patient": "p", "outcome": "a", "age": [70.0], "void": [None]})
    with pytest.raises(DataError, match=r"names the column 'void', .* there are age\.$"):
        covariate_values(obs, ["void"])


COMBAT = "preset: vcf-t2w\nmodel: {harmonisation: {method: combat, batch: centre}}"


def test_batches_are_spelled_alike_whatever_their_kind() -> None:
    protocol = parse_protocol(COMBAT, "test")
    found = batches(pd.DataFrame({"centre": [1.0, 2.0, 1.0]}), protocol)
    assert found is not None
    assert found.tolist() == ["1", "2", "1"]
    assert batches(pd.DataFrame(index=[0]), parse_protocol("preset: vcf-t2w", "test")) is None
    with pytest.raises(DataError, match="of every case; 1 are empty"):
        batches(pd.DataFrame({"centre": ["A", None, "B"]}), protocol)


def table(**changed: Any) -> Any:
    """As much of a table of features as a matrix reads."""
    kinds = [("7TUS", "T1w"), ("RNU0", "T2w"), ("YEKZ", "T2w")]
    known = {
        "outcome": ["malignant", "osteoporotic", "malignant"],
        "patient": ["p", "q", "q"],
        "age": [70.0, 80.0, 60.0],
        "morphometry:depth": [30.0, 31.0, 32.0],
    }
    own = {
        "features": [
            SimpleNamespace(code=code, source=source, region="") for code, source in kinds
        ],
        "names": ("flatness", "volume", "voxels"),
        "readings": np.arange(3 * 3 * 2, dtype=float).reshape(3, 3, 2),
        "obs": pd.DataFrame(known, CASES),
        "modelled": ("senior", "resident"),
        "compared": ("senior", "resident"),
    }
    return SimpleNamespace(**own | changed)


def test_sources_are_sequences_and_what_covariates_are_of() -> None:
    text = "preset: vcf-t2w\nmodel: {covariates: [age, 'morphometry:depth']}\nmorphometry: {}"
    found = study_matrix(table(), parse_protocol(text, "test"))
    assert found.sources == {"T1w": (0,), "T2w": (1, 2), "clinical": (3,), "morphometry": (4,)}
    assert found.names[3:] == ("age", "morphometry:depth")
    assert found.covariates == (("age",), ("morphometry:depth",))
    for reading in range(2):
        np.testing.assert_array_equal(found.X[:, 3, reading], [70, 80, 60])
    assert found.positive.tolist() == [1, 0, 1]
    assert found.patients.tolist() == ["p", "q", "q"]
    assert found.compared is None
    assert found.n_readers == 2


def test_a_consensus_is_not_compared_with_the_readers_it_was_made_of() -> None:
    made = table(modelled=("consensus", "senior", "resident"))
    assert study_matrix(made, parse_protocol("preset: vcf-t2w", "test")).compared == (1, 2)


def test_the_volume_of_the_mesh_comes_before_that_of_the_voxels() -> None:
    assert volume_position(table()) == 1
    swapped = table()
    assert volume_position(table(features=swapped.features[::-1])) == 1
    assert volume_position(table(features=swapped.features[2:])) == 0
    assert volume_position(table(features=swapped.features[:1])) is None


def test_another_reading_or_outcome_leaves_the_rest() -> None:
    whole = matrix(compared=(1,))
    one = whole.of_reading(1)
    np.testing.assert_array_equal(one.X[:, :, 0], whole.X[:, :, 1])
    assert (one.readers, one.compared) == (("resident",), None)
    assert (whole.of_reading(0).X.shape[2], whole.of_reading(0).readers) == (1, ("senior",))
    other = whole.with_outcome(np.array([0, 0, 1]))
    assert other.positive.tolist() == [0, 0, 1]
    assert (other.names, other.readers, other.compared) == (whole.names, whole.readers, (1,))
