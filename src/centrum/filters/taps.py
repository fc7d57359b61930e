"""The kernel of a filter along one axis: at which places it weighs the voxels, and how much."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Taps:
    """Weights other than zero, and their places relative to the voxel that gets the response.

    Attributes
    ----------
    places : ascending; the response at i is the sum of weights[k] x[i + places[k]]
    weights : one for each place

    >>> Taps.of([-1, 0, 1]), Taps.of([-1, 0, 1]).flipped
    (Taps(places=(-1, 1), weights=(1.0, -1.0)), Taps(places=(-1, 1), weights=(-1.0, 1.0)))
    """

    places: tuple[int, ...]
    weights: tuple[float, ...]

    @classmethod
    def at(cls, weights: Mapping[int, float]) -> "Taps":
        """Given by place; zeros are left out."""
        given = sorted((place, w) for place, w in weights.items() if w != 0)
        return cls(tuple(place for place, _ in given), tuple(w for _, w in given))

    @classmethod
    def of(cls, kernel: Sequence[float], dilation: int = 1) -> "Taps":
        """A kernel of convolution, centred; an even number of weights gets a zero behind it.

        A `dilation` of n puts n - 1 zeros between the weights, as an undecimated wavelet
        transform does from level to level (IBSI 2, 25BO).

        >>> Taps.of([1, 2], dilation=2)
        Taps(places=(0, 2), weights=(2.0, 1.0))
        """
        centre = len(kernel) // 2
        return cls.at({dilation * (centre - k): float(w) for k, w in enumerate(kernel)})

    @classmethod
    def mean(cls, support: int) -> "Taps":
        """The same weight for each of `support` voxels, an odd number.

        >>> Taps.mean(3).places
        (-1, 0, 1)
        """
        return cls.of([1 / support] * support)

    @property
    def before(self) -> int:
        """Voxels on which a response depends before its own."""
        return max(-self.places[0], 0) if self.places else 0

    @property
    def after(self) -> int:
        """Voxels on which a response depends after its own."""
        return max(self.places[-1], 0) if self.places else 0

    @cached_property
    def flipped(self) -> "Taps":
        """The kernel in the opposite direction."""
        return Taps(tuple(-p for p in reversed(self.places)), self.weights[::-1])

    @cached_property
    def parts(self) -> tuple["Taps", "Taps"]:
        """Even and odd part, whose sum is the kernel and whose difference the flipped one.

        >>> Taps.of([1, 4, 1]).parts[1].places
        ()
        """
        other = dict(zip(self.flipped.places, self.flipped.weights, strict=True))
        own = dict(zip(self.places, self.weights, strict=True))
        places = own.keys() | other.keys()
        even = {p: (own.get(p, 0.0) + other.get(p, 0.0)) / 2 for p in places}
        odd = {p: (own.get(p, 0.0) - other.get(p, 0.0)) / 2 for p in places}
        return Taps.at(even), Taps.at(odd)

    @cached_property
    def signed(self) -> tuple[int, "Taps"]:
        """Sign, and the kernel times it: an odd kernel and its flip differ by the sign only.

        >>> Taps.of([-1, 0, 1]).signed[1] == Taps.of([1, 0, -1]).signed[1]
        True
        """
        if not self.weights or self.weights[0] > 0:
            return 1, self
        return -1, self.times(-1)

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return sum(self.weights)

    def times(self, factor: float) -> "Taps":
        """The kernel times a number."""
        return Taps(self.places, tuple(factor * w for w in self.weights))

    def then(self, other: "Taps") -> "Taps":
        """The kernel of one filter after the other.

        >>> Taps.of([1, 1]).then(Taps.of([1, 1])).weights
        (1.0, 2.0, 1.0)
        """
        total: defaultdict[int, float] = defaultdict(float)
        for p, w in zip(self.places, self.weights, strict=True):
            for q, v in zip(other.places, other.weights, strict=True):
                total[p + q] += w * v
        return Taps.at(total)


HERE = Taps((0,), (1.0,))
"""Leaves the voxels as they are."""
