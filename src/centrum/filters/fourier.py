"""Products in the Fourier domain of a whole image (IBSI 2, section 3: Simoncelli and Riesz)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Complexes, Floats
from centrum.filters.taps import HERE, Taps

Components = tuple[Floats, Floats, Floats]
"""Frequencies (z, y, x) of a part of a grid, of shapes that broadcast."""

Transfer = Callable[[Components], NDArray]
"""What a filter multiplies the spectrum by at given frequencies."""

CHUNK = 1 << 18
"""Frequencies that are worked on at a time: a few megabytes."""


def frequencies(n: int) -> Floats:
    """Frequencies of an axis of `n` voxels in the order of the Fourier transform; 1: Nyquist's.

    The grid on which the IBSI 2 teams agree runs from -1 to 1 inclusive, so that its step is
    2 / (n - 1) and not 2 / n, and for even n zero lies between two of its points.

    >>> frequencies(5).tolist(), frequencies(1).tolist()
    ([0.0, 0.5, 1.0, -1.0, -0.5], [0.0])
    """
    return np.fft.ifftshift(np.linspace(-1, 1, n)) if n > 1 else np.zeros(1)


def magnitude(f: Components) -> Floats:
    """Length of the frequency vectors.

    >>> magnitude((np.array([0.0]), np.array([0.6]), np.array([0.8])))
    array([1.])
    """
    z, y, x = f
    return np.asarray(np.sqrt(z * z + y * y + x * x))


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Fourier transform of a real image, over its slices or over the whole of it.

    Attributes
    ----------
    values : the half without negative frequencies along x, [z, y, x // 2 + 1]
    length : voxels along x of the image
    in_slices : whether z counts slices that were transformed one by one

    >>> row = np.array([[[4.0, 0, 0, 0, 0]]])
    >>> half = Spectrum.of(row).filtered(lambda f: 0.5, [range(1), range(1), range(-1, 2)])
    >>> half.round(12).tolist()
    [[[0.0, 2.0, 0.0]]]
    """

    values: Complexes
    length: int
    in_slices: bool = False

    @classmethod
    def of(cls, image: Array, *, in_slices: bool = False) -> "Spectrum":
        """The spectrum of an image [z, y, x] of any numbers."""
        from scipy.fft import fft, rfft2

        n_z, n_y, n_x = image.shape
        spectrum = cls(np.empty((n_z, n_y, n_x // 2 + 1), dtype=complex), n_x, in_slices)
        values = spectrum.values
        for k, one in enumerate(image):
            values[k] = rfft2(one.astype(float))
        for rows in [] if in_slices else spectrum._chunks:
            values[:, rows] = fft(values[:, rows], axis=0)
        return spectrum

    def weigh(self, transfer: Transfer) -> None:
        """Make it that of the whole response."""
        for rows in self._chunks:
            self.values[:, rows] *= self._hermitian(transfer, rows)

    def convolve(self, products: Mapping[tuple[Taps, ...], float]) -> None:
        """Make it that of the periodic image after a weighted sum of symmetric kernels.

        They are given by what is laid along x, y (and z).
        """
        n_z, n_y, n_x = self.values.shape
        factors = [
            (weight * _cosines(x, self.length)[:n_x], _cosines(y, n_y), _cosines(z, n_z))
            for (x, y, z), weight in (((*k, *[HERE] * 3)[:3], w) for k, w in products.items())
        ]
        for rows in self._chunks:
            self.values[:, rows] *= sum(
                z[:, None, None] * (y[rows, None] * x) for x, y, z in factors
            )

    def filtered(self, transfer: Transfer, wanted: Sequence[range]) -> Floats:
        """Response at the voxels `wanted` along (z, y, x), counted around the image.

        Each axis is cut as soon as it is transformed back, so that a small part of a large
        image costs little more than the first axis.
        """
        from scipy.fft import ifft, irfft

        n_y, n_x = self.values.shape[1:]
        z, y, x = (np.arange(w.start, w.stop) for w in wanted)
        columns = np.empty((len(z), n_y, n_x), dtype=complex)
        for rows in self._chunks:
            part = self.values[:, rows] * self._hermitian(transfer, rows)
            if not self.in_slices:
                part = ifft(part, axis=0, overwrite_x=True)
            columns[:, rows] = part[z % len(part)]
        lines = ifft(columns, axis=1, overwrite_x=True)[:, y % n_y]
        response = irfft(lines, self.length, axis=2, overwrite_x=True)
        return np.ascontiguousarray(response[:, :, x % self.length])

    @property
    def _chunks(self) -> list[slice]:
        """Parts of the rows along y."""
        n_z, n_y, n_x = self.values.shape
        step = max(CHUNK // (n_z * n_x), 1)
        return [slice(start, min(start + step, n_y)) for start in range(0, n_y, step)]

    def _hermitian(self, transfer: Transfer, rows: slice) -> NDArray:
        """The part of `transfer` that turns real images into real ones.

        It is that of which the response is the real part that the consensus maps show: for even
        lengths the grid is not symmetric.
        """
        n_z, n_y, n_x = self.values.shape
        lengths = (1 if self.in_slices else n_z, n_y, self.length)
        z, y, x = (frequencies(n) for n in lengths)
        if all(n == 1 or n % 2 for n in lengths):
            return transfer(_sparse(z, y[rows], x[:n_x]))
        opposite = _sparse(_negated(z), _negated(y)[rows], _negated(x)[:n_x])
        return (transfer(_sparse(z, y[rows], x[:n_x])) + np.conj(transfer(opposite))) / 2


def _cosines(taps: Taps, n: int) -> Floats:
    """Discrete Fourier transform of a symmetric kernel on a periodic axis of `n` voxels."""
    turns = 2 * np.pi / n * np.outer(np.arange(n), taps.places)
    return np.asarray(np.cos(turns) @ taps.weights)


def _sparse(z: Floats, y: Floats, x: Floats) -> Components:
    return z[:, None, None], y[:, None], x


def _negated(f: Floats) -> Floats:
    """At each index the frequency of the opposite index."""
    return np.roll(f[::-1], 1)
