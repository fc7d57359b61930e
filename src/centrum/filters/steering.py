"""Turning Riesz transforms to the local directions of an image (IBSI 2, section 3.7).

Source: Chenouard, Unser: 3D steerable wavelets in practice, IEEE Trans Image Process 21 (2012).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import factorial, prod, sqrt

import numpy as np

from centrum.arrays import Floats
from centrum.filters.taps import Taps
from centrum.kernels.convolve import convolve

Order = tuple[int, ...]
"""How often the derivative is taken along x, y and, in 3D, z."""

Response = Callable[[Order, Sequence[range]], Floats]
"""The Riesz transform of an order at voxels (z, y, x)."""


def ways(order: Order) -> float:
    """In how many sequences the derivatives of an order can be taken.

    >>> ways((2, 0)), ways((1, 1)), ways((1, 1, 1))
    (1.0, 2.0, 6.0)
    """
    return factorial(sum(order)) / prod(factorial(n) for n in order)


def unit(k: int, n: int) -> Order:
    """One derivative along axis `k` of `n`.

    >>> unit(1, 3)
    (0, 1, 0)
    """
    return tuple(int(i == k) for i in range(n))


def local_axes(response: Response, windows: Sequence[Taps], wanted: Sequence[range]) -> Floats:
    """Directions of an image at each voxel, that along which it changes most first.

    They are the eigenvectors of the structure tensor, the products of the responses of first
    order in a window; each points to where the response of first order is not negative.

    Parameters
    ----------
    windows : along x, y (and z), symmetric
    wanted : voxels (z, y, x)

    Returns
    -------
    Unit vectors, [axis, z, y, x, component along x, y (and z)].
    """
    n = len(windows)
    radii = [*(w.after for w in windows), 0][:3]
    around = [range(w.start - r, w.stop + r) for w, r in zip(wanted, reversed(radii), strict=True)]
    first = [response(unit(k, n), around) for k in range(n)]
    tensor = np.empty((*(len(w) for w in wanted), n, n))
    for i in range(n):
        for j in range(i + 1):
            tensor[..., i, j] = tensor[..., j, i] = _windowed(first[i] * first[j], windows)
    axes = np.linalg.eigh(tensor)[1][..., ::-1]
    inner = tuple(slice(r, r + len(w)) for w, r in zip(wanted, reversed(radii), strict=True))
    along = np.einsum("kzyx,zyxka->zyxa", np.stack([f[inner] for f in first]), axes)
    return np.ascontiguousarray(np.moveaxis(np.where(along < 0, -1, 1)[..., None, :] * axes, -1, 0))


def _windowed(array: Floats, windows: Sequence[Taps]) -> Floats:
    """Weighted sums over the windows that lie in the array."""
    for k, window in enumerate(windows):
        axis, reach = 2 - k, window.before
        places = [p + reach for p in window.places]
        array = convolve(array, places, window.weights, axis, array.shape[axis] - 2 * reach)
    return array


def steered(response: Response, order: Order, axes: Floats, wanted: Sequence[range]) -> Floats:
    """The transform of an order along other axes at each voxel, [axis, z, y, x, component].

    It is a sum of transforms of the same total order along the axes of the image.
    """
    repeated = [axes[k] for k, n in enumerate(order) for _ in range(n)]
    total = np.zeros([len(w) for w in wanted])
    for other, weight in expanded(repeated).items():
        total += weight * sqrt(ways(order) / ways(other)) * response(other, wanted)
    return total


def expanded(vectors: Sequence[Floats]) -> dict[Order, Floats]:
    """The product of the linear forms v[..., 0] x + v[..., 1] y + ... by powers of x, y, ...

    >>> product = expanded([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    >>> {powers: float(weight) for powers, weight in product.items()}
    {(2, 0): 3.0, (1, 1): 10.0, (0, 2): 8.0}
    """
    n = vectors[0].shape[-1]
    terms: dict[Order, Floats] = {(0,) * n: np.array(1.0)}
    for vector in vectors:
        product: defaultdict[Order, Floats] = defaultdict(lambda: np.array(0.0))
        for powers, weight in terms.items():
            for k in range(n):
                raised = tuple(p + u for p, u in zip(powers, unit(k, n), strict=True))
                product[raised] = product[raised] + weight * vector[..., k]
        terms = dict(product)
    return terms
