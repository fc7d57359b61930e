"""Stability of selections: worked examples, bounds, and what chance gives."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.errors import DataError
from centrum.evaluate.feature_stability import feature_stability, sign_stability
from centrum.evaluate.thresholds import proportion_interval

selections = arrays(bool, st.tuples(st.integers(2, 8), st.integers(2, 9)))


def random_sets(rng, fits, features, size):
    return rng.random((fits, features)).argsort(axis=1) < size


@pytest.mark.parametrize(
    ("selected", "stability", "variance", "jaccard"),
    [
        ([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]], 1 / 3, 8 / 243, (1 / 3 + 1 + 1 / 3) / 3),
        ([[1, 0, 0, 0], [1, 1, 0, 0]], 7 / 15, 128 / 50625, 1 / 2),
        ([[1, 0], [0, 1]], -1, 0, 0),
    ],
)
def test_worked_by_hand(selected, stability, variance, jaccard):
    """Definition 4 and theorem 7 of Nogueira et al. with fractions on paper."""
    found = feature_stability(selected)
    assert found.stability == pytest.approx(stability, rel=1e-12)
    assert found.variance == pytest.approx(variance, rel=1e-12, abs=1e-15)
    assert found.jaccard == pytest.approx(jaccard, rel=1e-12)


@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(3, 15), st.data())
def test_of_sets_of_one_size_it_is_kuncheva_s_index(seed, fits, features, data):
    """Kuncheva 2007: mean over pairs of (shared d - k^2) / (k (d - k)); section 4 of the paper."""
    k = data.draw(st.integers(1, features - 1))
    z = random_sets(np.random.default_rng(seed), fits, features, k)
    pairs = [
        ((a & b).sum() * features - k * k) / (k * (features - k)) for a, b in combinations(z, 2)
    ]
    assert feature_stability(z).stability == pytest.approx(np.mean(pairs), abs=1e-12)


@given(selections)
def test_bounds(z):
    found = feature_stability(z)
    assert 0 <= found.jaccard <= 1
    assert np.all((found.lower <= found.frequency) & (found.frequency <= found.upper))
    assume(not np.isnan(found.stability))
    assert -1 / (len(z) - 1) - 1e-12 <= found.stability <= 1 + 1e-12
    assert found.variance >= 0
    assert found.interval.lower <= found.stability + 1e-12
    assert found.interval.upper >= found.stability - 1e-12


@given(selections, st.randoms(use_true_random=False))
def test_order_of_fits_and_features_does_not_matter(z, random):
    fits, features = (random.sample(range(n), n) for n in z.shape)
    found, moved = feature_stability(z), feature_stability(z[fits][:, features])
    np.testing.assert_allclose(
        [moved.stability, moved.variance, moved.jaccard],
        [found.stability, found.variance, found.jaccard],
        atol=1e-12,
    )
    np.testing.assert_allclose(moved.frequency, found.frequency[features])


def test_equal_selections_are_wholly_stable():
    found = feature_stability(np.tile([1, 0, 0, 1, 0], (6, 1)))
    assert (found.stability, found.variance, found.jaccard) == (1, 0, 1)
    assert (found.interval.lower, found.interval.upper) == (1, 1)


def test_selections_by_chance_are_not_stable_whatever_their_size():
    rng = np.random.default_rng(1)
    found = [feature_stability(random_sets(rng, 300, 50, k)) for k in (2, 25, 48)]
    for chance in found:
        assert abs(chance.stability) < 0.01
        assert chance.interval.lower < 0 < chance.interval.upper
    assert found[0].jaccard < 0.1 < 0.9 < found[2].jaccard


def test_interval_covers_the_stability_of_the_population():
    rng = np.random.default_rng(2)
    p = np.r_[np.full(5, 0.9), np.full(5, 0.4), np.full(30, 0.05)]
    true = 1 - np.mean(p * (1 - p)) / (p.mean() * (1 - p.mean()))
    found = [feature_stability(rng.random((100, p.size)) < p).interval for _ in range(400)]
    error = np.sqrt(0.95 * 0.05 / len(found))
    covered = np.mean([i.lower <= true <= i.upper for i in found])
    assert 0.95 - 3 * error < covered < 0.95 + 3 * error


def test_frequencies_have_wilson_s_interval():
    z = np.zeros((49, 3), dtype=bool)
    z[:41, 1] = True
    z[:, 2] = True
    found = feature_stability(z, confidence=0.9)
    for k, hits in enumerate((0, 41, 49)):
        wanted = proportion_interval(hits, 49, 0.9)
        assert (found.lower[k], found.upper[k]) == (wanted.lower, wanted.upper)
    assert found.sizes.tolist() == [2] * 41 + [1] * 8


@pytest.mark.parametrize("value", [0, 1])
def test_all_or_nothing_has_no_stability(value):
    found = feature_stability(np.full((4, 3), value))
    assert np.isnan([found.stability, found.variance, found.interval.lower]).all()
    assert found.jaccard == 1


def test_signs():
    selected = np.array([[1, 1, 0, 1], [1, 1, 0, 1], [1, 0, 0, 1], [0, 1, 0, 1]])
    coefficients = [[1, -1, 9, 0], [2, 3, -9, 1], [-1, np.nan, 9, 0], [-7, -1, 9, 0]]
    found = sign_stability(selected, coefficients)
    assert found.sign.tolist() == [1, -1, 0, 1]
    np.testing.assert_allclose(found.share, [2 / 3, 2 / 3, np.nan, 1 / 4])


@given(st.integers(0, 10**6))
def test_signs_turned_around_are_as_stable(seed):
    rng = np.random.default_rng(seed)
    z, b = rng.random((7, 5)) < 0.5, rng.integers(-2, 3, (7, 5))
    found, turned = sign_stability(z, b), sign_stability(z, -b)
    np.testing.assert_array_equal(found.share, turned.share)
    np.testing.assert_array_equal(found.sign, -turned.sign)


@pytest.mark.parametrize(
    ("selected", "message"),
    [
        ([[1, 0, 1]], r"two or more fits: .* found \(1, 3\)"),
        ([1, 0, 1], r"found \(3,\)"),
        (np.empty((3, 0)), r"found \(3, 0\)"),
        ([[0.5, 0], [1, 1]], "true or false"),
        ([[np.nan, 0], [1, 1]], "true or false"),
    ],
)
def test_what_is_no_selection_is_refused(selected, message):
    with pytest.raises(DataError, match=message):
        feature_stability(selected)


def test_a_selected_feature_needs_a_coefficient():
    z = np.eye(3)
    with pytest.raises(DataError, match=r"shape \(3, 3\), found the shape \(3, 2\)"):
        sign_stability(z, np.ones((3, 2)))
    with pytest.raises(DataError, match="1 missing"):
        sign_stability(z, np.where(np.arange(9).reshape(3, 3) == 4, np.nan, 1.0))
