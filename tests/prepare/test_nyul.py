"""The standard scale: exact at landmarks, linear between, learnt with each image counting once."""

import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.errors import DataError, ProtocolError
from centrum.geometry import Geometry
from centrum.prepare.nyul import (
    landmarks_of,
    piecewise_linear,
    standard_scale,
    to_standard_scale,
)
from centrum.prepare.settings import Nyul
from centrum.volume import Volume

PERCENTILES = Nyul().percentiles


def image(seed: int, gain: float = 1.0, offset: float = 0.0) -> Volume:
    x = np.random.default_rng(seed).gamma(3, 50, (8, 20, 20))
    return Volume(gain * x + offset, Geometry((20, 20, 8), (1, 1, 3)))


rising = st.lists(st.floats(0.1, 100), min_size=11, max_size=11).map(np.cumsum)


@given(rising, rising)
def test_landmarks_land_exactly(old: np.ndarray, new: np.ndarray) -> None:
    np.testing.assert_allclose(piecewise_linear(old, old, new), new, rtol=1e-12)


@given(rising, rising, st.integers(0, 2**32 - 1))
def test_the_order_of_intensities_stays(old: np.ndarray, new: np.ndarray, seed: int) -> None:
    x = np.sort(np.random.default_rng(seed).uniform(-100, 1200, 200))
    assert np.all(np.diff(piecewise_linear(x, old, new)) >= 0)


def test_between_landmarks_as_numpy_interpolates() -> None:
    old, new = np.array([1.0, 2, 5, 9]), np.array([0.0, 10, 20, 100])
    x = np.linspace(1, 9, 50)
    np.testing.assert_allclose(piecewise_linear(x, old, new), np.interp(x, old, new))
    assert piecewise_linear(np.array([0.0, 11]), old, new).tolist() == [-10, 140]


def test_prepared_images_have_the_standard_percentiles() -> None:
    learnt = standard_scale([landmarks_of(image(k), PERCENTILES) for k in range(5)], (0, 100))
    settings = Nyul(over="image", landmarks=tuple(learnt))
    found = to_standard_scale(image(9, gain=4, offset=30), settings)
    np.testing.assert_allclose(landmarks_of(found, PERCENTILES), learnt, atol=0.05)
    assert found.history[-1].parameters["found"] == pytest.approx(
        landmarks_of(image(9, gain=4, offset=30), PERCENTILES).tolist()
    )


@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_the_scale_of_a_training_image_does_not_matter(gain: float, offset: float) -> None:
    a = [landmarks_of(image(k), PERCENTILES) for k in range(3)]
    b = [landmarks_of(image(k, gain, offset), PERCENTILES) for k in range(3)]
    np.testing.assert_allclose(standard_scale(a, (0, 1)), standard_scale(b, (0, 1)), atol=1e-9)


def test_each_image_counts_once() -> None:
    """By hand: middles at 30, 40, 90 and 50 % of the way, whose mean is 52.5 (median 45)."""
    found = standard_scale([[0, 3, 10], [5, 9, 15], [0, 900, 1000], [-10, 0, 10]], (10, 110))
    np.testing.assert_allclose(found, [10, 62.5, 110])


def test_landmarks_of_few_grey_levels_may_coincide() -> None:
    """An 8-bit image whose percentiles 1 to 20 are one level."""
    x = np.repeat([10.0, 20, 30, 40], [400, 150, 250, 200]).reshape(10, 10, 10)
    settings = Nyul(over="image", percentiles=(1, 10, 20, 50, 99), landmarks=(0, 5, 10, 50, 100))
    found = to_standard_scale(Volume(x, Geometry((10, 10, 10), (1, 1, 1))), settings).array
    assert np.unique(found).tolist() == [5, 50, 75, 100]


def test_a_scale_that_does_not_rise_is_refused() -> None:
    """As where a background of 0 fills more of every image than the percentiles leave out."""
    with pytest.raises(DataError, match=r"no rising scale: 0, 0, 100\. .*over: body"):
        standard_scale([[0, 0, 10], [0, 0, 7]], (0, 100))
    with pytest.raises(ValueError, match="found 80 before 20"):
        Nyul(percentiles=(1, 50, 99), landmarks=(0, 80, 20))


def test_a_constant_image_has_no_landmarks() -> None:
    with pytest.raises(DataError, match="are both 7"):
        landmarks_of(Volume(np.full((2, 2, 2), 7.0), Geometry((2, 2, 2), (1, 1, 1))), (1, 99))


def test_landmarks_must_be_learnt_first() -> None:
    with pytest.raises(ProtocolError, match=r"landmarks\.json"):
        to_standard_scale(image(0), Nyul(over="image"))


def test_the_history_can_be_written_as_it_is() -> None:
    """Lists instead of tuples: it reads back as the same."""
    image = Volume(np.arange(24.0).reshape(2, 3, 4), Geometry((4, 3, 2), (1, 1, 1)))
    settings = Nyul(over="image", percentiles=(0, 100), landmarks=(0, 100))
    (step,) = to_standard_scale(image, settings).history
    assert json.loads(json.dumps(step.parameters)) == step.parameters
