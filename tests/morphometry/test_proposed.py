"""Bodies proposed from label maps: against a real map of parts, and what is refused."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.cohort.schemes import SCHEMES, find_scheme
from centrum.commands.propose import propose
from centrum.errors import DataError
from centrum.io import read_image, read_labels, read_masks
from centrum.morphometry import measure_exam
from centrum.morphometry.proposed import Proposal, propose_bodies
from tests.cohort.label_maps import blocks, write

VERTEBRAE = (5, 6, 7)
"""Of the real map, which counts from the top of its view: lumbar by their size."""

AS_PROGRAMS = {
    "totalspineseg": ({5: 41, 6: 42, 7: 43, 105: 92, 106: 93}, {60: 1, 61: 2}),
    "spider": ({5: 5, 6: 4, 7: 3, 105: 205, 106: 204}, {60: 100, 61: 100}),
    "spineps": ({5: 20, 6: 21, 7: 22, 105: 120, 106: 121}, {}),
    "totalsegmentator": ({5: 31, 6: 30, 7: 29}, {60: 79}),
}
"""Numbers of vertebrae and discs, and of cord and canal, by those of the real map."""


def numbered(spine: Path, scheme: str, folder: Path) -> Path:
    """The real map with the numbers of another program, in one file."""
    instances = sitk.ReadImage(str(spine / "seg-vert.nii.gz"))
    out = np.zeros(sitk.GetArrayViewFromImage(instances).shape, np.uint8)
    for file, numbers in zip(("seg-vert", "seg-subreg"), AS_PROGRAMS[scheme], strict=True):
        found = sitk.GetArrayFromImage(sitk.ReadImage(str(spine / f"{file}.nii.gz")))
        for old, new in numbers.items():
            out[found == old] = new
    image = sitk.GetImageFromArray(out)
    image.CopyInformation(instances)
    return write(folder / f"{scheme}.nii.gz", image)


@pytest.fixture(scope="session")
def spine(reference: Path) -> Path:
    return reference / "spine_mri" / "tptbox_cspine"


def truth(spine: Path) -> list[np.ndarray]:
    bodies = read_labels(spine / "seg-vb.nii.gz")
    return [bodies.mask(segment).array for segment in bodies.segments]


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def proposed(spine: Path, folder: Path, scheme: str, parts: Path | None = None) -> Proposal:
    file = numbered(spine, scheme, folder)
    return propose_bodies(file, read_labels(file).geometry, find_scheme(scheme), parts)


@pytest.mark.parametrize("scheme", ["totalspineseg", "spider"])
def test_bodies_cut_at_the_canal_are_those_of_the_real_map(
    spine: Path, tmp_path: Path, scheme: str
) -> None:
    found = proposed(spine, tmp_path, scheme)
    assert found.provenance == f"proposal:{scheme}"
    assert [each.level.name for each in found.bodies] == ["L1", "L2", "L3"]
    for each, body in zip(found.bodies, truth(spine), strict=True):
        assert dice(each.whole.array, body) < 0.9
        assert dice(each.body.array, body) > 0.99
    assert found.notes == ()


def test_files_of_instances_and_of_parts_are_joined(spine: Path, tmp_path: Path) -> None:
    found = proposed(spine, tmp_path, "spineps", spine / "seg-subreg.nii.gz")
    assert found.canal is None
    for each, body in zip(found.bodies, truth(spine), strict=True):
        assert np.array_equal(each.body.array, body)


def test_bodies_of_unusual_size_are_proposed_and_told(spine: Path) -> None:
    """The map as it is: three vertebrae of lumbar size, called C5 to C7."""
    grid = read_image(spine / "T2w.nii.gz").geometry
    found = propose_bodies(
        spine / "seg-vert.nii.gz", grid, find_scheme("tptbox"), spine / "seg-subreg.nii.gz"
    )
    assert [body.level.name for body in found.bodies] == ["C5", "C6", "C7"]
    for body, true in zip(found.bodies, truth(spine), strict=True):
        np.testing.assert_array_equal(body.body.array, true)
    assert found.notes[0].startswith("the sizes are not those of the levels: C5 to C7 would have")
    deep = [note for note in found.notes if "are many for its level" in note]
    assert len(deep) == 3


def test_bodies_of_one_number_are_told_apart_by_instances(spine: Path, tmp_path: Path) -> None:
    """As TotalSegmentator's vertebrae_body has them."""
    bodies = sitk.ReadImage(str(spine / "seg-vb.nii.gz")) > 0
    parts = write(tmp_path / "vertebrae_body.nii.gz", bodies)
    found = proposed(spine, tmp_path, "totalsegmentator", parts)
    for each, body in zip(found.bodies, truth(spine), strict=True):
        assert np.array_equal(each.body.array, body)


def refusal(*arguments: object) -> DataError:
    with pytest.raises(DataError) as caught:
        proposed(*arguments)  # type: ignore[arg-type]
    return caught.value


def test_the_cord_is_no_canal(spine: Path, tmp_path: Path) -> None:
    error = refusal(spine, tmp_path, "totalsegmentator")
    assert error.code == "cord"
    assert "the cord (label 79) is no canal" in error.message
    assert "totalspineseg, spider" in error.remedy
    assert "--parts" in error.remedy


def test_a_map_without_canal_is_told_which_file_has_bodies(spine: Path, tmp_path: Path) -> None:
    error = refusal(spine, tmp_path, "spineps")
    assert error.code == "no-canal"
    assert SCHEMES["spineps-spine"].title in error.remedy


def test_a_file_that_holds_no_parts_is_refused(spine: Path, tmp_path: Path) -> None:
    error = refusal(spine, tmp_path, "spineps", spine / "seg-vert.nii.gz")
    assert (error.code, "found the labels 5, 6, 7" in error.message) == ("no-parts", True)
    assert refusal(spine, tmp_path, "spider", spine / "seg-subreg.nii.gz").code == "no-parts"


def of_file(path: Path, labels: str | None) -> Proposal:
    scheme = find_scheme(labels) if labels else None
    return propose_bodies(path, read_labels(path).geometry, scheme)


def with_canal(numbers: Mapping[int, tuple[int, int, int]], canal: tuple[int, int]) -> sitk.Image:
    """Blocks of depth 80 mm: number -> (first row, last row, label of the canal in them)."""
    array = sitk.GetArrayFromImage(blocks([1] * 4, deep=80))
    array[:] = 0
    for number, (first, stop, inside) in numbers.items():
        array[1:5, first:stop, 5:85] = number
        array[1:5, first:stop, slice(*canal)] = inside
    image = blocks([1] * 4, deep=80)
    out = sitk.GetImageFromArray(array)
    out.CopyInformation(image)
    return out


def test_what_cannot_be_cut_is_left_out_and_said(tmp_path: Path) -> None:
    """A vertebra beside which there is no canal, one that is cut too far behind, one that is all
    body."""
    image = with_canal({41: (2, 17, 2), 43: (42, 57, 43)}, (38, 50))
    found = of_file(write(tmp_path / "a.nii.gz", image), "totalspineseg")
    assert [each.level.name for each in found.bodies] == ["L1"]
    assert found.notes == ("L3 is left out: the canal passes 0 % of its rows",)
    assert found.bodies[0].body.n_voxels == 4 * 15 * 33
    deep = with_canal({41: (2, 17, 2)}, (80, 85))
    with pytest.raises(DataError, match="L1 is left out: it would reach 75 mm") as caught:
        of_file(write(tmp_path / "b.nii.gz", deep), "totalspineseg")
    assert caught.value.code == "no-body"
    shallow = with_canal({41: (2, 17, 2)}, (37, 85))
    found = of_file(write(tmp_path / "c.nii.gz", shallow), "totalspineseg")
    assert "already?" in found.notes[0]


def test_the_cord_is_a_part_of_the_canal_where_it_fills_it(tmp_path: Path) -> None:
    image = with_canal({41: (2, 17, 2)}, (38, 50))
    array = sitk.GetArrayFromImage(image)
    array[:, 3:17][array[:, 3:17] == 2] = 1
    narrow = sitk.GetImageFromArray(array)
    narrow.CopyInformation(image)
    found = of_file(write(tmp_path / "a.nii.gz", narrow), "totalspineseg")
    assert found.bodies[0].body.n_voxels == 4 * 15 * 33


def test_the_atlas_has_no_body(tmp_path: Path) -> None:
    image = with_canal({11: (2, 12, 2), 12: (14, 24, 2)}, (25, 35))
    found = of_file(write(tmp_path / "a.nii.gz", image), "totalspineseg")
    assert [each.level.name for each in found.bodies] == ["C2"]
    assert found.notes[0] == "C1 is left out: it has no body"


def test_numbers_are_never_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", blocks([41, 42, 43]))
    with pytest.raises(DataError, match=r"would fit .*totalspineseg") as caught:
        of_file(path, None)
    assert caught.value.code == "level-needs-scheme"


def test_labels_of_named_segments_are_no_numbers_of_a_program(tmp_path: Path) -> None:
    """Label 2 of a segmentation of 3D Slicer is whatever its name says, and no canal."""
    image = with_canal({41: (2, 17, 2)}, (38, 50))
    for k, (label, name) in enumerate({41: "L1", 2: "L2"}.items()):
        image.SetMetaData(f"Segment{k}_Name", name)
        image.SetMetaData(f"Segment{k}_LabelValue", str(label))
    path = write(tmp_path / "a.seg.nrrd", image)
    with pytest.raises(DataError, match="its segments are named"):
        of_file(path, "totalspineseg")


def test_what_is_written_says_that_it_is_a_proposal(spine: Path, tmp_path: Path) -> None:
    file = numbered(spine, "totalspineseg", tmp_path)
    image = str(spine / "T2w.nii.gz")
    written = propose(file, image, tmp_path, labels="totalspineseg")
    found, path = written.proposal, written.mask
    masks = read_masks(path, found.bodies[0].body.geometry)
    assert [mask.name for mask in masks] == ["L1", "L2", "L3"]
    for mask, each in zip(masks, found.bodies, strict=True):
        assert np.array_equal(mask.array, each.body.array)
        assert mask.history[0].parameters["proposal"] == "proposal:totalspineseg"
    assert "drawn by no reader: L1, L2, L3" in measure_exam(path).notes[0]
    before = [place.read_bytes() for place in (written.mask, written.picture)]
    propose(file, image, tmp_path, labels="totalspineseg")
    assert [place.read_bytes() for place in (written.mask, written.picture)] == before
