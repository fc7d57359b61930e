"""Slices as they are read, and masks on the grid of the image again, for every orientation."""

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from centrum.geometry import ORIENTATIONS, Geometry, direction_of
from centrum.reading.sheet import lay_out
from centrum.volume import Volume, turned

SAGITTAL = direction_of("PIR")


def oblique(orientation: str, degrees: float) -> tuple[float, ...]:
    """Axes along an orientation, turned about two axes of the patient."""
    a, b = np.deg2rad([degrees, degrees / 2])
    about_z = [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    about_y = [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    axes = np.array(about_z) @ about_y @ np.array(direction_of(orientation)).reshape(3, 3)
    return tuple(axes.ravel().tolist())


def grid(orientation: str, across_mm: float = 4.4, degrees: float = 0.0) -> Geometry:
    """Sagittal slices, stored in any order of axes: those across left and right are thick."""
    lengths = {"R": (5, across_mm), "A": (7, 0.7), "I": (9, 0.5)}
    alike = {"L": "R", "P": "A", "S": "I"}
    each = [lengths[alike.get(letter, letter)] for letter in orientation]
    size, spacing = zip(*each, strict=True)
    return Geometry(size, spacing, (-3, 8, 21), oblique(orientation, degrees))  # type: ignore[arg-type]


def positions(geometry: Geometry, array: np.ndarray) -> np.ndarray:
    """LPS places of true voxels, sorted."""
    found = geometry.position(np.argwhere(array)[:, ::-1])
    return found[np.lexsort(np.round(found, 6).T)]


@pytest.mark.parametrize("degrees", [0, 17])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_mask_comes_back_to_the_place_where_it_was_drawn(orientation: str, degrees: int) -> None:
    geometry = grid(orientation, degrees=degrees)
    image = np.random.default_rng(1).integers(0, 900, geometry.shape).astype(np.int16)
    sheets = lay_out(Volume(image, geometry))
    assert sheets.shape == (5, 9, 7)
    assert sheets.spacing == (4.4, 0.5, 0.7)
    assert sheets.letters == {"left": "A", "right": "P", "top": "S", "bottom": "I"}
    drawn = np.random.default_rng(2).random(sheets.shape) < 0.2
    mask = sheets.mask(drawn)
    assert mask.geometry == geometry
    assert np.array_equal(sheets.drawn(mask), drawn)
    assert np.array_equal(sheets.pixels[drawn], turned(Volume(image, geometry), "PIR").array[drawn])
    assert sorted(sheets.pixels[drawn]) == sorted(image[mask.array])
    assert np.allclose(positions(sheets.grid, drawn), positions(geometry, mask.array))


def test_the_head_is_above_and_the_front_left() -> None:
    geometry = grid("LPS")
    image = np.zeros(geometry.shape, np.int16)
    image[-1, 0, :] = 7  # the highest row of voxels at the very front
    sheets = lay_out(Volume(image, geometry))
    assert (sheets.pixels[:, 0, 0] == 7).all()
    assert np.count_nonzero(sheets.pixels) == 5


@pytest.mark.parametrize(
    ("spacing", "letters"),
    [
        ((0.5, 0.5, 5.0), "RLAP"),
        ((0.5, 5.0, 0.5), "RLSI"),
        ((5.0, 0.5, 0.5), "APSI"),
        ((1.0, 1.0, 1.0), "APSI"),
    ],
)
def test_other_planes_are_read_as_usual(spacing: tuple, letters: str) -> None:
    sheets = lay_out(Volume(np.zeros((4, 5, 6), np.int16), Geometry((6, 5, 4), spacing)))
    sides = sheets.letters
    assert sides["left"] + sides["right"] + sides["top"] + sides["bottom"] == letters


def test_one_slice() -> None:
    geometry = Geometry((6, 5, 1), (0.5, 0.7, 4.0), direction=SAGITTAL)
    sheets = lay_out(Volume(np.zeros(geometry.shape, np.int16), geometry))
    assert sheets.shape == (1, 5, 6)
    drawn = np.zeros((1, 5, 6), bool)
    drawn[0, 1, 4] = True
    assert np.argwhere(sheets.mask(drawn).array).tolist() == [[0, 1, 4]]


SMALLEST = 1e-300
"""Below it doubles have fewer digits."""


@given(
    kind=st.sampled_from(["int16", "uint8", "uint16", "int32", "float32", "float64"]),
    low=st.floats(-5e4, 5e4),
    width=st.floats(0, 1e5),
    seed=st.integers(0, 99),
)
@example(kind="float64", low=0.3, width=0.0, seed=0)
@example(kind="float32", low=1991.0, width=61.0, seed=0)
@settings(max_examples=60)
def test_pixels_are_intensities_to_half_a_step(kind, low, width, seed) -> None:
    info = np.iinfo(kind) if kind[0] in "iu" else np.finfo(kind)
    values = np.random.default_rng(seed).uniform(low, low + width, (3, 4, 5))
    array = np.clip(values, info.min, info.max).astype(kind)
    sheets = lay_out(Volume(array, Geometry((5, 4, 3), (1, 1, 4), direction=SAGITTAL)))
    shown = sheets.pixels * sheets.slope + sheets.intercept
    half = 0.5001 * sheets.slope * (sheets.slope != 1) + SMALLEST
    assert np.abs(shown - array.astype(float)).max() <= half
    assert sheets.slope > 0
    for window in sheets.windows():
        assert window["low"] < window["high"]


def test_voxels_without_a_value_are_background() -> None:
    array = np.full((2, 3, 4), 50.0)
    array[0, 0, 0] = np.nan
    sheets = lay_out(Volume(array, Geometry((4, 3, 2), (1, 1, 4), direction=SAGITTAL)))
    assert sheets.slope * sheets.pixels[0, 0, 0] + sheets.intercept == pytest.approx(0)


def test_pixels_are_sent_in_little_endian() -> None:
    array = np.arange(24, dtype=">i2").reshape(2, 3, 4)
    sheets = lay_out(Volume(array, Geometry((4, 3, 2), (1, 1, 4), direction=SAGITTAL)))
    assert np.frombuffer(sheets.encoded(), "<i2").reshape(sheets.shape).tolist() == array.tolist()
