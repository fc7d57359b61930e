"""Every scheme's spine read as every other one: refused with the right one named, or listed."""

from pathlib import Path

import pytest

from centrum.cohort.anatomy import RegionPlace, SpinalColumn
from centrum.cohort.confusable import VIEWS, confusable, not_told_from, of_same_numbers, spine_of
from centrum.cohort.label_map import label_map_of
from centrum.cohort.levels import Level
from centrum.cohort.schemes import SCHEMES, find_scheme, naming_levels
from centrum.errors import DataError
from centrum.io import read_labels
from tests.cohort.label_maps import write
from tests.cohort.spines import spine_image

LISTED = {
    ("totalsegmentator-vertebrae-mr", "spider", "cervical", False),
    ("totalsegmentator-vertebrae-mr", "spider", "thoracic", False),
    ("totalsegmentator-vertebrae-mr", "spider", "lumbar", True),
    ("totalsegmentator", "totalsegmentator-v1", "thoracic", False),
    ("totalsegmentator", "totalsegmentator-v1", "cervical", False),
    ("totalsegmentator-v3", "totalsegmentator-v1", "cervical", False),
    ("totalsegmentator-v3", "totalsegmentator-v1", "thoracic", False),
    ("totalsegmentator-v1", "totalsegmentator", "cervical", False),
    ("totalsegmentator-v1", "totalsegmentator-v3", "cervical", False),
    ("spider", "totalsegmentator-vertebrae-mr", "cervical", True),
    ("spider", "totalsegmentator-vertebrae-mr", "thoracic", True),
    ("spider", "totalsegmentator-vertebrae-mr", "lumbar", True),
    ("spider", "mrspineseg", "lumbar", True),
    ("mrspineseg", "spider", "lumbar", True),
}
"""What the reference page lists: a further pair is a check that was lost."""

SAME = [
    {"verse", "spineps", "tptbox", "spider-algorithm"},
    {"totalsegmentator", "totalsegmentator-v3"},
]


def test_the_pairs_that_no_check_tells_apart_are_known() -> None:
    found = {(c.true.name, c.read.name, c.view, c.alone) for c in confusable()}
    assert found == LISTED
    by_numbers = {n: {s.name for s in of_same_numbers(SCHEMES[n])} for n in SCHEMES}
    for names in SAME:
        for name in names:
            assert by_numbers[name] == names - {name}
    assert by_numbers["mrspineseg"] == {"totalsegmentator-vertebrae-mr"}
    assert [s.name for s in not_told_from(SCHEMES["spider"])] == [
        "totalsegmentator-vertebrae-mr", "mrspineseg"
    ]  # fmt: skip


@pytest.mark.parametrize("alone", [False, True], ids=["whole", "vertebrae"])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("true", naming_levels())
def test_a_file_of_one_scheme_read_as_every_other(
    tmp_path: Path, true: str, view: str, alone: bool
) -> None:
    image = spine_image(SCHEMES[true], view, alone=alone)
    if image is None:
        assert true == "mrspineseg"
        assert view != "lumbar"
        return
    path = write(tmp_path / "labels.nii.gz", image)
    read = read_labels(path)
    wanted = label_map_of(read, path.name, SCHEMES[true])
    assert wanted.doubt() == {}
    assert true in wanted.fitting()
    levels = {label.level for label in wanted.labels if label.level}
    for name in set(naming_levels()) - {true}:
        found = label_map_of(read, path.name, SCHEMES[name])
        if not found.doubt():
            same = {label.level for label in found.labels if label.level} == levels
            known = {(true, name, view, False), (true, name, view, alone)} & LISTED
            assert same or known, name
        else:
            with pytest.raises(DataError) as caught:
                found.check()
            assert true in caught.value.remedy, name


@pytest.mark.parametrize(("name", "view"), [("spineps", "lumbar"), ("totalspineseg", "cervical")])
def test_the_spine_has_all_that_its_scheme_has(name: str, view: str) -> None:
    spine = spine_of(find_scheme(name), view)
    assert spine is not None
    assert spine.doubt() == {}
    assert any(each.beside == "sacrum" for each in spine.labels) == (view == "lumbar")
    assert any(each.beside == "canal" for each in spine.labels) == (name == "totalspineseg")
    assert any(each.beside.startswith("disc ") for each in spine.labels)


# What no anatomy allows, rule by rule


def at(
    height: float, *, volume: float = 30.0, tall: float = 20.0, beside: float = 0.0
) -> RegionPlace:
    return RegionPlace((beside, 0.0, height), volume, 40.0, (height - tall / 2, height + tall / 2))


def levels(*names: str, pitch: float = 30.0) -> dict[Level, RegionPlace]:
    return {Level.parse(name): at(-pitch * k) for k, name in enumerate(names)}


def test_missing_vertebrae_need_room() -> None:
    assert SpinalColumn(levels("T10", "T12", pitch=21)).contradiction() == ""
    assert SpinalColumn(levels("T10", "L2", pitch=30)).contradiction() == (
        "T10 and L2 would lie 30 mm apart, with 3 vertebrae between them"
    )
    assert SpinalColumn(levels("T12", "L1", "L6", "S1", pitch=60)).contradiction() == ""


def test_discs_have_an_order_of_their_own() -> None:
    discs = {Level.parse("L4"): at(10), Level.parse("L5"): at(40)}
    found = SpinalColumn({}, discs).contradiction()
    assert found == "the disc below L5 lies above that below L4"


def test_a_canal_passes_the_vertebrae() -> None:
    bodies = levels("L1", "L2", "L3")
    assert SpinalColumn(bodies, canal=(at(-30, tall=90),)).contradiction() == ""
    assert SpinalColumn(bodies, canal=(at(-15, tall=40),)).contradiction() == ""
    assert SpinalColumn(bodies, canal=(at(-60, tall=40),)).contradiction() == (
        "the canal passes 1 of 3 vertebrae"
    )


def test_what_the_edge_cuts_lies_at_an_end() -> None:
    bodies = levels("L1", "L2")
    assert SpinalColumn(bodies, partial={"the partly visible 106": at(30)}).contradiction() == ""
    found = SpinalColumn(bodies, partial={"the partly visible 106": at(-15)}).contradiction()
    assert found == "the partly visible 106 lies between vertebrae that are wholly visible"


def test_an_organ_has_no_place_in_the_column() -> None:
    bodies = levels("L1", "L2")
    for organ in (at(30, beside=45), at(200)):
        assert SpinalColumn(bodies, organs={"the organ 5": organ}).contradiction() == ""
    atlas = {Level("C", 1): at(0, volume=20)}
    head = SpinalColumn(atlas, organs={"the organ 90": at(40)})
    assert head.contradiction() == ""
    found = SpinalColumn(bodies, organs={"the organ 5": at(30)}).contradiction()
    assert found == "the organ 5 stands in the column, next to L1"


def test_a_sacrum_is_no_vertebra() -> None:
    assert SpinalColumn({Level("L", 5): at(0, volume=140, tall=80)}).unusual_size() == ""
    for large in (at(0, volume=160), at(0, tall=90)):
        assert SpinalColumn({Level("L", 5): large}).unusual_size().startswith("L5 would have")
        grown_together = {Level("L", 4): large, Level("L", 5): at(-60)}
        assert SpinalColumn(grown_together).unusual_size() == ""


def test_lumbar_vertebrae_are_not_as_near_as_cervical_ones() -> None:
    """Unless few of them are seen, of which one may be crushed."""
    near = levels("L1", "L2", "L3", "L4", pitch=18)
    assert SpinalColumn(near).unusual_size() == (
        "L1 to L4 would lie 18 mm apart, where vertebrae of this part of the spine lie more than "
        "20 mm apart"
    )
    assert SpinalColumn(levels("L1", "L2", "L3", pitch=18)).unusual_size() == ""
    assert SpinalColumn(levels("T7", "T8", "T9", "T10", pitch=18)).unusual_size() == ""
