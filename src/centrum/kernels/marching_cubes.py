"""Area and volume of the mesh around a region, by marching cubes (Lorensen and Cline 1987).

The mesh cuts every grid edge between an inside and an outside voxel at its middle. A cell
of eight voxels therefore has one of 256 shapes, so that area and volume follow from how
often each shape occurs in each layer: no triangle has to be built.
"""

import numpy as np
from numpy.typing import NDArray

from centrum.volume import bounding_box

CORNERS = np.array(
    [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
)
"""Corners (x, y, z) of a cell; corner k is bit k of the cell's case."""

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


def _cell_tables(
    spacing: tuple[float, float, float],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Per case: area (mm2), vector area (x, y, z; mm2) and volume seen from the cell (mm3)."""
    middles = CORNERS[EDGES].mean(axis=1) * spacing
    area, volume, vector = np.zeros(256), np.zeros(256), np.zeros((256, 3))
    for case, edges in enumerate(_TRIANGLES):
        if edges == "-":
            continue
        a, b, c = middles[[int(digit, 16) for digit in edges]].reshape(-1, 3, 3).swapaxes(0, 1)
        normals = np.cross(b - a, c - a) / 2
        area[case] = np.linalg.norm(normals, axis=1).sum()
        vector[case] = normals.sum(axis=0)
        volume[case] = (normals * a).sum() / 3
    mirrored = slice(None, 127, -1)
    area[mirrored], vector[mirrored], volume[mirrored] = area[:128], -vector[:128], -volume[:128]
    return area, vector, volume


def _cases(padded: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The case of every cell of eight voxels."""
    z, y, x = (n - 1 for n in padded.shape)
    cases = np.zeros((z, y, x), dtype=np.uint8)
    for bit, (i, j, k) in enumerate(CORNERS):
        cases |= padded[k : k + z, j : j + y, i : i + x].astype(np.uint8) << np.uint8(bit)
    return cases


def mesh_area_volume(
    inside: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> tuple[float, float]:
    """Surface area (mm2) and enclosed volume (mm3) of the mesh around a region.

    Parameters
    ----------
    inside : (z, y, x) region
    spacing : mm along x, y, z

    The classic table leaves gaps where two cells disagree about an ambiguous face, so that
    the volume depends a little on where it is seen from (1e-4 on real regions). It is seen
    from the corner of the region's bounding box grown by one voxel, as PyRadiomics does.

    >>> area, volume = mesh_area_volume(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0))
    >>> round(volume, 4), round(area, 4)  # an octahedron with half-axes of 1/2
    (0.1667, 1.7321)
    """
    cases = _cases(np.pad(inside[bounding_box(inside)], 1))
    area, vector, volume = _cell_tables(spacing)
    counts = np.bincount(cases.ravel(), minlength=256)
    enclosed = counts @ volume
    for axis, step in enumerate(spacing):
        layers = _layer_counts(np.moveaxis(cases, 2 - axis, 0))
        positions = np.arange(len(layers)) * step
        enclosed += positions @ (layers @ vector[:, axis]) / 3
    return float(counts @ area), float(abs(enclosed))


def _layer_counts(cases: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each case occurs in each layer along the first axis, (layers, 256)."""
    return np.stack([np.bincount(layer.ravel(), minlength=256) for layer in cases])


def mesh_vertices(
    inside: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Vertices of the mesh around a region, (n, 3) in mm along x, y, z of the array's grid.

    >>> len(mesh_vertices(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0)))
    6
    """
    padded = np.pad(inside, 1)
    parts = []
    for axis in range(3):
        cut = np.argwhere(np.diff(padded, axis=axis)) - 1.0
        cut[:, axis] += 0.5
        parts.append(cut[:, ::-1])
    return np.concatenate(parts) * spacing
