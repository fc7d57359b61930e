"""How matrices of several directions and slices become one number (IBSI 3.6 to 3.11).

Two words: **merge** is the sum of counts before a feature is computed, **average** the mean
of its values afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

AggregationName = Literal[
    "2D_averaged",
    "2D_slice_merged",
    "2.5D_direction_merged",
    "2.5D_merged",
    "3D_averaged",
    "3D_merged",
]


BLOCKS, DIRECTIONS = 0, 1
"""Axes of a batch of matrices: slices (one block in 3D), and directions."""


@dataclass(frozen=True)
class Aggregation:
    """`code` is the IBSI's; `merged_axes` are those whose counts are summed."""

    name: str
    code: str
    by_slice: bool
    merged_axes: tuple[int, ...]

    @property
    def merges_directions(self) -> bool:
        return DIRECTIONS in self.merged_axes


AGGREGATIONS: dict[str, Aggregation] = {
    a.name: a
    for a in (
        Aggregation("2D_averaged", "BTW3", by_slice=True, merged_axes=()),
        Aggregation("2D_slice_merged", "SUJT", by_slice=True, merged_axes=(DIRECTIONS,)),
        Aggregation("2.5D_direction_merged", "JJUI", by_slice=True, merged_axes=(BLOCKS,)),
        Aggregation("2.5D_merged", "ZW7Z", by_slice=True, merged_axes=(BLOCKS, DIRECTIONS)),
        Aggregation("3D_averaged", "ITBB", by_slice=False, merged_axes=(BLOCKS,)),
        Aggregation("3D_merged", "IAZD", by_slice=False, merged_axes=(BLOCKS, DIRECTIONS)),
    )
}
"""Of matrices that are counted direction by direction: co-occurrence and run length."""

UNDIRECTED: dict[str, Aggregation] = {
    a.name: a
    for a in (
        Aggregation("2D", "8QNN", by_slice=True, merged_axes=()),
        Aggregation("2.5D", "62GR", by_slice=True, merged_axes=(BLOCKS,)),
        Aggregation("3D", "KOBO", by_slice=False, merged_axes=(BLOCKS,)),
    )
}
"""Of matrices without directions: zones, tone differences and dependence."""


def undirected(names: Iterable[str]) -> tuple[str, ...]:
    """What becomes of aggregations for matrices without directions, each once.

    >>> undirected(["2D_averaged", "2D_slice_merged", "3D_merged"])
    ('2D', '3D')
    """
    return tuple(dict.fromkeys(name.split("_")[0] for name in names))
