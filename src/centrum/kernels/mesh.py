"""One pass over a region: its mesh by marching cubes (Lorensen and Cline 1987) and its moments.

The mesh cuts every grid edge between an inside and an outside voxel at its middle. A cell
of eight voxels therefore has one of 256 cases. How often each case occurs, and where, gives
area and volume of the mesh without building a triangle; everything counted is an integer.
Vertices lie on half voxels: their coordinates count half voxels from the corner of the
region's box grown by one voxel on every side, the origin from which PyRadiomics sees it.
"""

from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats, Ints
from centrum.kernels.cache import kernel, part

CORNERS = np.array(
    [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
)
"""Corners (x, y, z) of a cell, in the order of the published table."""

EDGES = np.array(
    [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)]
)
"""Pairs of corners that an edge joins."""

_TRIANGLES = """
    - 083 019 183981 12a 08312a 92a029 2832a8a98 3b2 0b28b0 19023b 1b219b98b 3a1ba3
    0a108a8ba 3903b9ba9 98aa8b 478 430734 019847 419471731 12a847 34730412a 92a902847
    2a9297273794 8473b2 b47b24204 90184723b 47b94b9b2921 3a13ba784 1ba14b1047b4 47890b9bab03
    47b4b99ba 954 954083 054150 854835315 12a954 30812a495 52a542402 2a5325354348 95423b
    0b208b495 05401523b 21525828b485 a3ba13954 4950818a18ba 54050b5bab03 54858aa8b 978579
    930953573 078017157 153357 978957a12 a12950530573 802825857a52 2a5253357 7957893b2
    95797292027b 23b018178157 b21b17715 958857a13a3b 5705097b010aba0 ba0b03a50807570 ba57b5
    a65 0835a6 9015a6 1831985a6 165261 165126308 965906026 598582526328 23ba65 b08b20a65
    01923b5a6 5a61929b298b 63b653513 08b0b50515b6 3b6036065059 65969bb98 5a6478 43047365a
    1905a6847 a65197173794 612651478 125526304347 847905065026 739794329596269 3b2784a65
    5a647242027b 01947823b5a6 9219b294b7b45a6 8473b53515b6 51b5b610b7b404b 059065036b63847
    65969b4797b9 a4964a 4a649a083 a01a60640 83181686461a 149124264 308129249264 024426
    832824426 a49a64b23 08228b49a4a6 3b201606461a 64161a48121b8b1 964936913b63
    8b1810b61914641 3b6360064 648b68 7a678a89a 0730a709a67a a671a7178180 a67a71173
    126168189867 269291679093739 780706602 732672 23ba68a89867 20727b09767a9a7
    1801781a767a23b b21b17a61671 896867916b63136 091b67 7807063b0b60 7b6
""".split()  # noqa: SIM905
"""Cut edges (hexadecimal), three to a triangle, of the cases whose corner 7 is outside.

A case and its complement share one surface, seen from the other side.
"""

MEASURED = 4
"""Columns of `Surface.cells`: how many cells, and the sums of their x, y and z."""

FAR = np.int32(2**31 - 1)
"""The lower end of a line without a vertex; its upper end is -1."""


@dataclass(frozen=True, eq=False)
class CellTables:
    """What one cell of each case adds, in half voxels, so that all numbers are integers.

    Attributes
    ----------
    triangles : (256, kinds) triangles of each kind, as floats
    squared_normals : (kinds, 3) squares of the components (x, y, z) of a kind's normal b x c
    vector : (256, 3) sum of the normals
    volume : (256,) sum of a . (b x c), a being seen from the cell's first corner
    """

    triangles: Floats
    squared_normals: Ints
    vector: Ints
    volume: Ints


@cache
def cell_tables(watertight: bool) -> CellTables:
    """The tables of all 256 cases; bit x + 2 y + 4 z of a case is the corner (x, y, z).

    >>> tables = cell_tables(watertight=True)
    >>> tables.triangles[0b00000001].sum(), tables.vector[0b00000001].tolist()
    (np.float64(1.0), [1, 1, 1])
    """
    cases = _triangles_of_cases(watertight)
    owner = np.repeat(np.arange(256), [len(corners) for corners in cases])
    a, b, c = np.moveaxis(np.concatenate(cases), 1, 0)
    normals = np.cross(b - a, c - a)
    kinds, kind = np.unique(normals**2, axis=0, return_inverse=True)
    triangles = np.zeros((256, len(kinds)), dtype=np.int64)
    vector = np.zeros((256, 3), dtype=np.int64)
    volume = np.zeros(256, dtype=np.int64)
    np.add.at(triangles, (owner, kind.ravel()), 1)
    np.add.at(vector, owner, normals)
    np.add.at(volume, owner, (normals * a).sum(axis=1))
    return CellTables(triangles.astype(float), kinds, vector, volume)


def _published_triangles() -> dict[int, Ints]:
    """Corners (n, 3, 3) of the triangles of each published case, normals pointing outwards."""
    middles = CORNERS[EDGES].sum(axis=1)
    bits = [1 << int(x + 2 * y + 4 * z) for x, y, z in CORNERS]
    published = {}
    for number, digits in enumerate(_TRIANGLES):
        case = sum(bit for k, bit in enumerate(bits) if number >> k & 1)
        edges = [] if digits == "-" else [int(digit, 16) for digit in digits]
        published[case] = middles[edges].reshape(-1, 3, 3)[:, ::-1]
    return published


def _triangles_of_cases(watertight: bool) -> list[Ints]:
    """Corners of the triangles of all cases.

    Half of them are published. The others are the same seen from the other side: then cells
    can disagree about an ambiguous face, and the mesh has gaps. Or they are turned into a
    published case and back: then inside corners that meet only across a face's diagonal are
    parted by both cells, and the mesh is watertight.
    """
    published = _published_triangles()
    turns = [(turn, _turned_cases(turn)) for turn in _rotations()]
    cases = []
    for case in range(256):
        if case in published:
            cases.append(published[case])
        elif watertight and case != 255:
            turn, becomes = next(t for t in turns if t[1][case] in published)
            cases.append((published[becomes[case]] - 1) @ turn + 1)
        else:
            cases.append(published[255 - case][:, ::-1])
    return cases


def _rotations() -> list[Ints]:
    """The 24 rotations of a cube, matrices of columns x, y, z."""
    signed = [
        np.eye(3, dtype=np.int64)[list(order)] * signs
        for order in permutations(range(3))
        for signs in product((1, -1), repeat=3)
    ]
    return [matrix for matrix in signed if np.linalg.det(matrix) > 0]


def _turned_cases(turn: Ints) -> list[int]:
    """What each of the 256 cases becomes when the cell is turned."""
    here, there = CORNERS, ((2 * CORNERS - 1) @ turn.T + 1) // 2
    corner = np.array((1, 2, 4))
    bits = np.arange(256)[:, None] >> (here @ corner) & 1
    turned: list[int] = (bits << (there @ corner)).sum(axis=1).tolist()
    return turned


@dataclass(frozen=True, eq=False)
class Surface:
    """What one pass over a region counts.

    Attributes
    ----------
    cells : (256, 4) per case the number of cells and the sums of their x, y, z
    moments : (10,) over the voxels the sums of 1, x, y, z, xx, yy, zz, xy, xz, yz
    along_x : (2, Z, Y) first and last vertex (x) on the line (z, y)
    along_y : (2, Z, X) first and last vertex (y) on the line (z, x)
        Positions of cells and voxels count voxels, those of vertices half voxels.
    """

    cells: Ints
    moments: Ints
    along_x: NDArray[np.int32]
    along_y: NDArray[np.int32]

    def area(self, spacing: tuple[float, float, float], *, watertight: bool = True) -> float:
        """Area of the mesh in mm2, voxels being `spacing` mm along x, y, z."""
        tables = cell_tables(watertight)
        x, y, z = spacing
        sides = np.array([(y * z) ** 2, (x * z) ** 2, (x * y) ** 2])
        sizes = np.sqrt(tables.squared_normals @ sides) / 8
        # As floats, which are exact here: numpy has no fast product of matrices of integers.
        return float((self.cells[:, 0].astype(float) @ tables.triangles) @ sizes)

    def volume(self, spacing: tuple[float, float, float], *, watertight: bool = True) -> float:
        """Volume in mm3 that the mesh encloses.

        That of a mesh with gaps depends on where it is seen from (1e-4 on real regions).
        """
        tables = cell_tables(watertight)
        enclosed = int(self.cells[:, 0] @ tables.volume)
        enclosed += 2 * int((self.cells[:, 1:] * tables.vector).sum())
        x, y, z = spacing
        return enclosed * (x * y * z) / 48


@part
def _cases_of_row(a: NDArray, b: NDArray, c: NDArray, d: NDArray, row: int, cases: NDArray) -> None:
    """Cases of the cells between the rows a (y, z), b (y + 1, z), c (y, z + 1), d."""
    a0, a1 = a[:row], a[1 : row + 1]
    b0, b1 = b[:row], b[1 : row + 1]
    c0, c1 = c[:row], c[1 : row + 1]
    d0, d1 = d[:row], d[1 : row + 1]
    for k in range(row):
        cases[k] = (
            a0[k] | a1[k] << 1 | b0[k] << 2 | b1[k] << 3
            | c0[k] << 4 | c1[k] << 5 | d0[k] << 6 | d1[k] << 7
        )  # fmt: skip


@kernel
def _scan(
    flat: NDArray,
    depth: int,
    height: int,
    row: int,
    cases: NDArray,
    words: NDArray,
    cells: NDArray,
    moments: NDArray,
    along_x: NDArray,
    along_y: NDArray,
) -> None:
    """`cases` holds those of a row, `words` eight of them at once in the same memory."""
    full = ~np.uint64(0)
    for z in range(depth - 1):
        y_first, y_last = along_y[0, 2 * z], along_y[1, 2 * z]
        up_first, up_last = along_y[0, 2 * z + 1], along_y[1, 2 * z + 1]
        for y in range(height - 1):
            start = (z * height + y) * row
            above = start + height * row
            _cases_of_row(
                flat[start:], flat[start + row :], flat[above:], flat[above + row :], row, cases
            )
            first, last = along_x[0, 2 * z], along_x[1, 2 * z]
            n = sx = sxx = np.int64(0)
            for w in range(words.size):
                if words[w] == 0 or words[w] == full:
                    continue
                for k in range(8 * w, 8 * w + 8):
                    case = np.int64(cases[k])
                    if case == 0 or case == 255:
                        continue
                    cells[case, 0] += 1
                    cells[case, 1] += k
                    cells[case, 2] += y
                    cells[case, 3] += z
                    here = case & 1
                    if here != case >> 1 & 1:
                        # A run of voxels in this row ends (here) or begins: its sums telescope.
                        sign = 2 * here - 1
                        n += sign * k
                        sx += sign * (k * (k + 1) // 2)
                        sxx += sign * (k * (k + 1) * (2 * k + 1) // 6)
                        first[2 * y] = min(first[2 * y], 2 * k + 1)
                        last[2 * y] = 2 * k + 1
                        y_first[2 * k + 1] = min(y_first[2 * k + 1], 2 * y)
                        y_last[2 * k + 1] = 2 * y
                    if here != case >> 2 & 1:
                        first[2 * y + 1] = min(first[2 * y + 1], 2 * k)
                        last[2 * y + 1] = 2 * k
                        y_first[2 * k] = min(y_first[2 * k], 2 * y + 1)
                        y_last[2 * k] = 2 * y + 1
                    if here != case >> 4 & 1:
                        along_x[0, 2 * z + 1, 2 * y] = min(along_x[0, 2 * z + 1, 2 * y], 2 * k)
                        along_x[1, 2 * z + 1, 2 * y] = 2 * k
                        up_first[2 * k] = min(up_first[2 * k], 2 * y)
                        up_last[2 * k] = 2 * y
            moments[0] += n
            moments[1] += sx
            moments[2] += n * y
            moments[3] += n * z
            moments[4] += sxx
            moments[5] += n * y * y
            moments[6] += n * z * z
            moments[7] += sx * y
            moments[8] += sx * z
            moments[9] += n * y * z


def scan(inside: Flags) -> Surface:
    """Count cells, moments and the outermost vertices of a region (z, y, x).

    >>> s = scan(np.ones((1, 1, 1), bool))
    >>> round(s.volume((1.0, 1.0, 1.0)), 4), round(s.area((1.0, 1.0, 1.0)), 4)
    (0.1667, 1.7321)
    >>> s.moments.tolist(), s.along_x[:, 2, 2].tolist()  # voxel (1, 1, 1), vertices around it
    ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 3])
    """
    z, y, x = (n + 2 for n in inside.shape)
    row = -(-x // 8) * 8  # whole words: eight cells are skipped at once
    padded = np.zeros(z * y * row + 8, dtype=np.uint8)
    padded[: z * y * row].reshape(z, y, row)[1:-1, 1:-1, 1 : x - 1] = inside
    cases = np.zeros(row, dtype=np.uint8)
    cells = np.zeros((256, MEASURED), dtype=np.int64)
    moments = np.zeros(10, dtype=np.int64)
    along_x = _no_vertices(2 * z, 2 * y)
    along_y = _no_vertices(2 * z, 2 * row)
    _scan(padded, z, y, row, cases, cases.view(np.uint64), cells, moments, along_x, along_y)
    return Surface(cells, moments, along_x, along_y)


def _no_vertices(planes: int, lines: int) -> NDArray[np.int32]:
    ends = np.empty((2, planes, lines), dtype=np.int32)
    ends[0], ends[1] = FAR, -1
    return ends


@kernel
def _weighted(flat: NDArray, depth: int, height: int, row: int, x: NDArray, sums: NDArray) -> None:
    at = 0
    for line in range(depth * height):
        total = first = 0.0
        for k in range(row):
            if flat[line * row + k]:
                total += x[at]
                first += x[at] * k
                at += 1
        sums[0] += total
        sums[1] += first
        sums[2] += total * (line % height)
        sums[3] += total * (line // height)


def weighted_moments(inside: Flags, x: NDArray) -> Floats:
    """Sums over the region (z, y, x) of the weights and of weight times x, y, z, in voxels.

    `x` holds the weights (n,) in C order.

    >>> weighted_moments(np.ones((1, 2, 2), bool), np.array([1.0, 2.0, 3.0, 4.0])).tolist()
    [10.0, 6.0, 7.0, 0.0]
    """
    flat = np.ascontiguousarray(inside).view(np.uint8).ravel()
    sums = np.zeros(4)
    _weighted(flat, *inside.shape, np.ascontiguousarray(x, dtype=np.float64), sums)
    return sums
