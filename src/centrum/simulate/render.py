"""From a planned patient to the image and the true outline of the broken body."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from centrum.kernels.gaussian_field import gaussian_field
from centrum.provenance import Step
from centrum.records import as_json
from centrum.simulate import acquisition as scanner
from centrum.simulate.acquisition import CENTRES, VoxelGrid
from centrum.simulate.anatomy import (
    BuildBox,
    VertebralBody,
    body,
    body_block,
    paint_arch,
    paint_body,
    paint_disc,
    vein,
)
from centrum.simulate.cohort import SimulatedPatient
from centrum.simulate.lesion import BodyFrame, nodule, paint_lesion
from centrum.simulate.settings import PhantomSettings
from centrum.simulate.shapes import cover, paint
from centrum.simulate.signal import MARROW, Sequence
from centrum.simulate.soft_tissue import (
    Habitus,
    TextureFields,
    habitus,
    paint_back,
    palette,
    soft_tissue,
)
from centrum.simulate.spine import ORDER, SpinalCurve, Vertebra, build_spine
from centrum.volume import Mask, Volume

POSE, SCAN, READING = 1, 2, 3
"""Purposes of a patient's random generators."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Tissue on the build.

    Attributes
    ----------
    tissue : signal, indexed [left, down, back]
    broken : share of each voxel that the broken body takes, on `block`
    block : where that is
    above : the same of the body above it
    habitus : the soft tissue, for the coil behind the skin
    """

    tissue: NDArray
    broken: NDArray
    block: BuildBox
    above: tuple[NDArray, BuildBox]
    habitus: Habitus


def render(patient: SimulatedPatient, settings: PhantomSettings) -> tuple[Volume, Mask]:
    """Image (int16) and true mask of a patient, on the grid of a sagittal series.

    >>> from centrum.simulate.cohort import plan_cohort
    >>> settings = PhantomSettings(n_malignant=1, n_osteoporotic=0, field_mm=(110, 110))
    >>> patient = plan_cohort(settings)[0]
    >>> image, mask = render(patient, settings)
    >>> image.array.dtype, mask.name == patient.level.name
    (dtype('int16'), True)
    """
    image, mask, _ = render_two(patient, settings)
    return image, mask


def render_two(patient: SimulatedPatient, settings: PhantomSettings) -> tuple[Volume, Mask, Mask]:
    """As `render`, and the true mask of the body above."""
    protocol, centre = patient.protocol(settings), CENTRES[settings.centre]
    rng = patient.generator(settings, POSE)
    offset = rng.uniform(-0.5, 0.5) * protocol.pitch_mm
    image = _aimed(scanner.image_grid(protocol, settings.field_mm, offset), rng)
    build = scanner.build_grid(image)
    scene = build_scene(patient, build, protocol.sequence, rng)
    clean = scanner.acquire(scene.tissue, build, image, protocol, centre)
    stored = _scanned(clean, scene, image, build, patient, settings)
    geometry = scanner.geometry(protocol, image, (rng.normal(0, 2.0), rng.normal(0, 2.0)))
    step = Step("simulate", {"patient": patient.id, **as_json(settings)})
    broken, above = (
        Mask(
            scanner.acquire(share, build, image, protocol, centre, block.where) > 0.5,
            geometry, level, (step,),
        )
        for level, share, block in (
            (patient.level.name, scene.broken, scene.block), (level_above(patient), *scene.above)
        )
    )  # fmt: skip
    return Volume(stored, geometry, (step,)), broken, above


def level_above(patient: SimulatedPatient) -> str:
    """The vertebra above the broken one."""
    return ORDER[ORDER.index(patient.level.name) - 1]


def _aimed(image: VoxelGrid, rng: np.random.Generator) -> VoxelGrid:
    """The field seldom has the fracture in its centre, and shows more of the back."""
    height, depth = (np.ptp(axis) for axis in image.axes[1:])
    return VoxelGrid(
        image.left,
        image.down + rng.uniform(-0.16, 0.16) * height,
        image.back + depth / 2 - 48 + rng.normal(0, 3),
    )


def build_scene(
    patient: SimulatedPatient, grid: VoxelGrid, sequence: Sequence, rng: np.random.Generator
) -> Scene:
    """All tissue of a patient on the build."""
    spine = build_spine(patient.level, patient.fracture, rng)
    curve = SpinalCurve.through(spine, grid.down, grid.back)
    person = habitus(spine, patient.level.region, grid, rng)
    colours = palette(sequence)
    textures = TextureFields.over(grid, curve, rng)
    tissue = soft_tissue(curve, person, colours, grid, textures)
    for upper, lower in pairwise(spine):
        paint_disc(tissue, grid, upper, lower, sequence)
    fat_fraction = float(np.clip(rng.normal(0.56, 0.10), 0.3, 0.8))
    marrow = MARROW["elderly"].signal_at(np.asarray(fat_fraction), sequence)
    for vertebra in spine:
        paint_arch(tissue, grid, vertebra, curve, float(marrow), colours.dark)
    paint_back(tissue, person, colours, grid, textures)
    shares: dict[str, tuple[NDArray, BuildBox]] = {}
    bodies = [(v, block) for v in spine if (block := body_block(grid, v)) is not None]
    for vertebra, block in bodies:
        shape = body(vertebra, block)
        signal = _marrow(vertebra, block, shape, fat_fraction, patient, sequence)
        paint_body(tissue, block, shape, signal, colours.dark)
        shares[vertebra.level.name] = cover(shape.distance), block
    (broken, where), above = shares[patient.level.name], shares[level_above(patient)]
    return Scene(tissue, broken, where, above, person)


def _marrow(
    vertebra: Vertebra,
    block: BuildBox,
    shape: VertebralBody,
    fat_fraction: float,
    patient: SimulatedPatient,
    sequence: Sequence,
) -> NDArray:
    """Signal of the marrow of a body, healthy or not."""
    rng = np.random.default_rng([vertebra.seed, 5])
    fine, broad = (gaussian_field(rng, block.axes, length) for length in (2.2, 6.0))
    fat = fat_fraction + 0.015 * rng.standard_normal() + 0.08 * fine + 0.064 * broad
    signal = MARROW["elderly"].signal_at(fat, sequence)
    paint(signal, vein(shape, vertebra), 1.5 * signal.mean())
    if vertebra.level == patient.level:
        frame = BodyFrame(block.axes, shape.below, shape.height, shape.rim, shape.distance)
        paint_lesion(signal, patient.lesion, frame, sequence, rng)
    elif patient.lesion.nodules:
        _paint_metastases(signal, block, shape, patient, sequence, rng)
    return signal


def _paint_metastases(
    signal: NDArray,
    block: BuildBox,
    shape: VertebralBody,
    patient: SimulatedPatient,
    sequence: Sequence,
    rng: np.random.Generator,
) -> None:
    """Foci of the same tissue in a neighbour."""
    lesion = patient.lesion
    for _ in range(rng.poisson(0.35 * lesion.nodules)):
        share = nodule(block.axes, shape.distance, lesion.edge_mm, rng)
        paint(signal, share, lesion.tissue.signal(sequence))


def _scanned(
    clean: NDArray,
    scene: Scene,
    image: VoxelGrid,
    build: VoxelGrid,
    patient: SimulatedPatient,
    settings: PhantomSettings,
) -> NDArray[np.int16]:
    """Coil, gain and noise; stored as whole numbers."""
    rng = patient.generator(settings, SCAN)
    centre = CENTRES[settings.centre]
    sequence = patient.protocol(settings).sequence
    skin = np.interp(image.down, build.down, scene.habitus.skin)
    coil = scanner.coil_sensitivity(image, skin, rng.uniform(100, 180), rng.normal(0, 0.12))
    coil = coil / float(np.interp(0, image.back, coil.mean(axis=0)))
    scale = 1 / MARROW["elderly"].signal(sequence)
    noisy = scanner.add_noise(clean * coil * scale, 1 / rng.uniform(*centre.snr), rng)
    stored = scanner.smoothed(noisy, centre.smoothing_mm, patient.protocol(settings).pixel_mm)
    gain = scanner.MARROW_UNITS * centre.gain * rng.lognormal(0, 0.30)
    return np.clip(np.rint(stored * gain), 0, np.iinfo(np.int16).max).astype(np.int16)
