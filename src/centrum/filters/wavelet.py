"""Separable wavelets, undecimated (IBSI 2, 25BO)."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from centrum.arrays import Floats
from centrum.filters.filter import register
from centrum.filters.separable import Along, Kernels, Passes, Pooling, SeparableFilter, along_axes
from centrum.filters.taps import Taps


def discrete(name: str) -> str:
    """The name, if PyWavelets has a discrete wavelet that is called so."""
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

    >>> Wavelet(wavelet="coif1", dimension="2D").names
    ('wavelet-coif1-LL-level1-2D', 'wavelet-coif1-LH-level1-2D', 'wavelet-coif1-HL-level1-2D',
     'wavelet-coif1-HH-level1-2D')
    >>> len(Wavelet(levels=(1, 2)).names), Wavelet(bands=("HHH",), pooling="average").names
    (16, ('wavelet-haar-HHH-level1-average-3D',))
    """

    filter: Literal["wavelet"] = "wavelet"
    wavelet: Annotated[str, AfterValidator(discrete)] = Field(
        "haar", description="name in PyWavelets, such as haar, db3, coif1, sym4, bior1.3"
    )
    levels: Annotated[tuple[Annotated[int, Field(ge=1, le=10)], ...], Field(min_length=1)] = Field(
        (1,), description="levels whose bands are given; 1 is the finest"
    )
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
        pooled = f"-{self.pooling}" if self.pooling else ""
        return tuple(
            f"wavelet-{self.wavelet}-{band}-level{level}{pooled}-{self.ending}"
            for level, band in product(self.levels, self.chosen)
        )

    @property
    def _kernels(self) -> list[Kernels]:
        """Of every response."""
        passes = (low_and_high_pass(self.wavelet, level) for level in self.levels)
        return [
            tuple(low_and_high[letter] for letter in band)
            for low_and_high, band in product(passes, self.chosen)
        ]

    def along(self, spacing: tuple[float, float, float]) -> Along:
        responses = [along_axes(kernels, self.pooling) for kernels in self._kernels]
        return [[t for axis in axes for t in axis] for axes in zip(*responses, strict=True)]

    def maps(self, passes: Passes, spacing: tuple[float, float, float]) -> Iterator[Floats]:
        for kernels in self._kernels:
            yield passes.pooled(kernels, self.pooling)


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
