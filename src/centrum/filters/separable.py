"""Filters that are kernels along the axes, one after another: what they share.

Kernels are given in the order of the standard, x (k1) first, then y and, in 3D, z.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import permutations, product
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from centrum.arrays import Floats
from centrum.filters.filter import Filter
from centrum.filters.taps import Taps
from centrum.filters.view import Boundary, Reach, View
from centrum.kernels.convolve import convolve
from centrum.settings import Dialect

Kernels = tuple[Taps, ...]
Along = Sequence[Sequence[Taps]]
Pooling = Literal["max", "average", "min"]


class Passes:
    """Responses of separable filters in the box of a view; every partial result is made once.

    Beyond the image the boundary condition goes on: passes and levels are not padded anew.

    Parameters
    ----------
    along : for x, y (and z) all kernels that will be laid along that axis

    >>> row = View.whole(np.array([[[1.0, 2.0, 4.0]]]), (1, 1, 1))
    >>> edge, here = Taps.of([1, -1]), Taps.of([1])
    >>> Passes(row, "nearest", [[edge], [here]]).response((edge, here)).tolist()
    [[[1.0, 2.0, 0.0]]]
    """

    def __init__(self, view: View, boundary: Boundary, along: Along) -> None:
        self.shape = view.shape
        around = [(max(t.before for t in a), max(t.after for t in a)) for a in along]
        around += [(0, 0)] * (3 - len(around))
        self.before = tuple(before for before, _ in around)
        self.made: dict[Kernels, Floats] = {(): view.around(around[::-1], boundary)}

    def partial(self, kernels: Kernels) -> Floats:
        """The image after these kernels along the first axes."""
        if kernels not in self.made:
            self.made[kernels] = self.response(kernels)
        return self.made[kernels]

    def response(self, kernels: Kernels) -> Floats:
        """The same, not kept."""
        return self._next(self.partial(kernels[:-1]), kernels)

    def total(self, weights: Mapping[Kernels, float]) -> Floats:
        """Weighted sum of responses: those with the same last kernel share its pass."""
        by_last: defaultdict[Taps, list[Kernels]] = defaultdict(list)
        for kernels in weights:
            by_last[kernels[-1]].append(kernels)
        out = np.zeros(self.shape)
        for group in by_last.values():
            added = sum(weights[kernels] * self.partial(kernels[:-1]) for kernels in group)
            out += self._next(np.asarray(added), group[0])
        return out

    def pooled(self, kernels: Kernels, pooling: Pooling | None) -> Floats:
        """The response, or that of all right-angle rotations pooled (IBSI 2, section 2.5)."""
        if pooling is None:
            return self.response(kernels)
        if pooling == "average":
            return self.total(averaged(kernels))
        keep = np.maximum if pooling == "max" else np.minimum
        out: Floats | None = None
        for rotated, signs in distinct(kernels).items():
            response = self.response(rotated)
            for sign in signs:
                turned = sign * response
                out = turned if out is None else keep(out, turned, out=out)
        assert out is not None
        return out

    def _next(self, array: Floats, kernels: Kernels) -> Floats:
        k, taps = len(kernels) - 1, kernels[-1]
        places = [p + self.before[k] for p in taps.places]
        return convolve(array, places, taps.weights, 2 - k, self.shape[2 - k])


@cache
def rotations(dimensions: int) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """Right-angle rotations: which kernel is laid along each axis, and whether (-1) flipped.

    >>> len(rotations(2)), len(rotations(3))
    (4, 24)
    """
    identity = np.eye(dimensions)
    return tuple(
        (order, signs)
        for order in permutations(range(dimensions))
        for signs in product((1, -1), repeat=dimensions)
        if np.linalg.det(identity[list(order)]) * np.prod(signs) > 0
    )


@cache
def averaged(kernels: Kernels) -> dict[Kernels, float]:
    """Weights of the kernels whose weighted sum is the mean over all right-angle rotations.

    Written in even and odd parts of the kernels most of the 24 rotations cancel: of two different
    kernels three products remain, of equal ones one, and of an odd with even ones nothing.

    >>> low, high = Taps.of([1, 1]), Taps.of([1, -1])
    >>> [len(averaged(k)) for k in ((low, low, high), (low,) * 3, (low, high), (low, low))]
    [3, 1, 2, 1]
    """
    total: defaultdict[Kernels, float] = defaultdict(float)
    turns = rotations(len(kernels))
    for order, signs in turns:
        for odd in product((0, 1), repeat=len(kernels)):
            parts = tuple(kernels[k].parts[o] for k, o in zip(order, odd, strict=True))
            sign = int(np.prod([s if o else 1 for s, o in zip(signs, odd, strict=True)]))
            if all(part.places for part in parts):
                total[parts] += sign / len(turns)
    return {parts: weight for parts, weight in total.items() if abs(weight) > 0.5 / len(turns)}


@cache
def distinct(kernels: Kernels) -> dict[Kernels, set[int]]:
    """The kernels of all right-angle rotations up to their sign, with the signs that occur.

    >>> level, edge = Taps.of([1, 2, 1]), Taps.of([-1, 0, 1])
    >>> [signs for signs in distinct((level, edge, edge)).values()]
    [{1, -1}, {1, -1}, {1, -1}]
    """
    found: defaultdict[Kernels, set[int]] = defaultdict(set)
    for order, signs in rotations(len(kernels)):
        turned = [
            (kernels[k] if s > 0 else kernels[k].flipped).signed
            for k, s in zip(order, signs, strict=True)
        ]
        found[tuple(t for _, t in turned)].add(int(np.prod([sign for sign, _ in turned])))
    return dict(found)


def along_axes(kernels: Kernels, pooling: Pooling | None) -> Along:
    """All kernels that the rotations which `pooling` asks for lay along each axis."""
    if pooling is None:
        return [[k] for k in kernels]
    return [[t for k in kernels for t in (k, k.flipped)]] * len(kernels)


def one_axis_each(along: Along) -> Iterator[Kernels]:
    """Of a pair of kernels per axis the second along one axis, the first along the others.

    >>> smooth, slope = Taps.of([1, 1]), Taps.of([1, -1])
    >>> list(one_axis_each([(smooth, slope)] * 2)) == [(slope, smooth), (smooth, slope)]
    True
    """
    for axis in range(len(along)):
        yield tuple(pair[int(k == axis)] for k, pair in enumerate(along))


class SeparableFilter(Filter):
    """A filter of the IBSI made of kernels with finite support along the axes.

    A subclass says `name_parts`, `along` and `maps`.
    """

    dialect: ClassVar[Dialect] = "ibsi"

    dimension: Literal["2D", "3D"] = Field(
        "3D", description="2D works in the slices of `plane`, 3D across them too"
    )
    boundary: Boundary = Field("mirror", description="what lies beyond the edges of the image")

    @property
    def n_axes(self) -> int:
        return 2 if self.in_slices else 3

    @property
    def ending(self) -> str:
        """What every name ends with: the dimension, and the boundary if it is not the usual."""
        return self.dimension if self.boundary == "mirror" else f"{self.dimension}-{self.boundary}"

    def along(self, spacing: tuple[float, float, float]) -> Along:
        """For x, y (and z) every kernel that is laid along that axis, given mm (z, y, x)."""
        raise NotImplementedError

    def maps(self, passes: Passes, spacing: tuple[float, float, float]) -> Iterator[Floats]:
        """One response map for each of `names`."""
        raise NotImplementedError

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        x, y, *z = (max(max(t.before, t.after) for t in a) for a in self.along(spacing))
        return (*z, 0)[0], y, x

    def respond(self, view: View) -> Iterator[Floats]:
        passes = Passes(view, self.boundary, self.along(view.spacing))
        yield from self.maps(passes, view.spacing)


def grown(view: View, reach: Sequence[int]) -> View:
    """The same image with a box larger by `reach` along (z, y, x), maybe beyond the image."""
    z, y, x = (slice(b.start - r, b.stop + r) for b, r in zip(view.box, reach, strict=True))
    return replace(view, box=(z, y, x))
