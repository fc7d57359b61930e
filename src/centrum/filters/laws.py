"""Laws kernels and their texture energy (IBSI 2, JTXT)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from centrum.arrays import Floats
from centrum.filters.filter import register
from centrum.filters.separable import (
    Along,
    Kernels,
    Passes,
    Pooling,
    SeparableFilter,
    along_axes,
    grown,
)
from centrum.filters.taps import Taps
from centrum.filters.view import Reach, View

_WEIGHTS = {
    "L3": (1, 2, 1),
    "L5": (1, 4, 6, 4, 1),
    "E3": (-1, 0, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S3": (-1, 2, -1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}

KERNELS = {
    name: Taps.of([w / sum(v * v for v in weights) ** 0.5 for w in weights])
    for name, weights in _WEIGHTS.items()
}
"""Level, edge, spot, wave and ripple along one axis, each with the norm 1."""


@register
class Laws(SeparableFilter):
    """Laws kernels: averaging, edge, spot, wave or ripple along each axis (IBSI 2, JTXT).

    With `energy` the map is not the response h but its energy: the mean of |h| over all voxels
    within a Chebyshev distance of delta.

    >>> Laws(kernels="E5L5S5").names, Laws(kernels="L5E5", dimension="2D", pooling="max").names
    (('laws-E5L5S5-3D',), ('laws-L5E5-max-2D',))
    >>> Laws(kernels="L5E5E5", pooling="max", energy=7).names
    ('laws-L5E5E5-max-energy7-3D',)
    """

    filter: Literal["laws"] = "laws"
    kernels: str = Field(
        description="kernels along x, y (and z): L3 L5 E3 E5 S3 S5 W5 R5, such as L5E5E5"
    )
    pooling: Pooling | None = Field(
        None, description="how the responses of all right-angle rotations are joined; null: none"
    )
    energy: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="distance delta in voxels of the energy map; null: the response itself"
    )

    @model_validator(mode="after")
    def _known_kernels(self) -> Self:
        found = self._kernel_names
        if "".join(found) != self.kernels or len(found) != self.n_axes:
            raise ValueError(
                f"kernels are {self.n_axes} of {' '.join(KERNELS)} for a {self.dimension} filter, "
                f"found {self.kernels!r}"
            )
        return self

    @property
    def _kernel_names(self) -> list[str]:
        return re.findall("|".join(KERNELS), self.kernels)

    @property
    def names(self) -> tuple[str, ...]:
        pooled = f"-{self.pooling}" if self.pooling else ""
        energy = f"-energy{self.energy}" if self.energy else ""
        return (f"laws-{self.kernels}{pooled}{energy}-{self.ending}",)

    @property
    def _taps(self) -> Kernels:
        return tuple(KERNELS[name] for name in self._kernel_names)

    @property
    def _window(self) -> tuple[int, int, int]:
        """Voxels (z, y, x) on either side over which the energy is a mean."""
        delta = self.energy or 0
        return 0 if self.in_slices else delta, delta, delta

    def along(self, spacing: tuple[float, float, float]) -> Along:
        return along_axes(self._taps, self.pooling)

    def maps(self, passes: Passes, spacing: tuple[float, float, float]) -> Iterator[Floats]:
        yield passes.pooled(self._taps, self.pooling)

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        z, y, x = ((r or 0) + w for r, w in zip(super().reach(spacing), self._window, strict=True))
        return z, y, x

    def respond(self, view: View) -> Iterator[Floats]:
        (response,) = super().respond(grown(view, self._window))
        if self.energy is None:
            yield response
            return
        mean = (Taps.mean(2 * self.energy + 1),) * self.n_axes
        box = [slice(w, w + n) for w, n in zip(self._window, view.shape, strict=True)]
        inner = replace(view, array=np.abs(response), box=(box[0], box[1], box[2]))
        yield Passes(inner, self.boundary, [[m] for m in mean]).response(mean)
