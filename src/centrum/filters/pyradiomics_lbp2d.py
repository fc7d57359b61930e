"""Local binary patterns in slices as PyRadiomics has them: those of scikit-image.

Source: Ojala, Pietikainen, Maenpaa, Multiresolution gray-scale and rotation invariant texture
classification with local binary patterns, IEEE TPAMI 24 (2002) 971-987.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from centrum.arrays import Floats, Ints
from centrum.filters.filter import Filter, register
from centrum.filters.view import Reach, View
from centrum.settings import Dialect


@register
class LocalBinaryPattern2D(Filter):
    """What pattern the neighbours on a circle make that are at least as bright as the voxel.

    Neighbours are interpolated linearly in the slice; beyond the image they are 0. A response is
    rounded down to the number type of the image, as PyRadiomics writes it into a copy of it.

    >>> corner = View.whole(np.array([[[1, 0], [0, 0]]]), (1.0, 1.0, 1.0))
    >>> (pattern,) = LocalBinaryPattern2D(lbp2DSamples=4).respond(corner)
    >>> pattern.tolist()
    [[[0.0, 4.0], [4.0, 4.0]]]
    """

    dialect: ClassVar[Dialect] = "pyradiomics"

    filter: Literal["LBP2D"] = "LBP2D"
    lbp2DRadius: float = Field(1.0, gt=0, le=100, description="voxels to the neighbours")
    lbp2DSamples: int = Field(8, ge=1, le=30, description="neighbours on the circle")
    lbp2DMethod: Literal["default", "ror", "uniform", "var"] = Field(
        "uniform",
        description="default: the pattern's bits as a number; ror: the smallest of its rotations; "
        "uniform: how many are as bright, or one more than there are if they lie in several "
        "pieces; var: variance of the neighbours",
    )
    dimension: Literal["2D"] = "2D"

    @property
    def names(self) -> tuple[str, ...]:
        return ("lbp-2D",)

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        margin = ceil(self.lbp2DRadius) + 1
        return 0, margin, margin

    def responses(self, view: View) -> Iterator[NDArray[np.floating]]:
        """As PyRadiomics turns the slices: across x they are [y, z]."""
        if view.slice_axis != 2:
            yield from super().responses(view)
            return
        turned = replace(
            view, array=view.array.T, box=view.box[::-1], spacing=view.spacing[::-1], slice_axis=0
        )
        for response in self.respond(turned):
            yield response.T

    def respond(self, view: View) -> Iterator[NDArray[np.floating]]:
        centre = view.array[view.box].astype(float)
        # The variance is not a number where all neighbours are equal; in integers it is numpy's.
        with np.errstate(invalid="ignore"):
            response = self._of(list(self._neighbours(view)), centre).astype(view.array.dtype)
        yield response if response.dtype.kind == "f" else response.astype(float)

    def _neighbours(self, view: View) -> Iterator[Floats]:
        """Intensities at each place on the circle, from the right against the clock."""
        reach = self.reach(view.spacing)
        around = view.around(reach, "zero")
        angles = 2 * np.pi * np.arange(self.lbp2DSamples) / self.lbp2DSamples
        for angle in angles:
            step = -self.lbp2DRadius * np.sin(angle), self.lbp2DRadius * np.cos(angle)
            # Like scikit-image, so that neighbours on the grid are met exactly.
            down, along = (float(np.round(s, 5)) for s in step)
            top, bottom, part = _between(view.box[1], down, reach[1])
            left, right, across = _between(view.box[2], along, reach[2])
            rows = (
                (1 - across) * around[:, row][:, :, left] + across * around[:, row][:, :, right]
                for row in (top, bottom)
            )
            above, below = rows
            yield (1 - part[:, None]) * above + part[:, None] * below

    def _of(self, neighbours: list[Floats], centre: Floats) -> Floats:
        """The response of a pattern."""
        n = len(neighbours)
        if self.lbp2DMethod == "var":
            total = sum(neighbours)
            squares = sum(x * x for x in neighbours)
            variance = np.asarray((squares - total * total / n) / n)
            return np.where(variance == 0, np.nan, variance)
        bits = [x - centre >= 0 for x in neighbours]
        if self.lbp2DMethod == "uniform":
            changes = sum((a != b).astype(int) for a, b in pairwise(bits))
            return np.where(np.less_equal(changes, 2), sum(b.astype(int) for b in bits), n + 1)
        number = np.zeros(centre.shape, np.int64)
        for k, bit in enumerate(bits):
            number += bit.astype(np.int64) << k
        return np.asarray(number if self.lbp2DMethod == "default" else smallest_rotation(number, n))


def _between(box: slice, step: float, margin: int | None) -> tuple[Ints, Ints, Floats]:
    """The two voxels between which the places `step` from a box lie, and how far from the first.

    Voxels are counted from `margin` before the box.
    """
    place = np.arange(box.start, box.stop) + step
    before, after = np.floor(place), np.ceil(place)
    origin = box.start - (margin or 0)
    return (before - origin).astype(int), (after - origin).astype(int), place - before


def smallest_rotation(number: Ints, bits: int) -> Ints:
    """The smallest number that rotations of its bits make.

    >>> smallest_rotation(np.array([0b1000, 0b1010]), 4).tolist()
    [1, 5]
    """
    smallest = turned = np.asarray(number)
    for _ in range(bits - 1):
        turned = (turned >> 1) | ((turned & 1) << (bits - 1))
        smallest = np.minimum(smallest, turned)
    return smallest
