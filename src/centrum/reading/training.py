"""Practice on phantoms: simulated bodies whose outline is known.

They are made when they are first asked for, and lie in `readings/training/`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from centrum.agreement.overlap import dice
from centrum.arrays import Flags, Floats
from centrum.cohort.levels import Level
from centrum.cohort.phantom import NOTICE
from centrum.io import read_image, read_mask
from centrum.io.nrrd import SIMULATED_KEY
from centrum.io.write import write_image, write_masks
from centrum.reading.between import signed_distance
from centrum.reading.room import TRAINING, Room
from centrum.volume import Mask, Volume

if TYPE_CHECKING:
    from centrum.simulate import PhantomSettings, SimulatedPatient

PHANTOM_FIELD_MM = (130.0, 120.0)
"""Height and depth of the images: the broken body and two neighbours on either side."""


@dataclass(frozen=True)
class PracticeResult:
    """How near a practice is to the truth.

    Attributes
    ----------
    dice : of all slices together
    mean_signed_mm : mean distance of the outline from the true one within slices, positive outside;
        over the outermost pixels of the drawn region, on slices where both have one
    """

    dice: float
    mean_signed_mm: float


def phantom_names(cases: int) -> tuple[str, ...]:
    """What the phantoms of a room are called."""
    return tuple(f"phantom-{number}" for number in range(1, cases + 1))


def phantom(room: Room, name: str) -> tuple[Volume, Mask]:
    """Image and true outline of a phantom; its mask is called by the level."""
    image, truth = _paths(room, name)
    if not (image.exists() and truth.exists()):
        _make(room, name)
    volume = read_image(image)
    return volume, read_mask(truth, volume)


def _paths(room: Room, name: str) -> tuple[Path, Path]:
    folder = room.folder / TRAINING
    return folder / f"{name}.nrrd", folder / f"{name}.seg.nrrd"


def phantom_level(room: Room, name: str) -> Level:
    """The level of a phantom as its outline is called; it need not be made for that."""
    if all(path.exists() for path in _paths(room, name)):
        return Level.parse(phantom(room, name)[1].name)
    return _planned(room, name)[0].level


def _planned(room: Room, name: str) -> "tuple[SimulatedPatient, PhantomSettings]":
    """The same seed plans the same phantoms."""
    from centrum.simulate import PhantomSettings, plan_cohort

    cases = room.settings.training.cases
    few = PhantomSettings(
        n_malignant=cases - cases // 2,
        n_osteoporotic=cases // 2,
        seed=room.settings.seed,
        field_mm=PHANTOM_FIELD_MM,
    )
    return plan_cohort(few)[phantom_names(cases).index(name)], few


def _make(room: Room, name: str) -> None:
    from centrum.simulate import render

    volume, mask = render(*_planned(room, name))
    image, truth = _paths(room, name)
    image.parent.mkdir(parents=True, exist_ok=True)
    notice = {SIMULATED_KEY: NOTICE}
    write_image(volume, image, notice)
    write_masks([mask], truth, keys=notice)


def compare_with_truth(drawn: Flags, truth: Flags, spacing: Sequence[float]) -> PracticeResult:
    """How near an outline is to the true one, both [slice, row, column].

    `spacing` is mm between rows and columns.

    >>> truth, drawn = np.zeros((2, 1, 9, 9), bool)
    >>> truth[0, 3:6, 3:6] = drawn[0, 2:7, 2:7] = True
    >>> result = compare_with_truth(drawn, truth, (0.5, 0.5))
    >>> round(result.dice, 3), result.mean_signed_mm > 0
    (0.529, True)
    """
    distances = [
        _signed_gaps(mine, true, spacing)
        for mine, true in zip(drawn, truth, strict=True)
        if mine.any() and true.any()
    ]
    gaps = np.concatenate(distances) if distances else np.zeros(0)
    mean = float(gaps.mean()) if gaps.size else 0.0
    return PracticeResult(dice(drawn, truth), mean)


def _signed_gaps(mine: Flags, true: Flags, spacing: Sequence[float]) -> Floats:
    """For each outermost pixel of one region, its distance to the outline of the other.

    Outlines run along the edges of pixels, half a pixel beyond the outermost centres, in both.
    """
    from_mine, from_true = (_from_outline(region, spacing) for region in (mine, true))
    rim = mine & (from_mine > -max(spacing))
    return np.asarray((from_true - from_mine)[rim])


def _from_outline(region: Flags, spacing: Sequence[float]) -> Floats:
    distance = signed_distance(region, spacing)
    return distance - np.sign(distance) * min(spacing) / 2
