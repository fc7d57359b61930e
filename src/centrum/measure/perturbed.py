"""One case measured again under every perturbation of its image and its first region.

The image is read and prepared once; what follows the preparation is done anew each time.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from centrum.arrays import Floats
from centrum.cohort.withheld import withheld
from centrum.errors import CentrumError, describe, of_case
from centrum.features.settings import ExtractionSettings
from centrum.geometry import Geometry, slice_axis
from centrum.measure.case import (
    MeasuredRegion,
    MeasurementJob,
    all_values,
    first_parts,
    warm_up,
)
from centrum.measure.extract import extract
from centrum.measure.region import grid_as_read, surroundings
from centrum.perturb import Perturbable, Perturbation, RobustnessSettings, plan_perturbations
from centrum.provenance import MEASURING, job_key
from centrum.volume import Mask, Volume

Record = dict[str, Any]
Original = tuple[Perturbable, ExtractionSettings]


@dataclass(frozen=True)
class PerturbedJob:
    """What to measure of a case, with the mask of one reader, and how to perturb it."""

    job: MeasurementJob
    robustness: RobustnessSettings

    @property
    def case(self) -> str:
        """Id of the case."""
        return self.job.case

    def key(self) -> str:
        """Of all that decides the numbers; which features are kept is none of it."""
        settings = self.robustness.model_dump(mode="json", exclude={"icc"})
        return job_key(
            "perturbed", MEASURING, case=self.case, job=self.job.key(), settings=settings
        )


def measure_perturbed(wanted: PerturbedJob) -> Record:
    """The record of a case.

    Keys: values (perturbation -> numbers in the order of `plan`), errors (perturbation ->
    message), plan (what was done), noise_sd.
    """
    originals = _originals(first_parts(wanted.job))
    first, plan = originals[0][0], plan_perturbations(wanted.robustness, wanted.case)
    record: Record = {"values": {}, "errors": {}, "plan": [asdict(p) for p in plan]}
    for perturbation in plan:
        try:
            numbers = [
                v
                for original, settings in originals
                for v in _values(original, original.as_on(first, perturbation), settings)
            ]
            record["values"][perturbation.name] = all_values(wanted.job, numbers)
        except CentrumError as error:
            record["errors"][perturbation.name] = _written(wanted.job, error)
    return record | {"noise_sd": first.noise_sd}


def not_perturbed(wanted: PerturbedJob, error: Exception) -> Record:
    """The record of a case that could not be read: its message under "", no values, no plan."""
    errors = {"": _written(wanted.job, error)}
    return {"values": {}, "errors": errors, "plan": [], "noise_sd": None}


def _written(job: MeasurementJob, error: Exception) -> str:
    """The message as `perturb` writes it."""
    return withheld(describe(of_case(error)), job.roles, job.words)


def _originals(parts: Sequence[MeasuredRegion]) -> list[Original]:
    """The region in every sequence; all turn about the middle of the first one's."""
    first = _perturbable(parts[0])
    further = [_perturbable(part, first.about) for part in parts[1:]]
    settings = [part.settings for part in parts]
    return list(zip([first, *further], settings, strict=True))


def _perturbable(part: MeasuredRegion, about: Floats | None = None) -> Perturbable:
    margin_mm = margin(part.image.geometry, part.settings)
    return Perturbable(part.image, part.region, part.settings.plane, margin_mm, about)


def _values(
    original: Perturbable, perturbation: Perturbation, settings: ExtractionSettings
) -> list[float | None]:
    if not settings.families:
        return []
    values = extract(*original.perturbed(perturbation), settings)
    return [float(v) if np.isfinite(v) else None for v in values]


def margin(grid: Geometry, settings: ExtractionSettings) -> tuple[float, float, float]:
    """mm around the region that these settings look at: across slices, rows, columns.

    The same along rows and columns; inf is the whole image.

    >>> grid = Geometry((64, 9, 64), (0.5, 4.0, 0.5))
    >>> coronal = ExtractionSettings(plane="coronal", interpolation={"in_plane": 1})
    >>> margin(grid, ExtractionSettings()), margin(grid, coronal)
    ((0.0, 0.0, 0.0), (0.0, 1.0, 1.0))
    """
    grid = grid_as_read(grid, settings)
    far = list(surroundings(grid, settings))
    across = far.pop(slice_axis(grid, settings.plane))
    return across, max(far), max(far)


def warm_up_perturbed(settings: ExtractionSettings) -> None:
    """Compile what measuring under perturbations calls."""
    warm_up(settings)
    grid = Geometry((16, 16, 3), (1.0, 1.0, 1.0))
    inside = np.zeros(grid.shape, dtype=bool)
    inside[:, 5:11, 5:11] = True
    noise = np.random.default_rng(0).normal(50, 8, grid.shape)
    every = Perturbation("all", noise=1, rotation=2, volume=0.1, supervoxel_mm=3)
    Perturbable(Volume(noise, grid), Mask(inside, grid)).perturbed(every)
