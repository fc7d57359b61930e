"""Grey levels from intensities (IBSI 2.7; PyRadiomics `imageoperations.getBinEdges`).

Every function takes the intensities in a region, (n,), and gives levels from 1, (n,).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Floats
from centrum.errors import DataError
from centrum.kernels.bins import number_between_edges, number_equal_bins

MAX_LEVELS = 4096
"""More grey levels than this mean a bin width in the wrong unit: co-occurrence matrices
grow with their square."""

Levels = NDArray[np.uint16]


def fixed_bin_number(x: Array, bins: int) -> Levels:
    """`bins` bins of equal width between the minimum and the maximum (IBSI K15C).

    >>> fixed_bin_number(np.array([0.0, 1.0, 2.0, 4.0]), 4).tolist()
    [1, 2, 3, 4]
    """
    low, high = _range(x)
    if low == high:
        return np.ones(x.shape, dtype=np.uint16)
    return number_equal_bins(x, low, high - low, bins, bins)


def fixed_bin_size(x: Array, width: float, lower: float | None = None) -> Levels:
    """Bins of `width` that begin at `lower`, by default the minimum (IBSI Q3RU).

    Raises
    ------
    DataError
        An intensity lies below `lower`, or there are more than `MAX_LEVELS` levels.

    >>> fixed_bin_size(np.array([0.0, 24.9, 25.0, 80.0]), 25, lower=0).tolist()
    [1, 1, 2, 4]
    """
    low, high = _range(x)
    start = low if lower is None else lower
    if low < start:
        raise DataError(
            f"Bins of fixed size that begin at {start:g} cannot hold the intensity {low:g}; "
            "re-segment to the same lower bound, or lower it."
        )
    _check_number((high - start) / width, f"a bin width of {width:g}")
    return number_equal_bins(x, start, width, 1, MAX_LEVELS)


def pyradiomics_bin_number(x: Array, bins: int) -> Levels:
    """`binCount` of PyRadiomics: the edges of `numpy.histogram`, the last one open.

    >>> pyradiomics_bin_number(np.array([0.0, 1.0, 2.0, 4.0]), 4).tolist()
    [1, 2, 3, 4]
    """
    return number_between_edges(x, pyradiomics_number_edges(x, bins))


def pyradiomics_number_edges(x: Array, bins: int) -> Floats:
    """Edges of `bins` bins from the minimum to the maximum, (bins + 1,), the last one 1 higher.

    They have the precision of `x`: pass single precision if the image has it.

    >>> pyradiomics_number_edges(np.array([0.0, 4.0]), 4).tolist()
    [0.0, 1.0, 2.0, 3.0, 5.0]
    """
    kind: Any = np.result_type(x.dtype, np.float16) if x.dtype.kind == "f" else float
    ends = np.array([x.min(), x.max()], dtype=kind)
    if ends[0] == ends[1]:
        ends += [-0.5, 0.5]
    edges = np.linspace(ends[0], ends[1], bins + 1, dtype=kind)
    edges[-1] += 1
    return edges.astype(float)


def pyradiomics_bin_width(x: Array, width: float) -> Levels:
    """`binWidth` of PyRadiomics: edges at multiples of the width.

    Raises
    ------
    DataError
        There are more than `MAX_LEVELS` levels.

    >>> pyradiomics_bin_width(np.array([24.0, 25.0, 80.0]), 25).tolist()
    [1, 2, 4]
    """
    return number_between_edges(x, pyradiomics_width_edges(x, width))


def pyradiomics_width_edges(x: Array, width: float) -> Floats:
    """Multiples of the width from below the minimum to above the maximum.

    >>> pyradiomics_width_edges(np.array([24.0, 80.0]), 25).tolist()
    [0.0, 25.0, 50.0, 75.0, 100.0, 125.0]
    """
    low, high = _range(x)
    start = low - low % width
    _check_number((high - start) / width, f"a bin width of {width:g}")
    return np.arange(start, high + 2 * width, width)


def undiscretised(x: Array) -> Levels:
    """Integer intensities from 1 taken as grey levels, as for the IBSI digital phantom.

    Raises
    ------
    DataError
        An intensity is not an integer or is below 1, or there are more than `MAX_LEVELS` levels.

    >>> undiscretised(np.array([3.0, 1.0])).tolist()
    [3, 1]
    """
    low, high = _range(x)
    if low >= 1:
        _check_number(high - 1, "no discretisation")
        levels = x.astype(np.uint16)
        if np.array_equal(levels, x):
            return levels
    raise DataError(
        "Without discretisation the intensities must be integers from 1, found "
        f"{low:g} to {high:g}; choose a fixed bin number or size."
    )


def _range(x: Array) -> tuple[float, float]:
    return float(x.min()), float(x.max())


def _check_number(bins_to_maximum: float, what: str) -> None:
    if not bins_to_maximum < MAX_LEVELS:
        raise DataError(
            f"{what} gives {np.floor(bins_to_maximum) + 1:.0f} grey levels in the region, more "
            f"than {MAX_LEVELS}; choose wider bins or a fixed bin number."
        )
