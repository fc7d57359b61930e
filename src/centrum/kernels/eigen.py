"""Largest absolute eigenvalue of small symmetric matrices."""

import numpy as np

from centrum.arrays import Floats
from centrum.kernels.cache import kernel, part

PRECISION = 1e-15
"""Laguerre's method ends with a step below this share of the eigenvalue."""

LARGE = 96
"""Matrices of more rows than this take Lanczos' method."""

CHECKED = 5
UNCHANGED = 1e-12
"""Lanczos' method ends when this many steps raise the eigenvalue by less than this share."""

MOST_STEPS = 200
"""It takes about eight steps, more where the largest eigenvalue is a multiple one."""


@part(error_model="numpy")
def _tridiagonal(a: Floats, diagonal: Floats, beside: Floats, product: Floats) -> None:
    """Householder's reduction of the symmetric `a` (overwritten), Golub and Van Loan 8.3.1."""
    n = diagonal.size
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


@part(error_model="numpy")
def _laguerre_step(diagonal: Floats, beside: Floats, x: float) -> float:
    """How far below x, itself above all eigenvalues, the next guess of the largest lies.

    The ratios q of Sturm's sequence give the sums of 1 / (x - eigenvalue) and of its square.
    """
    n = diagonal.size
    q, slope, bend = x - diagonal[0], 1.0, 0.0
    if q <= 0.0:
        return 0.0
    total, squares = slope / q, (slope / q) ** 2
    for i in range(1, n):
        share = (beside[i - 1] / q) ** 2
        bend = share * (bend - 2 * slope * slope / q)
        slope = 1.0 + share * slope
        q = x - diagonal[i] - share * q
        if q <= 0.0:
            return 0.0
        ratio = slope / q
        total += ratio
        squares += ratio * ratio - bend / q
    return n / (total + np.sqrt(max((n - 1) * (n * squares - total * total), 0.0)))


@part(error_model="numpy")
def _largest_root(diagonal: Floats, beside: Floats, start: float) -> float:
    """The largest eigenvalue, by Laguerre's method from `start` above it."""
    x = start
    for _ in range(MOST_STEPS):
        step = _laguerre_step(diagonal, beside, x)
        x -= step
        if step <= PRECISION * abs(x):
            break
    return x


@part(error_model="numpy")
def _largest_of_tridiagonal(diagonal: Floats, beside: Floats) -> float:
    """Largest absolute eigenvalue; `diagonal` changes its sign."""
    n = diagonal.size
    reach = 0.0
    for i in range(n):
        left = abs(beside[i - 1]) if i else 0.0
        right = abs(beside[i]) if i + 1 < n else 0.0
        reach = max(reach, abs(diagonal[i]) + left + right)
    start = reach * (1 + 1e-9)
    if start == 0.0:
        return 0.0
    highest = _largest_root(diagonal, beside, start)
    for i in range(n):
        diagonal[i] = -diagonal[i]
    return max(highest, _largest_root(diagonal, beside, start))


@kernel(error_model="numpy")
def _largest(matrices: Floats, work: Floats, out: Floats) -> None:
    """`work` are three rows of zeros."""
    diagonal, beside, product = work[0], work[1], work[2]
    for b in range(out.size):
        _tridiagonal(matrices[b], diagonal, beside, product)
        out[b] = _largest_of_tridiagonal(diagonal, beside)


@part(error_model="numpy")
def _without_earlier(w: Floats, basis: Floats, steps: int) -> None:
    """Take the first `steps` rows of `basis`, which are orthonormal, out of w."""
    for k in range(steps):
        row, share = basis[k], 0.0
        for j in range(w.size):
            share += w[j] * row[j]
        for j in range(w.size):
            w[j] -= share * row[j]


@part(error_model="numpy")
def _largest_by_lanczos(a: Floats, first: Floats) -> float:
    """Lanczos' method with full orthogonalisation, Golub and Van Loan 10.3, from `first`.

    It ends when `CHECKED` further steps change nothing, at the latest after n steps, when it is
    exact.
    """
    n = first.size
    basis, w = np.zeros((n, n)), np.empty(n)
    diagonal, beside = np.empty(n), np.empty(n)
    for j in range(n):
        basis[0, j] = first[j]
    found = -1.0
    for k in range(n):
        w[:] = 0.0
        for i in range(n):
            row, factor = a[i], basis[k, i]
            for j in range(n):
                w[j] += factor * row[j]
        inner = size = 0.0
        for j in range(n):
            inner += w[j] * basis[k, j]
            size += w[j] * w[j]
        diagonal[k] = inner
        _without_earlier(w, basis, k + 1)
        _without_earlier(w, basis, k + 1)
        length = 0.0
        for j in range(n):
            length += w[j] * w[j]
        beside[k] = np.sqrt(length)
        last = k + 1 == n or beside[k] <= PRECISION * np.sqrt(size)
        if last or (k + 1) % CHECKED == 0:
            before = found
            found = _largest_of_tridiagonal(diagonal[: k + 1].copy(), beside[: k + 1])
            if last or found - before <= UNCHANGED * found:
                return found
        for j in range(n):
            basis[k + 1, j] = w[j] / beside[k]
    return found


@kernel(error_model="numpy")
def _largest_of_each(matrices: Floats, first: Floats, out: Floats) -> None:
    for b in range(out.size):
        out[b] = _largest_by_lanczos(matrices[b], first)


def largest_eigenvalue(matrices: Floats) -> Floats:
    """Largest absolute eigenvalue of each symmetric matrix (batch, n, n); (batch,).

    Large matrices by Lanczos' method, small ones by reducing them to three diagonals.

    >>> largest_eigenvalue(np.array([[[0.0, 2.0], [2.0, 0.0]], [[1.0, 0.0], [0.0, -3.0]]]))
    array([2., 3.])
    """
    out = np.empty(len(matrices))
    n = matrices.shape[-1]
    if n > LARGE:
        first = np.random.default_rng(n).normal(size=n)
        whole = np.ascontiguousarray(matrices, dtype=float)
        _largest_of_each(whole, first / np.linalg.norm(first), out)
    else:
        _largest(np.array(matrices, dtype=float, order="C"), np.zeros((3, n)), out)
    return out
