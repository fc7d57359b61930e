"""Locally weighted regression against R."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.evaluate.lowess import lowess

I = np.arange(40)  # noqa: E741
Y = (((I * 7) % 5 < 2) | (I % 11 == 3)).astype(float)
SHUFFLED = I * 37 % 101 / 101

# The first ten values of lowess(x, Y, iter = 0) in R 4.2.2, in the order of x.
R = {
    "all different": (
        SHUFFLED,
        [0.722579639345148, 0.347868210100222, 0.418257249406095, 0.617878886652966,
         0.305751752400772, 0.502888466516064, 0.516294876061808, 0.318294290441545,
         0.594138853020882, 0.42253978220143],
    ),
    "crowded at 0": (
        SHUFFLED**4,
        [0.527425566287845, 0.446670490986401, 0.407180801989746, 0.526985586018561,
         0.329961949322994, 0.48159612697095, 0.520385881979303, 0.298777284543039,
         0.608017432844367, 0.491787164475853],
    ),
    "seven values": (
        I * 37 % 7 / 7,
        [0.58268519928253, 0.426779805742342, 0.368501999384805, 0.483326700559751,
         0.497936786951276, 0.410275614140204, 0.421140058198462, 0.58268519928253,
         0.426779805742342, 0.368501999384805],
    ),
    "two values": (I % 2 / 1, [0.5, 0.4] * 5),
    "all equal but one": (np.r_[np.full(39, 0.2), 0.9], [0.461538461538462] * 10),
    "all equal": (np.full(40, 0.4), [0.45] * 10),
}  # fmt: skip


@pytest.mark.parametrize("name", R)
def test_equals_r(name):
    x, wanted = R[name]
    np.testing.assert_allclose(lowess(x, Y)[:10], wanted, rtol=1e-13)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=40), st.floats(-3, 3))
def test_a_line_stays_as_it_is(values, slope):
    x = np.array(values) / 20
    np.testing.assert_allclose(lowess(x, 1 + slope * x), 1 + slope * x, atol=1e-9)


@given(st.permutations(range(40)))
def test_the_order_of_the_points_does_not_matter(order):
    np.testing.assert_allclose(lowess(SHUFFLED[order], Y[order]), lowess(SHUFFLED, Y)[order])
