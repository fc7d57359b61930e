"""The bodies of one case: which masks are read and how, and what each is compared with."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from centrum.cohort.levels import Level
from centrum.errors import DataError
from centrum.features.settings import ExtractionSettings
from centrum.io.write import write_image
from centrum.measure import morphometry as module
from centrum.measure.case import MeasurementJob
from centrum.measure.morphometry import MorphometryJob, measure_bodies, not_measured
from centrum.morphometry import genant, measure_body
from centrum.morphometry.settings import MorphometrySettings
from centrum.protocol import Images
from centrum.volume import Mask, Volume, bounding_box
from tests.morphometry.shapes import HOLLOW, vertebral_body
from tests.morphometry.test_exam import spine, write


def test_a_mask_that_was_cropped_to_its_region_is_not_cut_by_the_image(tmp_path: Path) -> None:
    """The edge of the file is no edge of the image; where the image ends, there is no grade."""
    whole = vertebral_body(**HOLLOW, name="L1", spacing=(1.2, 1.2, 4.4))
    box = bounding_box(whole.array)
    start = tuple(span.start for span in box[::-1])
    size = tuple(span.stop - span.start for span in box[::-1])
    cropped = Mask(whole.array[box], whole.geometry.crop(start, size), whole.name)
    cases = {"placed": whole, "cut": cropped}
    for name, image in cases.items():
        write_image(Volume(image.array.astype(np.int16), image.geometry), tmp_path / f"{name}.nrrd")
    drawn = Volume(cropped.array.astype(np.uint8), cropped.geometry)
    write_image(drawn, tmp_path / "drawn.nrrd")
    records = {
        name: measure_bodies(
            MorphometryJob(
                MeasurementJob(
                    case=name,
                    image=str(tmp_path / f"{name}.nrrd"),
                    masks={"senior": str(tmp_path / "drawn.nrrd")},
                    images=Images(),
                    extraction=ExtractionSettings(),
                    store=None,
                    level=Level.parse("L1"),
                ),
                MorphometrySettings(),
            )
        )["senior"]
        for name in cases
    }
    assert records["placed"]["measures"]["grade"] == genant(measure_body(whole)).grade
    assert records["cut"]["notes"].startswith("no grade: cut by the image")


def test_whole_bodies_of_the_label_map_are_the_reference(tmp_path: Path) -> None:
    masks = spine(("T12", "L1", "L2"), (27, 18, 27))
    labels = write(tmp_path / "labels.nii.gz", masks, (19, 20, 21))

    def record(**settings: bool) -> dict:
        job = MeasurementJob(
            case="P01", image="", masks={"senior": f"{labels}#20"}, images=Images(labels="verse"),
            extraction=ExtractionSettings(), store=None, level=Level.parse("L1"),
        )  # fmt: skip
        wanted = MorphometryJob(job, MorphometrySettings(**settings))
        return measure_bodies(wanted)["senior"]

    among, alone = record(), record(neighbours=False)
    assert among["reference"] == "neighbours T12, L2"
    assert among["measures"]["greatest_loss"] == pytest.approx(1 / 6, abs=0.03)
    assert alone["reference"] == "healthy L1 of the same depth"
    assert among["measures"]["posterior"] == pytest.approx(alone["measures"]["posterior"], abs=0.1)


def job_of(source: str, level: str = "", **images: Any) -> MorphometryJob:
    job = MeasurementJob(
        case="P01", image="T2w.nii", masks={"senior": source}, images=Images(**images),
        extraction=ExtractionSettings(), store=None, level=Level.parse(level) if level else None,
    )  # fmt: skip
    return MorphometryJob(job, MorphometrySettings())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What measures an exam, which remembers how it was asked, and finds no body."""
    mock = Mock(side_effect=DataError("no body"))
    monkeypatch.setattr(module, "measure_exam", mock)
    return mock


CHOSEN = {
    "labels": "spider", "orientation": "PIR", "grid_tolerance_mm": 0.5,
    "on_grid_mismatch": "resample",
}  # fmt: skip
SO = {"labels": "spider", "orientation": "PIR", "tolerance_mm": 0.5, "on_mismatch": "resample"}


def test_masks_are_read_as_the_protocol_says(asked: Mock) -> None:
    """First with the others of the file, then alone; and its level with it."""
    (record,) = measure_bodies(job_of("labels.nii#3", "L3", **CHOSEN)).values()
    assert record == {"measures": {}, "reference": "", "notes": "", "error": "no body"}
    among, alone = asked.call_args_list
    assert (among.args, among.kwargs) == ((Path("labels.nii"), "T2w.nii"), {"level": None, **SO})
    assert (alone.args, alone.kwargs) == (("labels.nii#3", "T2w.nii"), {"level": "L3", **SO})


@pytest.mark.parametrize(("source", "level"), [("mask.nii", "L3"), ("labels.nii#3", "")])
def test_without_a_part_or_a_level_a_body_stands_alone(
    asked: Mock, source: str, level: str
) -> None:
    measure_bodies(job_of(source, level))
    (call,) = asked.call_args_list
    assert (call.args[0], call.kwargs["level"]) == (source, level or None)


def test_the_file_holds_no_body_of_the_level(tmp_path: Path) -> None:
    """Its segment stands alone then."""
    masks = spine(("T12", "L1"), (27, 27))
    labels = write(tmp_path / "labels.nii.gz", masks, (19, 20))
    wanted = job_of(f"{labels}#20", "L3", labels="verse")
    wanted = MorphometryJob(replace(wanted.job, image=""), wanted.settings)
    assert measure_bodies(wanted)["senior"]["error"]


def test_a_case_that_failed_has_an_error_for_each_reader() -> None:
    job = job_of("mask.nii").job
    record = not_measured(job_of("mask.nii"), DataError(f"{job.image} cannot be read"))
    assert record["senior"]["measures"] == {}
    assert record["senior"]["error"].endswith("cannot be read")
    assert job.image not in record["senior"]["error"]
