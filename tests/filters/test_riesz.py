"""Riesz transforms: energy, directions, alignment to the structure tensor, boxes."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from centrum.filters import View
from centrum.filters.log import LaplacianOfGaussian
from centrum.filters.riesz import PADDING, RieszLog, RieszSimoncelli, odd_and_fast
from centrum.filters.simoncelli import Simoncelli

MM = (1.0, 1.0, 1.0)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(100, 20, shape)


def respond(image: np.ndarray, order: tuple[int, ...], **choices: Any) -> np.ndarray:
    given = {"order": order, "dimension": f"{len(order)}D"} | choices
    kind = RieszLog if "sigma" in choices else RieszSimoncelli
    (response,) = kind(**given).responses(View.whole(image, MM))
    return response


def orders(total: int, dimensions: int) -> Iterator[tuple[int, ...]]:
    for order in product(range(total + 1), repeat=dimensions):
        if sum(order) == total:
            yield order


def wave(shape: tuple[int, int, int], cycles: tuple[int, int, int]) -> np.ndarray:
    """Phase of a wave of so many cycles along (z, y, x)."""
    phases = [2 * np.pi * c * np.arange(n) / n for c, n in zip(cycles, shape, strict=True)]
    z, y, x = np.meshgrid(*phases, indexing="ij")
    return z + y + x


@pytest.mark.parametrize("total", [1, 2, 3])
def test_orders_share_the_energy_of_the_isotropic_response(total: int) -> None:
    image = noise(9, 15, 21)
    (isotropic,) = Simoncelli().respond(View.whole(image, MM))
    energy = sum(
        np.sum(respond(image, order, boundary="periodic") ** 2) for order in orders(total, 3)
    )
    assert energy == pytest.approx(np.sum(isotropic**2), rel=1e-12)


def test_orders_share_the_energy_of_the_laplacian_in_slices() -> None:
    image = noise(3, 25, 31)
    choices: dict[str, Any] = {"sigma": 1.5, "dimension": "2D", "boundary": "periodic"}
    (isotropic,) = LaplacianOfGaussian(**choices).respond(View.whole(image, MM))
    isotropic = isotropic - isotropic.mean(axis=(1, 2), keepdims=True)
    energy = sum(np.sum(respond(image, order, **choices) ** 2) for order in orders(2, 2))
    assert energy == pytest.approx(np.sum(isotropic**2), rel=1e-12)


def test_first_order_is_a_quarter_of_a_wave_behind() -> None:
    phase = wave((5, 15, 21), (0, 0, 6))
    (isotropic,) = Simoncelli().respond(View.whole(np.cos(phase), MM))
    found = respond(np.cos(phase), (1, 0, 0), boundary="periodic")
    assert np.allclose(found, isotropic.max() * np.sin(phase))
    assert np.abs(respond(np.cos(phase), (0, 1, 0), boundary="periodic")).max() < 1e-12


def test_order_names_x_first() -> None:
    image = noise(12, 13, 14)
    turned = np.moveaxis(image, (0, 1, 2), (2, 0, 1))
    found = respond(image, (2, 0, 1), sigma=1.2)
    wanted = np.moveaxis(respond(turned, (1, 2, 0), sigma=1.2), (2, 0, 1), (0, 1, 2))
    assert np.allclose(found, wanted, atol=1e-10)


@pytest.mark.parametrize("order", [(1, 0, 0), (0, 2, 0), (1, 1, 1), (2, 0, 1)])
def test_aligned_responses_turn_with_the_image(order: tuple[int, ...]) -> None:
    """A quarter turn, and a mirror image: neither changes anything but places."""
    image = noise(13, 13, 13)
    found = respond(image, order, sigma=1.2, tensor_sigma=1)
    turned = respond(np.rot90(image, axes=(1, 2)), order, sigma=1.2, tensor_sigma=1)
    assert np.allclose(np.rot90(found, axes=(1, 2)), turned, atol=1e-8)
    mirrored = respond(image[:, ::-1], order, sigma=1.2, tensor_sigma=1)
    assert np.allclose(found[:, ::-1], mirrored, atol=1e-8)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("total", [1, 2, 3])
def test_turned_axes_share_the_same_energy_at_each_voxel(total: int, dimensions: int) -> None:
    image = noise(7, 12, 11)
    plain = [respond(image, order) for order in orders(total, dimensions)]
    aligned = [respond(image, order, tensor_sigma=1.5) for order in orders(total, dimensions)]
    assert np.allclose(np.square(plain).sum(axis=0), np.square(aligned).sum(axis=0))


def test_a_wave_in_any_direction_lies_along_the_first_axis() -> None:
    phase = wave((15, 21, 25), (2, 5, -4))
    image = np.cos(phase)
    (isotropic,) = Simoncelli().respond(View.whole(image, MM))
    choices: dict[str, Any] = {"boundary": "periodic", "tensor_sigma": 1}
    assert np.allclose(respond(image, (2, 0, 0), **choices), -isotropic)
    for order in [(0, 2, 0), (0, 0, 2), (1, 1, 0), (0, 1, 1)]:
        assert np.abs(respond(image, order, **choices)).max() < 1e-6 * isotropic.max()


def test_first_order_along_the_local_axis_is_never_negative() -> None:
    image = noise(9, 11, 13)
    for order in orders(1, 3):
        assert respond(image, order, tensor_sigma=1).min() >= 0


@pytest.mark.parametrize("boundary", ["zero", "nearest", "periodic", "mirror"])
@pytest.mark.parametrize(
    "choices",
    [
        {"order": (0, 2), "dimension": "2D", "tensor_sigma": 1},
        {"order": (0, 2, 0)},
        {"order": (1, 0, 1), "tensor_sigma": 1},
    ],
)
@pytest.mark.parametrize("base", [{"sigma": 1.3}, {"level": 1}])
@settings(max_examples=8)
@given(data=st.data())
def test_box_has_the_numbers_of_the_whole_image(
    base: dict[str, Any], choices: dict[str, Any], boundary: str, data: st.DataObject
) -> None:
    image = noise(6, 13, 15)
    whole = View.whole(image, (2.0, 1.0, 0.8), slice_axis=data.draw(st.integers(0, 2)))
    starts = [data.draw(st.integers(0, n - 1)) for n in image.shape]
    stops = [data.draw(st.integers(s + 1, n)) for s, n in zip(starts, image.shape, strict=True)]
    z, y, x = (slice(*ends) for ends in zip(starts, stops, strict=True))
    kind = RieszLog if "sigma" in base else RieszSimoncelli
    filtered = kind(**base, **choices, boundary=boundary)
    (wanted,) = filtered.responses(whole)
    (found,) = filtered.responses(replace(whole, box=(z, y, x)))
    assert np.abs(found - wanted[z, y, x]).max() <= 1e-9 * np.abs(wanted).max()


@pytest.mark.parametrize(("base", "bound"), [({"sigma": 1.5}, 1e-4), ({"level": 1}, 1e-3)])
def test_edges_far_away_hardly_matter(base: dict[str, Any], bound: float) -> None:
    image = noise(1, 200, 200) - 100
    middle = (0, slice(90, 110), slice(90, 110))
    found = respond(image, (1, 0), **base)[middle]
    for boundary in ("zero", "nearest"):
        other = respond(image, (1, 0), boundary=boundary, **base)[middle]
        assert np.abs(other - found).max() < bound * np.abs(found).max()


def test_padded_lengths_are_odd_and_leave_the_margin() -> None:
    for n in range(1, 300):
        assert odd_and_fast(n) % 2 == 1
        assert n <= odd_and_fast(n) <= n + 40
    padded = RieszLog(order=(1, 0, 0), sigma=1)._padded(100)
    assert padded.start <= -PADDING
    assert padded.stop >= 100 + PADDING


@pytest.mark.parametrize("order", [(1, 0), (0, 0, 0), (9, 9, 9), (1, 0, 0, 0)])
def test_order_that_does_not_fit(order: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match=r"in 3D an order has 3 numbers whose sum is 1 to 9"):
        RieszLog(order=order, sigma=1)
