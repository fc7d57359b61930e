"""The outline of a vertebral body in its mid-sagittal plane, along its own axis."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.geometry import slice_axis
from centrum.volume import Mask, bounding_box

SLAB_MM = 3.0
"""Thickness of what counts as mid-sagittal: three slices of 1 mm, one or two thick ones."""

STEP_MM = 0.25
"""Distance of the lines that the outline is probed along."""

PLATE = (0.15, 0.85)
"""Part of the depth in which lines are laid through the end plates; beyond are lips."""

LEAN = math.radians(45)
"""How far an axis may lean from where it is looked for, when there are no neighbours."""

LEAN_BETWEEN = math.radians(25)
"""The same about the line through the neighbours."""

STEADY = math.radians(0.05)
"""The axis is found when it turns less than this."""

MAX_TURNS = 20

MIN_MM = 5.0
"""What is smaller than this in height or depth is no vertebral body, and has no axis."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Directions in a body: unit vectors in LPS, and its centre in mm.

    Attributes
    ----------
    centre, left, front, up : shape (3,)
    """

    centre: Floats
    left: Floats
    front: Floats
    up: Floats

    def turned(self, angle: float) -> "Frame":
        """Turned in the sagittal plane: `up` moves towards `front` by `angle` radians."""
        cos, sin = math.cos(angle), math.sin(angle)
        front, up = cos * self.front - sin * self.up, cos * self.up + sin * self.front
        return replace(self, front=front, up=up)

    def point(self, front: Any, up: Any) -> Floats:
        """LPS positions in mm of places in the plane, shape (..., 3)."""
        forwards, upwards = np.asarray(front)[..., None], np.asarray(up)[..., None]
        return np.asarray(self.centre + forwards * self.front + upwards * self.up)

    def angle(self, direction: Floats) -> float:
        """Radians by which a direction leans forwards from `up` in the plane."""
        return math.atan2(float(direction @ self.front), float(direction @ self.up))


@dataclass(frozen=True, eq=False)
class BodyOutline:
    """Where a body begins and ends in its frame, mm, nan where it is not; shapes (n,).

    Attributes
    ----------
    at : coordinates along front and up at which the others are given
    top, bottom : along up, at each coordinate along front
    front, back : along front, at each coordinate along up
    """

    at: Floats
    top: Floats
    bottom: Floats
    front: Floats
    back: Floats

    def walls(self, share: float) -> tuple[float, float]:
        """Mean place of the anterior and posterior wall over the middle `share` of the height."""
        low, high = np.nanmin(self.bottom), np.nanmax(self.top)
        near = np.abs(self.at - (low + high) / 2) <= share * (high - low) / 2
        return float(np.nanmean(self.front[near])), float(np.nanmean(self.back[near]))

    def plates(self, front: float, half_width: float = 0.0) -> tuple[float, float]:
        """Mean height of the upper and lower end plate about a coordinate along front."""
        places = front + np.linspace(-half_width, half_width, 9)
        top, bottom = (np.interp(places, self.at, v).mean() for v in (self.top, self.bottom))
        return float(top), float(bottom)


class Slab:
    """The mid-sagittal slices of a region, those nearest to the middle of its voxels.

    Parameters
    ----------
    aside : how far to the patient's left of the middle the slices are taken instead, mm

    Raises
    ------
    DataError
        The region is empty, or has no voxel in these slices.
    """

    def __init__(self, mask: Mask, aside: float = 0.0) -> None:
        if not mask.array.any():
            raise DataError(f"The mask {mask.name!r} is empty: there is no body to measure.")
        self.name = mask.name
        self.geometry = mask.geometry
        self.axis = slice_axis(mask.geometry, "sagittal")
        self.box = bounding_box(mask.array)
        self.voxels = np.moveaxis(mask.array[self.box], self.axis, 0)
        self.weights = self._weights(aside)
        if not self.slices:
            raise DataError(
                f"The region {mask.name!r} has no voxel in the slices at its middle: it is in "
                "pieces. Check the mask, or keep its largest piece."
            )

    @cached_property
    def upright(self) -> Frame:
        """Along the slices, as near to the patient's directions as they allow."""
        left = self.geometry.axes[:, 2 - self.axis] * self._leftwards
        up = np.array([0.0, 0.0, 1.0])
        up -= (up @ left) * left
        up /= np.linalg.norm(up)
        return Frame(self.geometry.position(self._centre[::-1]), left, np.cross(left, up), up)

    @cached_property
    def _centre(self) -> Floats:
        """Middle of the voxels, in voxels (z, y, x) of the image."""
        sums = [self.voxels.sum(axis=tuple(a for a in range(3) if a != k)) for k in range(3)]
        middle = [float(np.average(np.arange(len(n)), weights=n)) for n in sums]
        middle.insert(self.axis, middle.pop(0))
        return np.array(middle) + [span.start for span in self.box]

    @property
    def _leftwards(self) -> float:
        """1 where slices are counted towards the patient's left, else -1."""
        return float(np.copysign(1, self.geometry.axes[0, 2 - self.axis]))

    def _weights(self, aside: float) -> Floats:
        """How many mm of the slab lie in each slice of the box."""
        step = self.geometry.array_spacing[self.axis]
        middle = self._centre[self.axis] - self.box[self.axis].start
        apart = (np.arange(len(self.voxels)) - middle) * step - aside * self._leftwards
        ends = np.minimum(apart + step / 2, SLAB_MM / 2), np.maximum(apart - step / 2, -SLAB_MM / 2)
        return np.clip(ends[0] - ends[1], 0, None) * self.voxels.any(axis=(1, 2))

    @property
    def width(self) -> float:
        """Of the slices that hold at least half as much as the fullest one, mm."""
        filled = self.voxels.sum(axis=(1, 2))
        step = self.geometry.array_spacing[self.axis]
        return float(np.count_nonzero(filled >= filled.max() / 2) * step)

    @property
    def slices(self) -> int:
        """How many slices take part."""
        return int(np.count_nonzero(self.weights))

    @property
    def in_slices(self) -> Flags:
        """Whether each slice of the whole image takes part."""
        found = np.zeros(self.geometry.shape[self.axis], dtype=bool)
        found[self.box[self.axis]] = self.weights > 0
        return found

    @cached_property
    def reach(self) -> float:
        """No voxel is further from the centre than this, mm."""
        ends = [(span.start - 1, span.stop) for span in self.box]
        furthest = [max(c - a, b - c) for c, (a, b) in zip(self._centre, ends, strict=True)]
        in_plane = np.delete(furthest * np.array(self.geometry.array_spacing), self.axis)
        return float(np.hypot(*in_plane))

    def outline(self, frame: Frame) -> BodyOutline:
        """The outline along the directions of a frame, mean over the slices of the slab."""
        at = np.arange(-np.ceil(self.reach / STEP_MM), np.ceil(self.reach / STEP_MM) + 1) * STEP_MM
        edges = [self._edges(int(k), frame, at) for k in np.flatnonzero(self.weights)]
        weights = self.weights[self.weights > 0]
        top, bottom, front, back = np.average(edges, axis=0, weights=weights)
        depth, height = (np.count_nonzero(np.isfinite(v)) * STEP_MM for v in (top, front))
        if min(depth, height) < MIN_MM:
            raise DataError(
                f"The region {self.name!r} measures {depth:g} x {height:g} mm in its middle "
                f"slices: expected a vertebral body of at least {MIN_MM:g} mm. Check the mask."
            )
        return BodyOutline(at, top, bottom, front, back)

    def _edges(self, k: int, frame: Frame, at: Floats) -> list[Floats]:
        share = self._probed(k, frame, at)
        return [
            _last(share, at), -_last(share[::-1], at), _last(share.T, at), -_last(share.T[::-1], at)
        ]  # fmt: skip

    def _probed(self, k: int, frame: Frame, at: Floats) -> Floats:
        """A slice on the grid of the frame, [up, front]: share of the region, linear between."""
        from scipy.ndimage import affine_transform

        spacing = np.array(self.geometry.array_spacing)
        steps = (np.stack([frame.up, frame.front]) @ self.geometry.axes)[:, ::-1] / spacing
        matrix = np.delete(steps, self.axis, axis=1).T
        start = np.delete(self.geometry.index(frame.centre)[::-1] - self._corner, self.axis)
        return np.asarray(
            affine_transform(
                np.pad(self.voxels[k], 1).astype(float),
                matrix * STEP_MM,
                start + matrix @ [at[0], at[0]],
                (at.size, at.size),
                order=1,
            )
        )

    @property
    def _corner(self) -> Floats:
        """First voxel (z, y, x) of the padded box."""
        return np.array([span.start - 1 for span in self.box], dtype=float)


def _last(share: Floats, at: Floats) -> Floats:
    """Where each column of `share` (n, m) falls below a half for good, (m,), nan if never above."""
    inside = share >= 0.5
    last = len(share) - 1 - np.argmax(inside[::-1], axis=0)
    columns = np.arange(share.shape[1])
    here, next_ = share[last, columns], share[np.minimum(last + 1, len(share) - 1), columns]
    part = (here - 0.5) / np.where(here > next_, here - next_, 1)
    return np.where(inside.any(axis=0), at[last] + part * STEP_MM, np.nan)


def body_frame(slab: Slab, towards_head: Floats | None = None) -> Frame:
    """The frame whose axis halves the angle between the end plates.

    It is looked for about `towards_head`, the line through the neighbours in LPS, else about the
    direction of the patient's head; there a body must not lean by more than 45 degrees.
    """
    frame, lean = slab.upright, LEAN
    if towards_head is not None:
        frame, lean = frame.turned(frame.angle(towards_head)), LEAN_BETWEEN
    start = _tightest(slab, frame, lean)
    found = start
    for _ in range(MAX_TURNS):
        angle = _between_plates(slab.outline(found))
        found = found.turned(angle)
        if abs(angle) < STEADY:
            break
    return found if abs(frame.angle(found.up)) <= lean else start


def _tightest(slab: Slab, frame: Frame, lean: float) -> Frame:
    """The direction in which the smallest rectangle holds the slab, by steps of 5 degrees."""
    chosen = np.flatnonzero(slab.weights)
    index = np.argwhere(slab.voxels[chosen].any(axis=0)) + np.delete(slab._corner + 1, slab.axis)
    places = slab.geometry.position(np.insert(index, slab.axis, 0, axis=1)[:, ::-1])

    def area(turned: Frame) -> float:
        return float(np.prod(np.ptp(places @ np.stack([turned.front, turned.up], axis=1), axis=0)))

    steps = int(np.degrees(lean) // 5)
    angles = np.radians(5.0) * np.arange(-steps, steps + 1)
    return min((frame.turned(angle) for angle in angles), key=area)


def _between_plates(outline: BodyOutline) -> float:
    """Radians by which the mean of the end plates is turned from front to up, negative."""
    front, back = outline.walls(0.8)
    first, last = (back + share * (front - back) for share in PLATE)
    near = (outline.at >= first) & (outline.at <= last) & np.isfinite(outline.top)
    slopes = [np.polyfit(outline.at[near], v[near], 1)[0] for v in (outline.top, outline.bottom)]
    return -float(np.arctan(slopes).mean())
