"""Laplacian of Gaussian filter (IBSI 2, L6PA)."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import exp, floor, pi, prod, sqrt
from typing import Annotated, Literal

from pydantic import Field

from centrum.arrays import Floats
from centrum.filters.filter import register
from centrum.filters.separable import Along, Kernels, Passes, SeparableFilter, one_axis_each
from centrum.filters.taps import Taps


@register
class LaplacianOfGaussian(SeparableFilter):
    """Edges and blobs of the size of sigma (IBSI 2, L6PA), as a sampled kernel.

    g(k) = - (D - r^2 / sigma^2) / sigma^2 (sqrt(2 pi) sigma)^-D exp(-r^2 / (2 sigma^2)), where r
    and sigma are in voxels, and k reaches floor(cutoff sigma + 1/2) voxels along each axis. It is
    the sum of D products of kernels along the axes.

    Sampled and cut off, this kernel does not quite add up to 0. With `zero_sum` the Gaussian is
    divided by its sum and the kernel's mean subtracted, so that a constant image gives 0. Half
    the teams of the standard did so, and its reference maps lie between the two.

    The standard has voxels as long as wide. Where they are not, sigma in mm is that of each axis
    in voxels, so that the filter is round in mm, and the factor 1 / sigma^2 is that of the
    geometric mean of them.

    >>> LaplacianOfGaussian(sigma=1.5).names, LaplacianOfGaussian(sigma=3, cutoff=3).names
    (('log-1.5mm-3D',), ('log-3mm-cutoff3-3D',))
    """

    filter: Literal["log"] = "log"
    sigma: Annotated[float, Field(ge=0.01, le=100)] = Field(
        description="width of the Gaussian in mm"
    )
    cutoff: Annotated[float, Field(ge=0.1, le=20)] = Field(
        4.0, description="where the kernel is cut off, in sigma"
    )
    zero_sum: bool = Field(
        True, description="whether the kernel is made to add up to 0; false: sampled as it is"
    )

    @property
    def names(self) -> tuple[str, ...]:
        cut = "" if self.cutoff == 4 else f"-cutoff{self.cutoff:g}"
        kind = "" if self.zero_sum else "-sampled"
        return (f"log-{self.sigma:g}mm{cut}{kind}-{self.ending}",)

    def in_voxels(self, spacing: tuple[float, float, float]) -> Sequence[float]:
        """Sigma along x, y (and z) in voxels of these mm (z, y, x)."""
        return [self.sigma / s for s in spacing[::-1][: self.n_axes]]

    def along(self, spacing: tuple[float, float, float]) -> Along:
        """Gaussian, second derivative, and the mean over as many voxels."""
        kernels = gaussian_second_and_mean if self.zero_sum else gaussian_and_second
        return [kernels(s, self.cutoff) for s in self.in_voxels(spacing)]

    def maps(self, passes: Passes, spacing: tuple[float, float, float]) -> Iterator[Floats]:
        yield passes.total(self.products(spacing))

    def products(self, spacing: tuple[float, float, float]) -> dict[Kernels, float]:
        """The products of kernels along x, y (and z) whose weighted sum is the kernel."""
        sigmas, along = self.in_voxels(spacing), self.along(spacing)
        scale = prod(sigmas) ** (-2 / len(sigmas))
        weights: dict[Kernels, float] = dict.fromkeys(one_axis_each(along), scale)
        if self.zero_sum:
            excess = sum(prod(taps.total for taps in kernels) for kernels in weights)
            weights[tuple(mean for *_, mean in along)] = -scale * excess
        return weights


@lru_cache(maxsize=64)
def gaussian_second_and_mean(sigma: float, cutoff: float) -> tuple[Taps, Taps, Taps]:
    """Those of `gaussian_and_second` over the Gaussian's sum, and the mean over as many voxels."""
    g, second = gaussian_and_second(sigma, cutoff)
    return g.times(1 / g.total), second.times(1 / g.total), Taps.mean(len(g.places))


@lru_cache(maxsize=64)
def gaussian_and_second(sigma: float, cutoff: float) -> tuple[Taps, Taps]:
    """A Gaussian of `sigma` voxels and sigma^2 times its second derivative, sampled at voxels.

    >>> gaussian, second = gaussian_and_second(1.5, cutoff=4)
    >>> gaussian.before, round(sum(gaussian.weights), 4), round(sum(second.weights), 4)
    (6, 1.0, -0.0002)
    """
    reach = range(-floor(cutoff * sigma + 0.5), floor(cutoff * sigma + 0.5) + 1)
    gaussian = {k: exp(-((k / sigma) ** 2) / 2) / (sqrt(2 * pi) * sigma) for k in reach}
    return Taps.at(gaussian), Taps.at({k: g * ((k / sigma) ** 2 - 1) for k, g in gaussian.items()})
