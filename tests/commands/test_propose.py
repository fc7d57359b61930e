"""`centrum bodies`: a mask and a picture for approval, and a study that says what it was given."""

import json
from pathlib import Path

import pytest
import SimpleITK as sitk
from PIL import Image
from typer.testing import CliRunner, Result

from centrum.cli import app
from centrum.io import list_segments, read_image, read_mask
from centrum.io.segments import PROPOSAL_TAG
from centrum.measure.label_checks import check_label
from centrum.protocol import Images
from tests.cohort.label_maps import noise, write
from tests.morphometry.test_proposed import with_canal


def read_any(path: Path) -> sitk.Image:
    return sitk.ReadImage(str(path))


@pytest.fixture
def spine(tmp_path: Path) -> Path:
    """An image, and a map of two vertebrae with their canal."""
    labels = with_canal({41: (2, 17, 2), 42: (22, 37, 2)}, (38, 50))
    write(tmp_path / "T2w.nii.gz", noise(labels))
    return write(tmp_path / "labels.nii.gz", labels)


def run(spine: Path, *more: str) -> Result:
    words = ["bodies", str(spine), "--image", str(spine.with_name("T2w.nii.gz"))]
    return CliRunner().invoke(app, [*words, "--labels", "totalspineseg", *more])


def test_mask_and_picture_are_written_and_told(spine: Path, tmp_path: Path) -> None:
    told = run(spine, "--out", str(tmp_path / "out"))
    assert told.exit_code == 0, told.output
    assert "2 bodies, cut at the canal (proposal:totalspineseg)" in told.output
    assert "drawn by no reader" in told.output
    mask, picture = (tmp_path / f"out/labels_bodies{end}" for end in (".seg.nrrd", ".png"))
    assert [segment.name for segment in list_segments(mask)] == ["L1", "L2"]
    assert Image.open(picture).size[0] > 1000
    record = json.loads(run(spine, "--out", str(tmp_path / "out"), "--json").output)
    assert record["provenance"] == "proposal:totalspineseg"
    assert [body["label"] for body in record["bodies"]] == [41, 42]
    assert record["bodies"][0]["voxels"] == 4 * 15 * 33


def test_a_case_says_that_its_mask_is_a_proposal(spine: Path, tmp_path: Path) -> None:
    run(spine, "--out", str(tmp_path))
    source = f"{tmp_path / 'labels_bodies.seg.nrrd'}#L1"
    image = read_image(spine.with_name("T2w.nii.gz"))
    (found,) = check_label(read_mask(source, image), source, None, Images())
    assert (found.severity, found.code) == ("warning", "proposal:totalspineseg")
    assert "drawn by no reader" in found.message


def test_init_does_not_take_it_for_a_reader_in_silence(spine: Path, tmp_path: Path) -> None:
    for case in "ab":
        write(tmp_path / f"d/images/{case}.nii.gz", read_any(spine.with_name("T2w.nii.gz")))
        copied = write(tmp_path / f"{case}.nii.gz", read_any(spine))
        run(copied, "--out", str(tmp_path / "d/masks"))
    told = CliRunner().invoke(app, ["init", str(tmp_path / "d"), "--dry-run"]).output
    assert "a_bodies.seg.nrrd, masks/b_bodies.seg.nrrd: proposed by centrum and drawn by no" in told


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        (f"Other:1|{PROPOSAL_TAG}:proposal:spider|", ["proposal:spider"]),
        (f"{PROPOSAL_TAG}:proposal:smith-john|", ["proposal:unknown"]),
        (f"{PROPOSAL_TAG}:proposal:Smith John|", []),
        ("Segmentation.Status:inprogress|", []),
    ],
)
def test_a_tag_is_read_beside_others_and_never_repeated_unknown(
    spine: Path, tmp_path: Path, tags: str, wanted: list[str]
) -> None:
    """As 3D Slicer writes them, whoever wrote the file."""
    run(spine, "--out", str(tmp_path))
    path = tmp_path / "labels_bodies.seg.nrrd"
    own = f"{PROPOSAL_TAG}:proposal:totalspineseg|".encode()
    path.write_bytes(path.read_bytes().replace(own, tags.encode(), 1))
    image = read_image(spine.with_name("T2w.nii.gz"))
    source = f"{path}#L1"
    found = check_label(read_mask(source, image), source, None, Images())
    assert [finding.code for finding in found] == wanted


def test_the_label_map_itself_is_not_overwritten(spine: Path, tmp_path: Path) -> None:
    run(spine, "--out", str(tmp_path))
    link = tmp_path / "labels.nii.gz"
    link.unlink()
    link.symlink_to("labels_bodies.seg.nrrd")
    told = run(link, "--out", str(tmp_path))
    assert told.exit_code != 0
