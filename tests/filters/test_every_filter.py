"""What holds for every registered filter, whoever wrote it.

A filter is tested as its defaults make it; one that has fields without a default, or more ways
to work, has rows in EXAMPLES.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from centrum.filters import FILTERS, Boundary, Filter, View
from centrum.filters.filter import of_its_kind
from centrum.settings import DIALECTS

Choices = dict[str, Any]

EXAMPLES: dict[str, list[Choices]] = {
    "mean": [{"support": 5}, {"support": 3, "dimension": "2D"}],
    "log": [
        {"sigma": 1.2},
        {"sigma": 2, "dimension": "2D"},
        {"sigma": 2, "cutoff": 2.5, "zero_sum": False},
    ],
    "laws": [
        {"kernels": "E5L3S5"},
        {"kernels": "L5E5W5", "pooling": "max"},
        {"kernels": "L5E5E5", "pooling": "min", "energy": 2},
        {"kernels": "R5S3", "dimension": "2D", "pooling": "average", "energy": 3},
    ],
    "wavelet": [
        {},
        {"wavelet": "db3", "pooling": "average"},
        {"wavelet": "coif1", "bands": ["LHL", "HHH"], "pooling": "max"},
        {"wavelet": "bior1.3", "dimension": "2D", "levels": [1, 2], "pooling": "min"},
    ],
    "gradient": [{}, {"dimension": "2D"}],
    "gabor": [
        {"sigma": 2, "wavelength": 3, "theta": 30, "dimension": "2D"},
        {"sigma": 1, "wavelength": 2, "gamma": 0.5, "step": 45},
    ],
    "simoncelli": [{"levels": [1, 2]}, {"dimension": "2D"}],
    "riesz-log": [
        {"order": [1, 0, 0], "sigma": 2},
        {"order": [0, 2], "sigma": 1, "dimension": "2D", "tensor_sigma": 1},
    ],
    "riesz-simoncelli": [{"order": [0, 1, 1]}, {"order": [1, 0], "dimension": "2D"}],
    "LoG": [{"sigma": [1.0, 2]}, {"sigma": [1.5], "dimension": "2D"}],
}

SPACING = (2.0, 0.7, 0.5)
IMAGE = np.random.default_rng(1).normal(100, 30, (7, 11, 9))


def examples() -> Iterator[Filter]:
    """Each example under each boundary that it can have."""
    for name, kind in FILTERS.items():
        for choices in EXAMPLES.get(name, [{}]):
            given = {"filter": name} | choices
            if "boundary" not in kind.model_fields:
                yield of_its_kind(given)
                continue
            for boundary in get_args(Boundary):
                yield of_its_kind(given | {"boundary": boundary})


EVERY = list(examples())


def label(chosen: Filter) -> str:
    return f"{chosen.filter}:{chosen.names[0]}"


def those(wanted: Callable[[Filter], bool]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("chosen", list(filter(wanted, EVERY)), ids=label)


every = those(lambda chosen: True)


def tolerance(found: np.ndarray, scale: float) -> float:
    return scale * (1e-10 if found.dtype == np.float64 else 1e-6)


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    assert found.shape == wanted.shape
    bound = tolerance(found, max(1.0, float(np.abs(wanted).max())))
    assert np.abs(found - wanted).max() <= bound


@pytest.mark.parametrize("name", FILTERS)
def test_it_is_documented(name: str) -> None:
    kind = FILTERS[name]
    assert ">>> " in (kind.__doc__ or "")
    assert kind.dialect in DIALECTS


@every
def test_names_and_responses(chosen: Filter) -> None:
    maps = list(chosen.responses(View.whole(IMAGE, SPACING)))
    assert len(maps) == len(chosen.names) == len(set(chosen.names))
    assert not any("_" in name for name in chosen.names)
    for response in maps:
        assert response.shape == IMAGE.shape
        assert np.isfinite(response).all()


def test_names_tell_choices_apart() -> None:
    """Responses of one dialect that were made otherwise are called otherwise."""
    ours = [chosen for chosen in EVERY if chosen.dialect == "ibsi"]
    names = [name for chosen in ours for name in chosen.names]
    assert len(names) == len(set(names))


@every
def test_it_stands_in_a_protocol(chosen: Filter) -> None:
    assert of_its_kind(chosen.model_dump(mode="json")) == chosen


@st.composite
def boxes(draw: st.DrawFn) -> tuple[slice, slice, slice]:
    starts = [draw(st.integers(0, n - 1)) for n in IMAGE.shape]
    stops = [draw(st.integers(a + 1, n)) for a, n in zip(starts, IMAGE.shape, strict=True)]
    z, y, x = (slice(*ends) for ends in zip(starts, stops, strict=True))
    return z, y, x


CORNERS = [
    tuple(slice(0, 2) if low else slice(n - 2, n) for low, n in zip(side, IMAGE.shape, strict=True))
    for side in product((True, False), repeat=3)
]
MIDDLE = tuple(slice(n // 2 - 1, n // 2 + 1) for n in IMAGE.shape)


@lru_cache(3)
def whole_responses(chosen: Filter, axis: int) -> list[np.ndarray]:
    return list(chosen.responses(View.whole(IMAGE, SPACING, axis)))


def assert_box_equals_whole(chosen: Filter, box: Any, axis: int) -> None:
    parts = chosen.responses(View(IMAGE, box, SPACING, axis))
    for part, whole in zip(parts, whole_responses(chosen, axis), strict=True):
        assert_same(part, whole[box])


@every
def test_response_in_a_box_is_that_of_the_whole(chosen: Filter) -> None:
    for box in [*CORNERS, MIDDLE]:
        assert_box_equals_whole(chosen, box, axis=0)


@every
@settings(max_examples=10)
@given(boxes(), st.integers(0, 2))
def test_response_in_any_box_and_plane(
    chosen: Filter, box: tuple[slice, slice, slice], axis: int
) -> None:
    assert_box_equals_whole(chosen, box, axis)


@every
def test_voxels_out_of_reach_do_not_matter(chosen: Filter) -> None:
    """With zeros beyond `reach` the response stays as it is."""
    image = np.random.default_rng(2).normal(100, 30, (7, 60, 50))
    box = (slice(3, 4), slice(30, 32), slice(25, 27))
    near = np.ix_(
        *(
            np.arange(n if r is None else b.stop - b.start + 2 * r) + b.start - (r or 0)
            for b, n, r in zip(box, image.shape, chosen.reach_in(SPACING, 0), strict=True)
        )
    )
    wrapped = tuple(index % n for index, n in zip(near, image.shape, strict=True))
    other = np.zeros_like(image)
    other[wrapped] = image[wrapped]
    changed = chosen.responses(View(other, box, SPACING))
    for found, wanted in zip(changed, chosen.responses(View(image, box, SPACING)), strict=True):
        assert_same(found, wanted)


@those(lambda chosen: chosen.in_slices)
def test_slices_do_not_know_each_other(chosen: Filter) -> None:
    """A two-dimensional filter gives the same for a slice alone, across any axis."""
    for axis in range(3):
        whole = chosen.responses(View.whole(IMAGE, SPACING, axis))
        alone = np.take(IMAGE, [2], axis=axis)
        for found, wanted in zip(
            chosen.responses(View.whole(alone, SPACING, axis)), whole, strict=True
        ):
            assert_same(found, np.take(wanted, [2], axis=axis))


@those(lambda chosen: getattr(chosen, "boundary", "") == "periodic")
def test_periodic_images_have_no_edge(chosen: Filter) -> None:
    """Where the image repeats itself, its origin does not matter."""
    turned = np.roll(IMAGE, (3, 4, 5), axis=(0, 1, 2))
    for found, wanted in zip(
        chosen.responses(View.whole(turned, SPACING)),
        chosen.responses(View.whole(IMAGE, SPACING)),
        strict=True,
    ):
        assert_same(found, np.roll(wanted, (3, 4, 5), axis=(0, 1, 2)))
