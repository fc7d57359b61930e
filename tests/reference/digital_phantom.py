"""The IBSI digital phantom (arXiv:1612.07003, section 5.1; CC BY 4.0) and its consensus values.

5 x 4 x 4 voxels (x, y, z) of 2 mm; arrays are [z, y, x].
"""

import csv
from pathlib import Path

import numpy as np

from centrum.geometry import Geometry
from centrum.volume import Mask, Volume

GRID = Geometry((5, 4, 4), (2.0, 2.0, 2.0))

IMAGE = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [1, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 9, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)

OUTSIDE = ((1, 2, 0), (2, 0, 3), (2, 0, 4), (2, 2, 2), (3, 0, 3), (3, 0, 4))


def image() -> Volume:
    return Volume(IMAGE, GRID)


def mask() -> Mask:
    inside = np.ones(GRID.shape, dtype=bool)
    inside[tuple(np.transpose(OUTSIDE))] = False
    return Mask(inside, GRID)


def consensus() -> list[dict[str, str]]:
    """Rows of code, feature, aggregation code, value, tolerance and most teams' exact value."""
    path = Path(__file__).with_name("ibsi1_digital_phantom.csv")
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
