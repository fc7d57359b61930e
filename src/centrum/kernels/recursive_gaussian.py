"""Gaussian smoothing and second derivative along an axis, by recursion.

Deriche approximates the Gaussian by two damped oscillations h(n), n >= 0, so that a sample of
the result costs the same for every sigma. The kernel is h(|n|); that of the second derivative
decays and oscillates alike, so one recursion serves both.

Source: R. Deriche, Recursively implementing the Gaussian and its derivatives, INRIA RR-1893
(1993); the constants of order 4 and the normalisation of ITK's RecursiveGaussianImageFilter.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from centrum.arrays import Complexes, Floats
from centrum.kernels.cache import kernel, part

OSCILLATIONS: Complexes = np.array([-1.3932 + 0.6681j, -1.3732 + 2.0787j])
"""Decay and frequency of the two oscillations, for sigma = 1."""

SMOOTH: Complexes = np.array([1.3530 - 1.8151j, -0.3531 - 0.0902j])
"""Their amplitudes (cosine - i sine) that make a Gaussian."""

CURVED: Complexes = np.array([-1.3563 - 5.2318j, 0.3446 + 2.2355j])
"""Their amplitudes that make a Gaussian's second derivative, but for its mean."""


@dataclass(frozen=True)
class RecursiveGaussian:
    """The recursion for one sigma.

    Attributes
    ----------
    sigma : in voxels

    >>> impulse = np.zeros((99, 1)); impulse[49] = 1
    >>> smooth, second = RecursiveGaussian(2.0).along(impulse, slice(0, 99))
    >>> round(smooth.sum().item(), 9), round(abs(second.sum().item()), 9)
    (1.0, 0.0)
    """

    sigma: float

    @cached_property
    def poles(self) -> Complexes:
        return np.asarray(np.exp(OSCILLATIONS / self.sigma))

    @cached_property
    def feedback(self) -> Floats:
        """Weights (section, 2) of the two states before in each state."""
        return np.stack([2 * self.poles.real, -(np.abs(self.poles) ** 2)], axis=1)

    @cached_property
    def smooth(self) -> Floats:
        """Weights (section, 4) of the states that make the Gaussian; see `add_recursive`."""
        return self._weights(SMOOTH / self._sum(SMOOTH))

    @cached_property
    def second(self) -> Floats:
        """The same for the second derivative: 0 for constants and 2 for n^2."""
        level = self._sum(CURVED) / self._sum(SMOOTH)
        amplitudes = CURVED - level * SMOOTH
        return self._weights(2 * amplitudes / self._second_moment(amplitudes))

    def _weights(self, amplitudes: Complexes) -> Floats:
        own = amplitudes.real
        before = -(amplitudes * self.poles.conj()).real
        first, second = self.feedback.T
        return np.stack([own, before, own * first + before, own * second], axis=1)

    def _sum(self, amplitudes: Complexes) -> float:
        """Of the kernel h(|n|)."""
        one_side = (amplitudes / (1 - self.poles)).real.sum()
        return float(2 * one_side - amplitudes.real.sum())

    def _second_moment(self, amplitudes: Complexes) -> float:
        """Sum of n^2 h(|n|)."""
        p = self.poles
        return float(2 * (amplitudes * p * (1 + p) / (1 - p) ** 3).real.sum())

    def along(self, lines: Floats, wanted: slice) -> Floats:
        """Gaussian and second derivative (2, wanted, columns) down the columns of `lines`."""
        out = np.zeros((2, wanted.stop - wanted.start, lines.shape[1]))
        whole = slice(0, lines.shape[0]), slice(0, lines.shape[1])
        add_recursive(
            lines, whole, wanted, self.feedback, np.stack([self.smooth, self.second]), out
        )
        return out


def add_recursive(
    lines: Floats,
    part: tuple[slice, slice],
    wanted: slice,
    feedback: Floats,
    weights: Floats,
    out: Floats,
) -> None:
    """Add recursive filters down the columns of a part of `lines` (n, columns) to `out`.

    Parameters
    ----------
    part : rows and columns that are looked at; the first and the last row go on beyond
    wanted : rows, among those of the part, whose results are wanted
    feedback : (2, 2) see `RecursiveGaussian.feedback`
    weights : (k, 2, 4) for each filter and section: of the state of a row and of the one above
        it, and, when going up, of the two states below it
    out : (k, wanted, columns of the part)
    """
    rows, columns = part
    _add_recursive(
        lines,
        rows.start,
        rows.stop,
        columns.start,
        rows.start + wanted.start,
        feedback,
        weights,
        np.empty(out.shape[2]),
        np.empty(out.shape[2]),
        out,
    )


# The state and the one before are arrays of their own: as rows of one array the loops over them
# would not vectorise.


@part
def _settle(x: Floats, w1: float, w2: float, state: Floats, before: Floats) -> None:
    """The state after a row has gone on for ever."""
    level = 1.0 / (1.0 - w1 - w2)
    for c in range(x.size):
        state[c] = x[c] * level
        before[c] = x[c] * level


@part
def _advance(x: Floats, w1: float, w2: float, state: Floats, before: Floats) -> None:
    """The state after one more row."""
    for c in range(x.size):
        p = x[c] + w1 * state[c] + w2 * before[c]
        before[c] = state[c]
        state[c] = p


@part
def _advance_four(
    x0: Floats,
    x1: Floats,
    x2: Floats,
    x3: Floats,
    w1: float,
    w2: float,
    state: Floats,
    before: Floats,
) -> None:
    """The state after four more rows, loaded and stored once."""
    for c in range(x0.size):
        p, q = state[c], before[c]
        q = x0[c] + w1 * p + w2 * q
        p = x1[c] + w1 * q + w2 * p
        q = x2[c] + w1 * p + w2 * q
        p = x3[c] + w1 * q + w2 * p
        state[c] = p
        before[c] = q


@part
def _add_state(state: Floats, before: Floats, p: float, q: float, row: Floats) -> None:
    """What a section adds to a filter's result."""
    for c in range(row.size):
        row[c] += p * state[c] + q * before[c]


@kernel
def _add_recursive(
    lines: Floats,
    first: int,
    last: int,
    column: int,
    start: int,
    feedback: Floats,
    weights: Floats,
    state: Floats,
    before: Floats,
    out: Floats,
) -> None:
    filters, stop, left, right = out.shape[0], start + out.shape[1], column, column + out.shape[2]
    for section in range(2):
        w1, w2 = feedback[section, 0], feedback[section, 1]
        _settle(lines[first, left:right], w1, w2, state, before)
        i = first
        while i + 4 <= start:
            _advance_four(
                lines[i, left:right],
                lines[i + 1, left:right],
                lines[i + 2, left:right],
                lines[i + 3, left:right],
                w1,
                w2,
                state,
                before,
            )
            i += 4
        while i < stop:
            _advance(lines[i, left:right], w1, w2, state, before)
            if i >= start:
                for k in range(filters):
                    w = weights[k, section]
                    _add_state(state, before, w[0], w[1], out[k, i - start])
            i += 1
        _settle(lines[last - 1, left:right], w1, w2, state, before)
        i = last - 1
        while i - 3 >= stop:
            _advance_four(
                lines[i, left:right],
                lines[i - 1, left:right],
                lines[i - 2, left:right],
                lines[i - 3, left:right],
                w1,
                w2,
                state,
                before,
            )
            i -= 4
        while i >= start:
            if i < stop:
                for k in range(filters):
                    w = weights[k, section]
                    _add_state(state, before, w[2], w[3], out[k, i - start])
            _advance(lines[i, left:right], w1, w2, state, before)
            i -= 1
