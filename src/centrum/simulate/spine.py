"""The column of vertebrae: sizes, curvature, and coordinates that follow it.

Positions are mm from the centre of the field: left (+), down (towards the feet), back.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from centrum.arrays import Floats
from centrum.cohort.levels import Level
from centrum.morphometry.normal import NORMAL
from centrum.simulate.fracture import NO_FRACTURE, Fracture


def _healthy(level: str) -> tuple[float, float, float, float]:
    size = NORMAL[level]
    return (*size.heights, size.depth)


SIZES = {
    # level: anterior, middle, posterior height; depth; width; disc below; tilt (degrees)
    "C2": (19.0, 18.5, 19.0, 15.5, 18.0, 4.4, -6.0),
    "C3": (14.5, 13.8, 14.6, 15.6, 20.0, 4.4, -3.0),
    "C4": (14.0, 13.3, 14.4, 15.8, 21.0, 4.4, 1.0),
    "C5": (13.4, 12.9, 14.2, 16.0, 22.0, 4.5, 6.0),
    "C6": (13.6, 13.0, 14.4, 16.4, 24.0, 4.8, 11.0),
    "C7": (15.0, 14.2, 15.4, 16.8, 26.0, 4.8, 16.0),
    "T1": (16.2, 15.6, 16.8, 17.2, 28.0, 4.6, 20.0),
    "T2": (17.4, 16.8, 18.0, 18.0, 28.0, 4.2, 19.0),
    "T3": (17.9, 17.4, 18.6, 19.5, 27.0, 4.0, 16.0),
    "T4": (18.3, 17.8, 19.2, 21.2, 27.0, 4.0, 12.0),
    "T5": (18.8, 18.4, 19.9, 22.8, 27.0, 4.0, 8.0),
    "T6": (19.4, 19.0, 20.7, 24.4, 28.0, 4.3, 4.0),
    "T7": (20.0, 19.7, 21.5, 26.0, 29.0, 4.6, 0.0),
    "T8": (20.7, 20.5, 22.3, 27.4, 31.0, 4.9, -4.0),
    "T9": (21.6, 21.4, 23.2, 28.6, 33.0, 5.3, -8.0),
    "T10": (22.7, 22.6, 24.6, 29.8, 36.0, 5.8, -11.0),
    "T11": (*_healthy("T11"), 39.0, 6.4, -12.0),
    "T12": (*_healthy("T12"), 42.0, 7.0, -12.0),
    "L1": (*_healthy("L1"), 44.0, 8.0, -11.0),
    "L2": (*_healthy("L2"), 46.0, 9.0, -8.0),
    "L3": (*_healthy("L3"), 48.0, 10.0, -3.0),
    "L4": (*_healthy("L4"), 51.0, 10.5, 5.0),
    "L5": (*_healthy("L5"), 55.0, 10.0, 19.0),
    "S1": (29.0, 26.0, 24.0, 29.0, 56.0, 3.0, 36.0),
    "S2": (23.0, 21.0, 21.0, 21.0, 46.0, 2.2, 42.0),
    "S3": (20.0, 18.0, 18.0, 16.0, 38.0, 2.0, 38.0),
}
"""Mean sizes in mm. T11 to L5: heights and depths of 56 real healthy bodies; others chosen
from the usual anatomy. Tilt: how far the axis of the body leans forward on its way up."""

ORDER = tuple(SIZES)
PATIENT_SD, DIMENSION_SD = 0.05, 0.06
"""Relative SD of the size of a patient, and of a single dimension of a vertebra."""


@dataclass(frozen=True)
class Vertebra:
    """A vertebra in its place.

    Attributes
    ----------
    level : which
    heights : anterior, middle and posterior height before it broke, mm
    depth, width : of the body, mm
    disc : height of the disc below, mm
    left, down, back : centre of the body, mm
    tilt : radians by which its axis leans forward on its way up
    fracture : how it is broken
    seed : of its own irregularities
    """

    level: Level
    heights: tuple[float, float, float]
    depth: float
    width: float
    disc: float
    left: float
    down: float
    back: float
    tilt: float
    fracture: Fracture
    seed: int

    @property
    def reach(self) -> float:
        """Mean of the heights in front and behind with the fracture, mm."""
        lost = {"wedge": 0.5, "biconcave": 0.12, "crush": 0.95}[self.fracture.kind]
        return (self.heights[0] + self.heights[2]) / 2 * (1 - lost * self.fracture.loss)

    def local(self, down: NDArray, back: NDArray) -> tuple[NDArray, NDArray]:
        """Coordinates in the frame of the body: towards the back, and up its axis."""
        dv, dy = down - self.down, back - self.back
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return dy * cos - dv * sin, -dv * cos - dy * sin

    def point(self, towards_back: float, up: float) -> tuple[float, float]:
        """The place (down, back) of a point of the frame of the body."""
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return (
            self.down - up * cos - towards_back * sin,
            self.back - up * sin + towards_back * cos,
        )


def build_spine(level: Level, fracture: Fracture, rng: np.random.Generator) -> list[Vertebra]:
    """The vertebrae from six above to five below the broken one, from head to foot."""
    at = ORDER.index(level.name)
    levels = [Level.parse(name) for name in ORDER[max(at - 6, 0) : at + 6]]
    scale, bend = rng.normal(1, PATIENT_SD), rng.normal(1, 0.15)
    degeneration = rng.uniform(0.62, 0.95)
    spine = []
    for one in levels:
        broken = fracture if one == level else NO_FRACTURE
        spine.append(_vertebra(one, scale, bend, degeneration, broken, rng))
    return _placed(spine, levels.index(level), _scoliosis(rng))


def _vertebra(
    level: Level,
    scale: float,
    bend: float,
    degeneration: float,
    fracture: Fracture,
    rng: np.random.Generator,
) -> Vertebra:
    sizes = np.array(SIZES[level.name])
    dimensions = sizes[:5] * scale * rng.normal(1, DIMENSION_SD, 5)
    disc = sizes[5] * scale * np.clip(degeneration + rng.normal(0, 0.13), 0.4, 1.15)
    tilt = sizes[6] * bend + rng.normal(0, 1.5)
    anterior, middle, posterior, depth, width = (float(d) for d in dimensions)
    return Vertebra(
        level,
        (anterior, middle, posterior),
        depth,
        width,
        float(disc),
        0.0,
        0.0,
        0.0,
        float(np.deg2rad(tilt)),
        fracture,
        int(rng.integers(2**31)),
    )


def _scoliosis(rng: np.random.Generator) -> tuple[float, float, float]:
    """Amplitude (mm), wavelength (mm) and phase of a gentle curve to the side."""
    return rng.normal(0, 2.0), rng.uniform(180, 320), rng.uniform(0, 2 * np.pi)


def _placed(
    spine: list[Vertebra], target: int, scoliosis: tuple[float, float, float]
) -> list[Vertebra]:
    """Stack the vertebrae on each other, the broken one in the centre of the field."""
    tilts = _after_collapse(spine, target)
    places = {target: np.zeros(2)}
    for step in (-1, 1):
        k = target
        while 0 <= k + step < len(spine):
            disc = spine[min(k, k + step)].disc
            between = (tilts[k] + tilts[k + step]) / 2
            half = 0.5 * spine[k].reach * _up(tilts[k]) + disc * _up(between)
            half = half + 0.5 * spine[k + step].reach * _up(tilts[k + step])
            places[k + step] = places[k] - step * half
            k += step
    amplitude, wave, phase = scoliosis

    def place(k: int) -> Vertebra:
        down, back = (float(c) for c in places[k])
        left = float(amplitude * (np.sin(2 * np.pi * down / wave + phase) - np.sin(phase)))
        known = {**spine[k].__dict__, "left": left, "down": down, "back": back, "tilt": tilts[k]}
        return Vertebra(**known)

    return [place(k) for k in range(len(spine))]


def _after_collapse(spine: list[Vertebra], target: int) -> list[float]:
    """Tilts, with the kyphosis that a wedge fracture adds."""
    broken = spine[target]
    wedge = 0.45 if broken.fracture.kind == "wedge" else 0.05
    angle = np.arctan(wedge * broken.fracture.loss * broken.heights[0] / broken.depth)
    return [
        float(v.tilt + angle * (0.55 if k < target else -0.35 if k > target else 0))
        for k, v in enumerate(spine)
    ]


def _up(tilt: float) -> Floats:
    """Unit vector (down, back) up the axis of a body."""
    return np.array([-np.cos(tilt), -np.sin(tilt)])


@dataclass(frozen=True, eq=False)
class SpinalCurve:
    """Coordinates along and across the column for every point of the sagittal plane.

    Attributes
    ----------
    along : mm down the curve through the centres of the bodies
    across : mm behind that curve
    left : how far the curve lies to the left
    half_depth, half_width : half the depth and width of the bodies at that place
    """

    along: NDArray
    across: NDArray
    left: NDArray
    half_depth: NDArray
    half_width: NDArray

    def columns(self, span: slice) -> "SpinalCurve":
        """The part of the plane between two distances from the front."""
        return SpinalCurve(*(getattr(self, f.name)[:, span] for f in fields(self)))

    @classmethod
    def through(cls, spine: list[Vertebra], down: NDArray, back: NDArray) -> "SpinalCurve":
        """Follow the spine over a plane with the positions `down` (rows) and `back`."""
        centres = np.array([[v.down, v.back, v.left, v.depth, v.width] for v in spine])
        knots = np.arange(centres[0, 0] - 60, centres[-1, 0] + 60, 1.0)
        line = CubicSpline(centres[:, 0], centres[:, 1], bc_type="natural")
        slopes = line(np.clip(knots, centres[0, 0], centres[-1, 0]), 1)
        slopes = gaussian_filter1d(slopes, 6, mode="nearest")
        backs = np.cumsum(slopes) - np.cumsum(slopes)[60] + centres[0, 1]
        nearest = _nearest(down, back, knots, backs, slopes)
        lengths = np.concatenate([[0], np.cumsum(np.hypot(1, slopes[:-1]))])
        slope = np.interp(nearest, knots, slopes)
        offset = (back[None, :] - np.interp(nearest, knots, backs)) * np.hypot(1, slope)
        values = (np.interp(nearest, centres[:, 0], centres[:, k]) for k in (2, 3, 4))
        left, depth, width = (v.astype(np.float32) for v in values)
        along = np.interp(nearest, knots, lengths - np.interp(0, knots, lengths))
        return cls(along.astype(np.float32), offset.astype(np.float32), left, depth / 2, width / 2)


def _nearest(
    down: NDArray, back: NDArray, knots: NDArray, backs: NDArray, slopes: NDArray
) -> NDArray:
    """Where on the curve the perpendicular from each point of the plane meets it."""
    nearest = np.broadcast_to(down[:, None], (len(down), len(back))).copy()
    for _ in range(5):
        slope = np.interp(nearest, knots, slopes)
        gap = back[None, :] - np.interp(nearest, knots, backs)
        nearest += 0.9 * (down[:, None] - nearest + gap * slope) / (1 + slope**2)
    return nearest
