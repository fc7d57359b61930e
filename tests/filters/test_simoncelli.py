"""Simoncelli's wavelet: its frequencies, what the consensus holds, boxes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, strategies as st

from centrum.filters import View
from centrum.filters.fourier import Spectrum, frequencies
from centrum.filters.simoncelli import Simoncelli, band


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).normal(100, 20, shape)


def respond(image: np.ndarray, **choices: Any) -> list[np.ndarray]:
    return list(Simoncelli(**choices).responses(View.whole(image, (1, 1, 1))))


def by_definition(image: np.ndarray, level: int, grids: list[np.ndarray]) -> np.ndarray:
    """The real part of the whole transform, product and transform back."""
    z, y, x = grids
    transfer = band(level, (z[:, None, None], y[:, None], x))
    return np.fft.ifftn(np.fft.fftn(image) * transfer).real


def read(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(path)).astype(float)


def test_first_consensus_map_is_that_of_seven_teams_on_two_grids(reference: Path) -> None:
    """Five of them on the grid from -1 to 1 inclusive, which we take, and two on the usual one:
    why this map alone is 0.4 % off ours."""
    folder = reference / "ibsi"
    image = read(folder / "ibsi2_digital_phantoms" / "checkerboard.nii.gz")
    wanted = read(folder / "ibsi2_response_maps" / "8_a_1-ValidCRM.nii.gz")
    ours = by_definition(image, 1, [frequencies(n) for n in image.shape])
    theirs = by_definition(image, 1, [2 * np.fft.fftfreq(n) for n in image.shape])
    off = np.abs(5 / 7 * ours + 2 / 7 * theirs - wanted).max() / np.ptp(wanted)
    assert off < 1e-7


@pytest.mark.parametrize("shape", [(8, 9, 10), (7, 9, 11), (6, 8, 12), (1, 12, 9)])
def test_half_a_spectrum_gives_the_real_part_of_the_whole(shape: tuple[int, ...]) -> None:
    image = noise(*shape)
    for level, found in enumerate(respond(image, levels=(1, 2)), start=1):
        wanted = by_definition(image, level, [frequencies(n) for n in shape])
        assert np.allclose(found, wanted, atol=1e-10)


@given(st.floats(0.01, 1))
def test_squares_of_all_levels_add_up_to_one(nu: float) -> None:
    f = (np.zeros(1), np.zeros(1), np.array([nu]))
    assert sum(band(level, f)[0] ** 2 for level in range(1, 12)) == pytest.approx(
        1 if nu < 0.5 else band(1, f)[0] ** 2
    )


@pytest.mark.parametrize("dimension", ["2D", "3D"])
@given(data=st.data())
def test_box_has_the_numbers_of_the_whole_image(dimension: str, data: st.DataObject) -> None:
    image = noise(6, 15, 20)
    whole = View.whole(image, (1, 1, 1), slice_axis=data.draw(st.integers(0, 2)))
    starts = [data.draw(st.integers(0, n - 1)) for n in image.shape]
    stops = [data.draw(st.integers(s + 1, n)) for s, n in zip(starts, image.shape, strict=True)]
    z, y, x = (slice(*ends) for ends in zip(starts, stops, strict=True))
    filtered = Simoncelli(levels=(1, 2), dimension=dimension)
    part = filtered.responses(replace(whole, box=(z, y, x)))
    for found, wanted in zip(part, filtered.responses(whole), strict=True):
        assert np.abs(found - wanted[z, y, x]).max() <= 1e-10 * np.abs(wanted).max()


def test_image_is_one_period() -> None:
    image = noise(9, 12, 15)
    shift = (2, -3, 4)
    (found,) = respond(np.roll(image, shift, axis=(0, 1, 2)))
    (wanted,) = respond(image)
    assert np.allclose(found, np.roll(wanted, shift, axis=(0, 1, 2)), atol=1e-10)


def test_a_constant_has_no_response() -> None:
    for found in respond(np.full((15, 16, 17), 300), levels=(1, 2)):
        assert np.abs(found).max() < 1e-9


def test_in_slices_each_slice_stands_alone() -> None:
    image = noise(4, 12, 15)
    (found,) = respond(image, dimension="2D")
    for one, wanted in zip(image, found, strict=True):
        (alone,) = respond(one[None])
        assert np.allclose(alone[0], wanted, atol=1e-10)


def test_voxels_may_be_of_any_type() -> None:
    whole = np.rint(noise(8, 9, 10))
    (wanted,) = respond(whole)
    for kind in (np.int16, np.float32, np.uint16):
        assert np.array_equal(respond(whole.astype(kind))[0], wanted)


def test_spectrum_reaches_around_the_image() -> None:
    image = noise(5, 6, 7)
    wanted = [range(-2, 3), range(4, 9), range(6, 9)]
    found = Spectrum.of(image).filtered(lambda f: np.ones(1), wanted)
    tiled = np.tile(image, (3, 3, 3))[3:8, 10:15, 13:16]
    assert np.allclose(found, tiled)
