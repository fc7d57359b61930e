"""All that is random about perturbations, drawn before anything is done."""

import hashlib
from dataclasses import dataclass

import numpy as np

from centrum.perturb.settings import Kind, RobustnessSettings

TOGETHER = "together"
"""The kind of a perturbation that is all kinds at once."""


@dataclass(frozen=True)
class Perturbation:
    """What is done to an image and its region; nothing, unless said.

    Attributes
    ----------
    name : of the perturbation, such as "rotation 2"
    kind : one of `Kind`, or "together"
    noise : SD of the added noise, in noise SDs of the image
    translation : shift across slices, along rows and along columns (towards where they run when
        they are read, `geometry.READING_ORDER`), in voxels
    rotation : turn from where rows run to towards where columns run to, in degrees
    volume : growth (positive) or shrinkage as a fraction of the region's volume
    supervoxel_mm : size of the supervoxels that the contour is randomised by; 0: it is not
    jitter_mm : SD of the field that moves the contour; 0: it does not
    correlation_mm : correlation length of that field
    seed : of the noise, of the field and of the choice of supervoxels
    """

    name: str
    kind: str = TOGETHER
    noise: float = 0.0
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: float = 0.0
    volume: float = 0.0
    supervoxel_mm: float = 0.0
    jitter_mm: float = 0.0
    correlation_mm: float = 5.0
    seed: int = 0


def plan_perturbations(settings: RobustnessSettings, case: str) -> tuple[Perturbation, ...]:
    """The perturbations of a case; the same for the same settings and the same name.

    Sizes are uniform from minus to plus the largest. What one kind draws does not depend on
    which others are wanted. Every case draws its own: the n-th perturbation of one case has
    nothing in common with the n-th of another.

    >>> plan = plan_perturbations(RobustnessSettings(kinds=("rotation",), repeats=2), "P001")
    >>> [p.name for p in plan], plan[0].volume
    (['together 1', 'together 2'], 0.0)
    >>> plan == plan_perturbations(RobustnessSettings(kinds=("rotation",), repeats=2), "P001")
    True
    """
    groups = {TOGETHER: settings.kinds} if settings.together else {k: (k,) for k in settings.kinds}
    return tuple(
        _draw(settings, case, group, kinds, number)
        for group, kinds in groups.items()
        for number in range(1, settings.repeats + 1)
    )


def _draw(
    settings: RobustnessSettings, case: str, group: str, kinds: tuple[Kind, ...], number: int
) -> Perturbation:
    rng = np.random.default_rng([settings.seed, _number_of(f"{case}\n{group}"), number])
    shift = rng.uniform(-1, 1, 3)
    turn, growth = rng.uniform(-1, 1, 2).tolist()
    if not settings.through_plane:
        shift[0] = 0
    move = (settings.translation * shift).tolist() if "translation" in kinds else (0.0, 0.0, 0.0)
    randomised = settings.contour if "contour" in kinds else ""
    return Perturbation(
        name=f"{group} {number}",
        kind=group,
        noise=settings.noise if "noise" in kinds else 0.0,
        translation=(move[0], move[1], move[2]),
        rotation=settings.rotation * turn if "rotation" in kinds else 0.0,
        volume=settings.volume * growth if "volume" in kinds else 0.0,
        supervoxel_mm=settings.supervoxel_mm if randomised == "supervoxel" else 0.0,
        jitter_mm=settings.jitter_mm if randomised == "jitter" else 0.0,
        correlation_mm=settings.correlation_mm,
        seed=int(rng.integers(2**31)),
    )


def _number_of(text: str) -> int:
    """A number that is the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
