"""Cases for an ICC, as published."""

import numpy as np
import pytest

from centrum.agreement import icc
from centrum.agreement.size import cases_for_icc
from centrum.errors import DataError


def test_the_example_of_bonett():
    """Stat Med 2002;21:1331-1335: two readers, 0.8 within 0.2: 51, and 55 with the correction."""
    assert cases_for_icc(0.8, 2, 0.2) == 55
    assert cases_for_icc(0.699, 2, 0.2) == 102  # below 0.7 without the correction
    assert cases_for_icc(0.8, 3, 0.2) == 36


def test_so_many_cases_give_an_interval_of_that_width():
    """Mean width over simulated studies of ICC(1,1), which the source is about."""
    value, readers, width = 0.75, 3, 0.2
    n = cases_for_icc(value, readers, width)
    rng = np.random.default_rng(0)
    cases = rng.normal(0, np.sqrt(value), (n, 400, 1))
    ratings = cases + rng.normal(0, np.sqrt(1 - value), (n, 400, readers))
    found = icc(ratings, "1,1")
    assert np.mean(found.upper - found.lower) == pytest.approx(width, rel=0.05)


def test_a_higher_confidence_needs_more():
    assert cases_for_icc(0.8, 3, 0.2, 0.99) > cases_for_icc(0.8, 3, 0.2, 0.95)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 2, 0.2), "ICC must lie between 0 and 1, found 1"),
        ((0.8, 1, 0.2), "2 readers or more, found 1"),
        ((0.8, 2, 0.0), "width must lie between 0 and 1, found 0"),
        ((0.8, 2, 0.2, 95), "confidence must lie between 0 and 1, found 95"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        cases_for_icc(*arguments)
