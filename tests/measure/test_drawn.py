"""Studies whose masks are contours: measured as from voxels, on the image that they are of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.cohort.discover import discover
from centrum.cohort.levels import Level
from centrum.cohort.schemes import find_scheme
from centrum.commands.check import check_study
from centrum.errors import DataError
from centrum.io import read_image, read_mask
from centrum.measure.case import MeasurementJob, measure
from centrum.measure.label_checks import check_label
from centrum.morphometry import measure_exam
from centrum.prepare.settings import Preparation, ReferenceTissue
from centrum.protocol import Images
from centrum.records import as_json
from centrum.study.study import open_study
from tests.cohort.label_maps import blocks, noise, write
from tests.io.drawing import Drawn, drawn, structure_set, written
from tests.measure.test_sequences import finer, same, two_sequences
from tests.studies import make_study, read_rows, write_rows


def as_contours(mask: Path, name: str = "body") -> Path:
    """A structure set beside a mask of the study, with a region of its voxels and a point."""
    image = read_image(mask)
    regions: list[Drawn] = [(1, name, drawn(image.array != 0, image.geometry))]
    found = structure_set(regions)
    path = mask.with_suffix(".dcm")
    path.write_bytes(written(found))
    return path


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study", n=2)


def jobs(study: Path) -> list[MeasurementJob]:
    return list(open_study(study).jobs())


def drawn_masks(job: MeasurementJob) -> Mapping[str, str]:
    return {reader: str(as_contours(Path(path))) for reader, path in job.masks.items()}


def test_numbers_are_those_of_the_voxels_that_were_drawn_around(study: Path) -> None:
    for job in jobs(study):
        wanted, found = measure(job), measure(replace(job, masks=drawn_masks(job)))
        assert found["errors"] == []
        for block in ("values", "regions", "overlap", "content", "acquisition"):
            assert found[block] == wanted[block], block
        (step,) = [s for s in found["history"]["senior"] if s["name"] == "fill"]
        assert step["parameters"]["slices_without_contour"] == 0


def test_check_tells_what_is_wrong_with_contours(study: Path) -> None:
    rows = read_rows(study)
    for row in rows:
        for reader in ("mask:senior", "mask:resident"):
            row[reader] = str(as_contours(study / row[reader]).relative_to(study))
    missing = structure_set([(1, "body", [])])
    (study / rows[1]["mask:resident"]).write_bytes(written(missing))
    write_rows(study, rows)
    found = [f for f in check_study(study).findings if f.severity == "error"]
    assert [(f.case, f.reader, f.code) for f in found] == [("P001", "resident", "empty-mask")]


def test_another_region_changes_the_key_and_another_image_the_answer(study: Path) -> None:
    job = jobs(study)[0]
    one = replace(job, masks={"senior": drawn_masks(job)["senior"]})
    before = one.key()
    assert one.key() == before
    path = Path(one.masks["senior"])
    path.write_bytes(path.read_bytes().replace(b"body", b"BODY"))
    assert one.key() != before


def test_contours_of_the_first_sequence_are_not_filled_on_another_grid(tmp_path: Path) -> None:
    """As with voxels: a finer grid is another one, and needs to be resampled."""
    for change, errors in ((same, []), (finer, ["other-grid"])):
        folder = two_sequences(tmp_path / change.__name__, change, n=2)
        job = jobs(folder)[0]
        record = measure(replace(job, masks=drawn_masks(job)))
        assert {error["code"] for error in record["errors"]} == {*errors}


# Levels and tissues in one file


@pytest.fixture
def spine(tmp_path: Path) -> tuple[Path, list[Drawn]]:
    """An image, and regions of three vertebrae in the right order, from above."""
    labels = blocks([1, 2, 3])
    image = read_image(write(tmp_path / "labels.nii.gz", labels))
    write(tmp_path / "T2w.nii.gz", noise(labels))
    named = zip((1, 2, 3), ("T12", "L1", "L2"), strict=True)
    regions = [(k, name, drawn(image.array == k, image.geometry)) for k, name in named]
    return tmp_path / "T2w.nii.gz", regions


def saved(image: Path, regions: list[Drawn]) -> Path:
    path = image.with_name("s.dcm")
    path.write_bytes(written(structure_set(regions)))
    return path


def checked(image: Path, path: Path, name: str) -> list[str]:
    mask = read_mask(f"{path}#{name}", read_image(image))
    return [f.code for f in check_label(mask, f"{path}#{name}", Level.parse(name), Images())]


def test_the_order_of_levels_is_checked_on_the_image(spine: tuple[Path, list[Drawn]]) -> None:
    image, regions = spine
    assert checked(image, saved(image, regions), "L1") == []
    (a, _, first), (b, _, second), last = regions
    swapped = [(a, "L1", first), (b, "T12", second), last]
    with pytest.raises(DataError, match="L1 lies above T12"):
        checked(image, saved(image, swapped), "L1")


@pytest.mark.parametrize("called", ["{}", "Label {}", "label_{}"])
def test_regions_called_by_number_are_levels_of_a_scheme(
    spine: tuple[Path, list[Drawn]], called: str
) -> None:
    """And the order of these levels, too, is checked on the image."""
    image, regions = spine
    images = Images(labels="verse", region="vertebral_body")

    def check(numbers: Sequence[int], chosen: int = 20) -> list[str]:
        named = zip(numbers, regions, strict=True)
        drawings = [(roi, called.format(n), points) for n, (roi, _, points) in named]
        source = f"{saved(image, drawings)}#{called.format(chosen)}"
        mask = read_mask(source, read_image(image))
        return [f.code for f in check_label(mask, source, Level("L", 1), images)]

    assert check([19, 20, 21]) == []
    with pytest.raises(DataError, match="L1 lies above T12"):
        check([20, 19, 21])
    with pytest.raises(DataError, match=r"\(T12 in verse\) contradicts the level of the case, L1"):
        check([19, 20, 21], 19)


def test_init_knows_regions_called_by_number(tmp_path: Path) -> None:
    """The levels of a scheme by name of ROI and of segment; what is no vertebra is left out."""
    for case in ("a", "b"):
        labels = blocks([1, 2, 3])
        image = read_image(write(tmp_path / f"images/{case}.nii.gz", labels))
        write(tmp_path / f"images/{case}.nii.gz", noise(labels))
        regions = [
            (k, name, drawn(image.array == k, image.geometry))
            for k, name in enumerate(("Label 19", "20", "26"), 1)
        ]
        (tmp_path / "masks").mkdir(exist_ok=True)
        (tmp_path / f"masks/{case}_R1.dcm").write_bytes(written(structure_set(regions)))
    patterns = {"image_pattern": "images/{case}.{ext}", "mask_pattern": "masks/{case}_{reader}.dcm"}
    found = discover(tmp_path, **patterns)
    assert all(case.level is None for case in found.cases)
    assert any("19, 20, 26 name no levels by themselves; they would fit verse or" in note
               for note in found.notes)  # fmt: skip
    found = discover(tmp_path, labels=find_scheme("verse"), **patterns)
    assert {case.masks["R1"]: str(case.level) for case in found.cases if case.id[0] == "a"} == {
        "masks/a_R1.dcm#Label 19": "T12", "masks/a_R1.dcm#20": "L1"
    }  # fmt: skip
    assert any("left out, no vertebrae: sacrum" in note for note in found.notes)


def test_regions_that_cannot_be_laid_on_the_image_hinder_no_other(
    spine: tuple[Path, list[Drawn]],
) -> None:
    """A couch that reaches out of the image, and a vertebra between its slices."""
    image, regions = spine
    couch = (8, "couch", [points + np.array([0, 9999, 0]) for points in regions[0][2]])
    step = read_image(image).geometry.position([(0, 0, 0), (0, 0, 0.5)])
    between = (9, "L3", [points + (step[1] - step[0]) for points in regions[2][2]])
    assert checked(image, saved(image, [*regions, couch, between]), "L1") == []


def test_bodies_of_an_exam_are_those_of_the_label_map(spine: tuple[Path, list[Drawn]]) -> None:
    image, regions = spine
    found = measure_exam(saved(image, regions), image)
    labels = sitk.ReadImage(image.with_name("labels.nii.gz"))
    for k, name in enumerate(("T12", "L1", "L2")):
        labels.SetMetaData(f"Segment{k}_Name", name)
        labels.SetMetaData(f"Segment{k}_LabelValue", str(k + 1))
    wanted = measure_exam(write(image.with_name("labels.seg.nrrd"), labels), image)
    assert [body.level for body, _ in found.bodies] == [body.level for body, _ in wanted.bodies]
    for (one, _), (other, _) in zip(found.bodies, wanted.bodies, strict=True):
        assert as_json(one) == as_json(other)


@pytest.mark.parametrize(("least", "wanted"), [(10, []), (100_000, ["reference-tissue"])])
def test_a_reference_tissue_that_is_drawn_is_counted_on_the_image(
    spine: tuple[Path, list[Drawn]], study: Path, least: int, wanted: list[str]
) -> None:
    image, regions = spine
    path = saved(image, regions)
    tissue = ReferenceTissue(segments=["disc", "L2"], min_voxels=least)
    job = replace(
        jobs(study)[0],
        image=str(image),
        masks={"senior": f"{path}#L1"},
        level=Level.parse("L1"),
        preparation=Preparation(normalisation=tissue),
        store=None,
    )
    assert [error["code"] for error in measure(job)["errors"]] == wanted
