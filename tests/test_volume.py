"""Boxes of regions, and arrays whose axes are turned."""

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from centrum.features.settings import ExtractionSettings
from centrum.geometry import ORIENTATIONS, Geometry
from centrum.measure.region import as_read
from centrum.volume import Mask, Turn, Volume, bounding_box, turned, turned_view

REGIONS = arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=6))


@given(REGIONS, st.permutations(range(3)), st.sets(st.integers(0, 2)), st.integers(0, 3))
def test_the_box_of_a_turned_region_is_that_of_its_voxels(array, order, flipped, margin):
    array[tuple(n // 2 for n in array.shape)] = True
    seen = Turn(tuple(order), tuple(flipped)).of(array)
    found = bounding_box(seen, margin)
    for places, box, length in zip(np.nonzero(seen), found, seen.shape, strict=True):
        wanted = max(places.min() - margin, 0), min(places.max() + 1 + margin, length)
        assert (box.start, box.stop) == wanted


@given(st.sampled_from(ORIENTATIONS))
def test_a_view_is_the_turned_image_without_a_copy(orientation):
    image = Volume(np.arange(24.0).reshape(2, 3, 4), Geometry((4, 3, 2), (1, 2, 3), (5, 6, 7)))
    seen, copied = turned_view(image, orientation), turned(image, orientation)
    assert np.shares_memory(seen.array, image.array)
    assert copied.array.flags.c_contiguous
    np.testing.assert_array_equal(seen.array, copied.array)
    assert seen.geometry == copied.geometry


def test_reading_a_region_copies_no_whole_image():
    grid = Geometry((4, 3, 2), (1, 1, 4))
    image, mask = Volume(np.zeros(grid.shape), grid), Mask(np.ones(grid.shape, bool), grid)
    for content in (image, mask):
        for plane in ("sagittal", "coronal", "axial"):
            read = as_read(content, ExtractionSettings(plane=plane))
            assert np.shares_memory(read.array, content.array)
