"""Functions of intensities against the formulas that PyRadiomics documents."""

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.filters import FILTERS, View
from centrum.filters.pyradiomics_pointwise import Pointwise

SPACING = (4.4, 0.6, 0.7)
IMAGE = np.random.default_rng(3).integers(-200, 1000, size=(5, 16, 11)).astype(np.int16)
BOX = (slice(1, 4), slice(3, 9), slice(2, 11))

NAMES = {
    "Square": "square",
    "SquareRoot": "squareroot",
    "Logarithm": "logarithm",
    "Exponential": "exponential",
}


def documented(name: str, x: np.ndarray) -> np.ndarray:
    """Of the whole image."""
    m = np.abs(x.astype(float)).max()
    sign = np.where(x < 0, -1.0, 1.0)
    return {
        "Square": (x / np.sqrt(m)) ** 2,
        "SquareRoot": sign * np.sqrt(np.abs(x) * m),
        "Logarithm": sign * m / np.log(m + 1) * np.log(np.abs(x) + 1),
        "Exponential": np.exp(np.log(m) / m * x),
    }[name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
def test_the_box_is_scaled_by_the_whole_image(name: str, kind: type[np.generic]) -> None:
    image = IMAGE.astype(float).astype(kind)
    chosen = FILTERS[name]()
    assert isinstance(chosen, Pointwise)
    (response,) = chosen.respond(View(image, BOX, SPACING))
    assert chosen.names == (NAMES[name],)
    assert response.dtype == np.float64
    assert response == pytest.approx(documented(name, image.astype(float))[BOX], rel=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_the_largest_intensity_stays(name: str) -> None:
    (response,) = FILTERS[name]().respond(View.whole(IMAGE, SPACING))
    assert response.max() == pytest.approx(IMAGE.max(), rel=1e-12)


def test_the_lowest_int16_has_a_magnitude() -> None:
    image = np.array([[[-32768, 3]]], np.int16)
    (response,) = FILTERS["SquareRoot"]().respond(View.whole(image, SPACING))
    assert response[0, 0, 0] == -32768


def test_an_image_of_zeros_is_refused() -> None:
    zeros = View.whole(np.zeros((2, 2, 2)), SPACING)
    with pytest.raises(DataError, match="Logarithm scales by the largest intensity"):
        list(FILTERS["Logarithm"]().respond(zeros))
