"""`centrum labels`: what a file holds, and that a scheme fits, not that it is one."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from centrum.cli import app
from centrum.cohort.schemes import SCHEMES
from centrum.commands.labels import labels_of
from centrum.io import read_image
from tests.cohort.label_maps import blocks, noise, write
from tests.cohort.spines import spine_image
from tests.cohort.test_label_map import total_named
from tests.io.drawing import drawn, structure_set, written


def told(*words: str | Path) -> str:
    found = CliRunner().invoke(app, ["labels", *map(str, words)])
    assert found.exit_code == 0, found.output
    return found.output


def test_labels_from_head_to_foot_with_sizes_and_places(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", blocks([21, 20, 19]))
    found = json.loads(told(path, "--json"))
    assert [each["label"] for each in found["labels"]] == [21, 20, 19]
    first, second = found["labels"][:2]
    assert (first["voxels"], first["volume_mm3"]) == (4 * 15 * 20, 4 * 15 * 20 * 4)
    assert first["centre_lps_mm"][2] - second["centre_lps_mm"][2] == 20
    head, *rows = told(path).splitlines()
    assert head.split() == ["label", "name", "voxels", "mm³", "left", "back", "up"]
    assert rows[0].split()[:4] == ["21", "21", "1200", "4800"]


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_scheme_fits_or_not_and_why(tmp_path: Path, ending: str) -> None:
    image = spine_image(SCHEMES["totalspineseg"], "lumbar")
    assert image is not None
    text = told(write(tmp_path / f"a{ending}", image))
    fits, not_fits = text.split("They do not fit:")
    assert "The numbers fit:" in fits
    assert "  totalspineseg: TotalSpineSeg, step 2; T11, T12, L1, L2, L3, L4, L5" in fits
    assert "  verse: it has no 31, 32, 41" in not_fits
    named = {line.strip().split(":")[0] for line in not_fits.splitlines() if line}
    assert named == set(SCHEMES) - {"totalspineseg"}


def test_schemes_that_nothing_tells_apart_are_left_to_the_user(tmp_path: Path) -> None:
    text = told(write(tmp_path / "a.nii.gz", blocks([18, 19, 20, 21, 22, 23, 24], scale=1.8)))
    fits, not_fits = text.split("They do not fit:")
    for name in ("verse", "spineps", "tptbox", "spider-algorithm"):
        assert f"  {name}: " in fits
    assert "only you know" in fits
    assert "  spider: C2 lies above C1" in not_fits


def test_numbers_of_no_scheme(tmp_path: Path) -> None:
    text = told(write(tmp_path / "a.nii.gz", blocks([200, 199])))
    assert "The numbers fit no scheme." in text


def test_the_file_s_own_table_is_named(tmp_path: Path) -> None:
    path = total_named(tmp_path / "a.nii", [30, 29, 25])
    text = told(path)
    assert "Its own table of TotalSegmentator, task total (CT), version 2" in text
    assert "names 2 vertebrae" in text
    assert "vertebrae_L2" in text
    found = json.loads(told(path, "--json"))
    assert (found["table"], found["scheme_of_table"]) == (True, "totalsegmentator")


def test_names_of_segments_need_no_scheme(tmp_path: Path) -> None:
    image = blocks([1, 2])
    for k, name in enumerate(("T12", "L1")):
        image.SetMetaData(f"Segment{k}_Name", name)
        image.SetMetaData(f"Segment{k}_LabelValue", str(k + 1))
    text = told(write(tmp_path / "a.seg.nrrd", image))
    assert "Names of its segments say the levels: T12 and L1." in text
    assert "fit" not in text
    image.SetMetaData("Segment0_Name", "L2")
    assert "note: the levels of its names contradict" in told(write(tmp_path / "b.seg.nrrd", image))


def test_contours_have_voxels_on_an_image(tmp_path: Path) -> None:
    labels = blocks([20, 21, 22])
    image = write(tmp_path / "T2w.nii.gz", noise(labels))
    read = read_image(write(tmp_path / "labels.nii.gz", labels))
    names = ("Label 20", "21", "lesion")
    regions = [
        (k, name, drawn(read.array == 19 + k, read.geometry)) for k, name in enumerate(names, 1)
    ]
    path = tmp_path / "s.dcm"
    path.write_bytes(written(structure_set(regions)))
    assert "note: contours have voxels on the grid of an image: --image" in told(path)
    found = labels_of(path, str(image))
    volumes = [round(each.place.volume * 1000) for each in found.labels if each.place]
    assert volumes == [4800, 4800, 4800]
    assert [scheme.name for scheme in found.fitting][:2] == ["verse", "spineps"]


def test_a_file_that_does_not_say_how_it_lies(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", blocks([20, 21]))
    header = bytearray(path.read_bytes())
    header[252:256] = bytes(4)
    path.write_bytes(header)
    assert "does not say how it lies" in told(path)
    assert "does not say how it lies" not in told(path, "--orientation", "PIL")
