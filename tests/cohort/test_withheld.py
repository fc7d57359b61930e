"""Messages that are written call files by their part, and quote the study's own words alone."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, strategies as st

from centrum.cohort.withheld import ManyRoles, file_names, parts, restored, roles, withheld

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


PIECES = st.sampled_from(["Anna", "anna", "ANNA", "Müller", "Mu\u0308ller", "Bo", "1", *"-/. _ß('"])
TEXTS = st.lists(PIECES, max_size=8).map("".join)


@example(text="Anna", names=["Anna"])
@example(text="ANNA: no image", names=["Bo", "Anna"])
@example(text="no image of anna", names=["Anna"])
@given(text=TEXTS, names=st.lists(TEXTS.filter(bool), max_size=8, unique=True))
def test_of_many_names_those_of_a_text_say_the_same_as_all(text: str, names: list[str]) -> None:
    all_of_them = {name: f"P{k}" for k, name in enumerate(names)}
    some = ManyRoles(all_of_them).within(text)
    assert some.items() <= all_of_them.items()
    assert withheld(text, some) == withheld(text, all_of_them)


def test_looking_into_a_text_takes_no_longer_for_more_names() -> None:
    asked = 0

    class Counted(str):
        def __eq__(self, other: object) -> bool:
            nonlocal asked
            asked += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    roles = ManyRoles({f"patient {k}": "P" for k in range(20_000)})
    roles._names = {Counted(name): found for name, found in roles._names.items()}  # type: ignore
    asked = 0
    assert [*roles.within("There is no image of Patient 12345 in 'patient 7'.")] == [
        "patient 7", "patient 12345"]  # fmt: skip
    assert asked < 100
