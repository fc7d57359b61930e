"""Local binary patterns: what scikit-image gives, written down, and a plain loop."""

from itertools import pairwise
from math import ceil, cos, floor, pi, sin

import numpy as np
import pytest

from centrum.filters import View
from centrum.filters.pyradiomics_lbp2d import LocalBinaryPattern2D

SPACING = (4.4, 0.6, 0.7)
IMAGE = np.random.default_rng(5).integers(0, 9, size=(4, 11, 13)).astype(np.int16)
BOX = (slice(1, 3), slice(4, 11), slice(0, 7))
ALL_METHODS = ("default", "ror", "uniform", "var")

SMALL = np.array([[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8]])
BY_SCIKIT_IMAGE = {
    "default": [[192, 241, 32, 240], [65, 0, 255, 64], [6, 31, 11, 0]],
    "ror": [[3, 31, 1, 15], [5, 0, 255, 1], [3, 31, 11, 0]],
    "uniform": [[2, 5, 1, 4], [9, 0, 8, 1], [2, 5, 9, 0]],
    "var": [
        [4.925283931, 7.46748185, 3.224399483, 4.32492119],
        [7.113684021, 1.701774339, 3.487417198, 6.100175756],
        [5.299297698, 7.547708123, 6.631896161, 4.663116109],
    ],
}
"""local_binary_pattern(SMALL, P=8, R=1, method=...) of scikit-image 0.26."""


def plain(image: np.ndarray, radius: float, samples: int, method: str) -> np.ndarray:
    """One slice, voxel by voxel."""
    out = np.empty(image.shape)
    for r, c in np.ndindex(image.shape):
        x = []
        for k in range(samples):
            down = round(-radius * sin(2 * pi * k / samples), 5)
            along = round(radius * cos(2 * pi * k / samples), 5)
            x.append(interpolated(image, r + down, c + along))
        out[r, c] = pattern(x, image[r, c], method)
    return out


def interpolated(image: np.ndarray, r: float, c: float) -> float:
    def at(i: int, j: int) -> float:
        inside = 0 <= i < image.shape[0] and 0 <= j < image.shape[1]
        return float(image[i, j]) if inside else 0.0

    dr, dc = r - floor(r), c - floor(c)
    top = (1 - dc) * at(floor(r), floor(c)) + dc * at(floor(r), ceil(c))
    bottom = (1 - dc) * at(ceil(r), floor(c)) + dc * at(ceil(r), ceil(c))
    return (1 - dr) * top + dr * bottom


def pattern(x: list[float], centre: float, method: str) -> float:
    n = len(x)
    if method == "var":
        found = (sum(v * v for v in x) - sum(x) ** 2 / n) / n
        return found if found != 0 else float("nan")
    bits = [int(v - centre >= 0) for v in x]
    if method == "uniform":
        pieces = sum(a != b for a, b in pairwise(bits))
        return sum(bits) if pieces <= 2 else n + 1
    numbers = [
        sum(b << k for k, b in enumerate(bits[turn:] + bits[:turn]))
        for turn in (range(n) if method == "ror" else (0,))
    ]
    return min(numbers)


@pytest.mark.parametrize("method", BY_SCIKIT_IMAGE)
def test_a_small_image_has_the_patterns_of_scikit_image(method: str) -> None:
    view = View.whole(SMALL[None].astype(float), SPACING)
    (found,) = LocalBinaryPattern2D(lbp2DMethod=method).respond(view)
    assert found[0] == pytest.approx(np.array(BY_SCIKIT_IMAGE[method]), abs=1e-9)


@pytest.mark.parametrize("method", ALL_METHODS)
@pytest.mark.parametrize(("samples", "radius"), [(8, 1), (9, 1), (12, 1.5), (6, 3), (1, 1)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_voxel_has_the_pattern_of_its_slice(
    method: str, samples: int, radius: float, axis: int
) -> None:
    image = IMAGE + np.random.default_rng(1).normal(size=IMAGE.shape)
    slices = image.swapaxes(0, axis)
    expected = np.stack([plain(s, radius, samples, method) for s in slices]).swapaxes(0, axis)
    chosen = LocalBinaryPattern2D(lbp2DRadius=radius, lbp2DSamples=samples, lbp2DMethod=method)
    for box in ((slice(0, 4), slice(0, 11), slice(0, 13)), BOX):
        (found,) = chosen.responses(View(image, box, SPACING, slice_axis=axis))
        np.testing.assert_allclose(found, expected[box], rtol=1e-12, atol=1e-12)


def test_responses_have_the_number_type_of_the_image() -> None:
    variance = LocalBinaryPattern2D(lbp2DMethod="var")
    (of_integers,) = variance.respond(View.whole(IMAGE, SPACING))
    (of_floats,) = variance.respond(View.whole(IMAGE.astype(float), SPACING))
    assert of_integers.dtype == float
    assert np.array_equal(of_integers, np.trunc(of_floats))
    (of_float32,) = variance.respond(View.whole(IMAGE.astype(np.float32), SPACING))
    assert of_float32.dtype == np.float32
