from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.agreement.overlap import dice
from centrum.errors import DataError
from centrum.reading.live_wire import dark_lines, live_wire, simplified
from tests.reading.slices_of_exams import SPACING, clicks, filled, middle_slices


def ring(spacing, radius=12.0, side=60):
    """A dark ring of 1.6 mm in a bright slice; image, and mm from its middle."""
    rows, columns = (round(side / mm) for mm in spacing)
    y, x = np.indices((rows, columns)) * np.array(spacing)[:, None, None]
    away = np.hypot(y - side / 2, x - side / 2)
    return np.where(np.abs(away - radius) < 0.8, 0.0, 100.0)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 0.5), (0.4, 0.9)])
def test_two_clicks_go_around_a_ring_in_mm(spacing):
    across = np.array([(30 - 12, 30), (30 + 12, 30)]) / np.array(spacing)[::-1]
    wire = live_wire(ring(spacing), spacing, across) * np.array(spacing)[::-1]
    away = np.hypot(*(wire - 30).T)
    assert np.abs(away - 12).max() <= 1.2
    angles = np.sort(np.arctan2(*(wire - 30).T))
    assert np.diff(angles).max() < 1  # all the way around, not there and back


def test_all_clicks_are_points_in_their_order():
    points = np.array([(18.25, 30), (30.5, 18), (42, 29.75), (30, 42)])
    wire = live_wire(ring((1, 1)), (1, 1), points)
    found = [int(np.flatnonzero((wire == point).all(axis=1))[0]) for point in points]
    assert found == sorted(found)


def test_without_a_rim_the_wire_is_straight():
    wire = live_wire(np.ones((30, 30)), (1, 1), [(5, 5), (20, 5), (20, 20)])
    assert wire.tolist() == [[5, 5], [20, 5], [20, 20]]


def test_bright_lines_are_no_rim():
    assert (
        not dark_lines(-ring((1, 1)), (1, 1))[16:20, 30].max()
        > dark_lines(ring((1, 1)), (1, 1))[16:20, 30].max()
    )


def test_real_bodies_by_six_clicks_against_straight_lines(reference):
    """Design's trials: .930 by the wire and .931 by lines through corners, which these are not."""
    wire, lines = [], []
    for image, body in middle_slices(reference):
        points = clicks(body, 6)
        wire.append(dice(filled(live_wire(image, SPACING, points), body.shape), body))
        lines.append(dice(filled(points, body.shape), body))
    assert np.mean(wire) >= 0.93
    assert min(wire) >= 0.89
    assert np.mean(wire) - np.mean(lines) > 0.03


@pytest.mark.parametrize("points", [[], [(3, 3)], [(3, 3), (30, 3)], [(3, 3), (3, np.nan)]])
def test_what_is_no_wire_is_refused(points):
    with pytest.raises(DataError, match="two clicks or more") as refused:
        live_wire(np.zeros((20, 20)), (1, 1), points)
    assert refused.value.code == "live-wire-clicks"


coordinates = st.floats(-50, 50, allow_nan=False)


@given(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=40))
def test_what_is_left_out_lies_near_the_line(points):
    line = np.array(points)
    kept = simplified(line, 1.0)
    assert (kept[[0, -1]] == line[[0, -1]]).all()
    assert max(min(_away(p, a, b) for a, b in _edges(kept)) for p in line) <= 1 + 1e-9


def _edges(line):
    return [*pairwise(line)] or [(line[0], line[0])]


def _away(point, a, b):
    """From the endless line through two points, or from the point that they are."""
    d, o = b - a, point - a
    length = np.hypot(*d)
    return abs(o[0] * d[1] - o[1] * d[0]) / length if length else np.hypot(*o)
