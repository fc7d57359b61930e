"""Two readers who outline the same body slice by slice, each in their own way."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from centrum.arrays import Flags
from centrum.kernels.gaussian_field import gaussian_field
from centrum.provenance import Step
from centrum.volume import Mask

CORRELATION_MM = 5.0
"""Length along the contour over which a hand stays off the outline."""

BETWEEN_SLICES = 0.35
"""Share of the variance of the jitter that goes on from slice to slice."""


@dataclass(frozen=True)
class Reader:
    """How a reader draws.

    Attributes
    ----------
    bias_mm : mean offset of the contour, negative inside the outline
    jitter_mm : SD of the contour about that, least and greatest over the cases
    drops : probability that an end slice is left out
    """

    bias_mm: float
    jitter_mm: tuple[float, float]
    drops: float


READERS = {
    "senior": Reader(-0.35, (0.30, 0.45), 0.05),
    "resident": Reader(-0.05, (0.45, 0.70), 0.10),
}
CASE_SD_MM = 0.2
"""SD of the offset between cases."""


def draw_readers(truth: Mask, rng: np.random.Generator) -> dict[str, Mask]:
    """Outlines of both readers, each one connected piece on the grid of the true mask."""
    return {name: draw_reader(truth, reader, rng) for name, reader in READERS.items()}


def draw_reader(truth: Mask, reader: Reader, rng: np.random.Generator) -> Mask:
    """The outline that one reader draws."""
    box = _box(truth.array)
    inside = truth.array[box]
    offset = reader.bias_mm + rng.normal(0, CASE_SD_MM)
    jitter = rng.uniform(*reader.jitter_mm) * _hand(inside.shape, truth.geometry.array_spacing, rng)
    drawn = _signed_distance(inside, truth.geometry.array_spacing[1:]) < offset + jitter
    _drop_ends(drawn, reader.drops, rng)
    mask = np.zeros(truth.array.shape, bool)
    mask[box] = one_piece(drawn)
    step = Step("simulate reader", {"bias_mm": reader.bias_mm, "jitter_mm": reader.jitter_mm})
    return Mask(mask, truth.geometry, truth.name, (*truth.history, step))


def _box(array: Flags) -> tuple[slice, slice, slice]:
    """Bounding box in plane with room for a contour outside; only slices that are drawn on."""
    margins = (0, 8, 8)
    spans = []
    for axis, margin in enumerate(margins):
        hit = np.flatnonzero(array.any(axis=tuple(k for k in range(3) if k != axis)))
        spans.append(slice(max(hit[0] - margin, 0), min(hit[-1] + margin + 1, array.shape[axis])))
    return spans[0], spans[1], spans[2]


def _hand(
    shape: tuple[int, ...], spacing: tuple[float, float, float], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Field of SD 1: part of it the same on all slices, the rest drawn anew on each."""
    slices, rows, columns = shape
    in_plane = (np.arange(rows) * spacing[1], np.arange(columns) * spacing[2])

    def field(count: int) -> NDArray[np.float32]:
        axes = (np.arange(max(count, 2), dtype=float), *in_plane)
        return gaussian_field(rng, axes, (0.1, CORRELATION_MM, CORRELATION_MM))[:count]

    return np.sqrt(BETWEEN_SLICES) * field(1) + np.sqrt(1 - BETWEEN_SLICES) * field(slices)


def _signed_distance(inside: Flags, spacing: tuple[float, ...]) -> NDArray[np.float32]:
    """In-plane distance to the outline in mm, slice by slice, negative inside."""
    distance = np.empty(inside.shape, np.float32)
    half_pixel = min(spacing) / 2
    for k, plane in enumerate(inside):
        if not plane.any():
            distance[k] = np.inf
            continue
        outward = ndimage.distance_transform_edt(~plane, sampling=spacing)
        inward = ndimage.distance_transform_edt(plane, sampling=spacing)
        distance[k] = np.where(plane, half_pixel - inward, outward - half_pixel)
    return distance


def _drop_ends(drawn: Flags, probability: float, rng: np.random.Generator) -> None:
    """Leave out the first and the last slice at random, in place; three slices stay."""
    used = np.flatnonzero(drawn.any(axis=(1, 2)))
    for end in (used[:1], used[-1:]):
        if rng.random() < probability and len(used) > 4:
            drawn[end] = False


def one_piece(mask: Flags) -> Flags:
    """One filled contour on each slice, and of those the largest face-connected pile."""
    contours = [ndimage.binary_fill_holes(_largest(plane)) for plane in mask]
    return _largest(np.stack(contours))


def _largest(mask: Flags) -> Flags:
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    return np.asarray(labels == 1 + int(np.argmax(sizes[1:])))
