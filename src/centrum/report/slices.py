"""From a case to the slice that the report shows: which cases, which slice, which way up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from centrum.agreement.overlap import LOW_DICE
from centrum.arrays import Flags, Floats
from centrum.geometry import Geometry, slice_axis
from centrum.volume import Mask, Volume, bounding_box

if TYPE_CHECKING:
    import pandas as pd

TYPICAL = 2
"""Cases of each outcome that are shown because their score is the outcome's median."""

MOST_DIFFERING = 12
"""Cases that are shown because two readers overlap little, those that do so least."""

VIEW = 2.6
"""Side of the shown square in lengths of the region, so that both neighbours are seen."""


@dataclass(frozen=True)
class Shown:
    """A case of the overlay figure, and why it is shown."""

    case: str
    outcome: str
    score: float
    reason: str


@dataclass(frozen=True, eq=False)
class Slice:
    """Part of a sagittal slice, superior up and anterior left; `spacing` (rows, columns) in mm."""

    image: NDArray
    masks: dict[str, Flags]
    spacing: tuple[float, float]


def choose_cases(scores: "pd.DataFrame", outcomes: tuple[str, str]) -> tuple[Shown, ...]:
    """Of each outcome (positive, negative) the cases nearest its median score, and the worst.

    `scores` as in StudyResults; a training case counts with its out-of-fold score. Ties go
    to the first case.
    """
    honest = scores["out_of_fold"].fillna(scores["score"])
    shown = []
    for outcome, sign in zip(outcomes, (1, -1), strict=True):
        own = honest[scores["outcome"] == outcome]
        worst = (sign * own).sort_values(kind="stable").index[0]
        near = (own.drop(worst) - own.median()).abs().sort_values(kind="stable").index[:TYPICAL]
        shown += [Shown(str(case), outcome, float(own[case]), "typical") for case in near]
        shown.append(Shown(str(worst), outcome, float(own[worst]), "atypical"))
    return tuple(shown)


def differing_cases(scores: "pd.DataFrame", overlap: "pd.DataFrame") -> tuple[Shown, ...]:
    """The cases in which two readers' regions overlap little, those that do so least first.

    `scores` and `overlap` as in StudyResults.
    """
    if overlap.empty:
        return ()
    lowest = overlap.groupby("case")["dice"].min().sort_values(kind="stable")
    low = lowest.index[(lowest < LOW_DICE) & lowest.index.isin(scores.index)]
    honest = scores["out_of_fold"].fillna(scores["score"])
    return tuple(
        Shown(str(case), str(scores.loc[case, "outcome"]), float(honest[case]), "low Dice")
        for case in low
    )


def largest_slice(volume: Volume, masks: Mapping[str, Mask]) -> Slice:
    """The sagittal slice on which the first reader's region is largest, around all regions."""
    return SlicePart.largest(masks).of(volume, masks)


@dataclass(frozen=True)
class SlicePart:
    """What is shown of a grid: part of a sagittal slice, superior up and anterior left.

    Attributes
    ----------
    upright : how slices are turned
    k : which slice
    rows, columns : of the turned slice
    """

    upright: "Upright"
    k: int
    rows: slice
    columns: slice

    @classmethod
    def each(cls, masks: Mapping[str, Mask]) -> tuple["SlicePart", ...]:
        """The slices that hold a region, from the patient's right to the left, in one square."""
        upright = Upright.of(next(iter(masks.values())).geometry)
        held = np.any([mask.array for mask in masks.values()], axis=0)
        shadow = upright.plane(held.any(axis=upright.axis, keepdims=True), 0)
        view = _view(shadow, upright.spacing, VIEW)
        across = tuple(k for k in range(3) if k != upright.axis)
        slices = np.flatnonzero(held.any(axis=across)).tolist()
        leftwards = upright.geometry.axes[0, ::-1][upright.axis] > 0
        return tuple(cls(upright, k, *view) for k in (slices if leftwards else reversed(slices)))

    @classmethod
    def largest(cls, masks: Mapping[str, Mask], lengths: float = VIEW) -> "SlicePart":
        """The slice on which the first region is largest, in a square around all regions.

        Its side is that many lengths of theirs.
        """
        first = next(iter(masks.values()))
        upright = Upright.of(first.geometry)
        areas = first.array.sum(axis=tuple(k for k in range(3) if k != upright.axis))
        k = int(np.argmax(areas))
        regions = [upright.plane(mask.array, k) for mask in masks.values()]
        return cls(upright, k, *_view(np.any(regions, axis=0), upright.spacing, lengths))

    def of(self, volume: Volume, masks: Mapping[str, Mask]) -> Slice:
        """Image and regions there."""
        return Slice(
            image=self._shown(volume.array),
            masks={reader: self._shown(mask.array) for reader, mask in masks.items()},
            spacing=self.upright.spacing,
        )

    def _shown(self, array: NDArray) -> NDArray:
        return np.asarray(self.upright.plane(array, self.k)[self.rows, self.columns])

    def nearest(self, grid: Geometry) -> int:
        """The slice of another grid with parallel axes that lies nearest to this one."""
        other = Upright.of(grid)
        at = grid.index(self._position(self.rows.start, self.columns.start))[2 - other.axis]
        return int(np.clip(np.floor(at + 0.5), 0, grid.shape[other.axis] - 1))

    def _position(self, row: int, column: int) -> Floats:
        """LPS position in mm of a pixel of the turned slice."""
        index = np.zeros(3)
        index[self.upright.axis] = self.k
        shape = self.upright.geometry.shape
        axes = (self.upright.rows, self.upright.columns)
        for axis, flip, at in zip(axes, self.upright.flips, (row, column), strict=True):
            index[axis] = at if flip > 0 else shape[axis] - 1 - at
        return self.upright.geometry.position(index[::-1])

    def extent(self, grid: Geometry) -> tuple[float, float, float, float]:
        """Where the nearest slice of another grid lies: left, right, bottom and top in mm.

        From the upper left corner of what is shown, to the right and down.
        """
        other = Upright.of(grid)
        shape = (grid.shape[other.rows], grid.shape[other.columns])
        whole = SlicePart(other, self.nearest(grid), slice(0, shape[0]), slice(0, shape[1]))
        ends = [whole._position(0, 0), whole._position(shape[0] - 1, shape[1] - 1)]
        places = self.upright.places(np.stack(ends)) - (self.rows.start, self.columns.start)
        (top, left), (bottom, right) = (places + 0.5) * self.upright.spacing
        down, along = np.array(other.spacing) / 2
        return left - along, right + along, bottom + down, top - down


@dataclass(frozen=True)
class Upright:
    """How sagittal slices of a grid are turned: superior up and anterior left.

    Attributes
    ----------
    geometry : the grid
    axis : array axis across the slices
    rows, columns : array axes that become rows and columns
    flips : their steps, -1 turns an axis round
    """

    geometry: Geometry
    axis: int
    rows: int
    columns: int
    flips: tuple[int, int]

    @classmethod
    def of(cls, geometry: Geometry) -> "Upright":
        """For the sagittal slices of a grid."""
        axis = slice_axis(geometry, "sagittal")
        posterior, superior = geometry.axes[1, ::-1], geometry.axes[2, ::-1]
        others = [k for k in range(3) if k != axis]
        rows = max(others, key=lambda k: abs(superior[k]))
        columns = next(k for k in others if k != rows)
        flips = (-1 if superior[rows] > 0 else 1, -1 if posterior[columns] < 0 else 1)
        return cls(geometry, axis, rows, columns, flips)

    @property
    def spacing(self) -> tuple[float, float]:
        """mm between rows and between columns."""
        spacing = self.geometry.array_spacing
        return spacing[self.rows], spacing[self.columns]

    def plane(self, array: NDArray, k: int) -> NDArray:
        """Slice `k` of an array on the grid, turned."""
        plane = array.take(k, axis=self.axis)
        upright = plane if self.rows < self.columns else plane.T
        return np.asarray(upright[:: self.flips[0], :: self.flips[1]])

    def places(self, positions: NDArray) -> Floats:
        """Rows and columns (fractions) of LPS positions (n, 3) in a turned slice, (n, 2)."""
        index = self.geometry.index(positions)[:, ::-1]
        last = np.array(self.geometry.shape) - 1
        found = [
            index[:, k] if flip > 0 else last[k] - index[:, k]
            for k, flip in zip((self.rows, self.columns), self.flips, strict=True)
        ]
        return np.stack(found, axis=1)


def _view(region: Flags, spacing: tuple[float, float], lengths: float) -> tuple[slice, slice]:
    """A square around the region, moved into the image where it would stick out."""
    box = bounding_box(region[None])[1:]
    side = lengths * max((b.stop - b.start) * mm for b, mm in zip(box, spacing, strict=True))
    spans = []
    for span, mm, length in zip(box, spacing, region.shape, strict=True):
        size = min(round(side / mm), length)
        start = (span.start + span.stop - size) // 2
        start = min(max(start, 0), length - size)
        spans.append(slice(start, start + size))
    return spans[0], spans[1]
