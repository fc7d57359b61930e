"""The non-separable wavelet of Simoncelli (IBSI 2, section 3.6, code PRT7)."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from centrum.arrays import Floats
from centrum.filters.filter import Filter, register
from centrum.filters.fourier import Components, Spectrum, magnitude
from centrum.filters.view import Reach, View
from centrum.settings import Dialect


def band(level: int, f: Components) -> Floats:
    """Transfer function of the B map of a level (1 is the finest).

    cos(pi/2 log2(2 |f| / m)) for m/4 < |f| <= m with m = 2^(1 - level) of Nyquist's frequency,
    and 0 elsewhere; the squares of all levels add up to 1.

    >>> f = [np.array([v]) for v in (0.0, 0.0, 0.5)]
    >>> band(1, f).tolist(), band(2, f).round(12).tolist()
    ([1.0], [0.0])
    """
    nu = magnitude(f) * 2.0 ** (level - 1)
    inside = (nu > 0.25) & (nu <= 1)
    response = np.zeros(nu.shape)
    response[inside] = np.cos(np.pi / 2 * np.log2(2 * nu[inside]))
    return response


@register
class Simoncelli(Filter):
    """Isotropic band-pass responses of the image as one period of a periodic one.

    The whole image is transformed, in slices or in three dimensions, so that the response in a
    box is that of the whole by construction. Frequencies are counted per voxel: a response in
    three dimensions is isotropic only where voxels are.

    Source: Portilla, Simoncelli: A parametric texture model based on joint statistics of
    complex wavelet coefficients, Int J Comput Vis 40 (2000).

    >>> Simoncelli(levels=(1, 2), dimension="2D").names
    ('simoncelli-level1-2D', 'simoncelli-level2-2D')
    """

    dialect: ClassVar[Dialect] = "ibsi"

    filter: Literal["simoncelli"] = "simoncelli"
    levels: Annotated[tuple[Annotated[int, Field(ge=1, le=10)], ...], Field(min_length=1)] = Field(
        (1,), description="1 is the finest, each further one half its frequency"
    )
    dimension: Literal["2D", "3D"] = Field(
        "3D", description="2D works in the slices of `plane`, 3D across them too"
    )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"simoncelli-level{level}-{self.dimension}" for level in self.levels)

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        return 0 if self.in_slices else None, None, None

    def respond(self, view: View) -> Iterator[NDArray[np.floating]]:
        image = view.array[view.box[0]] if self.in_slices else view.array
        spectrum = Spectrum.of(image, in_slices=self.in_slices)
        z, y, x = (range(b.start, b.stop) for b in view.box)
        wanted = (range(len(z)) if self.in_slices else z, y, x)
        for level in self.levels:
            yield spectrum.filtered(partial(band, level), wanted)
