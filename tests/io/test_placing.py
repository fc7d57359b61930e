"""A mask on the grid of an image: voxel by voxel where its grid is a part of that of the image."""

import numpy as np
import pytest

from centrum.errors import GeometryError
from centrum.geometry import Geometry
from centrum.io.placing import place_mask
from centrum.volume import Mask

GRID = Geometry((6, 5, 4), (1.0, 1.0, 2.0))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("start", [-1, 0, 1, 2])
def test_a_part_of_the_image_is_placed_and_one_voxel_beyond_it_is_refused(
    axis: int, start: int
) -> None:
    """One voxel less than the image along one axis, begun at, before and behind its first."""
    size = [*GRID.size]
    size[axis] -= 1
    first = [0, 0, 0]
    first[axis] = start
    part = Geometry((size[0], size[1], size[2]), GRID.spacing, tuple(GRID.position(first)))
    mask = Mask(np.ones(part.shape, bool), part, "L1")
    if start not in (0, 1):
        with pytest.raises(GeometryError) as caught:
            place_mask(mask, GRID)
        assert caught.value.code == "mask-outside"
        return
    placed = place_mask(mask, GRID)
    assert placed.geometry == GRID
    kept = np.moveaxis(placed.array, 2 - axis, 0)
    assert kept[start : start + size[axis]].all()
    assert kept.sum() == mask.array.sum()
