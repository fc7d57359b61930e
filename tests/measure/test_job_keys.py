"""Whatever decides the numbers of a case is in the key under which they are kept."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from centrum.cohort.levels import Level
from centrum.features.settings import ExtractionSettings
from centrum.geometry import Geometry
from centrum.io.write import write_image
from centrum.measure.case import MeasurementJob, landmarks_key
from centrum.measure.morphometry import MorphometryJob
from centrum.measure.perturbed import PerturbedJob
from centrum.morphometry.settings import MorphometrySettings
from centrum.perturb import RobustnessSettings
from centrum.prepare.settings import Preparation
from centrum.protocol import Images
from centrum.volume import Volume

Keys = Mapping[str, str]

EVERY = {"measured", "perturbed", "body", "landmarks"}
OF_MASKS = EVERY - {"landmarks"}
OF_VALUES = {"measured", "perturbed"}


FILES = ("image", "further", "mask", "muscle", "other")


def written(folder: Path, name: str, value: int) -> None:
    """A file of one voxel."""
    voxel = Volume(np.full((1, 1, 1), value, np.uint8), Geometry((1, 1, 1), (1.0, 1.0, 1.0)))
    write_image(voxel, folder / f"{name}.nii")


@pytest.fixture
def job(tmp_path: Path) -> MeasurementJob:
    """Of files that are known by their bytes; nothing is measured."""
    for value, name in enumerate(FILES):
        written(tmp_path, name, value)
    path = {name: str(tmp_path / f"{name}.nii") for name in FILES}
    return MeasurementJob(
        case="P1",
        image=path["image"],
        masks={"senior": path["mask"]},
        images=Images(),
        extraction=ExtractionSettings(),
        store=None,
        level=Level.parse("L1"),
        further={"T1w": path["further"]},
        regions={"senior:muscle": path["muscle"]},
        region_names=("muscle",),
    )


def keys(job: MeasurementJob, robustness: Any = (), morphometry: Any = ()) -> Keys:
    return {
        "measured": job.key(),
        "perturbed": PerturbedJob(job, RobustnessSettings(**dict(robustness))).key(),
        "body": MorphometryJob(job, MorphometrySettings(**dict(morphometry))).key(),
        "landmarks": landmarks_key(job),
    }


def changed(before: Keys, after: Keys) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda job: {"level": Level.parse("L2")}, OF_MASKS),
        (lambda job: {"extraction": ExtractionSettings(energy_shift=1.0)}, OF_VALUES),
        (lambda job: {"preparation": Preparation(subtract_air=True)}, OF_VALUES | {"landmarks"}),
        (lambda job: {"further": {}}, OF_VALUES),
        (lambda job: {"further": {"STIR": job.further["T1w"]}}, OF_VALUES),
        (lambda job: {"region_names": ()}, OF_VALUES),
        (lambda job: {"regions": {}}, OF_MASKS),
        (lambda job: {"masks": {"resident": job.masks["senior"]}}, OF_MASKS),
        (lambda job: {"image": job.further["T1w"]}, EVERY),
        (lambda job: {"case": "P2"}, {"perturbed"}),
        (lambda job: {"store": Path()}, set()),
    ],
)
def test_what_a_job_is_of(
    job: MeasurementJob, change: Callable[[MeasurementJob], dict[str, Any]], wanted: set[str]
) -> None:
    """The id of a case decides how it is perturbed, and nothing else."""
    assert changed(keys(job), keys(replace(job, **change(job)))) == wanted


@pytest.mark.parametrize(
    ("images", "wanted"),
    [
        ({"orientation": "PIR"}, EVERY),
        ({"labels": "verse"}, OF_MASKS),
        ({"on_grid_mismatch": "resample"}, OF_MASKS),
        ({"grid_tolerance_mm": 0.5}, OF_MASKS),
        ({"region": "vertebral_body"}, OF_VALUES),
        ({"on_sequence_mismatch": "resample"}, OF_VALUES),
        ({"weighting": "T2w", "max_memory_gb": 1.0, "reader": "senior"}, set()),
    ],
)
def test_how_images_and_masks_are_read(
    job: MeasurementJob, images: dict[str, Any], wanted: set[str]
) -> None:
    assert changed(keys(job), keys(replace(job, images=Images(**images)))) == wanted


def test_a_mismatch_of_sequences_is_none_of_a_single_one(job: MeasurementJob) -> None:
    alone = replace(job, further={})
    resampled = replace(alone, images=Images(on_sequence_mismatch="resample"))
    assert resampled.key() == alone.key()


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("image", EVERY),
        ("mask", OF_MASKS),
        ("further", OF_VALUES),
        ("muscle", OF_MASKS),
        ("other", set()),
    ],
)
def test_the_bytes_of_files(job: MeasurementJob, file: str, wanted: set[str]) -> None:
    before = keys(job)
    written(Path(job.image).parent, file, 9)
    assert changed(before, keys(job)) == wanted


def test_how_a_case_is_perturbed_and_its_body_compared(job: MeasurementJob) -> None:
    """Which features are kept after the perturbation decides no number of it."""
    before = keys(job)
    assert changed(before, keys(job, {"repeats": 3})) == {"perturbed"}
    assert changed(before, keys(job, {"icc": {"threshold": 0.5}})) == set()
    assert changed(before, keys(job, morphometry={"neighbours": False})) == {"body"}


def test_known_sources_are_not_read_again(job: MeasurementJob) -> None:
    known, before = job.sources(), job.key()
    written(Path(job.image).parent, "image", 9)
    assert job.key(known) == before != job.key()
