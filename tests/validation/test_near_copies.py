"""Near copies of many rows are those that comparing each with each finds."""

import numpy as np
import pytest

from centrum import arrays
from centrum.validation import near_copies as module
from centrum.validation.near_copies import _verified, near_copies


@pytest.fixture
def rows() -> np.ndarray:
    """120 rows of 30 features; some are copies, nearly copies, or just no near copies."""
    rng = np.random.default_rng(1)
    found = rng.normal(size=(120, 8)) @ rng.normal(size=(8, 30)) + 0.1 * rng.normal(size=(120, 30))
    found[:, 3], found[7, 4] = 2.0, np.nan
    spread = found.std(axis=0)
    for copy, of, noise in ((90, 10, 0.0), (50, 11, 0.02), (3, 119, 0.03), (80, 12, 0.2)):
        found[copy] = found[of] + noise * spread * rng.normal(size=30)
    return found


def test_many_rows_are_compared_where_they_are_near(rows, monkeypatch) -> None:
    whole = near_copies(rows)
    monkeypatch.setattr(module, "COMPARED", 40)
    monkeypatch.setattr(module, "DIMENSIONS", 3)
    monkeypatch.setattr(arrays, "AT_ONCE", 500)
    found = near_copies(rows)
    assert [pair[:2] for pair in whole] == [(3, 119), (10, 90), (11, 50)]
    assert [pair[:2] for pair in found] == [pair[:2] for pair in whole]
    np.testing.assert_allclose([r for *_, r in found], [r for *_, r in whole], rtol=1e-12)


def test_no_pair_just_above_the_limit_is_lost(monkeypatch) -> None:
    """Copies that differ along the very axis on which rows differ most."""
    rng = np.random.default_rng(2)
    rows = np.outer(rng.normal(size=60), np.arange(20.0)) + rng.normal(size=(60, 20))
    rows[30:] = rows[:30] + 0.2 * np.linspace(-1, 1, 30)[:, None] * np.arange(20.0)
    whole = near_copies(rows)
    monkeypatch.setattr(module, "COMPARED", 30)
    monkeypatch.setattr(module, "DIMENSIONS", 1)
    assert min(r for *_, r in whole) < 0.9991
    assert [pair[:2] for pair in near_copies(rows)] == [pair[:2] for pair in whole]


def test_no_others_are_verified_where_all_dimensions_are_looked_at(rows, monkeypatch) -> None:
    monkeypatch.setattr(module, "COMPARED", 40)
    monkeypatch.setattr(module, "DIMENSIONS", 28)
    verified = []

    def verify(zscored, pairs):
        verified.extend(pairs.tolist())
        return _verified(zscored, pairs)

    monkeypatch.setattr(module, "_verified", verify)
    found = near_copies(rows)
    assert sorted(verified) == [[*pair[:2]] for pair in found]
    assert len(found) == 3


@pytest.mark.parametrize("compared", [2000, 10])
def test_copies_are_found_whatever_the_units_and_wherever_they_stand(compared, monkeypatch) -> None:
    """Neighbours too; features of small units and of large means count as all others."""
    monkeypatch.setattr(module, "COMPARED", compared)
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(30, 12))
    rows[5] = rows[4] + 1e-3 * rng.normal(size=12)
    units, means = np.logspace(-6, 6, 12), np.linspace(-50, 90, 12)
    for each in (rows, rows * 1e-3, (rows + means) * units):
        assert [pair[:2] for pair in near_copies(each)] == [(4, 5)]


def test_two_features_are_too_few_to_tell_a_copy() -> None:
    """Any two rows of two numbers lie on a line; of three they rarely do."""
    rows = np.random.default_rng(4).normal(size=(12, 3))
    rows[7] = rows[2]
    assert near_copies(rows[:, :2]) == []
    assert (2, 7) in [pair[:2] for pair in near_copies(rows)]
    constant = np.column_stack([rows[:, :2], np.ones(12)])
    assert near_copies(constant) == []


def test_a_row_that_is_the_mean_of_all_is_like_none(monkeypatch) -> None:
    monkeypatch.setattr(module, "COMPARED", 10)
    half = np.random.default_rng(5).integers(1, 9, size=(10, 6)).astype(float)
    rows = np.concatenate([half, -half, np.zeros((1, 6)), half[:1]])
    rows = np.concatenate([rows, -half[:1]])
    assert [pair[:2] for pair in near_copies(rows)] == [(0, 21), (10, 22)]
