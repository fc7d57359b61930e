"""Regions of two readers that are called differently, put together by where they lie."""

from pathlib import Path

import pytest

from centrum.cohort.found_cases import CaseMaker, FoundExam
from tests.cohort.test_discover import image, labels

NAMES = {"a": ["L1", "L2"], "b": ["upper", "lower"], "c": ["L2", "L3"]}


def made(tmp_path: Path, *readers: str) -> CaseMaker:
    image(tmp_path / "i.nrrd")
    for reader in readers:
        labels(tmp_path / f"{reader}.seg.nrrd", [1, 2], NAMES[reader])
    return CaseMaker(tmp_path)


def cases(maker: CaseMaker, *readers: str) -> dict[str, tuple[str, dict[str, str]]]:
    masks = {reader: (f"{reader}.seg.nrrd",) for reader in readers}
    found = maker.all_cases([FoundExam("P1", "P1", {"default": "i.nrrd"}, masks)])
    return {case.id: (case.level and case.level.name, dict(case.masks)) for case in found}


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_one_that_names_no_levels_takes_those_of_the_other(tmp_path: Path, order: str) -> None:
    maker = made(tmp_path, *order)
    assert cases(maker, *order) == {
        "P1_L1": ("L1", {"a": "a.seg.nrrd#L1", "b": "b.seg.nrrd#upper"}),
        "P1_L2": ("L2", {"a": "a.seg.nrrd#L2", "b": "b.seg.nrrd#lower"}),
    }
    assert sum("are of one body by where they lie" in note for note in maker.notes) == 2


def test_regions_that_do_not_meet_stay_apart(tmp_path: Path) -> None:
    maker = made(tmp_path, "a")
    labels(tmp_path / "b.seg.nrrd", [0, 0, 0, 1, 2])
    found = cases(maker, *"ab")
    assert len(found) == 4
    assert all(len(masks) == 1 for _, masks in found.values())


def test_several_files_of_one_reader(tmp_path: Path) -> None:
    """A file for each vertebra is one reading; two of a vertebra are not chosen from."""
    maker = made(tmp_path, *"ac")
    masks = {"R1": ("a.seg.nrrd", "c.seg.nrrd")}
    found = maker.all_cases([FoundExam("P1", "P1", {"default": "i.nrrd"}, masks)])
    assert {case.id: case.masks["R1"] for case in found} == {
        "P1_L1": "a.seg.nrrd#L1",
        "P1_L3": "c.seg.nrrd#L3",
    }
    (note,) = maker.notes
    assert "reader R1 has 2 segmentations of L2, none of which is taken" in note
