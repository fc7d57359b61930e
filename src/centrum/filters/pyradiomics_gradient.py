"""Gradient as PyRadiomics has it: ITK's magnitude of central differences.

Source: ITK's GradientMagnitudeImageFilter, which PyRadiomics calls.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from centrum.arrays import Floats
from centrum.filters.filter import Filter, register
from centrum.filters.view import Reach, View
from centrum.settings import Dialect


@register
class GradientMagnitude(Filter):
    """sqrt(sum_k ((I(k + 1) - I(k - 1)) / (2 spacing))^2); the image's last voxel goes on.

    >>> ramp = View.whole(np.arange(0.0, 8, 2).reshape(1, 1, 4), (1.0, 1.0, 0.5))
    >>> (response,) = GradientMagnitude().respond(ramp)
    >>> response.tolist()
    [[[2.0, 4.0, 4.0, 2.0]]]
    """

    dialect: ClassVar[Dialect] = "pyradiomics"

    filter: Literal["Gradient"] = "Gradient"
    gradientUseSpacing: bool = Field(True, description="per mm; false: per voxel along every axis")

    @property
    def names(self) -> tuple[str, ...]:
        return ("gradient",)

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        return 1, 1, 1

    def respond(self, view: View) -> Iterator[NDArray[np.floating]]:
        """float32, as ITK gives it."""
        x = view.around((1, 1, 1), "nearest")
        squares = np.zeros(view.shape)
        for axis, spacing in enumerate(view.spacing):
            step = spacing if self.gradientUseSpacing else 1.0
            squares += ((_next(x, axis, 2) - _next(x, axis, 0)) * (0.5 / step)) ** 2
        yield np.sqrt(squares).astype(np.float32)


def _next(x: Floats, axis: int, start: int) -> Floats:
    """The inner voxels moved along an axis to begin at `start`."""
    inner = [slice(1, -1)] * 3
    inner[axis] = slice(start, start + x.shape[axis] - 2)
    return x[tuple(inner)]
