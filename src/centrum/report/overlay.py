"""A slice and the outlines on it as a small picture for a page: PNG and SVG paths."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centrum.arrays import Flags, Floats
from centrum.geometry import Geometry
from centrum.report.slices import Slice, largest_slice
from centrum.volume import Mask, Volume, bounding_box

WINDOW = (2, 98)
"""Percentiles of the shown neighbourhood that become black and white."""


MOST_BYTES = 12_000
"""Size of a picture of which a page holds many."""

SHRINK = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Scales that are tried until a picture is small enough."""

FEW_LEVELS = 32
"""Grey levels of a small picture: an eye tells hardly more, and noise is not stored."""


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


@dataclass(frozen=True, eq=False)
class RegionView:
    """A region and what is shown of it, without the whole image.

    Attributes
    ----------
    picture : for web pages
    view : the same slice as numbers, with the region `ROI`
    mask : the region, cropped to its voxels
    grid : that of the image
    """

    picture: Overlay
    view: Slice
    mask: Mask
    grid: Geometry


def region_view(volume: Volume, mask: Mask) -> RegionView:
    """What is shown of a region on its image's grid.

    Raises
    ------
    GeometryError
        The region is empty.
    """
    view = largest_slice(volume, {"ROI": mask})
    z, y, x = bounding_box(mask.array)
    size = (x.stop - x.start, y.stop - y.start, z.stop - z.start)
    grid = mask.geometry.crop((x.start, y.start, z.start), size)
    cropped = replace(mask, array=mask.array[z, y, x].copy(), geometry=grid)
    return RegionView(overlay(view), view, cropped, volume.geometry)


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
    return _png(np.rint(255 * _windowed(image)).astype(np.uint8))


def small_png(image: NDArray, most: int = MOST_BYTES) -> bytes:
    """The same with fewer grey levels and, if need be, pixels: at most `most` bytes."""
    picture = Image.fromarray(_windowed(image).astype(np.float32))
    for scale in SHRINK:
        size = [max(1, round(n * scale)) for n in picture.size]
        grey = np.asarray(picture.resize(size, Image.Resampling.BOX))
        levels = np.rint((FEW_LEVELS - 1) * grey) * 255 / (FEW_LEVELS - 1)
        content = _png(levels.astype(np.uint8))
        if len(content) <= most:
            break
    return content


def _windowed(image: NDArray) -> Floats:
    low, high = np.percentile(image, WINDOW)
    return np.asarray(np.clip((image - low) / max(high - low, 1e-9), 0, 1), dtype=np.float64)


def _png(grey: NDArray[np.uint8]) -> bytes:
    stream = BytesIO()
    Image.fromarray(grey).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def outline_path(region: Flags) -> str:
    """SVG path along the edges of the pixels of a region (rows, columns).

    >>> outline_path(np.array([[True, True]]))
    'M0 0h2M0 1h2M0 0v1M2 0v1'
    """
    across = np.diff(np.pad(region, ((1, 1), (0, 0))).astype(np.int8), axis=0) != 0
    along = np.diff(np.pad(region, ((0, 0), (1, 1))).astype(np.int8), axis=1) != 0
    level = [f"M{x} {y}h{n}" for y, x, n in _runs(across)]
    upright = [f"M{x} {y}v{n}" for x, y, n in _runs(along.T)]
    return "".join((*level, *upright))


def region_path(region: Flags) -> str:
    """SVG path around the pixels of a region (rows, columns), to be filled.

    >>> region_path(np.array([[True, True], [False, True]]))
    'M0 0h2v1h-2zM1 1h1v1h-1z'
    """
    return "".join(f"M{x} {y}h{n}v1h-{n}z" for y, x, n in _runs(region))


def _runs(lines: Flags) -> Iterator[tuple[int, int, int]]:
    """Line, start and length of each run of true values."""
    steps = np.diff(np.pad(lines, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    line, start = np.nonzero(steps == 1)
    length = np.nonzero(steps == -1)[1] - start
    return zip(line.tolist(), start.tolist(), length.tolist(), strict=True)
