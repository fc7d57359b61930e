"""The body of a whole vertebra: what of it lies in front of the spinal canal, row by row.

The anterior wall of the canal is taken as it is in each row. A fragment that was pushed into the
canal pushes the wall back and stays; a plane that is fitted to the wall would cut it off.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.volume import Mask, Turn

UPRIGHT = "LPI"
"""Orientation in which an array [z, y, x] runs to the feet, to the back and to the left."""

SPECK = 0.1
"""A piece of the canal that has less than this share of its largest piece is none."""

REACH_MM = 5.0
"""How far beyond its rows the canal is continued. Above or below the last row of a view it may be
missing in a slice or two; further off its wall may lie elsewhere."""


MARGIN = 0.15
"""Share of the canal's width at either side in which its wall curves back, away from the body."""


@dataclass(frozen=True, eq=False)
class CanalWall:
    """The anterior wall of the canal on a grid.

    Attributes
    ----------
    front : first voxel of the canal from the front, by row and slice, shape (rows, slices); at the
        sides of the canal and beside it, the median of the row
    known : whether the canal reaches each row, or ends within `REACH_MM` of it; shape (rows,)
    turn : from the stored axes to upright ones
    """

    front: Floats
    known: Flags
    turn: Turn

    @classmethod
    def of(cls, canal: Mask) -> "CanalWall":
        """The wall of a canal, which is without the bone of its rim.

        Raises
        ------
        DataError
            The mask is empty.
        """
        turn = Turn.between(canal.geometry, UPRIGHT)
        inside = _without_specks(turn.of(canal.array))
        rows = np.flatnonzero(inside.any(axis=(1, 2)))
        if not rows.size:
            raise DataError("The spinal canal has no voxel: there is no wall to cut at.")
        front = _front(inside[rows])
        away = np.abs(np.arange(len(inside))[:, None] - rows)
        row_mm = turn.grid(canal.geometry).spacing[2]
        known = away.min(axis=1) * row_mm <= REACH_MM
        return cls(front[away.argmin(axis=1)], known, turn)

    def in_front(self, region: Flags) -> Flags:
        """What of a region, in stored axes, lies in front of the wall.

        >>> from centrum.geometry import Geometry, direction_of
        >>> grid = Geometry((1, 6, 3), (4, 1, 1), direction=direction_of("LPI"))
        >>> canal = np.zeros(grid.shape, bool)
        >>> canal[0, 3:5] = canal[1, 4] = canal[2, 3:5] = True
        >>> wall = CanalWall.of(Mask(canal, grid))
        >>> wall.in_front(~canal)[:, :, 0].astype(int).tolist()
        [[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0]]
        """
        upright = self.turn.of(region)
        places = np.arange(upright.shape[1])[None, :, None]
        kept = upright & (places < self.front[:, None, :]) & self.known[:, None, None]
        return np.ascontiguousarray(self.turn.undone(kept))

    def passes(self, region: Flags) -> float:
        """Share of the rows of a region, in stored axes, in which the wall is known."""
        rows = self.turn.of(region).any(axis=(1, 2))
        return float(self.known[rows].mean())


def _front(inside: Flags) -> Floats:
    """The wall by row and slice, of rows that the canal passes."""
    hit = np.asarray(inside.any(axis=1))
    first = np.where(hit, inside.argmax(axis=1), np.nan)
    middle = np.nanmedian(first, axis=1, keepdims=True)
    slices = np.arange(hit.shape[1])
    start = hit.argmax(axis=1)[:, None]
    width = hit.shape[1] - hit[:, ::-1].argmax(axis=1)[:, None] - start
    from_side = (slices - start + 0.5) / width
    central = np.abs(from_side - 0.5) < 0.5 - MARGIN
    return np.where(central & hit, first, np.fmin(first, middle))


def _without_specks(inside: Flags) -> Flags:
    pieces, _ = ndimage.label(inside, np.ones((3, 3, 3)))
    sizes = np.bincount(pieces.ravel())[1:]
    large = np.flatnonzero(sizes >= SPECK * sizes.max(initial=0)) + 1
    return np.isin(pieces, large)
