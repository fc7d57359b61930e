"""Filling one contour: against exact arithmetic, and whatever rounding does to its points."""

from fractions import Fraction as F
from itertools import pairwise
from math import pi

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from centrum.io.even_odd import MOST_AT_ONCE, TOLERANCE, fill, steps
from tests.io.drawing import corners_only, traced

SHAPE = (9, 11)
Point = tuple[F, F]


def pixels(*contours: NDArray, shape: tuple[int, int] = SHAPE) -> NDArray[np.bool_]:
    """All that some contours hold: the XOR of what is inside, and what they meet."""
    inside, met = np.zeros(shape, bool), np.zeros(shape, bool)
    for contour in contours:
        found = fill(np.asarray(contour, dtype=float), shape)
        inside[found.box] ^= found.inside
        met[found.box] |= found.met
    return inside | met


def exactly(contour: NDArray) -> NDArray[np.bool_]:
    """The same in rational numbers: a pixel is met within the tolerance, else crossings count."""
    points = [(F(x), F(y)) for x, y in np.asarray(contour, dtype=float).tolist()]
    edges = list(pairwise([*points, points[0]]))
    rows = [[_holds(edges, (F(x), F(y))) for x in range(SHAPE[1])] for y in range(SHAPE[0])]
    return np.array(rows)


def _holds(edges: list[tuple[Point, Point]], at: Point) -> bool:
    near = min(_squared_distance(a, b, at) for a, b in edges)
    return near <= F(str(TOLERANCE)) ** 2 or sum(_crosses(a, b, at) for a, b in edges) % 2 == 1


def _squared_distance(a: Point, b: Point, p: Point) -> F:
    edge, offset = (b[0] - a[0], b[1] - a[1]), (p[0] - a[0], p[1] - a[1])
    length = edge[0] ** 2 + edge[1] ** 2
    along = F(0) if length == 0 else (edge[0] * offset[0] + edge[1] * offset[1]) / length
    along = min(max(along, F(0)), F(1))
    return (offset[0] - along * edge[0]) ** 2 + (offset[1] - along * edge[1]) ** 2


def _crosses(a: Point, b: Point, p: Point) -> bool:
    """Whether the edge crosses the line from the point to the right."""
    if (a[1] > p[1]) == (b[1] > p[1]):
        return False
    return p[0] < a[0] + (p[1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1])


eighths = st.tuples(st.integers(-8, 96), st.integers(-8, 80)).map(lambda p: (p[0] / 8, p[1] / 8))
lattice = st.tuples(st.integers(0, 10), st.integers(0, 8)).map(lambda p: (float(p[0]), float(p[1])))
polygons = st.lists(eighths, min_size=1, max_size=9).map(np.array)
on_centres = st.lists(lattice, min_size=1, max_size=9).map(np.array)
masks = st.tuples(st.integers(1, 9), st.integers(1, 11), st.integers(0, 2**32 - 1)).map(
    lambda drawn: np.random.default_rng(drawn[2]).random(drawn[:2]) < (drawn[2] % 7 + 1) / 8
)


@given(contour=st.one_of(polygons, on_centres))
def test_as_in_exact_arithmetic(contour: NDArray) -> None:
    """Any polygon, crossing itself, running back on itself, or reaching out of the slice."""
    np.testing.assert_array_equal(pixels(contour), exactly(contour))


@given(contour=on_centres, seed=st.integers(0, 2**32 - 1))
def test_rounding_of_points_at_centres_decides_nothing(contour: NDArray, seed: int) -> None:
    """Points with two decimals of a millimetre, in pixels of 0.36 mm."""
    off = np.random.default_rng(seed).uniform(-0.005 / 0.36, 0.005 / 0.36, contour.shape)
    np.testing.assert_array_equal(pixels(contour + off), pixels(contour))


@given(contour=polygons, start=st.integers(0, 8), seed=st.integers(0, 2**32 - 1))
def test_start_direction_and_axes_decide_nothing(contour: NDArray, start: int, seed: int) -> None:
    wanted = pixels(contour)
    np.testing.assert_array_equal(pixels(np.roll(contour, start, axis=0)), wanted)
    np.testing.assert_array_equal(pixels(contour[::-1]), wanted)
    repeated = np.repeat(contour, np.random.default_rng(seed).integers(1, 4, len(contour)), axis=0)
    np.testing.assert_array_equal(pixels(repeated), wanted)
    turned = pixels(contour[:, ::-1], shape=SHAPE[::-1])
    np.testing.assert_array_equal(turned.T, wanted)
    mirrored = pixels([SHAPE[1] - 1, 0] + contour * [-1, 1])
    np.testing.assert_array_equal(mirrored[:, ::-1], wanted)


@given(mask=masks, seed=st.integers(0, 2**32 - 1))
def test_every_mask_that_was_traced_comes_back(mask: NDArray, seed: int) -> None:
    """With holes, islands, corners and threads; with and without points on straight lines."""
    found = traced(mask)
    np.testing.assert_array_equal(pixels(*found, shape=mask.shape), mask)
    np.testing.assert_array_equal(pixels(*map(corners_only, found), shape=mask.shape), mask)
    off = [np.random.default_rng(seed).uniform(-0.01, 0.01, each.shape) for each in found]
    rounded = [each + o for each, o in zip(found, off, strict=True)]
    np.testing.assert_array_equal(pixels(*rounded, shape=mask.shape), mask)


@pytest.mark.parametrize("radius", [3.3, 40.7, 200.2])
def test_as_many_pixels_as_a_circle_has_area(radius: float) -> None:
    """Within what the circle problem allows: the error grows slower than the radius."""
    angle = np.linspace(0, 2 * pi, 5000, endpoint=False)
    circle = 255.5 + radius * np.column_stack([np.cos(angle), np.sin(angle)])
    count = np.count_nonzero(pixels(circle, shape=(512, 512)))
    assert abs(count - pi * radius**2) < 2 * radius**0.66 + 2 * pi * radius * TOLERANCE


def test_edges_that_are_looked_at_in_parts_are_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    zigzag = np.random.default_rng(0).uniform(-3, 60, (400, 2))
    wanted = pixels(zigzag, shape=(50, 50))
    assert steps(zigzag) < MOST_AT_ONCE
    for most in (1, 60, 999):
        monkeypatch.setattr("centrum.io.even_odd.MOST_AT_ONCE", most)
        np.testing.assert_array_equal(pixels(zigzag, shape=(50, 50)), wanted)


def test_steps_are_those_of_the_edges_and_of_the_box() -> None:
    zigzag = np.random.default_rng(0).uniform(0, 49, (400, 2))
    edge = np.abs(np.roll(zigzag, -1, axis=0) - zigzag)
    assert edge.sum() <= steps(zigzag) <= edge.sum() + 4 * len(zigzag) + 49**2 / 16
    assert steps(np.array([(0, 0), (1e5, 1e5)])) > 1e8  # a box that is a slice of its own


def test_beyond_the_end_of_a_line_its_end_is_what_counts() -> None:
    """0.015 pixels further along and 0.015 aside are 0.021."""
    line = np.array([(0.0, 2.985), (1.985, 2.985)])
    assert np.argwhere(pixels(line)).tolist() == [[3, 0], [3, 1]]
    assert np.argwhere(pixels(line + np.array([0.01, 0]))).tolist() == [[3, 0], [3, 1], [3, 2]]


@pytest.mark.parametrize("away", [(-20.0, 0.0), (0.0, -20.0), (40.0, 0.0), (0.0, 40.0)])
def test_nothing_of_what_lies_outside(away: tuple[float, float]) -> None:
    found = fill(np.array([(1.0, 1.0), (5.0, 1.0), (5.0, 5.0)]) + away, SHAPE)
    assert found.inside.size == found.met.size == 0
