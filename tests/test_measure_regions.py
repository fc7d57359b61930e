"""Operations of the protocol on every reader's region."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from centrum.io import read_image, read_mask
from centrum.measure.case import MeasurementJob, first_parts, measure
from centrum.measure.extract import extract
from centrum.prepare.regions import Erode, LargestPiece, erode
from centrum.prepare.settings import Preparation
from centrum.protocol import parse_protocol
from centrum.study.study import open_study
from tests.studies import make_study

RIM = """
preparation:
  region:
    - {operation: largest_piece}
    - {operation: erode, mm: 0.6}
extraction: {plane: axial, families: [statistics]}
"""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> MeasurementJob:
    folder = make_study(tmp_path_factory.mktemp("regions") / "study", n=4)
    (folder / "study.yaml").write_text("name: Rim\n" + RIM)
    return open_study(folder).jobs()[0]


def test_the_protocol_lists_operations() -> None:
    protocol = parse_protocol("preset: vcf-t2w\n" + RIM, "study.yaml")
    assert protocol.preparation.region == (LargestPiece(), Erode(mm=0.6))
    assert protocol.preparation.by_reader.region == protocol.preparation.region
    assert protocol.preparation.active


def test_every_reader_is_measured_after_the_operations(job: MeasurementJob) -> None:
    record = measure(job)
    volume = read_image(job.image)
    for reader, source in job.masks.items():
        region = erode(read_mask(source, volume.geometry), 0.6, axis=0)
        expected = extract(volume, region, job.extraction)
        np.testing.assert_array_equal(record["values"][reader], expected)
        names = [step["name"] for step in record["history"][reader]]
        assert names[-2:] == ["largest_piece", "erode"]
    assert first_parts(job)[0].region.n_voxels == erode(
        read_mask(job.masks["senior"], volume.geometry), 0.6, axis=0
    ).n_voxels  # fmt: skip


def test_overlap_is_that_of_what_was_drawn(job: MeasurementJob) -> None:
    plain = replace(job, preparation=Preparation())
    assert measure(job)["overlap"] == measure(plain)["overlap"]
    assert job.key() != plain.key()


def test_what_leaves_nothing_is_an_error_of_the_reader(job: MeasurementJob, tmp_path: Path) -> None:
    greedy = Preparation(region=(Erode(mm=30.0),))
    record = measure(replace(job, preparation=greedy, store=tmp_path))
    assert record["values"] == {}
    assert [e["reader"] for e in record["errors"]] == ["senior", "resident"]
    assert "erode (mm 30) leaves no voxel" in record["errors"][0]["message"]
    assert "in ROI operation 1 of 1" in record["errors"][0]["message"]


def test_what_is_left_must_be_measurable(job: MeasurementJob, tmp_path: Path) -> None:
    five_voxels = Preparation(region=(Erode(mm=3.4),))
    record = measure(replace(job, preparation=five_voxels, store=tmp_path))
    assert "has 5 voxels, fewer than 8" in record["errors"][0]["message"]
