"""From a perturbation to the image and the region that it makes; nothing here is random.

Order: the region gets its new volume and contour, image and region are moved, the noise of
another acquisition is added.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats
from centrum.errors import DataError, GeometryError
from centrum.geometry import READING_ORDER, TIE_DECIMALS, stack_plane
from centrum.perturb.contour import Contour
from centrum.perturb.motion import HALF, Motion, mirrored, sample_cubic, share, spline_coefficients
from centrum.perturb.noise import noise_sd
from centrum.perturb.plan import Perturbation
from centrum.provenance import Step
from centrum.volume import Mask, Turn, Volume, bounding_box

ROOM_MM = 4.0
"""Room for a contour outside of the region."""

SPLINE_REACH = 32
"""Voxels beside a box that its spline needs: their influence falls by 2 - sqrt(3) per voxel, to
5e-19 at this distance."""

NOISE = 0
"""Stream of randomness that a seed gives to the noise."""

Region = Flags
Box = tuple[slice, slice, slice]


def apply(
    volume: Volume,
    mask: Mask,
    perturbation: Perturbation,
    plane: str | None = None,
    margin_mm: float | Sequence[float] = 10.0,
) -> tuple[Volume, Mask]:
    """The perturbed image and region; see `Perturbable`, which is faster for several.

    >>> from centrum.geometry import Geometry
    >>> grid = Geometry((20, 20, 3), (0.6, 0.6, 4.4))
    >>> image = Volume(np.random.default_rng(0).normal(300, 30, grid.shape), grid)
    >>> region = Mask(np.zeros(grid.shape, bool), grid)
    >>> region.array[1, 5:15, 5:15] = True
    >>> _, larger = apply(image, region, Perturbation("growth", volume=0.2))
    >>> region.n_voxels, larger.n_voxels
    (100, 120)
    """
    return Perturbable(volume, mask, plane, margin_mm).perturbed(perturbation)


class Perturbable:
    """An image and a region; what all their perturbations share is computed once.

    Slices, rows and columns run as `geometry.READING_ORDER` has them for the plane: a perturbation
    moves the patient the same way in whichever order the axes are stored.

    Parameters
    ----------
    plane : of the slices, about whose normal a turn is; None: `geometry.stack_plane`
    margin_mm : how far around the region the image is perturbed, (across slices, rows, columns)
        or the same for all, infinite for the whole of it; beyond it is as it was, within it as if
        the whole were perturbed
    about : LPS position in mm that a turn is about; None: the middle of the region
    """

    def __init__(
        self,
        volume: Volume,
        mask: Mask,
        plane: str | None = None,
        margin_mm: float | Sequence[float] = 10.0,
        about: Floats | None = None,
    ) -> None:
        _check(volume, mask)
        self.volume, self.mask = volume, mask
        order = READING_ORDER[plane or stack_plane(volume.geometry)]
        self.turn = Turn.between(volume.geometry, order)
        self.grid = self.turn.grid(volume.geometry)
        self.margin_mm = np.broadcast_to(np.asarray(margin_mm, dtype=float), (3,))
        self.planes = self.turn.of(volume.array)
        inside = np.ascontiguousarray(self.turn.of(mask.array))
        self.spacing = self.grid.array_spacing
        self.tight = bounding_box(inside)
        self.box = self._grown(self.tight, np.full(3, ROOM_MM))
        self.about = self._middle() if about is None else about
        self.contour = Contour(inside[self.box], _finite(self.planes[self.box]), self.spacing)

    @cached_property
    def noise_sd(self) -> float:
        """SD of the image's noise, estimated on the slices of the region around it."""
        _, rows, columns = self.box
        return noise_sd(_finite(self.planes[self.tight[0], rows, columns]))

    def perturbed(self, settings: Perturbation) -> tuple[Volume, Mask]:
        """Image and region on the grid that they had.

        Raises
        ------
        DataError
            Nothing is left of the region.
        """
        region = self.contour.perturbed(settings)
        self._refuse_lost(settings, region)
        frame, x, region = (
            self._moved(settings, region) if _moves(settings) else self._still(region)
        )
        self._refuse_lost(settings, region)
        if settings.noise:
            x = x + settings.noise * self.noise_sd * self._noise(settings.seed, frame)
        return self._whole(settings, frame, x, region)

    def as_on(self, other: "Perturbable", perturbation: Perturbation) -> Perturbation:
        """What moves the patient on this grid as `perturbation` does on another one.

        Its shift is in voxels of the other grid; the same mm in the same direction are meant.

        >>> from centrum.geometry import Geometry
        >>> coarse, fine = (Geometry((8, 8, 3), (mm, mm, 4.4)) for mm in (0.8, 0.4))
        >>> first, further = (
        ...     Perturbable(Volume(np.zeros(g.shape), g), Mask(np.ones(g.shape, bool), g))
        ...     for g in (coarse, fine)
        ... )
        >>> further.as_on(first, Perturbation("shift", translation=(0, 0.25, -0.5))).translation
        (0.0, 0.5, -1.0)
        """
        mm = other.grid.position(perturbation.translation[::-1]) - other.grid.origin
        x, y, z = np.round(self.grid.index(mm + self.grid.origin), TIE_DECIMALS).tolist()
        return replace(perturbation, translation=(z, y, x))

    def _refuse_lost(self, settings: Perturbation, region: Region) -> None:
        if not region.any():
            raise DataError(
                f"The perturbation {settings.name!r} leaves no voxel of {self.mask.name!r}."
            )

    def _grown(self, box: Box, mm: Floats) -> Box:
        """The box with so many mm around along each axis, as far as the image goes; one that has
        left the image has its nearest voxels."""
        steps = np.ceil(mm / self.spacing)
        sides = zip(box, self.planes.shape, steps, strict=True)
        z, y, x = (
            slice(int(np.clip(s.start - n, 0, size - 1)), int(np.clip(s.stop + n, 1, size)))
            for s, size, n in sides
        )
        return z, y, x

    def _noise(self, seed: int, frame: Box) -> Floats:
        """Standard normal numbers of a frame; a voxel has its own, whichever frame it is in."""
        slices, rows, columns = frame
        drawn = (rows.stop, self.planes.shape[2])
        planes = (
            np.random.default_rng([seed, NOISE, k]).standard_normal(drawn)
            for k in range(slices.start, slices.stop)
        )
        return np.stack([plane[rows.start :, columns].copy() for plane in planes])

    def _still(self, region: Region) -> tuple[Box, Floats, Region]:
        """Frame, intensities and region, when nothing moves."""
        frame = self._grown(_within(self.box, bounding_box(region)), self.margin_mm)
        return frame, _finite(self.planes[frame]), _placed(region, self.box, frame)

    def _moved(self, settings: Perturbation, region: Region) -> tuple[Box, Floats, Region]:
        """Frame, intensities and region after the motion."""
        motion = Motion(
            settings.rotation, settings.translation[1:], self._centre(), self.spacing[1:]
        )
        frame = self._frame(motion, region, settings.translation[0])
        grid = np.meshgrid(*(np.arange(s.start, s.stop, dtype=float) for s in frame[1:]),
                           indexing="ij")  # fmt: skip
        rows, columns = motion.back(*(g.ravel() for g in grid))
        slices = (frame[0], *self.box[1:])
        inside = _shifted(_placed(region, self.box, slices), settings.translation[0], order=1)
        shares = share(inside, rows - slices[1].start, columns - slices[2].start)
        x = self._intensities(settings.translation[0], frame[0], rows, columns)
        shape = (*grid[0].shape, -1)
        return frame, _slices_first(x, shape), _slices_first(shares, shape) >= HALF

    def _middle(self) -> Floats:
        """Of the region's box, LPS in mm."""
        return self.grid.position([(s.start + s.stop - 1) / 2 for s in reversed(self.tight)])

    def _centre(self) -> tuple[float, float]:
        """Row and column that a turn is about."""
        column, row, _ = np.round(self.grid.index(self.about), TIE_DECIMALS).tolist()
        return row, column

    def _frame(self, motion: Motion, region: Region, across: float) -> Box:
        """What the region fills after the motion, and the margin around it."""
        slices, *sides = _within(self.box, bounding_box(region))
        corners = np.meshgrid(*((s.start, s.stop - 1) for s in sides), indexing="ij")
        ends = [slice(int(e.min()), int(np.ceil(e.max())) + 1) for e in motion.forth(*corners)]
        more = int(np.ceil(abs(across)))
        moved = (slice(slices.start - more, slices.stop + more), ends[0], ends[1])
        return self._grown(moved, self.margin_mm)

    def _intensities(self, across: float, slices: slice, rows: Floats, columns: Floats) -> Floats:
        """At the same places of these slices, shifted across slices: (places, slices)."""
        _, n_rows, n_columns = self.planes.shape
        rows, columns = mirrored(rows, n_rows), mirrored(columns, n_columns)
        near_rows, near_columns = _around(rows, n_rows), _around(columns, n_columns)
        coefficients = self._coefficients(across, (slices, near_rows, near_columns))
        return sample_cubic(coefficients, rows - near_rows.start, columns - near_columns.start)

    def _coefficients(self, across: float, box: Box) -> Floats:
        """Of the spline through a box, shifted across slices: (rows, columns, slices)."""
        wide = box[0]
        if across:
            ends = np.array([wide.start, wide.stop])
            wide = _around(np.concatenate([ends, ends - across]), len(self.planes))
        shifted = _shifted(_finite(self.planes[(wide, *box[1:])]), across, order=3)
        kept = slice(box[0].start - wide.start, box[0].stop - wide.start)
        return spline_coefficients(shifted[:, :, kept])

    def _whole(
        self, settings: Perturbation, frame: Box, x: Floats, region: Region
    ) -> tuple[Volume, Mask]:
        """The frame put into the whole image, which keeps its precision or has that of float32."""
        dtype = np.result_type(self.volume.array.dtype, np.float32)
        array, inside = self.volume.array.astype(dtype), np.zeros(self.mask.array.shape, bool)
        self.turn.of(array)[frame] = x
        self.turn.of(inside)[frame] = region
        said = {k: v for k, v in asdict(settings).items() if v}
        noise = {"noise_sd": self.noise_sd} if settings.noise else {}
        return (
            self.volume.with_array(array, Step("perturb", said | noise)),
            self.mask.with_array(inside, Step("perturb", said)),
        )


def _check(volume: Volume, mask: Mask) -> None:
    if not volume.geometry.same_grid(mask.geometry):
        raise GeometryError(
            "Image and mask are not on the same grid.\n"
            f"image:\n{volume.geometry.describe()}\nmask:\n{mask.geometry.describe()}"
        )
    if not mask.array.any():
        raise DataError(f"The mask {mask.name!r} is empty: there is nothing to perturb.")


def _moves(settings: Perturbation) -> bool:
    return bool(settings.rotation or any(settings.translation))


def _finite(x: NDArray) -> Floats:
    """As float64, 0 where a voxel is not finite, or a spline would spread it over its row."""
    return np.asarray(np.nan_to_num(x.astype(float, order="C"), nan=0.0, posinf=0.0, neginf=0.0))


def _within(outer: Box, inner: Box) -> Box:
    """A box given in voxels of another box, in voxels of the whole."""
    z, y, x = (
        slice(o.start + i.start, o.start + i.stop) for o, i in zip(outer, inner, strict=True)
    )
    return z, y, x


def _around(positions: Floats, size: int) -> slice:
    """The voxels of an axis that a spline at these positions needs."""
    first, last = int(np.floor(positions.min())), int(np.ceil(positions.max()))
    return slice(max(first - SPLINE_REACH, 0), min(last + SPLINE_REACH + 1, size))


def _common(a: slice, b: slice) -> slice:
    return slice(max(a.start, b.start), min(a.stop, b.stop))


def _placed(region: Region, box: Box, frame: Box) -> Region:
    """The region of one box in another; False where the first has nothing."""
    out = np.zeros([s.stop - s.start for s in frame], dtype=bool)
    both = [_common(a, b) for a, b in zip(box, frame, strict=True)]
    into, from_ = (
        tuple(slice(s.start - o.start, s.stop - o.start) for s, o in zip(both, outer, strict=True))
        for outer in (frame, box)
    )
    out[into] = region[from_]
    return out


def _shifted(x: NDArray, across: float, order: int) -> Floats:
    """(slices, rows, columns) shifted across slices, as (rows, columns, slices)."""
    from scipy.ndimage import shift

    moved = np.moveaxis(np.asarray(x, dtype=float), 0, 2)
    if not across:
        return moved
    mode = "constant" if order == 1 else "mirror"
    return np.asarray(shift(moved, (0, 0, across), order=order, mode=mode))


def _slices_first(x: NDArray, shape: tuple[int, ...]) -> NDArray:
    return np.moveaxis(x.reshape(shape), 2, 0)
