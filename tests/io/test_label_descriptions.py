"""Files of ITK-SNAP beside label maps: names of the right map's labels, never guessed."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.io import list_segments, read_image, read_labels, read_mask, source_digest
from centrum.io.label_descriptions import LONGEST, description_of, label_descriptions
from centrum.morphometry import measure_exam
from tests.cohort.label_maps import blocks, write
from tests.io.label_tables import caret_xml, extension, insert

HEAD = """\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Fields:
#    IDX:   Zero-based index
#    LABEL: Label description
################################################
"""
CLEAR = """    0     0    0    0        0  0  0    "Clear Label"\n"""
ROWS = """   20   255    0    0        1  1  1    "L1"
   21     0  255    0      0.5  1  0    "L2 Körper"
"""
TEXT = HEAD + CLEAR + ROWS


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write(tmp_path / "a.nii.gz", blocks([20, 21]))


def put(folder: Path, name: str, text: str = TEXT) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def names(path: Path) -> list[str]:
    return [segment.name for segment in list_segments(path)]


@pytest.mark.parametrize("beside", ["a.label", "a.txt", "labels.label", "A Study.TXT"])
def test_labels_are_called_as_the_file_says(plain: Path, beside: str) -> None:
    before = read_labels(plain)
    digest = source_digest(plain)
    text = put(plain.parent, beside)
    assert names(plain) == ["L1", "L2 Körper"]
    mask = read_mask(f"{plain}#L1", before.geometry)
    assert mask.n_voxels == before.segments[0].voxels
    assert len(mask.history[0].parameters["label_descriptions"]) == 64
    np.testing.assert_array_equal(read_mask(f"{plain}#20", before.geometry).array, mask.array)
    assert source_digest(plain) != digest
    of_image = read_image(plain).history[0].parameters
    assert "label_descriptions" not in of_image
    text.write_text(TEXT.replace("L1", "T12"), encoding="utf-8")
    assert names(plain) == ["T12", "L2 Körper"]


def test_a_metaimage_has_one_too_and_nrrd_its_own(tmp_path: Path) -> None:
    put(tmp_path, "labels.label")
    assert names(write(tmp_path / "a.mha", blocks([20, 21]))) == ["L1", "L2 Körper"]
    assert names(write(tmp_path / "a.nrrd", blocks([20, 21]))) == ["20", "21"]


def test_levels_need_no_scheme(tmp_path: Path) -> None:
    from tests.morphometry.shapes import vertebral_body

    mask = vertebral_body()
    image = sitk.GetImageFromArray(mask.array * np.uint8(20))
    image.SetSpacing(mask.geometry.spacing)
    image.SetOrigin(mask.geometry.origin)
    image.SetDirection(mask.geometry.direction)
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    put(tmp_path, "a.label")
    assert [body.title for body, _ in measure_exam(tmp_path / "a.nii.gz").bodies] == ["L1"]


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (["a.label", "other.label"], "a.label"),
        (["a.label", "a.txt"], None),
        (["one.label", "two.label"], None),
        (["b.label"], None),
        (["b.label", "one.label"], "one.label"),
    ],
)
def test_of_two_that_could_be_meant_none_is_taken(
    plain: Path, files: list[str], taken: str | None
) -> None:
    write(plain.parent / "b.nii", blocks([20, 21]))
    for name in files:
        put(plain.parent, name)
    found = description_of(plain)
    assert (found and found.name) == taken
    assert names(plain) == (["L1", "L2 Körper"] if taken else ["20", "21"])


def test_the_own_table_of_a_file_goes_before(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.nii", blocks([20, 21]))
    put(tmp_path, "a.label")
    path = insert(plain, extension(caret_xml({20: "vertebrae_L3", 21: "vertebrae_L2"})))
    put(tmp_path, f"{path.name.removesuffix('.nii')}.label")
    assert names(path) == ["vertebrae_L3", "vertebrae_L2"]
    mask = read_mask(f"{path}#20", read_labels(path).geometry)
    assert "label_descriptions" not in mask.history[0].parameters


OTHERS = {
    "no columns": CLEAR + ROWS,
    "more than rows": TEXT + "and so on\n",
    "a number twice": TEXT + ROWS,
    "a name left open": HEAD + ROWS.replace('1"', "1"),
    "fewer settings": HEAD + ROWS.replace("1  1  1", "1"),
    "nothing": "",
    "too long": TEXT + "#" * LONGEST,
    "background alone": HEAD + CLEAR,
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_other_texts_name_nothing(plain: Path, text: str) -> None:
    put(plain.parent, "a.label", text)
    assert names(plain) == ["20", "21"]


def test_names_are_one_line_and_short() -> None:
    long = HEAD + f'1 0 0 0 1 1 1 "{"x" * 500}"\n2 0 0 0 1 1 1 " L\t1 "\n3 0 0 0 1 1 1 ""\n'
    assert label_descriptions(long) == {2: "L 1"}
    assert label_descriptions(HEAD + CLEAR) == {}


def test_bytes_that_are_no_text_and_folders_called_so(plain: Path) -> None:
    (plain.parent / "a.label").write_bytes(TEXT.encode("latin-1"))
    (plain.parent / "b.label").mkdir()
    assert names(plain) == ["20", "21"]
