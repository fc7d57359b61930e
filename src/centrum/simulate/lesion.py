"""What the fracture or the tumour did to the marrow of the broken body."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrum.kernels.gaussian_field import gaussian_field
from centrum.simulate.shapes import cover, paint
from centrum.simulate.signal import MARROW, TISSUES, Marrow, Sequence


@dataclass(frozen=True)
class Lesion:
    """Changed marrow of one body.

    Attributes
    ----------
    pattern : which part changed: none, a band at the broken end plate, patchy, or full
    tissue : what replaces normal marrow
    variation : SD of the relative signal within the changed marrow
    extent : share of the height (band) or of the volume (patchy) that is changed
    edge_mm : width of the margin
    patch_mm : correlation length of patches and of the waviness of a margin
    impaction_mm, fluid_mm : thickness of the impaction line and of the fluid cleft, 0 for none
    nodules : round foci in marrow that is spared, and in the neighbours
    """

    pattern: str
    tissue: Marrow
    variation: float
    extent: float
    edge_mm: float
    patch_mm: float
    impaction_mm: float
    fluid_mm: float
    nodules: int


@dataclass(frozen=True)
class BodyFrame:
    """Positions within the broken body, on its block of the build.

    Attributes
    ----------
    axes : positions in mm along the three axes of the block
    below : mm from the broken end plate into the body
    height : of the body, mm, at the same place
    rim : 0 in the middle of the end plate, 1 at its edge
    inside : signed distance to the outline, mm
    """

    axes: tuple[NDArray, NDArray, NDArray]
    below: NDArray
    height: NDArray
    rim: NDArray
    inside: NDArray


def paint_lesion(
    marrow: NDArray, lesion: Lesion, frame: BodyFrame, sequence: Sequence, rng: np.random.Generator
) -> None:
    """Change the marrow signal of a block in place."""
    if lesion.pattern != "none":
        changed = lesion.tissue.signal(sequence) * _texture(lesion, frame, rng)
        share = _share(lesion, frame, rng)
        for _ in range(lesion.nodules):
            share = np.maximum(share, nodule(frame.axes, frame.inside, lesion.edge_mm, rng))
        paint(marrow, share, changed)
    if lesion.impaction_mm:
        _paint_impaction(marrow, lesion, frame, sequence, rng)
    if lesion.fluid_mm:
        _paint_cleft(marrow, lesion, frame, sequence, rng)


def nodule(
    axes: tuple[NDArray, NDArray, NDArray],
    inside: NDArray,
    edge_mm: float,
    rng: np.random.Generator,
) -> NDArray:
    """Share of each voxel that an oval focus at a random place within the body takes."""
    left, down, back = (_about(axis, 0.55 * rng.uniform(-1, 1)) for axis in axes)
    stretch = rng.uniform(0.75, 1.3, 3).astype(np.float32)
    squared = (
        (stretch[0] * left[:, None, None]) ** 2
        + (stretch[1] * down[None, :, None]) ** 2
        + (stretch[2] * back[None, None, :]) ** 2
    )
    return cover(np.sqrt(squared) - rng.uniform(3.0, 6.5), edge_mm) * (inside < 1)


def _about(axis: NDArray, place: float) -> NDArray:
    """Distances along an axis from a point between its ends (-1 to 1)."""
    middle, half = (axis[0] + axis[-1]) / 2, abs(axis[-1] - axis[0]) / 2
    return (axis - middle - 0.6 * half * place).astype(np.float32)


def _texture(lesion: Lesion, frame: BodyFrame, rng: np.random.Generator) -> NDArray:
    """Relative signal: fine grain and broad necrosis, fat or matrix."""
    fine = gaussian_field(rng, frame.axes, 2.2)
    broad = gaussian_field(rng, frame.axes, 5.0)
    return np.clip(1 + lesion.variation * (0.6 * fine + 0.8 * broad), 0.15, 2.5)


def _share(lesion: Lesion, frame: BodyFrame, rng: np.random.Generator) -> NDArray:
    if lesion.pattern == "full":
        return np.ones_like(frame.inside)
    wave = gaussian_field(rng, frame.axes, lesion.patch_mm)
    if lesion.pattern == "band":
        return cover(frame.below - lesion.extent * frame.height + 1.3 * wave, lesion.edge_mm)
    level = np.quantile(wave[frame.inside < 0], 1 - lesion.extent)
    return cover((level - wave) * lesion.patch_mm, lesion.edge_mm)


def _paint_impaction(
    marrow: NDArray, lesion: Lesion, frame: BodyFrame, sequence: Sequence, rng: np.random.Generator
) -> None:
    """A dark line of crushed trabeculae along the broken end plate, wavy and interrupted."""
    wave = gaussian_field(rng, frame.axes, 6.0)
    depth = rng.uniform(2.5, 5.5) + lesion.impaction_mm / 2
    line = cover(np.abs(frame.below - depth - 0.9 * wave) - lesion.impaction_mm / 2)
    whole = np.clip(1.6 + gaussian_field(rng, frame.axes, 7.0), 0, 1)
    reach = cover(frame.rim - rng.uniform(0.8, 1.0), 0.2)
    paint(marrow, line * whole * reach, MARROW["impaction"].signal(sequence))


def _paint_cleft(
    marrow: NDArray, lesion: Lesion, frame: BodyFrame, sequence: Sequence, rng: np.random.Generator
) -> None:
    """A lens of fluid under the broken end plate."""
    wave = gaussian_field(rng, frame.axes, 5.0)
    half = lesion.fluid_mm / 2 * np.sqrt(np.clip(1 - (frame.rim / 0.75) ** 2, 0, 1))
    cleft = cover(np.abs(frame.below - lesion.fluid_mm - 0.8 - 0.7 * wave) - half + 0.2)
    paint(marrow, cleft, 0.85 * TISSUES["cleft"].signal(sequence))
