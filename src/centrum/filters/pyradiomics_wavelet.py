"""Wavelet as PyRadiomics has it: undecimated, periodic, level by level.

PyRadiomics gives PyWavelets' `swtn` one level at a time, so that every level has the same taps
(those of the a-trous algorithm would move apart), and repeats the first voxel of an axis with an
odd number of voxels at its end before it goes round.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from centrum.arrays import Array, Floats
from centrum.filters.filter import Filter, register
from centrum.filters.view import Reach, View
from centrum.filters.wavelet import discrete
from centrum.kernels.convolve import convolve
from centrum.settings import Dialect


@register
class PeriodicWavelet(Filter):
    """Low-pass (L) and high-pass (H) bands of PyRadiomics, named by their filters along x, y, z.

    >>> PeriodicWavelet(dimension="2D", level=2).names
    ('wavelet-LH', 'wavelet-HL', 'wavelet-HH',
     'wavelet2-LH', 'wavelet2-HL', 'wavelet2-HH', 'wavelet2-LL')
    >>> ramp = View.whole(np.arange(4.0).reshape(1, 1, 4), (1.0, 1.0, 1.0))
    >>> haar = PeriodicWavelet(wavelet="haar", dimension="2D")
    >>> dict(zip(haar.names, haar.respond(ramp)))["wavelet-HL"].round(6).tolist()
    [[[-1.0, -1.0, -1.0, 3.0]]]
    """

    dialect: ClassVar[Dialect] = "pyradiomics"

    filter: Literal["Wavelet"] = "Wavelet"
    wavelet: Annotated[str, AfterValidator(discrete)] = Field(
        "coif1", description="name in PyWavelets, such as coif1, haar, db3"
    )
    level: int = Field(
        1, ge=1, le=16, description="levels that are given; of the last also the band of low passes"
    )
    start_level: int = Field(0, ge=0, le=16, description="low passes before the first level")
    dimension: Literal["2D", "3D"] = Field(
        "3D", description="2D leaves out the axis across slices, as force2D does"
    )

    @cached_property
    def n_axes(self) -> int:
        return 2 if self.in_slices else 3

    @cached_property
    def bands(self) -> tuple[str, ...]:
        """Letters along x, y (and z); low passes only come last."""
        first, *others = ("".join(letters) for letters in product("LH", repeat=self.n_axes))
        return (*others, first)

    @property
    def names(self) -> tuple[str, ...]:
        *details, approximation = self.bands
        prefixes = ["wavelet-", *(f"wavelet{k}-" for k in range(2, self.level + 1))]
        found = (prefix + band for prefix, band in product(prefixes, details))
        return (*found, prefixes[-1] + approximation)

    @cached_property
    def taps(self) -> dict[str, tuple[float, ...]]:
        """Weights of the low and the high pass, of the last voxel first."""
        import pywt

        found = pywt.Wavelet(self.wavelet)
        return {"L": tuple(found.dec_lo), "H": tuple(found.dec_hi)}

    @cached_property
    def around(self) -> tuple[int, int]:
        """Voxels before and after a voxel on which one level depends."""
        half = len(self.taps["L"]) // 2
        return half - 1, half

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        """The wrapped voxels lie across the image: the whole of every axis that is filtered."""
        return self._along_filtered(None)

    def main_reach(self, spacing: tuple[float, float, float]) -> Reach:
        """Of the last level, on the longer side."""
        half = (self.start_level + self.level) * max(self.around)
        return self._along_filtered(half)

    def _along_filtered(self, reach: int | None) -> Reach:
        z, y, x = (0,) * (3 - self.n_axes) + (reach,) * self.n_axes
        return z, y, x

    def respond(self, view: View) -> Iterator[NDArray[np.floating]]:
        """float64, or float32 of an image of float32; as PyRadiomics' to 1e-12 of the largest."""
        precision = np.float32 if view.array.dtype == np.float32 else np.float64
        for band in self._bands(view):
            yield band.astype(precision, copy=False)

    def _bands(self, view: View) -> Iterator[Floats]:
        low = "L" * self.n_axes
        levels = self.start_level + self.level
        image = self._wrapped(view, levels)
        for after in range(levels - 1, -1, -1):
            near = {"": self._inner(image, after)}
            if after < self.level:
                yield from (self._band(near, band) for band in self.bands[:-1])
            image = self._band({"": image} if after else near, low)
        yield image

    def _wrapped(self, view: View, levels: int) -> Floats:
        """The box and what so many levels depend on."""
        array = view.array[view.box[: 3 - self.n_axes]]
        for axis in range(2, 2 - self.n_axes, -1):
            array = _periodic(array, axis, view.box[axis], [levels * r for r in self.around])
        return array.astype(float)

    def _inner(self, image: Floats, levels: int) -> Floats:
        """The same without what `levels` levels depend on."""
        before, after = (levels * r for r in self.around)
        n = self.n_axes
        cut = [slice(before, size - after) for size in image.shape[-n:]]
        return image[tuple([slice(None)] * (3 - n) + cut)]

    def _band(self, made: dict[str, Floats], band: str) -> Floats:
        """A band of the image `made[""]`; keeps what it shares with others."""
        if band not in made:
            array = self._band(made, band[:-1])
            axis, weights = 3 - len(band), self.taps[band[-1]]
            last = len(weights) - 1
            # PyWavelets' order: on flat ground only the rounding tells a band from zero.
            places = range(last, -1, -1)
            made[band] = convolve(array, places, weights, axis, array.shape[axis] - last)
        return made[band]


class OneAxisWavelet(PeriodicWavelet):
    """The bands L and H along one axis: PyRadiomics' of a 2-D image with `force2D`.

    The axis is the last of those within the slices of the view.

    >>> OneAxisWavelet(dimension="2D").names
    ('wavelet-H', 'wavelet-L')
    """

    @cached_property
    def n_axes(self) -> int:
        return 1


def _periodic(array: Array, axis: int, box: slice, around: Sequence[int]) -> Array:
    """The box and some voxels before and after it along an axis that goes round."""
    start, stop, n = box.start - around[0], box.stop + around[1], array.shape[axis]
    if start >= 0 and stop <= n:
        return array[(slice(None),) * axis + (slice(start, stop),)]
    return array.take(np.arange(start, stop) % (n + n % 2) % n, axis=axis)
