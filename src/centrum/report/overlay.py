"""Slices and the outlines on them as small pictures for a page: WebP, and SVG paths."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centrum.arrays import Flags, Floats
from centrum.geometry import Geometry
from centrum.report.compact import webp_bytes
from centrum.report.slices import Slice, SlicePart, largest_slice
from centrum.volume import Mask, Volume, bounding_box

WINDOW = (2, 98)
"""Percentiles of the shown neighbourhood that become black and white."""

ROI = "ROI"
"""What the first region is called."""

MOST_BYTES = 8_000
"""Size of a picture of which a page holds many."""

MOST_BYTES_OF_STACK = 120_000
"""Size of all slices of a case together."""

TRIES = tuple((1.0, quality) for quality in (85, 70, 50)) + tuple(
    (scale, 50) for scale in (0.8, 0.65, 0.5, 0.4, 0.3, 0.2, 0.1)
)
"""Scales and qualities that are tried until pictures are small enough.

The first loses 1 % of the grey scale, less than the noise of an MR image.
"""


@dataclass(frozen=True, eq=False)
class Overlay:
    """A picture of one slice.

    Attributes
    ----------
    webp : grey levels
    width, height : pixels of the slice, in which the outlines are
    aspect : height over width in mm
    width_mm : of what is shown
    paths : region -> SVG path of its outline
    """

    webp: bytes
    width: int
    height: int
    aspect: float
    width_mm: float
    paths: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Pictures of all slices that hold a region, from the patient's right to the left.

    Attributes
    ----------
    slices : of the same place and size, in the same grey levels
    largest : which of them has most of the first region
    """

    slices: tuple[Overlay, ...]
    largest: int


@dataclass(frozen=True, eq=False)
class RegionView:
    """A region and what is shown of it, without the whole image.

    Attributes
    ----------
    stack : for web pages
    view : the slice on which it is largest as numbers, with the region `ROI` and further ones
    mask : the region, cropped to its voxels
    grid : that of the image
    """

    stack: SliceStack
    view: Slice
    mask: Mask
    grid: Geometry


def region_view(volume: Volume, mask: Mask, further: Mapping[str, Mask] = {}) -> RegionView:
    """What is shown of a region and of `further` ones, all on the grid of the image.

    Raises
    ------
    GeometryError
        The region is empty.
    """
    masks = {ROI: mask, **further}
    z, y, x = bounding_box(mask.array)
    size = (x.stop - x.start, y.stop - y.start, z.stop - z.start)
    grid = mask.geometry.crop((x.start, y.start, z.start), size)
    cropped = replace(mask, array=mask.array[z, y, x].copy(), geometry=grid)
    view = largest_slice(volume, masks)
    return RegionView(stack_of(volume, masks), view, cropped, volume.geometry)


def stack_of(volume: Volume, masks: Mapping[str, Mask]) -> SliceStack:
    """All slices that hold a region; the first region of `masks` has voxels."""
    shown = [part.of(volume, masks) for part in SlicePart.each(masks)]
    windowed = _windowed(np.stack([each.image for each in shown]))
    areas = [next(iter(each.masks.values())).sum() for each in shown]
    slices = map(_overlay, shown, _webps(windowed, MOST_BYTES_OF_STACK))
    return SliceStack(tuple(slices), int(np.argmax(areas)))


def _overlay(shown: Slice, webp: bytes) -> Overlay:
    height, width = shown.image.shape
    rows, columns = shown.spacing
    return Overlay(
        webp=webp,
        width=width,
        height=height,
        aspect=height * rows / (width * columns),
        width_mm=width * columns,
        paths={name: outline_path(region) for name, region in shown.masks.items()},
    )


def small_picture(image: NDArray) -> bytes:
    """Intensities (rows, columns) as a windowed WebP of at most `MOST_BYTES`."""
    return _webps(_windowed(image)[None], MOST_BYTES)[0]


def _webps(windowed: Floats, most: int) -> list[bytes]:
    """Pictures (pictures, rows, columns) of 0 to 1 as WebP, at most so many bytes together.

    There is a small loss and, if need be, there are fewer pixels.
    """
    pictures = [Image.fromarray(each.astype(np.float32)) for each in windowed]
    for scale, quality in TRIES:
        size = [max(1, round(n * scale)) for n in pictures[0].size]
        shrunk = (np.asarray(each.resize(size, Image.Resampling.BOX)) for each in pictures)
        grey = (Image.fromarray(np.rint(255 * each).astype(np.uint8)) for each in shrunk)
        contents = [webp_bytes(each, quality) for each in grey]
        if sum(map(len, contents)) <= most:
            break
    return contents


def _windowed(image: NDArray) -> Floats:
    low, high = np.percentile(image, WINDOW)
    return np.asarray(np.clip((image - low) / max(high - low, 1e-9), 0, 1), dtype=np.float64)


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
