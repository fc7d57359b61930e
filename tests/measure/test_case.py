"""A case from its files to a record: what is looked at, told, refused, and in which order."""

from collections.abc import Callable
from dataclasses import asdict, replace
from errno import ENOSPC
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from centrum.agreement.overlap import overlap
from centrum.errors import DataError, GeometryError
from centrum.features.settings import ExtractionSettings
from centrum.geometry import Geometry
from centrum.io import ImageFinding, Segment, read_mask
from centrum.measure import case as module, images
from centrum.measure.case import (
    BYTES_PER_VOXEL,
    MeasurementJob,
    PreparedSequence,
    advisory,
    first_parts,
    in_order,
    measure,
    measure_landmarks,
    no_landmarks,
    sources_of,
)
from centrum.measure.images import CaseImages
from centrum.prepare.regions import Erode
from centrum.prepare.settings import Preparation, ReferenceTissue, ZScore
from centrum.protocol import Images
from centrum.volume import Mask, Volume
from tests.studies import make_study

Patch = pytest.MonkeyPatch

SETTINGS = ExtractionSettings(families=("statistics",), interpolation=None, plane="axial")
FOUND = ImageFinding("warning", "odd", "it is odd", "file.nrrd")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> MeasurementJob:
    """Three readers, the third of whom drew what the first did; a muscle that is the region."""
    folder = make_study(tmp_path_factory.mktemp("case") / "study", n=1)
    masks = {r: str(folder / f"masks/P000_{r}.nrrd") for r in ("senior", "resident")}
    masks = {"third": masks["senior"], **masks}
    return MeasurementJob(
        "P000", str(folder / "images/P000.nrrd"), masks, Images(), SETTINGS, store=None
    )


def with_muscle(job: MeasurementJob) -> MeasurementJob:
    regions = {f"{reader}:muscle": source for reader, source in job.masks.items()}
    return replace(job, regions=regions, region_names=("muscle",))


def codes(record: dict[str, Any]) -> list[tuple[str, str]]:
    return [(f["reader"], f["code"]) for f in record["findings"]]


def test_a_job_of_one_reader_has_his_masks_alone(job: MeasurementJob) -> None:
    own = with_muscle(job).of_reader("resident")
    assert own.drawn == {
        "resident": job.masks["resident"], "resident:muscle": job.masks["resident"],
    }  # fmt: skip


def test_files_are_looked_at_one_after_the_other(job: MeasurementJob, monkeypatch: Patch) -> None:
    """And objects of a storage many at a time: each takes a network's time."""
    pool = Mock(side_effect=module.ThreadPoolExecutor)
    monkeypatch.setattr(module, "ThreadPoolExecutor", pool)
    assert sources_of([job]) == {"P000": job.sources()}
    pool.assert_not_called()
    monkeypatch.setattr(module, "known_digest", lambda source: ["", None])
    far = replace(job, case="far", image="s3://bucket/image.nrrd")
    assert sources_of([job, far]).keys() == {"P000", "far"}
    pool.assert_called_once_with(module.LOOKS)


def test_every_two_readers_are_compared_in_every_region(job: MeasurementJob) -> None:
    record = measure(with_muscle(job))
    drawn = {r: read_mask(source, read_volume(job)) for r, source in job.masks.items()}
    wanted = [
        {"reader_a": a, "reader_b": b}
        | ({"region": region} if region else {})
        | asdict(overlap(drawn[a].array, drawn[b].array, read_volume(job).geometry.array_spacing))
        for a, b in combinations(job.masks, 2)
        for region in ("", "muscle")
    ]
    assert record["overlap"] == wanted
    assert record["overlap"][0]["volume_difference_mm3"] == 0


def read_volume(job: MeasurementJob) -> Volume:
    return CaseImages(job.images).image(job.image)


def test_readers_stand_as_the_job_has_them_and_the_image_before_them() -> None:
    job = Mock(masks={"b": "", "a": ""})
    row = {"reader_a": "a", "reader_b": "b", "volume_difference_mm3": 3.0}
    told = [{"reader": reader} for reader in ("a", "b", "all", None)]
    record = {"findings": told, "errors": told, "overlap": [row], "values": 1}
    found = in_order(job, record)
    assert [f["reader"] for f in found["findings"]] == ["all", None, "b", "a"]
    assert found["errors"] == found["findings"]
    assert found["overlap"] == [{"reader_a": "b", "reader_b": "a", "volume_difference_mm3": -3.0}]
    assert in_order(Mock(masks={"a": "", "b": ""}), record)["overlap"] == [row]
    same = record | {"overlap": [row | {"volume_difference_mm3": 0.0}]}
    assert str(in_order(job, same)["overlap"][0]["volume_difference_mm3"]) == "0.0"


def test_of_the_history_numbers_are_written_and_texts_are_not() -> None:
    parameters = {"mm": 1.5, "n": 2, "on": True, "name": "L1 of Ann", "simulated": "phantom"}
    step = {"name": "read", "parameters": parameters}
    kept = {"mm": 1.5, "n": 2, "on": True, "simulated": "phantom"}
    assert module._without_texts(step) == {"name": "read", "parameters": kept}


def test_only_records_without_errors_are_kept(job: MeasurementJob, tmp_path: Path) -> None:
    broken = replace(job, masks={**job.masks, "none": "no-such.nrrd"})
    for each, kept in ((job, 1), (broken, 0)):
        store = tmp_path / each.case / str(kept)
        measure(replace(each, store=store))
        assert len([*store.rglob("*.json")]) == kept


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("inspect_image", [("all", "odd")]),
        ("check_label", [("resident", "odd"), ("senior", "odd"), ("third", "odd")]),
    ],
)
def test_what_is_odd_is_told_of_whom_it_is(
    job: MeasurementJob, monkeypatch: Patch, name: str, wanted: list[tuple[str, str]]
) -> None:
    before = codes(measure(job))
    monkeypatch.setattr(module, name, lambda *about: [FOUND])
    found = codes(measure(job))
    assert sorted(c for c in found if c[1] == "odd") == wanted
    assert [c for c in found if c[1] != "odd"] == before or name == "inspect_image"


def test_what_is_odd_about_a_further_region_names_it(
    job: MeasurementJob, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(module, "inspect_case", lambda *about: [FOUND])
    found = [f["message"] for f in measure(with_muscle(job))["findings"] if f["code"] == "odd"]
    assert sorted(set(found)) == ["it is odd", "muscle: it is odd"]
    assert len(found) == 2 * 3


def test_a_comparison_that_fails_is_a_note_of_the_later_reader(
    job: MeasurementJob, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(module, "overlap", Mock(side_effect=DataError("no overlap")))
    record = measure(job)
    assert record["overlap"] == record["errors"] == []
    notes = [f for f in record["findings"] if f["code"] == "not-checked"]
    assert sorted(f["reader"] for f in notes) == ["senior", "third", "third"]


def test_the_same_failure_is_told_once() -> None:
    noticed: list[ImageFinding] = []
    for text in ("a", "a", "b"):
        with advisory(noticed):
            raise DataError(text)
    assert [note.message.rpartition(": ")[2] for note in noticed] == ["a", "b"]


@pytest.mark.parametrize("before", [0, 1])
def test_what_cannot_be_measured_is_refused_wherever_it_is_drawn(
    job: MeasurementJob, monkeypatch: Patch, before: int
) -> None:
    """In the first region, or in the second one."""
    error = ImageFinding("error", "broken", "it is broken", "file.nrrd")
    look = Mock(side_effect=[*[[]] * before, [error]])
    monkeypatch.setattr(module, "inspect_case", look)
    with pytest.raises(DataError, match="it is broken") as caught:
        first_parts(with_muscle(job))
    assert caught.value.code == "broken"
    assert [*getattr(caught.value, "__notes__", [])] == ["in region muscle"] * before


@pytest.mark.parametrize(("operations", "inspected"), [((), 1), ((Erode(mm=1),), 2)])
def test_a_region_that_was_changed_is_looked_at_again(
    job: MeasurementJob, monkeypatch: Patch, operations: tuple[Any, ...], inspected: int
) -> None:
    look = Mock(return_value=[])
    monkeypatch.setattr(module, "inspect_case", look)
    (part,) = first_parts(replace(job, preparation=Preparation(region=operations)))
    assert look.call_count == inspected
    assert look.call_args.args[1] is part.region


@pytest.mark.parametrize("what", ["measured_voxels", "filtered_voxels"])
def test_a_region_may_need_as_much_memory_as_is_allowed_and_no_more(
    job: MeasurementJob, monkeypatch: Patch, what: str
) -> None:
    """24 bytes a voxel, in GB of 10^9 bytes; told before it is measured."""
    assert BYTES_PER_VOXEL == 24
    wanted = replace(job, images=Images(max_memory_gb=2.4e-6))
    for voxels, refused in ((100, False), (101, True)):
        answer: Callable[..., Any] = lambda *given, n=voxels: n  # noqa: E731
        if what == "filtered_voxels":
            answer = lambda *given, n=voxels: {"log": n}  # noqa: E731
        monkeypatch.setattr(module, what, answer)
        errors = measure(wanted)["errors"]
        assert [error["code"] for error in errors] == ["too-large"] * (3 * refused)
        if refused:
            assert "101 voxels" in errors[0]["message"]
            assert "2.42e-06 GB" in errors[0]["message"]


GRID = Geometry((4, 4, 4), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("stated", [True, False])
def test_masks_lie_on_a_further_sequence_within_the_tolerance_of_the_protocol(
    job: MeasurementJob, monkeypatch: Patch, stated: bool
) -> None:
    """By their own place where their file has one, else by that of the first sequence."""
    mask = Mask(np.ones(GRID.shape, bool), GRID)
    moved = replace(GRID, origin=(0.2, 0.0, 0.0))
    volume = Volume(np.zeros(GRID.shape), moved)
    scene = PreparedSequence("T1w", "T1w.nrrd", volume, volume, SETTINGS)
    found = {name: Mock(return_value=mask) for name in ("place_mask", "read_mask")}
    for name, mock in found.items():
        monkeypatch.setattr(module, name, mock)
    monkeypatch.setattr(module, "stated_orientation", lambda mask: stated)
    wanted = replace(job, images=Images(grid_tolerance_mm=0.1))
    drawn = module._MaskAsRead(mask, "m.nrrd", "m.nrrd")
    assert module._fitted(wanted, drawn, scene) == (scene, mask)
    used, first = ("place_mask", mask) if stated else ("read_mask", "m.nrrd")
    found[used].assert_called_once_with(first, moved, tolerance_mm=0.1)
    wider = replace(job, images=Images(grid_tolerance_mm=0.3))
    _, own = module._fitted(wider, drawn, scene)
    assert own.geometry == moved
    found[used].assert_called_once()
    found[used].side_effect = GeometryError("apart")
    with pytest.raises(GeometryError) as caught:
        module._fitted(wanted, drawn, scene)
    assert "on_sequence_mismatch" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({}, False),
        ({"preparation": Preparation(normalisation=ZScore(over="image"))}, True),
        ({"preparation": Preparation(normalisation=ZScore(over="body"))}, False),
        ({"extraction": ExtractionSettings(normalise_scale=100)}, True),
        ({"extraction": ExtractionSettings(normalise_scale=100, families=())}, False),
    ],
)
def test_air_is_told_of_where_the_whole_view_decides(
    job: MeasurementJob, monkeypatch: Patch, chosen: dict[str, Any], told: bool
) -> None:
    monkeypatch.setattr(module, "air_in_view", lambda volume: "mostly air")
    scene = Mock()
    scene.name = "T1w"
    found = module._about_view(scene, replace(job, **chosen))
    assert [(f.code, f.message) for f in found] == [("mostly-air", "T1w: mostly air")] * told


def test_a_segment_may_be_a_tissue_if_it_has_as_many_voxels_as_are_wanted() -> None:
    """Of contours that is not known yet."""
    settings = ReferenceTissue(min_voxels=50)
    for voxels, may in ((50, True), (49, False), (None, False)):
        assert module._may_have(Segment("disc", 1, 0, voxels), settings) == may
    assert module._may_have(Mock(drawn=True, voxels=None), settings)


def test_advice_is_given_once_the_region_is_measured(
    job: MeasurementJob, monkeypatch: Patch
) -> None:
    """And without families of what is expected of it."""
    adviser = Mock()
    adviser.return_value.advise.return_value = [FOUND]
    monkeypatch.setattr(module, "Adviser", adviser)
    monkeypatch.setattr(module, "about_filters", lambda *about: [replace(FOUND, code="expected")])
    assert {c for _, c in codes(measure(job))} >= {"odd"}
    unmeasured = replace(job, extraction=SETTINGS.model_copy(update={"families": ()}))
    assert {c for _, c in codes(measure(unmeasured))} >= {"expected"}


def test_landmarks_are_those_of_a_nyul_scale(job: MeasurementJob) -> None:
    with pytest.raises(TypeError, match="found 'none'"):
        measure_landmarks(job)


def test_a_full_disk_is_no_case_without_landmarks(job: MeasurementJob) -> None:
    assert no_landmarks(job, DataError("cannot be read")) is None
    with pytest.raises(OSError, match="full"):
        no_landmarks(job, OSError(ENOSPC, "full"))


@pytest.mark.parametrize("look", [measure, module.measure_anew, first_parts])
def test_what_is_read_of_a_case_is_left_for_others(
    job: MeasurementJob, monkeypatch: Patch, look: Callable[..., Any]
) -> None:
    read = CaseImages(job.images)
    look(job, read)
    monkeypatch.setattr(images, "image_of", None)
    assert read.image(job.image).array.size
