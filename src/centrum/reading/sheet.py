"""The slices of an image as the room shows them, and masks on the grid of the image again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats
from centrum.geometry import Geometry, orientation_of, reading_order
from centrum.prepare.image import fill_missing
from centrum.provenance import digest
from centrum.volume import Mask, Turn, Volume

OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "I": "S", "S": "I"}

WINDOWS = {
    "balanced": (1.0, 99.0),
    "whole": (0.0, 100.0),
    "dark": (0.5, 80.0),
    "bright": (30.0, 99.9),
    "steep": (10.0, 95.0),
}
"""Presets of the grey scale, as percentiles of all intensities."""

MOST_SAMPLED = 1_000_000
"""Voxels of which percentiles are taken."""

INT16 = np.iinfo(np.int16)


@dataclass(frozen=True, eq=False)
class Sheets:
    """An image turned so that its first axis has the acquired slices, each as it is read.

    Attributes
    ----------
    pixels : int16, [slice, row, column]
    slope, intercept : `pixels * slope + intercept` are intensities
    source : grid of the image as it is stored
    grid : grid of the turned image
    turn : from one to the other
    """

    pixels: NDArray[np.int16]
    slope: float
    intercept: float
    source: Geometry
    grid: Geometry
    turn: Turn

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return self.grid.shape

    @property
    def spacing(self) -> tuple[float, float, float]:
        """mm between slices, rows and columns."""
        return self.grid.array_spacing

    @property
    def scale(self) -> dict[str, float]:
        """Slope and intercept by name."""
        return {"slope": self.slope, "intercept": self.intercept}

    @property
    def geometry_digest(self) -> str:
        """Of the grid as it is stored."""
        grid = self.source
        return digest([grid.size, grid.spacing, grid.origin, grid.direction])

    @property
    def letters(self) -> dict[str, str]:
        """Where the sides of a slice lie in the patient, such as "A" for the left one."""
        order = orientation_of(self.grid)
        right, bottom = order[0], order[1]
        return {
            "left": OPPOSITE[right],
            "right": right,
            "top": OPPOSITE[bottom],
            "bottom": bottom,
        }

    def windows(self) -> list[dict[str, object]]:
        """The presets of `WINDOWS` in intensities."""
        step = -(-self.pixels.size // MOST_SAMPLED)
        shares = np.array(list(WINDOWS.values())).ravel()
        found = np.percentile(self.pixels.ravel()[::step], shares) * self.slope + self.intercept
        pairs = zip(WINDOWS, found.reshape(-1, 2).tolist(), strict=True)
        return [
            {"name": name, "low": low, "high": max(high, low + self.slope)}
            for name, (low, high) in pairs
        ]

    def plane(self, k: int) -> Floats:
        """Intensities of a slice, (rows, columns)."""
        return self.pixels[k] * self.slope + self.intercept

    def encoded(self) -> bytes:
        """The pixels as they are sent, little-endian."""
        return self.pixels.astype("<i2", copy=False).tobytes()

    def mask(self, slices: Flags, name: str = "ROI") -> Mask:
        """What was drawn, [slice, row, column], on the grid of the image; nothing is resampled."""
        return Mask(np.ascontiguousarray(self.turn.undone(slices)), self.source, name)

    def drawn(self, mask: Mask) -> Flags:
        """A mask on the grid of the image as it lies on the slices."""
        return np.ascontiguousarray(self.turn.of(mask.array))


def lay_out(volume: Volume) -> Sheets:
    """The slices of an image; voxels without a value are background.

    >>> grid = Geometry((2, 3, 4), (4.0, 0.5, 0.5))
    >>> sheets = lay_out(Volume(np.zeros(grid.shape, np.int16), grid))
    >>> sheets.shape, sheets.spacing, sheets.letters["left"]
    ((2, 4, 3), (4.0, 0.5, 0.5), 'A')
    """
    order = reading_order(volume.geometry)
    turn = Turn.between(volume.geometry, order)
    stored, slope, intercept = _as_int16(turn.of(fill_missing(volume).array))
    return Sheets(stored, slope, intercept, volume.geometry, turn.grid(volume.geometry), turn)


def _as_int16(array: NDArray) -> tuple[NDArray[np.int16], float, float]:
    """Pixels, slope and intercept; integers that fit stay as they are."""
    low, high = float(array.min()), float(array.max())
    fits = INT16.min <= low and high <= INT16.max
    if fits and (array.dtype.kind in "iu" or np.array_equal(array, np.rint(array))):
        return np.ascontiguousarray(array, dtype=np.int16), 1.0, 0.0
    slope = (high - low) / (INT16.max - INT16.min)
    if slope == 0:
        return np.zeros(array.shape, np.int16), 1.0, low
    stored = np.rint((array.astype(np.float64) - low) / slope) + INT16.min
    clipped = np.clip(stored, INT16.min, INT16.max)
    return np.ascontiguousarray(clipped, dtype=np.int16), slope, low - INT16.min * slope
