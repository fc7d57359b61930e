"""The scanner: from tissue at .4 x .4 x 1 mm to a sagittal series of thick slices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from centrum.arrays import Floats
from centrum.geometry import Geometry
from centrum.kernels.banded import banded_product
from centrum.kernels.gaussian_field import REACH
from centrum.simulate.signal import Sequence

BUILD_MM = (1.0, 0.4, 0.4)
"""Voxels of the build: left to right, head to foot, front to back."""

FWHM_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))

MARROW_UNITS = 260.0
"""Stored value of normal marrow at unit gain; the rest of int16 is room for gain and CSF."""


@dataclass(frozen=True)
class ImagingProtocol:
    """How a region of the spine is imaged.

    Attributes
    ----------
    sequence : TR and TE
    thickness_mm, gap_mm : of the slices
    slices : how many
    pixel_mm : reconstructed, in plane
    height_mm : of the field, at most
    """

    sequence: Sequence
    thickness_mm: float
    gap_mm: float
    slices: int
    pixel_mm: float
    height_mm: float

    @property
    def pitch_mm(self) -> float:
        """From the centre of a slice to the next."""
        return self.thickness_mm + self.gap_mm


@dataclass(frozen=True)
class Centre:
    """A scanner: its protocols by region, resolution, gain and noise.

    Attributes
    ----------
    protocols : by region of the spine
    resolution_mm : full width at half maximum of the point spread, along rows and columns
    gain : typical, relative to centre A
    snr : range of the signal-to-noise ratio of marrow, before the image is smoothed
    smoothing_mm : SD of the filter with which the reconstruction smooths image and noise
    """

    protocols: dict[str, ImagingProtocol]
    resolution_mm: tuple[float, float]
    gain: float
    snr: tuple[float, float]
    smoothing_mm: float


# TR, TE, thickness, gap and field of view of centre A: Int. J. Radiat. Res. 2024;22(4),
# doi 10.61186/ijrr.22.4.927. Pixels are the field of view over a matrix of 416 or 512.
CENTRES = {
    "A": Centre(
        {
            "cervical": ImagingProtocol(Sequence(2321, 105), 3.0, 0.3, 11, 240 / 416, 124.0),
            "thoracic": ImagingProtocol(Sequence(2778, 104), 3.0, 0.3, 17, 300 / 512, 190.0),
            "lumbar": ImagingProtocol(Sequence(2500, 121), 4.0, 0.4, 16, 280 / 512, 190.0),
        },
        (0.90, 1.25),
        1.0,
        (14, 32),
        0.0,
    ),
    "B": Centre(
        {
            "cervical": ImagingProtocol(Sequence(3200, 92), 3.0, 0.6, 10, 250 / 384, 124.0),
            "thoracic": ImagingProtocol(Sequence(3600, 96), 4.0, 0.4, 13, 320 / 480, 190.0),
            "lumbar": ImagingProtocol(Sequence(3500, 102), 4.5, 0.5, 14, 300 / 448, 190.0),
        },
        (1.3, 1.7),
        1.9,
        (4, 8),
        0.8,
    ),
}


@dataclass(frozen=True)
class VoxelGrid:
    """Voxel positions in mm from the centre of the field: left (+) to right, down, back."""

    left: Floats
    down: Floats
    back: Floats

    @property
    def axes(self) -> tuple[Floats, Floats, Floats]:
        """The three axes in the order of the array."""
        return self.left, self.down, self.back


def image_grid(
    protocol: ImagingProtocol, field_mm: tuple[float, float], offset_mm: float
) -> VoxelGrid:
    """Centres of the voxels that the scanner stores; slices run from left to right."""
    rows, columns = (
        2 * int(min(size, limit) / protocol.pixel_mm / 2)
        for size, limit in zip(field_mm, (protocol.height_mm, np.inf), strict=True)
    )
    left = offset_mm - protocol.pitch_mm * _centred(protocol.slices)
    return VoxelGrid(
        left, protocol.pixel_mm * _centred(rows), protocol.pixel_mm * _centred(columns)
    )


def build_grid(image: VoxelGrid) -> VoxelGrid:
    """The finer grid on which tissue is built, a little larger than the image."""
    margins = (2.5, 2.0, 2.0)
    left, down, back = (
        np.arange(axis.min() - margin, axis.max() + margin, step)
        for axis, margin, step in zip(image.axes, margins, BUILD_MM, strict=True)
    )
    return VoxelGrid(left[::-1], down, back)


def geometry(protocol: ImagingProtocol, grid: VoxelGrid, tilt_deg: tuple[float, float]) -> Geometry:
    """The series in patient space: rows run down, columns back, slices to the right.

    `tilt_deg` turns the plane about the axis down the patient and about the one to the back,
    as the technician does to follow the spine.
    """
    axes = _rotation(tilt_deg) @ np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]], float)
    corner = np.array([grid.back[0], grid.down[0], -grid.left[0]])
    size = (len(grid.back), len(grid.down), len(grid.left))
    spacing = (protocol.pixel_mm, protocol.pixel_mm, protocol.pitch_mm)
    x, y, z = axes @ corner
    return Geometry(size, spacing, (x, y, z), tuple(axes.ravel()))


WHOLE = (slice(None), slice(None), slice(None))


def acquire(
    tissue: NDArray,
    build: VoxelGrid,
    image: VoxelGrid,
    protocol: ImagingProtocol,
    centre: Centre,
    where: tuple[slice, slice, slice] = WHOLE,
) -> NDArray:
    """Slice profile, point spread and sampling: the image without coil and noise.

    `tissue` is the part `where` of the build; the rest counts as 0.
    """
    profile = _slice_weights(build.left, image.left, protocol.thickness_mm)[:, where[0]]
    rows, columns = (
        _spread_weights(fine, coarse, fwhm)[:, part]
        for fine, coarse, fwhm, part in zip(
            build.axes[1:], image.axes[1:], centre.resolution_mm[::-1], where[1:], strict=True
        )
    )
    slices = banded_product(profile, tissue.reshape(len(tissue), -1))
    lines = banded_product(rows, slices.reshape(-1, *tissue.shape[1:]))
    return np.matmul(lines, columns.T)


def coil_sensitivity(image: VoxelGrid, skin_mm: NDArray, depth_mm: float, tilt: float) -> NDArray:
    """Surface coil behind the back: sensitivity falls with the distance from the skin.

    `skin_mm` is the position of the skin in every row; `depth_mm` the distance over which
    sensitivity falls to 1/e; `tilt` its relative change from the top to the bottom.
    """
    distance = np.clip(skin_mm[:, None] - image.back[None, :], 0, None)
    along = 1 + tilt * image.down / np.ptp(image.down)
    return (along[:, None] * np.exp(-distance / depth_mm)).astype(np.float32)


def add_noise(image: NDArray, sigma: float, rng: np.random.Generator) -> NDArray:
    """Rician magnitude image; the noise is as smooth as a zero-filled reconstruction."""
    parts = rng.standard_normal((2, *image.shape), dtype=np.float32)
    for plane in parts.reshape(-1, *image.shape[1:]):
        plane[:] = _spread_rows(_spread_rows(plane.T, 0.45).T, 0.6)
    parts *= sigma / parts.std()
    parts[0] += image
    parts *= parts
    return np.sqrt(parts[0] + parts[1])


def _spread_rows(plane: NDArray, sd: float) -> NDArray:
    """`gaussian_filter1d` of a plane along its first axis, as far as 3 `sd`, in its own type."""
    reach = int(3 * sd + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sd) ** 2)
    padded = np.pad(plane, ((reach, reach), (0, 0)), mode="symmetric")
    parts = (
        float(weight) * padded[k : k + len(plane)]
        for k, weight in enumerate(weights / weights.sum())
    )
    return np.asarray(sum(parts))


def smoothed(image: NDArray, sd_mm: float, pixel_mm: float) -> NDArray:
    """The image as a reconstruction smooths it within slices, to hide its noise."""
    if sd_mm == 0:
        return image
    return gaussian_filter(image, (0, sd_mm / pixel_mm, sd_mm / pixel_mm))


def _centred(count: int) -> Floats:
    return np.arange(count, dtype=np.float64) - (count - 1) / 2


def _slice_weights(fine: NDArray, centres: NDArray, thickness: float) -> NDArray:
    """Trapezoid of the given width at half height with flanks of one build voxel."""
    distance = np.abs(fine[None, :] - centres[:, None])
    return _normalised(np.clip(thickness / 2 + 0.5 - distance, 0, 1))


def _spread_weights(fine: NDArray, centres: NDArray, fwhm: float) -> NDArray:
    """Gaussian point spread of the given full width, sampled at the pixel centres."""
    distance = (fine[None, :] - centres[:, None]) / (fwhm * FWHM_TO_SIGMA)
    return _normalised(np.exp(-0.5 * distance**2) * (np.abs(distance) <= REACH))


def _normalised(weights: NDArray) -> NDArray:
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _rotation(tilt_deg: tuple[float, float]) -> NDArray:
    """Turn about the axis from foot to head, after one about the axis to the back."""
    (cz, cy), (sz, sy) = np.cos(np.deg2rad(tilt_deg)), np.sin(np.deg2rad(tilt_deg))
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return np.asarray(about_z @ about_y)
