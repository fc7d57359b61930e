"""Grey levels from intensities (IBSI 2.7; PyRadiomics `imageoperations.getBinEdges`).

Every function takes the intensities in a region, (n,), and gives levels from 1, (n,).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.errors import DataError

MAX_LEVELS = 4096
"""More grey levels than this mean a bin width in the wrong unit: co-occurrence matrices
grow with their square."""

Levels = NDArray[np.int32]


def fixed_bin_number(x: NDArray[Any], bins: int) -> Levels:
    """`bins` bins of equal width between the minimum and the maximum (IBSI K15C).

    >>> fixed_bin_number(np.array([0.0, 1.0, 2.0, 4.0]), 4).tolist()
    [1, 2, 3, 4]
    """
    low, high = float(x.min()), float(x.max())
    if low == high:
        return np.ones(x.shape, dtype=np.int32)
    return np.minimum(np.floor(bins * ((x - low) / (high - low))) + 1, bins).astype(np.int32)


def fixed_bin_size(x: NDArray[Any], width: float, lower: float | None = None) -> Levels:
    """Bins of `width` that begin at `lower`, by default the minimum (IBSI Q3RU).

    >>> fixed_bin_size(np.array([0.0, 24.9, 25.0, 80.0]), 25, lower=0).tolist()
    [1, 1, 2, 4]
    """
    start = float(x.min()) if lower is None else lower
    return _within_bounds(np.floor((x - start) / width) + 1, f"a bin width of {width:g}")


def pyradiomics_bin_number(x: NDArray[Any], bins: int) -> Levels:
    """`binCount` of PyRadiomics: the edges of `numpy.histogram`, the last one open."""
    edges = np.histogram(x, bins)[1]
    edges[-1] += 1
    return np.digitize(x, edges).astype(np.int32)


def pyradiomics_bin_width(x: NDArray[Any], width: float) -> Levels:
    """`binWidth` of PyRadiomics: edges at multiples of the width.

    >>> pyradiomics_bin_width(np.array([24.0, 25.0, 80.0]), 25).tolist()
    [1, 2, 4]
    """
    low = x.min() - x.min() % width
    _within_bounds(np.array([(x.max() - low) / width]), f"a bin width of {width:g}")
    edges = np.arange(low, x.max() + 2 * width, width)
    return np.digitize(x, edges).astype(np.int32)


def undiscretised(x: NDArray[Any]) -> Levels:
    """Integer intensities from 1 taken as grey levels, as for the IBSI digital phantom.

    Raises
    ------
    DataError
        An intensity is not an integer or is below 1.
    """
    if np.any(x != np.rint(x)) or x.min() < 1:
        raise DataError(
            "Without discretisation the intensities must be integers from 1, found "
            f"{x.min():g} to {x.max():g}; choose a fixed bin number or size."
        )
    return _within_bounds(x, "no discretisation")


def _within_bounds(levels: NDArray[Any], what: str) -> Levels:
    if levels.max() > MAX_LEVELS:
        raise DataError(
            f"{what} gives {levels.max():.0f} grey levels in the region, more than "
            f"{MAX_LEVELS}; choose wider bins or a fixed bin number."
        )
    return levels.astype(np.int32)
