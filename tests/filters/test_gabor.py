"""Gabor filters: the definition of the kernel, pooling over directions, boxes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from centrum.filters import View
from centrum.filters.gabor import CUTOFF, Gabor

MM = (3.0, 0.8, 0.5)
"""Spacing along (z, y, x)."""


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(100, 20, shape)


def respond(view: View, **choices: Any) -> np.ndarray:
    (response,) = Gabor(**{"sigma": 1.2, "wavelength": 2, "gamma": 0.8} | choices).responses(view)
    return response


def kernel(y: Any, x: Any, sigma: float, wavelength: float, gamma: float, theta: float) -> Any:
    """As the standard writes it, at mm."""
    a = x * np.cos(theta) + y * np.sin(theta)
    b = -x * np.sin(theta) + y * np.cos(theta)
    window = np.exp(-(a**2 + gamma**2 * b**2) / (2 * sigma**2))
    return window * np.exp(2j * np.pi * a / wavelength)


def test_response_to_an_impulse_is_the_modulus_of_the_kernel() -> None:
    image = np.zeros((1, 41, 41))
    image[0, 20, 20] = 1
    found = respond(View.whole(image, MM), sigma=1, gamma=2, theta=30, dimension="2D")
    y, x = (np.arange(41)[:, None] - 20) * MM[1], (np.arange(41) - 20) * MM[2]
    wanted = np.abs(kernel(y, x, 1, 2, 2, np.pi / 6))
    assert np.abs(found[0] - wanted).max() < np.exp(-(CUTOFF**2) / 2)


def test_response_is_a_sum_of_products() -> None:
    """At one voxel, added up without any transform."""
    image = noise(1, 35, 41)
    found = respond(View.whole(image, MM), theta=-20, dimension="2D", boundary="zero")
    y, x = (np.arange(35)[:, None] - 9) * MM[1], (np.arange(41) - 13) * MM[2]
    wanted = abs(np.sum(image[0] * kernel(y, x, 1.2, 2, 0.8, np.radians(-20))))
    assert found[0, 9, 13] == pytest.approx(wanted, rel=1e-6)


def test_waves_along_and_across_the_filter() -> None:
    """A wave of the filter's length and direction gives half its amplitude, others nothing."""
    x = np.arange(80) * 0.5
    image = np.broadcast_to(np.cos(2 * np.pi * x / 4), (1, 80, 80))
    view = View.whole(image, (1, 0.5, 0.5))
    middle = (0, 40, 40)
    along = respond(view, sigma=3, wavelength=4, gamma=1, dimension="2D")[middle]
    assert along == pytest.approx(2 * np.pi * 3**2 / 0.5**2 / 2, rel=1e-6)
    across = respond(view, sigma=3, wavelength=4, gamma=1, theta=90, dimension="2D")[middle]
    assert across < 1e-6 * along


@pytest.mark.parametrize("pooling", ["average", "max"])
@pytest.mark.parametrize("step", [180, 120, 90, 72, 45, 40, 22.5])
def test_half_of_the_circle_is_enough(step: float, pooling: str) -> None:
    view = View.whole(noise(2, 20, 24), MM)
    angles = np.arange(round(360 / step)) * step + 10
    each = [respond(view, theta=angle, dimension="2D") for angle in angles]
    wanted = np.max(each, axis=0) if pooling == "max" else np.mean(each, axis=0)
    found = respond(view, theta=10, step=step, pooling=pooling, dimension="2D")
    assert np.allclose(found, wanted, rtol=1e-10)


def test_directions_of_the_circle() -> None:
    wanted = {45: 4, 22.5: 8, 72: 5, 120: 3, 360: 1, 180: 1}
    assert {s: len(Gabor(sigma=1, wavelength=2, step=s).angles) for s in wanted} == wanted


@pytest.mark.parametrize("boundary", ["zero", "nearest", "periodic", "mirror"])
@pytest.mark.parametrize("choices", [{"dimension": "2D", "theta": 35}, {"step": 60}])
@settings(max_examples=15)
@given(data=st.data())
def test_box_has_the_numbers_of_the_whole_image(
    choices: dict[str, Any], boundary: str, data: st.DataObject
) -> None:
    image = noise(5, 23, 30)
    whole = View.whole(image, MM, slice_axis=data.draw(st.integers(0, 2)))
    starts = [data.draw(st.integers(0, n - 1)) for n in image.shape]
    stops = [data.draw(st.integers(s + 1, n)) for s, n in zip(starts, image.shape, strict=True)]
    z, y, x = (slice(*ends) for ends in zip(starts, stops, strict=True))
    wanted = respond(whole, boundary=boundary, **choices)[z, y, x]
    found = respond(replace(whole, box=(z, y, x)), boundary=boundary, **choices)
    assert np.abs(found - wanted).max() <= 1e-10 * np.abs(wanted).max()


def test_in_space_the_planes_are_averaged() -> None:
    image = noise(20, 22, 24)
    planes = [
        respond(View.whole(image, MM, axis), theta=50, dimension="2D", boundary="nearest")
        for axis in range(3)
    ]
    found = respond(View.whole(image, MM), theta=50, boundary="nearest")
    assert np.allclose(found, np.mean(planes, axis=0))


def test_lengths_are_millimetres() -> None:
    image = noise(3, 20, 20)
    found = respond(View.whole(image, MM), theta=25)
    doubled = View.whole(image, (6.0, 1.6, 1.0))
    assert np.allclose(found, respond(doubled, sigma=2.4, wavelength=4, theta=25))


def test_quarter_turn_of_the_image_turns_the_response() -> None:
    image = noise(2, 25, 25)
    square = (1.0, 0.5, 0.5)
    found = respond(View.whole(image, square), theta=20, dimension="2D")
    # From x to y in the array: rows become columns backwards.
    turned = View.whole(np.rot90(image, -1, axes=(1, 2)), square)
    wanted = np.rot90(respond(turned, theta=110, dimension="2D"), 1, axes=(1, 2))
    assert np.allclose(found, wanted)


def test_reach_holds_the_kernel() -> None:
    filtered = Gabor(sigma=2, wavelength=3, gamma=0.5, theta=0, dimension="2D")
    assert filtered.reach((4.0, 1.0, 0.5)) == (0, 24, 24)
    assert Gabor(sigma=1, wavelength=3, step=90).reach((4.0, 1.0, 0.5)) == (1, 6, 12)


def test_step_that_does_not_close_the_circle() -> None:
    with pytest.raises(ValidationError, match=r"divides the circle.*found 50"):
        Gabor(sigma=2, wavelength=3, step=50)
