"""Mean, variance and entropy of discrete distributions along the last axis; sums that cancel."""

import numpy as np

from centrum.arrays import Array


def mean(values: Array, p: Array) -> Array:
    """Expectation of `values` (n,), or (..., n), under probabilities `p` (..., n)."""
    return np.asarray(p @ values if values.ndim == 1 else (p * values).sum(axis=-1))


CANCELLED = 1e-12
"""Share of the sizes of its terms below which a sum is their rounding error."""


def unless_cancelled(total: float, sizes: float) -> float:
    """A sum, 0 where its terms cancel, as after a z-score over the region itself.

    What is divided by it is then undefined, instead of noise divided by noise.

    >>> unless_cancelled(-3e-16, 2.0), unless_cancelled(-3e-6, 2.0)
    (0.0, -3e-06)
    """
    return total if abs(total) > CANCELLED * sizes else 0.0


def variance(values: Array, p: Array) -> Array:
    """Variance of `values` (n,) under probabilities `p` (..., n)."""
    return np.asarray(np.sum((values - mean(values, p)[..., None]) ** 2 * p, axis=-1))


def plogp(p: Array) -> Array:
    """p log2 p, with 0 log2 0 = 0; the shape of `p`."""
    return np.asarray(p * np.log2(p, out=np.zeros_like(p, dtype=float), where=p > 0))


def entropy(p: Array) -> Array:
    """Entropy in bits of probabilities `p` (..., n).

    >>> float(entropy(np.array([0.5, 0.25, 0.25, 0.0])))
    1.5
    """
    return np.asarray(-np.sum(plogp(p), axis=-1))
