"""Grey level co-occurrence based features (IBSI 3.6, LFYI)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from centrum.arrays import Array
from centrum.features.distribution import entropy, mean, variance
from centrum.features.registry import Family, Reads
from centrum.kernels.cooccurrence import Summary, standardise, summarise
from centrum.kernels.eigen import largest_eigenvalue

COOCCURRENCE = Reads(
    "pairs of neighbours", levels=True, neighbours=True, directed=True, responses=True
)

glcm = Family("glcm", COOCCURRENCE)


@dataclass(frozen=True, eq=False)
class Cooccurrence:
    """Joint probability `p` of the grey levels of two neighbours, (..., Ng, Ng).

    Leading axes are a batch (images, blocks, directions); every marginal and feature keeps them.
    `n_levels` (...) is Ng of each matrix, which can be smaller than the largest one's. A matrix
    without a single pair of neighbours is nan throughout. `one_level` (...) tells where the region
    itself has a single grey level, and not only the pairs of a matrix. Most features are
    functions of i - j or i + j alone: they read `difference` and `total`.
    """

    p: Array
    n_levels: Array
    one_level: Array

    @classmethod
    def of(cls, p: Array, *, one_level: bool | None = None) -> "Cooccurrence":
        """Of probabilities whose grey levels are all in use, unless `one_level` says otherwise."""
        batch, n_levels = p.shape[:-2], p.shape[-1]
        one_level = n_levels == 1 if one_level is None else one_level
        return cls(p, np.full(batch, n_levels), np.full(batch, one_level))

    @classmethod
    def from_counts(
        cls, counts: Array, *, symmetric: bool = True, one_level: bool | None = None
    ) -> "Cooccurrence":
        """From pair counts (..., Ng, Ng) in one direction each; `symmetric` adds the opposite.

        >>> Cooccurrence.from_counts(np.array([[2.0, 1.0], [0.0, 1.0]])).p.tolist()
        [[0.5, 0.125], [0.125, 0.25]]
        """
        if symmetric:
            counts = counts + np.swapaxes(counts, -1, -2)
        with np.errstate(invalid="ignore"):
            p = counts / counts.sum(axis=(-2, -1), keepdims=True)
        return cls.of(p, one_level=one_level)

    @classmethod
    def together(cls, parts: Sequence["Cooccurrence"]) -> "Cooccurrence":
        """Several of the same batch, along a new first axis; smaller ones are padded with 0.

        >>> cls = Cooccurrence
        >>> cls.together([EXAMPLE, cls.of(np.ones((1, 1)))]).p[1].tolist()
        [[1.0, 0.0], [0.0, 0.0]]
        """
        if len(parts) == 1:
            (part,) = parts
            return cls(part.p[None], part.n_levels[None], part.one_level[None])
        side = max(part.p.shape[-1] for part in parts)
        p = np.zeros((len(parts), *parts[0].p.shape[:-2], side, side))
        for k, part in enumerate(parts):
            n = part.p.shape[-1]
            p[k, ..., :n, :n] = part.p
        n_levels = np.stack([part.n_levels for part in parts])
        return cls(p, n_levels, np.stack([part.one_level for part in parts]))

    @cached_property
    def levels(self) -> Array:
        return np.arange(1.0, self.p.shape[-1] + 1)

    @property
    def matrices(self) -> Array:
        """All matrices of the batch, (n, Ng, Ng)."""
        return np.ascontiguousarray(self.p).reshape(-1, *self.p.shape[-2:])

    @cached_property
    def _summary(self) -> Summary:
        flat = self.matrices
        found = summarise(flat)
        empty = np.isnan(flat[:, 0, 0])
        if empty.any():
            for values in found:
                values[empty] = np.nan
        batch = self.p.shape[:-2]
        return Summary(*(v.reshape(batch + v.shape[1:]) for v in found))

    @property
    def entropy(self) -> Array:
        """-sum_ij p log2 p."""
        return self._summary.entropy

    @property
    def energy(self) -> Array:
        """sum_ij p^2."""
        return self._summary.energy

    @property
    def maximum(self) -> Array:
        return self._summary.maximum

    @property
    def difference(self) -> Array:
        """Probability of abs(i - j) = k for k = 0 .. Ng - 1, (..., Ng)."""
        return self._summary.difference

    @property
    def total(self) -> Array:
        """Probability of i + j = k for k = 0 .. 2 Ng (the first two are zero)."""
        return self._summary.total

    @property
    def of_difference(self) -> "Weights":
        return _weights(self.difference.shape[-1])

    @cached_property
    def scaled(self) -> Array:
        """abs(i - j) / Ng, (..., Ng)."""
        return np.asarray(self.of_difference.k / self.n_levels[..., None])

    @cached_property
    def p_i(self) -> Array:
        """Probability of the level of a voxel, (..., Ng)."""
        return np.asarray(self.p.sum(axis=-1))

    @cached_property
    def p_j(self) -> Array:
        """Probability of the level of its neighbour, (..., Ng)."""
        return np.asarray(self.p.sum(axis=-2))

    @cached_property
    def mu(self) -> Array:
        return mean(self.levels, self.p_i)

    @cached_property
    def mu_total(self) -> Array:
        """Mean of i + j."""
        return mean(_weights(self.total.shape[-1]).k, self.total)

    @cached_property
    def mu_difference(self) -> Array:
        """Mean of abs(i - j)."""
        return mean(self.of_difference.k, self.difference)

    @cached_property
    def var(self) -> Array:
        return variance(self.levels, self.p_i, self.mu)

    @cached_property
    def contrast(self) -> Array:
        """Mean of (i - j)^2."""
        return mean(self.of_difference.squared, self.difference)

    @cached_property
    def covariance(self) -> Array:
        """Of i and j, from the variances of i + j and i - j."""
        shift = 2 * self.mu - self.mu_total
        return np.asarray((self.clusters[0] - self.contrast + shift**2) / 4)

    @cached_property
    def clusters(self) -> tuple[Array, Array, Array]:
        """Means of (i + j - mean) to the powers 2, 3 and 4."""
        deviation = _weights(self.total.shape[-1]).k - self.mu_total[..., None]
        second = deviation * deviation
        third = second * deviation
        fourth = third * deviation
        a, b, c = ((power * self.total).sum(axis=-1) for power in (second, third, fourth))
        return a, b, c

    @cached_property
    def marginal_entropies(self) -> tuple[Array, Array]:
        """HX and HY, in bits."""
        return entropy(self.p_i), entropy(self.p_j)


class Weights(NamedTuple):
    """Of the numbers k = 0 .. n - 1: themselves, their squares and what falls with them, (n,)."""

    k: Array
    squared: Array
    inverse: Array
    inverse_moment: Array
    inverse_square: Array


@cache
def _weights(n: int) -> Weights:
    k = np.arange(float(n))
    inverse_square = np.divide(1, k**2, out=np.zeros_like(k), where=k > 0)
    found = Weights(k, k**2, 1 / (1 + k), 1 / (1 + k**2), inverse_square)
    for weights in found:
        weights.setflags(write=False)
    return found


EXAMPLE = Cooccurrence.of(np.array([[0.5, 0.125], [0.125, 0.25]]))
"""Two grey levels; neighbours are equal with probability 0.75."""


@glcm.feature("GYBY", "Joint maximum")
def joint_maximum(m: Cooccurrence) -> Array:
    """Probability of the most frequent pair.

    >>> round(float(joint_maximum(EXAMPLE)), 6)
    0.5
    """
    return m.maximum


@glcm.feature("60VM", "Joint average")
def joint_average(m: Cooccurrence) -> Array:
    """Mean grey level over pairs.

    >>> round(float(joint_average(EXAMPLE)), 6)
    1.375
    """
    return m.mu


@glcm.feature("UR99", "Joint variance")
def joint_variance(m: Cooccurrence) -> Array:
    """Variance of the grey level over pairs.

    >>> round(float(joint_variance(EXAMPLE)), 6)
    0.234375
    """
    return m.var


@glcm.feature("TU9B", "Joint entropy")
def joint_entropy(m: Cooccurrence) -> Array:
    """Entropy of pairs, in bits.

    >>> round(float(joint_entropy(EXAMPLE)), 6)
    1.75
    """
    return m.entropy


@glcm.feature("TF7R", "Difference average")
def difference_average(m: Cooccurrence) -> Array:
    """Mean of abs(i - j).

    >>> round(float(difference_average(EXAMPLE)), 6)
    0.25
    """
    return m.mu_difference


@glcm.feature("D3YU", "Difference variance")
def difference_variance(m: Cooccurrence) -> Array:
    """Variance of abs(i - j).

    >>> round(float(difference_variance(EXAMPLE)), 6)
    0.1875
    """
    return variance(m.of_difference.k, m.difference, m.mu_difference)


@glcm.feature("NTRS", "Difference entropy")
def difference_entropy(m: Cooccurrence) -> Array:
    """Entropy of abs(i - j), in bits.

    >>> round(float(difference_entropy(EXAMPLE)), 6)
    0.811278
    """
    return entropy(m.difference)


@glcm.feature("ZGXS", "Sum average")
def sum_average(m: Cooccurrence) -> Array:
    """Mean of i + j.

    >>> round(float(sum_average(EXAMPLE)), 6)
    2.75
    """
    return m.mu_total


@glcm.feature("OEEB", "Sum variance")
def sum_variance(m: Cooccurrence) -> Array:
    """Variance of i + j.

    >>> round(float(sum_variance(EXAMPLE)), 6)
    0.6875
    """
    return m.clusters[0]


@glcm.feature("P6QZ", "Sum entropy")
def sum_entropy(m: Cooccurrence) -> Array:
    """Entropy of i + j, in bits.

    >>> round(float(sum_entropy(EXAMPLE)), 6)
    1.5
    """
    return entropy(m.total)


@glcm.feature("8ZQL", "Angular second moment")
def angular_second_moment(m: Cooccurrence) -> Array:
    """Large where few pairs dominate.

    >>> round(float(angular_second_moment(EXAMPLE)), 6)
    0.34375
    """
    return m.energy


@glcm.feature("ACUI", "Contrast")
def contrast(m: Cooccurrence) -> Array:
    """Mean of (i - j)^2.

    >>> round(float(contrast(EXAMPLE)), 6)
    0.25
    """
    return m.contrast


@glcm.feature("8S9J", "Dissimilarity")
def dissimilarity(m: Cooccurrence) -> Array:
    """Equal to the difference average.

    >>> round(float(dissimilarity(EXAMPLE)), 6)
    0.25
    """
    return difference_average(m)


@glcm.feature("IB1Z", "Inverse difference")
def inverse_difference(m: Cooccurrence) -> Array:
    """Large where neighbours are alike.

    >>> round(float(inverse_difference(EXAMPLE)), 6)
    0.875
    """
    return mean(m.of_difference.inverse, m.difference)


@glcm.feature("NDRX", "Normalised inverse difference")
def normalised_inverse_difference(m: Cooccurrence) -> Array:
    """As the one above, with differences divided by Ng.

    >>> round(float(normalised_inverse_difference(EXAMPLE)), 6)
    0.916667
    """
    return mean(1 / (1 + m.scaled), m.difference)


@glcm.feature("WF0Z", "Inverse difference moment")
def inverse_difference_moment(m: Cooccurrence) -> Array:
    """Large where neighbours are alike; also called homogeneity.

    >>> round(float(inverse_difference_moment(EXAMPLE)), 6)
    0.875
    """
    return mean(m.of_difference.inverse_moment, m.difference)


@glcm.feature("1QCO", "Normalised inverse difference moment")
def normalised_inverse_difference_moment(m: Cooccurrence) -> Array:
    """As the one above, with differences divided by Ng.

    >>> round(float(normalised_inverse_difference_moment(EXAMPLE)), 6)
    0.95
    """
    return mean(1 / (1 + m.scaled**2), m.difference)


@glcm.feature("E8JP", "Inverse variance")
def inverse_variance(m: Cooccurrence) -> Array:
    """Sum of p / (i - j)^2 over pairs that differ.

    >>> round(float(inverse_variance(EXAMPLE)), 6)
    0.25
    """
    return mean(m.of_difference.inverse_square, m.difference)


@glcm.feature("NI2N", "Correlation")
def correlation(m: Cooccurrence) -> Array:
    """Of the levels of neighbours; 1 where all pairs have one level.

    >>> round(float(correlation(EXAMPLE)), 6)
    0.466667
    """
    product = np.sqrt(m.var * variance(m.levels, m.p_j))
    return np.where(product == 0, 1.0, m.covariance / product)


@glcm.feature("QWB0", "Autocorrelation")
def autocorrelation(m: Cooccurrence) -> Array:
    """Mean of i j, which is ((i + j)^2 - (i - j)^2) / 4.

    >>> round(float(autocorrelation(EXAMPLE)), 6)
    2.0
    """
    squared = _weights(m.total.shape[-1]).squared
    return np.asarray((mean(squared, m.total) - m.contrast) / 4)


@glcm.feature("DG8W", "Cluster tendency")
def cluster_tendency(m: Cooccurrence) -> Array:
    """Groups of neighbours of like level; equal to the sum variance.

    >>> round(float(cluster_tendency(EXAMPLE)), 6)
    0.6875
    """
    return m.clusters[0]


@glcm.feature("7NFM", "Cluster shade")
def cluster_shade(m: Cooccurrence) -> Array:
    """Skewness of i + j, not scaled.

    >>> round(float(cluster_shade(EXAMPLE)), 6)
    0.28125
    """
    return m.clusters[1]


@glcm.feature("AE86", "Cluster prominence")
def cluster_prominence(m: Cooccurrence) -> Array:
    """Kurtosis of i + j, not scaled.

    >>> round(float(cluster_prominence(EXAMPLE)), 6)
    0.769531
    """
    return m.clusters[2]


@glcm.feature("R8DG", "First measure of information correlation")
def information_correlation_1(m: Cooccurrence) -> Array:
    """0 where all pairs have one level. HXY1 is HX + HY, as p_i and p_j are marginals of p.

    >>> round(float(information_correlation_1(EXAMPLE)), 6)
    -0.166453
    """
    hx, hy = m.marginal_entropies
    largest = np.maximum(hx, hy)
    return np.where(largest == 0, 0.0, (m.entropy - hx - hy) / largest)


@glcm.feature("JN9H", "Second measure of information correlation")
def information_correlation_2(m: Cooccurrence) -> Array:
    """0 where levels of neighbours are independent.

    >>> round(float(information_correlation_2(EXAMPLE)), 6)
    0.521733
    """
    hx, hy = m.marginal_entropies
    return np.sqrt(1 - np.exp(-2 * np.maximum(hx + hy - m.entropy, 0)))


@glcm.feature("", "Maximal correlation coefficient")
def maximal_correlation_coefficient(m: Cooccurrence) -> Array:
    """Square root of the second eigenvalue of Q (Haralick 1973).

    1 where the region has one grey level, as PyRadiomics has it; 0 where only the pairs have.

    >>> round(float(maximal_correlation_coefficient(EXAMPLE)), 6)
    0.466667
    >>> pairs_of_one_level = Cooccurrence.of(np.array([[1.0, 0.0], [0.0, 0.0]]))
    >>> float(maximal_correlation_coefficient(pairs_of_one_level))
    0.0
    """
    p_i, p_j = (p.reshape(-1, p.shape[-1]) for p in (m.p_i, m.p_j))
    second = _maximal_correlation(m.matrices, p_i, p_j).reshape(m.p.shape[:-2])
    return np.where(np.isnan(m.p_i[..., 0]), np.nan, np.where(m.one_level, 1.0, second))


def _maximal_correlation(p: Array, p_i: Array, p_j: Array) -> Array:
    """Second singular value of p_ij / sqrt(p_i p_j), whose square is the eigenvalue of Q.

    The first is 1, of the vectors sqrt(p_i) and sqrt(p_j); their product is taken away.
    """
    scaled = standardise(p, p_i, p_j)
    if np.array_equal(p, np.swapaxes(p, -1, -2), equal_nan=True):
        return largest_eigenvalue(scaled)
    return np.asarray(np.linalg.svd(scaled, compute_uv=False)[:, 0], dtype=float)
