"""Riesz transforms of filtered images (IBSI 2, section 3.7, code AYRS).

The transform of order l = (l1, l2, l3) takes derivatives of an image without favouring fine
detail: with L = l1 + l2 + l3 its transfer function is
(-i)^L sqrt(L! / (l1! l2! l3!)) fx^l1 fy^l2 fz^l3 / |f|^L. The squares of all orders of one L add
up to 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from math import prod, sqrt
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from centrum.arrays import Floats
from centrum.filters.filter import Filter, register
from centrum.filters.fourier import Components, Spectrum, magnitude
from centrum.filters.log import LaplacianOfGaussian, gaussian_and_second
from centrum.filters.simoncelli import band
from centrum.filters.steering import Order, local_axes, steered, ways
from centrum.filters.view import Boundary, Box, Reach, View
from centrum.settings import Dialect

PADDING = 32
"""Voxels of the boundary condition on either side of the image, or half the image where that is
less. The consensus maps are met to 0.32 % of their range; unpadded, 9.b.1 is 1.3 % off."""

TENSOR_CUTOFF = 4.0
"""Standard deviations at which the window of the structure tensor ends."""


def riesz(order: Order, f: Components) -> NDArray:
    """Transfer function of the transform of an order; 0 at frequency 0.

    >>> diagonal = [np.array([v]) for v in (0.0, 3.0, 3.0)]
    >>> [riesz(order, diagonal).round(12).tolist() for order in ((1, 0), (1, 1))]
    [[-0.707106781187j], [-0.707106781187]]
    """
    total = sum(order)
    size = magnitude(f)
    size[size == 0] = 1
    # Divided before they are raised to a power, the components are at most 1.
    parts = [component / size for component, n in zip(f[::-1], order, strict=False) if n]
    powers = [n for n in order if n]
    factor = (1, -1j, -1, 1j)[total % 4] * sqrt(ways(order))
    return np.asarray(factor * prod(p**n for p, n in zip(parts, powers, strict=True)))


def odd_and_fast(n: int) -> int:
    """The smallest odd length from `n` that is quick to transform.

    Frequencies of an odd length are symmetric about 0, so that the transforms of even order
    are even, those of odd order odd, and the squares add up to 1.

    >>> odd_and_fast(128)
    135
    """
    from scipy.fft import next_fast_len

    return next(m for m in count(n | 1, 2) if next_fast_len(m) == m)


class RieszFilter(Filter):
    """A Riesz transform of an isotropic response. A subclass says `base`, `spectrum`.

    The whole image is transformed, so that the response in a box is that of the whole by
    construction. Frequencies are counted per voxel: directions are those of the space only
    where voxels are as long as wide.

    With `tensor_sigma` the axes are turned at each voxel, by its structure tensor, before the
    derivatives are taken: the tensor is that of the responses of first order in a Gaussian
    window of that many mm, the first axis that along which it is largest. Each axis points to
    where the response of first order is not negative. Source: Chenouard, Unser: 3D steerable
    wavelets in practice, IEEE Trans Image Process 21 (2012). The IBSI has no reference values
    for it.
    """

    dialect: ClassVar[Dialect] = "ibsi"

    order: Annotated[tuple[Annotated[int, Field(ge=0, le=9)], ...], Field(min_length=2)] = Field(
        description="derivatives along x, y and, in 3D, z; one to nine in all"
    )
    tensor_sigma: Annotated[float, Field(ge=0.01, le=100)] | None = Field(
        None, description="window of the structure tensor in mm; null: axes of the image"
    )
    dimension: Literal["2D", "3D"] = Field(
        "3D", description="2D works in the slices of `plane`, 3D across them too"
    )
    boundary: Boundary = Field("mirror", description="what lies beyond the edges of the image")

    @model_validator(mode="after")
    def _fits_the_dimension(self) -> "RieszFilter":
        wanted = 2 if self.in_slices else 3
        if len(self.order) != wanted or not 1 <= sum(self.order) <= 9:
            raise ValueError(
                f"in {self.dimension} an order has {wanted} numbers whose sum is 1 to 9, "
                f"found {list(self.order)}"
            )
        return self

    @property
    def base(self) -> str:
        """Name of the response that is transformed."""
        raise NotImplementedError

    def spectrum(self, view: View) -> Spectrum:
        """That of the response in the box of a view, which may reach beyond the image."""
        raise NotImplementedError

    @property
    def names(self) -> tuple[str, ...]:
        order = "".join(map(str, self.order))
        aligned = f"-aligned{self.tensor_sigma:g}mm" if self.tensor_sigma is not None else ""
        beyond = "" if self.boundary == "mirror" else f"-{self.boundary}"
        return (f"riesz{order}-{self.base}{aligned}-{self.dimension}{beyond}",)

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        return 0 if self.in_slices else None, None, None

    def respond(self, view: View) -> Iterator[NDArray[np.floating]]:
        extent = self._extent(view)
        spectrum = self.spectrum(replace(view, box=extent))
        wanted = [
            range(b.start - e.start, b.stop - e.start)
            for b, e in zip(view.box, extent, strict=True)
        ]

        def response(order: Order, where: Sequence[range]) -> Floats:
            return spectrum.filtered(partial(riesz, order), where)

        if self.tensor_sigma is None:
            yield response(self.order, wanted)
            return
        voxels = [self.tensor_sigma / s for s in view.spacing[::-1][: len(self.order)]]
        windows = [gaussian_and_second(sigma, TENSOR_CUTOFF)[0] for sigma in voxels]
        axes = local_axes(response, windows, wanted)
        yield steered(response, self.order, axes, wanted)

    def _extent(self, view: View) -> Box:
        """What is transformed, along (z, y, x): in slices no more of them than are wanted."""
        z, y, x = (self._padded(n) for n in view.array.shape)
        return (view.box[0] if self.in_slices else z), y, x

    def _padded(self, n: int) -> slice:
        """An axis of `n` voxels with those of the boundary."""
        if self.boundary == "periodic" or n == 1:
            return slice(0, n)
        total = odd_and_fast(n + 2 * min(n // 2, PADDING))
        before = (total - n) // 2
        return slice(-before, total - before)


@register
class RieszLog(RieszFilter):
    """Riesz transform of the Laplacian of Gaussian (filter `log`).

    >>> RieszLog(order=(1, 0, 0), sigma=3).names
    ('riesz100-log-3mm-3D',)
    """

    filter: Literal["riesz-log"] = "riesz-log"
    sigma: Annotated[float, Field(ge=0.01, le=100)] = Field(
        description="width of the Gaussian in mm"
    )
    cutoff: Annotated[float, Field(ge=0.1, le=20)] = Field(
        4.0, description="where its kernel is cut off, in sigma"
    )

    @property
    def base(self) -> str:
        cut = "" if self.cutoff == 4 else f"-cutoff{self.cutoff:g}"
        return f"log-{self.sigma:g}mm{cut}"

    def spectrum(self, view: View) -> Spectrum:
        kept = self.model_dump(include={"sigma", "cutoff", "dimension"})
        image = view.around((0, 0, 0), self.boundary)
        spectrum = Spectrum.of(image, in_slices=self.in_slices)
        spectrum.convolve(LaplacianOfGaussian(**kept).products(view.spacing))
        return spectrum


@register
class RieszSimoncelli(RieszFilter):
    """Riesz transform of the B map of Simoncelli's wavelet (filter `simoncelli`).

    >>> RieszSimoncelli(order=(0, 2), level=2, dimension="2D", tensor_sigma=1).names
    ('riesz02-simoncelli-level2-aligned1mm-2D',)
    """

    filter: Literal["riesz-simoncelli"] = "riesz-simoncelli"
    level: Annotated[int, Field(ge=1, le=10)] = Field(1, description="1 is the finest")

    @property
    def base(self) -> str:
        return f"simoncelli-level{self.level}"

    def spectrum(self, view: View) -> Spectrum:
        image = view.around((0, 0, 0), self.boundary)
        spectrum = Spectrum.of(image, in_slices=self.in_slices)
        spectrum.weigh(partial(band, self.level))
        return spectrum
