"""What every filter is: choices that turn an image into named response maps.

A filter is one file of this folder with one class, registered under the name that a protocol
calls it by:

    @register
    class Square(Filter):
        filter: Literal["Square"] = "Square"
        ...
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, SerializeAsAny

from centrum.filters.view import Reach, View
from centrum.settings import Dialect, Settings


class Filter(Settings):
    """Choices of one filter, and what it makes of an image.

    A subclass says `names`, `reach` and `respond`, and in which dialect it belongs.
    """

    dialect: ClassVar[Dialect]

    filter: str

    @property
    def in_slices(self) -> bool:
        """Whether it works slice by slice; `respond` then gets the slices along the first axis."""
        return getattr(self, "dimension", "3D") == "2D"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the response maps, in order, such as "log-2mm-3D"; without underscores."""
        raise NotImplementedError

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        """On how many voxels along (z, y, x) around it a response depends, given mm (z, y, x).

        For a filter in slices the first is the axis across them.
        """
        raise NotImplementedError

    def main_reach(self, spacing: tuple[float, float, float]) -> Reach:
        """The same for the voxels that weigh in it, where a filter `reach`es further than that."""
        return self.reach(spacing)

    def respond(self, view: View) -> Iterator[NDArray[np.floating]]:
        """The response maps in the box of the view, one for each of `names`.

        They equal those of the whole image: exactly where the filter has finite support, else to
        the bound that its docstring states.
        """
        raise NotImplementedError

    def responses(self, view: View) -> Iterator[NDArray[np.floating]]:
        """The same for any view, whichever its slices are."""
        if not self.in_slices:
            yield from self.respond(view)
            return
        for response in self.respond(view.across_slices()):
            yield np.moveaxis(response, 0, view.slice_axis)

    def reach_in(self, spacing: tuple[float, float, float], slice_axis: int) -> Reach:
        """`reach` along the axes of the image, whichever its slices are."""
        return self._turned(self.reach, spacing, slice_axis)

    def main_reach_in(self, spacing: tuple[float, float, float], slice_axis: int) -> Reach:
        """`main_reach` along the axes of the image."""
        return self._turned(self.main_reach, spacing, slice_axis)

    def _turned(
        self,
        extent: Callable[[tuple[float, float, float]], Reach],
        spacing: tuple[float, float, float],
        slice_axis: int,
    ) -> Reach:
        if not self.in_slices:
            return extent(spacing)
        order = (slice_axis, *(a for a in range(3) if a != slice_axis))
        dz, dy, dx = (spacing[a] for a in order)
        found = dict(zip(order, extent((dz, dy, dx)), strict=True))
        return found[0], found[1], found[2]


FILTERS: dict[str, type[Filter]] = {}
"""Every filter by the name that a protocol calls it by."""


Kind = TypeVar("Kind", bound=Filter)


def register(cls: type[Kind]) -> type[Kind]:
    """Enter a filter under the default of its field `filter`; refuses a name that is taken."""
    name = cls.model_fields["filter"].default
    if name in FILTERS:
        raise ValueError(f"Two filters are called {name!r}: {FILTERS[name]} and {cls}.")
    FILTERS[name] = cls
    return cls


def of_its_kind(choices: Any) -> Any:
    """The filter that a block of a protocol describes by its key `filter`."""
    if isinstance(choices, Filter):
        return choices
    if not isinstance(choices, dict) or "filter" not in choices:
        raise ValueError(
            f"a filter is a block such as {{filter: log, sigma: 2}}, found {choices!r}"
        )
    name = choices["filter"]
    found = FILTERS.get(name) if isinstance(name, str) else None
    if found is None:
        raise ValueError(f"there is no filter {name!r}; there are {', '.join(sorted(FILTERS))}")
    return found.model_validate(choices)


AnyFilter = Annotated[SerializeAsAny[Filter], BeforeValidator(of_its_kind)]
"""A filter in a protocol."""
