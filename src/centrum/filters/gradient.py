"""Magnitude of the gradient."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from centrum.arrays import Floats
from centrum.filters.filter import register
from centrum.filters.separable import Along, Passes, SeparableFilter, one_axis_each
from centrum.filters.taps import HERE, Taps


@register
class Gradient(SeparableFilter):
    """Steepness of the intensity per mm, sqrt(sum_k (dI/dk)^2), by central differences.

    (I(k + 1) - I(k - 1)) / (2 spacing) along each axis. The IBSI has no reference for it.

    >>> Gradient(dimension="2D").names
    ('gradient-2D',)
    """

    filter: Literal["gradient"] = "gradient"

    @property
    def names(self) -> tuple[str, ...]:
        return (f"gradient-{self.ending}",)

    def along(self, spacing: tuple[float, float, float]) -> Along:
        return [(HERE, difference(s)) for s in spacing[::-1][: self.n_axes]]

    def maps(self, passes: Passes, spacing: tuple[float, float, float]) -> Iterator[Floats]:
        squares = np.zeros(passes.shape)
        for kernels in one_axis_each(self.along(spacing)):
            squares += passes.response(kernels) ** 2
        yield np.sqrt(squares)


def difference(spacing: float) -> Taps:
    """The central difference per mm between voxels `spacing` mm apart.

    >>> difference(0.5)
    Taps(places=(-1, 1), weights=(-1.0, 1.0))
    """
    return Taps((-1, 1), (-0.5 / spacing, 0.5 / spacing))
