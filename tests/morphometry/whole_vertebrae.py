"""Whole vertebrae and their canal, from the shapes of the phantom."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.cohort.levels import Level
from centrum.geometry import Geometry, direction_of
from centrum.simulate.acquisition import VoxelGrid
from centrum.simulate.anatomy import arch_of, body, body_block, paint_arch
from centrum.simulate.fracture import Fracture
from centrum.simulate.shapes import ellipse
from centrum.simulate.spine import SpinalCurve, Vertebra, build_spine
from centrum.volume import Mask

HEIGHT_MM, DEPTH_MM, WIDTH_MM = (-45.0, 45.0), (-35.0, 75.0), (-32.0, 32.0)

SAC_HALF_MM = 9.5


@dataclass(frozen=True)
class Whole:
    """One vertebra and the canal behind it, on a grid of sagittal slices."""

    body: Mask
    whole: Mask
    canal: Mask


def whole_vertebra(level: str, fracture: Fracture, *, slice_mm: float = 4.4) -> Whole:
    """A vertebra; the canal is what the bone leaves of an ellipse along the spine."""
    spine = build_spine(Level.parse(level), fracture, np.random.default_rng(3))
    axes = (np.arange(*WIDTH_MM, slice_mm), np.arange(*HEIGHT_MM, 0.6), np.arange(*DEPTH_MM, 0.6))
    grid = VoxelGrid(*axes)
    curve = SpinalCurve.through(spine, grid.down, grid.back)
    near = [v for v in spine if body_block(grid, v) is not None]
    bodies = {v.level.name: _body(v, grid) for v in near}
    arches = {v.level.name: _arch(v, grid, curve) for v in near}
    bone = np.any([*bodies.values(), *arches.values()], axis=0)
    target = next(v for v in near if v.level.name == level)
    canal = _canal(target, grid, curve) & ~bone
    geometry = Geometry(
        tuple(map(len, reversed(axes))), (0.6, 0.6, slice_mm), direction=direction_of("PIL")
    )
    whole = bodies[level] | arches[level]
    masks = (Mask(array, geometry, level) for array in (bodies[level], whole, canal))
    return Whole(*masks)


def _empty(grid: VoxelGrid, kind: Any) -> NDArray[Any]:
    return np.zeros([len(axis) for axis in grid.axes], kind)


def _body(vertebra: Vertebra, grid: VoxelGrid) -> NDArray[np.bool_]:
    block = body_block(grid, vertebra)
    assert block is not None
    found = _empty(grid, bool)
    found[block.where] = body(vertebra, block).distance < 0
    return found


def _arch(vertebra: Vertebra, grid: VoxelGrid, curve: SpinalCurve) -> NDArray[np.bool_]:
    painted = _empty(grid, np.float32)
    paint_arch(painted, grid, vertebra, curve, 1.0, 0.4)
    return painted > 0.5


def _canal(vertebra: Vertebra, grid: VoxelGrid, curve: SpinalCurve) -> NDArray[np.bool_]:
    depth = arch_of(vertebra).canal / 2 - 1.7
    behind = curve.across - (curve.half_depth + depth + 1.8)
    aside = np.abs(grid.left[:, None, None] - curve.left)
    half = (depth + 2.6, SAC_HALF_MM + 2.5)
    return np.asarray(ellipse(behind - 1.0, aside, half) < 0)
