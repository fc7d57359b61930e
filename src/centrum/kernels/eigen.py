"""Largest absolute eigenvalue of small symmetric matrices."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALVINGS = 60
"""Bisection steps: 2^-60 of the interval is below double precision."""


@njit(cache=True, nogil=True)
def _tridiagonal(a: Floats, diagonal: Floats, beside: Floats) -> None:
    """Householder's reduction of the symmetric `a` (overwritten), Golub and Van Loan 8.3.1."""
    n = diagonal.size
    product = np.empty(n)
    for k in range(n - 1):
        diagonal[k] = a[k, k]
        v = a[k, k + 1 :]
        scale = 0.0
        for i in range(v.size):
            scale += v[i] * v[i]
        length = np.sqrt(scale)
        beside[k] = -length if v[0] > 0 else length
        below = scale - v[0] * v[0]
        if below <= 0.0:
            beside[k] = v[0]
            continue
        v[0] -= beside[k]
        half = (below + v[0] * v[0]) / 2
        w = product[: v.size]
        w[:] = 0.0
        for i in range(v.size):
            row, factor = a[k + 1 + i, k + 1 :], v[i] / half
            for j in range(v.size):
                w[j] += factor * row[j]
        inner = 0.0
        for i in range(v.size):
            inner += w[i] * v[i]
        share = inner / (2 * half)
        for j in range(v.size):
            w[j] -= share * v[j]
        for i in range(v.size):
            row, vi, wi = a[k + 1 + i, k + 1 :], v[i], w[i]
            for j in range(v.size):
                row[j] -= vi * w[j] + wi * v[j]
    diagonal[n - 1] = a[n - 1, n - 1]


@njit(cache=True, nogil=True)
def _all_below(diagonal: Floats, beside: Floats, x: float, sign: float) -> bool:
    """Whether all eigenvalues times `sign` are below x (Sturm's sequence)."""
    q = x - sign * diagonal[0]
    for i in range(1, diagonal.size):
        if q <= 0.0:
            return False
        q = x - sign * diagonal[i] - beside[i - 1] * beside[i - 1] / q
    return q > 0.0


@njit(cache=True, nogil=True)
def _largest(matrices: Floats, out: Floats) -> None:
    n = matrices.shape[1]
    diagonal, beside = np.empty(n), np.zeros(n)
    for b in range(out.size):
        _tridiagonal(matrices[b], diagonal, beside)
        high = 0.0
        for i in range(n):
            reach = abs(beside[i]) if i < n - 1 else 0.0
            high = max(high, abs(diagonal[i]) + reach + (abs(beside[i - 1]) if i else 0.0))
        low, high = 0.0, high * (1 + 1e-12) + 1e-300
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if _all_below(diagonal, beside, middle, 1.0) and _all_below(
                diagonal, beside, middle, -1.0
            ):
                high = middle
            else:
                low = middle
        out[b] = (low + high) / 2


def largest_eigenvalue(matrices: Floats) -> Floats:
    """Largest absolute eigenvalue of each symmetric matrix (batch, n, n); (batch,).

    >>> largest_eigenvalue(np.array([[[0.0, 2.0], [2.0, 0.0]], [[1.0, 0.0], [0.0, -3.0]]]))
    array([2., 3.])
    """
    out = np.empty(len(matrices))
    _largest(np.array(matrices, dtype=float, order="C"), out)
    return out
