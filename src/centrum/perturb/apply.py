"""From a perturbation to the image and the region that it makes; nothing here is random.

Order: the region gets its new volume and contour, image and region are moved, the noise of
another acquisition is added.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats
from centrum.errors import DataError, GeometryError
from centrum.perturb.contour import Contour
from centrum.perturb.motion import HALF, Motion, sample_cubic, share, spline_coefficients
from centrum.perturb.noise import noise_sd
from centrum.perturb.plan import Perturbation
from centrum.provenance import Step
from centrum.volume import Mask, Volume, bounding_box

ROOM_MM = 4.0
"""Room for a contour outside of the region."""

SPLINE_REACH = 16
"""Voxels beside a block that its spline needs: their influence falls by 2 - sqrt(3) per voxel."""

NOISE = 0
"""Stream of randomness that a seed gives to the noise."""

Region = Flags
Box = tuple[slice, slice, slice]


def apply(
    volume: Volume,
    mask: Mask,
    perturbation: Perturbation,
    axis: int = 0,
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
    return Perturbable(volume, mask, axis, margin_mm).perturbed(perturbation)


class Perturbable:
    """An image and a region; what all their perturbations share is computed once.

    Parameters
    ----------
    axis : array axis (z, y, x) across the slices, which a turn is about
    margin_mm : how far around the region the image is perturbed, (across slices, rows, columns)
        or the same for all; beyond it is as it was
    """

    def __init__(
        self,
        volume: Volume,
        mask: Mask,
        axis: int = 0,
        margin_mm: float | Sequence[float] = 10.0,
    ) -> None:
        _check(volume, mask)
        self.volume, self.mask, self.axis = volume, mask, axis
        self.margin_mm = np.broadcast_to(np.asarray(margin_mm, dtype=float), (3,))
        self.planes = np.moveaxis(volume.array, axis, 0)
        inside = np.moveaxis(mask.array, axis, 0)
        spacing = list(volume.geometry.array_spacing)
        self.spacing = (spacing.pop(axis), spacing[0], spacing[1])
        self.tight = bounding_box(inside)
        self.box = self._grown(self.tight, np.full(3, ROOM_MM))
        self._kept: dict[tuple[int, int], Floats] = {}
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
            rng = np.random.default_rng([settings.seed, NOISE])
            x = x + settings.noise * self.noise_sd * rng.standard_normal(x.shape)
        return self._whole(settings, frame, x, region)

    def _refuse_lost(self, settings: Perturbation, region: Region) -> None:
        if not region.any():
            raise DataError(
                f"The perturbation {settings.name!r} leaves no voxel of {self.mask.name!r}."
            )

    def _grown(self, box: Box, mm: Floats) -> Box:
        """The box with so many mm around along each axis, as far as the image goes."""
        z, y, x = (
            slice(max(s.start - n, 0), min(s.stop + n, size))
            for s, size, n in zip(
                box, self.planes.shape, np.ceil(mm / self.spacing).astype(int).tolist(), strict=True
            )
        )
        return z, y, x

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
        _, first, left = self.block
        coefficients = self._coefficients(settings.translation[0], frame[0])
        x = sample_cubic(coefficients, rows - first.start, columns - left.start)
        shape = (*grid[0].shape, -1)
        return frame, _slices_first(x, shape), _slices_first(shares, shape) >= HALF

    def _centre(self) -> tuple[float, float]:
        _, rows, columns = self.tight
        return (rows.start + rows.stop - 1) / 2, (columns.start + columns.stop - 1) / 2

    def _frame(self, motion: Motion, region: Region, across: float) -> Box:
        """What the region fills after the motion, and the margin around it."""
        slices, *sides = _within(self.box, bounding_box(region))
        corners = np.meshgrid(*((s.start, s.stop - 1) for s in sides), indexing="ij")
        ends = [slice(int(e.min()), int(np.ceil(e.max())) + 1) for e in motion.forth(*corners)]
        more = int(np.ceil(abs(across)))
        moved = (slice(slices.start - more, slices.stop + more), ends[0], ends[1])
        frame = self._grown(moved, self.margin_mm)
        return (_common(frame[0], self.block[0]), *frame[1:])

    @cached_property
    def block(self) -> Box:
        """The part of the image that any motion within the margin reads."""
        mm = np.maximum(ROOM_MM, self.margin_mm)
        sides = [s.stop - s.start for s in self.tight[1:]]
        radius = np.hypot(*np.multiply(sides, self.spacing[1:])) / 2 + mm[1:].max()
        reach = [int(radius / e) + SPLINE_REACH for e in self.spacing[1:]]
        rows, columns = (
            slice(max(int(c) - n, 0), min(int(c) + n + 1, size))
            for c, n, size in zip(self._centre(), reach, self.planes.shape[1:], strict=True)
        )
        return self._grown(self.tight, mm)[0], rows, columns

    def _coefficients(self, across: float, slices: slice) -> Floats:
        """Of the spline through these slices, shifted across slices: (rows, columns, slices)."""
        start = self.block[0].start
        part = (slices.start - start, slices.stop - start)
        if across:
            shifted = _shifted(_finite(self.planes[self.block]), across, order=3)
            return spline_coefficients(shifted[:, :, slice(*part)])
        if part not in self._kept:
            self._kept[part] = np.ascontiguousarray(self._unshifted[:, :, slice(*part)])
        return self._kept[part]

    @cached_property
    def _unshifted(self) -> Floats:
        return spline_coefficients(np.moveaxis(_finite(self.planes[self.block]), 0, 2))

    def _whole(
        self, settings: Perturbation, frame: Box, x: Floats, region: Region
    ) -> tuple[Volume, Mask]:
        """The frame put into the whole image, which keeps its precision or has that of float32."""
        dtype = np.result_type(self.volume.array.dtype, np.float32)
        array, inside = self.volume.array.astype(dtype), np.zeros(self.mask.array.shape, bool)
        np.moveaxis(array, self.axis, 0)[frame] = x
        np.moveaxis(inside, self.axis, 0)[frame] = region
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
    return np.asarray(np.nan_to_num(x.astype(float), nan=0.0, posinf=0.0, neginf=0.0))


def _within(outer: Box, inner: Box) -> Box:
    """A box given in voxels of another box, in voxels of the whole."""
    z, y, x = (
        slice(o.start + i.start, o.start + i.stop) for o, i in zip(outer, inner, strict=True)
    )
    return z, y, x


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

    moved = np.moveaxis(x.astype(float), 0, 2)
    if not across:
        return moved
    mode = "constant" if order == 1 else "mirror"
    return np.asarray(shift(moved, (0, 0, across), order=order, mode=mode))


def _slices_first(x: NDArray, shape: tuple[int, ...]) -> NDArray:
    return np.moveaxis(x.reshape(shape), 2, 0)
