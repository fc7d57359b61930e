"""The slices of a case as pictures: all of one size, in the same grey levels, and small."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from centrum.geometry import Geometry
from centrum.report.overlay import MOST_BYTES_OF_STACK, region_view, stack_of
from centrum.volume import Mask, Volume

DIRECTION = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)


def exam(n: int = 5, side: int = 60, noise: float = 0.0) -> tuple[Volume, Mask]:
    """Sagittal slices, each brighter than the one before, with a region that grows to the third."""
    grid = Geometry((side, side, n), (0.8, 0.8, 4.4), (0.0, 0.0, 0.0), DIRECTION)
    z, y, x = np.indices(grid.shape)
    half = 8 - 2 * abs(z - 2)
    region = (abs(y - side // 2) < half) & (abs(x - side // 2) < half)
    rng = np.random.default_rng(1)
    return Volume(100.0 * z + noise * rng.normal(size=grid.shape), grid), Mask(region, grid)


def grey(webp: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(webp)))


def test_every_slice_of_the_region_is_a_picture() -> None:
    stack = region_view(*exam()).stack
    assert len(stack.slices) == 5
    assert stack.largest == 2
    means = [grey(each.webp).mean() for each in stack.slices]
    assert np.diff(means) == pytest.approx(np.full(4, 255 / 4), abs=3)
    assert len({(each.width, each.height) for each in stack.slices}) == 1
    assert all(each.paths["ROI"].startswith("M") for each in stack.slices)


def test_what_a_slice_does_not_hold_has_no_outline() -> None:
    volume, mask = exam()
    other = np.zeros_like(mask.array)
    other[4, 30:34, 30:34] = True
    view = region_view(volume, mask, {"other": replace(mask, array=other)})
    assert [bool(each.paths["other"]) for each in view.stack.slices] == [False] * 4 + [True]
    assert [*view.view.masks] == ["ROI", "other"]
    assert view.mask.array.sum() == mask.array.sum()


@pytest.mark.parametrize(("n", "side"), [(5, 60), (40, 60), (5, 900)])
def test_all_slices_together_are_small(n: int, side: int) -> None:
    volume, mask = exam(n, side, noise=1000.0)
    array = np.zeros(mask.array.shape, dtype=bool)
    array[:, side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = True
    stack = stack_of(volume, {"ROI": replace(mask, array=array)})
    assert len(stack.slices) == n
    assert sum(len(each.webp) for each in stack.slices) <= MOST_BYTES_OF_STACK
    assert len({grey(each.webp).shape for each in stack.slices}) == 1
