"""Messages that are written call files by their part, and quote the study's own words alone."""

import unicodedata
from pathlib import Path

import pytest

from centrum.cohort.withheld import file_names, parts, restored, roles, withheld

IMAGE = "/mri/archive/Müller_Anna 1948/T2 Müller.nii.gz"
MASKS = {"senior": "/mri/roi/Müller.seg.nrrd#Anna"}


@pytest.mark.parametrize(
    ("message", "written"),
    [
        (f"There is no file {IMAGE}.", "There is no file [image]."),
        ("T2 Müller.nii.gz is truncated.", "[image] is truncated."),
        ("t2 müller.NII.GZ is truncated.", "[image] is truncated."),
        ("Müller.seg.nrrd: no 'Anna' (label Anna)", "[mask of senior]: no '[...]' (label [...])"),
        ("in Müller_Anna 1948/T2 Müller.nii.gz", "in [image]"),
        ("the folder Müller_Anna 1948 is empty", "the folder [...] is empty"),
        ("IM-0001.dcm has 2 frames", "[file] has 2 frames"),
        ("found 'Müller, Anna' and \"O'Brien\"", "found '[...]' and \"[...]\""),
        ("expected 'L1', found 'P001'", "expected 'L1', found 'P001'"),
        ("the reader's mask 'senior' isn't there", "the reader's mask 'senior' isn't there"),
        ("save it as .seg.nrrd", "save it as .seg.nrrd"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_what_is_written(message: str, written: str, form: str) -> None:
    found = withheld(unicodedata.normalize(form, message), roles(IMAGE, MASKS), {"senior"})
    assert found == written


def test_files_of_a_series_are_named_by_their_folders_part(tmp_path: Path) -> None:
    folder = tmp_path / "Müller"
    folder.mkdir()
    (folder / "Anna 17").touch()
    found = withheld("Anna 17 has another spacing.", roles(str(folder), {}))
    assert found == "[file of image] has another spacing."


def test_the_console_has_the_names_back() -> None:
    names = file_names(parts(IMAGE, MASKS))
    assert restored("[mask of senior] and [image]", names) == "Müller.seg.nrrd and T2 Müller.nii.gz"
