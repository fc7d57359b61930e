"""An exam with two vertebral bodies, brighter than all around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from centrum.cohort.levels import Level
from centrum.geometry import Geometry, direction_of
from centrum.io import read_image
from centrum.pacs.seg import DrawnRegion
from centrum.pacs.source import SourceSeries, read_series
from centrum.volume import Mask, Volume
from tests.pacs.series import write_series

GRID = Geometry((30, 36, 7), (0.6, 0.7, 4.4), (11.5, -20.25, 33.0), direction_of("PIR"))
"""Sagittal, and of another size and spacing along each axis."""

BRIGHT, DARK = 900, 100


@dataclass(frozen=True)
class Exam:
    """A series on disk, its image as it is read, and what was drawn on it."""

    folder: Path
    image: Volume
    regions: tuple[DrawnRegion, ...]

    @property
    def source(self) -> SourceSeries:
        return read_series(self.folder)


def exam(
    folder: Path,
    grid: Geometry = GRID,
    order: Callable[[list[int]], Sequence[int]] = list,
    **entries: Any,
) -> Exam:
    """Two bodies without any symmetry, the first in the first slices, the other nearer the end."""
    z, y, x = np.indices(grid.shape)
    bodies = (
        (z < 4) & (abs(y - 9) < 6 - z) & (abs(x - 12 - z) < 8),
        (z > 1) & (z < 6) & (abs(y - 25) < 5) & (abs(x - 10) < 3 + z),
    )
    voxels = np.where(bodies[0] | bodies[1], BRIGHT, DARK) + z + y % 3
    path = write_series(folder / "series", Volume(voxels, grid), order, **entries)
    image = read_image(path)
    drawn = tuple(
        DrawnRegion(
            Mask(_as_read(image, grid, body), image.geometry, name), name, Level.parse(name)
        )
        for name, body in zip(("L1", "L2"), bodies, strict=True)
    )
    return Exam(path, image, drawn)


def _as_read(image: Volume, grid: Geometry, array: np.ndarray) -> np.ndarray:
    """On the grid of the image, whose slices may run the other way."""
    first = grid.index(image.geometry.origin).round()
    return array if first[2] == 0 else array[::-1]
