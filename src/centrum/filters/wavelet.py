"""Separable wavelets, undecimated (IBSI 2, 25BO)."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from centrum.filters.filter import register
from centrum.filters.separable import (
    Along,
    Floats,
    Kernels,
    Passes,
    Pooling,
    SeparableFilter,
    along_axes,
)
from centrum.filters.taps import Taps


def _discrete(name: str) -> str:
    from pywt import wavelist

    if name not in (known := wavelist(kind="discrete")):
        raise ValueError(
            f"there is no discrete wavelet {name!r}; PyWavelets has {', '.join(known)}"
        )
    return name


@register
class Wavelet(SeparableFilter):
    """Low-pass (L) and high-pass (H) filter along each axis, undecimated (IBSI 2, 25BO).

    Each band is named by its filters along x, y (and z). From level to level the low-pass filters
    follow each other with 2^(level - 1) - 1 zeros between their weights (a trous), and the bands
    are those of the last level. Pooled over rotations, bands with the same letters are the same
    map, so that all of them are LLL, LLH, LHH and HHH.

    >>> Wavelet(wavelet="coif1", bands=("LLH",)).names, Wavelet(dimension="2D", level=2).names
    (('wavelet-coif1-LLH-3D',), ('wavelet-haar-LL-level2-2D', 'wavelet-haar-LH-level2-2D',
     'wavelet-haar-HL-level2-2D', 'wavelet-haar-HH-level2-2D'))
    >>> len(Wavelet().names), Wavelet(wavelet="db3", pooling="average").names[1]
    (8, 'wavelet-db3-LLH-average-3D')
    """

    filter: Literal["wavelet"] = "wavelet"
    wavelet: Annotated[str, AfterValidator(_discrete)] = Field(
        "haar", description="name in PyWavelets, such as haar, db3, coif1, sym4, bior1.3"
    )
    level: Annotated[int, Field(ge=1)] = Field(1, description="level whose bands are given")
    bands: Literal["all"] | tuple[str, ...] = Field(
        "all", description="bands such as [LLH, HHH], letters along x, y (and z); or all"
    )
    pooling: Pooling | None = Field(
        None, description="how the responses of all right-angle rotations are joined; null: none"
    )

    @model_validator(mode="after")
    def _known_bands(self) -> Self:
        known = ["".join(letters) for letters in product("LH", repeat=self.n_axes)]
        if self.bands != "all" and not (self.bands and set(self.bands) <= set(known)):
            raise ValueError(
                f"bands of a {self.dimension} wavelet are all, or some of {' '.join(known)}, "
                f"found {list(self.bands)}"
            )
        return self

    @property
    def chosen(self) -> tuple[str, ...]:
        """The bands, `all` written out."""
        if self.bands != "all":
            return self.bands
        every = ["".join(letters) for letters in product("LH", repeat=self.n_axes)]
        if self.pooling is None:
            return tuple(every)
        return tuple(band for band in every if "HL" not in band)

    @property
    def names(self) -> tuple[str, ...]:
        level = "" if self.level == 1 else f"-level{self.level}"
        pooled = f"-{self.pooling}" if self.pooling else ""
        return tuple(
            f"wavelet-{self.wavelet}-{band}{level}{pooled}-{self.ending}" for band in self.chosen
        )

    def _kernels(self, band: str) -> Kernels:
        low_and_high = low_and_high_pass(self.wavelet, self.level)
        return tuple(low_and_high[letter] for letter in band)

    def along(self, spacing: tuple[float, float, float]) -> Along:
        bands = [along_axes(self._kernels(band), self.pooling) for band in self.chosen]
        return [[taps for axis in axes for taps in axis] for axes in zip(*bands, strict=True)]

    def maps(self, passes: Passes, spacing: tuple[float, float, float]) -> Iterator[Floats]:
        for band in self.chosen:
            yield passes.pooled(self._kernels(band), self.pooling)


@cache
def low_and_high_pass(wavelet: str, level: int) -> dict[str, Taps]:
    """The filters L and H of a level, those of the levels before included.

    >>> low_and_high_pass("haar", 2)["H"].places
    (0, 1, 2, 3)
    """
    import pywt

    found = pywt.Wavelet(wavelet)
    last = 2 ** (level - 1)
    low, high = Taps.of(found.dec_lo, last), Taps.of(found.dec_hi, last)
    if level == 1:
        return {"L": low, "H": high}
    before = low_and_high_pass(wavelet, level - 1)["L"]
    return {"L": before.then(low), "H": before.then(high)}
