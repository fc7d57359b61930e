"""Neighbourhood grey tone difference based features (IBSI 3.10, IPET)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from centrum.arrays import Array
from centrum.features.registry import Family, Reads

TONE_DIFFERENCES = Reads(
    "differences from the mean of the neighbours", levels=True, neighbours=True, responses=True
)

ngtdm = Family("ngtdm", TONE_DIFFERENCES)

COARSENESS_OF_FLAT = 1e6
"""Coarseness where no voxel differs from its neighbours, as PyRadiomics and the IBSI have it."""


@dataclass(frozen=True, eq=False)
class ToneDifferences:
    """For grey levels 1 .. Ng, in a batch of matrices.

    Attributes
    ----------
    n : (..., Ng) voxels of the level that have a neighbour in the region
    s : (..., Ng) sum over them of abs(level - mean level of the neighbours)
    """

    n: Array
    s: Array

    @classmethod
    def together(cls, parts: Sequence["ToneDifferences"]) -> "ToneDifferences":
        """Several of the same batch, along a new first axis; smaller ones are padded with 0."""
        if len(parts) == 1:
            return cls(parts[0].n[None].astype(float), parts[0].s[None])
        side = max(part.n.shape[-1] for part in parts)
        n, s = np.zeros((2, len(parts), *parts[0].n.shape[:-1], side))
        for k, part in enumerate(parts):
            n[k, ..., : part.n.shape[-1]] = part.n
            s[k, ..., : part.s.shape[-1]] = part.s
        return cls(n, s)

    @cached_property
    def n_voxels(self) -> Array:
        return np.asarray(self.n.sum(axis=-1))

    @cached_property
    def p(self) -> Array:
        """Share of each level, (..., Ng)."""
        return np.asarray(self.n / self.n_voxels[..., None])

    @cached_property
    def levels(self) -> Array:
        return np.arange(1.0, self.n.shape[-1] + 1)

    @cached_property
    def n_levels(self) -> Array:
        """Number of levels that occur."""
        return np.count_nonzero(self.n, axis=-1)

    @cached_property
    def total(self) -> Array:
        """Sum of all differences."""
        return np.asarray(self.s.sum(axis=-1))

    @cached_property
    def weighted(self) -> Array:
        """sum_i p_i s_i."""
        return np.asarray((self.p * self.s).sum(axis=-1))

    @cached_property
    def present(self) -> Array:
        """Levels that occur in any matrix: the others add nothing to sums over pairs."""
        return np.flatnonzero(self.n.reshape(-1, self.n.shape[-1]).any(axis=0))

    @cached_property
    def pairs(self) -> tuple[Array, tuple[Array, ...]]:
        """Which pairs of levels occur, and i, j, p_i, p_j, s_i, s_j of each."""
        keep = self.present
        i, p, s = self.levels[keep], self.p[..., keep], self.s[..., keep]
        there = p > 0
        of_pairs = (p[..., :, None], p[..., None, :], s[..., :, None], s[..., None, :])
        return there[..., :, None] & there[..., None, :], (i[:, None], i, *of_pairs)

    def over_pairs(self, terms: Any) -> Array:
        """Sum over pairs of levels that occur of terms(i, j, p_i, p_j, s_i, s_j)."""
        both, of_pairs = self.pairs
        return np.asarray(np.where(both, terms(*of_pairs), 0.0).sum(axis=(-2, -1)))

    @cached_property
    def lonely(self) -> Array | None:
        """Where no voxel has a neighbour; None if nowhere."""
        lonely = np.asarray(self.n_voxels == 0)
        return lonely if lonely.any() else None

    def unless(self, special: Array, value: float, values: Array) -> Array:
        """`values`, but `value` where `special`; nan where no voxel has a neighbour."""
        usual = np.where(special, value, values)
        return usual if self.lonely is None else np.where(self.lonely, np.nan, usual)

    @cached_property
    def spread(self) -> Array:
        """sum_ij p_i p_j (i - j)^2, twice the variance of the level."""
        mean = (self.levels * self.p).sum(axis=-1)
        return np.asarray(2 * ((self.levels - mean[..., None]) ** 2 * self.p).sum(axis=-1))


EXAMPLE = ToneDifferences(n=np.array([[2, 2]]), s=np.array([[1.0, 3.0]]))
"""Two voxels of level 1 and two of level 2."""


@ngtdm.feature("QCDE", "Coarseness")
def coarseness(t: ToneDifferences) -> Array:
    """Large where neighbours are alike; 1e6 where they are all equal.

    >>> coarseness(EXAMPLE)
    array([0.5])
    """
    return t.unless(t.weighted == 0, COARSENESS_OF_FLAT, 1 / t.weighted)


@ngtdm.feature("65HE", "Contrast")
def contrast(t: ToneDifferences) -> Array:
    """Range of levels times differences of neighbours; 0 where there is one level.

    >>> contrast(EXAMPLE)
    array([0.25])
    """
    pairs = t.n_levels * (t.n_levels - 1)
    return t.unless(t.n_levels == 1, 0.0, t.spread / pairs * t.total / t.n_voxels)


@ngtdm.feature("NQ30", "Busyness")
def busyness(t: ToneDifferences) -> Array:
    """Fast changes between neighbours; 0 where there is one level.

    >>> busyness(EXAMPLE)
    array([2.])
    """
    gaps = t.over_pairs(lambda i, j, pi, pj, si, sj: abs(i * pi - j * pj))
    return t.unless(gaps == 0, 0.0, t.weighted / gaps)


@ngtdm.feature("HDEZ", "Complexity")
def complexity(t: ToneDifferences) -> Array:
    """Many and sharp changes of level.

    >>> complexity(EXAMPLE)
    array([1.])
    """
    terms = t.over_pairs(lambda i, j, pi, pj, si, sj: abs(i - j) * (pi * si + pj * sj) / (pi + pj))
    return np.asarray(terms / t.n_voxels)


@ngtdm.feature("1X9X", "Strength")
def strength(t: ToneDifferences) -> Array:
    """Distinct, coarse patterns; 0 where neighbours are all equal.

    >>> strength(EXAMPLE)
    array([0.5])
    """
    terms = t.over_pairs(lambda i, j, pi, pj, si, sj: (pi + pj) * (i - j) ** 2)
    return t.unless(t.total == 0, 0.0, terms / t.total)
