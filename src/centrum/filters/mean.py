"""Mean filter (IBSI 2, S60F)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from centrum.arrays import Floats
from centrum.filters.filter import register
from centrum.filters.separable import Along, Passes, SeparableFilter
from centrum.filters.taps import Taps


def _odd(support: int) -> int:
    if support % 2 == 0:
        raise ValueError(
            f"a mean filter has a voxel in its middle: support is odd, found {support}"
        )
    return support


@register
class Mean(SeparableFilter):
    """Mean of the M^d voxels in a square or cube of side M around each voxel (IBSI 2, S60F).

    >>> Mean(support=5).names, Mean(support=3, dimension="2D", boundary="zero").names
    (('mean-5-3D',), ('mean-3-2D-zero',))
    """

    filter: Literal["mean"] = "mean"
    support: Annotated[int, Field(ge=1, le=999), AfterValidator(_odd)] = Field(
        3, description="side M of the square or cube in voxels, odd"
    )

    @property
    def names(self) -> tuple[str, ...]:
        return (f"mean-{self.support}-{self.ending}",)

    def along(self, spacing: tuple[float, float, float]) -> Along:
        return [[Taps.mean(self.support)]] * self.n_axes

    def maps(self, passes: Passes, spacing: tuple[float, float, float]) -> Iterator[Floats]:
        yield passes.response((Taps.mean(self.support),) * self.n_axes)
