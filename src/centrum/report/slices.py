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
    arrays = {reader: mask.array for reader, mask in masks.items()}
    upright = Upright.of(volume.geometry)
    first = next(iter(arrays.values()))
    areas = first.sum(axis=tuple(k for k in range(3) if k != upright.axis))
    k = int(np.argmax(areas))
    regions = {reader: upright.plane(array, k) for reader, array in arrays.items()}
    view = _view(np.any(list(regions.values()), axis=0), upright.spacing)
    return Slice(
        image=upright.plane(volume.array, k)[view],
        masks={reader: region[view] for reader, region in regions.items()},
        spacing=upright.spacing,
    )


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


def _view(region: Flags, spacing: tuple[float, float]) -> tuple[slice, slice]:
    """A square around the region, moved into the image where it would stick out."""
    box = bounding_box(region[None])[1:]
    side = VIEW * max((b.stop - b.start) * mm for b, mm in zip(box, spacing, strict=True))
    spans = []
    for span, mm, length in zip(box, spacing, region.shape, strict=True):
        size = min(round(side / mm), length)
        start = (span.start + span.stop - size) // 2
        start = min(max(start, 0), length - size)
        spans.append(slice(start, start + size))
    return spans[0], spans[1]
