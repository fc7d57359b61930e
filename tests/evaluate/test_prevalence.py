"""Probabilities at another prevalence are Bayes's theorem, and calibrated there."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import norm

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.calibration import calibration
from centrum.evaluate.prevalence import at_prevalence

SHARES = st.floats(0.01, 0.99)


@given(st.floats(0.001, 0.999), SHARES, SHARES)
def test_it_is_bayes_theorem(p, own, there):
    likelihood_ratio = p / (1 - p) / (own / (1 - own))
    odds = likelihood_ratio * there / (1 - there)
    found = float(at_prevalence(p, own, there))
    assert found == pytest.approx(odds / (1 + odds))
    assert float(at_prevalence(found, there, own)) == pytest.approx(p, abs=1e-5)


def test_probabilities_of_a_balanced_study_are_calibrated_where_one_in_ten_has_it():
    """The same density of scores in each outcome: moved, slope 1 and intercept 0 hold there."""
    rng = np.random.default_rng(0)
    positive = rng.random(40_000) < 0.1
    scores = rng.normal(size=40_000) + 1.5 * positive
    balanced = norm.pdf(scores - 1.5) / (norm.pdf(scores - 1.5) + norm.pdf(scores))
    moved = calibration(Scored.of(at_prevalence(balanced, 0.5, 0.1), positive))
    assert moved.slope.value == pytest.approx(1, abs=0.05)
    assert moved.in_the_large.value == pytest.approx(0, abs=0.06)
    assert calibration(Scored.of(balanced, positive)).in_the_large.value < -2


@pytest.mark.parametrize("shares", [(0, 0.5), (0.5, 1), (float("nan"), 0.5)])
def test_a_share_out_of_range_is_refused(shares):
    with pytest.raises(DataError, match="prevalence lies between 0 and 1"):
        at_prevalence(0.3, *shares)


def test_certain_probabilities_stay_finite():
    assert at_prevalence([0.0, 1.0], 0.5, 0.01) == pytest.approx([0, 1], abs=2e-4)
