"""Run length, size zone, distance zone and dependence based features (IBSI 3.7, 3.8, 3.9, 3.11).

The four matrices count elements of grey level i and size j; only the meaning of an element
and of its size differs. Their sixteen features are one list of functionals, registered in
four families.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Floats
from centrum.features.registry import Definition, Family, Reads, catalogue
from centrum.kernels.level_sizes import LevelSizeSums, sum_cells


@dataclass(frozen=True, eq=False)
class LevelSizeCounts:
    """Elements by grey level i and size j, for a batch of matrices.

    Only cells that hold elements are kept: a zone can be as large as the region.

    Attributes
    ----------
    shape : of the batch
    matrix : (cells,) flat index into the batch, ascending
    i, j, n : (cells,) grey level, size and number of elements of each cell
    n_voxels : (batch,) voxels that the matrix was counted on

    >>> m = LevelSizeCounts.from_table(np.array([[[2, 0], [1, 3]]]), np.array([11]))
    >>> m.i.tolist(), m.j.tolist(), m.n.tolist()
    ([1.0, 1.0, 2.0], [1.0, 2.0, 2.0], [2.0, 1.0, 3.0])
    """

    shape: tuple[int, ...]
    matrix: NDArray[np.intp]
    i: Floats
    j: Floats
    n: Floats
    n_voxels: Floats

    @classmethod
    def from_table(cls, table: Array, n_voxels: Array) -> "LevelSizeCounts":
        """From counts (batch..., largest size, Ng); `n_voxels` (batch...)."""
        *shape, sizes, levels = table.shape
        flat = table.ravel()
        (cells,) = flat.nonzero()
        rest, i = _parted(cells, levels)
        matrix, j = _parted(rest, sizes) if n_voxels.size > 1 else (np.zeros_like(rest), rest)
        n = flat[cells].astype(float)
        return cls(tuple(shape), matrix, i + 1.0, j + 1.0, n, n_voxels.ravel().astype(float))

    @classmethod
    def from_elements(cls, matrix: Array, i: Array, j: Array, n_voxels: Array) -> "LevelSizeCounts":
        """From the matrix, level and size of every element, (elements,) each."""
        levels, sizes, known = int(i.max(initial=0)) + 1, int(j.max(initial=0)) + 1, None
        if n_voxels.size * levels * sizes > BINS_PER_CELL * j.size >= sizes:
            known, j = _numbered(j)
            sizes = known.size
        rows = matrix * levels + i if n_voxels.size > 1 else i
        cells, n = _counted(rows * sizes + j)
        rest, size = _parted(cells, sizes)
        which, level = _parted(rest, levels)
        size = size if known is None else known[size]
        return cls(
            n_voxels.shape, which, level.astype(float), size.astype(float), n.astype(float),
            n_voxels.ravel().astype(float),
        )  # fmt: skip

    @classmethod
    def together(cls, parts: Sequence["LevelSizeCounts"]) -> "LevelSizeCounts":
        """Several of the same batch, along a new first axis.

        >>> LevelSizeCounts.together([EXAMPLE, EXAMPLE]).sums.elements.tolist()
        [[4.0], [4.0]]
        """
        if len(parts) == 1:
            return replace(parts[0], shape=(1, *parts[0].shape))
        matrix = [part.matrix + k * len(part.n_voxels) for k, part in enumerate(parts)]
        names = ("i", "j", "n", "n_voxels")
        rest = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        return cls((len(parts), *parts[0].shape), np.concatenate(matrix), *rest)

    @cached_property
    def sums(self) -> LevelSizeSums:
        """Sums over the cells of each matrix, (batch...)."""
        found = sum_cells(self.matrix, self.i, self.j, self.n, len(self.n_voxels))
        return LevelSizeSums(*(values.reshape(self.shape) for values in found))


def _parted(numbers: Array, by: int) -> tuple[Array, Array]:
    """Quotient and remainder."""
    quotient = numbers // by
    return quotient, numbers - quotient * by


def _numbered(sizes: Array) -> tuple[Array, Array]:
    """The different sizes, ascending, and which of them each one is."""
    there = np.bincount(sizes) > 0
    return there.nonzero()[0], (np.cumsum(there) - 1)[sizes]


def _counted(cells: Array) -> tuple[Array, Array]:
    """The different values of `cells`, ascending, and how often each occurs."""
    if cells.max(initial=0) > BINS_PER_CELL * cells.size:
        return np.unique(cells, return_counts=True)
    n = np.bincount(cells)
    (found,) = n.nonzero()
    return found, n[found]


BINS_PER_CELL = 8
"""Cells whose numbers reach up to this many times their count are counted instead of sorted."""


def small_size(m: LevelSizeCounts) -> Array:
    """Many small elements make it large.

    >>> small_size(EXAMPLE)
    array([0.625])
    """
    return m.sums.small


def large_size(m: LevelSizeCounts) -> Array:
    """Many large elements make it large.

    >>> large_size(EXAMPLE)
    array([2.5])
    """
    return m.sums.large


def low_level(m: LevelSizeCounts) -> Array:
    """Many elements of low grey level make it large.

    >>> low_level(EXAMPLE)
    array([0.8125])
    """
    return m.sums.low


def high_level(m: LevelSizeCounts) -> Array:
    """Many elements of high grey level make it large.

    >>> high_level(EXAMPLE)
    array([1.75])
    """
    return m.sums.high


def small_size_low_level(m: LevelSizeCounts) -> Array:
    """Weighs small elements of low grey level.

    >>> small_size_low_level(EXAMPLE)
    array([0.578125])
    """
    return m.sums.small_low


def small_size_high_level(m: LevelSizeCounts) -> Array:
    """Weighs small elements of high grey level.

    >>> small_size_high_level(EXAMPLE)
    array([0.8125])
    """
    return m.sums.small_high


def large_size_low_level(m: LevelSizeCounts) -> Array:
    """Weighs large elements of low grey level.

    >>> large_size_low_level(EXAMPLE)
    array([1.75])
    """
    return m.sums.large_low


def large_size_high_level(m: LevelSizeCounts) -> Array:
    """Weighs large elements of high grey level.

    >>> large_size_high_level(EXAMPLE)
    array([5.5])
    """
    return m.sums.large_high


def level_non_uniformity(m: LevelSizeCounts) -> Array:
    """Small when elements are spread evenly over grey levels.

    >>> level_non_uniformity(EXAMPLE)
    array([2.5])
    """
    return np.asarray(m.sums.level_squares / m.sums.elements)


def level_non_uniformity_normalised(m: LevelSizeCounts) -> Array:
    """As the one above, between 0 and 1.

    >>> level_non_uniformity_normalised(EXAMPLE)
    array([0.625])
    """
    return np.asarray(level_non_uniformity(m) / m.sums.elements)


def size_non_uniformity(m: LevelSizeCounts) -> Array:
    """Small when elements are spread evenly over sizes.

    >>> size_non_uniformity(EXAMPLE)
    array([2.])
    """
    return np.asarray(m.sums.size_squares / m.sums.elements)


def size_non_uniformity_normalised(m: LevelSizeCounts) -> Array:
    """As the one above, between 0 and 1.

    >>> size_non_uniformity_normalised(EXAMPLE)
    array([0.5])
    """
    return np.asarray(size_non_uniformity(m) / m.sums.elements)


def percentage(m: LevelSizeCounts) -> Array:
    """Elements per voxel: 1 when every voxel is an element.

    >>> percentage(EXAMPLE)
    array([0.5])
    """
    return np.asarray(m.sums.elements / m.n_voxels.reshape(m.shape))


def level_variance(m: LevelSizeCounts) -> Array:
    """Variance of the grey level over elements.

    >>> level_variance(EXAMPLE)
    array([0.1875])
    """
    return m.sums.level_variance


def size_variance(m: LevelSizeCounts) -> Array:
    """Variance of the size over elements.

    >>> size_variance(EXAMPLE)
    array([0.25])
    """
    return m.sums.size_variance


def entropy(m: LevelSizeCounts) -> Array:
    """Entropy of level and size together, in bits; nan of a matrix without elements.

    >>> entropy(EXAMPLE)
    array([1.5])
    """
    return m.sums.entropy


def energy(m: LevelSizeCounts) -> Array:
    """Sum of squared shares.

    >>> energy(EXAMPLE)
    array([0.375])
    """
    return m.sums.energy


EXAMPLE = LevelSizeCounts.from_table(np.array([[[2, 0], [1, 1]]]), np.array([8]))
"""Four elements on eight voxels: level 1 twice with size 1 and once with 2, level 2 with 2."""

SHARED = (
    small_size,
    large_size,
    low_level,
    high_level,
    small_size_low_level,
    small_size_high_level,
    large_size_low_level,
    large_size_high_level,
    level_non_uniformity,
    level_non_uniformity_normalised,
    size_non_uniformity,
    size_non_uniformity_normalised,
    percentage,
    level_variance,
    size_variance,
    entropy,
)


def _family(name: str, reads: Reads, codes: str) -> Family:
    """A family of the shared functionals under its own codes, named by the catalogue."""
    family = Family(name, reads)
    for code, compute in zip(codes.split(), SHARED, strict=True):
        _register(family, code, compute)
    return family


def _register(family: Family, code: str, compute: Definition) -> None:
    title = next(e.name for e in catalogue().values() if (e.family, e.code) == (family.name, code))
    key = title.lower().replace(" ", "_").replace("-", "_")
    family.feature(code, title, key)(compute)


RUNS = Reads(
    "runs of equal grey levels", levels=True, neighbours=True, directed=True, responses=True
)

ZONES = Reads("zones of equal grey levels", levels=True, neighbours=True, responses=True)

DISTANCE_ZONES = Reads(
    "zones and their distance to the region's border",
    levels=True,
    neighbours=True,
    responses=True,
)

DEPENDENCES = Reads("neighbours of a like grey level", levels=True, neighbours=True, responses=True)

glrlm = _family(
    "glrlm", RUNS, "22OV W4KF V3SW G3QZ HTZT GD3A IVPO 3KUM R5YN OVBL W92Y IC23 9ZK5 8CE5 SXLW HJ9O"
)
glszm = _family(
    "glszm",
    ZONES,
    "5QRC 48P8 XMSY 5GN9 5RAI HW1V YH51 J17V JNSA Y1RO 4JP3 VB3A P30P BYLV 3NSA GU8N",
)
gldzm = _family(
    "gldzm",
    DISTANCE_ZONES,
    "0GBI MB4I S1RA K26C RUVG DKNJ A7WM KLTH VFT7 7HP3 V294 IATH VIWW QK93 7WT1 GBDU",
)
ngldm = _family(
    "ngldm",
    DEPENDENCES,
    "SODN IMOQ TL9H OAE7 EQ3F JA6D NBZI 9QMG FP8K 5SPA Z87G OKJI 6XV8 1PFV DNX2 FCBV",
)
_register(ngldm, "CAS9", energy)
