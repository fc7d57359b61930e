"""Rotation invariance, against the image itself turned in every way."""

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import pytest

from centrum.filters import Filter, View
from centrum.filters.laws import Laws
from centrum.filters.separable import Passes, Pooling, distinct, rotations
from centrum.filters.taps import Taps
from centrum.filters.wavelet import Wavelet

CUBE = np.random.default_rng(6).normal(size=(8, 8, 8))
MM = (1.0, 1.0, 1.0)
POOL = {"average": np.mean, "max": np.max, "min": np.min}


def turned(image: np.ndarray, dimensions: int) -> Iterator[tuple[np.ndarray, tuple, tuple]]:
    """The image in all its right-angle rotations, and what takes each back."""
    axes = range(3 - dimensions, 3)
    for order in permutations(axes):
        for flipped in product((False, True), repeat=dimensions):
            flips = tuple(a for a, f in zip(axes, flipped, strict=True) if f)
            whole = (*range(3 - dimensions), *order)
            if np.linalg.det(np.eye(3)[list(whole)]) * (-1) ** len(flips) > 0:
                yield np.flip(image.transpose(whole), flips), whole, flips


def by_turning(chosen: Filter, pooling: Pooling, dimensions: int) -> np.ndarray:
    back = []
    for image, order, flips in turned(CUBE, dimensions):
        (response,) = chosen.responses(View.whole(image, MM))
        back.append(np.flip(response, flips).transpose(np.argsort(order)))
    assert len(back) == {2: 4, 3: 24}[dimensions]
    return POOL[pooling](back, axis=0)


@pytest.mark.parametrize("pooling", ["average", "max", "min"])
@pytest.mark.parametrize(
    "chosen",
    [
        Laws(kernels="E5L5S3"),
        Laws(kernels="L5E5E5"),
        Laws(kernels="W5E3", dimension="2D"),
        Wavelet(wavelet="db3", bands=("LLH",)),
        Wavelet(wavelet="db2", bands=("HHH",), boundary="periodic"),
        Wavelet(wavelet="coif1", bands=("LHL",), levels=(2,), boundary="zero"),
        Wavelet(wavelet="sym4", bands=("HL",), dimension="2D"),
    ],
    ids=lambda chosen: chosen.names[0],
)
def test_pooled_as_by_turning_the_image(chosen: Filter, pooling: Pooling) -> None:
    wanted = by_turning(chosen, pooling, 2 if chosen.in_slices else 3)
    pooled = chosen.model_copy(update={"pooling": pooling})
    (found,) = pooled.responses(View.whole(CUBE, MM))
    assert np.abs(found - wanted).max() < 1e-12 * max(1, np.abs(CUBE).max())


def test_rotations_form_the_group() -> None:
    matrices = [np.eye(3)[list(order)] * np.array(s)[:, None] for order, s in rotations(3)]
    assert all(round(np.linalg.det(m)) == 1 for m in matrices)
    found = {m.tobytes() for m in matrices}
    products = {(a @ b + 0.0).tobytes() for a in matrices for b in matrices}
    assert len(found) == 24
    assert len(products) == 24


def test_kernels_without_symmetry_have_all_rotations() -> None:
    kernels = tuple(Taps.of(w) for w in ([1, 2, 4], [1, 3, 9], [1, 5, 25]))
    assert len(distinct(kernels)) == 24


def test_partial_results_are_made_once() -> None:
    low, high = Taps.of([1, 1]), Taps.of([1, -1])
    passes = Passes(View.whole(CUBE, MM), "zero", [[low, high]] * 3)
    for kernels in product((low, high), repeat=3):
        passes.response(kernels)
    assert len(passes.made) == 1 + 2 + 4
