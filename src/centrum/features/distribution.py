"""Mean, variance and entropy of discrete distributions along the last axis; sums that cancel."""

import numpy as np

from centrum.arrays import Array, Floats
from centrum.kernels.tally import Value


def mean(values: Array, p: Array) -> Array:
    """Expectation of `values` (n,), or (..., n), under probabilities `p` (..., n)."""
    return np.asarray(p @ values if values.ndim == 1 else (p * values).sum(axis=-1))


CANCELLED = 1e-12
"""Share of the sizes of its terms below which a sum is their rounding error."""


def unless_cancelled(total: Value, sizes: Value) -> Floats:
    """A sum, 0 where its terms cancel, as after a z-score over the region itself.

    What is divided by it is then undefined, instead of noise divided by noise.

    >>> unless_cancelled(np.array([-3e-16, -3e-6]), 2.0).tolist()
    [0.0, -3e-06]
    """
    return np.where(np.abs(total) > CANCELLED * sizes, total, 0.0)


def power(base: Value, exponent: float) -> Value:
    """Of one number or of many by the same function: numpy's of arrays differs in the last bit.

    >>> power(4.0, 1.5), power(np.array([4.0, 9.0]), 1.5).tolist()
    (8.0, [8.0, 27.0])
    """
    if isinstance(base, np.ndarray):
        return np.array([value**exponent for value in base.tolist()])
    return float(base**exponent)


def variance(values: Array, p: Array, mu: Array | None = None) -> Array:
    """Variance of `values` (n,), whose mean is `mu`, under probabilities `p` (..., n)."""
    mu = mean(values, p) if mu is None else mu
    return np.asarray(((values - mu[..., None]) ** 2 * p).sum(axis=-1))


def plogp(p: Array) -> Array:
    """p log2 p, with 0 log2 0 = 0; the shape of `p`."""
    return np.asarray(p * np.log2(p, out=np.zeros(p.shape), where=p > 0))


def entropy(p: Array) -> Array:
    """Entropy in bits of probabilities `p` (..., n).

    >>> float(entropy(np.array([0.5, 0.25, 0.25, 0.0])))
    1.5
    """
    return np.asarray(-plogp(p).sum(axis=-1))
