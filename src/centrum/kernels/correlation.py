"""Sums over all pairs of voxels of a product of two fields, weighted by their distance.

The weight depends on the lag alone: the sum is one over the frequencies of the zero-padded
box (Wiener-Khinchin), and costs n log n instead of n^2.
"""

import numpy as np

from centrum.arrays import Complexes, Floats

Field = Floats

Spectrum = Complexes

AT_ONCE = 2**16
"""Frequencies that are held at once, beyond one spectrum for every slice."""


def fast_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The next sizes at which the Fourier transform is fast.

    >>> fast_shape((13, 40, 41))
    (14, 40, 42)
    """
    from scipy.fft import next_fast_len

    return tuple(int(next_fast_len(n)) for n in shape)


def inverse_distance_spectrum(shape: tuple[int, ...], steps: tuple[float, ...]) -> Field:
    """Spectrum of 1 / distance on a box padded to twice its size; 0 at no distance.

    Lags are mirrored, so that the frequencies from 0 to n along each axis (z, y, x) tell all.

    Parameters
    ----------
    shape : size n of the box along z, y, x
    steps : mm from voxel to voxel along z, y, x

    >>> inverse_distance_spectrum((1, 1, 1), (1.0, 1.0, 1.0)).shape
    (2, 2, 2)
    """
    from scipy.fft import dctn

    z, y, x = ((np.arange(n + 1) * step) ** 2 for n, step in zip(shape, steps, strict=True))
    distance = np.sqrt(z[:, None, None] + y[:, None] + x)
    distance[0, 0, 0] = np.inf
    return np.asarray(dctn(1 / distance, type=1, overwrite_x=True))


def pair_sums(fields: list[Field], spectrum: Field) -> list[float]:
    """Sum over all pairs of voxels i, j of w(i - j) a(i) b(j), a being the first field.

    Parameters
    ----------
    fields : (z, y, x) each, no larger than the box of the spectrum
    spectrum : of the weights, from 0 to n along each axis

    Returns
    -------
    sums : b being each field in turn, the first among them

    >>> line = np.array([[[1.0, 2.0, 4.0]]])
    >>> spectrum = inverse_distance_spectrum((1, 1, 3), (1.0, 1.0, 1.0))
    >>> [round(total, 9) for total in pair_sums([line], spectrum)]  # 2 (1 2 + 2 4 + 1 4 / 2)
    [24.0]
    """
    from scipy.fft import fft

    z, y, x = (2 * (n - 1) for n in spectrum.shape)
    slices = [_slice_spectra(field, y, x) for field in fields]
    mirrored_z, mirrored_y = (np.minimum(np.arange(n), n - np.arange(n)) for n in (z, y))
    # A real field's other frequencies along x are the conjugates of these.
    twice = np.full(x // 2 + 1, 2.0)
    twice[[0, -1]] = 1.0
    step = max(1, AT_ONCE // (z * twice.size))
    sums = np.zeros(len(fields))
    for start in range(0, y, step):
        rows = slice(start, start + step)
        first = fft(slices[0][:, rows], z, axis=0)
        weighted = first * (spectrum[np.ix_(mirrored_z, mirrored_y[rows])] * twice)
        sums[0] += np.vdot(weighted, first).real
        for k in range(1, len(fields)):
            sums[k] += np.vdot(weighted, fft(slices[k][:, rows], z, axis=0)).real
    totals: list[float] = (sums / (x * y * z)).tolist()
    return totals


def _slice_spectra(field: Field, y: int, x: int) -> Spectrum:
    """Spectra (z, y, x / 2 + 1) of the slices of a field, zero-padded to y rows of x voxels."""
    from scipy.fft import fft, rfft

    return np.asarray(fft(rfft(field, x, axis=2), y, axis=1, overwrite_x=True))
