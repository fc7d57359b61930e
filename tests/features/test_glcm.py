"""Co-occurrence: what other tests with whole regions do not reach."""

import numpy as np
import pytest

from centrum.features.glcm import (
    Cooccurrence,
    inverse_variance,
    maximal_correlation_coefficient,
)


def test_maximal_correlation_where_marginals_agree_and_the_matrix_is_not_symmetric():
    """sqrt of the second eigenvalue of Q by PyRadiomics 3.0.1 of pairs counted one way."""
    p = np.array([[4, 2, 1], [1, 3, 2], [2, 1, 0]]) / 16
    np.testing.assert_array_equal(p.sum(axis=0), p.sum(axis=1))
    found = maximal_correlation_coefficient(Cooccurrence.of(p))
    assert float(found) == pytest.approx(0.4513552479557852, rel=1e-9)


def test_one_level_of_the_region_and_one_level_of_the_pairs():
    pairs = np.zeros((2, 2))
    pairs[0, 0] = 6
    for one_level, wanted in ((True, 1.0), (False, 0.0)):
        m = Cooccurrence.from_counts(pairs, one_level=one_level)
        assert float(maximal_correlation_coefficient(m)) == wanted


@pytest.mark.parametrize("feature", [maximal_correlation_coefficient, inverse_variance])
def test_without_a_pair_there_is_no_value(feature):
    m = Cooccurrence.from_counts(np.zeros((3, 1, 1)))
    assert np.isnan(feature(m)).all()
