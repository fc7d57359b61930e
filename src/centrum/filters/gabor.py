"""Gabor filters: waves in a Gaussian window (IBSI 2, section 3.5, code Q88H)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from centrum.arrays import Floats
from centrum.filters.filter import Filter, register
from centrum.filters.view import Boundary, Reach, View
from centrum.settings import Dialect

CUTOFF = 6.0
"""Standard deviations of the window at which the kernel ends: it has fallen to 1.5e-8 there.
Statistics of IBSI 2's filters 5.A and 5.B change by 2e-3 with an end at 4, by 4e-5 with one at 5
and by less than 1e-6 with one beyond 6."""

TIE = 1e-9
"""Part of a voxel by which the end of a kernel may be rounded."""

Millimetres = Annotated[float, Field(ge=0.01, le=100)]


@register
class Gabor(Filter):
    """Modulus of the response to waves of one length and, if wanted, all directions.

    The kernel is exp(-(a^2 + gamma^2 b^2) / (2 sigma^2) + 2 pi i a / wavelength) with
    a = x cos(theta) + y sin(theta) and b = y cos(theta) - x sin(theta) in mm: theta turns from
    the first axis of a slice (x, or y in slices across x) to the second. It is not normalised
    and ends where its window has fallen below 1.5e-8. `step` asks for all directions theta,
    theta + step, ... of the circle, of which one half suffices where the other repeats it.
    In 3D the maps of the slices across x, y and z are averaged.

    >>> Gabor(sigma=10, wavelength=4, gamma=0.5, theta=60, dimension="2D").names
    ('gabor-s10mm-w4mm-g0.5-60deg-2D',)
    >>> Gabor(sigma=5, wavelength=2, gamma=1.5, step=22.5).names
    ('gabor-s5mm-w2mm-g1.5-by22.5deg-average-3D',)
    """

    dialect: ClassVar[Dialect] = "ibsi"

    filter: Literal["gabor"] = "gabor"
    sigma: Millimetres = Field(description="width of the window along the wave, in mm")
    wavelength: Millimetres = Field(description="lambda, in mm")
    gamma: Annotated[float, Field(ge=0.01, le=100)] = Field(
        1.0, description="how much narrower the window is across the wave"
    )
    theta: Annotated[float, Field(ge=-360, le=360)] = Field(
        0.0, description="direction of the wave, in degrees"
    )
    step: Annotated[float, Field(ge=1, le=360)] | None = Field(
        None, description="degrees between directions that are pooled; null: theta alone"
    )
    pooling: Literal["average", "max"] = "average"
    dimension: Literal["2D", "3D"] = Field(
        "3D", description="2D works in the slices of `plane`, 3D in all planes and averages"
    )
    boundary: Boundary = Field("mirror", description="what lies beyond the edges of the image")

    @model_validator(mode="after")
    def _closes_the_circle(self) -> "Gabor":
        if self.step is not None and abs(360 / self.step - round(360 / self.step)) > 1e-9:
            raise ValueError(
                f"step divides the circle, such as 22.5 or 45 degrees; found {self.step:g}, of "
                f"which 360 degrees hold {360 / self.step:.6g}"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        window = f"s{self.sigma:g}mm-w{self.wavelength:g}mm-g{self.gamma:g}"
        turned = f"-{self.theta:g}deg" if self.theta or self.step is None else ""
        pooled = f"-by{self.step:g}deg-{self.pooling}" if self.step is not None else ""
        beyond = "" if self.boundary == "mirror" else f"-{self.boundary}"
        return (f"gabor-{window}{turned}{pooled}-{self.dimension}{beyond}",)

    @property
    def angles(self) -> Floats:
        """Directions of the waves in radians: opposite ones have the same modulus.

        >>> np.degrees(Gabor(sigma=5, wavelength=2, step=60).angles).round(9).tolist()
        [0.0, 60.0, 120.0]
        """
        if self.step is None:
            return np.radians([self.theta])
        n = round(360 / self.step)
        turns = np.arange(n if n % 2 else n // 2) / n
        return np.asarray(np.radians(self.theta) + 2 * np.pi * turns)

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        if self.in_slices:
            return 0, *self._radii(*spacing[1:])
        z, y, x = spacing
        (zy, yz), (zx, xz), (yx, xy) = (self._radii(*s) for s in ((z, y), (z, x), (y, x)))
        return max(zy, zx), max(yz, yx), max(xz, xy)

    def _radii(self, dy: float, dx: float) -> tuple[int, int]:
        """Voxels (y, x) to the end of the ellipse in which the kernels lie."""
        along, across = self.sigma, self.sigma / self.gamma
        wide = np.hypot(along * np.cos(self.angles), across * np.sin(self.angles)).max()
        high = np.hypot(along * np.sin(self.angles), across * np.cos(self.angles)).max()
        return int(CUTOFF * high / dy + TIE), int(CUTOFF * wide / dx + TIE)

    def respond(self, view: View) -> Iterator[NDArray[np.floating]]:
        if self.in_slices:
            yield self._in_slices(view)
            return
        response = np.zeros(view.shape)
        for axis in range(3):
            across = replace(view, slice_axis=axis).across_slices()
            response += np.moveaxis(self._in_slices(across), 0, axis)
        response /= 3
        yield response

    def _in_slices(self, view: View) -> Floats:
        """Modulus, pooled over directions, in the slices along the first axis."""
        from scipy.fft import fft2, ifft, next_fast_len

        _, dy, dx = view.spacing
        ry, rx = self._radii(dy, dx)
        slices = view.around((0, ry, rx), self.boundary)
        size = [next_fast_len(n) for n in slices.shape[1:]]
        waves = np.stack([self._transfer(angle, size, dy, dx) for angle in self.angles])
        _, ny, nx = view.shape
        response = np.empty(view.shape)
        for k, one in enumerate(slices):
            columns = ifft(waves * fft2(one, size), axis=1, overwrite_x=True)[:, ry : ry + ny]
            responses = ifft(columns, axis=2, overwrite_x=True)[:, :, rx : rx + nx]
            response[k] = self._pooled(np.sqrt(responses.real**2 + responses.imag**2))
        return response

    def _transfer(self, angle: float, size: list[int], dy: float, dx: float) -> Floats:
        """Fourier transform of the kernel, which is real: the kernel at -x is its conjugate."""
        from scipy.fft import fft2

        # Whole voxels, so that a voxel at the very end is in or out whatever the size.
        voxels = (np.rint(n * np.fft.fftfreq(n)) for n in size)
        y, x = (k * step for k, step in zip(voxels, (dy, dx), strict=True))
        a = x * np.cos(angle) + y[:, None] * np.sin(angle)
        b = y[:, None] * np.cos(angle) - x * np.sin(angle)
        squared = (a * a + (self.gamma * b) ** 2) / self.sigma**2
        window = np.where(squared <= CUTOFF**2, np.exp(-squared / 2), 0)
        return np.ascontiguousarray(fft2(window * np.exp(2j * np.pi * a / self.wavelength)).real)

    def _pooled(self, moduli: Floats) -> Floats:
        """One map of the moduli in all directions, along the first axis."""
        return np.asarray(moduli.max(axis=0) if self.pooling == "max" else moduli.mean(axis=0))
