"""How matrices of several directions and slices become one number (IBSI 3.6 to 3.11).

Two words: **merge** is the sum of counts before a feature is computed, **average** the mean
of its values afterwards.
"""

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


@dataclass(frozen=True)
class Aggregation:
    """`code` is the IBSI's; counts come with the axes (direction, slice)."""

    name: AggregationName
    code: str
    by_slice: bool
    merged_axes: tuple[int, ...]


AGGREGATIONS: dict[str, Aggregation] = {
    a.name: a
    for a in (
        Aggregation("2D_averaged", "BTW3", by_slice=True, merged_axes=()),
        Aggregation("2D_slice_merged", "SUJT", by_slice=True, merged_axes=(0,)),
        Aggregation("2.5D_direction_merged", "JJUI", by_slice=True, merged_axes=(1,)),
        Aggregation("2.5D_merged", "ZW7Z", by_slice=True, merged_axes=(0, 1)),
        Aggregation("3D_averaged", "ITBB", by_slice=False, merged_axes=()),
        Aggregation("3D_merged", "IAZD", by_slice=False, merged_axes=(0, 1)),
    )
}
