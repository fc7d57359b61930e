"""How a vertebral body lost its height, and what that did to its outline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrum.simulate.shapes import compiled, limited

KINDS = ("wedge", "biconcave", "crush")
"""Genant's shapes of a compression fracture."""


@dataclass(frozen=True)
class Fracture:
    """One compression fracture.

    Attributes
    ----------
    kind : wedge, biconcave or crush
    loss : share of the height that is lost where the loss is greatest
    superior : whether the upper end plate broke, else the lower
    corner_mm : how far the posterior corner was pushed into the canal, 0 for none
    bulge_mm : how far the posterior wall is convex, 0 for none
    """

    kind: str
    loss: float
    superior: bool
    corner_mm: float
    bulge_mm: float


NO_FRACTURE = Fracture("wedge", 0.0, True, 0.0, 0.0)


def end_plate_drop(fracture: Fracture, x: NDArray, rim: NDArray) -> NDArray:
    """Share of the height by which the broken end plate fell, at each point of it.

    `x` runs from -1 at the front to 1 at the back; `rim` from 0 in the middle of the end
    plate to 1 at its edge.
    """
    if fracture.kind == "wedge":
        shape = np.clip(0.62 - 0.45 * x, 0.12, 1.0)
    elif fracture.kind == "biconcave":
        shape = 0.15 + 0.6 * np.clip(1 - rim**2, 0, 1)
    else:
        shape = 0.97 - 0.1 * x
    return fracture.loss * shape


def opposite_drop(fracture: Fracture, rim: NDArray) -> NDArray:
    """The same for the other end plate, which gives way in biconcave fractures only."""
    if fracture.kind != "biconcave":
        return np.zeros_like(rim)
    return fracture.loss * 0.4 * np.clip(1 - rim**2, 0, 1)


@compiled
def wall_shift(bulge: float, corner: float, up: float, x: float, lateral: float) -> float:
    """Distance in mm by which the posterior wall moved back at one place.

    `bulge` and `corner` are how far it did in the middle and at its corner. `up` is the height
    from -1 (lower end plate) to 1, signed so that the broken end plate is up; `x` runs from the
    front (-1) to the back (1), `lateral` from 0 in the midline to 1 or -1.
    """
    behind, across = limited((x - 0.25) / 0.5), limited(1 - lateral * lateral)
    convex, pushed = limited(1.05 - up * up), limited((up - 0.1) / 0.6)
    return behind * across * (bulge * convex + corner * pushed)
