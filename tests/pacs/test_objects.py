"""All objects of a series together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from matplotlib.figure import Figure

from centrum.frozen.score import score_values
from centrum.io import list_segments, read_mask
from centrum.pacs import objects
from centrum.pacs.objects import ScoredCase, write_objects
from centrum.report.overlay import region_view
from tests.pacs.bodies import Exam
from tests.pacs.models import model

pytest.importorskip("highdicom", reason="the extra dicom is not installed")

VALUES = np.array([71.5, 431.2, 60.0, 1400.0])


def cases(one: Exam) -> list[ScoredCase]:
    return [
        ScoredCase(
            score_values(model(), name, VALUES + k, None),
            region_view(one.image, region.mask),
            region.level,
        )
        for k, (name, region) in enumerate(zip(("P1", "P2"), one.regions, strict=True))
    ]


@pytest.fixture
def blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what lies beside the pages, which take most of the time."""
    monkeypatch.setattr(objects, "draw_sheet", lambda *_: Figure(figsize=(1, 1)))


def test_one_segmentation_and_report_and_a_page_of_each(one: Exam, tmp_path: Path) -> None:
    paths = write_objects(model(), one.source, cases(one), tmp_path / "new")
    assert [path.name for path in paths] == [
        "P1.seg.dcm", "P1.sr.dcm", "P1.sc.dcm", "P1.pdf.dcm", "P2.sc.dcm", "P2.pdf.dcm",
    ]  # fmt: skip
    assert sorted(paths) == sorted((tmp_path / "new").iterdir())
    for region in one.regions:
        found = read_mask(f"{paths[0]}#{region.label}", one.image)
        np.testing.assert_array_equal(found.array, region.mask.array)
    made = [pydicom.dcmread(path) for path in paths]
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert len({each[keyword].value for each in made}) == len(made)
    assert len({each.StudyInstanceUID for each in made}) == 1
    assert made[2].pixel_array.shape == (1403, 992, 3)


def test_writing_again_changes_no_byte(one: Exam, tmp_path: Path) -> None:
    first = write_objects(model(), one.source, cases(one)[:1], tmp_path / "a")
    again = write_objects(model(), one.source, cases(one)[:1], tmp_path / "b")
    assert len(first) == 4
    for one_path, other in zip(first, again, strict=True):
        assert one_path.read_bytes() == other.read_bytes()


@pytest.mark.usefixtures("blank")
def test_regions_of_one_level_keep_labels_of_their_own(one: Exam, tmp_path: Path) -> None:
    found = [replace(case, level=one.regions[0].level) for case in cases(one)]
    (path, *_) = write_objects(model(), one.source, found, tmp_path, "LABELMAP")
    assert [s.name for s in list_segments(path)] == ["L1 of P1", "L1 of P2"]
    assert pydicom.dcmread(path, stop_before_pixels=True).SegmentationType == "LABELMAP"


@pytest.mark.usefixtures("blank")
def test_a_region_without_a_level_is_called_as_its_mask(one: Exam, tmp_path: Path) -> None:
    case = cases(one)[0]
    mask = replace(case.region.mask, name="left\\half \n of it" + "x" * 80)
    found = replace(case, level=None, region=replace(case.region, mask=mask))
    (path, *_) = write_objects(model(), one.source, [found], tmp_path)
    (segment,) = list_segments(path)
    assert segment.name.startswith("left/half   of itxxx")
    assert len(segment.name) == 64
