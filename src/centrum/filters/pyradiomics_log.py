"""Laplacian of Gaussian as PyRadiomics has it: ITK's recursive Gaussian, normalised for scale.

Source: ITK's LaplacianRecursiveGaussianImageFilter, which PyRadiomics calls.
"""

from collections.abc import Iterator
from functools import cached_property
from math import ceil
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.filters.filter import Filter, register
from centrum.filters.view import Reach, View
from centrum.kernels.recursive_gaussian import RecursiveGaussian, add_recursive
from centrum.settings import Dialect

MARGIN = 12
"""Sigmas beyond the box that are looked at: the whole image changes a response by less than
4e-7 of the SD in a region that has the contrast of its surroundings."""

SUPPORT = 4
"""Sigmas on either side that make most of a Gaussian, as the IBSI cuts it off."""

SMALLEST = 4
"""Voxels that an axis must have for the recursion, as in ITK."""


Sigma = Annotated[float, Field(gt=0, le=100)] | Annotated[int, Field(ge=1, le=100)]
"""mm; 2 and 2.0 are one scale with two names, as in PyRadiomics."""


@register
class RecursiveLaplacian(Filter):
    """Laplacian of Gaussian of several scales.

    The response in a box is that of the whole image but for what lies beyond `MARGIN` sigmas.

    PyRadiomics works in two dimensions in a 2-D image only, and calls that 3D too.

    >>> RecursiveLaplacian(sigma=(1.0, 2)).names
    ('log-sigma-1-0-mm-3D', 'log-sigma-2-mm-3D')
    >>> image = np.zeros((9, 9, 9)); image[4, 4, 4] = 1
    >>> (peak,) = RecursiveLaplacian(sigma=(1.5,)).respond(View.whole(image, (1.0, 1.0, 1.0)))
    >>> peak.dtype, bool(peak[4, 4, 4] == peak.min())
    (dtype('float32'), True)
    """

    dialect: ClassVar[Dialect] = "pyradiomics"

    filter: Literal["LoG"] = "LoG"
    sigma: tuple[Sigma, ...] = Field(min_length=1, description="mm, one or more")
    dimension: Literal["2D", "3D"] = Field("3D", description="2D leaves out the axis across slices")

    @property
    def names(self) -> tuple[str, ...]:
        """With the point of sigma as a dash."""
        return tuple(f"log-sigma-{str(s).replace('.', '-')}-mm-3D" for s in self.sigma)

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        """`MARGIN` of the largest sigma."""
        return _within(MARGIN * max(self.sigma), spacing, flat=self.in_slices)

    def main_reach(self, spacing: tuple[float, float, float]) -> Reach:
        """`SUPPORT` of the largest sigma."""
        return _within(SUPPORT * max(self.sigma), spacing, flat=self.in_slices)

    def respond(self, view: View) -> Iterator[NDArray[np.floating]]:
        """float32, as ITK gives it."""
        _check_size(view.array.shape[1 if self.in_slices else 0 :])
        scales = [Laplacian(s, view, flat=self.in_slices) for s in self.sigma]
        z, y, x = (_union([s.support[axis] for s in scales]) for axis in range(3))
        plane = np.empty((y.stop - y.start, x.stop - x.start))
        for k in range(z.start, z.stop):
            plane[:] = view.array[k, y, x]
            for scale in scales:
                scale.add_slice(k, plane, (y.start, x.start))
        for scale in scales:
            yield scale.response().astype(np.float32)


def _within(mm: float, spacing: tuple[float, float, float], *, flat: bool) -> tuple[int, int, int]:
    """Voxels (z, y, x) in so many mm; none across slices where each is for itself."""
    z, y, x = (ceil(mm / step) for step in spacing)
    return 0 if flat else z, y, x


def _union(parts: list[slice]) -> slice:
    return slice(min(p.start for p in parts), max(p.stop for p in parts))


def _check_size(shape: tuple[int, ...]) -> None:
    if min(shape) < SMALLEST:
        raise DataError(
            f"A recursive Gaussian wants at least {SMALLEST} voxels along each axis that it "
            f"smooths, found an image of {shape} (z, y, x); leave out LoG for this image, or take "
            "it in slices."
        )


def _shifted(part: slice, by: int) -> slice:
    return slice(part.start - by, part.stop - by)


class Laplacian:
    """One scale in one box, slice by slice.

    Down y and along x the lines of a slice shrink to the box at once, so the many voxels of the
    margin are looked at in one pass. Of what is to be smoothed across slices and of what is to
    be differentiated there it keeps the sums.
    """

    def __init__(self, sigma: float, view: View, *, flat: bool) -> None:
        self.flat = flat
        self.box = view.box
        self.kernels = [RecursiveGaussian(sigma / d) for d in view.spacing]
        self.scales = [(sigma / d) ** 2 for d in view.spacing]
        margins = _within(MARGIN * sigma, view.spacing, flat=flat)
        self.support = [
            slice(max(b.start - m, 0), min(b.stop + m, n))
            for b, m, n in zip(view.box, margins, view.array.shape, strict=True)
        ]
        slices, _, columns = (s.stop - s.start for s in self.support)
        _, ny, nx = view.shape
        self._down = np.empty((2, ny, columns))
        self.sums = np.zeros((slices, 2, nx, ny))

    @cached_property
    def weights(self) -> list[Floats]:
        """Of second derivative and Gaussian along each axis, (2, 2, 4)."""
        return [
            np.stack([k.second * scale, k.smooth])
            for k, scale in zip(self.kernels, self.scales, strict=True)
        ]

    def wanted(self, axis: int) -> slice:
        """The box within the support."""
        return _shifted(self.box[axis], self.support[axis].start)

    def add_slice(self, k: int, plane: Floats, origin: tuple[int, int]) -> None:
        """Take in slice `k` of the image, of which `plane` holds a part from `origin` on."""
        if not self.support[0].start <= k < self.support[0].stop:
            return
        part = _shifted(self.support[1], origin[0]), _shifted(self.support[2], origin[1])
        self._down[:] = 0
        down, along = self.kernels[1:]
        add_recursive(plane, part, self.wanted(1), down.feedback, self.weights[1], self._down)
        second, smooth = (np.ascontiguousarray(field.T) for field in self._down)
        whole = slice(0, second.shape[0]), slice(0, second.shape[1])
        sums = self.sums[k - self.support[0].start]
        add_recursive(smooth, whole, self.wanted(2), along.feedback, self.weights[2], sums)
        add_recursive(second, whole, self.wanted(2), along.feedback, self.weights[2][1:], sums[:1])

    def response(self) -> Floats:
        """[z, y, x] of the box, when all slices of the support have been taken in."""
        slices, _, nx, ny = self.sums.shape
        if self.flat:
            return self.sums[:, 0].transpose(0, 2, 1)
        across, wanted = self.kernels[0], self.wanted(0)
        out = np.zeros((1, wanted.stop - wanted.start, nx * ny))
        lines = self.sums.reshape(slices, -1)
        for k, weights in enumerate((self.weights[0][1:], self.weights[0][:1])):
            part = slice(0, slices), slice(k * nx * ny, (k + 1) * nx * ny)
            add_recursive(lines, part, wanted, across.feedback, weights, out)
        return out[0].reshape(-1, nx, ny).transpose(0, 2, 1)
