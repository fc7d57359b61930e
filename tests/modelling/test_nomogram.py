"""Nomograms against R's rms, and what must hold of them."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.special import expit

from centrum.evaluate.prevalence import at_prevalence
from centrum.modelling.nomogram import Nomogram, NumberAxis, TextAxis, ticks_over

PULSE = NumberAxis("PI", -0.024378664848082, (0.0, 10.0, 20.0, 30.0, 40.0, 50.0), 17.4)
HEIGHT = NumberAxis("EH", -3.770255767734936, (0.0, 1.0, 2.0, 3.0, 4.0), 1.66)
KIND = TextAxis("type", ("x", "y", "z"), (0.0, 0.076444974936565, -0.470954871212734), "x")
GRADE = Nomogram(5.751448487611300, (PULSE, HEIGHT, KIND), 30 / 79)
"""lrm(HG ~ PI + EH + type) of rms 6.5.0 on the endometrial cancers, the type by row modulo 3."""


def test_points_equal_rms() -> None:
    """nomogram(lrm, PI = seq(0, 50, 10), EH = 0:4)[[v]]$points."""
    found = {a.variable: [GRADE.points(a, v) for v in getattr(a, "ticks", None) or a.levels]
             for a in GRADE.axes}  # fmt: skip
    pulse = [8.0825633424890, 6.4660506739912, 4.8495380054934, 3.2330253369956, 1.6165126684978, 0]
    np.testing.assert_allclose(found["PI"], pulse, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found["EH"], [100, 75, 50, 25, 0], atol=1e-12)
    kinds = [3.1228310506350, 3.6297262034172, 0]
    np.testing.assert_allclose(found["type"], kinds, rtol=1e-10, atol=1e-12)


def test_sums_equal_rms() -> None:
    """Total points of log-odds from -9 to 4, and of probabilities (fun = plogis)."""
    sums = [13.3907539790, 20.0216038577, 26.6524537363, 33.2833036150, 39.9141534936,
            46.5450033723, 53.1758532510, 59.8067031296, 66.4375530083, 73.0684028869,
            79.6992527656, 86.3301026442, 92.9609525229, 99.5918024016]  # fmt: skip
    found = [GRADE.probability(total) for total in sums]
    np.testing.assert_allclose(found, expit(np.arange(-9, 5)), rtol=1e-9)
    likely = {0.01: 42.5987154397, 0.1: 58.4988562125, 0.5: 73.0684028204, 0.9: 87.6379809227}
    for probability, total in likely.items():
        # rms interpolates between points of the curve: its 0.5 is right to seven digits.
        assert GRADE.points_at(probability) == pytest.approx(total, abs=2e-4)


number = st.floats(-50, 50, allow_nan=False)
effect = st.floats(0.01, 3).flatmap(lambda v: st.sampled_from([v, -v]))


@st.composite
def nomograms(draw: st.DrawFn) -> Nomogram:
    axes = [NumberAxis(f"n{k}", draw(effect), ticks_over(*sorted((draw(number), 60.0))), 0.0)
            for k in range(draw(st.integers(1, 4)))]  # fmt: skip
    axes.append(TextAxis("t", ("a", "b", "c"), (0.0, draw(effect), draw(effect)), "a"))
    return Nomogram(draw(number) / 10, tuple(axes), draw(st.floats(0.05, 0.95)))


@given(nomograms(), st.data())
def test_points_give_the_probability_to_the_printed_precision(
    drawn: Nomogram, data: st.DataObject
) -> None:
    """Points are rounded as they are printed, and then added up."""
    case = {
        a.variable: data.draw(st.sampled_from(a.levels))
        if isinstance(a, TextAxis)
        else data.draw(st.floats(a.ticks[0], a.ticks[-1]))
        for a in drawn.axes
    }
    exact = [drawn.points(axis, case[axis.variable]) for axis in drawn.axes]
    likely = float(expit(drawn.log_odds(case)))
    assert drawn.probability(sum(exact)) == pytest.approx(likely, abs=1e-9)
    printed = sum(round(points, drawn.digits) for points in exact)
    assert abs(drawn.probability(printed) - likely) <= 0.005
    assert min(exact) >= -1e-9
    assert max(exact) <= 100 + 1e-9
    assert sum(exact) <= drawn.most + 1e-6


@given(nomograms())
def test_the_largest_effect_has_100_points(drawn: Nomogram) -> None:
    spans = [max(drawn.points(a, v) for v in (getattr(a, "ticks", None) or a.levels))
             for a in drawn.axes]  # fmt: skip
    assert max(spans) == pytest.approx(100)
    assert drawn.most == pytest.approx(sum(spans))


def test_a_prevalence_moves_the_probability() -> None:
    there = at_prevalence([GRADE.probability(70.0)], own=30 / 79, prevalence=0.1)
    assert GRADE.probability(70.0, 0.1) == pytest.approx(there[0])
    assert GRADE.points_at(GRADE.probability(70.0, 0.1), 0.1) == pytest.approx(70.0)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_enclose_a_range(lowest: float, width: float) -> None:
    highest = lowest + width
    ticks = ticks_over(lowest, highest)
    slack = 1e-6 * (abs(lowest) + width)
    assert ticks[0] <= lowest + slack
    assert ticks[-1] >= highest - slack
    assert 2 <= len(ticks) <= 7
    steps = np.diff(ticks)
    assert steps == pytest.approx(np.full(steps.size, steps[0]), rel=1e-6)
    assert ticks[-1] - ticks[0] <= 3.5 * width + slack
