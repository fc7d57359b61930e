"""Grey level co-occurrence based features (IBSI 3.6, LFYI)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.features.distribution import entropy, mean, plogp, variance
from centrum.features.registry import Family

Array = NDArray[Any]

glcm = Family("glcm")


@dataclass(frozen=True, eq=False)
class Cooccurrence:
    """Symmetric joint probability `p` of neighbouring grey levels, (..., Ng, Ng).

    Leading axes are a batch (directions, slices); every marginal and feature keeps them.
    A matrix without a single pair of neighbours is nan throughout.
    """

    p: Array

    @classmethod
    def from_counts(cls, counts: Array) -> "Cooccurrence":
        """From pair counts (..., Ng, Ng) in one direction each; adds the opposite one."""
        symmetric = counts + np.swapaxes(counts, -1, -2)
        with np.errstate(invalid="ignore"):
            return cls(symmetric / symmetric.sum(axis=(-2, -1), keepdims=True))

    def sum(self, terms: Array) -> Array:
        """Sum over i and j."""
        return np.asarray(terms.sum(axis=(-2, -1)))

    @cached_property
    def n_levels(self) -> int:
        return self.p.shape[-1]

    @cached_property
    def levels(self) -> Array:
        return np.arange(1.0, self.n_levels + 1)

    @cached_property
    def i(self) -> Array:
        return self.levels[:, None]

    @cached_property
    def j(self) -> Array:
        return self.levels[None, :]

    @cached_property
    def distance(self) -> Array:
        """abs(i - j)."""
        return np.abs(self.i - self.j)

    @cached_property
    def marginal(self) -> Array:
        """Probability of level i, (..., Ng)."""
        return np.asarray(self.p.sum(axis=-1))

    @cached_property
    def mu(self) -> Array:
        return mean(self.levels, self.marginal)

    @cached_property
    def var(self) -> Array:
        return variance(self.levels, self.marginal)

    @cached_property
    def entropy(self) -> Array:
        return -self.sum(plogp(self.p))

    @cached_property
    def difference(self) -> Array:
        """Probability of abs(i - j) = k for k = 0 .. Ng - 1, (..., Ng)."""
        return self._gather(self.distance.astype(np.intp), self.n_levels)

    @cached_property
    def total(self) -> Array:
        """Probability of i + j = k for k = 0 .. 2 Ng (the first two are zero)."""
        return self._gather((self.i + self.j).astype(np.intp), 2 * self.n_levels + 1)

    def _gather(self, group: Array, n_groups: int) -> Array:
        """Sum of p over the cells of each group."""
        batch = self.p.shape[:-2]
        flat = self.p.reshape(-1, group.size)
        keys = np.arange(len(flat))[:, None] * n_groups + group.ravel()
        sums = np.bincount(keys.ravel(), flat.ravel(), minlength=len(flat) * n_groups)
        return sums.reshape(*batch, n_groups)

    @cached_property
    def cluster(self) -> Array:
        """i + j - 2 mu, (..., Ng, Ng)."""
        return self.i + self.j - 2 * self.mu[..., None, None]


def _k(p: Array) -> Array:
    return np.arange(float(p.shape[-1]))


@glcm.feature("GYBY", "Joint maximum")
def joint_maximum(m: Cooccurrence) -> Array:
    return np.asarray(m.p.max(axis=(-2, -1)))


@glcm.feature("60VM", "Joint average")
def joint_average(m: Cooccurrence) -> Array:
    return m.mu


@glcm.feature("UR99", "Joint variance")
def joint_variance(m: Cooccurrence) -> Array:
    return m.var


@glcm.feature("TU9B", "Joint entropy")
def joint_entropy(m: Cooccurrence) -> Array:
    return m.entropy


@glcm.feature("TF7R", "Difference average")
def difference_average(m: Cooccurrence) -> Array:
    return mean(_k(m.difference), m.difference)


@glcm.feature("D3YU", "Difference variance")
def difference_variance(m: Cooccurrence) -> Array:
    return variance(_k(m.difference), m.difference)


@glcm.feature("NTRS", "Difference entropy")
def difference_entropy(m: Cooccurrence) -> Array:
    return entropy(m.difference)


@glcm.feature("ZGXS", "Sum average")
def sum_average(m: Cooccurrence) -> Array:
    return mean(_k(m.total), m.total)


@glcm.feature("OEEB", "Sum variance")
def sum_variance(m: Cooccurrence) -> Array:
    return variance(_k(m.total), m.total)


@glcm.feature("P6QZ", "Sum entropy")
def sum_entropy(m: Cooccurrence) -> Array:
    return entropy(m.total)


@glcm.feature("8ZQL", "Angular second moment")
def angular_second_moment(m: Cooccurrence) -> Array:
    return m.sum(m.p**2)


@glcm.feature("ACUI", "Contrast")
def contrast(m: Cooccurrence) -> Array:
    return m.sum(m.distance**2 * m.p)


@glcm.feature("8S9J", "Dissimilarity")
def dissimilarity(m: Cooccurrence) -> Array:
    return m.sum(m.distance * m.p)


@glcm.feature("IB1Z", "Inverse difference")
def inverse_difference(m: Cooccurrence) -> Array:
    return m.sum(m.p / (1 + m.distance))


@glcm.feature("NDRX", "Normalised inverse difference")
def normalised_inverse_difference(m: Cooccurrence) -> Array:
    return m.sum(m.p / (1 + m.distance / m.n_levels))


@glcm.feature("WF0Z", "Inverse difference moment")
def inverse_difference_moment(m: Cooccurrence) -> Array:
    return m.sum(m.p / (1 + m.distance**2))


@glcm.feature("1QCO", "Normalised inverse difference moment")
def normalised_inverse_difference_moment(m: Cooccurrence) -> Array:
    return m.sum(m.p / (1 + (m.distance / m.n_levels) ** 2))


@glcm.feature("E8JP", "Inverse variance")
def inverse_variance(m: Cooccurrence) -> Array:
    unequal = m.difference[..., 1:]
    return np.asarray(np.sum(unequal / np.arange(1, m.n_levels) ** 2, axis=-1))


@glcm.feature("NI2N", "Correlation")
def correlation(m: Cooccurrence) -> Array:
    """1 where all pairs have one level."""
    return np.where(m.var == 0, 1.0, (m.sum(m.i * m.j * m.p) - m.mu**2) / m.var)


@glcm.feature("QWB0", "Autocorrelation")
def autocorrelation(m: Cooccurrence) -> Array:
    return m.sum(m.i * m.j * m.p)


@glcm.feature("DG8W", "Cluster tendency")
def cluster_tendency(m: Cooccurrence) -> Array:
    return m.sum(m.cluster**2 * m.p)


@glcm.feature("7NFM", "Cluster shade")
def cluster_shade(m: Cooccurrence) -> Array:
    return m.sum(m.cluster**3 * m.p)


@glcm.feature("AE86", "Cluster prominence")
def cluster_prominence(m: Cooccurrence) -> Array:
    return m.sum(m.cluster**4 * m.p)


@glcm.feature("R8DG", "First measure of information correlation")
def information_correlation_1(m: Cooccurrence) -> Array:
    """0 where all pairs have one level. Because p is symmetric, HXY1 = 2 HX."""
    marginal_entropy = entropy(m.marginal)
    ratio = (m.entropy - 2 * marginal_entropy) / marginal_entropy
    return np.where(marginal_entropy == 0, 0.0, ratio)


@glcm.feature("JN9H", "Second measure of information correlation")
def information_correlation_2(m: Cooccurrence) -> Array:
    gain = np.maximum(2 * entropy(m.marginal) - m.entropy, 0)
    return np.sqrt(1 - np.exp(-2 * gain))


@glcm.feature("", "Maximal correlation coefficient")
def maximal_correlation_coefficient(m: Cooccurrence) -> Array:
    """Square root of the second eigenvalue of Q (Haralick 1973); 1 where there is one level."""
    flat = m.p.reshape(-1, m.n_levels, m.n_levels)
    return np.array([_maximal_correlation(p) for p in flat]).reshape(m.p.shape[:-2])


def _maximal_correlation(p: Array) -> float:
    """Second singular value of p_ij / sqrt(p_i p_j), whose square is the eigenvalue of Q."""
    if np.isnan(p).any():
        return np.nan
    marginal = p.sum(axis=0)
    present = marginal > 0
    if present.sum() < 2:
        return 1.0
    root = np.sqrt(marginal[present])
    singular = np.linalg.svd(p[np.ix_(present, present)] / np.outer(root, root), compute_uv=False)
    return float(singular[1])
