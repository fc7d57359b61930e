"""A slice and the outlines on it as a small picture for a page: PNG and SVG paths."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centrum.report.slices import Slice

WINDOW = (2, 98)
"""Percentiles of the shown neighbourhood that become black and white."""


@dataclass(frozen=True, eq=False)
class Overlay:
    """A picture of one slice.

    Attributes
    ----------
    png : grey levels, a pixel each
    width, height : pixels
    aspect : height over width in mm
    width_mm : of what is shown
    paths : reader -> SVG path of the outline, in pixels
    """

    png: bytes
    width: int
    height: int
    aspect: float
    width_mm: float
    paths: Mapping[str, str]


def overlay(shown: Slice) -> Overlay:
    """The picture of a slice with its regions."""
    height, width = shown.image.shape
    rows, columns = shown.spacing
    return Overlay(
        png=grey_png(shown.image),
        width=width,
        height=height,
        aspect=height * rows / (width * columns),
        width_mm=width * columns,
        paths={reader: outline_path(region) for reader, region in shown.masks.items()},
    )


def grey_png(image: NDArray) -> bytes:
    """Intensities (rows, columns) as a PNG of 8 bits, windowed."""
    low, high = np.percentile(image, WINDOW)
    level = np.clip((image - low) / max(high - low, 1e-9), 0, 1)
    stream = BytesIO()
    Image.fromarray(np.rint(255 * level).astype(np.uint8)).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def outline_path(region: NDArray[np.bool_]) -> str:
    """SVG path along the edges of the pixels of a region (rows, columns).

    >>> outline_path(np.array([[True, True]]))
    'M0 0h2M0 1h2M0 0v1M2 0v1'
    """
    across = np.diff(np.pad(region, ((1, 1), (0, 0))).astype(np.int8), axis=0) != 0
    along = np.diff(np.pad(region, ((0, 0), (1, 1))).astype(np.int8), axis=1) != 0
    level = [f"M{x} {y}h{n}" for y, line in enumerate(across) for x, n in _runs(line)]
    upright = [f"M{x} {y}v{n}" for x, line in enumerate(along.T) for y, n in _runs(line)]
    return "".join((*level, *upright))


def _runs(line: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and length of each run of true values."""
    edges = np.flatnonzero(np.diff(np.pad(line, 1).astype(np.int8)))
    return [(int(a), int(b - a)) for a, b in edges.reshape(-1, 2)]
