"""Where voxels lie in the patient: a grid without voxels.

Conventions (as in DICOM and SimpleITK): coordinates are millimetres in LPS (left,
posterior, superior); `size`, `spacing` and `origin` are in the order (x, y, z) of the
image axes. Arrays on the grid are indexed [z, y, x], so an array has the shape
`geometry.shape`, the reverse of `size`.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from centrum.arrays import Floats
from centrum.errors import GeometryError

GRID_TOLERANCE_MM = 0.01
"""Two grids are the same when no corner voxel is further than this from its partner.

Headers written with six decimals or as float32 move the far corner of a 300 mm field by
less than 0.001 mm; a shift of half a voxel in plane is 0.3 mm.
"""

ORTHOGONALITY_TOLERANCE = 1e-4
"""Largest accepted departure of direction.T @ direction from the identity."""


IMPOSSIBLE = "impossible-grid"
MEND_HEADER = "Correct the header of the image, or export it again."


@dataclass(frozen=True)
class Geometry:
    """A regular grid of voxels in patient space.

    Attributes
    ----------
    size : voxels along x, y, z
    spacing : mm between voxel centres along x, y, z
    origin : mm, LPS position of the centre of voxel (0, 0, 0)
    direction : nine numbers, row by row; column k is the unit vector of image axis k

    Raises
    ------
    GeometryError
        A size or spacing is not positive, a number is not finite, or the axes are not
        orthonormal.

    >>> g = Geometry((4, 3, 2), (0.5, 0.5, 4.4))
    >>> g.shape, round(g.voxel_volume, 3)
    ((2, 3, 4), 1.1)
    >>> g.position((1, 0, 1)).tolist()
    [0.5, 0.0, 4.4]
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        for name, kind in (("size", int), ("spacing", float), ("origin", float)):
            object.__setattr__(self, name, tuple(kind(v) for v in getattr(self, name)))
        object.__setattr__(self, "direction", tuple(float(v) for v in self.direction))
        self._check()

    def _check(self) -> None:
        lengths = (len(self.size), len(self.spacing), len(self.origin), len(self.direction))
        if lengths != (3, 3, 3, 9):
            raise GeometryError(
                "A grid has 3 sizes, 3 spacings, 3 origin coordinates and 9 direction "
                f"cosines, found {lengths}.",
                remedy=MEND_HEADER,
                code=IMPOSSIBLE,
            )
        numbers = (*self.spacing, *self.origin, *self.direction)
        if not np.all(np.isfinite(numbers)):
            raise GeometryError(
                f"A grid needs finite numbers, found {numbers}.",
                remedy=MEND_HEADER,
                code=IMPOSSIBLE,
            )
        if min(self.size) < 1 or min(self.spacing) <= 0:
            raise GeometryError(
                f"A grid needs positive sizes and spacings, found size {self.size} "
                f"and spacing {self.spacing}.",
                remedy=MEND_HEADER,
                code=IMPOSSIBLE,
            )
        axes = self.axes
        if np.abs(axes.T @ axes - np.eye(3)).max() > ORTHOGONALITY_TOLERANCE:
            raise GeometryError(
                f"The axes of a grid must be orthonormal, found {self.direction}.",
                remedy="Resample the image to a grid without shear, or correct its header.",
                code="sheared-axes",
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (z, y, x) of an array on this grid."""
        x, y, z = self.size
        return z, y, x

    @property
    def array_spacing(self) -> tuple[float, float, float]:
        """Spacing in mm in the order (z, y, x) of the array axes."""
        x, y, z = self.spacing
        return z, y, x

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in mm3."""
        return float(np.prod(self.spacing))

    @property
    def axes(self) -> Floats:
        """(3, 3) matrix whose column k is the unit vector of image axis k."""
        return np.array(self.direction).reshape(3, 3)

    def position(self, index: object) -> Floats:
        """LPS position in mm of voxel indices (x, y, z), shape (3,) or (n, 3)."""
        scaled = np.asarray(index, dtype=float) * self.spacing
        return np.asarray(scaled @ self.axes.T + self.origin)

    def index(self, position: object) -> Floats:
        """Continuous voxel indices (x, y, z) of LPS positions in mm, shape (3,) or (n, 3)."""
        offset = np.asarray(position, dtype=float) - self.origin
        return np.asarray(offset @ np.linalg.inv(self.axes).T / self.spacing)

    def corners(self) -> Floats:
        """LPS positions in mm of the eight corner voxels, shape (8, 3)."""
        ends = [(0, n - 1) for n in self.size]
        return self.position(list(product(*ends)))

    def distance(self, other: "Geometry") -> float:
        """Largest distance in mm between corner voxels of grids of equal size, else inf."""
        if self.size != other.size:
            return float("inf")
        gaps = np.linalg.norm(self.corners() - other.corners(), axis=1)
        return float(gaps.max())

    def same_grid(self, other: "Geometry", tolerance_mm: float = GRID_TOLERANCE_MM) -> bool:
        """Whether voxel (i, j, k) of both grids is the same place within `tolerance_mm`."""
        return self.distance(other) <= tolerance_mm

    def describe(self) -> str:
        """Size, spacing, origin and direction in four lines, to print in messages."""
        rounded = " ".join(f"{v:.4f}" for v in self.direction)
        return (
            f"size      {' x '.join(str(n) for n in self.size)}\n"
            f"spacing   {' x '.join(f'{v:.5g}' for v in self.spacing)} mm\n"
            f"origin    {', '.join(f'{v:.3f}' for v in self.origin)} mm (LPS)\n"
            f"direction {rounded}"
        )

    def crop(self, start: tuple[int, int, int], size: tuple[int, int, int]) -> "Geometry":
        """The part of the grid that begins at voxel `start` (x, y, z) and has `size`."""
        x, y, z = self.position(start)
        return Geometry(size, self.spacing, (x, y, z), self.direction)


_TOWARDS = {"R": (0, -1), "L": (0, 1), "A": (1, -1), "P": (1, 1), "I": (2, -1), "S": (2, 1)}
"""LPS axis and sign of each direction: right, left, anterior, posterior, inferior, superior."""

ORIENTATIONS = tuple(
    a + b + c
    for a, b, c in product(_TOWARDS, repeat=3)
    if len({_TOWARDS[letter][0] for letter in (a, b, c)}) == 3
)
"""Where array axes x, y and z can run: "PIR" is towards posterior, inferior and right.

The letters say where an axis runs to, as nibabel's `aff2axcodes` does; the codes of ITK and
ITK-SNAP say where it comes from, which is "ASL" for the same axes.
"""


def direction_of(orientation: str) -> tuple[float, ...]:
    """Direction cosines, row by row, of axes that run along those of the patient.

    Raises
    ------
    GeometryError
        It is none of `ORIENTATIONS`.

    >>> direction_of("PIR")
    (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
    """
    if orientation not in ORIENTATIONS:
        raise GeometryError(
            f"{orientation!r} is no orientation: three letters, one each of L or R, P or A and S "
            "or I, say where the array axes x, y and z run to.",
            remedy="For sagittal slices whose rows run backwards and columns down, it is PIR or "
            "PIL.",
            code="orientation",
        )
    columns = np.zeros((3, 3))
    for axis, letter in enumerate(orientation):
        row, sign = _TOWARDS[letter]
        columns[row, axis] = sign
    return tuple((columns + 0.0).ravel().tolist())


PLANES = ("sagittal", "coronal", "axial")
"""Planes by the axis, x, y or z of the patient, that is nearest to their normal."""

EVEN = 1.2
"""Voxels whose longest side is at most this times the shortest have no slices: isotropic."""


def plane_of(geometry: Geometry) -> str:
    """The plane of the slices, which lie across the longest side of a voxel, or "isotropic".

    >>> plane_of(Geometry((4, 4, 4), (0.6, 0.6, 4.4))), plane_of(Geometry((4, 4, 4), (1, 1, 1)))
    ('axial', 'isotropic')
    """
    if max(geometry.spacing) <= EVEN * min(geometry.spacing):
        return "isotropic"
    across = geometry.axes[:, int(np.argmax(geometry.spacing))]
    return PLANES[int(np.argmax(np.abs(across)))]


def slice_axis(geometry: Geometry, plane: str) -> int:
    """Array axis (0 = z, 1 = y, 2 = x) whose direction is nearest to the normal of `plane`.

    >>> slice_axis(Geometry((4, 4, 4), (1, 1, 1)), "axial")
    0
    """
    return 2 - int(np.argmax(np.abs(geometry.axes[PLANES.index(plane)])))
