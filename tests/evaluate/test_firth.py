"""Firth's penalty against R's brglm2 and the published output of R's logistf."""

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.evaluate.firth import firth

from .firth_data import ENDOMETRIAL, INFECTIONS


def with_intercept(values: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(values)), values])


def test_endometrial_cancer_equals_brglm2():
    """brglm2 0.8.2, type "AS_mean", epsilon 1e-13: Estimate and Std. Error."""
    found = firth(with_intercept(ENDOMETRIAL[:, :3]), ENDOMETRIAL[:, 3])
    wanted = [3.7745597136470, 2.9292733531971, -0.0347517598704, -2.6041639252937]
    np.testing.assert_allclose(found.beta, wanted, rtol=1e-8)
    errors = [1.4886916634357, 1.5507637294530, 0.0395781473478, 0.7760176425016]
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), errors, rtol=1e-8)


def test_endometrial_intervals_equal_logistf():
    """Profile intervals that the tests of the package firthlogist quote of logistf."""
    found = firth(with_intercept(ENDOMETRIAL[:, :3]), ENDOMETRIAL[:, 3])
    wanted = [[1.0825371, 7.20928050], [0.6097244, 7.85463171], [-0.1244587, 0.04045547],
              [-4.3651832, -1.23272106]]  # fmt: skip
    ends = [[(i := found.interval(k, 0.95)).lower, i.upper] for k in range(4)]
    np.testing.assert_allclose(ends, wanted, rtol=1e-6)


def test_urinary_infections_equal_logistf():
    """logistf(case ~ age + oc + vic + vicl + vis + dia, sex2): coef, lower and upper 0.95, p."""
    assert INFECTIONS.shape == (239, 7)
    found = firth(with_intercept(INFECTIONS[:, :6]), INFECTIONS[:, 6])
    wanted = [0.12025405, -1.10598131, -0.06881673, 2.26887464, -2.11140817, -0.78831694,
              3.09601166]  # fmt: skip
    np.testing.assert_allclose(found.beta, wanted, rtol=1e-6)
    errors = [0.485542, 0.42366, 0.443793, 0.548416, 0.543082, 0.417368, 1.67501]
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), errors, rtol=2e-6)
    p = [8.020268e-01, 6.143472e-03, 8.751911e-01, 1.678877e-06, 1.237805e-05, 5.449701e-02,
         4.951873e-03]  # fmt: skip
    np.testing.assert_allclose([found.p(k) for k in range(7)], p, rtol=1e-6)
    ends = [[-0.8185591, 1.07315122], [-1.9737884, -0.30742514], [-0.9414363, 0.78920202],
            [1.2730216, 3.43543273], [-3.2608611, -1.11773495], [-1.6080879, 0.01518468],
            [0.7745682, 8.03029352]]  # fmt: skip
    made = [[(i := found.interval(k, 0.95)).lower, i.upper] for k in range(7)]
    np.testing.assert_allclose(made, ends, rtol=1e-6)


def test_an_interval_of_another_confidence_equals_logistf():
    """The same with alpha = 0.1."""
    found = firth(with_intercept(INFECTIONS[:, :6]), INFECTIONS[:, 6])
    ends = found.interval(6, 0.9)
    assert (ends.lower, ends.upper) == (pytest.approx(1.0835109), pytest.approx(6.8752016))


def test_outcomes_that_are_parted_have_a_maximum():
    x = np.arange(10.0)
    found = firth(with_intercept(x), (x > 4).astype(float))
    assert 0 < found.beta[1] < 5
    ends = found.interval(1, 0.95)
    assert 0 < ends.lower < found.beta[1] < ends.upper < np.inf


def test_what_follows_from_the_others_is_refused():
    x = np.arange(10.0)
    with pytest.raises(DataError, match="regression of 2 variables on 10 cases"):
        firth(with_intercept(np.column_stack([x, 2 * x + 1])), (x > 4).astype(float))


def test_what_does_not_settle_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centrum.evaluate.firth.MAX_STEPS", 2)
    with pytest.raises(DataError, match="has not settled after 2 steps"):
        firth(with_intercept(INFECTIONS[:, :6]), INFECTIONS[:, 6])


def test_random_designs_settle() -> None:
    """Few cases, collinear columns, empty cells: estimates inside of finite intervals."""
    rng = np.random.default_rng(3)
    for _ in range(25):
        n, k = int(rng.integers(10, 40)), int(rng.integers(1, 5))
        x = rng.normal(size=(n, k)) + rng.normal(size=(n, 1)) * rng.choice([0, 3])
        x[:, 0] = x[:, 0] > rng.normal()
        x = x[:, x.std(axis=0) > 0]
        y = (x.sum(axis=1) + rng.normal(size=n) * rng.choice([0.1, 2]) > 0).astype(float)
        found = firth(with_intercept(x), y)
        for j in range(1, found.beta.size):
            ends = found.interval(j, 0.95)
            assert -np.inf < ends.lower < found.beta[j] < ends.upper < np.inf
            assert (found.p(j) < 0.05) == (ends.lower > 0 or ends.upper < 0)
