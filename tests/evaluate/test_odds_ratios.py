"""Odds ratios against R: glm, sandwich and brglm2 on the data of Heinze and Schemper."""

import numpy as np
import pytest

from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.odds_ratios import FEWEST_EVENTS, LogOddsRatio, regression
from centrum.evaluate.scored import Scored

from .firth_data import ENDOMETRIAL

NV, PI, EH, HIGH = ENDOMETRIAL.T
PAIRS = np.arange(len(HIGH)) // 2


def graded(groups: np.ndarray | None = None) -> Scored:
    return Scored.of(EH, HIGH, groups)


def test_two_variables_equal_glm():
    """glm(HG ~ PI + EH, binomial): coef, Pr(>|z|); confint.default."""
    found = regression(np.column_stack([PI, EH]), graded())
    assert found.penalty == ""
    pulse, height = found.found
    assert pulse.value == pytest.approx(-0.0195996123111, rel=1e-7)
    assert pulse.p == pytest.approx(5.72680180310e-01, rel=1e-7)
    assert height.value == pytest.approx(-3.6930643397401, rel=1e-7)
    assert height.p == pytest.approx(8.65458645196e-06, rel=1e-6)
    assert height.interval.lower == pytest.approx(-5.3202580862561, rel=1e-7)
    assert height.interval.upper == pytest.approx(-2.0658705932240, rel=1e-7)


def test_one_variable_equals_glm():
    """glm(HG ~ PI, binomial)."""
    (pulse,) = regression(PI[:, None], graded()).found
    assert pulse.value == pytest.approx(0.0127156876584, rel=1e-6)
    assert pulse.interval.lower == pytest.approx(-0.0326517233247, rel=1e-6)
    assert pulse.p == pytest.approx(0.582769777731, rel=1e-7)


def test_by_patient_equals_sandwich():
    """vcovCL(glm, cluster = pairs, type = "HC0", cadjust = TRUE)."""
    found = regression(np.column_stack([PI, EH]), graded(PAIRS)).found
    errors = [(c.interval.upper - c.value) / 1.959963984540054 for c in found]
    np.testing.assert_allclose(errors, [0.0432918377232, 1.0021359132921], rtol=1e-6)


def test_an_empty_cell_brings_the_penalty():
    """brglm2, type "AS_mean", of HG ~ NV; no low grade has NV."""
    found = regression(NV[:, None], graded())
    assert found.penalty == "empty"
    assert found.found[0].value == pytest.approx(4.33560865465, rel=1e-7)
    whole = regression(ENDOMETRIAL[:, :3], graded())
    assert whole.penalty == "empty"
    assert whole.found[0].interval.upper == pytest.approx(7.85463171, rel=1e-6)
    assert whole.found[0].p == pytest.approx(0.00912367, rel=1e-5)
    assert whole.found[2].value == pytest.approx(-2.6041639252937, rel=1e-7)


def test_either_empty_cell_is_seen():
    for column in (NV, 1 - NV):
        for y in (HIGH, 1 - HIGH):
            assert regression(column[:, None], Scored.of(EH, y)).penalty == "empty"


def test_few_events_bring_the_penalty():
    """30 of high grade bear three variables, and not four."""
    noise = np.random.default_rng(0).normal(size=len(HIGH))
    events = int(HIGH.sum())
    assert events == 3 * FEWEST_EVENTS
    three = np.column_stack([PI, EH, noise])
    assert regression(three, graded()).penalty == ""
    assert regression(np.column_stack([three, noise**2]), graded()).penalty == "few"
    opposite = Scored.of(EH, 1 - HIGH)
    assert regression(np.column_stack([three, noise**2]), opposite).penalty == "few"


def test_no_maximum_brings_the_penalty():
    x = np.arange(40.0)
    found = regression(x[:, None], Scored.of(x, x > 19))
    assert found.penalty == "parted"
    assert np.isfinite(found.found[0].interval.upper)


def test_an_empty_cell_by_patient_has_the_larger_variance():
    """By case 1.520570617579 of brglm2; by patient 0.443729383944, of residuals near 0."""
    found = regression(NV[:, None], graded(PAIRS)).found[0]
    error = (found.interval.upper - found.value) / 1.959963984540054
    assert error == pytest.approx(1.520570617579, rel=1e-7)
    assert found.p == pytest.approx(0.004354035873320, rel=1e-6)


def test_beside_an_empty_cell_clusters_count():
    """brglm2 with HC0 by pairs, times 40 / 39, by hand in R: the larger for EH and PI, not NV."""
    found = regression(ENDOMETRIAL[:, :3], graded(PAIRS)).found
    errors = [(c.interval.upper - c.value) / 1.959963984540054 for c in found]
    wanted = [1.5507637294530, 0.0556932894473, 0.8414567653959]
    np.testing.assert_allclose(errors, wanted, rtol=1e-7)


def test_units_stretch_the_coefficient_alone():
    found = LogOddsRatio(0.2, Interval(0.1, 0.3), 0.04).times(10)
    assert (found.value, found.interval, found.p) == (2.0, Interval(1.0, 3.0), 0.04)
