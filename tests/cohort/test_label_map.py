"""The levels of label maps in every scheme, and what no anatomy allows."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from centrum.cohort.discover import discover
from centrum.cohort.label_map import LabelMap, read_label_map
from centrum.cohort.schemes import SCHEMES, Scheme, find_scheme, naming_levels
from centrum.errors import DataError
from tests.cohort.label_maps import blocks, noise, write
from tests.io.label_tables import caret_xml, extension, insert

HEAD_TO_FOOT = ["T11", "T12", "L1", "L2", "L3", "L4", "L5"]


def numbers(scheme: Scheme, names: list[str] = HEAD_TO_FOOT) -> list[int]:
    by_name = {level.name: number for number, level in scheme.levels.items()}
    return [by_name[name] for name in names]


def discs(scheme: Scheme) -> dict[int, int]:
    by_name = {level.name: number for number, level in scheme.discs.items()}
    return {place: by_name[n] for place, n in enumerate(HEAD_TO_FOOT) if n in by_name}


@pytest.mark.parametrize("name", naming_levels())
def test_a_map_of_each_scheme_gives_a_case_per_vertebra(tmp_path: Path, name: str) -> None:
    scheme = find_scheme(name)
    labels = write(tmp_path / "p/labels.nii.gz", blocks(numbers(scheme), discs(scheme)))
    write(tmp_path / "p/T2w.nii.gz", noise(blocks(numbers(scheme))))
    found = read_label_map(labels, scheme)
    assert name in read_label_map(labels).fitting()
    assert found.contradiction() == ""
    assert found.left_out() == ("discs" if scheme.discs else "")
    cases = discover(
        tmp_path, image_pattern="{case}/T2w.nii.gz", mask_pattern="{case}/labels.nii.gz",
        labels=scheme,
    ).cases  # fmt: skip
    levels = {case.level.name: case.masks["reader"] for case in cases if case.level}
    by_level = dict(zip(HEAD_TO_FOOT, numbers(scheme), strict=True))
    assert levels == {name: f"p/labels.nii.gz#{number}" for name, number in by_level.items()}


@pytest.mark.parametrize("true", naming_levels())
def test_another_scheme_is_found_out_or_fits_as_well(tmp_path: Path, true: str) -> None:
    """Bodies of lumbar size: the only schemes that cannot be told apart count from L5 or S1."""
    scheme = SCHEMES[true]
    path = write(tmp_path / "labels.nrrd", blocks(numbers(scheme), deep=34, scale=1.8))
    wanted = {(number, scheme.levels[number]) for number in numbers(scheme)}
    shifted = {"spider", "mrspineseg", "totalsegmentator-vertebrae-mr"}
    for named in naming_levels():
        found = read_label_map(path, SCHEMES[named])
        if wanted <= SCHEMES[named].levels.items() or {true, named} <= shifted:
            assert found.contradiction() == "", named
        else:
            with pytest.raises(DataError) as caught:
                found.check()
            assert true in caught.value.remedy, named
            assert caught.value.code == "levels-contradict-anatomy"


def test_a_disc_below_the_wrong_vertebra(tmp_path: Path) -> None:
    good = blocks([19, 20, 21], {0: 119, 1: 120})
    bad = blocks([19, 20, 21], {0: 120, 1: 119})
    spineps = find_scheme("spineps")
    assert read_label_map(write(tmp_path / "a.nii.gz", good), spineps).contradiction() == ""
    found = read_label_map(write(tmp_path / "b.nii.gz", bad), spineps)
    assert found.contradiction() == "the disc below T12 lies below L1"


def test_a_sacrum_above_a_vertebra(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", blocks([1, 3, 2]))
    found = read_label_map(path, find_scheme("mrspineseg"))
    assert found.contradiction() == "the sacrum lies above L4"


@pytest.mark.parametrize(("scale", "wrong"), [(1.0, False), (1.8, True)])
def test_cervical_names_want_bodies_of_that_size(tmp_path: Path, scale: float, wrong: bool) -> None:
    path = write(tmp_path / "a.nii.gz", blocks([3, 4, 5, 6], scale=scale))
    found = read_label_map(path, find_scheme("verse")).unusual_size()
    assert found.startswith("C3 to C6 would") == wrong
    one = write(tmp_path / "b.nii.gz", blocks([4], deep=40, scale=scale))
    found = read_label_map(one, find_scheme("verse"))
    assert bool(found.contradiction() or found.unusual_size()) == wrong


def test_a_crushed_lumbar_body_is_no_contradiction(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", blocks([19, 20, 21], scale=0.3))
    assert read_label_map(path, find_scheme("verse")).contradiction() == ""


def test_every_label_is_a_region_or_named(tmp_path: Path) -> None:
    image = blocks([19, 20, 99, 26], {0: 119})
    path = write(tmp_path / "a.nii.gz", image)
    found = read_label_map(path, find_scheme("verse"))
    assert [label.level.name for label in found.regions if label.level] == ["T12", "L1"]
    assert found.left_out() == "sacrum, unknown 99, unknown 119"
    assert read_label_map(path).numbers == (19, 20, 26, 99, 119)


def test_a_mask_of_one_region_says_no_level(tmp_path: Path) -> None:
    for number in (1, 255):
        path = write(tmp_path / "a.nii.gz", blocks([number]))
        for name in ("verse", "spider", "mrspineseg"):
            (label,) = read_label_map(path, find_scheme(name)).regions
            assert label.level is None


def test_a_number_alone_is_noted_where_a_scheme_has_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", blocks([20]))
    assert read_label_map(path).numbers == (20,)
    assert read_label_map(write(tmp_path / "b.nii.gz", blocks([255]))).numbers == ()


def test_without_an_orientation_the_order_is_not_looked_at(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", blocks([21, 20, 19]))
    verse = find_scheme("verse")
    assert read_label_map(path, verse).contradiction() == "L1 lies above T12"
    header = bytearray(path.read_bytes())
    header[252:256] = bytes(4)  # the codes of both forms
    path.write_bytes(header)
    assert read_label_map(path, verse).contradiction() == ""
    assert read_label_map(path, verse, "PIL").contradiction() == "L1 lies above T12"


def test_parts_are_told_from_vertebrae(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", blocks([49, 100, 61]))
    found = read_label_map(path, find_scheme("verse"))
    with pytest.raises(DataError, match="none of 49, 61, 100 is a vertebra") as caught:
        found.check()
    assert "spineps-spine (which names no levels)" in caught.value.remedy


def test_init_refuses_a_scheme_that_no_map_fits_and_names_a_single_one(tmp_path: Path) -> None:
    mr = find_scheme("totalsegmentator-vertebrae-mr")
    for name in ("a", "b"):
        write(tmp_path / f"images/{name}.nii.gz", noise(blocks(numbers(mr))))
        write(tmp_path / f"masks/{name}_R1.nii.gz", blocks(numbers(mr)))
    with pytest.raises(DataError, match="fit totalsegmentator-vertebrae-mr"):
        discover(tmp_path, labels=find_scheme("verse"))
    verse = blocks(numbers(find_scheme("verse")))
    write(tmp_path / "masks/b_R1.nii.gz", verse)
    found = discover(tmp_path, labels=mr)
    assert [case.id for case in found.cases if not case.level] == [f"b_{n}" for n in range(18, 25)]
    assert any(note.startswith("masks/b_R1.nii.gz: level left empty") for note in found.notes)


def test_init_hints_at_schemes_and_guesses_none(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"images/{name}.nii.gz", noise(blocks([25, 26, 27, 28])))
        write(tmp_path / f"masks/{name}_R1.nii.gz", blocks([25, 26, 27, 28]))
    found = discover(tmp_path)
    assert all(case.level is None for case in found.cases)
    assert found.notes == (
        "masks/a_R1.nii.gz, masks/b_R1.nii.gz: level left empty: the numbers 25, 26, 27, 28 name "
        "no levels by themselves; they and their order would fit totalspineseg; see --labels",
    )


def test_real_exams_as_their_numbers_and_sizes_say(reference: Path) -> None:
    verse = find_scheme("verse")
    exams = sorted((reference / "spine_mri").glob("chu2015_*/seg-vb.nii.gz"))
    for exam in exams:
        assert read_label_map(exam, verse).contradiction() == ""
        assert read_label_map(exam).fitting() == ("verse", "spineps", "tptbox", "spider-algorithm")
    counted = reference / "spine_mri" / "tptbox_cspine" / "seg-vb.nii.gz"
    assert "C5 to C7 would have 32 mL" in read_label_map(counted, verse).unusual_size()
    assert len(exams) == 8


def total_named(path: Path, numbers: list[int], scheme: str = "totalsegmentator") -> Path:
    """A map with the table of a task of TotalSegmentator in its header."""
    levels = {n: f"vertebrae_{level}" for n, level in find_scheme(scheme).levels.items()}
    write(path, blocks(numbers))
    return insert(path, extension(caret_xml({**levels, 25: "sacrum", 5: "liver"})))


def test_a_table_in_the_file_names_levels_and_the_scheme(tmp_path: Path) -> None:
    path = total_named(tmp_path / "a.nii", [30, 29, 5, 25])
    for named in (None, "verse"):
        found = read_label_map(path, find_scheme(named) if named else None)
        assert found.scheme is SCHEMES["totalsegmentator"]
        assert [str(label.level) for label in found.regions] == ["L3", "L2"]
        assert found.left_out() == "liver, sacrum"
        assert found.contradiction() == ""
    six = read_label_map(total_named(tmp_path / "b.nii", [27, 26], "totalsegmentator-v3"))
    assert six.scheme is SCHEMES["totalsegmentator-v3"]
    turned = read_label_map(total_named(tmp_path / "c.nii", [29, 30]))
    assert turned.contradiction() == "L3 lies above L2"


def test_a_table_of_some_vertebrae_names_them_and_no_scheme(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", blocks([30, 29, 5]))
    some = {30: "vertebrae_L2", 29: "vertebrae_L3", 26: "vertebrae_S1", 5: "liver"}
    insert(path, extension(caret_xml(some)))
    found = read_label_map(path)
    assert found.scheme is None
    assert [str(label.level) for label in found.regions] == ["L3", "L2"]


def test_init_says_that_a_file_named_its_levels(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"images/{name}.nii", noise(blocks([30, 29, 5])))
        (tmp_path / "masks").mkdir(exist_ok=True)
        total_named(tmp_path / f"masks/{name}_R1.nii", [30, 29, 5])
    found = discover(tmp_path)
    assert [(case.id, case.masks["R1"]) for case in found.cases[:2]] == [
        ("a_L3", "masks/a_R1.nii#vertebrae_L3"), ("a_L2", "masks/a_R1.nii#vertebrae_L2")
    ]  # fmt: skip
    (told,) = [note for note in found.notes if "table in the file" in note]
    assert "TotalSegmentator, task total (CT), version 2, whole vertebrae; see --region" in told


@pytest.mark.parametrize(("kinds", "end"), [(8, "organ 7"), (9, "organ 7 and 1 more")])
def test_eight_kinds_of_what_is_no_region_are_named(kinds: int, end: str) -> None:
    labels = [Mock(beside=f"organ {k}") for k in range(kinds)]
    assert LabelMap("labels.nii", None, tuple(labels)).left_out().endswith(f", {end}")
